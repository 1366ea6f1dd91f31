//! `doctor` and `doctor --restore`: what it says of a store that is well, damaged, gone or not there,
//! and the way back.

mod bundle;
mod road;
mod wire;

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::support::instance::{Instance as _, PROFILE, log_in};
use crate::support::process::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

fn logged_in() -> (StandIn, Sandbox) {
    let (instance, sandbox) = (StandIn::with(&["refresh.access=new-each-time"]), Sandbox::new());
    log_in(&sandbox, &instance);
    sandbox.run(&["refresh", PROFILE]).ok();
    (instance, sandbox)
}

fn database(sandbox: &Sandbox) -> PathBuf {
    sandbox.keep().join("store/tokens.db")
}

fn copy(sandbox: &Sandbox) -> PathBuf {
    sandbox.keep().join("store/tokens.db.copy")
}

/// What a step was found to be.
#[track_caller]
fn verdict(outcome: &Outcome, step: &str) -> String {
    let found = outcome.stdout.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let verdict = words.next()?.to_owned();
        line.split_once(&verdict)?.1.trim_start().starts_with(step).then_some(verdict)
    });
    found.unwrap_or_else(|| panic!("no step {step}: {outcome:#?}"))
}

fn code(outcome: &Outcome) -> &str {
    let line = outcome.stderr.lines().find_map(|line| line.strip_prefix("code: "));
    line.and_then(|line| line.split_whitespace().next()).unwrap_or_default()
}

#[test]
fn a_healthy_store_passes_every_step_and_is_not_restored() {
    let (_instance, sandbox) = logged_in();
    let outcome = sandbox.run(&["doctor"]).ok();
    for step in [
        "configuration",
        "folder",
        "free space",
        "key",
        "store",
        "structure",
        "writable",
        "tokens",
        "locks",
        "copy",
    ] {
        assert_eq!(verdict(&outcome, step), "pass", "{step}: {outcome:#?}");
    }
    let json = sandbox.run(&["doctor", "--local", "--json"]).ok().json();
    assert_eq!(
        (&json["version"], &json["failed"], &json["unknown"]),
        (&1.into(), &0.into(), &0.into())
    );
    let before = fs::read(database(&sandbox)).unwrap();
    let (refused, code) = sandbox.run(&["doctor", "--restore", "--yes"]).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("restore-refused"), "{refused:#?}");
    assert_eq!(fs::read(database(&sandbox)).unwrap(), before);
}

#[test]
fn without_a_store_there_is_nothing_to_pass() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(&["doctor"]).ok();
    assert_eq!(verdict(&outcome, "store"), "unknown");
    sandbox.run(&["doctor", "--restore", "--yes"]).failed_with(&[1]);
    assert!(!database(&sandbox).exists());
}

#[test]
fn a_damaged_store_is_told_and_its_copy_brings_the_session_back() {
    let damages: [fn(&PathBuf); 4] = [
        |path| fs::write(path, "").unwrap(),
        |path| fs::write(path, "{\"access_token\": \"x\"}").unwrap(),
        |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2 - 7]).unwrap();
        },
        |path| fs::remove_file(path).unwrap(),
    ];
    let (instance, sandbox) = logged_in();
    for (number, damage) in damages.iter().enumerate() {
        let token = sandbox.run(&["token", PROFILE]).ok().token();
        damage(&database(&sandbox));
        let spoilt = fs::read(database(&sandbox)).ok();
        for arguments in [&["token", PROFILE][..], &["refresh", PROFILE], &["status"]] {
            let (told, code) = sandbox.run(arguments).failed_with(&[6]);
            assert_eq!(code.as_deref(), Some("store-damaged"), "{number}: {told:#?}");
            assert!(told.stderr.contains("snowtoken doctor --restore"), "{told:#?}");
            assert!(told.stderr.contains("tokens.db.copy"), "{told:#?}");
        }
        let login = ["login", PROFILE, "--no-browser", "--no-output"];
        let (told, _) = sandbox.run(&login).failed_with(&[6]);
        assert!(!told.stderr.contains("response_type=code"), "{told:#?}");
        let outcome = sandbox.run(&["doctor"]).ended_with(&[6]);
        assert_eq!(verdict(&outcome, "store"), "FAIL", "{outcome:#?}");
        assert_eq!(verdict(&outcome, "tokens"), "unknown", "{outcome:#?}");
        assert_eq!(verdict(&outcome, "copy"), "pass", "{outcome:#?}");
        // Nobody is asked, so nobody has agreed.
        sandbox.run(&["doctor", "--restore"]).failed_with(&[1]);
        assert_eq!(fs::read(database(&sandbox)).ok(), spoilt);
        let restored = sandbox.run(&["doctor", "--restore", "--yes"]).ok();
        assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token, "{restored:#?}");
        sandbox.run(&["refresh", PROFILE]).ok();
        assert!(instance.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()));
        sandbox.run(&["doctor"]).ok();
        // Every damaged file is still there.
        let kept = sandbox.snapshot_of("keep/store");
        let kept: Vec<_> = kept.iter().filter(|(name, _)| name.contains(".damaged-")).collect();
        assert_eq!(kept.len(), (number + 1).min(3), "{kept:?}");
        assert!(kept.iter().all(|(_, entry)| entry.permissions() == 0o600));
        if let Some(spoilt) = spoilt {
            assert!(kept.iter().any(|(_, entry)| entry.bytes == spoilt));
        }
    }
}

#[test]
fn one_damaged_profile_goes_back_and_the_other_never_stops() {
    let (instance, sandbox) = logged_in();
    let other = [&["login", "other", "--no-output"][..], &[]].concat();
    let mut arguments = crate::support::instance::first_login(&sandbox, &instance);
    arguments[1] = other[1].to_owned();
    arguments.push("--no-output".to_owned());
    crate::support::instance::paste(sandbox.start(&arguments), &instance).ok();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    let raw = Connection::open(database(&sandbox)).unwrap();
    let spoil = "UPDATE token_set SET access_token = x'00', seal = x'00' WHERE profile = 'p' \
                 AND generation = (SELECT max(generation) FROM token_set WHERE profile = 'p')";
    raw.execute_batch(spoil).unwrap();
    sandbox.run(&["token", PROFILE]).failed_with(&[6]);
    sandbox.run(&["token", "other"]).ok();
    sandbox.run(&["refresh", "other"]).ok();
    let outcome = sandbox.run(&["doctor"]).ended_with(&[6]);
    assert_eq!((verdict(&outcome, "store").as_str(), code(&outcome)), ("pass", "store-damaged"));
    assert!(outcome.stderr.contains("profile \"p\""), "{outcome:#?}");
    sandbox.run(&["doctor", "--restore", "--yes"]).ok();
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token, "the copy had it");
    // With the copy gone as well there is still the set before.
    drop(raw);
    fs::remove_file(copy(&sandbox)).unwrap();
    Connection::open(database(&sandbox)).unwrap().execute_batch(spoil).unwrap();
    let (told, _) = sandbox.run(&["token", PROFILE]).failed_with(&[6]);
    assert!(!told.stderr.contains("tokens.db.copy"), "{told:#?}");
    let restored = sandbox.run(&["doctor", "--restore", "--yes"]);
    // The one before is the very row that was damaged first.
    assert_eq!(restored.code, Some(6), "{restored:#?}");
    assert!(restored.stderr.contains("snowtoken login p"), "{restored:#?}");
    // A login needs no clean-up.
    crate::support::instance::log_in_with(&sandbox, &instance, &["--no-output"]).ok();
    sandbox.run(&["doctor"]).ok();
}

#[test]
fn a_wrong_key_a_newer_store_and_a_copy_for_others_are_told() {
    let (_instance, sandbox) = logged_in();
    let key = sandbox.path("key/store.key");
    let good = fs::read(&key).unwrap();
    fs::write(&key, "00".repeat(32)).unwrap();
    let outcome = sandbox.run(&["doctor"]).ended_with(&[6]);
    assert_eq!((verdict(&outcome, "key").as_str(), code(&outcome)), ("FAIL", "key-wrong"));
    assert_eq!(verdict(&outcome, "tokens"), "unknown");
    sandbox.run(&["doctor", "--restore", "--yes"]).failed_with(&[6]);
    fs::write(&key, good).unwrap();
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(copy(&sandbox), mode(0o644)).unwrap();
    let outcome = sandbox.run(&["doctor"]).ended_with(&[6]);
    assert_eq!((verdict(&outcome, "copy").as_str(), code(&outcome)), ("FAIL", "store-insecure"));
    fs::set_permissions(copy(&sandbox), mode(0o600)).unwrap();
    sandbox.run(&["doctor"]).ok();
    Connection::open(database(&sandbox))
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let outcome = sandbox.run(&["doctor"]).ended_with(&[6]);
    assert_eq!((verdict(&outcome, "store").as_str(), code(&outcome)), ("FAIL", "store-newer"));
    let before = fs::read(database(&sandbox)).unwrap();
    sandbox.run(&["doctor", "--restore", "--yes"]).failed_with(&[6]);
    assert_eq!(fs::read(database(&sandbox)).unwrap(), before, "a newer store is no damage");
}
