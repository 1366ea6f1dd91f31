//! The paths of the instance. Each endpoint is a list of small checks, then the act.

#[expect(clippy::result_large_err, reason = "a refusal is an answer, and short-lived")]
pub(crate) mod api;
pub(crate) mod auth;
pub(crate) mod fault;
pub(crate) mod home;
pub(crate) mod login;
pub(crate) mod revoke;
#[expect(clippy::result_large_err, reason = "a refusal is an answer, and short-lived")]
pub(crate) mod table;
pub(crate) mod token;
pub(crate) mod token_answer;
pub(crate) mod user;

use crate::behaviour as knob;
use crate::call::Call;
use crate::instance::Instance;
use crate::pages;
use crate::reply::{self, Reply};

/// The authorization endpoint.
pub(crate) const AUTH: &str = "/oauth_auth.do";
/// The token endpoint.
pub(crate) const TOKEN: &str = "/oauth_token.do";
/// The revocation endpoint with a page of its own in the documentation.
pub(crate) const REVOKE: &str = "/oauth_revoke_token.do";
/// The revocation endpoint that forms name.
pub(crate) const REVOKE_OTHER: &str = "/oauth_revoke.do";

/// Sends a request to its endpoint.
pub(crate) fn route(instance: &mut Instance, call: &mut Call) -> Reply {
    let path = call.path.clone();
    let oauth = path.starts_with("/oauth_") && path != "/oauth_login.do";
    if oauth && !instance.behaviour.on(&knob::OAUTH_ACTIVE) {
        return not_found();
    }
    match path.as_str() {
        "/" => home::landing(instance, call),
        AUTH => auth::handle(instance, call),
        "/oauth_login.do" | "/login.do" => login::handle(instance, call),
        "/logout.do" => login::log_out(instance, call),
        TOKEN => token::handle(instance, call),
        REVOKE | REVOKE_OTHER => revoke::handle(instance, call),
        "/oauth_redirect.do" => home::wrong_redirect(instance),
        "/.well-known/openid-configuration" => home::well_known(instance, call),
        _ if path.starts_with("/api/") => api::handle(instance, call),
        _ => not_found(),
    }
}

pub(crate) fn not_found() -> Reply {
    reply::html(
        404,
        pages::notice("Page not found", "The page you are looking for could not be found."),
    )
}
