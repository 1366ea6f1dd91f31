//! A program that takes secrets by its standard input: a vendor's client, a clipboard. What it says
//! is heard within limits; it is ended when it takes too long. Unlike a hook it keeps the person's
//! own environment, where its own sign-in rests, without anything of ours.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use snowtoken_store::child::collect;
use snowtoken_store::write_file::Passing;
use zeroize::Zeroizing;

use super::{ErrandError, end, wait};

/// So much is heard of each stream, in bytes.
const HEARD: usize = 64 * 1024;

/// A grandchild may hold a stream open: it is not waited for longer.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a program said, and how it ended.
pub(crate) struct Heard {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: Zeroizing<Vec<u8>>,
}

/// The name of standard input for programs that want a file.
#[cfg(not(target_os = "linux"))]
const STDIN: &str = "/dev/stdin";

/// A program, and what it is fed with.
pub(crate) struct Meal<'a> {
    /// Where it is: a name would be looked up again, by other rules.
    pub(crate) program: &'a Path,
    pub(crate) arguments: &'a [String],
    pub(crate) input: &'a str,
    /// Whether it opens its standard input by its name more than once: a pipe would be empty then.
    pub(crate) is_read_twice: bool,
}

/// Runs a program to its end, fed with this.
pub(crate) fn feed(meal: &Meal<'_>, patience: Duration) -> Result<Heard, ErrandError> {
    let mut command = Command::new(meal.program);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let _there = if meal.is_read_twice {
        lay(&mut command, meal).map_err(ErrandError::NotStarted)?
    } else {
        command.args(meal.arguments);
        None
    };
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SNOWTOKEN_") {
            command.env_remove(name);
        }
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(ErrandError::NotStarted)?;
    let stderr = collect(child.stderr.take(), HEARD);
    if let Some(mut pipe) = child.stdin.take() {
        let input = Zeroizing::new(meal.input.to_owned());
        // Beside us: it may never read. If it is ended, the pipe breaks and this ends too.
        let feeding = move || {
            let _ = pipe.write_all(input.as_bytes());
        };
        thread::Builder::new()
            .name("feeding".to_owned())
            .spawn(feeding)
            .map_err(ErrandError::NotStarted)?;
    }
    let Some(status) = wait(&mut child, patience) else {
        end(&mut child);
        return Err(ErrandError::TooLong(patience));
    };
    Ok(Heard { status, stderr: words(&stderr) })
}

/// The same for a program that lives on in the background with what it was given, as clipboards do:
/// nothing is heard of it.
pub(crate) fn leave(program: &Path, arguments: &[&str], input: &str) -> Result<(), ErrandError> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env_clear();
    for name in super::PASSED_ON {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(ErrandError::NotStarted)?;
    if let Some(mut pipe) = child.stdin.take() {
        // A value of a form fits into the pipe, even if nobody reads.
        let _ = pipe.write_all(input.as_bytes());
    }
    let patience = Duration::from_secs(5);
    match wait(&mut child, patience) {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(ErrandError::Failed(status)),
        None => {
            end(&mut child);
            Err(ErrandError::TooLong(patience))
        }
    }
}

/// On Linux a file without a name and without a disk: opened again by its name it begins anew.
#[cfg(target_os = "linux")]
fn lay(command: &mut Command, meal: &Meal<'_>) -> io::Result<Option<Passing>> {
    use rustix::fs::{MemfdFlags, memfd_create};
    let mut file = std::fs::File::from(memfd_create("snowtoken", MemfdFlags::CLOEXEC)?);
    file.write_all(meal.input.as_bytes())?;
    io::Seek::rewind(&mut file)?;
    command.args(meal.arguments).stdin(file);
    Ok(None)
}

/// Elsewhere a file that is removed when the program has ended.
#[cfg(not(target_os = "linux"))]
fn lay(command: &mut Command, meal: &Meal<'_>) -> io::Result<Option<Passing>> {
    let file = Passing::new(meal.input.as_bytes())?;
    let place = file.path().display().to_string();
    command.args(meal.arguments.iter().map(|word| word.replace(STDIN, &place)));
    command.stdin(Stdio::null());
    Ok(Some(file))
}

fn words(stream: &Receiver<Zeroizing<Vec<u8>>>) -> Zeroizing<Vec<u8>> {
    stream.recv_timeout(LAST_WORDS).unwrap_or_default()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(line: &str, input: &str, patience: u64) -> Result<Heard, ErrandError> {
        let arguments = &["-c".to_owned(), line.to_owned()];
        let program = Path::new("/bin/sh");
        let meal = Meal { program, arguments, input, is_read_twice: false };
        feed(&meal, Duration::from_millis(patience))
    }

    #[test]
    fn everything_arrives_however_long_it_is() {
        let long = "x".repeat(1 << 20);
        let heard = sh("wc -c >&2", &long, 9_000).unwrap_or_else(|e| panic!("{e}"));
        assert!(heard.status.success());
        assert_eq!(String::from_utf8_lossy(&heard.stderr).trim(), "1048576");
    }

    #[test]
    fn what_is_opened_twice_is_there_twice() {
        let line = "cat /dev/stdin /dev/stdin >&2; ls -l /dev/fd/0 >&2".to_owned();
        let arguments = &["-c".to_owned(), line];
        let program = Path::new("/bin/sh");
        let meal = Meal { program, arguments, input: "ab", is_read_twice: true };
        let heard = feed(&meal, Duration::from_secs(9)).unwrap_or_else(|e| panic!("{e}"));
        assert!(String::from_utf8_lossy(&heard.stderr).starts_with("abab"));
    }

    #[test]
    fn a_program_that_never_reads_and_one_that_never_ends_hold_nobody_up() {
        let long = "x".repeat(1 << 20);
        assert!(sh("exit 3", &long, 9_000).is_ok_and(|heard| heard.status.code() == Some(3)));
        assert!(matches!(sh("sleep 60", &long, 200), Err(ErrandError::TooLong(_))));
    }

    #[test]
    fn no_more_than_a_little_is_heard() {
        let heard = sh("yes >&2", "", 1_000);
        // It is cut off when nobody listens any more, or ended.
        assert!(match heard {
            Ok(heard) => heard.stderr.len() <= HEARD,
            Err(error) => matches!(error, ErrandError::TooLong(_)),
        });
    }
}
