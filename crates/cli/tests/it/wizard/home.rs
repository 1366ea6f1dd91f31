//! What can be done with a connection that is there.

use std::time::Duration;

use super::{ID, NAME, SECRET, Walk};
use crate::support::instance::{Instance as _, paste};

/// Somebody who has tokens, and has closed the wizard.
fn connected(steps: &[&str]) -> (Walk, serde_json::Value) {
    let walk = Walk::new(true);
    let first = ["where", "way", "apply", "made", "allow", "proof", "handOver"];
    let report = walk.killed_after(&[&first, steps].concat());
    (walk, report)
}

fn token(walk: &Walk) -> String {
    walk.sandbox.run(&["token", NAME]).ok().token()
}

#[test]
fn a_connection_is_tried_looked_at_and_handed_over_again() {
    let (_walk, report) = connected(&["profile", "verify", "doctor", "profile", "toHandOver"]);
    assert!(report["verified"].as_str().unwrap().contains("abel.tuter"), "{report:#}");
    let doctor = report["doctor"].as_str().unwrap();
    assert!(!doctor.contains("in the way"), "{doctor}");
    assert_eq!(report["drawings"], 1, "{doctor}");
}

#[test]
fn tokens_are_ended_by_whoever_is_sure() {
    let (walk, report) = connected(&["profile", "notSure"]);
    assert_eq!(report["failure"], "");
    let before = token(&walk);
    assert!(walk.instance.is_alive(&before));
    let report = walk.killed_after(&["profile", "revoke"]);
    assert!(!walk.instance.is_alive(&before));
    let page = report["revoked"].as_str().unwrap();
    assert!(page.contains("There are no tokens."), "{page}");
    assert!(!page.contains("Try the tokens"), "{page}");
    walk.killed_after(&["profile", "again", "proof"]);
    assert!(walk.instance.is_alive(&token(&walk)));
}

#[test]
fn signing_in_again_brings_new_tokens_and_somebody_else_changes_nothing() {
    let (mut walk, _) = connected(&[]);
    let before = token(&walk);
    walk.instance.employ("beth.anglin", "snow", &[]);
    walk.user = "beth.anglin";
    let report = walk.killed_after(&["profile", "again", "wrongUser"]);
    assert!(report["wrongUser"].as_str().unwrap().contains("another user than before"));
    assert_eq!(token(&walk), before, "the tokens of before are kept");
    assert!(walk.instance.is_alive(&before));
    walk.user = "abel.tuter";
    // While it lives, an instance gives the same one again.
    walk.instance.pass(Duration::from_mins(31));
    walk.killed_after(&["profile", "again", "proof", "handOver"]);
    let after = token(&walk);
    assert_ne!(after, before);
    assert!(walk.instance.is_alive(&after));
    // The page after it offers the file once more.
    assert_eq!(walk.sandbox.credential("Access Token"), after);
}

#[test]
fn the_new_user_is_taken_by_whoever_says_so() {
    let (mut walk, _) = connected(&[]);
    let before = token(&walk);
    walk.instance.employ("beth.anglin", "snow", &[]);
    walk.user = "beth.anglin";
    let report = walk.killed_after(&["profile", "again", "newUser", "proof"]);
    assert!(report["proof"].as_str().unwrap().contains("beth.anglin"), "{report:#}");
    let after = token(&walk);
    assert_ne!(after, before);
    assert!(walk.instance.is_alive(&after));
}

#[test]
fn a_sign_in_that_was_given_up_for_something_else_says_so() {
    let (mut walk, _) = connected(&[]);
    let before = token(&walk);
    // With a script the page would have begun anew by itself.
    walk.scripts = false;
    let report = walk.killed_after(&["profile", "signIn", "left", "allow", "proof"]);
    let left = report["left"].as_str().unwrap();
    assert!(left.contains("that sign-in was given up"), "{left}");
    assert!(walk.instance.is_alive(&before) && walk.instance.is_alive(&token(&walk)));
}

#[test]
fn whoever_comes_back_later_is_not_handed_what_has_ended() {
    let (walk, _) = connected(&[]);
    walk.instance.pass(Duration::from_mins(31));
    // By the time the browser is open, two seconds have gone by.
    walk.instance.set("lifespan.access=3");
    walk.sandbox.run(&["refresh", NAME]).ok();
    walk.instance.set("lifespan.access=0");
    let report = walk.killed_after(&["profile", "over"]);
    let page = report["over"].as_str().unwrap();
    assert!(!page.contains("has ended"), "{page}");
    assert!(walk.instance.is_alive(&token(&walk)));
}

/// Also when the tokens have been ended: the next ones need the secret that is stored.
#[test]
fn a_secret_that_nothing_has_proved_takes_the_place_of_none() {
    let (walk, _) = connected(&["profile", "revoke"]);
    // Nobody mends it: the stored one is there for the next sign-in, in the same run and in another.
    walk.killed_after(&["profile", "mistyped", "profile", "again", "proof"]);
    walk.killed_after(&["profile", "revoke", "mistyped"]);
    walk.killed_after(&["profile", "again", "proof"]);
    assert!(walk.instance.is_alive(&token(&walk)));
}

/// What was unproved when the wizard was closed may be at work when it is opened again.
#[test]
fn a_secret_that_was_proved_meanwhile_is_not_typed_over() {
    let walk = Walk::new(true);
    walk.register(ID, SECRET);
    walk.killed_after(&["where", "exists", "client"]);
    paste(walk.sandbox.start(&["login", NAME, "--no-browser"]), &walk.instance).ok();
    walk.killed_after(&["resume", "wrongSecret"]);
    walk.sandbox.run(&["refresh", NAME]).ok();
}

/// Whose tokens they are is not known while the instance does not say: those of before stay.
#[test]
fn tokens_of_nobody_knows_whom_take_the_place_of_none() {
    let (mut walk, _) = connected(&[]);
    let before = token(&walk);
    walk.instance.employ("beth.anglin", "snow", &[]);
    walk.user = "beth.anglin";
    walk.instance.set("fault.path=/api/now/ui/user/current_user");
    walk.instance.set("fault.kind=unavailable");
    walk.killed_after(&["profile", "again", "unknownUser"]);
    walk.instance.set("fault.kind=none");
    assert_eq!(token(&walk), before);
    assert!(walk.instance.is_alive(&before));
}

#[test]
fn the_doctor_says_what_is_in_the_way_and_every_button_of_it_leads_somewhere() {
    let (walk, _) = connected(&[]);
    walk.instance.set("fault.kind=asleep");
    let report = walk.killed_after(&["profile", "doctor", "why"]);
    let doctor = report["doctor"].as_str().unwrap();
    assert!(doctor.contains("in the way") && doctor.contains("What comes first:"), "{doctor}");
    assert_eq!(report["drawings"], 1);
    let diagnosis = report["diagnosis"].as_str().unwrap();
    assert!(diagnosis.contains("instance-asleep"), "{diagnosis}");
    let (led, away) = (report["led"].as_array().unwrap(), report["away"].as_array().unwrap());
    assert!(!led.is_empty(), "no button: {report:#}");
    for page in led {
        assert_eq!((&page["status"], &page["h1"]), (&200.into(), &1.into()), "{page}");
    }
    for place in away {
        assert!(place.as_str().unwrap().starts_with(&walk.instance.origin()), "{place}");
    }
}

/// Every fix of a diagnosis that the pages can do is a button there.
#[test]
fn a_secret_that_was_changed_on_the_instance_is_mended_from_its_diagnosis() {
    let (walk, _) = connected(&[]);
    let registered = walk.instance.registered();
    let [made] = &registered[..] else { panic!("not one client") };
    let mut made = made.clone();
    SECRET.clone_into(&mut made.client_secret);
    walk.instance.put(made);
    walk.instance.pass(Duration::from_mins(31));
    let report = walk.killed_after(&["profile", "mended", "allow", "proof"]);
    let diagnosis = report["refusedSecret"].as_str().unwrap();
    assert!(diagnosis.contains("Open Manage Tokens"), "{diagnosis}");
    assert!(walk.instance.is_alive(&token(&walk)));
    walk.sandbox.run(&["refresh", NAME]).ok();
}

/// What works goes on to work while somebody tries something else.
#[test]
fn a_wrong_secret_or_a_script_that_nobody_ran_leaves_the_tokens_at_work() {
    let (walk, _) = connected(&[]);
    let [made] = &walk.instance.registered()[..] else { panic!("not one client") };
    let (id, secret) = (made.client_id.clone(), made.client_secret.clone());
    walk.killed_after(&["anew", "where", "exists", "otherSecret", "refusedCode"]);
    walk.sandbox.run(&["refresh", NAME]).ok();
    let report = walk.killed_after(&["anew", "where", "script"]);
    let script = report["downloads"]["script"]["text"].as_str().unwrap();
    assert!(script.contains(&id) && script.contains(&secret), "another client is made");
    walk.sandbox.run(&["refresh", NAME]).ok();
}
