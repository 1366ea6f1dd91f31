//! The end of a session: revoked on the instance, or forgotten here.

use snowtoken_core::oauth::client::ClientId;
use snowtoken_core::profile::Profile;
use snowtoken_core::servicenow::Instance;
use snowtoken_store::{AuditEntry, Binding, Record, RecordState, StoreError};

use super::{Session, client, elsewhere};
use crate::error::Error;
use crate::hooks::What;
use crate::revocation::{self, Revoked};

/// How often a revocation begins again because newer tokens were stored meanwhile.
const REVOKE_TRIES: u32 = 4;

impl Session {
    /// Revokes both tokens on the instance and proves by calls that they are dead; only then are
    /// they forgotten. `None`: there was nothing to revoke.
    ///
    /// # Errors
    /// [`Error::RevocationUnproven`] or [`Error::RevocationPending`]; the tokens are kept for the
    /// next try and handed out to nobody. [`Error::HandedOver`]: they are another machine's now.
    pub fn revoke(&self) -> Result<Option<Revoked>, Error> {
        let _lock = self.lock()?;
        self.end_all(false)
    }

    /// The same even if another machine has taken the profile over: its tokens end too.
    ///
    /// # Errors
    /// As [`Session::revoke`], but for [`Error::HandedOver`].
    pub fn revoke_everywhere(&self) -> Result<Option<Revoked>, Error> {
        let _lock = self.lock()?;
        self.end_all(true)
    }

    /// Whoever refreshes meanwhile without our lock brings newer tokens: they must end too.
    fn end_all(&self, everywhere: bool) -> Result<Option<Revoked>, Error> {
        let mut tries = 1;
        loop {
            let Some(record) = self.store().load(&self.profile.name)? else { return Ok(None) };
            if let (RecordState::HandedOver { at }, false) = (record.state, everywhere) {
                let profile = self.profile.name.to_string();
                return Err(Error::HandedOver { profile, at });
            }
            match self.end(&record) {
                Err(Error::Store(StoreError::Conflict { .. })) if tries < REVOKE_TRIES => {
                    tries += 1;
                }
                ended => return ended.map(Some),
            }
        }
    }

    fn end(&self, record: &Record) -> Result<Revoked, Error> {
        // Tokens end where they came from, even if the profile has been pointed elsewhere since.
        let profile = bound_profile(&self.profile, &record.binding)?;
        let client = match client(&profile, &**self.store()) {
            // The secret that was stored for them is gone: only where they came from can end them.
            Err(Error::NoClientSecret(_)) if record.binding != self.binding() => {
                return Err(elsewhere(&self.profile, &record.binding));
            }
            other => other?,
        };
        let revoked = revocation::revoke(&self.world, &self.store, &profile, &client, record)?;
        self.tell(What::Revoked, record);
        Ok(revoked)
    }

    /// Forgets the tokens on this machine without asking the instance.
    ///
    /// # Errors
    /// If the store cannot be changed.
    pub fn forget(&self) -> Result<(), Error> {
        let _lock = self.lock()?;
        let name = &self.profile.name;
        let generation = self.store().generation(name)?;
        let audit = AuditEntry {
            at: self.now(),
            profile: name.clone(),
            event: "revocation".to_owned(),
            outcome: "forgotten".to_owned(),
            detail: "not revoked on the instance".to_owned(),
        };
        self.store().clear_tokens(name, generation, Some(&audit))?;
        Ok(())
    }
}

/// The profile as it was when these tokens came.
fn bound_profile(profile: &Profile, bound: &Binding) -> Result<Profile, Error> {
    Ok(Profile {
        instance: Instance::parse(&bound.instance).map_err(|_| elsewhere(profile, bound))?,
        client_id: ClientId::parse(&bound.client_id).map_err(|_| elsewhere(profile, bound))?,
        ..profile.clone()
    })
}
