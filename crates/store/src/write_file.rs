//! Files that are delivered to people: for their owner only, replaced whole or not at all.
//!
//! They hold secrets in the clear, so nothing may stay behind when something goes wrong or the
//! process is killed. On Linux the file has no name until it is complete and durable, and only to
//! replace another it has a passing one for the length of a rename; what a killed process left of
//! that is removed by the next. Elsewhere it has a random name beside the target, removed on failure.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use snowtoken_core::diagnosis::{Code, Diagnose};

use crate::atomic::{self, Existing};
use crate::secure;

/// Why the file was not written. What was there before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum WriteFileError {
    /// Something else stands in its place.
    #[error("{} {what}", .path.display())]
    InTheWay {
        /// The target.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The operating system refuses.
    #[error("{} cannot be written", .path.display())]
    Refused {
        /// The target.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Diagnose for WriteFileError {
    fn code(&self) -> Code {
        Code::OutputUnwritable
    }
}

/// Writes the file for its owner only (mode 0600), in place of a regular file or none. Durable when
/// it returns. The folder must exist; a symbolic link, folder, pipe or device in its place is
/// refused.
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), WriteFileError> {
    check_target(path)?;
    atomic::write(path, contents, Existing::Replaced)
        .map_err(|source| WriteFileError::Refused { path: path.to_owned(), source })
}

/// The same for what is no loss and no secret: whole or not at all for whoever reads it, and not
/// waited for until it is on the disk.
///
/// # Errors
/// See [`WriteFileError`].
pub fn remember(path: &Path, contents: &[u8]) -> Result<(), WriteFileError> {
    check_target(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let put = || {
        let folder = folder.unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".snowtoken-").tempfile_in(folder)?;
        file.write_all(contents)?;
        file.persist(path).map_err(|refused| refused.error)
    };
    put().map(drop).map_err(|source| WriteFileError::Refused { path: path.to_owned(), source })
}

/// Gives a file that [`replace`] wrote another name in the same folder, in place of a regular file or
/// none. Durable when it returns.
pub fn rename(from: &Path, to: &Path) -> Result<(), WriteFileError> {
    check_target(to)?;
    let refused = |source| WriteFileError::Refused { path: to.to_owned(), source };
    fs::rename(from, to).map_err(refused)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    secure::sync_names(folder.unwrap_or(Path::new("."))).map_err(refused)
}

/// A file for its owner only that is there for a moment: gone when this is dropped. For programs that
/// want a name where no other way is left; a process that is killed leaves it behind.
#[derive(Debug)]
pub struct Passing(tempfile::TempPath);

impl Passing {
    /// Writes it among the temporary files.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(contents: &[u8]) -> io::Result<Self> {
        let mut file = tempfile::Builder::new().prefix("snowtoken-").tempfile()?;
        file.write_all(contents)?;
        Ok(Self(file.into_temp_path()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Whether [`replace`] would find its place: nothing in the way, and a folder that takes files. It
/// leaves nothing behind. To be asked before a person is sent anywhere for what is to be written.
pub fn check(path: &Path) -> Result<(), WriteFileError> {
    check_target(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    atomic::probe(folder.unwrap_or(Path::new(".")))
        .map_err(|source| WriteFileError::Refused { path: path.to_owned(), source })
}

/// Reads a text that people edit and [`replace`] writes, of at most `largest` bytes. It may be a
/// link. Anything but a regular file is refused without waiting for it, and so is a file that
/// somebody besides its reader and root could have written.
///
/// # Errors
/// What the system says, or which of these it is.
pub fn read_text(path: &Path, largest: u64) -> io::Result<String> {
    secure::read_text(path, largest)
}

fn check_target(path: &Path) -> Result<(), WriteFileError> {
    let in_the_way = |what| Err(WriteFileError::InTheWay { path: path.to_owned(), what });
    let file_type = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            return Err(WriteFileError::Refused { path: path.to_owned(), source });
        }
    };
    if file_type.is_symlink() {
        in_the_way("is a symbolic link, which is not followed")
    } else if file_type.is_dir() {
        in_the_way("is a folder")
    } else if !file_type.is_file() {
        in_the_way("is no regular file")
    } else {
        Ok(())
    }
}
