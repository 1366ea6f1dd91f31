//! Access tokens that live for a second, a day and everything between.

use snowtoken_core::SignedDuration;

use crate::world::{World, seconds};

/// Two hundred lifetimes from a second to a day, evenly spread over the orders of magnitude.
fn lifetimes() -> Vec<i64> {
    let mut all: Vec<i64> = (1..=100).collect();
    let mut next = 105.0_f64;
    while all.len() < 199 {
        #[expect(clippy::cast_possible_truncation, reason = "far below the limit of either type")]
        all.push(next as i64);
        next *= 1.0702;
    }
    all.push(86_400);
    all
}

/// The margin the keeper promises: a minute, or a fifth of a short life.
fn margin(life: i64) -> SignedDuration {
    seconds(60).min(seconds(life) / 5)
}

#[test]
fn one_refresh_per_lifetime_and_always_a_margin() {
    let all = lifetimes();
    assert_eq!((all.len(), all[0], all[198] < 86_400), (200, 1, true), "{all:?}");
    for life in all {
        for access in ["refresh.access=new-each-time", "refresh.access=same-while-valid"] {
            // The same token with its end moved by less than five seconds counts as no progress.
            let short = access.ends_with("valid") && life < 8;
            let lifespan = format!("lifespan.access={life}");
            let mut world = World::new(&[&lifespan, access, "expires_in.fresh=full"]);
            let lives = (86_400 / life).min(24);
            for step in 0..lives * 7 {
                world.run(seconds(life) / 7);
                let view = world.view();
                let left = view.access_token_expires.unwrap().duration_since(world.truth);
                assert!(
                    short || left >= margin(life),
                    "{life} s, {access}, step {step}: {left} left"
                );
                if left > SignedDuration::ZERO {
                    assert_eq!(world.use_token(), Some(true), "{life} s, {access}, step {step}");
                }
            }
            // Refreshing at four fifths of a short life makes five refreshes in four lives.
            let limit = (lives * 5 + 3) / 4 + 1;
            let sent = i64::try_from(world.sent.len()).unwrap();
            assert!(sent <= limit, "{life} s, {access}: {sent} refreshes in {lives} lives");
            let used = world
                .sent
                .windows(2)
                .all(|pair| pair[1].0.duration_since(pair[0].0) >= seconds(life) - margin(life));
            assert!(used, "{life} s, {access}: a token was thrown away early");
            assert_eq!(world.count("refreshed"), world.sent.len());
        }
    }
}

/// What an instance says about the end is missing or nonsense: the documented lifespan holds.
#[test]
fn missing_and_odd_expires_in() {
    for form in ["missing", "null", "zero", "negative", "huge", "string", "float", "number"] {
        let knob = format!("expires_in.form={form}");
        let mut world = World::new(&[&knob, "refresh.access=new-each-time"]);
        for _ in 0..200 {
            world.run(seconds(439));
            assert_eq!(world.use_token(), Some(true), "{form}");
        }
        assert!((50..=51).contains(&world.sent.len()), "{form}: {} refreshes", world.sent.len());
        let end = world.tokens().access_expires_at.at;
        let off = world.view().access_token_expires.unwrap().duration_since(end);
        assert!(off.abs() <= seconds(1), "{form}: {off} off");
    }
}

/// Answers take their time, up to the whole of a short life.
#[test]
fn slow_answers_count_from_the_question() {
    for (life, round_trip) in [(1_800, 8), (60, 8), (10, 8), (8, 8)] {
        let lifespan = format!("lifespan.access={life}");
        let mut world = World::new(&[&lifespan, "refresh.access=new-each-time"]);
        world.round_trip = seconds(round_trip);
        for _ in 0..50 {
            world.run(seconds(life));
            let (believed, view) = (world.tokens().access_expires_at.at, world.view());
            assert!(
                believed <= view.access_token_expires.unwrap(),
                "{life}: never longer than true"
            );
        }
        assert_eq!(world.count("refreshed"), world.sent.len(), "{life}");
    }
}
