//! The authorization endpoint, asked as a login asks it but without a person: no session, no cookie.
//! ServiceNow checks the request before it asks anybody to sign in, and shows what it does not like on a
//! page.

use http::HeaderValue;
use http::header::{ACCEPT, LOCATION};
use url::Url;

use super::Subject;
use crate::oauth::authorization::Entropy;
use crate::oauth::client::{ClientId, uri_of};
use crate::oauth::encoding::component;
use crate::oauth::pkce::{CODE_CHALLENGE_METHOD, CodeVerifier};
use crate::oauth::redirect::RedirectUri;
use crate::oauth::token::title;
use crate::oauth::{Request, Response};
use crate::secret::Body;
use crate::servicenow::{Instance, Page};

/// So much of a page is searched for what it says.
const PAGE: usize = 64 * 1024;

/// What the authorization endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Front {
    /// It would let a person sign in now: the request was not refused.
    SignIn,
    /// It sent the browser to another host.
    Elsewhere(String),
    /// It shows what is wrong.
    Refused(Complaint),
    /// It sent the browser back to the redirect URI, with this error if there was one.
    BackToClient(Option<String>),
    /// One of the pages that answer instead of everything.
    Page(Page),
    /// 429.
    RateLimited,
    /// 5xx.
    Unavailable(u16),
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// Something else, with its title.
    Strange(u16, Option<String>),
}

/// What an error page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// The client.
    Client,
    /// The redirect URI.
    RedirectUri,
    /// The `code_challenge`, or that there is none.
    Challenge,
    /// The scope, or that there is none.
    Scope,
    /// The `state`.
    State,
    /// Another part of the request.
    Request,
}

impl Front {
    /// Whether an instance that is awake said it.
    pub fn is_awake(&self) -> bool {
        !matches!(self, Self::Page(_) | Self::RateLimited | Self::Unavailable(_))
    }

    /// Whether the request was not refused.
    pub(super) fn is_let_in(&self) -> bool {
        matches!(self, Self::SignIn)
    }
}

/// The request of a login, and the same without a `code_challenge`. Neither leads anywhere: what they
/// are made of is forgotten at once.
pub fn authorization_requests(subject: &Subject, entropy: &Entropy) -> (Request, Request) {
    let state = CodeVerifier::from_entropy(&entropy.half(false)).challenge();
    let challenge = CodeVerifier::from_entropy(&entropy.half(true)).challenge();
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", subject.client_id.as_ref().map_or("", |id| id.as_str())),
        ("redirect_uri", subject.redirect_uri.as_ref().map_or("", RedirectUri::as_str)),
        ("scope", subject.scope.as_ref().map_or("", |scope| scope.as_str())),
        ("state", &state),
    ];
    let bare = get(&subject.instance, &pairs);
    pairs.extend([
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", CODE_CHALLENGE_METHOD),
    ]);
    (get(&subject.instance, &pairs), bare)
}

/// Two subjects for comparison: with a client that does not exist, and with a redirect URI that nobody
/// registered. An instance that lets them in as well has looked at nothing yet; one that goes to the
/// first registered URL instead is found out by it, too.
pub fn control_subjects(
    subject: &Subject,
    entropy: &Entropy,
) -> (Option<Subject>, Option<Subject>) {
    // Of the alphabet and length of a client ID that an instance makes.
    let number = u128::from_be_bytes(std::array::from_fn(|at| entropy.half(false)[at]));
    let name = format!("{number:032x}");
    let client = ClientId::parse(&name).ok();
    let redirect = RedirectUri::parse(&format!("https://{name}.invalid/")).ok();
    let other = |client_id: Option<ClientId>, redirect_uri: Option<RedirectUri>| Subject {
        client_id: client_id.or_else(|| subject.client_id.clone()),
        redirect_uri: redirect_uri.or_else(|| subject.redirect_uri.clone()),
        ..subject.clone()
    };
    let has_both = subject.client_id.is_some() && subject.redirect_uri.is_some();
    (
        client.filter(|_| subject.client_id.is_some()).map(|client| other(Some(client), None)),
        redirect.filter(|_| has_both).map(|redirect| other(None, Some(redirect))),
    )
}

fn get(instance: &Instance, pairs: &[(&str, &str)]) -> Request {
    let filled = pairs.iter().filter(|(_, value)| !value.is_empty());
    let query: Vec<String> =
        filled.map(|(name, value)| format!("{name}={}", component(value).as_str())).collect();
    let mut url = instance.endpoints().authorization;
    url.set_query(Some(&query.join("&")));
    let mut request = http::Request::new(Body::default());
    *request.uri_mut() = uri_of(&url);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/html"));
    request
}

/// Reads an answer of the authorization endpoint.
pub fn read_front(answer: &Response, subject: &Subject) -> Front {
    let status = answer.status().as_u16();
    let body = answer.body().expose();
    let title = title(body);
    match title.as_deref().and_then(Page::from_title) {
        Some(Page::Restricted) => return Front::Forbidden,
        // The instance's own sign-in is what is hoped for here.
        None | Some(Page::SignIn) => {}
        Some(page) => return Front::Page(page),
    }
    if (300..400).contains(&status) {
        return redirected(answer, subject, status);
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(PAGE)]).to_ascii_lowercase();
    if let Some(complaint) = complaint(&text) {
        return Front::Refused(complaint);
    }
    match status {
        429 => Front::RateLimited,
        500..=599 => Front::Unavailable(status),
        403 => Front::Forbidden,
        404 => Front::NotFound,
        200 if is_sign_in(&text) => Front::SignIn,
        _ => Front::Strange(status, title),
    }
}

fn redirected(answer: &Response, subject: &Subject, status: u16) -> Front {
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let origin = subject.instance.origin();
    let Some(to) = location.and_then(|location| origin.join(location).ok()) else {
        return Front::Strange(status, None);
    };
    if subject.redirect_uri.as_ref().is_some_and(|uri| is_same_place(uri.url(), &to)) {
        let error = to.query_pairs().find(|(name, _)| name == "error");
        return Front::BackToClient(error.map(|(_, error)| error.into_owned()));
    }
    // A sleeping developer instance may send people to where it can be woken.
    match to.host_str() {
        Some("developer.servicenow.com") => Front::Page(Page::Hibernating),
        _ if to.origin() == origin.origin() => Front::SignIn,
        host => Front::Elsewhere(host.unwrap_or_default().to_owned()),
    }
}

fn is_same_place(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin() && one.path() == other.path()
}

/// What a page says, by its own words. Nothing of it is shown.
fn complaint(text: &str) -> Option<Complaint> {
    const SAYINGS: [(&str, Complaint); 17] = [
        ("invalid redirect_ur", Complaint::RedirectUri),
        ("invalid redirect ur", Complaint::RedirectUri),
        ("redirect_uri_mismatch", Complaint::RedirectUri),
        ("redirect_uri did not match", Complaint::RedirectUri),
        ("missing state parameter", Complaint::State),
        ("missing code_challenge", Complaint::Challenge),
        ("missing code challenge", Complaint::Challenge),
        ("invalid code_challenge", Complaint::Challenge),
        ("code_challenge is required", Complaint::Challenge),
        ("missing scope parameter", Complaint::Scope),
        ("invalid_scope", Complaint::Scope),
        ("invalid client_id", Complaint::Client),
        ("invalid client id", Complaint::Client),
        ("invalid_client", Complaint::Client),
        ("unauthorized_client", Complaint::Client),
        ("invalid response_type", Complaint::Request),
        ("invalid_request", Complaint::Request),
    ];
    SAYINGS.iter().find(|(saying, _)| text.contains(saying)).map(|(_, complaint)| *complaint)
}

fn is_sign_in(text: &str) -> bool {
    ["user_password", "type=\"password\"", "type='password'", "sysverb_login"]
        .iter()
        .any(|sign| text.contains(sign))
}
