//! The person's own `age` program: it seals for a recipient, and opens with an identity.
//!
//! Nothing secret is among its arguments; what is sealed goes in and out by pipes. Our own variables
//! are taken out of its environment.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_core::printable::Printable;
use snowtoken_store::child::{collect, wait};
use zeroize::Zeroizing;

use crate::errand::find;

const PROGRAM: &str = "age";

/// How long sealing may take. The profile's lock is held meanwhile.
const SEALING: Duration = Duration::from_secs(20);
/// How long opening may take: the identity may have a passphrase, or rest on a key that is touched.
const OPENING: Duration = Duration::from_mins(3);
/// How long we wait for a stream whose program has ended; what it left running may hold it open.
const GRACE: Duration = Duration::from_secs(2);
/// How much of each stream is read.
const LIMIT: usize = 1024 * 1024;

/// Whom a file is sealed for: `age1…`, or the text of an SSH public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(String);

/// Why `age` did not do it.
#[derive(Debug, thiserror::Error)]
pub enum AgeError {
    /// That is no recipient. It is not repeated: it may be an identity, which is secret.
    #[error("a recipient begins with `age1`, `ssh-ed25519 ` or `ssh-rsa `{}", if *.0 { "; this is an identity, which belongs to the other machine alone" } else { "" })]
    NoRecipient(bool),
    /// The identity is no file that can be read.
    #[error("the identity {} cannot be read", .path.display())]
    NoIdentity {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It could not be started.
    #[error("the program `age` could not be started")]
    NotStarted(#[source] io::Error),
    /// It did not end in time.
    #[error("the program `age` did not end within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It ended with an error.
    #[error("the program `age` failed ({status}){said}")]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// What it said, shown safely.
        said: String,
    },
    /// It does not open the file with this identity.
    #[error("the program `age` does not open the sealed file with this identity{0}")]
    NotOpened(String),
}

impl Diagnose for AgeError {
    fn code(&self) -> Code {
        match self {
            Self::NoRecipient(_) | Self::NoIdentity { .. } => Code::Usage,
            Self::NotOpened(_) => Code::SealedFileNotOpened,
            _ => Code::AgeFailed,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::NoRecipient(_) => vec![Hint::note(
                "on the other machine `age-keygen -o key.txt` makes an identity and prints its recipient",
            )],
            Self::NoIdentity { .. } => Vec::new(),
            _ => self.code().entry().hints(),
        }
    }
}

impl Recipient {
    /// Checks the text.
    ///
    /// # Errors
    /// [`AgeError::NoRecipient`].
    pub fn parse(text: &str) -> Result<Self, AgeError> {
        let text = text.trim();
        let known =
            ["age1", "ssh-ed25519 ", "ssh-rsa "].iter().any(|start| text.starts_with(start));
        if known && text.bytes().all(|b| matches!(b, b' '..=b'~')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AgeError::NoRecipient(text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-")))
        }
    }
}

/// Whether the program is there, asked before anything depends on it.
///
/// # Errors
/// [`AgeError::NotStarted`] if it is not.
pub fn probe() -> Result<(), AgeError> {
    run(&["--version"], Zeroizing::default(), SEALING).map(drop)
}

/// Seals for these recipients.
///
/// # Errors
/// See [`AgeError`].
pub fn seal(recipients: &[Recipient], plain: Zeroizing<Vec<u8>>) -> Result<Vec<u8>, AgeError> {
    let mut arguments: Vec<&str> = Vec::new();
    for Recipient(recipient) in recipients {
        arguments.extend(["-r", recipient]);
    }
    arguments.extend(["-o", "-"]);
    run(&arguments, plain, SEALING).map(|mut sealed| std::mem::take(&mut *sealed))
}

/// Opens with an identity.
///
/// # Errors
/// [`AgeError::NotOpened`] if it is not the right one.
pub fn open(identity: &Path, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AgeError> {
    let no_identity = |source| AgeError::NoIdentity { path: identity.to_owned(), source };
    // `-` would be our pipe to it, and anything that begins so would be an option.
    let path = std::path::absolute(identity).map_err(no_identity)?;
    std::fs::File::open(&path).map_err(no_identity)?;
    let text = path.to_str().ok_or_else(|| no_identity(io::ErrorKind::InvalidFilename.into()))?;
    match run(&["-d", "-i", text], Zeroizing::new(sealed.to_vec()), OPENING) {
        Err(AgeError::Failed { said, .. }) => Err(AgeError::NotOpened(said)),
        other => other,
    }
}

fn run(
    arguments: &[&str],
    input: Zeroizing<Vec<u8>>,
    patience: Duration,
) -> Result<Zeroizing<Vec<u8>>, AgeError> {
    let deadline = Instant::now() + patience;
    // A folder in PATH that depends on where we are is not searched.
    let program =
        find(PROGRAM).ok_or_else(|| AgeError::NotStarted(io::ErrorKind::NotFound.into()))?;
    let mut child = command(&program, arguments).spawn().map_err(AgeError::NotStarted)?;
    feed(&mut child, input);
    let stdout = collect(child.stdout.take(), LIMIT);
    let stderr = collect(child.stderr.take(), LIMIT);
    let status = wait(&mut child, deadline).ok_or(AgeError::TimedOut(patience))?;
    if !status.success() {
        let said = stderr.recv_timeout(GRACE).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let said = said.lines().next().unwrap_or_default().trim();
        let said = if said.is_empty() { String::new() } else { format!(": {}", Printable(said)) };
        return Err(AgeError::Failed { status, said });
    }
    stdout.recv_timeout(GRACE).map_err(|_| AgeError::TimedOut(patience))
}

fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SNOWTOKEN_") {
            command.env_remove(name);
        }
    }
    command
}

/// Hands the input over beside us: it may read only as fast as it writes.
fn feed(child: &mut Child, input: Zeroizing<Vec<u8>>) {
    if let Some(mut stdin) = child.stdin.take() {
        // If it stops reading, or no thread is to be had, it says itself what it missed.
        let feeding = move || drop(stdin.write_all(&input));
        let _ = thread::Builder::new().name("child".into()).spawn(feeding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_is_no_option_and_no_identity() {
        for good in ["age1qqqs", " age1yubikey1qqqs\n", "ssh-ed25519 AAAA me@here"] {
            assert!(Recipient::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-r", "--help", "AGE1QQQS", "age1\u{1b}", "/etc/passwd", "ssh-dss AAAA"] {
            let refused = Recipient::parse(bad).unwrap_err();
            assert!(matches!(refused, AgeError::NoRecipient(false)), "{bad}: {refused}");
        }
        for identity in ["AGE-SECRET-KEY-1QQQ4711", "age-secret-key-1qqq4711"] {
            let refused = Recipient::parse(identity).unwrap_err();
            assert!(matches!(refused, AgeError::NoRecipient(true)), "{refused}");
            assert!(!refused.to_string().contains("4711"), "{refused}");
        }
    }
}
