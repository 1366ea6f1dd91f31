//! The surroundings of one command: the world, the home folder, the profile that is meant.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use snowtoken::config::{self, Config};
use snowtoken::core::diagnosis::{Code, Diagnose as _, Hint};
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::target::Target;
use snowtoken::delivery::follow::{Followed, Follower, ReloadError};
use snowtoken::home::Home;
use snowtoken::hooks::{self, Happening, Hooks, Observer};
use snowtoken::keep::Opener;
use snowtoken::store::TokenStore as _;
use snowtoken::store::sqlite::{Options, SqliteStore};
use snowtoken::targets::{Classes, Targets};
use snowtoken::{Session, World, variables};

use crate::args::KeyChoice;
use crate::commands::login::settings;
use crate::keys::KeyHolder;
use crate::output;
use crate::report::{Failure, one_line, quoted};

/// What every command works with.
pub(crate) struct App {
    pub(crate) world: World,
    pub(crate) home: Home,
    /// Nobody is to be asked anything.
    pub(crate) no_input: bool,
    /// What happened to profiles, for the hooks.
    happened: Arc<Mutex<Vec<Happening>>>,
    /// Deliveries that followed the tokens, and what is to be run for them.
    followed: Arc<Mutex<Vec<Followed>>>,
}

impl App {
    pub(crate) fn new(world: World, home: Home, no_input: bool) -> Self {
        Self { world, home, no_input, happened: Arc::default(), followed: Arc::default() }
    }

    /// Remembers what happens, for [`App::run_hooks`].
    pub(crate) fn observer(&self) -> Observer {
        let happened = self.happened.clone();
        Arc::new(move |happening| {
            happened.lock().unwrap_or_else(PoisonError::into_inner).push(happening);
        })
    }

    /// Remembers a delivery, for [`App::run_hooks`].
    pub(crate) fn followed(&self, followed: Followed) {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).push(followed);
    }

    /// Remembers deliveries that follow a refresh.
    fn follower(&self) -> Follower {
        let all = self.followed.clone();
        Arc::new(move |followed| {
            all.lock().unwrap_or_else(PoisonError::into_inner).push(followed);
        })
    }

    /// Says what did not follow, and runs what people want run after a delivery.
    fn run_reloads(&self) {
        let all =
            std::mem::take(&mut *self.followed.lock().unwrap_or_else(PoisonError::into_inner));
        let may_run = !hooks::is_inside_one(&self.world.environment);
        for followed in all {
            if let Err(error) = tell_and_reload(&followed, may_run) {
                output::say(format!("warning: {error}"));
            }
        }
    }

    /// Runs reloads, and the hooks for what has happened so far. Whatever they do, the command ends as
    /// it would have without them.
    pub(crate) fn run_hooks(&self) {
        self.run_reloads();
        let happened =
            std::mem::take(&mut *self.happened.lock().unwrap_or_else(PoisonError::into_inner));
        if happened.is_empty() || hooks::is_inside_one(&self.world.environment) {
            return;
        }
        // What is wrong with the configuration was said when it was read.
        let Ok(config) = self.config() else { return };
        let Some(hooks) = usable_hooks(&self.home, &config) else { return };
        for happening in happened {
            if let Err(error) = hooks.run(&happening) {
                output::say(format!("warning: {error}"));
            }
        }
    }

    /// The configuration.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        Ok(config::load(&self.home)?)
    }

    /// The target of that name; one of the person's own stands in for one that comes with the
    /// program. A broken file stops nobody who uses what comes with the program.
    pub(crate) fn target(&self, name: &str) -> Result<Target, Failure> {
        let targets = match Targets::load(&self.home) {
            Ok(targets) => targets,
            Err(error) => {
                let Some(target) = Targets::in_spite_of_broken(&self.home, name) else {
                    return Err(error.into());
                };
                output::say(one_line(&format!(
                    "warning: {error}: `snowtoken target check FILE` tells why; \
                     {name} is the one that comes with the program"
                )));
                return Ok(target);
            }
        };
        targets.find(name).cloned().ok_or_else(|| no_such_target(&targets))
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

    /// The session of a profile with tokens, or one that can have them.
    pub(crate) fn session(&self, typed: Option<&str>) -> Result<Session, Failure> {
        let profile = self.profile(typed)?;
        let name = profile.name.clone();
        let store = self.store()?;
        if self.is_prepared(&profile, store.as_ref())? {
            let what = "hands over exactly the fields of the product's form";
            settings::check_minted(&self.target(&profile.target)?).map_err(|failure| {
                failure.with_hint(Hint::run("snowtoken deliver", what)).about(&name)
            })?;
        }
        let store = store.ok_or_else(|| {
            Failure::from(snowtoken::Error::NotLoggedIn(name.to_string())).about(&name)
        })?;
        Ok(self.session_over(profile, store))
    }

    /// The session of a profile, which may have no tokens and need none.
    pub(crate) fn any_session(&self, typed: Option<&str>) -> Result<Session, Failure> {
        let profile = self.profile(typed)?;
        let name = profile.name.clone();
        let store = self.store()?.ok_or_else(|| {
            Failure::from(snowtoken::Error::NotLoggedIn(name.to_string())).about(&name)
        })?;
        Ok(self.session_over(profile, store))
    }

    /// Whether a profile has no tokens and needs none: its product gets them itself.
    pub(crate) fn is_prepared(
        &self,
        profile: &Profile,
        store: Option<&SqliteStore>,
    ) -> Result<bool, Failure> {
        if !self.classes().prepare_only(&profile.target) {
            return Ok(false);
        }
        let standing = store.map(|store| store.standing(&profile.name)).transpose()?.flatten();
        Ok(standing.is_none_or(|standing| standing.held.is_none()))
    }

    /// What each target takes. A broken file of one's own is told where a target is used.
    pub(crate) fn classes(&self) -> Classes {
        Classes::load(&self.home).unwrap_or_default()
    }

    /// A session over this store.
    pub(crate) fn session_over(&self, profile: Profile, store: SqliteStore) -> Session {
        Session::with_store(self.world.clone(), self.home.clone(), profile, Box::new(store))
            .with_observer(self.observer())
            .with_follower(self.follower())
    }

    /// The store, if there is one.
    pub(crate) fn store(&self) -> Result<Option<SqliteStore>, Failure> {
        Ok(self.keys().with(None, |keys| SqliteStore::open(&self.store_options(), keys))?)
    }

    /// The store, made if it is not there, with its key where the person wants it.
    pub(crate) fn store_or_new(&self, choice: Option<KeyChoice>) -> Result<SqliteStore, Failure> {
        self.keys().open_or_create(&self.store_options(), choice)
    }

    /// Opens the store when it will be there; nobody is asked anything then.
    pub(crate) fn quiet_opener(&self) -> Opener {
        self.opener_with(OnceLock::new())
    }

    /// Opens the store now, or makes it, and opens it as often as wanted later: whatever has to be
    /// asked is asked now.
    pub(crate) fn asking_opener(&self, choice: Option<KeyChoice>) -> Result<Opener, Failure> {
        let typed = OnceLock::new();
        let keys = KeyHolder { typed: Some(&typed), ..self.keys() };
        drop(keys.open_or_create(&self.store_options(), choice)?);
        Ok(self.opener_with(typed))
    }

    fn opener_with(&self, typed: OnceLock<Secret>) -> Opener {
        let (environment, options) = (self.world.environment.clone(), self.store_options());
        Box::new(move || {
            let keys = KeyHolder { environment: &environment, no_input: true, typed: Some(&typed) };
            let store = keys.with(None, |keys| SqliteStore::open(&options, keys))?;
            Ok(store.map(|store| Box::new(store) as _))
        })
    }

    /// How to come by the key of the store.
    pub(crate) fn keys(&self) -> KeyHolder<'_> {
        KeyHolder { environment: &self.world.environment, no_input: self.no_input, typed: None }
    }

    /// Where the store is.
    pub(crate) fn store_options(&self) -> Options {
        Options::new(self.home.database())
    }
}

/// Says what did not follow; runs what is to be run after a delivery, if that may be.
pub(crate) fn tell_and_reload(followed: &Followed, may_run: bool) -> Result<(), ReloadError> {
    if let Err(error) = &followed.result {
        let profile = &followed.profile;
        output::say(one_line(&format!(
            "warning: {profile}: {} does not follow the tokens: {error} (code: {}); \
             `snowtoken deliver {profile} --forget {}` ends that",
            followed.path,
            error.code(),
            quoted(&followed.path)
        )));
    }
    if may_run { followed.reload() } else { Ok(()) }
}

/// The hooks, if there are any and nobody else could have written them.
pub(crate) fn usable_hooks(home: &Home, config: &Config) -> Option<Hooks> {
    let hooks = config.hooks();
    if hooks.is_empty() {
        return None;
    }
    match config::trusted(home) {
        Ok(()) => Some(hooks.clone()),
        Err(why) => {
            output::say(format!("warning: hooks are not run: {why}"));
            None
        }
    }
}

/// The name stands for no target.
pub(crate) fn no_such_target(targets: &Targets) -> Failure {
    let names: Vec<&str> = targets.all().map(|target| target.name.as_str()).collect();
    let text = format!("there is no such target; there are {}", names.join(", "));
    Failure::told(Code::Usage, text)
}

/// Something that a flag, a variable, the profile or the target has to give.
pub(crate) fn missing(what: &str, flag: &'static str) -> Failure {
    Failure::told(Code::SettingMissing, format!("{what} is not known"))
        .with_hint(Hint::set(flag, format!("names {what}")))
}
