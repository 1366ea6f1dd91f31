//! Hooks as a person meets them: what they are told, what they never learn, and what they cannot do
//! to the command that runs them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::canary::Scanner;
use crate::support::instance::{Instance, PROFILE, log_in};
use crate::support::process::{Outcome, Running};
use crate::support::sandbox::{BINARY, Sandbox};
use crate::support::stand_in::StandIn;

/// What this person's environment holds and no hook may see.
const CANARIES: [(&str, &str); 7] = [
    ("SNOWTOKEN_CLIENT_SECRET", "canary-in-the-client-secret-variable"),
    ("SNOWTOKEN_KEY_COMMAND", "echo canary-in-the-key-command-variable"),
    ("SNOWTOKEN_PASSPHRASE_FILE", "/canary/in/the/passphrase/file/variable"),
    ("SNOWTOKEN_ACCESS_TOKEN", "canary-in-the-access-token-variable"),
    ("ALL_PROXY", "http://me:canary-of-the-proxy-password@127.0.0.1:1"),
    ("AWS_SECRET_ACCESS_KEY", "canary-of-somebody-else-entirely"),
    ("SSH_AUTH_SOCK", "/canary/socket/of/an/agent"),
];

/// What a hook may find besides what it is told.
const PASSED_ON: [&str; 7] = ["PATH", "HOME", "TMPDIR", "SNOWTOKEN_HOME", "PWD", "_", "SHLVL"];

fn logged_in(hooks: &str) -> (StandIn, Sandbox) {
    let (server, sandbox) = (StandIn::with(&["refresh.access=new-each-time"]), Sandbox::new());
    log_in(&sandbox, &server);
    let path = sandbox.keep().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    let hooks = hooks.replace("FILES", &sandbox.path("files").display().to_string());
    fs::write(&path, format!("{text}\n[hooks]\n{hooks}\n")).unwrap();
    (server, sandbox)
}

/// Runs it with everything in its environment that a careless program would pass on.
fn run(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    let mut command = sandbox.command(arguments);
    command.envs(CANARIES);
    Running::start(command).finish()
}

fn file(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.path("files").join(name)).unwrap_or_default()
}

fn secrets(server: &StandIn, sandbox: &Sandbox) -> Scanner {
    let mut scanner = Scanner::of(&[("client secret", &server.client_secret())]);
    for (name, value) in CANARIES {
        scanner.add(name, value);
    }
    for request in server.token_requests() {
        for name in ["code", "code_verifier", "refresh_token", "token"] {
            if let Some(value) = request.field(name) {
                scanner.add(name, &value);
            }
        }
    }
    for request in server.api_requests() {
        for (_, value) in request.headers {
            if let Some(token) = value.strip_prefix("Bearer ") {
                scanner.add("access token", token);
            }
        }
    }
    if let Some(token) = sandbox.run(&["token", PROFILE]).stdout.strip_suffix('\n') {
        scanner.add("access token", token);
    }
    scanner
}

const DUMP: &str = r"'''
    env >>FILES/env; tr '\0' '\n' </proc/$$/cmdline >>FILES/argv; cat >>FILES/stdin'''";

#[test]
fn a_hook_is_told_what_happened_and_learns_no_secret() {
    let hooks = format!("refreshed = {DUMP}\nrevoked = {DUMP}\nrejected = {DUMP}");
    let (server, sandbox) = logged_in(&hooks);
    run(&sandbox, &["refresh", PROFILE]).ok();
    let scanner = secrets(&server, &sandbox);
    run(&sandbox, &["revoke", PROFILE]).ok();
    log_in(&sandbox, &server);
    server.end_all_tokens();
    run(&sandbox, &["refresh", PROFILE]).ended_with(&[4]);
    let again = secrets(&server, &sandbox);
    for name in ["env", "argv", "stdin"] {
        let text = file(&sandbox, name);
        assert!(!text.is_empty(), "{name}");
        let found = [scanner.scan(text.as_bytes()), again.scan(text.as_bytes())].concat();
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
    let told: Vec<Value> =
        file(&sandbox, "stdin").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let hooks: Vec<&str> = told.iter().map(|json| json["hook"].as_str().unwrap()).collect();
    assert_eq!(hooks, ["refreshed", "revoked", "rejected"]);
    for json in &told {
        assert_eq!(json["version"], 1);
        assert_eq!(
            (json["profile"].as_str(), json["user"].as_str()),
            (Some("p"), Some("abel.tuter"))
        );
        assert_eq!(json["instance"], server.origin());
    }
    assert_eq!(told[0]["change"], "new access token, the refresh token stays");
    assert_eq!(told[1]["refresh_token_expires_at"], Value::Null, "it is over");
    assert_eq!(told[2]["refresh_token_expiry_known_by"], "stated");
}

#[test]
fn a_hook_finds_the_documented_variables_and_no_others() {
    let (server, sandbox) = logged_in(&format!("refreshed = {DUMP}"));
    run(&sandbox, &["refresh", PROFILE]).ok();
    let text = file(&sandbox, "env");
    let mut found: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once('=')).collect();
    found.retain(|name, _| !PASSED_ON.contains(name));
    let json: Value = serde_json::from_str(&file(&sandbox, "stdin")).unwrap();
    let expected = [
        ("SNOWTOKEN_HOOK", "refreshed"),
        ("SNOWTOKEN_PROFILE", PROFILE),
        ("SNOWTOKEN_INSTANCE", &server.origin()),
        ("SNOWTOKEN_TARGET", "nice-knowledge-hub"),
        ("SNOWTOKEN_USER", "abel.tuter"),
        ("SNOWTOKEN_AT", json["at"].as_str().unwrap()),
        ("SNOWTOKEN_CHANGE", "new access token, the refresh token stays"),
        ("SNOWTOKEN_ACCESS_TOKEN_EXPIRES_AT", json["access_token_expires_at"].as_str().unwrap()),
        ("SNOWTOKEN_DEADLINE", json["refresh_token_expires_at"].as_str().unwrap()),
        ("SNOWTOKEN_DEADLINE_KNOWN_BY", "stated"),
        ("SNOWTOKEN_DAYS_LEFT", &json["days_left"].to_string()),
    ];
    assert_eq!(found, BTreeMap::from(expected));
}

#[test]
fn a_hook_comes_after_the_change_and_can_work_with_it() {
    let line = format!("'{BINARY}' token >FILES/token; '{BINARY}' refresh 2>>FILES/refreshed");
    let (server, sandbox) = logged_in(&format!("refreshed = '''{line}'''"));
    let before = server.token_requests().len();
    let first = sandbox.run(&["token", PROFILE, "--min-valid", "60m"]);
    let token = file(&sandbox, "token");
    assert!(!token.is_empty() && !first.stdout.contains(&token), "{first:#?}");
    // Its own refresh runs no hook again: two requests, not one after the other for ever.
    assert_eq!(file(&sandbox, "refreshed").matches("p: new access token").count(), 1);
    assert_eq!(server.token_requests().len(), before + 2);
}

#[test]
fn a_hook_that_fails_or_forks_is_a_warning_or_nothing() {
    let (_server, sandbox) = logged_in("refreshed = 'echo out; echo err >&2; exit 3'");
    let outcome = sandbox.run(&["refresh", PROFILE, "--json"]).ok();
    assert_eq!(outcome.json()["access_token"], "new");
    let warning =
        "warning: the hook `refreshed` for profile \"p\" failed: it ended with exit status: 3\n";
    assert!(outcome.stderr.ends_with(warning), "{outcome:#?}");
    assert!(!outcome.stderr.contains("err\n"), "{outcome:#?}");
    let mut command = sandbox.command(&["refresh", PROFILE]);
    command.env("SNOWTOKEN_LOG", "debug");
    let outcome = Running::start(command).finish().ok();
    assert!(
        outcome.stderr.contains("\nout\n") && outcome.stderr.contains("\nerr\n"),
        "{outcome:#?}"
    );
    assert_eq!(outcome.stdout, "");

    let (_server, sandbox) = logged_in("refreshed = 'sleep 20 & exit 0'");
    let started = Instant::now();
    let outcome = sandbox.run(&["refresh", PROFILE]).ok();
    assert!(started.elapsed() < Duration::from_secs(8), "{outcome:#?}");
    assert!(!outcome.stderr.contains("warning"), "{outcome:#?}");
}

#[test]
fn a_hook_that_hangs_is_ended_after_half_a_minute() {
    if std::env::var("SNOWTOKEN_TEST_COUNTS").as_deref() != Ok("full") {
        // The same with a shorter patience: errand::tests::what_hangs_is_ended_with_all_it_started.
        return;
    }
    let line = "trap \"\" TERM; (while :; do echo x >>FILES/alive; sleep 0.1; done) & wait";
    let (_server, sandbox) = logged_in(&format!("refreshed = '''{line}'''"));
    let started = Instant::now();
    let outcome = sandbox.run(&["refresh", PROFILE]).ok();
    assert!((29..40).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert!(outcome.stderr.ends_with("it did not end within 30 s and was ended\n"), "{outcome:#?}");
    let before = file(&sandbox, "alive").len();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(file(&sandbox, "alive").len(), before, "something of it still runs");
}

#[test]
fn a_hook_that_hangs_keeps_the_keeper_from_nothing() {
    let knobs = ["refresh.access=new-each-time", "lifespan.access=4", "expires_in.fresh=full"];
    let (server, sandbox) = (StandIn::with(&knobs), Sandbox::new());
    log_in(&sandbox, &server);
    let path = sandbox.keep().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}\n[hooks]\nrefreshed = 'sleep 25'\n")).unwrap();
    let keeper = sandbox.start(&["keep"]);
    let often = |text: &str| (text.matches("p: refreshed: ").count() >= 3).then_some(());
    keeper.stderr.wait(Duration::from_secs(20), often).expect("it goes on");
    let started = Instant::now();
    let pid = rustix::process::Pid::from_raw(i32::try_from(keeper.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let outcome = keeper.finish().ok();
    assert!(started.elapsed() < Duration::from_secs(14), "{:?}", started.elapsed());
    assert!(outcome.stderr.contains("warning: the hook `refreshed`"), "{outcome:#?}");
}

#[test]
fn hooks_that_others_could_have_written_are_not_run() {
    let (_server, sandbox) = logged_in("refreshed = 'echo x >>FILES/ran'");
    let path = sandbox.keep().join("config.toml");
    // A file that others may write is not even read.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    sandbox.run(&["refresh", PROFILE]).failed_with(&[2]);
    // One that others could put in its place is read, and nothing in it is run.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(sandbox.keep(), fs::Permissions::from_mode(0o777)).unwrap();
    let outcome = sandbox.run(&["refresh", PROFILE]).ok();
    let warning = format!(
        "warning: hooks are not run: {} can be changed by others (mode 0777): chmod go-w\n",
        sandbox.keep().display()
    );
    assert!(outcome.stderr.ends_with(&warning), "{outcome:#?}");
    assert_eq!(file(&sandbox, "ran"), "");
    fs::set_permissions(sandbox.keep(), fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.run(&["refresh", PROFILE]).ok();
    assert_eq!(file(&sandbox, "ran"), "x\n");
}

#[test]
fn a_hook_is_run_before_a_program_takes_over() {
    let (_server, sandbox) = logged_in("refreshed = 'sleep 0.2; echo hook >>FILES/order'");
    let program = format!("echo program >>'{}'", sandbox.path("files/order").display());
    // The instance gives no token that lives an hour: the refresh is made, the program is not run.
    let long = ["exec", PROFILE, "--min-valid", "60m", "--", "sh", "-c", &program];
    sandbox.run(&long).failed_with(&[1, 5]);
    assert_eq!(file(&sandbox, "order"), "hook\n");
    // Half an hour less a second is the most it gives; what is there has less left by now.
    std::thread::sleep(Duration::from_secs(2));
    let most = ["exec", PROFILE, "--min-valid", "1798s", "--", "sh", "-c", &program];
    sandbox.run(&most).ok();
    assert_eq!(file(&sandbox, "order"), "hook\nhook\nprogram\n");
}

#[test]
fn a_misspelt_hook_is_noticed_and_its_line_is_not_shown() {
    let (_server, sandbox) = logged_in("refershed = 'canary-of-a-line'");
    let (outcome, code) = sandbox.run(&["refresh", PROFILE]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("config-invalid"));
    assert!(outcome.stderr.contains("hooks.refershed: there is no such key"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("canary"), "{outcome:#?}");
}

#[test]
fn programs_of_the_persons_own_find_no_secret_of_ours_in_their_environment() {
    let (server, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &server);
    let secrets = [
        ("SNOWTOKEN_CLIENT_SECRET", "canary-in-the-client-secret-variable"),
        ("SNOWTOKEN_ADMIN_PASSWORD", "canary-in-the-password-variable"),
    ];
    let mut command = sandbox.command(&["exec", PROFILE, "--", "env"]);
    command.envs(secrets);
    let seen = Running::start(command).finish().ok().stdout;
    assert!(seen.contains("SNOWTOKEN_ACCESS_TOKEN=") && !seen.contains("canary"), "{seen}");

    let (key, place) = (sandbox.path("key/store.key"), sandbox.path("files/environment"));
    let line = format!("env >'{}'; cat '{}'", place.display(), key.display());
    let mut command = sandbox.command(&["token", PROFILE]);
    command.env_remove("SNOWTOKEN_KEY_FILE").env("SNOWTOKEN_KEY_COMMAND", line).envs(secrets);
    let outcome = Running::start(command).finish();
    let seen = file(&sandbox, "environment");
    assert!(seen.contains("SNOWTOKEN_HOME=") && !seen.contains("canary"), "{seen} {outcome:#?}");
}
