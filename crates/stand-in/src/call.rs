//! A request taken apart once, so that the endpoints can ask for what they need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST};
use http::{HeaderMap, Method, Request};
use jiff::Timestamp;
use url::form_urlencoded;

/// Names and decoded values in the order in which they came.
pub(crate) type Pairs = Vec<(String, String)>;

pub(crate) struct Call {
    pub(crate) now: Timestamp,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) raw_query: String,
    pub(crate) query: Pairs,
    pub(crate) form: Pairs,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The key of the session this request belongs to; made on the way in.
    pub(crate) session: String,
}

impl Call {
    pub(crate) fn new(now: Timestamp, request: Request<Vec<u8>>) -> Self {
        let (parts, body) = request.into_parts();
        let raw_query = parts.uri.query().unwrap_or_default().to_owned();
        let mut call = Self {
            now,
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: form_urlencoded::parse(raw_query.as_bytes()).into_owned().collect(),
            raw_query,
            form: Vec::new(),
            headers: parts.headers,
            body,
            session: String::new(),
        };
        if call.is_form() {
            call.form = form_urlencoded::parse(&call.body).into_owned().collect();
        }
        call
    }

    pub(crate) fn is_form(&self) -> bool {
        self.header(CONTENT_TYPE.as_str()).is_some_and(|value| {
            value.split(';').next().is_some_and(|kind| {
                kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
            })
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A cookie of this name, if one was sent.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}=");
        self.headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .find_map(|cookie| cookie.trim().strip_prefix(prefix.as_str()))
    }

    /// Where this instance lives, as the request names it.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.header(HOST.as_str()).unwrap_or("localhost"))
    }

    /// The credentials behind an `Authorization` scheme.
    pub(crate) fn authorization(&self, scheme: &str) -> Option<&str> {
        let (own, value) = self.header(AUTHORIZATION.as_str())?.split_once(' ')?;
        own.eq_ignore_ascii_case(scheme).then(|| value.trim())
    }

    /// What HTTP Basic carries, decoded but not split; `None` when it is not there or not Basic.
    pub(crate) fn basic(&self) -> Option<String> {
        let bytes = STANDARD.decode(self.authorization("basic")?).ok()?;
        String::from_utf8(bytes).ok()
    }
}

/// The first value of this name.
pub(crate) fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
