//! The wizard's pages in a real Chromium, from nothing to delivered tokens.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::foreign::{Foreign, Kind, Options, node, scripts};
use crate::support::instance::{Instance, console_uri};
use crate::support::process::Running;
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
    keys: bool,
}

impl Walk {
    /// Nothing but the keyboard is used.
    fn with_the_keyboard() -> Self {
        Self { keys: true, ..Self::new(true) }
    }

    fn new(scripts: bool) -> Self {
        let instance = StandIn::fresh(&[]);
        instance.employ(ADMIN, PASSWORD, &["admin"]);
        Self { instance, sandbox: Sandbox::new(), scripts, keys: false }
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

    /// The same, and somebody else plays the instance.
    fn go_at(&self, instance: &dyn Instance, wizard: &Running, steps: &[&str]) -> Value {
        let link = wizard.stderr_line(|line| line.starts_with("http://127.0.0.1:"));
        let pictures = std::env::var_os("SNOWTOKEN_TEST_PICTURES").map(std::path::PathBuf::from);
        let task = json!({
            "link": link,
            "scripts": self.scripts,
            "keys": self.keys,
            "steps": steps,
            "instance": instance.origin(),
            "provider": instance.origin() != self.instance.origin(),
            "redirectUri": console_uri("us-west-2"),
            "name": NAME,
            "admin": ADMIN,
            "password": PASSWORD,
            "client": { "id": ID, "secret": SECRET },
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
        let outcome = browser.finish();
        assert_eq!(
            outcome.code,
            Some(0),
            "the browser failed (`cargo xtask setup`?): {outcome:#?}"
        );
        let report = outcome.json();
        assert_eq!(report["failure"], "", "{:#}", report["titles"]);
        assert_eq!(report["foreign"], json!([]), "a page asks elsewhere");
        assert_eq!(report["complaints"], json!([]), "the browser complains");
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

#[test]
fn a_person_with_nothing_has_a_client_tokens_and_the_credentials_file_at_the_end() {
    let walk = Walk::new(true);
    let wizard = walk.wizard();
    let steps = [
        "where", "way", "refused", "apply", "made", "allow", "proof", "handOver", "bundle", "done",
    ];
    let report = walk.go(&wizard, &steps);
    wizard.finish().ok();
    walk.judge(&report);
    assert!(!report["alert"].as_str().unwrap().is_empty());
    let sealed = report["downloads"]["bundle"]["text"].as_str().unwrap();
    assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"), "{sealed}");
    assert_eq!(report["passphrase"].as_str().unwrap().split('-').count(), 6);
}

#[test]
fn the_keyboard_alone_leads_to_the_credentials_file_and_every_stop_shows_itself() {
    let walk = Walk::with_the_keyboard();
    let wizard = walk.wizard();
    let report = walk.go(&wizard, &ALL);
    wizard.finish().ok();
    walk.judge(&report);
    assert!(report["stops"].as_array().unwrap().len() > 60, "{:#}", report["stops"]);
    assert_eq!(report["unseen"], json!([]), "the keyboard is there, and nobody sees it");
}

#[test]
fn it_works_without_any_script() {
    let walk = Walk::new(false);
    let wizard = walk.wizard();
    let report = walk.go(&wizard, &ALL);
    wizard.finish().ok();
    walk.judge(&report);
}

#[test]
fn whoever_is_interrupted_goes_on_where_they_were() {
    let walk = Walk::new(true);
    for steps in [
        &["where"][..],
        &["resume", "way", "refused"],
        // The client is made, and nobody pressed the button that says so.
        &["resume", "apply"],
        &["resume", "apply", "made"],
        &["resume", "allow"],
        &["resume", "proof"],
    ] {
        let wizard = walk.wizard();
        walk.go(&wizard, steps);
        wizard.kill();
    }
    let wizard = walk.wizard();
    let report = walk.go(&wizard, &["resume", "handOver", "done"]);
    wizard.finish().ok();
    walk.judge(&report);
}

#[test]
fn somebody_pastes_the_script_and_goes_on() {
    pastes_the_script(&Walk::new(true));
}

#[test]
fn somebody_pastes_the_script_and_goes_on_without_any_script_in_the_pages() {
    pastes_the_script(&Walk::new(false));
}

fn pastes_the_script(walk: &Walk) {
    let wizard = walk.wizard();
    let report = walk.go(&wizard, &["where", "script"]);
    wizard.kill();
    let script = report["downloads"]["script"]["text"].as_str().unwrap();
    let (_, rest) = script.split_once("var wanted = ").unwrap();
    let wanted: Value = serde_json::from_str(rest.split_once(";\n").unwrap().0).unwrap();
    let text = |name: &str| wanted[name].as_str().unwrap().to_owned();
    assert!(!report["sources"].as_str().unwrap().contains(&text("client_secret")));
    walk.register(&text("client_id"), &text("client_secret"));
    let wizard = walk.wizard();
    let steps = ["resume", "scripted", "allow", "proof", "handOver", "done"];
    let report = walk.go(&wizard, &steps);
    wizard.finish().ok();
    walk.judge(&report);
}

#[test]
fn somebody_does_every_click_without_any_script_and_types_what_came_of_it() {
    let walk = Walk::new(false);
    walk.register(ID, SECRET);
    let wizard = walk.wizard();
    let steps = ["where", "clicks", "client", "allow", "proof", "handOver", "done"];
    let report = walk.go(&wizard, &steps);
    wizard.finish().ok();
    walk.judge(&report);
    assert!(report["ticks"].as_u64().unwrap() > 3, "{}", report["ticks"]);
    let values = report["values"].as_array().unwrap();
    assert!(values.contains(&console_uri("us-west-2").into()), "{values:#?}");
}

#[test]
fn denied_too_late_or_from_another_window_each_has_its_page_and_leads_on_to_the_end() {
    for scripts in [true, false] {
        let walk = Walk::new(scripts);
        walk.register(ID, SECRET);
        let wizard = walk.wizard();
        let steps = [
            "where", "exists", "client", "denied", "late", "another", "allow", "proof", "handOver",
            "done",
        ];
        let report = walk.go(&wizard, &steps);
        wizard.finish().ok();
        walk.judge(&report);
        let says = |title: &str, words: &str| {
            let page = report["mishaps"][title].as_str().unwrap();
            assert!(page.contains(words), "{title}: {page}");
        };
        says("Allow was not pressed", "Nothing was stored, and nothing was lost.");
        says("The code had ended", "Open ServiceNow again and paste sooner.");
        says("That address belongs to another window", "open ServiceNow from here");
        // A denial and somebody else's address cost no request; the late code cost one.
        let asked = walk.instance.token_requests();
        let codes: Vec<_> = asked.iter().filter_map(|request| request.field("code")).collect();
        assert_eq!(codes.len(), 2, "{asked:#?}");
    }
}

#[test]
fn a_server_that_nobody_here_wrote_gives_tokens_to_the_wizard_too() {
    let walk = Walk::new(true);
    let options = Options {
        client_id: ID.to_owned(),
        client_secret: SECRET.to_owned(),
        ..Options::default()
    };
    let server = Foreign::start(Kind::OidcProvider, options);
    let wizard = walk.wizard();
    let steps = ["where", "exists", "client", "allow", "proof", "handOver", "done"];
    let report = walk.go_at(&server, &wizard, &steps);
    wizard.finish().ok();
    let token = walk.sandbox.run(&["token", NAME]).ok().token();
    assert!(server.is_alive(&token));
    assert_eq!(walk.sandbox.credential("Access Token"), token);
    assert_eq!(walk.sandbox.credential("Client Secret"), SECRET);
    assert_eq!(report["shown"]["Access Token"], token);
    walk.sandbox.run(&["deliver", NAME, "--check"]).ok();
    // It tells who its user is, and no role or criterion of a ServiceNow instance.
    let proof = report["proof"].as_str().unwrap();
    assert!(proof.contains("admin"), "{proof}");
}

#[test]
fn every_page_with_every_sample_pleases_an_html_validator_and_an_accessibility_checker() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("files/gallery");
    fs::create_dir(&folder).unwrap();
    for (name, html) in snowtoken_wizard::pages::gallery() {
        fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
    let mut command = Command::new(node());
    command.arg(scripts().join("judge_gallery.mjs")).arg(&folder);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", sandbox.path("files"));
    let outcome = Running::start(command).finish();
    assert_eq!(outcome.code, Some(0), "run `cargo xtask setup`? {outcome:#?}");
    let report = outcome.json();
    assert!(report["looked"].as_u64().unwrap() > 40, "{report:#}");
    assert_eq!(report["faults"], json!([]));
}
