//! The steps on this machine: folders, configuration, store, key, locks, copy.

use std::time::Duration;

use snowtoken::core::diagnosis::Code;
use snowtoken::delivery::moment;
use snowtoken::store::key::KeyRecord;
use snowtoken::store::lock::RefreshLock;
use snowtoken::store::sqlite::health::{self, Outside};
use snowtoken::store::sqlite::{Freshness, SqliteStore};
use snowtoken::store::{CopyFound, StoreError, TokenStore as _};
use snowtoken::targets::{self, Targets};

use super::Step;
use crate::app::App;
use crate::report::Failure;

/// A change of a store with a few profiles needs a tenth of this.
const ROOM: u64 = 1 << 20;

/// All of them, in the order in which one builds on the other, and the store where it opens: whoever
/// has a passphrase is asked for it once.
pub(super) fn steps(app: &App) -> (Vec<Step>, Option<SqliteStore>) {
    let mut steps = vec![configuration(app)];
    steps.extend(targets(app));
    match health::look_at(&app.store_options()) {
        Ok(outside) => {
            steps.push(folder(app, &outside));
            steps.push(room(&outside));
        }
        // Not the folder, but what is missing in it.
        Err(StoreError::Damaged { .. }) => {}
        Err(error) => steps.push(Step::fail("folder", error)),
    }
    let none_yet = "there is none yet; `snowtoken login` makes it";
    let mut opened = None;
    match app.store() {
        Ok(Some(mut store)) => {
            steps.extend(inside(app, &mut store));
            opened = Some(store);
        }
        Ok(None) => steps.push(Step::unknown("store", none_yet)),
        Err(failure) => steps.extend(closed(app, failure)),
    }
    (steps, opened)
}

/// Files of targets of one's own, if there is a folder of them.
fn targets(app: &App) -> Option<Step> {
    let place = targets::place(&app.home);
    place.exists().then(|| match Targets::load(&app.home) {
        Ok(targets) => {
            let count = counted(targets.own().count(), "target");
            Step::pass("targets", format!("{}, {count}", place.display()))
        }
        Err(error) => Step::fail("targets", error),
    })
}

fn configuration(app: &App) -> Step {
    match app.config() {
        Ok(config) => {
            let count = config.profiles().len();
            let path = app.home.config_file.display();
            Step::pass("configuration", format!("{path}, {}", counted(count, "profile")))
        }
        Err(failure) => Step::fail("configuration", failure),
    }
}

fn folder(app: &App, outside: &Outside) -> Step {
    match &outside.folder {
        Some(folder) => Step::pass("folder", format!("{} is yours alone", folder.display())),
        None => Step::unknown("folder", format!("{} is not there yet", app.home.data.display())),
    }
}

fn room(outside: &Outside) -> Step {
    match outside.free {
        Some(free) if free < ROOM => {
            let text = format!("only {} KiB are free where the store is", free / 1024);
            Step::fail("free space", Failure::told(Code::StoreFull, text))
        }
        Some(free) => Step::pass("free space", format!("{} MiB", free >> 20)),
        None => Step::unknown("free space", "this system does not say"),
    }
}

/// The store opens: its key is there, and it fits.
fn inside(app: &App, store: &mut SqliteStore) -> Vec<Step> {
    let mut steps = vec![
        Step::pass("key", place(store.key())),
        Step::pass("store", format!("{} opens", store.path().display())),
    ];
    let is_whole = match store.check() {
        Ok(()) => {
            steps.push(Step::pass("structure", "its pages fit together"));
            true
        }
        Err(error) => {
            steps.push(Step::fail("structure", error));
            false
        }
    };
    steps.push(match store.probe() {
        Ok(()) => Step::pass("writable", "a change is written durably"),
        Err(error) => Step::fail("writable", error),
    });
    steps.extend(tokens(store));
    steps.push(locks(app, store));
    steps.push(if is_whole {
        copy(store)
    } else {
        Step::unknown("copy", kept_as_it_is(store.copy().as_ref()))
    });
    steps
}

fn tokens(store: &SqliteStore) -> Vec<Step> {
    let profiles = match store.profiles() {
        Ok(profiles) => profiles.len(),
        Err(error) => return vec![Step::fail("tokens", error)],
    };
    match store.damaged_profiles() {
        Ok(damaged) if damaged.is_empty() => {
            let text = format!("all that is stored opens ({})", counted(profiles, "profile"));
            vec![Step::pass("tokens", text)]
        }
        Ok(damaged) => damaged
            .into_iter()
            .map(|(name, error)| Step::fail("tokens", Failure::from(error).about(&name)))
            .collect(),
        Err(error) => vec![Step::fail("tokens", error)],
    }
}

fn locks(app: &App, store: &SqliteStore) -> Step {
    let profiles = store.profiles().unwrap_or_default();
    let mut held = Vec::new();
    for profile in &profiles {
        match RefreshLock::acquire(&app.home.data, profile, Duration::ZERO) {
            Ok(_) => {}
            Err(StoreError::LockTimeout { .. }) => held.push(profile.as_str()),
            Err(error) => return Step::fail("locks", error),
        }
    }
    if held.is_empty() {
        return Step::pass("locks", "free");
    }
    let names = held.join(", ");
    Step::unknown("locks", format!("a command is at work with {names} now, or was stopped"))
}

/// A copy that is missing or behind is no harm to anybody if it can be made up for at once.
fn copy(store: &SqliteStore) -> Step {
    let found = match store.copy_freshness() {
        Ok(Freshness::Fresh) => store.copy(),
        _ => match store.renew_copy() {
            Ok(()) => {
                return Step::pass("copy", "it was missing or behind, and is up to date now");
            }
            Err(error) => return Step::fail("copy", error),
        },
    };
    match found {
        Some(CopyFound { path, at }) => {
            Step::pass("copy", format!("{}, up to date, of {}", path.display(), moment(at)))
        }
        None => Step::unknown("copy", "it vanished while it was looked at"),
    }
}

/// The store does not open: what can be said all the same.
fn closed(app: &App, failure: Failure) -> Vec<Step> {
    let is_about_key = failure.code().is_some_and(|code| code.as_str().starts_with("key"));
    let mut steps = Vec::new();
    if is_about_key {
        steps.push(Step::fail("key", failure));
        steps.push(Step::unknown("store", "nothing can be opened without its key"));
    } else {
        steps.push(Step::fail("store", failure));
    }
    for name in ["structure", "writable", "tokens", "locks"] {
        steps.push(Step::unknown(name, "the store does not open"));
    }
    let examined = app.keys().with(None, |keys| health::examine_copy(&app.store_options(), keys));
    steps.push(match examined {
        Ok((found, store)) => {
            let count = store.profiles().map_or(0, |profiles| profiles.len());
            let what = counted(count, "profile");
            let text = format!("{}, of {}, opens ({what})", found.path.display(), moment(found.at));
            Step::pass("copy", text)
        }
        Err(error) => Step::unknown("copy", error.to_string()),
    });
    steps
}

fn kept_as_it_is(copy: Option<&CopyFound>) -> String {
    match copy {
        Some(copy) => format!("left as it is, of {}", moment(copy.at)),
        None => "there is none".to_owned(),
    }
}

fn place(key: &KeyRecord) -> String {
    match key {
        KeyRecord::File { path: Some(path) } => format!("it fits; made with the key file {path}"),
        other => format!("it fits; made with a {}", other.kind()),
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}
