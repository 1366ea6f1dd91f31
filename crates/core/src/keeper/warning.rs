//! When a person is warned that a login will be needed: at 30, 14, 7 and 1 days before the refresh
//! token ends, and when it has ended. Each once for each end.

use jiff::{SignedDuration, Timestamp};

/// Days before the end at which a person is warned; 0 is the end itself.
pub const DAYS: [u8; 5] = [30, 14, 7, 1, 0];

/// An end that moved by no more than this, or a tenth of the life, is still the same one.
const SAME_END: SignedDuration = SignedDuration::from_hours(1);

/// A warning that was given: of this end, at so many days before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The end it was about.
    pub end: Timestamp,
    /// The threshold, one of [`DAYS`].
    pub days: u8,
}

/// What is to be said now, and when to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// The threshold that was crossed and not told yet.
    pub tell: Option<u8>,
    /// When the next threshold is crossed; `None` if there is none left.
    pub next: Option<Timestamp>,
}

/// Looks at an end that was set at `since`. A threshold that lay before it is none: a token that
/// lives for a week is no reason for a warning on its first day.
pub fn look(now: Timestamp, since: Timestamp, end: Timestamp, given: Option<Given>) -> Outlook {
    let life = end.duration_since(since);
    let same = SAME_END.min(life / 10);
    let told = given.filter(|given| given.end.duration_since(end).abs() <= same);
    let mut outlook = Outlook { tell: None, next: None };
    for days in DAYS {
        let before = SignedDuration::from_hours(24 * i64::from(days));
        if days > 0 && before >= life || told.is_some_and(|told| told.days <= days) {
            continue;
        }
        let at = end.saturating_sub(before).unwrap_or(Timestamp::MIN);
        if at <= now {
            outlook.tell = Some(days);
        } else if outlook.next.is_none() {
            outlook.next = Some(at);
        }
    }
    outlook
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// Walks through a life hour by hour; what was told, and on which day before the end.
    fn walk(life: i64, hours: i64) -> Vec<(u8, i64)> {
        let end = at(life);
        let (mut given, mut told) = (None, Vec::new());
        for hour in 0..hours {
            let now = at(hour * 3_600);
            if let Some(days) = look(now, at(0), end, given).tell {
                given = Some(Given { end, days });
                told.push((days, end.duration_since(now).as_secs()));
            }
        }
        told
    }

    #[test]
    fn each_threshold_is_told_once_and_in_time() {
        let told = walk(100 * DAY, 101 * 24);
        let expected = [(30, 30 * DAY), (14, 14 * DAY), (7, 7 * DAY), (1, DAY), (0, 0)];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_short_life_has_fewer_thresholds() {
        assert_eq!(walk(7 * DAY, 24 * 8), [(1, DAY), (0, 0)]);
        assert_eq!(walk(3_600, 24), [(0, 0)]);
        assert_eq!(walk(14 * DAY + 1, 1), [] as [(u8, i64); 0]);
    }

    #[test]
    fn whoever_looks_late_is_told_the_nearest_only() {
        let outlook = look(at(95 * DAY), at(0), at(100 * DAY), None);
        assert_eq!(outlook, Outlook { tell: Some(7), next: Some(at(99 * DAY)) });
        let outlook = look(at(200 * DAY), at(0), at(100 * DAY), None);
        assert_eq!(outlook, Outlook { tell: Some(0), next: None });
    }

    #[test]
    fn a_new_end_is_warned_of_anew_and_a_rounded_one_is_not() {
        let given = Some(Given { end: at(100 * DAY), days: 7 });
        assert_eq!(look(at(94 * DAY), at(0), at(100 * DAY + 30), given).tell, None);
        let moved = look(at(94 * DAY), at(94 * DAY), at(194 * DAY), given);
        assert_eq!(moved, Outlook { tell: None, next: Some(at(164 * DAY)) });
        assert_eq!(look(at(188 * DAY), at(94 * DAY), at(194 * DAY), given).tell, Some(7));
    }

    #[test]
    fn an_end_that_every_refresh_moves_is_never_warned_of() {
        for hour in 0..24 * 60 {
            let since = at(hour * 3_600);
            let end = at(hour * 3_600 + 30 * DAY);
            assert_eq!(look(since, since, end, None).tell, None);
        }
    }
}
