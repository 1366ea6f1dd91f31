//! Files and folders that are nobody else's: made with their mode by the creating call, and checked
//! on every use.
//!
//! On Windows the rights are those of the person's profile folder; there is nothing to check here.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::error::{Result, StoreError};

/// Makes the folder, with its parents, for its owner only. It may exist already.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => insecure(path, "is no folder", "move it away".into()),
        _ => unwritable(path, e),
    })?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Where the folder really is, if it is ours and nobody else can put or take anything there;
/// `None` if there is no folder.
pub(crate) fn check_folder(path: &Path) -> Result<Option<PathBuf>> {
    let real = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(StoreError::io(path, e)),
    };
    let metadata = fs::symlink_metadata(&real).map_err(|e| StoreError::io(path, e))?;
    if !metadata.is_dir() {
        return Err(insecure(path, "is no folder", "move it away".into()));
    }
    #[cfg(unix)]
    unix::check(&real, &metadata, 0o022, 0o700)?;
    Ok(Some(real))
}

/// The same for a folder that only we make: it must be no link to another.
pub(crate) fn check_made_folder(path: &Path) -> Result<()> {
    let metadata = fs::symlink_metadata(path).map_err(|e| StoreError::io(path, e))?;
    if !metadata.is_dir() {
        return Err(insecure(path, "is no folder", "move it away".into()));
    }
    #[cfg(unix)]
    unix::check(path, &metadata, 0o022, 0o700)?;
    Ok(())
}

/// Whether a file is there; an error if it is anything but our own regular file that nobody else can
/// read or write, and that has no second name.
pub(crate) fn check_file(path: &Path) -> Result<bool> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(StoreError::io(path, e)),
    };
    check_metadata(path, &metadata)?;
    Ok(true)
}

/// An error if there is anything, since it is never made here.
pub(crate) fn check_absent(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(StoreError::io(path, e)),
        Ok(_) => Err(insecure(path, "was not made by this program", "move it away".into())),
    }
}

/// Opens a file for reading under the same conditions; `None` if there is none.
pub(crate) fn open_file(path: &Path) -> Result<Option<File>> {
    let mut options = File::options();
    options.read(true);
    open_checked(path, &mut options)
}

/// Opens a file for locking, and makes it for its owner only if there is none.
pub(crate) fn open_or_make_file(path: &Path) -> Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    open_checked(path, &mut options)?
        .ok_or_else(|| StoreError::io(path, io::ErrorKind::NotFound.into()))
}

/// Reads a text that people edit: links are followed, a pipe is not waited for. Of a file that
/// somebody else could have written nothing is believed.
pub(crate) fn read_text(path: &Path, largest: u64) -> io::Result<String> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, unix::NONBLOCK);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > largest {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no file of a sensible size",
        ));
    }
    #[cfg(unix)]
    unix::check_writers(path, &metadata)?;
    let mut text = String::new();
    file.take(largest).read_to_string(&mut text)?;
    Ok(text)
}

/// A link is not followed, and something that would block is not waited for.
pub(crate) fn follow_no_link(options: &mut fs::OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, unix::NOFOLLOW_NONBLOCK);
    #[cfg(not(unix))]
    let _ = options;
}

fn open_checked(path: &Path, options: &mut fs::OpenOptions) -> Result<Option<File>> {
    follow_no_link(options);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        // What it is says more than why the system did not open it.
        Err(e) => {
            return Err(check_file(path).err().unwrap_or_else(|| unwritable(path, e)));
        }
    };
    let metadata = file.metadata().map_err(|e| StoreError::io(path, e))?;
    check_metadata(path, &metadata)?;
    Ok(Some(file))
}

fn check_metadata(path: &Path, metadata: &fs::Metadata) -> Result<()> {
    if metadata.file_type().is_symlink() {
        let why = "is a symbolic link, which is never followed here";
        return Err(insecure(path, why, "put the file itself in its place".into()));
    }
    if !metadata.is_file() {
        return Err(insecure(path, "is no regular file", "move it away".into()));
    }
    #[cfg(unix)]
    {
        unix::check(path, metadata, 0o077, 0o600)?;
        if std::os::unix::fs::MetadataExt::nlink(metadata) > 1 {
            let why = "has a second name (hard link) elsewhere";
            return Err(insecure(path, why, "remove the other name".into()));
        }
    }
    Ok(())
}

/// Makes what happened in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    sync_names(path).map_err(|e| StoreError::io(path, e))
}

/// As [`sync_folder`], in the system's words.
#[cfg_attr(
    not(unix),
    expect(clippy::unnecessary_wraps, reason = "nothing to do here, nothing fails")
)]
pub(crate) fn sync_names(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::fs::{Mode, OFlags};
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        // O_DIRECTORY: should a pipe have taken its place, that is an error and no wait for ever.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        File::from(rustix::fs::open(path, flags, Mode::empty())?).sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Writes a page at this place of a file in the folder, durably; it is gone afterwards. As SQLite
/// does, with the place named in the call.
pub(crate) fn try_writing(folder: &Path, at: u64) -> io::Result<()> {
    let file = tempfile::tempfile_in(folder)?;
    #[cfg(unix)]
    std::os::unix::fs::FileExt::write_all_at(&file, &[0; 4096], at)?;
    #[cfg(not(unix))]
    {
        io::Seek::seek(&mut &file, io::SeekFrom::Start(at))?;
        io::Write::write_all(&mut &file, &[0; 4096])?;
    }
    file.sync_all()
}

/// Bytes that are free for this user where the folder is; `None` where the system does not say.
pub(crate) fn free_space(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(folder).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// An error of writing: here a refusal means that the place is read-only for us.
pub(crate) fn unwritable(path: &Path, source: io::Error) -> StoreError {
    if source.kind() == io::ErrorKind::PermissionDenied {
        return StoreError::ReadOnly { path: path.to_owned() };
    }
    StoreError::io(path, source)
}

fn insecure(path: &Path, why: &str, fix: String) -> StoreError {
    StoreError::Insecure { path: path.to_owned(), why: why.into(), fix }
}

#[cfg(unix)]
mod unix {
    use std::fs::Metadata;
    use std::io;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    use rustix::fs::OFlags;

    use super::insecure;
    use crate::error::Result;

    /// Nobody but us and root may be able to write it.
    pub(super) fn check_writers(path: &Path, metadata: &Metadata) -> io::Result<()> {
        let (owner, us) = (metadata.uid(), rustix::process::geteuid().as_raw());
        let refused = |why: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        if owner != us && owner != 0 {
            return refused(format!("it belongs to user {owner}, not to us ({us})"));
        }
        let mode = metadata.mode() & 0o7777;
        if mode & 0o022 != 0 {
            let fix = format!("chmod go-w '{}'", path.display());
            return refused(format!("others may write it (mode {mode:04o}): {fix}"));
        }
        Ok(())
    }

    #[expect(clippy::cast_possible_wrap, reason = "open(2) takes these very bits as an int")]
    pub(super) const NONBLOCK: i32 = OFlags::NONBLOCK.bits() as i32;

    #[expect(clippy::cast_possible_wrap, reason = "open(2) takes these very bits as an int")]
    pub(super) const NOFOLLOW_NONBLOCK: i32 =
        OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits() as i32;

    /// Owner and mode: none of the bits `others` may be set.
    pub(super) fn check(path: &Path, metadata: &Metadata, others: u32, proper: u32) -> Result<()> {
        let us = rustix::process::geteuid().as_raw();
        if metadata.uid() != us {
            let why = format!("belongs to user {}, not to us ({us})", metadata.uid());
            let fix = format!("chown {us} '{}'", path.display());
            return Err(insecure(path, &why, fix));
        }
        let mode = metadata.mode() & 0o7777;
        if mode & others != 0 {
            let why = format!("is open to others (mode {mode:04o})");
            let fix = format!("chmod {proper:o} '{}'", path.display());
            return Err(insecure(path, &why, fix));
        }
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use rustix::fs::{CWD, Mode};

    use super::*;

    /// A folder that became a pipe while we were in it: an error, and no wait for a writer.
    #[test]
    fn v18_a_pipe_in_place_of_a_folder_is_not_waited_for() {
        let place = tempfile::tempdir().unwrap();
        let pipe = place.path().join("folder");
        rustix::fs::mkfifoat(CWD, &pipe, Mode::RUSR).unwrap();
        let (told, heard) = mpsc::channel();
        thread::spawn(move || told.send(sync_names(&pipe).map_err(|e| e.kind())));
        let said = heard.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(said, Err(io::ErrorKind::NotADirectory));
    }
}
