//! The pages of the listener: constants, whatever was received.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// How the login ended, for the last page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Tokens are stored.
    Done,
    /// The code goes to somebody else, unspent.
    HandedOver,
    /// The person pressed Deny.
    Denied,
    /// Something else went wrong.
    Failed,
    /// Nothing was heard of it in time.
    Unknown,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Page {
    NotOurs,
    Elsewhere,
    Last(Ending),
}

impl Page {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NotOurs => (
                "Not this login",
                "This address belongs to another login. Go back to the terminal and open the address it shows.",
            ),
            Self::Elsewhere => {
                ("Nothing here", "snowtoken waits here for one redirect and serves nothing else.")
            }
            Self::Last(Ending::Done) => {
                ("You are connected", "The tokens are stored. You can close this window.")
            }
            Self::Last(Ending::HandedOver) => (
                "The code is here",
                "The terminal has it. It is not used yet and ends within a minute or so. You can close this window.",
            ),
            Self::Last(Ending::Denied) => {
                ("Consent was denied", "Nothing was stored. To try again, go back to the terminal.")
            }
            Self::Last(Ending::Failed) => (
                "That did not work",
                "The terminal says why, and what to do next. You can close this window.",
            ),
            Self::Last(Ending::Unknown) => ("Look at the terminal", "It says how the login ended."),
        }
    }

    fn html(self) -> String {
        let (title, text) = self.words();
        let mark = match self {
            Self::Last(Ending::Done | Ending::HandedOver) => "good",
            Self::Last(Ending::Unknown) => "calm",
            _ => "bad",
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title} - snowtoken</title>\n<style>{STYLE}</style>\n</head>\n\
             <body>\n<main>\n<p class=\"mark {mark}\" aria-hidden=\"true\"></p>\n<h1>{title}</h1>\n<p>{text}</p>\n\
             <footer>snowtoken</footer>\n</main>\n</body>\n</html>\n"
        )
    }
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#16242b;--soft:#5b6b73;--page:#f3f6f7;--card:#fff;--line:#d9e1e4;--good:#1f7a5c;--bad:#a4472f;--calm:#2d6a8a}\
@media(prefers-color-scheme:dark){:root{--ink:#e6edf0;--soft:#9fb0b8;--page:#10181c;--card:#182328;--line:#2a3940;--good:#5cc39c;--bad:#e58a6f;--calm:#7db8d8}}\
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--page);color:var(--ink);font:1rem/1.6 system-ui,sans-serif}\
main{width:min(28rem,calc(100vw - 2rem));padding:2.5rem 2rem 1.5rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;text-align:center}\
.mark{width:3rem;height:3rem;margin:0 auto 1.25rem;border-radius:50%;border:.2rem solid var(--calm);display:grid;place-items:center;font-size:1.5rem;line-height:1;color:var(--calm)}\
.mark.good{border-color:var(--good);color:var(--good)}.mark.bad{border-color:var(--bad);color:var(--bad)}\
.mark::before{content:\"...\"}.mark.good::before{content:\"\\2713\"}.mark.bad::before{content:\"!\"}\
h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.25}p{margin:0;color:var(--soft)}\
footer{margin-top:2rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem}";

/// SHA-256 of [`STYLE`]; a test keeps it current.
const STYLE_HASH: &str = "EhPfIWPeez6Q5S0XoEK15etkAnDhiEBKcxMJBwVnhEA=";

pub(super) fn respond(status: StatusCode, page: Page) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(page.html())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    if let Ok(value) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, value);
    }
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_style_s_hash_is_current() {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
        assert_eq!(STYLE_HASH, hash);
    }
}
