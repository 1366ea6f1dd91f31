//! The clipboard of the desktop, by the system's own program, fed by its standard input.

use std::io::ErrorKind;

use crate::errand::fed;
use crate::errand::find;
use crate::variables;
use crate::world::Environment;

/// A program that puts text on the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clipboard {
    program: &'static str,
    set: &'static [&'static str],
    clear: &'static [&'static str],
}

/// It could not be put there.
#[derive(Debug, thiserror::Error)]
#[error("{program}: {why}")]
pub struct ClipboardError {
    program: &'static str,
    why: String,
}

const WAYLAND: Clipboard =
    Clipboard { program: "wl-copy", set: &["--type", "text/plain"], clear: &["--clear"] };
const XCLIP: Clipboard = Clipboard {
    program: "xclip",
    set: &["-selection", "clipboard", "-in"],
    clear: &["-selection", "clipboard", "-in"],
};
const XSEL: Clipboard = Clipboard {
    program: "xsel",
    set: &["--clipboard", "--input"],
    clear: &["--clipboard", "--clear"],
};
const MAC: Clipboard = Clipboard { program: "pbcopy", set: &[], clear: &[] };
const WINDOWS: Clipboard = Clipboard { program: "clip.exe", set: &[], clear: &[] };

impl Clipboard {
    /// The program that fits this desktop, if it is installed.
    pub fn find(environment: &Environment) -> Option<Self> {
        let mut candidates = Vec::new();
        if cfg!(target_os = "macos") {
            candidates.push(MAC);
        }
        if environment.get(&variables::WAYLAND_DISPLAY).is_some() {
            candidates.push(WAYLAND);
        }
        if environment.get(&variables::DISPLAY).is_some() {
            candidates.extend([XCLIP, XSEL]);
        }
        // Also in a Linux that runs inside Windows.
        candidates.push(WINDOWS);
        candidates.into_iter().find(|one| find(one.program).is_some())
    }

    /// What it is called.
    pub fn program(self) -> &'static str {
        self.program
    }

    /// Puts a text there.
    ///
    /// # Errors
    /// If the program fails.
    pub fn set(self, text: &str) -> Result<(), ClipboardError> {
        self.run(self.set, text)
    }

    /// Empties it.
    ///
    /// # Errors
    /// If the program fails.
    pub fn clear(self) -> Result<(), ClipboardError> {
        self.run(self.clear, "")
    }

    fn run(self, arguments: &[&str], input: &str) -> Result<(), ClipboardError> {
        let failed = |why: crate::errand::ErrandError| ClipboardError {
            program: self.program,
            why: why.to_string(),
        };
        let gone = || failed(crate::errand::ErrandError::NotStarted(ErrorKind::NotFound.into()));
        let program = find(self.program).ok_or_else(gone)?;
        fed::leave(&program, arguments, input).map_err(failed)
    }
}
