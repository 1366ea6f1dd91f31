//! The requests of a measurement: what a well-behaved client never sends, sent on purpose.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use url::Url;
use zeroize::Zeroizing;

use crate::oauth::client::{Client, ClientAuthentication, ClientId, uri_of};
use crate::oauth::pkce::{CODE_CHALLENGE_METHOD, CodeVerifier};
use crate::oauth::redirect::RedirectUri;
use crate::oauth::{Endpoints, Request, encoding};
use crate::secret::{Body, Secret};
use crate::servicenow::Instance;

/// An authorization request of a measurement: whatever may be odd about it can be said.
#[derive(Debug)]
pub struct Authorization<'a> {
    /// The client.
    pub client_id: &'a str,
    /// Its redirect URI.
    pub redirect_uri: &'a RedirectUri,
    /// `code`, or something else.
    pub response_type: &'a str,
    /// The state.
    pub state: &'a str,
    /// Of which the challenge is sent; none: no PKCE.
    pub verifier: Option<&'a CodeVerifier>,
    /// Whether `scope=` is sent with nothing behind it.
    pub empty_scope: bool,
}

impl Authorization<'_> {
    /// The URL to open.
    pub fn url(&self, endpoints: &Endpoints) -> Url {
        let challenge = self.verifier.map(CodeVerifier::challenge).unwrap_or_default();
        let method = if challenge.is_empty() { "" } else { CODE_CHALLENGE_METHOD };
        let mut query = encoding::pairs(&[
            ("response_type", self.response_type),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("state", self.state),
            ("code_challenge", &challenge),
            ("code_challenge_method", method),
        ]);
        if self.empty_scope {
            query.push_str("&scope=");
        }
        let mut url = endpoints.authorization.clone();
        url.set_query(Some(&query));
        url
    }
}

/// A page of the instance, asked for without cookies.
pub fn page(url: &Url) -> Request {
    let mut request = http::Request::new(Body::default());
    *request.uri_mut() = uri_of(url);
    request
}

/// A path of the instance that needs no token.
pub fn path(instance: &Instance, path: &str) -> Request {
    page(&instance.at(path))
}

/// A token request with whatever grant type; none: the parameter is left out.
pub fn grant_type(endpoints: &Endpoints, client: &Client, name: Option<&str>) -> Request {
    client.post(&endpoints.token, &[("grant_type", name.unwrap_or_default())])
}

/// An exchange with whatever verifier (RFC 7636 §4.5).
pub fn exchange(
    endpoints: &Endpoints,
    client: &Client,
    redirect_uri: &RedirectUri,
    code: &Secret,
    verifier: Option<&CodeVerifier>,
) -> Request {
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", redirect_uri.as_str()),
        ("code_verifier", verifier.map_or("", |verifier| verifier.secret().expose())),
    ];
    client.post(&endpoints.token, &parameters)
}

/// How the two halves of Basic credentials are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BasicForm {
    /// As RFC 6749 §2.3.1 has it: percent-encoded first.
    Encoded,
    /// As they are.
    Raw,
}

/// A refresh with the client's secret in the header.
pub fn refresh_by_basic(
    endpoints: &Endpoints,
    client: &Client,
    form: BasicForm,
    token: &Secret,
) -> Option<Request> {
    let secret = secret_of(client)?;
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    if form == BasicForm::Encoded {
        let authentication = ClientAuthentication::Basic(secret.clone());
        let client = Client { id: client.id.clone(), authentication };
        return Some(client.post(&endpoints.token, &parameters));
    }
    let mut body = encoding::pairs(&parameters);
    let mut request = http::Request::new(Body::from(std::mem::take(&mut *body).into_bytes()));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = uri_of(&endpoints.token);
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(AUTHORIZATION, raw_basic(&client.id, secret)?);
    Some(request)
}

/// The client's secret, if it has one.
pub fn secret_of(client: &Client) -> Option<&Secret> {
    match &client.authentication {
        ClientAuthentication::Post(secret) | ClientAuthentication::Basic(secret) => Some(secret),
        ClientAuthentication::None => None,
    }
}

fn raw_basic(id: &ClientId, secret: &Secret) -> Option<HeaderValue> {
    let pair = Zeroizing::new(format!("{}:{}", id.as_str(), secret.expose()));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The revocation of one token, at one of the two endpoints.
pub fn revoke(endpoint: &Url, client: &Client, token: &Secret) -> Request {
    client.post(endpoint, &[("token", token.expose())])
}

/// The client's record, with what the instance gives for its secret.
pub fn read_secret_back(instance: &Instance, client_id: &ClientId, token: &Secret) -> Request {
    let query = encoding::component(&format!("client_id={}", client_id.as_str()));
    let fields = "sys_id,client_id,client_secret,refresh_token_lifespan";
    let path = format!(
        "/api/now/table/oauth_entity?sysparm_query={}&sysparm_fields={fields}&sysparm_limit=2",
        *query
    );
    crate::servicenow::read_path(instance, &path, token)
}

/// Changes the refresh token's lifespan on the client's record. `sys_id` has been checked.
pub fn change_lifespan(instance: &Instance, sys_id: &str, seconds: i64, token: &Secret) -> Request {
    let path = format!("/api/now/table/oauth_entity/{sys_id}");
    let mut request = crate::servicenow::read_path(instance, &path, token);
    *request.method_mut() = http::Method::PATCH;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let body = format!("{{\"refresh_token_lifespan\":\"{seconds}\"}}");
    *request.body_mut() = Body::from(body.into_bytes());
    request
}
