//! The rows of each table: some kept as rows, most made from what the instance knows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::behaviour as knob;
use crate::instance::{Instance, Row};
use crate::model::{Client, Owner, Pair, Token, User};

const PREFIXES: [&str; 5] = ["kb_", "sys_", "m2m_kb_", "cmn_", "oauth_"];
const OTHERS: [&str; 5] =
    ["user_criteria", "core_company", "incident", "syslog", "jwt_verifier_map"];

/// System properties that are knobs here: (property, knob).
pub(super) const PROPERTIES: [(&str, &knob::Knob); 4] = [
    ("glide.oauth.state.parameter.required", &knob::STATE_REQUIRED),
    ("glide.oauth.allow.parameters.in.post.body.only", &knob::BODY_ONLY),
    ("glide.oauth.inbound.client.credential.grant_type.enabled", &knob::CLIENT_CREDENTIALS),
    ("com.snc.platform.security.oauth.is.active", &knob::OAUTH_ACTIVE),
];

/// The rows of a table as this user sees them; `None` when there is no such table.
pub(super) fn of_table(instance: &Instance, user: &User, name: &str) -> Option<Vec<Row>> {
    let exists = PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || OTHERS.contains(&name);
    if !exists || is_of_later_releases(instance, name) {
        return None;
    }
    let mut rows: Vec<Row> = match name {
        "sys_user" => {
            let users = instance.users.keys().filter_map(|name| instance.record_of_user(name));
            users.map(|user| user_row(&user)).collect()
        }
        "oauth_entity" => {
            let clients = instance.clients.keys().filter_map(|id| instance.record_of_client(id));
            clients.map(|client| client_row(instance, &client)).collect()
        }
        "oauth_jwt" => jwt_rows(instance),
        "oauth_entity_scope" => scope_rows(instance, "name", |client| &client.scopes),
        "oauth_entity_auth_scope_mapping" => {
            scope_rows(instance, "auth_scope", |client| &client.auth_scopes)
        }
        "oauth_entity_profile" => profile_rows(instance),
        "sys_auth_scope" => auth_scope_rows(instance),
        "oauth_credential" => credential_rows(instance, user),
        "sys_properties" => property_rows(instance),
        "sys_user_has_role" => holder_rows(instance),
        "sys_user_role" => role_rows(instance),
        "syslog" => syslog_rows(instance),
        _ => Vec::new(),
    };
    rows.extend(instance.rows.get(name).into_iter().flatten().cloned());
    Some(rows)
}

/// Tables that only administrators may read.
pub(super) fn needs_admin(instance: &Instance, name: &str) -> bool {
    match name {
        "oauth_entity" | "oauth_jwt" => instance.behaviour.is(&knob::API_CLIENTS, "administrators"),
        "oauth_credential" => instance.behaviour.is(&knob::API_CREDENTIALS, "administrators"),
        "sys_user_has_role" => instance.behaviour.is(&knob::API_ROLES, "administrators"),
        "oauth_entity_scope"
        | "oauth_entity_profile"
        | "oauth_entity_profile_scope"
        | "oauth_entity_auth_scope_mapping"
        | "sys_auth_scope"
        | "sys_properties"
        | "syslog"
        | "jwt_verifier_map"
        | "sys_certificate" => true,
        _ => false,
    }
}

fn is_of_later_releases(instance: &Instance, name: &str) -> bool {
    matches!(name, "sys_auth_scope" | "oauth_entity_auth_scope_mapping")
        && instance.behaviour.is(&knob::AUTH_SCOPE_TABLES, "absent")
}

/// The table that a reference field points to.
pub(super) fn reference(field: &str) -> Option<&'static str> {
    match field {
        "user" => Some("sys_user"),
        "role" => Some("sys_user_role"),
        "peer" | "oauth_entity" => Some("oauth_entity"),
        "oauth_entity_profile" => Some("oauth_entity_profile"),
        "auth_scope" => Some("sys_auth_scope"),
        "oauth_jwt" => Some("oauth_jwt"),
        "sys_certificate" => Some("sys_certificate"),
        "kb_knowledge_base" => Some("kb_knowledge_base"),
        "kb_category" => Some("kb_category"),
        _ => None,
    }
}

fn row(value: Value) -> Row {
    match value {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}

fn user_row(user: &User) -> Row {
    row(json!({
        "sys_id": user.sys_id,
        "user_name": user.user_name,
        "name": user.name,
        "first_name": user.name.split(' ').next().unwrap_or_default(),
        "last_name": user.name.split(' ').next_back().unwrap_or_default(),
        "email": format!("{}@example.com", user.user_name),
        "active": user.active.to_string(),
        "locked_out": user.locked_out.to_string(),
        "web_service_access_only": user.web_service_access_only.to_string(),
        "internal_integration_user": user.internal_integration_user.to_string(),
        "identity_type": user.identity_type,
    }))
}

/// A record of the registry; numbers and booleans travel as strings (§7.2).
pub(super) fn client_row(instance: &Instance, client: &Client) -> Row {
    let secret = match instance.behaviour.text(&knob::SECRET_READ_BACK) {
        "masked" => "********".to_owned(),
        "empty" => String::new(),
        "clear" => client.client_secret.clone(),
        // A blob that tells nothing, the same for the same record.
        _ => format!(
            "03{}",
            crate::random::Random::new(instance.seed, &client.client_id).opaque(62, "")
        ),
    };
    let user = instance.users.get(&client.user).map_or("", |user| &user.sys_id);
    let mut made = row(json!({
        "sys_id": client.sys_id,
        "name": client.name,
        "type": "client",
        "client_id": client.client_id,
        "client_secret": secret,
        "redirect_url": client.redirect_urls.join(", "),
        "logo_url": client.logo_url,
        "active": client.active.to_string(),
        "access": "public",
        "access_token_lifespan": instance.access_lifespan(client).to_string(),
        "refresh_token_lifespan": instance.refresh_lifespan(client).to_string(),
        "auth_code_lifespan": client.auth_code_lifespan.to_string(),
        "public_client": client.public_client.to_string(),
        "use_pkce": client.use_pkce.to_string(),
        "code_challenge_method": "S256",
        "scope_restriction_status": client.scope_restriction_status,
        "token_format": client.token_format,
        "inbound_grant_type": client.inbound_grant_type,
        "user": user,
    }));
    for (name, value) in &client.other {
        made.entry(name.clone()).or_insert_with(|| json!(value));
    }
    if instance.behaviour.is(&knob::RELEASE, "xanadu") {
        made.retain(|name, _| !LATER_FIELDS.contains(&name.as_str()));
    }
    made
}

/// Fields of the newer form.
pub(super) const LATER_FIELDS: [&str; 3] =
    ["inbound_grant_type", "scope_restriction_status", "token_format"];

/// Each client has a profile of its own from the beginning (§7.4).
fn profile_rows(instance: &Instance) -> Vec<Row> {
    if instance.behaviour.is(&knob::ENTITY_PROFILE, "missing") {
        return Vec::new();
    }
    let made = |client: &Client| {
        let id = format!("{}profile", client.sys_id);
        row(json!({
            "sys_id": crate::random::Random::new(0, &id).sys_id(),
            "oauth_entity": client.sys_id,
            "name": format!("{} default_profile", client.name),
            "default": "true",
        }))
    };
    instance.clients.values().map(made).collect()
}

/// Auth scopes hold for the whole instance, and each name is there once (§7.4).
fn auth_scope_rows(instance: &Instance) -> Vec<Row> {
    let of_clients = instance.clients.values().flat_map(|client| client.auth_scopes.iter());
    let predefined = "useraccount".to_owned();
    let names: BTreeSet<&String> = of_clients.chain([&predefined]).collect();
    let made = |name: &String| row(json!({"sys_id": auth_scope_id(name), "name": name}));
    let kept = instance.rows.get("sys_auth_scope").into_iter().flatten();
    let kept: BTreeSet<&str> = kept.filter_map(|row| row.get("name")?.as_str()).collect();
    names.into_iter().filter(|name| !kept.contains(name.as_str())).map(made).collect()
}

/// The key of an auth scope: the same on every pretend instance.
pub(super) fn auth_scope_id(name: &str) -> String {
    crate::random::Random::new(0, &format!("auth scope {name}")).sys_id()
}

/// The child of `oauth_entity` for clients that sign assertions.
fn jwt_rows(instance: &Instance) -> Vec<Row> {
    let clients = instance.clients.keys().filter_map(|id| instance.record_of_client(id));
    clients.filter_map(|client| jwt_row(instance, &client)).collect()
}

pub(super) fn jwt_row(instance: &Instance, client: &Client) -> Option<Row> {
    let jwt = client.jwt.as_ref()?;
    let mut made = client_row(instance, client);
    made.extend(row(json!({
        "user_field": jwt.user_field,
        "clock_skew": jwt.clock_skew.to_string(),
        "enable_jti_verification": jwt.enable_jti_verification.to_string(),
        "jti_claim": jwt.jti_claim,
    })));
    Some(made)
}

fn scope_rows(instance: &Instance, field: &str, of: fn(&Client) -> &Vec<String>) -> Vec<Row> {
    let mut rows = Vec::new();
    for client in instance.clients.values() {
        for scope in of(client) {
            let mut made = row(json!({"oauth_entity": client.sys_id}));
            let value = if field == "name" { scope.clone() } else { auth_scope_id(scope) };
            made.insert(field.to_owned(), json!(value));
            made.insert("sys_id".to_owned(), json!(scope_id(&client.sys_id, field, scope)));
            rows.push(made);
        }
    }
    rows
}

/// The key of a row that gives a client a scope.
pub(super) fn scope_id(client: &str, field: &str, scope: &str) -> String {
    crate::random::Random::new(0, &format!("{client}{scope}{field}")).sys_id()
}

/// Manage Tokens (§8): administrators see all rows, everybody else their own.
fn credential_rows(instance: &Instance, user: &User) -> Vec<Row> {
    let sees = |owner: &Owner| owner.1 == user.user_name || user.has_role("admin");
    let mut rows = Vec::new();
    for (owner, pair) in instance.pairs.iter().filter(|(owner, _)| sees(owner)) {
        rows.extend(pair_rows(instance, owner, pair));
    }
    rows
}

fn pair_rows(instance: &Instance, owner: &Owner, pair: &Pair) -> Vec<Row> {
    let peer = instance.clients.get(&owner.0).map_or("", |client| &client.sys_id);
    let user = instance.users.get(&owner.1).map_or("", |user| &user.sys_id);
    let made = |kind: &str, token: &Token| {
        row(json!({
            "sys_id": token.sys_id,
            "type": kind,
            "token": "",
            "expires": date_time(token.expires),
            "user": user,
            "peer": peer,
            "oauth_requestor_profile": "",
            "sys_created_on": date_time(token.issued),
        }))
    };
    let access = pair.access.iter().filter(|token| !token.revoked);
    let refresh = pair.refresh.iter().filter(|token| !token.revoked);
    access
        .map(|token| made("access_token", token))
        .chain(refresh.map(|token| made("refresh_token", token)))
        .collect()
}

fn property_rows(instance: &Instance) -> Vec<Row> {
    PROPERTIES
        .iter()
        .map(|(name, knob)| {
            row(json!({
                "sys_id": crate::random::Random::new(0, name).sys_id(),
                "name": name,
                "type": "boolean",
                "value": instance.behaviour.on(knob).to_string(),
            }))
        })
        .collect()
}

/// Who has which role.
fn holder_rows(instance: &Instance) -> Vec<Row> {
    let each = |user: &User| {
        let id = user.sys_id.clone();
        let made = move |role: &String| row(json!({"user": id, "role": role_id(role)}));
        user.roles.iter().map(made).collect::<Vec<_>>()
    };
    instance.users.values().flat_map(each).collect()
}

fn role_rows(instance: &Instance) -> Vec<Row> {
    let names: BTreeSet<&String> =
        instance.users.values().flat_map(|user| user.roles.iter()).collect();
    names.into_iter().map(|name| row(json!({"sys_id": role_id(name), "name": name}))).collect()
}

/// The key of a role: the same on every pretend instance.
fn role_id(name: &str) -> String {
    crate::random::Random::new(0, name).sys_id()
}

fn syslog_rows(instance: &Instance) -> Vec<Row> {
    instance
        .syslog()
        .iter()
        .map(|entry| {
            row(json!({
                "sys_created_on": date_time(entry.at),
                "source": entry.source,
                "message": entry.message,
                "level": "2",
            }))
        })
        .collect()
}

/// `2026-11-23 15:00:00`, UTC, as the Table API writes it.
fn date_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A small knowledge base, so that a connector has something to read.
pub(crate) fn sample_rows() -> BTreeMap<String, Vec<Row>> {
    let base = "a7e8a78bff0221009b20ffffffffff17";
    let article = |number: &str, id: &str, title: &str| {
        row(json!({
            "sys_id": id,
            "number": number,
            "short_description": title,
            "text": format!("<p>{title}. This article exists only in a pretend instance.</p>"),
            "workflow_state": "published",
            "active": "true",
            "kb_knowledge_base": base,
            "sys_updated_on": "2026-01-02 03:04:05",
        }))
    };
    let articles = vec![
        article("KB0000001", "0b4a1e5cc0a8016400d1e2f3a4b5c601", "How to reset a password"),
        article("KB0000002", "0b4a1e5cc0a8016400d1e2f3a4b5c602", "Working from home"),
        article("KB0000003", "0b4a1e5cc0a8016400d1e2f3a4b5c603", "Ordering a new laptop"),
    ];
    let bases = vec![row(json!({"sys_id": base, "title": "IT", "active": "true"}))];
    let attachments = vec![row(json!({
        "sys_id": "1c5b2f6dd1b9127511e2f304b5c6d701",
        "file_name": "pretend.txt",
        "content_type": "text/plain",
        "size_bytes": "20",
        "table_name": "kb_knowledge",
        "table_sys_id": "0b4a1e5cc0a8016400d1e2f3a4b5c601",
    }))];
    BTreeMap::from([
        ("kb_knowledge".to_owned(), articles),
        ("kb_knowledge_base".to_owned(), bases),
        ("sys_attachment".to_owned(), attachments),
    ])
}
