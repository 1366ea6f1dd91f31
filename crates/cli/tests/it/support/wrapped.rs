//! The command inside another program that changes what it meets: limits, a trace, another user.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use super::sandbox::{BINARY, Sandbox};

/// The command with these arguments, started by the words of `wrapper`, in the sandbox's environment.
pub(crate) fn wrapped<W: AsRef<OsStr>, A: AsRef<OsStr>>(
    sandbox: &Sandbox,
    wrapper: &[W],
    arguments: &[A],
) -> Command {
    let plain = sandbox.command(&[] as &[&str]);
    let mut command = sandbox.program(&wrapper[0]);
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(&wrapper[1..]).arg(BINARY).args(arguments);
    command
}

/// Whether these tests run as root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A test that cannot be made here fails, and says what is missing.
#[track_caller]
pub(crate) fn require(program: &[&str], package: &str) {
    let status = Command::new(program[0])
        .args(&program[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let works = status.is_ok_and(|status| status.success());
    assert!(works, "{} does not work here: `cargo xtask setup` installs {package}", program[0]);
}
