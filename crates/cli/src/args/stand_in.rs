//! The pretend instance: `rehearse`, `stand-in`.

use std::path::PathBuf;

use clap::Args;

/// The whole journey against a pretend instance on this machine
///
/// Starts a stand-in, opens the browser, waits for your Allow, and shows the credentials file.
/// Nothing real is touched and nothing is kept.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken rehearse         # sign in as abel.tuter, password snow\n  snowtoken rehearse --yes   # consents by itself, no browser needed"
)]
pub(crate) struct RehearseArgs {
    /// Consent by itself, without a browser
    #[arg(long)]
    pub(crate) yes: bool,
    /// Do not open the browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Keep the credentials file of the rehearsal here
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Behave as an instance was measured to (see `doctor --probe`)
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
    /// Turn a knob of the stand-in (see `stand-in --knobs`)
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) knob: Vec<String>,
}

/// Run the pretend instance as a server, for your own tests and CI
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken stand-in --port 8080 --control-port 8081 --redirect-uri http://127.0.0.1:8456/callback\n  snowtoken stand-in --knobs"
)]
pub(crate) struct StandInArgs {
    /// Port of the instance; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Port of the control interface; 0 takes a free one, left out there is none
    #[arg(long)]
    pub(crate) control_port: Option<u16>,
    /// A redirect URI of the client (may be repeated)
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_uri: Vec<String>,
    /// The client ID; made up when left out
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Read the client secret from this file; made up when left out
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// A scope of the client (may be repeated)
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,
    /// Behave as an instance was measured to (see `doctor --probe`)
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
    /// Turn a knob (may be repeated)
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) knob: Vec<String>,
    /// List the knobs
    #[arg(long)]
    pub(crate) knobs: bool,
    /// The seed of a run to repeat
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}
