//! The few forms an answer takes.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, PRAGMA, SERVER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

/// What the pure part answers with.
pub(crate) type Reply = Response<Vec<u8>>;

pub(crate) const API_JSON: &str = "application/json;charset=UTF-8";
pub(crate) const TOKEN_JSON: &str = "application/json;charset=utf-8";
pub(crate) const HTML: &str = "text/html;charset=UTF-8";

/// A body of some kind.
pub(crate) fn body(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Reply {
    let mut reply = Response::new(body.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !kind.is_empty() {
        set(&mut reply, &CONTENT_TYPE, kind);
    }
    set(&mut reply, &SERVER, "ServiceNow");
    set(&mut reply, &PRAGMA, "no-store,no-cache");
    set(&mut reply, &CACHE_CONTROL, "no-cache,no-store,must-revalidate,max-age=-1");
    reply
}

/// An HTML page.
pub(crate) fn html(status: u16, page: String) -> Reply {
    let mut reply = body(status, HTML, page);
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    set(&mut reply, &http::header::CONTENT_SECURITY_POLICY, policy);
    set(&mut reply, &http::header::REFERRER_POLICY, "same-origin");
    set(&mut reply, &http::header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    reply
}

/// A `302` to somewhere else.
pub(crate) fn redirect(location: &str) -> Reply {
    let mut reply = body(302, HTML, Vec::new());
    set(&mut reply, &LOCATION, location);
    reply
}

/// An answer of the API.
pub(crate) fn api(status: u16, value: &Value) -> Reply {
    body(status, API_JSON, value.to_string())
}

/// An API error in the form of §4.4.
pub(crate) fn api_error(status: u16, message: &str, detail: Option<&str>) -> Reply {
    let detail = detail.map_or(Value::Null, |detail| json!(detail));
    // Written by hand: the order of the members is part of the behaviour.
    let text = format!(
        r#"{{"error":{{"message":{},"detail":{detail}}},"status":"failure"}}"#,
        json!(message)
    );
    body(status, API_JSON, text)
}

/// Sets a header; a value that no header can carry is left out.
pub(crate) fn set(reply: &mut Reply, name: &HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// Adds a header beside others of the same name.
pub(crate) fn add(reply: &mut Reply, name: &HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().append(name, value);
    }
}
