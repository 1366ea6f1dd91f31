//! RFC 7009: token revocation. The token travels in the body, never in a URL.

use super::client::Client;
use super::error::{ErrorCode, ErrorResponse};
use super::{Request, Response};
use crate::secret::Secret;

/// RFC 7009 §2.1 `token_type_hint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
}

impl TokenKind {
    fn hint(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Refresh => "refresh_token",
        }
    }
}

/// What the endpoint's answer claims. A claim is no proof: a call with the token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// 200 without a page: done, or there was no such token (§2.2).
    Revoked,
    /// 503 and its like: the token must be assumed to live on (§2.2.1).
    Later {
        /// `Retry-After` in seconds, where it was a number of at most a day.
        retry_after: Option<i64>,
    },
    /// A well-formed error (§2.2.1).
    Refused(ErrorResponse),
    /// Anything else: a page, a redirect, a missing endpoint.
    Unclear {
        /// HTTP status.
        status: u16,
    },
}

/// RFC 7009 §2.1: a form POST with the client's authentication.
pub fn revoke(endpoint: &url::Url, client: &Client, token: &Secret, kind: TokenKind) -> Request {
    client.post(endpoint, &[("token", token.expose()), ("token_type_hint", kind.hint())])
}

/// What the answer claims (RFC 7009 §2.2). The body of a 200 is ignored, unless it is a page: a
/// hibernating instance answers every path with 200 and a page.
pub fn claim(answer: &Response) -> Claim {
    let status = answer.status().as_u16();
    let body = answer.body().expose();
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let is_page = text.trim_ascii_start().first() == Some(&b'<');
    match status {
        200..=299 if !is_page => Claim::Revoked,
        429 | 500..=599 => Claim::Later { retry_after: super::token::retry_after(answer) },
        _ => {
            let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
            let member =
                |name| json.as_ref().and_then(|json| json.get(name)?.as_str().map(str::to_owned));
            match member("error") {
                Some(error) => Claim::Refused(ErrorResponse {
                    code: ErrorCode::from_text(&error),
                    description: member("error_description"),
                }),
                None => Claim::Unclear { status },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::client::{ClientAuthentication, ClientId};
    use crate::secret::Body;

    fn judged(status: u16, body: &str) -> Claim {
        claim(
            &http::Response::builder()
                .status(status)
                .body(Body::from(body.as_bytes().to_vec()))
                .unwrap(),
        )
    }

    /// R46: in the body.
    #[test]
    fn the_token_travels_in_the_body() {
        let client = Client {
            id: ClientId::parse("id").unwrap(),
            authentication: ClientAuthentication::Post(Secret::new("s")),
        };
        let endpoint = url::Url::parse("https://a.example/revoke").unwrap();
        let request = revoke(&endpoint, &client, &Secret::new("t&t"), TokenKind::Refresh);
        assert_eq!(request.uri(), "https://a.example/revoke");
        assert_eq!(
            request.body().expose(),
            b"token=t%26t&token_type_hint=refresh_token&client_id=id&client_secret=s"
        );
    }

    /// R47, R48, R50.
    #[test]
    fn claims_are_told_apart() {
        assert_eq!(judged(200, ""), Claim::Revoked);
        assert_eq!(judged(200, "{\"a\":1}"), Claim::Revoked);
        assert_eq!(judged(200, "<html>Instance Hibernating page"), Claim::Unclear { status: 200 });
        assert_eq!(judged(503, ""), Claim::Later { retry_after: None });
        assert_eq!(judged(302, ""), Claim::Unclear { status: 302 });
        assert!(matches!(
            judged(400, r#"{"error":"unsupported_token_type"}"#),
            Claim::Refused(ErrorResponse { code: ErrorCode::UnsupportedTokenType, .. })
        ));
    }
}
