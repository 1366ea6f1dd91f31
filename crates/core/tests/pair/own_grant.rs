//! Clients that get their tokens by themselves: the same keeper, another request.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use snowtoken_core::diagnosis::{Code, Diagnose as _};
use snowtoken_core::keeper::{Command, Event, Failure, NoAnswer, OwnGrant, TokenState, Why};
use snowtoken_core::oauth::jwt::{Algorithm, Bearer, Claim, Sign, SignError};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::TokenFailure;
use snowtoken_core::token_set::TokenSet;
use snowtoken_stand_in::{Client, Instance, JwtEndpoint, User};

use crate::world::{DAY, World, behaviour, carry, plain, sealed, seconds};

#[derive(Debug)]
struct Rsa(RsaKeyPair);

impl Sign for Rsa {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Rs256
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let signed = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map(|()| signature).map_err(|_| SignError)
    }
}

const KEY: &str = include_str!("../../../stand-in/tests/keys/rfc7515-a2.pkcs8.pem");
const PUBLIC: &str = include_str!("../../../stand-in/tests/keys/rfc7515-a2.public.pem");

fn instance(knobs: &[&str]) -> Instance {
    let client = Client {
        user: "abel.tuter".into(),
        jwt: Some(JwtEndpoint::default()),
        ..Client::default()
    };
    let mut behaviour = behaviour(knobs);
    behaviour.set("client_credentials.enabled", "on").unwrap();
    let mut instance = Instance::with(behaviour, 7, vec![client], User::defaults());
    let id = instance.clients().remove(0).client_id;
    instance.put_verifier(&id, "one", PUBLIC);
    instance
}

fn bearer() -> OwnGrant {
    let der: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let claim = |text| Claim::parse(text).unwrap();
    let bearer = Bearer::new(claim("abel.tuter"), Some(claim("one")), Arc::new(Rsa(pair)), [3; 32]);
    OwnGrant::JwtBearer(bearer, None)
}

fn by_secret(knobs: &[&str]) -> World {
    World::by_itself(instance(knobs), OwnGrant::ClientCredentials(None))
}

fn by_assertion(knobs: &[&str]) -> World {
    World::by_itself(instance(knobs), bearer())
}

fn both(knobs: &[&str]) -> [World; 2] {
    [by_secret(knobs), by_assertion(knobs)]
}

/// The next failure, with everything before it forgotten.
fn failure(world: &mut World) -> TokenFailure {
    world.keeper.handle_command(world.clock(), Command::Refresh);
    for _ in 0..3 {
        while let Some((generation, request)) = world.keeper.poll_request() {
            let answer = world.instance.handle(world.truth, plain(request));
            world.keeper.handle_response(world.clock(), generation, Ok(sealed(answer)));
        }
        while let Some(event) = world.keeper.poll_event() {
            if let Event::Failed(Failure::Answer(failure)) = event {
                return failure;
            }
        }
        let (at, _) = world.keeper.poll_timeout().unwrap();
        world.keeper.handle_timeout(at);
    }
    panic!("it does not fail")
}

#[test]
fn tokens_are_renewed_for_days_without_refresh_token_and_person() {
    for (reissue, what) in [("same", "same token"), ("new", "new token")] {
        renewed_for_days(&format!("grant.reissue={reissue}"), what);
    }
}

fn renewed_for_days(knob: &str, what: &str) {
    for mut world in both(&[knob]) {
        for hour in 0..72 {
            world.run(seconds(3_600));
            assert_eq!(world.use_token(), Some(true), "hour {hour}");
        }
        // One a minute before each end, no more.
        assert!((148..=150).contains(&world.sent.len()), "{}", world.sent.len());
        assert_eq!(world.count(&format!("refreshed: {what}")), world.sent.len());
        assert!(world.tokens().refresh_token.is_none());
        assert_eq!(world.tokens().refresh_expires_at, None);
        // Each is a grant of its own.
        assert_eq!(world.tokens().granted_at, world.tokens().issued_at);
        assert!(world.truth.duration_since(world.tokens().granted_at) < seconds(1_800));
    }
}

#[test]
fn each_request_has_an_assertion_of_its_own() {
    let mut world = by_assertion(&[]);
    // The instance would refuse one that it has seen.
    world.run(DAY);
    let mut sent: Vec<&str> = world.sent.iter().map(|(_, assertion)| &**assertion).collect();
    let all = sent.len();
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), all);
    assert_eq!(world.count("refused"), 0);
}

#[test]
fn the_same_token_again_is_not_asked_for_again_before_it_has_ended() {
    for mut world in both(&["expires_in.reissued=remaining"]) {
        world.run(seconds(1_500));
        world.command(Command::Refresh);
        assert_eq!(world.names(), ["refreshed: same token, unused"]);
        world.run(seconds(1_000));
        assert_eq!(world.names()[1..], ["refreshed: new token, unused"]);
    }
}

#[test]
fn a_refusal_is_repeated_once_and_never_a_persons_business() {
    for mut world in both(&[]) {
        for client in world.instance.clients() {
            world.instance.put_client(Client { active: false, ..client });
        }
        world.run(seconds(1_800));
        assert_eq!(world.names().len(), 2);
        assert_eq!(world.names()[0], "refused once");
        assert!(world.names()[1].starts_with("failed: "), "{:?}", world.names());
        assert!(matches!(
            world.keeper.state(),
            TokenState::Waiting { next: (_, Why::SomebodyMustAct), .. }
        ));
        world.run(DAY);
        assert!(!world.is_rejected(), "it is never given up");
        assert!(world.sent.len() < 400, "{} requests", world.sent.len());
        for client in world.instance.clients() {
            world.instance.put_client(Client { active: true, ..client });
        }
        world.run(seconds(1_800));
        assert_eq!(world.use_token(), Some(true));
    }
}

#[test]
fn refusals_that_flap_are_seen_by_nobody() {
    for mut world in both(&[]) {
        world.road = Box::new(|n, instance, now, request| {
            if n % 2 == 1 {
                let body = br#"{"error_description":"access_denied","error":"server_error"}"#;
                let answer = http::Response::builder().status(401);
                return Ok(answer.body(body.to_vec()).unwrap());
            }
            carry(instance, now, request)
        });
        world.run(DAY);
        assert_eq!(world.count("failed"), 0);
        assert_eq!(world.count("refused once"), world.count("refreshed"));
        assert_eq!(world.use_token(), Some(true));
    }
}

#[test]
fn an_answer_that_was_lost_is_asked_for_anew_at_once() {
    for mut world in both(&[]) {
        world.road = Box::new(|n, instance, now, request| {
            let answer = carry(instance, now, request);
            if n == 1 { Err(NoAnswer::Lost) } else { answer }
        });
        world.run(seconds(1_800));
        assert_eq!(world.names()[0], "failed: lost");
        assert!(world.names()[1].starts_with("refreshed"), "{:?}", world.names());
        assert_eq!(world.sent[0].0, world.sent[1].0, "at once");
        assert_eq!(world.use_token(), Some(true));
    }
}

#[test]
fn a_refresh_token_from_before_is_kept_for_its_end_and_never_sent() {
    let mut world = by_secret(&[]);
    let left = Some(Secret::new("left over"));
    let tokens = TokenSet { refresh_token: left.clone(), ..world.tokens() };
    world.keeper.handle_command(world.clock(), Command::Adopt(Box::new(tokens)));
    world.run(DAY);
    assert!(world.sent.iter().all(|(_, means)| means == "client_credentials"));
    assert_eq!(world.tokens().refresh_token, left);
    assert_eq!(world.tokens().refresh_expires_at, None);
}

#[test]
fn each_cause_has_its_code_and_its_way_out() {
    let hints = |failure: &TokenFailure| -> Vec<String> {
        failure.hints().iter().map(ToString::to_string).collect()
    };
    let property = "glide.oauth.inbound.client.credential.grant_type.enabled";
    for errors in ["token.errors=generic", "token.errors=rfc"] {
        let mut world = by_secret(&[errors]);
        world.instance.set("client_credentials.enabled", "off").unwrap();
        let off = failure(&mut world);
        assert_eq!(off.code(), Code::ClientRefused, "{errors}");
        assert!(hints(&off)[0].starts_with(property), "{:?}", hints(&off));
    }
    let mut world = by_secret(&[]);
    for client in world.instance.clients() {
        world.instance.put_client(Client { user: String::new(), ..client });
    }
    let nobody = failure(&mut world);
    assert_eq!(nobody.code(), Code::ApplicationUserMissing);
    assert!(hints(&nobody)[0].contains("OAuth Application User"), "{:?}", hints(&nobody));

    for errors in ["token.errors=generic", "token.errors=rfc"] {
        let mut world = by_assertion(&[errors]);
        let user = world.instance.user("abel.tuter").unwrap().clone();
        let admin = User { roles: vec!["admin".into()], ..user };
        world.instance.put_user(admin);
        let admin = failure(&mut world);
        assert_eq!(admin.code(), Code::AssertionRefused, "{errors}");
        let hints = hints(&admin);
        assert!(hints[0].contains("agree"), "the clock is not to blame: {hints:?}");
        assert!(hints.iter().any(|hint| hint.contains("role admin")), "{hints:?}");
    }
}

#[test]
fn a_wrong_clock_is_named_with_its_error() {
    for (ahead, words) in [(seconds(900), "900 s ahead of"), (seconds(-900), "900 s behind")] {
        let mut world = by_assertion(&[]);
        world.ahead = ahead;
        let wrong = failure(&mut world);
        assert_eq!(wrong.code(), Code::AssertionRefused);
        let first = wrong.hints()[0].to_string();
        assert!(first.contains(words), "{first}");
    }
    // Within the instance's tolerance nobody notices.
    for ahead in [seconds(240), seconds(-240)] {
        let mut world = by_assertion(&[]);
        world.ahead = ahead;
        world.command(Command::Refresh);
        assert_eq!(world.count("refreshed"), 1, "{:?}", world.names());
    }
}
