//! The moments between an answer that was read and tokens that cannot be lost any more (G7), and the
//! order in which things become durable (G11).

use std::ops::Range;

use super::strace::Call;
use super::{Scene, counts, report};
use crate::support::instance::PROFILE;

/// The calls after the answer was read, up to the first sync: from there on it cannot be lost.
pub(crate) fn from_answer_to_safe(calls: &[Call]) -> Option<Range<usize>> {
    let answer = answer(calls)?;
    let sync = calls[answer..].iter().position(is_sync)?;
    Some(answer + 1..answer + sync + 1)
}

/// The same up to the last sync: its tokens are stored.
pub(crate) fn from_answer_to_stored(calls: &[Call]) -> Option<Range<usize>> {
    let answer = answer(calls)?;
    let sync = calls[answer..].iter().rposition(is_sync)?;
    Some(answer + 1..answer + sync + 1)
}

fn answer(calls: &[Call]) -> Option<usize> {
    let is_answer = |call: &Call| call.name == "recvfrom" && call.text.contains("\"HTTP/1.1 200");
    calls.iter().rposition(is_answer)
}

fn is_sync(call: &Call) -> bool {
    ["fsync", "fdatasync"].contains(&call.name.as_str())
}

/// What happens to the store's files, in few words; `None` for everything else.
fn step(call: &Call) -> Option<&'static str> {
    let (journal, database) = (call.is_about("tokens.db-journal"), call.is_about("tokens.db"));
    let folder = call.is_about("keep/store");
    match call.name.as_str() {
        "write" if call.is_about(".answer") => Some("write answer"),
        "fdatasync" if call.is_about(".answer") => Some("sync answer"),
        "pwrite64" if journal => Some("write journal"),
        "pwrite64" if database => Some("write database"),
        "fsync" | "fdatasync" if journal => Some("sync journal"),
        "fsync" | "fdatasync" if database => Some("sync database"),
        "fsync" | "fdatasync" if folder => Some("sync folder"),
        "unlink" if journal => Some("commit"),
        "sendto" | "sendmsg" | "writev" if call.text.contains("<socket:") => Some("send"),
        "write" if call.text.starts_with("1<") => Some("hand out"),
        _ => None,
    }
}

/// Each kind of step once, as long as it repeats.
fn steps(calls: &[Call]) -> Vec<&'static str> {
    let mut steps: Vec<&str> = calls.iter().filter_map(step).collect();
    steps.dedup();
    steps
}

/// How SQLite makes a change durable with a rollback journal and `synchronous = EXTRA`.
const CHANGE: [&str; 9] = [
    "write journal",
    "sync journal",
    "sync folder",
    "write journal",
    "sync journal",
    "write database",
    "sync database",
    "commit",
    "sync folder",
];

#[test]
fn g11_the_intent_is_durable_before_it_is_sent_and_the_tokens_before_they_are_handed_out() {
    let scene = Scene::logged_in(&["refresh.access=new-each-time", "lifespan.access=600"]);
    let secure = ["send", "write answer", "sync answer"];
    let wipe_and_hand_out = ["write answer", "hand out"];
    let wanted = [&CHANGE[..], &secure, &CHANGE, &wipe_and_hand_out].concat();
    // The first one makes the file for answers.
    scene.sandbox.run(&["refresh", PROFILE]).ok();
    for _ in 0..counts(20, 100) {
        let calls = scene.trace(&["token", PROFILE, "--min-valid", "10m"]);
        assert_eq!(steps(&calls), wanted);
    }
}

#[test]
fn g7_few_calls_lie_between_an_answer_and_its_tokens_on_the_disk() {
    let scene = Scene::logged_in(&["refresh.access=new-each-time"]);
    let calls = scene.trace(&["refresh", PROFILE]);
    let (safe, stored) =
        (from_answer_to_safe(&calls).unwrap(), from_answer_to_stored(&calls).unwrap());
    report(format!(
        "from the answer: {} calls until it is safe, {} until it is stored",
        safe.len(),
        stored.len()
    ));
    assert!(calls[safe.end - 1].is_about(".answer"), "{:#?}", &calls[safe]);
    assert!(safe.len() <= 25, "{:#?}", &calls[safe]);
}
