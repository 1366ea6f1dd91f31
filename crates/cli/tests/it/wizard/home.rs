//! What can be done with a connection that is there.

use super::{NAME, Walk};
use crate::support::instance::Instance as _;

/// Somebody who has tokens, and has closed the wizard.
fn connected(steps: &[&str]) -> (Walk, serde_json::Value) {
    let walk = Walk::new(true);
    let wizard = walk.wizard();
    let first = ["where", "way", "apply", "made", "allow", "proof", "handOver"];
    let report = walk.go(&wizard, &[&first, steps].concat());
    wizard.kill();
    (walk, report)
}

/// One more run of the wizard, with these steps.
fn next(walk: &Walk, steps: &[&str]) -> serde_json::Value {
    let wizard = walk.wizard();
    let report = walk.go(&wizard, steps);
    wizard.kill();
    report
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
    let report = next(&walk, &["profile", "revoke"]);
    assert!(!walk.instance.is_alive(&before));
    let page = report["revoked"].as_str().unwrap();
    assert!(page.contains("There are no tokens."), "{page}");
    assert!(!page.contains("Try the tokens"), "{page}");
    next(&walk, &["profile", "again", "proof"]);
    assert!(walk.instance.is_alive(&token(&walk)));
}
