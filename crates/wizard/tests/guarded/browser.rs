//! A real Chromium: W2, W3, W7, W8, W21, V1, V2, and that the form works with and without a script.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::site::CANARY;
use crate::support::{CSRF, ENTRY, SESSION, Wizard, node, scripts};

const SECRET: &str = "canary-of-the-form-4Kz8";

/// The browser's driver, which stops where it is told to be watched.
struct Driver {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Driver {
    fn start(task: &Value, profile: &Path) -> Self {
        let mut command = Command::new(node());
        command.arg(scripts().join("wizard-attacks.mjs")).arg(task.to_string());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", profile);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("node; run `cargo xtask setup`");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn hears(&mut self) -> String {
        self.lines.next().expect("the browser failed (`cargo xtask setup`?)").unwrap()
    }

    fn goes_on(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every file below a folder that holds one of these texts, in UTF-8 or UTF-16.
fn files_with(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, texts));
        } else if let Ok(bytes) = std::fs::read(&path) {
            for text in texts {
                let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                let holds = |what: &[u8]| bytes.windows(what.len()).any(|own| own == what);
                if holds(text.as_bytes()) || holds(&wide) {
                    found.push(format!("{text} in {}", path.display()));
                }
            }
        }
    }
    found
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn w2_w3_w7_w8_w21_in_a_real_browser() {
    let wizard = Wizard::start();
    let profile = tempfile::tempdir().unwrap();
    let task = json!({
        "port": wizard.port(), "link": wizard.running.link().expose(), "profile": profile.path(),
        "secret": SECRET, "session": SESSION,
        // Even a page that has guessed the forms' token gets nowhere.
        "csrf": CSRF,
    });
    let mut driver = Driver::start(&task, profile.path());
    assert_eq!(driver.hears(), "attacks begin");
    let before = wizard.log.counts();
    assert_eq!(*wizard.log.entered.lock().unwrap(), [SECRET]);
    driver.goes_on();
    assert_eq!(driver.hears(), "attacks are over");
    // W2, W3: whatever those pages did, the site was neither read nor written.
    assert_eq!(wizard.log.counts(), before);
    // The browser is closed: what is left of it on the disk. (The forms' token was told to the
    // attackers' pages, which are kept.)
    let secrets = [SECRET, CANARY, SESSION];
    assert_eq!(files_with(profile.path(), &secrets), [""; 0]);
    // The detector finds what is there.
    assert_ne!(files_with(profile.path(), &[&format!("127.0.0.1:{}", wizard.port())]), [""; 0]);
    // The address that it was led away from is in its history, and opens nothing any more.
    let target = format!("/enter?key={ENTRY}");
    let again = wizard.ask("GET", &target, &[("Cookie", ""), ("Sec-Fetch-Site", "none")]);
    assert_eq!((again.status, again.header("set-cookie")), (401, None));
    driver.goes_on();
    let report: Value = serde_json::from_str(&driver.hears()).unwrap();
    let written = wizard.log.entered.lock().unwrap().clone();
    assert_eq!(written, [SECRET.to_owned(), format!("{SECRET}-plain")]);
    assert_eq!(report["plain"], "Kept");
    own_visit(&wizard, &report);
    attacks(&report);
}

fn own_visit(wizard: &Wizard, report: &Value) {
    assert_eq!(report["clean"], format!("http://{}/", wizard.host()));
    let cookie = json!([{
        "name": format!("snowtoken-{}", wizard.port()),
        "httpOnly": true, "sameSite": "Strict", "expires": -1, "path": "/",
    }]);
    assert_eq!(report["cookies"], cookie);
    assert_eq!(report["visible"], "");
    // W3: our own page hides its origin, and what no page can forge says that it is ours.
    assert_eq!(report["sent"], json!({"origin": "null", "site": "same-origin", "referer": null}));
    // W8: going back shows an empty field.
    assert_eq!(report["back"]["fields"], json!([""]));
    assert!(!report["back"]["source"].as_str().unwrap().contains(SECRET));
    assert_eq!(report["copied"], CANARY);
    assert_eq!(report["saved"], "setup.sh");
    assert_eq!(report["complaints"], json!([]));
    // W6: the policy is one that the browser obeys.
    assert_eq!(report["blocked"]["ran"], false);
    let violations = texts(&report["blocked"]["violations"]);
    for directive in [
        "script-src-elem",
        "style-src-attr",
        "script-src-attr",
        "frame-src",
        "img-src",
        "connect-src",
    ] {
        assert!(violations.contains(&directive), "{directive}: {violations:?}");
    }
}

fn attacks(report: &Value) {
    assert_eq!(report["readable"], json!([]));
    // W7: frames stay blank.
    let frames = texts(&report["frames"]);
    assert!(!frames.is_empty());
    for frame in frames {
        assert!(!frame.contains("The client") && !frame.contains(CANARY), "{frame}");
    }
    for page in texts(&report["refused"]) {
        assert!(page.contains("Not for this browser"), "{page}");
    }
    // W2, V1.
    let rebound = report["rebound"].as_array().unwrap();
    let inside = report["inside"].as_array().unwrap();
    assert!(rebound.iter().all(|a| a["status"] == 421 || a["status"] == 0), "{rebound:?}");
    assert!(inside.iter().all(|answer| answer["status"] == 421), "{inside:?}");
    for answer in rebound.iter().chain(inside) {
        for secret in [CSRF, SESSION, CANARY] {
            assert!(!answer["text"].as_str().unwrap().contains(secret), "{answer}");
        }
    }
    assert!(report["misdirected"].as_str().unwrap().contains("Not for this browser"));
}
