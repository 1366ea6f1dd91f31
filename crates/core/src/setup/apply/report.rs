//! What became of each part of a client, and what would be sent.

use serde_json::{Map, Value};

/// One part of the client, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which part.
    pub what: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was not there.
    Made,
    /// It was different.
    Changed {
        /// What was there; foreign text. Never a secret.
        from: String,
        /// What is there now.
        to: String,
    },
    /// It was so already, with a word on it where it is not exactly what was asked for.
    AsItWas(Option<String>),
    /// This release knows no such thing.
    Skipped(String),
    /// It is not so, and somebody must do something.
    CouldNot {
        /// Why; may hold foreign text.
        why: String,
        /// Who can, and how.
        who: String,
    },
}

/// A request that would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// `POST` or `PATCH`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body, with the secrets masked.
    pub body: Map<String, Value>,
}
