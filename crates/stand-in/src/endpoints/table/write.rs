//! Writing by Table API: registering clients, their scopes, properties, and deleting tokens (§7.3).

use serde_json::{Value, json};

use super::rows;
use crate::behaviour as knob;
use crate::call::{Call, value};
use crate::endpoints::api::Caller;
use crate::instance::{Instance, Row};
use crate::model::{Client, JwtEndpoint};
use crate::reply::{self, Reply};

const MOST_ROWS: usize = 10_000;

pub(super) fn create(instance: &mut Instance, call: &Call, caller: &Caller, name: &str) -> Reply {
    let sent = match check(instance, call, caller, name) {
        Ok(sent) => sent,
        Err(refusal) => return refusal,
    };
    let made = match name {
        "oauth_entity" | "oauth_jwt" => {
            let mut client = Client {
                name: String::new(),
                jwt: (name == "oauth_jwt").then(JwtEndpoint::default),
                redirect_urls: Vec::new(),
                scopes: Vec::new(),
                auth_scopes: Vec::new(),
                ..Client::default()
            };
            write_client(instance, call, &mut client, &sent);
            if instance.clients.contains_key(&client.client_id) || is_taken(instance, &client) {
                return aborted(name);
            }
            let kept = instance.put_client(client);
            rows::jwt_row(instance, &kept).unwrap_or_else(|| rows::client_row(instance, &kept))
        }
        "oauth_entity_scope" | "oauth_entity_auth_scope_mapping" => {
            match add_scope(instance, caller, name, &sent) {
                Some(made) => made,
                None => return invalid_update("oauth_entity is unknown"),
            }
        }
        "sys_properties" => set_property(instance, &sent),
        "sys_auth_scope" => match add_auth_scope(instance, caller, &sent) {
            Some(made) => made,
            None => return aborted(name),
        },
        _ => keep_row(instance, name, sent),
    };
    reply::api(201, &json!({ "result": super::shown(instance, call, caller, &made) }))
}

pub(super) fn change(
    instance: &mut Instance,
    call: &Call,
    caller: &Caller,
    name: &str,
    sys_id: &str,
) -> Reply {
    let sent = match check(instance, call, caller, name) {
        Ok(sent) => sent,
        Err(refusal) => return refusal,
    };
    let changed = match name {
        "oauth_entity" | "oauth_jwt" => {
            let found = instance.clients.values().find(|client| client.sys_id == sys_id).cloned();
            let Some(mut client) = found else {
                return invalid_update("no such record");
            };
            let before = client.client_id.clone();
            write_client(instance, call, &mut client, &sent);
            instance.clients.remove(&before);
            let kept = instance.put_client(client);
            rows::jwt_row(instance, &kept).unwrap_or_else(|| rows::client_row(instance, &kept))
        }
        "sys_properties" => {
            let known = rows::PROPERTIES
                .iter()
                .find(|(property, _)| crate::random::Random::new(0, property).sys_id() == sys_id);
            let mut sent = sent;
            if let Some((property, _)) = known {
                sent.insert("name".to_owned(), json!(property));
            }
            set_property(instance, &sent)
        }
        _ => change_row(instance, name, sys_id, sent),
    };
    reply::api(200, &json!({ "result": super::shown(instance, call, caller, &changed) }))
}

pub(super) fn delete(instance: &mut Instance, caller: &Caller, name: &str, id: &str) -> Reply {
    let own = name == "oauth_credential";
    if !own && !caller.user.has_role("admin") {
        return insufficient();
    }
    if own {
        // Deleting the row is revoking the token (§8); the rows shown were already filtered.
        let tokens =
            instance.pairs.values().flat_map(|pair| pair.access.iter().chain(&pair.refresh));
        let found = tokens.into_iter().find(|token| token.sys_id == id);
        let value = found.map(|token| token.value.clone());
        value.map(|value| instance.revoke_value(&value));
    } else if matches!(name, "oauth_entity" | "oauth_jwt") {
        instance.clients.retain(|_, client| client.sys_id != id);
    } else if let Some(kept) = instance.rows.get_mut(name) {
        kept.retain(|row| row.get("sys_id") != Some(&json!(id)));
    }
    reply::body(204, "", Vec::new())
}

/// Rights, table and body, in this order.
fn check(instance: &Instance, call: &Call, caller: &Caller, name: &str) -> Result<Row, Reply> {
    if rows::of_table(instance, &caller.user, name).is_none() {
        return Err(reply::api_error(400, &format!("Invalid table {name}"), None));
    }
    let elevated = caller.user.roles.iter().any(|role| role == "security_admin");
    let role = instance.behaviour.text(&knob::WRITE_ROLE);
    if !(caller.user.has_role("oauth_admin") && (role == "oauth_admin" || elevated)) {
        return Err(insufficient());
    }
    match serde_json::from_slice(&call.body) {
        Ok(Value::Object(sent)) => Ok(sent),
        _ => Err(invalid_update("Exception while reading request")),
    }
}

/// A rule of the table says no, and does not say why.
fn aborted(table: &str) -> Reply {
    let detail = format!("Operation against file '{table}' was aborted by Business Rule");
    reply::api_error(403, "Operation Failed", Some(&detail))
}

fn is_taken(instance: &Instance, client: &Client) -> bool {
    instance.behaviour.is(&knob::NAMES, "unique")
        && !client.name.is_empty()
        && instance.clients.values().any(|other| other.name == client.name)
}

fn insufficient() -> Reply {
    let detail = "ACL Exception Insert Failed due to security constraints";
    reply::api_error(403, "Operation Failed", Some(detail))
}

fn invalid_update(detail: &str) -> Reply {
    reply::api_error(400, "Invalid update", Some(detail))
}

fn write_client(instance: &Instance, call: &Call, client: &mut Client, sent: &Row) {
    let display = value(&call.query, "sysparm_input_display_value") == Some("true");
    let saves_secret = display || instance.behaviour.is(&knob::SECRET_INPUT, "saved");
    let most = instance.behaviour.number(&knob::SECRET_MAX);
    let is_old = instance.behaviour.is(&knob::RELEASE, "xanadu");
    for (name, sent) in sent {
        let text = plain(sent);
        if is_old && rows::LATER_FIELDS.contains(&name.as_str()) {
            continue;
        }
        match name.as_str() {
            "name" => client.name = text,
            "client_id" => client.client_id = text,
            "client_secret" if saves_secret => {
                client.client_secret =
                    text.chars().take(usize::try_from(most).unwrap_or(4_096)).collect();
            }
            "client_secret" | "sys_id" => {}
            "redirect_url" => {
                let urls = text.split(',').map(str::trim).filter(|url| !url.is_empty());
                client.redirect_urls = urls.map(str::to_owned).collect();
            }
            "logo_url" => client.logo_url = text,
            "active" => client.active = text != "false",
            "access_token_lifespan" => number(&mut client.access_token_lifespan, &text),
            "refresh_token_lifespan" => number(&mut client.refresh_token_lifespan, &text),
            "auth_code_lifespan" => number(&mut client.auth_code_lifespan, &text),
            "public_client" => client.public_client = text == "true",
            "use_pkce" => client.use_pkce = text == "true",
            "scope_restriction_status" => client.scope_restriction_status = text,
            "token_format" => client.token_format = text,
            "inbound_grant_type" => client.inbound_grant_type = text,
            "user" => {
                let named =
                    |user: &&crate::model::User| user.sys_id == text || user.user_name == text;
                let user = instance.users.values().find(named);
                client.user = user.map(|user| user.user_name.clone()).unwrap_or_default();
            }
            _ if write_jwt(client.jwt.as_mut(), name, &text) => {}
            _ => {
                client.other.insert(name.clone(), text);
            }
        }
    }
}

/// The fields of `oauth_jwt` alone; whether it was one of them.
fn write_jwt(jwt: Option<&mut JwtEndpoint>, name: &str, text: &str) -> bool {
    let Some(jwt) = jwt else { return false };
    match name {
        "user_field" => text.clone_into(&mut jwt.user_field),
        "clock_skew" => number(&mut jwt.clock_skew, text),
        "enable_jti_verification" => jwt.enable_jti_verification = text != "false",
        "jti_claim" => text.clone_into(&mut jwt.jti_claim),
        _ => return false,
    }
    true
}

fn number(field: &mut u32, text: &str) {
    if let Ok(number) = text.parse() {
        *field = number;
    }
}

/// Values may come as strings, numbers or booleans; what is kept is text.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn add_auth_scope(instance: &mut Instance, caller: &Caller, sent: &Row) -> Option<Row> {
    let name = plain(sent.get("name")?);
    let there = rows::of_table(instance, &caller.user, "sys_auth_scope")?;
    if there.iter().any(|row| row.get("name") == Some(&json!(name))) {
        return None;
    }
    let mut made = sent.clone();
    made.insert("sys_id".to_owned(), json!(rows::auth_scope_id(&name)));
    instance.rows.entry("sys_auth_scope".to_owned()).or_default().push(made.clone());
    Some(made)
}

/// A mapping refers to its scope by key; by name, as people type it, will do as well.
fn auth_scope_name(instance: &Instance, caller: &Caller, key: &str) -> Option<String> {
    let there = rows::of_table(instance, &caller.user, "sys_auth_scope")?;
    let fits = |row: &&Row| ["sys_id", "name"].iter().any(|f| row.get(*f) == Some(&json!(key)));
    Some(there.iter().find(fits)?.get("name")?.as_str()?.to_owned())
}

fn add_scope(instance: &mut Instance, caller: &Caller, table: &str, sent: &Row) -> Option<Row> {
    let entity = plain(sent.get("oauth_entity")?);
    let classic = table == "oauth_entity_scope";
    let scope = plain(sent.get(if classic { "name" } else { "auth_scope" })?);
    let scope = if classic { scope } else { auth_scope_name(instance, caller, &scope)? };
    let client = instance.clients.values_mut().find(|client| client.sys_id == entity)?;
    let list = if classic { &mut client.scopes } else { &mut client.auth_scopes };
    if !list.contains(&scope) {
        list.push(scope.clone());
    }
    let field = if classic { "name" } else { "auth_scope" };
    let mut made = sent.clone();
    made.insert("sys_id".to_owned(), json!(rows::scope_id(&entity, field, &scope)));
    Some(made)
}

fn set_property(instance: &mut Instance, sent: &Row) -> Row {
    let name = sent.get("name").map(plain).unwrap_or_default();
    let on = sent.get("value").map(plain).as_deref() == Some("true");
    if let Some((_, knob)) = rows::PROPERTIES.iter().find(|(property, _)| *property == name) {
        // Both words are values of every switch, so this cannot be refused.
        let _ = instance.set(knob.name, if on { "on" } else { "off" });
        let mut row = sent.clone();
        row.insert("sys_id".to_owned(), json!(crate::random::Random::new(0, &name).sys_id()));
        return row;
    }
    keep_row(instance, "sys_properties", sent.clone())
}

fn keep_row(instance: &mut Instance, table: &str, mut row: Row) -> Row {
    row.insert("sys_id".to_owned(), json!(instance.ids.sys_id()));
    let kept = instance.rows.entry(table.to_owned()).or_default();
    if kept.len() < MOST_ROWS {
        kept.push(row.clone());
    }
    row
}

fn change_row(instance: &mut Instance, table: &str, sys_id: &str, sent: Row) -> Row {
    let kept = instance.rows.entry(table.to_owned()).or_default();
    let found = kept.iter_mut().find(|row| row.get("sys_id") == Some(&json!(sys_id)));
    let Some(row) = found else { return sent };
    for (name, value) in sent.into_iter().filter(|(name, _)| name != "sys_id") {
        row.insert(name, value);
    }
    row.clone()
}
