//! stdout is data, stderr is for people.

use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal as _, Write as _};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use jiff::tz::TimeZone;
use snowtoken::core::diagnosis::{Code, Outcome};
use snowtoken::core::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use crate::report::Failure;
use crate::terminal;

/// Writes data; whoever reads it may have gone away.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Output)
}

/// Writes a single value as data: without a line break, which would become a part of it, unless a
/// person looks.
pub(crate) fn value(text: &str) -> Result<(), Failure> {
    data(text)?;
    if is_seen() { data("\n") } else { Ok(()) }
}

/// Whether a person sees stdout.
pub(crate) fn is_seen() -> bool {
    io::stdout().is_terminal()
}

/// Writes one JSON document as data.
pub(crate) fn json(value: &serde_json::Value) -> Result<(), Failure> {
    let mut text = Zeroizing::new(format!("{value:#}"));
    text.push('\n');
    data(&text)
}

/// Data that is written piece by piece, in large pieces.
pub(crate) struct Data {
    pending: String,
    failed: Option<io::Error>,
}

impl Data {
    /// So many bytes are written at once.
    const PIECE: usize = 256 * 1024;

    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self { pending: String::with_capacity(8 * 1024), failed: None }
    }

    /// Adds a text. A failure is told at the end, and nothing is written after it.
    pub(crate) fn push(&mut self, text: &str) {
        if text.len() >= Self::PIECE {
            self.empty();
            self.write(text);
            return;
        }
        self.pending.push_str(text);
        if self.pending.len() >= Self::PIECE {
            self.empty();
        }
    }

    fn empty(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        self.write(&pending);
        self.pending = pending;
        self.pending.clear();
    }

    fn write(&mut self, text: &str) {
        if self.failed.is_none() {
            let mut stdout = io::stdout().lock();
            let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
            self.failed = written.err();
        }
    }

    /// Writes the rest.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.empty();
        self.failed.map_or(Ok(()), |error| Err(Failure::Output(error)))
    }
}

/// Writes a line for a person. If nobody can read it, nothing is lost.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes a part of a line for a person.
pub(crate) fn say_part(text: impl Display) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}

/// Prints a failure and gives its exit code. Whoever stopped reading wants to hear nothing more.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    let gone =
        matches!(failure, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe);
    if !gone {
        say_part(failure.text(is_lively()));
    }
    ExitCode::from(failure.outcome().exit_code())
}

/// From now on a panic, in whatever thread, ends the program as a bug of ours: with the documented
/// words and exit code, and with the terminal as it was.
pub(crate) fn catch_bugs() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        terminal::restore();
        say_part(bug(panic).text(is_lively()));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            usual(panic);
        }
        // The process ends here: nothing can go on where this thread stopped.
        std::process::exit(i32::from(Outcome::Bug.exit_code()));
    }));
}

fn bug(panic: &PanicHookInfo<'_>) -> Failure {
    let place = panic.location().map(|place| format!(", {}:{}", place.file(), place.line()));
    // A text that was put together may hold values, and values may be secret.
    let what = panic.payload().downcast_ref::<&'static str>().map(|what| format!(": {what}"));
    let text =
        format!("a bug in snowtoken{}{}", place.unwrap_or_default(), what.unwrap_or_default());
    Failure::told(Code::Bug, text)
}

/// Whether stderr can show colours and be written over.
pub(crate) fn is_lively() -> bool {
    io::stderr().is_terminal() && may_be_lively()
}

/// Whether a person reads stdout as it comes. A program at the other end waits for its end.
pub(crate) fn is_read_by_a_person() -> bool {
    io::stdout().is_terminal()
}

/// What a table finds on stdout.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Screen {
    /// How wide it is; `None` where lines may be as long as they like.
    pub(crate) columns: Option<usize>,
    /// Whether it shows colours.
    pub(crate) colours: bool,
}

/// The terminal that stdout is; a file or a pipe has neither width nor colours.
pub(crate) fn screen() -> Screen {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return Screen::default();
    }
    #[cfg(unix)]
    let columns = rustix::termios::tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col));
    #[cfg(not(unix))]
    let columns = None;
    Screen { columns: columns.filter(|columns| *columns > 0), colours: may_be_lively() }
}

/// Cut at blanks, so that no line is wider; a word that is stays whole.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A colour on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Yellow,
    Red,
}

impl Paint {
    /// What turns it on.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Yellow => "\x1b[33m",
            Self::Red => "\x1b[31m",
        }
    }

    /// What turns it off.
    pub(crate) fn end(self) -> &'static str {
        if self == Self::Plain { "" } else { "\x1b[0m" }
    }
}

fn may_be_lively() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// A duration in its two largest units, for people.
fn push_duration(text: &mut String, duration: SignedDuration) {
    let exact = duration.as_secs().unsigned_abs();
    // Counted to the minute, and from a day on to the hour: 364 days 23:59:58 are 365 days.
    let seconds = match exact {
        0..60 => exact,
        60..86_400 => (exact + 30) / 60 * 60,
        _ => (exact + 1_800) / 3_600 * 3_600,
    };
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600, seconds / 60);
    // Writing to a text cannot fail.
    let _ = match seconds {
        0..60 => write!(text, "{seconds} s"),
        60..3_600 => write!(text, "{minutes} min"),
        3_600..86_400 => write!(text, "{hours} h {} min", minutes % 60),
        86_400..864_000 => write!(text, "{days} d {} h", hours % 24),
        _ => write!(text, "{days} days"),
    };
}

/// How far away a moment is, for people.
pub(crate) fn distance(from_now: SignedDuration) -> String {
    let mut text = String::new();
    push_distance(&mut text, from_now);
    text
}

/// The same, at the end of a text.
pub(crate) fn push_distance(text: &mut String, from_now: SignedDuration) {
    if from_now.is_negative() {
        push_duration(text, from_now);
        text.push_str(" ago");
    } else {
        text.push_str("in ");
        push_duration(text, from_now);
    }
}

/// The day of a moment, in UTC, at the end of a text.
pub(crate) fn push_date(text: &mut String, at: Timestamp) {
    let day = TimeZone::UTC.to_datetime(at).date();
    let Ok(year) = u32::try_from(day.year()) else {
        // Before the year 0: nobody's token, but a stored row may say anything.
        let _ = write!(text, "{day}");
        return;
    };
    let digit = |number: u32| char::from(b'0' + u8::try_from(number % 10).unwrap_or_default());
    let two = |number: i8| {
        let number = u32::from(number.unsigned_abs());
        [digit(number / 10), digit(number)]
    };
    // Written by hand: a table has a date in each of its lines.
    for number in [year / 1_000, year / 100, year / 10, year] {
        text.push(digit(number));
    }
    for part in [two(day.month()), two(day.day())] {
        text.push('-');
        text.push(part[0]);
        text.push(part[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks the test below for what a real panic does.
    const PLAY: &str = "SNOWTOKEN_TEST_PANIC";

    #[test]
    fn lines_are_cut_at_blanks_and_a_long_word_stays_whole() {
        assert_eq!(wrapped("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
        assert_eq!(wrapped("abcdefghij k", 4), ["abcdefghij", "k"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn panicking_program() {
        if std::env::var_os(PLAY).is_some() {
            catch_bugs();
            let _ = std::thread::spawn(|| panic!("value {}", std::process::id())).join();
        }
    }

    #[test]
    fn a_panic_in_any_thread_is_a_bug_of_ours() {
        let run = |backtrace| {
            let mut command = std::process::Command::new(std::env::current_exe().unwrap());
            command.args(["output::tests::panicking_program", "--exact", "--nocapture"]);
            let done = command.env(PLAY, "1").env("RUST_BACKTRACE", backtrace).output().unwrap();
            assert_eq!(done.status.code(), Some(70), "{done:?}");
            String::from_utf8(done.stderr).unwrap()
        };
        let text = run("0");
        assert!(text.starts_with("error: a bug in snowtoken, "), "{text}");
        assert!(text.contains("\ncode: bug (`snowtoken explain bug`)\n"), "{text}");
        assert!(!text.contains(": value") && !text.contains("stack backtrace"), "{text}");
        assert!(run("1").contains("stack backtrace"));
    }

    #[test]
    fn a_date_is_the_day_in_utc() {
        for (at, date) in [
            ("2026-11-23T23:59:59Z", "2026-11-23"),
            ("0000-01-01T00:00:00Z", "0000-01-01"),
            ("9999-12-30T22:00:00Z", "9999-12-30"),
            ("-000001-12-31T22:00:00Z", "-000001-12-31"),
        ] {
            let mut text = "on ".to_owned();
            push_date(&mut text, at.parse().unwrap());
            assert_eq!(text, format!("on {date}"));
        }
    }

    #[test]
    fn two_units_are_enough() {
        for (seconds, text) in [
            (5, "in 5 s"),
            (1_799, "in 30 min"),
            (31_535_990, "in 365 days"),
            (7_260, "in 2 h 1 min"),
            (90_000, "in 1 d 1 h"),
            (31_536_000, "in 365 days"),
            (-61, "1 min ago"),
        ] {
            assert_eq!(distance(SignedDuration::from_secs(seconds)), text);
        }
    }
}
