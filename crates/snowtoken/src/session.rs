//! A profile that is open: ask it for a living access token.

mod ending;
mod keeping;
mod rejected;
mod rotating;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snowtoken_core::keeper::{Policy, Why};
use snowtoken_core::oauth::client::Client;
use snowtoken_core::profile::{Profile, ProfileName};
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, User};
use snowtoken_store::key::Keys;
use snowtoken_store::lock::{RefreshLock, Turn};
use snowtoken_store::sqlite::{Options, SqliteStore};
use snowtoken_store::{AuditEntry, Binding, Record, RecordState, StoreError, TokenStore};

use crate::config;
use crate::delivery::follow::Follower;
use crate::driver::{self, Asker, Refreshed, SharedStore};
use crate::error::Error;
use crate::home::Home;
use crate::hooks::{Observer, What};
use crate::learn;
use crate::login::verify;
use crate::world::World;

pub use rotating::SecretProof;

/// How long to wait for another process that refreshes the same profile: its patience and a bit.
const LOCK_WAIT: Duration = Duration::from_secs(34);

/// What is left of a token that is handed out without a refresh, unless more is asked for.
const USUAL_MARGIN: Duration = Duration::from_mins(1);

/// An access token that lives, with its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// When it ends, and how that is known.
    pub expires_at: Deadline,
}

impl AccessToken {
    fn of(record: Record) -> Self {
        let tokens = record.tokens;
        Self { token: tokens.access_token, expires_at: tokens.access_expires_at }
    }
}

/// A profile with its store. It may be shared between threads; a refresh happens once at a time,
/// across threads and processes.
pub struct Session {
    world: World,
    home: Home,
    profile: Profile,
    store: Arc<SharedStore>,
    observer: Option<Observer>,
    follower: Option<Follower>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("profile", &self.profile.name).finish_non_exhaustive()
    }
}

impl Session {
    /// Opens the profile of that name from the person's configuration and store. `keys` says how to
    /// come by the store's key; [`Keys::recorded`] uses what the store was made with.
    ///
    /// # Errors
    /// If the profile is unknown, or configuration, store or key cannot be used.
    pub fn open(world: World, name: &ProfileName, keys: &Keys<'_>) -> Result<Self, Error> {
        let home = Home::find(&world.environment)?;
        let profile = config::load(&home)?
            .profile(name)
            .cloned()
            .ok_or_else(|| Error::ProfileUnknown(name.to_string()))?;
        let store = SqliteStore::open(&Options::new(home.database()), keys)?
            .ok_or_else(|| Error::NotLoggedIn(name.to_string()))?;
        Ok(Self::with_store(world, home, profile, Box::new(store)))
    }

    /// A session over any store, for programs that keep tokens elsewhere. `home` holds the locks.
    pub fn with_store(
        world: World,
        home: Home,
        profile: Profile,
        store: Box<dyn TokenStore>,
    ) -> Self {
        Self {
            world,
            home,
            profile,
            store: Arc::new(Mutex::new(store)),
            observer: None,
            follower: None,
        }
    }

    /// The profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The store, for as long as the guard lives. No request is sent meanwhile.
    pub fn store(&self) -> MutexGuard<'_, Box<dyn TokenStore>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is stored, if it belongs to the profile's instance and client.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`] or [`Error::BoundElsewhere`].
    pub fn record(&self) -> Result<Record, Error> {
        let record = self.store().load(&self.profile.name)?;
        self.checked(record)
    }

    fn checked(&self, record: Option<Record>) -> Result<Record, Error> {
        let record = record.ok_or_else(|| Error::NotLoggedIn(self.profile.name.to_string()))?;
        if record.binding != self.binding() {
            return Err(elsewhere(&self.profile, &record.binding));
        }
        Ok(record)
    }

    /// Instance and client of the profile, as tokens are bound to them.
    pub fn binding(&self) -> Binding {
        binding(&self.profile)
    }

    /// The client with its stored secret.
    ///
    /// # Errors
    /// If the profile's client needs a secret and none is stored for it.
    pub fn client(&self) -> Result<Client, Error> {
        client(&self.profile, &**self.store())
    }

    /// An access token that lives for at least `min_valid` from now. The instance is asked only if
    /// the stored one does not, and then once, whoever else asks at the same time: by the refresh
    /// token, or by the same grant again where the client needs no person for it.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`], [`Error::Rejected`] and [`Error::NoRefreshToken`] mean that a person
    /// must log in; [`Error::TooShort`] that the instance gives no longer-lived token now.
    pub fn access_token(&self, min_valid: Duration) -> Result<AccessToken, Error> {
        self.token_for(Some(min_valid))
    }

    /// An access token that lives for a minute, or for a fifth of its life where the instance gives
    /// shorter ones: what a single call needs. Otherwise as [`Session::access_token`].
    ///
    /// # Errors
    /// As [`Session::access_token`]; [`Error::TooShort`] only if what comes has ended when it comes.
    pub fn living_access_token(&self) -> Result<AccessToken, Error> {
        self.token_for(None)
    }

    /// The failure of whoever held the lock while we waited for it is ours too.
    fn failed_meanwhile(
        &self,
        lock: &RefreshLock,
        record: &Record,
        began: Timestamp,
    ) -> Result<(), Error> {
        match &record.progress.failed {
            Some(failed) if lock.waited() && failed.at >= began => {
                Err(driver::failed_before(&self.profile, failed, None))
            }
            _ => Ok(()),
        }
    }

    fn token_for(&self, min_valid: Option<Duration>) -> Result<AccessToken, Error> {
        let margin = min_valid.unwrap_or(USUAL_MARGIN);
        if let Some(token) = self.living(margin)? {
            return Ok(token);
        }
        let began = self.now();
        let name = &self.profile.name;
        let turn = RefreshLock::acquire_unless(&self.home.data, name, LOCK_WAIT, || {
            // A store that is busy just now is asked again, at the latest under the lock.
            self.settled(margin, min_valid).ok().flatten()
        })?;
        let lock = match turn {
            Turn::Settled(token) => return Ok(token),
            Turn::Lock(lock) => lock,
        };
        if let Some(token) = self.settled(margin, min_valid)? {
            return Ok(token);
        }
        let record = self.record()?;
        self.check_usable(&record)?;
        self.failed_meanwhile(&lock, &record, began)?;
        let record = self.refresh_locked(record, Asker::Waits)?.record;
        self.fresh(record, min_valid)
    }

    /// What a refresh has just brought, if it lives for as long as was asked for.
    fn fresh(&self, record: Record, min_valid: Option<Duration>) -> Result<AccessToken, Error> {
        let left = |record: &Record| record.tokens.access_expires_at.at.duration_since(self.now());
        let record = if left(&record) > SignedDuration::ZERO {
            record
        } else {
            // The machine slept, or its clock was set, while the answer was on its way.
            self.refresh_locked(record, Asker::Insists)?.record
        };
        let left = left(&record);
        let wanted = min_valid.unwrap_or_default();
        let wanted = SignedDuration::try_from(wanted).unwrap_or(SignedDuration::MAX);
        // The call itself took time: a token that just fails by that is as good as it gets.
        let tolerance = SignedDuration::from_secs(5).min(wanted / 4);
        let too_short = left < wanted.saturating_sub(tolerance);
        if left <= SignedDuration::ZERO || min_valid.is_some() && too_short {
            return Err(Error::TooShort { left, wanted });
        }
        Ok(AccessToken::of(record))
    }

    /// The stored token, if there is nothing to refresh now.
    fn settled(
        &self,
        margin: Duration,
        min_valid: Option<Duration>,
    ) -> Result<Option<AccessToken>, Error> {
        if let Some(token) = self.living(margin)? {
            return Ok(Some(token));
        }
        Ok(self.as_good_as_it_gets(&self.record()?, min_valid))
    }

    /// The stored token, where a refresh is not due yet, or cannot or must not be made: it lives as
    /// long as it lives.
    fn as_good_as_it_gets(
        &self,
        record: &Record,
        min_valid: Option<Duration>,
    ) -> Option<AccessToken> {
        let now = self.now();
        let lives = now < record.tokens.access_expires_at.at && record.tokens.issued_at <= now;
        if let (Some(min_valid), RecordState::HandedOver { .. }) = (min_valid, record.state) {
            // It is not refreshed here any more: as long as it is enough, it is handed out.
            let enough = now
                .checked_add(min_valid)
                .is_ok_and(|until| until <= record.tokens.access_expires_at.at);
            return (lives && enough).then(|| AccessToken::of(record.clone()));
        }
        if min_valid.is_some() || !lives {
            return None;
        }
        let take = match record.state {
            RecordState::Rejected { .. } | RecordState::HandedOver { .. } => true,
            RecordState::RevocationPending { .. } => false,
            RecordState::Held => {
                let same =
                    matches!(record.progress.next, Some((at, Why::SameTokenAgain)) if now < at);
                same || now < Policy::default().refresh_at(&record.tokens)
            }
        };
        take.then(|| AccessToken::of(record.clone()))
    }

    fn living(&self, min_valid: Duration) -> Result<Option<AccessToken>, Error> {
        let found =
            self.store().living_access_token(&self.profile.name, self.world.now(), min_valid)?;
        Ok(found
            .filter(|living| living.binding == self.binding())
            .map(|living| AccessToken { token: living.token, expires_at: living.expires_at }))
    }

    /// Whether this machine may use the tokens as its own.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::BeingRevoked`] or [`Error::HandedOver`].
    pub fn check_usable(&self, record: &Record) -> Result<(), Error> {
        let profile = self.profile.name.to_string();
        match record.state {
            RecordState::Held => Ok(()),
            // The refresh token that was refused is of no use here any more.
            RecordState::Rejected { .. } if self.profile.grant.renews_itself() => Ok(()),
            RecordState::Rejected { at } => Err(Error::Rejected { profile, at }),
            RecordState::RevocationPending { .. } => Err(Error::BeingRevoked(profile)),
            RecordState::HandedOver { at } => Err(Error::HandedOver { profile, at }),
        }
    }

    /// Asks the instance for new tokens now, once, also right after another refresh and also if the
    /// refresh token was refused before.
    ///
    /// # Errors
    /// As [`Session::access_token`].
    pub fn refresh(&self) -> Result<Refreshed, Error> {
        let _lock = self.lock()?;
        let record = self.record()?;
        match record.state {
            // A person who asks may know more than the last answer did.
            RecordState::Rejected { .. } => {}
            _ => self.check_usable(&record)?,
        }
        self.refresh_locked(record, Asker::Insists)
    }

    fn refresh_locked(&self, record: Record, asker: Asker) -> Result<Refreshed, Error> {
        let needs_it = !self.profile.grant.renews_itself();
        if needs_it && record.tokens.refresh_token.is_none() {
            return Err(Error::NoRefreshToken(self.profile.name.to_string()));
        }
        let client = self.client()?;
        let (world, home, store) = (&self.world, &self.home, &self.store);
        let was_rejected = matches!(record.state, RecordState::Rejected { .. });
        let done = driver::refresh(world, home, store, &self.profile, client, record, asker);
        let refreshed = match self.or_with_spare(done) {
            Err(error) if !was_rejected => return Err(self.told_of_rejection(error)),
            other => other?,
        };
        if let Some(change) = refreshed.change {
            self.follow(&refreshed.record);
            self.tell(What::Refreshed(change), &refreshed.record);
        } else {
            // Somebody without our lock stored it: it may be for another instance, or not for use.
            self.check_usable(&refreshed.record)?;
            self.checked(Some(refreshed.record.clone()))?;
        }
        Ok(refreshed)
    }

    /// Proves the access token by a call, refreshing it before if it has ended; notes whose it is,
    /// and what else the instance tells about the tokens and their user ([`Session::learn`]).
    ///
    /// # Errors
    /// A verdict of the instance is [`Error::Api`].
    pub fn verify(&self) -> Result<(Option<User>, Record), Error> {
        let user = self.calling(|token| verify(&self.world, &self.profile, token))?;
        let mut record = self.record()?;
        if user.is_some() && record.user != user {
            self.store().set_user(&self.profile.name, record.generation, user.as_ref())?;
            record.user.clone_from(&user);
            record.facts.concerns.clear();
        }
        let record = self.learn(record)?;
        Ok((user, record))
    }

    /// Reads what the access token may read of the client's record, of issued tokens and of the
    /// user's record, and notes it: the deadline, lifespans, concerns. It takes some seconds at most.
    /// What may not be read, or is not understood, is not known; that is no error.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn learn(&self, mut record: Record) -> Result<Record, Error> {
        let user = record.user.clone();
        let asked =
            learn::ask(&self.world, &self.profile, &record.tokens.access_token, user.as_ref());
        let learnt = asked.judge(learn::LIMIT, &self.profile, user.as_ref(), &record.tokens);
        let facts = learnt.added_to(record.facts.clone(), &record.tokens);
        let end = learnt.deadline(&record.tokens, Some(&record.facts));
        if facts == record.facts && (end.is_none() || end == record.tokens.refresh_expires_at) {
            return Ok(record);
        }
        let noted = self.store().learn(&self.profile.name, record.generation, end, &facts);
        match noted {
            // Somebody has refreshed or logged in meanwhile: it was about tokens of yesterday.
            Err(StoreError::Conflict { .. } | StoreError::Absent { .. }) => return Ok(record),
            other => other?,
        }
        record.tokens.refresh_expires_at = end.or(record.tokens.refresh_expires_at);
        record.facts = facts;
        Ok(record)
    }

    /// The lock under which tokens of this profile change; it dies with the process. An answer that
    /// the one before us received and could not store any more is stored first.
    ///
    /// # Errors
    /// If another process holds it longer than we wait.
    pub fn lock(&self) -> Result<RefreshLock, Error> {
        let name = &self.profile.name;
        let lock = lock(&self.home.data, name)?;
        let audit = AuditEntry {
            at: self.now(),
            profile: name.clone(),
            event: "refresh".to_owned(),
            outcome: "done".to_owned(),
            detail: "stored by the command after the one that received it".to_owned(),
        };
        if self.store().take_up_answer(name, &audit)? {
            log::warn!("{name}: took over an answer that a command received and could not store");
        }
        Ok(lock)
    }

    /// The time, as the session sees it.
    pub fn now(&self) -> Timestamp {
        self.world.now()
    }
}

/// Takes the lock of a profile, with a bounded wait.
///
/// # Errors
/// If another process holds it longer than that.
pub fn lock(data: &Path, name: &ProfileName) -> Result<RefreshLock, Error> {
    Ok(RefreshLock::acquire(data, name, LOCK_WAIT)?)
}

/// Instance and client of a profile, as tokens are bound to them.
pub fn binding(profile: &Profile) -> Binding {
    Binding {
        instance: profile.instance.url().to_owned(),
        client_id: profile.client_id.as_str().to_owned(),
    }
}

/// The client of a profile with its stored secret.
///
/// # Errors
/// If it needs a secret and none is stored for it.
pub fn client(profile: &Profile, store: &dyn TokenStore) -> Result<Client, Error> {
    use snowtoken_core::oauth::client::AuthenticationMethod;
    let secret = store.client_secret(&profile.name, &binding(profile))?;
    if secret.is_none() && profile.authentication != AuthenticationMethod::None {
        return Err(Error::NoClientSecret(profile.name.to_string()));
    }
    Ok(Client {
        id: profile.client_id.clone(),
        authentication: profile.authentication.with(secret),
    })
}

fn elsewhere(profile: &Profile, bound: &Binding) -> Error {
    Error::BoundElsewhere {
        profile: profile.name.to_string(),
        bound_to: format!("{} and client {}", bound.instance, bound.client_id),
    }
}
