//! What was typed after `profile`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::KeyChoice;

/// List, show, change and import profiles
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken profile list\n  snowtoken profile set dev --refresh-token-lifespan 365d\n  snowtoken profile import old.txt --name classics"
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
    /// Take over what a vendor's script, a .env file or a JSON file holds
    Import {
        /// The file (`-` is standard input)
        file: PathBuf,
        /// The profile to make
        #[arg(long)]
        name: Option<String>,
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
    },
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
