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

mod job;
mod pool;
mod seat;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snowtoken_core::diagnosis::Code;
use snowtoken_core::keeper::roster::{Due, Place, Roster};
use snowtoken_core::keeper::warning::{self, Given};
use snowtoken_core::keeper::{Change, Policy, Why};
use snowtoken_core::ledger::{Announced, RefreshEnd};
use snowtoken_core::profile::{Profile, ProfileName};
use snowtoken_core::token_set::{Deadline, Generation};
use snowtoken_store::{Standing, TokenStore};

use crate::config::{self, Config, Stamp};
use crate::driver::{SharedStore, locked};
use crate::error::Error;
use crate::home::Home;
use crate::hooks::{Happening, Observer, What};
use crate::session::Session;
use crate::world::World;

pub use job::{Done, Job};
pub use pool::{Control, Inbox, inbox, run};
use seat::{Condition, Seat};

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
            desk: Desk::new(tell),
            stamp: None,
            changes: None,
            looked_at: None,
            trouble: None,
            tally: Tally::default(),
        }
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
            self.desk.start();
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

/// A warning that is due.
#[derive(Debug)]
struct Warned {
    place: Place,
    days: u8,
    end: Deadline,
    access_end: Deadline,
    user: Option<String>,
}

/// What is known of all profiles, without the store.
struct Desk {
    tell: Teller,
    roster: Roster,
    seats: Vec<Option<Seat>>,
    free: Vec<Place>,
    places: BTreeMap<ProfileName, Place>,
    /// When the next warning of a profile is due.
    alarms: BTreeSet<(Timestamp, Place)>,
    /// Counts the times that everything was read.
    survey: u32,
    has_started: bool,
    once: bool,
}

impl Desk {
    fn new(tell: Teller) -> Self {
        Self {
            tell,
            roster: Roster::new(SLOTS),
            seats: Vec::new(),
            free: Vec::new(),
            places: BTreeMap::new(),
            alarms: BTreeSet::new(),
            survey: 0,
            has_started: false,
            once: false,
        }
    }

    /// Everything was looked at: from now on changes are news.
    fn start(&mut self) {
        if !std::mem::replace(&mut self.has_started, true) {
            let kept = self.seats.iter().flatten().filter(|s| s.condition == Condition::Kept);
            (self.tell)(News::Started { kept: kept.count(), profiles: self.places.len() });
        }
    }

    fn seat(&self, place: Place) -> Option<&Seat> {
        self.seats.get(place.0 as usize)?.as_ref()
    }

    fn seat_mut(&mut self, place: Place) -> Option<&mut Seat> {
        self.seats.get_mut(place.0 as usize)?.as_mut()
    }

    fn waiting_for_a_person(&self) -> u64 {
        let seats = self.seats.iter().flatten();
        seats.filter(|seat| seat.condition == Condition::LoginNeeded).count() as u64
    }

    /// Takes over what the configuration says; those that it does not name any more are let go.
    fn take_profiles(&mut self, profiles: Vec<Profile>) {
        let mut gone = std::mem::take(&mut self.places);
        for profile in profiles {
            match gone.remove_entry(&profile.name) {
                Some((name, place)) => {
                    if let Some(seat) = self.seat_mut(place).filter(|s| s.profile != profile) {
                        // Whatever is known was known of another one.
                        *seat = Seat::new(profile);
                    }
                    self.places.insert(name, place);
                }
                None => self.admit(profile),
            }
        }
        for (name, place) in gone {
            self.let_go(place);
            (self.tell)(News::Gone(&name));
        }
    }

    fn admit(&mut self, profile: Profile) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            Place(u32::try_from(self.seats.len() - 1).unwrap_or(u32::MAX))
        });
        self.places.insert(profile.name.clone(), place);
        if let Some(seat) = self.seats.get_mut(place.0 as usize) {
            *seat = Some(Seat::new(profile));
        }
    }

    fn let_go(&mut self, place: Place) {
        self.set_alarm(place, None);
        self.roster.dismiss(place);
        if let Some(seat) = self.seats.get_mut(place.0 as usize) {
            *seat = None;
        }
        // A place whose job is out is given to nobody before that has come back.
        if !self.roster.is_under_way(place) {
            self.free.push(place);
        }
    }

    /// Reads how every profile stands.
    fn read(&mut self, now: Timestamp, store: &SharedStore) -> Result<Vec<Warned>, Error> {
        self.survey = self.survey.wrapping_add(1);
        let mut warned = Vec::new();
        locked(store).standings(&mut |standing| {
            if let Some(&place) = self.places.get(&standing.profile) {
                self.note(now, place, &standing);
                warned.extend(self.watch(now, place, &standing));
            }
        })?;
        let survey = self.survey;
        let places: Vec<Place> = self.places.values().copied().collect();
        for place in places {
            if self.seat(place).is_some_and(|seat| seat.survey != survey) {
                self.forget(place);
            }
        }
        Ok(warned)
    }

    /// The store has nothing of it.
    fn forget(&mut self, place: Place) {
        self.set_alarm(place, None);
        self.roster.dismiss(place);
        let Some(seat) = self.seat_mut(place) else { return };
        let was = std::mem::replace(&mut seat.condition, Condition::NoTokens);
        seat.generation = Generation::NONE;
        if let (true, Some(seat)) = (was.has_tokens(), self.seat(place)) {
            (self.tell)(News::Gone(&seat.profile.name));
        }
    }

    /// Takes in how a profile stands, if that is news.
    fn note(&mut self, now: Timestamp, place: Place, standing: &Standing) {
        let (survey, has_started) = (self.survey, self.has_started);
        let is_under_way = self.roster.is_under_way(place);
        let Some(seat) = self.seat_mut(place) else { return };
        seat.survey = survey;
        // What a job makes of it, the job tells.
        if is_under_way {
            return;
        }
        let (condition, plan) = seat::judge(now, standing, &seat.profile);
        let is_same = seat.generation == standing.generation && seat.plan == plan;
        let was = std::mem::replace(&mut seat.condition, condition);
        if is_same && was == condition {
            return;
        }
        seat.take(standing.generation, plan);
        let url = seat.profile.instance.url().to_owned();
        self.roster.enroll(now, place, &url, plan);
        let Some(seat) = self.seat(place) else { return };
        let name = &seat.profile.name;
        match condition {
            Condition::LoginNeeded => {
                (self.tell)(News::LoginNeeded { profile: name, error: None });
            }
            Condition::Kept if has_started => (self.tell)(News::Noticed(name, plan)),
            Condition::NoTokens if was.has_tokens() => (self.tell)(News::Gone(name)),
            _ => {}
        }
    }

    fn settle(&mut self, now: Timestamp, done: &Done, seed: u64) -> Option<Warned> {
        let place = done.place;
        let Some(seat) = self.seats.get_mut(place.0 as usize).and_then(Option::as_mut) else {
            // It was removed meanwhile.
            self.roster.finish(now, place, Due::Never, done.went());
            self.roster.dismiss(place);
            self.free.push(place);
            return None;
        };
        let was = seat.condition;
        let plan = match &done.standing {
            Some(standing) => {
                let (condition, plan) = seat::judge(now, standing, &seat.profile);
                seat.condition = condition;
                let failures = seat.failures;
                seat.take(standing.generation, plan);
                seat.failures = failures;
                plan
            }
            None => Due::At(now, Why::BackOff),
        };
        seat.failures = if done.result.is_ok() { 0 } else { seat.failures.saturating_add(1) };
        let failures = u32::from(seat.failures);
        let due = match plan {
            // What failed before it came to the instance left no plan: it is tried again, ever later.
            Due::At(at, why) if at <= now && !(why == Why::AnswerLost && failures <= 1) => {
                Due::At(Policy::default().back_off(now, failures, seed), Why::BackOff)
            }
            _ => plan,
        };
        let next = if self.once { Due::Never } else { due };
        self.roster.finish(now, place, next, done.went());
        self.report(place, was, done, due);
        done.standing.as_ref().and_then(|standing| self.watch(now, place, standing))
    }

    fn report(&self, place: Place, was: Condition, done: &Done, next: Due) {
        let Some(seat) = self.seat(place) else { return };
        let profile = &seat.profile.name;
        let is_needed = seat.condition == Condition::LoginNeeded && was != Condition::LoginNeeded;
        match &done.result {
            Ok(Some((change, end))) => {
                let (change, end) = (*change, *end);
                (self.tell)(News::Refreshed { profile, change, end, next });
            }
            Ok(None) if was == seat.condition => (self.tell)(News::Noticed(profile, next)),
            Err(_) if done.found_it_taken() => {}
            Ok(None) | Err(_) if is_needed => {
                let error = done.result.as_ref().err();
                (self.tell)(News::LoginNeeded { profile, error });
            }
            Ok(None) => {}
            Err(error) => (self.tell)(News::Failed { profile, error, next }),
        }
    }

    /// Whether a warning is due; sets the alarm for the next one.
    fn watch(&mut self, now: Timestamp, place: Place, standing: &Standing) -> Option<Warned> {
        let seat = self.seat(place)?;
        let held = standing.held.as_ref().filter(|_| seat.condition == Condition::Kept);
        let Some((held, end)) = held.and_then(|held| Some((held, held.refresh_expires_at?))) else {
            self.set_alarm(place, None);
            return None;
        };
        let since = match standing.facts.refresh_end {
            RefreshEnd::Moves | RefreshEnd::Replaced => held.issued_at,
            RefreshEnd::Stays | RefreshEnd::Unknown => held.granted_at,
        };
        let given = standing.facts.announced.map(|announced| Given {
            end: announced.end,
            days: u8::try_from(announced.days).unwrap_or(u8::MAX),
        });
        let outlook = warning::look(now, since, end.at, given);
        self.set_alarm(place, outlook.next);
        let (access_end, user) = (held.access_expires_at, held.user.clone());
        outlook.tell.map(|days| Warned { place, days, end, access_end, user })
    }

    fn set_alarm(&mut self, place: Place, at: Option<Timestamp>) {
        let Some(seat) = self.seats.get_mut(place.0 as usize).and_then(Option::as_mut) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut seat.alarm, at) {
            self.alarms.remove(&(old, place));
        }
        if let Some(at) = at {
            self.alarms.insert((at, place));
        }
    }

    /// The next profile whose alarm rings; it is off then.
    fn alarm(&mut self, now: Timestamp) -> Option<Place> {
        let &(at, place) = self.alarms.first()?;
        if at > now {
            return None;
        }
        self.alarms.pop_first();
        if let Some(seat) = self.seat_mut(place) {
            seat.alarm = None;
        }
        Some(place)
    }
}

/// How long a job waits for whoever has the profile now: it can come again.
const LOCK_WAIT: Duration = Duration::from_secs(1);
