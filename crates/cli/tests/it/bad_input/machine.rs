//! The machine is at fault: disk full, read-only, damaged files. What was stored stays, and works
//! again when the trouble is over. Full and read-only file systems are mounts of a namespace that
//! ends with its command.

use std::fs;
use std::process::Command;

use crate::support::foreign::{Foreign, Kind};
use crate::support::instance::{Instance, PROFILE, first_login, log_in, paste, words};
use crate::support::process::{Outcome, Running};
use crate::support::sandbox::{BINARY, Sandbox};

/// A shell script in a mount namespace of its own. `$1` is the folder the command keeps its things
/// in, `$2` the command; the rest are arguments.
fn in_namespace(sandbox: &Sandbox, script: &str, arguments: &[&str]) -> Running {
    let plain = sandbox.command(&[] as &[&str]);
    let is_root = Command::new("/usr/bin/id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut unshare = sandbox.program("/usr/bin/unshare");
    unshare.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if !is_root {
        unshare.arg("--map-root-user");
    }
    let script = format!("set -e\nkeep=$1; bin=$2; shift 2\n{script}");
    unshare.args(["--mount", "/bin/sh", "-c", &script, "sh"]).arg(sandbox.keep()).arg(BINARY);
    unshare.args(arguments);
    Running::start(unshare)
}

/// A machine on which this cannot be tried is a machine on which this test fails.
#[track_caller]
fn could_mount(outcome: &Outcome) {
    let refused = ["unshare:", "mount:"].iter().any(|word| outcome.stderr.contains(word));
    assert!(!refused, "this needs root or user namespaces with mounts: {outcome:#?}");
}

fn logged_in() -> (Foreign, Sandbox, String) {
    let (server, sandbox) = (Foreign::usual(Kind::NodeOauth), Sandbox::new());
    log_in(&sandbox, &server);
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    (server, sandbox, token)
}

#[test]
fn a_full_disk_loses_nothing() {
    let (server, sandbox, _) = logged_in();
    let before = server.token_requests().len();
    // The store is copied to a small disk, the disk is filled, a refresh must store something; then
    // there is room again and the tokens are as good as before.
    let script = r#"
        kept=$(mktemp -d); cp -a "$keep/." "$kept"
        mount -t tmpfs -o size=1m,mode=0700 tmpfs "$keep"; cp -a "$kept/." "$keep"; rm -rf "$kept"
        dd if=/dev/zero of="$keep/filler" bs=4096 2>/dev/null || true
        code=0; "$bin" refresh p || code=$?
        rm "$keep/filler"
        "$bin" token p
        "$bin" refresh p
        exit $code
    "#;
    let outcome = in_namespace(&sandbox, script, &[]).finish();
    could_mount(&outcome);
    assert_eq!(outcome.code, Some(6), "{outcome:#?}");
    assert!(outcome.stderr.contains("code: store-full"), "{outcome:#?}");
    assert!(server.is_alive(&outcome.token()));
    assert!(server.token_requests().len() > before, "the last refresh worked");
}

#[test]
fn a_full_disk_is_noticed_before_the_browser_opens() {
    let (server, sandbox) = (Foreign::usual(Kind::NodeOauth), Sandbox::new());
    let script = r#"
        mkdir -p "$keep"; mount -t tmpfs -o size=16k,mode=0700 tmpfs "$keep"
        dd if=/dev/zero of="$keep/filler" bs=4096 2>/dev/null || true
        exec "$bin" "$@"
    "#;
    let arguments = first_login(&sandbox, &server);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut running = in_namespace(&sandbox, script, &arguments);
    running.close_stdin();
    let outcome = running.finish();
    could_mount(&outcome);
    let (outcome, _) = outcome.failed_with(&[6]);
    assert!(!outcome.stderr.contains("response_type=code"), "{outcome:#?}");
    assert_eq!(server.received().len(), 0);
}

#[test]
fn a_read_only_disk_is_told_and_the_living_token_still_printed() {
    let (server, sandbox, token) = logged_in();
    let script = r#"
        mount --bind "$keep" "$keep"; mount -o remount,bind,ro "$keep"
        exec "$bin" "$@"
    "#;
    let outcome = in_namespace(&sandbox, script, &["token", PROFILE]).finish();
    could_mount(&outcome);
    assert_eq!(outcome.ok().token(), token);
    let before = server.received().len();
    let outcome = in_namespace(&sandbox, script, &["refresh", PROFILE]).finish();
    let (outcome, code) = outcome.failed_with(&[6]);
    assert_eq!(code.as_deref(), Some("store-read-only"), "{outcome:#?}");
    let mut running = in_namespace(&sandbox, script, &["login", PROFILE, "--no-browser"]);
    running.close_stdin();
    let (outcome, _) = running.finish().failed_with(&[6]);
    assert!(!outcome.stderr.contains("response_type=code"), "{outcome:#?}");
    assert_eq!(server.received().len(), before, "nothing is asked that could not be stored");
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
}

/// The one file in the store's folder that ends so.
fn kept_file(sandbox: &Sandbox, is_it: impl Fn(&str) -> bool) -> std::path::PathBuf {
    let all = sandbox.snapshot_of("keep");
    let mut names = all.iter().filter(|(name, entry)| !entry.is_folder() && is_it(name));
    let found = names.next().unwrap_or_else(|| panic!("no such file among {:?}", all.keys()));
    sandbox.path(found.0)
}

fn database(sandbox: &Sandbox) -> std::path::PathBuf {
    kept_file(sandbox, |name| {
        let text = |end: &str| name.ends_with(end);
        fs::read(sandbox.path(name)).unwrap_or_default().starts_with(b"SQLite format 3")
            && !text("-wal")
            && !text("-shm")
    })
}

type Damage = fn(Vec<u8>) -> Vec<u8>;

#[test]
fn a_damaged_store_is_told_and_left_as_it_is() {
    let damages: [(&str, Damage); 4] = [
        ("emptied", |_| Vec::new()),
        ("cut", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("overwritten", |bytes| vec![b'x'; bytes.len()]),
        ("another file", |_| b"{\"access_token\": \"x\"}".to_vec()),
    ];
    for (name, damage) in damages {
        let (_server, sandbox, _) = logged_in();
        let path = database(&sandbox);
        let broken = damage(fs::read(&path).unwrap());
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", path.display()));
        }
        fs::write(&path, &broken).unwrap();
        for verb in ["token", "refresh"] {
            let outcome = sandbox.run(&[verb, PROFILE]);
            assert!(outcome.code.is_some_and(|c| c == 6), "{name}, {verb}: {outcome:#?}");
            outcome.failed_with(&[6]);
        }
        assert_eq!(fs::read(&path).unwrap(), broken, "{name}: the evidence was written over");
    }
}

#[test]
fn single_bits_that_flip_never_give_a_wrong_token() {
    let (_server, sandbox, token) = logged_in();
    let path = database(&sandbox);
    let good = fs::read(&path).unwrap();
    for round in 0..40 {
        let mut bytes = good.clone();
        let at = good.len() * round / 40 + round;
        bytes[at % good.len()] ^= 1 << (round % 8);
        fs::write(&path, &bytes).unwrap();
        let outcome = sandbox.run(&["token", PROFILE]);
        match outcome.code {
            Some(0) => assert_eq!(outcome.token(), token, "bit {at}"),
            Some(2 | 4 | 6) => assert_eq!(outcome.stdout, ""),
            other => panic!("bit {at}: {other:?}: {outcome:#?}"),
        }
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
}

#[test]
fn a_damaged_configuration_is_told_and_left_as_it_is() {
    let (_server, sandbox, token) = logged_in();
    let path = kept_file(&sandbox, |name| name.ends_with("config.toml"));
    let good = fs::read(&path).unwrap();
    for bad in [&b"[profile"[..], b"\xff\xfe\x00", b"[profiles.p]\ninstance = 4\n"] {
        fs::write(&path, bad).unwrap();
        let (outcome, _) = sandbox.run(&["refresh", PROFILE]).failed_with(&[2]);
        assert!(outcome.stderr.contains("config.toml"), "{outcome:#?}");
        assert_eq!(fs::read(&path).unwrap(), bad);
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
}

#[test]
fn another_key_opens_nothing_and_spoils_nothing() {
    let (server, sandbox, token) = logged_in();
    let key = sandbox.path("key/store.key");
    let good = fs::read(&key).unwrap();
    let other = Sandbox::new();
    log_in(&other, &server);
    fs::write(&key, fs::read(other.path("key/store.key")).unwrap()).unwrap();
    let (outcome, code) = sandbox.run(&["token", PROFILE]).failed_with(&[6]);
    assert_eq!(code.as_deref(), Some("key-wrong"), "{outcome:#?}");
    for bad in ["", "short", "zz"] {
        fs::write(&key, bad).unwrap();
        sandbox.run(&["token", PROFILE]).failed_with(&[6]);
    }
    fs::write(&key, good).unwrap();
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
}

#[test]
fn a_store_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (server, sandbox, token) = logged_in();
    for path in [database(&sandbox), sandbox.path("key/store.key")] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let (outcome, _) = sandbox.run(&["token", PROFILE]).failed_with(&[6]);
        assert!(outcome.stderr.contains("chmod"), "{outcome:#?}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
    paste(sandbox.start(&words(&["login", PROFILE, "--no-browser"])), &server).ok();
}
