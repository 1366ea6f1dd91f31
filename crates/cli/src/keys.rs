//! Where the key of the store rests: the person's choice, never a silent one.

use std::cell::OnceCell;

use snowtoken::core::diagnosis::Code;
use snowtoken::core::secret::Secret;
use snowtoken::store::key::{Ask, KeySource, Keys, keyring};
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::variables;

use crate::app::App;
use crate::args::KeyChoice;
use crate::report::Failure;
use crate::{output, terminal};

/// Calls with the way to come by the key: the environment's choice, or what the store was made
/// with.
pub(crate) fn with<T>(
    app: &App,
    source: Option<KeySource>,
    call: impl FnOnce(&Keys<'_>) -> T,
) -> T {
    let source = source.or_else(|| from_environment(app));
    // A new store asks for a new passphrase and then opens itself with it.
    let typed: OnceCell<Secret> = OnceCell::new();
    let ask = |ask| {
        if let Some(known) = typed.get() {
            return Some(known.clone());
        }
        let answer = passphrase(app, ask)?;
        Some(typed.get_or_init(|| answer).clone())
    };
    call(&Keys { source, ask: &ask })
}

fn from_environment(app: &App) -> Option<KeySource> {
    let environment = &app.world.environment;
    // A key file that was named is the whole choice: nothing else is tried.
    environment
        .path(&variables::KEY_FILE)
        .map(KeySource::File)
        .or_else(|| {
            environment.get(&variables::KEY_COMMAND).map(|line| KeySource::Command(line.to_owned()))
        })
        .or_else(|| environment.get(&variables::PASSPHRASE_FILE).map(|_| KeySource::Passphrase))
}

fn passphrase(app: &App, ask: Ask) -> Option<Secret> {
    if let Some(path) = app.world.environment.path(&variables::PASSPHRASE_FILE) {
        return terminal::first_line(&path).ok();
    }
    if app.no_input {
        return None;
    }
    let first = terminal::hidden(match ask {
        Ask::Existing => "Passphrase of the store: ",
        Ask::New => "New passphrase for the store: ",
    })?;
    match ask {
        Ask::Existing => Some(first),
        Ask::New => {
            terminal::hidden("The same passphrase again: ").filter(|second| *second == first)
        }
    }
}

/// Opens the store, or makes it where the person wants its key. This comes before any browser.
pub(crate) fn open_or_create(app: &App, choice: Option<KeyChoice>) -> Result<SqliteStore, Failure> {
    let options = app.store_options();
    if let Some(store) = with(app, None, |keys| SqliteStore::open(&options, keys))? {
        return Ok(store);
    }
    let source = match (choice, from_environment(app)) {
        (Some(KeyChoice::Keyring), _) => Some(KeySource::Keyring),
        (Some(KeyChoice::Passphrase), _) => Some(KeySource::Passphrase),
        (None, Some(source)) => Some(source),
        (None, None) => Some(choose(app)?),
    };
    Ok(with(app, source, |keys| SqliteStore::open_or_create(&options, keys))?)
}

/// The keyring where there is one; otherwise the person says.
fn choose(app: &App) -> Result<KeySource, Failure> {
    let reason = match keyring::probe() {
        Ok(()) => {
            output::say("The key of the token store rests in this system's keyring.");
            return Ok(KeySource::Keyring);
        }
        Err(reason) => reason,
    };
    let not_chosen = || {
        Failure::told(
            Code::KeyNotChosen,
            format!("nobody said where the key of the store shall rest ({reason})"),
        )
    };
    if app.no_input || !terminal::can_ask() {
        return Err(not_chosen());
    }
    let file = app.home.data.join("store.key");
    output::say(format!(
        "There is no keyring that answers. Where shall the key of the token store rest?\n  \
         1  in a file that only you can read: {}\n  2  nowhere: derived from a passphrase you type each time",
        file.display()
    ));
    match terminal::answer("1 or 2: ").as_deref() {
        Some("1") => Ok(KeySource::File(file)),
        Some("2") => Ok(KeySource::Passphrase),
        _ => Err(not_chosen()),
    }
}
