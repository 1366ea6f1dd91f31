//! Raw mode: a terminal in its usual mode cuts lines at 4,095 bytes, and shows what is typed.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use snowtoken::core::oauth::redirect::PASTE_LIMIT;
use snowtoken::core::secret::Secret;
use zeroize::Zeroizing;

use crate::output;

/// The modes to go back to, while a prompt is open, and those of the prompt. The terminal is only
/// changed by whoever holds it.
static MODES: Mutex<Option<Modes>> = Mutex::new(None);

struct Modes {
    before: Termios,
    raw: Termios,
}

/// Whose turn it is to read: a reader whose turn is over stops, so that the next question gets
/// what is typed next.
static TURN: AtomicU64 = AtomicU64::new(0);

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const ASK_FOR_BRACKETS: &str = "\u{1b}[?2004h";
const NO_MORE_BRACKETS: &str = "\u{1b}[?2004l";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// After a line break in a burst of input more of the same paste may follow within this time.
const BURST: Duration = Duration::from_millis(200);

/// How often a reader looks whether it is still its turn.
const PATIENCE: Duration = Duration::from_millis(50);

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
    turn: u64,
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
        let turn = TURN.fetch_add(1, Ordering::SeqCst) + 1;
        let mut guard = current();
        tcsetattr(stdin.as_fd(), OptionalActions::Now, &modes)?;
        *guard = Some(Modes { before, raw: modes });
        output::say_part(ASK_FOR_BRACKETS);
        Ok(Self { turn })
    }

    /// Reads until Enter; `None` when there will be nothing more (^D, the terminal is gone, or the
    /// turn is over).
    pub(super) fn line(&self, kind: Kind) -> io::Result<Option<Secret>> {
        let mut line = Line::default();
        loop {
            let Some(byte) = self.byte()? else { return Ok(None) };
            match line.take(byte) {
                Taken::More => {}
                Taken::Interrupted => {
                    restore();
                    output::say("");
                    std::process::exit(130);
                }
                Taken::Suspended => suspend(),
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
    fn more_follows(&self, line: &mut Line) -> io::Result<bool> {
        while is_ready(BURST)? {
            match self.byte()? {
                Some(b'\r' | b'\n') => {}
                Some(byte) => {
                    line.take(byte);
                    return Ok(true);
                }
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    /// The next byte, unbuffered: what is not ours to read stays with the terminal.
    fn byte(&self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        while TURN.load(Ordering::SeqCst) == self.turn {
            if is_ready(PATIENCE)? {
                match rustix::io::read(io::stdin().as_fd(), &mut byte) {
                    Ok(0) => return Ok(None),
                    Ok(_) => return Ok(Some(byte[0])),
                    Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(None)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A reader whose turn is over must not take the terminal from the next one.
        if TURN.load(Ordering::SeqCst) == self.turn {
            restore();
        }
    }
}

/// Whether somebody typed, within this time.
fn is_ready(patience: Duration) -> io::Result<bool> {
    let stdin = io::stdin();
    let mut waiting = [PollFd::new(&stdin, PollFlags::IN)];
    let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
    match poll(&mut waiting, Some(&patience)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What became of a byte.
enum Taken {
    More,
    Enter,
    Ended,
    Interrupted,
    Suspended,
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
            0x1a if !self.in_paste => return Taken::Suspended,
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

/// Puts the terminal back as it was, if it is not, and ends the turn of whoever reads.
pub(super) fn restore() {
    TURN.fetch_add(1, Ordering::SeqCst);
    if let Some(modes) = current().take() {
        give_back(&modes);
    }
}

fn current() -> MutexGuard<'static, Option<Modes>> {
    MODES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn give_back(modes: &Modes) {
    let _ = tcsetattr(io::stdin().as_fd(), OptionalActions::Now, &modes.before);
    output::say_part(NO_MORE_BRACKETS);
}

/// From now on signals are somebody else's: the terminal is as it was.
pub(crate) fn release_signals() {
    if let Some(handle) = SIGNALS.lock().unwrap_or_else(PoisonError::into_inner).take() {
        handle.close();
    }
}

/// Ends the waiting for signals.
static SIGNALS: Mutex<Option<signal_hook::iterator::Handle>> = Mutex::new(None);

/// A signal must not leave the terminal without echo, and a prompt that was stopped must not come
/// back with it.
fn restore_on_signals() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let known = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT];
        let Ok(mut signals) = signal_hook::iterator::Signals::new(known) else {
            return;
        };
        *SIGNALS.lock().unwrap_or_else(PoisonError::into_inner) = Some(signals.handle());
        let waiting = move || {
            for signal in signals.forever() {
                match signal {
                    SIGTSTP => stop(),
                    SIGCONT => go_on(),
                    _ => end(signal),
                }
            }
        };
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(waiting);
    });
}

fn end(signal: i32) {
    // Kept to the end: nobody opens another prompt meanwhile.
    let guard = current();
    if let Some(modes) = &*guard {
        give_back(modes);
    }
    std::process::exit(128 + signal);
}

/// ^Z, which is ours like every key. The first process of a session is not stopped by it: there is
/// no shell that could let it go on.
fn suspend() {
    let us = rustix::process::getpid();
    if rustix::process::getsid(None).is_ok_and(|session| session != us) {
        stop();
    }
}

/// The shell gets its terminal back for as long as we are stopped.
fn stop() {
    let guard = current();
    if let Some(modes) = &*guard {
        give_back(modes);
    }
    let _ = signal_hook::low_level::emulate_default_handler(SIGTSTP);
}

fn go_on() {
    if let Some(modes) = &*current() {
        let _ = tcsetattr(io::stdin().as_fd(), OptionalActions::Now, &modes.raw);
        output::say_part(ASK_FOR_BRACKETS);
    }
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
