//! An hour in which an instance answers nothing but this, or this and that in turn: how often is
//! it asked?

use snowtoken_core::keeper::{Command, Keeper, NoAnswer, Policy};
use snowtoken_core::oauth::Response;
use snowtoken_core::oauth::client::{Client, ClientAuthentication, ClientId};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{Instance, Lifespans};
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};
use snowtoken_core::{SignedDuration, Timestamp};

use crate::bytes::{granted, reply};

type Answer = fn() -> Result<Response, NoAnswer>;

/// Everything that is no token and no refusal of the refresh token.
const TROUBLE: [(&str, Answer); 11] = [
    ("lost", || Err(NoAnswer::Lost)),
    ("not sent", || Err(NoAnswer::NotSent)),
    ("503", || Ok(reply(503, None, ""))),
    ("503, at once", || Ok(reply(503, Some(0), ""))),
    ("429, in a second", || Ok(reply(429, Some(1), ""))),
    ("a page", || Ok(reply(200, None, "<title>Instance Hibernating page</title>"))),
    ("broken", || Ok(reply(200, None, "{"))),
    ("a redirect", || Ok(reply(302, None, ""))),
    ("another client", || Ok(reply(401, None, r#"{"error":"invalid_client"}"#))),
    ("busy", || Ok(reply(400, None, r#"{"error":"temporarily_unavailable"}"#))),
    ("a refusal of another status", || Ok(reply(403, None, r#"{"error":"invalid_grant"}"#))),
];

const REFUSED: (&str, Answer) =
    ("refused", || Ok(reply(400, None, r#"{"error":"invalid_grant"}"#)));

fn keeper(lifespans: Lifespans, seed: u64) -> (Keeper, Timestamp) {
    let now: Timestamp = "2026-11-23T15:00:00Z".parse().unwrap();
    let tokens = TokenSet {
        access_token: Secret::new("a1"),
        refresh_token: Some(Secret::new("r1")),
        authorization_code: None,
        scope: None,
        issued_at: now,
        granted_at: now,
        access_expires_at: Deadline { at: now, known_by: KnownBy::Stated },
        refresh_expires_at: None,
    };
    let client =
        Client { id: ClientId::parse("id").unwrap(), authentication: ClientAuthentication::None };
    let endpoints = Instance::parse("classics").unwrap().endpoints();
    let tokens = Some(tokens);
    (Keeper::new(endpoints, client, lifespans, tokens, Policy::default(), seed), now)
}

/// The moments of the requests within an hour, the answers taking no time.
fn hour(
    mut keeper: Keeper,
    start: Timestamp,
    mut answer: impl FnMut(usize) -> Result<Response, NoAnswer>,
) -> Vec<Timestamp> {
    let end = start + SignedDuration::from_hours(1);
    let mut sent = vec![];
    let mut now = start;
    while let Some((at, _)) = keeper.poll_timeout()
        && at < end
        && sent.len() < 100_000
    {
        now = now.max(at);
        keeper.handle_timeout(now);
        let (generation, _) = keeper.poll_request().unwrap();
        keeper.handle_response(now, generation, answer(sent.len()));
        sent.push(now);
    }
    sent
}

#[test]
fn an_hour_of_trouble_is_a_few_requests() {
    for (name, trouble) in TROUBLE {
        for (other_name, other) in TROUBLE.into_iter().chain([REFUSED]) {
            for seed in 0..20 {
                let (keeper, now) = keeper(Lifespans::default(), seed);
                let sent = hour(keeper, now, |n| if n % 2 == 0 { trouble() } else { other() });
                // One request a minute after the first five would be the limit.
                assert!(
                    (2..=65).contains(&sent.len()),
                    "{name}, {other_name}: {} requests",
                    sent.len()
                );
                assert!(sent.iter().all(|at| *at >= now));
            }
        }
    }
}

#[test]
fn the_first_retry_is_soon_and_all_are_spread() {
    let mut firsts: Vec<_> = (0..100)
        .map(|seed| {
            let (keeper, now) = keeper(Lifespans::default(), seed);
            let sent = hour(keeper, now, |_| Err(NoAnswer::NotSent));
            sent[3].duration_since(now).as_millis()
        })
        .collect();
    firsts.sort_unstable();
    assert!(firsts[99] <= 7_000, "the third retry came after {} ms", firsts[99]);
    firsts.dedup();
    assert!(firsts.len() > 90, "a hundred clients came at {} moments", firsts.len());
}

/// A token that has ended before it came, a lifespan of nothing, an instance that says nothing.
#[test]
fn a_short_life_is_not_chased() {
    let none = Lifespans { access: Some(0), refresh: Some(0) };
    for (life, lifespans, most) in [
        (Some(1), Lifespans::default(), 4_501),
        (Some(0), none, 3),
        (None, none, 3),
        (None, Lifespans { access: Some(-5), refresh: None }, 3),
        (None, Lifespans { access: Some(1), refresh: None }, 4_501),
    ] {
        let (keeper, now) = keeper(lifespans, 1);
        let sent = hour(keeper, now, |n| Ok(granted(u32::try_from(n).unwrap() + 2, 1, life)));
        assert!((2..=most).contains(&sent.len()), "{life:?}: {} requests", sent.len());
    }
}

/// The answer takes longer than the token lives: each token has ended when it arrives.
#[test]
fn a_slow_instance_with_short_tokens_is_asked_once_a_pause() {
    let (mut keeper, mut now) = keeper(Lifespans::default(), 1);
    for n in 0..100 {
        let (at, _) = keeper.poll_timeout().unwrap();
        let pause = if n == 0 { SignedDuration::ZERO } else { SignedDuration::from_millis(500) };
        assert!(at.duration_since(now) >= pause, "request {n}");
        now = now.max(at);
        keeper.handle_timeout(now);
        let (generation, _) = keeper.poll_request().unwrap();
        now += SignedDuration::from_secs(8);
        keeper.handle_response(now, generation, Ok(granted(n + 2, 1, Some(1))));
    }
}

/// Many programs share one keeper, and all of them were just told 401.
#[test]
fn a_crowd_of_rejections_is_one_refresh() {
    let (mut keeper, mut now) = keeper(Lifespans::default(), 1);
    let mut requests = 0;
    for _ in 0..1_000 {
        keeper.handle_command(now, Command::AccessTokenRejected);
        if let Some((generation, _)) = keeper.poll_request() {
            requests += 1;
            keeper.handle_response(now, generation, Ok(granted(1, 1, Some(1_799))));
        }
        now += SignedDuration::from_millis(10);
    }
    assert_eq!(requests, 1, "ten seconds of 401");
}
