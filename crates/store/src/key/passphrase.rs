//! The key from a passphrase: Argon2id (RFC 9106), its costs stored beside the salt.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use snowtoken_core::secret::Secret;
use zeroize::Zeroizing;

use super::encoding;
use crate::error::{Result, StoreError};
use crate::seal::{self, KeyBytes};

/// How a passphrase becomes a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// 32 random bytes as hex.
    salt: String,
    /// Memory in KiB.
    memory_kib: u32,
    /// Passes over it.
    passes: u32,
    /// Lanes.
    lanes: u32,
}

/// Beyond this a file that was tampered with could exhaust the machine.
const MOST_MEMORY_KIB: u32 = 4 * 1024 * 1024;
const MOST_PASSES: u32 = 64;

/// What a file from elsewhere may ask of this machine: four times what we write.
const MODEST_MEMORY_KIB: u32 = 256 * 1024;
const MODEST_PASSES: u32 = 12;
const MODEST_LANES: u32 = 4;

impl Costs {
    /// 64 MiB, 3 passes, 1 lane (RFC 9106 §4, second recommendation, for one core): about 0.15 s.
    pub(crate) fn recommended() -> Result<Self> {
        let salt = encoding::hex(&*seal::random()?).to_string();
        Ok(Self { salt, memory_kib: 64 * 1024, passes: 3, lanes: 1 })
    }

    /// Whether somebody else may ask this of our machine.
    pub(crate) fn are_modest(&self) -> bool {
        self.memory_kib <= MODEST_MEMORY_KIB
            && self.passes <= MODEST_PASSES
            && self.lanes <= MODEST_LANES
    }

    /// As words that a person may read.
    pub(crate) fn words(&self) -> String {
        let Self { salt, memory_kib, passes, lanes } = self;
        format!("argon2id m={memory_kib} t={passes} p={lanes} salt={salt}")
    }

    /// The words read back; `None` for any others.
    pub(crate) fn parse(words: &str) -> Option<Self> {
        let mut words = words.split(' ');
        (words.next()? == "argon2id").then_some(())?;
        let mut value = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=');
        let costs = Self {
            memory_kib: value("m")?.parse().ok()?,
            passes: value("t")?.parse().ok()?,
            lanes: value("p")?.parse().ok()?,
            salt: value("salt")?.to_owned(),
        };
        words.next().is_none().then_some(costs)
    }

    /// The key; the same passphrase gives the same.
    pub(crate) fn derive(&self, passphrase: &Secret) -> Result<KeyBytes> {
        let damaged = || StoreError::damaged("the costs of the passphrase make no sense");
        if self.memory_kib > MOST_MEMORY_KIB || self.passes > MOST_PASSES {
            return Err(damaged());
        }
        let salt = encoding::key(self.salt.as_bytes()).ok_or_else(damaged)?;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| damaged())?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), &*salt, key.as_mut_slice())
            .map_err(|error| match error {
                argon2::Error::OutOfMemory => StoreError::NoMemory,
                _ => damaged(),
            })?;
        Ok(key)
    }
}
