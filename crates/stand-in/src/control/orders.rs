//! What can be ordered at the control port: one function for each POST.

use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Refused;
use crate::fault::{Fault, KINDS};
use crate::model::{Client, User};
use crate::server::Shared;

fn read<T: DeserializeOwned>(request: &Request<Vec<u8>>) -> Result<T, Refused> {
    serde_json::from_slice(request.body()).map_err(|error| (400, error.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    advance_seconds: Option<i64>,
    freeze: Option<Timestamp>,
    #[serde(default)]
    thaw: bool,
}

pub(super) fn clock(shared: &Shared, request: &Request<Vec<u8>>) -> Result<Value, Refused> {
    let order: ClockOrder = read(request)?;
    let mut clock = shared.clock();
    if order.thaw {
        clock.thaw(Timestamp::now());
    }
    if let Some(at) = order.freeze {
        clock.freeze(at);
    }
    if let Some(seconds) = order.advance_seconds {
        clock.advance(SignedDuration::from_secs(seconds));
    }
    Ok(json!({"now": clock.read(Timestamp::now()).to_string()}))
}

#[derive(Deserialize)]
struct KnobOrder {
    name: String,
    value: Value,
}

pub(super) fn knob(shared: &Shared, request: &Request<Vec<u8>>) -> Result<Value, Refused> {
    let order: KnobOrder = read(request)?;
    let value = order.value.as_str().map_or_else(|| order.value.to_string(), str::to_owned);
    shared.instance().set(&order.name, &value).map_err(|error| (400, error.to_string()))?;
    Ok(json!({"name": order.name, "value": value}))
}

pub(super) fn fault(shared: &Shared, request: &Request<Vec<u8>>) -> Result<Value, Refused> {
    let fault: Fault = read(request)?;
    if !KINDS.contains(&fault.kind.as_str()) {
        return Err((400, format!("kind is one of {}", KINDS.join(", "))));
    }
    let shown = json!(fault);
    shared.instance().add_fault(fault);
    Ok(shown)
}

#[derive(Deserialize)]
struct RevokeOrder {
    token: Option<String>,
    client_id: Option<String>,
    user: Option<String>,
}

pub(super) fn revoke(shared: &Shared, request: &Request<Vec<u8>>) -> Result<Value, Refused> {
    let mut instance = shared.instance();
    let known = match read(request)? {
        RevokeOrder { token: Some(token), .. } => instance.revoke_token(&token),
        RevokeOrder { client_id: Some(client), user: Some(user), .. } => {
            instance.revoke_pair(&client, &user)
        }
        _ => return Err((400, "token, or client_id and user".to_owned())),
    };
    Ok(json!({"revoked": known}))
}

/// Lays the sent members over the record as it is, or over an empty one.
fn merged<T>(known: Option<&T>, sent: &Value) -> Result<T, Refused>
where
    T: Default + serde::Serialize + DeserializeOwned,
{
    let invalid = |error: serde_json::Error| (400, error.to_string());
    let base = known.map_or_else(|| serde_json::to_value(T::default()), serde_json::to_value);
    let mut record = base.map_err(invalid)?;
    let (Some(record), Some(sent)) = (record.as_object_mut(), sent.as_object()) else {
        return Err((400, "an object is needed".to_owned()));
    };
    for (name, value) in sent {
        if !record.contains_key(name) {
            return Err((400, format!("no field is called {name}")));
        }
        record.insert(name.clone(), value.clone());
    }
    serde_json::from_value(Value::Object(record.clone())).map_err(invalid)
}

pub(super) fn user(shared: &Shared, request: &Request<Vec<u8>>) -> Result<Value, Refused> {
    let sent: Value = read(request)?;
    let name = sent.get("user_name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        return Err((400, "user_name is needed".to_owned()));
    }
    let mut instance = shared.instance();
    let user: User = merged(instance.user(name), &sent)?;
    Ok(json!(instance.put_user(user)))
}

pub(super) fn client(shared: &Shared, request: &Request<Vec<u8>>) -> Result<Value, Refused> {
    let sent: Value = read(request)?;
    let id = sent.get("client_id").and_then(Value::as_str).unwrap_or_default();
    let mut instance = shared.instance();
    let client: Client = merged(instance.client(id), &sent)?;
    Ok(json!(instance.put_client(client)))
}

#[derive(Deserialize)]
struct ScriptOrder {
    path: String,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

pub(super) fn script(shared: &Shared, request: &Request<Vec<u8>>) -> Result<Value, Refused> {
    let order: ScriptOrder = read(request)?;
    let mut response = Response::builder().status(order.status.unwrap_or(200));
    for (name, value) in &order.headers {
        response = response.header(name, value);
    }
    let response =
        response.body(order.body.into_bytes()).map_err(|error| (400, error.to_string()))?;
    shared.instance().script(&order.path, response);
    Ok(json!({"ok": true}))
}
