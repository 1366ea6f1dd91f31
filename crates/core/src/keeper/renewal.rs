//! Tokens that need no person: the same grant again, in a refresh's place.

use jiff::{SignedDuration, Timestamp};

use super::Keeper;
use crate::oauth::client::Client;
use crate::oauth::jwt::{Bearer, SignError};
use crate::oauth::token::{ExpectTokenResponse, client_credentials, jwt_bearer};
use crate::oauth::{Endpoints, Request, Scope};
use crate::servicenow::Phase;
use crate::token_set::TokenSet;

/// A grant that the client makes by itself, as often as it needs a token.
#[derive(Debug, Clone)]
pub enum OwnGrant {
    /// RFC 6749 §4.4.
    ClientCredentials(Option<Scope>),
    /// RFC 7523 §2.1.
    JwtBearer(Bearer, Option<Scope>),
}

impl OwnGrant {
    /// The request for the next token. Each is one of its own: an assertion is accepted once.
    ///
    /// # Errors
    /// If the private key could not sign.
    pub fn request(
        &mut self,
        endpoints: &Endpoints,
        client: &Client,
        now: Timestamp,
    ) -> Result<(Request, ExpectTokenResponse), SignError> {
        Ok(match self {
            Self::ClientCredentials(scope) => client_credentials(endpoints, client, scope.as_ref()),
            Self::JwtBearer(bearer, scope) => {
                let assertion = bearer.assertion(&client.id, now)?;
                jwt_bearer(endpoints, client, &assertion, scope.as_ref())
            }
        })
    }

    /// What a failure of it is about. `clock_ahead` is how far our clock was ahead of the one that
    /// the answer showed: an assertion is judged by the instance's.
    pub fn phase(&self, clock_ahead: Option<SignedDuration>) -> Phase {
        match self {
            Self::ClientCredentials(_) => Phase::ClientCredentials,
            Self::JwtBearer(..) => Phase::JwtBearer { clock_ahead },
        }
    }
}

impl Keeper {
    /// What a failure of the request that is under way is about.
    pub(super) fn phase(
        &self,
        now: Timestamp,
        tokens: &TokenSet,
        answered_at: Option<Timestamp>,
    ) -> Phase {
        match &self.own_grant {
            Some(grant) => grant.phase(answered_at.map(|at| now.duration_since(at))),
            None => Phase::Refresh {
                since_grant: now.duration_since(tokens.granted_at),
                lifespan: SignedDuration::from_secs(
                    self.facts.lifespans(self.lifespans).refresh_or_default(),
                ),
            },
        }
    }
}
