//! Raw mode: a terminal in its usual mode cuts lines at 4,095 bytes, and shows what is typed.

use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::sync::{Mutex, Once, PoisonError};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use snowtoken::core::oauth::redirect::PASTE_LIMIT;
use snowtoken::core::secret::Secret;
use zeroize::Zeroizing;

use crate::output;

/// The modes to go back to, while a prompt is open.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// After a line break in a burst of input more of the same paste may follow within this time, in
/// tenths of a second.
const BURST: u8 = 2;

/// What is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One line, ended by the first line break.
    Secret,
    /// A URL that a terminal or a mail program may have broken into lines.
    Url,
}

/// The terminal in raw mode; its own modes come back when this is dropped.
#[derive(Debug)]
pub(super) struct Terminal {
    modes: Termios,
}

impl Terminal {
    pub(super) fn open() -> io::Result<Self> {
        restore_on_signals();
        let stdin = io::stdin();
        let before = tcgetattr(stdin.as_fd())?;
        let mut modes = before.clone();
        // No line editing, no echo, and ^C is ours: it must not leave the terminal like this.
        modes
            .local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        tcsetattr(stdin.as_fd(), OptionalActions::Now, &modes)?;
        output::say_part("\u{1b}[?2004h");
        Ok(Self { modes })
    }

    /// Reads until Enter; `None` when there will be nothing more (^D, or the terminal is gone).
    pub(super) fn line(&mut self, kind: Kind) -> io::Result<Option<Secret>> {
        let mut line = Line::default();
        loop {
            let Some(byte) = read_byte()? else {
                return Ok(None);
            };
            match line.take(byte) {
                Taken::More => {}
                Taken::Interrupted => {
                    restore();
                    output::say("");
                    std::process::exit(130);
                }
                Taken::Ended => return Ok(None),
                Taken::Enter
                    if kind == Kind::Url
                        && !line.is_complete()
                        && self.more_follows(&mut line)? => {}
                Taken::Enter => return Ok(Some(line.text())),
            }
        }
    }

    /// Whether the line break belongs to a paste: then more bytes are there already. Terminals send
    /// a pasted line break as one or two characters.
    fn more_follows(&mut self, line: &mut Line) -> io::Result<bool> {
        self.wait(0, BURST)?;
        let next = loop {
            match read_byte() {
                Ok(Some(b'\r' | b'\n')) => {}
                other => break other,
            }
        };
        self.wait(1, 0)?;
        match next? {
            Some(byte) => {
                line.take(byte);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn wait(&mut self, least: u8, tenths: u8) -> io::Result<()> {
        self.modes.special_codes[SpecialCodeIndex::VMIN] = least;
        self.modes.special_codes[SpecialCodeIndex::VTIME] = tenths;
        Ok(tcsetattr(io::stdin().as_fd(), OptionalActions::Now, &self.modes)?)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

fn read_byte() -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        match io::stdin().lock().read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(byte[0])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What became of a byte.
enum Taken {
    More,
    Enter,
    Ended,
    Interrupted,
}

/// The line as far as it was typed.
#[derive(Default)]
struct Line {
    bytes: Zeroizing<Vec<u8>>,
    in_paste: bool,
}

impl Line {
    fn take(&mut self, byte: u8) -> Taken {
        match byte {
            b'\r' | b'\n' if !self.in_paste => return Taken::Enter,
            3 if !self.in_paste => return Taken::Interrupted,
            4 if !self.in_paste && self.bytes.is_empty() => return Taken::Ended,
            8 | 0x7f if !self.in_paste => drop(self.bytes.pop()),
            // ^U and ^W: start over.
            0x15 | 0x17 if !self.in_paste => self.bytes.clear(),
            _ if self.bytes.len() <= PASTE_LIMIT => self.bytes.push(byte),
            _ => {}
        }
        if self.bytes.ends_with(PASTE_BEGINS) {
            self.cut(PASTE_BEGINS.len());
            self.in_paste = true;
        } else if self.bytes.ends_with(PASTE_ENDS) {
            self.cut(PASTE_ENDS.len());
            self.in_paste = false;
        }
        Taken::More
    }

    /// Whether a whole answer is there already: `state` is the last of ours, 64 hexadecimal digits.
    /// Then nobody needs to wait for more lines.
    fn is_complete(&self) -> bool {
        let Ok(text) = std::str::from_utf8(&self.bytes) else { return false };
        let Some(code) = text.find("code=") else { return false };
        text[code..]
            .split_once("state=")
            .is_some_and(|(_, state)| state.bytes().take_while(u8::is_ascii_hexdigit).count() == 64)
    }

    fn cut(&mut self, count: usize) {
        let length = self.bytes.len() - count;
        self.bytes.truncate(length);
    }

    fn text(mut self) -> Secret {
        Secret::new(String::from_utf8_lossy(&std::mem::take(&mut *self.bytes)).into_owned())
    }
}

/// Puts the terminal back as it was, if it is not.
pub(super) fn restore() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = tcsetattr(io::stdin().as_fd(), OptionalActions::Now, &before);
        output::say_part("\u{1b}[?2004l");
    }
}

/// A signal must not leave the terminal without echo.
fn restore_on_signals() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
        let Ok(mut signals) =
            signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])
        else {
            return;
        };
        let waiting = move || {
            if let Some(signal) = signals.forever().next() {
                restore();
                std::process::exit(128 + signal);
            }
        };
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(waiting);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> String {
        let mut line = Line::default();
        for byte in bytes {
            if let Taken::Enter = line.take(*byte) {
                break;
            }
        }
        line.text().expose().to_owned()
    }

    #[test]
    fn brackets_keep_line_breaks_and_vanish() {
        assert_eq!(typed(b"\x1b[200~https://a\r\n?b\x1b[201~\rrest"), "https://a\r\n?b");
    }

    #[test]
    fn a_whole_answer_is_known_by_its_state() {
        let complete = |text: &str| {
            let mut line = Line::default();
            for byte in text.bytes() {
                line.take(byte);
            }
            line.is_complete()
        };
        let state = "0f".repeat(32);
        assert!(complete(&format!("https://a/cb?code=c&state={state}")));
        assert!(complete(&format!("code=c&state={state}&iss=x")));
        assert!(!complete(&format!("https://a/cb?code=c&state={}", &state[1..])));
        assert!(!complete(&format!("https://a/cb?state={state}&code=c")));
    }

    #[test]
    fn editing_keys_work() {
        assert_eq!(typed(b"abd\x7fc\rx"), "abc");
        assert_eq!(typed(b"wrong\x15right\r"), "right");
    }
}
