//! The client secret changes: old and new are both stored until the new one is proved, and whichever
//! the instance takes is the current one.

use snowtoken_core::diagnosis::{Code, Diagnose as _};
use snowtoken_core::oauth::token::client_credentials;
use snowtoken_core::profile::Grant;
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{Phase, TokenFailure};
use snowtoken_store::{AuditEntry, RecordState, SpareRole};

use super::Session;
use crate::driver::{self, Asker, Refreshed};
use crate::error::Error;
use crate::http::ATTEMPT_LIMIT;

/// Which secret the instance takes, as far as could be told.
#[derive(Debug)]
pub enum SecretProof {
    /// The current one, which is stored as such.
    Current,
    /// The one that was to be replaced, which is the current one again.
    StillFormer,
    /// There is nothing to prove it with: no tokens, or none that this machine may use.
    NothingToTry,
    /// Neither; the tokens themselves may have ended.
    Neither(Box<Error>),
}

impl Session {
    /// Which second secret is stored for this client, if its secret is being changed.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn spare_secret(&self) -> Result<Option<SpareRole>, Error> {
        let spare = self.store().spare_secret(&self.profile.name, &self.binding())?;
        Ok(spare.map(|spare| spare.role))
    }

    /// The second secret itself.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn next_secret(&self) -> Result<Option<Secret>, Error> {
        let spare = self.store().spare_secret(&self.profile.name, &self.binding())?;
        Ok(spare.filter(|spare| spare.role == SpareRole::Next).map(|spare| spare.secret))
    }

    /// Stores the secret that is to take the current one's place. The caller holds the lock.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn expect_secret(&self, secret: &Secret) -> Result<(), Error> {
        let audit = self.secret_audit("made", "the old one is kept until the new one is proved");
        let (name, binding) = (&self.profile.name, self.binding());
        Ok(self.store().set_next_secret(name, &binding, secret, Some(&audit))?)
    }

    /// The instance has taken the next secret: it is the current one from now on. The caller holds
    /// the lock.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn secret_was_set(&self) -> Result<(), Error> {
        let audit = self.secret_audit("set", "the instance took it");
        let (name, binding) = (&self.profile.name, self.binding());
        self.store().swap_secrets(name, &binding, Some(&audit))?;
        Ok(())
    }

    /// Forgets the second secret: the change is over. The caller holds the lock.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn retire_secret(&self) -> Result<(), Error> {
        let audit = self.secret_audit("done", "the second secret is forgotten");
        self.store().retire_spare_secret(&self.profile.name, Some(&audit))?;
        Ok(())
    }

    /// Proves the client secret by a token request, and whichever of the two the instance takes is
    /// the current one afterwards. The caller holds the lock.
    ///
    /// # Errors
    /// If the instance could not be asked, or the store not be used.
    pub fn prove_secret(&self) -> Result<SecretProof, Error> {
        let before = self.spare_secret()?;
        let tried = match self.profile.grant {
            Grant::ClientCredentials => self.try_client_credentials(),
            grant @ (Grant::AuthorizationCode | Grant::JwtBearer) => {
                let record = self.store().load(&self.profile.name)?;
                let ours = record.filter(|record| {
                    record.binding == self.binding()
                        && (record.tokens.refresh_token.is_some() || grant.renews_itself())
                        && matches!(record.state, RecordState::Held | RecordState::Rejected { .. })
                });
                let Some(record) = ours else { return Ok(SecretProof::NothingToTry) };
                self.refresh_locked(record, Asker::Insists).map(drop)
            }
        };
        match tried {
            Err(error) if is_refusal(&error) => Ok(SecretProof::Neither(Box::new(error))),
            Err(error) => Err(error),
            Ok(()) => {
                let after = self.spare_secret()?;
                let is_back = before == Some(SpareRole::Former) && after == Some(SpareRole::Next);
                Ok(if is_back { SecretProof::StillFormer } else { SecretProof::Current })
            }
        }
    }

    /// Proves a secret that somebody named, while another one is stored: it takes that one's place only
    /// if the instance takes it, and is forgotten otherwise. The caller holds the lock, and no change
    /// of the secret is under way.
    ///
    /// # Errors
    /// If the instance could not be asked, or the store not be used.
    pub fn prove_named_secret(&self, secret: &Secret) -> Result<SecretProof, Error> {
        self.expect_secret(secret)?;
        // Both are stored, the named one is the first to be tried.
        self.swap()?;
        let proof = self.prove_secret();
        if !matches!(proof, Ok(SecretProof::Current)) {
            let current = self.store().client_secret(&self.profile.name, &self.binding())?;
            if current.as_ref() == Some(secret) {
                self.swap()?;
            }
        }
        self.retire_secret()?;
        proof
    }

    /// A refusal of a refresh may be one of the secret: if another one is stored, it is tried too.
    pub(super) fn or_with_spare(
        &self,
        tried: Result<Refreshed, Error>,
    ) -> Result<Refreshed, Error> {
        let Err(error) = tried else { return tried };
        if !is_refusal(&error) || !self.swap()? {
            return Err(error);
        }
        let again = self.record().and_then(|record| {
            let client = self.client()?;
            let (world, home, store) = (&self.world, &self.home, &self.store);
            driver::refresh(world, home, store, &self.profile, client, record, Asker::Insists)
        });
        match again {
            Ok(refreshed) => {
                log::warn!("{}: the instance takes the other client secret", self.profile.name);
                Ok(refreshed)
            }
            // What was current stays current; the first answer is the one to tell.
            Err(again) => {
                self.swap()?;
                Err(if is_refusal(&again) { error } else { again })
            }
        }
    }

    fn swap(&self) -> Result<bool, Error> {
        let audit = self.secret_audit("tried", "the other secret is tried");
        let (name, binding) = (&self.profile.name, self.binding());
        Ok(self.store().swap_secrets(name, &binding, Some(&audit))?)
    }

    /// For a client that acts for itself: asks for a token, which is not kept.
    fn try_client_credentials(&self) -> Result<(), Error> {
        match self.ask_for_itself() {
            Err(error) if is_refusal(&error) && self.swap()? => match self.ask_for_itself() {
                Ok(()) => Ok(()),
                Err(again) => {
                    self.swap()?;
                    Err(if is_refusal(&again) { error } else { again })
                }
            },
            other => other,
        }
    }

    fn ask_for_itself(&self) -> Result<(), Error> {
        let endpoints = self.profile.instance.endpoints();
        let (request, expected) =
            client_credentials(&endpoints, &self.client()?, self.profile.scope.as_ref());
        let answer = self.world.transport.send(request, ATTEMPT_LIMIT)?;
        let answered = expected.receive(answer);
        answered.map_err(|error| TokenFailure { phase: Phase::ClientCredentials, error })?;
        Ok(())
    }

    fn secret_audit(&self, outcome: &str, detail: &str) -> AuditEntry {
        AuditEntry {
            at: self.now(),
            profile: self.profile.name.clone(),
            event: "client-secret".to_owned(),
            outcome: outcome.to_owned(),
            detail: detail.to_owned(),
        }
    }
}

/// Whether a wrong client secret may be what the instance means: it has one answer to nearly
/// everything.
fn is_refusal(error: &Error) -> bool {
    matches!(error.code(), Code::TokenRefused | Code::ClientRefused | Code::AssertionRefused)
}
