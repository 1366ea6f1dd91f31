//! What the keeper knows of all profiles: who waits for what, and whom a person has to be told of.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use snowtoken_core::keeper::roster::{Due, Place, Roster};
use snowtoken_core::keeper::warning::{self, Given};
use snowtoken_core::keeper::{Policy, Why};
use snowtoken_core::ledger::RefreshEnd;
use snowtoken_core::profile::{Profile, ProfileName};
use snowtoken_core::token_set::{Deadline, Generation};
use snowtoken_store::Standing;

use super::job::Done;
use super::seat::{self, Condition, Seat};
use super::{News, SLOTS, Teller};
use crate::driver::{SharedStore, locked};
use crate::error::Error;

/// A warning that is due.
#[derive(Debug)]
pub(super) struct Warned {
    pub(super) place: Place,
    pub(super) days: u8,
    pub(super) end: Deadline,
    pub(super) access_end: Deadline,
    pub(super) user: Option<String>,
}

/// What reading the store brought to light about a profile.
#[derive(Clone, Copy)]
enum Noted {
    LoginNeeded,
    Plan(Due),
    Gone,
}

/// What is known of all profiles, without the store.
pub(super) struct Desk {
    pub(super) tell: Teller,
    pub(super) roster: Roster,
    seats: Vec<Option<Box<Seat>>>,
    free: Vec<Place>,
    pub(super) places: BTreeMap<ProfileName, Place>,
    /// When the next warning of a profile is due.
    pub(super) alarms: BTreeSet<(Timestamp, Place)>,
    /// Counts the times that everything was read.
    survey: u32,
    has_started: bool,
    pub(super) once: bool,
}

impl Desk {
    pub(super) fn new(tell: Teller) -> Self {
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
    pub(super) fn start(&mut self) {
        if !std::mem::replace(&mut self.has_started, true) {
            let kept = self.seats.iter().flatten().filter(|s| s.condition == Condition::Kept);
            (self.tell)(News::Started { kept: kept.count(), profiles: self.places.len() });
        }
    }

    pub(super) fn seat(&self, place: Place) -> Option<&Seat> {
        self.seats.get(place.0 as usize)?.as_deref()
    }

    fn seat_mut(&mut self, place: Place) -> Option<&mut Seat> {
        self.seats.get_mut(place.0 as usize)?.as_deref_mut()
    }

    pub(super) fn waiting_for_a_person(&self) -> u64 {
        let seats = self.seats.iter().flatten();
        seats.filter(|seat| seat.condition == Condition::LoginNeeded).count() as u64
    }

    /// Takes over what the configuration says; those that it does not name any more are let go.
    pub(super) fn take_profiles(&mut self, profiles: Vec<Profile>) {
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
            *seat = Some(Box::new(Seat::new(profile)));
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
    pub(super) fn read(
        &mut self,
        now: Timestamp,
        store: &SharedStore,
    ) -> Result<Vec<Warned>, Error> {
        self.survey = self.survey.wrapping_add(1);
        let (mut warned, mut noted) = (Vec::new(), Vec::new());
        // Told afterwards: whoever listens slowly must not hold the store meanwhile.
        locked(store).standings(&mut |standing| {
            if let Some(&place) = self.places.get(&standing.profile) {
                noted.extend(self.note(now, place, &standing).map(|noted| (place, noted)));
                warned.extend(self.watch(now, place, &standing));
            }
        })?;
        self.start();
        for (place, noted) in noted {
            self.tell_noted(place, noted);
        }
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

    /// Takes in how a profile stands; something if that is news.
    fn note(&mut self, now: Timestamp, place: Place, standing: &Standing) -> Option<Noted> {
        let (survey, has_started) = (self.survey, self.has_started);
        let is_under_way = self.roster.is_under_way(place);
        let seat = self.seat_mut(place)?;
        seat.survey = survey;
        // What a job makes of it, the job tells.
        if is_under_way {
            return None;
        }
        let (condition, plan) = seat::judge(now, standing, &seat.profile);
        let is_same = seat.generation == standing.generation && seat.plan == plan;
        let was = std::mem::replace(&mut seat.condition, condition);
        if is_same && was == condition {
            return None;
        }
        seat.take(standing.generation, plan);
        let url = seat.profile.instance.url().to_owned();
        self.roster.enroll(now, place, &url, plan);
        match condition {
            Condition::LoginNeeded => Some(Noted::LoginNeeded),
            Condition::Kept if has_started => Some(Noted::Plan(plan)),
            Condition::NoTokens if was.has_tokens() => Some(Noted::Gone),
            _ => None,
        }
    }

    fn tell_noted(&self, place: Place, noted: Noted) {
        let Some(seat) = self.seat(place) else { return };
        let profile = &seat.profile.name;
        (self.tell)(match noted {
            Noted::LoginNeeded => News::LoginNeeded { profile, error: None },
            Noted::Plan(plan) => News::Noticed(profile, plan),
            Noted::Gone => News::Gone(profile),
        });
    }

    pub(super) fn settle(&mut self, now: Timestamp, done: &Done, seed: u64) -> Option<Warned> {
        let place = done.place;
        let Some(seat) = self.seats.get_mut(place.0 as usize).and_then(Option::as_deref_mut) else {
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
    pub(super) fn watch(
        &mut self,
        now: Timestamp,
        place: Place,
        standing: &Standing,
    ) -> Option<Warned> {
        let seat = self.seat(place)?;
        // What renews itself has no end that a person should know of.
        let is_watched = seat.condition == Condition::Kept && !seat.profile.grant.renews_itself();
        let held = standing.held.as_ref().filter(|_| is_watched);
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
        let Some(seat) = self.seats.get_mut(place.0 as usize).and_then(Option::as_deref_mut) else {
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
    pub(super) fn alarm(&mut self, now: Timestamp) -> Option<Place> {
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
