//! Ending tokens. "Revoked" is said only after a call proved it: what an endpoint answers is a
//! claim, and ServiceNow documents two endpoints without saying which one works when.

use jiff::Timestamp;
use snowtoken_core::oauth::client::Client;
use snowtoken_core::oauth::error::ErrorCode;
use snowtoken_core::oauth::revocation::{Claim, TokenKind, claim, revoke as request};
use snowtoken_core::oauth::token::{TokenError, refresh};
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{ApiError, read_current_user};
use snowtoken_store::{AuditEntry, Draft, Record, RecordState};

use crate::driver::{SharedStore, locked};
use crate::error::Error;
use crate::http::ATTEMPT_LIMIT;
use crate::login::call;
use crate::world::World;

/// What was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Whether there was a refresh token among it.
    pub refresh_token: bool,
    /// When it was proved.
    pub at: Timestamp,
    /// Access tokens from before the last refresh, if somebody still has one, end by themselves no
    /// later than this.
    pub older_end_by: Option<Timestamp>,
}

/// Revokes the tokens of a record, proves it, forgets them. The caller holds the profile's lock.
pub(crate) fn revoke(
    world: &World,
    store: &SharedStore,
    profile: &Profile,
    client: &Client,
    record: &Record,
) -> Result<Revoked, Error> {
    let since = match record.state {
        RecordState::RevocationPending { since } => since,
        _ => world.now(),
    };
    // From here on nothing is handed out (RFC 7009 §2: not used again), whatever comes.
    locked(store).mark(
        &profile.name,
        record.generation,
        RecordState::RevocationPending { since },
        None,
    )?;
    let mut ending = Ending { world, profile, client, rotated: None };
    let result = ending.end(record);
    let (outcome, detail) = match &result {
        Ok(()) => ("done", "proved by calls that were refused".to_owned()),
        Err(error) => ("failed", error.to_string()),
    };
    let audit = AuditEntry {
        at: world.now(),
        profile: profile.name.clone(),
        event: "revocation".to_owned(),
        outcome: outcome.to_owned(),
        detail,
    };
    match result {
        Ok(()) => {
            locked(store).clear_tokens(&profile.name, record.generation, Some(&audit))?;
            let tokens = &record.tokens;
            let was_refreshed = tokens.issued_at > tokens.granted_at;
            Ok(Revoked {
                refresh_token: tokens.refresh_token.is_some(),
                at: audit.at,
                older_end_by: was_refreshed.then_some(tokens.access_expires_at.at),
            })
        }
        Err(error) => {
            match ending.rotated {
                None => locked(store).append_audit(&audit)?,
                // What is kept for the next try is the token that lives, not the one it replaced.
                Some(living) => {
                    let mut draft = Draft::from(record.clone());
                    draft.tokens.refresh_token = Some(living);
                    draft.state = RecordState::RevocationPending { since };
                    locked(store).save(&profile.name, record.generation, &draft, Some(&audit))?;
                }
            }
            Err(error)
        }
    }
}

struct Ending<'a> {
    world: &'a World,
    profile: &'a Profile,
    client: &'a Client,
    /// The refresh token that a proof brought in place of the stored one.
    rotated: Option<Secret>,
}

/// What a proving call showed.
enum Proof {
    Dead,
    Alive,
    /// A refresh token that was alive until the proof; this one lives in its place.
    Replaced(Secret),
}

impl Ending<'_> {
    fn end(&mut self, record: &Record) -> Result<(), Error> {
        let tokens = &record.tokens;
        // The refresh token first: while it lives, it could bring a new access token.
        if let Some(token) = &tokens.refresh_token {
            self.end_token(token, TokenKind::Refresh, "refresh token")?;
        }
        if tokens.access_token.is_empty() {
            // Imported with a refresh token only, and never used.
            return Ok(());
        }
        self.end_token(&tokens.access_token, TokenKind::Access, "access token")
    }

    fn end_token(
        &mut self,
        token: &Secret,
        kind: TokenKind,
        what: &'static str,
    ) -> Result<(), Error> {
        let mut token = token.clone();
        let mut unproven = Error::RevocationUnproven { what };
        for endpoint in &self.profile.instance.endpoints().revocation {
            let answer = self
                .world
                .transport
                .send(request(endpoint, self.client, &token, kind), ATTEMPT_LIMIT)
                .map_err(pending)?;
            // A claim is only worth asking further for; a missing endpoint is no failure yet.
            let claim = claim(&answer);
            if let Claim::Later { .. } = claim {
                unproven = pending(Error::Api(ApiError::Unavailable(answer.status().as_u16())));
                continue;
            }
            match self.prove(&token, kind, &claim)? {
                Proof::Dead => return Ok(()),
                // RFC 7009 §2.2.1: an endpoint that was busy may do it later.
                Proof::Alive => {}
                Proof::Replaced(living) => {
                    token = living.clone();
                    self.rotated = Some(living);
                }
            }
        }
        Err(unproven)
    }

    fn prove(&self, token: &Secret, kind: TokenKind, claim: &Claim) -> Result<Proof, Error> {
        match kind {
            TokenKind::Access => {
                match call(self.world, read_current_user(&self.profile.instance, token)) {
                    Err(Error::Api(ApiError::NotAccepted(_))) => Ok(Proof::Dead),
                    Ok(_)
                    | Err(Error::Api(
                        ApiError::Restricted(_)
                        | ApiError::ScopeMissing(_)
                        | ApiError::Forbidden(_),
                    )) => Ok(Proof::Alive),
                    Err(error) => Err(pending(error)),
                }
            }
            TokenKind::Refresh => self.prove_refresh(token, claim),
        }
    }

    /// Tries to refresh: a dead refresh token is refused. Should it be alive, what it brings is
    /// revoked at once and never stored.
    ///
    /// ServiceNow refuses with the same words when the client secret is wrong or the user locked: its
    /// catch-all counts only together with a revocation endpoint that was there and took the token.
    fn prove_refresh(&self, token: &Secret, claim: &Claim) -> Result<Proof, Error> {
        let endpoints = self.profile.instance.endpoints();
        let (attempt, expected) = refresh(&endpoints, self.client, token);
        let answer = self.world.transport.send(attempt, ATTEMPT_LIMIT).map_err(pending)?;
        match expected.receive(answer) {
            Err(TokenError::Refused { status: 400 | 401, error })
                if error.code == ErrorCode::InvalidGrant
                    || error.code == ErrorCode::ServerError && took_the_token(claim) =>
            {
                Ok(Proof::Dead)
            }
            // About the client, or about everything: it says nothing of the token.
            Err(TokenError::Refused { status: 400 | 401, .. }) => Ok(Proof::Alive),
            Ok(response) => {
                for endpoint in &endpoints.revocation {
                    let again =
                        request(endpoint, self.client, &response.access_token, TokenKind::Access);
                    drop(self.world.transport.send(again, ATTEMPT_LIMIT));
                }
                Ok(match response.refresh_token {
                    Some(living) if living != *token => Proof::Replaced(living),
                    _ => Proof::Alive,
                })
            }
            Err(error) => {
                let phase = snowtoken_core::servicenow::Phase::ClientCredentials;
                Err(pending(Error::Token(snowtoken_core::servicenow::TokenFailure {
                    phase,
                    error,
                })))
            }
        }
    }
}

/// Whether the endpoint answered the request itself: a missing one, or a redirect, did not.
fn took_the_token(claim: &Claim) -> bool {
    matches!(
        claim,
        Claim::Revoked | Claim::Refused(_) | Claim::Unclear { status: 200..=299 | 400 | 401 }
    )
}

fn pending(error: impl Into<Error>) -> Error {
    Error::RevocationPending(Box::new(error.into()))
}
