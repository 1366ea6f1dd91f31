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

/// Words that stand where an address of ours would, each alone, behind and before what is there.
fn guesses() -> Vec<String> {
    const NAMES: [&str; 24] = [
        "admin",
        "api",
        "v1",
        "login",
        "config",
        "backup",
        "debug",
        "metrics",
        "health",
        "status",
        ".env",
        ".git/config",
        ".well-known/oauth-authorization-server",
        "favicon.ico",
        "robots.txt",
        "index.html",
        "wizard.json",
        "tokens.db",
        "config.toml",
        "server-status",
        "actuator",
        "graphql",
        "swagger.json",
        "%2e%2e/%2e%2e/etc/passwd",
    ];
    const ODD: [&str; 12] =
        ["..", "%00", "%0d%0a", "%ff", "%c0%ae", ";", "~", "*", "%25", "%5c", "//", "{{7*7}}"];
    let ours = ["", "look", "file", "done", "journey", "copy", "bye", "enter"];
    let mut all: Vec<String> = NAMES.iter().map(ToString::to_string).collect();
    for own in ours {
        let odd = ODD.iter().chain(&NAMES);
        all.extend(odd.flat_map(|odd| {
            [format!("{own}/{odd}"), format!("{odd}/{own}"), format!("{own}{odd}")]
        }));
        all.extend(
            ["~", ".bak", ".json", ".old", "/", "/.", "/x/y"].map(|end| format!("{own}{end}")),
        );
    }
    all
}

/// W15, W22: addresses guessed by somebody who was let in, by another's hand.
#[test]
fn w22_ffuf_finds_no_page_that_is_not_ours_and_no_fault() {
    let wizard = Wizard::start();
    let folder = tempfile::tempdir().unwrap();
    let (list, report) = (folder.path().join("list.txt"), folder.path().join("report.json"));
    let guesses = guesses();
    std::fs::write(&list, guesses.join("\n")).unwrap();
    let mut command = Command::new("ffuf");
    command.env("HOME", folder.path()).current_dir(folder.path());
    command.args(["-s", "-t", "8", "-mc", "all", "-of", "json", "-o"]).arg(&report);
    command.arg("-w").arg(&list).args(["-u", &format!("http://{}/FUZZ", wizard.host())]);
    command.args(["-H", &format!("Cookie: {}", wizard.cookie())]);
    let outcome = run(&mut command);
    let read = std::fs::read(&report).unwrap_or_else(|e| panic!("{e}: {outcome:?}"));
    let report: Value = serde_json::from_slice(&read).unwrap();
    let answers = report["results"].as_array().unwrap();
    assert!(answers.len() > guesses.len() * 9 / 10, "{} of {}", answers.len(), guesses.len());
    let odd: Vec<_> = answers
        .iter()
        .map(|one| (one["status"].as_u64().unwrap(), one["input"]["FUZZ"].as_str().unwrap()))
        .filter(|(status, _)| ![400, 403, 404, 414].contains(status))
        .collect();
    assert_eq!(odd, [], "an address that nobody made");
}

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
