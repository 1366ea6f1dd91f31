//! Why the store could not do what it was asked.

mod key;

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_core::token_set::Generation;

pub use key::KeyError;

/// The store's result.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The copy of a store, as it was found beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFound {
    /// Where it is.
    pub path: PathBuf,
    /// When it was last brought up to date.
    pub at: Timestamp,
}

/// Why the store could not do what it was asked. What was stored before is untouched by each of
/// these.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the database longer than the busy timeout.
    #[error("the store is in use by another program")]
    Locked,
    /// Something is not what was written.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// Which part.
        what: String,
        /// The copy of the last good state, if one lies beside it.
        copy: Option<CopyFound>,
    },
    /// No room.
    #[error("there is no room left to store anything")]
    Full,
    /// The file system has room, but not for this user.
    #[error("this user's quota is used up: nothing more can be stored")]
    OverQuota,
    /// Files of this process may not grow as far.
    #[error(
        "the limit of this process for the size of a file is reached: nothing more can be stored"
    )]
    FileTooLarge,
    /// The file system or the rights forbid writing.
    #[error("the store cannot be written: {}", .path.display())]
    ReadOnly {
        /// The database or its folder.
        path: PathBuf,
    },
    /// Others could read or exchange it, or something else stands in its place.
    #[error("{}: {why}", .path.display())]
    Insecure {
        /// What is open to others.
        path: PathBuf,
        /// In which way.
        why: String,
        /// The exact step out, a command where there is one.
        fix: String,
    },
    /// Written by a newer version.
    #[error("the store has form {found}; this version knows forms up to {known}")]
    Newer {
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The generation is not the one the change was made for. Nothing was changed.
    #[error("the tokens were changed meanwhile: expected generation {expected}, found {found}")]
    Conflict {
        /// The one the caller had seen.
        expected: Generation,
        /// The one that is stored.
        found: Generation,
    },
    /// There is nothing stored under this name that could be changed.
    #[error("nothing is stored for profile \"{profile}\"")]
    Absent {
        /// The name.
        profile: String,
    },
    /// The new name is taken.
    #[error("profile \"{profile}\" exists already")]
    Exists {
        /// The name.
        profile: String,
    },
    /// The operating system refuses.
    #[error("the store cannot be used: {}", .path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The lock of a profile was not free in time.
    #[error("another process holds the lock of profile \"{profile}\"")]
    LockTimeout {
        /// The profile.
        profile: String,
    },
    /// The file system does not lock files, or does not answer.
    #[error("the file system does not lock files in {}", .path.display())]
    LocksUnavailable {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    NoEntropy,
    /// The system gave no memory.
    #[error("there is not enough memory to open the store")]
    NoMemory,
    /// The key could not be had, or does not fit.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// We used the database in a way it refuses.
    #[error("unexpected answer of the database: {0}")]
    Bug(String),
}

impl StoreError {
    /// Damage, with the part that is meant.
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into(), copy: None }
    }

    /// The same, with the copy that lies beside the damaged store.
    pub(crate) fn with_copy(mut self, find: impl FnOnce() -> Option<CopyFound>) -> Self {
        if let Self::Damaged { copy: copy @ None, .. } = &mut self {
            *copy = find();
        }
        self
    }

    /// An error of the file system at `path`, sorted by what a person can do about it.
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull => Self::Full,
            io::ErrorKind::QuotaExceeded => Self::OverQuota,
            io::ErrorKind::FileTooLarge => Self::FileTooLarge,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            _ => Self::Unreadable { path, source },
        }
    }
}

impl Diagnose for StoreError {
    fn code(&self) -> Code {
        match self {
            Self::Locked => Code::StoreLocked,
            Self::Damaged { .. } => Code::StoreDamaged,
            Self::Full | Self::OverQuota | Self::FileTooLarge => Code::StoreFull,
            Self::ReadOnly { .. } => Code::StoreReadOnly,
            Self::Insecure { .. } => Code::StoreInsecure,
            Self::Newer { .. } => Code::StoreNewer,
            Self::Conflict { .. } => Code::StoreConflict,
            Self::Absent { .. } => Code::ProfileUnknown,
            Self::Exists { .. } => Code::ProfileInvalid,
            Self::Unreadable { .. } | Self::NoEntropy => Code::StoreUnreadable,
            Self::NoMemory => Code::MachineExhausted,
            Self::LockTimeout { .. } => Code::LockTimeout,
            Self::LocksUnavailable { .. } => Code::LocksUnavailable,
            Self::Key(key) => key.code(),
            Self::Bug(_) => Code::Bug,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let general = self.code().entry().hints();
        match self {
            Self::Damaged { copy: Some(copy), .. } => {
                let at = copy.at.strftime("%Y-%m-%dT%H:%M:%SZ");
                let path = copy.path.display();
                let note = format!("a copy of the last good state, of {at}, is at hand: {path}");
                general.into_iter().chain([Hint::note(note)]).collect()
            }
            Self::OverQuota => vec![Hint::note("free some of this user's quota, then repeat")],
            Self::FileTooLarge => vec![Hint::note("raise the limit (`ulimit -f`), then repeat")],
            Self::Insecure { fix, .. } => vec![Hint::note(fix.clone())],
            Self::Exists { .. } => vec![Hint::note("choose a name that is not taken")],
            Self::Key(key) => key.hints(),
            _ => general,
        }
    }
}
