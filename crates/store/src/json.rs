//! The little JSON that is stored, read back strictly.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Result, StoreError};

pub(crate) fn write<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::Bug(e.to_string()))
}

/// Reads a value; `what` names it in the error, which never quotes the text.
pub(crate) fn read<T: DeserializeOwned>(what: &str, text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|_| StoreError::damaged(format!("{what} cannot be read")))
}
