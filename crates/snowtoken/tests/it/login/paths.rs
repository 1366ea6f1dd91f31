//! The ways a redirect can take: listener, paste, both at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use sha2::Digest as _;
use snowtoken::browser::Browser;
use snowtoken::core::token_set::KnownBy;
use snowtoken::login::Paste;
use snowtoken::loopback::Ending;
use url::Url;

use crate::support::logins::{Setting, parameter};
use crate::support::raw_http::{get, visit};

#[test]
fn r27_the_listener_takes_the_redirect() {
    let setting = Setting::listening();
    let mut page = None;
    let mut done = setting
        .run(|hands| {
            assert!(setting.is_listening(), "up before the browser opens");
            let redirect = hands.allow();
            let answer = visit(&redirect).unwrap();
            assert_eq!((answer.status, answer.header("location")), (303, Some("/snowtoken")));
            let port = setting.port();
            page = Some(std::thread::spawn(move || get(port, "/snowtoken").unwrap()));
        })
        .unwrap();
    assert_eq!(done.user.as_ref().unwrap().name(), Some("abel.tuter"));
    assert!(done.unverified.is_none() && done.scope_missing.is_empty());
    assert!(done.tokens.refresh_token.is_some() && done.tokens.authorization_code.is_some());
    assert_eq!(done.tokens.access_expires_at.known_by, KnownBy::Stated);
    // The row of the refresh token may be read by its user.
    assert_eq!(done.tokens.refresh_expires_at.unwrap().known_by, KnownBy::Stated);
    done.finish(Ending::Done);
    assert!(!setting.is_listening());
    assert!(page.unwrap().join().unwrap().body.contains("You are connected"));
    assert_eq!(setting.token_requests().len(), 1);
    assert_eq!(setting.seen(), ["url", "exchanging"]);
}

#[test]
fn r2_r6_a_paste_is_redeemed_with_the_same_redirect_uri_and_the_verifier() {
    let setting = Setting::pasting();
    let mut challenge = String::new();
    let done = setting.run(|hands| {
        assert_eq!(hands.parameter("response_type"), "code");
        assert_eq!(hands.parameter("code_challenge_method"), "S256");
        challenge = hands.parameter("code_challenge");
        let state = hands.parameter("state");
        assert!(state.len() >= 22 && state.bytes().all(|b| b.is_ascii_alphanumeric()));
        hands.paste(&hands.allow());
    });
    assert!(done.unwrap().user.is_some());
    let requests = setting.token_requests();
    assert_eq!(requests.len(), 1);
    let form = |name| requests[0].form(name);
    assert_eq!(form("redirect_uri").as_deref(), Some(snowtoken_stand_in::APPFLOW_REDIRECT_URL));
    let digest = sha2::Sha256::digest(form("code_verifier").unwrap());
    let computed = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    assert_eq!(computed, challenge);
    assert_eq!(requests[0].header("authorization"), None);
    assert!(!requests[0].target.contains('?'));
}

/// First one wins; nobody waits for a browser that was sent nowhere.
#[test]
fn a_paste_also_works_beside_the_listener() {
    let setting = Setting::listening();
    let mut done = setting.run(|hands| hands.paste(&hands.allow())).unwrap();
    let started = Instant::now();
    done.finish(Ending::Done);
    assert!(started.elapsed() < Duration::from_millis(400), "{:?}", started.elapsed());
    assert!(!setting.is_listening());
    assert_eq!(setting.token_requests().len(), 1);
}

#[test]
fn r4_listener_and_paste_at_once_make_one_token_request() {
    for _ in 0..25 {
        let setting = Setting::listening();
        let done = setting.run(|hands| {
            let redirect = hands.allow();
            let barrier = Barrier::new(2);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    barrier.wait();
                    visit(&redirect);
                });
                barrier.wait();
                hands.paste(&redirect);
            });
        });
        assert!(done.is_ok(), "{:?}", done.err());
        assert_eq!(setting.token_requests().len(), 1);
    }
}

/// The paste is in line first, but the listener has already taken the redirect.
#[test]
fn r4_a_paste_that_comes_too_late_does_not_spoil_the_login() {
    let mut setting = Setting::listening();
    let (done, go) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
    let (flag, ready) = (done.clone(), go.clone());
    // The login is held back until both are in line.
    setting.on_wait = Box::new(move || {
        while !flag.load(Ordering::SeqCst) && ready.lock().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let result = setting.run(|hands| {
        let redirect = hands.allow();
        hands.paste(&redirect);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(visit(&redirect).unwrap().status, 303);
        *go.lock().unwrap() = Some(());
        done.store(true, Ordering::SeqCst);
    });
    assert!(result.is_ok(), "{:?}", result.err());
    assert_eq!(setting.token_requests().len(), 1);
}

#[test]
fn r4_a_hundred_replays_of_the_callback_make_one_token_request() {
    let setting = Setting::listening();
    let mut taken = 0;
    let done = setting.run(|hands| {
        let redirect = hands.allow();
        let barrier = Barrier::new(100);
        let statuses: Vec<Option<u16>> = std::thread::scope(|scope| {
            let replay = || {
                barrier.wait();
                visit_if_open(&redirect)
            };
            let threads: Vec<_> = (0..100).map(|_| scope.spawn(replay)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        taken = statuses.iter().filter(|status| **status == Some(303)).count();
        assert!(statuses.iter().flatten().all(|status| matches!(status, 303 | 400)));
    });
    assert!(done.is_ok(), "{:?}", done.err());
    assert_eq!((taken, setting.token_requests().len()), (1, 1));
}

/// The port may be closed by the time the last of them arrives.
fn visit_if_open(url: &str) -> Option<u16> {
    std::panic::catch_unwind(|| visit(url)).ok().flatten().map(|answer| answer.status)
}

#[test]
fn r4_a_second_paste_is_not_looked_at() {
    let setting = Setting::pasting();
    let done = setting.run(|hands| {
        let redirect = hands.allow();
        for _ in 0..10 {
            hands.paste(&redirect);
        }
    });
    assert!(done.is_ok());
    assert_eq!(setting.token_requests().len(), 1);
}

/// R37, V11: a long code, wrapped over lines, whole and once.
#[test]
fn r37_a_code_of_sixteen_kibibytes_is_pasted_whole() {
    let setting = Setting::pasting().knob("code.length", "16384");
    let mut code = String::new();
    let done = setting.run(|hands| {
        let redirect = hands.allow();
        code = parameter(&redirect, "code");
        let lines: Vec<String> = redirect
            .as_bytes()
            .chunks(80)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        hands.paste(&format!("\"{}\"", lines.join("\r\n")));
    });
    assert!(done.is_ok(), "{:?}", done.err());
    assert_eq!(code.len(), 16_384);
    assert_eq!(setting.token_requests().len(), 1);
    assert_eq!(setting.token_requests()[0].form("code"), Some(code));
}

/// Everything else of the input may end; the listener goes on.
#[test]
fn the_end_of_the_input_does_not_end_the_listener() {
    let setting = Setting::listening();
    let done = setting.run(|hands| {
        hands.pastes.send(Paste::End).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        visit(&hands.allow());
    });
    assert!(done.is_ok(), "{:?}", done.err());
}

struct Recorder(Mutex<Vec<String>>, bool);

impl Browser for Recorder {
    fn open(&self, url: &Url) -> std::io::Result<()> {
        self.0.lock().unwrap().push(url.to_string());
        if self.1 { Ok(()) } else { Err(std::io::ErrorKind::NotFound.into()) }
    }
}

#[test]
fn the_browser_is_opened_once_and_only_if_asked_for() {
    for (asked, works) in [(true, true), (true, false), (false, true)] {
        let mut setting = Setting::listening();
        let browser = Arc::new(Recorder(Mutex::default(), works));
        setting.world.browser = browser.clone();
        setting.open_browser = asked;
        let mut url = String::new();
        let done = setting.run(|hands| {
            url.clone_from(&hands.url);
            visit(&hands.allow());
        });
        assert!(done.is_ok());
        let opened = browser.0.lock().unwrap().clone();
        assert_eq!(opened, if asked { vec![url] } else { Vec::new() });
        let failed = setting.seen().contains(&"browser failed".to_owned());
        assert_eq!(failed, asked && !works);
    }
}
