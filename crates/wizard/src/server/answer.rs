//! Every answer with all its headers, refusals included.

use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};
use snowtoken::Secret;
use zeroize::Zeroizing;

use crate::guard::{CSRF_FIELD, Refusal};
use crate::pages::{SCRIPT, STYLE};
use crate::site::{AGE_MARK, CSRF_MARK, IDLE_MARK, Reply, Shown};

const HTML: &str = "text/html; charset=utf-8";

/// What goes back to the browser.
pub(super) struct Answer {
    status: StatusCode,
    kind: &'static str,
    body: Zeroizing<Vec<u8>>,
    more: Vec<(HeaderName, String)>,
}

impl Answer {
    /// What the site says. The forms' token is put in here, so that no page can forget or leak it.
    pub(super) fn of(reply: Reply, csrf: &Secret, aging: &Aging) -> Self {
        match reply {
            Reply::Page(status, html) | Reply::Goodbye(Shown(status, html)) => {
                let more = vec![(header::CONTENT_SECURITY_POLICY, aging.policy.clone())];
                Self { status, kind: HTML, body: filled(&html, csrf, aging), more }
            }
            Reply::To(path) | Reply::Soon { to: path, .. } => Self {
                status: StatusCode::SEE_OTHER,
                kind: HTML,
                body: Zeroizing::default(),
                more: vec![(header::LOCATION, ours(path))],
            },
            Reply::Json(text) => Self {
                status: StatusCode::OK,
                kind: "application/json",
                body: Zeroizing::new(text.into_bytes()),
                more: Vec::new(),
            },
            Reply::Text(text) => Self {
                status: StatusCode::OK,
                kind: "text/plain; charset=utf-8",
                body: Zeroizing::new(text.expose().as_bytes().to_vec()),
                more: Vec::new(),
            },
            Reply::File { name, kind, bytes } => Self {
                status: StatusCode::OK,
                kind,
                body: bytes,
                more: vec![(
                    header::CONTENT_DISPOSITION,
                    format!("attachment; filename=\"{}\"", plain(&name)),
                )],
            },
            Reply::NotFound => Self::refused(Refusal::NotFound),
        }
    }

    /// The browser that brought the key is let in, at an address that holds it no more.
    pub(super) fn entered(cookie: String) -> Self {
        Self {
            status: StatusCode::SEE_OTHER,
            kind: HTML,
            body: Zeroizing::default(),
            more: vec![(header::LOCATION, "/".to_owned()), (header::SET_COOKIE, cookie)],
        }
    }

    /// A constant page.
    pub(super) fn refused(refusal: Refusal) -> Self {
        let more = match refusal {
            Refusal::Method => vec![(header::ALLOW, "GET, HEAD, POST".to_owned())],
            _ => Vec::new(),
        };
        let body = Zeroizing::new(crate::pages::refusal(refusal).into_bytes());
        Self { status: refusal.status(), kind: HTML, body, more }
    }

    /// As the HTTP library writes it; it leaves the body out where HEAD asked.
    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        // Wiped when the last of it is written.
        let mut response = Response::new(Full::new(Bytes::from_owner(self.body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in FIXED {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        if let Ok(value) = HeaderValue::from_str(usual_policy()) {
            headers.insert(header::CONTENT_SECURITY_POLICY, value);
        }
        for (name, value) in self.more {
            // Made of our own words; what is no header value is left out.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }

    /// As it is on the wire, for where the HTTP library would answer by itself.
    pub(super) fn into_bytes(self) -> Bytes {
        let body = self.body.clone();
        let response = self.into_response();
        let mut wire = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
        for (name, value) in response.headers() {
            wire.extend_from_slice(
                &[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat(),
            );
        }
        let length = format!("content-length: {}\r\n\r\n", body.len());
        wire.extend_from_slice(length.as_bytes());
        wire.extend_from_slice(&body);
        Bytes::from(wire)
    }
}

/// Puts the forms' token, and what a page needs to know of its age, where the frame of our pages has
/// its marks. Foreign text cannot look like that: its quotes and brackets are escaped.
fn filled(html: &str, csrf: &Secret, aging: &Aging) -> Zeroizing<Vec<u8>> {
    let token = csrf.expose();
    let places = [
        (format!("name=\"{CSRF_FIELD}\" value=\""), CSRF_MARK, "\"", token),
        ("<body data-csrf=\"".to_owned(), CSRF_MARK, "\"", token),
        ("\" data-idle=\"".to_owned(), IDLE_MARK, "\"", &aging.seconds),
        ("<noscript><style>".to_owned(), AGE_MARK, "<", &aging.style),
    ];
    let mut marks: Vec<(usize, &str, &str)> = Vec::new();
    for (before, mark, after, filling) in &places {
        let place = format!("{before}{mark}{after}");
        let found = html.match_indices(place.as_str());
        marks.extend(found.map(|(at, _)| (at + before.len(), *mark, *filling)));
    }
    marks.sort_unstable();
    // Of its full size at once, so that no part of it is ever moved.
    let more: usize = marks.iter().map(|(_, _, filling)| filling.len()).sum();
    let mut page = Zeroizing::new(Vec::with_capacity(html.len() + more));
    let mut from = 0;
    for (start, mark, filling) in marks {
        page.extend_from_slice(&html.as_bytes()[from..start]);
        page.extend_from_slice(filling.as_bytes());
        from = start + mark.len();
    }
    page.extend_from_slice(&html.as_bytes()[from..]);
    page
}

/// A redirect leads to a page of ours, whatever the site says.
fn ours(path: String) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~?=&%#".contains(&b);
    let within = path.starts_with('/') && !path.starts_with("//") && path.bytes().all(plain);
    if within { path } else { "/".to_owned() }
}

/// A file's name without anything that a header or a disk could mistake.
fn plain(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String = name.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    name.trim_start_matches('.').to_owned()
}

/// The same on every answer.
const FIXED: [(&str, &str); 9] = [
    ("connection", "close"),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-write=(self)",
    ),
    ("x-robots-tag", "noindex"),
];

/// How a page grows too old to send anything.
pub(super) struct Aging {
    /// After how many seconds.
    seconds: String,
    /// Where there is no script, time hides the forms by itself and shows why.
    style: String,
    /// The policy of a page with this style.
    policy: String,
}

impl Aging {
    pub(super) fn after(idle: Duration) -> Self {
        let seconds = idle.as_secs().to_string();
        let style = format!(
            "main form,main button{{animation:gone 0s {seconds}s forwards}}\
             .old{{animation:shown 0s {seconds}s forwards}}"
        );
        let policy = policy(&[STYLE, &style]);
        Self { seconds, style, policy }
    }
}

/// Where nothing ages.
fn usual_policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| policy(&[STYLE]))
}

/// Nothing is loaded from anywhere; our own styles and our script are known by their hashes.
fn policy(styles: &[&str]) -> String {
    let hash = |text: &&str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let styles: Vec<_> = styles.iter().map(hash).collect();
    format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; img-src data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        styles.join(" "),
        hash(&SCRIPT)
    )
}

#[cfg(test)]
mod tests;
