//! One login with fixed dice, taken apart.

use http::header::RETRY_AFTER;
use snowtoken_core::oauth::authorization::{AuthorizationRequest, Entropy, ExpectRedirect};
use snowtoken_core::oauth::client::{Client, ClientAuthentication, ClientId};
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::oauth::{Request, Response, Scope};
use snowtoken_core::secret::{Body, Secret};
use snowtoken_core::servicenow::Instance;
use url::Url;

pub(crate) const APPFLOW: &str = "https://us-west-2.console.aws.amazon.com/appflow/oauth";
pub(crate) const CLIENT_SECRET: &str = "cs-canary %+&=?:\"'\\é";

pub(crate) fn client(authentication: ClientAuthentication) -> Client {
    let id = ClientId::parse("0123456789abcdef0123456789abcdef").unwrap();
    Client { id, authentication }
}

pub(crate) fn confidential() -> Client {
    client(ClientAuthentication::Post(Secret::new(CLIENT_SECRET)))
}

pub(crate) fn entropy(first: u8, second: u8) -> [u8; 64] {
    let mut bytes = [first; 64];
    bytes[32..].fill(second);
    bytes
}

/// A login on `instance` that waits for its redirect.
pub(crate) struct Login {
    pub(crate) url: Url,
    pub(crate) expect: ExpectRedirect,
    pub(crate) state: String,
}

pub(crate) fn begin(instance: &str, redirect_uri: &str, scope: &str, dice: [u8; 64]) -> Login {
    let request = AuthorizationRequest {
        endpoints: Instance::parse(instance).unwrap().endpoints(),
        client_id: confidential().id,
        redirect_uri: RedirectUri::parse(redirect_uri).unwrap(),
        scope: Scope::parse(scope).ok(),
    };
    let (url, expect) = request.begin(&Entropy::from_bytes(dice));
    let state = parameter(&url, "state").unwrap();
    Login { url, expect, state }
}

pub(crate) fn login() -> Login {
    begin("classics", APPFLOW, "useraccount", entropy(1, 2))
}

/// All values of a name in a URL's query, as an independent server would read them.
pub(crate) fn parameters(url: &Url, name: &str) -> Vec<String> {
    url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut values = parameters(url, name);
    assert!(values.len() <= 1, "{name} occurs {} times", values.len());
    values.pop()
}

/// The form of a request, as an independent server would read it.
pub(crate) fn form(request: &Request) -> Vec<(String, String)> {
    url::form_urlencoded::parse(request.body().expose()).into_owned().collect()
}

pub(crate) fn value(request: &Request, name: &str) -> Option<String> {
    let mut values = form(request).into_iter().filter(|(key, _)| key == name);
    let first = values.next().map(|(_, value)| value);
    assert!(values.next().is_none(), "{name} occurs twice");
    first
}

pub(crate) fn answer(status: u16, body: impl Into<Vec<u8>>) -> Response {
    http::Response::builder().status(status).body(Body::from(body.into())).unwrap()
}

pub(crate) fn answer_with_retry_after(status: u16, text: &str) -> Response {
    http::Response::builder()
        .status(status)
        .header(RETRY_AFTER, text)
        .body(Body::default())
        .unwrap()
}
