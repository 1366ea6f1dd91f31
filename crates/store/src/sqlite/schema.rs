//! The database's form and its versions. Each step leads from one version to the next.

use rusqlite::Connection;

use crate::error::{Result, StoreError};

/// `snow` in ASCII: tells our database from any other.
pub(super) const APPLICATION_ID: i64 = 0x736e_6f77;

/// Bytes in a page.
pub(super) const PAGE: u64 = 4096;

/// Step `n` leads from version `n` to `n + 1`; a released step is never changed.
///
/// | version | since | holds |
/// |---|---|---|
/// | 1 | 0.1 | everything but what follows |
/// | 2 | 0.1 | what was asked for with a delivery |
/// | 3 | 0.1 | a second client secret, while it is being changed |
/// | 4 | 0.1 | the private keys that sign assertions |
pub(super) const STEPS: &[&str] = &[
    "
CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token_set (
    profile TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation > 0),
    instance TEXT NOT NULL,
    client_id TEXT NOT NULL,
    state TEXT NOT NULL,
    state_at TEXT,
    access_expires_at TEXT,
    access_expiry_known_by TEXT,
    access_token BLOB,
    issued_at TEXT,
    granted_at TEXT,
    scope TEXT,
    refresh_expires_at TEXT,
    refresh_expiry_known_by TEXT,
    refresh_token BLOB,
    authorization_code BLOB,
    user BLOB,
    seal BLOB NOT NULL,
    PRIMARY KEY (profile, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE standing (
    profile TEXT PRIMARY KEY NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL,
    state_at INTEGER,
    instance TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user TEXT,
    scope TEXT,
    issued_at INTEGER,
    granted_at INTEGER,
    access_expires_at INTEGER,
    access_expiry_known_by TEXT,
    has_access_token INTEGER NOT NULL,
    has_refresh_token INTEGER NOT NULL,
    refresh_expires_at INTEGER,
    refresh_expiry_known_by TEXT,
    sent_at INTEGER,
    failures INTEGER NOT NULL,
    failed_at INTEGER,
    failure_code TEXT,
    failure_detail TEXT,
    next_at INTEGER,
    next_why TEXT,
    facts TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE client_secret (
    profile TEXT PRIMARY KEY NOT NULL,
    instance TEXT NOT NULL,
    client_id TEXT NOT NULL,
    secret BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
    profile TEXT NOT NULL,
    format TEXT NOT NULL,
    path TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    at TEXT NOT NULL,
    PRIMARY KEY (profile, format, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE change (
    number INTEGER PRIMARY KEY,
    profile TEXT NOT NULL
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    profile TEXT NOT NULL,
    event TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_of_profile ON audit (profile, id);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
",
    "
ALTER TABLE delivery ADD COLUMN wish TEXT;
",
    "
CREATE TABLE spare_secret (
    profile TEXT PRIMARY KEY NOT NULL,
    instance TEXT NOT NULL,
    client_id TEXT NOT NULL,
    role TEXT NOT NULL,
    secret BLOB NOT NULL
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE signing_key (
    profile TEXT PRIMARY KEY NOT NULL,
    instance TEXT NOT NULL,
    client_id TEXT NOT NULL,
    secret BLOB NOT NULL
) STRICT, WITHOUT ROWID;
",
];

/// The version of a database that went through all `steps`.
pub(super) fn newest(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// The version of this database; an error if it is not ours, or newer than we know.
pub(super) fn version(connection: &Connection, steps: &[&str]) -> Result<i64, VersionError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, found) = (pragma("application_id")?, pragma("user_version")?);
    let known = newest(steps);
    if application != APPLICATION_ID || found < 1 {
        return Err(StoreError::damaged("it is empty, or no database of this program").into());
    }
    if found > known {
        return Err(StoreError::Newer { found, known }.into());
    }
    Ok(found)
}

/// Leads a database to the newest version, in one transaction or not at all.
pub(super) fn migrate(
    connection: &mut Connection,
    from: i64,
    steps: &[&str],
) -> rusqlite::Result<()> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have been faster while we waited.
    let stored: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(stored.max(from)).unwrap_or(0);
    for step in steps.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", newest(steps))?;
    transaction.commit()
}

/// Reading the version failed, or the version is not for us.
pub(super) enum VersionError {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for VersionError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for VersionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_version(steps: &[&str]) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, 0, steps).unwrap();
        connection
    }

    #[test]
    fn an_old_database_is_led_to_the_newest_form_and_keeps_its_rows() {
        let old = &["CREATE TABLE t (a)"][..];
        let new =
            &["CREATE TABLE t (a)", "ALTER TABLE t ADD b DEFAULT 5", "CREATE TABLE u (c)"][..];
        let mut connection = at_version(old);
        connection.execute("INSERT INTO t VALUES (3)", []).unwrap();
        let from = version(&connection, new).ok().unwrap();
        assert_eq!(from, 1);
        migrate(&mut connection, from, new).unwrap();
        let sum: i64 = connection.query_row("SELECT a + b FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!((sum, version(&connection, new).ok()), (8, Some(3)));
        // A second time is nothing.
        migrate(&mut connection, from, new).unwrap();
    }

    /// Each version that was, and what a reader of each makes of it.
    #[test]
    fn every_version_is_read_by_every_later_reader_and_by_no_earlier_one() {
        for written in 1..=STEPS.len() {
            for known in 1..=STEPS.len() {
                let mut connection = at_version(&STEPS[..written]);
                let secret = "INSERT INTO client_secret VALUES ('dev', 'i', 'c', x'01')";
                connection.execute(secret, []).unwrap();
                let reader = &STEPS[..known];
                match version(&connection, reader) {
                    Ok(found) => {
                        assert!(written <= known);
                        migrate(&mut connection, found, reader).unwrap();
                        assert_eq!(version(&connection, reader).ok(), Some(newest(reader)));
                        let kept = "SELECT count(*) FROM client_secret WHERE secret = x'01'";
                        let kept: i64 = connection.query_row(kept, [], |row| row.get(0)).unwrap();
                        assert_eq!(kept, 1);
                        let keys = connection.prepare("SELECT secret FROM signing_key");
                        assert_eq!(keys.is_ok(), known >= 4);
                    }
                    Err(error) => {
                        let is_newer =
                            matches!(error, VersionError::Store(StoreError::Newer { .. }));
                        assert!(is_newer && written > known, "{written} to a reader of {known}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let mut connection = at_version(&["CREATE TABLE t (a)"]);
        let broken = &["CREATE TABLE t (a)", "CREATE TABLE u (c); CREATE TABLE t (a)"];
        assert!(migrate(&mut connection, 1, broken).is_err());
        assert_eq!(version(&connection, broken).ok(), Some(1));
        assert!(connection.prepare("SELECT * FROM u").is_err());
    }

    #[test]
    fn newer_and_foreign_databases_are_refused() {
        let newer = at_version(&["CREATE TABLE t (a)", "CREATE TABLE u (a)"]);
        let known = &["CREATE TABLE t (a)"][..];
        assert!(matches!(
            version(&newer, known),
            Err(VersionError::Store(StoreError::Newer { found: 2, known: 1 }))
        ));
        let foreign = Connection::open_in_memory().unwrap();
        foreign.execute_batch("CREATE TABLE t (a); PRAGMA user_version = 1").unwrap();
        assert!(matches!(
            version(&foreign, known),
            Err(VersionError::Store(StoreError::Damaged { .. }))
        ));
    }
}
