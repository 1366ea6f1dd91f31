//! The keyring, in a build without one.

use super::KeyError;
use crate::seal::KeyBytes;

fn absent() -> KeyError {
    KeyError::KeyringUnavailable { reason: "this build has no support for it".into() }
}

/// Whether the keyring can be used: it cannot.
pub fn probe() -> Result<(), KeyError> {
    Err(absent())
}

pub(super) fn read(_entry: &str) -> Result<Option<KeyBytes>, KeyError> {
    Err(absent())
}

pub(super) fn make(_entry: &str) -> Result<KeyBytes, KeyError> {
    Err(absent())
}

pub(super) fn remove(_entry: &str) {}
