//! Profiles whose client gets tokens by itself: a new grant under everything that a refresh has.

use std::sync::Barrier;
use std::time::Duration;

use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::oauth::jwt::Claim;
use snowtoken::core::profile::{Assertion, Grant, Profile};
use snowtoken::core::token_set::Generation;
use snowtoken::store::{RecordState, TokenStore as _};
use snowtoken::world::Clock as _;
use snowtoken::{Error, Outcome, Secret, Session};

use super::{MINUTE, REFUSAL, Scene, draft, fill, name, profile, tokens};
use crate::support::scripted::scripted;
use crate::support::shared_store::SharedStore;

const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const KEY: &str = include_str!("../../../../stand-in/tests/keys/rfc7515-a2.jwk.json");

/// The same scene for a client with this grant; it has no refresh token.
fn scene(grant: Grant) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let home = snowtoken::home::Home {
        config_file: folder.path().join("home/config.toml"),
        data: folder.path().join("home"),
    };
    let (world, script, clock) = scripted();
    let profile = Profile {
        grant,
        assertion: Assertion { subject: Claim::parse("robot").ok(), key_id: None },
        ..profile("https://acme.service-now.com")
    };
    let mut store = SharedStore::default();
    fill(&mut store, &profile, clock.now());
    let binding = snowtoken::session::binding(&profile);
    store.set_signing_key(&profile.name, &binding, &Secret::new(KEY)).unwrap();
    let mut without = draft(&profile, "old", clock.now());
    without.tokens.refresh_token = None;
    without.tokens.refresh_expires_at = None;
    store.save(&profile.name, Generation(1), &without, None).unwrap();
    let session = Session::with_store(world, home, profile, Box::new(store.clone()));
    Scene { session, script, clock, store, _folder: folder }
}

fn both() -> [(Scene, &'static str); 2] {
    [(scene(Grant::ClientCredentials), "client_credentials"), (scene(Grant::JwtBearer), JWT)]
}

#[test]
fn a_token_that_is_about_to_end_is_asked_for_anew_and_stored_first() {
    for (scene, grant) in both() {
        scene.session.access_token(MINUTE).unwrap();
        assert!(scene.script.sent().is_empty(), "a living token needs no request");
        scene.clock.advance(31 * MINUTE);
        scene.script.answer(200, &tokens("access-new", None, 1_800));
        let token = scene.session.access_token(MINUTE).unwrap();
        assert_eq!(token.token.expose(), "access-new");
        let record = scene.record();
        assert_eq!(record.generation, Generation(3));
        assert_eq!(record.tokens.access_token.expose(), "access-new");
        assert_eq!(record.tokens.granted_at, scene.clock.now());
        let sent = &scene.script.sent()[0];
        assert_eq!(sent.form("grant_type").as_deref(), Some(grant));
        assert_eq!(sent.form("client_secret").as_deref(), Some("s3cret"));
        assert!(sent.limit <= Duration::from_secs(8), "one attempt is short");
        assert_eq!(sent.form("assertion").is_some(), grant == JWT);
    }
}

#[test]
fn threads_that_want_a_token_at_once_make_one_grant() {
    for (scene, _) in both() {
        scene.clock.advance(31 * MINUTE);
        scene.script.answer(200, &tokens("access-new", None, 1_800));
        let barrier = Barrier::new(8);
        std::thread::scope(|scope| {
            let ask = || {
                barrier.wait();
                scene.session.access_token(MINUTE).unwrap().token
            };
            let all: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            for one in all {
                assert_eq!(one.join().unwrap().expose(), "access-new");
            }
        });
        assert_eq!(scene.script.sent().len(), 1);
    }
}

#[test]
fn a_refusal_is_tried_twice_noted_and_leaves_the_profile_alive() {
    for (scene, grant) in both() {
        scene.clock.advance(31 * MINUTE);
        scene.script.answer(401, REFUSAL);
        scene.script.answer(401, REFUSAL);
        let error = scene.session.access_token(MINUTE).unwrap_err();
        let code = if grant == JWT { Code::AssertionRefused } else { Code::ClientRefused };
        assert_eq!((error.code(), error.outcome()), (code, Outcome::Failed), "{error:?}");
        assert_eq!(scene.script.sent().len(), 2);
        let record = scene.record();
        assert_eq!(record.state, RecordState::Held);
        assert_eq!(record.progress.failed.unwrap().code, code);
        // Mended by somebody: the next call sees it at once.
        scene.script.answer(200, &tokens("access-new", None, 1_800));
        scene.session.access_token(MINUTE).unwrap();
    }
}

#[test]
fn a_lost_answer_is_noted_before_and_repeated_at_once() {
    for (scene, grant) in both() {
        scene.clock.advance(31 * MINUTE);
        let store = scene.store.clone();
        scene.script.then(move || {
            let noted = store.get().load(&name()).unwrap().unwrap().progress;
            assert!(noted.sent_at.is_some(), "the intent is durable before the request");
            let (host, reason) = ("test".to_owned(), "lost".to_owned());
            Err(snowtoken::http::TransportError::ConnectionLost { host, reason, sent: true })
        });
        scene.script.answer(200, &tokens("access-new", None, 1_800));
        scene.session.access_token(MINUTE).unwrap();
        let sent = scene.script.sent();
        assert_eq!((sent.len(), sent[0].at), (2, sent[1].at));
        if grant == JWT {
            assert_ne!(sent[0].form("assertion"), sent[1].form("assertion"), "each is used once");
        }
    }
}

#[test]
fn an_instance_that_is_down_is_left_alone_as_by_a_refresh() {
    for (scene, _) in both() {
        scene.clock.advance(31 * MINUTE);
        for _ in 0..3 {
            scene.script.answer(503, "");
        }
        let error = scene.session.access_token(MINUTE).unwrap_err();
        assert_eq!(error.outcome(), Outcome::TryLater);
        let asked = scene.script.sent().len();
        assert!(asked <= 3, "{asked} attempts");
        assert_eq!(scene.record().progress.failures, u32::try_from(asked).unwrap());
    }
}

#[test]
fn a_refresh_token_that_should_not_come_is_not_kept() {
    for (scene, _) in both() {
        scene.clock.advance(31 * MINUTE);
        let refresh_token = Some("nobody wants it");
        scene.script.answer(200, &tokens("access-new", refresh_token, 1_800));
        scene.session.access_token(MINUTE).unwrap();
        // RFC 6749 §4.4.3: none should come; it is not kept, and nothing counts on it.
        assert_eq!(scene.record().tokens.refresh_token, None);
        assert_eq!(scene.record().tokens.refresh_expires_at, None);
    }
}

#[test]
fn what_is_missing_for_a_signature_is_said_without_asking_the_instance() {
    let scene = scene(Grant::JwtBearer);
    scene.clock.advance(31 * MINUTE);
    scene.store.get().remove_signing_key(&name()).unwrap();
    let error = scene.session.access_token(MINUTE).unwrap_err();
    assert!(matches!(error, Error::NoSigningKey(_)), "{error:?}");
    assert_eq!((error.code(), error.outcome()), (Code::SigningKeyMissing, Outcome::Usage));
    let binding = scene.session.binding();
    scene.store.get().set_signing_key(&name(), &binding, &Secret::new("no key")).unwrap();
    let error = scene.session.access_token(MINUTE).unwrap_err();
    assert_eq!(error.code(), Code::SigningKeyInvalid);
    assert!(scene.script.sent().is_empty());
}

#[test]
fn a_refresh_token_that_was_refused_once_is_no_obstacle() {
    for (scene, grant) in both() {
        let state = RecordState::Rejected { at: scene.clock.now() };
        scene.store.get().mark(&name(), Generation(2), state, None).unwrap();
        scene.clock.advance(31 * MINUTE);
        scene.script.answer(200, &tokens("access-new", None, 1_800));
        scene.session.access_token(MINUTE).unwrap();
        assert_eq!(scene.record().state, RecordState::Held);
        assert_eq!(scene.script.sent()[0].form("grant_type").as_deref(), Some(grant));
    }
}

/// Whatever the instance says to a wrong secret, it is the same for all grants.
#[test]
fn while_the_client_secret_is_changed_the_other_one_is_tried_too() {
    for (scene, grant) in both() {
        let (binding, next) = (scene.session.binding(), Secret::new("the next one"));
        scene.store.get().set_next_secret(&name(), &binding, &next, None).unwrap();
        scene.clock.advance(31 * MINUTE);
        scene.script.answer(401, REFUSAL);
        scene.script.answer(401, REFUSAL);
        scene.script.answer(200, &tokens("access-new", None, 1_800));
        let token = scene.session.access_token(MINUTE).unwrap();
        assert_eq!(token.token.expose(), "access-new", "{grant}");
        let sent = scene.script.sent();
        let secrets: Vec<_> = sent.iter().filter_map(|sent| sent.form("client_secret")).collect();
        assert_eq!(secrets, ["s3cret", "s3cret", "the next one"]);
        assert_eq!(scene.store.get().client_secret(&name(), &binding).unwrap(), Some(next));
    }
}
