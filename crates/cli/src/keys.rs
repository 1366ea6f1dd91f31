//! Where the key of the store rests: the person's choice, never a silent one.

use std::path::Path;
use std::sync::OnceLock;

use snowtoken::core::diagnosis::Code;
use snowtoken::core::secret::Secret;
use snowtoken::store::key::{Ask, KeySource, Keys, keyring};
use snowtoken::store::sqlite::{Options, SqliteStore};
use snowtoken::variables;
use snowtoken::world::Environment;

use crate::args::KeyChoice;
use crate::report::Failure;
use crate::{output, terminal};

/// Who can be asked for a key, and what was chosen already.
#[derive(Clone, Copy)]
pub(crate) struct KeyHolder<'a> {
    /// The variables that name a key.
    pub(crate) environment: &'a Environment,
    /// Nobody is to be asked anything.
    pub(crate) no_input: bool,
    /// A passphrase that was typed once and is good for as long as the program runs.
    pub(crate) typed: Option<&'a OnceLock<Secret>>,
}

impl KeyHolder<'_> {
    /// Calls with the way to come by the key: the environment's choice, or what the store was made
    /// with.
    pub(crate) fn with<T>(self, source: Option<KeySource>, call: impl FnOnce(&Keys<'_>) -> T) -> T {
        let source = source.or_else(|| self.chosen());
        // A new store asks for a new passphrase and then opens itself with it.
        let own = OnceLock::new();
        let typed = self.typed.unwrap_or(&own);
        let ask = |ask| {
            if let Some(known) = typed.get() {
                return Some(known.clone());
            }
            let answer = self.passphrase(ask)?;
            Some(typed.get_or_init(|| answer).clone())
        };
        call(&Keys { source, ask: &ask })
    }

    fn chosen(self) -> Option<KeySource> {
        let environment = self.environment;
        // A key file that was named is the whole choice: nothing else is tried.
        if let Some(path) = environment.path(&variables::KEY_FILE) {
            return Some(KeySource::File(path));
        }
        if let Some(line) = environment.get(&variables::KEY_COMMAND) {
            return Some(KeySource::Command(line.to_owned()));
        }
        environment.get(&variables::PASSPHRASE_FILE).map(|_| KeySource::Passphrase)
    }

    fn passphrase(self, ask: Ask) -> Option<Secret> {
        if let Some(path) = self.environment.path(&variables::PASSPHRASE_FILE) {
            return terminal::first_line(&path).ok();
        }
        if self.no_input {
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
    pub(crate) fn open_or_create(
        self,
        options: &Options,
        choice: Option<KeyChoice>,
    ) -> Result<SqliteStore, Failure> {
        if let Some(store) = self.with(None, |keys| SqliteStore::open(options, keys))? {
            return Ok(store);
        }
        let source = match (choice, self.chosen()) {
            (Some(KeyChoice::Keyring), _) => KeySource::Keyring,
            (Some(KeyChoice::Passphrase), _) => KeySource::Passphrase,
            (None, Some(source)) => source,
            (None, None) => self.ask_for_place(&options.path.with_file_name("store.key"))?,
        };
        Ok(self.with(Some(source), |keys| SqliteStore::open_or_create(options, keys))?)
    }

    /// The keyring where there is one; otherwise the person says.
    fn ask_for_place(self, file: &Path) -> Result<KeySource, Failure> {
        let reason = match keyring::probe() {
            Ok(()) => {
                output::say("The key of the token store rests in this system's keyring.");
                return Ok(KeySource::Keyring);
            }
            Err(reason) => reason,
        };
        let text = format!("nobody said where the key of the store shall rest ({reason})");
        let not_chosen = Failure::told(Code::KeyNotChosen, text);
        if self.no_input || !terminal::can_ask() {
            return Err(not_chosen);
        }
        output::say(format!(
            "There is no keyring that answers. Where shall the key of the token store rest?\n  \
             1  in a file that only you can read: {}\n  2  nowhere: derived from a passphrase you type each time",
            file.display()
        ));
        match terminal::answer("1 or 2: ").as_deref() {
            Some("1") => Ok(KeySource::File(file.to_owned())),
            Some("2") => Ok(KeySource::Passphrase),
            _ => Err(not_chosen),
        }
    }
}
