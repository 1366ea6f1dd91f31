//! The loop that feeds one keeper: send what it asks, tell it what came, store what it says, wait
//! as long as it says, within one command's patience.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snowtoken_core::keeper::{Change, Command, Event, Failure, Keeper, Policy, RefreshTokenChange};
use snowtoken_core::oauth::client::Client;
use snowtoken_core::profile::Profile;
use snowtoken_core::token_set::{Generation, TokenSet};
use snowtoken_store::{AuditEntry, Draft, Record, RecordState, StoreError, TokenStore};

use crate::error::Error;
use crate::http::{ATTEMPT_LIMIT, TransportError};
use crate::world::World;

/// One command gives up after this long.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// One command makes no more than this many attempts that fail without a refusal.
const MOST_FAILURES: u32 = 3;

/// How often saving is tried again, half a second apart; each try also waits for a busy database.
const SAVE_TRIES: u32 = 6;

/// A store that threads share. It is locked for single calls, never while a request is out.
pub(crate) type SharedStore = Mutex<Box<dyn TokenStore>>;

/// The store, for one call.
pub(crate) fn locked(store: &SharedStore) -> MutexGuard<'_, Box<dyn TokenStore>> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a refresh led to.
#[derive(Debug)]
pub struct Refreshed {
    /// The tokens, as they are stored now.
    pub record: Record,
    /// What changed; `None` if another process had refreshed meanwhile.
    pub change: Option<Change>,
}

/// Refreshes once. The caller holds the profile's lock and has read `record` under it.
pub(crate) fn refresh(
    world: &World,
    store: &SharedStore,
    profile: &Profile,
    client: Client,
    record: Record,
) -> Result<Refreshed, Error> {
    // What comes may be the only living refresh token: it must find a place.
    locked(store).probe()?;
    let mut seed = [0; 8];
    (world.dice)(&mut seed)?;
    let keeper = Keeper::new(
        profile.instance.endpoints(),
        client,
        profile.lifespans,
        Some(record.tokens.clone()),
        Policy::default(),
        u64::from_ne_bytes(seed),
    );
    let mut drive = Drive { world, store, profile, keeper, record, last: None, failures: 0 };
    drive.run()
}

struct Drive<'a> {
    world: &'a World,
    store: &'a SharedStore,
    profile: &'a Profile,
    keeper: Keeper,
    record: Record,
    last: Option<TransportError>,
    failures: u32,
}

impl Drive<'_> {
    fn run(&mut self) -> Result<Refreshed, Error> {
        let give_up_at = self.world.now().saturating_add(PATIENCE).unwrap_or(Timestamp::MAX);
        self.keeper.handle_command(self.world.now(), Command::Refresh);
        loop {
            while let Some((generation, request)) = self.keeper.poll_request() {
                let answer = self.world.transport.send(request, ATTEMPT_LIMIT);
                let answer = answer.map_err(|error| {
                    let no_answer = error.no_answer();
                    self.last = Some(error);
                    no_answer
                });
                self.keeper.handle_response(self.world.now(), generation, answer);
            }
            let mut failed = None;
            while let Some(event) = self.keeper.poll_event() {
                match self.handle(event)? {
                    Step::Done(refreshed) => return Ok(*refreshed),
                    Step::Failed(error) => failed = Some(error),
                }
            }
            let next = self.keeper.poll_timeout().map(|(at, _)| at).filter(|at| *at <= give_up_at);
            match (next, failed) {
                (Some(at), _) if self.failures < MOST_FAILURES => self.wait_until(at),
                (_, Some(error)) => return Err(error),
                (_, None) => return Err(Error::NotLoggedIn(self.profile.name.to_string())),
            }
        }
    }

    fn wait_until(&mut self, at: Timestamp) {
        if let Some((_, why)) = self.keeper.poll_timeout() {
            log::info!("{}: trying again at {at}: {why}", self.profile.name);
        }
        let wait = Duration::try_from(at.duration_since(self.world.now())).unwrap_or_default();
        self.world.clock.sleep(wait);
        // The keeper is told the later of both: a clock that was set back must not stop it.
        self.keeper.handle_timeout(self.world.now().max(at));
    }

    fn handle(&mut self, event: Event) -> Result<Step, Error> {
        match event {
            Event::Refreshed { tokens, change } => self.keep(*tokens, change),
            Event::RefusedOnce(failure) => match locked(self.store).load(&self.profile.name)? {
                // Somebody without our lock refreshed: theirs is the living one.
                Some(newer) if newer.generation > self.record.generation => {
                    Ok(Step::Done(Box::new(Refreshed { record: newer, change: None })))
                }
                _ => Ok(Step::Failed(failure.into())),
            },
            Event::Rejected(failure) => {
                let at = self.world.now();
                let audit = self.audit("refresh", "refused", &failure.to_string());
                let state = RecordState::Rejected { at };
                locked(self.store).mark(
                    &self.profile.name,
                    self.record.generation,
                    state,
                    Some(&audit),
                )?;
                Err(failure.into())
            }
            Event::Failed(failure) => {
                self.failures += 1;
                Ok(Step::Failed(match failure {
                    Failure::Answer(failure) => failure.into(),
                    Failure::NoAnswer(_) => match self.last.take() {
                        Some(error) => error.into(),
                        None => Error::NotLoggedIn(self.profile.name.to_string()),
                    },
                }))
            }
            Event::NothingToRefresh => Err(Error::NoRefreshToken(self.profile.name.to_string())),
        }
    }

    /// Durable first; only what is stored may be handed out.
    fn keep(&mut self, tokens: TokenSet, change: Change) -> Result<Step, Error> {
        let draft = Draft {
            binding: self.record.binding.clone(),
            tokens,
            user: self.record.user.clone(),
            state: RecordState::Held,
        };
        let audit = self.audit("refresh", "done", describe(change));
        let (name, expected) = (&self.profile.name, self.record.generation);
        let saved =
            insist(self.world, || locked(self.store).save(name, expected, &draft, Some(&audit)));
        let generation = saved.map_err(|source| {
            if change.refresh_token == RefreshTokenChange::Replaced {
                Error::RotationLost { profile: name.to_string(), source }
            } else {
                source.into()
            }
        })?;
        let Draft { binding, tokens, user, state } = draft;
        let record = Record { generation, binding, tokens, user, state };
        Ok(Step::Done(Box::new(Refreshed { record, change: Some(change) })))
    }

    fn audit(&self, event: &str, outcome: &str, detail: &str) -> AuditEntry {
        AuditEntry {
            at: self.world.now(),
            profile: self.profile.name.clone(),
            event: event.to_owned(),
            outcome: outcome.to_owned(),
            detail: detail.to_owned(),
        }
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
            Err(StoreError::Locked | StoreError::Full | StoreError::Unreadable { .. })
                if tries < SAVE_TRIES =>
            {
                tries += 1;
                world.clock.sleep(Duration::from_millis(500));
            }
            other => return other,
        }
    }
}

enum Step {
    Done(Box<Refreshed>),
    Failed(Error),
}

/// A refresh that brought nothing: it is not repeated before the access token has ended.
pub(crate) const NOTHING_NEW: &str = "the same access token again, nothing new before it ends";

/// What changed, for the audit and for people.
pub fn describe(change: Change) -> &'static str {
    use RefreshTokenChange as Rt;
    match (change.access_token_is_new, change.access_end_moved, change.refresh_token) {
        (true, _, Rt::Replaced) => "new access token, new refresh token",
        (true, _, Rt::SameAgain | Rt::Kept) => "new access token, the refresh token stays",
        (false, true, Rt::Replaced) => "the same access token with a later end, new refresh token",
        (false, true, Rt::SameAgain | Rt::Kept) => {
            "the same access token with a later end, the refresh token stays"
        }
        (false, false, Rt::Replaced) => "the same access token again, new refresh token",
        (false, false, Rt::SameAgain | Rt::Kept) => NOTHING_NEW,
    }
}
