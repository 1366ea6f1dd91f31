//! What carries a sealed text away. A file is complete under another name before this machine gives
//! up, and gets its own name after that.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use snowtoken_store::envelope::LARGEST;
use snowtoken_store::write_file;

use crate::error::Error;

/// The end of the name under which a file waits.
const WAITING: &str = ".part";

/// What carries a sealed text away, in two steps.
pub trait Carrier {
    /// Why it could not.
    type Error: From<Error>;

    /// Where to, for people.
    fn place(&self) -> String;

    /// Makes the whole text durable, as far as it can, where no import looks for it.
    ///
    /// # Errors
    /// If it cannot; then this machine stays the owner.
    fn keep(&mut self, text: &str) -> Result<(), Self::Error>;

    /// Puts it where it is looked for. This machine is not the owner any more.
    ///
    /// # Errors
    /// If it stays where it is.
    fn publish(&mut self) -> Result<(), Self::Error>;

    /// Takes back what was kept, as far as that can be done.
    fn discard(&mut self);

    /// A text that was kept earlier and not published.
    fn waiting(&self) -> Option<String>;
}

/// A file for its owner only, replaced whole or not at all.
#[derive(Debug)]
pub struct FileCarrier {
    path: PathBuf,
    waits_as: PathBuf,
}

impl FileCarrier {
    /// To this file.
    ///
    /// # Errors
    /// If no file could be written there.
    pub fn new(path: PathBuf) -> Result<Self, Error> {
        write_file::check(&path)?;
        let mut name = path.file_name().map(OsString::from).unwrap_or_default();
        name.push(WAITING);
        let waits_as = path.with_file_name(name);
        write_file::check(&waits_as)?;
        Ok(Self { path, waits_as })
    }

    /// Whether a file's name says that its export has not finished.
    pub fn waits(path: &Path) -> bool {
        path.extension().is_some_and(|end| end == &WAITING[1..])
    }
}

impl Carrier for FileCarrier {
    type Error = Error;

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn keep(&mut self, text: &str) -> Result<(), Error> {
        Ok(write_file::replace(&self.waits_as, text.as_bytes())?)
    }

    fn publish(&mut self) -> Result<(), Error> {
        write_file::rename(&self.waits_as, &self.path)
            .map_err(|source| Error::Unnamed { path: self.waits_as.clone(), source })
    }

    fn discard(&mut self) {
        // It is sealed; what cannot be removed does no harm.
        let _ = fs::remove_file(&self.waits_as);
    }

    fn waiting(&self) -> Option<String> {
        let meta = fs::symlink_metadata(&self.waits_as).ok()?;
        let fits = meta.is_file() && meta.len() <= LARGEST as u64;
        fits.then(|| fs::read_to_string(&self.waits_as).ok()).flatten()
    }
}
