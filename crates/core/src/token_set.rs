//! What a grant leaves behind: the tokens, their deadlines and how each deadline is known.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// The tokens of one profile, as the instance issued them, with what we know of their ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSet {
    /// Opaque to us, whatever it looks like (RFC 6749 §1.4).
    pub access_token: Secret,
    /// Absent for grants without one (client credentials, JWT bearer).
    pub refresh_token: Option<Secret>,
    /// The authorization code of the grant. It has been spent; some forms ask for it all the same.
    pub authorization_code: Option<Secret>,
    /// The scope the instance granted, which may differ from what was asked (RFC 6749 §3.3).
    pub scope: Option<String>,
    /// When this access token reached us, or was last given a new end.
    pub issued_at: Timestamp,
    /// The last moment at which a person consented (or a client authenticated): refreshes do not
    /// move it, and ServiceNow counts the refresh token's lifespan from it.
    pub granted_at: Timestamp,
    /// When the access token ends.
    pub access_expires_at: Deadline,
    /// When the refresh token ends, if there is one and its lifespan is known.
    pub refresh_expires_at: Option<Deadline>,
}

/// A moment, and how it is known. Dates are never shown without their origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The moment itself.
    pub at: Timestamp,
    /// Where it comes from.
    pub known_by: KnownBy,
}

/// How a deadline is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownBy {
    /// The instance or a person said so.
    Stated,
    /// Time of the grant plus the lifespan.
    Derived,
    /// It was seen to have stopped working.
    Observed,
}

impl KnownBy {
    /// The word used in tables and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::Derived => "derived",
            Self::Observed => "observed",
        }
    }
}

impl fmt::Display for KnownBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Counts the token sets of a profile. An answer to a request of an older generation is dropped;
/// a write that expects an older generation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation(pub u64);

impl Generation {
    /// Before anything was stored.
    pub const NONE: Self = Self(0);

    /// The generation after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The user a token belongs to, as the instance named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// `sys_user.sys_id`, where the instance told it.
    pub sys_id: Option<String>,
    /// `sys_user.user_name`: the name one signs in with.
    pub user_name: Option<String>,
    /// The name as a person reads it.
    pub display_name: Option<String>,
}

impl User {
    /// The best name at hand for a line of text; a server's text, to be shown escaped.
    pub fn name(&self) -> Option<&str> {
        self.user_name.as_deref().or(self.display_name.as_deref()).or(self.sys_id.as_deref())
    }
}
