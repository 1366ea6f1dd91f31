//! What was typed after `profile`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ClientAuth, GrantChoice, KeyChoice};

/// List, show, add, change, import and hand over profiles
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken profile list\n  snowtoken profile add grafana --target grafana --instance classics --client-id 0123456789abcdef0123456789abcdef\n  snowtoken profile set dev --refresh-token-lifespan 365d\n  snowtoken profile import old.txt --name classics\n  snowtoken profile export dev --output dev.snowtoken"
)]
pub(crate) struct ProfileCommandArgs {
    #[command(subcommand)]
    pub(crate) command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// One line for each profile
    List {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Everything about a profile that is no secret
    Show {
        /// The profile
        profile: Option<String>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    Add(Box<AddArgs>),
    /// Change settings of a profile
    Set(Box<SetArgs>),
    /// Give a profile another name
    Rename {
        /// Its name now
        from: String,
        /// Its new name
        to: String,
    },
    /// Remove a profile with its tokens and client secret from this machine
    Remove {
        /// The profile
        profile: String,
        /// Remove it even though its tokens are not revoked
        #[arg(long)]
        force: bool,
    },
    Export(ExportArgs),
    /// Take over a sealed profile, or what a plain file holds
    ///
    /// A plain file is the text file of a vendor's script, a .env, JSON (AWS Secrets Manager, Postman
    /// environments, token answers), the connection string of a CData driver, the `oauth_tool.cfg` of an
    /// OpenText connector, or a curl command. What is found is proved by the instance before it counts.
    #[command(
        after_help = "Example:\n  snowtoken profile import dev.snowtoken   # what `profile export` made on another machine\n  snowtoken profile import servicenow_credentials.txt --name classics --remove-file"
    )]
    Import {
        /// The file (`-` is standard input)
        file: PathBuf,
        /// The profile to make (a sealed one keeps its name)
        #[arg(long)]
        name: Option<String>,
        /// Read the passphrase of a sealed profile from this file (`-` is standard input)
        #[arg(long, value_name = "FILE", conflicts_with = "identity")]
        passphrase_file: Option<PathBuf>,
        /// Open a sealed profile by `age` with this identity
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
        /// Take a sealed profile over even if living tokens are replaced, or it was used before
        #[arg(long)]
        force: bool,
        /// The instance, if the file does not say
        #[arg(long)]
        instance: Option<String>,
        /// The client ID, if the file does not say
        #[arg(long)]
        client_id: Option<String>,
        /// Where the key of a new store rests
        #[arg(long, value_enum, value_name = "PLACE")]
        key: Option<KeyChoice>,
        /// Store without asking the instance whether the refresh token works
        #[arg(long)]
        no_verify: bool,
        /// Remove the plain file once its secrets are in the store; whoever says nothing is asked
        #[arg(long, conflicts_with = "keep_file")]
        remove_file: bool,
        /// Leave the plain file where it is, and do not ask
        #[arg(long)]
        keep_file: bool,
    },
}

/// Hand a profile over to another machine, as a sealed file
///
/// The file holds everything the other machine needs: settings, client secret, tokens, deadlines.
/// It is sealed by a passphrase, or by the `age` program for recipients. This machine is the former
/// owner then: it hands out the access token until that ends and refreshes no more. Importing the
/// file here takes the profile back.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken profile export dev --output dev.snowtoken\n  snowtoken profile import dev.snowtoken   # on the other machine"
)]
pub(crate) struct ExportArgs {
    /// The profile
    pub(crate) profile: Option<String>,
    /// The sealed file (`-` is standard output); NAME.snowtoken if none is named
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Read the passphrase from this file (`-` is standard input) instead of asking for it
    #[arg(long, value_name = "FILE", conflicts_with = "recipient")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Seal by `age` for this recipient instead of a passphrase; may be repeated
    #[arg(long, value_name = "age1…")]
    pub(crate) recipient: Vec<String>,
}

/// Settings to change; those that are not named stay.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The profile
    pub(crate) profile: String,
    /// Target
    #[arg(long)]
    pub(crate) target: Option<String>,
    /// Region of the target
    #[arg(long, conflicts_with = "redirect_uri")]
    pub(crate) region: Option<String>,
    /// Redirect URI
    #[arg(long)]
    pub(crate) redirect_uri: Option<String>,
    /// Scopes
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// No scope
    #[arg(long, conflicts_with = "scope")]
    pub(crate) no_scope: bool,
    /// Access Token Lifespan set on the client
    #[arg(long)]
    pub(crate) access_token_lifespan: Option<String>,
    /// Refresh Token Lifespan set on the client
    #[arg(long)]
    pub(crate) refresh_token_lifespan: Option<String>,
}

/// Keep a client that was made on the instance, without getting tokens for it
///
/// For products that take a client ID and secret and get their tokens themselves: the client is
/// checked as far as that goes and stored, and `snowtoken deliver` hands over exactly what the
/// product's form asks for. For products that take tokens, `snowtoken login` goes on from there.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    after_help = "Example:\n  snowtoken profile add grafana --target grafana --instance classics --client-id 0123456789abcdef0123456789abcdef\n  snowtoken deliver grafana\n\nThe client secret is asked for; in scripts: --client-secret-file FILE or SNOWTOKEN_CLIENT_SECRET."
)]
pub(crate) struct AddArgs {
    /// The profile to make
    pub(crate) profile: String,
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
    /// The product the client is for (see `snowtoken target list`)
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// The target's region
    #[arg(long, value_name = "REGION", conflicts_with = "redirect_uri")]
    pub(crate) region: Option<String>,
    /// Redirect URI, exactly as registered
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_uri: Option<String>,
    /// Scopes the product asks for, parted by blanks
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,
    /// No scope: the client's own hold
    #[arg(long, conflicts_with = "scope")]
    pub(crate) no_scope: bool,
    /// Access Token Lifespan set on the client: seconds, or 30m, 2h
    #[arg(long, value_name = "DURATION")]
    pub(crate) access_token_lifespan: Option<String>,
    /// Refresh Token Lifespan set on the client: seconds, or 100d, 365d
    #[arg(long, value_name = "DURATION")]
    pub(crate) refresh_token_lifespan: Option<String>,
    /// The grant that a later login uses
    #[arg(long, value_enum)]
    pub(crate) grant: Option<GrantChoice>,
    /// Change a profile that exists; what is not named stays as it is
    #[arg(long)]
    pub(crate) replace: bool,
    /// Do not ask whether the instance is awake
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Where the key of a new store rests (a file: `SNOWTOKEN_KEY_FILE`)
    #[arg(long, value_enum, value_name = "PLACE")]
    pub(crate) key: Option<KeyChoice>,
    /// Print what was kept as JSON, without secrets
    #[arg(long)]
    pub(crate) json: bool,
}
