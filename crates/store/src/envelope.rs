//! A profile on its way to another machine: one text file, sealed, with a header that anybody may
//! read and nobody can change.
//!
//! ```text
//! -----BEGIN SNOWTOKEN SEALED PROFILE-----
//! Version: 1
//! Profile: dev
//! Created: 2026-11-23T15:00:00Z
//! Lease: 00112233445566778899aabbccddeeff
//! Sealed-By: passphrase (argon2id m=65536 t=3 p=1 salt=…)
//!
//! base64 of the sealed content, 64 characters a line
//!
//! Checksum: SHA-256 of everything above, as hex
//! -----END SNOWTOKEN SEALED PROFILE-----
//! ```
//!
//! - `Sealed-By: passphrase`: Argon2id (RFC 9106) and [`crate::seal`]; the header is associated
//!   data. `Sealed-By: age`: the content is a file of the `age` program, whose plaintext begins with
//!   the header ([`Envelope::of_age`]).
//! - The checksum tells an accident (cut, or garbled on the way) from a wrong passphrase before
//!   anything costly is done. It protects from nobody: what does is the seal.
//! - There is one way to write a file: whatever differs from it is refused. Only line ends may be
//!   those of another system.

mod armour;
mod error;

use std::fmt;

use jiff::Timestamp;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::secret::Secret;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::key::Costs;
use crate::seal::{KeyBytes, NotOpened, Place, Sealer};

pub use error::EnvelopeError;

/// Nothing longer is read, in bytes.
pub const LARGEST: usize = 1024 * 1024;

/// The number of a hand-over: random, so that two never have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease([u8; 16]);

impl Lease {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| StoreError::NoEntropy)?;
        Ok(Self(bytes))
    }

    /// The number in 32 characters of lower-case hex; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 32 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |hex: u8| match hex {
                b'0'..=b'9' => Some(hex - b'0'),
                b'a'..=b'f' => Some(hex - b'a' + 10),
                _ => None,
            };
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What anybody may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The profile's name where it comes from.
    pub profile: ProfileName,
    /// When it was sealed. The machine it comes from notes the same moment.
    pub created: Timestamp,
    /// Which hand-over it is.
    pub lease: Lease,
}

/// What opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealedBy {
    /// A passphrase.
    Passphrase(Costs),
    /// An identity of the `age` program.
    Age,
}

/// A sealed file, read or to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    header: Header,
    sealed_by: SealedBy,
    body: Vec<u8>,
}

/// A key that was made from a new passphrase. It takes a moment to make.
pub struct PassphraseKey {
    key: KeyBytes,
    costs: Costs,
}

impl fmt::Debug for PassphraseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassphraseKey").field("costs", &self.costs).finish_non_exhaustive()
    }
}

impl PassphraseKey {
    /// Derives the key, with a new salt.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn new(passphrase: &Secret) -> Result<Self, StoreError> {
        let costs = Costs::recommended()?;
        Ok(Self { key: costs.derive(passphrase)?, costs })
    }
}

impl Envelope {
    /// Whether the text means to be such a file, whole or not.
    pub fn recognises(text: &str) -> bool {
        text.contains(armour::BEGIN) || text.contains(armour::END)
    }

    /// Reads the text. Nothing is opened, and nothing costly is done.
    ///
    /// # Errors
    /// [`EnvelopeError`], each for one kind of text.
    pub fn parse(text: &str) -> Result<Self, EnvelopeError> {
        armour::read(text)
    }

    /// The text, ready to be written to a file.
    pub fn text(&self) -> String {
        armour::write(self)
    }

    /// What anybody may read.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What opens it.
    pub fn sealed_by(&self) -> &SealedBy {
        &self.sealed_by
    }

    /// Seals the content with the key of a passphrase.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn seal(header: Header, key: &PassphraseKey, plain: &[u8]) -> Result<Self, StoreError> {
        let sealed_by = SealedBy::Passphrase(key.costs.clone());
        let lines = armour::header(&header, &sealed_by);
        let body = Sealer::new(key.key.clone()).seal(&PLACE, "content", &[&lines], plain)?;
        Ok(Self { header, sealed_by, body })
    }

    /// Opens what [`Envelope::seal`] made.
    ///
    /// # Errors
    /// [`EnvelopeError::NotOpened`] with another passphrase; [`EnvelopeError::TooCostly`] if it asks
    /// for more memory or time than a file from elsewhere may.
    pub fn open(&self, passphrase: &Secret) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let SealedBy::Passphrase(costs) = &self.sealed_by else {
            return Err(EnvelopeError::ForIdentity);
        };
        // Whoever wrote the file chose these numbers.
        if !costs.are_modest() {
            return Err(EnvelopeError::TooCostly);
        }
        let key = costs.derive(passphrase).map_err(|_| EnvelopeError::TooCostly)?;
        let lines = armour::header(&self.header, &self.sealed_by);
        Sealer::new(key)
            .open(&PLACE, "content", &[&lines], &self.body)
            .map_err(|NotOpened| EnvelopeError::NotOpened)
    }

    /// What `age` is to encrypt: the header first, so that it cannot be exchanged.
    pub fn plain_for_age(header: &Header, plain: &[u8]) -> Zeroizing<Vec<u8>> {
        let lines = armour::header(header, &SealedBy::Age);
        let mut all = Zeroizing::new(Vec::with_capacity(lines.len() + plain.len()));
        all.extend_from_slice(lines.as_bytes());
        all.extend_from_slice(plain);
        all
    }

    /// A file around what `age` made of [`Envelope::plain_for_age`].
    pub fn of_age(header: Header, body: Vec<u8>) -> Self {
        Self { header, sealed_by: SealedBy::Age, body }
    }

    /// What is sealed, for `age` to open; `None` if a passphrase opens it.
    pub fn for_age(&self) -> Option<&[u8]> {
        (self.sealed_by == SealedBy::Age).then_some(&self.body)
    }

    /// The content of what `age` opened.
    ///
    /// # Errors
    /// [`EnvelopeError::Damaged`] if it does not begin with this very header.
    pub fn content_from_age(&self, opened: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let lines = armour::header(&self.header, &SealedBy::Age);
        match opened.strip_prefix(lines.as_bytes()) {
            Some(content) => Ok(Zeroizing::new(content.to_vec())),
            None => Err(EnvelopeError::Damaged("its header belongs to another file")),
        }
    }
}

/// Sealed files have no place in a table; the header stands in for it.
const PLACE: Place<'static> =
    Place { table: "sealed profile", profile: "", generation: 0, instance: "", client_id: "" };

#[cfg(test)]
mod tests;
