//! `status`: who, what scope, when everything ends and how that is known.
//!
//! It reads what lies in the clear and opens no secret. All profiles at once are read in one pass,
//! the configuration beside it on a thread of its own, and printed while they are put together.

mod calendar;
mod json;
mod line;
mod long;
mod near;
mod seen;
mod table;

use std::process::ExitCode;
use std::thread::ScopedJoinHandle;

use snowtoken::config::{self, Outline};
use snowtoken::core::profile::ProfileName;
use snowtoken::store::key::KeyRecord;
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::targets::Classes;

use crate::app::App;
use crate::args::StatusArgs;
use crate::report::Failure;
use line::Line;
use near::Horizon;
use seen::Seen;

/// What was asked about.
struct Overview {
    outline: Outline,
    store: Option<SqliteStore>,
    /// The one profile that was named.
    only: Option<ProfileName>,
    /// What each target takes.
    classes: Classes,
}

pub(crate) fn run(app: &App, args: &StatusArgs) -> Result<ExitCode, Failure> {
    let only = args.profile.as_deref().map(ProfileName::parse).transpose()?;
    let mut horizon = Horizon::of(args.within.as_deref(), app.world.now())?;
    if args.json {
        let overview = Overview::load(app, only)?;
        json::print(&overview, &mut |line| horizon.see(line))?;
    } else {
        let (overview, seen) = Overview::look(app, only)?;
        let mut see = |line: &Line<'_>| horizon.see(line);
        match &args.ics {
            Some(path) => calendar::write(&overview, &seen, app.world.now(), path, &mut see)?,
            None if overview.names_one() => long::print(app, &overview, &mut see)?,
            None => table::print(app, &overview, &seen, &mut see)?,
        }
    }
    horizon.judge()
}

impl Overview {
    /// Configuration and store.
    fn load(app: &App, only: Option<ProfileName>) -> Result<Self, Failure> {
        let outline = config::load_outline(&app.home)?;
        Self { outline, store: app.store()?, only, classes: app.classes() }.checked()
    }

    /// The same, and what the store knows about the profiles, read at the same time.
    fn look(app: &App, only: Option<ProfileName>) -> Result<(Self, Seen), Failure> {
        let (outline, found) = std::thread::scope(|scope| {
            let load = || config::load_outline(&app.home);
            let outline = std::thread::Builder::new().spawn_scoped(scope, load);
            let found = app.store().and_then(|store| {
                let seen = match (&store, &only) {
                    (None, _) => Seen::default(),
                    (Some(store), Some(profile)) => Seen::one(store, profile)?,
                    (Some(store), None) => Seen::all(store)?,
                };
                Ok((store, seen))
            });
            // Where no thread is to be had, one comes after the other.
            (outline.map_or_else(|_| Ok(load()), ScopedJoinHandle::join), found)
        });
        let outline = outline.map_err(|_| Failure::bug("a thread ended early"))??;
        let (store, seen) = found?;
        let classes = app.classes();
        let seen = seen.with(classes.clone());
        Ok((Self { outline, store, only, classes }.checked()?, seen))
    }

    fn checked(self) -> Result<Self, Failure> {
        match &self.only {
            Some(name) if !self.entries().any(|entry| entry.name == name.as_str()) => {
                Err(snowtoken::Error::ProfileUnknown(name.to_string()).into())
            }
            _ => Ok(self),
        }
    }

    /// What was asked about, in the order of the names.
    fn entries(&self) -> impl Iterator<Item = config::Entry<'_>> {
        let only = self.only.as_ref().map(ProfileName::as_str);
        self.outline.entries().filter(move |entry| only.is_none_or(|name| entry.name == name))
    }

    /// Whether there is one profile to talk about, at length.
    fn names_one(&self) -> bool {
        self.only.is_some() || self.outline.len() == 1
    }

    /// Where the secrets lie, and their key.
    fn places(&self) -> Option<String> {
        let store = self.store.as_ref()?;
        let (path, key) = (store.path().display(), place(store.key()));
        Some(format!("secrets are sealed in {path}; their key: {key}"))
    }
}

fn place(key: &KeyRecord) -> String {
    match key {
        KeyRecord::Keyring { .. } => "this system's keyring".to_owned(),
        KeyRecord::File { path: Some(path) } => path.clone(),
        KeyRecord::File { path: None } => "a key file".to_owned(),
        KeyRecord::Passphrase(_) => "nowhere: derived from a passphrase".to_owned(),
        KeyRecord::Command => "wherever SNOWTOKEN_KEY_COMMAND gets it".to_owned(),
    }
}
