//! One save, killed at or refused by each of its system calls. Needs `strace`.

use std::path::Path;
use std::process::{Command, Stdio};

use snowtoken_core::token_set::Generation;
use snowtoken_store::TokenStore as _;

use crate::support::{Place, child, counts, draft, make, profile, role};

/// The calls that change something on the disk, or make it durable.
const CALLS: &[&str] = &[
    "openat",
    "pwrite64",
    "fsync",
    "fdatasync",
    "unlink",
    "ftruncate",
    "close",
    "fcntl",
    "fchmod",
    "fchown",
];

const ERRNOS: [&str; 8] =
    ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EMFILE", "EINTR", "EFBIG"];

#[test]
fn saver() {
    let Some((_, root)) = role() else { return };
    let mut store = make(&root);
    let dev = profile("dev");
    let generation = store.generation(&dev).unwrap();
    if let Err(refused) = store.save(&dev, generation, &draft("new"), None) {
        println!("refused: {refused}");
        std::process::exit(9);
    }
    std::process::exit(8);
}

fn trace(root: &Path, options: &[String]) -> std::process::Output {
    let mut wrapper = vec!["strace", "-f", "-qq", "-P"];
    let database = crate::support::database(root);
    let journal = format!("{}-journal", database.display());
    let database = database.display().to_string();
    let home = root.join("home").display().to_string();
    wrapper.extend([database.as_str(), "-P", journal.as_str(), "-P", home.as_str()]);
    wrapper.extend(options.iter().map(String::as_str));
    child(&wrapper, "syscalls::saver", "saver", root).stdout(Stdio::piped()).output().unwrap()
}

fn fresh() -> Place {
    let place = Place::new();
    place.make().save(&profile("dev"), Generation::NONE, &draft("old"), None).unwrap();
    place
}

/// How often a whole save makes this call on the store's files.
fn count(call: &str) -> usize {
    let place = fresh();
    let log = place.root().join("trace");
    let options = ["-o", log.to_str().unwrap(), "-e", &format!("trace={call}")].map(String::from);
    assert_eq!(trace(place.root(), &options).status.code(), Some(8));
    let log = std::fs::read_to_string(log).unwrap();
    log.lines().filter(|line| line.contains(&format!("{call}("))).count()
}

/// The store holds the old tokens or the new ones, whole.
fn assert_whole(place: &Place, context: &str) -> Generation {
    let store = place.open().unwrap().unwrap();
    store.check().unwrap();
    let record = store.load(&profile("dev")).unwrap().unwrap();
    let tag = if record.generation == Generation(1) { "old" } else { "new" };
    assert_eq!(record.tokens, draft(tag).tokens, "{context}");
    record.generation
}

fn require_strace() {
    let found = Command::new("strace").arg("-V").stdout(Stdio::null()).status();
    assert!(
        found.is_ok_and(|status| status.success()),
        "strace is missing: `cargo xtask setup` installs it"
    );
}

#[test]
fn a_save_killed_at_any_call_leaves_the_old_or_the_new() {
    require_strace();
    let mut points = 0;
    for call in CALLS {
        for nth in 1..=count(call) {
            let place = fresh();
            let inject = format!("inject={call}:signal=KILL:when={nth}");
            trace(place.root(), &["-o", "/dev/null", "-e", &inject].map(String::from));
            assert_whole(&place, &inject);
            points += 1;
        }
    }
    assert!(points > 20, "only {points} calls were seen");
}

#[test]
fn a_save_that_is_refused_by_the_disk_says_so_and_keeps_the_old() {
    require_strace();
    let mut turn = 0;
    for call in ["pwrite64", "fsync", "fdatasync", "openat", "unlink", "close", "fcntl"] {
        for nth in 1..=count(call) {
            // One after the other, or each of them at each place.
            turn += 1;
            for errno in (0..counts(2, 8)).map(|n| ERRNOS[(2 * turn + n) % 8]) {
                let place = fresh();
                let inject = format!("inject={call}:error={errno}:when={nth}");
                let output =
                    trace(place.root(), &["-o", "/dev/null", "-e", &inject].map(String::from));
                let told = String::from_utf8_lossy(&output.stdout).into_owned();
                let generation = assert_whole(&place, &inject);
                if output.status.code() == Some(8) {
                    assert_eq!(generation, Generation(2), "{inject}: it said it was saved\n{told}");
                } else {
                    // Refused after the commit: unsure is allowed, wrong is not.
                    assert!(generation <= Generation(2), "{inject}: {told}");
                }
            }
        }
    }
}
