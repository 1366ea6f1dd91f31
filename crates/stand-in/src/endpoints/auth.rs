//! The authorization endpoint (§1, §14.1-4): checks, then sign-in, then consent, then the redirect.

mod checks;

use self::checks::{Asked, Problem, check, encoded};
use crate::behaviour as knob;
use crate::call::{Call, Pairs, value};
use crate::instance::Instance;
use crate::model::Code;
use crate::pages;
use crate::reply::{self, Reply};

pub(crate) use self::checks::needs_pkce;

/// The parameters of an authorization request; anything else is not carried along.
const PARAMETERS: [&str; 7] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

pub(crate) fn handle(instance: &mut Instance, call: &mut Call) -> Reply {
    let sent = if call.method == http::Method::POST { &call.form } else { &call.query };
    let parameters = sent
        .iter()
        .filter(|(name, _)| PARAMETERS.contains(&name.as_str()))
        .cloned()
        .collect::<Pairs>();
    let asked = match check(instance, parameters) {
        Ok(asked) => asked,
        Err(problem) => return refuse(instance, call, problem),
    };
    let Some(user_name) = signed_in(instance, call) else {
        let back = encoded(&[("sysparm_goto_url", &asked.url())]);
        let page = instance.behaviour.text(&knob::LOGIN_PAGE);
        return reply::redirect(&format!("{page}?{back}"));
    };
    if call.method == http::Method::POST {
        return decide(instance, call, &asked, &user_name);
    }
    let url = asked.url();
    let session = instance.sessions.get_mut(&call.session);
    let was_allowed = session.and_then(|session| session.allowed.take()) == Some(url);
    if was_allowed && value(&call.query, "logoutfirst") == Some("false") {
        return redirect_with_code(instance, call, &asked, &user_name);
    }
    let owner = (asked.client.client_id.clone(), user_name.clone());
    let skips = match instance.behaviour.text(&knob::CONSENT_REPEAT) {
        "never" => true,
        "once" => instance.consents.contains(&owner),
        _ => false,
    };
    if skips { allow(instance, call, &asked, &user_name) } else { consent(instance, call, &asked) }
}

fn refuse(instance: &Instance, call: &Call, problem: Problem) -> Reply {
    match problem {
        Problem::Page(text) => {
            let status = instance.behaviour.number(&knob::ERROR_PAGE_STATUS);
            reply::html(u16::try_from(status).unwrap_or(200), pages::oauth_error(text))
        }
        Problem::Redirect(redirect, error) => {
            let sent = if call.method == http::Method::POST { &call.form } else { &call.query };
            let state = value(sent, "state").map(|state| ("state", state));
            let answer: Vec<_> = [Some(("error", error)), state].into_iter().flatten().collect();
            reply::redirect(&joined(instance, &redirect, &answer))
        }
    }
}

/// The user of this session, as long as the user may still work here.
fn signed_in(instance: &Instance, call: &Call) -> Option<String> {
    let name = instance.sessions.get(&call.session)?.user.as_deref()?;
    let user = instance.record_of_user(name)?;
    (user.active && !user.locked_out).then(|| name.to_owned())
}

fn consent(instance: &Instance, call: &Call, asked: &Asked) -> Reply {
    let session = instance.sessions.get(&call.session);
    let user = session.and_then(|session| session.user.as_deref());
    let page = pages::Consent {
        application: &asked.client.name,
        user: user.and_then(|name| instance.users.get(name)).map_or("", |user| &user.name),
        scope: value(&asked.parameters, "scope").unwrap_or_default(),
        redirect: &asked.redirect,
        ck: session.map_or("", |session| &session.ck),
        parameters: &asked.parameters,
        allow: instance.behaviour.text(&knob::CONSENT_BUTTON),
        wording: instance.behaviour.text(&knob::CONSENT_WORDING),
        not_you: &format!("/logout.do?{}", encoded(&[("sysparm_goto_url", &asked.url())])),
    };
    reply::html(200, page.render())
}

/// The person pressed one of the two buttons.
fn decide(instance: &mut Instance, call: &Call, asked: &Asked, user_name: &str) -> Reply {
    let expected = instance.sessions.get(&call.session).map(|session| session.ck.clone());
    if expected.as_deref() != value(&call.form, "sysparm_ck") {
        let text = "The form has expired or was not made by this instance. Start again.";
        return reply::html(403, pages::oauth_error(text));
    }
    match value(&call.form, "oauth_auth_check_action") {
        Some("authorize") => allow(instance, call, asked, user_name),
        Some("deny") => deny(instance, asked),
        _ => consent(instance, call, asked),
    }
}

fn allow(instance: &mut Instance, call: &Call, asked: &Asked, user_name: &str) -> Reply {
    instance.consents.insert((asked.client.client_id.clone(), user_name.to_owned()));
    if !instance.behaviour.on(&knob::EXTRA_HOP) {
        return redirect_with_code(instance, call, asked, user_name);
    }
    let url = asked.url();
    let hop = format!("{url}&logoutfirst=false");
    if let Some(session) = instance.sessions.get_mut(&call.session) {
        session.allowed = Some(url);
    }
    reply::redirect(&hop)
}

fn deny(instance: &Instance, asked: &Asked) -> Reply {
    let error = ("error", "access_denied");
    let state = value(&asked.parameters, "state").map(|state| ("state", state));
    let answer: Vec<_> = match instance.behaviour.text(&knob::DENY) {
        "page" => {
            let text = "The authorization is not allowed. You are still signed in.";
            return reply::html(200, pages::notice("Access was denied", text));
        }
        "redirect-bare" => Vec::new(),
        "redirect-error-without-state" => vec![error],
        _ => [Some(error), state].into_iter().flatten().collect(),
    };
    reply::redirect(&joined(instance, &asked.redirect, &answer))
}

fn redirect_with_code(
    instance: &mut Instance,
    call: &Call,
    asked: &Asked,
    user_name: &str,
) -> Reply {
    let parameter = |name| value(&asked.parameters, name).map(str::to_owned);
    let code = Code {
        client_id: asked.client.client_id.clone(),
        user_name: user_name.to_owned(),
        redirect_uri: asked.bound_redirect.clone(),
        challenge: parameter("code_challenge").filter(|challenge| !challenge.is_empty()),
        method: parameter("code_challenge_method").unwrap_or_else(|| "plain".to_owned()),
        scope: parameter("scope"),
        issued: call.now,
        expires: call.now,
        used: false,
    };
    let code = instance.issue_code(code, &asked.client);
    let state = parameter("state").unwrap_or_default();
    let altered = format!("{state}x");
    let issuer = call.base_url();
    let mut answer = vec![("code", code.as_str())];
    match instance.behaviour.text(&knob::CALLBACK_STATE) {
        _ if parameter("state").is_none() => {}
        "missing" => {}
        "altered" => answer.push(("state", &altered)),
        "twice" => answer.extend([("state", state.as_str()), ("state", state.as_str())]),
        _ => answer.push(("state", &state)),
    }
    match instance.behaviour.text(&knob::CALLBACK_ISS) {
        "present" => answer.push(("iss", &issuer)),
        "wrong" => answer.push(("iss", "https://another.service-now.com")),
        _ => {}
    }
    reply::redirect(&joined(instance, &asked.redirect, &answer))
}

/// The redirect URI with the answer in its query (§16.18).
fn joined(instance: &Instance, redirect: &str, answer: &[(&str, &str)]) -> String {
    if answer.is_empty() {
        return redirect.to_owned();
    }
    let answer = encoded(answer);
    match (redirect.split_once('?'), instance.behaviour.text(&knob::REDIRECT_QUERY)) {
        (None, _) | (Some(_), "question-mark") => format!("{redirect}?{answer}"),
        (Some((bare, _)), "drop") => format!("{bare}?{answer}"),
        (Some(_), _) => format!("{redirect}&{answer}"),
    }
}
