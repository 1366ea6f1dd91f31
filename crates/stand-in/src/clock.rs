//! The instance's clock: the machine's, moved or stopped.

use jiff::{SignedDuration, Timestamp};

/// A clock that follows the machine's at a distance, or stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock {
    offset: SignedDuration,
    frozen: Option<Timestamp>,
}

impl Clock {
    /// A clock that stands still at this time.
    pub fn frozen(at: Timestamp) -> Self {
        Self { offset: SignedDuration::ZERO, frozen: Some(at) }
    }

    /// What the clock shows while the machine's shows `machine`.
    pub fn read(&self, machine: Timestamp) -> Timestamp {
        self.frozen.unwrap_or_else(|| machine.checked_add(self.offset).unwrap_or(Timestamp::MAX))
    }

    /// Moves the clock forward, or back when negative. A move beyond the end of time is no move.
    pub fn advance(&mut self, by: SignedDuration) {
        if let Some(at) = self.frozen {
            self.frozen = Some(at.checked_add(by).unwrap_or(at));
        } else {
            self.offset = self.offset.checked_add(by).unwrap_or(self.offset);
        }
    }

    /// Stops the clock at this time.
    pub fn freeze(&mut self, at: Timestamp) {
        *self = Self::frozen(at);
    }

    /// Lets the clock run again, from what it shows while the machine's shows `machine`.
    pub fn thaw(&mut self, machine: Timestamp) {
        if let Some(at) = self.frozen.take() {
            self.offset = at.duration_since(machine);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_moves_stops_and_runs_on() {
        let machine: Timestamp = "2026-11-23T15:00:00Z".parse().unwrap();
        let later = |seconds| machine + SignedDuration::from_secs(seconds);
        let mut clock = Clock::default();
        clock.advance(SignedDuration::from_secs(60));
        assert_eq!(clock.read(machine), later(60));
        clock.freeze(later(5));
        assert_eq!(clock.read(later(1_000)), later(5));
        clock.advance(SignedDuration::from_secs(-5));
        assert_eq!(clock.read(later(1_000)), machine);
        clock.thaw(later(100));
        assert_eq!(clock.read(later(101)), later(1));
    }
}
