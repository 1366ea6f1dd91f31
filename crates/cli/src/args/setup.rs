//! `setup`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

use super::{ApiArgs, GrantChoice, KeyChoice};

/// Make the OAuth client on the instance, or explain how
///
/// `--checklist` prints every step with every value ready to copy. `--background-script` writes one
/// script to paste into System Definition > Scripts - Background, which makes or mends the client.
/// `--apply` does the same over the Table API by an administrator's rights, and goes on to `login`.
/// `--rotate-secret` gives the client a new secret, everywhere.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("way").required(true).args(["checklist", "background_script", "apply", "rotate_secret"])),
    group(ArgGroup::new("over_the_api").multiple(true).args(["apply", "rotate_secret"])),
    after_help = "Example:\n  snowtoken setup classics --checklist --instance classics --region us-west-2 --output checklist.html\n  snowtoken setup classics --background-script --instance classics --region us-west-2\n  snowtoken setup classics --apply --instance classics --region us-west-2 --admin-user admin"
)]
pub(crate) struct SetupArgs {
    /// A local name for instance, client and target [a-z0-9._-]
    pub(crate) profile: Option<String>,
    /// Print the steps, with every value ready to copy
    #[arg(long)]
    pub(crate) checklist: bool,
    /// Write one script for Scripts - Background that makes or mends the client
    #[arg(long)]
    pub(crate) background_script: bool,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Write to this file (`-` is standard output); with --apply, where the login delivers to
    #[arg(long, value_name = "FILE", conflicts_with = "rotate_secret")]
    pub(crate) output: Option<PathBuf>,
    /// How the checklist is written; usually as the file's name ends
    #[arg(long, value_enum, requires = "checklist",
        conflicts_with_all = ["background_script", "apply", "rotate_secret"])]
    pub(crate) format: Option<ChecklistFormat>,
    /// The instance's release; without it both screens are explained
    #[arg(long, value_enum, requires = "checklist",
        conflicts_with_all = ["background_script", "apply", "rotate_secret"])]
    pub(crate) release: Option<ReleaseChoice>,
    /// Switch the client credentials grant on for the whole instance
    #[arg(long, conflicts_with_all = ["checklist", "rotate_secret"])]
    pub(crate) enable_client_credentials: bool,
    /// Where the key of a new store rests (a file: `SNOWTOKEN_KEY_FILE`)
    #[arg(long, value_enum, value_name = "PLACE", conflicts_with = "checklist")]
    pub(crate) key: Option<KeyChoice>,
}

/// What the client should look like, for every way of making it.
#[derive(Debug, Args)]
pub(crate) struct ClientArgs {
    /// Instance name, host or https URL
    #[arg(long, value_name = "INSTANCE")]
    pub(crate) instance: Option<String>,
    /// The product the tokens are for (see `snowtoken target list`)
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// The target's region
    #[arg(long, value_name = "REGION", conflicts_with = "redirect_uri")]
    pub(crate) region: Option<String>,
    /// Redirect URI to register
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_uri: Option<String>,
    /// The client's name on the instance, which people read on the consent page
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Client ID of a client that exists, or that the new one shall have
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Read the client secret from this file (`-` is standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["checklist", "rotate_secret"])]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// Access Token Lifespan: seconds, or 30m, 2h
    #[arg(long, value_name = "DURATION")]
    pub(crate) access_token_lifespan: Option<String>,
    /// Refresh Token Lifespan: seconds, or 100d, 365d
    #[arg(long, value_name = "DURATION")]
    pub(crate) refresh_token_lifespan: Option<String>,
    /// Scopes to give the client, parted by blanks
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,
    /// Give the client no scopes
    #[arg(long, conflicts_with = "scope")]
    pub(crate) no_scope: bool,
    /// The grant the client is for
    #[arg(long, value_enum)]
    pub(crate) grant: Option<GrantChoice>,
    /// The user the tokens shall belong to, by user name
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChecklistFormat {
    /// For a terminal
    Text,
    /// For a wiki or a ticket
    Markdown,
    /// One page for a browser or a printer
    Html,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ReleaseChoice {
    Xanadu,
    Yokohama,
    Zurich,
    Australia,
}
