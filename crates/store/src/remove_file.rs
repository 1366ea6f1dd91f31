//! A plain file whose secrets are in the store by now: looked at before it is read, and removed by
//! whoever said so.
//!
//! It is removed only if it is still the file that was read: a regular file of ours under one name,
//! reached by no link, with the same content. Its bytes are written over before the name goes. That
//! is no promise: solid-state disks, journals, snapshots and backups keep copies that nobody reaches
//! from here.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use snowtoken_core::diagnosis::{Code, Diagnose};
use zeroize::Zeroizing;

use crate::secure;

/// Why the file is still there.
#[derive(Debug, thiserror::Error)]
pub enum RemoveFileError {
    /// It is not a file that may be removed here.
    #[error("{} {why}", .path.display())]
    NotThatFile {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: &'static str,
    },
    /// The operating system refuses.
    #[error("{} cannot be removed", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Diagnose for RemoveFileError {
    fn code(&self) -> Code {
        Code::PlainFileKept
    }
}

/// The mode of a file that others on this machine may read; `None` if they may not, or if there is no
/// telling.
pub fn readable_by_others(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = fs::metadata(path).ok()?;
        let mode = metadata.mode() & 0o7777;
        (metadata.is_file() && mode & 0o044 != 0).then_some(mode)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Whether [`remove`] would find the file as it was read. Nothing is changed.
///
/// # Errors
/// If it is another one, or none that may be removed.
pub fn check(path: &Path, contents: &[u8]) -> Result<(), RemoveFileError> {
    open(path, contents).map(drop)
}

/// Writes over the file and removes it, durably. Whether it could be written over: a file that may
/// only be read is removed as it is.
///
/// # Errors
/// As [`check`], and what the system refuses.
pub fn remove(path: &Path, contents: &[u8]) -> Result<bool, RemoveFileError> {
    let file = open(path, contents)?;
    let refused = |source| RemoveFileError::Refused { path: path.to_owned(), source };
    let was_written_over = write_over(path, &file, contents.len()).map_err(refused)?;
    // The name may lead elsewhere by now.
    if !is_same(path, &file).map_err(refused)? {
        return Err(changed(path));
    }
    fs::remove_file(path).map_err(refused)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    secure::sync_names(folder.unwrap_or(Path::new("."))).map_err(refused)?;
    Ok(was_written_over)
}

fn changed(path: &Path) -> RemoveFileError {
    let why = "is not what was read any more: somebody has changed it";
    RemoveFileError::NotThatFile { path: path.to_owned(), why }
}

/// The file, if it is the one.
fn open(path: &Path, contents: &[u8]) -> Result<File, RemoveFileError> {
    let refused = |source| RemoveFileError::Refused { path: path.to_owned(), source };
    let not_that = |why| Err(RemoveFileError::NotThatFile { path: path.to_owned(), why });
    let named = fs::symlink_metadata(path).map_err(refused)?;
    if named.file_type().is_symlink() {
        return not_that("is a symbolic link: neither it nor what it leads to is removed");
    }
    if !named.is_file() {
        return not_that("is no regular file");
    }
    let mut options = File::options();
    options.read(true);
    secure::follow_no_link(&mut options);
    let mut file = options.open(path).map_err(refused)?;
    let metadata = file.metadata().map_err(refused)?;
    if !metadata.is_file() {
        return not_that("is no regular file");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return not_that("belongs to somebody else");
        }
        if metadata.nlink() > 1 {
            return not_that("has a second name (hard link) elsewhere, under which it would stay");
        }
    }
    let most = u64::try_from(contents.len()).unwrap_or(u64::MAX).saturating_add(1);
    let mut found = Zeroizing::new(Vec::with_capacity(contents.len() + 1));
    (&mut file).take(most).read_to_end(&mut found).map_err(refused)?;
    if *found != contents {
        return Err(changed(path));
    }
    Ok(file)
}

/// `false` if it may not be written.
fn write_over(path: &Path, read: &File, length: usize) -> io::Result<bool> {
    let mut options = File::options();
    options.write(true);
    secure::follow_no_link(&mut options);
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
        Err(e) => return Err(e),
    };
    if !same(&file.metadata()?, &read.metadata()?) {
        return Err(io::Error::other("it was replaced meanwhile"));
    }
    file.write_all(&vec![0; length])?;
    file.sync_all()?;
    Ok(true)
}

fn is_same(path: &Path, file: &File) -> io::Result<bool> {
    Ok(same(&fs::symlink_metadata(path)?, &file.metadata()?))
}

#[cfg(unix)]
fn same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.len() == other.len() && one.is_file() && other.is_file()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    struct Place {
        folder: tempfile::TempDir,
        file: PathBuf,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plain.txt");
        fs::write(&file, "secret").unwrap();
        Place { folder, file }
    }

    #[track_caller]
    fn stays(path: &Path, contents: &str, why: &str) {
        for result in
            [check(path, contents.as_bytes()), remove(path, contents.as_bytes()).map(drop)]
        {
            let told = result.unwrap_err().to_string();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn the_file_that_was_read_is_removed() {
        let place = place();
        check(&place.file, b"secret").unwrap();
        assert!(place.file.exists());
        assert!(remove(&place.file, b"secret").unwrap());
        assert!(!place.file.exists());
    }

    #[test]
    fn its_bytes_are_written_over_first() {
        let place = place();
        // Whoever has it open sees what became of it.
        let mut open = File::open(&place.file).unwrap();
        remove(&place.file, b"secret").unwrap();
        let mut left = Vec::new();
        open.read_to_end(&mut left).unwrap();
        assert_eq!(left, [0; 6]);
    }

    #[test]
    fn another_content_stays() {
        let place = place();
        for contents in ["secre", "secret ", "another"] {
            stays(&place.file, contents, "is not what was read any more");
        }
        assert_eq!(fs::read(&place.file).unwrap(), b"secret");
    }

    #[test]
    fn a_link_and_what_it_leads_to_stay() {
        let place = place();
        let link = place.folder.path().join("link");
        symlink(&place.file, &link).unwrap();
        stays(&link, "secret", "is a symbolic link");
        assert!(link.exists());
        assert_eq!(fs::read(&place.file).unwrap(), b"secret");
    }

    #[test]
    fn a_file_with_two_names_and_what_is_no_file_stay() {
        let place = place();
        fs::hard_link(&place.file, place.folder.path().join("other")).unwrap();
        stays(&place.file, "secret", "has a second name");
        assert_eq!(fs::read(&place.file).unwrap(), b"secret");
        stays(place.folder.path(), "secret", "is no regular file");
        let pipe = place.folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        stays(&pipe, "secret", "is no regular file");
        stays(&place.folder.path().join("gone"), "secret", "cannot be removed");
    }

    #[test]
    fn a_file_that_others_may_read_is_told() {
        let place = place();
        for (mode, told) in [(0o600, None), (0o640, Some(0o640)), (0o604, Some(0o604))] {
            fs::set_permissions(&place.file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(readable_by_others(&place.file), told);
        }
        assert_eq!(readable_by_others(&place.folder.path().join("gone")), None);
    }
}
