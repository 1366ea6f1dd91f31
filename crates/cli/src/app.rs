//! From what was typed to a command: the surroundings of one run.

use std::process::ExitCode;

use clap::Parser as _;
use snowtoken::config::{self, Config};
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::home::Home;
use snowtoken::store::sqlite::{Options, SqliteStore};
use snowtoken::{Session, World, variables};

use crate::args::{Cli, Command};
use crate::report::Failure;
use crate::{commands, keys, logging, output};

/// What every command works with.
pub(crate) struct App {
    pub(crate) world: World,
    pub(crate) home: Home,
    /// Nobody is to be asked anything.
    pub(crate) no_input: bool,
}

/// Parses the command line and runs it.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let Some(command) = cli.command else {
        output::say_part(commands::OVERVIEW);
        return ExitCode::from(2);
    };
    match start(command, cli.no_input, cli.ca_file) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn start(
    command: Command,
    no_input: bool,
    ca_file: Option<std::path::PathBuf>,
) -> Result<ExitCode, Failure> {
    let world = World::real(ca_file);
    logging::start(world.environment.get(&variables::LOG));
    // These need no home folder.
    match command {
        Command::Explain(args) => return commands::explain::run(&args),
        Command::Target(args) => return commands::target::run(&args),
        Command::StandIn(args) => return commands::stand_in::run(&args),
        Command::Completions(args) => return commands::shell::completions(&args),
        Command::Man(args) => return commands::shell::man(&args),
        Command::Rehearse(args) => return commands::rehearse::run(world, no_input, &args),
        _ => {}
    }
    let home = Home::find(&world.environment)?;
    let app = App { world, home, no_input };
    match command {
        Command::Login(args) => commands::login::run(&app, &args),
        Command::Token(args) => commands::token::run(&app, &args),
        Command::Refresh(args) => commands::refresh::run(&app, &args),
        Command::Status(args) => commands::status::run(&app, &args),
        Command::Verify(args) => commands::verify::run(&app, &args),
        Command::Deliver(args) => commands::deliver::run(&app, &args),
        Command::Exec(args) => commands::exec::run(&app, &args),
        Command::Revoke(args) => commands::revoke::revoke(&app, &args),
        Command::Logout(args) => commands::revoke::logout(&app, &args),
        Command::Profile(args) => commands::profile::run(&app, &args),
        _ => Ok(ExitCode::SUCCESS),
    }
}

impl App {
    /// The configuration.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        Ok(config::load(&self.home)?)
    }

    /// The name of the profile that is meant: named, in the environment, or the only one.
    pub(crate) fn name(&self, typed: Option<&str>) -> Result<ProfileName, Failure> {
        if let Some(text) = typed.or_else(|| self.world.environment.get(&variables::PROFILE)) {
            return Ok(ProfileName::parse(text)?);
        }
        let config = self.config()?;
        match config.profiles() {
            [only] => Ok(only.name.clone()),
            [] => Err(Failure::told(
                Code::ProfileMissing,
                "there is no profile yet, and no name was given for one",
            )),
            many => Err(Failure::told(
                Code::ProfileMissing,
                format!("there are {} profiles: say which one is meant", many.len()),
            )),
        }
    }

    /// The profile that is meant.
    pub(crate) fn profile(&self, typed: Option<&str>) -> Result<Profile, Failure> {
        let name = self.name(typed)?;
        self.config()?
            .profile(&name)
            .cloned()
            .ok_or_else(|| snowtoken::Error::ProfileUnknown(name.to_string()).into())
    }

    /// The profile's session.
    pub(crate) fn session(&self, typed: Option<&str>) -> Result<Session, Failure> {
        let profile = self.profile(typed)?;
        let name = profile.name.clone();
        let store = self.store()?.ok_or_else(|| {
            Failure::from(snowtoken::Error::NotLoggedIn(name.to_string())).about(&name)
        })?;
        Ok(Session::with_store(self.world.clone(), self.home.clone(), profile, Box::new(store)))
    }

    /// The store, if there is one.
    pub(crate) fn store(&self) -> Result<Option<SqliteStore>, Failure> {
        Ok(keys::with(self, None, |keys| SqliteStore::open(&self.store_options(), keys))?)
    }

    /// Where the store is.
    pub(crate) fn store_options(&self) -> Options {
        Options::new(self.home.database())
    }
}

/// Something that a flag, a variable, the profile or the target has to give.
pub(crate) fn missing(what: &str, flag: &'static str) -> Failure {
    Failure::told(Code::SettingMissing, format!("{what} is not known"))
        .with_hint(Hint::set(flag, format!("names {what}")))
}
