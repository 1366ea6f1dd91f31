//! [`TokenStore`] on SQLite.

use std::time::Duration;

use jiff::Timestamp;
use snowtoken_core::keeper::Progress;
use snowtoken_core::ledger::Facts;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, Generation, User};

use super::changes::{
    absent, append, expect, move_tokens, open_kept, put_kept, vacate, with_standing,
};
use super::ledger::Kept;
use super::{SqliteStore, answer, copy, ledger, spare, standing, tokens};
use crate::error::{Result, StoreError};
use crate::record::{
    AuditEntry, Binding, Delivery, Draft, LivingToken, Record, RecordState, SpareSecret, Standing,
};
use crate::row::{self, Row};
use crate::secure;
use crate::{TokenStore, needed_until};

/// Room that [`TokenStore::probe`] proves and leaves free inside the file: a generous token set.
const PROBE_BYTES: u32 = 64 * 1024;

/// So many answers are awaited at once; whoever comes later than that is merely less safe.
const MOST_ANSWERS: usize = 32;

impl TokenStore for SqliteStore {
    fn load(&self, profile: &ProfileName) -> Result<Option<Record>> {
        self.load_nth(profile, 0)
    }

    fn load_previous(&self, profile: &ProfileName) -> Result<Option<Record>> {
        self.load_nth(profile, 1)
    }

    fn changes_by_others(&self) -> Result<Option<i64>> {
        let number = self.connection.query_row("PRAGMA data_version", [], |row| row.get(0));
        number.map(Some).map_err(|e| self.reading(e))
    }

    fn generation(&self, profile: &ProfileName) -> Result<Generation> {
        tokens::newest(&self.connection, profile.as_str()).map_err(|e| self.reading(e))
    }

    fn living_access_token(
        &self,
        profile: &ProfileName,
        now: Timestamp,
        min_valid: Duration,
    ) -> Result<Option<LivingToken>> {
        match tokens::head(&self.connection, profile.as_str()).map_err(|e| self.reading(e))? {
            Some(head) => {
                let until = needed_until(now, min_valid);
                head.living(&self.sealer, profile.as_str(), now, until).map_err(|e| self.told(e))
            }
            None => Ok(None),
        }
    }

    fn save(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        draft: &Draft,
        audit: Option<&AuditEntry>,
    ) -> Result<Generation> {
        let generation = self.change(&[profile.as_str()], |connection, sealer| {
            expect(connection, profile, expected)?;
            let row = Row::seal(sealer, profile.as_str(), expected.next(), draft)?;
            tokens::put(connection, profile.as_str(), &row)?;
            tokens::remove_before(connection, profile.as_str(), expected)?;
            standing::put(connection, profile.as_str(), expected.next(), draft)?;
            append(connection, audit)?;
            Ok(expected.next())
        })?;
        self.wipe_answer(profile);
        Ok(generation)
    }

    fn expect_answer(&mut self, profile: &ProfileName) -> Result<()> {
        let file = answer::prepare(&self.path, profile.as_str())?;
        while self.answers.len() >= MOST_ANSWERS {
            self.answers.pop_first();
        }
        self.answers.insert(profile.to_string(), file);
        Ok(())
    }

    fn secure_answer(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        draft: &Draft,
    ) -> Result<bool> {
        let Some(file) = self.answers.get(profile.as_str()) else { return Ok(false) };
        let row = Row::seal(&self.sealer, profile.as_str(), expected.next(), draft)?;
        answer::write(file, &row).map_err(|e| secure::unwritable(&self.path, e))?;
        Ok(true)
    }

    fn take_up_answer(&mut self, profile: &ProfileName, audit: &AuditEntry) -> Result<bool> {
        let Some(row) = answer::read(&self.path, profile.as_str())? else { return Ok(false) };
        let left = row.open(&self.sealer, profile.as_str()).ok().flatten();
        let newest = self.generation(profile)?;
        let current = self.load(profile)?;
        let (Some(left), Some(current)) = (left, current) else { return Ok(false) };
        // Whatever happened to the tokens since, a login or an end, is newer than this.
        let is_ours = matches!(current.state, RecordState::Held | RecordState::Rejected { .. });
        let follows =
            left.generation == newest.next() && left.binding == current.binding && is_ours;
        if follows {
            let draft = Draft { facts: current.facts, ..Draft::from(left) };
            self.save(profile, newest, &draft, Some(audit))?;
        }
        answer::forget(&self.path, profile.as_str())?;
        Ok(follows)
    }

    fn mark(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        state: RecordState,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        self.amend(profile, expected, audit, |record| {
            record.state = state;
            record.progress = Progress::default();
        })
    }

    fn note(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        progress: &Progress,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        self.write(|connection, _| {
            expect(connection, profile, expected)?;
            if !standing::note(connection, profile.as_str(), expected, progress)? {
                return Err(absent(profile).into());
            }
            append(connection, audit)
        })
    }

    fn standing(&self, profile: &ProfileName) -> Result<Option<Standing>> {
        standing::one(&self.connection, profile.as_str()).map_err(|e| self.reading(e))
    }

    fn standings(&self, each: &mut dyn FnMut(Standing)) -> Result<()> {
        standing::all(&self.connection, each).map_err(|e| self.reading(e))
    }

    fn set_facts(&mut self, profile: &ProfileName, facts: &Facts) -> Result<()> {
        self.write(|connection, _| {
            if standing::set_facts(connection, profile.as_str(), facts)? {
                Ok(())
            } else {
                Err(absent(profile).into())
            }
        })
    }

    fn learn(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        refresh_end: Option<Deadline>,
        facts: &Facts,
    ) -> Result<()> {
        self.amend(profile, expected, None, |record| {
            record.tokens.refresh_expires_at = refresh_end.or(record.tokens.refresh_expires_at);
            record.facts = facts.clone();
        })
    }

    fn set_user(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        user: Option<&User>,
    ) -> Result<()> {
        self.amend(profile, expected, None, |record| {
            record.user = user.cloned();
        })
    }

    fn clear_tokens(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        audit: Option<&AuditEntry>,
    ) -> Result<Generation> {
        self.end(&[profile.as_str()], |connection, sealer| {
            expect(connection, profile, expected)?;
            append(connection, audit)?;
            vacate(connection, sealer, profile.as_str(), expected, row::CLEARED)
        })
    }

    fn client_secret(&self, profile: &ProfileName, binding: &Binding) -> Result<Option<Secret>> {
        self.kept(Kept::ClientSecret, profile, binding)
    }

    fn set_client_secret(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        secret: &Secret,
    ) -> Result<()> {
        let profile = profile.as_str();
        self.change(&[profile], |connection, sealer| {
            spare::before_set(connection, sealer, profile, binding, secret)?;
            put_kept(connection, sealer, Kept::ClientSecret, profile, binding, secret)
        })
    }

    fn remove_client_secret(&mut self, profile: &ProfileName) -> Result<bool> {
        let profile = profile.as_str();
        self.end(&[profile], |connection, _| {
            spare::remove(connection, profile)?;
            Ok(ledger::remove_kept(connection, Kept::ClientSecret, profile)?)
        })
    }

    fn signing_key(&self, profile: &ProfileName, binding: &Binding) -> Result<Option<Secret>> {
        self.kept(Kept::SigningKey, profile, binding)
    }

    fn set_signing_key(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        key: &Secret,
    ) -> Result<()> {
        self.keep(Kept::SigningKey, profile, binding, key)
    }

    fn remove_signing_key(&mut self, profile: &ProfileName) -> Result<bool> {
        self.drop_kept(Kept::SigningKey, profile)
    }

    fn spare_secret(
        &self,
        profile: &ProfileName,
        binding: &Binding,
    ) -> Result<Option<SpareSecret>> {
        let found = spare::read(&self.connection, profile.as_str()).map_err(|e| self.reading(e))?;
        let ours = found.filter(|stored| stored.binding == *binding);
        let opened = ours.map(|stored| stored.open(&self.sealer, profile.as_str()));
        opened.transpose().map_err(|e| self.told(e))
    }

    fn set_next_secret(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        secret: &Secret,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        self.change(&[profile.as_str()], |connection, sealer| {
            spare::put_next(connection, sealer, profile.as_str(), binding, secret)?;
            append(connection, audit)
        })
    }

    fn swap_secrets(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        audit: Option<&AuditEntry>,
    ) -> Result<bool> {
        self.change(&[profile.as_str()], |connection, sealer| {
            let swapped = spare::swap(connection, sealer, profile.as_str(), binding)?;
            append(connection, audit.filter(|_| swapped))?;
            Ok(swapped)
        })
    }

    fn retire_spare_secret(
        &mut self,
        profile: &ProfileName,
        audit: Option<&AuditEntry>,
    ) -> Result<bool> {
        self.end(&[profile.as_str()], |connection, _| {
            let was_there = spare::remove(connection, profile.as_str())?;
            append(connection, audit.filter(|_| was_there))?;
            Ok(was_there)
        })
    }

    fn rename(&mut self, from: &ProfileName, to: &ProfileName) -> Result<()> {
        self.end(&[from.as_str(), to.as_str()], |connection, sealer| {
            let profiles = ledger::profiles(connection)?;
            if !profiles.contains(from) {
                return Err(absent(from).into());
            }
            if profiles.contains(to) {
                return Err(StoreError::Exists { profile: to.to_string() }.into());
            }
            let (from, to) = (from.as_str(), to.as_str());
            move_tokens(connection, sealer, from, to)?;
            for kept in Kept::ALL {
                if let Some((binding, blob)) = ledger::kept(connection, kept, from)? {
                    let secret = open_kept(sealer, kept, from, &binding, &blob)?;
                    put_kept(connection, sealer, kept, to, &binding, &secret)?;
                    ledger::remove_kept(connection, kept, from)?;
                }
            }
            spare::rename(connection, sealer, from, to)?;
            Ok(ledger::rename_deliveries(connection, from, to)?)
        })
    }

    fn remove_profile(&mut self, profile: &ProfileName) -> Result<bool> {
        self.end(&[profile.as_str()], |connection, sealer| {
            let known = ledger::profiles(connection)?.contains(profile);
            let profile = profile.as_str();
            let newest = tokens::newest(connection, profile)?;
            if known && newest != Generation::NONE {
                vacate(connection, sealer, profile, newest, row::REMOVED)?;
            }
            for kept in Kept::ALL {
                ledger::remove_kept(connection, kept, profile)?;
            }
            spare::remove(connection, profile)?;
            ledger::remove_deliveries(connection, profile)?;
            Ok(known)
        })
    }

    fn profiles(&self) -> Result<Vec<ProfileName>> {
        ledger::profiles(&self.connection).map_err(|e| self.reading(e))
    }

    fn record_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        self.change(&[delivery.profile.as_str()], |connection, _| {
            for profile in ledger::end_deliveries(connection, &delivery.path)? {
                copy::note_change(connection, &profile)?;
            }
            Ok(ledger::put_delivery(connection, delivery)?)
        })
    }

    fn deliveries(&self, profile: &ProfileName) -> Result<Vec<Delivery>> {
        ledger::deliveries(&self.connection, profile).map_err(|e| self.reading(e))
    }

    fn forget_delivery(&mut self, profile: &ProfileName, format: &str, path: &str) -> Result<bool> {
        self.change(&[profile.as_str()], |connection, _| {
            Ok(ledger::remove_delivery(connection, profile.as_str(), format, path)?)
        })
    }

    fn append_audit(&mut self, entry: &AuditEntry) -> Result<()> {
        self.write(|connection, _| append(connection, Some(entry)))
    }

    fn audit(&self, profile: Option<&ProfileName>, limit: u32) -> Result<Vec<AuditEntry>> {
        ledger::audit(&self.connection, profile, limit).map_err(|e| self.reading(e))
    }

    fn fingerprint(&self, bytes: &[u8]) -> [u8; 32] {
        self.sealer.fingerprint(bytes)
    }

    fn probe(&mut self) -> Result<()> {
        self.write(|connection, _| {
            let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', zeroblob(?1))";
            connection.execute(sql, [PROBE_BYTES])?;
            Ok(())
        })?;
        self.write(|connection, _| {
            connection.execute("DELETE FROM meta WHERE name = 'probe'", [])?;
            Ok(())
        })
    }
}

impl SqliteStore {
    /// What is stored need not be secured any more.
    fn wipe_answer(&mut self, profile: &ProfileName) {
        let Some(file) = self.answers.remove(profile.as_str()) else { return };
        if let Err(error) = answer::wipe(&file) {
            log::warn!("{profile}: an answer that is stored could not be wiped: {error}");
        }
    }

    fn load_nth(&self, profile: &ProfileName, skip: u8) -> Result<Option<Record>> {
        let row =
            tokens::row(&self.connection, profile.as_str(), skip).map_err(|e| self.reading(e))?;
        let opened = row.map_or(Ok(None), |row| row.open(&self.sealer, profile.as_str()));
        let record = opened.map_err(|e| self.told(e))?;
        let Some(mut record) = record else { return Ok(None) };
        if let Some(standing) = self.standing(profile)? {
            record.facts = standing.facts;
            if standing.generation == record.generation {
                record.progress = standing.held.map(|held| held.progress).unwrap_or_default();
            }
        }
        Ok(Some(record))
    }

    /// Changes the current record and seals it anew.
    fn amend(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        audit: Option<&AuditEntry>,
        change: impl FnOnce(&mut Draft),
    ) -> Result<()> {
        self.change(&[profile.as_str()], |connection, sealer| {
            expect(connection, profile, expected)?;
            let name = profile.as_str();
            let row = tokens::row(connection, name, 0)?.ok_or_else(|| absent(profile))?;
            let record = row.open(sealer, name)?.ok_or_else(|| absent(profile))?;
            let mut draft = with_standing(connection, name, Draft::from(record))?;
            change(&mut draft);
            tokens::put(connection, name, &Row::seal(sealer, name, expected, &draft)?)?;
            standing::put(connection, name, expected, &draft)?;
            append(connection, audit)
        })
    }
}
