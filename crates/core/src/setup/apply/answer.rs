//! Answers of the Table API to an administrator.

use serde_json::{Map, Value};
use zeroize::Zeroize as _;

use super::error::ApplyError;
use super::table::Authority;
use crate::oauth::Response;
use crate::servicenow::{self, ApiError};

/// A record, as far as it was asked for.
pub(super) type Row = Map<String, Value>;

/// What an answer says, where the work goes on.
#[derive(Debug, Clone)]
pub(super) enum Heard {
    /// Records.
    Rows(Vec<Row>),
    /// One record: read, made or changed.
    Row(Row),
    /// There is no such table on this release.
    NoTable,
    /// It may not be read or written, or not so.
    Refused { status: u16, said: Option<String> },
}

/// Reads an answer; whatever concerns more than this one call ends the work.
pub(super) fn hear(answer: &Response, authority: &Authority) -> Result<Heard, ApplyError> {
    let status = answer.status().as_u16();
    let mut json: Option<Value> = serde_json::from_slice(answer.body().expose()).ok();
    // Whoever sends more than was asked for may send this, in whatever form.
    if let Some(Value::Object(row)) = json.as_mut().and_then(|json| json.get_mut("result"))
        && let Some(Value::String(mut secret)) = row.remove("client_secret")
    {
        secret.zeroize();
    }
    let result = json.as_ref().and_then(|json| json.get("result"));
    match (status, result) {
        (200 | 201, Some(Value::Object(row))) => return Ok(Heard::Row(row.clone())),
        (200, Some(Value::Array(rows))) => {
            let rows = rows.iter().filter_map(|row| row.as_object().cloned()).collect();
            return Ok(Heard::Rows(rows));
        }
        _ => {}
    }
    let said = json.as_ref().and_then(servicenow::message);
    match status {
        400 if names_no_table(json.as_ref()) => return Ok(Heard::NoTable),
        400 | 404 | 409 if json.is_some() => return Ok(Heard::Refused { status, said }),
        401 if matches!(authority, Authority::Basic { .. }) && json.is_some() => {
            return Err(ApplyError::NotAccepted);
        }
        _ => {}
    }
    match servicenow::judge(answer) {
        Err(ApiError::Forbidden(said)) => Ok(Heard::Refused { status, said }),
        Err(error) => Err(error.into()),
        Ok(_) => Err(ApiError::Unexpected { status, detail: said }.into()),
    }
}

fn names_no_table(json: Option<&Value>) -> bool {
    let error = json.and_then(|json| json.get("error"));
    let holds = |name: &str| {
        let text = error.and_then(|error| error.get(name)).and_then(Value::as_str);
        text.is_some_and(|text| text.to_ascii_lowercase().contains("invalid table"))
    };
    holds("message") || holds("detail")
}

/// A field as text, empty where it is not there; of a reference, the key.
pub(super) fn text<'a>(row: &'a Row, name: &str) -> &'a str {
    servicenow::text(row, name).unwrap_or_default()
}

/// What the instance said, for people.
pub(super) fn because(status: u16, said: Option<&str>) -> String {
    match said {
        Some(said) => format!("the instance answered {status}: {said}"),
        None => format!("the instance answered {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Code, Diagnose as _};
    use crate::secret::{Body, Secret};

    fn heard(status: u16, body: &str) -> Result<Heard, ApplyError> {
        let body = Body::from(body.as_bytes().to_vec());
        let answer = http::Response::builder().status(status).body(body).unwrap();
        let authority =
            Authority::Basic { user_name: "admin".to_owned(), password: Secret::new("x") };
        hear(&answer, &authority)
    }

    #[test]
    fn what_concerns_every_call_ends_the_work_and_has_its_own_code() {
        let error = |detail: &str| format!(r#"{{"error":{{"message":"m","detail":"{detail}"}}}}"#);
        for (status, body, code) in [
            (401, error("Required to provide Auth information"), Code::AdminNotAccepted),
            (401, "<title>x</title>".to_owned(), Code::TokenNotAccepted),
            (403, error("Access to unscoped api is not allowed"), Code::ApiRestricted),
            (429, error("Rate limit exceeded"), Code::RateLimited),
            (503, String::new(), Code::InstanceBusy),
            (200, "<title>Instance Hibernating page</title>".to_owned(), Code::InstanceAsleep),
            (200, r#"{"result":"x"}"#.to_owned(), Code::ApiUnexpected),
            (302, String::new(), Code::AnswerUnreadable),
        ] {
            assert_eq!(heard(status, &body).unwrap_err().code(), code, "{status} {body}");
        }
    }

    #[test]
    fn a_secret_that_nobody_asked_for_is_not_kept() {
        let Ok(Heard::Row(row)) = heard(200, r#"{"result":{"client_secret":"x","sys_id":"1"}}"#)
        else {
            panic!("no row")
        };
        assert_eq!(Value::Object(row).to_string(), r#"{"sys_id":"1"}"#);
    }

    #[test]
    fn a_table_that_is_not_there_is_told_from_one_that_is_closed() {
        let body = r#"{"error":{"message":"Invalid table sys_auth_scope","detail":null}}"#;
        assert!(matches!(heard(400, body), Ok(Heard::NoTable)));
        let body = r#"{"error":{"message":"Operation Failed","detail":"ACL Exception"}}"#;
        let Ok(Heard::Refused { status: 403, said }) = heard(403, body) else { panic!("closed") };
        assert_eq!(said.as_deref(), Some("ACL Exception"));
    }
}
