//! Tokens that exist only in memory, because the store stopped taking them while somebody signed in.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::login::LoggedIn;

use super::Arrival;
use crate::commands::deliver;
use crate::report::Failure;
use crate::{output, terminal};

impl Arrival<'_> {
    /// The store was fine before the browser opened and is not now. The tokens exist only here.
    pub(super) fn rescue(&self, done: &LoggedIn, failure: &Failure) -> Result<ExitCode, Failure> {
        output::say_part(failure.text(output::is_lively()));
        output::say("The tokens are not lost yet: they are in memory and nowhere else.");
        loop {
            let path = match &self.output {
                Some(path) => Some(beside(path)),
                None if self.app.no_input => None,
                None => terminal::answer(
                    "Write them to another place, as a plain file only you can read: ",
                )
                .map(PathBuf::from),
            };
            let code = failure.code().unwrap_or(Code::StoreUnreadable);
            let Some(path) = path else {
                return Err(Failure::told(
                    code,
                    "the tokens could not be stored anywhere and are lost with this program; the earlier ones are kept",
                ));
            };
            match deliver::write(&path, &self.credentials(done)) {
                Ok(()) => {
                    let text = format!("the tokens are in {} and not in the store", path.display());
                    let import = format!("snowtoken profile import {}", path.display());
                    return Err(Failure::told(code, text).with_hint(Hint::run(
                        import,
                        "takes them over once the store can be written again",
                    )));
                }
                Err(error) if self.output.is_some() => return Err(error),
                Err(error) => output::say_part(error.text(output::is_lively())),
            }
        }
    }
}

/// A place for tokens that could not be stored: a file that was delivered earlier stays as it is.
fn beside(path: &Path) -> PathBuf {
    if !path.exists() {
        return path.to_owned();
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".rescued");
    path.with_file_name(name)
}
