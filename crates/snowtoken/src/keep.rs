//! Keeps many profiles alive, ahead of time, for as long as it runs.
//!
//! [`Keeping`] is a machine like the core's keeper, one for all profiles of a home: it is told the
//! time, says which profile is due ([`Keeping::next_job`]), and is told how that went
//! ([`Keeping::settle`]). A [`Job`] does the work, on whatever thread: it takes the profile's lock,
//! reads again what is stored, refreshes once. [`run`] is the loop with threads around it; a test or
//! another program may have its own.
//!
//! - Every wait is capped ([`LOOK`]) and measured by the wall clock alone, so a machine that slept
//!   or a clock that jumped is noticed within seconds.
//! - What others do is noticed as well: `config.toml` and the store are looked at each time.
//! - It never opens a browser: where a person must log in, it says so ([`News::LoginNeeded`]).

mod desk;
mod job;
mod pool;
mod seat;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snowtoken_core::diagnosis::Code;
use snowtoken_core::keeper::Change;
use snowtoken_core::keeper::roster::Due;
use snowtoken_core::ledger::Announced;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::token_set::Deadline;
use snowtoken_store::TokenStore;

use crate::config::{self, Config, Stamp};
use crate::delivery::follow::Follower;
use crate::driver::{SharedStore, locked};
use crate::error::Error;
use crate::home::Home;
use crate::hooks::{Happening, Observer, What};
use crate::session::Session;
use crate::world::World;

use desk::{Desk, Warned};
pub use job::{Done, Job};
pub use pool::{Control, Inbox, inbox, run};

/// The longest wait before time, configuration and store are looked at again.
pub const LOOK: SignedDuration = SignedDuration::from_secs(5);

/// So many profiles of one instance are refreshed at a time; fewer than all processes together may,
/// so that a person's command does not wait for the keeper.
pub const SLOTS: u32 = 4;

/// What the keeper has to tell. It holds no secrets.
#[derive(Debug)]
pub enum News<'a> {
    /// The configuration was read.
    Configured(&'a Config),
    /// Everything was looked at for the first time.
    Started {
        /// Profiles that are kept alive.
        kept: usize,
        /// Profiles there are.
        profiles: usize,
    },
    /// Somebody logged in, refreshed, or changed the profile: this is what comes next.
    Noticed(&'a ProfileName, Due),
    /// The profile is gone, or its tokens are.
    Gone(&'a ProfileName),
    /// New tokens are stored.
    Refreshed {
        /// Whose.
        profile: &'a ProfileName,
        /// What is new about them.
        change: Change,
        /// When the access token ends.
        end: Deadline,
        /// What comes next.
        next: Due,
    },
    /// A refresh failed; the tokens are kept.
    Failed {
        /// Whose.
        profile: &'a ProfileName,
        /// Why.
        error: &'a Error,
        /// What comes next.
        next: Due,
    },
    /// Nothing can be done for it until a person has logged in.
    LoginNeeded {
        /// Whose.
        profile: &'a ProfileName,
        /// What has just shown it; `None` if it was known before.
        error: Option<&'a Error>,
    },
    /// The refresh token's end came nearer than a threshold, or is over.
    Deadline {
        /// Whose.
        profile: &'a ProfileName,
        /// The threshold in days; 0: it is over.
        days: u8,
        /// The end.
        end: Deadline,
    },
    /// Configuration or store cannot be used now; what is known goes on.
    Trouble(&'a Error),
    /// They can be used again.
    Recovered,
}

/// Hears the news, on the thread that called.
pub type Teller = Box<dyn Fn(News<'_>) + Send>;

/// Opens the store; `None` if there is none yet.
pub type Opener = Box<dyn FnMut() -> Result<Option<Box<dyn TokenStore>>, Error> + Send>;

/// How it went, all in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Refreshes that brought something.
    pub refreshed: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Profiles that are waiting for a person now.
    pub login_needed: u64,
}

/// The keeper of a home. See the [module](self).
pub struct Keeping {
    world: World,
    home: Home,
    open: Opener,
    store: Option<Arc<SharedStore>>,
    observer: Option<Observer>,
    follower: Option<Follower>,
    desk: Desk,
    stamp: Option<Stamp>,
    /// What [`TokenStore::changes_by_others`] said when everything was read.
    changes: Option<i64>,
    looked_at: Option<Timestamp>,
    /// What was last told of trouble.
    trouble: Option<(Code, String)>,
    tally: Tally,
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeping").field("profiles", &self.desk.places.len()).finish_non_exhaustive()
    }
}

impl Keeping {
    /// A keeper that has not looked at anything yet.
    pub fn new(
        world: World,
        home: Home,
        open: Opener,
        tell: Teller,
        observer: Option<Observer>,
    ) -> Self {
        Self {
            world,
            home,
            open,
            store: None,
            observer,
            follower: None,
            desk: Desk::new(tell),
            stamp: None,
            changes: None,
            looked_at: None,
            trouble: None,
            tally: Tally::default(),
        }
    }

    /// The same keeper, which tells this follower what became of deliveries that follow tokens.
    #[must_use]
    pub fn with_follower(self, follower: Follower) -> Self {
        Self { follower: Some(follower), ..self }
    }

    /// The same keeper for one round: what was tried once is not planned again.
    #[must_use]
    pub fn for_one_round(mut self) -> Self {
        self.desk.once = true;
        self
    }

    /// The time, as this keeper sees it.
    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// How it went so far.
    pub fn tally(&self) -> Tally {
        Tally { login_needed: self.desk.waiting_for_a_person(), ..self.tally }
    }

    /// Forgets what was seen of configuration and store: the next look reads both again.
    pub fn reload(&mut self) {
        self.stamp = None;
        self.changes = None;
        self.looked_at = None;
    }

    /// Looks at configuration, store and deadlines if it is time to.
    pub fn look(&mut self, now: Timestamp) {
        let is_time = |at: Timestamp| now.duration_since(at).abs() >= LOOK;
        if self.looked_at.is_none_or(is_time) {
            self.looked_at = Some(now);
            match self.survey(now) {
                Ok(()) if self.trouble.take().is_some() => (self.desk.tell)(News::Recovered),
                Ok(()) => {}
                Err(error) => self.complain(&error),
            }
        }
        if let Err(error) = self.warn_in_time(now) {
            self.complain(&error);
        }
    }

    /// A profile whose time has come, if its instance may be asked now.
    pub fn next_job(&mut self, now: Timestamp) -> Option<Job> {
        let store = self.store.as_ref()?;
        let (place, why) = self.desk.roster.poll_due(now)?;
        let seat = self.desk.seat(place)?;
        let session = Session::sharing(
            self.world.clone(),
            self.home.clone(),
            seat.profile.clone(),
            store.clone(),
            self.observer.clone(),
            self.follower.clone(),
        );
        Some(Job::new(place, why, seat.generation, session))
    }

    /// Takes in how a job ended.
    pub fn settle(&mut self, now: Timestamp, done: &Done) {
        match &done.result {
            Ok(Some(_)) => self.tally.refreshed += 1,
            Err(_) if !done.found_it_taken() => self.tally.failed += 1,
            Ok(None) | Err(_) => {}
        }
        let mut seed = [0; 8];
        // Without dice the profiles are merely less spread out.
        let _ = (self.world.dice)(&mut seed);
        let warned = self.desk.settle(now, done, u64::from_ne_bytes(seed));
        if let Some(warned) = warned
            && let Err(error) = self.warn(now, &warned)
        {
            self.complain(&error);
        }
    }

    /// When there will be something to do, if nothing happens before; never later than [`LOOK`]
    /// from the last look.
    pub fn wake_at(&self, now: Timestamp) -> Timestamp {
        let look = self.looked_at.map_or(now, |at| at.saturating_add(LOOK).unwrap_or(now));
        let alarm = self.desk.alarms.first().map(|&(at, _)| at);
        let due = self.desk.roster.poll_timeout();
        [alarm, due].into_iter().flatten().fold(look, Timestamp::min)
    }

    fn complain(&mut self, error: &Error) {
        use snowtoken_core::diagnosis::Diagnose as _;
        let trouble = Some((error.code(), error.to_string()));
        // Once, however long it lasts.
        if self.trouble != trouble {
            self.trouble = trouble;
            (self.desk.tell)(News::Trouble(error));
        }
    }

    fn survey(&mut self, now: Timestamp) -> Result<(), Error> {
        let stamp = config::stamp(&self.home);
        let is_new = self.stamp.as_ref() != Some(&stamp);
        if is_new {
            let config = config::load(&self.home)?;
            (self.desk.tell)(News::Configured(&config));
            self.desk.take_profiles(config.into_profiles());
            self.stamp = Some(stamp);
        }
        if self.store.is_none() {
            self.store = (self.open)()?.map(|store| Arc::new(Mutex::new(store)));
        }
        let Some(store) = self.store.clone() else {
            self.desk.start();
            return Ok(());
        };
        let changes = locked(&store).changes_by_others()?;
        if is_new || changes.is_none() || changes != self.changes {
            // If reading fails, it is read again at the next look.
            self.changes = None;
            let warned = self.desk.read(now, &store)?;
            self.changes = changes;
            for warned in warned {
                self.warn(now, &warned)?;
            }
        }
        Ok(())
    }

    /// Looks again at the profiles of which a threshold is crossed now.
    fn warn_in_time(&mut self, now: Timestamp) -> Result<(), Error> {
        let Some(store) = self.store.clone() else { return Ok(()) };
        while let Some(place) = self.desk.alarm(now) {
            let Some(seat) = self.desk.seat(place) else { continue };
            let standing = locked(&store).standing(&seat.profile.name)?;
            if let Some(warned) = standing.and_then(|s| self.desk.watch(now, place, &s)) {
                self.warn(now, &warned)?;
            }
        }
        Ok(())
    }

    /// Says it, and notes that it was said, so that it is said once.
    fn warn(&mut self, now: Timestamp, warned: &Warned) -> Result<(), Error> {
        let Some(profile) = self.desk.seat(warned.place).map(|seat| &seat.profile) else {
            return Ok(());
        };
        let Warned { days, end, .. } = *warned;
        (self.desk.tell)(News::Deadline { profile: &profile.name, days, end });
        if let Some(observer) = &self.observer {
            let (user, access) = (warned.user.as_deref(), Some(warned.access_end));
            let what = What::Deadline(days);
            observer(Happening::of(what, profile, user, now, access, Some(end)));
        }
        let Some(store) = &self.store else { return Ok(()) };
        let store = &mut locked(store);
        // Read again: others learn about the profile too.
        let Some(standing) = store.standing(&profile.name)? else { return Ok(()) };
        let mut facts = standing.facts;
        facts.announced = Some(Announced { end: end.at, days: days.into() });
        Ok(store.set_facts(&profile.name, &facts)?)
    }
}

/// How long a job waits for whoever has the profile now: it can come again.
const LOCK_WAIT: Duration = Duration::from_secs(1);
