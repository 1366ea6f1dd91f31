//! Faults: what can go wrong between an instance and its client. This part decides, from a seed;
//! the server carries out what concerns the connection.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::behaviour::{self, Behaviour};
use crate::random::Random;

/// The names of all faults, `none` first, as the knob `fault.kind` takes them.
pub const KINDS: &[&str] = &[
    "none",
    "asleep",
    "offline",
    "bad-gateway",
    "bad-gateway-after",
    "unavailable",
    "slow",
    "drip",
    "cut",
    "reset",
    "stall",
    "login-page",
    "login-redirect",
    "truncated-json",
    "flapping-refresh",
    "huge-body",
    "offline-page",
    "address-refused",
    "not-found",
    "moved",
    "refused",
    "random",
];

const RANDOM_KINDS: &[&str] = &[
    "bad-gateway",
    "bad-gateway-after",
    "unavailable",
    "slow",
    "cut",
    "reset",
    "login-page",
    "truncated-json",
];

const LARGEST_BODY: u64 = 256 * 1024 * 1024;
const LONGEST_DELAY: u64 = 3_600_000;

/// One fault and when it happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fault {
    /// One of [`KINDS`].
    pub kind: String,
    /// Only requests for this path meet it; empty is every path.
    pub path: String,
    /// The first matching request that meets it, counted from 1.
    pub from: u64,
    /// How many requests meet it; 0 is all.
    pub times: u64,
    /// How likely a request meets it, in percent.
    pub probability: u64,
    /// For `cut`, `reset` and `stall`: bytes of the answer, status line included, that get through.
    pub byte: u64,
    /// For `slow`: milliseconds before the answer; for `drip`: between two bytes.
    pub delay: u64,
    /// For `huge-body`: bytes.
    pub size: u64,
    /// `Retry-After` of `unavailable` in seconds; 0 leaves it out.
    pub retry_after: u64,
}

impl Default for Fault {
    fn default() -> Self {
        Self::from_knobs(&Behaviour::default())
    }
}

impl Fault {
    /// The fault that the `fault.…` knobs describe.
    pub fn from_knobs(behaviour: &Behaviour) -> Self {
        Self {
            kind: behaviour.text(&behaviour::FAULT).to_owned(),
            path: behaviour.text(&behaviour::FAULT_PATH).to_owned(),
            from: behaviour.number(&behaviour::FAULT_FROM),
            times: behaviour.number(&behaviour::FAULT_TIMES),
            probability: behaviour.number(&behaviour::FAULT_PROBABILITY),
            byte: behaviour.number(&behaviour::FAULT_BYTE),
            delay: behaviour.number(&behaviour::FAULT_DELAY),
            size: behaviour.number(&behaviour::FAULT_SIZE),
            retry_after: behaviour.number(&behaviour::RETRY_AFTER),
        }
    }

    /// A fault of this kind that every request meets; `None` when there is no such kind.
    pub fn new(kind: &str) -> Option<Self> {
        KINDS.contains(&kind).then(|| Self { kind: kind.to_owned(), ..Self::default() })
    }

    /// Whether the instance does its work before the fault hits, so that only the answer is lost.
    pub(crate) fn after_the_work(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "bad-gateway-after"
                | "slow"
                | "drip"
                | "cut"
                | "reset"
                | "stall"
                | "truncated-json"
                | "huge-body"
        )
    }

    pub(crate) fn body_size(&self) -> usize {
        usize::try_from(self.size.min(LARGEST_BODY)).unwrap_or(0)
    }

    /// What the fault does to the connection.
    pub(crate) fn network(&self) -> Network {
        let delay = Duration::from_millis(self.delay.min(LONGEST_DELAY));
        let ending = |end| Network { limit: Some(self.byte), end, ..Network::default() };
        match self.kind.as_str() {
            "slow" => Network { delay, ..Network::default() },
            "drip" => Network { drip: Some(delay), ..Network::default() },
            "cut" => ending(End::Close),
            "reset" => ending(End::Reset),
            "stall" => ending(End::Stall),
            _ => Network::default(),
        }
    }
}

/// What happens to the bytes of an answer on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Network {
    /// The wait before the first byte.
    pub delay: Duration,
    /// The wait between two bytes, if they are to drip.
    pub drip: Option<Duration>,
    /// How many bytes get through before [`Network::end`] happens; all of them when `None`.
    pub limit: Option<u64>,
    /// What happens at the limit.
    pub end: End,
}

/// What happens to the connection after the last byte that gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// The connection is closed in good order.
    #[default]
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing more is sent, but the connection stays open.
    Stall,
}

/// The faults in force and how often each was met.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    /// The first is the one of the knobs.
    active: Vec<Watch>,
    random: Random,
}

#[derive(Debug, Clone)]
struct Watch {
    fault: Fault,
    seen: u64,
    met: u64,
}

impl Faults {
    pub(crate) fn new(behaviour: &Behaviour, seed: u64) -> Self {
        let active = vec![Watch::new(Fault::from_knobs(behaviour))];
        Self { active, random: Random::new(seed, "faults") }
    }

    /// Takes over the `fault.…` knobs; counting begins anew.
    pub(crate) fn reread(&mut self, behaviour: &Behaviour) {
        if let Some(first) = self.active.first_mut() {
            *first = Watch::new(Fault::from_knobs(behaviour));
        }
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.active.push(Watch::new(fault));
    }

    pub(crate) fn clear(&mut self) {
        self.active.truncate(1);
    }

    pub(crate) fn list(&self) -> impl Iterator<Item = &Fault> {
        self.active.iter().map(|watch| &watch.fault).filter(|fault| fault.kind != "none")
    }

    /// The fault that this request meets. Every matching request counts, met or not.
    pub(crate) fn meet(&mut self, path: &str, is_refresh: bool) -> Option<Fault> {
        let random = &mut self.random;
        self.active.iter_mut().find_map(|watch| watch.meet(path, is_refresh, random))
    }
}

impl Watch {
    fn new(fault: Fault) -> Self {
        Self { fault, seen: 0, met: 0 }
    }

    fn meet(&mut self, path: &str, is_refresh: bool, random: &mut Random) -> Option<Fault> {
        let fault = &self.fault;
        let flapping = fault.kind == "flapping-refresh";
        let elsewhere = !fault.path.is_empty() && fault.path != path;
        if fault.kind == "none" || elsewhere || (flapping && !is_refresh) {
            return None;
        }
        self.seen += 1;
        let too_early = self.seen < fault.from;
        let exhausted = fault.times > 0 && self.met >= fault.times;
        if too_early || exhausted || (flapping && !self.seen.is_multiple_of(3)) {
            return None;
        }
        if fault.probability < 100 && random.below(100) >= fault.probability {
            return None;
        }
        self.met += 1;
        let mut met = self.fault.clone();
        if met.kind == "random" {
            let index = usize::try_from(random.below(RANDOM_KINDS.len() as u64)).unwrap_or(0);
            let kind = RANDOM_KINDS.get(index).copied();
            kind.unwrap_or("unavailable").clone_into(&mut met.kind);
            met.byte = random.below(400);
            met.delay = random.below(300);
        }
        Some(met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_starts_where_it_should_and_ends_after_its_times() {
        let mut behaviour = Behaviour::default();
        for text in ["fault.kind=cut", "fault.path=/a", "fault.from=2", "fault.times=2"] {
            behaviour.assign(text).unwrap();
        }
        let mut faults = Faults::new(&behaviour, 1);
        let met: Vec<bool> = ["/a", "/b", "/a", "/a", "/a"]
            .iter()
            .map(|path| faults.meet(path, false).is_some())
            .collect();
        assert_eq!(met, [false, false, true, true, false]);
    }

    #[test]
    fn probability_draws_from_the_seed() {
        let mut behaviour = Behaviour::default();
        behaviour.set("fault.kind", "random").unwrap();
        behaviour.set("fault.probability", "50").unwrap();
        let run = |seed| {
            let mut faults = Faults::new(&behaviour, seed);
            (0..40).map(|_| faults.meet("/", false).map(|fault| fault.kind)).collect::<Vec<_>>()
        };
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
        let met = run(3).iter().flatten().count();
        assert!((8..33).contains(&met), "{met}");
    }
}
