//! How the token endpoint words what it decided (§3.1, §4.1, §4.2).

use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use crate::behaviour as knob;
use crate::call::Call;
use crate::instance::Instance;
use crate::reply::{self, Reply, TOKEN_JSON};
use crate::tokens::Granted;

/// Why a token request was refused.
pub(crate) struct Refusal {
    /// The code of RFC 6749 §5.2 that fits.
    pub(crate) rfc: &'static str,
    /// The true cause, for the syslog.
    pub(crate) cause: String,
    /// How it is said on the wire.
    pub(crate) form: Form,
}

/// The form of a refusal on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the knob `token.errors` says.
    Usual,
    /// With the code of RFC 6749 whatever the knob says.
    Rfc,
    /// 401 and nothing else.
    Empty,
    /// 429.
    TooMany,
    /// 400 with this body.
    BadRequest(String),
}

impl Refusal {
    pub(crate) fn new(rfc: &'static str, cause: impl Into<String>) -> Self {
        Self { rfc, cause: cause.into(), form: Form::Usual }
    }
}

/// §4.2 no. 9.
pub(crate) fn no_integration_user(client_id: &str) -> Refusal {
    let description = format!(
        "Received client_credentials grant_type request however integration user is not configured for OAuth:{client_id}"
    );
    let body =
        format!(r#"{{"error":"unauthorized_client","error_description":{}}}"#, json!(description));
    Refusal { form: Form::BadRequest(body), ..Refusal::new("unauthorized_client", description) }
}

/// The one 401 that says nothing (§4.1).
pub(crate) fn generic() -> Reply {
    reply::body(401, TOKEN_JSON, r#"{"error_description":"access_denied","error":"server_error"}"#)
}

pub(crate) fn refused(instance: &Instance, call: &Call, refusal: &Refusal) -> Reply {
    let behaviour = &instance.behaviour;
    let rfc = refusal.form == Form::Rfc || behaviour.is(&knob::TOKEN_ERRORS, "rfc");
    let mut answer = match &refusal.form {
        Form::TooMany => too_many(instance, "token requests"),
        Form::BadRequest(text) => reply::body(400, TOKEN_JSON, text.clone()),
        Form::Empty => reply::body(401, TOKEN_JSON, Vec::new()),
        Form::Usual | Form::Rfc if rfc => {
            let status = if refusal.rfc == "invalid_client" { 401 } else { 400 };
            let text = format!(
                r#"{{"error":{},"error_description":{}}}"#,
                json!(refusal.rfc),
                json!(refusal.cause)
            );
            reply::body(status, TOKEN_JSON, text)
        }
        Form::Usual | Form::Rfc => generic(),
    };
    if behaviour.on(&knob::TOKEN_ERROR_ECHO) && answer.status() != 429 {
        let echo = String::from_utf8_lossy(&call.body);
        let text = format!(
            r#"{{"error_description":"access_denied","error":"server_error","request":{}}}"#,
            json!(echo)
        );
        *answer.body_mut() = text.into_bytes();
    }
    if behaviour.on(&knob::TOKEN_AUTHENTICATE) && answer.status() == 401 {
        reply::set(&mut answer, &WWW_AUTHENTICATE, "BASIC realm=\"Service-now\"");
    }
    answer
}

/// 429 in the form of §4.5.
pub(crate) fn too_many(instance: &Instance, what: &str) -> Reply {
    let detail = format!("Rate limit of requests per hour for {what} exceeded");
    let mut answer = reply::api_error(429, "Rate limit exceeded", Some(&detail));
    add_retry_after(instance, &mut answer);
    answer
}

pub(crate) fn add_retry_after(instance: &Instance, answer: &mut Reply) {
    let seconds = instance.behaviour.number(&knob::RETRY_AFTER);
    if seconds > 0 {
        reply::set(answer, &RETRY_AFTER, &seconds.to_string());
    }
}

pub(crate) fn granted(instance: &Instance, granted: &Granted, is_refresh: bool) -> Reply {
    let behaviour = &instance.behaviour;
    let members = members(instance, granted, is_refresh);
    let object = object(&members);
    let text = match behaviour.text(&knob::TOKEN_SHAPE) {
        "array" => format!("[{object}]"),
        "null" => "null".to_owned(),
        "twice" => format!("{object}{object}"),
        "bom" => format!("\u{feff}{object}"),
        _ => object,
    };
    let mut answer = reply::body(200, TOKEN_JSON, text);
    match behaviour.text(&knob::TOKEN_CONTENT_TYPE) {
        "json" => reply::set(&mut answer, &CONTENT_TYPE, "application/json"),
        "html" => reply::set(&mut answer, &CONTENT_TYPE, reply::HTML),
        "missing" => {
            answer.headers_mut().remove(CONTENT_TYPE);
        }
        _ => {}
    }
    answer
}

type Members = Vec<(&'static str, Value)>;

/// The members of the answer, in the order in which they are written.
fn members(instance: &Instance, granted: &Granted, is_refresh: bool) -> Members {
    let behaviour = &instance.behaviour;
    let access = match behaviour.text(&knob::TOKEN_SHAPE) {
        "no-access-token" => None,
        "empty-access-token" => Some(json!("")),
        _ => Some(json!(granted.access)),
    };
    let refresh = match (&granted.refresh, behaviour.text(&knob::REFRESH_TOKEN)) {
        (Some(_), "omit") if is_refresh => None,
        (Some(_), "empty") if is_refresh => Some(json!("")),
        (token, _) => token.as_ref().map(|token| json!(token)),
    };
    let scope = match behaviour.text(&knob::SCOPE_GRANTED) {
        "missing" => None,
        "narrower" => Some(granted.scope.split_whitespace().next().unwrap_or_default().to_owned()),
        "wider" => Some(format!("{} admin", granted.scope)),
        _ => Some(granted.scope.clone()),
    };
    let kind = match behaviour.text(&knob::TOKEN_TYPE) {
        "missing" => None,
        kind => Some(json!(kind)),
    };
    let wire = vec![
        ("access_token", access),
        ("refresh_token", refresh),
        ("scope", scope.map(|scope| json!(scope))),
        ("token_type", kind),
        ("expires_in", expires_in(instance, granted.expires_in)),
    ];
    let present = |(name, value): (&'static str, Option<Value>)| value.map(|value| (name, value));
    let mut members: Members = wire.into_iter().filter_map(present).collect();
    if behaviour.is(&knob::TOKEN_KEY_ORDER, "docs") {
        const DOCS: [&str; 5] =
            ["scope", "token_type", "expires_in", "refresh_token", "access_token"];
        members.sort_by_key(|(name, _)| DOCS.iter().position(|known| known == name));
    }
    match behaviour.text(&knob::TOKEN_MEMBERS) {
        "id_token" => members.push(("id_token", json!("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."))),
        "format" => members.push(("format", json!("JSON"))),
        "unknown" => members.push(("x_unknown", json!({"nested": [1, 2, {"deep": null}]}))),
        _ => {}
    }
    members
}

fn expires_in(instance: &Instance, seconds: i64) -> Option<Value> {
    Some(match instance.behaviour.text(&knob::EXPIRES_IN_FORM) {
        "string" => json!(seconds.to_string()),
        // A number that no f64 literal of serde_json would print this way is not needed here.
        "float" => json!(f64::from(i32::try_from(seconds).unwrap_or(i32::MAX)) + 0.5),
        "negative" => json!(-1),
        "zero" => json!(0),
        "null" => Value::Null,
        "huge" => json!(u64::MAX),
        "missing" => return None,
        _ => json!(seconds),
    })
}

fn object(members: &Members) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", members.join(","))
}
