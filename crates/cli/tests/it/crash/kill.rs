//! `kill -9` at the system calls of a command (G4, G7, G8): the next command goes on by itself.

use std::process::Command;
use std::time::{Duration, Instant};

use super::strace::{self, Call, Point};
use super::{Scene, counts, report};
use crate::support::instance::{Consent, Instance as _, PROFILE, first_login, words};
use crate::support::process::{Outcome, PATIENCE, Running, is_authorization_url, line};

/// Nobody waits longer for what somebody else left behind.
const SOON: Duration = Duration::from_secs(5);

/// With every refresh another access token, so that a lost one would be noticed.
const NEW: &str = "refresh.access=new-each-time";

/// A stand-in's day has many refreshes; each access token lives for ten minutes.
const SHORT: &str = "lifespan.access=600";

/// Refreshes whatever is stored: no token of ten minutes lives that long.
const TOKEN: &[&str] = &["token", PROFILE, "--min-valid", "10m"];

/// One command that is killed, and what may follow.
struct Case {
    knobs: &'static [&'static str],
    arguments: &'static [&'static str],
    /// Every so-manieth call is met where it matters less.
    step: usize,
    /// Whether the instance forgets a refresh token the moment it gives another one.
    may_lose: bool,
}

/// What a sweep has seen.
#[derive(Debug, Default)]
struct Tally {
    points: usize,
    killed: usize,
    /// The instance had given away what nobody could store: a new login was needed.
    lost: usize,
    slowest: Duration,
}

impl Case {
    fn sweep(&self) -> Tally {
        let scene = Scene::logged_in(self.knobs);
        let calls = scene.trace(self.arguments);
        let mut tally = Tally::default();
        for point in chosen(&calls, counts(self.step, 1)) {
            tally.points += 1;
            self.meet(&scene, &point, &mut tally);
        }
        report(format!("{:?} {:?}: {tally:?}", self.arguments, self.knobs));
        // Threads meet in another order each time: a few places are not there the second time.
        assert!(tally.killed * 10 >= tally.points * 9, "{tally:?}");
        tally
    }

    fn meet(&self, scene: &Scene, point: &Point, tally: &mut Tally) {
        let asked = scene.instance.token_requests().len();
        let killed = scene.killed_at(point, self.arguments);
        tally.killed += usize::from(killed.code.is_none());
        let answered = scene.instance.token_requests().len() > asked;
        scene.assert_tidy(&format!("{point:?}"));
        let start = Instant::now();
        let token = scene.sandbox.run(self.next());
        tally.slowest = tally.slowest.max(start.elapsed());
        let context = format!("{point:?}: {killed:#?} then {token:#?}");
        assert!(start.elapsed() < SOON, "{:?} after {context}", start.elapsed());
        let refreshed = match token.code {
            Some(0) => scene.sandbox.run(&["refresh", PROFILE]),
            _ => token.clone(),
        };
        if refreshed.code == Some(0) {
            let token = scene.sandbox.run(&["token", PROFILE]).ok().token();
            assert!(scene.instance.is_alive(&token), "{context}");
            return;
        }
        assert!(self.may_lose && answered, "{context} then {refreshed:#?}");
        let (told, code) = refreshed.failed_with(&[4]);
        assert_eq!(code.as_deref(), Some("token-refused"), "{told:#?}");
        assert!(told.stderr.contains(&format!("snowtoken login {PROFILE}")), "{told:#?}");
        tally.lost += 1;
        scene.log_in_again();
    }

    /// What somebody does next.
    fn next(&self) -> &'static [&'static str] {
        if self.arguments == TOKEN { TOKEN } else { &["token", PROFILE] }
    }
}

/// Every place between the answer and its last sync, and every so-manieth of the others.
fn chosen(calls: &[Call], step: usize) -> Vec<Point> {
    let window = super::window::from_answer_to_stored(calls).unwrap_or(0..0);
    let within = strace::points(&calls[window]);
    let mut others = strace::points(calls);
    others.retain(|point| !within.contains(point));
    others.into_iter().step_by(step).chain(within).collect()
}

#[test]
fn g4_a_refresh_killed_at_any_call_loses_nothing() {
    let case = Case { knobs: &[NEW], arguments: &["refresh", PROFILE], step: 4, may_lose: false };
    assert_eq!(case.sweep().lost, 0);
}

#[test]
fn g4_a_token_command_killed_at_any_call_of_its_refresh_loses_nothing() {
    let case = Case { knobs: &[NEW, SHORT], arguments: TOKEN, step: 4, may_lose: false };
    assert_eq!(case.sweep().lost, 0);
}

#[test]
fn g7_with_rotation_and_grace_a_kill_at_any_call_loses_nothing() {
    let knobs = &[NEW, "refresh.token=rotate", "refresh.replay=grace"];
    let case = Case { knobs, arguments: &["refresh", PROFILE], step: 6, may_lose: false };
    assert_eq!(case.sweep().lost, 0);
}

#[test]
fn g7_with_rotation_and_no_grace_only_an_answer_that_was_not_stored_is_lost_and_it_is_told() {
    let knobs = &[NEW, "refresh.token=rotate"];
    let case = Case { knobs, arguments: &["refresh", PROFILE], step: 6, may_lose: true };
    // Until one write and one sync are done, nobody can help: that many places there are.
    assert!(case.sweep().lost <= 25);
}

/// Goes through a login as far as it lives.
fn paste(scene: &Scene, command: Command) -> Outcome {
    let mut running = Running::start(command);
    let url = running.stderr.wait(PATIENCE, |text| line(text, is_authorization_url));
    if let Some(url) = url {
        let redirected = scene.instance.consent(&url, Consent::Allow);
        running.write(format!("{redirected}\n"));
    }
    running.finish()
}

#[test]
fn g8_a_first_login_killed_at_any_call_leaves_nothing_in_the_way() {
    let calls = {
        let scene = Scene::new(&[]);
        let arguments = scene.first_login();
        let (command, log) = scene.strace(&[], &refs(&arguments));
        paste(&scene, command).ok();
        strace::read(&log)
    };
    let (mut killed, mut points) = (0, 0);
    for point in strace::points(&calls).into_iter().step_by(counts(16, 1)) {
        let scene = Scene::new(&[]);
        let arguments = scene.first_login();
        let (command, _log) =
            scene.strace(&["-e", &point.inject("signal=KILL")], &refs(&arguments));
        killed += usize::from(paste(&scene, command).code.is_none());
        points += 1;
        scene.assert_tidy(&format!("{point:?}"));
        let start = Instant::now();
        let next = paste(&scene, scene.sandbox.command(&arguments));
        assert_eq!(next.code, Some(0), "{point:?}: {next:#?}");
        assert!(start.elapsed() < SOON, "{point:?}: {:?}", start.elapsed());
        let token = scene.sandbox.run(&["token", PROFILE]).ok().token();
        assert!(scene.instance.is_alive(&token), "{point:?}");
    }
    report(format!("first login: {points} points, {killed} killed"));
    assert!(killed * 10 >= points * 8, "{killed} of {points}");
}

#[test]
fn g8_a_second_login_killed_at_any_call_keeps_the_session() {
    let scene = Scene::logged_in(&[NEW]);
    let again = ["login", PROFILE, "--no-browser", "--no-output"];
    let (command, log) = scene.strace(&[], &again);
    paste(&scene, command).ok();
    let calls = strace::read(&log);
    let (mut killed, mut points) = (0, 0);
    for point in strace::points(&calls).into_iter().step_by(counts(16, 1)) {
        let (command, _log) = scene.strace(&["-e", &point.inject("signal=KILL")], &again);
        killed += usize::from(paste(&scene, command).code.is_none());
        points += 1;
        scene.assert_tidy(&format!("{point:?}"));
        let start = Instant::now();
        let token = scene.sandbox.run(&["token", PROFILE]);
        assert!(start.elapsed() < SOON, "{point:?}: {:?}", start.elapsed());
        assert_eq!(token.code, Some(0), "{point:?}: {token:#?}");
        assert!(scene.instance.is_alive(&token.token()), "{point:?}");
        scene.sandbox.run(&["refresh", PROFILE]).ok();
    }
    report(format!("second login: {points} points, {killed} killed"));
    assert!(killed * 10 >= points * 8, "{killed} of {points}");
}

#[test]
fn g8_a_revocation_killed_at_any_call_is_finished_by_the_next() {
    let scene = Scene::logged_in(&[]);
    let calls = scene.trace(&["revoke", PROFILE]);
    let (mut killed, mut points) = (0, 0);
    for point in strace::points(&calls).into_iter().step_by(counts(16, 1)) {
        scene.log_in_again();
        let token = scene.sandbox.run(&["token", PROFILE]).ok().token();
        killed += usize::from(scene.killed_at(&point, &["revoke", PROFILE]).code.is_none());
        points += 1;
        scene.assert_tidy(&format!("{point:?}"));
        let start = Instant::now();
        let next = scene.sandbox.run(&["revoke", PROFILE]);
        assert!(start.elapsed() < SOON, "{point:?}: {:?}", start.elapsed());
        assert_eq!(next.code, Some(0), "{point:?}: {next:#?}");
        assert!(!scene.instance.is_alive(&token), "{point:?}");
        scene.sandbox.run(&["token", PROFILE]).failed_with(&[4]);
    }
    report(format!("revoke: {points} points, {killed} killed"));
    assert!(killed * 10 >= points * 9, "{killed} of {points}");
}

fn refs(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

impl Scene {
    fn first_login(&self) -> Vec<String> {
        [first_login(&self.sandbox, &self.instance), words(&["--no-output"])].concat()
    }

    pub(super) fn killed_at(&self, point: &Point, arguments: &[&str]) -> Outcome {
        let (command, log) = self.strace(&["-e", &point.inject("signal=KILL")], arguments);
        let outcome = Running::start(command).finish();
        let _ = std::fs::remove_file(log);
        outcome
    }
}
