//! G37, V18: something else stands where a file of ours should be. It is refused in words that name
//! it, or does no harm; what it leads to stays as it was, and nobody waits at a pipe.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::support::instance::{PROFILE, log_in};
use crate::support::process::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;
use crate::support::wrapped::is_root;

/// Puts something at a path; what leads elsewhere leads to the victim.
type Put = fn(path: &Path, victim: &Path);

const IMPOSTORS: [(&str, Put); 8] = [
    ("a symbolic link", |path, victim| symlink(victim, path).unwrap()),
    ("a link to nothing", |path, victim| symlink(victim.with_extension("new"), path).unwrap()),
    ("a link to a device", |path, _| symlink("/dev/null", path).unwrap()),
    ("a hard link", |path, victim| {
        // A folder has no second name.
        let linked = if victim.is_dir() { victim.join("p.lock") } else { victim.to_owned() };
        fs::hard_link(linked, path).unwrap();
    }),
    ("a pipe", |path, _| {
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    }),
    ("a folder", |path, _| {
        fs::create_dir(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }),
    ("a socket", |path, _| {
        UnixListener::bind(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }),
    ("a device", |path, _| {
        // Only root can make one, whoever attacks.
        if is_root() {
            let mode = Mode::from_raw_mode(0o600);
            mknodat(CWD, path, FileType::CharacterDevice, mode, makedev(1, 3)).unwrap();
        } else {
            symlink("/dev/full", path).unwrap();
        }
    }),
];

/// A place, the command that comes by, and what it must say there.
struct Place {
    path: &'static str,
    command: &'static [&'static str],
    refused: &'static [(i32, &'static str)],
    /// Impostors that do no harm here: the command works.
    harmless: &'static [&'static str],
}

const STORE: &[(i32, &str)] = &[(6, "store-insecure")];
/// A link to nothing is no file: there are no profiles then.
const CONFIG: &[(i32, &str)] = &[(2, "config-invalid"), (2, "profile-unknown")];
const CONFIG_CHANGE: &[(i32, &str)] =
    &[(2, "config-invalid"), (2, "profile-unknown"), (1, "output-unwritable")];
const LINKS: &[&str] = &["a symbolic link", "a hard link"];

const PLACES: [Place; 10] = [
    place("keep/store/tokens.db", &["refresh", PROFILE], STORE, &[]),
    place("keep/store/tokens.db", &["token", PROFILE], STORE, &[]),
    place("keep/store/tokens.db-journal", &["refresh", PROFILE], STORE, &[]),
    place("keep/store/tokens.db-wal", &["refresh", PROFILE], STORE, &[]),
    place("keep/store/locks", &["refresh", PROFILE], STORE, &["a folder"]),
    place("keep/store/locks/p.lock", &["refresh", PROFILE], STORE, &[]),
    place("key/store.key", &["token", PROFILE], &[(6, "key-invalid")], &[]),
    // It is made to be read and edited: a link to it may be read, and is never written through.
    place("keep/config.toml", &["refresh", PROFILE], CONFIG, LINKS),
    place(
        "keep/config.toml",
        &["profile", "set", PROFILE, "--refresh-token-lifespan", "30d"],
        CONFIG_CHANGE,
        &["a hard link"],
    ),
    place(
        "files/out.txt",
        &["deliver", PROFILE, "--output", "out.txt"],
        &[(1, "output-unwritable")],
        &["a hard link"],
    ),
];

const fn place(
    path: &'static str,
    command: &'static [&'static str],
    refused: &'static [(i32, &'static str)],
    harmless: &'static [&'static str],
) -> Place {
    Place { path, command, refused, harmless }
}

fn remove(path: &Path) {
    if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path).unwrap();
    } else if path.symlink_metadata().is_ok() {
        fs::remove_file(path).unwrap();
    }
}

/// Runs the command of a place with an impostor in it; the file that was there is the victim.
fn meet(sandbox: &Sandbox, place: &Place, put: Put) -> (Outcome, Vec<String>) {
    let (path, victim) = (sandbox.path(place.path), sandbox.path("victim"));
    let was_there = path.exists();
    if was_there {
        fs::rename(&path, &victim).unwrap();
    } else {
        fs::write(&victim, "somebody else's\n").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let before = (fs::read(&victim).ok(), fs::metadata(&victim).unwrap().mode());
    put(&path, &victim);
    let started = Instant::now();
    let outcome = sandbox.run(place.command);
    let mut wrong = Vec::new();
    if started.elapsed() > Duration::from_secs(20) {
        wrong.push(format!("it took {:?}", started.elapsed()));
    }
    if (fs::read(&victim).ok(), fs::metadata(&victim).unwrap().mode()) != before {
        wrong.push("the victim is another one".to_owned());
    }
    if victim.with_extension("new").exists() {
        wrong.push("a file was made through a link".to_owned());
    }
    remove(&path);
    if was_there {
        fs::rename(&victim, &path).unwrap();
    } else {
        remove(&victim);
    }
    (outcome, wrong)
}

#[test]
fn g37_nothing_else_is_taken_for_a_file_of_ours() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &instance);
    // Every file is there by now, the lock of a change of the configuration too.
    sandbox.run(&["refresh", PROFILE]).ok();
    let mut trouble = Vec::new();
    for place in &PLACES {
        for (name, put) in IMPOSTORS {
            let (outcome, wrong) = meet(&sandbox, place, put);
            let said = outcome.stderr.lines().find_map(|line| line.strip_prefix("code: "));
            let word = said.and_then(|line| line.split(' ').next()).unwrap_or_default();
            let refused = place.refused.contains(&(outcome.code.unwrap_or(-1), word));
            let harmless = place.harmless.contains(&name) && outcome.code == Some(0);
            if !(refused || harmless) || !wrong.is_empty() {
                let (path, verb) = (place.path, place.command[0]);
                trouble.push(format!("{name} as {path}, {verb}: {wrong:?} {outcome:#?}"));
            }
            let after = sandbox.run(&["token", PROFILE]);
            assert_eq!(after.code, Some(0), "after {name} as {}: {after:#?}", place.path);
        }
    }
    assert!(trouble.is_empty(), "{} things:\n{}", trouble.len(), trouble.join("\n"));
    sandbox.run(&["refresh", PROFILE]).ok();
}
