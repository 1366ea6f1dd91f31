//! What SQLite's errors mean to us.

use std::io;
use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::error::StoreError;
use crate::secure;

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
        ErrorCode::CannotOpen => {
            told_by_the_disk(path, doing).unwrap_or_else(|| system(io::ErrorKind::NotFound))
        }
        ErrorCode::PermissionDenied => system(io::ErrorKind::PermissionDenied),
        ErrorCode::SystemIoFailure => match failure.extended_code {
            ffi::SQLITE_IOERR_SHORT_READ => StoreError::damaged("it ends too early"),
            ffi::SQLITE_IOERR_WRITE if files_are_limited() => StoreError::Full,
            ffi::SQLITE_IOERR_CORRUPTFS => StoreError::damaged("the file system is damaged"),
            _ => told_by_the_disk(path, doing).unwrap_or_else(|| system(io::ErrorKind::Other)),
        },
        ErrorCode::Unknown => StoreError::damaged("its tables are not as they were made"),
        _ => StoreError::Bug(error.to_string()),
    }
}

/// SQLite keeps to itself what the system said: a quota, a limit, a disk that fails. Whoever writes
/// a few bytes beside the database is told.
fn told_by_the_disk(path: &Path, doing: Doing) -> Option<StoreError> {
    if doing == Doing::Reading {
        return None;
    }
    // As far out as the database reaches: there may be a limit for that.
    let reach = std::fs::metadata(path).map_or(0, |found| found.len());
    let folder = path.parent().unwrap_or(Path::new("/"));
    let refused = secure::try_writing(folder, reach).err()?;
    Some(secure::unwritable(path, refused))
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
