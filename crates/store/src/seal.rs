//! Sealing: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), a key per row (RFC 5869, SHA-256), and the
//! place of the value as associated data.
//!
//! A sealed value is `version (1 byte) | nonce (24, random) | ciphertext | tag (16)`. It opens only
//! at the very place it was sealed for: table, profile, generation, instance, client, column and the
//! plain values bound to it. A value that was moved, swapped or changed by a single bit does not open.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use snowtoken_core::secret::Secret;

use crate::error::{Result, StoreError};

/// The form of a sealed value.
const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// 32 bytes of key, wiped when dropped.
pub type KeyBytes = Zeroizing<[u8; 32]>;

/// The row a value belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The profile.
    pub profile: &'a str,
    /// The generation, 0 where there is none.
    pub generation: u64,
    /// The instance the row belongs to, empty where there is none.
    pub instance: &'a str,
    /// The client the row belongs to, empty where there is none.
    pub client_id: &'a str,
}

/// The value is not what was sealed here, or was sealed with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open")]
pub struct NotOpened;

/// Seals and opens with one key.
pub struct Sealer {
    key: KeyBytes,
    fingerprints: KeyBytes,
}

impl Sealer {
    /// With a key that was used before.
    pub fn new(key: KeyBytes) -> Self {
        let fingerprints = derive(&key, &[b"fingerprint"]);
        Self { key, fingerprints }
    }

    /// With a new key.
    pub fn random() -> Result<Self> {
        Ok(Self::new(random()?))
    }

    /// The key, to be sealed by another.
    pub(crate) fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Seals `plain` for this place and column, and binds it to the plain values `bound`.
    pub fn seal(
        &self,
        place: &Place<'_>,
        column: &str,
        bound: &[&str],
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| StoreError::NoEntropy)?;
        let mut sealed = Vec::with_capacity(1 + NONCE + plain.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let sealing = self.cipher(place).encrypt_inout_detached(
            &XNonce::from(nonce),
            &associated(place, column, bound),
            sealed[1 + NONCE..].as_mut().into(),
        );
        let Ok(tag) = sealing else {
            sealed.zeroize();
            return Err(StoreError::Bug("a value is too long to be sealed".into()));
        };
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what [`seal`](Self::seal) made for the very same place, column and bound values.
    pub fn open(
        &self,
        place: &Place<'_>,
        column: &str,
        bound: &[&str],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let (version, rest) = sealed.split_first().ok_or(NotOpened)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(NotOpened)?;
        let (text, tag) = rest.split_last_chunk::<TAG>().ok_or(NotOpened)?;
        if *version != VERSION {
            return Err(NotOpened);
        }
        let mut plain = Zeroizing::new(text.to_vec());
        self.cipher(place)
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                &associated(place, column, bound),
                plain.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .map_err(|_| NotOpened)?;
        Ok(plain)
    }

    /// A keyed hash (HMAC-SHA256 under a key of its own): the same bytes give the same value, and
    /// the value tells nothing about them to whoever lacks the key.
    pub fn fingerprint(&self, bytes: &[u8]) -> [u8; 32] {
        // RFC 5869 §2.2: extract is HMAC-SHA256 with the salt as key.
        Hkdf::<Sha256>::extract(Some(self.fingerprints.as_slice()), bytes).0.into()
    }

    fn cipher(&self, place: &Place<'_>) -> XChaCha20Poly1305 {
        let generation = place.generation.to_be_bytes();
        let key = derive(
            &self.key,
            &[b"row", place.table.as_bytes(), place.profile.as_bytes(), &generation],
        );
        XChaCha20Poly1305::new((&*key).into())
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

/// 32 bytes of the system's dice.
pub(crate) fn random() -> Result<KeyBytes> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(|_| StoreError::NoEntropy)?;
    Ok(key)
}

/// A key for one purpose. The parts are length-prefixed, so that no two lists give the same.
pub(crate) fn derive(key: &[u8; 32], purpose: &[&[u8]]) -> KeyBytes {
    let mut info = b"snowtoken store v1".to_vec();
    for part in purpose {
        append(&mut info, part);
    }
    let mut okm = Zeroizing::new([0; 32]);
    // Expanding fails for more than 255 blocks only, and this is one.
    let expanded = Hkdf::<Sha256>::new(None, key).expand(&info, okm.as_mut_slice());
    debug_assert!(expanded.is_ok());
    okm
}

/// Opened bytes as secret text; the buffer is moved, not copied.
pub(crate) fn text(mut plain: Zeroizing<Vec<u8>>) -> Result<Secret, NotOpened> {
    String::from_utf8(std::mem::take(&mut *plain)).map(Secret::new).map_err(|failed| {
        failed.into_bytes().zeroize();
        NotOpened
    })
}

fn associated(place: &Place<'_>, column: &str, bound: &[&str]) -> Vec<u8> {
    let mut data = vec![VERSION];
    data.extend_from_slice(&place.generation.to_be_bytes());
    for part in [place.table, place.profile, column, place.instance, place.client_id] {
        append(&mut data, part.as_bytes());
    }
    for part in bound {
        append(&mut data, part.as_bytes());
    }
    data
}

fn append(to: &mut Vec<u8>, part: &[u8]) {
    to.extend_from_slice(&(part.len() as u64).to_be_bytes());
    to.extend_from_slice(part);
}

#[cfg(test)]
mod tests;
