//! A file of facts, read again: the knobs that it sets.

use std::collections::BTreeMap;

use serde::Deserialize;
use snowtoken_core::probe::Unknown;
use snowtoken_core::probe::facts::VERSION;

/// A file of facts that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// It is no TOML, or has another form.
    #[error("it is no file of facts: {0}")]
    Form(String),
    /// It was written by a newer version.
    #[error("it has form {0}; this version knows form {VERSION}")]
    Newer(u32),
    /// A fact that nobody asks about, or a knob that does not belong to it.
    #[error("it holds an unknown fact \"{0}\"")]
    Unknown(String),
}

#[derive(Deserialize)]
struct File {
    version: u32,
    #[serde(default)]
    fact: Vec<Fact>,
}

#[derive(Deserialize)]
struct Fact {
    name: String,
    #[serde(default)]
    knobs: BTreeMap<String, String>,
}

/// The knobs that a file of facts sets, in its order.
///
/// # Errors
/// See [`FactsError`].
pub fn knobs(text: &str) -> Result<Vec<(String, String)>, FactsError> {
    let file: File = toml_edit::de::from_str(text).map_err(|error| {
        FactsError::Form(error.message().lines().next().unwrap_or_default().to_owned())
    })?;
    if file.version > VERSION {
        return Err(FactsError::Newer(file.version));
    }
    let mut knobs = Vec::new();
    for fact in file.fact {
        let unknown =
            Unknown::find(&fact.name).ok_or_else(|| FactsError::Unknown(fact.name.clone()))?;
        for (name, value) in fact.knobs {
            if !unknown.knobs.contains(&name.as_str()) {
                return Err(FactsError::Unknown(format!("{}: {name}", fact.name)));
            }
            knobs.push((name, value));
        }
    }
    Ok(knobs)
}
