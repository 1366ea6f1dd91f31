//! Calls that the kernel refuses (G9), writes that are cut short and syncs that fail (G10): what was
//! stored stays, nothing is handed out that is not stored, and the failure is told as what it is.

use std::time::{Duration, Instant};

use super::strace::{self, Call, Point};
use super::window::from_answer_to_stored;
use super::{Scene, counts, report};
use crate::support::instance::{Instance as _, PROFILE};
use crate::support::process::{Outcome, Running};
use crate::support::sandbox::BINARY;

const ERRNOS: [&str; 8] =
    ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EMFILE", "EINTR", "EFBIG"];

/// Calls on the way to the disk.
const WRITE_PATH: [&str; 18] = [
    "openat",
    "pwrite64",
    "fsync",
    "fdatasync",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "ftruncate",
    "fchmod",
    "fchown",
    "close",
    "fcntl",
    "mkdir",
    "flock",
];

/// Calls that a signal may interrupt, and that are made again then.
const INTERRUPTIBLE: [&str; 2] = ["openat", "pwrite64"];

const KNOBS: &[&str] = &["refresh.access=new-each-time", "lifespan.access=600"];

/// Refreshes whatever is stored, and hands it out.
const TOKEN: &[&str] = &["token", PROFILE, "--min-valid", "10m"];

/// Longer than every patience of a command.
const LIMIT: Duration = Duration::from_secs(35);

/// The places on the way to the files that are kept.
fn on_the_write_path(calls: &[Call]) -> Vec<Point> {
    strace::points(calls.iter().filter(|call| {
        WRITE_PATH.contains(&call.name.as_str()) && call.text.contains("/keep/store")
    }))
}

/// Runs it with something injected; a refusal keeps its form, and what is handed out is stored.
fn refused(scene: &Scene, inject: &str, arguments: &[&str]) -> Outcome {
    refused_at(scene, &["-e", inject], arguments)
}

fn refused_at(scene: &Scene, options: &[&str], arguments: &[&str]) -> Outcome {
    let inject = options[1];
    let (command, log) = scene.strace(options, arguments);
    let start = Instant::now();
    let outcome = Running::start(command).finish();
    let _ = std::fs::remove_file(log);
    let context = format!("{inject}: {outcome:#?}");
    assert!(start.elapsed() < LIMIT, "{:?}: {context}", start.elapsed());
    scene.assert_tidy(inject);
    let stored = scene.sandbox.run(&["token", PROFILE]);
    assert_eq!(stored.code, Some(0), "{context} then {stored:#?}");
    if outcome.code == Some(0) {
        assert_eq!(outcome.token(), stored.token(), "handed out and not stored: {context}");
    } else {
        assert!(matches!(outcome.code, Some(5 | 6)), "{context}");
        assert_eq!(outcome.stdout, "", "{context}");
        assert!(
            outcome.stderr.contains("error: ") && outcome.stderr.contains("\ncode: "),
            "{context}"
        );
    }
    assert!(scene.instance.is_alive(&stored.token()), "{context}");
    let next = scene.sandbox.run(&["refresh", PROFILE]);
    assert_eq!(next.code, Some(0), "{context} then {next:#?}");
    outcome
}

#[test]
fn g9_a_call_that_is_refused_once_loses_nothing() {
    let scene = Scene::logged_in(KNOBS);
    let points = on_the_write_path(&scene.trace(TOKEN));
    let (mut runs, mut told) = (0, 0);
    for (index, point) in points.iter().enumerate() {
        let all: Vec<&str> = (0..counts(1, 8)).map(|n| ERRNOS[(index + n) % 8]).collect();
        for errno in all {
            let outcome = refused(&scene, &point.inject(&format!("error={errno}")), TOKEN);
            runs += 1;
            told += usize::from(outcome.code != Some(0));
            if errno == "EINTR" && INTERRUPTIBLE.contains(&point.call.as_str()) {
                assert_eq!(outcome.code, Some(0), "{point:?} was not made again: {outcome:#?}");
            }
        }
    }
    report(format!("{} places, {runs} refusals, {told} told", points.len()));
    assert!(points.len() > 80 && told > 10, "{} places, {told} told", points.len());
    scene.sandbox.run(&["doctor"]).ok();
}

#[test]
fn g9_a_place_for_answers_that_is_refused_is_done_without() {
    let scene = Scene::logged_in(KNOBS);
    scene.sandbox.run(TOKEN).ok();
    let place = scene.sandbox.keep().join(format!("store/answers/{PROFILE}.answer"));
    for (call, nth) in [("write", 1), ("write", 2), ("fdatasync", 1), ("lseek", 1)] {
        for errno in ERRNOS {
            let inject = format!("inject={call}:error={errno}:when={nth}");
            let options = ["-e", &inject, "-P", place.to_str().unwrap()];
            // The database takes the tokens all the same.
            let outcome = refused_at(&scene, &options, TOKEN);
            assert_eq!(outcome.code, Some(0), "{inject}: {outcome:#?}");
        }
    }
}

#[test]
fn g9_a_disk_that_refuses_from_now_on_is_told_as_what_it_is() {
    let scene = Scene::logged_in(KNOBS);
    let reasons = [
        ("ENOSPC", "store-full", "no room left"),
        ("EDQUOT", "store-full", "quota is used up"),
        ("EFBIG", "store-full", "limit of this process for the size of a file"),
        ("EIO", "store-unreadable", "Input/output error"),
        ("EROFS", "store-read-only", "cannot be written"),
        ("EACCES", "store-read-only", "cannot be written"),
    ];
    for (errno, code, words) in reasons {
        for call in ["pwrite64", "fsync"] {
            let asked = scene.instance.token_requests().len();
            let inject = format!("inject={call}:error={errno}:when=1+");
            let outcome = refused(&scene, &inject, TOKEN);
            // One more is that of the command afterwards: the refused one sent nothing.
            assert_eq!(scene.instance.token_requests().len(), asked + 1, "{inject}: {outcome:#?}");
            let (outcome, told) = outcome.failed_with(&[6]);
            if call == "pwrite64" {
                assert_eq!(told.as_deref(), Some(code), "{inject}: {outcome:#?}");
                assert!(outcome.stderr.contains(words), "{inject}: {outcome:#?}");
            }
        }
    }
}

/// The command with a limit of the kernel.
fn limited(scene: &Scene, limit: &str) -> Outcome {
    let mut command = scene.sandbox.program("sh");
    // Without the signal, so that the write itself fails.
    let script = format!("trap '' XFSZ; exec prlimit {limit} -- \"$0\" \"$@\"");
    command.args(["-c", &script, BINARY]).args(TOKEN);
    let outcome = Running::start(command).finish();
    scene.assert_tidy(limit);
    outcome
}

#[test]
fn g9_too_few_open_files_are_told_and_lose_nothing() {
    let scene = Scene::logged_in(KNOBS);
    let mut told = 0;
    for most in 5..24 {
        let outcome = limited(&scene, &format!("--nofile={most}"));
        let stored = scene.sandbox.run(&["token", PROFILE]).ok().token();
        assert!(scene.instance.is_alive(&stored), "{most}");
        if outcome.code == Some(0) {
            assert_eq!(outcome.token(), stored, "{most}");
        } else if outcome.stderr.contains("error while loading shared libraries") {
            continue; // It never came to run.
        } else {
            let is_of_the_transport = outcome.stderr.contains("the sending thread failed");
            outcome.failed_with(if is_of_the_transport { &[70] } else { &[1, 2, 5, 6] });
            told += 1;
        }
        scene.sandbox.run(&["refresh", PROFILE]).ok();
    }
    assert!(told > 3, "{told}");
}

#[test]
fn g9_an_answer_that_cannot_be_stored_is_kept_and_stored_by_the_next_command() {
    let scene = Scene::logged_in(&[KNOBS, &["refresh.token=rotate"]].concat());
    let calls = scene.trace(TOKEN);
    let stored = from_answer_to_stored(&calls).unwrap();
    let first = calls[stored].iter().find(|call| call.name == "pwrite64").unwrap();
    for errno in ["ENOSPC", "EDQUOT", "EIO"] {
        let inject = format!("inject=pwrite64:error={errno}:when={}+", first.nth);
        let (command, _log) = scene.strace(&["-e", &inject], TOKEN);
        let (told, _) = Running::start(command).finish().failed_with(&[6]);
        assert!(!told.stderr.contains("lost"), "{told:#?}");
        scene.assert_tidy(&inject);
        let asked = scene.instance.token_requests().len();
        let outcome = scene.sandbox.run(&["refresh", PROFILE]).ok();
        // One request, with the refresh token that came in the answer: the old one is dead.
        assert_eq!(scene.instance.token_requests().len(), asked + 1, "{outcome:#?}");
        let token = scene.sandbox.run(&["token", PROFILE]).ok().token();
        assert!(scene.instance.is_alive(&token));
    }
}

#[test]
fn g10_writes_that_are_cut_short_lose_nothing() {
    let scene = Scene::logged_in(KNOBS);
    let mut told = 0;
    // The journal grows from nothing, the database is longer than all of these: a limit for the size
    // of a file cuts writes where the kernel does it.
    let lengths =
        [1, 511, 512, 513, 516, 4095, 4096, 4097, 4612, 8191, 8192, 8193, 20_479, 24_576, 40_959];
    let more: Vec<u32> = (0..counts(8, 400)).map(|n| 97 + n * 113).collect();
    for length in lengths.into_iter().chain(more) {
        let outcome = limited(&scene, &format!("--fsize={length}"));
        let stored = scene.sandbox.run(&["token", PROFILE]).ok().token();
        if outcome.code == Some(0) {
            assert_eq!(outcome.token(), stored, "{length}");
        } else {
            let (outcome, code) = outcome.failed_with(&[6]);
            assert_eq!(code.as_deref(), Some("store-full"), "{length}: {outcome:#?}");
            told += 1;
        }
        assert!(scene.instance.is_alive(&stored), "{length}");
        scene.sandbox.run(&["refresh", PROFILE]).ok();
    }
    assert!(told > 10, "{told}");
    scene.sandbox.run(&["doctor"]).ok();
}
