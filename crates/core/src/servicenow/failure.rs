//! What a failed token request means. ServiceNow gives one answer to nearly every failure, so the
//! phase, and how old the code or the consent is, have to tell what the answer does not.

use std::fmt;

use jiff::SignedDuration;

use super::{CODE_LIFESPAN, Page};
use crate::diagnosis::{Code, Diagnose, Hint, Outcome};
use crate::oauth::error::{ErrorCode, ErrorResponse};
use crate::oauth::token::TokenError;

/// What the request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Exchanging a code.
    Exchange {
        /// The code is at most this old: the time since the authorization URL was shown. When
        /// Allow was pressed nobody knows.
        at_most: SignedDuration,
    },
    /// Refreshing; the last consent was this long ago.
    Refresh {
        /// Age of the consent.
        since_grant: SignedDuration,
        /// The refresh token's lifespan, as far as it is known.
        lifespan: SignedDuration,
    },
    /// The client asked for itself.
    ClientCredentials,
    /// The client vouched for a user by an assertion.
    JwtBearer {
        /// How far our clock was ahead of the instance's, where the answer showed the time.
        clock_ahead: Option<SignedDuration>,
    },
}

/// A token request that failed, with what is needed to explain it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TokenFailure {
    /// What the request was for.
    pub phase: Phase,
    /// What came back.
    #[source]
    pub error: TokenError,
}

impl fmt::Display for TokenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.phase {
            Phase::Exchange { .. } => "exchange the code",
            Phase::Refresh { .. } => "refresh the token",
            Phase::ClientCredentials => "issue a token to the client",
            Phase::JwtBearer { .. } => "issue a token for the assertion",
        };
        match &self.error {
            TokenError::Refused { error, .. } => {
                write!(f, "the instance refused to {what} ({error})")
            }
            _ => write!(f, "the instance did not {what}"),
        }
    }
}

impl Diagnose for TokenFailure {
    fn code(&self) -> Code {
        match &self.error {
            // Not in due form (RFC 6749 §5.2): nobody is sent to log in again for that.
            TokenError::Refused { status, error } => match self.refusal(error) {
                Code::TokenRefused if !matches!(status, 400 | 401) => Code::RequestRefused,
                code => code,
            },
            TokenError::Redirected { sign_in: true, .. } => Code::SignInInFront,
            TokenError::Redirected { .. } => Code::EndpointRedirects,
            TokenError::RateLimited { .. } => Code::RateLimited,
            TokenError::Unavailable { .. } => Code::InstanceBusy,
            // Nothing at all where every instance with OAuth has its token endpoint.
            TokenError::Page { status: 404, .. } => Code::EndpointMissing,
            TokenError::Page { title, .. } => Page::code_of(title.as_deref()),
            TokenError::Invalid { .. } => Code::AnswerInvalid,
        }
    }

    fn outcome(&self) -> Outcome {
        match self.error {
            // The answer is final: the same request is not repeated.
            TokenError::Redirected { .. } => Outcome::Failed,
            _ => self.code().entry().outcome,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let mut hints = self.aged_hints();
        hints.extend(self.code().entry().hints());
        hints
    }
}

impl TokenFailure {
    /// Whether the code may have ended ([`CODE_LIFESPAN`]) before it was sent: by our own clock, since
    /// the authorization URL was shown.
    pub fn may_be_too_late(&self) -> bool {
        matches!(self.phase, Phase::Exchange { at_most } if at_most.as_secs() >= CODE_LIFESPAN)
    }

    fn refusal(&self, error: &ErrorResponse) -> Code {
        match (&error.code, self.phase) {
            (ErrorCode::UnauthorizedClient, _) if lacks_user(error) => Code::ApplicationUserMissing,
            (ErrorCode::InvalidClient | ErrorCode::UnauthorizedClient, _) => Code::ClientRefused,
            (ErrorCode::UnsupportedGrantType, _) => Code::GrantTypeRefused,
            (ErrorCode::InvalidScope, _) => Code::ScopeRefused,
            (ErrorCode::TemporarilyUnavailable, _) => Code::InstanceBusy,
            (ErrorCode::InvalidGrant, Phase::Exchange { .. }) => Code::CodeRefused,
            (ErrorCode::InvalidGrant, Phase::Refresh { .. }) => Code::TokenRefused,
            (ErrorCode::InvalidGrant, Phase::JwtBearer { .. }) => Code::AssertionRefused,
            _ if is_catch_all(error) => match self.phase {
                Phase::Exchange { .. } => Code::CodeRefused,
                Phase::Refresh { .. } => Code::TokenRefused,
                Phase::ClientCredentials => Code::ClientRefused,
                Phase::JwtBearer { .. } => Code::AssertionRefused,
            },
            _ => Code::RequestRefused,
        }
    }

    /// What the ages say, before the general checklist.
    fn aged_hints(&self) -> Vec<Hint> {
        let TokenError::Refused { error, .. } = &self.error else {
            return Vec::new();
        };
        let is_vague = is_catch_all(error) || error.code == ErrorCode::InvalidGrant;
        match self.phase {
            Phase::ClientCredentials => own_client_hints(error, is_vague),
            _ if !is_vague => Vec::new(),
            Phase::Exchange { at_most } => {
                exchange_hints(at_most.as_secs(), self.may_be_too_late())
            }
            Phase::Refresh { since_grant, lifespan } => refresh_hints(since_grant, lifespan),
            Phase::JwtBearer { clock_ahead } => clock_hints(clock_ahead),
        }
    }
}

fn exchange_hints(age: i64, may_be_too_late: bool) -> Vec<Hint> {
    vec![Hint::note(if may_be_too_late {
        format!(
            "the code was up to {age} s old; codes end after {CODE_LIFESPAN} s: log in again, press Allow and paste \
             at once"
        )
    } else {
        format!(
            "the code was at most {age} s old, so its age is not the reason (codes end after {CODE_LIFESPAN} s): \
             compare redirect URI, client secret and scopes with the client's record"
        )
    })]
}

fn refresh_hints(age: SignedDuration, lifespan: SignedDuration) -> Vec<Hint> {
    let days = |duration: SignedDuration| duration.as_hours() / 24;
    let first = if age >= lifespan {
        format!(
            "the last consent was {} days ago and the refresh token lives {} days: it has ended",
            days(age),
            days(lifespan)
        )
    } else {
        format!(
            "by its lifespan the refresh token should live {} more days: it was revoked, or the client secret was \
             changed, the user locked, the client deactivated",
            days(lifespan.saturating_sub(age))
        )
    };
    vec![Hint::note(first)]
}

/// 400 `unauthorized_client`, the one failure of the token endpoint that says what is missing.
fn lacks_user(error: &ErrorResponse) -> bool {
    let said = error.description.as_deref().unwrap_or_default();
    said.contains("integration user is not configured")
}

/// The cause that the instance never names; the one that it names has a code of its own.
fn own_client_hints(error: &ErrorResponse, is_vague: bool) -> Vec<Hint> {
    if lacks_user(error) || !is_vague && error.code == ErrorCode::InvalidClient {
        return Vec::new();
    }
    vec![Hint::set(
        "glide.oauth.inbound.client.credential.grant_type.enabled",
        "must be true on the instance, and the client needs an OAuth Application User",
    )]
}

/// Clocks that differ by more are worth a word.
const CLOCKS_AGREE: SignedDuration = SignedDuration::from_secs(60);

/// An assertion is dated by our clock and judged by theirs.
fn clock_hints(clock_ahead: Option<SignedDuration>) -> Vec<Hint> {
    let Some(ahead) = clock_ahead else { return Vec::new() };
    let seconds = ahead.abs().as_secs();
    vec![Hint::note(if ahead.abs() <= CLOCKS_AGREE {
        "the clocks of this machine and the instance agree, so the assertion's dates are not the reason".to_owned()
    } else {
        let way = if ahead.is_negative() { "behind" } else { "ahead of" };
        format!(
            "this machine's clock is {seconds} s {way} the instance's, so the assertion is dated wrong: set the clock \
             (the Clock Skew of the client's record, usually 300 s, is the most that the instance forgives)"
        )
    })]
}

/// ServiceNow's answer to nearly every failure: 401 `server_error` / `access_denied`.
pub(crate) fn is_catch_all(error: &ErrorResponse) -> bool {
    error.code == ErrorCode::ServerError
        && error.description.as_deref().is_none_or(|d| d == "access_denied")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catch_all(phase: Phase) -> TokenFailure {
        let error = ErrorResponse {
            code: ErrorCode::ServerError,
            description: Some("access_denied".into()),
        };
        TokenFailure { phase, error: TokenError::Refused { status: 401, error } }
    }

    #[test]
    fn one_answer_means_another_thing_in_each_phase() {
        let exchange = catch_all(Phase::Exchange { at_most: SignedDuration::from_secs(74) });
        assert_eq!(exchange.code(), Code::CodeRefused);
        assert_eq!(
            exchange.to_string(),
            "the instance refused to exchange the code (server_error: access_denied)"
        );
        assert_eq!(
            exchange.hints()[0].to_string(),
            "the code was up to 74 s old; codes end after 60 s: log in again, press Allow and paste at once"
        );
        let refresh = catch_all(Phase::Refresh {
            since_grant: SignedDuration::from_hours(24 * 101),
            lifespan: SignedDuration::from_hours(24 * 100),
        });
        assert_eq!(refresh.code(), Code::TokenRefused);
        assert_eq!(
            refresh.hints()[0].to_string(),
            "the last consent was 101 days ago and the refresh token lives 100 days: it has ended"
        );
        assert_eq!(catch_all(Phase::ClientCredentials).code(), Code::ClientRefused);
    }

    #[test]
    fn what_the_instance_says_plainly_is_told_plainly() {
        let refused = |code, description: &str| TokenFailure {
            phase: Phase::ClientCredentials,
            error: TokenError::Refused {
                status: 400,
                error: ErrorResponse { code, description: Some(description.to_owned()) },
            },
        };
        let missing = "Received client_credentials grant_type request however integration user is not configured for OAuth:1";
        for (code, description, expected) in [
            (ErrorCode::UnauthorizedClient, missing, Code::ApplicationUserMissing),
            (ErrorCode::UnauthorizedClient, "", Code::ClientRefused),
            (ErrorCode::UnsupportedGrantType, "", Code::GrantTypeRefused),
        ] {
            assert_eq!(refused(code, description).code(), expected, "{description}");
        }
    }

    #[test]
    fn what_stands_in_front_is_told_by_its_kind() {
        let phase = Phase::Exchange { at_most: SignedDuration::ZERO };
        let page = |status, title: &str| TokenError::Page { status, title: Some(title.into()) };
        for (error, code, outcome) in [
            (
                TokenError::Redirected { status: 302, sign_in: true },
                Code::SignInInFront,
                Outcome::Failed,
            ),
            (
                TokenError::Redirected { status: 302, sign_in: false },
                Code::EndpointRedirects,
                Outcome::Failed,
            ),
            (page(200, "Sign in"), Code::SignInInFront, Outcome::TryLater),
            (page(404, "Page not found"), Code::EndpointMissing, Outcome::TryLater),
            (page(403, "Access restricted"), Code::AddressRefused, Outcome::TryLater),
            (page(403, "Welcome"), Code::AnswerUnreadable, Outcome::TryLater),
        ] {
            let failure = TokenFailure { phase, error };
            assert_eq!((failure.code(), failure.outcome()), (code, outcome), "{failure:?}");
        }
    }

    #[test]
    fn a_sleeping_instance_is_not_a_refusal() {
        let error =
            TokenError::Page { status: 200, title: Some("Instance Hibernating page".into()) };
        let phase = Phase::Exchange { at_most: SignedDuration::ZERO };
        assert_eq!(TokenFailure { phase, error }.code(), Code::InstanceAsleep);
    }
}
