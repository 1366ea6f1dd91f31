//! G20: a day, with access tokens that live from a second to a day.

use super::{Fleet, counts, seconds};

/// Lives spread over the orders of magnitude.
fn lives(from: f64, to: f64, count: usize) -> Vec<i64> {
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let step = (to / from).powf(1.0 / (count - 1) as f64);
    let mut all: Vec<i64> = Vec::new();
    let mut next = from;
    for _ in 0..count {
        #[expect(clippy::cast_possible_truncation, reason = "far below the limit")]
        all.push(next.round() as i64);
        next *= step;
    }
    all
}

/// Lets a day, or a part of it, pass in steps and looks at every token after each.
fn alive_all_the_time(lives: &[i64], time: i64, step: i64) -> usize {
    let profiles: Vec<(&str, i64)> = lives.iter().map(|life| ("a", *life)).collect();
    let mut fleet = Fleet::new(&profiles);
    for _ in 0..time / step {
        fleet.run(seconds(step));
        for (index, life) in lives.iter().enumerate() {
            // The keeper's margin, less the millisecond by which the loop moves at least.
            let margin = seconds(60).min(seconds(*life) / 5) - jiff::SignedDuration::from_millis(5);
            assert!(
                fleet.left(index, *life) >= margin,
                "{life} s: {} left",
                fleet.left(index, *life)
            );
        }
    }
    for (index, life) in lives.iter().enumerate() {
        // A margin of a fifth makes five refreshes in four lives, a minute of a long one fewer.
        let most = usize::try_from(time * 5 / (life * 4) + 1).unwrap();
        assert!(fleet.count(index) <= most, "{life} s: {} > {most}", fleet.count(index));
    }
    assert_eq!(fleet.most.min(4), fleet.most, "more than its share of one instance");
    fleet.instances.asked().len()
}

#[test]
fn short_lives_are_kept_up_with() {
    let time = i64::try_from(counts(300, 86_400)).unwrap();
    assert!(alive_all_the_time(&lives(1.0, 59.0, counts(12, 59)), time, 1) > 0);
}

#[test]
fn a_day_passes_and_no_token_was_ever_too_old() {
    let asked = alive_all_the_time(&lives(60.0, 86_400.0, counts(25, 141)), 86_400, 60);
    assert!(asked > 5_000, "{asked}");
}
