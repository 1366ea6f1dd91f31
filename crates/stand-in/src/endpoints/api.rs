//! What stands before every `/api/` path: who is calling, and may they (§4.4, §4.5).

use http::HeaderName;
use http::header::WWW_AUTHENTICATE;
use serde_json::json;

use crate::behaviour as knob;
use crate::call::{Call, value};
use crate::endpoints::{login, table, token_answer, user};
use crate::instance::Instance;
use crate::model::{User, after};
use crate::reply::{self, Reply};

/// Who is calling.
pub(crate) struct Caller {
    pub(crate) user: User,
    /// The client whose token was used; `None` for Basic and for cookies.
    client_id: Option<String>,
}

pub(crate) fn handle(instance: &mut Instance, call: &Call) -> Reply {
    if call.path == "/api/now/oauth/jwks" {
        return keys(instance);
    }
    let caller = match check_caller(instance, call) {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    let checked = check_rate(instance, call)
        .and_then(|()| check_scope(instance, &caller))
        .and_then(|()| check_acl(instance));
    let mut answer = match checked {
        Ok(()) => dispatch(instance, call, &caller),
        Err(refusal) => refusal,
    };
    reply::set(&mut answer, &HeaderName::from_static("x-is-logged-in"), "true");
    answer
}

fn dispatch(instance: &mut Instance, call: &Call, caller: &Caller) -> Reply {
    let path = call.path.clone();
    let segments: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
    // A version may stand between: /api/now/v2/table/….
    let rest = match segments.as_slice() {
        ["now", version, rest @ ..] if matches!(*version, "v1" | "v2") => rest,
        ["now", rest @ ..] => rest,
        _ => &[],
    };
    match rest {
        ["ui", "user", "current_user"] => user::current_user(instance, caller),
        ["table", name] => table::collection(instance, call, caller, name),
        ["table", name, sys_id] => table::record(instance, call, caller, name, sys_id),
        ["stats", name] => table::stats(instance, call, caller, name),
        ["attachment", rest @ ..] => table::attachment(instance, call, caller, rest),
        _ => no_resource(),
    }
}

pub(crate) fn no_resource() -> Reply {
    reply::api_error(400, "Requested URI does not represent any resource", None)
}

/// The 401 of §4.4 with its headers.
fn not_authenticated() -> Reply {
    let mut answer = reply::api_error(
        401,
        "User Not Authenticated",
        Some("Required to provide Auth information"),
    );
    reply::set(&mut answer, &WWW_AUTHENTICATE, "BASIC realm=\"Service-now\"");
    answer
}

/// A living token, else a user's password, else a session's cookie (§3.4).
fn check_caller(instance: &mut Instance, call: &Call) -> Result<Caller, Reply> {
    let by_policy = !instance.behaviour.is(&knob::API_POLICY, "refused");
    let by_token = token_of(instance, call).filter(|_| by_policy).and_then(|token| {
        let owner = instance.owner_of_living_access(call.now, &token)?;
        Some((owner, token))
    });
    if let Some(((client_id, user_name), token)) = by_token
        && let Some(user) = usable(instance, &user_name)
    {
        if !instance.behaviour.is(&knob::COOKIES_SIGN_IN, "off")
            && let Some(session) = instance.sessions.get_mut(&call.session)
        {
            session.user = Some(user_name);
            session.token = Some(token);
        }
        return Ok(Caller { user, client_id: Some(client_id) });
    }
    if let Some((name, password)) = call.basic().as_deref().and_then(|text| text.split_once(':'))
        && let Some(user) = instance.record_of_user(name)
        && login::check_password(&user, password)
    {
        return Ok(Caller { user, client_id: None });
    }
    check_session(instance, call).ok_or_else(not_authenticated)
}

fn token_of(instance: &Instance, call: &Call) -> Option<String> {
    let in_url = instance.behaviour.is(&knob::API_QUERY_TOKEN, "accepted");
    let from_url = value(&call.query, "access_token").filter(|_| in_url);
    call.authorization("bearer").or(from_url).map(str::to_owned)
}

/// Cookies of an earlier answer authenticate on their own, even when the token is dead.
fn check_session(instance: &Instance, call: &Call) -> Option<Caller> {
    let session = instance.sessions.get(&call.session)?;
    let lives = |token: &String| instance.owner_of_living_access(call.now, token).is_some();
    let counts = match instance.behaviour.text(&knob::COOKIES_SIGN_IN) {
        "on" => true,
        "while-token-lives" => session.token.as_ref().is_none_or(lives),
        _ => session.token.is_none(),
    };
    let user = usable(instance, session.user.as_deref().filter(|_| counts)?)?;
    Some(Caller { user, client_id: None })
}

fn usable(instance: &Instance, user_name: &str) -> Option<User> {
    let all = instance.behaviour.is(&knob::API_LOCKED_USERS, "accepted");
    let user = instance.record_of_user(user_name)?;
    (all || user.active && !user.locked_out).then_some(user)
}

fn check_rate(instance: &mut Instance, call: &Call) -> Result<(), Reply> {
    let limit = instance.behaviour.number(&knob::API_RATE_LIMIT);
    if limit == 0 {
        return Ok(());
    }
    let calls = &mut instance.api_calls;
    calls.retain(|&at| call.now < after(at, 3_600));
    if (calls.len() as u64) < limit {
        calls.push_back(call.now);
        return Ok(());
    }
    let reset = calls.front().map_or(call.now, |&first| after(first, 3_600)).as_second();
    let detail = format!("Rate limit of {limit} requests per hour for Table API exceeded");
    let mut answer = reply::api_error(429, "Rate limit exceeded", Some(&detail));
    token_answer::add_retry_after(instance, &mut answer);
    let headers = [
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-reset", reset.to_string()),
        ("x-ratelimit-rule", "0f1a2b3c4d5e6f708192a3b4c5d6e7f8".to_owned()),
    ];
    for (name, value) in headers {
        reply::set(&mut answer, &HeaderName::from_static(name), &value);
    }
    Err(answer)
}

/// Securely scoped clients, and APIs that are linked to an auth scope. Bearer only (§7.4, §9).
fn check_scope(instance: &Instance, caller: &Caller) -> Result<(), Reply> {
    let client = caller.client_id.as_deref().and_then(|id| instance.record_of_client(id));
    let Some(client) = client else { return Ok(()) };
    let has =
        |scope: &str| client.auth_scopes.iter().any(|own| own == scope || own == "useraccount");
    let restricted = match instance.behaviour.text(&knob::API_SCOPE_RESTRICTION) {
        "restricted" => true,
        "unrestricted" => false,
        _ => client.scope_restriction_status == "restricted" && !has("useraccount"),
    };
    if restricted {
        let detail = "Access to unscoped api is not allowed";
        return Err(reply::api_error(403, "User Not Authorized", Some(detail)));
    }
    let required = instance.behaviour.text(&knob::API_REQUIRED_SCOPE);
    if required.is_empty() || has(required) {
        return Ok(());
    }
    let detail = format!("Missing required API access scope: {required}");
    Err(reply::api_error(403, "User Not Authorized", Some(&detail)))
}

/// An access rule of the API itself, which no table comes into (§4.4).
fn check_acl(instance: &Instance) -> Result<(), Reply> {
    if instance.behaviour.is(&knob::API_ACL, "api-level") {
        let detail = "Failed API level ACL Validation";
        return Err(reply::api_error(403, "User Not Authorized", Some(detail)));
    }
    Ok(())
}

fn keys(instance: &Instance) -> Reply {
    let modulus = crate::random::Random::new(instance.seed, "modulus").opaque(342, "");
    let key = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": instance.key_id(), "n": modulus, "e": "AQAB"});
    reply::api(200, &json!({"keys": [key]}))
}
