//! Knobs: every way in which this pretend instance can differ from its default, as named values.

mod knobs;

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use knobs::*;

/// One knob: a name, the values it takes, and what it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Knob {
    /// The name, such as `refresh.token`.
    pub name: &'static str,
    /// What the knob can be set to.
    pub values: Values,
    /// The value it has when nothing is set.
    pub default: &'static str,
    /// The section of the knowledge on ServiceNow (or the RFC) that it comes from.
    pub source: &'static str,
    /// One sentence for people.
    pub doc: &'static str,
}

/// The values a [`Knob`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Exactly one of these words.
    OneOf(&'static [&'static str]),
    /// A whole number of the named unit, not negative.
    Number(&'static str),
    /// Any text; the words say which makes sense.
    Text(&'static str),
}

impl fmt::Display for Values {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(words) => formatter.write_str(&words.join(" | ")),
            Self::Number(unit) => write!(formatter, "<{unit}>"),
            Self::Text(what) => write!(formatter, "<{what}>"),
        }
    }
}

/// Why a knob could not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BehaviourError {
    /// No knob has this name; the closest name is offered where there is one.
    #[error("no knob is called `{name}`{}", nearest.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default())]
    UnknownKnob {
        /// The name that was given.
        name: String,
        /// The knob whose name is most like it.
        nearest: Option<&'static str>,
    },
    /// The knob exists but does not take this value.
    #[error("the knob `{name}` takes {values}, not `{value}`")]
    WrongValue {
        /// The knob's name.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// What it takes.
        values: Values,
    },
    /// The text is not of the form `name=value`.
    #[error("`{text}` is not of the form name=value")]
    NotAnAssignment {
        /// The text that was given.
        text: String,
    },
}

/// How a pretend instance behaves: one value for each [`Knob`].
///
/// The default is unkind where ServiceNow is strict: state is required, redirect URIs are compared
/// character by character, parameters are taken from the body only.
///
/// ```
/// # use snowtoken_stand_in::Behaviour;
/// let mut behaviour = Behaviour::default();
/// behaviour.set("refresh.token", "omit")?;
/// behaviour.assign("lifespan.access=60")?;
/// assert_eq!(behaviour.get("refresh.token"), Some("omit"));
/// # Ok::<(), snowtoken_stand_in::BehaviourError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behaviour {
    chosen: BTreeMap<&'static str, String>,
}

impl Behaviour {
    /// Every knob there is, in the order in which documentation should list them.
    pub fn knobs() -> &'static [Knob] {
        ALL
    }

    /// Sets one knob. Errors when there is no such knob, or when it does not take this value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), BehaviourError> {
        let knob = find(name).ok_or_else(|| BehaviourError::UnknownKnob {
            name: name.to_owned(),
            nearest: nearest(name),
        })?;
        if !knob.takes(value) {
            return Err(BehaviourError::WrongValue {
                name: knob.name,
                value: value.to_owned(),
                values: knob.values,
            });
        }
        if value == knob.default {
            self.chosen.remove(knob.name);
        } else {
            self.chosen.insert(knob.name, value.to_owned());
        }
        Ok(())
    }

    /// Sets one knob from a text of the form `name=value`.
    pub fn assign(&mut self, text: &str) -> Result<(), BehaviourError> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| BehaviourError::NotAnAssignment { text: text.to_owned() })?;
        self.set(name.trim(), value.trim())
    }

    /// The value of a knob by name; `None` when there is no such knob.
    pub fn get(&self, name: &str) -> Option<&str> {
        let knob = find(name)?;
        Some(self.chosen.get(knob.name).map_or(knob.default, String::as_str))
    }

    /// The knobs that differ from their defaults, as (name, value), sorted by name.
    pub fn changed(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.chosen.iter().map(|(name, value)| (*name, value.as_str()))
    }

    pub(crate) fn text(&self, knob: &Knob) -> &str {
        self.chosen.get(knob.name).map_or(knob.default, String::as_str)
    }

    pub(crate) fn is(&self, knob: &Knob, value: &str) -> bool {
        debug_assert!(knob.takes(value), "{} never is {value}", knob.name);
        self.text(knob) == value
    }

    pub(crate) fn on(&self, knob: &Knob) -> bool {
        self.is(knob, "on")
    }

    pub(crate) fn number(&self, knob: &Knob) -> u64 {
        self.text(knob).parse().unwrap_or(0)
    }
}

impl Knob {
    fn takes(&self, value: &str) -> bool {
        match self.values {
            Values::OneOf(words) => words.contains(&value),
            Values::Number(_) => value.len() <= 12 && value.parse::<u64>().is_ok(),
            Values::Text(_) => value.len() <= 200 && !value.contains(['\r', '\n']),
        }
    }
}

fn find(name: &str) -> Option<&'static Knob> {
    ALL.iter().find(|knob| knob.name == name)
}

/// The knob whose name shares the longest beginning or ending with what was typed.
fn nearest(name: &str) -> Option<&'static str> {
    let likeness = |knob: &&Knob| {
        let front = knob.name.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
        let back =
            knob.name.chars().rev().zip(name.chars().rev()).take_while(|(a, b)| a == b).count();
        front.max(back)
    };
    ALL.iter().max_by_key(likeness).filter(|knob| likeness(knob) >= 3).map(|knob| knob.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_and_every_name_is_unique() {
        for (index, knob) in ALL.iter().enumerate() {
            assert!(knob.takes(knob.default), "{}", knob.name);
            assert!(!knob.doc.is_empty() && !knob.source.is_empty(), "{}", knob.name);
            assert!(ALL[index + 1..].iter().all(|other| other.name != knob.name), "{}", knob.name);
        }
    }

    #[test]
    fn wrong_names_and_values_are_refused_with_a_hint() {
        let mut behaviour = Behaviour::default();
        let unknown = behaviour.set("refresh.tokn", "omit").unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "no knob is called `refresh.tokn`, did you mean `refresh.token`?"
        );
        let wrong = behaviour.set("state.required", "maybe").unwrap_err();
        assert_eq!(wrong.to_string(), "the knob `state.required` takes on | off, not `maybe`");
        assert_eq!(
            behaviour.assign("deny").unwrap_err().to_string(),
            "`deny` is not of the form name=value"
        );
        assert_eq!(behaviour, Behaviour::default());
    }
}
