//! What is stored: plain values, as the callers of the store see them.

use jiff::Timestamp;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, Generation, TokenSet, User};

/// Instance and client that tokens belong to. A profile that now names another instance or client
/// must not use them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The instance's URL.
    pub instance: String,
    /// The client's `client_id`.
    pub client_id: String,
}

/// How a stored token set stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordState {
    /// In use.
    Held,
    /// The instance refused the refresh token: a person must log in.
    Rejected {
        /// When it was seen.
        at: Timestamp,
    },
    /// Revocation was asked for and is not proved yet: nothing is handed out any more.
    RevocationPending {
        /// When it was asked for first.
        since: Timestamp,
    },
}

/// What is to be stored: a [`Record`] that has no generation yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Instance and client.
    pub binding: Binding,
    /// The tokens and their deadlines.
    pub tokens: TokenSet,
    /// Whom they belong to, where known.
    pub user: Option<User>,
    /// How they stand.
    pub state: RecordState,
}

/// A stored token set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The token set's number within its profile.
    pub generation: Generation,
    /// Instance and client.
    pub binding: Binding,
    /// The tokens and their deadlines.
    pub tokens: TokenSet,
    /// Whom they belong to, where known.
    pub user: Option<User>,
    /// How they stand.
    pub state: RecordState,
}

impl From<Record> for Draft {
    fn from(record: Record) -> Self {
        let Record { generation: _, binding, tokens, user, state } = record;
        Self { binding, tokens, user, state }
    }
}

impl Record {
    /// The record as that generation.
    pub(crate) fn of(draft: &Draft, generation: Generation) -> Self {
        let Draft { binding, tokens, user, state } = draft.clone();
        Self { generation, binding, tokens, user, state }
    }
}

/// An access token that lives as long as was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivingToken {
    /// The access token.
    pub token: Secret,
    /// Its end.
    pub expires_at: Deadline,
    /// Instance and client.
    pub binding: Binding,
    /// The token set it comes from.
    pub generation: Generation,
}

/// A delivery: credentials that were handed out in a consumer's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Whose credentials.
    pub profile: ProfileName,
    /// In which form.
    pub format: String,
    /// Where to, as the person would write it; no secret.
    pub path: String,
    /// [`fingerprint`](crate::TokenStore::fingerprint) of what was delivered.
    pub fingerprint: [u8; 32],
    /// When.
    pub at: Timestamp,
}

/// A line of the audit. It holds no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Of which profile.
    pub profile: ProfileName,
    /// What: `grant`, `refresh`, `delivery`, `revocation`, ….
    pub event: String,
    /// How it ended.
    pub outcome: String,
    /// What else is worth knowing, in a few words.
    pub detail: String,
}
