//! Anything pasted, or asked for at the listener, while a login waits: it is refused, or it is the
//! redirect of this login. `{state}` stands for the right `state`, which no fuzzer would guess.

use snowtoken_core::oauth::authorization::{
    AuthorizationError, AuthorizationRequest, CheckedCode, Entropy, ExpectRedirect,
};
use snowtoken_core::oauth::client::ClientId;
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::servicenow::Instance;
use url::form_urlencoded;

const REDIRECT_URIS: [&str; 2] =
    ["https://us-west-2.console.aws.amazon.com/appflow/oauth", "http://127.0.0.1:8400/callback"];

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for redirect_uri in REDIRECT_URIS {
        check_text(text, redirect_uri);
    }
}

/// Answers whether the paste, or the query, was accepted.
pub(crate) fn check_text(text: &str, redirect_uri: &str) -> (bool, bool) {
    let (expect, state) = wait_for_redirect(redirect_uri);
    let text = text.replace("{state}", &state);
    let pasted = judge(&expect, &text, expect.examine(&text));
    if pasted {
        let place = place_of(&text);
        let (_, without_scheme) = redirect_uri.split_once("://").expect("absolute");
        assert!(
            [redirect_uri, without_scheme, ""].contains(&place.as_str()),
            "{text:?} was accepted at {place:?}"
        );
    }
    (pasted, judge(&expect, &text, expect.examine_query(&text)))
}

fn wait_for_redirect(redirect_uri: &str) -> (ExpectRedirect, String) {
    let request = AuthorizationRequest {
        endpoints: Instance::parse("classics").expect("a name").endpoints(),
        client_id: ClientId::parse("id").expect("an ID"),
        redirect_uri: RedirectUri::parse(redirect_uri).expect("a redirect URI"),
        scope: None,
    };
    let (url, expect) = request.begin(&Entropy::from_bytes([9; 64]));
    let state =
        url.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    (expect, state)
}

fn judge(
    expect: &ExpectRedirect,
    text: &str,
    answer: Result<CheckedCode, AuthorizationError>,
) -> bool {
    match answer {
        Ok(code) => {
            round_trip(expect, code.secret().expose());
            true
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains(char::is_control), "{shown:?}");
            // Only an `error` with the right state is repeated, and that one is cut.
            assert!(shown.len() < 4_000, "{} bytes are shown of {}", shown.len(), text.len());
            false
        }
    }
}

/// Whatever the code is: written as a server would write it, it is read as the same.
fn round_trip(expect: &ExpectRedirect, code: &str) {
    assert!(!code.is_empty());
    let (_, state) = wait_for_redirect(expect.redirect_uri().as_str());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("code", code), ("state", &state)])
        .finish();
    if query.len() <= 60 * 1024 {
        let again = expect.examine_query(&query).expect("the query of a server");
        assert_eq!(again.secret().expose(), code);
        let pasted = format!("{}?{query}", expect.redirect_uri().as_str());
        let again = expect.examine(&pasted).expect("the URL of a server");
        assert_eq!(again.secret().expose(), code);
    }
}

/// What stands before the first `?` once the traces of terminals and mail programs are gone. A text
/// without one is a query, if anything.
fn place_of(pasted: &str) -> String {
    let text = pasted.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "");
    let text: String = text.split_whitespace().collect();
    let text = text.replace(['\u{200b}', '\u{200c}', '\u{200d}', '\u{feff}', '\u{ad}'], "");
    let text = text.trim_matches(['"', '\'', '`', '<', '>', '“', '”', '‘', '’', '«', '»', '„']);
    text.split_once('?').map_or_else(String::new, |(place, _)| place.to_owned())
}
