//! The key in the operating system's keyring: one entry per store, as hex text, because some
//! keyrings keep texts only.
//!
//! Keyrings are absent, locked, waiting for a person or simply silent; and a call into them cannot
//! be cancelled. So each runs in a thread of its own, and is left behind when it takes too long.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

use super::{KeyError, encoding};
use crate::seal::{self, KeyBytes};

/// How long a keyring may take to answer. With it a command ends within five seconds.
const PATIENCE: Duration = Duration::from_secs(4);

/// The name under which a person finds our entries.
const SERVICE: &str = "snowtoken";

/// Whether the keyring can be used: writes an entry, reads it and removes it, within four seconds.
pub fn probe() -> Result<(), KeyError> {
    let token = random()?;
    let entry = format!("probe-{}", &encoding::hex(&*token)[..16]);
    limited(move || {
        let entry = open(&entry)?;
        entry.set_secret(encoding::hex(&*token).as_bytes()).map_err(|e| unavailable(&e))?;
        let found = entry.get_secret().map(Zeroizing::new);
        let removed = entry.delete_credential();
        let found = found.map_err(|e| unavailable(&e))?;
        removed.map_err(|e| unavailable(&e))?;
        match encoding::key(&found) {
            Some(found) if found == token => Ok(()),
            _ => Err(because("it does not give back what was put in")),
        }
    })
}

/// The key in this entry; `None` if the keyring answers and has no such entry.
pub(super) fn read(entry: &str) -> Result<Option<KeyBytes>, KeyError> {
    let name = entry.to_owned();
    limited(move || match open(&name)?.get_secret().map(Zeroizing::new) {
        Ok(text) => encoding::key(&text).map(Some).ok_or_else(|| KeyError::Invalid {
            place: format!("keyring entry {name}"),
            why: "is not 32 bytes as hex or base64".into(),
            fix: None,
        }),
        Err(Error::NoEntry) => Ok(None),
        Err(e) => Err(unavailable(&e)),
    })
}

/// Makes a key, puts it into this entry and reads it back.
pub(super) fn make(entry: &str) -> Result<KeyBytes, KeyError> {
    let name = entry.to_owned();
    let key = random()?;
    limited(move || {
        let entry = open(&name)?;
        entry.set_secret(encoding::hex(&*key).as_bytes()).map_err(|e| unavailable(&e))?;
        let found = entry.get_secret().map(Zeroizing::new).map_err(|e| unavailable(&e))?;
        match encoding::key(&found) {
            Some(found) if found == key => Ok(key),
            _ => Err(because("it does not give back what was put in")),
        }
    })
}

/// Removes an entry that nothing was sealed with. A leftover would do no harm.
pub(super) fn remove(entry: &str) {
    let name = entry.to_owned();
    let _ = limited(move || open(&name)?.delete_credential().map_err(|e| unavailable(&e)));
}

fn open(entry: &str) -> Result<Entry, KeyError> {
    let store = system_store().map_err(|e| unavailable(&e))?;
    store.build(SERVICE, entry, None).map_err(|e| unavailable(&e))
}

#[cfg(all(unix, not(target_os = "macos")))]
fn system_store() -> Result<Arc<CredentialStore>, Error> {
    Ok(dbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn system_store() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn system_store() -> Result<Arc<CredentialStore>, Error> {
    Ok(windows_native_keyring_store::Store::new()?)
}

/// Runs the call beside us and waits for it, but not for ever.
fn limited<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new()
        .name("keyring".into())
        .spawn(move || {
            // Nobody listens any more when the time is up.
            let _ = sender.send(call());
        })
        .map_err(|_| because("no thread could be started"))?;
    match receiver.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Err(because(
            "it did not answer within 4 s; if it asks for a password, answer it and repeat",
        )),
        Err(RecvTimeoutError::Disconnected) => Err(because("its client library failed")),
    }
}

fn random() -> Result<KeyBytes, KeyError> {
    seal::random().map_err(|_| because("the system gives no random bytes"))
}

fn because(reason: &str) -> KeyError {
    KeyError::KeyringUnavailable { reason: reason.into() }
}

fn unavailable(error: &Error) -> KeyError {
    // Some variants carry the secret's bytes: only those that cannot are shown with their text.
    match error {
        Error::PlatformFailure(cause) => because(&cause.to_string()),
        Error::NoStorageAccess(cause) => {
            because(&format!("it is locked or has no default collection ({cause})"))
        }
        Error::NoEntry => because("it lost the entry"),
        _ => because("it answered with something unexpected"),
    }
}
