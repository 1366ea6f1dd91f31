//! `keep` as a real process against the stand-in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::instance::{Instance, PROFILE, log_in};
use crate::support::process::{PATIENCE, Running};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// An instance whose access tokens are new each time and live this long.
fn living_for(seconds: u32) -> StandIn {
    StandIn::with(&[
        &format!("lifespan.access={seconds}"),
        "refresh.access=new-each-time",
        "expires_in.fresh=full",
    ])
}

fn signal(running: &Running, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(running.pid()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Waits until a word was said so often.
fn said(running: &Running, word: &str, times: usize) {
    let found =
        running.stderr.wait(PATIENCE, |text| (text.matches(word).count() >= times).then_some(()));
    assert!(found.is_some(), "not {times} × {word:?}:\n{}", running.stderr.text());
}

/// A program that stands for `notify-send` and writes down what it was told.
fn with_desktop(sandbox: &Sandbox, script: &str) -> Running {
    let path = sandbox.path("bin/notify-send");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = sandbox.command(&["keep"]);
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    Running::start(command)
}

fn noting(sandbox: &Sandbox) -> String {
    format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{}'\n", sandbox.path("notices").display())
}

#[test]
fn it_refreshes_ahead_of_time_and_ends_well_when_told() {
    let (server, sandbox) = (living_for(5), Sandbox::new());
    log_in(&sandbox, &server);
    let keeper = sandbox.start(&["keep"]);
    said(&keeper, "p: refreshed: ", 2);
    // Whoever needs a token finds a living one, and asks nobody.
    let asked = server.token_requests().len();
    let token = sandbox.run(&["token", PROFILE]).ok();
    assert_eq!(server.token_requests().len(), asked, "the keeper was late");
    assert!(server.is_alive(&token.token()));
    signal(&keeper, Signal::TERM);
    let outcome = keeper.finish().ok();
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.starts_with("keeping 1 of 1 profiles alive\n"), "{outcome:#?}");
    let line = outcome.stderr.lines().nth(1).unwrap();
    assert!(
        line.starts_with("p: refreshed: new access token, the refresh token stays; "),
        "{line}"
    );
    assert!(line.ends_with(": the access token is about to expire"), "{line}");
    assert!(!sandbox.opened().exists(), "it opened a browser");
    assert!(!outcome.said().contains(&token.token()));
}

#[test]
fn a_login_while_it_runs_is_picked_up_and_so_is_a_logout() {
    let (server, sandbox) = (living_for(8), Sandbox::new());
    let keeper = sandbox.start(&["keep"]);
    said(&keeper, "keeping 0 of 0 profiles alive\n", 1);
    log_in(&sandbox, &server);
    said(&keeper, "p: changed by somebody else; next refresh in ", 1);
    said(&keeper, "p: refreshed: ", 1);
    sandbox.run(&["logout", PROFILE]).ok();
    said(&keeper, "p: nothing to keep any more", 1);
    let asked = server.token_requests().len();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(server.token_requests().len(), asked);
    signal(&keeper, Signal::INT);
    keeper.finish().ok();
}

#[test]
fn there_is_one_of_them_and_a_killed_one_delays_nobody() {
    let (server, sandbox) = (living_for(900), Sandbox::new());
    log_in(&sandbox, &server);
    let first = sandbox.start(&["keep"]);
    said(&first, "keeping 1 of 1 profiles alive\n", 1);
    let (second, code) = sandbox.run(&["keep"]).failed_with(&[5]);
    assert_eq!(code.as_deref(), Some("keeper-running"), "{second:#?}");
    first.kill();
    let started = Instant::now();
    let third = sandbox.start(&["keep"]);
    said(&third, "keeping 1 of 1 profiles alive\n", 1);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    // Killed in the middle of a request, it leaves nothing that holds up the next.
    server.set("fault.kind=stall");
    server.set("fault.path=/oauth_token.do");
    let refresh = sandbox.start(&["refresh", PROFILE]);
    while server.token_requests().len() < 2 {
        std::thread::sleep(Duration::from_millis(10));
    }
    refresh.kill();
    third.kill();
    server.set("fault.kind=none");
    let started = Instant::now();
    sandbox.run(&["keep", "--once"]).ok();
    sandbox.run(&["token", PROFILE]).ok();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_dead_refresh_token_raises_a_request_and_opens_no_browser() {
    let (server, sandbox) = (living_for(5), Sandbox::new());
    log_in(&sandbox, &server);
    let hook = sandbox.path("hook");
    let line =
        format!("printf '%s ' \"$SNOWTOKEN_HOOK\" \"$SNOWTOKEN_PROFILE\" >>'{}'", hook.display());
    add_hooks(&sandbox, &format!("rejected = {}", toml(&line)));
    let keeper = with_desktop(&sandbox, &noting(&sandbox));
    server.end_all_tokens();
    said(&keeper, "p: a person must log in: run `snowtoken login p`", 1);
    let notices = sandbox.path("notices");
    wait_for(|| fs::read_to_string(&notices).is_ok_and(|text| text.contains("login p")));
    wait_for(|| hook.exists());
    let status = sandbox.run(&["status"]).ok();
    assert!(status.stdout.contains("a person must log in"), "{status:#?}");
    // Nobody is asked again and again: one refusal, and one serial retry.
    std::thread::sleep(Duration::from_secs(2));
    let refused = server.token_requests().len();
    signal(&keeper, Signal::TERM);
    let outcome = keeper.finish().ok();
    assert_eq!(outcome.stderr.matches("a person must log in").count(), 1, "{outcome:#?}");
    assert_eq!(fs::read_to_string(&hook).unwrap(), "rejected p ");
    let told = fs::read_to_string(&notices).unwrap();
    let expected = "--app-name=snowtoken\n--icon=dialog-password\n--\nsnowtoken: p needs a login\n";
    assert!(told.starts_with(expected), "{told}");
    assert!(!sandbox.opened().exists(), "it opened a browser");
    // A round says the same to a script, and asks nobody.
    let round = sandbox.run(&["keep", "--once"]).ended_with(&[4]);
    assert!(round.stderr.contains("p: a person must log in"), "{round:#?}");
    assert_eq!(server.token_requests().len(), refused);
}

#[test]
fn a_desktop_that_hangs_holds_up_nothing() {
    let (server, sandbox) = (living_for(4), Sandbox::new());
    log_in(&sandbox, &server);
    let keeper = with_desktop(&sandbox, "#!/bin/sh\nsleep 20\n");
    server.end_all_tokens();
    said(&keeper, "p: a person must log in", 1);
    let started = Instant::now();
    signal(&keeper, Signal::TERM);
    keeper.finish().ok();
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[test]
fn an_end_that_comes_near_is_told_once() {
    // A day and some seconds: the threshold of a day is crossed while it runs.
    let (server, sandbox) = (StandIn::with(&["lifespan.refresh=86404"]), Sandbox::new());
    log_in(&sandbox, &server);
    let hook = sandbox.path("hook");
    let line = format!(
        "printf '%s %s\\n' \"$SNOWTOKEN_DAYS_LEFT\" \"$SNOWTOKEN_THRESHOLD_DAYS\" >>'{}'",
        hook.display()
    );
    add_hooks(&sandbox, &format!("deadline = {}", toml(&line)));
    let keeper = with_desktop(&sandbox, &noting(&sandbox));
    said(&keeper, "p: the refresh token ends within a day (", 1);
    wait_for(|| hook.exists() && sandbox.path("notices").exists());
    signal(&keeper, Signal::TERM);
    keeper.finish().ok();
    let again = sandbox.run(&["keep", "--once"]).ok();
    assert_eq!(again.stderr, "keeping 1 of 1 profiles alive\n");
    assert_eq!(fs::read_to_string(&hook).unwrap(), "0 1\n");
    let told = fs::read_to_string(sandbox.path("notices")).unwrap();
    assert!(told.contains("snowtoken: p needs a login soon"), "{told}");
}

#[test]
fn notifications_can_be_left_out() {
    for (flag, setting) in
        [(&["keep", "--no-notify", "--once"][..], ""), (&["keep", "--once"], "notify = false")]
    {
        let (server, sandbox) = (living_for(900), Sandbox::new());
        log_in(&sandbox, &server);
        if !setting.is_empty() {
            add_hooks(&sandbox, setting);
        }
        server.end_all_tokens();
        sandbox.run(&["refresh", PROFILE]).ended_with(&[4]);
        let path = sandbox.path("bin/notify-send");
        fs::write(&path, noting(&sandbox)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let run = |arguments: &[&str]| {
            let mut command = sandbox.command(arguments);
            command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
            Running::start(command).finish().ended_with(&[4])
        };
        run(flag);
        assert!(!sandbox.path("notices").exists(), "{flag:?} {setting}");
        if setting.is_empty() {
            run(&["keep", "--once"]);
            assert!(sandbox.path("notices").exists(), "the desktop is blind");
        }
    }
}

#[test]
fn an_instance_that_is_down_is_tried_again_and_a_round_says_so() {
    let (server, sandbox) = (living_for(3), Sandbox::new());
    log_in(&sandbox, &server);
    server.set("fault.kind=offline");
    server.set("fault.path=/oauth_token.do");
    std::thread::sleep(Duration::from_secs(3));
    let round = sandbox.run(&["keep", "--once"]).ended_with(&[5]);
    assert!(round.stderr.contains("p: not refreshed: "), "{round:#?}");
    assert!(round.stderr.contains("(code: instance-"), "{round:#?}");
    let keeper = sandbox.start(&["keep"]);
    said(&keeper, "p: not refreshed: ", 1);
    server.set("fault.kind=none");
    said(&keeper, "p: refreshed: ", 1);
    signal(&keeper, Signal::TERM);
    keeper.finish().ok();
}

#[test]
fn a_configuration_that_breaks_is_told_once_and_what_is_known_goes_on() {
    let (server, sandbox) = (living_for(5), Sandbox::new());
    log_in(&sandbox, &server);
    let keeper = sandbox.start(&["keep"]);
    said(&keeper, "p: refreshed: ", 1);
    let path = sandbox.keep().join("config.toml");
    let good = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{good}\n[nonsense]\n")).unwrap();
    signal(&keeper, Signal::HUP);
    said(&keeper, "warning: ", 1);
    let so_far = keeper.stderr.text().matches("p: refreshed: ").count();
    said(&keeper, "p: refreshed: ", so_far + 1);
    fs::write(&path, good).unwrap();
    signal(&keeper, Signal::HUP);
    said(&keeper, "configuration and store can be used again\n", 1);
    signal(&keeper, Signal::TERM);
    let outcome = keeper.finish().ok();
    assert_eq!(outcome.stderr.matches("warning: ").count(), 1, "{outcome:#?}");
    assert!(outcome.stderr.contains("unknown entry \"nonsense\""), "{outcome:#?}");
    // Broken from the start, it is a failure.
    fs::write(&path, "[nonsense]\n").unwrap();
    let (_, code) = sandbox.run(&["keep"]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("config-invalid"));
}

#[test]
fn it_is_named_where_people_look() {
    let sandbox = Sandbox::new();
    let overview = sandbox.run(&[] as &[&str]).ended_with(&[2]);
    assert!(overview.stderr.contains("\n  snowtoken keep "), "{overview:#?}");
    assert_eq!(overview.stderr.lines().count(), 10, "{overview:#?}");
    assert!(sandbox.run(&["--help"]).ok().stdout.contains("\n  keep "));
}

fn toml(line: &str) -> String {
    format!("'''{line}'''")
}

fn add_hooks(sandbox: &Sandbox, lines: &str) {
    let path = sandbox.keep().join("config.toml");
    let text = fs::read_to_string(&path).unwrap_or_default();
    fs::write(&path, format!("{text}\n[hooks]\n{lines}\n")).unwrap();
}

fn wait_for(done: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "it never happened");
        std::thread::sleep(Duration::from_millis(10));
    }
}
