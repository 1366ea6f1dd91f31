//! The store's contract: the same cases on every backend, and what holds for files, keys and
//! processes.
//!
//! Cases that need another process, another umask or a keyring run this very program again; see
//! [`support::child`].
#![expect(clippy::unwrap_used, reason = "tests, and programs for tests")]
#![cfg_attr(target_os = "linux", expect(clippy::print_stdout, reason = "how children speak"))]

#[cfg(unix)]
mod answers;
mod cases;
mod copy;
mod damage;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(unix)]
mod files;
#[cfg(all(target_os = "linux", feature = "keyring"))]
mod keyring;
mod keys;
#[cfg(target_os = "linux")]
mod locks;
mod overview;
#[cfg(target_os = "linux")]
mod processes;
mod support;
#[cfg(target_os = "linux")]
mod syscalls;
#[cfg(unix)]
mod write_file;
