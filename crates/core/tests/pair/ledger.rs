//! Deadlines of a refresh token while clocks jump (G21 to G24).

use snowtoken_core::keeper::Command;
use snowtoken_core::ledger::{Facts, RefreshEnd};
use snowtoken_core::{SignedDuration, Timestamp};

use crate::world::{DAY, World, seconds, start};

const TEN_YEARS: i64 = 10 * 365 * 86_400;

/// As many rounds as usual, or all of them: `SNOWTOKEN_TEST_COUNTS=full`.
#[expect(clippy::disallowed_methods, reason = "how thorough a test is may depend on who runs it")]
fn counts(default: u64, full: u64) -> u64 {
    let is_full = std::env::var_os("SNOWTOKEN_TEST_COUNTS").is_some_and(|value| value == "full");
    if is_full { full } else { default }
}

/// `SplitMix64`: the same jumps in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 1).cast_signed() % limit
    }

    /// From a second to ten years, both ways, short ones as often as long ones.
    fn jump(&mut self) -> SignedDuration {
        let most = 1 << self.below(29);
        let length = 1 + self.below(most.min(TEN_YEARS));
        seconds(if self.below(2) == 0 { length } else { -length })
    }
}

fn end(world: &World) -> Option<Timestamp> {
    world.tokens().refresh_expires_at.map(|end| end.at)
}

/// Refreshes at random moments of the token's life, each by another clock.
fn lives(knobs: &[&str], facts: &Facts, mut check: impl FnMut(u64, &World, SignedDuration)) {
    for round in 0..counts(100, 500) {
        let mut dice = Dice(round);
        let mut world = World::new(knobs);
        let keeper = world.keeper;
        world.keeper = keeper.knowing(facts.clone());
        for _ in 0..4 {
            world.truth += seconds(dice.below(20 * 86_400));
            world.ahead = dice.jump();
            world.command(Command::Refresh);
            assert_eq!(world.names().last().map(|name| &name[..9]), Some("refreshed"), "{round}");
            check(round, &world, world.ahead);
        }
    }
}

/// The instance dates its answers: no clock of ours moves the end by more than it differs unnoticed.
#[test]
fn g21_no_jump_of_our_clock_moves_an_end() {
    lives(&[], &Facts::default(), |round, world, ahead| {
        assert_eq!(end(world), Some(start() + 100 * DAY), "{round}: {ahead:#}");
        assert_eq!(world.keeper.facts(), &Facts::default(), "{round}: {ahead:#}");
    });
}

/// The same where refreshes move the end: it is counted by the instance's clock, or by ours if that
/// is less than an hour off.
#[test]
fn g21_an_end_that_moves_is_counted_by_the_better_clock() {
    let moves = Facts { refresh_end: RefreshEnd::Moves, ..Facts::default() };
    lives(&["refresh.extends=on"], &moves, |round, world, ahead| {
        let right = world.view().refresh_token_expires.unwrap();
        let off = end(world).unwrap().duration_since(right).abs();
        assert!(off <= SignedDuration::from_hours(2), "{round}: {off:#} off, {ahead:#}");
    });
}

/// Without dates our clock is all there is: an end may become unknown, but it never lies in the
/// past, nor further ahead than it did.
#[test]
fn g21_without_dates_no_end_is_left_in_the_past_or_beyond_a_life() {
    lives(&["date=missing"], &Facts::default(), |round, world, ahead| {
        let Some(end) = end(world) else { return };
        assert!(end <= start() + 100 * DAY, "{round}: {ahead:#}");
        let over = world.clock().duration_since(end);
        assert!(over <= SignedDuration::from_mins(5), "{round}: {over:#} over, {ahead:#}");
    });
}

/// G22: a machine that slept does not count its sleep.
#[test]
fn g22_a_suspended_machine_finds_the_end_where_it_was() {
    for days in [1, 30, 99] {
        let mut world = World::new(&[]);
        world.truth += days * DAY;
        world.keeper.handle_timeout(world.clock());
        world.settle();
        assert_eq!(end(&world), Some(start() + 100 * DAY), "{days}");
    }
    let mut world = World::new(&[]);
    world.truth += 101 * DAY;
    world.run(seconds(60));
    assert!(world.is_rejected());
    // It slept through its end: that it was refused a day late says nothing about refreshes.
    assert_eq!(world.keeper.facts().refresh_end, RefreshEnd::Unknown);
}

/// G24: ends beyond 2038 and at the turn of a century.
#[test]
fn g24_far_years_are_exact() {
    for text in ["2037-12-31T23:59:59Z", "2038-01-19T03:14:07Z", "2099-12-01T00:00:00Z"] {
        let mut world = World::new(&["refresh.extends=on", "lifespan.refresh=3155760000"]);
        let keeper = world.keeper;
        let facts = Facts {
            refresh_end: RefreshEnd::Moves,
            refresh_lifespan: Some(8_640_000),
            ..Facts::default()
        };
        world.keeper = keeper.knowing(facts);
        world.truth = text.parse().unwrap();
        world.command(Command::Refresh);
        assert_eq!(end(&world), Some(world.truth + 100 * DAY), "{text}");
    }
}
