//! `doctor --restore`: back to the last good state, where something is damaged and only there.

use std::process::ExitCode;

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::profile::ProfileName;
use snowtoken::delivery::moment;
use snowtoken::session;
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::sqlite::health::{self, WayBack};
use snowtoken::store::{StoreError, TokenStore as _};

use crate::app::App;
use crate::report::Failure;
use crate::{output, terminal};

pub(super) fn run(app: &App, yes: bool) -> Result<ExitCode, Failure> {
    match app.store() {
        Ok(Some(store)) => match store.check() {
            Ok(()) => rows(app, store, yes),
            Err(StoreError::Damaged { what, .. }) => {
                drop(store);
                whole(app, &what, yes)
            }
            Err(other) => Err(other.into()),
        },
        Ok(None) => Err(refused("there is no store yet: nothing is damaged")),
        Err(failure) if failure.code() == Some(Code::StoreDamaged) => {
            whole(app, &failure.to_string(), yes)
        }
        Err(failure) => Err(failure.with_note("nothing was changed")),
    }
}

fn refused(text: impl Into<String>) -> Failure {
    Failure::told(Code::RestoreRefused, text)
}

/// The file itself cannot be used: the copy takes its place.
fn whole(app: &App, why: &str, yes: bool) -> Result<ExitCode, Failure> {
    let options = app.store_options();
    let unusable = |error: StoreError| Failure::from(error).with_note("nothing was changed");
    let (copy, store) =
        app.keys().with(None, |keys| health::examine_copy(&options, keys)).map_err(unusable)?;
    output::say(format!("The store cannot be used: {why}"));
    output::say(format!("Its copy of {} holds:", moment(copy.at)));
    for profile in store.profiles()? {
        let tokens = store.load(&profile)?.map_or("no tokens", |_| "tokens");
        output::say(format!("  {profile}: {tokens}"));
    }
    output::say("What changed after that moment is not in it. The damaged file is kept.");
    drop(store);
    ask(app, yes, "Put the copy in its place? [y/N] ")?;
    let now = app.world.now();
    let restored =
        app.keys().with(None, |keys| health::restore(&options, keys, now)).map_err(unusable)?;
    output::say(format!("Restored: the state of {}.", moment(restored.copy.at)));
    if let Some(kept) = restored.kept {
        output::say(format!("  the damaged file is {} now", kept.display()));
    }
    output::say(
        "  a refresh token that was replaced since may be refused: then `snowtoken login` brings new ones",
    );
    Ok(ExitCode::SUCCESS)
}

/// The file is whole and something in it is not: only that goes back.
fn rows(app: &App, mut store: SqliteStore, yes: bool) -> Result<ExitCode, Failure> {
    let damaged = store.damaged_profiles()?;
    if damaged.is_empty() {
        return Err(refused("the store is healthy: there is nothing to go back from"));
    }
    for (name, error) in &damaged {
        output::say(format!("{name}: {error}"));
    }
    ask(app, yes, "Go back to the last values that open? [y/N] ")?;
    for (name, _) in &damaged {
        // Whoever is just refreshing is waited for: the tokens may be new then.
        let lock = session::lock(&app.home.data, name)?;
        let way = store.go_back(name, app.world.now());
        drop(lock);
        output::say(told(name, way.map_err(|error| lost(error, name))?));
    }
    match store.damaged_profiles()?.into_iter().next() {
        Some((name, error)) => Err(lost(error, &name)),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn lost(error: StoreError, name: &ProfileName) -> Failure {
    let login = Hint::run(
        format!("snowtoken login {name}"),
        "nothing else of it is left; a new login needs no clean-up",
    );
    Failure::from(error).about(name).with_hint(login)
}

fn told(name: &ProfileName, way: Option<WayBack>) -> String {
    match way {
        Some(WayBack::SameFromCopy) => {
            format!("{name}: the very tokens that were damaged came back from the copy")
        }
        Some(WayBack::EarlierFromCopy | WayBack::Previous) => format!(
            "{name}: the tokens from before the last refresh are back; an instance that replaces refresh \
             tokens may refuse them: then `snowtoken login {name}`"
        ),
        None => format!("{name}: what was damaged came back from the copy"),
    }
}

fn ask(app: &App, yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if app.no_input || !terminal::can_ask() {
        let hint = Hint::set("--yes", "does it without asking");
        return Err(refused("nobody can be asked whether to do it").with_hint(hint));
    }
    match terminal::answer(question).as_deref() {
        Some("y" | "Y" | "yes") => Ok(()),
        _ => Err(refused("nothing was changed")),
    }
}
