//! Redirects that are no answer, and logins that end without one. None of them sends a code.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::oauth::authorization::AuthorizationError;
use snowtoken::core::oauth::redirect::RedirectError;
use snowtoken::login::Paste;
use snowtoken::world::EntropyError;
use snowtoken::{Error, Outcome};

use crate::support::logins::{Setting, parameter};
use crate::support::raw_http::{get, visit};

/// The code of a login that was pasted this, after Allow was pressed.
#[track_caller]
fn pasted(setting: &Setting, change: impl Fn(&str) -> String) -> Code {
    let error = setting.run(|hands| hands.paste(&change(&hands.allow()))).unwrap_err();
    assert_eq!(setting.token_requests().len(), 0, "{error:?}");
    assert_eq!(setting.seen(), ["url"]);
    error.code()
}

#[test]
fn deny_at_the_listener_ends_the_login_and_the_page_says_so() {
    let setting = Setting::listening();
    let mut page = None;
    let error = setting
        .run(|hands| {
            assert_eq!(visit(&hands.deny()).unwrap().status, 303);
            page = get(setting.port(), "/snowtoken");
        })
        .unwrap_err();
    assert!(matches!(error, Error::Redirect(AuthorizationError::Refused(_))), "{error:?}");
    assert_eq!((error.code(), error.outcome()), (Code::AccessDenied, Outcome::LoginNeeded));
    assert!(page.unwrap().body.contains("Consent was denied"));
    assert_eq!(setting.token_requests().len(), 0);
    assert!(!setting.is_listening());
}

#[test]
fn deny_can_be_pasted() {
    let setting = Setting::pasting();
    let error = setting.run(|hands| hands.paste(&hands.deny())).unwrap_err();
    assert_eq!(error.code(), Code::AccessDenied);
    assert_eq!(setting.token_requests().len(), 0);
}

/// R16: an error without the right state is a stranger's.
#[test]
fn r16_an_error_without_state_does_not_end_the_listener_s_wait() {
    let setting = Setting::listening().knob("deny", "redirect-error-without-state");
    let done = setting.run(|hands| {
        assert_eq!(visit(&hands.deny()).unwrap().status, 400);
        visit(&hands.allow());
    });
    assert!(done.is_ok(), "{:?}", done.err());
}

/// R3: missing, other, cut, case-changed and old states.
#[test]
fn r3_a_wrong_state_is_refused_when_pasted() {
    type Change = fn(&str) -> String;
    let changes: [Change; 6] = [
        |state| state.chars().rev().collect(),
        |state| state[..state.len() - 1].to_owned(),
        |state| format!("{state}0"),
        |state| state.to_uppercase(),
        |_| String::new(),
        |_| "0".repeat(64),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let code = pasted(&Setting::pasting(), |redirect| {
            let state = parameter(redirect, "state");
            redirect.replace(&state, &change(&state))
        });
        assert_eq!(code, Code::StateMismatch, "{number}");
    }
    let code = pasted(&Setting::pasting(), |redirect| redirect.replace("state=", "other="));
    assert_eq!(code, Code::StateMismatch);
}

#[test]
fn r3_r14_what_the_instance_does_to_the_state_is_noticed() {
    for (value, expected) in [
        ("missing", Code::StateMismatch),
        ("altered", Code::StateMismatch),
        ("twice", Code::RedirectRepeated),
    ] {
        let setting = Setting::pasting().knob("callback.state", value);
        assert_eq!(pasted(&setting, str::to_owned), expected, "{value}");
    }
}

/// R17: another scheme, host, region, port, path, user or fragment.
#[test]
fn r17_a_redirect_to_another_place_is_refused() {
    type Change = fn(&str) -> String;
    let changes: [Change; 9] = [
        |url| url.replace("https:", "http:"),
        |url| url.replace("us-west-2", "us-east-1"),
        |url| url.replace("amazon.com", "amazon.com.evil.example"),
        |url| url.replace("https://", "https://user@"),
        |url| url.replace("/appflow/oauth", "/appflow/oauth/"),
        |url| url.replace("/appflow/oauth", "/appflow/../oauth"),
        |url| url.replace("amazon.com/", "amazon.com:8443/"),
        |url| url.replace("https://us", "https:\\\\us"),
        |url| url.replace("https://", "https://evil.example/?"),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let code = pasted(&Setting::pasting(), change);
        assert_eq!(code, Code::RedirectElsewhere, "{number}");
    }
}

#[test]
fn what_is_no_redirect_is_told_apart() {
    for (text, expected) in [
        (String::new(), Code::RedirectEmpty),
        (" \r\n\t".to_owned(), Code::RedirectEmpty),
        ("hello, world!".to_owned(), Code::RedirectUnreadable),
        ("\u{1b}[200~\u{1b}[201~".to_owned(), Code::RedirectEmpty),
        ("AbCdEf0123456789_-AbCdEf0123456789".to_owned(), Code::RedirectBareCode),
        ("x".repeat(65 * 1024), Code::RedirectTooLong),
    ] {
        let code = pasted(&Setting::pasting(), |_| text.clone());
        assert_eq!(code, expected, "{:?}", text.get(..40).unwrap_or(&text));
    }
    let twice = |redirect: &str| format!("{redirect}&code=another");
    assert_eq!(pasted(&Setting::pasting(), twice), Code::RedirectRepeated);
    let half = |redirect: &str| redirect.split("code=").next().unwrap().to_owned();
    assert_eq!(pasted(&Setting::pasting(), half), Code::RedirectUnreadable);
}

/// A refused paste ends the login, and nothing of it is repeated.
#[test]
fn r24_a_refused_paste_is_not_repeated_and_closes_the_port() {
    let setting = Setting::listening();
    let error = setting
        .run(|hands| hands.paste("https://canary.example/?code=canary&state=canary"))
        .unwrap_err();
    assert!(matches!(
        error,
        Error::Redirect(AuthorizationError::Redirect(RedirectError::Elsewhere { .. }))
    ));
    assert!(!format!("{error} {error:?} {:?}", error.hints()).contains("canary"));
    assert!(!setting.is_listening());
}

#[test]
fn a_bare_code_is_taken_only_where_the_person_insists() {
    let mut setting = Setting::pasting();
    setting.accept_bare_code = true;
    let done = setting.run(|hands| hands.paste(&parameter(&hands.allow(), "code")));
    assert!(done.is_ok(), "{:?}", done.err());
    let code = pasted(&Setting::pasting(), |redirect| parameter(redirect, "code"));
    assert_eq!(code, Code::RedirectBareCode);
    // The switch loosens nothing else.
    let mut setting = Setting::pasting();
    setting.accept_bare_code = true;
    let code = pasted(&setting, |redirect| redirect.replace("state=", "state=0"));
    assert_eq!(code, Code::StateMismatch);
}

#[test]
fn nobody_answers_in_time() {
    for mut setting in [Setting::listening(), Setting::pasting()] {
        setting.wait = Duration::from_millis(300);
        let started = Instant::now();
        let error = setting.run(|hands| std::mem::forget(hands.pastes.clone())).unwrap_err();
        assert!(started.elapsed() < Duration::from_millis(1_200), "{:?}", started.elapsed());
        assert!(matches!(error, Error::ConsentTimeout(_)), "{error:?}");
        assert_eq!((error.code(), error.outcome()), (Code::ConsentTimeout, Outcome::LoginNeeded));
    }
}

/// Whether the end is told, or whoever could paste is gone: without a listener nothing can come.
#[test]
fn the_end_of_the_input_ends_a_login_without_listener_at_once() {
    for told in [true, false] {
        let setting = Setting::pasting();
        let started = Instant::now();
        let error = setting
            .run(|hands| {
                if told {
                    hands.pastes.send(Paste::End).unwrap();
                }
            })
            .unwrap_err();
        assert!(matches!(error, Error::InputEnded), "{told}: {error:?}");
        assert_eq!(error.code(), Code::RedirectEmpty);
        assert!(started.elapsed() < Duration::from_secs(3), "{told}: {:?}", started.elapsed());
    }
}

#[test]
fn v6_a_busy_port_ends_the_login_before_anything_is_shown() {
    let setting = Setting::listening();
    let held = TcpListener::bind(("127.0.0.1", setting.port())).unwrap();
    let error = setting.run(|_| panic!("no URL may be shown")).unwrap_err();
    assert_eq!(error.code(), Code::PortBusy);
    assert!(setting.seen().is_empty());
    drop(held);
}

/// R5: without random numbers there is no login.
#[test]
fn r5_without_random_numbers_nothing_begins() {
    fn broken(_buffer: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError("none".to_owned()))
    }
    let mut setting = Setting::listening();
    setting.world.dice = broken;
    let error = setting.run(|_| panic!("no URL may be shown")).unwrap_err();
    assert!(matches!(error, Error::Entropy(_)), "{error:?}");
    assert!(setting.seen().is_empty() && !setting.is_listening());
}
