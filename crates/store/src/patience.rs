//! Waits for a file system, but not for ever.
//!
//! A local one answers at once, so nothing is done for it. A network file system whose server or lock service is gone may never
//! answer, and a call into the system cannot be taken back: so it is made by a thread of its own,
//! which is left behind when it takes too long.

use std::io;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::error::{Result, StoreError};

/// How long a file system may take to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Tells whoever waits that the file system answers, and that only others are waited for.
pub(crate) struct Pulse(Box<dyn Fn() + Send>);

impl Pulse {
    /// It answered just now.
    pub(crate) fn beat(&self) {
        (self.0)();
    }
}

/// Makes the call beside us, and waits as long as it beats its [`Pulse`] or ends within `patience`.
/// [`StoreError::LocksUnavailable`] with `path` if it does neither.
pub(crate) fn ask<T, F>(path: &Path, patience: Duration, call: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Pulse) -> Result<T> + Send + 'static,
{
    if is_local(path) {
        return call(&Pulse(Box::new(|| ())));
    }
    let (words, heard) = mpsc::channel();
    let (hand_over, taken) = mpsc::sync_channel::<F>(1);
    let beside = move || {
        let Ok(call) = taken.recv() else { return };
        let beats = words.clone();
        // Nobody listens any more when the time is up.
        let pulse = Pulse(Box::new(move || drop(beats.send(None))));
        drop(words.send(Some(call(&pulse))));
    };
    if thread::Builder::new().name("file-system".into()).spawn(beside).is_err() {
        // No thread is to be had: then we wait ourselves, however long it takes.
        return call(&Pulse(Box::new(|| ())));
    }
    drop(hand_over.send(call));
    wait(path, patience, &heard)
}

/// Whether the path lies on a file system that needs nobody else to answer. What is not known counts
/// as foreign, and so does what is not there yet.
fn is_local(path: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        // ext2 to ext4, XFS, Btrfs, F2FS, ZFS, tmpfs, overlayfs: statfs(2), "Filesystem types".
        const LOCAL: [u32; 7] =
            [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x2FC1_2FC1, 0x0102_1994, 0x794C_7630];
        let kind = rustix::fs::statfs(path).map(|found| found.f_type);
        kind.is_ok_and(|kind| LOCAL.iter().any(|local| i64::from(*local) == kind))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        cfg!(windows)
    }
}

fn wait<T>(
    path: &Path,
    patience: Duration,
    heard: &mpsc::Receiver<Option<Result<T>>>,
) -> Result<T> {
    let mut silent = false;
    loop {
        match heard.recv_timeout(patience / 2) {
            Ok(Some(result)) => return result,
            Ok(None) => silent = false,
            // Twice in a row: we may have been stopped ourselves, and it had no time to answer.
            Err(RecvTimeoutError::Timeout) if !silent => silent = true,
            Err(RecvTimeoutError::Timeout) => {
                let said = format!("no answer within {} s", patience.as_secs());
                let source = io::Error::new(io::ErrorKind::TimedOut, said);
                return Err(StoreError::LocksUnavailable { path: path.to_owned(), source });
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(StoreError::Bug("the thread that asks for locks is gone".into()));
            }
        }
    }
}
