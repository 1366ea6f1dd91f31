//! A crowd of commands that are let go at the same moment.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::process::Outcome;
use super::sandbox::Sandbox;

/// However slow the machine: nobody waits longer for the whole crowd.
const PATIENCE: Duration = Duration::from_secs(90);

/// Processes that stand at a gate, each one step before the command.
pub(crate) struct Stampede {
    folder: PathBuf,
    gate: PathBuf,
    waiting: Vec<Child>,
}

/// What became of them.
pub(crate) struct Ended {
    /// In the order in which they were lined up.
    pub(crate) outcomes: Vec<Outcome>,
    /// From the opening of the gate to the last exit.
    pub(crate) took: Duration,
}

impl Stampede {
    /// A gate in the sandbox; nobody is there yet.
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let made = tempfile::Builder::new().prefix("crowd-").tempdir_in(sandbox.path("tmp"));
        let folder = made.unwrap().keep();
        let gate = folder.join("gate");
        assert!(sandbox.program("mkfifo").arg(&gate).status().unwrap().success());
        Self { folder, gate, waiting: Vec::new() }
    }

    /// Lines up one more. It becomes the command when the gate opens.
    pub(crate) fn add(&mut self, command: &Command) {
        let (number, folder) = (self.waiting.len(), self.folder.display());
        let mut shell = Command::new("/bin/sh");
        let script = format!(
            ">'{folder}/{number}.here'; : <'{}'; exec \"$@\" >'{folder}/{number}.out' \
             2>'{folder}/{number}.err'",
            self.gate.display()
        );
        shell.args(["-c", &script, "sh"]).arg(command.get_program()).args(command.get_args());
        shell.env_clear().envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        self.waiting.push(shell.spawn().unwrap());
    }

    /// Waits until all stand there, opens the gate, and waits for the last to come out.
    pub(crate) fn run(mut self) -> Ended {
        let end = Instant::now() + PATIENCE;
        while (0..self.waiting.len()).any(|n| !self.file(n, "here").exists()) {
            assert!(Instant::now() < end, "not all stand at the gate");
            std::thread::sleep(Duration::from_millis(20));
        }
        // From having made its file to standing at the gate it is one step of the shell.
        std::thread::sleep(Duration::from_millis(100));
        let start = Instant::now();
        let _open = File::options().write(true).open(&self.gate).unwrap();
        let mut codes = Vec::new();
        for child in &mut self.waiting {
            codes.push(loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break status.code().or(status.signal().map(|signal| -signal));
                }
                assert!(Instant::now() < end, "somebody hangs");
                std::thread::sleep(Duration::from_millis(1));
            });
        }
        let took = start.elapsed();
        let text = |n, kind| fs::read_to_string(self.file(n, kind)).unwrap_or_default();
        let outcome = |(n, code)| Outcome { code, stdout: text(n, "out"), stderr: text(n, "err") };
        Ended { outcomes: codes.into_iter().enumerate().map(outcome).collect(), took }
    }

    fn file(&self, number: usize, kind: &str) -> PathBuf {
        self.folder.join(format!("{number}.{kind}"))
    }
}

impl Drop for Stampede {
    fn drop(&mut self) {
        for child in &mut self.waiting {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
