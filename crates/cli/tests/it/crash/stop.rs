//! A command that was stopped (SIGSTOP) and holds what others need (G4): they are told in time, and
//! go on when it ends.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::strace::{self, Point};
use super::window::from_answer_to_stored;
use super::{Scene, counts, report};
use crate::support::instance::PROFILE;
use crate::support::process::{PATIENCE, Running};

/// Refreshes, whatever is stored.
const REFRESH: &[&str] = &["refresh", PROFILE];

/// Needs a refresh, whatever is stored: no token of ten minutes lives that long.
const TOKEN: &[&str] = &["token", PROFILE, "--min-valid", "10m"];

/// The wait for a lock, and the time it takes to start and to say so.
const LIMIT: Duration = Duration::from_secs(37);

fn signal(pid: &str, name: &str) {
    assert!(Command::new("kill").args([name, pid]).status().unwrap().success());
}

/// Waits until the log says which process it is about and grows no more.
fn stopped(log: &std::path::Path) -> String {
    let end = Instant::now() + PATIENCE;
    let mut seen = 0;
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let text = fs::read_to_string(log).unwrap_or_default();
        if text.len() > 100 && text.len() == seen {
            return text.split_whitespace().next().unwrap().to_owned();
        }
        seen = text.len();
        assert!(Instant::now() < end, "it does not stop");
    }
}

/// Stops a refresh there, and lets somebody else come.
fn meet(scene: &Scene, point: &Point) {
    let (command, log) = scene.strace(&["-e", &point.inject("signal=STOP")], REFRESH);
    let holder = Running::start(command);
    let pid = stopped(&log);
    let start = Instant::now();
    let other = scene.sandbox.run(TOKEN);
    let waited = start.elapsed();
    report(format!("{point:?}: {:?} after {waited:?}", other.code));
    assert!(waited < LIMIT, "{point:?}: {waited:?}");
    let (told, code) = other.failed_with(&[5]);
    let code = code.unwrap_or_default();
    assert!(["lock-timeout", "store-locked"].contains(&code.as_str()), "{point:?}: {told:#?}");
    // It goes on where it was, or dies there: either way nobody has to clean up.
    signal(&pid, "-CONT");
    holder.finish().ok();
    scene.sandbox.run(REFRESH).ok();
    let (command, log) = scene.strace(&["-e", &point.inject("signal=STOP")], REFRESH);
    let holder = Running::start(command);
    signal(&stopped(&log), "-KILL");
    holder.finish();
    let start = Instant::now();
    scene.sandbox.run(REFRESH).ok();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    scene.sandbox.run(&["doctor"]).ok();
}

#[test]
fn g4_behind_a_stopped_command_others_are_told_in_time() {
    let knobs = ["refresh.access=new-each-time", "lifespan.access=600"];
    let scene = Scene::logged_in(&knobs);
    scene.sandbox.run(REFRESH).ok();
    let calls = scene.trace(REFRESH);
    let stored = from_answer_to_stored(&calls).unwrap();
    // Just after the answer it holds the profile's lock, later the database as well.
    let all = strace::points(&calls[stored]);
    let some = counts(2, 12);
    let points: Vec<&Point> =
        (0..some).map(|n| &all[(all.len() - 1) * (2 * n + 1) / (2 * some)]).collect();
    std::thread::scope(|scope| {
        for point in points {
            scope.spawn(move || {
                let scene = Scene::logged_in(&knobs);
                scene.sandbox.run(REFRESH).ok();
                meet(&scene, point);
            });
        }
    });
}
