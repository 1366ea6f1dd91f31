//! What is never handed out: tokens that are not stored, not ours, or being revoked.

use std::time::Duration;

use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::token_set::Generation;
use snowtoken::store::RecordState;
use snowtoken::world::Clock as _;
use snowtoken::{Error, Outcome};

use super::{MINUTE, REFUSAL, Scene, draft, name, profile, tokens};

/// V21: a newer record is adopted only if it is for this instance and may be used.
#[test]
fn v21_a_newer_record_that_may_not_be_used_is_not_handed_out() {
    for (instance, state, expected) in [
        ("https://other.service-now.com", RecordState::Held, Code::NotLoggedIn),
        (
            "https://acme.service-now.com",
            RecordState::RevocationPending { since: snowtoken::core::Timestamp::UNIX_EPOCH },
            Code::BeingRevoked,
        ),
    ] {
        let scene = Scene::expired();
        let (store, now) = (scene.store.clone(), scene.clock.now());
        scene.script.then(move || {
            let mut theirs = draft(&profile(instance), "theirs", now);
            theirs.state = state;
            store.get().save(&name(), Generation(1), &theirs, None).unwrap();
            let answer = http::Response::builder().status(401);
            Ok(answer.body(REFUSAL.as_bytes().to_vec().into()).unwrap())
        });
        let error = scene.session.access_token(MINUTE).unwrap_err();
        assert_eq!(error.code(), expected, "{error:?}");
        assert_eq!(scene.record().state, state);
        assert_eq!(scene.script.sent().len(), 1);
    }
}

/// Durable first.
#[test]
fn g7_what_could_not_be_stored_is_not_handed_out() {
    for (refresh, code, outcome) in [
        (None, Code::StoreFull, Outcome::Store),
        // A refresh token that was replaced and could not be kept is lost: that is said.
        (Some("refresh-new"), Code::TokenRefused, Outcome::LoginNeeded),
    ] {
        let scene = Scene::expired();
        scene.script.answer(200, &tokens("access-new", refresh, 1_800));
        scene.store.fill_disk();
        let error = scene.session.access_token(MINUTE).unwrap_err();
        assert_eq!((error.code(), error.outcome()), (code, outcome));
        assert_eq!(matches!(error, Error::RotationLost { .. }), refresh.is_some(), "{error:?}");
        assert!(!format!("{error:?}").contains("-new"), "{error:?}");
        assert_eq!(scene.record().tokens.access_token.expose(), "access-old");
        assert_eq!(scene.script.sent().len(), 1);
    }
}

/// Somebody without our lock saved meanwhile. Where both answers are good theirs stays, and it is
/// theirs that is handed out: only what is stored is.
#[test]
fn g3_of_two_answers_that_are_good_the_stored_one_is_handed_out() {
    let scene = Scene::expired();
    let (store, now) = (scene.store.clone(), scene.clock.now());
    scene.script.then(move || {
        let mut theirs = draft(&profile("https://acme.service-now.com"), "theirs", now);
        theirs.tokens.refresh_token = Some("refresh-old".to_owned().into());
        theirs.tokens.granted_at = now.checked_sub(31 * MINUTE).unwrap();
        store.get().save(&name(), Generation(1), &theirs, None).unwrap();
        let body = tokens("access-new", None, 1_800).into_bytes();
        Ok(http::Response::new(body.into()))
    });
    assert_eq!(scene.session.access_token(MINUTE).unwrap().token.expose(), "access-theirs");
    assert_eq!(scene.record().generation, Generation(2));
    assert_eq!(scene.script.sent().len(), 1);
}

#[test]
fn v21_tokens_of_another_instance_or_client_are_not_used() {
    let scene = Scene::new();
    let mut other = profile("https://other.service-now.com");
    for _ in 0..2 {
        let draft = draft(&other, "elsewhere", scene.clock.now());
        let generation = scene.record().generation;
        scene.store.get().save(&name(), generation, &draft, None).unwrap();
        let error = scene.session.access_token(MINUTE).unwrap_err();
        assert!(matches!(error, Error::BoundElsewhere { .. }), "{error:?}");
        assert_eq!((error.code(), error.outcome()), (Code::NotLoggedIn, Outcome::LoginNeeded));
        assert!(matches!(scene.session.refresh(), Err(Error::BoundElsewhere { .. })));
        assert!(matches!(scene.session.revoke(), Err(Error::BoundElsewhere { .. })));
        // Then the same instance, and another client.
        other = profile("https://acme.service-now.com");
        other.client_id = snowtoken::core::oauth::client::ClientId::parse("other").unwrap();
    }
    assert!(scene.script.sent().is_empty());
}

#[test]
fn r49_while_a_revocation_is_pending_nothing_is_handed_out() {
    let scene = Scene::new();
    let state = RecordState::RevocationPending { since: scene.clock.now() };
    scene.store.get().mark(&name(), Generation(1), state, None).unwrap();
    for error in [
        scene.session.access_token(Duration::ZERO).unwrap_err(),
        scene.session.refresh().unwrap_err(),
        scene.session.verify().unwrap_err(),
    ] {
        assert!(matches!(error, Error::BeingRevoked(_)), "{error:?}");
        assert_eq!(error.outcome(), Outcome::LoginNeeded);
    }
    assert!(scene.script.sent().is_empty());
}

#[test]
fn what_is_missing_is_said_without_asking_the_instance() {
    let scene = Scene::expired();
    let mut without = draft(scene.session.profile(), "x", scene.clock.now());
    without.tokens.refresh_token = None;
    without.tokens.access_expires_at.at = scene.clock.now();
    scene.store.get().save(&name(), Generation(1), &without, None).unwrap();
    let error = scene.session.access_token(MINUTE).unwrap_err();
    assert!(matches!(error, Error::NoRefreshToken(_)), "{error:?}");
    let scene = Scene::expired();
    scene.store.get().remove_client_secret(&name()).unwrap();
    let error = scene.session.access_token(MINUTE).unwrap_err();
    assert!(matches!(error, Error::NoClientSecret(_)), "{error:?}");
    scene.store.get().remove_profile(&name()).unwrap();
    let error = scene.session.access_token(MINUTE).unwrap_err();
    assert!(matches!(error, Error::NotLoggedIn(_)), "{error:?}");
    assert!(scene.script.sent().is_empty());
}
