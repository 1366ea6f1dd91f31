//! The key from a command of the person's own, such as a password manager's.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{KeyError, encoding};
use crate::child::{collect, wait};
use crate::seal::KeyBytes;

/// How long it may take; a person may have to unlock something.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of each stream is read: a byte more than any key may have around it.
const LIMIT: usize = 4097;

/// Secrets of ours that it has no business with.
const KEPT_BACK: [&str; 2] = ["SNOWTOKEN_CLIENT_SECRET", "SNOWTOKEN_ADMIN_PASSWORD"];

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
    let stdout = collect(child.stdout.take(), LIMIT);
    let stderr = collect(child.stderr.take(), LIMIT);
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
    for name in KEPT_BACK {
        command.env_remove(name);
    }
    command
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
