//! Secrets that belong to a profile's instance and client: the client secret and the private key.

use snowtoken_core::profile::ProfileName;
use snowtoken_core::secret::Secret;

use super::SqliteStore;
use super::changes::{open_kept, put_kept};
use super::ledger::{self, Kept};
use crate::error::Result;
use crate::record::Binding;

impl SqliteStore {
    /// The secret, if it belongs to this instance and client: it must never be used elsewhere.
    pub(super) fn kept(
        &self,
        kept: Kept,
        profile: &ProfileName,
        binding: &Binding,
    ) -> Result<Option<Secret>> {
        let found =
            ledger::kept(&self.connection, kept, profile.as_str()).map_err(|e| self.reading(e))?;
        match found {
            Some((stored, blob)) if stored == *binding => {
                open_kept(&self.sealer, kept, profile.as_str(), binding, &blob)
                    .map(Some)
                    .map_err(|e| self.told(e))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn keep(
        &mut self,
        kept: Kept,
        profile: &ProfileName,
        binding: &Binding,
        secret: &Secret,
    ) -> Result<()> {
        let profile = profile.as_str();
        self.change(&[profile], |connection, sealer| {
            put_kept(connection, sealer, kept, profile, binding, secret)
        })
    }

    pub(super) fn drop_kept(&mut self, kept: Kept, profile: &ProfileName) -> Result<bool> {
        self.end(&[profile.as_str()], |connection, _| {
            Ok(ledger::remove_kept(connection, kept, profile.as_str())?)
        })
    }
}
