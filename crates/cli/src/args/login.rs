//! `login`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use snowtoken::core::profile::Grant;
use snowtoken::delivery::Format;

use super::deliver::formats;

/// Get tokens: sign in, allow access, done
///
/// Shows the authorization URL, opens the browser, and takes the redirected URL from a listener
/// (loopback redirect URIs) or from a paste, whichever comes first. The tokens are verified,
/// stored and delivered. Logging in again asks for nothing that is known.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    after_help = "Example:\n  snowtoken login classics --instance classics --client-id 0123456789abcdef0123456789abcdef \\\n    --target nice-knowledge-hub --region us-west-2\n  snowtoken login classics --code-only   # a fresh code for a product that exchanges it itself\n  snowtoken login classics --code-only --format appflow --push\n\nWithout any person, from then on too (JWT bearer):\n  snowtoken login robot --instance classics --client-id 0123456789abcdef0123456789abcdef \\\n    --grant jwt-bearer --key-file key.pem --key-id robot-1 --subject robot@example.com\n\nThe client secret is asked for; in scripts: --client-secret-file FILE or SNOWTOKEN_CLIENT_SECRET."
)]
pub(crate) struct LoginArgs {
    /// A local name for instance, client and target [a-z0-9._-]
    pub(crate) profile: Option<String>,
    /// Instance name, host or https URL
    #[arg(long, value_name = "INSTANCE")]
    pub(crate) instance: Option<String>,
    /// Client ID of the OAuth application
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Read the client secret from this file (`-` is standard input)
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// How the client authenticates
    #[arg(long, value_enum, value_name = "METHOD")]
    pub(crate) client_auth: Option<ClientAuth>,
    /// The product the tokens are for (see `snowtoken target list`)
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// The target's region
    #[arg(long, value_name = "REGION", conflicts_with = "redirect_uri")]
    pub(crate) region: Option<String>,
    /// Redirect URI, exactly as registered
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_uri: Option<String>,
    /// Scopes to ask for, parted by blanks
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,
    /// Ask for no scope: the client's own hold
    #[arg(long, conflicts_with = "scope")]
    pub(crate) no_scope: bool,
    /// Access Token Lifespan set on the client: seconds, or 30m, 2h
    #[arg(long, value_name = "DURATION")]
    pub(crate) access_token_lifespan: Option<String>,
    /// Refresh Token Lifespan set on the client: seconds, or 100d, 365d
    #[arg(long, value_name = "DURATION")]
    pub(crate) refresh_token_lifespan: Option<String>,
    /// The grant to use
    #[arg(long, value_enum)]
    pub(crate) grant: Option<GrantChoice>,
    /// Read the private key that signs assertions from this file, PEM or JSON Web Key (`-` is
    /// standard input); it is stored sealed (JWT bearer)
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The Kid of the client's JWT verifier map on the instance (JWT bearer)
    #[arg(long, value_name = "KID")]
    pub(crate) key_id: Option<String>,
    /// Whom the tokens are for: what the client's User Field holds for that user (JWT bearer)
    #[arg(long, value_name = "USER")]
    pub(crate) subject: Option<String>,
    /// Do not open the browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// How long to wait for consent
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) wait: String,
    /// Take a code without its `state`: nothing proves whose it is
    #[arg(long)]
    pub(crate) accept_bare_code: bool,
    /// Skip the call that proves the tokens
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Refuse tokens of any other user than this one
    #[arg(long, value_name = "USER", conflicts_with = "no_verify")]
    pub(crate) expect_user: Option<String>,
    /// Write the credentials to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write no credentials file
    #[arg(long, conflicts_with = "output")]
    pub(crate) no_output: bool,
    /// Where the key of a new store rests (a file: `SNOWTOKEN_KEY_FILE`)
    #[arg(long, value_enum, value_name = "PLACE")]
    pub(crate) key: Option<KeyChoice>,
    /// Print what was reached as JSON, without secrets (with --code-only: the code and what belongs to it)
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) code: CodeOnlyArgs,
}

/// A login that stops at the code.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "A code for somebody else")]
pub(crate) struct CodeOnlyArgs {
    /// Stop at the code and print it unspent, for a product that exchanges it itself: nothing is exchanged
    /// or stored, and no client secret is needed
    #[arg(long, conflicts_with_all = ["expect_user", "no_output"])]
    pub(crate) code_only: bool,
    /// Ask without PKCE, for a product that cannot send a `code_verifier`: whoever sees the code and has the
    /// client secret can use it
    #[arg(long, requires = "code_only")]
    pub(crate) no_pkce: bool,
    /// How long codes of this client live (usually 60 seconds, or what the client's record says)
    #[arg(long, value_name = "DURATION", requires = "code_only")]
    pub(crate) code_lifespan: Option<String>,
    /// The code in the shape of the product that exchanges it: `appflow` takes it with its code verifier. The
    /// client secret is a part of it
    #[arg(long, value_name = "SHAPE", value_parser = formats(), hide_possible_values = true, requires = "code_only", conflicts_with = "json")]
    pub(crate) format: Option<Format>,
    /// Whether the connection is a new one or has a new consent
    #[arg(long, value_name = "WAY", value_parser = ["create", "update"], requires = "format")]
    pub(crate) variant: Option<String>,
    /// What the connector profile is called where it goes
    #[arg(long, requires = "format")]
    pub(crate) name: Option<String>,
    /// Hand it to the product's own program at once, by its standard input
    #[arg(long, requires = "format", conflicts_with = "output")]
    pub(crate) push: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ClientAuth {
    /// In the body (`client_secret_post`)
    Post,
    /// In the header (`client_secret_basic`)
    Basic,
    /// A public client without a secret
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum GrantChoice {
    /// A person consents in a browser
    AuthorizationCode,
    /// The client acts for itself; its tokens renew themselves
    ClientCredentials,
    /// The client vouches for a user by its signature; its tokens renew themselves
    JwtBearer,
}

impl From<GrantChoice> for Grant {
    fn from(choice: GrantChoice) -> Self {
        match choice {
            GrantChoice::AuthorizationCode => Self::AuthorizationCode,
            GrantChoice::ClientCredentials => Self::ClientCredentials,
            GrantChoice::JwtBearer => Self::JwtBearer,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum KeyChoice {
    /// This system's keyring
    Keyring,
    /// Derived from a passphrase each time
    Passphrase,
}
