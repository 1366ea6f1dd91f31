//! What is asked when something is wrong: `doctor`, `explain`.

use std::path::PathBuf;

use clap::Args;

use super::ProbeArgs;

/// Walk the road from here to a living token, and name the fix that comes first
///
/// It looks at what is kept on this machine, then at name, proxy, certificate, clock, endpoints,
/// client, redirect URI, tokens and tables of one profile. Each step is passed, failed or unknown with
/// the reason. At most a dozen requests are sent, and nothing is changed. With --bundle it writes a
/// report without names and secrets, to be attached to a question. With --restore it goes back to the
/// last good state where something is damaged; the damaged file is kept.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken doctor dev\n  snowtoken doctor --instance classics\n  snowtoken doctor dev --bundle report.md\n  snowtoken doctor --restore"
)]
pub(crate) struct DoctorArgs {
    /// The profile
    pub(crate) profile: Option<String>,
    /// Look at the road to this instance, before there is a profile: a name, a host or a URL
    #[arg(long, value_name = "INSTANCE", conflicts_with = "profile")]
    pub(crate) instance: Option<String>,
    /// With --instance: look for this client as well
    #[arg(long, value_name = "ID", requires = "instance")]
    pub(crate) client_id: Option<String>,
    /// With --client-id: and for this redirect URI of it
    #[arg(long, value_name = "URL", requires = "client_id")]
    pub(crate) redirect_uri: Option<String>,
    /// Look at this machine only: nothing is sent
    #[arg(long, conflicts_with_all = ["instance", "refresh"])]
    pub(crate) local: bool,
    /// Refresh once on the way: it proves client, secret and refresh token
    #[arg(long, conflicts_with = "instance")]
    pub(crate) refresh: bool,
    /// Write a report without names and secrets (Markdown, or JSON with --json); `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
    /// Put the copy of the last good state in the place of what is damaged
    #[arg(
        long,
        conflicts_with_all = ["json", "profile", "instance", "local", "refresh", "bundle"]
    )]
    pub(crate) restore: bool,
    /// Do not ask before restoring, or before writing the report
    #[arg(long)]
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
