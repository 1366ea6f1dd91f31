//! Refreshes that go wrong, each in its own way.

use http::Response;
use http::header::RETRY_AFTER;
use snowtoken_core::SignedDuration;
use snowtoken_core::keeper::{Command, NoAnswer, Why};

use crate::world::{DAY, World, carry, seconds};

/// The instance rotated, but its answer was lost: within the grace the same refresh token works
/// once more, so it is sent again at once.
#[test]
fn lost_answer_within_the_grace() {
    for grace in [1, 15, 30] {
        let knob = format!("refresh.grace={grace}");
        let mut world = World::new(&["refresh.token=rotate", "refresh.replay=grace", &knob]);
        let first = world.refresh_token();
        world.road = Box::new(|n, instance, now, request| {
            let answer = carry(instance, now, request);
            if n == 1 { Err(NoAnswer::Lost) } else { answer }
        });
        world.command(Command::Refresh);
        assert_eq!(world.keeper.poll_timeout().unwrap().1, Why::AnswerLost);
        world.run(seconds(10));
        assert_eq!(world.sent, [(world.sent[0].0, first.clone()), (world.sent[0].0, first)]);
        assert_eq!(world.names(), ["failed: lost", "refreshed: same token, replaced"]);
        assert_eq!(Some(world.refresh_token()), world.view().refresh_token);
        world.run(DAY);
        assert_eq!(world.count("re"), world.sent.len() - 1, "and everything goes on");
    }
}

/// Without a grace nobody could save the session; then it is told, and not silently dropped.
#[test]
fn lost_answer_without_a_grace() {
    let mut world = World::new(&["refresh.token=rotate"]);
    let first = world.refresh_token();
    world.road = Box::new(|n, instance, now, request| {
        let answer = carry(instance, now, request);
        if n == 1 { Err(NoAnswer::Lost) } else { answer }
    });
    world.command(Command::Refresh);
    world.run(seconds(10));
    assert_eq!(world.names(), ["failed: lost", "refused once", "rejected"]);
    assert_eq!(world.refresh_token(), first, "kept for the record");
}

/// An answer that is cut after every byte loses nothing on an instance that does not rotate.
#[test]
fn every_cut_of_an_answer_keeps_the_session() {
    let length = 300;
    for byte in 0..length {
        let mut world = World::new(&["refresh.access=new-each-time"]);
        let refresh_token = world.refresh_token();
        world.road = Box::new(move |n, instance, now, request| {
            let mut answer = carry(instance, now, request)?;
            if n == 1 {
                answer.body_mut().truncate(byte);
            }
            Ok(answer)
        });
        world.command(Command::Refresh);
        assert!(!world.is_rejected(), "cut at {byte}");
        assert_eq!(world.refresh_token(), refresh_token, "cut at {byte}");
        world.run(seconds(60));
        assert_eq!(world.use_token(), Some(true), "cut at {byte}");
        assert_eq!(world.count("refreshed: new token"), 1, "cut at {byte}");
    }
}

#[test]
fn every_twentieth_answer_is_503() {
    let mut world = World::new(&["refresh.access=new-each-time"]);
    world.road = Box::new(|n, instance, now, request| {
        if n % 20 == 0 {
            return Ok(Response::builder().status(503).body(vec![]).unwrap());
        }
        carry(instance, now, request)
    });
    world.run(30 * DAY);
    assert_eq!((world.count("refused"), world.count("rejected")), (0, 0));
    assert_eq!(world.count("failed: the instance answered 503"), world.sent.len() / 20);
    assert!(world.sent.len() < 1_700, "{}", world.sent.len());
    assert_eq!(world.use_token(), Some(true));
}

#[test]
fn retry_after_is_obeyed() {
    for (status, named, wait) in [
        (503, "30", 30..=37),
        (429, "600", 600..=750),
        (429, "86400", 86_400..=86_700),
        (503, "0", 0..=1),
        (503, "soon", 0..=1),
        (429, "999999999", 0..=1),
    ] {
        let mut world = World::new(&[]);
        let value = named.to_owned();
        world.road = Box::new(move |n, instance, now, request| {
            if n == 1 {
                let answer = Response::builder().status(status).header(RETRY_AFTER, &value);
                return Ok(answer.body(vec![]).unwrap());
            }
            carry(instance, now, request)
        });
        world.command(Command::Refresh);
        world.run(2 * DAY);
        let waited = world.sent[1].0.duration_since(world.sent[0].0);
        assert!(wait.contains(&waited.as_secs()), "{status} {named}: {waited}");
        assert!(waited >= SignedDuration::from_millis(250), "{status} {named}: {waited}");
    }
}

/// "Every third request" is what users saw: one refusal is never the end.
#[test]
fn flapping_refusals_never_end_the_session() {
    for access in ["refresh.access=new-each-time", "refresh.access=same-while-valid"] {
        let mut world = World::new(&["fault.kind=flapping-refresh", access]);
        world.run(30 * DAY);
        assert_eq!(world.count("rejected"), 0);
        assert_eq!(world.count("refused once"), world.sent.len() / 3);
        assert!(world.count("refused once") > 300, "the knob did something");
        assert_eq!(world.use_token(), Some(true));
    }
}

#[test]
fn a_revoked_refresh_token_ends_after_two_requests() {
    for errors in ["token.errors=generic", "token.errors=rfc", "token.error_echo=on"] {
        let mut world = World::new(&[errors]);
        let token = world.refresh_token();
        assert!(world.instance.revoke_token(&token));
        world.run(DAY);
        assert_eq!(world.names(), ["refused once", "rejected"], "{errors}");
        let pause = world.sent[1].0.duration_since(world.sent[0].0);
        assert_eq!((world.sent.len(), pause), (2, SignedDuration::from_millis(250)));
        // Programs that go on being told 401 do not wake the dead; a person may try again.
        world.command(Command::AccessTokenRejected);
        assert_eq!((world.sent.len(), world.names()[2]), (2, "nothing to refresh"));
        world.command(Command::Refresh);
        world.run(DAY);
        assert_eq!(world.sent.len(), 4);
    }
}

/// What is wrong with the client says nothing about the refresh token.
#[test]
fn a_client_that_is_refused_keeps_its_tokens() {
    let mut world = World::new(&["token.errors=rfc"]);
    let mut known = world.instance.clients().remove(0);
    let secret = std::mem::replace(&mut known.client_secret, "changed".to_owned());
    world.instance.put_client(known.clone());
    world.run(DAY);
    assert_eq!((world.count("rejected"), world.count("refused")), (0, 0));
    assert!((90..=120).contains(&world.sent.len()), "every 12 to 15 minutes: {}", world.sent.len());
    known.client_secret = secret;
    world.instance.put_client(known);
    world.run(seconds(901));
    assert_eq!(world.use_token(), Some(true), "mended, without anybody telling us");
}

/// A sleeping instance, a front page, an upgrade, a proxy: for two days, then all is well again.
#[test]
fn whatever_stands_in_front_is_waited_for() {
    for (kind, says) in [
        ("asleep", "failed: page Instance Hibernating page"),
        ("login-page", "failed: page"),
        ("login-redirect", "failed: the endpoint answered with a redirect (status 302)"),
        ("offline", "failed: the instance answered 503"),
        ("bad-gateway", "failed: the instance answered 502"),
        ("bad-gateway-after", "failed: the instance answered 502"),
        ("unavailable", "failed: the instance answered 503"),
        ("truncated-json", "failed: the instance's answer is no token answer"),
        ("cut", "failed: lost"),
        ("reset", "failed: lost"),
        ("stall", "failed: lost"),
    ] {
        let mut world = World::new(&["refresh.access=new-each-time"]);
        let refresh_token = world.refresh_token();
        world.instance.set("fault.kind", kind).unwrap();
        world.instance.set("fault.path", "/oauth_token.do").unwrap();
        world.run(2 * DAY);
        assert_eq!(world.count(says), world.sent.len(), "{kind}: {:?}", world.names()[0]);
        assert!((10..6_000).contains(&world.sent.len()), "{kind}: {} requests", world.sent.len());
        world.instance.set("fault.kind", "none").unwrap();
        world.run(seconds(901));
        assert_eq!(
            (world.refresh_token(), world.use_token()),
            (refresh_token, Some(true)),
            "{kind}"
        );
    }
}

/// Two refusals count only in a row: a loss between them may itself be the cause of the second.
#[test]
fn a_loss_between_two_refusals_breaks_the_row() {
    for (between, second) in [(NoAnswer::Lost, "refused once"), (NoAnswer::NotSent, "rejected")] {
        let mut world = World::new(&[]);
        world.road = Box::new(move |n, instance, now, request| match n {
            1 | 3 => Ok(Response::builder()
                .status(401)
                .body(br#"{"error":"invalid_grant"}"#.to_vec())
                .unwrap()),
            2 => Err(between),
            _ => carry(instance, now, request),
        });
        world.command(Command::Refresh);
        world.run(seconds(30));
        assert_eq!(world.names()[2], second, "{between:?}: what was never sent breaks nothing");
        assert_eq!(world.is_rejected(), between == NoAnswer::NotSent);
    }
}
