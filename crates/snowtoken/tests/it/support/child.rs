//! This program as another process, for tests that need an environment or a memory of their own.

use std::process::{Command, Output};

/// Set in the child only.
const MARK: &str = "IT_CHILD";

/// What the parent tells the child, and so whether this is the child.
pub(crate) fn told() -> Option<String> {
    std::env::var(MARK).ok()
}

/// Runs one test of this program again where many connections may be open at once; `true` in the
/// child, which is to go on.
pub(crate) fn with_many_files(test: &str) -> bool {
    if told().is_some() {
        return true;
    }
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -n 4096; exec \"$0\" \"$@\""]);
    finish(command.arg(std::env::current_exe().unwrap()), test, "");
    false
}

/// Runs one test of this program again, with this message and these variables added.
pub(crate) fn run(test: &str, message: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    finish(command.envs(variables.iter().copied()), test, message)
}

fn finish(command: &mut Command, test: &str, message: &str) -> Output {
    let output = command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, message)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("1 passed") && output.status.success(),
        "{test}:\n{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
