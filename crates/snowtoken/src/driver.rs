//! The loop that feeds one keeper: send what it asks, tell it what came, store what it says, wait
//! as long as it says, within one command's patience.

mod conflict;
mod outcome;

use std::num::NonZeroU8;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snowtoken_core::diagnosis::Diagnose as _;
use snowtoken_core::keeper::{
    Change, Command, Event, FailedAttempt, Failure, Keeper, NoAnswer, Policy, Progress,
    RefreshTokenChange, Why,
};
use snowtoken_core::oauth::client::Client;
use snowtoken_core::profile::Profile;
use snowtoken_store::lock::RefreshLock;
use snowtoken_store::{AuditEntry, Record, StoreError, TokenStore};

use conflict::Rival;

use crate::error::Error;
use crate::home::Home;
use crate::http::{ATTEMPT_LIMIT, TransportError};
use crate::renewal;
use crate::world::World;

/// One command gives up after this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// No attempt begins later than this, so that it can end in time; only a refusal is always put to
/// the test.
const LAST_START: Duration = PATIENCE.saturating_sub(ATTEMPT_LIMIT);

/// What an attempt gets however late it is, and however the clock was set meanwhile.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(2);

/// One command makes no more than this many attempts that fail without a refusal.
const MOST_FAILURES: u32 = 3;

/// The same where an answer was lost: an instance that replaces refresh tokens may accept the old
/// one for some seconds more, and never again.
const MOST_FAILURES_IN_DOUBT: u32 = 5;

/// Clocks of machines are set by this much now and then.
pub(crate) const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// So many token requests go to one instance at a time, however many profiles and processes there
/// are. ServiceNow gives a small number of sessions to integrations and queues the rest.
const SLOTS: NonZeroU8 = NonZeroU8::new(8).unwrap();

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

/// Who asks for a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A person, or a call that was answered 401: now, whatever was planned.
    Insists,
    /// Somebody who needs a token: waits that were chosen after a failure are kept.
    Waits,
    /// A keeper of many profiles: what need not be repeated at once is left to its schedule.
    Keeps,
}

impl Asker {
    /// Whether a wait for this reason may be slept through while the profile is locked.
    fn waits_for(self, why: Why) -> bool {
        self != Self::Keeps || matches!(why, Why::AnswerLost | Why::RefusedOnce)
    }
}

/// Refreshes once. The caller holds the profile's lock and has read `record` under it.
pub(crate) fn refresh(
    world: &World,
    home: &Home,
    store: &SharedStore,
    profile: &Profile,
    client: Client,
    record: Record,
    asker: Asker,
) -> Result<Refreshed, Error> {
    let mut seed = [0; 8];
    (world.dice)(&mut seed)?;
    let own_grant =
        renewal::own_grant(world, profile, || renewal::stored_key(profile, &**locked(store)))?;
    let mut keeper = Keeper::resume(
        profile.instance.endpoints(),
        client.clone(),
        profile.lifespans,
        record.tokens.clone(),
        Policy::default(),
        u64::from_ne_bytes(seed),
        &record.progress,
    )
    .knowing(record.facts.clone());
    if let Some(own_grant) = own_grant {
        keeper = keeper.renewing_by(own_grant);
    }
    if let Some(at) = record.progress.sent_at {
        log::warn!("{}: the refresh sent at {at} left no outcome; trying again", profile.name);
    }
    let last_start = world.now().saturating_add(LAST_START).unwrap_or(Timestamp::MAX);
    let lost_at = record.progress.sent_at;
    let mut drive = Drive {
        world,
        home,
        store,
        profile,
        client,
        keeper,
        record,
        last_start,
        last: None,
        failures: 0,
        journalled: false,
        lost_at,
        conflicts: 0,
        rival: None,
    };
    drive.run(asker)
}

struct Drive<'a> {
    world: &'a World,
    home: &'a Home,
    store: &'a SharedStore,
    profile: &'a Profile,
    client: Client,
    keeper: Keeper,
    record: Record,
    last_start: Timestamp,
    last: Option<TransportError>,
    failures: u32,
    /// Whether the store knows that a request is on its way.
    journalled: bool,
    /// When a request was sent whose answer nobody has seen.
    lost_at: Option<Timestamp>,
    /// How often somebody else had stored something meanwhile.
    conflicts: u32,
    /// Tokens that live if the ones that are being tried do not.
    rival: Option<Rival>,
}

impl Drive<'_> {
    fn run(&mut self, asker: Asker) -> Result<Refreshed, Error> {
        self.begin(asker)?;
        loop {
            let failed = match self.attempt()? {
                Some(Step::Done(refreshed)) => return Ok(*refreshed),
                Some(Step::Again) => continue,
                Some(Step::Failed(error)) => Some(error),
                None => None,
            };
            let next = self.keeper.poll_timeout();
            let next = next.filter(|(at, why)| {
                let in_time = *at <= self.last_start || *why == Why::RefusedOnce;
                // While an answer is in doubt, every second counts.
                in_time && (asker.waits_for(*why) || self.lost_at.is_some())
            });
            match (next, failed) {
                (Some((at, _)), _) if self.failures < self.most_failures() => self.wait_until(at),
                // Somebody without our lock may have had more luck.
                (_, Some(error)) => match self.overtaken() {
                    Ok(Some(Step::Done(refreshed))) => return Ok(*refreshed),
                    Ok(Some(_)) => {}
                    _ => {
                        self.note_failure(&error);
                        return Err(error);
                    }
                },
                (_, None) => return Err(self.not_logged_in()),
            }
        }
    }

    /// Sends what is to be sent and stores what comes. The place among the requests is kept until
    /// then: of a crowd of profiles no more than that write to the store at a time, either.
    fn attempt(&mut self) -> Result<Option<Step>, Error> {
        let mut slot = None;
        while let Some((generation, request)) = self.keeper.poll_request() {
            if slot.is_none() {
                slot = Some(self.slot()?);
            }
            match self.journal() {
                Err(Error::Store(StoreError::Conflict { .. })) => return self.overtaken(),
                journalled => journalled?,
            }
            let answer = self.world.transport.send(request, self.limit());
            let answer = answer.map_err(|error| {
                let no_answer = error.no_answer();
                self.last = Some(error);
                no_answer
            });
            self.keeper.handle_response(self.world.now(), generation, answer);
        }
        let mut last = None;
        while let Some(event) = self.keeper.poll_event() {
            last = Some(self.handle(event)?);
            if let Some(Step::Done(_)) = last {
                break;
            }
        }
        Ok(last)
    }

    fn most_failures(&self) -> u32 {
        if self.lost_at.is_some() { MOST_FAILURES_IN_DOUBT } else { MOST_FAILURES }
    }

    /// How long the next attempt may take.
    fn limit(&self) -> Duration {
        let late = self.world.now().duration_since(self.last_start);
        let late = Duration::try_from(late).unwrap_or_default();
        ATTEMPT_LIMIT.saturating_sub(late).max(SHORTEST_ATTEMPT)
    }

    /// Sends at once, or keeps the wait that somebody before us was told to keep.
    fn begin(&mut self, asker: Asker) -> Result<(), Error> {
        let now = self.world.now();
        // A clock that was set back since would make minutes years.
        let failed = self.record.progress.failed.as_ref();
        let set_back = failed.is_some_and(|failed| failed.at.duration_since(now) > CLOCK_TOLERANCE);
        let kept = self.record.progress.next.filter(|(at, why)| {
            !set_back
                && asker != Asker::Insists
                && *at > now
                && matches!(why, Why::BackOff | Why::RetryAfter)
        });
        let limit = if asker == Asker::Keeps { now } else { self.last_start };
        match (kept, failed) {
            (Some((at, _)), Some(failed)) if at > limit => {
                Err(failed_before(self.profile, failed, Some(at)))
            }
            (Some((at, _)), _) if at <= limit => {
                self.wait_until(at);
                Ok(())
            }
            _ => {
                self.keeper.handle_command(now, Command::Refresh);
                Ok(())
            }
        }
    }

    /// The intent, durable before the first byte is sent: whoever finds it knows that the instance
    /// may have acted, and the disk has shown that it takes writes.
    fn journal(&mut self) -> Result<(), Error> {
        if self.journalled {
            return Ok(());
        }
        let sent_at = self.lost_at.unwrap_or_else(|| self.world.now());
        let progress =
            Progress { sent_at: Some(sent_at), next: None, ..self.record.progress.clone() };
        let mut store = locked(self.store);
        store.expect_answer(&self.profile.name)?;
        store.note(&self.profile.name, self.record.generation, &progress, None)?;
        self.journalled = true;
        Ok(())
    }

    /// A place among the requests to this instance.
    fn slot(&self) -> Result<RefreshLock, Error> {
        let left = self.last_start.duration_since(self.world.now());
        let left = Duration::try_from(left).unwrap_or_default();
        let instance = self.profile.instance.url();
        Ok(RefreshLock::acquire_slot(&self.home.data, instance, SLOTS, left)?)
    }

    /// What failed, and when it may be tried again, for whoever comes next. If it cannot be noted
    /// the intent stays noted, which is as safe.
    fn note_failure(&self, error: &Error) {
        let mut progress = self.keeper.progress();
        // Should the refresh token be refused one day, this is why.
        progress.sent_at = self.lost_at;
        // Somebody acts, and wants to see at once whether it helped.
        progress.next = progress.next.filter(|(_, why)| *why != Why::SomebodyMustAct);
        progress.failed = Some(FailedAttempt {
            at: self.world.now(),
            code: error.code(),
            detail: error.to_string(),
        });
        let audit = self.audit("refresh", "failed", error.code().as_str());
        let (name, generation) = (&self.profile.name, self.record.generation);
        if let Err(error) = locked(self.store).note(name, generation, &progress, Some(&audit)) {
            log::warn!("{name}: the failure could not be noted: {error}");
        }
    }

    /// What a refusal taught. It can be learnt again, so a failure costs nothing.
    fn note_facts(&self) {
        let (name, facts) = (&self.profile.name, self.keeper.facts());
        if *facts != self.record.facts
            && let Err(error) = locked(self.store).set_facts(name, facts)
        {
            log::warn!("{name}: what was learnt could not be noted: {error}");
        }
    }

    fn wait_until(&mut self, at: Timestamp) {
        if let Some((_, why)) = self.keeper.poll_timeout() {
            log::info!("{}: trying again at {at}: {why}", self.profile.name);
        }
        let wait = Duration::try_from(at.duration_since(self.world.now())).unwrap_or_default();
        // A clock that was set back since `at` was chosen must not make it longer.
        self.world.clock.sleep(wait.min(PATIENCE));
        // The keeper is told the later of both: a clock that was set back must not stop it.
        self.keeper.handle_timeout(self.world.now().max(at));
    }

    fn handle(&mut self, event: Event) -> Result<Step, Error> {
        match event {
            Event::Refreshed { tokens, change } => self.keep(*tokens, change),
            // Somebody without our lock may have refreshed: theirs is the living one.
            Event::RefusedOnce(failure) => match self.overtaken()? {
                Some(step) => Ok(step),
                None => Ok(Step::Failed(failure.into())),
            },
            Event::Rejected(failure) => match self.overtaken()? {
                Some(step) => Ok(step),
                None if self.try_rival() => Ok(Step::Again),
                None => self.reject(failure),
            },
            Event::Failed(failure) => {
                self.failures += 1;
                if left_in_doubt(&failure) {
                    self.lost_at.get_or_insert(self.world.now());
                }
                Ok(Step::Failed(match failure {
                    Failure::Answer(failure) => failure.into(),
                    Failure::NoAnswer(_) => match self.last.take() {
                        Some(error) => error.into(),
                        None => self.not_logged_in(),
                    },
                }))
            }
            Event::CameTooLate { access_token, refresh_token } => {
                self.end(&access_token, refresh_token.as_ref());
                Err(self.not_logged_in())
            }
            Event::NotSigned(error) => Err(Error::NotSigned(error)),
            Event::NothingToRefresh => Err(Error::NoRefreshToken(self.profile.name.to_string())),
        }
    }

    fn not_logged_in(&self) -> Error {
        Error::NotLoggedIn(self.profile.name.to_string())
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

/// Whether the instance may have issued tokens that did not reach us.
fn left_in_doubt(failure: &Failure) -> bool {
    match failure {
        Failure::NoAnswer(no_answer) => *no_answer == NoAnswer::Lost,
        Failure::Answer(failure) => failure.error.may_hide_tokens(),
    }
}

/// The failure of somebody else, as ours.
pub(crate) fn failed_before(
    profile: &Profile,
    failed: &FailedAttempt,
    next: Option<Timestamp>,
) -> Error {
    let failed = Box::new(failed.clone());
    Error::FailedBefore { profile: profile.name.to_string(), failed, next }
}

enum Step {
    Done(Box<Refreshed>),
    Failed(Error),
    /// There is another request to send.
    Again,
}

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
        (false, false, Rt::SameAgain | Rt::Kept) => {
            "the same access token again, nothing new before it ends"
        }
        (true, _, Rt::Unused) => "new access token by a new grant",
        (false, true, Rt::Unused) => "the same access token with a later end, by a new grant",
        (false, false, Rt::Unused) => {
            "the same access token again by a new grant, nothing new before it ends"
        }
    }
}
