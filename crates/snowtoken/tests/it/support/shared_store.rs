//! A store in memory that a test shares with a session, and that can be made to fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use snowtoken::core::Timestamp;
use snowtoken::core::keeper::Progress;
use snowtoken::core::ledger::Facts;
use snowtoken::core::profile::ProfileName;
use snowtoken::core::secret::Secret;
use snowtoken::core::token_set::{Deadline, Generation, User};
use snowtoken::store::memory::MemoryStore;
use snowtoken::store::{
    AuditEntry, Binding, Delivery, Draft, LivingToken, Record, RecordState, Result, Standing,
    StoreError, TokenStore,
};

/// The store; clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct SharedStore {
    inner: Arc<Mutex<MemoryStore>>,
    full: Arc<AtomicBool>,
}

impl SharedStore {
    /// The store itself.
    pub(crate) fn get(&self) -> MutexGuard<'_, MemoryStore> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on no token set can be saved.
    pub(crate) fn fill_disk(&self) {
        self.full.store(true, Ordering::SeqCst);
    }
}

impl TokenStore for SharedStore {
    fn load(&self, profile: &ProfileName) -> Result<Option<Record>> {
        self.get().load(profile)
    }

    fn load_previous(&self, profile: &ProfileName) -> Result<Option<Record>> {
        self.get().load_previous(profile)
    }

    fn generation(&self, profile: &ProfileName) -> Result<Generation> {
        self.get().generation(profile)
    }

    fn living_access_token(
        &self,
        profile: &ProfileName,
        now: Timestamp,
        min_valid: Duration,
    ) -> Result<Option<LivingToken>> {
        self.get().living_access_token(profile, now, min_valid)
    }

    fn save(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        draft: &Draft,
        audit: Option<&AuditEntry>,
    ) -> Result<Generation> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::Full);
        }
        self.get().save(profile, expected, draft, audit)
    }

    fn mark(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        state: RecordState,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        self.get().mark(profile, expected, state, audit)
    }

    fn note(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        progress: &Progress,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        self.get().note(profile, expected, progress, audit)
    }

    fn standing(&self, profile: &ProfileName) -> Result<Option<Standing>> {
        self.get().standing(profile)
    }

    fn standings(&self, each: &mut dyn FnMut(Standing)) -> Result<()> {
        self.get().standings(each)
    }

    fn set_facts(&mut self, profile: &ProfileName, facts: &Facts) -> Result<()> {
        self.get().set_facts(profile, facts)
    }

    fn learn(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        refresh_end: Option<Deadline>,
        facts: &Facts,
    ) -> Result<()> {
        self.get().learn(profile, expected, refresh_end, facts)
    }

    fn set_user(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        user: Option<&User>,
    ) -> Result<()> {
        self.get().set_user(profile, expected, user)
    }

    fn clear_tokens(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        audit: Option<&AuditEntry>,
    ) -> Result<Generation> {
        self.get().clear_tokens(profile, expected, audit)
    }

    fn client_secret(&self, profile: &ProfileName, binding: &Binding) -> Result<Option<Secret>> {
        self.get().client_secret(profile, binding)
    }

    fn set_client_secret(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        secret: &Secret,
    ) -> Result<()> {
        self.get().set_client_secret(profile, binding, secret)
    }

    fn remove_client_secret(&mut self, profile: &ProfileName) -> Result<bool> {
        self.get().remove_client_secret(profile)
    }

    fn rename(&mut self, from: &ProfileName, to: &ProfileName) -> Result<()> {
        self.get().rename(from, to)
    }

    fn remove_profile(&mut self, profile: &ProfileName) -> Result<bool> {
        self.get().remove_profile(profile)
    }

    fn profiles(&self) -> Result<Vec<ProfileName>> {
        self.get().profiles()
    }

    fn record_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        self.get().record_delivery(delivery)
    }

    fn deliveries(&self, profile: &ProfileName) -> Result<Vec<Delivery>> {
        self.get().deliveries(profile)
    }

    fn forget_delivery(&mut self, profile: &ProfileName, format: &str, path: &str) -> Result<bool> {
        self.get().forget_delivery(profile, format, path)
    }

    fn append_audit(&mut self, entry: &AuditEntry) -> Result<()> {
        self.get().append_audit(entry)
    }

    fn audit(&self, profile: Option<&ProfileName>, limit: u32) -> Result<Vec<AuditEntry>> {
        self.get().audit(profile, limit)
    }

    fn fingerprint(&self, bytes: &[u8]) -> [u8; 32] {
        self.get().fingerprint(bytes)
    }

    fn probe(&mut self) -> Result<()> {
        self.get().probe()
    }
}
