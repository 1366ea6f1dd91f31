//! The passphrase of a sealed profile: from a file, from the environment's file, or from a person.

use std::path::Path;

use snowtoken::core::diagnosis::{Code, Diagnose, Hint};
use snowtoken::core::secret::Secret;
use snowtoken::variables;

use crate::app::App;
use crate::report::Failure;
use crate::terminal;

/// A sealed file travels, and whoever finds it may try as long as they like.
const SHORTEST: usize = 10;

/// A new passphrase, typed twice.
pub(super) fn new(app: &App, file: Option<&Path>) -> Result<Secret, Failure> {
    let given = given(app, file)?;
    strong(given.map_or_else(|| twice(app), Ok)?)
}

/// The passphrase, if it is long enough.
pub(crate) fn strong(passphrase: Secret) -> Result<Secret, Failure> {
    if passphrase.expose().chars().count() < SHORTEST {
        let text = format!("the passphrase is shorter than {SHORTEST} characters");
        return Err(Failure::told(Code::Usage, text).with_hint(Hint::note(
            "whoever finds the file may try without end: take four words or more that belong to no sentence",
        )));
    }
    Ok(passphrase)
}

/// Typed twice.
pub(crate) fn twice(app: &App) -> Result<Secret, Failure> {
    let first = ask(app, "New passphrase for the sealed file: ")?;
    if ask(app, "The same passphrase again: ")? != first {
        return Err(Failure::told(Code::Usage, "the two passphrases differ")
            .with_hint(Hint::note("nothing was changed; repeat the command")));
    }
    Ok(first)
}

/// The passphrase of a file that exists.
pub(super) fn existing(app: &App, file: Option<&Path>) -> Result<Secret, Failure> {
    match given(app, file)? {
        Some(passphrase) => Ok(passphrase),
        None => ask(app, "Passphrase of the sealed file: "),
    }
}

fn given(app: &App, file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    let environment = app.world.environment.path(&variables::EXPORT_PASSPHRASE_FILE);
    file.or(environment.as_deref()).map(from_file).transpose()
}

/// The first line of a file, `-` being standard input.
pub(crate) fn from_file(path: &Path) -> Result<Secret, Failure> {
    let unusable = |why: &str| {
        Failure::told(
            Code::Usage,
            format!("the passphrase cannot be read from {}: {why}", path.display()),
        )
    };
    let passphrase = terminal::first_line(path).map_err(|error| unusable(&error.to_string()))?;
    if passphrase.is_empty() {
        return Err(unusable("its first line is empty"));
    }
    Ok(passphrase)
}

fn ask(app: &App, prompt: &str) -> Result<Secret, Failure> {
    let answer = if app.no_input { None } else { terminal::hidden(prompt) };
    answer.ok_or_else(|| Needed.into())
}

/// The passphrase is missing.
#[derive(Debug, thiserror::Error)]
#[error("the passphrase of the sealed file is needed and nobody can be asked")]
struct Needed;

impl Diagnose for Needed {
    fn code(&self) -> Code {
        Code::InputNeeded
    }

    fn hints(&self) -> Vec<Hint> {
        vec![
            Hint::set("--passphrase-file FILE", "reads it from a file, `-` is standard input"),
            Hint::set(variables::EXPORT_PASSPHRASE_FILE.name, "names such a file"),
        ]
    }
}
