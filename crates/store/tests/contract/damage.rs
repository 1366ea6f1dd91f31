//! A store that is not what was written: noticed, told apart, and never replaced.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use snowtoken_core::diagnosis::{Code, Diagnose as _};
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::Generation;
use snowtoken_store::sqlite::{SqliteStore, health};
use snowtoken_store::{StoreError, TokenStore as _};

use crate::support::{CANARY, Place, audit_entry, client, counts, draft, keys, now, profile};

/// A store with a current and a previous token set, and everything else there can be.
fn filled(place: &Place) -> SqliteStore {
    let mut store = place.make();
    let dev = profile("dev");
    for n in 0..2 {
        let entry = audit_entry("dev", "grant");
        store.save(&dev, Generation(n), &draft(&n.to_string()), Some(&entry)).unwrap();
    }
    store.set_client_secret(&dev, &client("id"), &Secret::new(format!("{CANARY}-client"))).unwrap();
    store.set_signing_key(&dev, &client("id"), &Secret::new(format!("{CANARY}-key"))).unwrap();
    store
}

fn raw(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    connection
}

/// Whoever is told of damage is told of the way back.
fn names_the_copy<T>(result: &snowtoken_store::Result<T>) -> bool {
    matches!(result, Err(StoreError::Damaged { copy: Some(_), .. }))
}

fn is_damaged<T>(result: &snowtoken_store::Result<T>) -> bool {
    matches!(result, Err(StoreError::Damaged { .. }))
}

/// Every way in which a value can be wrong by very little.
fn variants(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![Value::Null],
        Value::Blob(bytes) => (0..bytes.len())
            .map(|index| {
                let mut changed = bytes.clone();
                changed[index] ^= 1 << (index % 8);
                Value::Blob(changed)
            })
            .chain([Value::Blob(bytes[1..].to_vec()), Value::Null])
            .collect(),
        Value::Text(text) => {
            let other = if text.ends_with('1') { "2" } else { "1" };
            let cut = &text[..text.len() - 1];
            vec![Value::Text(format!("{cut}{other}")), Value::Text(cut.into()), Value::Null]
        }
        Value::Integer(number) => vec![Value::Integer(number + 7)],
        Value::Real(_) => panic!("no column holds such a number"),
    }
}

#[test]
fn a_change_of_any_column_is_noticed_and_the_previous_token_set_stays_readable() {
    let place = Place::new();
    let store = filled(&place);
    let raw = raw(&place.database());
    let columns: Vec<String> = raw
        .prepare("SELECT * FROM token_set")
        .unwrap()
        .column_names()
        .filter(|name| *name != "profile")
        .map(Into::into)
        .collect();
    let mut tried = 0;
    for column in columns {
        let of_newest = "WHERE generation = (SELECT max(generation) FROM token_set)";
        let read = format!("SELECT {column} FROM token_set {of_newest}");
        let good: Value = raw.query_row(&read, [], |row| row.get(0)).unwrap();
        for bad in variants(&good) {
            let update = format!("UPDATE token_set SET {column} = ?1 {of_newest}");
            if bad == good || raw.execute(&update, [&bad]).is_err() {
                continue; // Nothing changed, or the table itself refuses it.
            }
            tried += 1;
            let loaded = store.load(&profile("dev"));
            assert!(is_damaged(&loaded), "{column}: {good:?} -> {bad:?}: {loaded:?}");
            let previous = store.load_previous(&profile("dev")).unwrap().unwrap();
            assert_eq!(previous.tokens, draft("0").tokens);
            // The hot path looks at less; what it hands out is right all the same.
            if let Ok(Some(living)) =
                store.living_access_token(&profile("dev"), now(), Duration::ZERO)
            {
                assert_eq!(living.token, draft("1").tokens.access_token, "{column}");
                assert_eq!(living.expires_at, draft("1").tokens.access_expires_at, "{column}");
                assert_eq!(living.binding, draft("1").binding, "{column}");
            }
            assert_eq!(raw.execute(&update, [&good]).unwrap(), 1);
        }
    }
    assert!(tried > 300, "{tried}");
    assert_eq!(store.load(&profile("dev")).unwrap().unwrap().tokens, draft("1").tokens);
}

#[test]
fn values_that_changed_places_do_not_open() {
    let place = Place::new();
    let mut store = filled(&place);
    store.save(&profile("prod"), Generation::NONE, &draft("prod"), None).unwrap();
    store.set_client_secret(&profile("prod"), &client("id"), &Secret::new("s")).unwrap();
    let raw = raw(&place.database());
    // Between columns, between profiles, between generations, and whole rows.
    let swaps = [
        "UPDATE token_set SET refresh_token = access_token WHERE profile = 'dev'",
        "UPDATE token_set SET refresh_token = authorization_code WHERE profile = 'dev'",
        "UPDATE token_set SET refresh_token = (SELECT refresh_token FROM token_set WHERE profile = 'prod') WHERE profile = 'dev'",
        "UPDATE token_set SET access_token = (SELECT access_token FROM token_set WHERE profile = 'dev' AND generation = 1) WHERE profile = 'dev'",
        "UPDATE token_set SET generation = 3 WHERE profile = 'dev' AND generation = 1",
        "DELETE FROM token_set WHERE profile = 'dev'; UPDATE token_set SET profile = 'dev' WHERE profile = 'prod'",
    ];
    for swap in swaps {
        raw.execute_batch("BEGIN").unwrap();
        raw.execute_batch(swap).unwrap();
        raw.execute_batch("COMMIT").unwrap();
        assert!(is_damaged(&store.load(&profile("dev"))), "{swap}");
        raw.execute_batch("DELETE FROM token_set").unwrap();
        for (name, n, tag) in [("dev", 0, "0"), ("dev", 1, "1"), ("prod", 0, "prod")] {
            store.save(&profile(name), Generation(n), &draft(tag), None).unwrap();
        }
    }
    raw.execute_batch(
        "UPDATE client_secret SET secret = (SELECT secret FROM client_secret WHERE profile = 'prod')",
    )
    .unwrap();
    assert!(is_damaged(&store.client_secret(&profile("dev"), &client("id"))));
    assert_eq!(
        store.client_secret(&profile("prod"), &client("id")).unwrap(),
        Some(Secret::new("s"))
    );
}

#[test]
fn a_changed_client_secret_is_noticed() {
    let place = Place::new();
    let store = filled(&place);
    let raw = raw(&place.database());
    let read = "SELECT secret FROM client_secret";
    let good: Value = raw.query_row(read, [], |row| row.get(0)).unwrap();
    for bad in variants(&good).into_iter().filter(|value| *value != Value::Null) {
        raw.execute("UPDATE client_secret SET secret = ?1", [&bad]).unwrap();
        assert!(is_damaged(&store.client_secret(&profile("dev"), &client("id"))));
    }
    raw.execute("UPDATE client_secret SET secret = ?1, client_id = 'ie'", [&good]).unwrap();
    assert!(is_damaged(&store.client_secret(&profile("dev"), &client("ie"))));
}

/// A former secret that passed for the next one would be set on the instance again.
#[test]
fn a_second_client_secret_of_another_role_is_noticed() {
    let (place, dev) = (Place::new(), profile("dev"));
    let mut store = filled(&place);
    store.set_next_secret(&dev, &client("id"), &Secret::new("new"), None).unwrap();
    for bad in ["role = 'former'", "role = 'x'", "secret = x'00'"] {
        let raw = raw(&place.database());
        raw.execute_batch(&format!("BEGIN; UPDATE spare_secret SET {bad}; COMMIT")).unwrap();
        assert!(is_damaged(&store.spare_secret(&dev, &client("id"))), "{bad}");
        assert!(is_damaged(&store.swap_secrets(&dev, &client("id"), None)), "{bad}");
        store.set_next_secret(&dev, &client("id"), &Secret::new("new"), None).unwrap();
    }
    assert!(store.client_secret(&dev, &client("id")).unwrap().is_some());
}

/// Version 1 knew no wishes of deliveries, no second client secret and no private keys.
#[test]
fn a_store_of_the_first_version_is_led_to_this_one() {
    let (place, dev) = (Place::new(), profile("dev"));
    drop(filled(&place));
    raw(&place.database())
        .execute_batch(
            "DROP TABLE signing_key; DROP TABLE spare_secret; ALTER TABLE delivery DROP COLUMN wish; \
             PRAGMA user_version = 1",
        )
        .unwrap();
    let mut store = place.open().unwrap().unwrap();
    assert_eq!(store.spare_secret(&dev, &client("id")).unwrap(), None);
    store.set_next_secret(&dev, &client("id"), &Secret::new("new"), None).unwrap();
    assert!(store.swap_secrets(&dev, &client("id"), None).unwrap());
    assert_eq!(store.client_secret(&dev, &client("id")).unwrap(), Some(Secret::new("new")));
    assert_eq!(store.copy_freshness().unwrap(), snowtoken_store::sqlite::Freshness::Fresh);
}

#[test]
fn after_damage_a_new_token_set_can_be_saved() {
    let place = Place::new();
    let mut store = filled(&place);
    raw(&place.database()).execute_batch("UPDATE token_set SET access_token = x'00'").unwrap();
    assert!(is_damaged(&store.load(&profile("dev"))));
    let generation = store.generation(&profile("dev")).unwrap();
    store.save(&profile("dev"), generation, &draft("new"), None).unwrap();
    assert_eq!(store.load(&profile("dev")).unwrap().unwrap().tokens, draft("new").tokens);
}

#[test]
fn a_truncated_file_is_damaged_at_every_length_and_stays_as_it_is() {
    let place = Place::new();
    drop(filled(&place));
    let whole = fs::read(place.database()).unwrap();
    for length in (0..whole.len()).step_by(counts(211, 1)).chain([
        1,
        15,
        16,
        100,
        4095,
        4096,
        whole.len() - 1,
    ]) {
        fs::write(place.database(), &whole[..length]).unwrap();
        let opened = place.open();
        assert!(is_damaged(&opened), "cut to {length}: {opened:?}");
        let made = SqliteStore::open_or_create(
            &snowtoken_store::sqlite::Options::new(place.database()),
            &crate::support::keys(place.root()),
        );
        assert!(is_damaged(&made), "cut to {length}: {made:?}");
        assert!(names_the_copy(&opened), "cut to {length}: {opened:?}");
        assert_eq!(fs::read(place.database()).unwrap(), &whole[..length], "it was written to");
    }
    fs::write(place.database(), &whole).unwrap();
    assert!(place.open().unwrap().unwrap().load(&profile("dev")).unwrap().is_some());
}

#[test]
fn foreign_files_are_damaged_and_stay_as_they_are() {
    let place = Place::new();
    drop(filled(&place));
    let foreign = place.root().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (a); PRAGMA user_version = 1")
        .unwrap();
    let zeros = vec![0; 8192];
    let text = br#"{"access_token": "x"}"#.to_vec();
    let noise: Vec<u8> = Dice(1).take(8192).collect();
    for bytes in [Vec::new(), zeros, text, noise, fs::read(foreign).unwrap()] {
        fs::write(place.database(), &bytes).unwrap();
        let opened = place.open();
        assert!(is_damaged(&opened), "{opened:?}");
        assert!(names_the_copy(&opened), "{opened:?}");
        assert_eq!(opened.unwrap_err().code(), Code::StoreDamaged);
        assert_eq!(fs::read(place.database()).unwrap(), bytes);
    }
}

#[test]
fn single_bits_flipped_anywhere_never_give_wrong_tokens() {
    let place = Place::new();
    let store = filled(&place);
    store.check().unwrap();
    drop(store);
    let whole = fs::read(place.database()).unwrap();
    let mut dice = Dice(20_261_123);
    let (mut noticed, mut vanished, mut restored) = (0, 0, 0);
    for _ in 0..counts(1_000, 10_000) {
        let mut flipped = whole.clone();
        let bit = dice.below(whole.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(place.database(), &flipped).unwrap();
        let loaded = place.open().and_then(|store| store.unwrap().load(&profile("dev")));
        match loaded {
            Ok(Some(record)) => assert!(
                record.tokens == draft("1").tokens || record.tokens == draft("0").tokens,
                "bit {bit}"
            ),
            Ok(None) => vanished += 1,
            Err(StoreError::Damaged { copy, .. }) => {
                noticed += 1;
                assert!(copy.is_some(), "bit {bit}");
                if noticed % 10 == 0 {
                    restored += usize::from(goes_back(&place));
                }
            }
            Err(StoreError::Newer { .. } | StoreError::Key(_)) => noticed += 1,
            Err(other) => panic!("bit {bit}: {other:?}"),
        }
    }
    assert!(restored > 5, "{restored}");
    // A flipped letter of the profile's own name hides it; nothing can tell that from absence.
    assert!(noticed > 50 && vanished < 5, "{noticed} noticed, {vanished} vanished");
}

/// The copy brings the last token set back, whatever became of the file.
fn goes_back(place: &Place) -> bool {
    let options = snowtoken_store::sqlite::Options::new(place.database());
    health::restore(&options, &keys(place.root()), now()).unwrap();
    let store = place.open().unwrap().unwrap();
    store.load(&profile("dev")).unwrap().unwrap().tokens == draft("1").tokens
}

#[test]
fn a_newer_store_is_told_and_left_alone() {
    let place = Place::new();
    drop(filled(&place));
    raw(&place.database()).execute_batch("PRAGMA user_version = 99").unwrap();
    let before = fs::read(place.database()).unwrap();
    let opened = place.open();
    assert!(matches!(opened, Err(StoreError::Newer { found: 99, known: 2.. })), "{opened:?}");
    assert_eq!(fs::read(place.database()).unwrap(), before);
}

#[test]
fn the_audit_cannot_be_changed_or_removed() {
    let place = Place::new();
    let store = filled(&place);
    let raw = raw(&place.database());
    assert!(raw.execute("UPDATE audit SET outcome = 'x'", []).is_err());
    assert!(raw.execute("DELETE FROM audit", []).is_err());
    assert_eq!(store.audit(None, 10).unwrap().len(), 2);
}

#[test]
fn no_secret_lies_in_the_file_in_clear() {
    let place = Place::new();
    let mut store = filled(&place);
    store.clear_tokens(&profile("dev"), Generation(2), None).unwrap();
    store.save(&profile("dev"), Generation(3), &draft("3"), None).unwrap();
    drop(store);
    let mut scanned = 0;
    // The store and its copy.
    for entry in fs::read_dir(place.home()).unwrap() {
        let Ok(bytes) = fs::read(entry.unwrap().path()) else { continue };
        scanned += bytes.len();
        assert!(!contains(&bytes, CANARY.as_bytes()));
        // The positive control: plain columns are found by the same search.
        assert!(contains(&bytes, b"classics.service-now.com"));
    }
    assert!(scanned > 4096);
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// A small generator (xorshift64*), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % limit as u64).unwrap()
    }

    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

impl Iterator for Dice {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        Some(self.roll().to_be_bytes()[0])
    }
}
