//! Who may speak to the wizard: the one browser that came in by the one-time link, and no page that
//! was opened elsewhere. Pure: a request's head in, a verdict out; nothing of a request is repeated.

use http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT, HOST, HeaderName, ORIGIN, TRANSFER_ENCODING,
    UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use snowtoken::Secret;

/// The path of the one-time link.
pub const ENTRY: &str = "/enter";

/// The field of every form that proves that the form is ours.
pub const CSRF_FIELD: &str = "csrf";

/// The largest form, in bytes: a pasted URL of 64 KiB, percent-encoded at worst.
pub const LARGEST_FORM: u64 = 256 * 1024;

/// Why a request is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It names another host, none, or two (DNS rebinding).
    #[error("another name for this address")]
    WrongHost,
    /// Nobody came in with it: no cookie, or another one.
    #[error("no key")]
    NotEntered,
    /// The one-time link was used before, or is a wrong one.
    #[error("a link that opens nothing")]
    WrongKey,
    /// A page opened elsewhere caused it.
    #[error("asked for by another page")]
    Foreign,
    /// A form that is not ours, or an old one.
    #[error("another page's form")]
    WrongForm,
    /// Neither GET, HEAD nor POST.
    #[error("another method")]
    Method,
    /// There is nothing at this path.
    #[error("nothing here")]
    NotFound,
    /// It is no plain HTTP/1.1 request of a browser.
    #[error("no request that a browser sends")]
    Malformed,
    /// The form is too large.
    #[error("too large")]
    TooLarge,
    /// Its address is longer than any of ours.
    #[error("a long address")]
    LongTarget,
    /// Its head is larger than a browser's.
    #[error("a large head")]
    LargeHead,
    /// More forms are on their way than one browser sends.
    #[error("too many forms at once")]
    Busy,
}

impl Refusal {
    /// What it is answered with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NotEntered | Self::WrongKey => StatusCode::UNAUTHORIZED,
            Self::Foreign | Self::WrongForm => StatusCode::FORBIDDEN,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::LongTarget => StatusCode::URI_TOO_LONG,
            Self::LargeHead => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// What a request that passed may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// It brings the one-time key: it is let in by a redirect that sets the cookie.
    Enter,
    /// It brings a one-time key, but was let in before (a second tab): it is led on.
    Again,
    /// It reads a page.
    Read,
    /// It brings a form, whose [`CSRF_FIELD`] is still to be checked.
    Write,
}

/// The keys of one run of the wizard.
pub struct Guard {
    /// `127.0.0.1:PORT`, as browsers write it.
    authority: String,
    /// What the one-time link carries; gone once it was used.
    entry: Option<Secret>,
    session: Secret,
    csrf: Secret,
}

impl Guard {
    /// For this address, with keys that must come from the operating system's dice.
    pub fn new(authority: String, entry: Secret, session: Secret, csrf: Secret) -> Self {
        Self { authority, entry: Some(entry), session, csrf }
    }

    /// The origin of every page.
    pub fn origin(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// The one-time link.
    pub fn entry_link(&self) -> Option<Secret> {
        let key = self.entry.as_ref()?;
        Some(Secret::new(format!("{}{ENTRY}?key={}", self.origin(), key.expose())))
    }

    /// What forms carry.
    pub fn csrf(&self) -> &Secret {
        &self.csrf
    }

    /// The cookie that the one-time link is exchanged for (RFC 6265bis): no script reads it, no other
    /// site's page sends it, and it ends with the browser. It is named after the port, since cookies
    /// do not tell ports apart.
    pub fn cookie(&self) -> String {
        let name = self.cookie_name();
        format!("{name}={}; Path=/; HttpOnly; SameSite=Strict", self.session.expose())
    }

    fn cookie_name(&self) -> String {
        let port = self.authority.rsplit(':').next().unwrap_or_default();
        format!("snowtoken-{port}")
    }

    /// Judges a request by its head.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn judge(&self, head: &Parts) -> Result<Pass, Refusal> {
        self.check_host(head)?;
        check_form(head)?;
        let path = head.uri.path();
        check_path(path)?;
        check_site(&head.headers)?;
        let cookie = self.has_cookie(&head.headers);
        if path == ENTRY {
            return match head.method {
                Method::GET if is_ahead(&head.headers) => Err(Refusal::Method),
                Method::GET if cookie => Ok(Pass::Again),
                Method::GET => Ok(Pass::Enter),
                _ => Err(Refusal::Method),
            };
        }
        match head.method {
            Method::GET | Method::HEAD if cookie => {
                check_no_body(&head.headers)?;
                Ok(Pass::Read)
            }
            Method::POST if cookie => {
                self.check_origin(&head.headers)?;
                check_body(&head.headers)?;
                Ok(Pass::Write)
            }
            Method::GET | Method::HEAD | Method::POST => Err(Refusal::NotEntered),
            _ => Err(Refusal::Method),
        }
    }

    /// Whether a person is behind a request that passed, and no page that looks again by itself. Old
    /// browsers do not tell.
    pub fn is_act(head: &Parts) -> bool {
        let is =
            |name, value: &str| only(&head.headers, &HeaderName::from_static(name)) == Some(value);
        head.method == Method::POST
            || !head.headers.contains_key("sec-fetch-mode")
            || (is("sec-fetch-mode", "navigate") && is("sec-fetch-user", "?1"))
    }

    /// Uses the one-time key up.
    ///
    /// # Errors
    /// [`Refusal::WrongKey`] if it is another one, or was used before.
    pub fn enter(&mut self, query: Option<&str>) -> Result<(), Refusal> {
        if !self.has_key(query) {
            return Err(Refusal::WrongKey);
        }
        self.entry = None;
        Ok(())
    }

    /// Whether the query holds the key, and the key is still good.
    pub fn has_key(&self, query: Option<&str>) -> bool {
        let key = query.and_then(|query| query.strip_prefix("key="));
        match (&self.entry, key) {
            (Some(entry), Some(key)) => entry.matches(key),
            _ => false,
        }
    }

    /// Whether a form is ours.
    ///
    /// # Errors
    /// [`Refusal::WrongForm`].
    pub fn check_csrf(&self, field: Option<&str>) -> Result<(), Refusal> {
        if field.is_some_and(|field| self.csrf.matches(field)) {
            Ok(())
        } else {
            Err(Refusal::WrongForm)
        }
    }

    /// RFC 9112 §3.2: exactly one Host, ours, and no absolute target.
    fn check_host(&self, head: &Parts) -> Result<(), Refusal> {
        let mut hosts = head.headers.get_all(HOST).iter();
        let only = hosts.next().filter(|_| hosts.next().is_none());
        let ours = only.is_some_and(|host| host.as_bytes() == self.authority.as_bytes());
        if ours && head.uri.authority().is_none() { Ok(()) } else { Err(Refusal::WrongHost) }
    }

    /// RFC 6454. With `no-referrer` browsers write `null` for our own pages too; then only what no
    /// page can forge tells that it is ours.
    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let origin = only(headers, &ORIGIN).ok_or(Refusal::Foreign)?;
        if origin == self.origin() {
            return Ok(());
        }
        let site = only(headers, &HeaderName::from_static("sec-fetch-site"));
        if origin == "null" && site == Some("same-origin") { Ok(()) } else { Err(Refusal::Foreign) }
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        all.flat_map(|line| line.split(';')).any(|pair| {
            let pair = pair.trim().split_once('=');
            pair.is_some_and(|(own, value)| own == name && self.session.matches(value))
        })
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("authority", &self.authority).finish_non_exhaustive()
    }
}

/// No browser sends a body in chunks, asks to change the protocol, waits for leave to send its body,
/// or says its length twice.
fn check_form(head: &Parts) -> Result<(), Refusal> {
    let headers = &head.headers;
    let odd = [TRANSFER_ENCODING, UPGRADE, EXPECT, HeaderName::from_static("sec-websocket-key")];
    let twice = headers.get_all(CONTENT_LENGTH).iter().count() > 1;
    let old = head.version != http::Version::HTTP_11;
    if twice || old || odd.iter().any(|name| headers.contains_key(name)) {
        return Err(Refusal::Malformed);
    }
    Ok(())
}

/// Our paths are made of plain letters: nothing in them has to be decoded, and nothing leads up.
fn check_path(path: &str) -> Result<(), Refusal> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/-_.".contains(&b);
    let odd = path.contains("//") || path.split('/').any(|part| part == "." || part == "..");
    if path.len() > 256 || odd || !path.bytes().all(plain) {
        Err(Refusal::NotFound)
    } else {
        Ok(())
    }
}

/// Fetch Metadata: a page of another origin must not even make us look.
fn check_site(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(HeaderName::from_static("sec-fetch-site")).map(http::HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(Refusal::Foreign),
    }
}

/// What a browser fetches ahead, or a chat program to show a preview, uses nothing up: only a page
/// that is opened does.
fn is_ahead(headers: &HeaderMap) -> bool {
    let says = |name: &str, word: &str| {
        headers
            .get(name)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
    };
    let is_page = |name: &str, word: &str| !headers.contains_key(name) || says(name, word);
    headers.contains_key("sec-purpose")
        || ["purpose", "x-purpose", "x-moz"].iter().any(|name| headers.contains_key(*name))
        || !is_page("sec-fetch-mode", "navigate")
        || !is_page("sec-fetch-dest", "document")
}

/// What reads a page brings nothing.
fn check_no_body(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(CONTENT_LENGTH) {
        Some(length) if length.as_bytes() != b"0" => Err(Refusal::Malformed),
        _ => Ok(()),
    }
}

/// Only what our own forms send, of a known length.
fn check_body(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = only(headers, &CONTENT_TYPE).unwrap_or_default();
    if kind != "application/x-www-form-urlencoded" {
        return Err(Refusal::WrongForm);
    }
    let length = only(headers, &CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    match length {
        Some(length) if length <= LARGEST_FORM => Ok(()),
        Some(_) => Err(Refusal::TooLarge),
        None => Err(Refusal::Malformed),
    }
}

/// A header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let value = all.next().filter(|_| all.next().is_none())?;
    value.to_str().ok()
}

#[cfg(test)]
mod tests;
