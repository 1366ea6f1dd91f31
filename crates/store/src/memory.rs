//! A store in memory, for tests and examples. It keeps the contract, and forgets everything when it
//! is dropped. Nothing in it is sealed: it is never written anywhere.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use snowtoken_core::keeper::Progress;
use snowtoken_core::ledger::Facts;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, Generation, User};
use zeroize::Zeroizing;

use crate::error::{Result, StoreError};
use crate::record::{
    AuditEntry, Binding, Delivery, Draft, Held, LivingToken, Record, RecordState, SpareRole,
    SpareSecret, Standing,
};
use crate::row::came_from_the_future;
use crate::seal::Sealer;
use crate::{TokenStore, needed_until};

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    slots: BTreeMap<ProfileName, Slot>,
    client_secrets: BTreeMap<ProfileName, (Binding, Secret)>,
    spare_secrets: BTreeMap<ProfileName, (Binding, SpareSecret)>,
    signing_keys: BTreeMap<ProfileName, (Binding, Secret)>,
    deliveries: Vec<Delivery>,
    audit: Vec<AuditEntry>,
}

/// What is known of a profile. The generation stays when the tokens go.
#[derive(Debug)]
struct Slot {
    generation: Generation,
    current: Option<Record>,
    previous: Option<Record>,
    facts: Facts,
    removed: bool,
}

impl Slot {
    fn vacant(generation: Generation, facts: Facts, removed: bool) -> Self {
        Self { generation, current: None, previous: None, facts, removed }
    }

    fn standing(&self, profile: &ProfileName) -> Option<Standing> {
        let held = self.current.clone().map(|record| Held::of(&Draft::from(record)));
        (!self.removed).then(|| Standing {
            profile: profile.clone(),
            generation: self.generation,
            held,
            facts: self.facts.clone(),
        })
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fails unless `expected` is the current generation.
    fn expect(&self, profile: &ProfileName, expected: Generation) -> Result<()> {
        let found = self.newest(profile);
        if found == expected { Ok(()) } else { Err(StoreError::Conflict { expected, found }) }
    }

    fn newest(&self, profile: &ProfileName) -> Generation {
        self.slots.get(profile).map_or(Generation::NONE, |slot| slot.generation)
    }

    fn record(&mut self, profile: &ProfileName, expected: Generation) -> Result<&mut Record> {
        self.expect(profile, expected)?;
        self.slots
            .get_mut(profile)
            .and_then(|slot| slot.current.as_mut())
            .ok_or_else(|| StoreError::Absent { profile: profile.to_string() })
    }

    fn knows(&self, profile: &ProfileName) -> bool {
        self.slots.get(profile).is_some_and(|slot| !slot.removed)
            || self.client_secrets.contains_key(profile)
            || self.signing_keys.contains_key(profile)
            || self.deliveries.iter().any(|delivery| delivery.profile == *profile)
    }
}

impl TokenStore for MemoryStore {
    fn load(&self, profile: &ProfileName) -> Result<Option<Record>> {
        Ok(self.slots.get(profile).and_then(|slot| slot.current.clone()))
    }

    fn load_previous(&self, profile: &ProfileName) -> Result<Option<Record>> {
        Ok(self.slots.get(profile).and_then(|slot| slot.previous.clone()))
    }

    fn generation(&self, profile: &ProfileName) -> Result<Generation> {
        Ok(self.newest(profile))
    }

    fn living_access_token(
        &self,
        profile: &ProfileName,
        now: Timestamp,
        min_valid: Duration,
    ) -> Result<Option<LivingToken>> {
        let needed_until = needed_until(now, min_valid);
        let living = self.load(profile)?.filter(|record| {
            let end = record.tokens.access_expires_at.at;
            record.state == RecordState::Held
                && end > now
                && end >= needed_until
                && !came_from_the_future(record.tokens.issued_at, now)
        });
        Ok(living.map(|record| LivingToken {
            token: record.tokens.access_token,
            expires_at: record.tokens.access_expires_at,
            binding: record.binding,
            generation: record.generation,
        }))
    }

    fn save(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        draft: &Draft,
        audit: Option<&AuditEntry>,
    ) -> Result<Generation> {
        self.expect(profile, expected)?;
        let generation = expected.next();
        let slot = self
            .slots
            .entry(profile.clone())
            .or_insert_with(|| Slot::vacant(expected, Facts::default(), false));
        let current = Some(Record::of(draft, generation));
        let previous =
            slot.current.take().map(|record| Record { progress: Progress::default(), ..record });
        let facts = draft.facts.clone();
        *slot = Slot { generation, current, previous, facts, removed: false };
        self.audit.extend(audit.cloned());
        Ok(generation)
    }

    fn mark(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        state: RecordState,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        let record = self.record(profile, expected)?;
        record.state = state;
        record.progress = Progress::default();
        self.audit.extend(audit.cloned());
        Ok(())
    }

    fn note(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        progress: &Progress,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        self.record(profile, expected)?.progress = progress.clone();
        self.audit.extend(audit.cloned());
        Ok(())
    }

    fn standing(&self, profile: &ProfileName) -> Result<Option<Standing>> {
        Ok(self.slots.get(profile).and_then(|slot| slot.standing(profile)))
    }

    fn standings(&self, each: &mut dyn FnMut(Standing)) -> Result<()> {
        self.slots.iter().filter_map(|(name, slot)| slot.standing(name)).for_each(each);
        Ok(())
    }

    fn set_facts(&mut self, profile: &ProfileName, facts: &Facts) -> Result<()> {
        match self.slots.get_mut(profile).filter(|slot| !slot.removed) {
            Some(slot) => {
                slot.facts = facts.clone();
                if let Some(record) = &mut slot.current {
                    record.facts = facts.clone();
                }
                Ok(())
            }
            None => Err(StoreError::Absent { profile: profile.to_string() }),
        }
    }

    fn learn(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        refresh_end: Option<Deadline>,
        facts: &Facts,
    ) -> Result<()> {
        let tokens = &mut self.record(profile, expected)?.tokens;
        tokens.refresh_expires_at = refresh_end.or(tokens.refresh_expires_at);
        self.set_facts(profile, facts)
    }

    fn set_user(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        user: Option<&User>,
    ) -> Result<()> {
        self.record(profile, expected)?.user = user.cloned();
        Ok(())
    }

    fn clear_tokens(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        audit: Option<&AuditEntry>,
    ) -> Result<Generation> {
        self.expect(profile, expected)?;
        let facts = self.slots.get(profile).map(|slot| slot.facts.clone()).unwrap_or_default();
        self.slots.insert(profile.clone(), Slot::vacant(expected.next(), facts, false));
        self.audit.extend(audit.cloned());
        Ok(expected.next())
    }

    fn client_secret(&self, profile: &ProfileName, binding: &Binding) -> Result<Option<Secret>> {
        let found = self.client_secrets.get(profile).filter(|(stored, _)| stored == binding);
        Ok(found.map(|(_, secret)| secret.clone()))
    }

    fn set_client_secret(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        secret: &Secret,
    ) -> Result<()> {
        let spare = self.spare_secret(profile, binding)?;
        let current = self.client_secret(profile, binding)?;
        if spare.is_some_and(|spare| spare.secret == *secret) {
            return self.swap_secrets(profile, binding, None).map(drop);
        }
        if current.as_ref() != Some(secret) {
            self.spare_secrets.remove(profile);
        }
        self.client_secrets.insert(profile.clone(), (binding.clone(), secret.clone()));
        Ok(())
    }

    fn remove_client_secret(&mut self, profile: &ProfileName) -> Result<bool> {
        self.spare_secrets.remove(profile);
        Ok(self.client_secrets.remove(profile).is_some())
    }

    fn spare_secret(
        &self,
        profile: &ProfileName,
        binding: &Binding,
    ) -> Result<Option<SpareSecret>> {
        let found = self.spare_secrets.get(profile).filter(|(stored, _)| stored == binding);
        Ok(found.map(|(_, spare)| spare.clone()))
    }

    fn set_next_secret(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        secret: &Secret,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        let spare = SpareSecret { role: SpareRole::Next, secret: secret.clone() };
        self.spare_secrets.insert(profile.clone(), (binding.clone(), spare));
        self.audit.extend(audit.cloned());
        Ok(())
    }

    fn swap_secrets(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        audit: Option<&AuditEntry>,
    ) -> Result<bool> {
        let Some(spare) = self.spare_secret(profile, binding)? else { return Ok(false) };
        let current = self.client_secret(profile, binding)?;
        self.client_secrets.insert(profile.clone(), (binding.clone(), spare.secret));
        self.spare_secrets.remove(profile);
        if let Some(secret) = current {
            let spare = SpareSecret { role: spare.role.other(), secret };
            self.spare_secrets.insert(profile.clone(), (binding.clone(), spare));
        }
        self.audit.extend(audit.cloned());
        Ok(true)
    }

    fn retire_spare_secret(
        &mut self,
        profile: &ProfileName,
        audit: Option<&AuditEntry>,
    ) -> Result<bool> {
        let was_there = self.spare_secrets.remove(profile).is_some();
        if was_there {
            self.audit.extend(audit.cloned());
        }
        Ok(was_there)
    }

    fn signing_key(&self, profile: &ProfileName, binding: &Binding) -> Result<Option<Secret>> {
        let found = self.signing_keys.get(profile).filter(|(stored, _)| stored == binding);
        Ok(found.map(|(_, key)| key.clone()))
    }

    fn set_signing_key(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        key: &Secret,
    ) -> Result<()> {
        self.signing_keys.insert(profile.clone(), (binding.clone(), key.clone()));
        Ok(())
    }

    fn remove_signing_key(&mut self, profile: &ProfileName) -> Result<bool> {
        Ok(self.signing_keys.remove(profile).is_some())
    }

    fn rename(&mut self, from: &ProfileName, to: &ProfileName) -> Result<()> {
        if !self.knows(from) {
            return Err(StoreError::Absent { profile: from.to_string() });
        }
        if self.knows(to) {
            return Err(StoreError::Exists { profile: to.to_string() });
        }
        if let Some(mut slot) = self.slots.remove(from) {
            self.slots
                .insert(from.clone(), Slot::vacant(slot.generation.next(), Facts::default(), true));
            let mut generation = self.newest(to);
            for record in [&mut slot.previous, &mut slot.current].into_iter().flatten() {
                generation = generation.next();
                record.generation = generation;
            }
            if slot.current.is_none() {
                generation = generation.next();
            }
            slot.generation = generation;
            self.slots.insert(to.clone(), slot);
        }
        for kept in [&mut self.client_secrets, &mut self.signing_keys] {
            if let Some(secret) = kept.remove(from) {
                kept.insert(to.clone(), secret);
            }
        }
        if let Some(spare) = self.spare_secrets.remove(from) {
            self.spare_secrets.insert(to.clone(), spare);
        }
        for delivery in self.deliveries.iter_mut().filter(|delivery| delivery.profile == *from) {
            delivery.profile = to.clone();
        }
        Ok(())
    }

    fn remove_profile(&mut self, profile: &ProfileName) -> Result<bool> {
        let known = self.knows(profile);
        if let Some(slot) = self.slots.get_mut(profile).filter(|slot| !slot.removed) {
            *slot = Slot::vacant(slot.generation.next(), Facts::default(), true);
        }
        self.client_secrets.remove(profile);
        self.spare_secrets.remove(profile);
        self.signing_keys.remove(profile);
        self.deliveries.retain(|delivery| delivery.profile != *profile);
        Ok(known)
    }

    fn profiles(&self) -> Result<Vec<ProfileName>> {
        let delivered = self.deliveries.iter().map(|delivery| &delivery.profile);
        let mut names: Vec<_> = self
            .slots
            .keys()
            .chain(self.client_secrets.keys())
            .chain(self.signing_keys.keys())
            .chain(delivered)
            .filter(|name| self.knows(name))
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn record_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        self.deliveries.retain(|one| one.path != delivery.path);
        self.deliveries.push(delivery.clone());
        self.deliveries.sort_by(|a, b| (&a.format, &a.path).cmp(&(&b.format, &b.path)));
        Ok(())
    }

    fn deliveries(&self, profile: &ProfileName) -> Result<Vec<Delivery>> {
        Ok(self.deliveries.iter().filter(|d| d.profile == *profile).cloned().collect())
    }

    fn forget_delivery(&mut self, profile: &ProfileName, format: &str, path: &str) -> Result<bool> {
        let before = self.deliveries.len();
        self.deliveries.retain(|d| d.profile != *profile || d.format != format || d.path != path);
        Ok(self.deliveries.len() < before)
    }

    fn append_audit(&mut self, entry: &AuditEntry) -> Result<()> {
        self.audit.push(entry.clone());
        Ok(())
    }

    fn audit(&self, profile: Option<&ProfileName>, limit: u32) -> Result<Vec<AuditEntry>> {
        let wanted = self.audit.iter().filter(|entry| profile.is_none_or(|p| entry.profile == *p));
        let mut last: Vec<_> = wanted.rev().take(limit as usize).cloned().collect();
        last.reverse();
        Ok(last)
    }

    /// Under a constant key: it serves tests.
    fn fingerprint(&self, bytes: &[u8]) -> [u8; 32] {
        Sealer::new(Zeroizing::new([0; 32])).fingerprint(bytes)
    }

    fn probe(&mut self) -> Result<()> {
        Ok(())
    }
}
