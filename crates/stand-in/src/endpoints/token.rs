//! The token endpoint (§3, §4, §14.5-7): checks in order, and one answer for nearly every failure.

mod assertion;
mod client;
mod code;

use jiff::Timestamp;

use self::client::check_client;
use self::code::{check_code, check_redirect_uri, check_verifier, use_up};
use crate::behaviour as knob;
use crate::call::{Call, Pairs, value};
use crate::endpoints::token_answer::{self, Form, Refusal};
use crate::instance::Instance;
use crate::model::{Client, Owner, after};
use crate::reply::Reply;
use crate::tokens::{Granted, Kind};

const HOUR: u64 = 3_600;

pub(crate) fn handle(instance: &mut Instance, call: &Call) -> Reply {
    let kind = value(&call.form, "grant_type").or(value(&call.query, "grant_type"));
    let is_refresh = kind == Some("refresh_token");
    match decide(instance, call) {
        Ok(granted) => token_answer::granted(instance, &granted, is_refresh),
        Err(refusal) => {
            instance.log_token_flow(call.now, &refusal.cause);
            token_answer::refused(instance, call, &refusal)
        }
    }
}

fn decide(instance: &mut Instance, call: &Call) -> Result<Granted, Refusal> {
    check_rate(instance, call.now)?;
    let parameters = check_where_parameters_travel(instance, call)?;
    check_cookies(instance, call)?;
    check_each_once(&parameters)?;
    let client = check_client(instance, call, &parameters)?;
    match value(&parameters, "grant_type") {
        Some("authorization_code") => exchange_code(instance, call.now, &client, &parameters),
        Some("refresh_token") => refresh(instance, call.now, &client, &parameters),
        Some(assertion::GRANT) => assertion::exchange(instance, call.now, &client, &parameters),
        Some("client_credentials") => client_credentials(instance, call.now, &client, &parameters),
        other => Err(unsupported(instance, other)),
    }
}

fn check_rate(instance: &mut Instance, now: Timestamp) -> Result<(), Refusal> {
    let limit = instance.behaviour.number(&knob::TOKEN_RATE_LIMIT);
    let calls = &mut instance.token_calls;
    calls.retain(|&at| now < after(at, HOUR));
    if limit > 0 && calls.len() as u64 >= limit {
        return Err(Refusal {
            form: Form::TooMany,
            ..Refusal::new("rate_limit", "too many requests")
        });
    }
    if limit > 0 {
        calls.push_back(now);
    }
    Ok(())
}

/// Form parameters in a POST body; the URL only where the property allows it (§4.3).
fn check_where_parameters_travel(instance: &Instance, call: &Call) -> Result<Pairs, Refusal> {
    let body_only = instance.behaviour.on(&knob::BODY_ONLY);
    if body_only && !call.query.is_empty() {
        return Err(Refusal::new(
            "invalid_request",
            "parameters are allowed in the POST body only",
        ));
    }
    if body_only && call.method != http::Method::POST {
        return Err(Refusal::new("invalid_request", "POST is required"));
    }
    if !call.body.is_empty() && !call.is_form() {
        return Err(Refusal::new("invalid_request", "the body is not a form"));
    }
    Ok(call.form.iter().chain(&call.query).cloned().collect())
}

/// PRB1927594: token calls fail inside a session under an MFA policy (§4.2 no. 22).
fn check_cookies(instance: &Instance, call: &Call) -> Result<(), Refusal> {
    let session = instance.sessions.get(&call.session).and_then(|session| session.user.as_ref());
    if session.is_some() && instance.behaviour.is(&knob::COOKIE_SESSION, "refused") {
        return Err(Refusal::new("access_denied", "the request is part of a session without MFA"));
    }
    Ok(())
}

/// RFC 6749 §3.2: request parameters must not be included more than once.
fn check_each_once(parameters: &Pairs) -> Result<(), Refusal> {
    for (index, (name, _)) in parameters.iter().enumerate() {
        if parameters.iter().skip(index + 1).any(|(other, _)| other == name) {
            return Err(Refusal::new("invalid_request", format!("{name} was sent twice")));
        }
    }
    Ok(())
}

fn exchange_code(
    instance: &mut Instance,
    now: Timestamp,
    client: &Client,
    parameters: &Pairs,
) -> Result<Granted, Refusal> {
    let sent = value(parameters, "code").unwrap_or_default();
    let code = check_code(instance, now, client, sent)?;
    if instance.behaviour.is(&knob::CODE_FAILED, "burnt") {
        use_up(instance, sent);
    }
    check_redirect_uri(&code, parameters)?;
    check_verifier(instance, client, &code, parameters)?;
    check_user(instance, &code.user_name)?;
    let scope = check_scope(instance, client, code.scope.as_deref())?;
    use_up(instance, sent);
    let wants_refresh =
        !client.public_client || instance.behaviour.is(&knob::PUBLIC_REFRESH, "issued");
    Ok(instance.grant(now, client, &code.user_name, &scope, wants_refresh))
}

pub(super) fn check_user(instance: &Instance, user_name: &str) -> Result<(), Refusal> {
    let invalid = |cause: &str| Refusal::new("invalid_grant", format!("invalid_token: {cause}"));
    let user = instance.record_of_user(user_name).ok_or_else(|| invalid("no such user"))?;
    if !user.active {
        return Err(invalid("the user is inactive"));
    }
    if user.locked_out {
        return Err(invalid("the user is locked out"));
    }
    if user.password_needs_reset {
        return Err(invalid("the user's password needs a reset"));
    }
    Ok(())
}

/// Every requested scope needs a row (§1.8, §7.4). Without a request it is `useraccount`.
pub(super) fn check_scope(
    instance: &Instance,
    client: &Client,
    requested: Option<&str>,
) -> Result<String, Refusal> {
    let refusal =
        || Refusal::new("invalid_scope", "invalid_scope: The provided OAuth token is not valid");
    let Some(requested) = requested else {
        return Ok("useraccount".to_owned());
    };
    if requested.trim().is_empty() {
        let absent = instance.behaviour.is(&knob::SCOPE_EMPTY, "absent");
        return if absent { Ok("useraccount".to_owned()) } else { Err(refusal()) };
    }
    let classic = instance.behaviour.is(&knob::SCOPE_TABLE, "oauth_entity_scope");
    let rows = if classic { &client.scopes } else { &client.auth_scopes };
    let known = requested.split_whitespace().all(|scope| rows.iter().any(|row| row == scope));
    if known { Ok(requested.to_owned()) } else { Err(refusal()) }
}

fn refresh(
    instance: &mut Instance,
    now: Timestamp,
    client: &Client,
    parameters: &Pairs,
) -> Result<Granted, Refusal> {
    let sent = value(parameters, "refresh_token").unwrap_or_default();
    let owner = check_refresh_token(instance, now, client, sent)?;
    check_user(instance, &owner.1)?;
    let jwt_bug = instance.behaviour.is(&knob::PUBLIC_JWT_REFRESH, "refused");
    if jwt_bug && client.public_client && instance.uses_jwt(client) {
        return Err(Refusal::new("invalid_grant", "invalid_token: not a PKCE request"));
    }
    if let Some(scope) = value(parameters, "scope") {
        check_scope(instance, client, Some(scope))?;
    }
    Ok(instance.refresh(now, client, &owner))
}

fn check_refresh_token(
    instance: &mut Instance,
    now: Timestamp,
    client: &Client,
    sent: &str,
) -> Result<Owner, Refusal> {
    let invalid = |cause: &str| Refusal::new("invalid_grant", format!("invalid_token: {cause}"));
    let (owner, kind) =
        instance.find_token(sent).ok_or_else(|| invalid("no such refresh token"))?;
    if owner.0 != client.client_id {
        return Err(invalid("the refresh token belongs to another client"));
    }
    let pair = instance.pairs.get(&owner).ok_or_else(|| invalid("no such refresh token"))?;
    let lifespan = instance.refresh_lifespan(client);
    let alive = pair.refresh.as_ref().is_some_and(|token| instance.lives(now, token, lifespan));
    match kind {
        Kind::Refresh if alive => Ok(owner),
        Kind::Refresh => Err(invalid("the refresh token has expired or was revoked")),
        Kind::OldRefresh => {
            let grace = instance.behaviour.number(&knob::REFRESH_GRACE);
            let replaced = pair.old_refresh.iter().find(|(value, _)| value == sent);
            let in_grace = replaced.is_some_and(|&(_, at)| now < after(at, grace));
            match instance.behaviour.text(&knob::REFRESH_REPLAY) {
                "grace" if in_grace && alive => return Ok(owner),
                "revoke-family" => {
                    instance.revoke_owner(&owner);
                }
                _ => {}
            }
            Err(invalid("the refresh token was replaced"))
        }
        Kind::Access | Kind::OldAccess => Err(invalid("this is an access token")),
    }
}

fn client_credentials(
    instance: &mut Instance,
    now: Timestamp,
    client: &Client,
    parameters: &Pairs,
) -> Result<Granted, Refusal> {
    if !instance.behaviour.on(&knob::CLIENT_CREDENTIALS) {
        return Err(Refusal::new("unauthorized_client", "the client credentials grant is off"));
    }
    if client.user.is_empty() {
        return Err(token_answer::no_integration_user(&client.client_id));
    }
    check_user(instance, &client.user)?;
    let scope = check_scope(instance, client, value(parameters, "scope"))?;
    Ok(instance.grant(now, client, &client.user, &scope, false))
}

fn unsupported(instance: &Instance, kind: Option<&str>) -> Refusal {
    let form = match instance.behaviour.text(&knob::GRANT_TYPE_UNSUPPORTED) {
        "rfc" => Form::Rfc,
        "empty" => Form::Empty,
        _ => Form::Usual,
    };
    let cause = format!("unsupported grant_type: {}", kind.unwrap_or("none"));
    Refusal { form, ..Refusal::new("unsupported_grant_type", cause) }
}
