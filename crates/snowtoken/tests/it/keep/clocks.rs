//! G21, G22: clocks that jump, machines that sleep.

use super::{Fleet, counts, seconds};

/// `SplitMix64`: the same jumps each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % most).unwrap()
    }
}

const LIFE: i64 = 1_800;
const JUMPS: [i64; 8] = [1, 4, 60, 299, 301, 3_600, 86_400, 86_400 * 3_650];

#[test]
fn a_jump_costs_one_refresh_at_most_and_locks_nobody_out() {
    let mut dice = Dice(21);
    let mut fleet = Fleet::new(&[("a", LIFE)]);
    let (mut ahead, mut lived) = (0_i64, 0_i64);
    let jumps = counts(120, 500);
    for jump in 0..jumps {
        let by = JUMPS[jump % JUMPS.len()] * if dice.below(2) == 0 { 1 } else { -1 };
        // Between 2016 and 2036, or the sum of many would leave what a clock can show.
        let by = if (ahead + by).abs() > 86_400 * 3_660 { -by } else { by };
        ahead += by;
        let time = dice.below(2_000);
        fleet.run(seconds(time));
        lived += time;
        let before = fleet.count(0);
        fleet.clocks.jump(seconds(by));
        fleet.run(seconds(6));
        lived += 6;
        assert!(
            fleet.count(0) <= before + 1,
            "jump {jump}, {by} s: {} at once",
            fleet.count(0) - before
        );
        assert!(
            fleet.left(0, LIFE) >= seconds(50),
            "jump {jump}, {by} s: {} left",
            fleet.left(0, LIFE)
        );
        if dice.below(4) == 0 {
            fleet.restart();
        }
    }
    let due = usize::try_from(lived / (LIFE - 60)).unwrap() + 1;
    assert!(fleet.count(0) <= due + jumps, "{} > {due} + {jumps}", fleet.count(0));
}

#[test]
fn after_a_sleep_the_first_look_refreshes() {
    let mut dice = Dice(22);
    let mut fleet = Fleet::new(&[("a", LIFE), ("b", LIFE)]);
    fleet.turn();
    for sleep in 0..counts(50, 50) {
        fleet.run(seconds(dice.below(600)));
        let slept = if sleep == 0 { 86_400 * 30 } else { 1 + dice.below(86_400 * 3) };
        let before = fleet.count(0);
        let was_due = fleet.left(0, LIFE) <= seconds(slept + 60);
        fleet.clocks.pass(seconds(slept));
        fleet.turn();
        assert_eq!(fleet.count(0), before + usize::from(was_due), "{slept} s");
        assert!(fleet.left(0, LIFE) >= seconds(60), "{slept} s: {} left", fleet.left(0, LIFE));
    }
}
