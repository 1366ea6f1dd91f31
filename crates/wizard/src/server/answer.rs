//! Every answer with all its headers, refusals included.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};
use snowtoken::Secret;
use zeroize::Zeroizing;

use crate::guard::Refusal;
use crate::pages::{SCRIPT, STYLE};
use crate::site::{CSRF_MARK, Reply, Shown};

/// What goes back to the browser.
pub(super) struct Answer {
    status: StatusCode,
    kind: &'static str,
    body: Zeroizing<Vec<u8>>,
    more: Vec<(HeaderName, String)>,
}

impl Answer {
    /// What the site says. The forms' token is put in here, so that no page can forget or leak it.
    pub(super) fn of(reply: Reply, csrf: &Secret) -> Self {
        const HTML: &str = "text/html; charset=utf-8";
        match reply {
            Reply::Page(status, html) | Reply::Goodbye(Shown(status, html)) => {
                let body = Zeroizing::new(html.replace(CSRF_MARK, csrf.expose()).into_bytes());
                Self { status, kind: HTML, body, more: Vec::new() }
            }
            Reply::To(path) => Self {
                status: StatusCode::SEE_OTHER,
                kind: HTML,
                body: Zeroizing::default(),
                more: vec![(header::LOCATION, path)],
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
                    format!("attachment; filename=\"{name}\""),
                )],
            },
            Reply::NotFound => Self::refused(Refusal::NotFound),
        }
    }

    /// The browser that brought the key is let in, at an address that holds it no more.
    pub(super) fn entered(cookie: String) -> Self {
        Self {
            status: StatusCode::SEE_OTHER,
            kind: "text/html; charset=utf-8",
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
        Self { status: refusal.status(), kind: "text/html; charset=utf-8", body, more }
    }

    pub(super) fn into_response(mut self, is_head: bool) -> Response<Full<Bytes>> {
        let body = if is_head { Vec::new() } else { std::mem::take(&mut *self.body) };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in FIXED {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        for (name, value) in
            [(header::CONTENT_SECURITY_POLICY, policy().to_owned())].into_iter().chain(self.more)
        {
            // Made of our own words; what is no header value is left out.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// The same on every answer.
const FIXED: [(&str, &str); 8] = [
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

/// Nothing is loaded from anywhere; our own style and script are known by their hashes.
fn policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src data:; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            hash(STYLE),
            hash(SCRIPT)
        )
    })
}
