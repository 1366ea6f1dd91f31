//! What was typed. What it means is decided in `commands`.

mod profile;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use profile::{ExportArgs, ProfileCommand, ProfileCommandArgs, SetArgs};

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

/// Get tokens: sign in, allow access, done
///
/// Shows the authorization URL, opens the browser, and takes the redirected URL from a listener
/// (loopback redirect URIs) or from a paste, whichever comes first. The tokens are verified,
/// stored and delivered. Logging in again asks for nothing that is known.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    after_help = "Example:\n  snowtoken login classics --instance classics --client-id 0123456789abcdef0123456789abcdef \\\n    --target nice-knowledge-hub --region us-west-2\n\nThe client secret is asked for; in scripts: --client-secret-file FILE or SNOWTOKEN_CLIENT_SECRET."
)]
pub(crate) struct LoginArgs {
    /// A local name for instance, client and target [a-z0-9._-]
    pub(crate) profile: Option<String>,
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
    /// The product the tokens are for (see `snowtoken target list`)
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// The target's region
    #[arg(long, value_name = "REGION", conflicts_with = "redirect_uri")]
    pub(crate) region: Option<String>,
    /// Redirect URI, exactly as registered
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_uri: Option<String>,
    /// Scopes to ask for, parted by blanks
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,
    /// Ask for no scope: the client's own hold
    #[arg(long, conflicts_with = "scope")]
    pub(crate) no_scope: bool,
    /// Access Token Lifespan set on the client: seconds, or 30m, 2h
    #[arg(long, value_name = "DURATION")]
    pub(crate) access_token_lifespan: Option<String>,
    /// Refresh Token Lifespan set on the client: seconds, or 100d, 365d
    #[arg(long, value_name = "DURATION")]
    pub(crate) refresh_token_lifespan: Option<String>,
    /// The grant to use
    #[arg(long, value_enum)]
    pub(crate) grant: Option<GrantChoice>,
    /// Do not open the browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// How long to wait for consent
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) wait: String,
    /// Take a code without its `state`: nothing proves whose it is
    #[arg(long)]
    pub(crate) accept_bare_code: bool,
    /// Skip the call that proves the tokens
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Refuse tokens of any other user than this one
    #[arg(long, value_name = "USER", conflicts_with = "no_verify")]
    pub(crate) expect_user: Option<String>,
    /// Write the credentials to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write no credentials file
    #[arg(long, conflicts_with = "output")]
    pub(crate) no_output: bool,
    /// Where the key of a new store rests (a file: `SNOWTOKEN_KEY_FILE`)
    #[arg(long, value_enum, value_name = "PLACE")]
    pub(crate) key: Option<KeyChoice>,
    /// Print what was reached as JSON, without secrets
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ClientAuth {
    /// In the body (`client_secret_post`)
    Post,
    /// In the header (`client_secret_basic`)
    Basic,
    /// A public client without a secret
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum GrantChoice {
    /// A person consents in a browser
    AuthorizationCode,
    /// The client acts for itself; no refresh token
    ClientCredentials,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum KeyChoice {
    /// This system's keyring
    Keyring,
    /// Derived from a passphrase each time
    Passphrase,
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

/// Write or print the credentials in a consumer's shape
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken deliver classics --output servicenow_credentials.txt\n  eval \"$(snowtoken deliver dev --format shell)\"\n  snowtoken deliver classics --check   # exit code 3 if the file has drifted"
)]
pub(crate) struct DeliverArgs {
    /// The profile
    pub(crate) profile: Option<String>,
    /// The shape
    #[arg(long, value_enum, default_value = "credentials-file")]
    pub(crate) format: FormatChoice,
    /// Write to this file (owner-only) instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write nothing: tell whether the delivered files are still what is stored
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FormatChoice {
    /// `Label: value` lines
    CredentialsFile,
    /// One object
    Json,
    /// `NAME='value'` lines
    Dotenv,
    /// `export NAME='value'` lines
    Shell,
    /// An Authorization header
    Header,
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

/// Check what is kept on this machine, and name the one fix that comes first
///
/// Each step is passed, failed or unknown. With --restore it goes back to the last good state where
/// something is damaged; the damaged file is kept.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  snowtoken doctor\n  snowtoken doctor --restore")]
pub(crate) struct DoctorArgs {
    /// Put the copy of the last good state in the place of what is damaged
    #[arg(long, conflicts_with = "json")]
    pub(crate) restore: bool,
    /// Do not ask before restoring
    #[arg(long, requires = "restore")]
    pub(crate) yes: bool,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The products that take ServiceNow tokens, and what each wants
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  snowtoken target show nice-knowledge-hub")]
pub(crate) struct TargetArgs {
    #[command(subcommand)]
    pub(crate) command: TargetCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TargetCommand {
    /// One line for each target
    List {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Redirect URI, scopes, lifespans, fields, limits, sources
    Show {
        /// The target
        name: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
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
