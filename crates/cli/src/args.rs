//! What was typed. What it means is decided in `commands`.

mod api;
mod deliver;
mod doctor;
mod keep;
mod login;
mod probe;
mod profile;
mod setup;
mod stand_in;
mod target;
mod wizard;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use api::ApiArgs;
pub(crate) use deliver::{BundleArgs, DeliverArgs, PassphraseChoice};
pub(crate) use doctor::{DoctorArgs, ExplainArgs};
pub(crate) use keep::{KeepArgs, StatusArgs, UnitChoice};
pub(crate) use login::{ClientAuth, GrantChoice, KeyChoice, LoginArgs};
pub(crate) use probe::ProbeArgs;
pub(crate) use profile::{AddArgs, ExportArgs, ProfileCommand, ProfileCommandArgs, SetArgs};
pub(crate) use setup::{ChecklistFormat, ClientArgs, ReleaseChoice, SetupArgs};
pub(crate) use stand_in::{RehearseArgs, StandInArgs};
pub(crate) use target::{TargetArgs, TargetCommand};
pub(crate) use wizard::WizardArgs;

/// Gets, keeps, delivers and ends ServiceNow OAuth tokens
#[derive(Debug, Parser)]
#[command(name = "snowtoken", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Never ask anything: fail with the exit code that fits
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Trust these certificate authorities (PEM) beside the operating system's
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Wizard(WizardArgs),
    Setup(Box<SetupArgs>),
    Login(Box<LoginArgs>),
    Token(TokenArgs),
    /// Refresh now, and say what changed
    #[command(after_help = "Example:\n  snowtoken refresh dev")]
    Refresh(ProfileArgs),
    Status(StatusArgs),
    /// Prove the token by calls: whose it is, and what it can read
    #[command(after_help = "Example:\n  snowtoken verify dev")]
    Verify(ProfileArgs),
    Deliver(DeliverArgs),
    Exec(ExecArgs),
    Keep(KeepArgs),
    /// Revoke both tokens on the instance, and prove that they stopped working
    #[command(after_help = "Example:\n  snowtoken revoke dev")]
    Revoke(RevokeArgs),
    /// Revoke, then forget the tokens; the next login asks nothing again
    #[command(after_help = "Example:\n  snowtoken logout dev")]
    Logout(RevokeArgs),
    Doctor(DoctorArgs),
    Profile(ProfileCommandArgs),
    Target(TargetArgs),
    Explain(ExplainArgs),
    Rehearse(RehearseArgs),
    StandIn(StandInArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Print a valid access token and nothing else
///
/// Refreshes when the stored token does not live long enough; asks the instance nothing otherwise.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  snowtoken token dev --min-valid 10m")]
pub(crate) struct TokenArgs {
    /// The profile
    pub(crate) profile: Option<String>,
    /// Refresh when less than this is left (usually a minute)
    #[arg(long, value_name = "DURATION")]
    pub(crate) min_valid: Option<String>,
    /// Print an Authorization header
    #[arg(long, conflicts_with = "json")]
    pub(crate) header: bool,
    /// Print the token with its end as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The one profile a command is about.
#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    /// The profile
    pub(crate) profile: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Run a program with a living token in its environment
///
/// The program finds `SNOWTOKEN_ACCESS_TOKEN`, `SNOWTOKEN_ACCESS_TOKEN_EXPIRES_AT` and
/// `SNOWTOKEN_INSTANCE_URL`; no other secret of ours reaches it.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken exec dev -- sh -c 'curl -H \"Authorization: Bearer $SNOWTOKEN_ACCESS_TOKEN\" \"$SNOWTOKEN_INSTANCE_URL/api/now/table/incident?sysparm_limit=1\"'"
)]
pub(crate) struct ExecArgs {
    /// The profile
    pub(crate) profile: Option<String>,
    /// Refresh when less than this is left (usually a minute)
    #[arg(long, value_name = "DURATION")]
    pub(crate) min_valid: Option<String>,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<std::ffi::OsString>,
}

/// What ending tokens needs to know.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The profile
    pub(crate) profile: Option<String>,
    /// Forget the tokens on this machine even if the instance could not be asked; end them even if
    /// another machine has taken the profile over
    #[arg(long)]
    pub(crate) force: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken completions bash > ~/.local/share/bash-completion/completions/snowtoken"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page, or write all of them into a folder
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken man | man -l -\n  snowtoken man --directory ~/.local/share/man/man1"
)]
pub(crate) struct ManArgs {
    /// Write one page per command into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) directory: Option<PathBuf>,
}
