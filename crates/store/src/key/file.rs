//! The key in a file of its own: one line of hex, for its owner only.

use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::{KeyError, encoding};
use crate::atomic::{self, Existing};
use crate::error::{Result, StoreError};
use crate::seal::{self, KeyBytes};
use crate::secure;

/// No key file is longer.
const LIMIT: u64 = 4096;

/// The key in the file; `None` if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<KeyBytes>> {
    let Some(file) = secure::open_file(path).map_err(about_the_key)? else {
        return Ok(None);
    };
    let mut text = Zeroizing::new(Vec::with_capacity(128));
    file.take(LIMIT + 1).read_to_end(&mut text).map_err(|e| StoreError::io(path, e))?;
    match encoding::key(&text) {
        Some(key) => Ok(Some(key)),
        None => Err(KeyError::Invalid {
            place: path.display().to_string(),
            why: "does not hold 32 bytes as hex or base64".into(),
            fix: None,
        }
        .into()),
    }
}

/// The key in the file, which is made if it is not there.
pub(super) fn read_or_make(path: &Path) -> Result<KeyBytes> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    secure::make_folder(folder)?;
    let key = seal::random()?;
    let mut text = encoding::hex(&*key);
    text.push('\n');
    match atomic::write(path, text.as_bytes(), Existing::Kept) {
        Ok(()) => Ok(key),
        // Another process was faster: its key is the key.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            read(path)?.ok_or_else(|| StoreError::io(path, io::ErrorKind::NotFound.into()))
        }
        Err(e) => Err(secure::unwritable(path, e)),
    }
}

/// A key file that others can read is no key any more.
fn about_the_key(error: StoreError) -> StoreError {
    match error {
        StoreError::Insecure { path, why, fix } => {
            KeyError::Invalid { place: path.display().to_string(), why, fix: Some(fix) }.into()
        }
        other => other,
    }
}
