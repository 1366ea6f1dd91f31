//! Every knob of the stand-in that the token endpoint obeys, at every value: the keeper lives a
//! day beside it, and a program uses its tokens every two minutes.

use snowtoken_stand_in::{Behaviour, Values};

use crate::world::{World, seconds};

/// How a day went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// There was a token that worked, but for a second at the end of a lifetime if the instance
    /// gives the same one until then.
    Well,
    /// At times a token was believed in too long; each 401 was mended by one refresh.
    Mended,
    /// No new token came; the old refresh token was kept and the instance was asked seldom.
    Waiting,
}

/// What differs from a day that goes well. Whoever adds a knob adds a line here, or has a good day.
const EXPECTED: &[(&str, Day)] = &[
    // The instance claims a prolongation that does not happen.
    ("expires_in.reissued=default", Day::Mended),
    // No answer that could be believed.
    ("token.type=missing", Day::Waiting),
    ("token.type=mac", Day::Waiting),
    ("token.shape=array", Day::Waiting),
    ("token.shape=null", Day::Waiting),
    ("token.shape=twice", Day::Waiting),
    ("token.shape=no-access-token", Day::Waiting),
    ("token.shape=empty-access-token", Day::Waiting),
    ("oauth.active=off", Day::Waiting),
    ("ip_access=refused", Day::Waiting),
    ("ip_access=dropped", Day::Waiting),
];

/// Knobs that the token endpoint obeys or that a token answer shows, by how they begin.
const KNOBS: [&str; 12] = [
    "token.",
    "refresh.",
    "expires_in.",
    "lifespan.",
    "client_auth.",
    "scope.",
    "grant",
    "public_client.",
    "pkce",
    "ip_access",
    "oauth.",
    "cookies.",
];

/// Set before the login, or, where it lets nobody in, after it.
fn world(knob: &str) -> World {
    World::log_in(&[knob]).unwrap_or_else(|_| {
        let mut world = World::new(&[]);
        let (name, value) = knob.split_once('=').unwrap();
        world.instance.set(name, value).unwrap();
        world
    })
}

/// Lives for so many hours; a program uses a token 25 times in each.
fn live(mut world: World, hours: i64) -> (Day, World) {
    let (mut failed, mut none) = (0, 0);
    for _ in 0..25 * hours {
        world.run(seconds(144));
        // What keeps us out keeps the program out as well.
        if world.instance.behaviour().get("ip_access") != Some("allowed") {
            none += 1;
            continue;
        }
        match world.use_token() {
            Some(true) => {}
            Some(false) => failed += 1,
            None => none += 1,
        }
    }
    let day = match (failed, none) {
        (0, 0..3) => Day::Well,
        (1..50, 0..3) => Day::Mended,
        (0, _) => Day::Waiting,
        other => panic!("(failed, none) is {other:?}"),
    };
    (day, world)
}

#[test]
fn every_value_of_every_knob_of_the_token_endpoint() {
    let mut seen = vec![];
    for knob in Behaviour::knobs() {
        let Values::OneOf(values) = knob.values else {
            continue;
        };
        if !KNOBS.iter().any(|prefix| knob.name.starts_with(prefix)) {
            continue;
        }
        seen.extend(values.iter().map(|value| format!("{}={value}", knob.name)));
    }
    assert!(seen.len() >= 80, "{} values", seen.len());
    for (name, _) in EXPECTED {
        assert!(seen.iter().any(|own| own == name), "{name} is no knob any more");
    }
    for knob in seen {
        let expected = EXPECTED.iter().find(|(own, _)| *own == knob);
        let expected = expected.map_or(Day::Well, |(_, day)| *day);
        let world = world(&knob);
        let refresh_token = world.refresh_token();
        let (day, world) = live(world, 24);
        assert_eq!(day, expected, "{knob}");
        assert!(!world.is_rejected() && world.count("refused") == 0, "{knob}: {:?}", world.names());
        assert!((40..=250).contains(&world.sent.len()), "{knob}: {} requests", world.sent.len());
        let rotates = knob == "refresh.token=rotate";
        assert_eq!(world.refresh_token() != refresh_token, rotates, "{knob}");
        if !rotates {
            assert!(world.sent.iter().all(|(_, sent)| *sent == refresh_token), "{knob}");
        }
    }
}

/// The behaviours that sources contradict each other on, all combined: whatever an instance does,
/// the session lives, and a lifetime costs no more than two refreshes and one mended 401.
#[test]
fn every_combination_of_what_a_refresh_may_do() {
    let mut cases = 0;
    for token in ["same", "omit", "rotate", "empty"] {
        for access in ["same-while-valid", "new-each-time"] {
            for old in ["stays", "dies"] {
                for reissued in ["full", "remaining", "default"] {
                    for form in ["number", "string", "float", "missing", "zero", "huge"] {
                        let knobs = [
                            &format!("refresh.token={token}")[..],
                            &format!("refresh.access={access}"),
                            &format!("refresh.old_access={old}"),
                            &format!("expires_in.reissued={reissued}"),
                            &format!("expires_in.form={form}"),
                        ];
                        let (day, world) = live(World::new(&knobs), 6);
                        assert_ne!(day, Day::Waiting, "{knobs:?}");
                        assert_eq!(world.count("refreshed"), world.sent.len(), "{knobs:?}");
                        assert!(world.sent.len() <= 26, "{knobs:?}: {}", world.sent.len());
                        cases += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cases, 288);
}

/// Once a refresh token was replaced, the one before is never seen again.
#[test]
fn a_rotated_refresh_token_is_used_once() {
    for replay in ["refresh.replay=revoke-family", "refresh.replay=refused"] {
        let knobs = ["refresh.token=rotate", replay, "refresh.access=new-each-time"];
        let (day, world) = live(World::new(&knobs), 24);
        assert_eq!(day, Day::Well);
        let mut sent: Vec<_> = world.sent.iter().map(|(_, token)| token.clone()).collect();
        let all = sent.len();
        sent.sort();
        sent.dedup();
        assert_eq!(sent.len(), all, "no refresh token was sent twice");
        assert_eq!(world.count("refreshed: new token, replaced"), all);
    }
}
