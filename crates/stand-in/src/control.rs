//! The second port: what a test can do to a running instance, as JSON over HTTP.

mod orders;

use http::header::{HOST, ORIGIN};
use http::{Method, Request};
use serde_json::{Value, json};

use self::orders::{client, clock, fault, knob, revoke, script, user};
use crate::behaviour::Behaviour;
use crate::pages;
use crate::reply::{self, Reply};
use crate::server::Shared;

/// Request, example of a body, and what it does.
const ROUTES: [(&str, &str, &str); 15] = [
    ("GET /state", "", "Everything there is: time, knobs, clients, users, tokens, faults."),
    ("GET /knobs", "", "Every knob with its values, default and source."),
    ("GET /syslog", "", "The causes that the wire hides."),
    ("GET /transactions", "", "One line for each request."),
    ("GET /requests", "", "Requests as they came; ?path=/oauth_token.do chooses."),
    (
        "POST /clock",
        r#"{"advance_seconds": 60} {"freeze": "2026-01-01T00:00:00Z"} {"thaw": true}"#,
        "Moves, stops or restarts the clock.",
    ),
    ("POST /knob", r#"{"name": "refresh.token", "value": "omit"}"#, "Sets a knob."),
    (
        "POST /fault",
        r#"{"kind": "cut", "path": "/oauth_token.do", "byte": 20, "times": 1}"#,
        "Adds a fault.",
    ),
    ("DELETE /fault", "", "Removes the faults that were added."),
    (
        "POST /revoke",
        r#"{"token": "…"} {"client_id": "…", "user": "abel.tuter"}"#,
        "Revokes a token, or both of a client and user.",
    ),
    (
        "POST /user",
        r#"{"user_name": "abel.tuter", "locked_out": true}"#,
        "Adds a user or changes the named fields.",
    ),
    (
        "POST /client",
        r#"{"client_id": "…", "client_secret": "new"}"#,
        "Adds a client or changes the named fields.",
    ),
    (
        "POST /script",
        r#"{"path": "/oauth_token.do", "status": 500, "headers": {}, "body": "…"}"#,
        "Queues an answer for a path, given once.",
    ),
    ("POST /reset", "", "Back to the beginning, with the same seed."),
    ("GET /", "", "This page."),
];

/// A refused request: status and reason.
type Refused = (u16, String);

pub(crate) fn handle(shared: &Shared, request: &Request<Vec<u8>>) -> Reply {
    if let Err((status, reason)) = check(request) {
        return error(status, &reason);
    }
    let path = request.uri().path();
    if request.method() == Method::GET && path == "/" {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let url = format!("http://{}", host.unwrap_or("localhost"));
        return reply::html(200, pages::control(&ROUTES, &url));
    }
    let result = match (request.method().as_str(), path) {
        ("GET", _) => show(shared, path, request.uri().query().unwrap_or_default()),
        ("POST", "/clock") => clock(shared, request),
        ("POST", "/knob") => knob(shared, request),
        ("POST", "/fault") => fault(shared, request),
        ("DELETE", "/fault") => {
            shared.instance().clear_faults();
            Ok(json!({"ok": true}))
        }
        ("POST", "/revoke") => revoke(shared, request),
        ("POST", "/user") => user(shared, request),
        ("POST", "/client") => client(shared, request),
        ("POST", "/script") => script(shared, request),
        ("POST", "/reset") => {
            shared.reset();
            Ok(json!({"ok": true}))
        }
        _ => Err((404, "no such request; GET / lists them".to_owned())),
    };
    result.map_or_else(|(status, reason)| error(status, &reason), |value| answer(200, &value))
}

/// No web page may come here, neither directly nor under a name that points to this machine.
fn check(request: &Request<Vec<u8>>) -> Result<(), Refused> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    if !matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
        return Err((403, "the Host header does not name a loopback address".to_owned()));
    }
    if request.headers().contains_key(ORIGIN) {
        return Err((403, "requests of web pages are refused".to_owned()));
    }
    let site = request.headers().get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if site.is_some_and(|site| !matches!(site, "none" | "same-origin")) {
        return Err((403, "requests of web pages are refused".to_owned()));
    }
    Ok(())
}

fn show(shared: &Shared, path: &str, query: &str) -> Result<Value, Refused> {
    let now = shared.now();
    let instance = shared.instance();
    Ok(match path {
        "/state" => {
            let changed: serde_json::Map<String, Value> = instance
                .behaviour()
                .changed()
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect();
            json!({
                "now": now.to_string(),
                "seed": instance.seed(),
                "knobs": changed,
                "clients": instance.clients(),
                "users": instance.users(),
                "tokens": instance.tokens(now),
                "faults": instance.faults(),
            })
        }
        "/knobs" => {
            let each = |knob: &crate::behaviour::Knob| {
                json!({
                    "name": knob.name,
                    "values": knob.values.to_string(),
                    "default": knob.default,
                    "value": instance.behaviour().get(knob.name),
                    "source": knob.source,
                    "doc": knob.doc,
                })
            };
            Behaviour::knobs().iter().map(each).collect()
        }
        "/syslog" => json!(instance.syslog()),
        "/transactions" => json!(instance.transactions()),
        "/requests" => {
            let wanted = url::form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == "path")
                .map(|(_, path)| path.into_owned());
            let fits = |path: &str| wanted.as_deref().is_none_or(|wanted| wanted == path);
            let requests = instance.requests();
            json!(requests.iter().filter(|one| fits(one.path())).collect::<Vec<_>>())
        }
        _ => return Err((404, "no such request; GET / lists them".to_owned())),
    })
}

fn answer(status: u16, value: &Value) -> Reply {
    let mut answer = reply::body(status, "application/json", format!("{value}\n"));
    reply::set(&mut answer, &http::header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    answer
}

fn error(status: u16, reason: &str) -> Reply {
    answer(status, &json!({ "error": reason }))
}
