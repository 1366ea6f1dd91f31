//! Why there is no key.

use snowtoken_core::diagnosis::{Code, Diagnose, Hint};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store exists, its key does not. No new one is made: it could open nothing.
    #[error("the key of the store is not there ({place})")]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// Not the key the store was made with.
    #[error("that key does not open the store, which was made with a {made_with}")]
    Wrong {
        /// The kind of source the store was made with.
        made_with: &'static str,
    },
    /// Not a key, or one that others can read.
    #[error("{place}: {why}")]
    Invalid {
        /// Where it comes from.
        place: String,
        /// What is wrong.
        why: String,
        /// The step out, where there is one.
        fix: Option<String>,
    },
    /// Nobody chose where the key shall rest, or the choice must be named again.
    #[error("where the key of the store rests was not said{}", .made_with.map(|kind| format!(" (it was made with a {kind})")).unwrap_or_default())]
    NotChosen {
        /// The kind of source the store was made with, if it exists.
        made_with: Option<&'static str>,
    },
    /// The passphrase is needed and nobody can be asked.
    #[error("the passphrase of the store is needed")]
    PassphraseNeeded,
    /// The keyring gave no answer that helps.
    #[error("the keyring of this system cannot be used: {reason}")]
    KeyringUnavailable {
        /// What it said, or how long it was silent.
        reason: String,
    },
    /// The command for the key failed.
    #[error("the command for the key failed: {reason}")]
    CommandFailed {
        /// How, with the last of what it said on standard error.
        reason: String,
    },
}

impl Diagnose for KeyError {
    fn code(&self) -> Code {
        match self {
            Self::Missing { .. } => Code::KeyMissing,
            Self::Wrong { .. } => Code::KeyWrong,
            Self::Invalid { .. } | Self::CommandFailed { .. } => Code::KeyInvalid,
            Self::NotChosen { .. } => Code::KeyNotChosen,
            Self::PassphraseNeeded => Code::InputNeeded,
            Self::KeyringUnavailable { .. } => Code::KeyringUnavailable,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Invalid { fix: Some(fix), .. } => vec![Hint::note(fix.clone())],
            Self::PassphraseNeeded => {
                vec![Hint::note("run it on a terminal and type the passphrase")]
            }
            Self::CommandFailed { .. } => {
                vec![Hint::note(
                    "run the command by hand: it must print 32 bytes as hex or base64 and exit with 0",
                )]
            }
            _ => self.code().entry().hints(),
        }
    }
}
