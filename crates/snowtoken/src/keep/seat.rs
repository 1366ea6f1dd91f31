//! One profile as the keeper sees it.

use jiff::{SignedDuration, Timestamp};
use snowtoken_core::keeper::roster::Due;
use snowtoken_core::keeper::{Policy, Why};
use snowtoken_core::profile::Profile;
use snowtoken_core::token_set::Generation;
use snowtoken_store::{Held, RecordState, Standing};

use crate::session::binding;

/// Clocks of different machines differ by this much without anything being wrong.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A moment that is always over.
const AT_ONCE: Timestamp = Timestamp::UNIX_EPOCH;

/// What can be done for a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// There is nothing to keep.
    NoTokens,
    /// It is refreshed when it is due.
    Kept,
    /// The tokens are of another instance or client, belong to another machine now, are being
    /// revoked, or cannot be refreshed: they are not ours to keep.
    NotOurs,
    /// The refresh token is dead.
    LoginNeeded,
}

impl Condition {
    pub(super) fn has_tokens(self) -> bool {
        self != Self::NoTokens
    }
}

/// A profile in the keeper's list.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) profile: Profile,
    pub(super) condition: Condition,
    /// The token set that was planned for.
    pub(super) generation: Generation,
    /// What the store makes it wait for; the roster may know better, after a failure of our own.
    pub(super) plan: Due,
    /// Jobs that failed in a row.
    pub(super) failures: u8,
    /// The survey in which it was seen in the store.
    pub(super) survey: u32,
    /// Its entry among the alarms.
    pub(super) alarm: Option<Timestamp>,
}

impl Seat {
    pub(super) fn new(profile: Profile) -> Self {
        Self {
            profile,
            condition: Condition::NoTokens,
            generation: Generation::NONE,
            plan: Due::Never,
            failures: 0,
            survey: 0,
            alarm: None,
        }
    }

    /// Takes over a plan that was made for this token set.
    pub(super) fn take(&mut self, generation: Generation, plan: Due) {
        self.generation = generation;
        self.plan = plan;
        self.failures = 0;
    }
}

/// What can be done for a profile that stands like this, and when.
pub(super) fn judge(now: Timestamp, standing: &Standing, profile: &Profile) -> (Condition, Due) {
    let Some(held) = &standing.held else { return (Condition::NoTokens, Due::Never) };
    match held.state {
        _ if held.binding != binding(profile) => (Condition::NotOurs, Due::Never),
        RecordState::Held | RecordState::Rejected { .. } if profile.grant.renews_itself() => {
            (Condition::Kept, plan(now, held))
        }
        RecordState::Rejected { .. } => (Condition::LoginNeeded, Due::Never),
        RecordState::Held if held.has_refresh_token => (Condition::Kept, plan(now, held)),
        _ => (Condition::NotOurs, Due::Never),
    }
}

fn plan(now: Timestamp, held: &Held) -> Due {
    let policy = Policy::default();
    let progress = &held.progress;
    if progress.sent_at.is_some() && progress.next.is_none() {
        // Whoever sent it holds the lock, or is gone: then it is sent again.
        return Due::At(AT_ONCE, Why::AnswerLost);
    }
    // Younger than now: the clock was set back since, and every moment noted then is worth nothing.
    let is_from_the_future = held.issued_at.duration_since(now) > SKEW;
    if !held.has_access_token || is_from_the_future {
        return Due::At(AT_ONCE, Why::AccessTokenEnds);
    }
    let usual = policy.refresh_before(held.issued_at, held.access_expires_at.at);
    match (progress.next, &progress.failed) {
        (Some((at, why)), _) => Due::At(at, why),
        (None, Some(failed)) => {
            // Somebody has to change something first; looking again once in a while is enough.
            let later = failed.at.saturating_add(policy.ceiling).unwrap_or(Timestamp::MAX);
            Due::At(later.max(usual), Why::SomebodyMustAct)
        }
        (None, None) => Due::At(usual, Why::AccessTokenEnds),
    }
}
