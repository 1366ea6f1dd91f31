//! The proving call: its verdict is told, and never costs the tokens.

use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::token_set::User;
use snowtoken_stand_in::Fault;

use crate::support::logins::Setting;

const USER: &str = "/api/now/ui/user/current_user";
const TABLE: &str = "/api/now/table/kb_knowledge";

struct Verified {
    user: Option<User>,
    unverified: Option<Code>,
    calls: Vec<String>,
}

fn log_in(setting: &Setting) -> Verified {
    let done = setting.run(|hands| hands.paste(&hands.allow())).unwrap();
    assert!(!done.tokens.access_token.is_empty());
    let bearer = format!("Bearer {}", done.tokens.access_token.expose());
    let mut calls = Vec::new();
    for request in setting.server.requests() {
        if request.path().starts_with("/api/") {
            assert_eq!(request.header("authorization"), Some(&*bearer));
            assert_eq!((&*request.method, request.header("cookie")), ("GET", None));
            // What is asked beside the proving call proves nothing; see `learning`.
            if !crate::login::learning::is_beside(request.path()) {
                calls.push(request.path().to_owned());
            }
        }
    }
    Verified { user: done.user, unverified: done.unverified.map(|error| error.code()), calls }
}

fn script(setting: &Setting, path: &str, status: u16, body: &str) {
    let answer =
        http::Response::builder().status(status).header("content-type", "application/json");
    let answer = answer.body(body.as_bytes().to_vec()).unwrap();
    setting.server.with_instance(|instance| instance.script(path, answer));
}

#[test]
fn the_user_is_named() {
    let verified = log_in(&Setting::pasting());
    assert_eq!(verified.user.unwrap().name(), Some("abel.tuter"));
    assert_eq!((verified.unverified, verified.calls), (None, vec![USER.to_owned()]));
}

#[test]
fn without_that_call_a_record_proves_the_token() {
    let verified = log_in(&Setting::pasting().knob("api.current_user", "missing"));
    assert_eq!((verified.user, verified.unverified), (None, None));
    assert_eq!(verified.calls, [USER, TABLE]);
}

/// 401 and 403 are verdicts: no other call is tried.
#[test]
fn verdicts_are_final_and_the_tokens_stay() {
    let error = |detail: &str| {
        format!(r#"{{"error":{{"message":"x","detail":"{detail}"}},"status":"failure"}}"#)
    };
    for (status, body, expected) in [
        (401, error("Required to provide Auth information"), Code::NewTokenRefused),
        (401, "<html>".to_owned(), Code::NewTokenRefused),
        (403, error("Access to unscoped api is not allowed"), Code::ApiRestricted),
        (403, error("Missing required api access scope"), Code::ApiScopeMissing),
        (403, error("Failed API level ACL Validation"), Code::ApiAclRefused),
        (429, String::new(), Code::RateLimited),
        (503, String::new(), Code::InstanceBusy),
        (302, String::new(), Code::AnswerUnreadable),
        (200, "<title>Instance Hibernating page</title>".to_owned(), Code::InstanceAsleep),
        (200, "{}".to_owned(), Code::ApiUnexpected),
        (200, r#"{"result":[]}"#.to_owned(), Code::ApiUnexpected),
        (404, "<html>".to_owned(), Code::AnswerUnreadable),
        (400, "{}".to_owned(), Code::ApiUnexpected),
    ] {
        let setting = Setting::pasting();
        script(&setting, USER, status, &body);
        let verified = log_in(&setting);
        assert_eq!(verified.unverified, Some(expected), "{status} {body}");
        assert_eq!((verified.user, verified.calls), (None, vec![USER.to_owned()]), "{status}");
    }
}

#[test]
fn a_fallback_that_fails_proves_nothing() {
    for (status, body, expected) in [
        (404, "{}", Code::ApiUnexpected),
        (401, "{}", Code::NewTokenRefused),
        (403, "{}", Code::ApiForbidden),
        (200, r#"{"result":{"user_name":"x"}}"#, Code::ApiUnexpected),
    ] {
        let setting = Setting::pasting().knob("api.current_user", "missing");
        script(&setting, TABLE, status, body);
        let verified = log_in(&setting);
        assert_eq!(verified.unverified, Some(expected), "{status}");
        assert_eq!(verified.calls, [USER, TABLE], "{status}");
    }
}

#[test]
fn a_call_that_gets_no_answer_does_not_cost_the_tokens() {
    let setting = Setting::pasting();
    let fault = Fault { path: USER.to_owned(), ..Fault::new("cut").unwrap() };
    setting.server.with_instance(|instance| instance.add_fault(fault));
    let verified = log_in(&setting);
    assert_eq!(verified.unverified, Some(Code::ConnectionLost));
}

#[test]
fn verification_can_be_left_out() {
    let mut setting = Setting::pasting();
    setting.verify = false;
    let verified = log_in(&setting);
    assert_eq!((verified.user, verified.unverified), (None, None));
    assert!(verified.calls.is_empty());
}

/// No query that means a stranger where it is not understood.
#[test]
fn the_fallback_asks_for_one_record_and_no_person() {
    let setting = Setting::pasting().knob("api.current_user", "missing");
    log_in(&setting);
    let targets: Vec<String> =
        setting.server.requests().into_iter().map(|request| request.target).collect();
    assert!(targets.iter().all(|target| !target.contains("javascript")), "{targets:#?}");
    let proof = targets.iter().find(|target| target.starts_with(TABLE)).unwrap();
    assert_eq!(proof, &format!("{TABLE}?sysparm_limit=1&sysparm_fields=sys_id"));
}
