//! What is asked when something is wrong: `doctor`, `explain`.

use clap::Args;

use super::ProbeArgs;

/// Check what is kept on this machine, and name the one fix that comes first
///
/// Each step is passed, failed or unknown. With --restore it goes back to the last good state where
/// something is damaged; the damaged file is kept.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  snowtoken doctor\n  snowtoken doctor --restore")]
pub(crate) struct DoctorArgs {
    /// The profile
    pub(crate) profile: Option<String>,
    /// Put the copy of the last good state in the place of what is damaged
    #[arg(long, conflicts_with = "json")]
    pub(crate) restore: bool,
    /// Do not ask before restoring
    #[arg(long, requires = "restore")]
    pub(crate) yes: bool,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) probe: ProbeArgs,
}

/// Explain a diagnosis code, or raw error text from standard input; works offline
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken explain code-refused\n  pbpaste | snowtoken explain\n  snowtoken explain --list"
)]
pub(crate) struct ExplainArgs {
    /// A code, or a few words of the error
    pub(crate) text: Vec<String>,
    /// List all codes
    #[arg(long)]
    pub(crate) list: bool,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
