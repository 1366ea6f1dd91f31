//! Runs other programs, from the root of the workspace.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds; the tests' own installations live there as well.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A command of the toolchain this task was built with.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// A program that gets no input and starts in the root.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs it; its output goes where ours goes.
pub(crate) fn succeed(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|e| format!("{}: {e}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

/// Runs it, passes each line of its standard output on and hands it to `see` as well.
pub(crate) fn follow(command: &mut Command, mut see: impl FnMut(&str)) -> Result<(), String> {
    let fail = |command: &Command, e: std::io::Error| format!("{}: {e}", shown(command));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| fail(command, e))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            // A test may print anything; only what is text can be a result line.
            let bytes = line.map_err(|e| fail(command, e))?;
            let text = String::from_utf8_lossy(&bytes);
            say(&text);
            see(&text);
        }
    }
    let status = child.wait().map_err(|e| fail(command, e))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

/// What it prints, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("{}: {e}", shown(command)))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("{} ended with {}: {stderr}", shown(command), output.status))
    }
}

fn shown(command: &Command) -> String {
    // Where a program lies is of no interest to who reads what failed.
    let path = Path::new(command.get_program());
    let mut text = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// One line for the person watching.
#[expect(clippy::print_stdout, reason = "the output of a task is for people")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// One line about something wrong.
#[expect(clippy::print_stderr, reason = "the output of a task is for people")]
pub(crate) fn complain(line: &str) {
    eprintln!("{line}");
}
