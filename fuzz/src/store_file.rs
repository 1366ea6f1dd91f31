//! Any bytes as the store's file: opened and read, or refused; never replaced, never changed, but by the
//! steps that lead a store of an earlier version to ours.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};

use snowtoken_store::TokenStore as _;
use snowtoken_store::key::{KeySource, Keys};
use snowtoken_store::sqlite::{Options, SqliteStore};

/// The key of the saved inputs.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

/// Whether the bytes were opened as a store.
pub(crate) fn check(data: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().join("home");
    fs::DirBuilder::new().mode(0o700).create(&home).expect("a folder");
    fs::set_permissions(&home, Permissions::from_mode(0o700)).expect("its mode");
    let (file, key) = (home.join("tokens.db"), home.join("key"));
    write(&file, data);
    write(&key, KEY.as_bytes());
    let opened = SqliteStore::open(&Options::new(&file), &Keys::from(KeySource::File(key)));
    let is_store = matches!(opened, Ok(Some(_)));
    if let Ok(Some(store)) = opened {
        // Damage further in is told, not met with a panic.
        for profile in store.profiles().unwrap_or_default() {
            drop((store.load(&profile), store.load_previous(&profile), store.deliveries(&profile)));
        }
        drop((store.check(), store.audit(None, 100)));
    }
    let after = fs::read(&file).expect("the file is still there");
    let is_led_on = is_store && version(&after) > version(data);
    assert!(after == data || is_led_on, "reading changed the file");
    is_store
}

/// The version of our schema, SQLite's `user_version`: a store of an earlier one is led to ours.
fn version(database: &[u8]) -> Option<u32> {
    let bytes = database.get(60..64)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn write(path: &std::path::Path, data: &[u8]) {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).and_then(|mut file| file.write_all(data)).expect("a file");
}
