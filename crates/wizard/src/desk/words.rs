//! Small pages and sentences that need no context of their own.

use jiff::{SignedDuration, Timestamp};
use snowtoken::core::diagnosis::{Code, Entry, Hint};
use snowtoken::core::servicenow::Instance;

use crate::pages::{Button, Catalogue, Choice, Frame, Goodbye};
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
    Goodbye { frame: Frame::new(EN.goodbye_title) }
}

/// The places in the person's instance that a diagnosis names, as buttons.
pub(super) fn places(code: Code, instance: &str) -> Vec<Button> {
    let Ok(instance) = Instance::parse(instance) else { return Vec::new() };
    let known = [
        ("Application Registry", "/oauth_entity_list.do"),
        ("Manage Tokens", "/oauth_credential_list.do"),
        (
            "System Logs",
            "/syslog_list.do?sysparm_query=messageLIKEtoken%20flow%5EORDERBYDESCsys_created_on",
        ),
    ];
    let mut buttons: Vec<Button> = Vec::new();
    for hint in code.entry().hints() {
        let Hint::Visit { place, .. } = hint else { continue };
        for (title, path) in known {
            if place.contains(title) && !buttons.iter().any(|button| button.title == title) {
                let href = instance.at(path).to_string();
                buttons.push(Button { title: title.to_owned(), href, is_away: true });
            }
        }
    }
    buttons
}

/// A moment as people write it, in UTC.
pub(super) fn day_and_time(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// How far away, in the largest unit that fits.
pub(super) fn distance(from_now: SignedDuration) -> String {
    let seconds = from_now.as_secs();
    let (number, unit) = match seconds.unsigned_abs() {
        0..=89 => (seconds.unsigned_abs(), "second"),
        90..=5_399 => ((seconds.unsigned_abs() + 30) / 60, "minute"),
        5_400..=129_599 => ((seconds.unsigned_abs() + 1_800) / 3_600, "hour"),
        _ => ((seconds.unsigned_abs() + 43_200) / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    if seconds < 0 {
        format!("{number} {unit}{plural} ago")
    } else {
        format!("in {number} {unit}{plural}")
    }
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
