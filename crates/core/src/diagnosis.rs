//! What went wrong, who can mend it, and how: one shape for every failure of every crate.
//!
//! Errors are precise enums where they arise; [`Diagnose`] is the one mapping from them to a stable
//! code, a blame, an exit status and hints. The command prints it, a page makes buttons of it.

mod catalogue;
mod recognition;

use std::fmt;

pub use catalogue::{CATALOGUE, Code, Entry, Rehearsal};
pub use recognition::{Certainty, Moment, Recognition, recognise};

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The person at the keyboard: wrong input, wrong configuration, something still to do.
    You,
    /// The instance, or whoever administers it.
    Instance,
    /// The road between us and the instance.
    Network,
    /// This machine: disk, keyring, permissions, clock.
    Machine,
    /// We ourselves: a bug.
    Us,
}

/// What a failure means to a script: the documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// 0.
    Done,
    /// 1: failed; the message says what is kept and what is lost.
    Failed,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: a deadline is near or past, or a delivered copy has drifted.
    Deadline,
    /// 4: a person must log in.
    LoginNeeded,
    /// 5: the same command may succeed later.
    TryLater,
    /// 6: the store is locked, unreadable or full.
    Store,
    /// 70: our bug.
    Bug,
}

impl Outcome {
    /// The number the process ends with.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Deadline => 3,
            Self::LoginNeeded => 4,
            Self::TryLater => 5,
            Self::Store => 6,
            Self::Bug => 70,
        }
    }
}

/// The next step out of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// A command to run, with the reason for it.
    Run {
        /// The command line, ready to copy.
        command: String,
        /// Why it helps.
        why: String,
    },
    /// A place in the instance to look at.
    Visit {
        /// The navigation path, as ServiceNow names it.
        place: String,
        /// What to look for there.
        why: String,
    },
    /// A setting to change, on this machine or on the instance.
    Set {
        /// The property, flag, variable or field.
        property: String,
        /// To what, and why.
        why: String,
    },
    /// A plain sentence.
    Note(String),
}

impl Hint {
    /// A command to run.
    pub fn run(command: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Run { command: command.into(), why: why.into() }
    }

    /// A place in the instance.
    pub fn visit(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Visit { place: place.into(), why: why.into() }
    }

    /// A setting.
    pub fn set(property: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Set { property: property.into(), why: why.into() }
    }

    /// A sentence.
    pub fn note(text: impl Into<String>) -> Self {
        Self::Note(text.into())
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { command, why } => write!(f, "{why}: run `{command}`"),
            Self::Visit { place, why } => write!(f, "{why}: see {place} on the instance"),
            Self::Set { property, why } => write!(f, "{property}: {why}"),
            Self::Note(text) => f.write_str(text),
        }
    }
}

/// An error that can say who is to blame and what to do next.
pub trait Diagnose: std::error::Error {
    /// The stable code, `word-word`, that `explain` knows.
    fn code(&self) -> Code;

    /// Who can mend it. By default as the catalogue has it.
    fn blame(&self) -> Blame {
        self.code().entry().blame
    }

    /// What it means to a script. By default as the catalogue has it.
    fn outcome(&self) -> Outcome {
        self.code().entry().outcome
    }

    /// What to do next, most helpful first. By default as the catalogue has it.
    fn hints(&self) -> Vec<Hint> {
        self.code().entry().hints()
    }
}
