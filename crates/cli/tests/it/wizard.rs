//! The wizard's pages in a real Chromium, from nothing to delivered tokens.

mod closed;
mod consent;
mod firefox;
mod home;
mod interrupted;
mod ways;

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::foreign::{node, scripts};
use crate::support::instance::{Instance, console_uri, free_redirect_uri};
use crate::support::process::{PATIENCE, Running};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

const ADMIN: &str = "boss";
const PASSWORD: &str = "Pass-Canary-4711+%&word";
const NAME: &str = "hub";

/// A client that somebody made by hand.
const ID: &str = "fedcba9876543210fedcba9876543210";
const SECRET: &str = "By-Hand-Canary-4711";

/// A pretend instance with an administrator and no client, and a person with nothing.
struct Walk {
    instance: StandIn,
    sandbox: Sandbox,
    scripts: bool,
    hands: Hands,
    /// Where the instance sends the browser after Allow.
    redirect_uri: String,
    /// Who signs in there.
    user: &'static str,
}

/// What a person works the pages with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hands {
    Mouse,
    /// Nothing but the keyboard is used.
    Keyboard,
    /// A small screen that is touched.
    Finger,
}

impl Walk {
    fn with(hands: Hands) -> Self {
        Self { hands, ..Self::new(true) }
    }

    /// The product listens on this machine.
    fn coming_back(scripts: bool) -> Self {
        Self { redirect_uri: free_redirect_uri(), ..Self::new(scripts) }
    }

    fn new(scripts: bool) -> Self {
        let instance = StandIn::fresh(&[]);
        instance.employ(ADMIN, PASSWORD, &["admin"]);
        let sandbox = Sandbox::new();
        let redirect_uri = console_uri("us-west-2");
        Self { instance, sandbox, scripts, hands: Hands::Mouse, redirect_uri, user: "abel.tuter" }
    }

    /// Somebody makes the client on the instance.
    fn register(&self, id: &str, secret: &str) {
        self.instance.change_client(|client| {
            id.clone_into(&mut client.client_id);
            secret.clone_into(&mut client.client_secret);
        });
    }

    fn wizard(&self) -> Running {
        self.sandbox.start(&["wizard", "--no-browser"])
    }

    /// Follows the pages of this run of the wizard, step by step.
    fn go(&self, wizard: &Running, steps: &[&str]) -> Value {
        self.go_at(&self.instance, wizard, steps)
    }

    /// The same in a run of its own, to its end; what was delivered is judged.
    fn to_the_end(&self, steps: &[&str]) -> Value {
        let wizard = self.wizard();
        let report = self.go(&wizard, steps);
        wizard.finish().ok();
        self.judge(&report);
        report
    }

    /// The same in a run that is killed afterwards.
    fn killed_after(&self, steps: &[&str]) -> Value {
        let wizard = self.wizard();
        let report = self.go(&wizard, steps);
        wizard.kill();
        report
    }

    /// The same, and somebody else plays the instance.
    fn go_at(&self, instance: &dyn Instance, wizard: &Running, steps: &[&str]) -> Value {
        let link = wizard.stderr_line(|line| line.starts_with("http://127.0.0.1:"));
        let pictures = std::env::var_os("SNOWTOKEN_TEST_PICTURES").map(std::path::PathBuf::from);
        let task = json!({
            "link": link,
            "scripts": self.scripts,
            "keys": self.hands == Hands::Keyboard,
            "touch": self.hands == Hands::Finger,
            "steps": steps,
            "instance": instance.origin(),
            "provider": instance.origin() != self.instance.origin(),
            "redirectUri": self.redirect_uri,
            "loopback": self.redirect_uri.starts_with("http://127.0.0.1:"),
            "user": self.user,
            "name": NAME,
            "admin": ADMIN,
            "password": PASSWORD,
            "client": { "id": ID, "secret": SECRET },
            "clock": steps.iter().any(|step| ["leftOpen", "countdown", "clipboard"].contains(step)),
            "key": self.sandbox.path("key/store.key"),
            "pictures": pictures,
        });
        let mut command = Command::new(node());
        command.arg(self::scripts().join("wizard.mjs")).arg(task.to_string());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.sandbox.path("files"));
        command.stderr(Stdio::piped());
        let mut browser = Running::start(command);
        if steps.contains(&"late") {
            let said = browser.stderr_line(|line| ["let time pass", "it failed"].contains(&line));
            if said == "let time pass" {
                self.instance.pass(Duration::from_secs(61));
                browser.write("it passed\n");
            }
        }
        let outcome = browser.finish_within(PATIENCE * 4);
        assert_eq!(
            outcome.code,
            Some(0),
            "the browser failed (`cargo xtask setup`?): {outcome:#?}"
        );
        let report = outcome.json();
        assert_eq!(report["failure"], "", "{:#}", report["titles"]);
        assert_eq!(report["foreign"], json!([]), "a page asks elsewhere");
        assert_eq!(report["complaints"], json!([]), "the browser complains");
        assert_eq!(report["unseen"], json!([]), "the keyboard is there, and nobody sees it");
        for page in report["read"].as_array().unwrap() {
            assert_eq!(page["faults"], json!([]), "a screen reader is told too little: {page:#}");
        }
        report
    }

    /// What was delivered is what the instance gave and the store has; the pages never showed it
    /// unasked, and the administrator's password is nowhere.
    fn judge(&self, report: &Value) {
        let [client] = &self.instance.registered()[..] else { panic!("not one client") };
        let token = self.sandbox.run(&["token", NAME]).ok().token();
        assert!(self.instance.is_alive(&token));
        let file = |label: &str| self.sandbox.credential(label);
        assert_eq!(file("Client Secret"), client.client_secret);
        assert_eq!(file("Access Token"), token);
        for label in ["Client Secret", "Access Token", "Refresh Token"] {
            assert_eq!(report["shown"][label], file(label), "{label}");
            if self.scripts {
                assert_eq!(report["copied"][label], file(label), "{label}");
            }
            let sources = report["sources"].as_str().unwrap();
            assert!(
                !sources.contains(&file(label)),
                "{label} is on a page that nobody asked it of"
            );
            assert!(!sources.contains(PASSWORD));
        }
        let document = &report["downloads"]["json"];
        assert_eq!(document["name"], "hub-json.json");
        let document: Value = serde_json::from_str(document["text"].as_str().unwrap()).unwrap();
        assert!(document.to_string().contains(&token));
        let calendar = report["downloads"]["calendar"]["text"].as_str().unwrap();
        assert!(calendar.starts_with("BEGIN:VCALENDAR\r\n") && calendar.contains("TRIGGER:-P30D"));
        for (path, entry) in self.sandbox.snapshot() {
            let holds =
                entry.bytes.windows(PASSWORD.len()).any(|bytes| bytes == PASSWORD.as_bytes());
            assert!(!holds, "the password lies in {path}");
        }
        self.sandbox.run(&["verify", NAME]).ok();
        self.sandbox.run(&["deliver", NAME, "--check"]).ok();
    }
}

const ALL: [&str; 8] = ["where", "way", "apply", "made", "allow", "proof", "handOver", "done"];
