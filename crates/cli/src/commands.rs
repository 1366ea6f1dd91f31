//! One verb per file, and which of them was meant.

pub(crate) mod deliver;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod keep;
pub(crate) mod login;
pub(crate) mod profile;
pub(crate) mod refresh;
pub(crate) mod rehearse;
pub(crate) mod revoke;
pub(crate) mod setup;
pub(crate) mod shell;
pub(crate) mod stand_in;
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod token;
pub(crate) mod verify;
pub(crate) mod wizard;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use snowtoken::home::Home;
use snowtoken::{World, variables};

use crate::app::App;
use crate::args::{Cli, Command};
use crate::report::Failure;
use crate::{logging, output};

/// Parses the command line and runs it.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let Some(command) = cli.command else {
        output::say_part(OVERVIEW);
        return ExitCode::from(2);
    };
    match start(command, cli.no_input, cli.ca_file) {
        Ok(code) => code,
        Err(failure) => output::report(&failure),
    }
}

fn start(command: Command, no_input: bool, ca_file: Option<PathBuf>) -> Result<ExitCode, Failure> {
    let world = World::real(ca_file);
    logging::start(world.environment.get(&variables::LOG));
    // These need no home folder.
    match command {
        Command::Explain(args) => return explain::run(&args),
        Command::Target(args) => return target::run(&world, &args),
        Command::StandIn(args) => return stand_in::run(&args),
        Command::Completions(args) => return shell::completions(&args),
        Command::Man(args) => return shell::man(&args),
        Command::Rehearse(args) => return rehearse::run(world, no_input, &args),
        _ => {}
    }
    let home = Home::find(&world.environment)?;
    let app = App::new(world, home, no_input);
    let code = dispatch(&app, command).unwrap_or_else(|failure| output::report(&failure));
    app.run_hooks();
    Ok(code)
}

fn dispatch(app: &App, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Setup(args) => setup::run(app, &args),
        Command::Wizard(args) => wizard::run(app, &args),
        Command::Login(args) => login::run(app, &args),
        Command::Token(args) => token::run(app, &args),
        Command::Refresh(args) => refresh::run(app, &args),
        Command::Status(args) => status::run(app, &args),
        Command::Verify(args) => verify::run(app, &args),
        Command::Deliver(args) => deliver::run(app, &args),
        Command::Exec(args) => exec::run(app, &args),
        Command::Revoke(args) => revoke::revoke(app, &args),
        Command::Logout(args) => revoke::logout(app, &args),
        Command::Profile(args) => profile::run(app, &args),
        Command::Keep(args) => keep::run(app, &args),
        Command::Doctor(args) => doctor::run(app, &args),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// What is shown when nothing was asked for.
pub(crate) const OVERVIEW: &str = "\
snowtoken gets, keeps, delivers and ends ServiceNow OAuth tokens.

  snowtoken rehearse        try the whole journey on a pretend instance; nothing real is touched
  snowtoken setup NAME      make the OAuth client on the instance, or explain how
  snowtoken login NAME      sign in, allow access: tokens are verified, stored and delivered
  snowtoken token NAME      print a living access token
  snowtoken status          who, what scope, and when everything ends
  snowtoken keep            keep all of them alive, and say in time when a person must log in
  snowtoken wizard          the same in local web pages, for people who are no developers
`snowtoken --help` lists every command; `snowtoken login --help` has an example that works.
";

/// Reads a duration that was typed.
pub(crate) fn duration(flag: &str, text: &str) -> Result<std::time::Duration, Failure> {
    snowtoken::core::servicenow::parse_lifespan(text)
        .ok()
        .and_then(|d| std::time::Duration::try_from(d).ok())
        .ok_or_else(|| {
            let text = format!(
                "{flag} wants a number of seconds, or a number with s, m, h or d, such as 10m"
            );
            Failure::told(snowtoken::core::diagnosis::Code::Usage, text)
        })
}
