//! What an event teaches about deadlines: facts before, an observation, facts after. Pure, like the
//! rest of the core.
//!
//! Three rules keep it honest:
//! - an end that is over while the token works is no end: it becomes unknown, never a date in the
//!   past, and never a guess about the future;
//! - a later end that was read proves that refreshes move it only if it lies one lifespan after the
//!   last refresh: somebody else's consent, with the same client and user, moves it as well;
//! - a clock that jumped teaches nothing where the instance's own clock (`Date`) says otherwise.

use jiff::{SignedDuration, Timestamp};

use super::{Facts, ReadEnd, RefreshEnd};
use crate::keeper::RefreshTokenChange;
use crate::oauth::token::add_seconds;
use crate::servicenow::Lifespans;
use crate::token_set::{Deadline, KnownBy};

/// Two moments closer than this are the same: rows hold whole seconds.
const SAME: SignedDuration = SignedDuration::from_secs(5);

/// Between an answer and the row it left lies no more than this, clocks included.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// A clock that differs by more than this from the instance's is wrong.
const WRONG: SignedDuration = SignedDuration::from_hours(1);

/// A refusal this soon after the end is the end.
const SOON: SignedDuration = SignedDuration::from_hours(24);

/// Something that happened to a profile's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// A person consented anew. What was read about the earlier consent is over; how the instance
    /// behaves is not.
    Consented,
    /// The client's record was read.
    RecordRead(Lifespans),
    /// The end of the refresh token was read from the instance's own rows.
    EndRead {
        /// The end.
        end: Timestamp,
        /// The consent of the tokens that were asked about.
        granted_at: Timestamp,
    },
    /// A refresh succeeded.
    Refreshed(Refresh),
    /// The refresh token was given up, after two refusals in a row.
    Refused {
        /// When.
        at: Timestamp,
        /// The end as it was known.
        end: Option<Deadline>,
        /// Whether it had been used since the consent.
        was_refreshed: bool,
    },
}

/// A refresh that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    /// When it was sent, by our clock.
    pub at: Timestamp,
    /// The instance's clock, if its answer told.
    pub instance_clock: Option<Timestamp>,
    /// What became of the refresh token.
    pub refresh_token: RefreshTokenChange,
    /// The consent of these tokens.
    pub granted_at: Timestamp,
    /// The end as it was known before.
    pub end: Option<Deadline>,
}

/// The facts after an observation.
#[must_use]
pub fn observe(facts: Facts, observation: &Observation) -> Facts {
    match *observation {
        Observation::Consented => Facts { read_end: None, outlived: None, ..facts },
        Observation::RecordRead(lifespans) => {
            let lifespans = lifespans_or(lifespans, &facts);
            Facts {
                access_lifespan: lifespans.access,
                refresh_lifespan: lifespans.refresh,
                ..facts
            }
        }
        Observation::EndRead { end, granted_at } => end_read(facts, end, granted_at),
        Observation::Refreshed(refresh) => refreshed(facts, &refresh),
        Observation::Refused { at, end: Some(end), was_refreshed } => {
            refused(facts, at, end, was_refreshed)
        }
        Observation::Refused { end: None, .. } => facts,
    }
}

/// The refresh token's end after a refresh, by the facts after it. `None`: not known.
pub fn refresh_end(facts: &Facts, refresh: &Refresh, lifespans: Lifespans) -> Option<Deadline> {
    let now = believed_time(refresh.at, refresh.instance_clock);
    let derived = Deadline {
        at: add_seconds(now, facts.lifespans(lifespans).refresh_or_default()),
        known_by: KnownBy::Derived,
    };
    match (refresh.refresh_token, facts.refresh_end) {
        (
            RefreshTokenChange::Replaced,
            RefreshEnd::Unknown | RefreshEnd::Moves | RefreshEnd::Replaced,
        ) => Some(derived),
        (_, RefreshEnd::Moves) => {
            Some(refresh.end.filter(|end| end.at > derived.at).unwrap_or(derived))
        }
        _ if outlived(refresh).is_some() => None,
        // A consent that lies ahead was noted by a wrong clock, and so was the end.
        _ if refresh.granted_at.duration_since(now) > WRONG => {
            refresh.end.map(|end| if end.at > derived.at { derived } else { end })
        }
        _ => refresh.end,
    }
}

/// The time to count long deadlines from: ours, unless the instance's clock says that ours is wrong.
pub fn believed_time(ours: Timestamp, instance_clock: Option<Timestamp>) -> Timestamp {
    instance_clock.filter(|theirs| theirs.duration_since(ours).abs() > WRONG).unwrap_or(ours)
}

fn lifespans_or(read: Lifespans, facts: &Facts) -> Lifespans {
    Lifespans {
        access: read.access.or(facts.access_lifespan),
        refresh: read.refresh.or(facts.refresh_lifespan),
    }
}

fn end_read(mut facts: Facts, end: Timestamp, granted_at: Timestamp) -> Facts {
    let before = facts.read_end.filter(|read| is_same(read.granted_at, granted_at));
    if let Some((before, refreshed_at)) = before.and_then(|read| Some((read, read.refreshed_at?))) {
        let lifespan = facts
            .refresh_lifespan
            .map_or_else(|| before.end.duration_since(granted_at), SignedDuration::from_secs);
        let moved_by_refresh = refreshed_at.saturating_add(lifespan).unwrap_or(Timestamp::MAX);
        if is_same(end, before.end) {
            facts.refresh_end = RefreshEnd::Stays;
        } else if end > before.end && end.duration_since(moved_by_refresh).abs() <= CLOCKS {
            facts.refresh_end = RefreshEnd::Moves;
        }
    }
    let refreshed_at = before.filter(|read| is_same(read.end, end)).and_then(|r| r.refreshed_at);
    facts.read_end = Some(ReadEnd { end, granted_at, refreshed_at });
    facts.outlived = None;
    facts
}

fn refreshed(mut facts: Facts, refresh: &Refresh) -> Facts {
    if let Some(read) = &mut facts.read_end {
        read.refreshed_at = Some(refresh.at);
    }
    let outlived = outlived(refresh);
    if refresh.refresh_token == RefreshTokenChange::Replaced {
        // That new ones keep the old end is seen from rows only; until then each has its own.
        if !facts.rotates || outlived.is_some() {
            facts.refresh_end = RefreshEnd::Replaced;
        }
        facts.rotates = true;
        facts.outlived = None;
    } else if outlived.is_some() {
        facts.outlived = outlived;
        if facts.refresh_end == RefreshEnd::Stays {
            facts.refresh_end = RefreshEnd::Unknown;
        }
    }
    facts
}

fn refused(mut facts: Facts, at: Timestamp, end: Deadline, was_refreshed: bool) -> Facts {
    let late = at.duration_since(end.at);
    let is_the_end = late >= -CLOCKS && late <= SOON;
    match facts.refresh_end {
        // It ended when it was due, although it had been used: using it does not prolong it.
        RefreshEnd::Unknown if is_the_end && was_refreshed => facts.refresh_end = RefreshEnd::Stays,
        // It should have lived longer, had the refreshes moved its end.
        RefreshEnd::Moves if late < -SOON => facts.refresh_end = RefreshEnd::Unknown,
        _ => {}
    }
    facts
}

/// The end that a token has outlived, by a clock that can be believed.
fn outlived(refresh: &Refresh) -> Option<Timestamp> {
    let now = believed_time(refresh.at, refresh.instance_clock);
    let end = refresh.end?.at;
    (now.duration_since(end) > CLOCKS).then_some(end)
}

fn is_same(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() <= SAME
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400;
    const LIFE: i64 = 100 * DAY;
    const NO_LIFESPANS: Lifespans = Lifespans { access: None, refresh: None };

    fn day(number: i64) -> Timestamp {
        add_seconds("2026-11-23T15:00:00Z".parse().unwrap(), number * DAY)
    }

    #[expect(clippy::unnecessary_wraps, reason = "ends are compared with what may be unknown")]
    fn derived(number: i64) -> Option<Deadline> {
        Some(Deadline { at: day(number), known_by: KnownBy::Derived })
    }

    fn refresh(at: i64, end: Option<Deadline>, refresh_token: RefreshTokenChange) -> Refresh {
        Refresh { at: day(at), instance_clock: None, refresh_token, granted_at: day(0), end }
    }

    fn after(facts: Facts, refresh: Refresh) -> (Facts, Option<Deadline>) {
        let facts = observe(facts, &Observation::Refreshed(refresh));
        let end = refresh_end(&facts, &refresh, NO_LIFESPANS);
        (facts, end)
    }

    fn read(facts: Facts, end: Timestamp) -> Facts {
        observe(facts, &Observation::EndRead { end, granted_at: day(0) })
    }

    fn knowing(refresh_end: RefreshEnd) -> Facts {
        Facts { refresh_end, ..Facts::default() }
    }

    use RefreshTokenChange::{Kept, Replaced, SameAgain};

    #[test]
    fn a_refresh_moves_no_end_unless_it_was_seen_to() {
        for change in [Kept, SameAgain] {
            for known in [RefreshEnd::Unknown, RefreshEnd::Stays] {
                let (facts, end) = after(knowing(known), refresh(40, derived(100), change));
                assert_eq!((facts.refresh_end, end), (known, derived(100)));
            }
            let (facts, end) = after(knowing(RefreshEnd::Moves), refresh(40, derived(100), change));
            assert_eq!((facts.refresh_end, end), (RefreshEnd::Moves, derived(140)));
        }
    }

    #[test]
    fn another_refresh_token_has_an_end_of_its_own_until_rows_say_otherwise() {
        let (facts, end) = after(Facts::default(), refresh(40, derived(100), Replaced));
        assert_eq!((facts.refresh_end, end), (RefreshEnd::Replaced, derived(140)));
        // Rows show that the new tokens inherit the end.
        let facts = read(facts, day(100));
        let (facts, _) = after(facts, refresh(50, derived(100), Replaced));
        let facts = read(facts, day(100));
        assert_eq!(facts.refresh_end, RefreshEnd::Stays);
        let (facts, end) = after(facts, refresh(60, derived(100), Replaced));
        assert_eq!((facts.refresh_end, end), (RefreshEnd::Stays, derived(100)));
    }

    /// The deadline must not go on standing in the past.
    #[test]
    fn an_end_that_was_outlived_is_not_known_any_more() {
        for known_by in [KnownBy::Derived, KnownBy::Stated] {
            let end = Some(Deadline { at: day(100), known_by });
            let (facts, end) = after(knowing(RefreshEnd::Stays), refresh(101, end, SameAgain));
            assert_eq!((facts.refresh_end, end), (RefreshEnd::Unknown, None));
            assert_eq!(facts.outlived, Some(day(100)));
            let (facts, end) = after(facts, refresh(150, end, SameAgain));
            assert_eq!((facts.outlived, end), (Some(day(100)), None), "and it stays so");
            let facts = observe(facts, &Observation::Consented);
            assert_eq!((facts.outlived, facts.refresh_end), (None, RefreshEnd::Unknown));
        }
        let just = refresh(100, derived(100), SameAgain);
        let just = Refresh { at: add_seconds(just.at, 299), ..just };
        assert_eq!(after(Facts::default(), just).1, derived(100), "clocks differ a little");
    }

    #[test]
    fn ends_that_were_read_before_and_after_a_refresh_tell_stays_from_moves() {
        for (second, expected) in [
            (day(100), RefreshEnd::Stays),
            (add_seconds(day(100), 1), RefreshEnd::Stays),
            (day(140), RefreshEnd::Moves),
            (add_seconds(day(140), 60), RefreshEnd::Moves),
            // Somebody else consented on day 39: nothing is known about refreshes.
            (day(139), RefreshEnd::Unknown),
            // The lifespan was shortened for tokens that were issued.
            (day(50), RefreshEnd::Unknown),
        ] {
            let facts = read(Facts::default(), day(100));
            let (facts, _) = after(facts, refresh(40, derived(100), SameAgain));
            assert_eq!(read(facts, second).refresh_end, expected, "{second}");
        }
    }

    #[test]
    fn ends_of_two_consents_or_without_a_refresh_between_tell_nothing() {
        let facts = read(read(Facts::default(), day(100)), day(100));
        assert_eq!(facts.refresh_end, RefreshEnd::Unknown);
        let (facts, _) = after(facts, refresh(40, derived(100), SameAgain));
        let other = Observation::EndRead { end: day(140), granted_at: day(40) };
        assert_eq!(observe(facts.clone(), &other).refresh_end, RefreshEnd::Unknown);
        let facts = observe(facts, &Observation::Consented);
        assert_eq!(read(facts, day(100)).refresh_end, RefreshEnd::Unknown);
    }

    #[test]
    fn a_lifespan_that_was_read_is_counted_with() {
        let lifespans = Lifespans { access: Some(600), refresh: Some(10 * DAY) };
        let facts = observe(knowing(RefreshEnd::Moves), &Observation::RecordRead(lifespans));
        let (facts, end) = after(facts, refresh(4, derived(10), SameAgain));
        assert_eq!(end, derived(14));
        let nothing = observe(facts.clone(), &Observation::RecordRead(NO_LIFESPANS));
        assert_eq!(nothing, facts, "what was not told is not forgotten");
        let said = Lifespans { access: Some(1), refresh: Some(2) };
        assert_eq!(facts.lifespans(said), lifespans);
        assert_eq!(Facts::default().lifespans(said), said);
    }

    #[test]
    fn a_refusal_at_the_end_confirms_it_and_one_before_it_confirms_nothing() {
        let refused = |known, at, was_refreshed| {
            let seen = Observation::Refused { at: day(at), end: derived(100), was_refreshed };
            observe(knowing(known), &seen).refresh_end
        };
        assert_eq!(refused(RefreshEnd::Unknown, 100, true), RefreshEnd::Stays);
        assert_eq!(refused(RefreshEnd::Unknown, 101, true), RefreshEnd::Stays);
        assert_eq!(
            refused(RefreshEnd::Unknown, 102, true),
            RefreshEnd::Unknown,
            "too late to be the reason"
        );
        assert_eq!(
            refused(RefreshEnd::Unknown, 100, false),
            RefreshEnd::Unknown,
            "it was never used"
        );
        assert_eq!(refused(RefreshEnd::Unknown, 60, true), RefreshEnd::Unknown, "revoked, perhaps");
        assert_eq!(
            refused(RefreshEnd::Moves, 60, true),
            RefreshEnd::Unknown,
            "it should have lived"
        );
        assert_eq!(refused(RefreshEnd::Replaced, 60, true), RefreshEnd::Replaced);
        let seen = Observation::Refused { at: day(1), end: None, was_refreshed: true };
        assert_eq!(observe(Facts::default(), &seen), Facts::default());
    }

    /// G21 to G23: clocks jump, ours or the instance's.
    #[test]
    fn a_clock_that_jumped_teaches_nothing_where_the_instance_says_otherwise() {
        let year = 365;
        for jump in [-10 * year, -year, -1, 1, 101, year, 10 * year] {
            let mut seen = refresh(1 + jump, derived(100), SameAgain);
            seen.instance_clock = Some(day(1));
            let (facts, end) = after(Facts::default(), seen);
            assert_eq!((facts.outlived, end), (None, derived(100)), "{jump}");
            let (_, end) = after(knowing(RefreshEnd::Moves), seen);
            assert_eq!(end, derived(101), "{jump}");
        }
        let mut seen = refresh(1, derived(100), SameAgain);
        seen.instance_clock = Some(add_seconds(day(1), 3_000));
        assert_eq!(believed_time(seen.at, seen.instance_clock), seen.at, "skew is no jump");
    }

    /// A grant that was noted while the clock was ten years ahead.
    #[test]
    fn an_end_beyond_a_whole_life_comes_back_with_the_clock() {
        let ahead = 3_650;
        let mut seen = refresh(1, derived(ahead + 100), SameAgain);
        seen.granted_at = day(ahead);
        let (_, end) = after(Facts::default(), seen);
        assert_eq!(end, derived(101));
        seen.end = end;
        seen.at = day(2);
        assert_eq!(after(Facts::default(), seen).1, derived(101), "and does not creep");
    }

    proptest! {
        /// Whatever happens: no end in the past that a refresh leaves standing, none beyond a whole
        /// life from now that was not there before, and no panic at the ends of time.
        #[test]
        fn no_end_is_left_in_the_past(
            at in -200_000_000_000i64..200_000_000_000,
            end in proptest::option::of(-200_000_000_000i64..200_000_000_000),
            granted in -200_000_000_000i64..200_000_000_000,
            theirs in proptest::option::of(-200_000_000_000i64..200_000_000_000),
            change in 0usize..3, known in 0usize..4, rotates: bool,
        ) {
            let moment = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
            let change = [Kept, SameAgain, Replaced][change];
            let known = [RefreshEnd::Unknown, RefreshEnd::Stays, RefreshEnd::Moves, RefreshEnd::Replaced][known];
            let seen = Refresh {
                at: moment(at),
                instance_clock: theirs.map(moment),
                refresh_token: change,
                granted_at: moment(granted),
                end: end.map(|end| Deadline { at: moment(end), known_by: KnownBy::Derived }),
            };
            let (facts, after) = after(Facts { rotates, ..knowing(known) }, seen);
            let now = believed_time(seen.at, seen.instance_clock);
            if let Some(after) = after {
                prop_assert!(now.duration_since(after.at) <= CLOCKS, "{after:?} lies in the past of {now}");
                prop_assert!(Some(after) == seen.end || after.at <= add_seconds(now, LIFE));
            }
            for observation in [
                Observation::EndRead { end: moment(at), granted_at: moment(granted) },
                Observation::Refused { at: moment(at), end: seen.end, was_refreshed: rotates },
            ] {
                let _ = observe(facts.clone(), &observation);
            }
        }
    }
}
