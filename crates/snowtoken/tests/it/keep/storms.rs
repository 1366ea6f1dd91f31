//! G17: instances that are down or ask for a pause, and many profiles that would all like to ask.

use std::collections::BTreeMap;

use super::{Fleet, Mood, seconds, start};

const CLIENTS: usize = 100;

fn fleet() -> Fleet {
    let mut profiles = vec![("a", 1_800); CLIENTS];
    profiles.push(("b", 1_800));
    Fleet::new(&profiles)
}

#[test]
fn an_hour_of_an_instance_that_is_down_is_no_storm() {
    let mut fleet = fleet();
    fleet.run(seconds(1_000));
    fleet.instances.set("a.service-now.com", Mood::Down);
    fleet.run(seconds(3_600));
    let (mut by_client, mut by_second) =
        (BTreeMap::<_, Vec<i64>>::new(), BTreeMap::<_, usize>::new());
    for (at, host, token) in fleet.instances.asked() {
        if host.starts_with('a') {
            let second = at.duration_since(start()).as_secs();
            by_client.entry(token).or_default().push(second);
            *by_second.entry(second).or_default() += 1;
        }
    }
    assert_eq!(by_client.len(), CLIENTS, "everybody had a turn");
    for (client, times) in &by_client {
        // After the first five, no more than one a minute.
        let (late, minutes) = (times.len().saturating_sub(5), (4_600 - times[0]) / 60);
        assert!(i64::try_from(late).unwrap() <= minutes, "{client}: {times:?}");
    }
    let lives = fleet.count(CLIENTS);
    assert_eq!(lives, 2, "the other instance goes on as ever");
    assert_eq!(fleet.most, 4 + 1, "four of one instance, and the one of the other");
    // Spread: no second has more than a few, once the first round is over.
    let crowd = by_second.iter().filter(|(second, _)| **second > 1_800).map(|(_, n)| *n).max();
    assert!(crowd.unwrap() <= 12, "{by_second:?}");
    fleet.instances.set("a.service-now.com", Mood::Well);
    fleet.run(seconds(1_000));
    for index in 0..CLIENTS {
        assert!(fleet.left(index, 1_800) > seconds(60), "p{index} is back");
    }
}

#[test]
fn a_pause_that_one_was_told_is_kept_by_all_of_its_instance() {
    let mut fleet = fleet();
    fleet.instances.set("a.service-now.com", Mood::Busy(300));
    fleet.run(seconds(1_750));
    let asked = |fleet: &Fleet| {
        fleet.instances.asked().iter().filter(|(_, host, _)| host.starts_with('a')).count()
    };
    // Those that were under way already when the first was told.
    let first = asked(&fleet);
    assert!((1..=4).contains(&first), "{first}");
    fleet.run(seconds(285));
    assert_eq!(asked(&fleet), first, "it asked for 300 s");
    assert_eq!(fleet.count(CLIENTS), 1, "the other instance was not meant");
    // Nobody comes at the very moment: up to a quarter is added.
    fleet.run(seconds(95));
    assert_eq!(asked(&fleet), first + 1, "one looks whether it is over, and is told again");
    fleet.instances.set("a.service-now.com", Mood::Well);
    fleet.run(seconds(700));
    for index in 0..CLIENTS {
        assert!(fleet.left(index, 1_800) > seconds(60), "p{index} is back");
    }
}
