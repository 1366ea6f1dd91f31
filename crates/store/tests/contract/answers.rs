//! An answer that was received and not stored: it waits, sealed, for whoever comes next.

use std::fs;
use std::path::PathBuf;

use snowtoken_core::token_set::Generation;
use snowtoken_store::sqlite::SqliteStore;
use snowtoken_store::{RecordState, TokenStore as _};

use crate::support::{CANARY, Place, audit_entry, draft, now, profile};

fn file(place: &Place, name: &str) -> PathBuf {
    place.home().join(format!("answers/{name}.answer"))
}

/// A store in which the process was killed after it had secured this answer.
fn left_by_a_killed_process(place: &Place) -> SqliteStore {
    let dev = profile("dev");
    let mut store = place.make();
    store.save(&dev, Generation::NONE, &draft("old"), None).unwrap();
    store.expect_answer(&dev).unwrap();
    assert!(store.secure_answer(&dev, Generation(1), &draft("new")).unwrap());
    drop(store);
    place.open().unwrap().unwrap()
}

fn is_wiped(place: &Place, name: &str) -> bool {
    fs::read(file(place, name)).unwrap().iter().all(|byte| *byte == 0)
}

#[test]
fn it_is_stored_by_the_next_and_only_once() {
    let place = Place::new();
    let mut store = left_by_a_killed_process(&place);
    let entry = audit_entry("dev", "refresh");
    assert_eq!(store.load(&profile("dev")).unwrap().unwrap().tokens, draft("old").tokens);
    assert!(store.take_up_answer(&profile("dev"), &entry).unwrap());
    let record = store.load(&profile("dev")).unwrap().unwrap();
    assert_eq!((record.tokens, record.generation), (draft("new").tokens, Generation(2)));
    assert_eq!(store.audit(None, 9).unwrap(), std::slice::from_ref(&entry));
    assert!(is_wiped(&place, "dev"));
    assert!(!store.take_up_answer(&profile("dev"), &entry).unwrap());
}

#[test]
fn it_is_sealed_and_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    drop(left_by_a_killed_process(&place));
    let bytes = fs::read(file(&place, "dev")).unwrap();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(CANARY.as_bytes()) && holds(b"classics.service-now.com"));
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(file(&place, "dev")), mode(place.home().join("answers"))), (0o600, 0o700));
}

#[test]
fn what_happened_since_is_newer() {
    let entry = audit_entry("dev", "refresh");
    let dev = profile("dev");
    let happenings: [fn(&mut SqliteStore); 3] = [
        |store| {
            store.save(&profile("dev"), Generation(1), &draft("login"), None).unwrap();
        },
        |store| {
            store.clear_tokens(&profile("dev"), Generation(1), None).unwrap();
        },
        |store| {
            let state = RecordState::RevocationPending { since: now() };
            store.mark(&profile("dev"), Generation(1), state, None).unwrap();
        },
    ];
    for happen in happenings {
        let place = Place::new();
        let mut store = left_by_a_killed_process(&place);
        happen(&mut store);
        let before = store.load(&dev).unwrap();
        assert!(!store.take_up_answer(&dev, &entry).unwrap());
        assert_eq!(store.load(&dev).unwrap(), before);
        assert!(is_wiped(&place, "dev"));
    }
}

#[test]
fn half_an_answer_is_none() {
    let place = Place::new();
    let mut store = left_by_a_killed_process(&place);
    let (dev, entry) = (profile("dev"), audit_entry("dev", "refresh"));
    let whole = fs::read(file(&place, "dev")).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for length in (0..used).step_by(17).chain([1, 7, 8, 9, used - 1]) {
        let mut cut = whole.clone();
        cut[length..].fill(0);
        for bytes in [&cut[..], &whole[..length]] {
            fs::write(file(&place, "dev"), bytes).unwrap();
            assert!(!store.take_up_answer(&dev, &entry).unwrap(), "{length}");
        }
    }
    for index in (8..used).step_by(7) {
        let mut flipped = whole.clone();
        flipped[index] ^= 1;
        fs::write(file(&place, "dev"), flipped).unwrap();
        assert!(!store.take_up_answer(&dev, &entry).unwrap(), "{index}");
    }
    assert_eq!(store.load(&dev).unwrap().unwrap().tokens, draft("old").tokens);
    fs::write(file(&place, "dev"), whole).unwrap();
    assert!(store.take_up_answer(&dev, &entry).unwrap());
}

#[test]
fn the_answer_of_another_profile_is_not_taken() {
    let place = Place::new();
    let mut store = left_by_a_killed_process(&place);
    let prod = profile("prod");
    store.save(&prod, Generation::NONE, &draft("prod"), None).unwrap();
    fs::copy(file(&place, "dev"), file(&place, "prod")).unwrap();
    assert!(!store.take_up_answer(&prod, &audit_entry("prod", "refresh")).unwrap());
    assert_eq!(store.load(&prod).unwrap().unwrap().tokens, draft("prod").tokens);
}

#[test]
fn nothing_of_it_is_left_after_a_save_or_an_end() {
    let place = Place::new();
    let dev = profile("dev");
    let mut store = place.make();
    store.save(&dev, Generation::NONE, &draft("old"), None).unwrap();
    store.expect_answer(&dev).unwrap();
    store.secure_answer(&dev, Generation(1), &draft("new")).unwrap();
    assert!(!is_wiped(&place, "dev"));
    store.save(&dev, Generation(1), &draft("new"), None).unwrap();
    assert!(is_wiped(&place, "dev"));
    assert!(!store.secure_answer(&dev, Generation(2), &draft("x")).unwrap(), "no room was taken");
    let place = Place::new();
    let mut store = left_by_a_killed_process(&place);
    store.remove_profile(&dev).unwrap();
    assert!(is_wiped(&place, "dev"));
}
