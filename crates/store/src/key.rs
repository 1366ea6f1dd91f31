//! The key of the store: where it rests is the person's choice, made once and recorded.
//!
//! The database holds its own random data key, sealed by the key of the chosen source; so the source
//! can be changed without touching a single token, and a wrong key is told before anything is read.
//! There is no fallback from one source to another.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use snowtoken_core::secret::Secret;

pub use crate::error::KeyError;
use crate::error::{Result, StoreError};
use crate::seal::{self, KeyBytes};

mod command;
pub(crate) mod encoding;
mod file;
#[cfg_attr(not(feature = "keyring"), path = "key/no_keyring.rs")]
pub mod keyring;
mod passphrase;

pub use passphrase::Costs;

/// Where the key rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The operating system's keyring.
    Keyring,
    /// A file only its owner can read; the first use makes it.
    File(PathBuf),
    /// Derived from a passphrase each time.
    Passphrase,
    /// The output of a command, run by the shell.
    Command(String),
}

impl KeySource {
    /// The word for the kind of source.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File(_) => "key file",
            Self::Passphrase => "passphrase",
            Self::Command(_) => "command",
        }
    }
}

/// What a store remembers about its key; nothing of it is secret. A command is not remembered, so
/// that a file can never name a program to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum KeyRecord {
    /// The name of the entry in the keyring.
    Keyring {
        /// Random, so that two stores do not share an entry.
        entry: String,
    },
    /// The key file.
    File {
        /// Its absolute path, where that is text.
        path: Option<String>,
    },
    /// How a passphrase becomes the key.
    Passphrase(Costs),
    /// A command, not which.
    Command,
}

impl KeyRecord {
    /// The word for the kind of source.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Keyring { .. } => "keyring",
            Self::File { .. } => "key file",
            Self::Passphrase(_) => "passphrase",
            Self::Command => "command",
        }
    }
}

/// What a passphrase is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The passphrase of a store that exists.
    Existing,
    /// A passphrase for a new store: to be typed twice.
    New,
}

/// How to come by the key.
pub struct Keys<'a> {
    /// The person's choice. `None` uses what the store was made with; a new store needs a choice.
    pub source: Option<KeySource>,
    /// Asks for the passphrase; `None` if nobody can be asked.
    pub ask: &'a dyn Fn(Ask) -> Option<Secret>,
}

impl Keys<'static> {
    /// A choice that needs no questions.
    pub fn from(source: KeySource) -> Self {
        Self { source: Some(source), ask: &|_| None }
    }

    /// Whatever the store was made with, as long as no question is needed.
    pub fn recorded() -> Self {
        Self { source: None, ask: &|_| None }
    }
}

impl std::fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("source", &self.source).finish_non_exhaustive()
    }
}

/// The key for a new store, and what to remember about it.
pub(crate) fn make(keys: &Keys<'_>) -> Result<(KeyBytes, KeyRecord)> {
    match &keys.source {
        None => Err(KeyError::NotChosen { made_with: None }.into()),
        Some(KeySource::Keyring) => {
            let entry = format!("store-{}", &encoding::hex(&*seal::random()?)[..16]);
            Ok((keyring::make(&entry)?, KeyRecord::Keyring { entry }))
        }
        Some(KeySource::File(path)) => {
            let key = file::read_or_make(path)?;
            let path =
                std::path::absolute(path).ok().and_then(|path| path.to_str().map(Into::into));
            Ok((key, KeyRecord::File { path }))
        }
        Some(KeySource::Passphrase) => {
            let passphrase = (keys.ask)(Ask::New).ok_or(KeyError::PassphraseNeeded)?;
            let costs = Costs::recommended()?;
            Ok((costs.derive(&passphrase)?, KeyRecord::Passphrase(costs)))
        }
        Some(KeySource::Command(line)) => Ok((command::run(line)?, KeyRecord::Command)),
    }
}

/// The key of a store that exists. Nothing is ever made here.
pub(crate) fn find(keys: &Keys<'_>, record: &KeyRecord) -> Result<KeyBytes> {
    let wrong = || StoreError::from(KeyError::Wrong { made_with: record.kind() });
    match (&keys.source, record) {
        // Any source may hold the very same key; only a file that is not there tells too little.
        (Some(KeySource::File(path)), record) => match (file::read(path)?, record) {
            (Some(key), _) => Ok(key),
            (None, KeyRecord::File { .. }) => Err(missing(path.display().to_string())),
            (None, _) => Err(wrong()),
        },
        (None, KeyRecord::File { path: Some(path) }) => {
            file::read(path.as_ref())?.ok_or_else(|| missing(path.as_str()))
        }
        (Some(KeySource::Command(line)), _) => Ok(command::run(line)?),
        (Some(KeySource::Keyring) | None, KeyRecord::Keyring { entry }) => {
            keyring::read(entry)?.ok_or_else(|| missing(format!("keyring entry {entry}")))
        }
        (Some(KeySource::Passphrase) | None, KeyRecord::Passphrase(costs)) => {
            let passphrase = (keys.ask)(Ask::Existing).ok_or(KeyError::PassphraseNeeded)?;
            costs.derive(&passphrase)
        }
        (None, _) => Err(KeyError::NotChosen { made_with: Some(record.kind()) }.into()),
        (Some(_), _) => Err(wrong()),
    }
}

/// Takes back what [`make`] put where only we look, when it turns out not to be needed.
pub(crate) fn forget(record: &KeyRecord) {
    if let KeyRecord::Keyring { entry } = record {
        keyring::remove(entry);
    }
}

fn missing(place: impl Into<String>) -> StoreError {
    KeyError::Missing { place: place.into() }.into()
}
