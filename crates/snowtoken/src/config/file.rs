//! The file itself: read whole, changed under a lock, replaced whole.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_store::StoreError;
use snowtoken_store::lock::RefreshLock;
use snowtoken_store::write_file::{self, WriteFileError};

use super::{Config, ConfigError};
use crate::home::Home;

/// Larger files are no configuration of ours.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Why the file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// Its content.
    #[error("{}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ConfigError,
    },
    /// The file system.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The lock of a change.
    #[error(transparent)]
    Lock(#[from] StoreError),
    /// The file system.
    #[error("the configuration cannot be written")]
    Write(#[from] WriteFileError),
}

impl Diagnose for ConfigFileError {
    fn code(&self) -> Code {
        match self {
            Self::Content { source, .. } => source.code(),
            Self::Read { .. } => Code::ConfigInvalid,
            Self::Lock(error) => error.code(),
            Self::Write(error) => error.code(),
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Lock(error) => error.hints(),
            Self::Write(error) => error.hints(),
            _ => self.code().entry().hints(),
        }
    }
}

/// Reads the configuration; a file that is not there is an empty one.
///
/// # Errors
/// If it cannot be read or is not what it should be. It is never replaced then.
pub fn load(home: &Home) -> Result<Config, ConfigFileError> {
    read(&home.config_file)
}

fn read(path: &Path) -> Result<Config, ConfigFileError> {
    let failed = |source| ConfigFileError::Read { path: path.to_owned(), source };
    let text = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(failed(error)),
        Ok(meta) if !meta.is_file() || meta.len() > LARGEST => {
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no file of a sensible size",
            )));
        }
        Ok(_) => std::fs::read_to_string(path).map_err(failed)?,
    };
    Config::parse(&text)
        .map_err(|source| ConfigFileError::Content { path: path.to_owned(), source })
}

/// Changes the configuration: read again under a lock, so that two commands do not undo each
/// other's change.
///
/// # Errors
/// If it cannot be read or written; nothing has changed then.
pub fn update(home: &Home, change: impl FnOnce(&mut Config)) -> Result<(), ConfigFileError> {
    let lock = RefreshLock::acquire_configuration(&home.data, Duration::from_secs(10))?;
    let mut config = read(&home.config_file)?;
    let before = config.text();
    change(&mut config);
    let text = config.text();
    if text != before {
        let folder = home.config_file.parent().unwrap_or(Path::new("."));
        make_folder(folder)
            .map_err(|source| ConfigFileError::Read { path: folder.to_owned(), source })?;
        write_file::replace(&home.config_file, text.as_bytes())?;
    }
    drop(lock);
    Ok(())
}

/// Owner-only, from the creating call on.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
