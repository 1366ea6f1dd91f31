//! Where somebody stopped, kept between two runs. No secret is in it.

use std::path::PathBuf;

use snowtoken::home::Home;
use snowtoken::store::write_file;

use crate::steps::{Journey, Step};

/// A journey is a few hundred bytes.
const LARGEST: u64 = 64 * 1024;

/// The file beside the configuration.
pub(super) struct Memory(PathBuf);

impl Memory {
    pub(super) fn beside(home: &Home) -> Self {
        Self(home.config_file.with_file_name("wizard.json"))
    }

    /// What was written last; whatever cannot be read is nothing to go on from.
    pub(super) fn read(&self) -> Option<Journey> {
        let text = write_file::read_text(&self.0, LARGEST).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// A journey that cannot be kept goes on all the same: it only ends with the program.
    pub(super) fn write(&self, journey: &Journey) {
        if journey.step == Step::Target && journey.target.is_none() {
            self.forget();
            return;
        }
        let text = serde_json::to_string(journey).unwrap_or_default();
        if let Err(error) = write_file::remember(&self.0, text.as_bytes()) {
            log::warn!("where the wizard is cannot be kept: {error}");
        }
    }

    /// Nothing to go on from.
    pub(super) fn forget(&self) {
        if let Err(error) = write_file::remember(&self.0, b"{}\n") {
            log::debug!("nothing to forget: {error}");
        }
    }
}
