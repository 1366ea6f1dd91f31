//! Why a sealed file does not open.

use snowtoken_core::diagnosis::{Code, Diagnose};

/// Why a sealed file does not open. Nothing was changed by trying.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Longer than any such file.
    #[error("the sealed file is longer than {} KiB: it is no profile", super::LARGEST / 1024)]
    TooLarge,
    /// Its end is not there.
    #[error("the sealed file ends too early: its last line is not there")]
    Truncated,
    /// Not what was written.
    #[error("the sealed file is damaged: {0}")]
    Damaged(&'static str),
    /// Written by a newer version.
    #[error("the sealed file has form {found}; this version knows form {known}")]
    Newer {
        /// Its form.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// It wants more memory or time for the passphrase than a file from elsewhere may.
    #[error("the sealed file asks for memory or time that no file of this program asks for")]
    TooCostly,
    /// Another passphrase, or somebody changed it on purpose.
    #[error("this passphrase does not open the sealed file")]
    NotOpened,
    /// An identity of `age` opens it, no passphrase.
    #[error("the sealed file is for an age recipient: no passphrase opens it")]
    ForIdentity,
    /// It opened, and what is in it makes no sense.
    #[error("the sealed file opened, and its content cannot be used: {0}")]
    Content(String),
}

impl Diagnose for EnvelopeError {
    fn code(&self) -> Code {
        match self {
            Self::TooLarge
            | Self::Truncated
            | Self::Damaged(_)
            | Self::TooCostly
            | Self::Content(_) => Code::SealedFileDamaged,
            Self::Newer { .. } => Code::SealedFileNewer,
            Self::NotOpened | Self::ForIdentity => Code::SealedFileNotOpened,
        }
    }
}
