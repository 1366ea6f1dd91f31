//! Asking a person: hidden answers, and a prompt that takes a URL of any length, in one piece, in
//! several lines, or pasted in brackets. The terminal is put back whatever ends the program.

#[cfg(unix)]
mod raw;

#[cfg(unix)]
pub(crate) use raw::release_signals;

use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use snowtoken::core::oauth::redirect::PASTE_LIMIT;
use snowtoken::core::secret::Secret;
use snowtoken::login::Paste;
use zeroize::{Zeroize as _, Zeroizing};

use crate::output;

/// Longer than any secret or passphrase.
const SECRET_LIMIT: usize = 4096;

/// Whether there is a person at the other end.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for something that must not be seen; `None` without a terminal or an answer.
pub(crate) fn hidden(prompt: &str) -> Option<Secret> {
    if !can_ask() {
        return None;
    }
    #[cfg(unix)]
    let answer = {
        // Whoever sees the prompt may type at once: by then nothing is shown any more.
        let terminal = raw::Terminal::open().ok()?;
        output::say_part(prompt);
        terminal.line(raw::Kind::Secret).ok().flatten()
    };
    #[cfg(not(unix))]
    let answer = {
        output::say_part(prompt);
        rpassword::read_password().ok().map(Secret::new)
    };
    output::say("");
    answer.filter(|answer| !answer.is_empty())
}

/// Asks for something that may be seen.
pub(crate) fn answer(prompt: &str) -> Option<String> {
    if !can_ask() {
        return None;
    }
    output::say_part(prompt);
    let mut line = String::new();
    io::stdin().read_line(&mut line).ok()?;
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// Asks for a line of any length, of a person or of whoever writes to us; `None` at the end of the
/// input, or if the line is empty.
pub(crate) fn line(prompt: &str) -> Option<Secret> {
    output::say_part(prompt);
    #[cfg(unix)]
    if can_ask() {
        let line = raw::Terminal::open().ok()?.line(raw::Kind::Url).ok().flatten();
        output::say("");
        return line.filter(|line| !line.expose().trim().is_empty());
    }
    output::say("");
    let (line, _) = piped_line(&mut io::stdin().lock(), PASTE_LIMIT).ok()?;
    Some(line).filter(|line| !line.expose().trim().is_empty())
}

/// The first line of a file, `-` being standard input. One line break at its end is not part of it.
pub(crate) fn first_line(path: &Path) -> io::Result<Secret> {
    let (secret, _) = if path == Path::new("-") {
        piped_line(&mut io::stdin().lock(), SECRET_LIMIT)?
    } else {
        piped_line(&mut std::fs::File::open(path)?, SECRET_LIMIT)?
    };
    if secret.expose().len() > SECRET_LIMIT {
        let text = format!("its first line is longer than {SECRET_LIMIT} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(secret)
}

/// All of standard input, as a secret.
pub(crate) fn piped_secret(limit: u16) -> io::Result<Secret> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::from(limit)));
    io::stdin().lock().take(u64::from(limit)).read_to_end(&mut bytes)?;
    String::from_utf8(std::mem::take(&mut *bytes)).map(Secret::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        io::Error::new(io::ErrorKind::InvalidData, "it is no text")
    })
}

/// Reads up to and including a line break, byte by byte: what comes after it is somebody else's. A
/// longer line than the limit is cut off one byte behind it. Tells whether the input ended.
fn piped_line(input: &mut impl io::Read, limit: usize) -> io::Result<(Secret, bool)> {
    let mut line = Zeroizing::new(Vec::with_capacity(limit + 2));
    let mut byte = [0];
    let mut ended = true;
    while line.len() <= limit {
        match input.read(&mut byte) {
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => {
                ended = false;
                break;
            }
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    byte.zeroize();
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let text = String::from_utf8(std::mem::take(&mut *line)).map_err(|error| {
        error.into_bytes().zeroize();
        io::Error::new(io::ErrorKind::InvalidData, "it is no text")
    })?;
    Ok((Secret::new(text), ended))
}

/// Reads the redirected URL beside everything else that happens. The reading thread ends with the
/// program.
pub(crate) fn pastes(prompt: &'static str) -> Receiver<Paste> {
    let (sender, receiver) = channel();
    if can_ask() {
        output::say_part(prompt);
    } else {
        // Nobody ends this line by typing: what is said next has a line of its own.
        output::say(prompt.trim_end());
    }
    let reading = move || {
        if can_ask() {
            typed(prompt, &sender);
        } else {
            piped(&sender);
        }
    };
    let _ = std::thread::Builder::new().name("prompt".to_owned()).spawn(reading);
    receiver
}

fn piped(sender: &Sender<Paste>) {
    let paste = match piped_line(&mut io::stdin().lock(), PASTE_LIMIT) {
        Ok((line, true)) if line.is_empty() => Paste::End,
        Ok((line, _)) => Paste::Text(line),
        // What is no text is no URL: let the parser say so.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Paste::Text(Secret::new("\u{fffd}"))
        }
        Err(_) => Paste::End,
    };
    let _ = sender.send(paste);
}

#[cfg(unix)]
fn typed(prompt: &str, sender: &Sender<Paste>) {
    let Ok(terminal) = raw::Terminal::open() else {
        return;
    };
    loop {
        match terminal.line(raw::Kind::Url) {
            // An impatient Enter is no paste.
            Ok(Some(line)) if line.expose().trim().is_empty() => {
                output::say_part(format!("\r\n{prompt}"));
            }
            Ok(Some(line)) => {
                output::say("");
                drop(terminal);
                let _ = sender.send(Paste::Text(line));
                return;
            }
            Ok(None) | Err(_) => {
                let _ = sender.send(Paste::End);
                return;
            }
        }
    }
}

#[cfg(not(unix))]
fn typed(_: &str, sender: &Sender<Paste>) {
    piped(sender);
}

/// Lines that a person types beside everything else, and ^C as something that can be asked for: what
/// was put on a clipboard is taken away before the program ends.
pub(crate) struct Keys {
    lines: Receiver<String>,
    interrupted: Arc<AtomicBool>,
}

impl Keys {
    /// From now on ^C does not end the program.
    pub(crate) fn open() -> Self {
        let interrupted = Arc::<AtomicBool>::default();
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
            for signal in [SIGHUP, SIGINT, SIGTERM] {
                let _ = signal_hook::flag::register(signal, interrupted.clone());
            }
        }
        let (sender, lines) = channel();
        let reading = move || {
            let mut line = String::new();
            // The thread ends with the program, or with the terminal.
            while io::stdin().read_line(&mut line).is_ok_and(|read| read > 0)
                && sender.send(std::mem::take(&mut line)).is_ok()
            {}
        };
        let _ = std::thread::Builder::new().name("keys".to_owned()).spawn(reading);
        Self { lines, interrupted }
    }

    /// The next line, if it comes in time.
    pub(crate) fn line(&self, patience: Duration) -> Result<String, RecvTimeoutError> {
        self.lines.recv_timeout(patience)
    }

    /// Whether somebody wants the program to end.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// Puts the terminal back if a prompt is still open; called before the program ends.
pub(crate) fn restore() {
    #[cfg(unix)]
    raw::restore();
}

/// Reads everything a pipe brings, up to a limit in bytes.
pub(crate) fn piped_text(limit: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
