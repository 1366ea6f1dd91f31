//! The command under `strace`: what it asked the kernel for, and what becomes of it when the kernel
//! answers otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::sandbox::{BINARY, Sandbox};

/// One system call, as `strace -f -y` writes it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Its name.
    pub(crate) name: String,
    /// The how-manieth of this name in this thread, from 1.
    pub(crate) nth: usize,
    /// Arguments and result as written; of a call that was interrupted, the first part.
    pub(crate) text: String,
}

impl Call {
    /// Whether it is about a file of the store whose path ends so.
    pub(crate) fn is_about(&self, end: &str) -> bool {
        self.text.contains(&format!("{end}>")) || self.text.contains(&format!("{end}\""))
    }
}

/// A place in a run where something can be injected: `strace` counts each name by itself, in each
/// thread.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    pub(crate) call: String,
    pub(crate) nth: usize,
}

impl Point {
    /// The expression that does it there.
    pub(crate) fn inject(&self, what: &str) -> String {
        format!("inject={}:{what}:when={}", self.call, self.nth)
    }
}

/// The command with these arguments under strace with these options; the log goes to the file.
pub(crate) fn command(
    sandbox: &Sandbox,
    options: &[&str],
    arguments: &[&str],
) -> (Command, PathBuf) {
    static LOGS: AtomicU32 = AtomicU32::new(0);
    let log = sandbox.path("files").join(format!("log-{}", LOGS.fetch_add(1, Ordering::Relaxed)));
    // It makes the folder of the key.
    drop(sandbox.command(arguments));
    let mut command = sandbox.program("strace");
    command.args(["-f", "-qq", "-y", "-o"]).arg(&log).args(options).arg(BINARY).args(arguments);
    (command, log)
}

/// The calls in a log, in the order in which they began.
pub(crate) fn read(log: &PathBuf) -> Vec<Call> {
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    let _ = fs::remove_file(log);
    let mut counts: BTreeMap<(u32, String), usize> = BTreeMap::new();
    let begun = text.lines().filter_map(|line| {
        let (thread, rest) = line.split_once(' ')?;
        let rest = rest.trim_start();
        let (name, text) = rest.split_once('(')?;
        let is_name =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        Some((thread.parse().ok()?, name.to_owned(), text.to_owned())).filter(|_| is_name)
    });
    begun
        .map(|(thread, name, text): (u32, String, String)| {
            let nth = counts.entry((thread, name.clone())).or_default();
            *nth += 1;
            Call { name, nth: *nth, text }
        })
        .collect()
}

/// Every place at which a run that makes these calls can be met, in the order of the run.
pub(crate) fn points<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Vec<Point> {
    let mut seen = BTreeSet::new();
    calls
        .into_iter()
        // The program is not there yet at the first, and cannot be met at the last.
        .filter(|call| !["execve", "exit_group", "exit"].contains(&call.name.as_str()))
        .map(|call| Point { call: call.name.clone(), nth: call.nth })
        .filter(|point| seen.insert(point.clone()))
        .collect()
}
