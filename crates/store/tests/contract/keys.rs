//! The key of the store: every source, wrong keys, missing keys.

use std::fs;

use snowtoken_core::diagnosis::{Code, Diagnose as _};
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::Generation;
use snowtoken_store::key::{Ask, KeyRecord, KeySource, Keys};
use snowtoken_store::sqlite::{Options, SqliteStore};
use snowtoken_store::{StoreError, TokenStore as _};

use crate::support::{Place, draft, profile};

const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn options(place: &Place) -> Options {
    Options::new(place.database())
}

fn code<T: std::fmt::Debug>(result: snowtoken_store::Result<T>) -> Code {
    result.unwrap_err().code()
}

fn put_key(place: &Place, text: &str) {
    fs::write(place.key_file(), text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(place.key_file(), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
}

#[test]
fn a_key_file_is_made_once_and_remembered() {
    let place = Place::new();
    let mut store = place.make();
    store.save(&profile("dev"), Generation::NONE, &draft("1"), None).unwrap();
    drop(store);
    let text = fs::read_to_string(place.key_file()).unwrap();
    assert!(text.len() == 65 && text.ends_with('\n'));
    let path = Some(place.key_file().to_str().unwrap().to_owned());
    assert_eq!(SqliteStore::key_record(&options(&place)).unwrap(), Some(KeyRecord::File { path }));
    let store = SqliteStore::open(&options(&place), &Keys::recorded()).unwrap().unwrap();
    assert!(store.load(&profile("dev")).unwrap().is_some());
    assert_eq!(fs::read_to_string(place.key_file()).unwrap(), text);
}

#[test]
fn opening_what_is_not_there_makes_nothing() {
    let place = Place::new();
    assert!(place.open().unwrap().is_none());
    assert!(SqliteStore::key_record(&options(&place)).unwrap().is_none());
    assert_eq!(fs::read_dir(place.root()).unwrap().count(), 0);
}

#[test]
fn a_missing_key_file_is_told_and_not_replaced() {
    let place = Place::new();
    drop(place.make());
    fs::remove_file(place.key_file()).unwrap();
    assert_eq!(code(place.open()), Code::KeyMissing);
    assert_eq!(
        code(SqliteStore::open_or_create(&options(&place), &crate::support::keys(place.root()))),
        Code::KeyMissing
    );
    assert_eq!(code(SqliteStore::open(&options(&place), &Keys::recorded())), Code::KeyMissing);
    assert!(!place.key_file().exists());
}

#[test]
fn another_key_is_told_as_wrong_before_anything_is_read() {
    let place = Place::new();
    drop(place.make());
    let before = fs::read(place.database()).unwrap();
    put_key(&place, HEX);
    assert_eq!(code(place.open()), Code::KeyWrong);
    let command = Keys::from(KeySource::Command(format!("echo {HEX}")));
    assert_eq!(code(SqliteStore::open(&options(&place), &command)), Code::KeyWrong);
    for source in [KeySource::Keyring, KeySource::Passphrase] {
        let keys = Keys { source: Some(source), ask: &|_| Some(Secret::new("x")) };
        assert_eq!(code(SqliteStore::open(&options(&place), &keys)), Code::KeyWrong);
    }
    assert_eq!(fs::read(place.database()).unwrap(), before);
}

#[test]
fn key_files_may_hold_hex_or_base64() {
    let place = Place::new();
    put_key(&place, HEX);
    drop(place.make());
    let url_safe = BASE64.replace('/', "_");
    for text in [
        HEX.to_uppercase(),
        format!("{HEX}\r\n"),
        format!(" {BASE64}\n"),
        BASE64.replace('=', ""),
        url_safe,
    ] {
        put_key(&place, &text);
        assert!(place.open().unwrap().is_some(), "{text:?}");
    }
    for text in [
        "",
        "\n",
        &HEX[1..],
        &format!("{HEX}00"),
        &"g".repeat(64),
        &"A".repeat(5000),
        &BASE64[4..],
        "\u{e9}",
    ] {
        put_key(&place, text);
        assert_eq!(code(place.open()), Code::KeyInvalid, "{text:?}");
    }
}

#[test]
fn a_new_store_needs_a_choice() {
    let place = Place::new();
    assert_eq!(
        code(SqliteStore::open_or_create(&options(&place), &Keys::recorded())),
        Code::KeyNotChosen
    );
    let left: Vec<_> = fs::read_dir(place.home()).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_passphrase_opens_what_it_closed() {
    let place = Place::new();
    let asked = std::cell::RefCell::new(Vec::new());
    let ask = |text: &'static str| {
        let asked = &asked;
        move |what: Ask| {
            asked.borrow_mut().push(what);
            Some(Secret::new(text))
        }
    };
    let (right, wrong) = (ask("correct horse"), ask("correct house"));
    let source = Some(KeySource::Passphrase);
    drop(
        SqliteStore::open_or_create(
            &options(&place),
            &Keys { source: source.clone(), ask: &right },
        )
        .unwrap(),
    );
    assert_eq!(*asked.borrow(), [Ask::New, Ask::Existing]);
    assert!(
        SqliteStore::open(&options(&place), &Keys { source: None, ask: &right }).unwrap().is_some()
    );
    assert_eq!(
        code(SqliteStore::open(&options(&place), &Keys { source, ask: &wrong })),
        Code::KeyWrong
    );
    assert_eq!(code(SqliteStore::open(&options(&place), &Keys::recorded())), Code::InputNeeded);
    let record = SqliteStore::key_record(&options(&place)).unwrap().unwrap();
    assert!(matches!(record, KeyRecord::Passphrase(_)), "{record:?}");
}

#[test]
fn a_command_gives_the_key_and_is_not_remembered() {
    let place = Place::new();
    let keys = |line: &str| Keys::from(KeySource::Command(line.into()));
    drop(SqliteStore::open_or_create(&options(&place), &keys(&format!("echo {HEX}"))).unwrap());
    assert!(
        SqliteStore::open(&options(&place), &keys(&format!("printf %s {BASE64}")))
            .unwrap()
            .is_some()
    );
    assert_eq!(code(SqliteStore::open(&options(&place), &Keys::recorded())), Code::KeyNotChosen);
    let bytes = fs::read(place.database()).unwrap();
    assert!(!bytes.windows(HEX.len()).any(|window| window == HEX.as_bytes()));
}

#[cfg(unix)]
#[test]
fn commands_that_fail_are_explained_and_bounded() {
    let place = Place::new();
    let run = |line: &str| {
        let keys = Keys::from(KeySource::Command(line.into()));
        SqliteStore::open_or_create(&options(&place), &keys).unwrap_err()
    };
    let failed = run("echo 'the vault is sealed' >&2; exit 7");
    assert_eq!(failed.code(), Code::KeyInvalid);
    assert!(failed.to_string().contains("the vault is sealed"), "{failed}");
    // What it printed may be a secret: it is never repeated.
    let wrong = run("echo hunter2");
    assert!(wrong.code() == Code::KeyInvalid && !wrong.to_string().contains("hunter2"), "{wrong}");
    let started = std::time::Instant::now();
    assert_eq!(run("head -c 100000000 /dev/zero").code(), Code::KeyInvalid);
    assert_eq!(run(&format!("sleep 60 & echo {}", &HEX[1..])).code(), Code::KeyInvalid);
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
    assert!(!place.database().exists());
}

#[test]
fn the_key_can_move_to_another_source() {
    let place = Place::new();
    let mut store = place.make();
    store.save(&profile("dev"), Generation::NONE, &draft("1"), None).unwrap();
    store.change_key(&Keys::from(KeySource::Command(format!("echo {HEX}")))).unwrap();
    assert_eq!(store.key(), &KeyRecord::Command);
    assert!(store.load(&profile("dev")).unwrap().is_some());
    drop(store);
    assert_eq!(code(place.open()), Code::KeyWrong);
    let keys = Keys::from(KeySource::Command(format!("echo {HEX}")));
    let store = SqliteStore::open(&options(&place), &keys).unwrap().unwrap();
    assert_eq!(store.load(&profile("dev")).unwrap().unwrap().tokens, draft("1").tokens);
}

#[test]
fn two_stores_seal_differently() {
    let (one, two) = (Place::new(), Place::new());
    put_key(&one, HEX);
    put_key(&two, HEX);
    assert_ne!(one.make().fingerprint(b"a"), two.make().fingerprint(b"a"));
}

#[test]
fn a_damaged_note_about_the_key_is_damage_and_no_wrong_key() {
    let place = Place::new();
    drop(place.make());
    let raw = rusqlite::Connection::open(place.database()).unwrap();
    for change in [
        "UPDATE meta SET value = x'01' WHERE name = 'data_key'",
        "UPDATE meta SET value = x'7b7d' WHERE name = 'key_record'",
        "DELETE FROM meta WHERE name = 'key_id'",
    ] {
        raw.execute_batch(change).unwrap();
        assert!(matches!(place.open(), Err(StoreError::Damaged { .. })), "{change}");
    }
}
