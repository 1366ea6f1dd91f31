//! What was learnt about a profile's deadlines by watching, as opposed to what it was told.
//!
//! It rests beside the tokens and outlives them: how an instance behaves is still true after the
//! next login.

mod observation;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use observation::{Observation, Refresh, believed_time, observe, refresh_end};

use crate::servicenow::Lifespans;

/// What was learnt about one profile. Fields that a newer version wrote are ignored, fields that an
/// older one did not know are as in [`Facts::default`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What a refresh does to the refresh token's end on this instance.
    pub refresh_end: RefreshEnd,
    /// Seconds an access token lives, as the client's record on the instance says.
    pub access_lifespan: Option<i64>,
    /// Seconds a refresh token lives, as the client's record on the instance says.
    pub refresh_lifespan: Option<i64>,
    /// The last warning of a deadline that was given.
    pub announced: Option<Announced>,
    /// What is to be known about the user the tokens belong to, as words: `admin`, `locked`, ….
    pub concerns: Vec<String>,
    /// Whether a refresh was seen to bring another refresh token.
    pub rotates: bool,
    /// The end that the instance's own rows told, the last time they were read.
    pub read_end: Option<ReadEnd>,
    /// An end that the refresh token outlived: since then its end is not known.
    pub outlived: Option<Timestamp>,
}

impl Facts {
    /// The lifespans to count with: the instance's own record is better evidence than what
    /// somebody said.
    pub fn lifespans(&self, stated: Lifespans) -> Lifespans {
        Lifespans {
            access: self.access_lifespan.or(stated.access),
            refresh: self.refresh_lifespan.or(stated.refresh),
        }
    }
}

/// An end that was read, and what has happened since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadEnd {
    /// The end.
    pub end: Timestamp,
    /// The consent that it belongs to.
    pub granted_at: Timestamp,
    /// The last refresh since it was read.
    pub refreshed_at: Option<Timestamp>,
}

/// What a refresh does to the refresh token's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefreshEnd {
    /// The end stays where it was.
    Stays,
    /// The same refresh token got a later end.
    Moves,
    /// Another refresh token came, with an end of its own.
    Replaced,
    /// Not seen yet. ServiceNow documents that it stays.
    #[default]
    #[serde(other)]
    Unknown,
}

impl RefreshEnd {
    /// The word used in tables and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Stays => "stays",
            Self::Moves => "moves",
            Self::Replaced => "replaced",
        }
    }
}

/// A warning that was given: once for each end and distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// The end it was about.
    pub end: Timestamp,
    /// How many days were left; 0 when it was past.
    pub days: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_and_newer_forms_are_read() {
        assert_eq!(serde_json::from_str::<Facts>("{}").unwrap(), Facts::default());
        let newer = r#"{"refresh_end":"wanders","later":1,"refresh_lifespan":60}"#;
        let facts: Facts = serde_json::from_str(newer).unwrap();
        assert_eq!((facts.refresh_end, facts.refresh_lifespan), (RefreshEnd::Unknown, Some(60)));
        let text = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
    }
}
