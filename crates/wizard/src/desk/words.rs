//! Small pages and sentences that need no context of their own.

use jiff::{SignedDuration, Timestamp};
use snowtoken::core::diagnosis::{Code, Entry};
use snowtoken::core::token_set::KnownBy;

use crate::pages::{Catalogue, Choice, Frame, Goodbye};
use crate::texts::EN;

/// All diagnoses.
pub(super) fn catalogue(all: &[(Code, Entry)]) -> Catalogue {
    let entries = all
        .iter()
        .map(|(_, entry)| Choice {
            name: entry.code.to_owned(),
            title: entry.title.to_owned(),
            about: entry.who.to_owned(),
        })
        .collect();
    Catalogue { frame: Frame::new(EN.diagnosis_all), entries }
}

/// The last page.
pub(super) fn goodbye() -> Goodbye {
    Goodbye { frame: Frame::new(EN.goodbye_title).ageless() }
}

/// How a deadline is known.
pub(super) fn known_by(how: KnownBy) -> &'static str {
    match how {
        KnownBy::Stated => EN.known_stated,
        KnownBy::Derived => EN.known_derived,
        KnownBy::Observed => EN.known_observed,
    }
}

/// A moment as people write it, in UTC.
pub(super) fn day_and_time(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// How far away, in the largest unit that fits.
pub(super) fn distance(from_now: SignedDuration) -> String {
    let seconds = from_now.as_secs();
    let (number, one, many) = match seconds.unsigned_abs() {
        0..=89 => (seconds.unsigned_abs(), EN.second, EN.seconds),
        90..=5_399 => ((seconds.unsigned_abs() + 30) / 60, EN.minute, EN.minutes),
        5_400..=129_599 => ((seconds.unsigned_abs() + 1_800) / 3_600, EN.hour, EN.hours),
        _ => ((seconds.unsigned_abs() + 43_200) / 86_400, EN.day, EN.days),
    };
    let span = format!("{number} {}", if number == 1 { one } else { many });
    let frame = if seconds < 0 { EN.time_ago } else { EN.time_to_come };
    frame.replace("{}", &span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_said_in_one_unit() {
        for (seconds, said) in [
            (1, "in 1 second"),
            (1_799, "in 30 minutes"),
            (7_200, "in 2 hours"),
            (31_536_000, "in 365 days"),
            (-3 * 86_400, "3 days ago"),
        ] {
            assert_eq!(distance(SignedDuration::from_secs(seconds)), said);
        }
    }
}
