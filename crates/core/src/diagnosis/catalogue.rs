//! Every diagnosis there is: stable code, what is seen, cause, proof, fix, who. The reference pages,
//! `explain` and the hints of a failure all come from this one table, whose parts follow a token's
//! life. Each part hands its entries to the next; the last one makes the enum and the list of them.

use std::borrow::Cow;
use std::fmt;

use super::{Blame, Hint, Outcome};

#[macro_use]
mod input;
#[macro_use]
mod consent;
#[macro_use]
mod token;
#[macro_use]
mod setup;
#[macro_use]
mod record;
#[macro_use]
mod road;
#[macro_use]
mod api;
#[macro_use]
mod life;
#[macro_use]
mod delivery;
#[macro_use]
mod consumer;
#[macro_use]
mod machine;

/// One diagnosis, as the reference shows it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The stable code, lower-case words with hyphens.
    pub code: &'static str,
    /// One line: what happened.
    pub title: &'static str,
    /// Who can mend it.
    pub blame: Blame,
    /// What it means to a script.
    pub outcome: Outcome,
    /// What stands on the screen or in a log; empty where it is our own message only.
    pub seen: &'static str,
    /// Why it happens.
    pub cause: &'static str,
    /// How we can tell.
    pub proof: &'static str,
    /// What to do, most helpful first.
    pub fixes: &'static [Fix],
    /// Who can do it.
    pub who: &'static str,
    /// Texts that betray it in raw input, lower-case. ` + ` stands between texts that must all be
    /// there; one that begins with `~` also stands in other texts, so it makes a guess only.
    pub signs: &'static [&'static str],
    /// How to see it happen where nothing is real.
    pub rehearsal: Rehearsal,
    /// Where the knowledge comes from.
    pub source: &'static str,
}

/// How to see a failure happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rehearsal {
    /// `snowtoken rehearse --yes` ends with it when these knobs are turned (`name=value`).
    Knobs(&'static [&'static str]),
    /// This command ends with it in an empty home.
    Command(&'static str),
    /// More is needed than that: the test of this name provokes it.
    Test(&'static str),
    /// Nothing here can provoke it, for this reason.
    Never(&'static str),
    /// Nobody said: a test that names the code provokes it.
    Untold,
}

/// A step of a fix, as static text.
#[derive(Debug, Clone, Copy)]
pub enum Fix {
    /// A command and why.
    Run(&'static str, &'static str),
    /// A place in the instance and why.
    Visit(&'static str, &'static str),
    /// A property and to what.
    Set(&'static str, &'static str),
    /// A sentence.
    Note(&'static str),
}

impl Entry {
    /// What stands on the screen or in a log.
    pub fn seen(&self) -> Cow<'static, str> {
        if self.seen.is_empty() {
            let own = "A message of snowtoken's own that ends with the line";
            return format!("{own} `code: {}`.", self.code).into();
        }
        self.seen.into()
    }

    /// The fixes as hints.
    pub fn hints(&self) -> Vec<Hint> {
        self.fixes
            .iter()
            .map(|fix| match *fix {
                Fix::Run(command, why) => Hint::run(command, why),
                Fix::Visit(place, why) => Hint::visit(place, why),
                Fix::Set(property, why) => Hint::set(property, why),
                Fix::Note(text) => Hint::note(text),
            })
            .collect()
    }
}

impl Rehearsal {
    /// The command line that shows it, where there is one.
    pub fn command(self) -> Option<String> {
        match self {
            Self::Knobs(knobs) => {
                let words = knobs.iter().flat_map(|knob| ["--knob", knob]);
                let words: Vec<&str> =
                    ["snowtoken", "rehearse", "--yes"].into_iter().chain(words).collect();
                Some(words.join(" "))
            }
            Self::Command(command) => Some(command.to_owned()),
            Self::Test(_) | Self::Never(_) | Self::Untold => None,
        }
    }
}

macro_rules! rehearsal {
    () => {
        Rehearsal::Untold
    };
    ($told:expr) => {
        $told
    };
}

macro_rules! catalogue {
    ([] $($variant:ident = $code:literal, $title:literal, $blame:ident, $outcome:ident {
        $(seen: $seen:literal,)?
        cause: $cause:literal,
        proof: $proof:literal,
        fixes: [$($fix:expr),* $(,)?],
        who: $who:literal,
        signs: [$($sign:literal),* $(,)?],
        $(rehearsal: $rehearsal:expr,)?
        source: $source:literal $(,)?
    })*) => {
        /// A stable diagnosis code: names never change their meaning once released.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $title] $variant),* }

        /// Every diagnosis, in the order of a token's life.
        pub const CATALOGUE: &[(Code, Entry)] = &[$((Code::$variant, Entry {
            code: $code,
            title: $title,
            blame: Blame::$blame,
            outcome: Outcome::$outcome,
            seen: concat!("" $(, $seen)?),
            cause: $cause,
            proof: $proof,
            fixes: &[$($fix),*],
            who: $who,
            signs: &[$($sign),*],
            rehearsal: rehearsal!($($rehearsal)?),
            source: $source,
        })),*];
    };
}

use Fix::{Note, Run, Set, Visit};
use Rehearsal::{Command, Knobs, Never, Test};

input_entries! { [setup_entries record_entries consent_entries token_entries road_entries api_entries life_entries
delivery_entries consumer_entries machine_entries catalogue] }

impl Code {
    /// Its entry in the catalogue.
    pub fn entry(self) -> &'static Entry {
        // The table is written by the same macro as the enum, in the same order.
        &CATALOGUE[self as usize].1
    }

    /// The code as it is printed.
    pub fn as_str(self) -> &'static str {
        self.entry().code
    }

    /// The code of that name.
    pub fn find(name: &str) -> Option<Self> {
        CATALOGUE.iter().find(|(_, entry)| entry.code == name).map(|(code, _)| *code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_words_and_stand_at_their_own_place() {
        for (index, (code, entry)) in CATALOGUE.iter().enumerate() {
            assert_eq!(*code as usize, index);
            assert_eq!(Code::find(entry.code), Some(*code));
            assert!(
                entry.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{}",
                entry.code
            );
            assert!(!entry.fixes.is_empty(), "{} has no fix", entry.code);
            assert!(entry.signs.iter().all(|sign| *sign == sign.to_lowercase()), "{}", entry.code);
        }
    }
}
