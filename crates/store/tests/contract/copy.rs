//! The copy of the last good state: it follows every change, damage does not reach it, and it brings
//! back what was lost.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::Generation;
use snowtoken_store::sqlite::health::{self, WayBack};
use snowtoken_store::sqlite::{Freshness, Options, SqliteStore};
use snowtoken_store::{Delivery, RecordState, StoreError, TokenStore as _};

use crate::support::{CANARY, Place, at, audit_entry, client, draft, keys, now, profile};

fn copy_of(place: &Place) -> PathBuf {
    place.home().join("tokens.db.copy")
}

fn options(place: &Place) -> Options {
    Options::new(place.database())
}

/// A store with two profiles, each with everything there can be.
fn filled(place: &Place) -> SqliteStore {
    let mut store = place.make();
    for name in ["dev", "prod"] {
        for n in 0..2 {
            let entry = audit_entry(name, "grant");
            store
                .save(&profile(name), Generation(n), &draft(&format!("{name}-{n}")), Some(&entry))
                .unwrap();
        }
        let secret = Secret::new(format!("{CANARY}-client-{name}"));
        store.set_client_secret(&profile(name), &client("id"), &secret).unwrap();
        let key = Secret::new(format!("{CANARY}-key-{name}"));
        store.set_signing_key(&profile(name), &client("id"), &key).unwrap();
    }
    store
}

fn raw(place: &Place) -> rusqlite::Connection {
    rusqlite::Connection::open(place.database()).unwrap()
}

/// Every row of every table, as text.
fn rows(path: &std::path::Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut all = Vec::new();
    for table in [
        "meta",
        "token_set",
        "client_secret",
        "spare_secret",
        "signing_key",
        "delivery",
        "audit",
        "change",
    ] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values: Vec<rusqlite::types::Value> =
                (0..columns).map(|index| row.get(index).unwrap()).collect();
            all.push(format!("{table} {values:?}"));
        }
    }
    all
}

#[track_caller]
fn assert_same(place: &Place) {
    assert_eq!(rows(&copy_of(place)), rows(&place.database()));
}

#[test]
fn the_copy_follows_every_change() {
    let place = Place::new();
    let mut store = filled(&place);
    assert_same(&place);
    let dev = profile("dev");
    let held_over = RecordState::Rejected { at: now() };
    store.mark(&dev, Generation(2), held_over, Some(&audit_entry("dev", "refresh"))).unwrap();
    assert_same(&place);
    store.set_user(&dev, Generation(2), None).unwrap();
    assert_same(&place);
    let delivery = Delivery {
        profile: dev.clone(),
        format: "json".into(),
        path: "/a".into(),
        fingerprint: [7; 32],
        at: now(),
        wish: snowtoken_store::Wish { follow: true, ..Default::default() },
    };
    store.record_delivery(&delivery).unwrap();
    assert_same(&place);
    store.record_delivery(&Delivery { profile: profile("prod"), ..delivery.clone() }).unwrap();
    assert_same(&place);
    store.record_delivery(&delivery).unwrap();
    assert_same(&place);
    store.forget_delivery(&dev, "json", "/a").unwrap();
    assert_same(&place);
    store.rename(&dev, &profile("new")).unwrap();
    assert_same(&place);
    store.clear_tokens(&profile("new"), Generation(2), None).unwrap();
    assert_same(&place);
    store.remove_client_secret(&profile("new")).unwrap();
    assert_same(&place);
    store.remove_profile(&profile("prod")).unwrap();
    assert_same(&place);
    assert_eq!(store.copy_freshness().unwrap(), Freshness::Fresh);
}

#[test]
fn a_change_of_the_key_reaches_the_copy() {
    let place = Place::new();
    let mut store = filled(&place);
    let key = snowtoken_store::key::Keys::from(snowtoken_store::key::KeySource::File(
        place.root().join("other-key"),
    ));
    store.change_key(&key).unwrap();
    assert_same(&place);
    assert!(health::examine_copy(&options(&place), &key).is_ok());
    let refused = health::examine_copy(&options(&place), &keys(place.root())).unwrap_err();
    assert!(matches!(refused, StoreError::Key(_)), "{refused}");
}

#[test]
fn what_others_changed_is_brought_over_too() {
    let place = Place::new();
    let mut store = filled(&place);
    // Somebody is killed between a change and its copy.
    let before = fs::read(copy_of(&place)).unwrap();
    store.save(&profile("prod"), Generation(2), &draft("prod-2"), None).unwrap();
    fs::write(copy_of(&place), before).unwrap();
    assert_eq!(store.copy_freshness().unwrap(), Freshness::Behind(1));
    store.save(&profile("dev"), Generation(2), &draft("dev-2"), None).unwrap();
    assert_same(&place);
}

#[test]
fn a_copy_that_is_missing_damaged_old_or_foreign_is_made_anew() {
    let place = Place::new();
    let mut store = filled(&place);
    let old = fs::read(copy_of(&place)).unwrap();
    let mut generation = Generation(2);
    let mut again = |store: &mut SqliteStore| {
        generation = store.save(&profile("dev"), generation, &draft("x"), None).unwrap();
        assert_same(&place);
    };
    for _ in 0..140 {
        again(&mut store);
    }
    let mut spoilt = old.clone();
    spoilt[4096..8192].fill(0x55);
    for bytes in [old, Vec::new(), b"{}".to_vec(), vec![0; 8192], spoilt] {
        fs::write(copy_of(&place), bytes).unwrap();
        again(&mut store);
    }
    fs::remove_file(copy_of(&place)).unwrap();
    assert_eq!(store.copy_freshness().unwrap(), Freshness::Missing);
    again(&mut store);
    // The copy of a store that went on and was then taken back.
    let earlier = fs::read(place.database()).unwrap();
    for _ in 0..3 {
        again(&mut store);
    }
    drop(store);
    fs::write(place.database(), earlier).unwrap();
    let mut store = place.open().unwrap().unwrap();
    assert_eq!(store.copy_freshness().unwrap(), Freshness::Foreign);
    let back = store.generation(&profile("dev")).unwrap();
    store.save(&profile("dev"), back, &draft("x"), None).unwrap();
    assert_same(&place);
}

#[test]
fn tokens_that_were_cleared_are_not_in_the_copy_either() {
    let place = Place::new();
    let mut store = filled(&place);
    let blob: Vec<u8> = raw(&place)
        .query_row("SELECT refresh_token FROM token_set WHERE profile = 'dev'", [], |r| r.get(0))
        .unwrap();
    let holds =
        |path: PathBuf| fs::read(path).unwrap().windows(blob.len()).any(|window| window == blob);
    assert!(holds(copy_of(&place)) && holds(place.database()));
    store.clear_tokens(&profile("dev"), Generation(2), None).unwrap();
    assert!(!holds(copy_of(&place)) && !holds(place.database()));
    // And where it cannot follow, it goes.
    fs::write(copy_of(&place), fs::read(place.database()).unwrap()).unwrap();
    let blocker = raw_writer(&copy_of(&place));
    store.clear_tokens(&profile("prod"), Generation(2), None).unwrap();
    drop(blocker);
    assert!(!copy_of(&place).exists());
}

fn raw_writer(path: &std::path::Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    connection
}

#[test]
fn a_copy_that_cannot_be_written_fails_no_change() {
    let place = Place::new();
    let mut store = filled(&place);
    fs::remove_file(copy_of(&place)).unwrap();
    fs::create_dir(copy_of(&place)).unwrap();
    store.save(&profile("dev"), Generation(2), &draft("dev-2"), None).unwrap();
    assert_eq!(store.load(&profile("dev")).unwrap().unwrap().tokens, draft("dev-2").tokens);
    assert!(store.copy_freshness().is_err());
}

/// Changes bytes of the first page of a table.
fn spoil(place: &Place, table: &str, change: fn(&mut [u8])) {
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: u32 = raw(place).query_row(sql, [table], |row| row.get(0)).unwrap();
    let mut bytes = fs::read(place.database()).unwrap();
    let end = page as usize * 4096;
    change(&mut bytes[end - 4096..end]);
    fs::write(place.database(), bytes).unwrap();
}

#[test]
fn damage_does_not_reach_the_copy() {
    let place = Place::new();
    let store = filled(&place);
    let good = fs::read(copy_of(&place)).unwrap();
    drop(store);
    spoil(&place, "delivery", |page| page[..64].fill(0xff));
    let mut store = place.open().unwrap().unwrap();
    // A change that does not meet the damage succeeds; the copy does not follow where it cannot.
    store.save(&profile("dev"), Generation(2), &draft("dev-2"), None).unwrap();
    assert!(store.check().is_err());
    assert_eq!(fs::read(copy_of(&place)).unwrap(), good);
    drop(store);
    let (_, copy) = health::examine_copy(&options(&place), &keys(place.root())).unwrap();
    assert_eq!(copy.load(&profile("dev")).unwrap().unwrap().tokens, draft("dev-1").tokens);
}

#[test]
fn no_copy_is_made_of_a_store_that_does_not_hold_together() {
    let place = Place::new();
    drop(filled(&place));
    fs::remove_file(copy_of(&place)).unwrap();
    // Two rows that changed places: each can be read.
    spoil(&place, "audit", |page| page[8..12].rotate_left(2));
    let mut store = place.open().unwrap().unwrap();
    store.save(&profile("dev"), Generation(2), &draft("dev-2"), None).unwrap();
    assert!(!copy_of(&place).exists());
    let refused = store.renew_copy().unwrap_err();
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
}

#[test]
fn a_store_that_is_gone_is_not_replaced_by_an_empty_one() {
    let place = Place::new();
    drop(filled(&place));
    fs::remove_file(place.database()).unwrap();
    let made = SqliteStore::open_or_create(&options(&place), &keys(place.root()));
    let Err(StoreError::Damaged { what, copy: Some(copy) }) = made else { panic!("{made:?}") };
    assert!(what.contains("it is gone"), "{what}");
    assert_eq!(copy.path, fs::canonicalize(copy_of(&place)).unwrap());
    assert!(!place.database().exists());
    // A journal without its database tells the same.
    fs::rename(copy_of(&place), place.home().join("tokens.db-journal")).unwrap();
    assert!(matches!(place.open(), Err(StoreError::Damaged { copy: None, .. })));
    fs::remove_file(place.home().join("tokens.db-journal")).unwrap();
    assert!(place.open().unwrap().is_none());
}

#[test]
fn the_copy_takes_the_place_of_a_damaged_store_and_nothing_is_thrown_away() {
    let cases: [&[u8]; 4] = [b"", b"{\"access_token\": 1}", &[0; 9000], b"SQLite format 3\0"];
    for bytes in cases {
        let place = Place::new();
        drop(filled(&place));
        let good = rows(&place.database());
        fs::write(place.database(), bytes).unwrap();
        let journal = place.home().join("tokens.db-journal");
        fs::write(&journal, b"half a journal").unwrap();
        fs::set_permissions(&journal, fs::Permissions::from_mode(0o600)).unwrap();
        let damaged = place.open().unwrap_err();
        assert!(matches!(&damaged, StoreError::Damaged { copy: Some(_), .. }), "{damaged}");
        let moment = at("2026-11-23T15:00:00Z");
        let restored = health::restore(&options(&place), &keys(place.root()), moment).unwrap();
        let kept = restored.kept.unwrap();
        assert!(kept.ends_with("tokens.db.damaged-20261123T150000Z"), "{kept:?}");
        assert_eq!(fs::read(&kept).unwrap(), bytes);
        // A second time in the same second keeps both.
        fs::write(place.database(), b"again").unwrap();
        let again = health::restore(&options(&place), &keys(place.root()), moment).unwrap();
        let again = again.kept.unwrap();
        assert_eq!(
            (fs::read(&again).unwrap(), fs::read(&kept).unwrap()),
            (b"again".into(), bytes.into())
        );
        assert_eq!(restored.profiles, [profile("dev"), profile("prod")]);
        assert_eq!(rows(&place.database()), good);
        let mut store = place.open().unwrap().unwrap();
        assert_eq!(store.load(&profile("dev")).unwrap().unwrap().tokens, draft("dev-1").tokens);
        // And it goes on as if nothing had been.
        store.save(&profile("dev"), Generation(2), &draft("dev-2"), None).unwrap();
        assert_same(&place);
        store.check().unwrap();
    }
}

#[test]
fn a_damaged_copy_is_put_in_no_place() {
    let place = Place::new();
    drop(filled(&place));
    fs::remove_file(place.database()).unwrap();
    let mut bytes = fs::read(copy_of(&place)).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle..middle + 4096].fill(0);
    fs::write(copy_of(&place), bytes).unwrap();
    let refused = health::restore(&options(&place), &keys(place.root()), now()).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    assert!(!place.database().exists());
}

#[test]
fn one_damaged_row_leaves_the_others_alone_and_goes_back() {
    let place = Place::new();
    let mut store = filled(&place);
    let (dev, prod) = (profile("dev"), profile("prod"));
    let spoil = |what: &str| raw(&place).execute_batch(what).unwrap();
    let newest = "WHERE profile = 'dev' AND generation = \
                  (SELECT max(generation) FROM token_set WHERE profile = 'dev')";
    spoil(&format!("UPDATE token_set SET access_token = x'00' {newest}"));
    let damaged = store.damaged_profiles().unwrap();
    assert_eq!(damaged.iter().map(|(name, _)| name).collect::<Vec<_>>(), [&dev]);
    assert_eq!(store.load(&prod).unwrap().unwrap().tokens, draft("prod-1").tokens);
    // The copy has the very same token set.
    assert_eq!(store.go_back(&dev, now()).unwrap(), Some(WayBack::SameFromCopy));
    let record = store.load(&dev).unwrap().unwrap();
    assert_eq!((record.tokens, record.generation), (draft("dev-1").tokens, Generation(3)));
    assert_eq!(store.go_back(&dev, now()).unwrap(), None, "nothing is wrong any more");
    // Without a copy there is the one before.
    spoil(&format!("UPDATE token_set SET seal = x'00' {newest}"));
    spoil("UPDATE token_set SET refresh_token = x'00' WHERE profile = 'dev' AND generation = 2");
    fs::remove_file(copy_of(&place)).unwrap();
    let refused = store.go_back(&dev, now()).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    store.save(&dev, Generation(3), &draft("new"), None).unwrap();
    store.save(&dev, Generation(4), &draft("newer"), None).unwrap();
    fs::remove_file(copy_of(&place)).unwrap();
    spoil(&format!("UPDATE token_set SET seal = x'00' {newest}"));
    assert_eq!(store.go_back(&dev, now()).unwrap(), Some(WayBack::Previous));
    assert_eq!(store.load(&dev).unwrap().unwrap().tokens, draft("new").tokens);
    let last = store.audit(Some(&dev), 1).unwrap();
    assert_eq!((last[0].event.as_str(), last[0].outcome.as_str()), ("restore", "done"));
}

#[test]
fn what_was_handed_over_stays_handed_over() {
    let place = Place::new();
    let mut store = filled(&place);
    let dev = profile("dev");
    let state = RecordState::HandedOver { at: at("2026-11-23T15:00:00Z") };
    store.mark(&dev, Generation(2), state, None).unwrap();
    fs::remove_file(copy_of(&place)).unwrap();
    raw(&place)
        .execute_batch("UPDATE token_set SET seal = x'00' WHERE profile = 'dev' AND generation = 2")
        .unwrap();
    assert_eq!(store.go_back(&dev, now()).unwrap(), Some(WayBack::Previous));
    let record = store.load(&dev).unwrap().unwrap();
    assert_eq!((record.state, record.tokens), (state, draft("dev-0").tokens));
}

#[test]
fn a_damaged_client_secret_or_private_key_comes_back_from_the_copy() {
    let place = Place::new();
    let mut store = filled(&place);
    raw(&place)
        .execute_batch(
            "UPDATE client_secret SET secret = x'00'; UPDATE signing_key SET secret = x'00'",
        )
        .unwrap();
    assert_eq!(store.damaged_profiles().unwrap().len(), 2);
    for name in ["dev", "prod"] {
        assert_eq!(store.go_back(&profile(name), now()).unwrap(), None);
        let secret = store.client_secret(&profile(name), &client("id")).unwrap().unwrap();
        assert_eq!(secret.expose(), format!("{CANARY}-client-{name}"));
        let key = store.signing_key(&profile(name), &client("id")).unwrap().unwrap();
        assert_eq!(key.expose(), format!("{CANARY}-key-{name}"));
    }
    assert!(store.damaged_profiles().unwrap().is_empty());
}
