//! stdout is data, stderr is for people.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use snowtoken::core::SignedDuration;
use zeroize::Zeroizing;

use crate::report::Failure;

/// Writes data; whoever reads it may have gone away.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Output)
}

/// Writes one JSON document as data.
pub(crate) fn json(value: &serde_json::Value) -> Result<(), Failure> {
    let mut text = Zeroizing::new(format!("{value:#}"));
    text.push('\n');
    data(&text)
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

/// Whether stderr can show colours and be written over.
pub(crate) fn is_lively() -> bool {
    io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// A duration in its two largest units, for people.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let exact = duration.as_secs().unsigned_abs();
    // Counted to the minute, and from a day on to the hour: 364 days 23:59:58 are 365 days.
    let seconds = match exact {
        0..60 => exact,
        60..86_400 => (exact + 30) / 60 * 60,
        _ => (exact + 1_800) / 3_600 * 3_600,
    };
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600, seconds / 60);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min"),
        3_600..86_400 => format!("{hours} h {} min", minutes % 60),
        86_400..864_000 => format!("{days} d {} h", hours % 24),
        _ => format!("{days} days"),
    }
}

/// How far away a moment is, for people.
pub(crate) fn distance(from_now: SignedDuration) -> String {
    if from_now.is_negative() {
        format!("{} ago", duration(from_now))
    } else {
        format!("in {}", duration(from_now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
