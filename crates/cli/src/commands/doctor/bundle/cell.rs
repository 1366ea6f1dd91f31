//! What a report is made of: values that cannot give anybody away.

use serde_json::{Value, json};
use snowtoken::core::diagnosis::Code;
use snowtoken::core::{SignedDuration, Timestamp};

use crate::output;

/// One value. There is no way to make it of a text that was read somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// Not known, or not there.
    None,
    /// A word of ours.
    Word(&'static str),
    /// Several.
    Words(Vec<&'static str>),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// The permission bits of a file.
    Mode(u32),
    /// A day, in UTC.
    Day(Timestamp),
    /// How far away a moment is, in its two largest units.
    Distance(SignedDuration),
    /// What stands for a name: the kind, and which of them.
    Named(&'static str, usize),
}

impl Cell {
    pub(super) fn word(word: Option<&'static str>) -> Self {
        word.map_or(Self::None, Self::Word)
    }

    pub(super) fn number(number: Option<i64>) -> Self {
        number.map_or(Self::None, Self::Number)
    }

    pub(super) fn code(code: Option<Code>) -> Self {
        code.map_or(Self::None, |code| Self::Word(code.as_str()))
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Word(word) => (*word).to_owned(),
            Self::Words(words) => words.join(" "),
            Self::Number(number) => number.to_string(),
            Self::Flag(true) => "yes".to_owned(),
            Self::Flag(false) => "no".to_owned(),
            Self::Mode(mode) => format!("{mode:04o}"),
            Self::Day(at) => {
                let mut text = String::new();
                output::push_date(&mut text, *at);
                text
            }
            Self::Distance(distance) => output::distance(*distance),
            Self::Named(kind, which) => format!("{kind}-{which}"),
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Words(words) => json!(words),
            Self::Number(number) => json!(number),
            Self::Flag(flag) => json!(flag),
            other => json!(other.text()),
        }
    }
}

/// The names that stand for others: the same one for the same, as long as one report is made.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<(&'static str, String)>);

impl Names {
    /// What stands for this name.
    pub(super) fn of(&mut self, kind: &'static str, name: &str) -> Cell {
        let known = self.0.iter().position(|(k, n)| *k == kind && n == name);
        let at = known.unwrap_or_else(|| {
            self.0.push((kind, name.to_owned()));
            self.0.len() - 1
        });
        let which = self.0[..=at].iter().filter(|(k, _)| *k == kind).count();
        Cell::Named(kind, which)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_is_called_the_same_and_no_other_is() {
        let mut names = Names::default();
        let acme = names.of("instance", "acme");
        assert_eq!(acme, Cell::Named("instance", 1));
        assert_eq!(names.of("user", "acme"), Cell::Named("user", 1));
        assert_eq!(names.of("instance", "other").text(), "instance-2");
        assert_eq!(names.of("instance", "acme"), acme);
    }

    #[test]
    fn values_are_shown_for_people_and_for_programs() {
        for (cell, text, json) in [
            (Cell::None, "", Value::Null),
            (Cell::Words(vec!["a", "b"]), "a b", json!(["a", "b"])),
            (Cell::Flag(true), "yes", json!(true)),
            (Cell::Mode(0o600), "0600", json!("0600")),
            (Cell::Number(-1), "-1", json!(-1)),
            (Cell::Distance(SignedDuration::from_secs(-90)), "2 min ago", json!("2 min ago")),
            (Cell::Day("2026-11-23T23:59:59Z".parse().unwrap()), "2026-11-23", json!("2026-11-23")),
        ] {
            assert_eq!((cell.text().as_str(), cell.json()), (text, json));
        }
    }
}
