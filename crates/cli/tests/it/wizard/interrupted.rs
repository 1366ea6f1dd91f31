//! Interrupted at each step: the program is killed, or the tab is closed.

use super::{ID, SECRET, Walk};

/// Each of these is a program of its own in a browser of its own, killed when it is done.
fn killed_after_each(walk: &Walk, runs: &[&[&str]]) -> Vec<serde_json::Value> {
    runs.iter().map(|steps| walk.killed_after(steps)).collect()
}

#[test]
fn whoever_is_interrupted_goes_on_where_they_were() {
    let walk = Walk::new(true);
    killed_after_each(
        &walk,
        &[
            &["target"],
            &["resume", "place"],
            &["resume", "check"],
            &["resume", "way", "refused"],
            // The client is made, and nobody pressed the button that says so.
            &["resume", "apply"],
            &["resume", "apply", "made"],
            // Allow was pressed, and the program is gone before the address is pasted.
            &["resume", "allowed"],
            &["resume", "allow"],
            &["resume", "proof"],
        ],
    );
    walk.to_the_end(&["resume", "handOver", "done"]);
}

#[test]
fn ticks_and_a_typed_secret_outlive_the_program() {
    let walk = Walk::new(false);
    walk.register(ID, SECRET);
    let reports = killed_after_each(
        &walk,
        &[
            &["where", "eachClick", "halfTicked"],
            &["resume", "stillTicked", "allTicked"],
            &["resume", "client"],
            &["resume", "allow", "proof"],
        ],
    );
    assert_eq!(reports[0]["half"], 2);
    assert_eq!(reports[1]["still"], 2, "ticks that were made stay made");
    walk.to_the_end(&["resume", "handOver", "done"]);
}

#[test]
fn whoever_closes_the_tab_opens_another_and_goes_on() {
    let closed = ["closed", "resume"];
    let walk = Walk::new(true);
    let wizard = walk.wizard();
    let parts = [
        &["target"][..],
        &["place"],
        &["check"],
        &["way", "refused"],
        &["apply"],
        // What the instance was told is not asked again: the page that says so is still there.
        &["appliedStill", "made"],
        &["allowed"],
        // The address of before is as good as it was.
        &["pasted"],
        &["proof"],
    ];
    let steps = parts.map(|part| [part, &closed].concat()).concat();
    let report = walk.go(&wizard, &[&steps[..], &["handOver", "done"]].concat());
    wizard.finish().ok();
    walk.judge(&report);
}

#[test]
fn whoever_closes_the_browser_starts_the_wizard_again_and_goes_on() {
    let walk = Walk::new(true);
    walk.killed_after(&["where", "way", "apply", "made", "forgotten"]);
    walk.killed_after(&["resume", "allow", "proof", "forgotten"]);
    walk.to_the_end(&["resume", "handOver", "done"]);
}

#[test]
fn whoever_closes_the_tab_finds_the_script_and_the_ticks_again() {
    let walk = Walk::new(false);
    walk.register(ID, SECRET);
    let steps = [
        "where",
        "script",
        "closed",
        "resume",
        "scriptAgain",
        "back",
        "eachClick",
        "halfTicked",
        "closed",
        "resume",
        "stillTicked",
        "allTicked",
        "closed",
        "resume",
        "client",
        "closed",
        "resume",
        "allow",
        "proof",
        "handOver",
        "done",
    ];
    let report = walk.to_the_end(&steps);
    assert_eq!(report["still"], report["half"]);
    assert_eq!(report["downloads"]["script"], report["downloads"]["scriptAgain"]);
}
