//! The token endpoint: whether it answers at all, and the little that a request without tokens tells.

use super::super::failure::{Phase, TokenFailure};
use super::{Asked, Fault, Verdict, Why};
use crate::diagnosis::{Code, Diagnose as _};
use crate::oauth::client::{Client, ClientAuthentication, ClientId};
use crate::oauth::error::ErrorCode;
use crate::oauth::token::{ExpectTokenResponse, TokenError, client_credentials};
use crate::oauth::{Endpoints, Request, Response, Scope};

/// A scope that nobody has: a server that would issue a token for the client alone refuses it.
const NOBODYS_SCOPE: &str = "snowtoken.doctor.asks.for.no.token";

/// A token request that names no client and holds no secret. Whatever speaks OAuth refuses it.
pub fn empty_request(endpoints: &Endpoints) -> Request {
    // The parser lets this text through; the fallback cannot be reached.
    let nobody = ClientId::parse("none");
    let mut request = match nobody {
        Ok(id) => {
            let client = Client { id, authentication: ClientAuthentication::None };
            client_credentials(endpoints, &client, None).0
        }
        Err(_) => Request::default(),
    };
    *request.body_mut() = crate::secret::Body::default();
    request
}

/// Asks whether the client may act for itself, with its secret, and for a scope that nobody has: some
/// instances say more than "no" then, and none issues a token.
pub fn client_probe(endpoints: &Endpoints, client: &Client) -> Request {
    let scope = Scope::parse(NOBODYS_SCOPE).ok();
    client_credentials(endpoints, client, scope.as_ref()).0
}

/// What the token endpoint said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenAnswer {
    /// It speaks OAuth, and refused, as it should.
    Refused,
    /// It knows the client, whose OAuth Application User is not set.
    NoIntegrationUser,
    /// It knows the client and its secret, and refused the scope or the grant.
    ClientAccepted,
    /// It refuses the client itself.
    ClientRefused,
    /// It issued a token, which nobody keeps.
    Issued,
    /// Something else answered, or it cannot answer now.
    Failed(TokenFailure),
}

impl TokenAnswer {
    /// Whether a token endpoint said it.
    pub(super) fn is_oauth(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }
}

/// Reads the answer to [`empty_request`] or [`client_probe`].
pub fn read_token_answer(answer: Response) -> TokenAnswer {
    let status = answer.status().as_u16();
    let is_silent = answer.body().expose().trim_ascii().is_empty();
    let expect = ExpectTokenResponse::new(crate::oauth::token::GrantType::ClientCredentials);
    match expect.receive(answer) {
        Ok(_) => TokenAnswer::Issued,
        Err(TokenError::Refused { error, .. }) => match error.code {
            ErrorCode::UnauthorizedClient
                if error
                    .description
                    .as_deref()
                    .is_some_and(|text| text.contains("integration user")) =>
            {
                TokenAnswer::NoIntegrationUser
            }
            ErrorCode::InvalidClient => TokenAnswer::ClientRefused,
            ErrorCode::InvalidScope | ErrorCode::UnauthorizedClient => TokenAnswer::ClientAccepted,
            _ => TokenAnswer::Refused,
        },
        // 401 without a word is a refusal too.
        Err(TokenError::Page { .. }) if matches!(status, 400 | 401) && is_silent => {
            TokenAnswer::Refused
        }
        Err(error) => TokenAnswer::Failed(TokenFailure { phase: Phase::ClientCredentials, error }),
    }
}

pub(super) fn judge(seen: Option<&Asked<TokenAnswer>>) -> Verdict {
    match seen {
        None => Verdict::Unknown(Why::NotAsked, "not asked".to_owned()),
        Some(Err(silence)) => Verdict::Fail(silence.fault()),
        Some(Ok(TokenAnswer::Failed(failure))) => Verdict::Fail(failed(failure)),
        Some(Ok(TokenAnswer::Issued)) => Verdict::Warn(
            "answers; it issued a token for a scope that does not exist, which nobody keeps"
                .to_owned(),
        ),
        Some(Ok(_)) => Verdict::Pass("answers, and refuses what it should".to_owned()),
    }
}

fn failed(failure: &TokenFailure) -> Fault {
    let text = match &failure.error {
        TokenError::Redirected { status, .. } => {
            format!("oauth_token.do answered with a redirect ({status})")
        }
        error => format!("oauth_token.do: {error}"),
    };
    match &failure.error {
        // Whatever the page says: it is not for everybody.
        TokenError::Page { status: 403, .. } => Fault::new(Code::AddressRefused, text),
        _ => Fault::new(failure.code(), text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{Body, Secret};
    use crate::servicenow::Instance;

    fn read(status: u16, body: &str) -> TokenAnswer {
        let body = Body::from(body.as_bytes().to_vec());
        read_token_answer(http::Response::builder().status(status).body(body).unwrap())
    }

    #[test]
    fn the_empty_request_holds_nothing_and_the_probe_asks_for_nobodys_scope() {
        let endpoints = Instance::parse("classics").unwrap().endpoints();
        let empty = empty_request(&endpoints);
        assert_eq!(empty.method(), http::Method::POST);
        assert_eq!(empty.uri(), "https://classics.service-now.com/oauth_token.do");
        assert!(empty.body().expose().is_empty());
        let client = Client {
            id: ClientId::parse("id").unwrap(),
            authentication: ClientAuthentication::Post(Secret::new("s3cret")),
        };
        let probe = client_probe(&endpoints, &client);
        let body = String::from_utf8(probe.body().expose().to_vec()).unwrap();
        assert!(
            body.contains("grant_type=client_credentials") && body.contains(NOBODYS_SCOPE),
            "{body}"
        );
    }

    #[test]
    fn each_answer_tells_its_own() {
        let generic = r#"{"error_description":"access_denied","error":"server_error"}"#;
        let user = r#"{"error":"unauthorized_client","error_description":"Received client_credentials grant_type request however integration user is not configured for OAuth:id"}"#;
        for (status, body, expected) in [
            (401, generic, TokenAnswer::Refused),
            (401, "", TokenAnswer::Refused),
            (400, user, TokenAnswer::NoIntegrationUser),
            (401, r#"{"error":"invalid_client"}"#, TokenAnswer::ClientRefused),
            (400, r#"{"error":"invalid_scope"}"#, TokenAnswer::ClientAccepted),
            (400, r#"{"error":"unauthorized_client"}"#, TokenAnswer::ClientAccepted),
            (400, r#"{"error":"invalid_request"}"#, TokenAnswer::Refused),
            (200, r#"{"access_token":"a","token_type":"Bearer"}"#, TokenAnswer::Issued),
        ] {
            assert_eq!(read(status, body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_token_endpoint_fails_with_a_code_of_its_own() {
        let fault = |status, body: &str| match judge(Some(&Ok(read(status, body)))) {
            Verdict::Fail(fault) => fault.code(),
            other => panic!("{other:?}"),
        };
        for (status, body, code) in [
            (200, "<title>Instance Hibernating page</title>", Code::InstanceAsleep),
            (200, "<title>Sign in</title>", Code::SignInInFront),
            (200, "<title>x</title>", Code::AnswerUnreadable),
            (503, "", Code::InstanceBusy),
            (429, "", Code::RateLimited),
            (302, "", Code::EndpointRedirects),
            (404, "<title>x</title>", Code::EndpointMissing),
            (403, "<title>x</title>", Code::AddressRefused),
        ] {
            assert_eq!(fault(status, body), code, "{status} {body}");
        }
        assert_eq!(fault(200, r#"{"token_type":"Bearer"}"#), Code::AnswerInvalid);
    }

    #[test]
    fn nothing_unseen_passes() {
        assert!(matches!(judge(None), Verdict::Unknown(Why::NotAsked, _)));
        assert!(matches!(judge(Some(&Ok(TokenAnswer::Issued))), Verdict::Warn(_)));
        assert!(matches!(judge(Some(&Ok(TokenAnswer::Refused))), Verdict::Pass(_)));
    }
}
