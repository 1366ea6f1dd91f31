//! JSON of any shape: members by their names, and lists of `{"key": …, "value": …}`, as Postman
//! writes environments and n8n and others write settings.

use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use super::found::Found;

/// Deeper than any of them goes.
const DEEPEST: u8 = 10;

/// Reads the text, if it is JSON.
pub(super) fn read(text: &str, found: &mut Found) -> bool {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => {
            walk(value, "", 0, found);
            true
        }
        Ok(mut other) => {
            wipe(&mut other);
            false
        }
        Err(_) => false,
    }
}

/// Takes the value apart; its texts are wiped on the way.
fn walk(value: Value, name: &str, depth: u8, found: &mut Found) {
    match value {
        Value::Object(members) if depth < DEEPEST => object(members, depth, found),
        Value::Array(values) if depth < DEEPEST => {
            for value in values {
                walk(value, name, depth + 1, found);
            }
        }
        Value::String(text) => found.take(name, &Zeroizing::new(text)),
        mut other => wipe(&mut other),
    }
}

fn object(mut members: Map<String, Value>, depth: u8, found: &mut Found) {
    let named = ["key", "name"].into_iter().find_map(|label| members.get(label)?.as_str());
    if let Some(name) = named.map(str::to_owned)
        && let Some(value @ Value::String(_)) = members.remove("value")
    {
        let is_off = members.get("enabled").and_then(Value::as_bool) == Some(false);
        if !is_off {
            walk(value, &name, depth + 1, found);
        }
        return;
    }
    for (name, value) in members {
        // What the file says about itself.
        let is_own = name.starts_with("_postman_") || matches!(name.as_str(), "id" | "name");
        if is_own && value.is_string() {
            continue;
        }
        walk(value, &name, depth + 1, found);
    }
}

fn wipe(value: &mut Value) {
    if let Value::String(text) = value {
        text.zeroize();
    }
}
