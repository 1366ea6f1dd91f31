//! `status`: a table for several profiles, a page for one, JSON for programs; it opens no secret.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::foreign::scripts;
use crate::support::instance::{Instance, PROFILE, log_in};
use crate::support::process::{Outcome, Running};
use crate::support::pty::{Terminal, plain};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// Nobody may read when the refresh token ends: it is derived, a year from now.
fn logged_in() -> (StandIn, Sandbox) {
    let instance = StandIn::with(&["api.credentials=administrators"]);
    let sandbox = Sandbox::new();
    log_in(&sandbox, &instance);
    (instance, sandbox)
}

/// Adds profiles that have never logged in.
fn with_others(sandbox: &Sandbox, names: &[&str]) {
    let path = sandbox.keep().join("config.toml");
    let section = |name| format!("\n[profile.{name}]\ninstance = \"b\"\nclient_id = \"c\"\n");
    let sections: Vec<String> = names.iter().map(section).collect();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}{}", sections.concat())).unwrap();
}

/// Makes many profiles out of the one that is logged in; none of their secrets can be opened.
fn grow(sandbox: &Sandbox, count: usize) {
    let mut command = Command::new("python3");
    command.arg(scripts().join("fleet.py")).arg(sandbox.keep());
    command.args([PROFILE, &count.to_string()]);
    Running::start(command).finish().ok();
}

fn one(outcome: &Outcome) -> Value {
    outcome.json()["profiles"][0].clone()
}

#[test]
fn several_profiles_are_a_table_in_the_order_of_their_names() {
    let (instance, sandbox) = logged_in();
    with_others(&sandbox, &["zeta", "alpha", "beta10", "beta"]);
    let shown = sandbox.run(&["status"]).ok().stdout;
    let lines: Vec<&str> = shown.lines().collect();
    let titles = ["PROFILE", "STATE", "USER", "INSTANCE", "ACCESS ENDS", "REFRESH TOKEN ENDS"];
    let columns = titles.map(|title| lines[0].find(title).unwrap());
    assert!(columns.is_sorted());
    let names: Vec<&str> = lines[1..6].iter().filter_map(|l| l.split(' ').next()).collect();
    assert_eq!(names, ["alpha", "beta", "beta10", PROFILE, "zeta"]);
    let row = lines[4];
    let cells = columns.map(|at| row[at..].split("  ").next().unwrap());
    assert_eq!(&cells[..4], [PROFILE, "logged in", "abel.tuter", &instance.origin()]);
    assert_eq!(cells[4], "in 30 min");
    assert!(cells[5].ends_with(", in 365 days (derived)"), "{row}");
    assert!(lines[1].contains("not logged in") && lines[1].contains("b.service-now.com"));
    assert!(lines[7].starts_with("5 profiles; the nearest end: p, in 365 days ("), "{shown}");
    assert!(lines[8].starts_with("secrets are sealed in "), "{shown}");
    assert!(!shown.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn a_terminal_gets_colours_and_lines_that_fit() {
    let (_instance, sandbox) = logged_in();
    with_others(&sandbox, &["a-name-that-is-longer-than-most-but-allowed"]);
    // A lifespan of nine days from the login: that is near.
    sandbox.run(&["profile", "set", PROFILE, "--refresh-token-lifespan", "9d"]).ok();
    for columns in [60, 80, 120, 200] {
        let session = Terminal::start(&sandbox.command(&["status"]), columns).finish();
        assert_eq!(session.code, Some(0));
        let text = session.text();
        assert!(text.contains("\u{1b}[33m20"), "{columns}: {text}");
        let table = plain(&text);
        let table = table.split("\n\n").next().unwrap();
        assert_eq!(table.lines().count(), 3, "{table}");
        let fits = |line: &str| line.chars().count() <= usize::from(columns);
        assert!(table.lines().all(fits), "{columns}: {table}");
        assert_eq!(table.contains("in 9 d 0 h (derived)"), columns >= 80, "{columns}: {table}");
    }
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut command = sandbox.command(&["status"]);
        command.env(name, value);
        let text = Terminal::start(&command, 100).finish().text();
        assert!(text.contains("PROFILE") && !text.contains('\u{1b}'), "{name}: {text}");
    }
}

#[test]
fn one_profile_is_shown_at_length_with_the_next_refresh_and_why() {
    let (instance, sandbox) = logged_in();
    for arguments in [&["status"][..], &["status", PROFILE]] {
        let shown = sandbox.run(arguments).ok().stdout;
        assert!(shown.starts_with("p: logged in\n  instance "), "{shown}");
        let next = "  next refresh    in 29 min: the access token is about to expire\n";
        assert!(shown.contains(next), "{shown}");
        assert!(!shown.contains("last failure"), "{shown}");
    }
    let json = one(&sandbox.run(&["status", PROFILE, "--json"]).ok());
    assert_eq!(json["next_refresh_why"], "access-token-ends");
    assert_eq!(json["last_failure"], Value::Null);
    instance.set("fault.kind=asleep");
    sandbox.run(&["refresh", PROFILE]).failed_with(&[5]);
    let shown = sandbox.run(&["status", PROFILE]).ok().stdout;
    assert!(shown.contains("  last failure    ") && shown.contains("(instance-asleep)"), "{shown}");
    let json = one(&sandbox.run(&["status", PROFILE, "--json"]).ok());
    assert_eq!(json["last_failure"]["code"], "instance-asleep");
    assert!(json["failed_attempts"].as_u64() >= Some(1), "{json}");
    assert_eq!(json["next_refresh_why"], "back-off", "{json}");
    instance.set("fault.kind=none");
    sandbox.run(&["refresh", PROFILE]).ok();
    let json = one(&sandbox.run(&["status", PROFILE, "--json"]).ok());
    assert_eq!((&json["last_failure"], &json["failed_attempts"]), (&Value::Null, &Value::from(0)));
    sandbox.run(&["status", "nobody"]).failed_with(&[2]);
}

/// What programs rely on stays; what is new comes beside it.
#[test]
fn json_keeps_its_keys() {
    let (instance, sandbox) = logged_in();
    with_others(&sandbox, &["later"]);
    let json = sandbox.run(&["status", "--json"]).ok().json();
    assert_eq!((&json["version"], &json["key"]), (&Value::from(1), &Value::from("key file")));
    assert!(json["store"].as_str().unwrap().ends_with("/tokens.db"));
    let strings = [
        "profile",
        "instance",
        "client_id",
        "target",
        "state",
        "user",
        "scope",
        "access_token_expires_at",
        "access_token_expiry_known_by",
        "refresh_token_expires_at",
        "refresh_token_expiry_known_by",
        "granted_at",
        "grant",
        "refresh_token_end_on_refresh",
        "next_refresh_at",
        "next_refresh_why",
    ];
    let nothing_yet = ["last_failure", "handed_over_at", "refresh_sent_at"];
    let [later, one] = json["profiles"].as_array().unwrap().as_slice() else { panic!("{json}") };
    for key in strings {
        assert!(one[key].is_string(), "{key}: {one}");
    }
    for key in nothing_yet {
        assert!(one.as_object().unwrap().contains_key(key) && one[key].is_null(), "{key}: {one}");
    }
    assert_eq!(one["instance"], instance.origin());
    assert_eq!((&one["client_secret_stored"], &one["state"]), (&true.into(), &"logged in".into()));
    assert_eq!(one["delivered_to"], Value::Array(Vec::new()));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(later), keys(one));
    assert_eq!((&later["state"], &later["user"]), (&"not logged in".into(), &Value::Null));
    let fresh = Sandbox::new().run(&["status", "--json"]).ok().json();
    assert_eq!(
        fresh,
        serde_json::json!({"version": 1, "store": null, "key": null, "profiles": []})
    );
}

#[test]
fn within_names_who_is_near() {
    let (_instance, sandbox) = logged_in();
    with_others(&sandbox, &["later"]);
    sandbox.run(&["status", "--within", "364d"]).ok();
    let outcome = sandbox.run(&["status", "--within", "366d"]).ended_with(&[3]);
    assert!(outcome.stderr.contains("near or past: p (in 365 days)\n"), "{outcome:#?}");
    assert!(outcome.stdout.starts_with("PROFILE"), "the table comes all the same");
    let outcome = sandbox.run(&["status", "--within", "366d", "--json"]).ended_with(&[3]);
    assert_eq!(outcome.json()["version"], 1);
    sandbox.run(&["status", "later", "--within", "366d"]).ok();
    sandbox.run(&["status", "--within", "soon"]).ended_with(&[2]);
}

/// Every sealed value of these profiles is noise: whoever opened one would fail.
#[test]
fn a_fleet_is_shown_without_opening_a_secret() {
    let (_instance, sandbox) = logged_in();
    sandbox.run(&["deliver", PROFILE, "--output", "copy.txt"]).ok();
    grow(&sandbox, 1_000);
    let start = std::time::Instant::now();
    let shown = sandbox.run(&["status"]).ok().stdout;
    let rows: Vec<&str> = shown.lines().filter(|line| line.starts_with("customer-")).collect();
    assert_eq!(rows.len(), 1_000);
    assert!(rows.is_sorted() && rows.iter().all(|row| row.contains(" logged in ")), "{shown}");
    let width = rows[0].find("  in ").unwrap();
    assert!(shown.contains("1000 profiles; the nearest end: customer-"), "{width}: {shown}");
    let json = sandbox.run(&["status", "--json"]).ok().json();
    let profiles = json["profiles"].as_array().unwrap();
    assert_eq!(profiles.len(), 1_000);
    assert!(profiles.iter().all(|one| one["client_secret_stored"] == true), "{}", profiles[0]);
    let calendar = sandbox.run(&["status", "--ics", "-"]).ok().stdout;
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 1_000);
    let near = sandbox.run(&["status", "--within", "400d"]).ended_with(&[3]).stderr;
    assert!(near.contains(", and 980 more\n"), "{near}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    sandbox.run(&["token", "customer-000007"]).failed_with(&[1, 6]);
}
