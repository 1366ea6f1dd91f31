//! An errand: a program that is started for a moment with what it has to know, and ended when it
//! takes too long, with everything it started. It hears no secret: its environment is a list of
//! names, not what we happen to have.

pub(crate) mod fed;

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What of our environment a program gets, apart from what is said to it: places, language and
/// desktop; nothing that is a secret or leads to one.
#[cfg(not(windows))]
pub(crate) const PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_TIME",
    "TZ",
    "TERM",
    "TMPDIR",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "SNOWTOKEN_HOME",
];
/// What of our environment a program gets, apart from what is said to it: places, language and
/// desktop; nothing that is a secret or leads to one.
#[cfg(windows)]
pub(crate) const PASSED_ON: &[&str] = &[
    "PATH",
    "PATHEXT",
    "SystemRoot",
    "SystemDrive",
    "windir",
    "ComSpec",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERDOMAIN",
    "USERPROFILE",
    "HOMEDRIVE",
    "HOMEPATH",
    "HOME",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramData",
    "ProgramFiles",
    "SNOWTOKEN_HOME",
];

/// The program is about to end: errands get this long from then on.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// Whether it is.
static IN_A_HURRY: AtomicBool = AtomicBool::new(false);

/// From now on errands, those under way as well, are ended after a few seconds: what is started
/// here must not outlive us unwatched.
pub(crate) fn hurry() {
    IN_A_HURRY.store(true, Ordering::Relaxed);
}

/// Between asking a group of programs to end and ending it.
const GRACE: Duration = Duration::from_millis(500);

/// What is to be run.
#[derive(Debug)]
pub(crate) struct Errand {
    command: Command,
    input: Vec<u8>,
    patience: Duration,
}

/// Why an errand did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrandError {
    /// It could not be started.
    #[error("it cannot be started: {0}")]
    NotStarted(#[source] io::Error),
    /// It ended, and not well.
    #[error("it ended with {0}")]
    Failed(ExitStatus),
    /// It was ended.
    #[error("it did not end within {} s and was ended", .0.as_secs())]
    TooLong(Duration),
}

impl Errand {
    /// A program with its arguments.
    pub(crate) fn program(
        name: impl Into<OsString>,
        arguments: &[&str],
        patience: Duration,
    ) -> Self {
        let mut command = Command::new(name.into());
        command.args(arguments);
        Self::of(command, patience)
    }

    /// A line for the shell: `/bin/sh -c LINE`, on Windows `cmd /D /S /C "LINE"`.
    pub(crate) fn shell(line: &str, patience: Duration) -> Self {
        #[cfg(not(windows))]
        {
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(line);
            Self::of(command, patience)
        }
        #[cfg(windows)]
        {
            let mut command = Command::new("cmd");
            // The line is cmd's own language: it is handed over as it was written.
            std::os::windows::process::CommandExt::raw_arg(
                &mut command,
                format!("/D /S /C \"{line}\""),
            );
            Self::of(command, patience)
        }
    }

    fn of(mut command: Command, patience: Duration) -> Self {
        command.env_clear();
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // Whatever it starts belongs to it, so that all of it can be ended at once.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Self { command, input: Vec::new(), patience }
    }

    /// A variable of its environment.
    pub(crate) fn variable(&mut self, name: &str, value: &str) {
        // A NUL cannot be in a variable: the program would not be started for it.
        self.command.env(name, value.replace('\0', " "));
    }

    /// What it reads from its standard input: a few hundred bytes, which wait in the pipe even if it
    /// never reads.
    pub(crate) fn input(&mut self, input: Vec<u8>) {
        self.input = input;
    }

    /// Runs it to its end, or ends it. What it says goes to our stderr if `SNOWTOKEN_LOG` is `debug`
    /// or `trace`, and nowhere otherwise.
    pub(crate) fn run(mut self) -> Result<(), ErrandError> {
        let (out, err) = (voice(), voice());
        let stdin = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(ErrandError::NotStarted)?;
        if let Some(mut pipe) = child.stdin.take() {
            // It may not want to know.
            let _ = pipe.write_all(&self.input);
        }
        match wait(&mut child, self.patience) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(ErrandError::Failed(status)),
            None => {
                end(&mut child);
                Err(ErrandError::TooLong(self.patience))
            }
        }
    }
}

/// Where a program of that name is, by the variable `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| [folder.join(name), folder.join(format!("{name}{EXE_SUFFIX}"))])
        .find(|file| is_program(file))
}

/// Whether there is a desktop session to show something on.
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) fn has_session_bus() -> bool {
    std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || std::env::var_os("XDG_RUNTIME_DIR")
            .is_some_and(|folder| PathBuf::from(folder).join("bus").exists())
}

fn is_program(file: &std::path::Path) -> bool {
    let Ok(meta) = std::fs::metadata(file) else { return false };
    #[cfg(unix)]
    {
        meta.is_file() && std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o111 != 0
    }
    #[cfg(not(unix))]
    {
        meta.is_file()
    }
}

fn voice() -> Stdio {
    if !log::log_enabled!(log::Level::Debug) {
        return Stdio::null();
    }
    #[cfg(unix)]
    let copy = std::os::fd::AsFd::as_fd(&io::stderr()).try_clone_to_owned();
    #[cfg(windows)]
    let copy = std::os::windows::io::AsHandle::as_handle(&io::stderr()).try_clone_to_owned();
    copy.map_or_else(|_| Stdio::null(), Stdio::from)
}

fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let mut deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(1);
    let mut hurries = false;
    loop {
        if !hurries && IN_A_HURRY.load(Ordering::Relaxed) {
            hurries = true;
            deadline = deadline.min(Instant::now() + LAST_PATIENCE);
        }
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => {
                thread::sleep(pause.min(deadline.saturating_duration_since(Instant::now())));
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Ends the program and its group. It is reaped last: until then nobody else can have its number.
fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        let group = Pid::from_child(child);
        let _ = kill_process_group(group, Signal::TERM);
        thread::sleep(GRACE);
        let _ = kill_process_group(group, Signal::KILL);
    }
    #[cfg(not(unix))]
    {
        let _ = child.kill();
        thread::sleep(GRACE);
    }
    let _ = child.wait();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(line: &str, patience: u64) -> Result<(), ErrandError> {
        Errand::shell(line, Duration::from_millis(patience)).run()
    }

    #[test]
    fn how_it_ended_is_told() {
        assert!(shell("exit 0", 9_000).is_ok());
        let failed = shell("exit 3", 9_000).unwrap_err();
        assert_eq!(failed.to_string(), "it ended with exit status: 3");
        let mut gone = Errand::program("/nonexistent", &[], GRACE);
        gone.variable("A", "b\0c");
        assert!(matches!(gone.run(), Err(ErrandError::NotStarted(_))));
    }

    #[test]
    fn what_hangs_is_ended_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let alive = folder.path().join("alive");
        // Both ignore the polite signal; the second is a grandchild.
        let line = format!(
            "trap '' TERM; (while :; do echo x >>'{0}'; sleep 0.02; done) & wait",
            alive.display()
        );
        let started = Instant::now();
        assert!(matches!(shell(&line, 300), Err(ErrandError::TooLong(_))));
        assert!(started.elapsed() < Duration::from_secs(5));
        let size = || std::fs::metadata(&alive).unwrap().len();
        thread::sleep(Duration::from_millis(100));
        let before = size();
        assert!(before > 0, "it never ran");
        thread::sleep(Duration::from_millis(300));
        assert_eq!(size(), before, "something of it still runs");
    }

    #[test]
    fn what_it_leaves_behind_is_not_waited_for() {
        let started = Instant::now();
        assert!(shell("sleep 5 & exit 0", 9_000).is_ok());
        assert!(started.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn input_that_nobody_reads_stops_nothing() {
        let mut errand = Errand::shell("exit 0", Duration::from_secs(9));
        errand.input(vec![b'x'; 4_000]);
        assert!(errand.run().is_ok());
    }
}
