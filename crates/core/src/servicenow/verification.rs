//! Calls that prove a token. 401 and 403 are verdicts, never reasons to try another call; and no
//! query with `javascript:` in it: where that is not evaluated, a stranger's record comes back.

use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Instance, Page};
use crate::diagnosis::{Code, Diagnose};
use crate::oauth::client::uri_of;
use crate::oauth::token::{leads_to_sign_in, title};
use crate::oauth::{Request, Response};
use crate::printable::Printable;
use crate::secret::{Body, Secret};
use crate::token_set::User;

/// Asks whose token it is (`/api/now/ui/user/current_user`).
pub fn read_current_user(instance: &Instance, token: &Secret) -> Request {
    get(instance, "/api/now/ui/user/current_user", token)
}

/// Asks for one record of a table, two fields of it. `table` is a name of ours, not a person's text.
pub fn read_table(instance: &Instance, table: &str, token: &Secret) -> Request {
    get(instance, &format!("/api/now/table/{table}?sysparm_limit=1&sysparm_fields=sys_id"), token)
}

/// Asks for a path of the instance as the token's user. `path_and_query` is not a person's text.
pub(crate) fn get(instance: &Instance, path_and_query: &str, token: &Secret) -> Request {
    let mut request = http::Request::new(Body::default());
    *request.uri_mut() = uri_of(&instance.at(path_and_query));
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let text = Zeroizing::new(format!("Bearer {}", token.expose()));
    // RFC 6750 §2.1. The parser let only printable ASCII into a token, so this always succeeds; a
    // request without the header would be answered 401, not believed.
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    request
}

/// What a call with the token proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiVerdict {
    /// 200 with a user: whose token it is.
    User(User),
    /// 200 with a list of this many records (0 may also mean: filtered by access rules).
    Records(usize),
    /// 404: this instance does not have the call; another one may tell.
    NotThere,
}

/// Why a call proved nothing, or proved that the token is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 401.
    #[error("the instance does not accept the access token (401{})", said(.0.as_deref()))]
    NotAccepted(Option<String>),
    /// 401 for a token that is seconds old.
    #[error("the instance refused a token that it has just issued (401{})", said(.0.as_deref()))]
    NewRefused(Option<String>),
    /// 403 for a client that is securely scoped.
    #[error("the client may call no API (403{})", said(.0.as_deref()))]
    Restricted(Option<String>),
    /// 403 for want of an auth scope.
    #[error("the client lacks a scope for this API (403{})", said(.0.as_deref()))]
    ScopeMissing(Option<String>),
    /// Any other 403.
    #[error("the user may not read this (403{})", said(.0.as_deref()))]
    Forbidden(Option<String>),
    /// 429.
    #[error("the instance answered 429, too many requests")]
    RateLimited,
    /// 5xx.
    #[error("the instance answered {0}")]
    Unavailable(u16),
    /// A page instead of an answer.
    #[error("a page answered instead of the API (status {status}{})", said(.title.as_deref()))]
    Page {
        /// HTTP status.
        status: u16,
        /// Its title, if it has one.
        title: Option<String>,
    },
    /// A redirect to a sign-in.
    #[error("a sign-in answered instead of the API (status {0})")]
    SignIn(u16),
    /// Anything else.
    #[error("the instance answered the proving call with {status}{}", said(.detail.as_deref()))]
    Unexpected {
        /// HTTP status.
        status: u16,
        /// What it said.
        detail: Option<String>,
    },
}

fn said(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(": {}", Printable(text)))
}

impl Diagnose for ApiError {
    fn code(&self) -> Code {
        match self {
            Self::NotAccepted(_) => Code::TokenNotAccepted,
            Self::NewRefused(_) => Code::NewTokenRefused,
            Self::Restricted(_) => Code::ApiRestricted,
            Self::ScopeMissing(_) => Code::ApiScopeMissing,
            Self::Forbidden(said) if says(said.as_deref(), "api level acl") => Code::ApiAclRefused,
            Self::Forbidden(_) => Code::ApiForbidden,
            Self::RateLimited => Code::RateLimited,
            Self::Unavailable(_) => Code::InstanceBusy,
            Self::Page { title, .. } => Page::code_of(title.as_deref()),
            Self::SignIn(_) => Code::SignInInFront,
            Self::Unexpected { detail, .. } => match detail.as_deref() {
                detail if says(detail, "invalid table") => Code::TableUnknown,
                detail if says(detail, "does not represent any resource") => Code::ApiPathUnknown,
                _ => Code::ApiUnexpected,
            },
        }
    }
}

impl ApiError {
    /// The same about a token that was issued a moment ago: a 401 then has another cause than age.
    #[must_use]
    pub fn for_new_token(self) -> Self {
        match self {
            Self::NotAccepted(said) => Self::NewRefused(said),
            other => other,
        }
    }
}

/// Judges the answer to a proving call.
///
/// # Errors
/// See [`ApiError`]: everything that is neither a well-formed 200 nor a 404.
pub fn judge(answer: &Response) -> Result<ApiVerdict, ApiError> {
    let status = answer.status().as_u16();
    let body = answer.body().expose();
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let said = json.as_ref().and_then(message);
    match (status, json) {
        (200, Some(json)) => judge_result(&json)
            .ok_or(ApiError::Unexpected { status, detail: Some("no `result`".to_owned()) }),
        (300..=399, _) if leads_to_sign_in(answer) => Err(ApiError::SignIn(status)),
        (401, _) => Err(ApiError::NotAccepted(said)),
        // A page that refuses the address never looked at the token.
        (403, None) if restricted(body) => Err(ApiError::Page { status, title: title(body) }),
        (403, _) => Err(forbidden(said)),
        (404, Some(_)) => Ok(ApiVerdict::NotThere),
        (429, _) => Err(ApiError::RateLimited),
        (500..=599, _) => Err(ApiError::Unavailable(status)),
        (_, None) => Err(ApiError::Page { status, title: title(body) }),
        (_, Some(_)) => Err(ApiError::Unexpected { status, detail: said }),
    }
}

fn judge_result(json: &Value) -> Option<ApiVerdict> {
    match json.get("result")? {
        Value::Array(records) => Some(ApiVerdict::Records(records.len())),
        Value::Object(user) => {
            let text =
                |name: &str| user.get(name)?.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
            let user = User {
                sys_id: text("user_sys_id"),
                user_name: text("user_name"),
                display_name: text("user_display_name"),
            };
            user.name().is_some().then_some(ApiVerdict::User(user))
        }
        _ => None,
    }
}

fn restricted(body: &[u8]) -> bool {
    title(body).as_deref().and_then(Page::from_title) == Some(Page::Restricted)
}

fn says(said: Option<&str>, words: &str) -> bool {
    said.unwrap_or_default().to_ascii_lowercase().contains(words)
}

fn forbidden(said: Option<String>) -> ApiError {
    if says(said.as_deref(), "unscoped api") {
        ApiError::Restricted(said)
    } else if says(said.as_deref(), "api access scope") {
        ApiError::ScopeMissing(said)
    } else {
        ApiError::Forbidden(said)
    }
}

/// `{"error":{"message":…,"detail":…}}`, the more telling half.
pub(crate) fn message(json: &Value) -> Option<String> {
    let error = json.get("error")?;
    let text = |name: &str| error.get(name)?.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
    text("detail").or_else(|| text("message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Result<ApiVerdict, ApiError> {
        judge(
            &http::Response::builder()
                .status(status)
                .body(Body::from(body.as_bytes().to_vec()))
                .unwrap(),
        )
    }

    #[test]
    fn a_user_is_read() {
        let body = r#"{"result":{"user_sys_id":"1","user_name":"abel.tuter","user_display_name":"Abel Tuter"}}"#;
        let Ok(ApiVerdict::User(user)) = judged(200, body) else { panic!("no user") };
        assert_eq!(user.name(), Some("abel.tuter"));
    }

    #[test]
    fn refusals_are_verdicts() {
        let body = |detail: &str| {
            format!(
                r#"{{"error":{{"message":"User Not Authorized","detail":"{detail}"}},"status":"failure"}}"#
            )
        };
        let code = |status, body: &str| judged(status, body).unwrap_err().code();
        assert_eq!(
            code(401, &body("Required to provide Auth information")),
            Code::TokenNotAccepted
        );
        assert_eq!(code(403, &body("Access to unscoped api is not allowed")), Code::ApiRestricted);
        assert_eq!(code(403, &body("Missing required api access scope: x")), Code::ApiScopeMissing);
        assert_eq!(code(403, &body("Failed API level ACL Validation")), Code::ApiAclRefused);
        assert_eq!(code(403, &body("Insufficient rights to query records")), Code::ApiForbidden);
        assert_eq!(code(403, "<title>Access restricted</title>"), Code::AddressRefused);
        assert_eq!(code(403, "<title>No</title>"), Code::ApiForbidden);
        let bad = |message: &str| code(400, &format!(r#"{{"error":{{"message":"{message}"}}}}"#));
        assert_eq!(bad("Invalid table kb_x"), Code::TableUnknown);
        assert_eq!(bad("Requested URI does not represent any resource"), Code::ApiPathUnknown);
        assert_eq!(bad("x"), Code::ApiUnexpected);
        let new = ApiError::NotAccepted(None).for_new_token();
        assert_eq!(new.code(), Code::NewTokenRefused);
        assert_eq!(code(200, "<title>Instance Hibernating page</title>"), Code::InstanceAsleep);
        assert_eq!(code(200, r#"{"result":"x"}"#), Code::ApiUnexpected);
        assert_eq!(judged(404, "{}"), Ok(ApiVerdict::NotThere));
        assert_eq!(code(404, "<html>"), Code::AnswerUnreadable);
        assert_eq!(judged(200, r#"{"result":[]}"#), Ok(ApiVerdict::Records(0)));
    }

    #[test]
    fn a_redirect_to_a_sign_in_is_told_from_others() {
        let code = |location: &str| {
            let answer = http::Response::builder().status(302).header("location", location);
            judge(&answer.body(Body::default()).unwrap()).unwrap_err().code()
        };
        assert_eq!(code("/login_with_sso.do?glide_sso_id=1"), Code::SignInInFront);
        assert_eq!(code("/elsewhere"), Code::AnswerUnreadable);
    }

    /// R43: one way, the header.
    #[test]
    fn the_token_travels_in_the_header_and_not_in_debug() {
        let request = read_current_user(&Instance::parse("a").unwrap(), &Secret::new("tok"));
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer tok");
        assert!(
            !request.uri().to_string().contains("tok") && !format!("{request:?}").contains("tok")
        );
    }
}
