//! The revocation endpoints: no authentication, nothing but the token's value (§1.1, §14.8).

use serde_json::json;

use crate::behaviour as knob;
use crate::call::{Call, value};
use crate::endpoints::not_found;
use crate::endpoints::token_answer::add_retry_after;
use crate::instance::Instance;
use crate::pages;
use crate::reply::{self, Reply};

pub(crate) fn handle(instance: &mut Instance, call: &Call) -> Reply {
    let exists = match instance.behaviour.text(&knob::REVOKE_PATHS) {
        "both" => true,
        only => only == call.path,
    };
    if !exists {
        return not_found();
    }
    let Some(token) = value(&call.form, "token").or(value(&call.query, "token")) else {
        return reply::body(400, reply::TOKEN_JSON, r#"{"error":"invalid_request"}"#);
    };
    let status = instance.behaviour.number(&knob::REVOKE_STATUS);
    let status = u16::try_from(status).unwrap_or(200);
    if instance.find_token(token).is_none() && matches!(status, 200 | 204) {
        let unknown = instance.behaviour.number(&knob::REVOKE_UNKNOWN);
        return answer(instance, u16::try_from(unknown).unwrap_or(200));
    }
    let carried_out = !matches!(status, 404 | 503);
    if carried_out && instance.behaviour.is(&knob::REVOKE_EFFECT, "revoked") {
        let token = token.to_owned();
        instance.revoke_value(&token);
    }
    answer(instance, status)
}

fn answer(instance: &Instance, status: u16) -> Reply {
    if status == 302 {
        return reply::redirect("/");
    }
    let mut answer = match instance.behaviour.text(&knob::REVOKE_BODY) {
        "html" => reply::html(status, pages::notice("Token revoked", "The token was revoked.")),
        "json" => reply::body(status, reply::TOKEN_JSON, json!({"result": "ok"}).to_string()),
        _ => reply::body(status, "", Vec::new()),
    };
    if status == 204 {
        answer.body_mut().clear();
    }
    if status == 503 {
        add_retry_after(instance, &mut answer);
    }
    answer
}
