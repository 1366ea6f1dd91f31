//! What a keeper should do, as plainly as it can be said. Times are nanoseconds.

use std::ops::RangeInclusive;

pub(crate) const SECOND: i64 = 1_000_000_000;
const LIFESPAN: i64 = 1_800;
const QUARTER: i64 = SECOND / 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Absent,
    Fresh,
    Refreshing,
    Waiting,
    Rejected,
}

/// Tokens by number: greater is newer, no refresh token is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) access: u32,
    pub(crate) refresh: u32,
    pub(crate) issued: i64,
    pub(crate) end: i64,
}

/// What an answer does to the keeper; which bytes mean what is not the model's business.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Tokens { access: u32, refresh: u32, life: Option<i64> },
    Refusal,
    Named { seconds: i64 },
    SomebodyMustAct,
    Failure,
    Lost,
    NotSent,
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) phase: Phase,
    pub(crate) held: Option<Held>,
    /// When the next timeout may be due; the keeper's own choice within it is taken over.
    pub(crate) due: Option<RangeInclusive<i64>>,
    pub(crate) events: Vec<&'static str>,
    pub(crate) requests: Vec<u32>,
    seen: i64,
    sent: i64,
    refreshed: Option<i64>,
    failures: u32,
    refused: bool,
    lost: bool,
    /// A request was under way when everything was forgotten.
    forgotten: bool,
}

impl Model {
    pub(crate) fn new(held: Held) -> Self {
        let mut model = Self {
            phase: Phase::Fresh,
            held: None,
            due: None,
            events: vec![],
            requests: vec![],
            seen: 0,
            sent: 0,
            refreshed: None,
            failures: 0,
            refused: false,
            lost: false,
            forgotten: false,
        };
        model.hold(held);
        model
    }

    fn hold(&mut self, held: Held) {
        (self.phase, self.held, self.seen) = (Phase::Fresh, Some(held), held.issued);
        self.due = (held.refresh != 0).then(|| exactly(before_end(held)));
        (self.failures, self.refused, self.lost) = (0, false, false);
    }

    /// A clock that was set back takes with it what is due.
    pub(crate) fn tell(&mut self, now: i64) {
        let back = self.seen - now;
        self.seen = now;
        if back > 0 {
            let moved = |due: &RangeInclusive<i64>| due.start() - back..=due.end() - back;
            self.due = self.due.as_ref().map(moved);
        }
    }

    pub(crate) fn timeout(&mut self) {
        if self.due.as_ref().is_some_and(|due| *due.end() <= self.seen) {
            self.send();
        }
    }

    pub(crate) fn refresh(&mut self) {
        if self.phase != Phase::Refreshing {
            self.send();
        }
    }

    pub(crate) fn reject_access_token(&mut self) {
        let recent = self.refreshed.is_some_and(|at| (self.seen - at).abs() < 30 * SECOND);
        match self.phase {
            Phase::Fresh if !recent => self.send(),
            Phase::Absent | Phase::Rejected => self.events.push("NothingToRefresh"),
            _ => {}
        }
    }

    pub(crate) fn adopt(&mut self, held: Held, now: i64) {
        self.forgotten = false;
        self.hold(held);
        self.tell(now);
    }

    pub(crate) fn forget(&mut self) {
        self.forgotten = self.phase == Phase::Refreshing;
        (self.phase, self.held, self.due) = (Phase::Absent, None, None);
        (self.failures, self.refused, self.lost) = (0, false, false);
    }

    /// What comes when nothing is held any more is named once, so that it can be ended.
    pub(crate) fn answer_too_late(&mut self, outcome: Outcome) {
        if std::mem::take(&mut self.forgotten) && matches!(outcome, Outcome::Tokens { .. }) {
            self.events.push("CameTooLate");
        }
    }

    fn send(&mut self) {
        self.due = None;
        match self.held {
            Some(held) if held.refresh != 0 => {
                self.requests.push(held.refresh);
                (self.phase, self.sent) = (Phase::Refreshing, self.seen);
            }
            held => {
                self.phase = if held.is_some() { Phase::Fresh } else { Phase::Absent };
                self.events.push("NothingToRefresh");
            }
        }
    }

    pub(crate) fn answer(&mut self, outcome: Outcome) {
        let now = self.seen;
        let most = (SECOND << self.failures.min(16)).min(900 * SECOND);
        let least = if self.failures < 4 { QUARTER } else { 60 * SECOND };
        let back_off = now + least..=now + most.max(2 * least);
        self.phase = Phase::Waiting;
        match outcome {
            Outcome::Tokens { access, refresh, life } => {
                return self.succeed(access, refresh, life);
            }
            Outcome::Refusal if self.refused => {
                (self.phase, self.due) = (Phase::Rejected, None);
                (self.failures, self.refused, self.lost) = (0, false, false);
                return self.events.push("Rejected");
            }
            Outcome::Refusal => {
                self.due = Some(exactly(now + QUARTER));
                self.refused = true;
                return self.events.push("RefusedOnce");
            }
            Outcome::Lost if !self.lost => self.due = Some(exactly(now)),
            Outcome::Lost | Outcome::NotSent | Outcome::Failure => self.due = Some(back_off),
            Outcome::SomebodyMustAct => self.due = Some(after(now, 720)),
            Outcome::Named { seconds } => {
                let named = after(now, seconds);
                let (start, end) = (named.start().max(back_off.start()), back_off.end());
                self.due = Some(*start..=*named.end().max(end));
            }
        }
        self.failures += 1;
        self.refused &= matches!(outcome, Outcome::NotSent);
        self.lost = match outcome {
            Outcome::Lost => true,
            Outcome::NotSent => self.lost,
            _ => false,
        };
        self.events.push("Failed");
    }

    fn succeed(&mut self, access: u32, refresh: u32, life: Option<i64>) {
        let (now, sent) = (self.seen, self.sent.min(self.seen));
        let Some(old) = self.held else { return };
        let is_new = access != old.access;
        let told = sent + life.unwrap_or(LIFESPAN) * SECOND;
        let mut held = Held {
            access,
            refresh: if refresh == 0 { old.refresh } else { refresh },
            issued: sent.min(old.issued),
            end: if life.is_none() && !is_new && (sent..=told).contains(&old.end) {
                old.end
            } else {
                told
            },
        };
        let progress = is_new || held.end - old.end >= 5 * SECOND;
        held.issued = if progress { sent } else { held.issued };
        let next = if progress {
            before_end(held).max(now + SECOND / 2)
        } else {
            held.end.max(now) + SECOND
        };
        self.hold(held);
        (self.seen, self.due, self.refreshed) = (now, Some(exactly(next)), Some(now));
        self.events.push("Refreshed");
    }
}

fn exactly(at: i64) -> RangeInclusive<i64> {
    at..=at
}

/// Not before the moment that was named, and up to a quarter of the wait behind it.
fn after(now: i64, seconds: i64) -> RangeInclusive<i64> {
    let named = now + seconds * SECOND;
    named..=named + (seconds * SECOND / 4).clamp(QUARTER, 300 * SECOND)
}

/// A minute before the end, a fifth of its life if that is less.
fn before_end(held: Held) -> i64 {
    held.end - ((held.end - held.issued) / 5).clamp(0, 60 * SECOND)
}
