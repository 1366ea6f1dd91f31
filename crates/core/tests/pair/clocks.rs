//! Our machine's clock jumps, stops or is wrong; the instance's goes on.

use snowtoken_core::SignedDuration;
use snowtoken_core::keeper::{NoAnswer, Why};

use crate::world::{DAY, World, carry, seconds};

const JUMPS: [i64; 16] = [
    1,
    2,
    5,
    30,
    59,
    60,
    61,
    300,
    1_799,
    1_800,
    3_600,
    86_400,
    604_800,
    8_640_000,
    31_536_000,
    315_576_000,
];

/// A program that calls every five minutes for some hours; answers how many calls went wrong.
fn work(world: &mut World, hours: i64) -> usize {
    let mut failed = 0;
    for _ in 0..hours * 12 {
        world.run(seconds(300));
        failed += usize::from(world.use_token() != Some(true));
    }
    failed
}

fn patient(knobs: &[&str]) -> World {
    let mut world = World::new(knobs);
    world.longest_sleep = seconds(30);
    world
}

/// A jump of any size at any moment: at most one refresh more than without it, at most one call
/// with a dead token, and nothing is locked out.
#[test]
fn a_jump_costs_one_refresh_at_most() {
    let mut cases = 0;
    for access in ["refresh.access=new-each-time", "refresh.access=same-while-valid"] {
        for moment in [1, 60, 900, 1_735, 1_741, 1_799, 2_500, 3_478] {
            let mut calm = patient(&[access]);
            calm.run(seconds(moment));
            work(&mut calm, 4);
            for jump in JUMPS.into_iter().flat_map(|jump| [jump, -jump]) {
                let mut world = patient(&[access]);
                world.run(seconds(moment));
                world.ahead = seconds(jump);
                let failed = work(&mut world, 4);
                let extra = world.sent.len().saturating_sub(calm.sent.len());
                assert!(extra <= 1, "{jump} s at {moment} s: {extra} more refreshes");
                assert!(failed <= 1, "{jump} s at {moment} s: {failed} calls failed");
                assert_eq!(world.count("refused"), 0);
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 512);
}

/// The clock was wrong for a while, and is put right.
#[test]
fn a_clock_that_was_wrong_for_a_while() {
    for jump in JUMPS.into_iter().flat_map(|jump| [jump, -jump]) {
        let mut world = patient(&["refresh.access=new-each-time"]);
        work(&mut world, 1);
        world.ahead = seconds(jump);
        work(&mut world, 2);
        let sent = world.sent.len();
        world.ahead = SignedDuration::ZERO;
        let failed = work(&mut world, 3);
        assert!(failed <= 1, "{jump} s: {failed} calls failed");
        assert!(world.sent.len() - sent <= 8, "{jump} s: {} refreshes", world.sent.len() - sent);
        assert_eq!(world.count("re"), world.sent.len(), "{:?}", world.names());
    }
}

/// While waiting for another attempt the clock is set back ten years: the wait stays as it was.
#[test]
fn a_wait_does_not_become_ten_years() {
    for back in [1, 60, 3_600, 315_576_000] {
        let mut world = patient(&[]);
        world.road = Box::new(|n, instance, now, request| match n {
            1..=12 => Err(NoAnswer::NotSent),
            _ => carry(instance, now, request),
        });
        world.run(seconds(1_740));
        assert_eq!(world.keeper.poll_timeout().unwrap().1, Why::BackOff);
        world.ahead = -seconds(back);
        world.run(seconds(3 * 3_600));
        assert_eq!(world.count("refreshed"), world.sent.len() - 12, "{back} s back");
        assert_eq!(world.use_token(), Some(true), "{back} s back");
    }
}

/// The clock is set back while an answer is on its way.
#[test]
fn a_jump_during_a_request() {
    for jump in JUMPS.into_iter().flat_map(|jump| [jump, -jump]) {
        let mut world = patient(&["refresh.access=new-each-time"]);
        world.run(seconds(1_000));
        world.keeper.handle_command(world.clock(), snowtoken_core::keeper::Command::Refresh);
        world.ahead = seconds(jump);
        world.settle();
        let end = world.tokens().access_expires_at.at;
        assert!(end <= world.clock() + seconds(1_799), "{jump} s: believed until {end}");
        let failed = work(&mut world, 3);
        assert!(failed <= 1, "{jump} s: {failed} calls failed");
        assert!(world.sent.len() <= 9, "{jump} s: {} refreshes", world.sent.len());
    }
}

/// A laptop sleeps; no program is handed a token that ended meanwhile.
#[test]
fn suspend_for_thirty_days() {
    for asleep in [1, 59, 1_800, 3_600, 86_400, 30 * 86_400] {
        let mut world = World::new(&["refresh.access=new-each-time"]);
        world.run(seconds(100));
        world.truth += seconds(asleep);
        let stale = world.tokens().access_expires_at.at <= world.clock();
        assert_eq!(stale, asleep >= 1_800, "{asleep} s");
        assert_eq!(world.use_token(), (!stale).then_some(true), "a stale token is not used");
        world.keeper.handle_timeout(world.clock());
        world.settle();
        assert_eq!(world.use_token(), Some(true), "one wake-up is enough");
        assert!(world.sent.len() <= 1, "{asleep} s: {} refreshes", world.sent.len());
    }
}

/// Beyond its hundred days a suspended machine finds its refresh token dead, and says so once.
#[test]
fn suspend_beyond_the_end() {
    let mut world = World::new(&[]);
    world.truth += 101 * DAY;
    world.run(DAY);
    assert_eq!(world.names(), ["refused once", "rejected"]);
}

/// The access token is revoked on the instance, or its clock differs from ours: one 401, one
/// refresh, and it works again; programs that are told 401 later change nothing.
#[test]
fn a_token_that_is_rejected_early() {
    let mut world = World::new(&[]);
    world.run(seconds(600));
    let token = world.tokens().access_token.expose().to_owned();
    assert!(world.instance.revoke_token(&token));
    assert_eq!(world.use_token(), Some(false));
    assert_eq!(world.names(), ["refreshed: new token, same again"]);
    assert_eq!(world.use_token(), Some(true));
    for _ in 0..100 {
        world.command(snowtoken_core::keeper::Command::AccessTokenRejected);
    }
    assert_eq!(world.sent.len(), 1);
    world.run(seconds(31));
    world.command(snowtoken_core::keeper::Command::AccessTokenRejected);
    assert_eq!(world.sent.len(), 2, "half a minute later it is news again");
}
