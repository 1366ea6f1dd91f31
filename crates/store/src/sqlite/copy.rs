//! The copy of the last good state: a second database beside the first, with the same rows, the same
//! seals and the same key.
//!
//! - It follows every change of what would be lost: whoever committed one brings over the rows of each
//!   profile that changed since, read from the database itself. So it does not matter who does it, in
//!   which order, or whether somebody was killed before doing it.
//! - It is not synced: a power cut may spoil it, and the next change then makes it anew. A killed
//!   process spoils nothing. What is synced is the database.
//! - It never follows a database that does not hold together, so damage does not reach it.
//! - What was removed there is overwritten here as well.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::schema;
use crate::error::{CopyFound, Result, StoreError};
use crate::lock::RefreshLock;
use crate::secure;

/// Whoever copies is done within milliseconds; nobody waits for a stopped one any longer.
const WAIT: Duration = Duration::from_secs(1);

/// Tables whose rows belong to a profile. `audit` grows at its end only, `meta` belongs to nobody.
const TABLES: [&str; 6] =
    ["token_set", "standing", "client_secret", "spare_secret", "signing_key", "delivery"];

/// So many changes are remembered; a copy that is farther behind is made anew.
const REMEMBERED: i64 = 128;

/// Stands for what belongs to no profile: the key lock.
pub(super) const NOBODY: &str = "";

/// Notes in the transaction of a change whose rows it changes.
pub(super) fn note_change(connection: &Connection, profile: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO change (number, profile) \
         VALUES ((SELECT coalesce(max(number), 0) + 1 FROM change), ?1)",
    )?;
    statement.execute([profile])?;
    let sql = "DELETE FROM change WHERE number <= (SELECT max(number) FROM change) - ?1";
    connection.prepare_cached(sql)?.execute([REMEMBERED]).map(drop)
}

/// Where the copy of this database is.
pub(super) fn path_of(main: &Path) -> PathBuf {
    with_ending(main, ".copy")
}

/// Where SQLite keeps what an unfinished change has overwritten.
pub(super) fn journal_of(database: &Path) -> PathBuf {
    with_ending(database, "-journal")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// The copy of this database, if there is one, and when it was last brought up to date.
pub(super) fn find(main: &Path) -> Option<CopyFound> {
    let path = path_of(main);
    let modified = std::fs::symlink_metadata(&path).ok()?.modified().ok()?;
    Some(CopyFound { path, at: Timestamp::try_from(modified).ok()? })
}

/// How far a copy is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It has everything.
    Fresh,
    /// So many changes are missing.
    Behind(i64),
    /// It is no copy of this database, or of another time.
    Foreign,
    /// There is none.
    Missing,
}

/// Whether the copy has what the database has.
pub(super) fn freshness(main: &Path) -> Result<Freshness, CopyError> {
    if !secure::check_file(&path_of(main))? {
        return Ok(Freshness::Missing);
    }
    let connection = open(main)?;
    Ok(match gap(&connection)? {
        Some(Gap { seen, newest }) if seen == newest => Freshness::Fresh,
        Some(Gap { seen, newest }) => Freshness::Behind(newest - seen),
        None => Freshness::Foreign,
    })
}

/// The copy alone, for reading.
pub(super) fn connect(main: &Path) -> Result<Option<Connection>, CopyError> {
    if !secure::check_file(&path_of(main))? {
        return Ok(None);
    }
    Ok(Some(open_alone(main)?))
}

/// Brings the copy up to date, and makes it if it is not there or cannot be used.
pub(super) fn follow(main: &Path) -> Result<(), CopyError> {
    let _lock = lock(main)?;
    if secure::check_file(&path_of(main))? {
        match catch_up(main) {
            Ok(true) => return Ok(()),
            Ok(false) => log::info!("the copy of the store is of another time; making it anew"),
            Err(CopyError::Sqlite(error)) if is_passing(&error) => return Err(error.into()),
            Err(CopyError::Sqlite(error)) => {
                log::warn!("the copy of the store cannot be used ({error}); making it anew");
            }
            Err(other) => return Err(other),
        }
    }
    make(main)
}

/// Removes the copy: it holds what must not be there any more and could not be brought up to date.
pub(super) fn remove(main: &Path) -> io::Result<()> {
    let path = path_of(main);
    for path in [&path, &journal_of(&path)] {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Why the copy could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the store itself does not hold together; its copy is left as it is")]
    MainDamaged,
}

/// Whoever holds it is the only one at the copy.
pub(super) fn lock(main: &Path) -> Result<RefreshLock> {
    RefreshLock::acquire_copy(main.parent().unwrap_or(Path::new(".")), WAIT)
}

/// Others are at work: that says nothing about the copy.
fn is_passing(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly};
    let passing = [DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly];
    error.sqlite_error_code().is_some_and(|code| passing.contains(&code))
}

/// The copy, with the database attached as `store`.
fn open(main: &Path) -> rusqlite::Result<Connection> {
    let connection = open_alone(main)?;
    connection.execute("ATTACH DATABASE ?1 AS store", [main.to_string_lossy()])?;
    Ok(connection)
}

fn open_alone(main: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path_of(main), flags)?;
    connection.busy_timeout(WAIT)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; \
         PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA secure_delete = ON;",
    )?;
    Ok(connection)
}

/// What lies between the copy and the database.
struct Gap {
    seen: i64,
    newest: i64,
}

/// `None` if the copy is of another time or form: too far behind, ahead, or older than a change of
/// the tables.
fn gap(connection: &Connection) -> rusqlite::Result<Option<Gap>> {
    let version = |of: &str| {
        connection.query_row(&format!("PRAGMA {of}.user_version"), [], |row| row.get::<_, i64>(0))
    };
    if version("main")? != version("store")? {
        return Ok(None);
    }
    let seen: Option<i64> =
        connection.query_row("SELECT max(number) FROM main.change", [], |row| row.get(0))?;
    let (oldest, newest): (Option<i64>, Option<i64>) =
        connection.query_row("SELECT min(number), max(number) FROM store.change", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let (seen, newest) = (seen.unwrap_or(0), newest.unwrap_or(0));
    let within = seen <= newest && seen + 1 >= oldest.unwrap_or(1);
    // The same number must stand for the same change.
    let sql = "SELECT main.change.profile = store.change.profile FROM main.change \
               JOIN store.change USING (number) WHERE number = ?1";
    let same: Option<bool> = connection.query_row(sql, [seen], |row| row.get(0)).optional()?;
    Ok((within && (seen == 0 || same != Some(false))).then_some(Gap { seen, newest }))
}

/// Brings over what changed since; whether that was possible.
fn catch_up(main: &Path) -> Result<bool, CopyError> {
    let mut connection = open(main)?;
    // Not immediate: that would lock the database as well.
    let transaction = connection.transaction()?;
    let Some(Gap { seen, newest }) = gap(&transaction)? else { return Ok(false) };
    if seen == newest {
        return Ok(true);
    }
    let changed = "(SELECT profile FROM store.change WHERE number > ?1)";
    for table in TABLES {
        let of_changed = format!("WHERE profile IN {changed}");
        transaction.execute(&format!("DELETE FROM main.{table} {of_changed}"), [seen])?;
        let all = format!("INSERT INTO main.{table} SELECT * FROM store.{table} {of_changed}");
        transaction.execute(&all, [seen])?;
    }
    transaction.execute(
        "INSERT INTO main.audit SELECT * FROM store.audit \
         WHERE id > (SELECT coalesce(max(id), 0) FROM main.audit)",
        [],
    )?;
    let sql = format!(
        "INSERT OR REPLACE INTO main.meta SELECT * FROM store.meta \
                       WHERE name <> 'probe' AND '{NOBODY}' IN {changed}"
    );
    transaction.execute(&sql, [seen])?;
    transaction
        .execute("INSERT INTO main.change SELECT * FROM store.change WHERE number > ?1", [seen])?;
    transaction.execute("DELETE FROM main.change WHERE number <= ?1", [newest - REMEMBERED])?;
    transaction.commit()?;
    Ok(true)
}

fn make(main: &Path) -> Result<(), CopyError> {
    let folder = main.parent().unwrap_or(Path::new("."));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(main, flags)?;
    connection.busy_timeout(WAIT)?;
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    let version = schema::version(&connection, schema::STEPS);
    if version.is_err() || !holds_together(&connection)? {
        return Err(CopyError::MainDamaged);
    }
    let file = duplicate(&connection, folder)?;
    remove(main)?;
    file.into_temp_path().persist(path_of(main)).map_err(|refused| refused.error)?;
    Ok(())
}

/// The same database in a new file of this folder, which has no name of its own yet.
pub(super) fn duplicate(
    connection: &Connection,
    folder: &Path,
) -> Result<tempfile::NamedTempFile, CopyError> {
    // O_EXCL and mode 0600 from the creating call, as for every database.
    let file = tempfile::Builder::new().prefix(".snowtoken-new-").tempfile_in(folder)?;
    connection.execute("VACUUM INTO ?1", [address(file.path())])?;
    Ok(file)
}

/// The file as a URI. SQLite opens it as if it had to be made: `modeof` names the file whose mode it
/// would get then, which is its own.
fn address(path: &Path) -> String {
    let mut escaped = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                escaped.push(char::from(*byte));
            }
            _ => drop(write!(escaped, "%{byte:02x}")),
        }
    }
    format!("file:{escaped}?modeof={escaped}")
}

pub(super) fn holds_together(connection: &Connection) -> rusqlite::Result<bool> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(verdict == "ok")
}
