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
    AuditEntry, Binding, Delivery, Draft, LivingToken, Record, RecordState, Result, SpareSecret,
    Standing, StoreError, TokenStore,
};

/// Asked before each call, with its name: it may wait, and it may refuse.
pub(crate) type Before = Arc<dyn Fn(&'static str) -> Result<()> + Send + Sync>;

/// The store; clones are the same one.
#[derive(Clone)]
pub(crate) struct SharedStore {
    pub(crate) inner: Arc<Mutex<Box<dyn TokenStore>>>,
    pub(crate) full: Arc<AtomicBool>,
    /// Who stands at its door; each clone has its own.
    pub(crate) before: Option<Before>,
}

impl Default for SharedStore {
    fn default() -> Self {
        Self::over(Box::<MemoryStore>::default())
    }
}

impl SharedStore {
    /// Another store to share.
    pub(crate) fn over(store: Box<dyn TokenStore>) -> Self {
        Self { inner: Arc::new(Mutex::new(store)), full: Arc::default(), before: None }
    }

    /// The store itself.
    pub(crate) fn get(&self) -> MutexGuard<'_, Box<dyn TokenStore>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, call: &'static str) -> Result<MutexGuard<'_, Box<dyn TokenStore>>> {
        if let Some(before) = &self.before {
            before(call)?;
        }
        Ok(self.get())
    }

    /// From now on no token set can be saved.
    pub(crate) fn fill_disk(&self) {
        self.full.store(true, Ordering::SeqCst);
    }
}

impl TokenStore for SharedStore {
    fn load(&self, profile: &ProfileName) -> Result<Option<Record>> {
        self.enter("load")?.load(profile)
    }

    fn load_previous(&self, profile: &ProfileName) -> Result<Option<Record>> {
        self.enter("load_previous")?.load_previous(profile)
    }

    fn generation(&self, profile: &ProfileName) -> Result<Generation> {
        self.enter("generation")?.generation(profile)
    }

    fn living_access_token(
        &self,
        profile: &ProfileName,
        now: Timestamp,
        min_valid: Duration,
    ) -> Result<Option<LivingToken>> {
        self.enter("living_access_token")?.living_access_token(profile, now, min_valid)
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
        self.enter("save")?.save(profile, expected, draft, audit)
    }

    fn mark(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        state: RecordState,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        self.enter("mark")?.mark(profile, expected, state, audit)
    }

    fn note(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        progress: &Progress,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        self.enter("note")?.note(profile, expected, progress, audit)
    }

    fn standing(&self, profile: &ProfileName) -> Result<Option<Standing>> {
        self.enter("standing")?.standing(profile)
    }

    fn standings(&self, each: &mut dyn FnMut(Standing)) -> Result<()> {
        self.enter("standings")?.standings(each)
    }

    fn set_facts(&mut self, profile: &ProfileName, facts: &Facts) -> Result<()> {
        self.enter("set_facts")?.set_facts(profile, facts)
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
        self.enter("set_user")?.set_user(profile, expected, user)
    }

    fn clear_tokens(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        audit: Option<&AuditEntry>,
    ) -> Result<Generation> {
        self.enter("clear_tokens")?.clear_tokens(profile, expected, audit)
    }

    fn client_secret(&self, profile: &ProfileName, binding: &Binding) -> Result<Option<Secret>> {
        self.enter("client_secret")?.client_secret(profile, binding)
    }

    fn set_client_secret(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        secret: &Secret,
    ) -> Result<()> {
        self.enter("set_client_secret")?.set_client_secret(profile, binding, secret)
    }

    fn remove_client_secret(&mut self, profile: &ProfileName) -> Result<bool> {
        self.enter("remove_client_secret")?.remove_client_secret(profile)
    }

    fn spare_secret(
        &self,
        profile: &ProfileName,
        binding: &Binding,
    ) -> Result<Option<SpareSecret>> {
        self.enter("spare_secret")?.spare_secret(profile, binding)
    }

    fn set_next_secret(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        secret: &Secret,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        self.enter("set_next_secret")?.set_next_secret(profile, binding, secret, audit)
    }

    fn swap_secrets(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        audit: Option<&AuditEntry>,
    ) -> Result<bool> {
        self.enter("swap_secrets")?.swap_secrets(profile, binding, audit)
    }

    fn retire_spare_secret(
        &mut self,
        profile: &ProfileName,
        audit: Option<&AuditEntry>,
    ) -> Result<bool> {
        self.enter("retire_spare_secret")?.retire_spare_secret(profile, audit)
    }

    fn signing_key(&self, profile: &ProfileName, binding: &Binding) -> Result<Option<Secret>> {
        self.enter("signing_key")?.signing_key(profile, binding)
    }

    fn set_signing_key(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        key: &Secret,
    ) -> Result<()> {
        self.enter("set_signing_key")?.set_signing_key(profile, binding, key)
    }

    fn remove_signing_key(&mut self, profile: &ProfileName) -> Result<bool> {
        self.enter("remove_signing_key")?.remove_signing_key(profile)
    }

    fn rename(&mut self, from: &ProfileName, to: &ProfileName) -> Result<()> {
        self.enter("rename")?.rename(from, to)
    }

    fn remove_profile(&mut self, profile: &ProfileName) -> Result<bool> {
        self.enter("remove_profile")?.remove_profile(profile)
    }

    fn profiles(&self) -> Result<Vec<ProfileName>> {
        self.enter("profiles")?.profiles()
    }

    fn record_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        self.enter("record_delivery")?.record_delivery(delivery)
    }

    fn deliveries(&self, profile: &ProfileName) -> Result<Vec<Delivery>> {
        self.enter("deliveries")?.deliveries(profile)
    }

    fn forget_delivery(&mut self, profile: &ProfileName, format: &str, path: &str) -> Result<bool> {
        self.enter("forget_delivery")?.forget_delivery(profile, format, path)
    }

    fn append_audit(&mut self, entry: &AuditEntry) -> Result<()> {
        self.enter("append_audit")?.append_audit(entry)
    }

    fn audit(&self, profile: Option<&ProfileName>, limit: u32) -> Result<Vec<AuditEntry>> {
        self.enter("audit")?.audit(profile, limit)
    }

    fn fingerprint(&self, bytes: &[u8]) -> [u8; 32] {
        self.get().fingerprint(bytes)
    }

    fn probe(&mut self) -> Result<()> {
        self.enter("probe")?.probe()
    }
}
