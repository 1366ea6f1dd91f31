//! Many profiles at once: which of them is due when, and how many may ask one instance at a time.
//!
//! It holds no tokens and no names, only [`Place`]s that the caller numbers as it likes, and it
//! reads no clock. Starting and finishing cost the logarithm of the number of profiles.
//!
//! Three promises, each with a test:
//! - an instance is never asked by more than its share of slots, and by one at a time after a
//!   failure, until something succeeds;
//! - an instance that asked for a pause gets it from all its profiles, while the others go on;
//! - a clock that jumps makes nobody wait longer, and nobody asks more than once for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::schedule::Why;

/// A profile's place in the roster; small numbers, for it is an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub u32);

/// What a profile waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A moment, and why then.
    At(Timestamp, Why),
    /// Nothing that time brings: a person has to do something first.
    Never,
}

/// How a job ended, as far as its instance is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Went {
    /// The instance gave what it was asked for.
    Well,
    /// The instance was not asked, or said no to this profile alone.
    Nowhere,
    /// The instance was not reached or could not answer: the next ones go one at a time.
    Badly,
    /// The instance asked for a pause until then (429 or 503 with `Retry-After`): nobody asks it.
    Paused(Timestamp),
}

/// The list. See the [module](self).
#[derive(Debug)]
pub struct Roster {
    places: Vec<Entry>,
    instances: Vec<Instance>,
    by_url: BTreeMap<Box<str>, u32>,
    /// Instances that may be asked, by the moment of their first profile.
    ready: BTreeSet<(Timestamp, u32)>,
    slots: u32,
    /// The last time we were told.
    seen: Timestamp,
    /// How far the clock was set back altogether. Moments are kept in a time of our own that never
    /// goes back: the clock's and this. So whatever is due stays as near as it was.
    lead: SignedDuration,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    instance: u32,
    stand: Stand,
}

#[derive(Debug, Clone, Copy)]
enum Stand {
    Vacant,
    Idle,
    Waiting(Timestamp, Why),
    UnderWay,
}

#[derive(Debug, Default)]
struct Instance {
    waiting: BTreeSet<(Timestamp, u32)>,
    under_way: u32,
    paused_until: Option<Timestamp>,
    /// It failed, and has not succeeded since.
    is_shaky: bool,
    /// Its moment in `Roster::ready`.
    ranked: Option<Timestamp>,
}

impl Roster {
    /// An empty roster that lets `slots` profiles of one instance be under way at a time.
    pub fn new(slots: u32) -> Self {
        Self {
            places: Vec::new(),
            instances: Vec::new(),
            by_url: BTreeMap::new(),
            ready: BTreeSet::new(),
            slots: slots.max(1),
            seen: Timestamp::MIN,
            lead: SignedDuration::ZERO,
        }
    }

    /// Takes a profile in, or changes what it waits for. One that is under way stays so: what it
    /// waits for next is told by [`Roster::finish`].
    pub fn enroll(&mut self, now: Timestamp, place: Place, instance: &str, due: Due) {
        self.notice(now);
        let wanted = self.instance(instance);
        match self.entry(place) {
            Some(Entry { stand: Stand::UnderWay, .. }) => return,
            Some(_) => self.dismiss(place),
            None => {}
        }
        let index = place.0 as usize;
        if index >= self.places.len() {
            self.places.resize(index + 1, Entry { instance: 0, stand: Stand::Vacant });
        }
        self.places[index].instance = wanted;
        self.wait(place, due);
    }

    /// Lets a profile go. If it is under way, its slot is free again only when it has finished.
    pub fn dismiss(&mut self, place: Place) {
        let Some(entry) = self.entry(place) else { return };
        match entry.stand {
            Stand::Waiting(at, _) => {
                self.instances[entry.instance as usize].waiting.remove(&(at, place.0));
                self.rank(entry.instance);
            }
            Stand::UnderWay => return,
            Stand::Vacant | Stand::Idle => {}
        }
        self.places[place.0 as usize].stand = Stand::Vacant;
    }

    /// The next profile to start now, and why. It is under way until [`Roster::finish`].
    pub fn poll_due(&mut self, now: Timestamp) -> Option<(Place, Why)> {
        self.notice(now);
        let &(at, index) = self.ready.first()?;
        if at > self.own(now) {
            return None;
        }
        let instance = &mut self.instances[index as usize];
        let (_, place) = instance.waiting.pop_first()?;
        instance.under_way += 1;
        self.rank(index);
        let entry = &mut self.places[place as usize];
        let Stand::Waiting(_, why) = std::mem::replace(&mut entry.stand, Stand::UnderWay) else {
            return None;
        };
        Some((Place(place), why))
    }

    /// A profile that was under way has finished, and waits for this now.
    pub fn finish(&mut self, now: Timestamp, place: Place, due: Due, went: Went) {
        self.notice(now);
        let Some(Entry { instance: index, stand: Stand::UnderWay }) = self.entry(place) else {
            return;
        };
        let until = match went {
            Went::Paused(until) => Some(self.own(until)),
            _ => None,
        };
        let instance = &mut self.instances[index as usize];
        instance.under_way = instance.under_way.saturating_sub(1);
        match went {
            Went::Well => instance.is_shaky = false,
            Went::Nowhere => {}
            Went::Badly | Went::Paused(_) => instance.is_shaky = true,
        }
        instance.paused_until = instance.paused_until.max(until);
        self.wait(place, due);
        self.rank(index);
    }

    /// When [`Roster::poll_due`] will have something, if nothing finishes before.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.ready.first().map(|&(at, _)| self.wall(at))
    }

    /// What a profile waits for; `None` if it is not here or under way.
    pub fn due(&self, place: Place) -> Option<Due> {
        match self.entry(place)?.stand {
            Stand::Vacant | Stand::UnderWay => None,
            Stand::Idle => Some(Due::Never),
            Stand::Waiting(at, why) => Some(Due::At(self.wall(at), why)),
        }
    }

    /// Whether a profile is under way.
    pub fn is_under_way(&self, place: Place) -> bool {
        matches!(self.entry(place), Some(Entry { stand: Stand::UnderWay, .. }))
    }

    fn entry(&self, place: Place) -> Option<Entry> {
        self.places.get(place.0 as usize).copied()
    }

    fn wait(&mut self, place: Place, due: Due) {
        let at = match due {
            Due::At(at, _) => self.own(at),
            Due::Never => Timestamp::MAX,
        };
        let entry = &mut self.places[place.0 as usize];
        let index = entry.instance;
        match due {
            Due::Never => entry.stand = Stand::Idle,
            Due::At(_, why) => {
                entry.stand = Stand::Waiting(at, why);
                self.instances[index as usize].waiting.insert((at, place.0));
                self.rank(index);
            }
        }
    }

    fn instance(&mut self, url: &str) -> u32 {
        if let Some(&index) = self.by_url.get(url) {
            return index;
        }
        let index = u32::try_from(self.instances.len()).unwrap_or(u32::MAX);
        self.instances.push(Instance::default());
        self.by_url.insert(url.into(), index);
        index
    }

    /// Puts an instance where its first profile belongs, if it may be asked at all.
    fn rank(&mut self, index: u32) {
        let instance = &mut self.instances[index as usize];
        let slots = if instance.is_shaky { 1 } else { self.slots };
        let at = match instance.waiting.first() {
            Some(&(at, _)) if instance.under_way < slots => {
                Some(at.max(instance.paused_until.unwrap_or(Timestamp::MIN)))
            }
            _ => None,
        };
        if instance.ranked == at {
            return;
        }
        if let Some(old) = std::mem::replace(&mut instance.ranked, at) {
            self.ready.remove(&(old, index));
        }
        if let Some(at) = at {
            self.ready.insert((at, index));
        }
    }

    fn notice(&mut self, now: Timestamp) {
        let back = self.seen.duration_since(now);
        self.seen = now;
        if back > SignedDuration::ZERO {
            self.lead = self.lead.saturating_add(back);
        }
    }

    fn own(&self, at: Timestamp) -> Timestamp {
        at.saturating_add(self.lead).unwrap_or(Timestamp::MAX)
    }

    fn wall(&self, at: Timestamp) -> Timestamp {
        at.saturating_sub(self.lead).unwrap_or(Timestamp::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHY: Why = Why::AccessTokenEnds;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn roster(slots: u32, places: u32, instances: u32) -> Roster {
        let mut roster = Roster::new(slots);
        for place in 0..places {
            let url = format!("https://i{}", place % instances);
            roster.enroll(at(0), Place(place), &url, Due::At(at(i64::from(place)), WHY));
        }
        roster
    }

    fn started(roster: &mut Roster, now: Timestamp) -> Vec<u32> {
        std::iter::from_fn(|| roster.poll_due(now)).map(|(place, _)| place.0).collect()
    }

    #[test]
    fn nobody_starts_before_its_time_and_the_first_comes_first() {
        let mut roster = roster(9, 3, 1);
        assert_eq!(roster.poll_timeout(), Some(at(0)));
        assert_eq!(started(&mut roster, at(1)), [0, 1]);
        assert_eq!(roster.poll_timeout(), Some(at(2)));
        assert_eq!(started(&mut roster, at(1)), [] as [u32; 0]);
    }

    #[test]
    fn an_instance_has_so_many_slots_and_no_more() {
        let mut roster = roster(2, 6, 2);
        assert_eq!(started(&mut roster, at(60)), [0, 1, 2, 3]);
        assert_eq!(roster.poll_timeout(), None);
        roster.finish(at(60), Place(3), Due::At(at(900), WHY), Went::Well);
        assert_eq!(started(&mut roster, at(60)), [5]);
    }

    #[test]
    fn after_a_failure_one_at_a_time_until_one_succeeds() {
        let mut roster = roster(4, 8, 1);
        assert_eq!(started(&mut roster, at(60)).len(), 4);
        for place in 0..4 {
            roster.finish(at(60), Place(place), Due::At(at(900), WHY), Went::Badly);
        }
        assert_eq!(started(&mut roster, at(60)), [4]);
        roster.finish(at(60), Place(4), Due::At(at(900), WHY), Went::Nowhere);
        assert_eq!(started(&mut roster, at(60)), [5]);
        roster.finish(at(60), Place(5), Due::At(at(900), WHY), Went::Well);
        assert_eq!(started(&mut roster, at(60)), [6, 7]);
    }

    #[test]
    fn a_pause_holds_for_the_whole_instance_and_for_no_other() {
        let mut roster = roster(1, 4, 2);
        assert_eq!(started(&mut roster, at(60)), [0, 1]);
        roster.finish(at(60), Place(0), Due::At(at(900), WHY), Went::Paused(at(120)));
        roster.finish(at(60), Place(1), Due::At(at(900), WHY), Went::Well);
        assert_eq!(started(&mut roster, at(60)), [3]);
        assert_eq!(roster.poll_timeout(), Some(at(120)));
        // A shorter one does not cut it short.
        assert_eq!(started(&mut roster, at(119)), [] as [u32; 0]);
        assert_eq!(started(&mut roster, at(120)), [2]);
        roster.finish(at(120), Place(2), Due::Never, Went::Paused(at(100)));
        assert_eq!(roster.due(Place(2)), Some(Due::Never));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_longer() {
        let mut roster = roster(9, 1, 1);
        let mut start = |from: i64, to: i64| {
            roster.enroll(at(from), Place(0), "https://i0", Due::At(at(from + 60), WHY));
            assert_eq!(roster.poll_due(at(to)), None, "{from} → {to}");
            assert_eq!(roster.poll_timeout(), Some(at(to + 60)));
            assert_eq!(roster.poll_due(at(to + 59)), None);
            assert!(roster.poll_due(at(to + 60)).is_some());
            roster.finish(at(to + 60), Place(0), Due::Never, Went::Well);
        };
        for back in [1, 3_600, 86_400 * 365 * 10] {
            start(0, -back);
        }
    }

    #[test]
    fn a_clock_that_jumps_ahead_and_comes_back_costs_one_start() {
        let mut roster = roster(9, 1, 1);
        roster.enroll(at(0), Place(0), "https://i0", Due::At(at(1_740), WHY));
        let far = 86_400 * 3_650;
        assert!(roster.poll_due(at(far)).is_some());
        roster.finish(at(far), Place(0), Due::At(at(far + 1_740), WHY), Went::Well);
        let mut starts = 0;
        for second in 60..=1_800 {
            starts += usize::from(roster.poll_due(at(second)).is_some());
        }
        assert_eq!(starts, 1, "the next life, and nothing before it");
    }

    #[test]
    fn whoever_is_gone_is_not_started_and_its_slot_comes_back() {
        let mut roster = roster(1, 3, 1);
        assert_eq!(started(&mut roster, at(60)), [0]);
        roster.dismiss(Place(1));
        roster.dismiss(Place(0));
        assert!(roster.is_under_way(Place(0)), "it holds its slot until it has finished");
        // Somebody changed it meanwhile: what it waits for comes with the end of the job.
        roster.enroll(at(60), Place(0), "https://i0", Due::At(at(60), WHY));
        assert_eq!(started(&mut roster, at(60)), [] as [u32; 0]);
        roster.finish(at(60), Place(0), Due::Never, Went::Well);
        roster.finish(at(60), Place(0), Due::At(at(0), WHY), Went::Well);
        assert_eq!(started(&mut roster, at(60)), [2]);
        roster.dismiss(Place(77));
    }
}
