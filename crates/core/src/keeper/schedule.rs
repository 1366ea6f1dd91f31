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
pub(super) const REJECTION_PAUSE: SignedDuration = SignedDuration::from_secs(30);

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
        let end = tokens.access_expires_at.at;
        let life = end.duration_since(tokens.issued_at);
        let margin = self.margin.min(life / 5).max(SignedDuration::ZERO);
        end.saturating_sub(margin).unwrap_or(Timestamp::MIN)
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

    /// A moment between a quarter second from now and the current ceiling, evenly spread.
    pub(super) fn back_off(&mut self, now: Timestamp, attempt: u32, policy: &Policy) -> Timestamp {
        let most = policy.base.saturating_mul(1 << attempt.min(16)).min(policy.ceiling);
        let millis = u64::try_from(most.as_millis()).unwrap_or(1_000).max(1);
        let wait = i64::try_from(self.draw() % millis).unwrap_or(0).max(250);
        now.saturating_add(SignedDuration::from_millis(wait)).unwrap_or(Timestamp::MAX)
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
}
