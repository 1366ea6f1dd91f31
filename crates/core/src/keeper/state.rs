//! What a keeper holds; each variant holds only what is true in it.

use jiff::Timestamp;

use super::schedule::Why;
use crate::diagnosis::Code;
use crate::ledger::{self, Facts, Observation, Refresh, observe};
use crate::oauth::token::TokenResponse;
use crate::servicenow::Lifespans;
use crate::token_set::{Deadline, KnownBy, TokenSet};

/// Where the tokens stand.
#[derive(Debug)]
pub enum TokenState {
    /// There are none.
    Absent,
    /// They are as good as we know.
    Fresh {
        /// The tokens.
        tokens: Box<TokenSet>,
        /// The next refresh, when it is not simply due before the access token's end.
        next: Option<(Timestamp, Why)>,
    },
    /// A refresh is under way.
    Refreshing {
        /// The tokens it was made from.
        tokens: Box<TokenSet>,
        /// When it was sent.
        sent_at: Timestamp,
        /// What went before it.
        attempt: Attempt,
    },
    /// An attempt failed, another is due.
    Waiting {
        /// The tokens, kept.
        tokens: Box<TokenSet>,
        /// When, and why then.
        next: (Timestamp, Why),
        /// What went before.
        attempt: Attempt,
    },
    /// The refresh token was refused twice in a row: a person must log in.
    Rejected {
        /// The tokens, for the record.
        tokens: Box<TokenSet>,
        /// When it was observed.
        at: Timestamp,
    },
}

/// What went before a request: how many attempts failed in a row, and how the last ones did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempt {
    /// Attempts that failed in a row, refusals not counted.
    pub failures: u32,
    /// Whether the last answer refused the refresh token.
    pub refused: bool,
    /// Whether an answer was lost, with nothing but refusals after it.
    pub lost: bool,
}

/// What a keeper knows besides the tokens: stored with them, so that another process goes on where
/// this one stopped, whether it ended well, was killed, or gave up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// A refresh was sent at this moment and nothing is known of its outcome, or, where `next` is
    /// set too, its answer was lost.
    pub sent_at: Option<Timestamp>,
    /// Attempts that failed in a row.
    pub failures: u32,
    /// The last of them.
    pub failed: Option<FailedAttempt>,
    /// When the next refresh makes sense, if not simply before the access token's end.
    pub next: Option<(Timestamp, Why)>,
}

/// An attempt that failed, in words fit for storing: no secret is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// When it was known.
    pub at: Timestamp,
    /// What it was.
    pub code: Code,
    /// The same in a sentence.
    pub detail: String,
}

impl TokenState {
    /// Where another process left off.
    pub(super) fn resumed(tokens: TokenSet, progress: &Progress) -> Self {
        let tokens = Box::new(tokens);
        let lost = progress.sent_at.is_some();
        let attempt = Attempt { failures: progress.failures, refused: false, lost };
        match (progress.sent_at, progress.next) {
            (_, Some(next)) if progress.failures > 0 => Self::Waiting { tokens, next, attempt },
            // Whoever sent it is gone: the instance may have acted on it, so at once.
            (Some(sent_at), _) => {
                Self::Waiting { tokens, next: (sent_at, Why::AnswerLost), attempt }
            }
            (None, next) => Self::Fresh { tokens, next },
        }
    }

    pub(super) fn fresh(tokens: TokenSet) -> Self {
        Self::Fresh { tokens: Box::new(tokens), next: None }
    }

    /// The tokens, whatever their state.
    pub fn tokens(&self) -> Option<&TokenSet> {
        match self {
            Self::Absent => None,
            Self::Fresh { tokens, .. }
            | Self::Refreshing { tokens, .. }
            | Self::Waiting { tokens, .. }
            | Self::Rejected { tokens, .. } => Some(tokens),
        }
    }

    /// The tokens to try again with. A rejected set may be tried again when a person insists.
    pub(super) fn take_tokens(&mut self) -> Option<Box<TokenSet>> {
        match std::mem::replace(self, Self::Absent) {
            Self::Absent => None,
            Self::Fresh { tokens, .. }
            | Self::Refreshing { tokens, .. }
            | Self::Waiting { tokens, .. }
            | Self::Rejected { tokens, .. } => Some(tokens),
        }
    }

    pub(super) fn attempt(&self) -> Attempt {
        match self {
            Self::Waiting { attempt, .. } => *attempt,
            _ => Attempt::default(),
        }
    }
}

/// What a refresh changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Whether another access token came.
    pub access_token_is_new: bool,
    /// Whether the access token's end moved into the future by more than the time the call took.
    pub access_end_moved: bool,
    /// What became of the refresh token.
    pub refresh_token: RefreshTokenChange,
}

/// What became of the refresh token (RFC 6749 §6: three behaviours are normal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshTokenChange {
    /// The answer had none: the old one stays.
    Kept,
    /// The answer repeated it.
    SameAgain,
    /// The answer brought another one: the old one must not be used any more.
    Replaced,
    /// None is used: the client got the access token by a grant of its own.
    Unused,
}

impl Change {
    /// Whether the refresh was worth it.
    pub fn brought_progress(self) -> bool {
        self.access_token_is_new || self.access_end_moved
    }
}

/// Shorter prolongations than this many seconds are rounding, not progress.
const PROGRESS: i64 = 5;

/// The token set after an answer, and the facts. What becomes of the refresh token's end is for the
/// ledger to say.
pub(super) fn apply(
    old: TokenSet,
    response: TokenResponse,
    sent_at: Timestamp,
    lifespans: Lifespans,
    facts: Facts,
) -> (TokenSet, Change, Facts) {
    let lifespans = facts.lifespans(lifespans);
    let access_token_is_new = response.access_token != old.access_token;
    let access_expires_at = access_end(&old, &response, sent_at, lifespans, access_token_is_new);
    let access_end_moved =
        access_expires_at.at.duration_since(old.access_expires_at.at).as_secs() >= PROGRESS;
    let (refresh_token, refresh_change) = match response.refresh_token {
        None => (old.refresh_token, RefreshTokenChange::Kept),
        Some(new) if old.refresh_token.as_ref() == Some(&new) => {
            (Some(new), RefreshTokenChange::SameAgain)
        }
        Some(new) => (Some(new), RefreshTokenChange::Replaced),
    };
    let refresh = Refresh {
        at: sent_at,
        instance_clock: response.answered_at,
        refresh_token: refresh_change,
        granted_at: old.granted_at,
        end: old.refresh_expires_at,
    };
    let facts = observe(facts, &Observation::Refreshed(refresh));
    let tokens = TokenSet {
        access_token: response.access_token,
        refresh_token,
        authorization_code: old.authorization_code,
        scope: response.scope.or(old.scope),
        // A token that was given a new end begins a new life; otherwise nothing is younger than the
        // request that brought it again, whatever the clock said then.
        issued_at: if access_token_is_new || access_end_moved {
            sent_at
        } else {
            old.issued_at.min(sent_at)
        },
        granted_at: old.granted_at,
        access_expires_at,
        refresh_expires_at: ledger::refresh_end(&facts, &refresh, lifespans),
    };
    let change = Change { access_token_is_new, access_end_moved, refresh_token: refresh_change };
    (tokens, change, facts)
}

/// The same where the client got it by itself: each answer is a grant of its own, and no refresh
/// token is kept. RFC 6749 §4.4.3 says that none should come.
pub(super) fn apply_own(
    old: TokenSet,
    response: TokenResponse,
    sent_at: Timestamp,
    lifespans: Lifespans,
    facts: Facts,
) -> (TokenSet, Change, Facts) {
    let response = TokenResponse { refresh_token: None, ..response };
    let (tokens, change, _) = apply(old, response, sent_at, lifespans, facts.clone());
    let tokens = TokenSet { granted_at: sent_at, refresh_expires_at: None, ..tokens };
    (tokens, Change { refresh_token: RefreshTokenChange::Unused, ..change }, facts)
}

/// When the access token ends, and how that is known.
fn access_end(
    old: &TokenSet,
    response: &TokenResponse,
    sent_at: Timestamp,
    lifespans: Lifespans,
    is_new: bool,
) -> Deadline {
    let told = Deadline {
        at: response.access_expires_at(sent_at, lifespans.access_or_default()),
        known_by: if response.expires_in.is_some() { KnownBy::Stated } else { KnownBy::Derived },
    };
    match response.expires_in {
        // The same token without a believable end: what was known about its end stays, unless that
        // is over, or a clock that was wrong then put it beyond a whole life from now.
        None if !is_new && (sent_at..=told.at).contains(&old.access_expires_at.at) => {
            old.access_expires_at
        }
        _ => told,
    }
}
