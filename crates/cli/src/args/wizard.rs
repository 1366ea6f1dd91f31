//! `wizard`.

use clap::Args;

use super::KeyChoice;

/// Open local pages that lead from nothing to delivered, verified tokens
///
/// The pages come from this machine and only the browser that is opened gets in. The OAuth client,
/// sign-in, proof and hand-over have a page each. It can be closed at any time and goes on where it was.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  snowtoken wizard")]
pub(crate) struct WizardArgs {
    /// The port; a free one otherwise
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// Do not open the browser: show the link
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// End when nobody has used it for so long
    #[arg(long, value_name = "DURATION", default_value = "30m")]
    pub(crate) idle: String,
    /// Where the key of a new store rests (a file: `SNOWTOKEN_KEY_FILE`)
    #[arg(long, value_enum, value_name = "PLACE")]
    pub(crate) key: Option<KeyChoice>,
}
