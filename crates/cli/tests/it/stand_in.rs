//! An instance on a bad day, and its odd habits: what no correct server would do and ServiceNow, or
//! the road to it, does.

use std::time::{Duration, Instant};

use crate::support::instance::{
    Consent, Instance, PROFILE, first_login, log_in, log_in_with, paste, words,
};
use crate::support::process::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

fn logged_in(knobs: &[&str]) -> (StandIn, Sandbox) {
    let (instance, sandbox) = (StandIn::with(knobs), Sandbox::new());
    log_in(&sandbox, &instance);
    (instance, sandbox)
}

/// A second login, wherever the instance sends the browser.
fn login_again(sandbox: &Sandbox, instance: &dyn Instance, consent: Consent) -> Outcome {
    let mut running = sandbox.start(&["login", PROFILE, "--no-browser"]);
    let redirected = instance.consent(&running.authorization_url(), consent);
    running.write(format!("{redirected}\n"));
    running.finish()
}

#[test]
fn the_first_journey_works_and_delivers() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let outcome = log_in_with(&sandbox, &instance, &["--json"]).ok();
    assert!(outcome.json()["user"].to_string().contains("bel"), "{outcome:#?}");
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    assert_eq!(token, sandbox.credential("Access Token"));
    assert!(instance.is_alive(&token));
    sandbox.run(&["verify", PROFILE]).ok();
    sandbox.run(&["logout", PROFILE]).ok();
    assert!(!instance.is_alive(&token));
}

#[test]
fn a_sleeping_instance_means_try_later_and_nothing_is_lost() {
    let (instance, sandbox) = logged_in(&[]);
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    instance.set("fault.kind=asleep");
    let (outcome, code) = sandbox.run(&["refresh", PROFILE]).failed_with(&[5]);
    assert_eq!(code.as_deref(), Some("instance-asleep"), "{outcome:#?}");
    assert!(outcome.stderr.contains("hint: "), "{outcome:#?}");
    sandbox.run(&["verify", PROFILE]).failed_with(&[5]);
    instance.set("fault.kind=none");
    sandbox.run(&["refresh", PROFILE]).ok();
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
    // A page that says nothing about tokens has ended none; whoever wanted them gone gets none
    // either, and finishes when the instance is awake.
    instance.set("fault.kind=asleep");
    sandbox.run(&["revoke", PROFILE]).failed_with(&[1, 5]);
    instance.set("fault.kind=none");
    assert!(instance.is_alive(&token));
    sandbox.run(&["token", PROFILE]).failed_with(&[4]);
    sandbox.run(&["revoke", PROFILE]).ok();
    assert!(!instance.is_alive(&token));
}

#[test]
fn whatever_goes_wrong_at_a_refresh_the_refresh_token_is_kept() {
    let kinds = [
        "offline",
        "bad-gateway",
        "bad-gateway-after",
        "unavailable",
        "cut",
        "reset",
        "login-page",
        "login-redirect",
        "truncated-json",
        "huge-body",
    ];
    let (instance, sandbox) = logged_in(&[]);
    for kind in kinds {
        instance.set(&format!("fault.kind={kind}"));
        let start = Instant::now();
        let outcome = sandbox.run(&["refresh", PROFILE]);
        assert!(matches!(outcome.code, Some(1 | 5)), "{kind}: {outcome:#?}");
        outcome.failed_with(&[1, 5]);
        assert!(start.elapsed() < Duration::from_secs(35), "{kind}: {:?}", start.elapsed());
        instance.set("fault.kind=none");
        let outcome = sandbox.run(&["refresh", PROFILE]);
        assert_eq!(outcome.code, Some(0), "after {kind}: {outcome:#?}");
    }
}

#[test]
fn an_answer_that_never_comes_ends_in_time() {
    let (instance, sandbox) = logged_in(&[]);
    for kind in ["stall", "drip"] {
        instance.set(&format!("fault.kind={kind}"));
        let start = Instant::now();
        sandbox.run(&["refresh", PROFILE]).failed_with(&[1, 5]);
        assert!(start.elapsed() < Duration::from_secs(35), "{kind}: {:?}", start.elapsed());
        instance.set("fault.kind=none");
        sandbox.run(&["refresh", PROFILE]).ok();
    }
}

#[test]
fn a_login_that_meets_a_fault_keeps_the_old_tokens_and_sends_no_code_twice() {
    let (instance, sandbox) = logged_in(&[]);
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    for kind in ["asleep", "bad-gateway", "reset", "truncated-json", "login-redirect"] {
        let mut running = sandbox.start(&["login", PROFILE, "--no-browser"]);
        let redirected = instance.consent(&running.authorization_url(), Consent::Allow);
        let asked = instance.token_requests().len();
        instance.set("fault.path=/oauth_token.do");
        instance.set(&format!("fault.kind={kind}"));
        running.write(format!("{redirected}\n"));
        let outcome = running.finish();
        assert!(matches!(outcome.code, Some(1 | 4 | 5)), "{kind}: {outcome:#?}");
        outcome.failed_with(&[1, 4, 5]);
        instance.set("fault.kind=none");
        assert!(instance.token_requests().len() <= asked + 1, "{kind}: the code was sent again");
        assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token, "{kind}");
    }
    login_again(&sandbox, &instance, Consent::Allow).ok();
}

#[test]
fn every_habit_of_a_refresh_is_taken_as_it_is() {
    for answer in ["same", "omit", "rotate", "empty"] {
        for access in ["same-while-valid", "new-each-time"] {
            let knobs = [format!("refresh.token={answer}"), format!("refresh.access={access}")];
            let knobs: Vec<&str> = knobs.iter().map(String::as_str).collect();
            let (instance, sandbox) = logged_in(&knobs);
            let first = sandbox.run(&["token", PROFILE]).ok().token();
            for _ in 0..3 {
                let asked = instance.token_requests().len();
                sandbox.run(&["refresh", PROFILE]).ok();
                assert_eq!(instance.token_requests().len(), asked + 1, "{knobs:?}");
            }
            let token = sandbox.run(&["token", PROFILE]).ok().token();
            assert!(instance.is_alive(&token), "{knobs:?}");
            assert_eq!(token == first, access == "same-while-valid", "{knobs:?}");
        }
    }
}

#[test]
fn the_same_token_again_is_told_as_such() {
    let (_instance, sandbox) = logged_in(&["refresh.access=same-while-valid"]);
    let outcome = sandbox.run(&["refresh", PROFILE]).ok();
    assert!(outcome.said().contains("same"), "{outcome:#?}");
    let (_instance, sandbox) = logged_in(&["refresh.access=new-each-time"]);
    let outcome = sandbox.run(&["refresh", PROFILE]).ok();
    assert!(outcome.said().contains("new access token"), "{outcome:#?}");
}

#[test]
fn a_redirect_without_its_state_is_refused() {
    for state in ["missing", "altered", "twice"] {
        let (instance, sandbox) = logged_in(&[]);
        let asked = instance.token_requests().len();
        instance.set(&format!("callback.state={state}"));
        login_again(&sandbox, &instance, Consent::Allow).failed_with(&[1, 2, 4]);
        assert_eq!(instance.token_requests().len(), asked, "{state}");
    }
}

#[test]
fn deny_is_understood_however_the_instance_tells_it() {
    for deny in ["redirect-error", "redirect-error-without-state", "redirect-bare"] {
        let (instance, sandbox) = logged_in(&[&format!("deny={deny}")]);
        let asked = instance.token_requests().len();
        let (outcome, code) =
            login_again(&sandbox, &instance, Consent::Deny).failed_with(&[1, 2, 4]);
        if deny == "redirect-error" {
            assert_eq!(code.as_deref(), Some("access-denied"), "{outcome:#?}");
        }
        assert_eq!(instance.token_requests().len(), asked, "{deny}");
        sandbox.run(&["token", PROFILE]).ok();
    }
}

#[test]
fn answers_that_are_no_token_are_refused_and_nothing_is_stored() {
    let broken = [
        "token.shape=array",
        "token.shape=null",
        "token.shape=no-access-token",
        "token.shape=empty-access-token",
        "token.type=missing",
        "token.type=mac",
        "token.content_type=html",
    ];
    for knob in broken {
        let (instance, sandbox) = (StandIn::with(&[knob]), Sandbox::new());
        let arguments = [first_login(&sandbox, &instance), words(&["--no-output"])].concat();
        let outcome = paste(sandbox.start(&arguments), &instance);
        // A wrong label on good content may be forgiven; a wrong content may not.
        if knob == "token.content_type=html" && outcome.code == Some(0) {
            continue;
        }
        assert!(matches!(outcome.code, Some(1 | 4 | 5)), "{knob}: {outcome:#?}");
        outcome.failed_with(&[1, 4, 5]);
        sandbox.run(&["token", PROFILE]).failed_with(&[2, 4]);
    }
}

#[test]
fn answers_that_are_only_odd_are_taken() {
    let odd = [
        "token.type=bearer",
        "token.type=BEARER",
        "token.members=unknown",
        "token.members=id_token",
        "token.shape=bom",
        "token.key_order=docs",
        "token.cookies=on",
        "expires_in.form=string",
        "expires_in.form=missing",
        "expires_in.form=null",
        "expires_in.form=huge",
        "scope.granted=missing",
        "scope.granted=narrower",
        "token.length=65536",
        "code.length=16384",
        "api.current_user=missing",
        "pkce=required",
        "callback.iss=present",
        "api.acl=no-rows",
    ];
    for knob in odd {
        let (instance, sandbox) = (StandIn::with(&[knob]), Sandbox::new());
        let arguments = [first_login(&sandbox, &instance), words(&["--no-output"])].concat();
        let outcome = paste(sandbox.start(&arguments), &instance);
        assert_eq!(outcome.code, Some(0), "{knob}: {outcome:#?}");
        assert!(instance.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()), "{knob}");
    }
}

#[test]
fn a_revocation_is_believed_only_when_it_is_seen_to_work() {
    for knob in ["revoke.effect=ignored", "revoke.status=404", "revoke.status=503"] {
        let (instance, sandbox) = logged_in(&[knob]);
        let token = sandbox.run(&["token", PROFILE]).ok().token();
        let outcome = sandbox.run(&["revoke", PROFILE]);
        assert!(matches!(outcome.code, Some(1 | 5)), "{knob}: {outcome:#?}");
        outcome.failed_with(&[1, 5]);
        assert!(instance.is_alive(&token), "{knob}");
    }
    for knob in ["revoke.status=204", "revoke.status=400", "revoke.body=html", "revoke.unknown=401"]
    {
        let (instance, sandbox) = logged_in(&[knob]);
        let token = sandbox.run(&["token", PROFILE]).ok().token();
        let outcome = sandbox.run(&["revoke", PROFILE]);
        assert_eq!(outcome.code, Some(0), "{knob}: {outcome:#?}");
        assert!(!instance.is_alive(&token), "{knob}");
        // Whoever was revoked once may be revoked again: nothing is left to do.
        sandbox.run(&["logout", PROFILE]).ok();
    }
}

#[test]
fn no_cookie_is_ever_sent() {
    let (instance, sandbox) = logged_in(&["cookies.set=on", "token.cookies=on"]);
    for verb in ["refresh", "verify", "revoke"] {
        sandbox.run(&[verb, PROFILE]).ok();
    }
    let own = |request: &crate::support::instance::Received| {
        request.target.starts_with("/api/") || request.method == "POST"
    };
    for request in instance.received().iter().filter(|r| own(r) && !r.is_to("/oauth_auth.do")) {
        let signs_in = request.target.contains("login");
        assert!(signs_in || !request.has_header("cookie"), "{request:#?}");
    }
}

#[test]
fn a_token_that_ended_on_the_instance_is_noticed_by_verify() {
    let (instance, sandbox) = logged_in(&[]);
    sandbox.run(&["verify", PROFILE]).ok();
    // A day passes there: the access token is over, whatever the clock here says.
    instance.pass(Duration::from_hours(24));
    let outcome = sandbox.run(&["verify", PROFILE]);
    assert!(matches!(outcome.code, Some(0 | 1 | 4)), "{outcome:#?}");
    if outcome.code == Some(0) {
        // It may refresh and prove the new one.
        assert!(instance.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()));
    }
    sandbox.run(&["refresh", PROFILE]).ok();
    assert!(instance.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()));
    // A hundred days later only a person can help.
    instance.pass(Duration::from_hours(24 * 101));
    sandbox.run(&["refresh", PROFILE]).failed_with(&[4]);
}
