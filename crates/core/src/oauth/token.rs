//! RFC 6749 §4.1.3, §4.4, §5 and §6, RFC 7523 §2.1: token requests, and the only parser of their answers.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::client::Client;
use super::error::{ErrorCode, ErrorResponse};
use super::{Endpoints, Request, Response, Scope};
use crate::secret::Secret;

/// The grants we ask for. The password and implicit grants are left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 7523 §2.1.
    JwtBearer,
}

impl GrantType {
    /// The value of `grant_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }
}

/// RFC 6749 §6. The scope is never widened: none is sent, so the granted one stays.
pub fn refresh(
    endpoints: &Endpoints,
    client: &Client,
    token: &Secret,
) -> (Request, ExpectTokenResponse) {
    let grant = GrantType::RefreshToken;
    let parameters = [("grant_type", grant.as_str()), ("refresh_token", token.expose())];
    (client.post(&endpoints.token, &parameters), ExpectTokenResponse::new(grant))
}

/// RFC 6749 §4.4.
pub fn client_credentials(
    endpoints: &Endpoints,
    client: &Client,
    scope: Option<&Scope>,
) -> (Request, ExpectTokenResponse) {
    let grant = GrantType::ClientCredentials;
    let parameters = [("grant_type", grant.as_str()), ("scope", scope.map_or("", Scope::as_str))];
    (client.post(&endpoints.token, &parameters), ExpectTokenResponse::new(grant))
}

/// RFC 7523 §2.1. The client authenticates beside it, if it can (§3.1).
pub fn jwt_bearer(
    endpoints: &Endpoints,
    client: &Client,
    assertion: &Secret,
    scope: Option<&Scope>,
) -> (Request, ExpectTokenResponse) {
    let grant = GrantType::JwtBearer;
    let parameters = [
        ("grant_type", grant.as_str()),
        ("assertion", assertion.expose()),
        ("scope", scope.map_or("", Scope::as_str)),
    ];
    (client.post(&endpoints.token, &parameters), ExpectTokenResponse::new(grant))
}

/// Waits for the answer to one token request.
#[derive(Debug)]
#[must_use = "the answer must be judged by it"]
pub struct ExpectTokenResponse {
    grant: GrantType,
}

/// RFC 6749 §5.1, checked. How long the tokens live is for the caller to work out: `expires_in` is
/// a duration, and only the caller knows when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenResponse {
    /// Opaque (RFC 6749 §1.4).
    pub access_token: Secret,
    /// Absent means: keep the one there is (§6).
    pub refresh_token: Option<Secret>,
    /// Absent means: the scope that was asked for (§5.1).
    pub scope: Option<String>,
    /// Seconds; `None` when absent or of a form or size that cannot be believed.
    pub expires_in: Option<i64>,
    /// The instance's clock, where the answer had a `Date` (RFC 9110 §6.6.1).
    pub answered_at: Option<Timestamp>,
}

/// Why an answer brought no token. Bodies are never part of it: some servers echo what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// RFC 6749 §5.2, well-formed.
    #[error("the instance answered {error}")]
    Refused {
        /// HTTP status, 400 or 401.
        status: u16,
        /// What it said.
        error: ErrorResponse,
    },
    /// 3xx: never followed, a redirect would carry the secrets along.
    #[error("the endpoint answered with a redirect (status {status})")]
    Redirected {
        /// HTTP status.
        status: u16,
        /// Whether it leads to an address that looks like a sign-in.
        sign_in: bool,
    },
    /// 429.
    #[error("the instance answered 429, too many requests")]
    RateLimited {
        /// `Retry-After` in seconds, where it was a number.
        retry_after: Option<i64>,
    },
    /// 5xx.
    #[error("the instance answered {status}")]
    Unavailable {
        /// HTTP status.
        status: u16,
        /// `Retry-After` in seconds, where it was a number.
        retry_after: Option<i64>,
    },
    /// Not JSON: a page of whatever stood in front of the token endpoint.
    #[error("a page answered instead of the token endpoint (status {status})")]
    Page {
        /// HTTP status.
        status: u16,
        /// The title of the page, if it is HTML and has one; foreign text.
        title: Option<String>,
    },
    /// JSON, but not what RFC 6749 §5.1 prescribes.
    #[error("the instance's answer is no token answer: {what}")]
    Invalid {
        /// Which rule it breaks.
        what: &'static str,
    },
}

impl TokenError {
    /// Whether the same request may succeed later, without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { error, .. } => error.code == ErrorCode::TemporarilyUnavailable,
            Self::RateLimited { .. } | Self::Unavailable { .. } | Self::Page { .. } => true,
            Self::Redirected { .. } | Self::Invalid { .. } => false,
        }
    }

    /// Whether tokens may have been issued all the same: a success that was spoilt on its way, or
    /// that a gateway did not wait for.
    pub fn may_hide_tokens(&self) -> bool {
        match self {
            Self::Unavailable { status, .. } => matches!(status, 502 | 504),
            // What has a title comes from somebody else.
            Self::Page { status, title } => (200..300).contains(status) && title.is_none(),
            Self::Invalid { .. } => true,
            Self::Refused { .. } | Self::Redirected { .. } | Self::RateLimited { .. } => false,
        }
    }

    /// `Retry-After`, in seconds.
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }
}

/// No token lives longer than this many seconds (ten years): larger numbers are not believed.
const LONGEST_LIFE: i64 = 315_360_000;

#[derive(Deserialize)]
struct Wire {
    access_token: Option<Value>,
    refresh_token: Option<Value>,
    token_type: Option<Value>,
    expires_in: Option<Value>,
    scope: Option<Value>,
    error: Option<Value>,
    error_description: Option<Value>,
}

impl ExpectTokenResponse {
    pub(crate) fn new(grant: GrantType) -> Self {
        Self { grant }
    }

    /// The grant whose answer this waits for.
    pub fn grant(&self) -> GrantType {
        self.grant
    }

    /// Judges the answer: status first, then form, then content.
    ///
    /// # Errors
    /// See [`TokenError`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the answer holds tokens: it is wiped as soon as it has been judged"
    )]
    pub fn receive(self, answer: Response) -> Result<TokenResponse, TokenError> {
        let status = answer.status().as_u16();
        let retry_after = retry_after(&answer);
        match status {
            200 | 400 | 401 | 403 => {}
            300..=399 => {
                return Err(TokenError::Redirected { status, sign_in: leads_to_sign_in(&answer) });
            }
            429 => return Err(TokenError::RateLimited { retry_after }),
            500..=599 => {
                return Err(TokenError::Unavailable { status, retry_after });
            }
            _ => return Err(page(status, &answer)),
        }
        let body = answer.body().expose();
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        // An object, and nothing else: a derived parser would read an array by position.
        let is_object = text.trim_ascii_start().first() == Some(&b'{');
        let wire = is_object.then(|| serde_json::from_slice::<Wire>(text).ok()).flatten();
        let Some(wire) = wire else {
            return Err(if is_object && status == 200 {
                TokenError::Invalid { what: "it is broken JSON, or names a member twice" }
            } else {
                page(status, &answer)
            });
        };
        if let Some(error) = wire.error.as_ref().and_then(Value::as_str) {
            let description =
                wire.error_description.as_ref().and_then(Value::as_str).map(str::to_owned);
            let error = ErrorResponse { code: ErrorCode::from_text(error), description };
            return Err(TokenError::Refused { status, error });
        }
        if status != 200 {
            return Err(TokenError::Invalid { what: "an error status without an `error` member" });
        }
        let answered_at = super::date(&answer);
        wire.into_response().map(|response| TokenResponse { answered_at, ..response })
    }
}

impl Wire {
    fn into_response(self) -> Result<TokenResponse, TokenError> {
        let invalid = |what| TokenError::Invalid { what };
        let access_token = token(self.access_token)
            .map_err(invalid)?
            .ok_or(TokenError::Invalid { what: "there is no `access_token`" })?;
        let bearer = self.token_type.as_ref().and_then(Value::as_str);
        if !bearer.is_some_and(|word| word.eq_ignore_ascii_case("bearer")) {
            // RFC 6749 §7.1: a token whose type is not understood must not be used.
            return Err(TokenError::Invalid { what: "`token_type` is not Bearer" });
        }
        Ok(TokenResponse {
            access_token,
            refresh_token: token(self.refresh_token).map_err(invalid)?,
            scope: self.scope.as_ref().and_then(Value::as_str).map(str::to_owned),
            expires_in: self.expires_in.as_ref().and_then(seconds),
            answered_at: None,
        })
    }
}

/// RFC 6749 appendices A.12 and A.17: printable ASCII. It must fit into a header, so nothing else
/// will do. An empty text counts as absent.
fn token(value: Option<Value>) -> Result<Option<Secret>, &'static str> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.bytes().all(|b| matches!(b, 0x20..=0x7e)) => {
            Ok(Some(Secret::new(text)))
        }
        Some(_) => Err("a token is not a text of printable ASCII"),
    }
}

/// `expires_in` as it comes: a number, a text of digits, a float. What is not positive or beyond
/// ten years is not believed.
fn seconds(value: &Value) -> Option<i64> {
    let seconds = match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the range is checked on the same line"
            )]
            (1.0..=1e9).contains(&float).then_some(float as i64)
        })?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (1..=LONGEST_LIFE).contains(&seconds).then_some(seconds)
}

pub(super) fn retry_after(answer: &Response) -> Option<i64> {
    let value = answer.headers().get(http::header::RETRY_AFTER)?.to_str().ok()?;
    // The date form needs a clock, which is not ours to read: whoever asks backs off by itself.
    value.trim().parse::<i64>().ok().filter(|seconds| (0..=86_400).contains(seconds))
}

/// Whether a redirect leads to a sign-in, by the words of its host and path.
pub(crate) fn leads_to_sign_in(answer: &Response) -> bool {
    const WORDS: [&str; 7] =
        ["login", "signin", "sign-in", "sso", "saml", "oauth2/authorize", "adfs"];
    let location = answer.headers().get(http::header::LOCATION);
    let location = location.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let location = location.to_ascii_lowercase();
    // What stands behind `?` is often the way back, and may hold anything.
    let path = location.split(['?', '#']).next().unwrap_or_default();
    WORDS.iter().any(|word| path.contains(word))
}

fn page(status: u16, answer: &Response) -> TokenError {
    TokenError::Page { status, title: title(answer.body().expose()) }
}

/// The title of an HTML page, from its first 16 KiB.
pub(crate) fn title(body: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]);
    // ASCII lower-casing keeps every byte position.
    let lower = head.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let text = head[start..end].split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

impl TokenResponse {
    /// When the access token ends, counted from the moment at which the request was *sent*: the
    /// safe side, since the instance counts from some moment after that.
    pub fn access_expires_at(&self, sent_at: Timestamp, fallback: i64) -> Timestamp {
        add_seconds(sent_at, self.expires_in.unwrap_or(fallback))
    }
}

/// Adds seconds without leaving the range of time.
pub fn add_seconds(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::Body;

    fn answer(status: u16, body: &str) -> Result<TokenResponse, TokenError> {
        let answer = http::Response::builder()
            .status(status)
            .body(Body::from(body.as_bytes().to_vec()))
            .unwrap();
        ExpectTokenResponse::new(GrantType::RefreshToken).receive(answer)
    }

    #[test]
    fn the_answer_of_an_instance_is_read() {
        let body = r#"{"access_token":"at","refresh_token":"rt","scope":"useraccount","token_type":"Bearer","expires_in":1799}"#;
        assert_eq!(
            answer(200, body),
            Ok(TokenResponse {
                access_token: Secret::new("at"),
                refresh_token: Some(Secret::new("rt")),
                scope: Some("useraccount".into()),
                expires_in: Some(1799),
                answered_at: None,
            })
        );
    }

    #[test]
    fn the_instances_clock_is_read_from_the_date() {
        let seen = |date: &str| {
            let body = r#"{"access_token":"at","token_type":"Bearer"}"#;
            let body = Body::from(body.as_bytes().to_vec());
            let answer = http::Response::builder().header("date", date).body(body).unwrap();
            let waiting = ExpectTokenResponse::new(GrantType::RefreshToken);
            waiting.receive(answer).unwrap().answered_at.map(|at| at.to_string())
        };
        assert_eq!(seen("Mon, 23 Nov 2026 15:00:00 GMT").unwrap(), "2026-11-23T15:00:00Z");
        for nonsense in ["", "soon", "0", "Mon, 23 Nov 99999 15:00:00 GMT"] {
            assert_eq!(seen(nonsense), None, "{nonsense}");
        }
    }

    /// R35: `expires_in` in every odd form.
    #[test]
    fn an_odd_expires_in_is_not_believed() {
        for (value, seconds) in [
            ("1799", Some(1799)),
            ("\"1799\"", Some(1799)),
            ("1799.9", Some(1799)),
            ("1e3", Some(1000)),
            ("0", None),
            ("-1", None),
            ("1e99", None),
            ("null", None),
            ("\"soon\"", None),
            ("[]", None),
            ("315360001", None),
            ("99999999999999999999", None),
        ] {
            let body =
                format!(r#"{{"access_token":"a","token_type":"bearer","expires_in":{value}}}"#);
            assert_eq!(answer(200, &body).unwrap().expires_in, seconds, "{value}");
        }
        assert_eq!(
            answer(200, r#"{"access_token":"a","token_type":"BEARER"}"#).unwrap().expires_in,
            None
        );
    }

    /// R33: unknown members, an `id_token` among them, change nothing.
    #[test]
    fn unknown_members_are_ignored() {
        let junk: Vec<String> = (0..10_000).map(|n| format!("\"x{n}\":{{\"y\":[{n}]}}")).collect();
        let body = format!(
            r#"{{"id_token":"x.y.z",{},"access_token":"a","token_type":"bearer"}}"#,
            junk.join(",")
        );
        assert_eq!(answer(200, &body).unwrap().access_token, Secret::new("a"));
    }

    /// R34, and everything else that is no token answer.
    #[test]
    fn a_broken_answer_is_told_by_the_rule_it_breaks() {
        let bearer = r#""token_type":"bearer""#;
        for (body, what) in [
            (r#"{"access_token":"a"}"#.to_owned(), "`token_type` is not Bearer"),
            (r#"{"access_token":"a","token_type":"mac"}"#.to_owned(), "`token_type` is not Bearer"),
            (format!("{{{bearer}}}"), "there is no `access_token`"),
            (format!(r#"{{"access_token":"",{bearer}}}"#), "there is no `access_token`"),
            (
                format!(r#"{{"access_token":7,{bearer}}}"#),
                "a token is not a text of printable ASCII",
            ),
            (
                format!(r#"{{"access_token":"a\nb",{bearer}}}"#),
                "a token is not a text of printable ASCII",
            ),
            (
                format!(r#"{{"access_token":"a","access_token":"b",{bearer}}}"#),
                "it is broken JSON, or names a member twice",
            ),
            (r#"{"access_token":"a","#.to_owned(), "it is broken JSON, or names a member twice"),
        ] {
            assert_eq!(answer(200, &body), Err(TokenError::Invalid { what }), "{body}");
        }
        assert_eq!(
            answer(401, "{}"),
            Err(TokenError::Invalid { what: "an error status without an `error` member" })
        );
    }

    #[test]
    fn status_comes_first() {
        assert_eq!(answer(302, ""), Err(TokenError::Redirected { status: 302, sign_in: false }));
        assert_eq!(answer(429, "{}"), Err(TokenError::RateLimited { retry_after: None }));
        assert_eq!(
            answer(503, "{}"),
            Err(TokenError::Unavailable { status: 503, retry_after: None })
        );
        assert_eq!(
            answer(200, "<html><head><TITLE>\n Instance Hibernating page</title>"),
            Err(TokenError::Page { status: 200, title: Some("Instance Hibernating page".into()) })
        );
        assert_eq!(answer(204, ""), Err(TokenError::Page { status: 204, title: None }));
    }

    #[test]
    fn a_redirect_to_a_sign_in_is_known_by_its_path() {
        let sign_in = |location: &str| {
            let answer = http::Response::builder().status(302).header("location", location);
            leads_to_sign_in(&answer.body(Body::default()).unwrap())
        };
        for location in [
            "/login_with_sso.do?glide_sso_id=1",
            "http://10.0.0.1/login",
            "https://login.microsoftonline.com/x/saml2",
            "https://sso.acme.example/start",
        ] {
            assert!(sign_in(location), "{location}");
        }
        for location in ["https://new.acme.example/oauth_token.do", "/x?back=/login.do", ""] {
            assert!(!sign_in(location), "{location}");
        }
    }

    #[test]
    fn the_catch_all_is_an_error_like_any_other_here() {
        let error = answer(401, r#"{"error_description":"access_denied","error":"server_error"}"#)
            .unwrap_err();
        assert_eq!(error.to_string(), "the instance answered server_error: access_denied");
        assert!(!error.is_transient());
    }

    proptest! {
        #[test]
        fn the_parser_is_total(status in 200u16..600, body in "\\PC{0,200}") {
            let _ = answer(status, &body);
        }
    }
}
