//! The front page, and paths that people open by mistake.

use serde_json::json;

use crate::behaviour as knob;
use crate::call::Call;
use crate::endpoints::{AUTH, REVOKE, TOKEN, not_found};
use crate::instance::Instance;
use crate::pages;
use crate::reply::{self, Reply};

pub(crate) fn landing(instance: &Instance, call: &Call) -> Reply {
    let clients = instance.clients();
    let users = instance.users();
    let changed: Vec<_> = instance.behaviour.changed().collect();
    reply::html(200, pages::landing(&call.base_url(), &clients, &users, &changed, instance.seed))
}

/// `/oauth_redirect.do` is for flows in which the instance is the client (§1.1, §12.17).
pub(crate) fn wrong_redirect(_instance: &Instance) -> Reply {
    let text = "Your OAuth redirect failed. Please check if the redirect URL setup is correct.";
    reply::html(200, pages::oauth_error(text))
}

pub(crate) fn well_known(instance: &Instance, call: &Call) -> Reply {
    if instance.behaviour.is(&knob::WELL_KNOWN, "absent") {
        return not_found();
    }
    let base = call.base_url();
    reply::api(
        200,
        &json!({
            "issuer": base,
            "authorization_endpoint": format!("{base}{AUTH}"),
            "token_endpoint": format!("{base}{TOKEN}"),
            "revocation_endpoint": format!("{base}{REVOKE}"),
            "jwks_uri": format!("{base}/api/now/oauth/jwks"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        }),
    )
}
