//! The moments between an answer that was read and tokens that cannot be lost any more (G7), and the
//! order in which things become durable (G11).

use std::ops::Range;

use super::strace::Call;
use super::{Scene, counts, report};
use crate::support::instance::PROFILE;

/// The calls after the answer was read, up to the sync that makes its tokens durable.
pub(crate) fn from_answer_to_durable(calls: &[Call]) -> Option<Range<usize>> {
    let answer = calls
        .iter()
        .rposition(|call| call.name == "recvfrom" && call.text.contains("\"HTTP/1.1 200"))?;
    let sync = calls[answer..].iter().rposition(is_sync)?;
    Some(answer + 1..answer + sync + 1)
}

fn is_sync(call: &Call) -> bool {
    ["fsync", "fdatasync"].contains(&call.name.as_str())
}

/// What happens to the store's files, in few words; `None` for everything else.
fn step(call: &Call) -> Option<&'static str> {
    let (journal, database) = (call.is_about("tokens.db-journal"), call.is_about("tokens.db"));
    let folder = call.is_about("keep/store");
    match call.name.as_str() {
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
    let wanted = [&CHANGE[..], &["send"], &CHANGE, &["hand out"]].concat();
    for _ in 0..counts(20, 100) {
        let calls = scene.trace(&["token", PROFILE, "--min-valid", "10m"]);
        assert_eq!(steps(&calls), wanted);
    }
}

#[test]
fn g7_few_calls_lie_between_an_answer_and_its_tokens_on_the_disk() {
    let scene = Scene::logged_in(&["refresh.access=new-each-time"]);
    let calls = scene.trace(&["refresh", PROFILE]);
    let window = from_answer_to_durable(&calls).unwrap();
    report(format!("{} calls from the answer to its last sync", window.len()));
    assert!(window.len() <= 90, "{}", window.len());
}
