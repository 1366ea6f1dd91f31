//! The form, label by label.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{deliver, logged_in};
use crate::support::canary::Scanner;
use crate::support::instance::Instance as _;
use crate::support::pty::Terminal;
use crate::support::sandbox::Sandbox;

/// A clipboard that remembers everything that was ever on it.
fn clipboard(sandbox: &Sandbox) {
    let text = format!(
        "#!/bin/sh\nprintf '[%s]' \"$*\" >>'{0}'; cat >>'{0}'; printf '\\n' >>'{0}'\n",
        sandbox.path("clips").display()
    );
    let path = sandbox.path("bin/xclip");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Waits until the terminal shows it.
fn shows(terminal: &Terminal, text: &str) {
    terminal.wait(|shown| shown.contains(text).then_some(()));
}

#[test]
fn without_a_terminal_lengths_and_ends_are_shown_and_the_way_to_each_value() {
    let (instance, sandbox) = logged_in();
    let outcome = sandbox.run(&deliver(&["--format", "form"])).ok();
    let json = sandbox.run(&deliver(&["--format", "json"])).ok().json();
    let mut scanner = Scanner::of(&[("client secret", &instance.client_secret())]);
    for name in ["access_token", "refresh_token", "auth_code"] {
        scanner.add(name, json[name].as_str().unwrap());
    }
    assert_eq!(scanner.scan(outcome.said().as_bytes()), Vec::<String>::new());
    let secret = instance.client_secret();
    let shown = format!("Client Secret: {} characters, ends with 4711\n", secret.chars().count());
    assert!(outcome.stdout.contains(&shown), "{outcome:#?}");
    assert!(outcome.stdout.contains("  snowtoken deliver p --field 'Client Secret'\n"));
    let labels: Vec<&str> = outcome
        .stdout
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(label, _)| label)
        .collect();
    assert_eq!(
        labels,
        [
            "Instance URL",
            "Client ID",
            "Client Secret",
            "Access Token",
            "Refresh Token",
            "Auth Code"
        ]
    );
}

#[test]
fn on_a_terminal_one_value_at_a_time_is_copied_and_taken_away_again() {
    let (instance, sandbox) = logged_in();
    clipboard(&sandbox);
    let mut command = sandbox.command(&deliver(&["--format", "form"]));
    command.env("DISPLAY", ":9");
    let mut terminal = Terminal::start(&command, 100);
    // Two fields are skipped, the third is copied, then it is enough.
    for (wait, key) in [
        ("copy? ", "s\n"),
        ("Client ID", "s\n"),
        ("Client Secret", "\n"),
        ("press Enter ", "\n"),
        ("Access Token", "q\n"),
    ] {
        shows(&terminal, wait);
        terminal.keys(key);
    }
    let session = terminal.finish();
    assert_eq!(session.code, Some(0), "{}", session.text());
    let clips = fs::read_to_string(sandbox.path("clips")).unwrap();
    let lines: Vec<&str> = clips.lines().collect();
    let set = format!("[-selection clipboard -in]{}", instance.client_secret());
    assert_eq!(lines, [set.as_str(), "[-selection clipboard -in]", "[-selection clipboard -in]"]);
    let scanner = Scanner::of(&[("client secret", &instance.client_secret())]);
    assert_eq!(scanner.scan(&session.shown), Vec::<String>::new());
}

#[test]
fn whoever_presses_control_c_leaves_nothing_on_the_clipboard() {
    let (_instance, sandbox) = logged_in();
    clipboard(&sandbox);
    let mut command = sandbox.command(&deliver(&["--format", "form"]));
    command.env("DISPLAY", ":9");
    let mut terminal = Terminal::start(&command, 100);
    shows(&terminal, "copy? ");
    terminal.keys("\n");
    shows(&terminal, "press Enter ");
    terminal.keys("\u{3}");
    let session = terminal.finish();
    assert_eq!(session.code, Some(130), "{}", session.text());
    let clips = fs::read_to_string(sandbox.path("clips")).unwrap();
    assert!(clips.ends_with("[-selection clipboard -in]\n"), "{clips}");
    assert_eq!(clips.lines().count(), 2);
}
