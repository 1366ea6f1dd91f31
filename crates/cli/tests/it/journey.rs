//! The tutorial, lived through: every command of `docs/guides/tutorial.md` is run in a terminal, as it
//! stands there, against the stand-in as a process; the page is written from what was shown.
//!
//! `SNOWTOKEN_WRITE_TUTORIAL=1` writes the page instead of comparing it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;
use snowtoken_stand_in::{Decision, Person};

use crate::support::canary::Scanner;
use crate::support::http;
use crate::support::instance::parameter;
use crate::support::process::is_authorization_url;
use crate::support::pty::{Terminal, plain};
use crate::support::sandbox::{BINARY, Sandbox};
use crate::support::transcript::Transcript;

const TEMPLATE: &str = "tests/it/journey/tutorial.in.md";
const PAGE: &str = "../../docs/guides/tutorial.md";
const WRITE: &str = "SNOWTOKEN_WRITE_TUTORIAL";
const AGAIN: &str = "SNOWTOKEN_WRITE_TUTORIAL=1 cargo test -p snowtoken-cli --test it journey::";
/// As the page says them: instance, its control port, and where the browser comes back to.
const PORTS: [u16; 3] = [8090, 8091, 8456];
const COLUMNS: u16 = 100;
/// What the password of everybody on the pretend instance is; the page says so.
const PASSWORD: &str = "snow";

/// What is typed in each window before anything else.
const PREPARE: [&str; 3] = [
    "mkdir -p -m 700 ~/practice; cd ~/practice",
    "export SNOWTOKEN_HOME=$HOME/practice/tokens",
    "export SNOWTOKEN_KEY_FILE=$HOME/practice/store.key",
];
const SETUP: &str = r"snowtoken setup practice --apply --instance http://127.0.0.1:8090 \
    --redirect-uri http://127.0.0.1:8456/callback --admin-user admin \
    --output servicenow_credentials.txt";
const ROTATE: &str = "snowtoken setup practice --rotate-secret --admin-user admin";
const REVOKE: &str = r#"curl http://127.0.0.1:8091/revoke \
    --data '{"client_id": "‹client ID›", "user": "abel.tuter"}'"#;

/// A newcomer with two windows: in one the pretend instance runs, in the other commands are typed.
struct Journey {
    sandbox: Sandbox,
    transcript: Transcript,
    stand_in: Option<Terminal>,
    control: String,
    /// What must not be read on the page.
    secrets: Vec<(String, String)>,
}

impl Journey {
    fn begin() -> Self {
        let sandbox = Sandbox::new();
        std::os::unix::fs::symlink(BINARY, sandbox.path("bin/snowtoken")).unwrap();
        let mut transcript = Transcript::begin(Timestamp::now());
        transcript.name(sandbox.home().display().to_string(), "/home/you");
        transcript.add("prepare", &PREPARE.join("\n$ "), "");
        let mut control = String::new();
        for (real, shown) in free_ports().into_iter().zip(PORTS) {
            transcript.name(format!("127.0.0.1:{real}"), format!("127.0.0.1:{shown}"));
            transcript.name(format!("127.0.0.1%3A{real}"), format!("127.0.0.1%3A{shown}"));
            transcript.name(format!("port {real}"), format!("port {shown}"));
            if shown == PORTS[1] {
                control = format!("http://127.0.0.1:{real}");
            }
        }
        Self { sandbox, transcript, stand_in: None, control, secrets: Vec::new() }
    }

    fn beside_an_instance() -> Self {
        for _ in 0..5 {
            let mut journey = Self::begin();
            if journey.instance_starts() {
                return journey;
            }
        }
        panic!("no port stays free");
    }

    /// Types a line of the page.
    fn start(&self, line: &str) -> Terminal {
        // The shell becomes the command, so that ending it ends the command.
        let mut shell = self.sandbox.program("/bin/sh");
        shell.env_remove("SNOWTOKEN_HOME").env_remove("SNOWTOKEN_KEY_FILE");
        let script = format!("{}; exec {}", PREPARE.join("; "), self.transcript.real(line));
        shell.arg("-c").arg(script);
        Terminal::start(&shell, COLUMNS)
    }

    /// What was shown, once it has ended with this code.
    #[track_caller]
    fn end(&mut self, step: &'static str, line: &str, terminal: Terminal, code: i32) -> String {
        let session = terminal.finish();
        let text = session.text();
        assert_eq!(session.code, Some(code), "{line}: {}", plain(&text));
        self.transcript.add(step, line, &text);
        plain(&text)
    }

    #[track_caller]
    fn run(&mut self, step: &'static str, line: &str, code: i32) -> String {
        let terminal = self.start(line);
        self.end(step, line, terminal, code)
    }

    fn hide(&mut self, secret: impl Into<String>, shown: &str) {
        let secret = secret.into();
        self.transcript.name(secret.clone(), shown);
        self.secrets.push((shown.to_owned(), secret));
    }

    /// Whether the instance runs: somebody else may have taken a port that was free.
    fn instance_starts(&mut self) -> bool {
        let line = "snowtoken stand-in --port 8090 --control-port 8091";
        let terminal = self.start(line);
        let ends = ["\"version\":1}", "code: port-busy"];
        let shown =
            terminal.wait(|text| ends.iter().any(|end| text.contains(end)).then(|| plain(text)));
        if shown.contains(ends[1]) {
            return false;
        }
        self.transcript.add("stand-in", line, &shown);
        self.stand_in = Some(terminal);
        for client in self.state()["clients"].as_array().unwrap() {
            self.transcript.name(client["client_id"].as_str().unwrap(), "‹another client ID›");
            let secret = client["client_secret"].as_str().unwrap();
            // Quotes and backslashes in it are escaped where it is shown.
            let quoted = client["client_secret"].to_string();
            self.transcript.name(quoted.trim_matches('"'), "‹its client secret›");
            self.hide(secret, "‹its client secret›");
        }
        let seed = self.state()["seed"].to_string();
        self.transcript.name(format!("\"seed\":{seed}"), "\"seed\":1");
        true
    }

    /// Ctrl-C in the first window.
    fn instance_ends(&mut self) {
        let mut terminal = self.stand_in.take().unwrap();
        terminal.keys("\x03");
        let session = terminal.finish();
        assert!(session.restored && session.code != Some(1), "{session:#?}");
    }

    fn state(&self) -> Value {
        serde_json::from_str(&http::get(&format!("{}/state", self.control)).body).unwrap()
    }

    /// Signs in and presses Allow where the terminal says; the browser then comes back by itself.
    fn consent(&mut self, terminal: &Terminal) {
        let url = terminal.wait(|text| {
            let text = plain(text);
            text.lines().find(|line| is_authorization_url(line)).map(str::to_owned)
        });
        for (name, shown) in [("state", "‹state›"), ("code_challenge", "‹code challenge›")]
        {
            let value = parameter(&url, name).unwrap();
            self.transcript.name(value, shown);
        }
        let client = parameter(&url, "client_id").unwrap();
        self.transcript.name(client, "‹client ID›");
        let redirected = Person::default().decide(&url, Decision::Allow).unwrap();
        assert!(http::get(&redirected).status < 400);
    }

    /// Types the administrator's password, unseen.
    fn password(terminal: &mut Terminal) {
        terminal.wait(|text| text.contains("Password of admin on ").then_some(()));
        assert!(!terminal.echoes());
        terminal.keys(format!("{PASSWORD}\r"));
    }

    /// What the delivered file says now.
    fn hide_what_was_delivered(&mut self) {
        let file = self.sandbox.home().join("practice/servicenow_credentials.txt");
        let text = fs::read_to_string(file).unwrap();
        for (label, shown) in [
            ("Client Secret", "‹client secret›"),
            ("Access Token", "‹access token›"),
            ("Refresh Token", "‹refresh token›"),
            ("Auth Code", "‹auth code›"),
        ] {
            let mut lines = text.lines().filter_map(|line| line.split_once(": "));
            let (_, secret) = lines.find(|(name, _)| *name == label).unwrap();
            self.hide(secret, shown);
        }
    }
}

/// Ports that were free a moment ago.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

fn lived_through() -> Journey {
    let mut journey = Journey::beside_an_instance();
    let mut terminal = journey.start(SETUP);
    Journey::password(&mut terminal);
    journey.consent(&terminal);
    journey.end("setup", SETUP, terminal, 0);
    journey.transcript.shorten("setup", "  made       Scope");
    journey.hide_what_was_delivered();

    journey.run("status", "snowtoken status practice", 0);
    journey.run("token", "snowtoken token practice", 0);
    journey.run("file", "cat servicenow_credentials.txt", 0);
    journey.run(
        "deliver",
        "snowtoken deliver practice --format dotenv --output .env --keep-fresh",
        0,
    );
    journey.run("dotenv", "cat .env", 0);
    journey.run("check", "snowtoken deliver practice --check", 0);

    journey.run("break", REVOKE, 0);
    let shown = journey.run("doctor", "snowtoken doctor practice --refresh", 4);
    assert!(shown.contains("code: token-refused"), "{shown}");
    journey.run("explain", "snowtoken explain token-refused", 0);
    let again = "snowtoken login practice";
    let terminal = journey.start(again);
    journey.consent(&terminal);
    journey.end("login", again, terminal, 0);
    journey.hide_what_was_delivered();
    journey.run("check-again", "snowtoken deliver practice --check", 0);
    journey.run("doctor-again", "snowtoken doctor practice", 0);
    journey.transcript.shorten("doctor-again", "pass ");

    let mut terminal = journey.start(ROTATE);
    Journey::password(&mut terminal);
    journey.end("rotate", ROTATE, terminal, 0);
    journey.hide_what_was_delivered();
    journey.run("logout", "snowtoken logout practice", 0);
    journey.instance_ends();
    journey
}

fn place(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

#[test]
fn the_tutorial_is_what_the_commands_in_it_show() {
    let journey = lived_through();
    let page = journey.transcript.page(&fs::read_to_string(place(TEMPLATE)).unwrap());
    assert_eq!(journey.secrets.len(), 1 + 3 * 4);
    let secrets = journey.secrets.iter().map(|(name, secret)| (name.as_str(), secret.as_str()));
    let scanner = Scanner::of(&secrets.collect::<Vec<_>>());
    assert_eq!(scanner.scan(page.as_bytes()), Vec::<String>::new());
    let left =
        fs::read_dir(journey.sandbox.home()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["practice"], "the page says that nothing else is left");
    if std::env::var_os(WRITE).is_some() {
        fs::write(place(PAGE), &page).unwrap();
    }
    let kept = fs::read_to_string(place(PAGE)).unwrap_or_default();
    let (mut lines, mut kept_lines) = (page.lines(), kept.lines());
    for number in 1.. {
        let (now, then) = (lines.next(), kept_lines.next());
        assert_eq!(
            now, then,
            "line {number} of docs/guides/tutorial.md (right) is not what is shown now (left); look, then write it anew:\n  {AGAIN}"
        );
        if now.is_none() {
            break;
        }
    }
}
