//! Measures the hot path: opening the store with a key file and reading a living access token.
//!
//! `cargo run --release -p snowtoken-store --example hot_path`
#![expect(clippy::print_stdout, reason = "it is a program that tells what it measured")]

use std::error::Error;
use std::time::{Duration, Instant};

use snowtoken_core::Timestamp;
use snowtoken_core::keeper::Progress;
use snowtoken_core::ledger::Facts;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};
use snowtoken_store::key::{KeySource, Keys};
use snowtoken_store::sqlite::{Options, SqliteStore};
use snowtoken_store::{Binding, Draft, RecordState, TokenStore as _};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let options = Options::new(folder.path().join("store/tokens.db"));
    let keys = Keys::from(KeySource::File(folder.path().join("key")));
    let profile = ProfileName::parse("dev")?;
    let now: Timestamp = "2026-11-23T15:00:00Z".parse()?;
    let mut store = SqliteStore::open_or_create(&options, &keys)?;
    for _ in 0..3 {
        let expected = store.generation(&profile)?;
        store.save(&profile, expected, &draft(now)?, None)?;
    }
    let started = Instant::now();
    for _ in 0..100 {
        let expected = store.generation(&profile)?;
        store.save(&profile, expected, &draft(now)?, None)?;
    }
    println!("durable save: {:?} on average", started.elapsed() / 100);
    drop(store);

    let mut times = Vec::new();
    for _ in 0..2000 {
        let started = Instant::now();
        let store = SqliteStore::open(&options, &keys)?.ok_or("no store")?;
        let living = store.living_access_token(&profile, now, Duration::from_mins(1))?;
        times.push(started.elapsed());
        assert!(living.is_some());
    }
    times.sort();
    println!("open and read: median {:?}, 99 % {:?}", times[1000], times[1980]);
    Ok(())
}

fn draft(now: Timestamp) -> Result<Draft, Box<dyn Error>> {
    let hour = now.checked_add(Duration::from_hours(1))?;
    Ok(Draft {
        binding: Binding {
            instance: "https://classics.service-now.com".into(),
            client_id: "0123456789abcdef0123456789abcdef".into(),
        },
        tokens: TokenSet {
            access_token: Secret::new("a".repeat(86)),
            refresh_token: Some(Secret::new("r".repeat(86))),
            authorization_code: Some(Secret::new("c".repeat(86))),
            scope: Some("useraccount".into()),
            issued_at: now,
            granted_at: now,
            access_expires_at: Deadline { at: hour, known_by: KnownBy::Stated },
            refresh_expires_at: Some(Deadline { at: hour, known_by: KnownBy::Derived }),
        },
        user: None,
        state: RecordState::Held,
        progress: Progress::default(),
        facts: Facts::default(),
    })
}
