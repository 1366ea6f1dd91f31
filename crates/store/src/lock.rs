//! The lock that makes a refresh the only one of its profile on this machine.
//!
//! It is a lock of the kernel on a file of its own: it ends with its process, however that ends, so
//! nothing is ever left behind that has to be cleaned up. The file itself stays for ever, empty;
//! removing it would let two processes lock two files of the same name.
//!
//! Not for network file systems: where their locks are refused or never answered, that is told in
//! these words, within seconds.
//!
//! Whoever is done puts the moment on the file before letting go. Those who wait look for that sign:
//! when it has changed they see for themselves whether what they wait for is there, all at the same
//! time and without the lock. A thousand who wait for one result need not take turns. The sign is a
//! courtesy: where it is missing (a holder that was killed, a coarse clock) the lock itself decides.

use std::convert::Infallible;
use std::fs::{File, TryLockError};
use std::io;
use std::num::NonZeroU8;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest as _, Sha256};
use snowtoken_core::profile::ProfileName;

use crate::error::{Result, StoreError};
use crate::patience::{self, PATIENCE, Pulse};
use crate::secure;

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
const MOST_INTERRUPTIONS: u32 = 100;

/// The held lock of a profile; released when dropped.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct RefreshLock {
    file: File,
    waited: bool,
}

/// What somebody got who was ready to wait.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub enum Turn<T> {
    /// The lock.
    Lock(RefreshLock),
    /// What was waited for: another process brought it about.
    Settled(T),
}

/// What is looked at to see that a holder is done.
type Sign = Option<SystemTime>;

/// What a wait came to.
enum Came {
    Lock(RefreshLock),
    Sign(Sign),
}

impl RefreshLock {
    /// Takes the lock of a profile in `folder`/locks, and waits for it at most `wait`; zero tries
    /// once. [`StoreError::LockTimeout`] if another process has it all that time.
    pub fn acquire(folder: &Path, profile: &ProfileName, wait: Duration) -> Result<Self> {
        Self::acquire_named(folder, profile.as_str(), wait)
    }

    /// As [`RefreshLock::acquire`], but ends the wait without the lock as soon as `look` finds what is
    /// waited for. It is asked each time that another process has just let the lock go.
    pub fn acquire_unless<T>(
        folder: &Path,
        profile: &ProfileName,
        wait: Duration,
        look: impl FnMut() -> Option<T>,
    ) -> Result<Turn<T>> {
        let names = [profile.as_str().to_owned()];
        Self::acquire_one_of(folder, &names, profile.as_str(), wait, look)
    }

    /// Takes the lock under which the configuration is changed. No profile can have its name.
    pub fn acquire_configuration(folder: &Path, wait: Duration) -> Result<Self> {
        Self::acquire_named(folder, ".configuration", wait)
    }

    /// Takes the place of the one keeper that this home can have; tries once.
    /// [`StoreError::LockTimeout`] if there is one already.
    pub fn acquire_keeper(folder: &Path) -> Result<Self> {
        Self::acquire_named(folder, ".keeper", Duration::ZERO)
    }

    /// Takes the lock under which the copy of the store is brought up to date.
    pub(crate) fn acquire_copy(folder: &Path, wait: Duration) -> Result<Self> {
        Self::acquire_named(folder, ".copy", wait)
    }

    /// Takes one of `slots` places for requests to an instance, so that thousands of profiles of the
    /// same one do not all come at once. [`StoreError::LockTimeout`] if all are taken all that time.
    pub fn acquire_slot(
        folder: &Path,
        instance: &str,
        slots: NonZeroU8,
        wait: Duration,
    ) -> Result<Self> {
        let digest = Sha256::digest(instance.as_bytes());
        let (first, _) = digest.split_at(8);
        let name = first.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        let names: Vec<String> =
            (0..slots.get()).map(|n| format!(".instance-{name:016x}-{n}")).collect();
        Self::acquire_any(folder, &names, instance, wait)
    }

    fn acquire_named(folder: &Path, name: &str, wait: Duration) -> Result<Self> {
        Self::acquire_any(folder, &[name.to_owned()], name, wait)
    }

    fn acquire_any(folder: &Path, names: &[String], what: &str, wait: Duration) -> Result<Self> {
        match Self::acquire_one_of(folder, names, what, wait, || None::<Infallible>)? {
            Turn::Lock(lock) => Ok(lock),
            Turn::Settled(never) => match never {},
        }
    }

    fn acquire_one_of<T>(
        folder: &Path,
        names: &[String],
        what: &str,
        wait: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Result<Turn<T>> {
        let deadline = Instant::now() + wait;
        let mut seen = None;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (names, what, place) = (names.to_vec(), what.to_owned(), folder.to_owned());
            let came = patience::ask(folder, PATIENCE, move |pulse| {
                Self::wait_for(&place, &names, &what, left, seen, pulse)
            })?;
            match came {
                Came::Lock(mut taken) => {
                    taken.waited |= seen.is_some();
                    return Ok(Turn::Lock(taken));
                }
                Came::Sign(sign) => seen = Some(sign),
            }
            if let Some(found) = look() {
                return Ok(Turn::Settled(found));
            }
        }
    }

    fn wait_for(
        folder: &Path,
        names: &[String],
        what: &str,
        wait: Duration,
        mut seen: Option<Sign>,
        pulse: &Pulse,
    ) -> Result<Came> {
        let deadline = Instant::now() + wait;
        let mut files: Vec<File> = Vec::with_capacity(names.len());
        let mut pause = FIRST_PAUSE;
        let mut waited = false;
        loop {
            for (index, name) in names.iter().enumerate() {
                // Opened when it is needed: mostly the first place is free.
                if files.len() == index {
                    files.push(open(folder, name)?);
                }
                match try_lock(&files[index]) {
                    Ok(()) => {
                        let file = files.swap_remove(index);
                        return Ok(Came::Lock(Self { file, waited }));
                    }
                    Err(TryLockError::Error(source)) => {
                        let path = folder.to_owned();
                        return Err(StoreError::LocksUnavailable { path, source });
                    }
                    Err(TryLockError::WouldBlock) => {}
                }
            }
            pulse.beat();
            let sign = sign_of(&files);
            if let Some(before) = seen.replace(sign)
                && before != sign
            {
                return Ok(Came::Sign(sign));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::LockTimeout { profile: what.to_owned() });
            }
            thread::sleep(jittered(pause).min(left));
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            waited = true;
        }
    }

    /// Whether somebody else had it first: then the store holds something newer.
    pub fn waited(&self) -> bool {
        self.waited
    }
}

impl Drop for RefreshLock {
    fn drop(&mut self) {
        // The sign for those who wait; without it they take the lock one after the other.
        let _ = self.file.set_modified(SystemTime::now());
    }
}

/// What changes when a holder is done. Only a single lock has results that others wait for.
fn sign_of(files: &[File]) -> Sign {
    let [file] = files else { return None };
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

fn open(folder: &Path, name: &str) -> Result<File> {
    let folder = folder.join("locks");
    secure::make_folder(&folder)?;
    secure::check_made_folder(&folder)?;
    secure::open_or_make_file(&folder.join(format!("{name}.lock")))
}

/// Asks once. A signal may come between the question and the answer.
fn try_lock(file: &File) -> std::result::Result<(), TryLockError> {
    let interrupted = |e: &io::Error| e.kind() == io::ErrorKind::Interrupted;
    for _ in 0..MOST_INTERRUPTIONS {
        match file.try_lock() {
            Err(TryLockError::Error(e)) if interrupted(&e) => {}
            answer => return answer,
        }
    }
    file.try_lock()
}

/// Between half of the pause and all of it, so that a crowd does not come back at once.
fn jittered(pause: Duration) -> Duration {
    let mut dice = [0];
    // Without dice the crowd is merely less spread out.
    let _ = getrandom::fill(&mut dice);
    pause / 2 + pause * u32::from(dice[0]) / 512
}
