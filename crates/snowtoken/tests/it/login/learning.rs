//! What a login learns beside its proving call, and that it costs nobody a moment.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use snowtoken::core::ledger::Facts;
use snowtoken::core::token_set::KnownBy;
use snowtoken::login::LoggedIn;
use snowtoken_stand_in::Fault;

use crate::support::logins::Setting;

const CLIENT: &str = "/api/now/table/oauth_entity";
const CREDENTIALS: &str = "/api/now/table/oauth_credential";
const ROLES: &str = "/api/now/table/sys_user_has_role";
const BESIDE: [&str; 3] = [CLIENT, CREDENTIALS, ROLES];
const USER: &str = "/api/now/ui/user/current_user";
const LIFE: i64 = 8_640_000;

/// Whether a path is asked beside the proving call.
pub(crate) fn is_beside(path: &str) -> bool {
    BESIDE.contains(&path)
}

/// A login, and how long it took from the paste to its end.
fn log_in(setting: &Setting) -> (LoggedIn, Duration) {
    let pasted = Arc::new(Mutex::new(None));
    let noted = pasted.clone();
    let done = setting
        .run(move |hands| {
            let redirect = hands.allow();
            // A person takes longer than a handshake.
            std::thread::sleep(Duration::from_millis(150));
            *noted.lock().unwrap() = Some(Instant::now());
            hands.paste(&redirect);
        })
        .unwrap();
    let pasted = pasted.lock().unwrap().take().unwrap();
    (done, pasted.elapsed())
}

fn set(setting: &Setting, knobs: &[(&str, &str)]) {
    for (name, value) in knobs {
        setting.server.with_instance(|instance| instance.set(name, value)).unwrap();
    }
}

/// Seconds from the consent to the refresh token's end, and how it is known.
fn end(done: &LoggedIn) -> (i64, KnownBy) {
    let end = done.tokens.refresh_expires_at.unwrap();
    (end.at.duration_since(done.tokens.granted_at).as_secs(), end.known_by)
}

fn concerns(done: &LoggedIn) -> Vec<String> {
    done.learnt.added_to(Facts::default(), &done.tokens).concerns
}

fn calls(setting: &Setting) -> Vec<String> {
    let paths = setting.server.requests().into_iter().map(|request| request.path().to_owned());
    paths.filter(|path| path.starts_with("/api/")).collect()
}

#[test]
fn the_end_is_known_as_well_as_the_token_may_read_it() {
    for (knobs, expected, known_by) in [
        // The row of the refresh token, whatever the profile says.
        (vec![("lifespan.refresh", "3000")], 3_000, KnownBy::Stated),
        // The client's record.
        (
            vec![
                ("api.credentials", "administrators"),
                ("api.clients", "everybody"),
                ("lifespan.refresh", "4000"),
            ],
            4_000,
            KnownBy::Stated,
        ),
        // Neither.
        (
            vec![("api.credentials", "administrators"), ("lifespan.refresh", "5000")],
            LIFE,
            KnownBy::Derived,
        ),
        (vec![("api.acl", "refused"), ("lifespan.refresh", "5000")], LIFE, KnownBy::Derived),
        (vec![("api.acl", "no-rows"), ("lifespan.refresh", "5000")], LIFE, KnownBy::Derived),
        (vec![("api.acl", "empty-fields"), ("lifespan.refresh", "5000")], LIFE, KnownBy::Derived),
    ] {
        let setting = Setting::pasting();
        set(&setting, &knobs);
        let (done, _) = log_in(&setting);
        let (seconds, how) = end(&done);
        assert!((expected - 2..=expected + 2).contains(&seconds), "{knobs:?}: {seconds}");
        assert_eq!(how, known_by, "{knobs:?}");
        assert!(done.unverified.is_none());
    }
}

#[test]
fn a_person_and_an_administrator_are_told_from_a_user_for_integrations() {
    for (change, expected) in [
        ("person", vec!["person"]),
        ("machine", vec![]),
        ("integration", vec![]),
        ("admin", vec!["admin"]),
    ] {
        let setting = Setting::pasting();
        setting.server.with_instance(|instance| {
            let mut user = instance.user("abel.tuter").unwrap().clone();
            match change {
                "machine" => "machine".clone_into(&mut user.identity_type),
                "integration" => user.internal_integration_user = true,
                "admin" => user.roles.push("security_admin".to_owned()),
                _ => {}
            }
            instance.put_user(user);
        });
        let (done, _) = log_in(&setting);
        assert_eq!(concerns(&done), expected, "{change}");
    }
    // Nothing may be read: nothing is said, neither good nor bad.
    let (done, _) = log_in(&Setting::pasting().knob("api.acl", "refused"));
    assert_eq!(concerns(&done), Vec::<String>::new());
}

/// Each of these answers takes its time. Asked one after the other they would take four times as long.
#[test]
fn everything_is_asked_at_once_and_the_exit_waits_for_the_proof_alone() {
    let delay = Duration::from_millis(800);
    let setting = Setting::pasting();
    setting.server.with_instance(|instance| {
        for path in [CLIENT, CREDENTIALS, ROLES, USER] {
            let delay = u64::try_from(delay.as_millis()).unwrap();
            let slow = Fault { path: path.to_owned(), delay, ..Fault::new("slow").unwrap() };
            instance.add_fault(slow);
        }
    });
    let (done, took) = log_in(&setting);
    assert!((delay..delay.mul_f64(1.8)).contains(&took), "{took:?}");
    assert_eq!(end(&done).1, KnownBy::Stated, "the answers came with the proof");
    let mut asked = calls(&setting);
    asked.sort();
    assert_eq!(asked, [CREDENTIALS, CLIENT, ROLES, USER]);
}

#[test]
fn an_answer_that_is_no_answer_changes_nothing_and_holds_nobody_up() {
    let kinds = ["stall", "drip", "cut", "reset", "asleep", "login-page", "login-redirect"];
    let more = ["bad-gateway", "truncated-json", "huge-body", "unavailable", "slow"];
    for kind in kinds.into_iter().chain(more) {
        let setting = Setting::pasting();
        setting.server.with_instance(|instance| {
            for path in BESIDE {
                instance.add_fault(Fault { path: path.to_owned(), ..Fault::new(kind).unwrap() });
            }
        });
        let (done, took) = log_in(&setting);
        assert!(took < Duration::from_millis(1_500), "{kind}: {took:?}");
        assert_eq!(end(&done), (LIFE, KnownBy::Derived), "{kind}");
        assert_eq!(concerns(&done), Vec::<String>::new(), "{kind}");
        assert_eq!(done.user.unwrap().name(), Some("abel.tuter"), "{kind}");
        assert!(done.unverified.is_none(), "{kind}");
    }
}

#[test]
fn a_server_that_knows_no_such_table_is_as_good_as_any() {
    for (status, body) in [
        (400, r#"{"error":{"message":"Invalid table oauth_entity","detail":null}}"#),
        (401, r#"{"error":{"message":"User Not Authenticated"}}"#),
        (403, r#"{"error":{"message":"Insufficient rights"}}"#),
        (404, "<html>"),
        (200, "<html>"),
        (200, r#"{"result":[{"sys_id":"x","user_name":"admin"}]}"#),
        (200, r#"{"result":{"client_id":"x"}}"#),
    ] {
        let setting = Setting::pasting();
        setting.server.with_instance(|instance| {
            for path in BESIDE {
                let answer = http::Response::builder().status(status);
                instance.script(path, answer.body(body.as_bytes().to_vec()).unwrap());
            }
        });
        let (done, _) = log_in(&setting);
        assert_eq!(end(&done), (LIFE, KnownBy::Derived), "{status} {body}");
        assert!(done.unverified.is_none() && done.user.is_some(), "{status} {body}");
        assert_eq!(concerns(&done), Vec::<String>::new(), "{status} {body}");
    }
}

/// The proof comes first: where it fails, nothing else counts.
#[test]
fn without_proof_nothing_is_learnt() {
    let setting = Setting::pasting();
    let broken = Fault { path: USER.to_owned(), ..Fault::new("unavailable").unwrap() };
    setting.server.with_instance(|instance| instance.add_fault(broken));
    let (done, _) = log_in(&setting);
    assert!(done.unverified.is_some());
    assert_eq!(end(&done).1, KnownBy::Derived);
}

/// Where nobody says whose token it is, rows of users are nobody's.
#[test]
fn rows_are_not_believed_without_knowing_the_user() {
    let setting = Setting::pasting().knob("api.current_user", "missing");
    let (done, _) = log_in(&setting);
    assert!(done.unverified.is_none() && done.user.is_none());
    assert_eq!(end(&done).1, KnownBy::Derived);
    let setting = Setting::pasting().knob("api.current_user", "missing");
    set(&setting, &[("api.clients", "everybody")]);
    let (done, _) = log_in(&setting);
    assert_eq!(end(&done).1, KnownBy::Stated, "the client is known");
}
