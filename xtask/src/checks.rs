//! Everything CI runs, in the order in which a mistake is cheapest to find.

use std::process::Command;

use crate::run::{cargo, follow, output, program, say};
use crate::{reference, setup, tidy};

/// How many tests run side by side, as the test harness reads it.
const THREADS: &str = "RUST_TEST_THREADS";

/// Whether uncommitted changes are a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tree {
    /// Somebody is working.
    MayBeDirty,
    /// A clone: whatever the checks wrote over is a generated page that was not current.
    MustBeClean,
}

/// What was counted so far.
#[derive(Default)]
struct Score {
    passed: usize,
    failed: usize,
    ignored: usize,
    trouble: Vec<String>,
}

/// Runs all of it and prints the closing line; true if nothing failed.
pub(crate) fn all(tree: Tree) -> bool {
    let mut score = Score::default();
    score.check("setup", setup::all);
    score.check("format", || quiet(&mut cargo(&["fmt", "--all", "--check"])));
    score.check("tidy", tidy::check);
    score.check("clippy", || {
        let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        quiet(&mut cargo(&arguments))
    });
    score.check("core for wasm", || {
        let target = "wasm32-unknown-unknown";
        quiet(&mut cargo(&["check", "--package", "snowtoken-core", "--target", target]))
    });
    score.tests();
    score.check("reference pages", reference::check);
    score.check("documentation", || {
        let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--lib"]);
        quiet(doc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    if tree == Tree::MustBeClean {
        score.check("clean tree", clean_tree);
    }
    score.close()
}

impl Score {
    fn check(&mut self, name: &str, run: impl FnOnce() -> Result<(), String>) {
        say(&format!("== {name}"));
        match run() {
            Ok(()) => self.passed += 1,
            Err(why) => self.fail(name, &why),
        }
    }

    fn fail(&mut self, name: &str, why: &str) {
        self.failed += 1;
        self.trouble.push(format!("FAILED {name}: {why}"));
    }

    fn tests(&mut self) {
        say("== tests");
        let before = self.failed;
        let mut unseen = 0;
        let mut test = cargo(&["test", "--workspace", "--no-fail-fast"]);
        if std::env::var_os(THREADS).is_none() {
            // Most of a test is waiting for a command, a browser or a disk: two for each core.
            let cores = std::thread::available_parallelism().map_or(2, usize::from);
            test.env(THREADS, (2 * cores).to_string());
        }
        let outcome = follow(&mut test, |line| {
            if let Some([passed, failed, ignored]) = results(line) {
                self.passed += passed;
                self.failed += failed;
                self.ignored += ignored;
                unseen += 1;
            }
        });
        let counted = self.failed - before;
        match outcome {
            Ok(()) if unseen == 0 => self.fail("tests", "no test ran"),
            // A test that failed is counted already; this is a build error or a crash.
            Err(why) if counted == 0 => self.fail("tests", &why),
            Err(_) => self.trouble.push(format!("FAILED {counted} tests, see above")),
            Ok(()) => {}
        }
    }

    fn close(self) -> bool {
        for line in &self.trouble {
            say(line);
        }
        let Self { passed, failed, ignored, .. } = self;
        say(&closing_line(passed, failed, ignored));
        failed == 0
    }
}

/// The form that machines read: alone on its line.
fn closing_line(passed: usize, failed: usize, ignored: usize) -> String {
    let skipped = if ignored == 0 { String::new() } else { format!(", {ignored} skipped") };
    format!("{passed} passed, {failed} failed{skipped}")
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn results(line: &str) -> Option<[usize; 3]> {
    let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let mut parts = counts.split("; ");
    let mut next = |word: &str| parts.next()?.strip_suffix(word)?.trim().parse().ok();
    Some([next("passed")?, next("failed")?, next("ignored")?])
}

fn quiet(command: &mut Command) -> Result<(), String> {
    crate::run::succeed(command)
}

fn clean_tree() -> Result<(), String> {
    let changes = output(program("git").args(["status", "--porcelain"]))?;
    if changes.is_empty() {
        Ok(())
    } else {
        Err(format!("the work tree is not clean; are generated pages current?\n{changes}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_counted_and_other_lines_are_not() {
        let line =
            "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 4 filtered out";
        assert_eq!(results(line), Some([12, 3, 1]));
        assert_eq!(results("test foo ... ok"), None);
        assert_eq!(results("test result: ok. many passed; 0 failed"), None);
    }

    #[test]
    fn the_closing_line_has_the_form_that_machines_read() {
        assert_eq!(closing_line(3, 0, 0), "3 passed, 0 failed");
        assert_eq!(closing_line(3, 1, 2), "3 passed, 1 failed, 2 skipped");
    }
}
