//! Where an answer rests between the moment it was read and the moment it is stored.
//!
//! A change of the database takes many calls and several syncs. An instance that replaces refresh
//! tokens has forgotten the old one by then, so whoever is killed in between would lose the session.
//! The file of the profile is made and given its room before the request is sent; then one write and
//! one sync are enough, even on a disk that has become full. What it holds is a sealed row, bound to
//! its profile and generation. Whoever holds the profile's lock next stores what was left there.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Result, StoreError};
use crate::row::Row;
use crate::secure;

/// Room for a generous answer; a longer one makes the file grow.
const ROOM: usize = 16 * 1024;

/// No answer is as long as this.
const LIMIT: u64 = 16 << 20;

/// The length of what is there comes first.
const LENGTH: usize = 8;

fn path_of(main: &Path, profile: &str) -> PathBuf {
    main.with_file_name("answers").join(format!("{profile}.answer"))
}

/// The file of the profile, with its room taken on the disk.
pub(super) fn prepare(main: &Path, profile: &str) -> Result<File> {
    let path = path_of(main, profile);
    let folder = path.parent().unwrap_or(main);
    secure::make_folder(folder)?;
    secure::check_made_folder(folder)?;
    let file = secure::open_or_make_file(&path)?;
    let length = file.metadata().map_err(|e| StoreError::io(&path, e))?.len();
    if length < ROOM as u64 {
        let made = (&file).write_all(&[0; ROOM]).and_then(|()| file.sync_all());
        made.and_then(|()| (&file).rewind()).map_err(|e| secure::unwritable(&path, e))?;
        secure::sync_folder(folder)?;
    }
    Ok(file)
}

/// Puts the row there; it is durable when this returns.
pub(super) fn write(mut file: &File, row: &Row) -> io::Result<()> {
    let text = serde_json::to_vec(row)?;
    let mut bytes = (text.len() as u64).to_be_bytes().to_vec();
    bytes.extend_from_slice(&text);
    file.write_all(&bytes)?;
    file.sync_data()
}

/// What was left there. Half an answer is none: its request is made again.
pub(super) fn read(main: &Path, profile: &str) -> Result<Option<Row>> {
    let path = path_of(main, profile);
    let Some(mut file) = secure::open_file(&path)? else { return Ok(None) };
    let mut length = [0; LENGTH];
    let mut text = Vec::new();
    let read = file.read_exact(&mut length).and_then(|()| {
        file.take(u64::from_be_bytes(length).min(LIMIT)).read_to_end(&mut text).map(drop)
    });
    match read {
        Ok(()) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(StoreError::io(path, error)),
    }
}

/// Overwrites what is there. It need not be durable: whatever comes back is of an old generation.
pub(super) fn wipe(mut file: &File) -> io::Result<()> {
    file.rewind()?;
    let mut length = [0; LENGTH];
    // An empty file holds nothing to wipe.
    if file.read_exact(&mut length).is_err() || length == [0; LENGTH] {
        return Ok(());
    }
    let used = usize::try_from(u64::from_be_bytes(length).min(LIMIT)).unwrap_or(ROOM) + LENGTH;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&vec![0; used])
}

/// The same for a profile whose tokens ended; there may be no file.
pub(super) fn forget(main: &Path, profile: &str) -> Result<()> {
    let path = path_of(main, profile);
    if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
        return Ok(());
    }
    let file = secure::open_or_make_file(&path)?;
    wipe(&file).map_err(|e| secure::unwritable(&path, e))
}
