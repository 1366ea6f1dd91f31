//! The surroundings of one command: the world, the home folder, the profile that is meant.

use snowtoken::config::{self, Config};
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::home::Home;
use snowtoken::store::sqlite::{Options, SqliteStore};
use snowtoken::{Session, World, variables};

use crate::args::KeyChoice;
use crate::keys::KeyHolder;
use crate::report::Failure;

/// What every command works with.
pub(crate) struct App {
    pub(crate) world: World,
    pub(crate) home: Home,
    /// Nobody is to be asked anything.
    pub(crate) no_input: bool,
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
        Ok(self.keys().with(None, |keys| SqliteStore::open(&self.store_options(), keys))?)
    }

    /// The store, made if it is not there, with its key where the person wants it.
    pub(crate) fn store_or_new(&self, choice: Option<KeyChoice>) -> Result<SqliteStore, Failure> {
        self.keys().open_or_create(&self.store_options(), choice)
    }

    fn keys(&self) -> KeyHolder<'_> {
        KeyHolder { environment: &self.world.environment, no_input: self.no_input }
    }

    /// Where the store is.
    fn store_options(&self) -> Options {
        Options::new(self.home.database())
    }
}

/// Something that a flag, a variable, the profile or the target has to give.
pub(crate) fn missing(what: &str, flag: &'static str) -> Failure {
    Failure::told(Code::SettingMissing, format!("{what} is not known"))
        .with_hint(Hint::set(flag, format!("names {what}")))
}
