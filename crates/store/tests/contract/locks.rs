//! File systems that refuse locks, interrupt them or never answer (V34), and holders that are
//! stopped (V31). Needs `strace`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use snowtoken_core::diagnosis::Diagnose;
use snowtoken_core::token_set::Generation;
use snowtoken_store::TokenStore as _;
use snowtoken_store::lock::RefreshLock;
use snowtoken_store::sqlite::{Options, SqliteStore};

use crate::support::{Place, child, database, draft, keys, profile, role};

/// Makes every file system look like NFS: nobody waits beside a call to a local one.
const NETWORK: &str = "inject=statfs:poke_exit=@arg2=6969000000000000";

/// What the child says when it got what it wanted.
const GOT: &str = "got it";

#[test]
fn actor() {
    let Some((role, root)) = role() else { return };
    match role.as_str() {
        "locker" => {
            let wait = Duration::from_millis(300);
            told(RefreshLock::acquire(&root.join("home"), &profile("dev"), wait).map(drop));
        }
        "reader" => told(read(&root)),
        "holder" => {
            let _lock =
                RefreshLock::acquire(&root.join("home"), &profile("dev"), Duration::ZERO).unwrap();
            println!("\n:held");
            std::io::stdout().flush().unwrap();
            thread::sleep(Duration::from_mins(1));
        }
        other => panic!("no role {other}"),
    }
}

fn read(root: &Path) -> snowtoken_store::Result<()> {
    let busy_timeout = Duration::from_millis(300);
    let options = Options { path: database(root), busy_timeout };
    let store = SqliteStore::open(&options, &keys(root))?.unwrap();
    store.load(&profile("dev")).map(drop)
}

fn told(result: snowtoken_store::Result<()>) {
    match result {
        Ok(()) => println!("\n:{GOT}"),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let hints: Vec<String> = error.hints().iter().map(ToString::to_string).collect();
            let (code, cause) = (error.code(), cause.unwrap_or_default());
            println!("\n:{code} | {error} | {cause} | {}", hints.join(" | "));
        }
    }
    // A thread that never comes back must not be waited for.
    std::process::exit(0);
}

/// What the child in this role says when the system calls are tampered with so.
fn under(place: &Place, role: &str, tampering: &str, only: Option<&Path>) -> (String, Duration) {
    let inject = format!("inject={tampering}");
    // In a group of its own, so that whoever hangs is ended with everything it started.
    let mut wrapper = vec!["timeout", "-s", "KILL", "30", "strace", "-f", "-qq"];
    wrapper.extend(["-o", "/dev/null", "-e", &inject, "-e", NETWORK]);
    let only = only.map(|path| path.display().to_string());
    let home = place.home().display().to_string();
    if let Some(path) = &only {
        wrapper.extend(["-P", path, "-P", &home]);
    }
    let started = Instant::now();
    let mut command = child(&wrapper, "locks::actor", role, place.root());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|e| {
        panic!("strace does not work here: `cargo xtask setup` installs it ({e})")
    });
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let word = lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix(':')?.into()));
    let took = started.elapsed();
    // strace would stay as long as the delay that it plays: its whole group ends.
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process_group(pid, rustix::process::Signal::KILL).unwrap();
    child.wait().unwrap();
    (word.unwrap_or_else(|| panic!("{role} said nothing under {tampering}")), took)
}

fn saved() -> Place {
    let place = Place::new();
    place.make().save(&profile("dev"), Generation::NONE, &draft("1"), None).unwrap();
    place
}

/// It is told in words that name the cause, and what to do.
#[track_caller]
fn refused(word: &str, place: &Path, cause: &str) {
    let start = format!(
        "locks-unavailable | the file system does not lock files in {} | {cause}",
        place.display()
    );
    assert!(word.starts_with(&start), "{word}");
    assert!(
        word.contains("SNOWTOKEN_HOME: a folder on a disk of this machine, not on a network file"),
        "{word}"
    );
}

#[test]
fn v34_a_file_system_without_locks_is_told_by_its_name() {
    let place = saved();
    for (errno, text) in [
        ("ENOLCK", "No locks available"),
        ("EOPNOTSUPP", "Operation not supported"),
        ("ENOSYS", "Function not implemented"),
        ("EIO", "Input/output error"),
    ] {
        let (word, _) = under(&place, "locker", &format!("flock:error={errno}"), None);
        refused(&word, &place.home(), text);
    }
}

#[test]
fn v34_interruptions_are_no_refusals() {
    let place = saved();
    for tampering in ["flock:error=EINTR:when=1..5", "flock:error=EAGAIN:when=1..3"] {
        assert_eq!(under(&place, "locker", tampering, None).0, GOT, "{tampering}");
    }
    let database = place.database();
    let interrupted = "fcntl:error=EINTR:when=1..5";
    assert_eq!(under(&place, "reader", interrupted, Some(&database)).0, GOT);
}

#[test]
fn v34_a_lock_that_is_never_answered_is_not_waited_for() {
    let place = saved();
    let database = place.database();
    thread::scope(|scope| {
        let locker = scope.spawn(|| under(&place, "locker", "flock:delay_enter=60s", None));
        let reader =
            scope.spawn(|| under(&place, "reader", "fcntl:delay_enter=60s", Some(&database)));
        let (word, took) = locker.join().unwrap();
        refused(&word, &place.home(), "no answer within 5 s");
        assert!((4..8).contains(&took.as_secs()), "{took:?}");
        let (word, took) = reader.join().unwrap();
        refused(&word, &database, "no answer within 5 s");
        assert!((4..8).contains(&took.as_secs()), "{took:?}");
    });
}

#[test]
fn v34_a_database_that_cannot_be_locked_is_busy_and_the_hint_names_the_cause() {
    let place = saved();
    let database = place.database();
    let (word, took) = under(&place, "reader", "fcntl:error=ENOLCK", Some(&database));
    // SQLite does not tell ENOLCK from a lock that somebody has.
    assert!(word.starts_with("store-locked | the store is in use by another program"), "{word}");
    assert!(word.contains("the folder may lie on a network file system"), "{word}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn v31_a_stopped_holder_costs_a_bounded_wait_and_nothing_else() {
    let place = saved();
    let mut holder =
        child(&[], "locks::actor", "holder", place.root()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == ":held"));
    let pid = rustix::process::Pid::from_child(&holder);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let started = Instant::now();
    let wait = Duration::from_secs(1);
    let refused = RefreshLock::acquire(&place.home(), &profile("dev"), wait).unwrap_err();
    assert_eq!(refused.to_string(), "another process holds the lock of profile \"dev\"");
    assert!((1000..2500).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    drop(RefreshLock::acquire(&place.home(), &profile("prod"), Duration::ZERO).unwrap());
    // Killed while it is stopped: the lock goes with it.
    holder.kill().unwrap();
    holder.wait().unwrap();
    drop(RefreshLock::acquire(&place.home(), &profile("dev"), Duration::ZERO).unwrap());
}
