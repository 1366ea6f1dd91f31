//! Access tokens that live: refreshed when needed, once, stored before they are handed out.

use std::sync::Barrier;
use std::time::Duration;

use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::token_set::Generation;
use snowtoken::store::RecordState;
use snowtoken::world::Clock as _;
use snowtoken::{Error, Outcome, Session};

use super::{MINUTE, REFUSAL, Scene, draft, name, profile, tokens};

const TOKEN: &str = "/oauth_token.do";

#[test]
fn a_living_token_needs_no_request() {
    let scene = Scene::new();
    scene.clock.advance(15 * MINUTE);
    let token = scene.session.access_token(10 * MINUTE).unwrap();
    assert_eq!(token.token.expose(), "access-old");
    assert!(scene.script.sent().is_empty());
}

#[test]
fn a_token_that_lives_too_short_is_refreshed_and_stored() {
    let scene = Scene::new();
    scene.clock.advance(15 * MINUTE);
    scene.script.answer(200, &tokens("access-new", None, 1_800));
    let token = scene.session.access_token(20 * MINUTE).unwrap();
    assert_eq!(token.token.expose(), "access-new");
    let record = scene.record();
    assert_eq!(record.generation, Generation(2));
    assert_eq!(record.tokens.access_token.expose(), "access-new");
    assert_eq!(record.tokens.refresh_token.unwrap().expose(), "refresh-old");
    // The next one is served from the store.
    scene.session.access_token(20 * MINUTE).unwrap();
    assert_eq!(scene.script.paths(), [TOKEN]);
    let sent = &scene.script.sent()[0];
    assert_eq!(sent.form("grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(sent.form("client_secret").as_deref(), Some("s3cret"));
    assert!(sent.limit <= Duration::from_secs(8), "one attempt is short");
}

#[test]
fn r39_a_new_refresh_token_takes_the_place_of_the_old() {
    let scene = Scene::expired();
    scene.script.answer(200, &tokens("access-new", Some("refresh-new"), 1_800));
    scene.session.access_token(MINUTE).unwrap();
    assert_eq!(scene.record().tokens.refresh_token.unwrap().expose(), "refresh-new");
    scene.clock.advance(31 * MINUTE);
    scene.script.answer(200, &tokens("access-3", None, 1_800));
    scene.session.access_token(MINUTE).unwrap();
    assert_eq!(scene.sent_refresh_tokens(), ["refresh-old", "refresh-new"]);
}

#[test]
fn the_same_short_token_again_is_told_and_not_asked_for_again() {
    let scene = Scene::new();
    scene.clock.advance(25 * MINUTE);
    scene.script.answer(200, &tokens("access-old", None, 300));
    let error = scene.session.access_token(20 * MINUTE).unwrap_err();
    assert!(matches!(error, Error::TooShort { .. }), "{error:?}");
    assert_eq!((error.code(), error.outcome()), (Code::TokenTooShort, Outcome::TryLater));
    assert_eq!(scene.script.paths(), [TOKEN]);
}

#[test]
fn g2_sixteen_threads_make_one_refresh() {
    let scene = Scene::expired();
    scene.script.then(|| {
        std::thread::sleep(Duration::from_millis(100));
        let body = tokens("access-new", None, 1_800).into_bytes();
        Ok(http::Response::new(snowtoken::core::secret::Body::from(body)))
    });
    let (barrier, session): (_, &Session) = (Barrier::new(16), &scene.session);
    let got: Vec<String> = std::thread::scope(|scope| {
        let ask = || {
            barrier.wait();
            session.access_token(MINUTE).unwrap().token.expose().to_owned()
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(got.iter().all(|token| token == "access-new"), "{got:?}");
    assert_eq!(scene.script.paths(), [TOKEN]);
}

#[test]
fn two_refusals_in_a_row_mean_that_a_person_must_log_in() {
    let scene = Scene::expired();
    scene.script.answer(401, REFUSAL);
    scene.script.answer(401, REFUSAL);
    let error = scene.session.access_token(MINUTE).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::TokenRefused, Outcome::LoginNeeded));
    let record = scene.record();
    assert!(matches!(record.state, RecordState::Rejected { .. }), "{:?}", record.state);
    assert!(record.tokens.refresh_token.is_some(), "nothing is thrown away");
    assert_eq!(scene.script.paths(), [TOKEN; 2]);
    // From now on nobody is asked.
    let error = scene.session.access_token(MINUTE).unwrap_err();
    assert!(matches!(error, Error::Rejected { .. }), "{error:?}");
    assert_eq!((error.code(), error.outcome()), (Code::TokenRefused, Outcome::LoginNeeded));
    assert_eq!(scene.script.sent().len(), 2);
    // Unless a person insists, and then it may work again.
    scene.script.answer(200, &tokens("access-new", None, 1_800));
    scene.session.refresh().unwrap();
    assert_eq!(scene.record().state, RecordState::Held);
}

#[test]
fn one_refusal_is_not_believed() {
    let scene = Scene::expired();
    scene.script.answer(400, r#"{"error":"invalid_grant"}"#);
    scene.script.answer(200, &tokens("access-new", None, 1_800));
    assert_eq!(scene.session.access_token(MINUTE).unwrap().token.expose(), "access-new");
    let sent = scene.script.sent();
    let pause = sent[1].at.duration_since(sent[0].at);
    assert_eq!((sent.len(), pause.as_millis()), (2, 250));
}

/// V28: somebody without our lock was faster; theirs is adopted, and nothing is cleared.
#[test]
fn v28_after_a_refusal_a_newer_record_is_adopted() {
    let scene = Scene::expired();
    let (store, now) = (scene.store.clone(), scene.clock.now());
    scene.script.then(move || {
        let theirs = draft(&profile("https://acme.service-now.com"), "theirs", now);
        store.get().save(&name(), Generation(1), &theirs, None).unwrap();
        let answer = http::Response::builder().status(401);
        Ok(answer.body(REFUSAL.as_bytes().to_vec().into()).unwrap())
    });
    assert_eq!(scene.session.access_token(MINUTE).unwrap().token.expose(), "access-theirs");
    let record = scene.record();
    assert_eq!((record.generation, record.state), (Generation(2), RecordState::Held));
    assert_eq!(scene.script.sent().len(), 1);
}

/// V29, G6: the same refresh token again, at once.
#[test]
fn v29_a_lost_answer_is_asked_for_again_at_once_with_the_same_token() {
    let scene = Scene::expired();
    scene.script.no_answer(true);
    scene.script.answer(200, &tokens("access-new", Some("refresh-new"), 1_800));
    scene.session.access_token(MINUTE).unwrap();
    assert_eq!(scene.sent_refresh_tokens(), ["refresh-old", "refresh-old"]);
    let sent = scene.script.sent();
    assert_eq!(sent[1].at, sent[0].at, "no wait before the first retry");
}

#[test]
fn v29_lost_answers_never_end_the_session() {
    let scene = Scene::expired();
    for _ in 0..9 {
        scene.script.no_answer(true);
    }
    let error = scene.session.access_token(MINUTE).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::ConnectionLost, Outcome::TryLater));
    assert_eq!(scene.record().state, RecordState::Held);
    let sent = scene.script.sent();
    assert!((2..=5).contains(&sent.len()), "{}", sent.len());
    let took = sent.last().unwrap().at.duration_since(sent[0].at);
    assert!(took.as_secs() <= 30, "{took}");
}

/// G15: whatever is no refusal keeps the token.
#[test]
fn g15_pages_and_failures_keep_the_refresh_token() {
    let hibernating = "<html><title>Instance Hibernating page</title>";
    let brackets = "[".repeat(1_000_000);
    for (status, body, expected) in [
        (500, "", Code::InstanceBusy),
        (502, "<html>", Code::InstanceBusy),
        (503, r#"{"error":"invalid_grant"}"#, Code::InstanceBusy),
        (504, "", Code::InstanceBusy),
        (429, "", Code::RateLimited),
        (200, hibernating, Code::InstanceAsleep),
        (200, "", Code::AnswerUnreadable),
        (200, "{", Code::AnswerInvalid),
        (200, "{}", Code::AnswerInvalid),
        (200, "null", Code::AnswerUnreadable),
        (200, &brackets, Code::AnswerUnreadable),
        (204, "", Code::AnswerUnreadable),
        (206, "{", Code::AnswerUnreadable),
        (400, "invalid_grant", Code::AnswerUnreadable),
        (400, "{}", Code::AnswerInvalid),
        (401, "<html>", Code::AnswerUnreadable),
        (401, r#"{"error":"invalid_client"}"#, Code::ClientRefused),
        (403, "<html>", Code::AnswerUnreadable),
        (404, r#"{"error":"invalid_grant"}"#, Code::EndpointMissing),
        (301, "", Code::EndpointRedirects),
        (307, r#"{"error":"invalid_grant"}"#, Code::EndpointRedirects),
        (400, r#"{"error":"temporarily_unavailable"}"#, Code::InstanceBusy),
    ] {
        let scene = Scene::expired();
        for _ in 0..9 {
            scene.script.answer(status, body);
        }
        let error = scene.session.access_token(MINUTE).unwrap_err();
        let shown = &body[..body.len().min(40)];
        assert_eq!(error.code(), expected, "{status} {shown}");
        let record = scene.record();
        assert_eq!((record.generation, record.state), (Generation(1), RecordState::Held));
        let sent = scene.script.sent().len();
        // A spoilt success may have replaced the refresh token: then two more are worth it.
        assert!((1..=5).contains(&sent), "{status} {shown}: {sent} requests");
        assert!(scene.sent_refresh_tokens().iter().all(|token| token == "refresh-old"));
    }
}

#[test]
fn g17_retry_after_beyond_our_patience_is_not_waited_for() {
    for (seconds, requests) in [("2", 3), ("600", 1), ("1000000000", 3), ("junk", 3)] {
        let scene = Scene::expired();
        for _ in 0..9 {
            scene.script.answer_with(429, &[("retry-after", seconds)], "");
        }
        let before = scene.clock.now();
        let error = scene.session.access_token(MINUTE).unwrap_err();
        assert_eq!((error.code(), error.outcome()), (Code::RateLimited, Outcome::TryLater));
        assert_eq!(scene.script.sent().len(), requests, "{seconds}");
        assert!(scene.clock.now().duration_since(before).as_secs() <= 30);
    }
}
