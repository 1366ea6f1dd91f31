//! Several processes at once, and processes that are killed.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use snowtoken_core::diagnosis::{Code, Diagnose as _};
use snowtoken_core::token_set::Generation;
use snowtoken_store::lock::RefreshLock;
use snowtoken_store::sqlite::{Options, SqliteStore};
use snowtoken_store::{StoreError, TokenStore as _};

use crate::support::{Place, child, database, draft, keys, make, profile, role};

/// What the children of this module do.
#[test]
fn actor() {
    let Some((role, root)) = role() else { return };
    match role.as_str() {
        "saver" => save_many(&root),
        "refresher" => refresh(&root),
        "maker" => drop(make(&root)),
        "endless" => save_for_ever(&root),
        "lock-holder" => {
            let dev = profile("dev");
            let _lock = RefreshLock::acquire(&root.join("home"), &dev, Duration::ZERO).unwrap();
            say("held");
            thread::sleep(Duration::from_mins(5));
        }
        "writer" => {
            let raw = rusqlite::Connection::open(database(&root)).unwrap();
            raw.execute_batch("PRAGMA cache_size = 1; BEGIN EXCLUSIVE; DELETE FROM token_set")
                .unwrap();
            say("held");
            thread::sleep(Duration::from_mins(5));
        }
        other => panic!("no role {other}"),
    }
}

fn say(word: &str) {
    println!("\n:{word}");
    std::io::stdout().flush().unwrap();
}

/// The next word that a child said.
fn hear(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Option<String> {
    lines.map_while(Result::ok).find_map(|line| line.strip_prefix(':').map(Into::into))
}

fn start(role: &str, root: &Path) -> (Child, std::io::Lines<BufReader<ChildStdout>>) {
    let mut child =
        child(&[], "processes::actor", role, root).stdout(Stdio::piped()).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    (child, BufReader::new(stdout).lines())
}

fn start_many(count: usize, role: &str, root: &Path) {
    let children: Vec<_> = (0..count)
        .map(|_| child(&[], "processes::actor", role, root).stdout(Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap(); // SIGKILL: nothing of it runs any more.
    child.wait().unwrap();
}

fn save_many(root: &Path) {
    let mut store = make(root);
    let dev = profile("dev");
    for _ in 0..20 {
        loop {
            let generation = store.generation(&dev).unwrap();
            match store.save(&dev, generation, &draft("x"), None) {
                Ok(_) => break,
                Err(StoreError::Conflict { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn processes_that_save_at_once_lose_nothing() {
    let place = Place::new();
    let store = place.make();
    start_many(4, "saver", place.root());
    assert_eq!(store.generation(&profile("dev")).unwrap(), Generation(80));
    store.check().unwrap();
}

#[test]
fn processes_that_make_the_store_at_once_make_one() {
    for _ in 0..5 {
        let place = Place::new();
        start_many(6, "maker", place.root());
        place.open().unwrap().unwrap().check().unwrap();
        let left: Vec<_> =
            fs::read_dir(place.home()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["tokens.db"]);
        assert_eq!(fs::read_dir(place.root()).unwrap().count(), 2, "home and key");
    }
}

/// What a refresh does: under the lock it looks whether another was faster.
fn refresh(root: &Path) {
    let dev = profile("dev");
    let mut store = make(root);
    let seen = store.generation(&dev).unwrap();
    let lock = RefreshLock::acquire(&root.join("home"), &dev, Duration::from_secs(20)).unwrap();
    if store.generation(&dev).unwrap() == Generation(1) {
        let mut calls =
            fs::File::options().append(true).create(true).open(root.join("calls")).unwrap();
        calls.write_all(b"x").unwrap();
        thread::sleep(Duration::from_millis(50)); // The round trip.
        store.save(&dev, Generation(1), &draft("refreshed"), None).unwrap();
    }
    assert!(lock.waited() || seen == Generation(1) || seen == Generation(2));
    assert_eq!(store.load(&dev).unwrap().unwrap().tokens, draft("refreshed").tokens);
}

#[test]
fn of_many_processes_one_refreshes() {
    let place = Place::new();
    let mut store = place.make();
    store.save(&profile("dev"), Generation::NONE, &draft("old"), None).unwrap();
    start_many(24, "refresher", place.root());
    assert_eq!(fs::read(place.root().join("calls")).unwrap(), b"x");
}

#[test]
fn a_lock_is_waited_for_and_dies_with_its_process() {
    let place = Place::new();
    drop(place.make());
    let (holder, mut lines) = start("lock-holder", place.root());
    assert_eq!(hear(&mut lines).as_deref(), Some("held"));
    let take = |name: &str, wait| RefreshLock::acquire(&place.home(), &profile(name), wait);

    let started = Instant::now();
    let refused = take("dev", Duration::from_millis(300)).unwrap_err();
    assert_eq!(refused.code(), Code::LockTimeout);
    assert!((300..2000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    assert!(!take("prod", Duration::ZERO).unwrap().waited(), "locks are per profile");

    let waiter = thread::spawn({
        let home = place.home();
        move || {
            RefreshLock::acquire(&home, &profile("dev"), Duration::from_secs(20))
                .map(|lock| lock.waited())
        }
    });
    thread::sleep(Duration::from_millis(100));
    let killed = Instant::now();
    kill(holder);
    assert!(waiter.join().unwrap().unwrap());
    assert!(killed.elapsed() < Duration::from_secs(1));
    assert!(place.home().join("locks/dev.lock").exists(), "the file stays");
}

#[test]
fn locks_exclude_within_a_process_too() {
    let place = Place::new();
    let take = || RefreshLock::acquire(place.root(), &profile("dev"), Duration::ZERO);
    let lock = take().unwrap();
    assert_eq!(take().unwrap_err().code(), Code::LockTimeout);
    drop(lock);
    assert!(!take().unwrap().waited());
}

#[test]
fn a_writer_is_waited_for_and_leaves_nothing_when_it_is_killed() {
    let place = Place::new();
    let mut store = place.make();
    store.save(&profile("dev"), Generation::NONE, &draft("1"), None).unwrap();
    drop(store);
    let (holder, mut lines) = start("writer", place.root());
    assert_eq!(hear(&mut lines).as_deref(), Some("held"));

    let options = Options { path: place.database(), busy_timeout: Duration::from_millis(200) };
    let started = Instant::now();
    let refused = SqliteStore::open(&options, &keys(place.root()));
    assert!(matches!(refused, Err(StoreError::Locked)), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(2));

    kill(holder);
    let started = Instant::now();
    let mut store = place.open().unwrap().unwrap();
    assert_eq!(store.load(&profile("dev")).unwrap().unwrap().tokens, draft("1").tokens);
    store.save(&profile("dev"), Generation(1), &draft("2"), None).unwrap();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(!place.home().join("tokens.db-journal").exists());
}

fn save_for_ever(root: &Path) {
    let mut store = make(root);
    let dev = profile("dev");
    let mut generation = store.generation(&dev).unwrap();
    loop {
        generation =
            store.save(&dev, generation, &draft(&generation.next().to_string()), None).unwrap();
        say(&generation.to_string());
    }
}

#[test]
fn what_was_saved_survives_a_kill_at_any_moment() {
    let rounds = std::env::var("SNOWTOKEN_STORE_KILL_ROUNDS").ok().and_then(|n| n.parse().ok());
    let place = Place::new();
    drop(place.make());
    let mut told = 0;
    for round in 0..rounds.unwrap_or(12_u64) {
        let (victim, mut lines) = start("endless", place.root());
        let heard = hear(&mut lines).unwrap();
        told = told.max(heard.parse::<u64>().unwrap());
        thread::sleep(Duration::from_micros(7_919 * (round % 10)));
        kill(victim);
        while let Some(word) = hear(&mut lines) {
            told = told.max(word.parse::<u64>().unwrap_or(0)); // The last line may be cut.
        }
        let store = place.open().unwrap().unwrap();
        let record = store.load(&profile("dev")).unwrap().unwrap();
        let found = record.generation.0;
        assert!(found == told || found == told + 1, "told {told}, found {found}");
        assert_eq!(record.tokens, draft(&found.to_string()).tokens);
        told = found;
        store.check().unwrap();
    }
}
