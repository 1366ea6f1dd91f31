//! What a killed program leaves behind: no picture of its memory (V16).

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::foreign::{Foreign, Kind};
use crate::support::instance::first_login;
use crate::support::process::Stream;
use crate::support::sandbox::{BINARY, Sandbox};

/// Aborts the program from outside and tells whether the kernel wrote a core.
fn leaves_a_core(child: &mut Child) -> bool {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-ABRT", &pid]).status().unwrap().success());
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.signal(), Some(6), "{status:?}");
            return status.core_dumped();
        }
        assert!(started.elapsed() < Duration::from_secs(10), "it does not die");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The same program in a shell that allows cores of any size.
fn with_cores(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited && exec \"$@\"", "sh"]).arg(command.get_program());
    shell.args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell.arg0("sh");
    shell
}

#[test]
fn v16_a_killed_program_leaves_no_core() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    let mut control = sandbox.program("sleep");
    control.arg("30");
    let mut control = with_cores(&control).stdin(Stdio::null()).spawn().unwrap();
    // The shell needs a moment to become the program.
    std::thread::sleep(Duration::from_millis(300));
    assert!(
        leaves_a_core(&mut control),
        "no core can be had here: allow them (ulimit -c), or run as root"
    );

    let command = sandbox.command(&first_login(&sandbox, &server));
    assert_eq!(command.get_program(), BINARY);
    let mut child = with_cores(&command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It holds the client secret and its `state` by now.
    let (stderr, _reader) = Stream::read(child.stderr.take().unwrap());
    let shown = |text: &str| text.contains("response_type=code").then_some(());
    assert!(stderr.wait(Duration::from_secs(20), shown).is_some(), "{}", stderr.text());
    assert!(!leaves_a_core(&mut child));
}
