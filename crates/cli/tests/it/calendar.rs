//! `status --ics`: what programs that nobody here wrote make of the calendar file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::foreign::{node, python, scripts};
use crate::support::instance::{PROFILE, first_login, log_in, paste, words};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

const DAY: i64 = 86_400;

/// Nobody may read when the refresh token ends: it is derived.
const DERIVED: &[&str] = &["api.credentials=administrators"];

/// ical.js, which Thunderbird uses, and Python's icalendar.
fn readers() -> [(&'static str, Command); 2] {
    let mut one = Command::new(node());
    one.arg(scripts().join("read_calendar.mjs"));
    let mut other = Command::new(python("python"));
    other.arg(scripts().join("read_calendar.py"));
    [("ical.js", one), ("icalendar", other)]
}

/// What each of the readers finds in the text.
fn read(text: &str) -> Vec<(&'static str, Value)> {
    let found = readers().into_iter().map(|(name, mut reader)| {
        reader.env_clear().env("PATH", "/usr/bin:/bin").env("TZ", "America/New_York");
        let mut running = Running::start(reader);
        running.write(text);
        running.close_stdin();
        let outcome = running.finish();
        assert_eq!(outcome.code, Some(0), "{name}; run `cargo xtask setup`? {outcome:#?}\n{text}");
        (name, outcome.json())
    });
    found.collect()
}

/// The calendar on standard output.
fn calendar(sandbox: &Sandbox) -> String {
    sandbox.run(&["status", "--ics", "-"]).ok().stdout
}

/// When the refresh token ends, as `status --json` says.
fn end(sandbox: &Sandbox) -> i64 {
    let json = sandbox.run(&["status", PROFILE, "--json"]).ok().json();
    let end = json["profiles"][0]["refresh_token_expires_at"].as_str().unwrap().to_owned();
    end.parse::<Timestamp>().unwrap().as_second()
}

/// Adds a profile to the configuration.
fn add_profile(sandbox: &Sandbox, name: &str, settings: &str) {
    let path = sandbox.keep().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}\n[profile.{name}]\n{settings}\n")).unwrap();
}

#[test]
fn alarms_ring_30_14_7_and_1_days_ahead_whoever_the_user_is() {
    let long = "ü😀é".repeat(12);
    let hostile = "a;b,c\\n\\d\"e:f\nEND:VEVENT\r\nBEGIN:VALARM";
    for user in ["abel.tuter", hostile, &long, "\"; TZID=x, \\"] {
        let (instance, sandbox) = (StandIn::with_user(user, DERIVED), Sandbox::new());
        log_in(&sandbox, &instance);
        let end = end(&sandbox);
        for (reader, found) in read(&calendar(&sandbox)) {
            assert_eq!(found["version"], "2.0", "{reader}");
            let [event] = found["events"].as_array().unwrap().as_slice() else {
                panic!("{reader}: not one event: {found}")
            };
            assert_eq!(event["start"], end, "{reader}, {user:?}");
            let alarms = event["alarms"].as_array().unwrap();
            let rings: Vec<i64> = alarms.iter().map(|a| a["at"].as_i64().unwrap()).collect();
            let expected = [30, 14, 7, 1].map(|days| end - days * DAY);
            assert_eq!(rings, expected, "{reader}, {user:?}");
            assert!(alarms.iter().all(|a| a["action"] == "DISPLAY"), "{reader}: {event}");
            assert!(alarms[0]["text"].as_str().unwrap().starts_with("in 30 days: p: "), "{event}");
            let text = event["description"].as_str().unwrap();
            assert!(text.contains("of profile p of user "), "{reader}: {text}");
            assert!(text.contains("\nHow this is known: derived: "), "{reader}: {text}");
            assert!(text.contains("run `snowtoken login p` before then."), "{reader}: {text}");
            if !user.contains('\n') {
                assert!(text.contains(user), "{reader}: {text}");
            }
        }
    }
}

#[test]
fn both_readers_see_the_same_and_a_second_export_is_the_newer_revision() {
    let (instance, sandbox) = (StandIn::with(DERIVED), Sandbox::new());
    log_in(&sandbox, &instance);
    let first = read(&calendar(&sandbox));
    assert_eq!(first[0].1, first[1].1);
    sandbox.run(&["refresh", PROFILE]).ok();
    sandbox.run(&["profile", "set", PROFILE, "--refresh-token-lifespan", "30d"]).ok();
    std::thread::sleep(std::time::Duration::from_secs(1));
    let second = read(&calendar(&sandbox));
    let (first, second) = (&first[0].1["events"][0], &second[0].1["events"][0]);
    assert_eq!(first["uid"], second["uid"]);
    assert!(second["sequence"].as_i64() >= first["sequence"].as_i64());
    assert!(second["written"].as_i64() > first["written"].as_i64());
    assert!(second["start"].as_i64() < first["start"].as_i64());
}

/// khal, a calendar program with a database of its own.
fn khal(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(python("khal"));
    command.arg("-c").arg(folder.join("config")).args(arguments).env_clear();
    command
        .current_dir(folder)
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", folder);
    let outcome = Running::start(command).finish().ok();
    assert!(!outcome.stderr.contains("rror"), "{outcome:#?}");
    outcome.stdout
}

#[test]
fn a_calendar_program_takes_it_and_a_second_import_replaces_the_first() {
    let (instance, sandbox) = (StandIn::with(DERIVED), Sandbox::new());
    log_in(&sandbox, &instance);
    let folder = sandbox.path("files");
    fs::create_dir(folder.join("events")).unwrap();
    let formats = "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n\
        datetimeformat = %Y-%m-%dT%H:%M\nlongdatetimeformat = %Y-%m-%dT%H:%M";
    let config = format!(
        "[calendars]\n[[deadlines]]\npath = {0}/events\n[sqlite]\npath = {0}/khal.db\n\
         [locale]\nlocal_timezone = UTC\ndefault_timezone = UTC\n{formats}\n",
        folder.display()
    );
    fs::write(folder.join("config"), config).unwrap();
    let list = ["list", "--format", "{start} {title}", "--day-format", "", "2026-01-01", "3650d"];
    let mut seen = Vec::new();
    for lifespan in ["365d", "40d"] {
        sandbox.run(&["profile", "set", PROFILE, "--refresh-token-lifespan", lifespan]).ok();
        sandbox.run(&["status", "--ics", "deadlines.ics"]).ok();
        khal(&folder, &["import", "--batch", "-a", "deadlines", "deadlines.ics"]);
        let shown = khal(&folder, &list);
        let at = Timestamp::from_second(end(&sandbox)).unwrap();
        let expected = format!("{} p: the refresh token ends (", at.strftime("%Y-%m-%dT%H:%M"));
        assert_eq!(shown.lines().filter(|line| !line.is_empty()).count(), 1, "{shown}");
        assert!(shown.trim().starts_with(&expected), "{shown} is not {expected}");
        seen.push(shown);
    }
    assert_ne!(seen[0], seen[1]);
}

#[test]
fn whoever_has_no_end_has_no_event_and_is_told() {
    let (instance, sandbox) = (StandIn::with(DERIVED), Sandbox::new());
    let arguments = [first_login(&sandbox, &instance), words(&["--json"])].concat();
    paste(sandbox.start(&arguments), &instance).ok();
    add_profile(&sandbox, "later", "instance = \"b\"\nclient_id = \"c\"");
    let outcome = sandbox.run(&["status", "--ics", "-"]).ok();
    assert_eq!(outcome.stderr, "later: no event: not logged in\n");
    assert_eq!(outcome.stdout.matches("BEGIN:VEVENT").count(), 1);
    // An imported refresh token of unknown age.
    let text = fs::read_to_string(sandbox.credentials()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("Access")).collect();
    let stranger = Sandbox::new();
    let file = stranger.file("taken-over.txt", lines.join("\n")).display().to_string();
    stranger.run(&["profile", "import", &file, "--name", PROFILE, "--no-verify"]).ok();
    let outcome = stranger.run(&["status", "--ics", "-"]).ok();
    assert_eq!(outcome.stderr, "p: no event: the end of its refresh token is not known\n");
    // A calendar without events is one all the same.
    for (reader, found) in read(&outcome.stdout) {
        assert_eq!(found["events"], serde_json::json!([]), "{reader}");
    }
}

#[test]
fn a_client_that_acts_for_itself_has_no_event() {
    let (instance, sandbox) = (StandIn::with(DERIVED), Sandbox::new());
    instance.let_client_act_as("abel.tuter");
    let more = words(&["--grant", "client-credentials", "--no-output"]);
    let mut arguments = first_login(&sandbox, &instance);
    arguments.extend(more);
    sandbox.run(&arguments).ok();
    let outcome = sandbox.run(&["status", "--ics", "-"]).ok();
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.stdout.matches("BEGIN:VEVENT").count(), 0);
}

#[test]
fn the_file_is_replaced_whole_and_nothing_else_is() {
    let (instance, sandbox) = (StandIn::with(DERIVED), Sandbox::new());
    log_in(&sandbox, &instance);
    let path = sandbox.path("files/deadlines.ics");
    fs::write(&path, "old".repeat(100_000)).unwrap();
    let outcome = sandbox.run(&["status", "--ics", "deadlines.ics"]).ok();
    assert_eq!(outcome.stdout, "");
    assert_eq!(outcome.stderr, "1 event written to deadlines.ics\n");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.ends_with("END:VCALENDAR\r\n") && !text.contains("old"));
    assert_eq!(sandbox.snapshot_of("files")["files/deadlines.ics"].permissions(), 0o600);
    let link = sandbox.path("files/link.ics");
    symlink(&path, &link).unwrap();
    let (_, code) = sandbox.run(&["status", "--ics", "link.ics"]).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("output-unwritable"));
    let (_, code) = sandbox.run(&["status", "--ics", "gone/x.ics"]).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("output-unwritable"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    sandbox.run(&["status", "--ics", "-", "--json"]).ended_with(&[2]);
    let outcome = sandbox.run(&["status", "--ics", "-", "--within", "9999d"]).ended_with(&[3]);
    assert!(outcome.stdout.starts_with("BEGIN:VCALENDAR\r\n"));
}
