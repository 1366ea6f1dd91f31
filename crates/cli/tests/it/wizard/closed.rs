//! A store or a configuration that cannot be opened, and one that has to be asked about: the pages say
//! so, and take neither for an empty one. No browser is needed to see that.

use std::process::Command;

use url::Url;

use crate::support::http::Client;
use crate::support::instance::{PROFILE, console_uri, first_login, log_in, paste};
use crate::support::process::Running;
use crate::support::pty::{Terminal, plain};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

const PASSPHRASE: &str = "Pass-Phrase-Canary-4711";

/// Whoever the link let in.
struct Visitor {
    client: Client,
    origin: Url,
}

impl Visitor {
    fn by(link: &str) -> Self {
        let (mut client, link) = (Client::default(), Url::parse(link).unwrap());
        assert_eq!(client.get(&link).status, 303);
        Self { client, origin: link.join("/").unwrap() }
    }

    fn page(&mut self, path: &str) -> String {
        let answer = self.client.get(&self.origin.join(path).unwrap());
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }
}

fn connected() -> (StandIn, Sandbox) {
    let (instance, sandbox) = (StandIn::start(&console_uri("us-west-2"), &[]), Sandbox::new());
    log_in(&sandbox, &instance);
    (instance, sandbox)
}

fn wizard(sandbox: &Sandbox) -> (Running, Visitor) {
    let running = sandbox.start(&["wizard", "--no-browser"]);
    let link = running.stderr_line(|line| line.starts_with("http://127.0.0.1:"));
    (running, Visitor::by(&link))
}

/// Nothing but the passphrase opens the store, and it is typed once.
fn with_passphrase(mut command: Command) -> Command {
    command.env_remove("SNOWTOKEN_KEY_FILE");
    command
}

#[test]
fn a_passphrase_is_asked_for_once_and_opens_the_store_for_every_page() {
    let (instance, sandbox) = (StandIn::start(&console_uri("us-west-2"), &[]), Sandbox::new());
    let file = sandbox.file("passphrase", PASSPHRASE);
    let mut login = with_passphrase(sandbox.command(&first_login(&sandbox, &instance)));
    login.env("SNOWTOKEN_PASSPHRASE_FILE", file);
    paste(Running::start(login), &instance).ok();
    let command = with_passphrase(sandbox.command(&["wizard", "--no-browser"]));
    let mut terminal = Terminal::start(&command, 100);
    terminal.wait(|text| plain(text).contains("Passphrase of the store:").then_some(()));
    terminal.keys(format!("{PASSPHRASE}\r"));
    let link = terminal.wait(|text| {
        let text = plain(text);
        let link = text.lines().find(|line| line.starts_with("http://127.0.0.1:"))?;
        text.contains(&format!("{link}\n")).then(|| link.to_owned())
    });
    let mut visitor = Visitor::by(&link);
    for path in ["/", &format!("/profile/{PROFILE}")] {
        let page = visitor.page(path);
        assert!(page.contains("in 99 days") || page.contains("in 100 days"), "{path}: {page}");
    }
}

#[test]
fn a_store_that_cannot_be_opened_is_not_taken_for_one_without_tokens() {
    let (_instance, sandbox) = connected();
    let (running, mut visitor) = wizard(&sandbox);
    let key = sandbox.path("key/store.key");
    std::fs::rename(&key, sandbox.path("key/away")).unwrap();
    for path in ["/", &format!("/profile/{PROFILE}")] {
        let page = visitor.page(path);
        assert!(page.contains("the key of the store is not there"), "{path}: {page}");
        assert!(!page.contains("There are no tokens."), "{path}: {page}");
    }
    std::fs::rename(sandbox.path("key/away"), &key).unwrap();
    assert!(!visitor.page("/").contains("the key of the store is not there"));
    running.kill();
}

#[test]
fn a_configuration_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let (_instance, sandbox) = connected();
    let (running, mut visitor) = wizard(&sandbox);
    let file = sandbox.keep().join("config.toml");
    let before = std::fs::read(&file).unwrap();
    std::fs::write(&file, "[profiles\n").unwrap();
    let page = visitor.page("/");
    assert!(page.contains("config.toml") && page.contains("/explain/config-"), "{page}");
    std::fs::write(&file, before).unwrap();
    assert!(visitor.page("/").contains(PROFILE));
    running.kill();
}
