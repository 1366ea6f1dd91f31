//! OAuth 2.0 in the words of its RFCs. Nothing in here knows what kind of server is on the other
//! side; that is `servicenow`'s business.

pub mod authorization;
pub mod client;
pub(crate) mod encoding;
pub mod error;
pub mod jwt;
pub mod pkce;
pub mod redirect;
pub mod revocation;
pub mod token;

use std::fmt;

use jiff::Timestamp;
use url::Url;

use crate::secret::Body;

/// A request to send as it is: no redirects followed, no cookies added, certificate checked.
pub type Request = http::Request<Body>;

/// An answer, read to its end (bounded by whoever reads it).
pub type Response = http::Response<Body>;

/// Where the messages go. Kept with every request, so that a code or token never reaches another
/// server than the one it came from (RFC 9700 §4.4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// RFC 6749 §3.1, opened in a browser.
    pub authorization: Url,
    /// RFC 6749 §3.2.
    pub token: Url,
    /// RFC 7009 §2, in the order in which they are tried.
    pub revocation: Vec<Url>,
}

/// The date on an answer; of its three forms (RFC 9110 §5.6.7) the one that is still written.
pub fn date(answer: &Response) -> Option<Timestamp> {
    let text = answer.headers().get(http::header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

/// RFC 6749 §3.3: space-delimited, case-sensitive scope tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(String);

/// The text is no list of scope tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a scope is made of printable ASCII words without quotes and backslashes, parted by blanks"
)]
pub struct ScopeError;

impl Scope {
    /// Takes one or more scope tokens, parted by white space or commas.
    ///
    /// # Errors
    /// If there is none, or one holds characters outside RFC 6749 §3.3.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let tokens: Vec<&str> =
            text.split([' ', '\t', '\n', '\r', ',']).filter(|token| !token.is_empty()).collect();
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if tokens.is_empty() || !tokens.iter().all(|token| token.bytes().all(allowed)) {
            return Err(ScopeError);
        }
        Ok(Self(tokens.join(" ")))
    }

    /// The tokens, parted by single blanks.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tokens of this scope that `granted` lacks (RFC 6749 §3.3: the granted scope may differ).
    pub fn missing_in<'a>(&'a self, granted: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.split(' ').filter(move |token| !granted.split(' ').any(|got| got == *token))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
