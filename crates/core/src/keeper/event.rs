//! What shell and keeper say to each other.

use super::state::Change;
use crate::oauth::jwt::SignError;
use crate::secret::Secret;
use crate::servicenow::TokenFailure;
use crate::token_set::TokenSet;

/// What the shell asks the keeper to do.
#[derive(Debug)]
pub enum Command {
    /// Refresh now, whatever the schedule says.
    Refresh,
    /// An API call with the access token was answered 401: the clock may be wrong, or it was
    /// revoked. Leads to one refresh, unless one is under way or due, or the last one is so recent
    /// that the 401 may be about the token before it, or was the reason for it: then nothing
    /// happens, and `poll_timeout` tells when the next one is due.
    AccessTokenRejected,
    /// The store holds a newer token set (another process refreshed): take it.
    Adopt(Box<TokenSet>),
    /// Forget everything (after `revoke`, `logout`).
    Forget,
}

/// What happened, for the shell to act on.
#[derive(Debug)]
pub enum Event {
    /// New facts. They must be stored durably before any of it is handed out.
    Refreshed {
        /// The tokens to store.
        tokens: Box<TokenSet>,
        /// What is new about them.
        change: Change,
    },
    /// An attempt failed; the tokens are kept. `poll_timeout` tells when the next one is due.
    Failed(Failure),
    /// The first refusal: before the request is repeated the shell reads the store again and
    /// hands in what it finds with [`Command::Adopt`] if it is newer.
    RefusedOnce(TokenFailure),
    /// The refresh token is dead: a person must log in.
    Rejected(TokenFailure),
    /// Asked to refresh, but there is nothing to refresh with.
    NothingToRefresh,
    /// The request could not be signed; nothing was sent.
    NotSigned(SignError),
    /// The answer to a refresh that was under way when everything was forgotten. These tokens live
    /// on the instance and nobody holds them: the shell revokes them.
    CameTooLate {
        /// The access token.
        access_token: Secret,
        /// The refresh token, if there was one in the answer.
        refresh_token: Option<Secret>,
    },
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There was an answer, but no token in it.
    Answer(TokenFailure),
    /// There was no answer.
    NoAnswer(NoAnswer),
}

/// How a request came to have no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// No byte of it was sent.
    NotSent,
    /// It was sent, at least in part: the instance may have acted on it.
    Lost,
}
