//! Access tokens of every length: what is handed out lives, and no refresh is made too early.

use std::time::Duration;

use snowtoken::Error;
use snowtoken::core::token_set::{Generation, KnownBy};
use snowtoken::core::{SignedDuration, Timestamp};
use snowtoken::store::TokenStore as _;

use crate::each;
use crate::stage::{Dice, Fate, MINUTE, Stage, start};

/// Two hundred lengths: a hundred short ones, and a hundred up to a day.
fn lengths() -> Vec<u32> {
    let mut lengths: Vec<u32> = (1..=100).chain((1..=100).map(|n| n * n * 864 / 100)).collect();
    lengths[199] = 86_400;
    lengths
}

/// A call takes this long.
const ROUND_TRIP: Duration = Duration::from_millis(200);

/// G20: a day of calls. `expires_in` is believed; a minute, or a fifth of the life, is always left;
/// no token is replaced before that.
#[test]
fn g20_what_is_handed_out_lives_and_is_refreshed_once_a_lifetime() {
    let lengths = lengths();
    assert_eq!(lengths.len(), 200);
    each(&lengths, 2, |&seconds| {
        let lifespan = format!("lifespan.access={seconds}");
        let access = if seconds % 2 == 0 { "new-each-time" } else { "same-while-valid" };
        let access = format!("refresh.access={access}");
        let (stage, road) = Stage::new(&[&lifespan, &access, "expires_in.fresh=full"]);
        road.set(|_| Fate::Carried(ROUND_TRIP));
        let session = stage.session();
        let life = Duration::from_secs(seconds.into());
        let margin = (life / 5).min(MINUTE);
        let mut dice = Dice(seconds.into());
        let end = start() + SignedDuration::from_hours(24);
        let mut calls = 0;
        while stage.clock.truth() < end {
            // Now dense, to meet the margin; now wide, to come through the day.
            let most = if calls % 2 == 0 { life / 4 } else { MINUTE * 20 };
            let step = dice.below(u64::try_from(most.as_millis()).unwrap());
            stage.clock.advance(Duration::from_millis(step));
            let token = session.living_access_token().unwrap();
            let left = token.expires_at.at.duration_since(stage.clock.truth());
            let left = Duration::try_from(left).unwrap();
            assert!(left >= margin, "{seconds} s: {left:?} left");
            assert!(left <= life, "{seconds} s: {left:?} left");
            assert!(stage.accepts(&token.token), "{seconds} s");
            calls += 1;
        }
        let sent: Vec<Timestamp> = road.sent().iter().map(|sent| sent.at).collect();
        let least = life.checked_sub(margin).unwrap();
        for two in sent.windows(2) {
            let gap = two[1].duration_since(two[0]).unsigned_abs();
            assert!(gap >= least, "{seconds} s: two refreshes within {gap:?}");
        }
        let most = 86_401_000 / least.as_millis().max(1) + 2;
        assert!(sent.len() as u128 <= most, "{seconds} s: {} refreshes", sent.len());
    });
}

/// G20: whoever asks for more gets it, or is told that there is no such token.
#[test]
fn g20_what_was_asked_for_is_left_or_it_is_said() {
    each(&lengths(), 2, |&seconds| {
        let lifespan = format!("lifespan.access={seconds}");
        let knobs = [&*lifespan, "refresh.access=new-each-time", "expires_in.fresh=full"];
        for wanted in [1, 3, 7, 60, 599, 3_600, 90_000] {
            let (stage, road) = Stage::new(&knobs);
            road.set(|_| Fate::Carried(ROUND_TRIP));
            let wanted = Duration::from_secs(wanted);
            let session = stage.session();
            let result = session.access_token(wanted);
            let allowed = wanted.checked_sub((wanted / 4).min(Duration::from_secs(5))).unwrap();
            match result {
                Ok(token) => {
                    let left = token.expires_at.at.duration_since(stage.clock.truth());
                    let left = Duration::try_from(left).unwrap();
                    assert!(left >= allowed, "{seconds} s, {wanted:?}: {left:?} left");
                }
                Err(Error::TooShort { .. }) => {
                    assert!(allowed + ROUND_TRIP > Duration::from_secs(seconds.into()));
                }
                Err(error) => panic!("{seconds} s, {wanted:?}: {error:?}"),
            }
            assert!(road.sent().len() <= 2, "{seconds} s, {wanted:?}");
        }
    });
}

/// G24: moments at which clocks and calendars have failed before.
const MOMENTS: [&str; 20] = [
    "2026-11-23T15:00:00Z",
    // Clocks go forward and back, in Europe, America, Australia and on Lord Howe.
    "2027-03-28T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2027-03-14T07:00:00Z",
    "2026-11-01T06:00:00Z",
    "2027-04-03T16:00:00Z",
    "2027-10-02T15:30:00Z",
    // A leap second, a leap day, a century without one, one with.
    "2016-12-31T23:59:59Z",
    "2028-02-29T00:00:00Z",
    "2028-12-31T23:59:59Z",
    "2100-02-28T23:59:59Z",
    "2100-12-31T23:59:59Z",
    "2400-02-29T12:00:00Z",
    // Counters that end: 2^31 s, 2^32 s, GPS weeks, 2^33 s, and what fits into four digits.
    "2038-01-19T03:14:07Z",
    "2038-01-19T03:14:08Z",
    "2106-02-07T06:28:15Z",
    "2038-11-20T23:59:42Z",
    "2242-03-16T12:56:31Z",
    "2099-12-31T23:59:59Z",
    "9000-01-01T00:00:00Z",
];

/// G24: to the microsecond, in the database too; run again where the local time jumps.
#[test]
fn g24_moments_are_exact() {
    use crate::support::child;
    if child::told().is_none() {
        for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"] {
            child::run("lifetimes::g24_moments_are_exact", "zone", &[("TZ", zone)]);
        }
    }
    for moment in MOMENTS {
        let middle: Timestamp = moment.parse().unwrap();
        // The refresh lies before it, the end of the token behind it.
        let (stage, road) = Stage::at(middle - 15 * MINUTE, &["refresh.access=new-each-time"]);
        road.set(|_| Fate::Carried(Duration::ZERO));
        let session = stage.disk_session();
        let sent_at = stage.clock.truth();
        let record = session.refresh().unwrap().record;
        let end = sent_at + SignedDuration::from_secs(1_799);
        let deadline = record.tokens.access_expires_at;
        assert_eq!((deadline.at, deadline.known_by), (end, KnownBy::Stated), "{moment}");
        let stored = stage.on_disk().load(&stage.profile.name).unwrap().unwrap();
        assert_eq!(stored.tokens.access_expires_at, deadline, "{moment}");
        assert_eq!(
            (stored.tokens.issued_at, stored.generation),
            (sent_at, Generation(2)),
            "{moment}"
        );
        // Up to the minute before its end there is no other one, and then there is.
        stage.clock.advance(Duration::from_secs(1_739));
        session.living_access_token().unwrap();
        assert_eq!(road.sent().len(), 1, "{moment}");
        stage.clock.advance(Duration::from_millis(1));
        let token = session.living_access_token().unwrap();
        assert_eq!(road.sent().len(), 2, "{moment}");
        assert!(stage.accepts(&token.token), "{moment}");
    }
}
