//! What a browser is shown on its way, and where it ends.

use super::{is_success, parameter, told, word};
use crate::oauth::Response;
use crate::oauth::redirect::RedirectUri;
use crate::probe::Seen;

/// What the authorization endpoint did, before anybody has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A page.
    Page {
        /// Its HTTP status.
        status: u16,
    },
    /// The way to the sign-in.
    SignIn,
    /// The way to the redirect URI, with this error.
    Redirect(Option<String>),
    /// The way to somewhere else.
    Elsewhere,
}

/// Judges an answer of the authorization endpoint.
pub fn shown(answer: &Response, redirect_uri: &RedirectUri) -> Shown {
    let status = answer.status().as_u16();
    if !(300..400).contains(&status) {
        return Shown::Page { status };
    }
    let location = answer.headers().get(http::header::LOCATION);
    let Some(location) = location.and_then(|value| value.to_str().ok()) else {
        return Shown::Elsewhere;
    };
    if let Some(rest) = location.strip_prefix(redirect_uri.as_str()) {
        return Shown::Redirect(parameter(rest, "error"));
    }
    if location.contains("login") { Shown::SignIn } else { Shown::Elsewhere }
}

/// An unknown client.
pub fn unknown_client(shown: &Shown) -> Seen {
    match shown {
        Shown::Page { status } => error_page(*status, "an unknown client is told on a page"),
        Shown::SignIn => Seen::only("an unknown client is not noticed before the sign-in"),
        Shown::Redirect(_) => Seen::only("an unknown client is told to the redirect URI"),
        Shown::Elsewhere => Seen::only("an unknown client leads somewhere else"),
    }
}

fn error_page(status: u16, what: &str) -> Seen {
    let text = format!("{what} (status {status})");
    if [200, 400, 401, 500].contains(&status) {
        Seen::knob(text, "error_page.status", status.to_string())
    } else {
        Seen::only(text)
    }
}

/// Another `response_type`.
pub fn other_response_type(shown: &Shown) -> Seen {
    let name = "response_type.other";
    match shown {
        Shown::Page { status } => {
            let text = format!("another response_type is told on a page (status {status})");
            Seen::knob(text, name, "page")
        }
        Shown::Redirect(Some(error)) => {
            let text =
                format!("another response_type is told to the redirect URI ({})", word(error));
            Seen::knob(text, name, "redirect-error")
        }
        Shown::Redirect(None) => Seen::only("another response_type leads to the bare redirect URI"),
        Shown::SignIn => Seen::only("another response_type is not noticed before the sign-in"),
        Shown::Elsewhere => Seen::only("another response_type leads somewhere else"),
    }
}

/// No `code_challenge`, and what became of the code if there was one.
pub fn missing_challenge(shown: &Shown, exchanged: Option<&Response>) -> Seen {
    let name = "challenge.missing";
    match (shown, exchanged) {
        (Shown::Page { status }, _) => {
            let text = format!("a missing code_challenge is told on a page (status {status})");
            Seen::knob(text, name, "page")
        }
        (Shown::Redirect(Some(error)), _) => {
            let text =
                format!("a missing code_challenge is told to the redirect URI ({})", word(error));
            Seen::knob(text, name, "redirect-error")
        }
        (_, Some(answer)) if is_success(answer) => Seen::only(
            "without a code_challenge the code was exchanged: the client does not demand PKCE",
        ),
        (_, Some(answer)) => {
            let text = format!("without a code_challenge a code came and {}", told(answer));
            Seen::knob(text, name, "token-401")
        }
        (_, None) => Seen::only("a missing code_challenge is not noticed before the sign-in"),
    }
}

/// What came back to the redirect URI after Deny; `None`: nothing, the browser stayed on a page.
pub fn deny(redirected: Option<&str>, redirect_uri: &RedirectUri, state: &str) -> Seen {
    let name = "deny";
    let Some(text) = redirected else {
        return Seen::knob("Deny ends on a page of the instance", name, "page");
    };
    let rest = text.trim().strip_prefix(redirect_uri.as_str()).unwrap_or(text);
    let error = parameter(rest, "error");
    let same_state = parameter(rest, "state").is_some_and(|own| own == state);
    match error {
        Some(error) if same_state => {
            let text =
                format!("Deny leads to the redirect URI with error={} and state", word(&error));
            Seen::knob(text, name, "redirect-error")
        }
        Some(error) => {
            let text =
                format!("Deny leads to the redirect URI with error={} and no state", word(&error));
            Seen::knob(text, name, "redirect-error-without-state")
        }
        None if parameter(rest, "code").is_some() => {
            Seen::only("a code came: Allow was pressed, not Deny")
        }
        None => Seen::knob("Deny leads to the bare redirect URI", name, "redirect-bare"),
    }
}

/// What became of a redirect URI that has a query; `None`: it has none.
pub fn redirect_query(redirected: &str, redirect_uri: &RedirectUri) -> Option<Seen> {
    let (bare, own) = redirect_uri.as_str().split_once('?')?;
    let name = "redirect.query";
    let rest = redirected.trim().strip_prefix(bare)?.strip_prefix('?')?;
    Some(match rest.strip_prefix(own) {
        Some(rest) if rest.starts_with('&') => {
            Seen::knob("the answer is appended to the redirect URI's own query", name, "append")
        }
        Some(rest) if rest.starts_with('?') => {
            Seen::knob("the answer follows a second question mark", name, "question-mark")
        }
        _ => Seen::knob("the redirect URI's own query is lost", name, "drop"),
    })
}
