//! Owners, modes, and things that stand where our files should be.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use snowtoken_core::diagnosis::{Code, Diagnose as _};
use snowtoken_core::token_set::Generation;
use snowtoken_store::lock::RefreshLock;
use snowtoken_store::{StoreError, TokenStore as _};

use crate::support::{Place, child, draft, make, profile, role, umask};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn everything_below(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything_below(&path));
        }
        found.push(path);
    }
    found
}

#[test]
fn modes_are_tight_under_any_umask() {
    for mask in ["000", "022", "077"] {
        let place = Place::new();
        let umask = umask(mask);
        let umask: Vec<&str> = umask.iter().map(String::as_str).collect();
        let status = child(&umask, "files::writer", "writer", place.root()).status().unwrap();
        assert!(status.success());
        let found = everything_below(place.root());
        assert!(found.len() >= 6, "{found:?}");
        for path in found {
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), wanted, "{} under umask {mask}", path.display());
        }
    }
}

#[test]
fn writer() {
    let Some((_, root)) = role() else { return };
    let mut store = make(&root);
    store.save(&profile("dev"), Generation::NONE, &draft("1"), None).unwrap();
    let lock = RefreshLock::acquire(&root.join("home"), &profile("dev"), Duration::ZERO).unwrap();
    snowtoken_store::write_file::replace(&root.join("home/credentials.txt"), b"secret").unwrap();
    drop(lock);
    // The journal of a transaction that is still open, as another process would see it.
    let raw = rusqlite::Connection::open(root.join("home/tokens.db")).unwrap();
    raw.execute_batch("BEGIN IMMEDIATE; DELETE FROM token_set").unwrap();
    assert_eq!(mode(&root.join("home/tokens.db-journal")), 0o600);
}

#[test]
fn reading_makes_no_file() {
    let place = Place::new();
    let mut store = place.make();
    store.save(&profile("dev"), Generation::NONE, &draft("1"), None).unwrap();
    drop(store);
    let before = everything_below(place.root());
    let changed = fs::metadata(place.home()).unwrap().mtime_nsec();
    let store = place.open().unwrap().unwrap();
    store.load(&profile("dev")).unwrap().unwrap();
    store.profiles().unwrap();
    drop(store);
    assert_eq!(everything_below(place.root()), before);
    assert_eq!(fs::metadata(place.home()).unwrap().mtime_nsec(), changed);
}

#[test]
fn files_that_others_can_read_are_refused_with_the_fix() {
    let place = Place::new();
    drop(place.make());
    for (path, bad, good) in [
        (place.database(), 0o640, 0o600),
        (place.database(), 0o602, 0o600),
        (place.home(), 0o770, 0o700),
        (place.home(), 0o1777, 0o700),
    ] {
        chmod(&path, bad);
        let refused = place.open().unwrap_err();
        assert_eq!(refused.code(), Code::StoreInsecure);
        let fix = format!("chmod {good:o} '{}'", fs::canonicalize(&path).unwrap().display());
        assert!(
            refused.hints().iter().any(|hint| hint.to_string() == fix),
            "{:?}",
            refused.hints()
        );
        chmod(&path, good);
    }
    chmod(&place.key_file(), 0o604);
    let refused = place.open().unwrap_err();
    assert_eq!(refused.code(), Code::KeyInvalid);
    assert!(refused.hints()[0].to_string().starts_with("chmod 600 "), "{:?}", refused.hints());
    chmod(&place.key_file(), 0o400);
    assert!(place.open().unwrap().is_some(), "stricter is fine");
}

#[test]
fn files_of_somebody_else_are_refused() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give files away.
    }
    let place = Place::new();
    drop(place.make());
    for path in [place.database(), place.home(), place.key_file()] {
        std::os::unix::fs::chown(&path, Some(65534), None).unwrap();
        let refused = place.open().unwrap_err();
        assert!(matches!(refused.code(), Code::StoreInsecure | Code::KeyInvalid), "{refused}");
        std::os::unix::fs::chown(&path, Some(0), None).unwrap();
    }
    assert!(place.open().unwrap().is_some());
}

/// What it is, and how it is put somewhere.
type Impostor<'a> = (&'static str, Box<dyn Fn(&Path) + 'a>);

/// What an attacker could put in place of a file; each leads to `victim`, where it leads anywhere.
fn impostors(victim: &Path) -> [Impostor<'_>; 5] {
    [
        ("symbolic link", Box::new(move |path| symlink(victim, path).unwrap())),
        (
            "dangling link",
            Box::new(move |path| symlink(victim.with_extension("new"), path).unwrap()),
        ),
        ("hard link", Box::new(move |path| fs::hard_link(victim, path).unwrap())),
        ("pipe", Box::new(crate::support::make_pipe)),
        ("folder", Box::new(|path| fs::create_dir(path).unwrap())),
    ]
}

fn remove(path: &Path) {
    if path.is_dir() && !path.is_symlink() {
        fs::remove_dir(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn nothing_but_our_own_file_is_taken_for_the_database_the_key_or_the_lock() {
    let place = Place::new();
    drop(place.make());
    let lock = |place: &Place| RefreshLock::acquire(&place.home(), &profile("dev"), Duration::ZERO);
    drop(lock(&place).unwrap());
    let locks = place.home().join("locks/dev.lock");
    for path in [place.database(), place.key_file(), locks.clone()] {
        let victim = place.root().join("victim");
        fs::rename(&path, &victim).unwrap();
        let before = fs::read(&victim).unwrap();
        for (what, put) in impostors(&victim) {
            put(&path);
            let error =
                if path == locks { lock(&place).unwrap_err() } else { place.open().unwrap_err() };
            let code = error.code();
            assert!(
                matches!(code, Code::StoreInsecure | Code::KeyInvalid),
                "{what} as {}: {error}",
                path.display()
            );
            if path == place.database() {
                let options = snowtoken_store::sqlite::Options::new(&path);
                let keys = crate::support::keys(place.root());
                let made = snowtoken_store::sqlite::SqliteStore::open_or_create(&options, &keys);
                assert_eq!(made.unwrap_err().code(), Code::StoreInsecure);
            }
            assert_eq!(fs::read(&victim).unwrap(), before);
            assert!(!victim.with_extension("new").exists());
            remove(&path);
        }
        fs::rename(&victim, &path).unwrap();
    }
    assert!(place.open().unwrap().is_some());
    drop(lock(&place).unwrap());
}

#[test]
fn a_lock_folder_that_leads_elsewhere_is_refused() {
    let place = Place::new();
    drop(place.make());
    let elsewhere = place.root().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, place.home().join("locks")).unwrap();
    let lock = RefreshLock::acquire(&place.home(), &profile("dev"), Duration::ZERO);
    assert!(matches!(lock, Err(StoreError::Insecure { .. })), "{lock:?}");
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
}

#[test]
fn a_home_that_is_a_link_of_ours_works() {
    let place = Place::new();
    let real = place.root().join("real");
    fs::create_dir(&real).unwrap();
    chmod(&real, 0o700);
    symlink(&real, place.home()).unwrap();
    drop(place.make());
    assert!(place.open().unwrap().is_some());
    assert_eq!(mode(&real.join("tokens.db")), 0o600);
}

#[test]
fn the_database_is_as_durable_as_promised() {
    let place = Place::new();
    drop(place.make());
    let bytes = fs::read(place.database()).unwrap();
    assert_eq!(&bytes[18..20], [1, 1], "rollback journal, not WAL");
}
