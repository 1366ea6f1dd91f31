//! A place of its own for each test: home, store, key and temporary files of one pretend person.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{Outcome, Running};

/// The command under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_snowtoken");

/// The folders of one person, gone when it is dropped.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// A file or folder below the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Permission bits and file type, as `stat` has them.
    pub(crate) mode: u32,
    /// Which file it is: replaced whole means another number.
    pub(crate) inode: u64,
    /// Empty for a folder.
    pub(crate) bytes: Vec<u8>,
}

impl Entry {
    /// The permission bits.
    pub(crate) fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// Whether it is a folder.
    pub(crate) fn is_folder(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }
}

impl Sandbox {
    /// An empty home with nothing in it but what a test needs.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("snowtoken-it-").tempdir().unwrap();
        let sandbox = Self { folder };
        for name in ["home", "tmp", "bin", "files"] {
            fs::create_dir(sandbox.path(name)).unwrap();
        }
        // Whoever opens a browser opens this one, which writes down what it was asked to open.
        let opener =
            format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{}'\n", sandbox.opened().display());
        for name in ["xdg-open", "www-browser", "x-www-browser", "gio", "open"] {
            let path = sandbox.path("bin").join(name);
            fs::write(&path, &opener).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        sandbox
    }

    /// A path below the sandbox.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `$HOME`.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// `$SNOWTOKEN_HOME`; the command makes it.
    pub(crate) fn keep(&self) -> PathBuf {
        self.path("keep")
    }

    /// Where the pretend browser writes what it was asked to open, one argument per line.
    pub(crate) fn opened(&self) -> PathBuf {
        self.path("opened.txt")
    }

    /// The file that login delivers to when nobody says otherwise.
    pub(crate) fn credentials(&self) -> PathBuf {
        self.home().join("servicenow_credentials.txt")
    }

    /// One value of the delivered credentials file.
    #[track_caller]
    pub(crate) fn credential(&self, label: &str) -> String {
        let text = fs::read_to_string(self.credentials()).unwrap();
        let mut lines = text.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(name, _)| *name == label);
        found.unwrap_or_else(|| panic!("no {label} in {text}")).1.to_owned()
    }

    /// Writes a file that only its owner reads, for example with a client secret.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("files").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Another program, in the same empty environment.
    pub(crate) fn program(&self, name: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(name);
        command.env_clear().current_dir(self.path("files"));
        command.env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()));
        command.env("HOME", self.home()).env("TMPDIR", self.path("tmp"));
        command.env("SNOWTOKEN_HOME", self.keep());
        command.env("SNOWTOKEN_KEY_FILE", self.path("key/store.key"));
        command.env("NO_PROXY", "127.0.0.1,localhost,::1");
        command
    }

    /// The command with these arguments, not started yet.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        // The folder of the key belongs to the person, who makes it as private as the key.
        let key = self.path("key");
        if !key.exists() {
            fs::create_dir(&key).unwrap();
            fs::set_permissions(&key, fs::Permissions::from_mode(0o700)).unwrap();
        }
        let mut command = self.program(BINARY);
        command.args(arguments);
        command
    }

    /// Runs it to its end with nothing on standard input.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Outcome {
        self.run_fed(arguments, "")
    }

    /// Runs it to its end with this and no more on standard input.
    pub(crate) fn run_fed<S: AsRef<OsStr>>(&self, arguments: &[S], input: &str) -> Outcome {
        let mut running = self.start(arguments);
        running.write(input);
        running.close_stdin();
        running.finish()
    }

    /// Starts it; standard input stays open.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Running {
        Running::start(self.command(arguments))
    }

    /// Every file and folder below the sandbox, by its path from there.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, Entry> {
        self.snapshot_of("")
    }

    /// Every file and folder below one of its folders, by its path from the sandbox.
    pub(crate) fn snapshot_of(&self, name: &str) -> BTreeMap<String, Entry> {
        let mut found = BTreeMap::new();
        walk(self.folder.path(), &self.path(name), &mut found);
        found
    }
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Entry>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let Ok(meta) = fs::symlink_metadata(&path) else {
            continue;
        };
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let bytes = if meta.is_file() { fs::read(&path).unwrap_or_default() } else { Vec::new() };
        found.insert(name, Entry { mode: meta.mode(), inode: meta.ino(), bytes });
        if meta.is_dir() {
            walk(root, &path, found);
        }
    }
}
