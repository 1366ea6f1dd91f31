//! Scanners that nobody in this project wrote: W22.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{CSRF, PATIENCE, Wizard, installed};

/// Runs a program to its end, which comes in time.
fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{e}; run `cargo xtask setup`"));
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > PATIENCE * 4 {
            let _ = child.kill();
            panic!("it does not end: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.wait_with_output().unwrap()
}

/// W22: a whole scan by somebody who was let in.
#[test]
fn w22_wapiti_finds_nothing() {
    let wizard = Wizard::start();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let mut command = Command::new(installed().join("wapiti/bin/wapiti"));
    command.env("HOME", folder.path());
    command.args([
        "-u",
        &format!("http://{}/", wizard.host()),
        "--scope",
        "folder",
        "--flush-session",
    ]);
    command.args(["--header", &format!("Cookie: {}", wizard.cookie())]);
    // As a browser says it, or no form would be looked at.
    command.args(["--header", &format!("Origin: http://{}", wizard.host())]);
    command.args(["--module", MODULES, "--max-scan-time", "120", "--max-attack-time", "40"]);
    command.args(["--no-bugreport", "--verbose", "1", "--format", "json", "--output"]).arg(&report);
    let outcome = run(&mut command);
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let read = std::fs::read(&report).unwrap_or_else(|e| panic!("{e}: {said}"));
    let report: Value = serde_json::from_slice(&read).unwrap();
    let found: Vec<String> = ["vulnerabilities", "anomalies"]
        .iter()
        .flat_map(|kind| report[kind].as_object().unwrap())
        .flat_map(|(name, all)| {
            let info = |one: &Value| format!("{name}: {} {}", one["path"], one["info"]);
            all.as_array().unwrap().iter().map(info).collect::<Vec<_>>()
        })
        // What the wizard is on purpose: HTTP, on an address that is nobody else's.
        .filter(|finding| !EXPECTED.iter().any(|expected| finding.contains(expected)))
        .collect();
    assert_eq!(found, [""; 0], "{said}");
    let (reads, writes) = wizard.log.counts();
    assert!(reads > 10 && writes > 10, "it was let in: {:?}", wizard.log.counts());
}

/// Those that need no other server. That for CSRF is not among them: it names a form's media type
/// twice, is refused with and without our token, and takes that for the same; W5 looks at the token.
const MODULES: &str = "cookieflags,crlf,csp,exec,file,htaccess,http_headers,ldap,methods,permanentxss,redirect,sql,xss,xxe";

const EXPECTED: [&str; 2] = ["Strict-Transport-Security", "Secure flag is not set"];

/// W13, W22: slow heads, slow bodies, slow reading, by another's hand.
#[test]
fn w22_slowhttptest_does_not_keep_a_visit_waiting() {
    let wizard = Wizard::start();
    let folder = tempfile::tempdir().unwrap();
    for attack in ["-H", "-B", "-X"] {
        let mut command = Command::new("slowhttptest");
        command.current_dir(folder.path());
        command.args([attack, "-c", "400", "-r", "400", "-i", "2", "-l", "6", "-p", "2", "-u"]);
        command.arg(format!("http://{}/", wizard.host()));
        let attacker = std::thread::spawn(move || run(&mut command));
        let mut visits = 0;
        while !attacker.is_finished() {
            let began = Instant::now();
            assert_eq!(wizard.ask("GET", "/", &[]).status, 200);
            let stored = wizard.post("/journey", &format!("csrf={CSRF}&client_secret=x"), &[]);
            assert_eq!(stored.status, 303);
            assert!(began.elapsed() < Duration::from_secs(2), "{attack}: {:?}", began.elapsed());
            visits += 1;
            std::thread::sleep(Duration::from_millis(100));
        }
        let said = attacker.join().unwrap();
        assert!(visits > 5, "{attack} {visits}: {}", String::from_utf8_lossy(&said.stdout));
    }
}
