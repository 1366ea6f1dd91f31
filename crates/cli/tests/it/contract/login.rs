//! §7.1 to §7.4 and §7.6: the first login, the second, and what they deliver.

use std::fs;

use serde_json::Value;

use crate::support::foreign::{Foreign, Kind, Options};
use crate::support::instance::{Instance, PROFILE, first_login, log_in, log_in_with, paste, words};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;

#[test]
fn item_1_the_key_file_is_made_by_the_first_login() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    let outcome = log_in(&sandbox, &server);
    let key = &sandbox.snapshot()["key/store.key"];
    assert_eq!(key.permissions(), 0o600);
    assert!(!key.bytes.is_empty());
    for word in ["keyring", "passphrase"] {
        assert!(!outcome.stderr.contains(word), "{}", outcome.stderr);
    }
    // Without its key the store says so, and no new key is made that could open nothing.
    fs::remove_file(sandbox.path("key/store.key")).unwrap();
    sandbox.run(&["token", PROFILE]).failed_with(&[6]);
    assert!(!sandbox.path("key/store.key").exists());
}

#[test]
fn item_2_every_character_of_a_secret_arrives() {
    let secrets = [
        "plain",
        "+&%=?\"'\\ and blanks ",
        "~[`-;|<>{}$(x)",
        "ünïcödé ✓",
        "-starts-with-a-dash",
        "%2B%26",
        &"x".repeat(4096),
    ];
    for secret in secrets {
        for end in ["", "\n"] {
            let client_secret = secret.to_owned();
            let options = Options { client_secret, ..Options::default() };
            let (server, sandbox) = (Foreign::start(Kind::Authlib, options), Sandbox::new());
            let arguments = [first_login(&sandbox, &server), words(&["--no-output"])].concat();
            // The same file again, ending as this round wants it.
            sandbox.file("client-secret", format!("{secret}{end}"));
            paste(sandbox.start(&arguments), &server).ok();
            let sent = server.token_requests()[0].field("client_secret");
            assert_eq!(sent.as_deref(), Some(secret));
        }
    }
}

#[test]
fn item_2_a_secret_may_come_before_the_url_on_standard_input() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    let mut arguments = [first_login(&sandbox, &server), words(&["--no-output"])].concat();
    let at = arguments.iter().position(|a| a == "--client-secret-file").unwrap();
    "-".clone_into(&mut arguments[at + 1]);
    let mut running = sandbox.start(&arguments);
    running.write(format!("{}\n", server.client_secret()));
    paste(running, &server).ok();
    assert_eq!(server.token_requests()[0].field("client_secret"), Some(server.client_secret()));
}

#[test]
fn item_2_a_secret_may_come_by_the_environment() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    let mut arguments = [first_login(&sandbox, &server), words(&["--no-output"])].concat();
    let at = arguments.iter().position(|a| a == "--client-secret-file").unwrap();
    arguments.drain(at..at + 2);
    let mut command = sandbox.command(&arguments);
    command.env("SNOWTOKEN_CLIENT_SECRET", server.client_secret());
    paste(Running::start(command), &server).ok();
    // It is stored like any other: the second login needs no environment.
    paste(sandbox.start(&["login", PROFILE, "--no-browser"]), &server).ok();
}

#[test]
fn item_2_region_and_redirect_uri_exclude_each_other() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    let more = words(&["--redirect-uri", "http://127.0.0.1:8456/callback"]);
    let outcome = sandbox.run(&[first_login(&sandbox, &server), more].concat());
    outcome.failed_with(&[2]);
}

#[test]
fn item_3_the_second_login_asks_for_nothing() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in(&sandbox, &server);
    for before in [None, Some("revoke"), Some("logout")] {
        if let Some(verb) = before {
            sandbox.run(&[verb, PROFILE]).ok();
        }
        paste(sandbox.start(&["login", PROFILE, "--no-browser"]), &server).ok();
        let token = sandbox.run(&["token", PROFILE]).ok().token();
        assert!(server.is_alive(&token), "after {before:?}");
    }
}

#[test]
fn item_3_a_login_that_fails_replaces_nothing() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in_with(&sandbox, &server, &[]).ok();
    let (token, file) = (sandbox.run(&["token", PROFILE]).ok().token(), sandbox.credentials());
    let delivered = fs::read(&file).unwrap();
    let wrong = sandbox.file("wrong", "wrong-secret");
    let again = words(&["login", PROFILE, "--no-browser", "--client-secret-file"]);
    let again = [again, vec![wrong.display().to_string()]].concat();
    paste(sandbox.start(&again), &server).failed_with(&[1, 2, 4]);
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
    assert_eq!(fs::read(&file).unwrap(), delivered);
    // The secret of the first login is still the stored one.
    sandbox.run(&["refresh", PROFILE]).ok();
    paste(sandbox.start(&["login", PROFILE, "--no-browser"]), &server).ok();
}

#[test]
fn item_4_the_credentials_file_has_its_lines_in_order_and_no_neighbour() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in_with(&sandbox, &server, &[]).ok();
    let text = fs::read_to_string(sandbox.credentials()).unwrap();
    let labels: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{line}")))
        .collect();
    let names: Vec<_> = labels.iter().map(|(name, _)| *name).collect();
    let wanted = [
        "Instance URL",
        "Client ID",
        "Client Secret",
        "Access Token",
        "Refresh Token",
        "Auth Code",
    ];
    assert_eq!(names, wanted);
    assert!(labels.iter().all(|(_, value)| !value.is_empty()));
    assert_eq!(labels[0].1, server.origin());
    assert_eq!(labels[1].1, server.client_id());
    assert_eq!(labels[2].1, server.client_secret());
    assert_eq!(Some(labels[5].1.to_owned()), server.token_requests()[0].field("code"));
    let home = sandbox.snapshot_of("home");
    assert_eq!(home.keys().collect::<Vec<_>>(), ["home/servicenow_credentials.txt"]);
    assert_eq!(home["home/servicenow_credentials.txt"].permissions(), 0o600);
}

#[test]
fn item_4_output_goes_where_it_is_sent_or_nowhere() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in_with(&sandbox, &server, &["--no-output"]).ok();
    assert!(sandbox.snapshot_of("home").is_empty());
    let file = sandbox.file("mine.txt", "an older one");
    let before = sandbox.snapshot()["files/mine.txt"].inode;
    let output = file.display().to_string();
    log_in_with(&sandbox, &server, &["--output", &output]).ok();
    let after = &sandbox.snapshot()["files/mine.txt"];
    assert_ne!(after.inode, before, "it is replaced whole, not written over");
    assert_eq!(after.permissions(), 0o600);
    assert!(sandbox.snapshot_of("home").is_empty());
    let names: Vec<_> = sandbox.snapshot_of("files").into_keys().collect();
    assert_eq!(names, ["files/client-secret", "files/mine.txt"], "a leftover lies beside it");
}

#[test]
fn item_6_json_has_all_keys_and_no_secret() {
    let (server, sandbox) = (Foreign::usual(Kind::OidcProvider), Sandbox::new());
    let outcome = log_in_with(&sandbox, &server, &["--json"]).ok();
    let json = outcome.json();
    let keys = [
        "profile",
        "instance",
        "user",
        "scope",
        "access_token_expires_at",
        "refresh_token_expires_at",
        "refresh_token_expiry_known_by",
        "credentials_file",
    ];
    for key in keys {
        assert!(json.get(key).is_some(), "{key} is missing: {json:#}");
    }
    assert_eq!(json["version"], Value::from(1));
    assert_eq!(json["profile"], Value::from(PROFILE));
    assert_eq!(json["instance"], Value::from(sandbox.credential("Instance URL")));
    let user = json["user"].to_string();
    assert!(user.contains("admin") || user.contains("System Administrator"), "{user}");
    let known_by = json["refresh_token_expiry_known_by"].as_str().unwrap();
    assert!(["stated", "derived", "observed"].contains(&known_by), "{known_by}");
    assert_eq!(json["credentials_file"], Value::from(sandbox.credentials().display().to_string()));
    for label in ["Client Secret", "Access Token", "Refresh Token", "Auth Code"] {
        assert!(!outcome.stdout.contains(&sandbox.credential(label)), "{label}");
    }
}
