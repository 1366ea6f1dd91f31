//! What was typed after `doctor --probe`.

use std::path::PathBuf;

use clap::Args;

/// The measurement of an instance.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ProbeArgs {
    /// Measure what no published source tells: a guided half hour with a client of its own, whose
    /// tokens end by it
    #[arg(long, conflicts_with_all = ["restore", "json", "instance", "local", "refresh", "bundle"])]
    pub(crate) probe: bool,
    /// With --probe: write the facts to this file instead of standard output
    #[arg(long, value_name = "FILE", requires = "probe")]
    pub(crate) facts: Option<PathBuf>,
    /// With --probe: the instance's release, to be noted in the file
    #[arg(long, value_name = "NAME", requires = "probe")]
    pub(crate) release: Option<String>,
    /// With --probe: change the refresh token lifespan on the client's record for a moment
    #[arg(long, requires = "probe")]
    pub(crate) change_client: bool,
    /// With --probe: send up to N token requests in a row to find a rate limit (500 at most)
    #[arg(long, value_name = "N", requires = "probe", default_value_t = 0)]
    pub(crate) burst: u64,
    /// With --probe: ask to switch OAuth off, and to lock this address out, for a moment
    #[arg(long, requires = "probe")]
    pub(crate) disturb: bool,
    /// With --probe: do not open the browser
    #[arg(long, requires = "probe")]
    pub(crate) no_browser: bool,
    /// With --probe: measure although the profile has tokens: they end
    #[arg(long, requires = "probe")]
    pub(crate) end_tokens: bool,
}
