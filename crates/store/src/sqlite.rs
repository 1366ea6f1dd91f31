//! The default store: one owner-only SQLite file that many processes open at once.
//!
//! - Rollback journal, `synchronous = EXTRA`: what was committed survives a crash and a power cut.
//!   A reader makes no file and takes a shared lock only; writers wait for each other, up to the busy
//!   timeout.
//! - A new database is made complete under another name and then gets its own, so that no crash
//!   leaves half a one; a file that is not ours or is damaged is never replaced.
//! - Owner and mode of file and folder are checked on every opening.
//! - Beside it lies a copy of the last good state, see `sqlite/copy.rs`.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{Result, StoreError};
use crate::key::{self, KeyRecord, Keys};
use crate::patience::{self, PATIENCE};
use crate::seal::Sealer;
use crate::secure;

mod answer;
mod changes;
mod contract;
mod copy;
mod failure;
pub mod health;
mod kept;
mod key_lock;
mod ledger;
mod overview;
mod schema;
mod spare;
mod standing;
mod tokens;

use failure::{Doing, classify};
use key_lock::KeyLock;
use schema::VersionError;

pub use copy::Freshness;
pub use overview::{Glance, Holding};

/// Where the database is and how long to wait for it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database file. Its folder is made if it is not there.
    pub path: PathBuf,
    /// How long to wait while another process writes.
    pub busy_timeout: Duration,
}

impl Options {
    /// This file, and five seconds.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), busy_timeout: Duration::from_secs(5) }
    }
}

/// A store in an SQLite database.
pub struct SqliteStore {
    connection: Connection,
    sealer: Sealer,
    record: KeyRecord,
    /// The database's real path.
    path: PathBuf,
    /// Where answers are awaited, by profile.
    answers: BTreeMap<String, File>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store; `None` if there is none, and then nothing was touched, not even a key.
    pub fn open(options: &Options, keys: &Keys<'_>) -> Result<Option<Self>> {
        Self::open_found(options, keys)
            .map_err(|error| error.with_copy(|| copy::find(&real_path(options))))
    }

    fn open_found(options: &Options, keys: &Keys<'_>) -> Result<Option<Self>> {
        let Some((path, mut connection, (version, lock))) = meet(options)? else {
            return Ok(None);
        };
        if version < schema::newest(schema::STEPS) {
            schema::migrate(&mut connection, version, schema::STEPS)
                .map_err(|e| classify(&path, Doing::Writing, e))?;
        }
        let sealer = lock.open(&key::find(keys, &lock.record)?)?;
        Ok(Some(Self { connection, sealer, record: lock.record, path, answers: BTreeMap::new() }))
    }

    /// Opens the store, or makes it, with a new key where the source has none yet.
    pub fn open_or_create(options: &Options, keys: &Keys<'_>) -> Result<Self> {
        if let Some(store) = Self::open(options, keys)? {
            return Ok(store);
        }
        create(&options.path, keys)?;
        // Whoever made it: this one is it.
        Self::open(options, keys)?.ok_or_else(|| gone(&options.path))
    }

    /// What the store at this path remembers about its key; `None` if there is no store. Needs no
    /// key.
    pub fn key_record(options: &Options) -> Result<Option<KeyRecord>> {
        Ok(meet(options)?.map(|(_, _, (_, lock))| lock.record))
    }

    /// What this store remembers about its key.
    pub fn key(&self) -> &KeyRecord {
        &self.record
    }

    /// The database's real path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the store under the key of another source, which is made where it has none yet. The old
    /// key opens nothing afterwards.
    pub fn change_key(&mut self, keys: &Keys<'_>) -> Result<()> {
        let (key, record) = key::make(keys)?;
        let lock = KeyLock::new(&key, record, &self.sealer)?;
        self.end(&[copy::NOBODY], |transaction, _| Ok(lock.write(transaction)?))?;
        self.record = lock.record;
        Ok(())
    }

    /// Looks through the whole file for damage of its structure; slow for large stores.
    pub fn check(&self) -> Result<()> {
        let verdict: String = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(|e| self.reading(e))?;
        if verdict == "ok" {
            Ok(())
        } else {
            Err(StoreError::damaged("its pages do not fit together"))
        }
    }

    fn reading(&self, error: rusqlite::Error) -> StoreError {
        self.told(classify(&self.path, Doing::Reading, error))
    }

    /// An error that names the copy, where it is of any use.
    fn told(&self, error: StoreError) -> StoreError {
        error.with_copy(|| copy::find(&self.path))
    }

    /// A change of what is stored for these profiles; the copy follows.
    fn change<T>(
        &mut self,
        profiles: &[&str],
        change: impl FnOnce(&Connection, &Sealer) -> Result<T, Refusal>,
    ) -> Result<T> {
        let value = self.write_noted(profiles, change)?;
        if let Err(error) = copy::follow(&self.path) {
            log::warn!("the copy of the store could not be brought up to date: {error}");
        }
        Ok(value)
    }

    /// A change that takes away what must not be found again, in the copy neither.
    fn end<T>(
        &mut self,
        profiles: &[&str],
        change: impl FnOnce(&Connection, &Sealer) -> Result<T, Refusal>,
    ) -> Result<T> {
        let value = self.write_noted(profiles, change)?;
        for profile in profiles {
            answer::forget(&self.path, profile)?;
        }
        if let Err(error) = copy::follow(&self.path) {
            log::warn!("the copy of the store is removed, for it could not follow: {error}");
            copy::remove(&self.path).map_err(|e| StoreError::io(copy::path_of(&self.path), e))?;
        }
        Ok(value)
    }

    fn write_noted<T>(
        &mut self,
        profiles: &[&str],
        change: impl FnOnce(&Connection, &Sealer) -> Result<T, Refusal>,
    ) -> Result<T> {
        self.write(|connection, sealer| {
            let value = change(connection, sealer)?;
            for profile in profiles {
                copy::note_change(connection, profile)?;
            }
            Ok(value)
        })
    }

    /// Runs one durable transaction: all of it holds when this returns, or nothing.
    fn write<T>(
        &mut self,
        change: impl FnOnce(&Connection, &Sealer) -> Result<T, Refusal>,
    ) -> Result<T> {
        let path = &self.path;
        let told = |error: StoreError| error.with_copy(|| copy::find(path));
        let writing = |e| told(classify(path, Doing::Writing, e));
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(writing)?;
        match change(&transaction, &self.sealer) {
            Ok(value) => transaction.commit().map(|()| value).map_err(writing),
            Err(Refusal::Sqlite(e)) => Err(writing(e)),
            Err(Refusal::Store(e)) => Err(told(e)),
        }
    }
}

/// Why a change was not made.
enum Refusal {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A database, and what it says of itself.
type Met = (PathBuf, Connection, (i64, KeyLock));

/// Connects and reads what every opening needs: the first time that its file system is asked for
/// locks, which some never answer.
fn meet(options: &Options) -> Result<Option<Met>> {
    let options = options.clone();
    patience::ask(&options.path.clone(), options.busy_timeout + PATIENCE, move |_| {
        let Some((path, connection)) = connect(&options)? else {
            return Ok(None);
        };
        let said = introduce(&connection, &path)?;
        Ok(Some((path, connection, said)))
    })
}

/// Connects to the database, if there is one and nobody else can get at it.
fn connect(options: &Options) -> Result<Option<(PathBuf, Connection)>> {
    let (folder, name) = split(&options.path)?;
    let Some(folder) = secure::check_folder(folder)? else {
        return Ok(None);
    };
    let path = folder.join(name);
    if !find_database(&path)? {
        return Ok(None);
    }
    check_companions(&path)?;
    // Not read-only: after a crash the first reader rolls back what was not finished.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let configured = Connection::open_with_flags(&path, flags)
        .and_then(|connection| configure(&connection, options.busy_timeout).map(|()| connection));
    match configured {
        Ok(connection) => Ok(Some((path, connection))),
        Err(e) => Err(classify(&path, Doing::Reading, e)),
    }
}

/// SQLite opens what lies beside a database under certain names, and would wait at a pipe.
fn check_companions(path: &Path) -> Result<()> {
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    // What a crash left is ours.
    secure::check_file(&beside("-journal"))?;
    ["-wal", "-shm"].iter().try_for_each(|ending| secure::check_absent(&beside(ending)))
}

/// Whether the database is there. What lies beside it says that it was: then it is not simply absent,
/// and an empty one must not take its place.
fn find_database(path: &Path) -> Result<bool> {
    if secure::check_file(path)? {
        return Ok(true);
    }
    let left = [copy::path_of(path), copy::journal_of(path)];
    match left.iter().find(|path| path.symlink_metadata().is_ok()) {
        Some(left) => {
            Err(StoreError::damaged(format!("it is gone, but {} is there", left.display())))
        }
        None => Ok(false),
    }
}

/// Reads what every opening needs, under one shared lock: version and key lock.
fn introduce(connection: &Connection, path: &Path) -> Result<(i64, KeyLock)> {
    let reading = |e| classify(path, Doing::Reading, e);
    let transaction = connection.unchecked_transaction().map_err(reading)?;
    let version = match schema::version(&transaction, schema::STEPS) {
        Ok(version) => version,
        Err(VersionError::Sqlite(e)) => return Err(reading(e)),
        Err(VersionError::Store(e)) => return Err(e),
    };
    // SQLite does not mind a last page that is cut. Under the lock nobody is just adding one.
    let length = std::fs::metadata(path).map_err(|e| StoreError::io(path, e))?.len();
    if length % schema::PAGE != 0 {
        return Err(StoreError::damaged("its last page is cut"));
    }
    let lock = KeyLock::read(&transaction, path)?;
    transaction.finish().map(|()| (version, lock)).map_err(reading)
}

fn configure(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(busy_timeout)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; \
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -512; PRAGMA foreign_keys = ON; \
         PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON;",
    )
}

/// Makes a new store, whole, and gives it its name unless another process was faster.
fn create(path: &Path, keys: &Keys<'_>) -> Result<()> {
    let (folder, name) = split(path)?;
    secure::make_folder(folder)?;
    let folder = secure::check_folder(folder)?.ok_or_else(|| gone(folder))?;
    let path = folder.join(name);
    let (key, record) = key::make(keys)?;
    let lock = KeyLock::new(&key, record, &Sealer::random()?)?;
    // O_EXCL and mode 0600 from the creating call; SQLite gives its journal the same mode.
    let file = tempfile::Builder::new()
        .prefix(".snowtoken-new-")
        .tempfile_in(&folder)
        .map_err(|e| secure::unwritable(&folder, e))?;
    fill(file.path(), &lock).map_err(|e| classify(&path, Doing::Writing, e))?;
    file.as_file().sync_all().map_err(|e| secure::unwritable(&path, e))?;
    // Closed before it has its name: closing a database's file drops the locks that other threads
    // of this process have on it.
    match file.into_temp_path().persist_noclobber(&path) {
        Ok(()) => secure::sync_folder(&folder),
        Err(refused) if refused.error.kind() == std::io::ErrorKind::AlreadyExists => {
            key::forget(&lock.record);
            Ok(())
        }
        Err(refused) => Err(secure::unwritable(&path, refused.error)),
    }
}

fn fill(path: &Path, lock: &KeyLock) -> rusqlite::Result<()> {
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Nobody else knows this file; it is synced as a whole before it gets its name.
    connection.execute_batch(&format!(
        "PRAGMA page_size = {}; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;",
        schema::PAGE
    ))?;
    schema::migrate(&mut connection, 0, schema::STEPS)?;
    lock.write(&connection)?;
    connection.close().map_err(|(_, e)| e)
}

fn split(path: &Path) -> Result<(&Path, &std::ffi::OsStr)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match (folder.unwrap_or(Path::new(".")), path.file_name()) {
        (folder, Some(name)) => Ok((folder, name)),
        (_, None) => Err(StoreError::io(path, std::io::ErrorKind::IsADirectory.into())),
    }
}

/// Where the database is or would be, links on the way to its folder followed.
fn real_path(options: &Options) -> PathBuf {
    let Ok((folder, name)) = split(&options.path) else { return options.path.clone() };
    std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).join(name)
}

fn gone(path: &Path) -> StoreError {
    StoreError::io(path, std::io::ErrorKind::NotFound.into())
}
