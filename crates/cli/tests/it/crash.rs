//! The command killed, stopped and refused by the kernel at its system calls (needs `strace`): what
//! was stored stays, the next command goes on without anybody cleaning up.

mod files;
mod kill;
mod refuse;
mod rotate;
mod stop;
mod strace;
mod window;

use std::path::PathBuf;
use std::process::Command;

use crate::support::instance::{log_in, log_in_with};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// How every token and the client secret can be told in a file.
const MARK: &str = "canary-4711";

/// The bounded count, or the full one where `SNOWTOKEN_TEST_COUNTS=full`.
fn counts<T>(bounded: T, full: T) -> T {
    match std::env::var("SNOWTOKEN_TEST_COUNTS") {
        Ok(value) if value == "full" => full,
        _ => bounded,
    }
}

/// Figures for whoever looks (`--nocapture`).
#[expect(clippy::print_stderr, reason = "the figures of a sweep are for people")]
fn report(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// A person and their instance.
struct Scene {
    instance: StandIn,
    sandbox: Sandbox,
}

impl Scene {
    fn new(knobs: &[&str]) -> Self {
        let marked = [&["token.marker=canary-4711"], knobs].concat();
        Self { instance: StandIn::with(&marked), sandbox: Sandbox::new() }
    }

    fn logged_in(knobs: &[&str]) -> Self {
        let scene = Self::new(knobs);
        log_in(&scene.sandbox, &scene.instance);
        scene
    }

    fn log_in_again(&self) {
        log_in_with(&self.sandbox, &self.instance, &["--no-output"]).ok();
    }

    /// The command under strace, and where its log will be.
    fn strace(&self, options: &[&str], arguments: &[&str]) -> (Command, PathBuf) {
        strace::command(&self.sandbox, options, arguments)
    }

    /// What a whole run of the command asks the kernel for.
    fn trace(&self, arguments: &[&str]) -> Vec<strace::Call> {
        let (command, log) = self.strace(&[], arguments);
        Running::start(command).finish().ok();
        strace::read(&log)
    }

    /// Whatever lies on the disk is its owner's alone, and no secret of it can be read.
    #[track_caller]
    fn assert_tidy(&self, context: &str) {
        for (name, entry) in
            ["keep", "home", "tmp"].into_iter().flat_map(|below| self.sandbox.snapshot_of(below))
        {
            let proper = if entry.is_folder() { 0o700 } else { 0o600 };
            assert_eq!(entry.permissions(), proper, "{name} after {context}");
            let shown = entry.bytes.windows(MARK.len()).any(|bytes| bytes == MARK.as_bytes());
            assert!(!shown, "{name} shows a secret after {context}");
        }
    }
}
