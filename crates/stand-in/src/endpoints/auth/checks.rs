//! The checks of an authorization request, in the order of §14.1.

use url::{Url, form_urlencoded};

use crate::behaviour as knob;
use crate::call::{Pairs, value};
use crate::endpoints::AUTH;
use crate::instance::Instance;
use crate::model::Client;

/// An authorization request that passed the checks.
pub(super) struct Asked {
    pub(super) client: Client,
    /// Where the answer goes.
    pub(super) redirect: String,
    /// What the token request must repeat; `None` when no redirect URI was sent.
    pub(super) bound_redirect: Option<String>,
    pub(super) parameters: Pairs,
}

/// Why an authorization request was not taken.
pub(super) enum Problem {
    /// A page with this text; the client hears nothing.
    Page(&'static str),
    /// A redirect with this error code.
    Redirect(String, &'static str),
}

/// The checks in the order of §14.1.
pub(super) fn check(instance: &Instance, parameters: Pairs) -> Result<Asked, Problem> {
    check_state(instance, &parameters)?;
    let client = check_client(instance, &parameters)?;
    let (redirect, bound_redirect) = check_redirect_uri(instance, &client, &parameters)?;
    check_response_type(instance, &redirect, &parameters)?;
    check_scope(instance, &parameters)?;
    check_challenge(instance, &client, &redirect, &parameters)?;
    Ok(Asked { client, redirect, bound_redirect, parameters })
}

fn check_state(instance: &Instance, parameters: &Pairs) -> Result<(), Problem> {
    let blank = value(parameters, "state").is_none_or(|state| state.trim().is_empty());
    if blank && instance.behaviour.on(&knob::STATE_REQUIRED) {
        return Err(Problem::Page("Missing State parameter in request."));
    }
    Ok(())
}

fn check_client(instance: &Instance, parameters: &Pairs) -> Result<Client, Problem> {
    let client = value(parameters, "client_id").and_then(|id| instance.record_of_client(id));
    client.filter(|client| client.active).ok_or(Problem::Page("Invalid client_id"))
}

fn check_redirect_uri(
    instance: &Instance,
    client: &Client,
    parameters: &Pairs,
) -> Result<(String, Option<String>), Problem> {
    const INVALID: Problem = Problem::Page("Invalid redirect_uri");
    let first = client.redirect_urls.first().cloned();
    let Some(sent) = value(parameters, "redirect_uri") else {
        let uses_first = instance.behaviour.is(&knob::REDIRECT_OMITTED, "first-url");
        return first.filter(|_| uses_first).map(|url| (url, None)).ok_or(INVALID);
    };
    let any_port = instance.behaviour.is(&knob::REDIRECT_LOOPBACK_PORT, "any");
    let registered = client
        .redirect_urls
        .iter()
        .any(|url| url == sent || (any_port && same_but_for_loopback_port(url, sent)));
    if registered {
        return Ok((sent.to_owned(), Some(sent.to_owned())));
    }
    let uses_first = instance.behaviour.is(&knob::REDIRECT_MISMATCH, "first-url");
    first.filter(|_| uses_first).map(|url| (url.clone(), Some(url))).ok_or(INVALID)
}

fn same_but_for_loopback_port(registered: &str, sent: &str) -> bool {
    let (Ok(mut registered), Ok(sent)) = (Url::parse(registered), Url::parse(sent)) else {
        return false;
    };
    let loopback = matches!(registered.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    loopback && registered.set_port(sent.port()).is_ok() && registered == sent
}

fn check_response_type(
    instance: &Instance,
    redirect: &str,
    parameters: &Pairs,
) -> Result<(), Problem> {
    if value(parameters, "response_type") == Some("code") {
        return Ok(());
    }
    if instance.behaviour.is(&knob::RESPONSE_TYPE_OTHER, "page") {
        return Err(Problem::Page("Invalid response_type"));
    }
    Err(Problem::Redirect(redirect.to_owned(), "unsupported_response_type"))
}

fn check_scope(instance: &Instance, parameters: &Pairs) -> Result<(), Problem> {
    // An unknown scope passes here; it fails at the token endpoint (§1.8).
    if value(parameters, "scope").is_none() && instance.behaviour.on(&knob::SCOPE_REQUIRED) {
        return Err(Problem::Page("Missing scope parameter in request."));
    }
    Ok(())
}

fn check_challenge(
    instance: &Instance,
    client: &Client,
    redirect: &str,
    parameters: &Pairs,
) -> Result<(), Problem> {
    let method = value(parameters, "code_challenge_method").unwrap_or("plain");
    let has_challenge = value(parameters, "code_challenge").is_some_and(|text| !text.is_empty());
    if has_challenge && !matches!(method, "S256" | "plain") {
        return Err(Problem::Page("Invalid code_challenge_method"));
    }
    if has_challenge || !needs_pkce(instance, client) {
        return Ok(());
    }
    match instance.behaviour.text(&knob::CHALLENGE_MISSING) {
        "page" => Err(Problem::Page("Missing code_challenge parameter in request.")),
        "redirect-error" => Err(Problem::Redirect(redirect.to_owned(), "invalid_request")),
        _ => Ok(()),
    }
}

/// Whether PKCE is demanded of this client.
pub(crate) fn needs_pkce(instance: &Instance, client: &Client) -> bool {
    match instance.behaviour.text(&knob::PKCE) {
        "required" => true,
        "ignored" => false,
        _ => client.use_pkce || client.public_client,
    }
}

impl Asked {
    /// The request again, as a URL of this instance.
    pub(super) fn url(&self) -> String {
        let pairs: Vec<_> =
            self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        format!("{AUTH}?{}", encoded(&pairs))
    }
}

pub(super) fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
