//! What the cases share: a store to work on, token sets, and this program as another process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use snowtoken_core::Timestamp;
use snowtoken_core::keeper::Progress;
use snowtoken_core::ledger::Facts;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet, User};
use snowtoken_store::key::{KeySource, Keys};
use snowtoken_store::sqlite::{Options, SqliteStore};
use snowtoken_store::{AuditEntry, Binding, Draft, RecordState};
use tempfile::TempDir;

/// Marks every secret of the tests, so that it can be searched for.
pub(crate) const CANARY: &str = "canary-5f3a9c";

/// The bounded count, or the full one where `SNOWTOKEN_TEST_COUNTS=full`.
pub(crate) fn counts<T>(bounded: T, full: T) -> T {
    match std::env::var("SNOWTOKEN_TEST_COUNTS") {
        Ok(value) if value == "full" => full,
        _ => bounded,
    }
}

pub(crate) fn profile(name: &str) -> ProfileName {
    ProfileName::parse(name).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Three o'clock.
pub(crate) fn now() -> Timestamp {
    at("2026-11-23T15:00:00.123456789Z")
}

/// A complete token set whose texts hold `tag`; the access token lives for half an hour.
/// A client of the usual instance.
pub(crate) fn client(id: &str) -> Binding {
    Binding { instance: "https://classics.service-now.com".into(), client_id: id.into() }
}

pub(crate) fn draft(tag: &str) -> Draft {
    let secret = |kind: &str| Secret::new(format!("{CANARY}-{kind}-{tag}"));
    Draft {
        binding: Binding {
            instance: "https://classics.service-now.com".into(),
            client_id: "0123456789abcdef0123456789abcdef".into(),
        },
        tokens: TokenSet {
            access_token: secret("access"),
            refresh_token: Some(secret("refresh")),
            authorization_code: Some(secret("code")),
            scope: Some("useraccount".into()),
            issued_at: now(),
            granted_at: at("2026-11-01T00:00:00Z"),
            access_expires_at: Deadline {
                at: now().checked_add(Duration::from_mins(30)).unwrap(),
                known_by: KnownBy::Stated,
            },
            refresh_expires_at: Some(Deadline {
                at: at("2027-02-09T00:00:00Z"),
                known_by: KnownBy::Derived,
            }),
        },
        user: Some(User {
            sys_id: Some("6816f79cc0a8016401c5a33be04be441".into()),
            user_name: Some("abel.tuter".into()),
            display_name: None,
        }),
        state: RecordState::Held,
        progress: Progress::default(),
        facts: Facts::default(),
    }
}

pub(crate) fn audit_entry(name: &str, event: &str) -> AuditEntry {
    AuditEntry {
        at: now(),
        profile: profile(name),
        event: event.into(),
        outcome: "done".into(),
        detail: "generation 1".into(),
    }
}

/// A folder with a store in it and its key beside it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    pub(crate) fn database(&self) -> PathBuf {
        database(self.root())
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.root().join("key")
    }

    pub(crate) fn make(&self) -> SqliteStore {
        make(self.root())
    }

    pub(crate) fn open(&self) -> snowtoken_store::Result<Option<SqliteStore>> {
        SqliteStore::open(&Options::new(self.database()), &keys(self.root()))
    }
}

pub(crate) fn database(root: &Path) -> PathBuf {
    root.join("home/tokens.db")
}

pub(crate) fn keys(root: &Path) -> Keys<'static> {
    Keys::from(KeySource::File(root.join("key")))
}

pub(crate) fn make(root: &Path) -> SqliteStore {
    SqliteStore::open_or_create(&Options::new(database(root)), &keys(root)).unwrap()
}

#[cfg(unix)]
pub(crate) fn make_pipe(path: &Path) {
    let status = std::process::Command::new("mkfifo").arg("-m").arg("600").arg(path).status();
    assert!(status.unwrap().success());
}

#[cfg(unix)]
pub(crate) use children::{child, role, umask};

#[cfg(unix)]
mod children {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    const ROLE: &str = "SNOWTOKEN_STORE_TEST_ROLE";
    const ROOT: &str = "SNOWTOKEN_STORE_TEST_ROOT";

    /// This program as another process: the test `name` in the given role. The words of `wrapper`
    /// are put in front, for programs that start others.
    pub(crate) fn child(wrapper: &[&str], name: &str, role: &str, root: &Path) -> Command {
        let program = std::env::current_exe().unwrap();
        let mut words: Vec<OsString> = wrapper.iter().map(Into::into).collect();
        words.push(program.into());
        words.extend(["--exact", name, "--nocapture"].map(Into::into));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env(ROLE, role).env(ROOT, root).stdin(Stdio::null());
        command
    }

    /// The role and the folder of this process, if it is such a child.
    pub(crate) fn role() -> Option<(String, PathBuf)> {
        Some((std::env::var(ROLE).ok()?, std::env::var_os(ROOT)?.into()))
    }

    /// A wrapper that sets the umask first.
    pub(crate) fn umask(mask: &str) -> [String; 4] {
        ["sh".into(), "-c".into(), format!("umask {mask}; exec \"$@\""), "sh".into()]
    }
}
