//! What SQLite's errors mean to us.

use std::io;
use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::error::StoreError;

/// What was being done: it decides what a refused file means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Reading,
    Writing,
}

/// Sorts an error of SQLite by what can be done about it.
pub(super) fn classify(path: &Path, doing: Doing, error: Error) -> StoreError {
    let Error::SqliteFailure(failure, _) = &error else {
        return match error {
            // Our statements are fixed: if one does not fit, the tables are not what we made.
            Error::SqlInputError { .. }
            | Error::InvalidColumnType(..)
            | Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..) => StoreError::damaged("its tables are not as they were made"),
            other => StoreError::Bug(other.to_string()),
        };
    };
    let system = |kind: io::ErrorKind| StoreError::Unreadable {
        path: path.to_owned(),
        source: io::Error::new(kind, error.to_string()),
    };
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked,
        ErrorCode::DatabaseCorrupt => StoreError::damaged("its pages do not fit together"),
        ErrorCode::NotADatabase => StoreError::damaged("it is no database"),
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::OutOfMemory => StoreError::NoMemory,
        ErrorCode::ReadOnly => StoreError::ReadOnly { path: path.to_owned() },
        ErrorCode::CannotOpen if doing == Doing::Writing && !folder_is_writable(path) => {
            StoreError::ReadOnly { path: path.to_owned() }
        }
        ErrorCode::CannotOpen => system(io::ErrorKind::NotFound),
        ErrorCode::PermissionDenied => system(io::ErrorKind::PermissionDenied),
        ErrorCode::SystemIoFailure => match failure.extended_code {
            ffi::SQLITE_IOERR_SHORT_READ => StoreError::damaged("it ends too early"),
            ffi::SQLITE_IOERR_WRITE if files_are_limited() => StoreError::Full,
            ffi::SQLITE_IOERR_CORRUPTFS => StoreError::damaged("the file system is damaged"),
            _ => system(io::ErrorKind::Other),
        },
        ErrorCode::Unknown => StoreError::damaged("its tables are not as they were made"),
        _ => StoreError::Bug(error.to_string()),
    }
}

/// Whether SQLite could make its journal beside the database.
fn folder_is_writable(path: &Path) -> bool {
    #[cfg(unix)]
    {
        let folder = path.parent().unwrap_or(Path::new("/"));
        rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        true
    }
}

/// Whether this process may only write small files (`ulimit -f`): SQLite does not tell why the
/// system refused a write.
fn files_are_limited() -> bool {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        getrlimit(Resource::Fsize).current.is_some()
    }
    #[cfg(not(unix))]
    false
}
