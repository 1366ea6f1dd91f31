//! The Table API, its statistics and attachments, as far as connectors use them (§4.4, §10).

mod query;
mod rows;
mod write;

use http::{HeaderName, Method};
use serde_json::{Value, json};

use crate::behaviour as knob;
use crate::call::{Call, value};
use crate::endpoints::api::{Caller, no_resource};
use crate::instance::{Instance, Row};
use crate::reply::{self, Reply};

pub(crate) use rows::sample_rows;

const DEFAULT_LIMIT: usize = 10_000;
const NO_RECORD: &str = "Record doesn't exist or ACL restricts the record retrieval";

/// `/api/now/table/{name}`.
pub(crate) fn collection(
    instance: &mut Instance,
    call: &Call,
    caller: &Caller,
    name: &str,
) -> Reply {
    if call.method == Method::POST {
        return write::create(instance, call, caller, name);
    }
    if call.method != Method::GET {
        return method_not_allowed(&call.method);
    }
    match selected(instance, call, caller, name) {
        Err(refusal) => refusal,
        Ok(found) => {
            let number = |name| value(&call.query, name).and_then(|text| text.parse().ok());
            let limit = number("sysparm_limit").unwrap_or(DEFAULT_LIMIT);
            let offset = number("sysparm_offset").unwrap_or(0);
            let total = found.len();
            let page: Vec<Value> = found
                .iter()
                .skip(offset)
                .take(limit)
                .map(|row| shown(instance, call, caller, row))
                .collect();
            let mut answer = reply::api(200, &json!({ "result": page }));
            let header = HeaderName::from_static("x-total-count");
            reply::set(&mut answer, &header, &total.to_string());
            answer
        }
    }
}

/// `/api/now/table/{name}/{sys_id}`.
pub(crate) fn record(
    instance: &mut Instance,
    call: &Call,
    caller: &Caller,
    name: &str,
    sys_id: &str,
) -> Reply {
    let found = match readable(instance, caller, name) {
        Err(refusal) => return refusal,
        Ok(found) => found.into_iter().find(|row| row.get("sys_id") == Some(&json!(sys_id))),
    };
    let Some(row) = found else {
        return reply::api_error(404, "No Record found", Some(NO_RECORD));
    };
    match call.method {
        Method::GET => reply::api(200, &json!({ "result": shown(instance, call, caller, &row) })),
        Method::PATCH | Method::PUT => write::change(instance, call, caller, name, sys_id),
        Method::DELETE => write::delete(instance, caller, name, sys_id),
        _ => method_not_allowed(&call.method),
    }
}

/// `/api/now/stats/{name}`.
pub(crate) fn stats(instance: &Instance, call: &Call, caller: &Caller, name: &str) -> Reply {
    match selected(instance, call, caller, name) {
        Err(refusal) => refusal,
        Ok(found) => {
            let count = found.len().to_string();
            reply::api(200, &json!({"result": {"stats": {"count": count}}}))
        }
    }
}

/// `/api/now/attachment`, `/api/now/attachment/{sys_id}` and `…/file`.
pub(crate) fn attachment(
    instance: &mut Instance,
    call: &Call,
    caller: &Caller,
    rest: &[&str],
) -> Reply {
    match rest {
        [] => collection(instance, call, caller, "sys_attachment"),
        [sys_id] => record(instance, call, caller, "sys_attachment", sys_id),
        [sys_id, "file"] => {
            let found = readable(instance, caller, "sys_attachment").unwrap_or_default();
            match found.iter().find(|row| row.get("sys_id") == Some(&json!(sys_id))) {
                Some(_) => reply::body(200, "text/plain", "Pretend attachment.\n"),
                None => reply::api_error(404, "No Record found", Some(NO_RECORD)),
            }
        }
        _ => no_resource(),
    }
}

/// The rows that this caller may read, before any query.
fn readable(instance: &Instance, caller: &Caller, name: &str) -> Result<Vec<Row>, Reply> {
    let unknown = || reply::api_error(400, &format!("Invalid table {name}"), None);
    if name.starts_with("kb_") && instance.behaviour.is(&knob::API_TABLES, "none") {
        return Err(unknown());
    }
    let all = rows::of_table(instance, &caller.user, name).ok_or_else(unknown)?;
    let insufficient = || {
        let detail = "Field(s) present in the query do not have permission to be read";
        reply::api_error(403, "Insufficient rights to query records", Some(detail))
    };
    if rows::needs_admin(instance, name) && !caller.user.has_role("oauth_admin") {
        return Err(insufficient());
    }
    match instance.behaviour.text(&knob::API_ACL) {
        "refused" => Err(insufficient()),
        "no-rows" => Ok(Vec::new()),
        _ => Ok(all),
    }
}

fn selected(
    instance: &Instance,
    call: &Call,
    caller: &Caller,
    name: &str,
) -> Result<Vec<Row>, Reply> {
    let text = value(&call.query, "sysparm_query").unwrap_or_default();
    let evaluates = instance.behaviour.is(&knob::API_JAVASCRIPT, "evaluated");
    let me = evaluates.then_some(caller.user.user_name.as_str());
    // `?user_name=x` is a filter as well, as on the real thing.
    let plain = call.query.iter().filter(|(key, _)| !key.starts_with("sysparm_"));
    let plain: Vec<String> = plain
        .filter(|(key, _)| key != "access_token")
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let whole = [text, &plain.join("^")].join("^");
    let mut rows = readable(instance, caller, name)?;
    for field in query::walks(&whole) {
        for row in &mut rows {
            let found = walk(instance, caller, row, field);
            row.insert(field.to_owned(), json!(found));
        }
    }
    Ok(query::select(rows, &whole, me))
}

/// A field of the record that a reference points to (`peer.client_id`); empty where access rules
/// hide that record.
fn walk(instance: &Instance, caller: &Caller, row: &Row, field: &str) -> String {
    let own = |(reference, field): (&str, &str)| {
        let id = row.get(reference)?;
        let table = readable(instance, caller, rows::reference(reference)?).ok()?;
        let found = table.into_iter().find(|row| row.get("sys_id") == Some(id))?;
        Some(found.get(field)?.as_str()?.to_owned())
    };
    field.split_once('.').and_then(own).unwrap_or_default()
}

/// One row as the request wants to see it: chosen fields, references as links.
fn shown(instance: &Instance, call: &Call, caller: &Caller, row: &Row) -> Value {
    let fields = value(&call.query, "sysparm_fields").filter(|text| !text.is_empty());
    let named = || fields.into_iter().flat_map(|list| list.split(',')).map(str::trim);
    // A query may have added fields of other tables, which nobody asked to see.
    let wanted = |name: &str| {
        if fields.is_none() { !name.contains('.') } else { named().any(|own| own == name) }
    };
    let bare = value(&call.query, "sysparm_exclude_reference_link") == Some("true");
    let empty = instance.behaviour.is(&knob::API_ACL, "empty-fields");
    let mut result = Row::new();
    for (name, own) in row.iter().filter(|(name, _)| wanted(name)) {
        let table = rows::reference(name).filter(|_| !bare && own.as_str() != Some(""));
        let seen = match table {
            _ if empty && name != "sys_id" => json!(""),
            Some(table) => {
                let id = own.as_str().unwrap_or_default();
                let link = format!("{}/api/now/table/{table}/{id}", call.base_url());
                json!({"link": link, "value": id})
            }
            None => own.clone(),
        };
        result.insert(name.clone(), seen);
    }
    for field in named().filter(|field| field.contains('.')) {
        let seen = if empty { String::new() } else { walk(instance, caller, row, field) };
        result.insert(field.to_owned(), json!(seen));
    }
    Value::Object(result)
}

fn method_not_allowed(method: &Method) -> Reply {
    reply::api_error(405, &format!("{method} is not supported"), None)
}
