//! The file that is imported: who else can read it, and what becomes of it afterwards.

use std::path::Path;

use snowtoken::core::diagnosis::Code;
use snowtoken::import::Found;
use snowtoken::store::remove_file;
use zeroize::Zeroizing;

use crate::app::App;
use crate::report::Failure;
use crate::{output, terminal};

/// What was said about the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands::profile) enum Wish {
    /// Nothing: whoever sits there is asked.
    Ask,
    /// It stays.
    Keep,
    /// It goes.
    Remove,
}

/// The file as it was read.
pub(super) struct PlainFile<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a Zeroizing<String>,
    pub(super) wish: Wish,
}

impl PlainFile<'_> {
    fn is_piped(&self) -> bool {
        self.path == Path::new("-")
    }

    /// Before anything is done: whoever wants the file removed is told if it cannot be, and everybody
    /// is told who else can read it.
    pub(super) fn look(&self) -> Result<(), Failure> {
        if self.is_piped() {
            return match self.wish {
                Wish::Remove => {
                    Err(Failure::told(Code::Usage, "standard input is no file that can be removed"))
                }
                _ => Ok(()),
            };
        }
        if let Some(mode) = remove_file::readable_by_others(self.path) {
            output::say(format!(
                "warning: others on this machine can read {} (mode {mode:04o}): take its secrets for seen. \
                 A new client secret and a new login make them worthless",
                self.path.display()
            ));
        }
        if self.wish == Wish::Remove {
            remove_file::check(self.path, self.text.as_bytes()).map_err(|error| {
                Failure::from(error)
                    .with_note("nothing was imported; --keep-file imports it as it is")
            })?;
        }
        Ok(())
    }

    /// Afterwards: everything that counts is in the store by now.
    pub(super) fn settle(&self, app: &App, found: &Found, verified: bool) -> Result<(), Failure> {
        if self.is_piped() {
            return Ok(());
        }
        let goes = match self.wish {
            Wish::Remove => true,
            Wish::Keep => false,
            // What the instance has not confirmed may be needed once more.
            Wish::Ask => verified && !app.no_input && self.ask(found),
        };
        let path = self.path.display();
        if !goes {
            output::say(format!("  {path} still holds the secrets in the clear: delete it"));
            return Ok(());
        }
        let written_over = remove_file::remove(self.path, self.text.as_bytes())
            .map_err(|error| Failure::from(error).with_note("the credentials are imported"))?;
        let how = if written_over { "written over and removed" } else { "removed" };
        output::say(format!("  {path} is {how}"));
        output::say(
            "  that is no proof against forensics: solid-state disks, journals, snapshots, backups and editors may \
             keep copies",
        );
        Ok(())
    }

    fn ask(&self, found: &Found) -> bool {
        if remove_file::check(self.path, self.text.as_bytes()).is_err() {
            return false;
        }
        let path = self.path.display();
        let more = match found.others {
            0 => String::new(),
            1 => " It holds another value that was not taken over.".to_owned(),
            many => format!(" It holds {many} other values that were not taken over."),
        };
        let prompt = format!(
            "{path} still holds the secrets in the clear.{more} Does nothing else read it? Remove it now? [y/N] "
        );
        let answer = terminal::answer(&prompt);
        answer.is_some_and(|answer| matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}
