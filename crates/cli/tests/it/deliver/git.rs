//! git asks, and programs that want one JSON object.

use std::fs;

use super::{deliver, logged_in};
use crate::support::instance::{Instance as _, PROFILE};
use crate::support::process::Running;
use crate::support::sandbox::{BINARY, Sandbox};

fn fill(sandbox: &Sandbox, question: &str) -> crate::support::process::Outcome {
    // The folder of the key is made by the first command.
    let helper = format!("!{BINARY} deliver {PROFILE} --format git-credential");
    let mut git = sandbox.program("git");
    git.args(["-c", "credential.interactive=false", "-c"])
        .arg(format!("credential.helper={helper}"))
        .args(["credential", "fill"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_ASKPASS", "/bin/false");
    let mut running = Running::start(git);
    running.write(question);
    running.close_stdin();
    running.finish()
}

fn question(origin: &str, more: &str) -> String {
    let (protocol, host) = origin.split_once("://").unwrap();
    format!("protocol={protocol}\nhost={host}\n{more}\n")
}

fn value<'a>(answer: &'a str, key: &str) -> Option<&'a str> {
    answer.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

#[test]
fn git_gets_a_living_token_for_the_instance_and_for_nobody_else() {
    let (instance, sandbox) = logged_in();
    let answer = fill(&sandbox, &question(&instance.origin(), "")).ok().stdout;
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    assert_eq!(value(&answer, "password"), Some(token.as_str()), "{answer}");
    assert_eq!(value(&answer, "username"), Some("abel.tuter"));
    // Older versions of git leave out what they do not know.
    let asked = question(&instance.origin(), "");
    let get = deliver(&["--format", "git-credential", "get"]);
    let answer = sandbox.run_fed(&get, &asked).ok().stdout;
    let end: i64 = value(&answer, "password_expiry_utc").unwrap().parse().unwrap();
    assert!(end > jiff::Timestamp::now().as_second());
    assert_eq!(value(&answer, "oauth_refresh_token"), None, "{answer}");
    let refresh_token = sandbox.run(&deliver(&["--field", "Refresh Token"])).ok().stdout;
    assert!(!refresh_token.is_empty() && !answer.contains(&refresh_token));
    let stranger = fill(&sandbox, &question("https://evil.example", ""));
    assert_ne!(stranger.code, Some(0), "{stranger:#?}");
    assert!(!stranger.said().contains(&token), "{stranger:#?}");
    let other_port = question("http://127.0.0.1:1", "");
    assert!(!fill(&sandbox, &other_port).said().contains(&token));
}

#[test]
fn git_that_takes_schemes_gets_a_bearer_credential() {
    let (instance, sandbox) = logged_in();
    let asked = question(&instance.origin(), "capability[]=authtype\n");
    let outcome = sandbox.run_fed(&deliver(&["--format", "git-credential", "get"]), &asked).ok();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    assert_eq!(value(&outcome.stdout, "authtype"), Some("Bearer"));
    assert_eq!(value(&outcome.stdout, "credential"), Some(token.as_str()));
    assert!(!outcome.stdout.contains("oauth_refresh_token"));
    for operation in ["store", "erase", "something-new"] {
        let quiet =
            sandbox.run_fed(&deliver(&["--format", "git-credential", operation]), &asked).ok();
        assert_eq!(quiet.said(), "");
    }
    sandbox.run(&deliver(&["--format", "json", "get"])).failed_with(&[2]);
}

#[test]
fn one_json_object_holds_a_living_token_or_the_command_fails() {
    let (instance, sandbox) = logged_in();
    instance.pass(std::time::Duration::from_secs(1));
    let found = sandbox.run(&deliver(&["--format", "token-json"])).ok().json();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    assert_eq!(
        (&found["Version"], found["AccessToken"].as_str()),
        (&1.into(), Some(token.as_str()))
    );
    sandbox.run(&["logout", PROFILE]).ok();
    let (outcome, _) = sandbox.run(&deliver(&["--format", "token-json"])).failed_with(&[4]);
    assert_eq!(outcome.stdout, "");
    assert!(fs::read_dir(sandbox.path("files")).unwrap().count() <= 1);
}
