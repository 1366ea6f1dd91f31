//! When to refresh, when to try again, and why then.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::token_set::TokenSet;

/// Why the next refresh is due when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The access token is about to expire.
    AccessTokenEnds,
    /// The last refresh brought the same token again: another one comes only after its end.
    SameTokenAgain,
    /// The answer to the last request was lost; the same refresh token is sent again at once.
    AnswerLost,
    /// The instance refused once; the refusal counts only if it is repeated.
    RefusedOnce,
    /// The instance named the time.
    RetryAfter,
    /// The last attempt failed; waits grow and are spread.
    BackOff,
    /// The instance wants something changed first.
    SomebodyMustAct,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessTokenEnds => "the access token is about to expire",
            Self::SameTokenAgain => "the instance gives the same token again until it has ended",
            Self::AnswerLost => "the answer to the last refresh was lost",
            Self::RefusedOnce => "the instance refused once",
            Self::RetryAfter => "the instance asked to wait until then",
            Self::BackOff => "the last attempt failed",
            Self::SomebodyMustAct => "the instance wants something changed first",
        })
    }
}

impl Why {
    /// Every reason, for reading a stored one back.
    const ALL: [Self; 7] = [
        Self::AccessTokenEnds,
        Self::SameTokenAgain,
        Self::AnswerLost,
        Self::RefusedOnce,
        Self::RetryAfter,
        Self::BackOff,
        Self::SomebodyMustAct,
    ];

    /// A word for it, for JSON and for the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessTokenEnds => "access-token-ends",
            Self::SameTokenAgain => "same-token-again",
            Self::AnswerLost => "answer-lost",
            Self::RefusedOnce => "refused-once",
            Self::RetryAfter => "retry-after",
            Self::BackOff => "back-off",
            Self::SomebodyMustAct => "somebody-must-act",
        }
    }

    /// The reason that goes by this word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == word)
    }
}

/// However short a token's life: between two refreshes that the schedule makes lies this much.
pub(super) const LEAST_PAUSE: SignedDuration = SignedDuration::from_millis(500);

/// For this long after a refresh a rejected access token is not a reason for another one.
pub const REJECTION_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// No wait after a failure is shorter.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_millis(250);

/// After so many failures in a row there is no hurry any more,
const QUICK_TRIES: u32 = 5;

/// and at least this long between two attempts.
const LONG_WAIT: SignedDuration = SignedDuration::from_mins(1);

/// The keeper's habits.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// How long before its end an access token is refreshed; at most a fifth of its life.
    pub margin: SignedDuration,
    /// The pause before a refused refresh is repeated.
    pub refusal_pause: SignedDuration,
    /// The first back-off is up to this long.
    pub base: SignedDuration,
    /// No back-off is longer.
    pub ceiling: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            margin: SignedDuration::from_secs(60),
            refusal_pause: SignedDuration::from_millis(250),
            base: SignedDuration::from_secs(1),
            ceiling: SignedDuration::from_mins(15),
        }
    }
}

impl Policy {
    /// When an access token is refreshed if nothing else happens.
    pub fn refresh_at(&self, tokens: &TokenSet) -> Timestamp {
        self.refresh_before(tokens.issued_at, tokens.access_expires_at.at)
    }

    /// The same for an access token that came then and ends then.
    pub fn refresh_before(&self, issued_at: Timestamp, end: Timestamp) -> Timestamp {
        let life = end.duration_since(issued_at);
        let margin = self.margin.min(life / 5).max(SignedDuration::ZERO);
        end.saturating_sub(margin).unwrap_or(Timestamp::MIN)
    }

    /// When to try again after so many failures, with full jitter. `seed` is different each time; it
    /// need not be secret.
    pub fn back_off(&self, now: Timestamp, failures: u32, seed: u64) -> Timestamp {
        Jitter::new(seed).back_off(now, failures, self)
    }
}

/// Full jitter from a small generator (SplitMix64): it spreads clients, it protects nothing.
#[derive(Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// When to try again after `before` + 1 attempts that failed, evenly spread: first within the
    /// current ceiling, and once it has failed [`QUICK_TRIES`] times, not within a minute either.
    pub(super) fn back_off(&mut self, now: Timestamp, before: u32, policy: &Policy) -> Timestamp {
        let most = policy.base.saturating_mul(1 << before.min(16)).min(policy.ceiling);
        let least = if before + 1 < QUICK_TRIES { SHORTEST_WAIT } else { LONG_WAIT };
        self.between(now, least, most.max(least.saturating_mul(2)))
    }

    /// Not before a moment that the instance named, and not with everybody else at that moment.
    pub(super) fn after(&mut self, now: Timestamp, named: Timestamp) -> Timestamp {
        let wait = named.duration_since(now).max(SignedDuration::ZERO);
        self.between(named, SignedDuration::ZERO, (wait / 4).clamp(SHORTEST_WAIT, LONG_WAIT * 5))
    }

    /// A moment at least `least` and less than `most` after `from`.
    fn between(
        &mut self,
        from: Timestamp,
        least: SignedDuration,
        most: SignedDuration,
    ) -> Timestamp {
        let span = u64::try_from((most - least).as_millis()).unwrap_or(1).max(1);
        let extra = i64::try_from(self.draw() % span).unwrap_or(0);
        let wait = least.saturating_add(SignedDuration::from_millis(extra));
        from.saturating_add(wait).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_grows_is_spread_and_has_a_ceiling() {
        let policy = Policy::default();
        let now = Timestamp::UNIX_EPOCH;
        let mut jitter = Jitter::new(7);
        let mut longest = |attempt| {
            (0..500)
                .map(|_| jitter.back_off(now, attempt, &policy).as_millisecond())
                .max()
                .unwrap_or(0)
        };
        assert!((250..=1_000).contains(&longest(0)));
        assert!((4_000..=8_000).contains(&longest(3)));
        assert!((600_000..=900_000).contains(&longest(40)));
    }

    #[test]
    fn a_named_moment_is_not_undercut_and_not_met_by_all() {
        let now = Timestamp::UNIX_EPOCH;
        let named = Timestamp::from_second(600).unwrap();
        let mut jitter = Jitter::new(7);
        let moments: Vec<_> = (0..500).map(|_| jitter.after(now, named).as_second()).collect();
        assert!(moments.iter().all(|at| (600..750).contains(at)));
        assert!(moments.iter().filter(|at| **at < 601).count() < 20);
    }
}
