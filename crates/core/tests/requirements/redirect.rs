//! R3, R4, R8, R14-R17, R19-R24: what comes back from the browser.

use proptest::prelude::*;
use snowtoken_core::oauth::authorization::AuthorizationError;
use snowtoken_core::oauth::redirect::RedirectError;

use crate::support::{APPFLOW, answer, begin, confidential, entropy, login, value};

fn mismatch(missing: bool) -> AuthorizationError {
    AuthorizationError::StateMismatch { missing }
}

#[test]
fn r03_any_other_state_is_refused() {
    let login = login();
    let right = &login.state;
    let refused = |query: &str| login.expect.examine_query(query).unwrap_err();
    for index in 0..right.len() {
        let mut wrong = right.clone();
        let other = if &right[index..=index] == "0" { "1" } else { "0" };
        wrong.replace_range(index..=index, other);
        assert_eq!(refused(&format!("code=c&state={wrong}")), mismatch(false), "character {index}");
        assert_eq!(
            refused(&format!("code=c&state={}", &right[..index])),
            mismatch(index == 0),
            "cut at {index}"
        );
    }
    assert_eq!(refused("code=c"), mismatch(true));
    assert_eq!(refused(&format!("code=c&state={right}%00")), mismatch(false));
    assert_eq!(refused(&format!("code=c&state=+{right}")), mismatch(false));
    assert_eq!(
        refused(&format!("code=c&state={}", right.to_uppercase().replace('0', "O"))),
        mismatch(false)
    );
    assert!(login.expect.examine_query(&format!("code=c&state={right}")).is_ok());
}

/// The state of one login is worth nothing in another.
#[test]
fn r03_a_state_of_another_login_is_refused() {
    let (ours, theirs) = (login(), begin("classics", APPFLOW, "", entropy(3, 4)));
    let query = format!("code=c&state={}", theirs.state);
    assert_eq!(ours.expect.examine_query(&query).unwrap_err(), mismatch(false));
}

/// A hundred examinations of the same redirect lead to one token request: `redeem` consumes the
/// login, a second call does not compile (see its documentation).
#[test]
fn r04_a_redirect_leads_to_one_request() {
    let login = login();
    let query = format!("code=c&state={}", login.state);
    let mut codes: Vec<_> = (0..100).map(|_| login.expect.examine_query(&query).unwrap()).collect();
    let (request, _) = login.expect.redeem(codes.remove(0), &confidential());
    assert_eq!(value(&request, "code").as_deref(), Some("c"));
}

#[test]
fn r08_state_is_demanded_although_there_is_pkce() {
    assert_eq!(login().expect.examine("?code=c").unwrap_err(), mismatch(true));
    assert_eq!(
        login().expect.examine("abcdefghij").unwrap_err(),
        AuthorizationError::Redirect(RedirectError::BareCode)
    );
}

#[test]
fn r14_parameters_at_most_once() {
    let login = login();
    for name in ["code", "state", "error", "error_description", "error_uri", "iss"] {
        for query in
            [format!("{name}=a&{name}=a"), format!("{name}=&{name}=a"), format!("{name}&{name}")]
        {
            let query = format!("{query}&x=1");
            assert_eq!(
                login.expect.examine_query(&query).unwrap_err(),
                AuthorizationError::Redirect(RedirectError::Repeated(name)),
                "{query}"
            );
        }
    }
}

#[test]
fn r15_unknown_parameters_are_ignored() {
    let login = login();
    let extras: Vec<_> =
        (0..500).map(|n| format!("x{n}=%ff&x{n}=\u{1f600}&=&session_state=y")).collect();
    let query = format!("{}&code=c&state={}&iss=https://i.example", extras.join("&"), login.state);
    assert_eq!(login.expect.examine_query(&query).unwrap().secret().expose(), "c");
}

#[test]
fn r16_state_is_checked_before_error() {
    let login = login();
    for (query, missing) in [
        ("error=access_denied", true),
        ("error=access_denied&state=x", false),
        ("error=x&code=c&state=", true),
    ] {
        assert_eq!(login.expect.examine_query(query).unwrap_err(), mismatch(missing), "{query}");
    }
    // The login is still alive afterwards.
    assert!(login.expect.examine_query(&format!("code=c&state={}", login.state)).is_ok());
}

#[test]
fn r17_a_pasted_url_is_at_the_redirect_uri_or_refused() {
    let login = login();
    let elsewhere =
        AuthorizationError::Redirect(RedirectError::Elsewhere { expected: APPFLOW.to_owned() });
    for place in [
        "https://us-west-1.console.aws.amazon.com/appflow/oauth",
        "https://us-west-2.console.aws.amazon.com:443/appflow/oauth",
        "https://us-west-2.console.aws.amazon.com./appflow/oauth",
        "https://us-west-2.console.aws.amazon.com/appflow/oauth/x",
        "https://us-west-2.console.aws.amazon.com/appflow//oauth",
        "https://us-west-2.console.aws.amazon.com/appflow/%6fauth",
        "https://us-west-2.console.aws.amazon.com@evil.example/appflow/oauth",
        "https://:@us-west-2.console.aws.amazon.com/appflow/oauth",
        "https:/us-west-2.console.aws.amazon.com/appflow/oauth",
        "//us-west-2.console.aws.amazon.com/appflow/oauth",
        "https://us-west-2.console.aws.amazon.com/appflow/oauth;x",
        "HTTPS://us-west-2.console.aws.amazon.com/appflow/oauth",
        "https://ｕs-west-2.console.aws.amazon.com/appflow/oauth",
    ] {
        let pasted = format!("{place}?code=c&state={}", login.state);
        assert_eq!(login.expect.examine(&pasted).unwrap_err(), elsewhere, "{place}");
    }
    assert!(login.expect.examine(&format!("{APPFLOW}?code=c&state={}", login.state)).is_ok());
}

/// Two logins at once, at two instances, their redirects crossed.
#[test]
fn r19_a_code_goes_only_where_it_was_asked_for() {
    let (a, b) = (login(), begin("other", APPFLOW, "", entropy(5, 6)));
    let at_a = format!("{APPFLOW}?code=code-of-a&state={}", a.state);
    assert_eq!(b.expect.examine(&at_a).unwrap_err(), mismatch(false));
    let code = a.expect.examine(&at_a).unwrap();
    let (request, _) = a.expect.redeem(code, &confidential());
    assert_eq!(request.uri(), "https://classics.service-now.com/oauth_token.do");
}

/// An instance announces no `iss` (RFC 9207 §2.4), so one that comes is discarded, right or wrong;
/// what protects from mix-up is `state`, which belongs to one instance (R19).
#[test]
fn r20_an_issuer_nobody_announced_is_discarded() {
    for issuer in [
        "",
        "&iss=https%3A%2F%2Fclassics.service-now.com",
        "&iss=https%3A%2F%2Fevil.example",
        "&iss=",
    ] {
        let login = login();
        let code =
            login.expect.examine_query(&format!("code=c&state={}{issuer}", login.state)).unwrap();
        let (request, _) = login.expect.redeem(code, &confidential());
        assert_eq!(request.uri(), "https://classics.service-now.com/oauth_token.do", "{issuer}");
    }
}

#[test]
fn r21_an_error_names_no_sender() {
    let login = login();
    let query = format!("error=server_error&error_description=x&state={}", login.state);
    let text = login.expect.examine_query(&query).unwrap_err().to_string();
    assert_eq!(text, "the redirected URL carries an error (server_error: x)");
    assert!(!text.contains("instance") && !text.contains("classics"));
}

/// Whatever becomes of the exchange, nothing is left that could send the code again.
#[test]
fn r22_a_code_is_spent_by_the_first_request() {
    for body in ["", "{", "{\"error\":\"server_error\"}", "<html>"] {
        let login = login();
        let code = login.expect.examine_query(&format!("code=c&state={}", login.state)).unwrap();
        let (_request, expect) = login.expect.redeem(code, &confidential());
        assert!(expect.receive(answer(200, body)).is_err(), "{body}");
    }
}

proptest! {
    #[test]
    fn r23_whatever_is_received_is_answered(text in "(\\PC|[?&=%#\\x00-\\x20]){0,300}") {
        let login = login();
        prop_assert!(login.expect.examine_query(&text).is_err(), "a stranger knows no state");
        prop_assert!(login.expect.examine(&text).is_err(), "a stranger knows no state");
    }
}

#[test]
fn r24_hostile_text_is_shown_escaped_and_cut() {
    let login = login();
    let shown = |query: &str| {
        login
            .expect
            .examine_query(&format!("{query}&state={}", login.state))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        shown("error=%1b]0;x%07&error_description=%e2%80%ae%0d%0a%c2%9b31m"),
        r"the redirected URL carries an error (\u{1b}]0;x\u{7}: \u{202e}\u{d}\u{a}\u{9b}31m)"
    );
    let long = shown(&format!("error={0}&error_description={0}", "a".repeat(30_000)));
    assert_eq!(long, format!("the redirected URL carries an error ({0}…: {0}…)", "a".repeat(200)));
    for control in (0..=0x9f).filter_map(char::from_u32).filter(|c| c.is_control()) {
        let encoded: String =
            url::form_urlencoded::byte_serialize(control.to_string().as_bytes()).collect();
        assert!(!shown(&format!("error={encoded}")).contains(char::is_control), "{control:?}");
    }
}
