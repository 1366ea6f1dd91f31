//! What is stored: plain values, as the callers of the store see them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snowtoken_core::keeper::Progress;
use snowtoken_core::ledger::Facts;
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
    /// Another machine has taken over: this one must not refresh any more.
    HandedOver {
        /// When.
        at: Timestamp,
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
    /// How far refreshing them has come.
    pub progress: Progress,
    /// What was learnt about the profile.
    pub facts: Facts,
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
    /// How far refreshing them has come.
    pub progress: Progress,
    /// What was learnt about the profile.
    pub facts: Facts,
}

/// What is known of a profile without opening anything that is sealed: who, where, until when, and
/// how refreshing goes. Nothing in it is secret, and it is not what decisions about tokens rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which profile.
    pub profile: ProfileName,
    /// The number of its token set.
    pub generation: Generation,
    /// The token set; `None` when there is none any more.
    pub held: Option<Held>,
    /// What was learnt about the profile; it outlives the tokens.
    pub facts: Facts,
}

/// The plain side of a token set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Instance and client.
    pub binding: Binding,
    /// How they stand.
    pub state: RecordState,
    /// The user's best name.
    pub user: Option<String>,
    /// The scope the instance granted.
    pub scope: Option<String>,
    /// When the access token came, or was given a new end.
    pub issued_at: Timestamp,
    /// The last consent.
    pub granted_at: Timestamp,
    /// When the access token ends.
    pub access_expires_at: Deadline,
    /// Whether there is an access token: an import may bring a refresh token only.
    pub has_access_token: bool,
    /// Whether there is a refresh token.
    pub has_refresh_token: bool,
    /// When the refresh token ends, where that is known.
    pub refresh_expires_at: Option<Deadline>,
    /// How far refreshing has come.
    pub progress: Progress,
}

impl From<Record> for Draft {
    fn from(record: Record) -> Self {
        let Record { generation: _, binding, tokens, user, state, progress, facts } = record;
        Self { binding, tokens, user, state, progress, facts }
    }
}

impl Record {
    /// The record as that generation.
    pub(crate) fn of(draft: &Draft, generation: Generation) -> Self {
        let Draft { binding, tokens, user, state, progress, facts } = draft.clone();
        Self { generation, binding, tokens, user, state, progress, facts }
    }
}

impl Held {
    /// The plain side of this token set.
    pub(crate) fn of(draft: &Draft) -> Self {
        let tokens = &draft.tokens;
        Self {
            binding: draft.binding.clone(),
            state: draft.state,
            user: draft.user.as_ref().and_then(User::name).map(str::to_owned),
            scope: tokens.scope.clone(),
            issued_at: tokens.issued_at,
            granted_at: tokens.granted_at,
            access_expires_at: tokens.access_expires_at,
            has_access_token: !tokens.access_token.is_empty(),
            has_refresh_token: tokens.refresh_token.is_some(),
            refresh_expires_at: tokens.refresh_expires_at,
            progress: draft.progress.clone(),
        }
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

/// A second client secret, kept while a client's secret is being changed: whichever of the two the
/// instance takes, it is not lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpareSecret {
    /// What it is.
    pub role: SpareRole,
    /// The secret.
    pub secret: Secret,
}

/// What a second client secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpareRole {
    /// It is to take the current one's place; the instance may have it already.
    Next,
    /// The current one has taken its place; the instance may still want it.
    Former,
}

impl SpareRole {
    /// What it becomes when the two change places.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Next => Self::Former,
            Self::Former => Self::Next,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Former => "former",
        }
    }

    pub(crate) fn find(word: &str) -> Option<Self> {
        [Self::Next, Self::Former].into_iter().find(|role| role.as_str() == word)
    }
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
    /// What was asked for beside form and place.
    pub wish: Wish,
}

/// What a person asked for with a delivery. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// The way in which the form comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// What it is called where it is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it goes there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The single value that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The file of the template that it was made by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// A fingerprint of the values it was made of, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<String>,
    /// Whether it is written again whenever the tokens change.
    #[serde(skip_serializing_if = "is_no")]
    pub follow: bool,
    /// The person's own line for the shell that is run after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reload: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_no(value: &bool) -> bool {
    !value
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
