//! The key from a command of the person's own, such as a password manager's.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{KeyError, encoding};
use crate::seal::KeyBytes;

/// How long it may take; a person may have to unlock something.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of each stream is read.
const LIMIT: u64 = 4096;

/// Runs the line by the shell and reads the key from its standard output.
pub(super) fn run(line: &str) -> Result<KeyBytes, KeyError> {
    run_within(line, PATIENCE)
}

fn run_within(line: &str, patience: Duration) -> Result<KeyBytes, KeyError> {
    let deadline = Instant::now() + patience;
    // Standard input belongs to whoever called us; a command that asks uses the terminal.
    let mut child = shell(line)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(format!("it cannot be started: {e}")))?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let status = wait(&mut child, deadline);
    let complaint = || {
        let said = stderr.recv_timeout(GRACE).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        if said.is_empty() { said } else { format!(": {said}") }
    };
    match status {
        None => Err(failed(format!("it did not end within {} s", patience.as_secs()))),
        Some(status) if !status.success() => Err(failed(format!("{status}{}", complaint()))),
        Some(_) => {
            let text = stdout
                .recv_timeout(GRACE)
                .map_err(|_| failed("its output did not end".to_owned()))?;
            encoding::key(&text).ok_or_else(|| KeyError::Invalid {
                place: "the output of the key command".into(),
                why: "is not 32 bytes as hex or base64".into(),
                fix: None,
            })
        }
    }
}

/// How long we wait for a stream whose program has ended; what it left running may hold it open.
const GRACE: Duration = Duration::from_secs(1);

fn failed(reason: String) -> KeyError {
    KeyError::CommandFailed { reason }
}

fn shell(line: &str) -> Command {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(shell);
    command.arg(flag).arg(line);
    command
}

/// Reads a stream beside us, at most [`LIMIT`] and a byte. Too much is no key either.
fn collect(stream: Option<impl Read + Send + 'static>) -> Receiver<Zeroizing<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stream) = stream {
        // Without a thread nothing is heard, and that is told.
        let _ = thread::Builder::new().name("key-command".into()).spawn(move || {
            // At its full size from the start: growing would leave copies behind.
            let mut text = Zeroizing::new(Vec::with_capacity(8192));
            if stream.take(LIMIT + 1).read_to_end(&mut text).is_ok() {
                // Nobody listens any more when the time is up.
                let _ = sender.send(text);
            }
        });
    }
    receiver
}

/// Waits for the end, and ends it when the time is up.
fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => {
                // It may have ended this very moment; either way it is gone.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let started = Instant::now();
        let failed = run_within("exec sleep 60", Duration::from_millis(100)).unwrap_err();
        assert!(matches!(failed, KeyError::CommandFailed { .. }), "{failed}");
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
