//! How a refresh ends: with tokens that are stored, or with a refusal that is noted.

use std::time::Duration;

use snowtoken_core::keeper::{Change, RefreshTokenChange};
use snowtoken_core::servicenow::TokenFailure;
use snowtoken_core::token_set::{Generation, TokenSet};
use snowtoken_store::{Draft, Record, RecordState, StoreError};

use super::{Drive, Refreshed, Step, describe, locked};
use crate::error::Error;
use crate::world::World;

/// How often saving is tried again, half a second apart; each try also waits for a busy database.
const SAVE_TRIES: u32 = 6;

impl Drive<'_> {
    /// Two refusals in a row of what is still the current one: a person must log in.
    pub(super) fn reject(&mut self, failure: TokenFailure) -> Result<Step, Error> {
        let name = &self.profile.name;
        let error = match self.lost_at {
            Some(sent_at) => Error::LostThenRefused {
                profile: name.to_string(),
                sent_at,
                source: Box::new(failure),
            },
            None => failure.into(),
        };
        let audit = self.audit("refresh", "refused", &error.to_string());
        let state = RecordState::Rejected { at: self.world.now() };
        let marked = locked(self.store).mark(name, self.record.generation, state, Some(&audit));
        if let Err(StoreError::Conflict { .. }) = marked
            && let Some(step) = self.overtaken()?
        {
            return Ok(step);
        }
        marked?;
        self.note_facts();
        Err(error)
    }

    /// Durable first; only what is stored may be handed out.
    pub(super) fn keep(&mut self, tokens: TokenSet, change: Change) -> Result<Step, Error> {
        match self.save(tokens.clone(), Some(change)) {
            Ok(refreshed) => Ok(Step::Done(Box::new(refreshed))),
            Err((StoreError::Conflict { .. }, _)) => {
                let made_from = self.record.tokens.refresh_token.clone();
                self.settle(tokens, made_from.as_ref(), change)
            }
            Err((source, false)) if change.refresh_token == RefreshTokenChange::Replaced => {
                Err(Error::RotationLost { profile: self.profile.name.to_string(), source })
            }
            Err((source, _)) => Err(source.into()),
        }
    }

    /// Stores them; if that fails, also whether the next command finds them all the same.
    pub(super) fn save(
        &self,
        tokens: TokenSet,
        change: Option<Change>,
    ) -> Result<Refreshed, (StoreError, bool)> {
        let draft = Draft {
            binding: self.record.binding.clone(),
            tokens,
            user: self.record.user.clone(),
            state: RecordState::Held,
            progress: self.keeper.progress(),
            facts: self.keeper.facts().clone(),
        };
        let detail = change.map_or("one of two that came at the same time", describe);
        let audit = self.audit("refresh", "done", detail);
        let (name, expected) = (&self.profile.name, self.record.generation);
        let secured = locked(self.store).secure_answer(name, expected, &draft);
        if let Err(error) = &secured {
            log::warn!("{name}: the answer could not be secured before it is stored: {error}");
        }
        let saved =
            insist(self.world, || locked(self.store).save(name, expected, &draft, Some(&audit)));
        // What is secured is taken up by the next command.
        let generation = saved.map_err(|source| (source, matches!(secured, Ok(true))))?;
        let Draft { binding, tokens, user, state, progress, facts } = draft;
        let record = Record { generation, binding, tokens, user, state, progress, facts };
        Ok(Refreshed { record, change })
    }
}

/// Tries to save for a while: the tokens are in memory and nowhere else.
fn insist(
    world: &World,
    mut save: impl FnMut() -> Result<Generation, StoreError>,
) -> Result<Generation, StoreError> {
    let mut tries = 0;
    loop {
        match save() {
            // Another program may hold the file for a moment, and a disk may be given room.
            Err(
                StoreError::Locked
                | StoreError::Full
                | StoreError::OverQuota
                | StoreError::FileTooLarge
                | StoreError::Unreadable { .. },
            ) if tries < SAVE_TRIES => {
                tries += 1;
                world.clock.sleep(Duration::from_millis(500));
            }
            other => return other,
        }
    }
}
