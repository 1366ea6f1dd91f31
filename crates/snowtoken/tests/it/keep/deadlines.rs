//! A hundred days: each threshold is told once, however often the keeper is started.

use snowtoken::hooks::What;
use snowtoken::world::Clock as _;

use super::{Fleet, seconds};

const DAY: i64 = 86_400;

fn told(fleet: &Fleet) -> Vec<(u8, i64)> {
    let happened = fleet.happened.lock().unwrap();
    let deadlines = happened.iter().filter_map(|happening| match happening.what {
        What::Deadline(days) => Some((days, happening.days_left().unwrap())),
        _ => None,
    });
    deadlines.collect()
}

#[test]
fn each_threshold_is_told_once_in_a_hundred_days() {
    let mut fleet = Fleet::new(&[("a", 20 * DAY)]);
    for day in 0..102 {
        fleet.run(seconds(10));
        fleet.clocks.pass(seconds(DAY - 10));
        fleet.turn();
        if day % 3 == 0 {
            fleet.restart();
        }
    }
    assert_eq!(told(&fleet), [(30, 30), (14, 14), (7, 7), (1, 1), (0, 0)]);
    assert_eq!(fleet.news("Deadline { profile").len(), 5);
    // A new login has a new end.
    fleet.log_in(0, "a", 20 * DAY, seconds(8 * DAY));
    for _ in 0..3 {
        fleet.clocks.pass(seconds(DAY));
        fleet.turn();
    }
    assert_eq!(told(&fleet)[5..], [(7, 7)]);
}

#[test]
fn an_end_that_is_days_ahead_rings_without_anything_else_happening() {
    let mut fleet = Fleet::new(&[("a", 200 * DAY)]);
    fleet.turn();
    let now = fleet.clocks.now();
    assert!(fleet.keeping.wake_at(now).duration_since(now) <= snowtoken::keep::LOOK);
    fleet.clocks.pass(seconds(70 * DAY));
    fleet.turn();
    assert_eq!(told(&fleet), [(30, 30)]);
    assert_eq!(fleet.count(0), 0, "nothing else was due");
}
