//! A refresh token's whole life.

use snowtoken_core::SignedDuration;
use snowtoken_core::keeper::{TokenState, Why};
use snowtoken_core::ledger::RefreshEnd;

use crate::world::{DAY, World, seconds, start};

/// Refreshing does not prolong a refresh token: it dies a hundred days after the consent, on the
/// second, and is given up at the first refresh after that, not before.
#[test]
fn a_refresh_token_dies_when_it_should() {
    for (knobs, most) in [
        (["refresh.access=new-each-time", "refresh.token=same"], 4_980),
        (["refresh.access=same-while-valid", "refresh.token=omit"], 4_980),
    ] {
        let mut world = World::new(&knobs);
        let death = start() + seconds(8_640_000);
        assert_eq!(world.view().refresh_token_expires, Some(death));
        assert_eq!(world.tokens().refresh_expires_at.unwrap().at, death, "derived, and right");
        world.run(101 * DAY);
        let TokenState::Rejected { at, tokens } = world.keeper.state() else {
            panic!("{:?}", world.keeper.state())
        };
        assert!((death..death + seconds(1_801)).contains(at), "{at}");
        assert_eq!(tokens.granted_at, start(), "refreshes do not move it");
        assert_eq!(world.keeper.facts().refresh_end, RefreshEnd::Stays, "and that is known now");
        let after_death = world.sent.iter().filter(|(at, _)| *at >= death).count();
        assert_eq!(after_death, 2, "two refusals, and no third request");
        assert_eq!((world.count("refused once"), world.count("rejected")), (1, 1));
        assert!((4_800..=most).contains(&world.sent.len()), "{} requests", world.sent.len());
        let sent = world.sent.len();
        world.run(100 * DAY);
        assert_eq!(world.sent.len(), sent, "what is dead stays dead");
    }
}

/// An instance that prolongs with each refresh keeps the session alive.
#[test]
fn a_prolonged_refresh_token_lives_on() {
    let mut world = World::new(&["refresh.extends=on", "refresh.access=new-each-time"]);
    world.run(150 * DAY);
    assert!(!world.is_rejected());
    assert_eq!(world.count("refused once"), 0);
    assert_eq!(world.use_token(), Some(true));
    // The end that was counted at the beginning is over, and no other is known.
    assert_eq!(world.tokens().refresh_expires_at, None);
    assert_eq!(world.keeper.facts().outlived, Some(start() + 100 * DAY));
}

/// While an access token lives, the instance hands out the same one with what remains of its life.
/// A client that takes this for progress asks again at once, and again, tens of thousands of times.
#[test]
fn same_token_again() {
    let mut world = World::new(&["expires_in.reissued=remaining"]);
    world.run(seconds(1_790));
    assert_eq!(world.names(), ["refreshed: same token, same again"]);
    let (due, why) = world.keeper.poll_timeout().unwrap();
    assert_eq!(why, Why::SameTokenAgain);
    assert_eq!(due, world.tokens().access_expires_at.at + seconds(1));
    world.run(99 * DAY);
    assert!(!world.is_rejected());
    let lifetimes = 99 * 86_400 / 1_800;
    assert!(world.sent.len() <= 2 * lifetimes + 2, "{} requests", world.sent.len());
    assert!(world.count("refreshed: new token") >= lifetimes - 10);
    // The gap in which no token lives is a second wide.
    let gap = |at: SignedDuration| at < seconds(2);
    let mut alive = 0;
    for _ in 0..1_000 {
        world.run(seconds(61));
        match world.use_token() {
            Some(works) => alive += usize::from(works),
            None => assert!(gap(world.clock().duration_since(world.tokens().access_expires_at.at))),
        }
    }
    assert!(alive > 950, "{alive} of 1000 calls had a token");
}
