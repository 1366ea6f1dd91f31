//! RFC 6749 §2: the client, and how it authenticates.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use url::Url;
use zeroize::Zeroizing;

use super::{Request, encoding};
use crate::secret::{Body, Secret};

/// RFC 6749 §2.2: public, unique at the authorization server, any printable ASCII text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientId(String);

/// The text cannot be a client ID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a client ID is printable ASCII without blanks, 1 to 512 characters")]
pub struct ClientIdError;

impl ClientId {
    /// Checks the text (RFC 6749 appendix A.1, without blanks, which only a copying mistake adds).
    ///
    /// # Errors
    /// If it is empty, longer than 512 characters, or holds anything but printable ASCII.
    pub fn parse(text: &str) -> Result<Self, ClientIdError> {
        let text = text.trim();
        if (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ClientIdError)
        }
    }

    /// The 32 hexadecimal digits of a number.
    pub(crate) fn from_number(number: u128) -> Self {
        Self(format!("{number:032x}"))
    }

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a client authenticates, without the secret: what a profile remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthenticationMethod {
    /// `client_secret_post`: in the body. ServiceNow documents this one.
    #[default]
    Post,
    /// `client_secret_basic`: in the header (RFC 6749 §2.3.1). Works on ServiceNow, undocumented.
    Basic,
    /// `none`: a public client.
    None,
}

impl AuthenticationMethod {
    /// The registered name of the method (RFC 7591 §2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "client_secret_post",
            Self::Basic => "client_secret_basic",
            Self::None => "none",
        }
    }

    /// The method of that name.
    pub fn find(name: &str) -> Option<Self> {
        [Self::Post, Self::Basic, Self::None].into_iter().find(|method| method.as_str() == name)
    }

    /// The method with its secret; a missing secret makes a public client.
    pub fn with(self, secret: Option<Secret>) -> ClientAuthentication {
        match (self, secret) {
            (Self::Post, Some(secret)) => ClientAuthentication::Post(secret),
            (Self::Basic, Some(secret)) => ClientAuthentication::Basic(secret),
            (Self::None, _) | (_, None) => ClientAuthentication::None,
        }
    }
}

/// How a client authenticates at the token endpoint: exactly one way per request (RFC 6749 §2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_id` and `client_secret` in the body.
    Post(Secret),
    /// `client_id` and `client_secret` in the `Authorization` header.
    Basic(Secret),
    /// `client_id` alone.
    None,
}

/// A client, ready to speak to the token and revocation endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// RFC 6749 §2.2.
    pub id: ClientId,
    /// RFC 6749 §2.3.
    pub authentication: ClientAuthentication,
}

impl Client {
    /// A form POST to `endpoint` with the client's authentication added (RFC 6749 §3.2).
    pub(crate) fn post(&self, endpoint: &Url, parameters: &[(&str, &str)]) -> Request {
        let mut all = parameters.to_vec();
        let mut header = None;
        match &self.authentication {
            ClientAuthentication::Post(secret) => {
                all.push(("client_id", self.id.as_str()));
                all.push(("client_secret", secret.expose()));
            }
            ClientAuthentication::Basic(secret) => header = basic(&self.id, secret),
            ClientAuthentication::None => all.push(("client_id", self.id.as_str())),
        }
        let mut form = encoding::pairs(&all);
        let mut request = http::Request::new(Body::from(std::mem::take(&mut *form).into_bytes()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = uri_of(endpoint);
        let headers = request.headers_mut();
        headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(value) = header {
            headers.insert(AUTHORIZATION, value);
        }
        request
    }
}

/// RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
fn basic(id: &ClientId, secret: &Secret) -> Option<HeaderValue> {
    let mut pair =
        Zeroizing::new(String::with_capacity(3 * (id.as_str().len() + secret.expose().len()) + 1));
    pair.push_str(&encoding::component(id.as_str()));
    pair.push(':');
    pair.push_str(&encoding::component(secret.expose()));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    // Base64 is always a valid header value.
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A URL that was parsed by `url` is a valid request target; the fallback cannot be reached.
pub(crate) fn uri_of(url: &Url) -> http::Uri {
    http::Uri::try_from(url.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(authentication: ClientAuthentication) -> Request {
        let client = Client { id: ClientId::parse("s6BhdRkqt3").unwrap(), authentication };
        client.post(
            &Url::parse("https://a.example/token?sysparm=1").unwrap(),
            &[("grant_type", "x"), ("scope", "")],
        )
    }

    /// R28, R29: form-encoded, empty parameters omitted, one method of authentication, never in the URI.
    #[test]
    fn post_puts_both_into_the_body() {
        let request = request(ClientAuthentication::Post(Secret::new("a:b%+ &=é")));
        assert_eq!(
            std::str::from_utf8(request.body().expose()).unwrap(),
            "grant_type=x&client_id=s6BhdRkqt3&client_secret=a%3Ab%25%2B%20%26%3D%C3%A9"
        );
        assert!(request.headers().get(AUTHORIZATION).is_none());
        assert_eq!(request.uri(), "https://a.example/token?sysparm=1");
    }

    /// RFC 6749 §2.3.1, its own example.
    #[test]
    fn basic_is_the_example_of_the_rfc_and_stays_out_of_debug() {
        let request = request(ClientAuthentication::Basic(Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw")));
        assert_eq!(
            request.headers()[AUTHORIZATION],
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"
        );
        assert_eq!(request.body().expose(), b"grant_type=x");
        assert!(!format!("{request:?}").contains("czZC"));
    }

    #[test]
    fn a_public_client_names_itself_only() {
        assert_eq!(
            request(ClientAuthentication::None).body().expose(),
            b"grant_type=x&client_id=s6BhdRkqt3"
        );
    }
}
