//! Watching over all profiles: `status`, `keep`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Show profiles: user, both deadlines and how each is known
///
/// Several profiles are a table, in the order of their names; one profile is shown at length: with
/// scope, client, the next refresh and why it is then, the last failure, and where secrets lie.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken status\n  snowtoken status dev\n  snowtoken status --within 14d   # exit code 3 if a deadline is nearer\n  snowtoken status --ics deadlines.ics"
)]
pub(crate) struct StatusArgs {
    /// Only this profile
    pub(crate) profile: Option<String>,
    /// End with exit code 3 if a refresh token ends within this time
    #[arg(long, value_name = "DURATION")]
    pub(crate) within: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a calendar file instead, with alarms 30, 14, 7 and 1 days ahead (`-` is standard output)
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub(crate) ics: Option<PathBuf>,
}

/// Keep all profiles alive, in the foreground, until it is told to stop
///
/// Refreshes each profile before its access token ends, one at a time with whatever else runs,
/// and warns 30, 14, 7 and 1 days before a refresh token ends. It never opens a browser: where a
/// person must log in, it says so on stderr, by a notification, by the hooks in config.toml, and
/// `status` shows it. SIGTERM or Ctrl-C ends it when what is under way is done, SIGHUP makes it
/// read the configuration again. One keeper is enough for a home; a second one says so and ends.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken keep\n  snowtoken keep --once   # one round, for cron\n  snowtoken keep --unit systemd > ~/.config/systemd/user/snowtoken-keep.service"
)]
pub(crate) struct KeepArgs {
    /// Do what is due now and end: 4 if a person must log in, 5 if something should be tried again
    #[arg(long)]
    pub(crate) once: bool,
    /// Show no notifications on the desktop
    #[arg(long)]
    pub(crate) no_notify: bool,
    /// Print a unit that starts it with your session, and how to install it
    #[arg(long, value_enum, value_name = "SYSTEM", conflicts_with_all = ["once", "no_notify"])]
    pub(crate) unit: Option<UnitChoice>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum UnitChoice {
    /// A user unit of systemd
    Systemd,
    /// A launch agent of macOS
    Launchd,
    /// A task of the Windows Task Scheduler
    Windows,
}
