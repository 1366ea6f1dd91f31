//! Answers to a refresh that are none, and the few that end a session.

mod list;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use snowtoken::Outcome;
use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::token_set::Generation;
use snowtoken::store::RecordState;

use crate::each;
use crate::served::{Bytes, Framing, Hasty, Served};
use crate::stage::{Fate, MINUTE, Stage, StageClock, log_in, start};
use list::Wrong;

const REFUSED: Fate = Fate::Answered(401, &[], r#"{"error":"invalid_grant"}"#);

/// A stage on sockets whose answers are these bytes for as long as the switch is on.
fn stage(bytes: Vec<u8>) -> (Stage, Arc<Hasty>, Arc<AtomicBool>, Served) {
    let clock = Arc::new(StageClock::new(start()));
    let (instance, client, tokens) = log_in(&[]);
    let instance = Arc::new(Mutex::new(instance));
    let wrong = Arc::new(AtomicBool::new(true));
    let switch = wrong.clone();
    let plan = move |_| {
        if switch.load(Ordering::SeqCst) { Bytes::Other(bytes.clone()) } else { Bytes::Whole }
    };
    let server = Served::start(instance.clone(), Framing::Length, plan);
    let hasty = Arc::new(Hasty::new(clock.clone(), Duration::MAX, 0));
    let stage = Stage::with((instance, client, tokens), &server.url(), clock, hasty.clone());
    stage.clock.advance(31 * MINUTE);
    (stage, hasty, wrong, server)
}

/// G15: whatever comes instead of an answer, the refresh token is kept, nothing is handed out, and
/// the session goes on as soon as the instance does.
#[test]
fn g15_wrong_answers_keep_the_refresh_token() {
    let wrong = list::all();
    assert!(wrong.len() >= 300, "{} cases", wrong.len());
    each(&wrong, 4, |Wrong { what, bytes, codes }| {
        let (stage, hasty, is_wrong, _server) = stage(bytes.clone());
        let began = stage.clock.truth();
        let error = stage.session().access_token(MINUTE).unwrap_err();
        assert!(codes.contains(&error.code()), "{what}: {} {error:?}", error.code().as_str());
        let hopeless = error.outcome() == Outcome::LoginNeeded;
        assert!(!hopeless, "{what}: nobody has to log in: {error:?}");
        let record = stage.record();
        assert_eq!((record.state, record.generation), (RecordState::Held, Generation(1)), "{what}");
        let sent = hasty.sent();
        assert!((1..=5).contains(&sent.len()), "{what}: {} requests", sent.len());
        let took = stage.clock.truth().duration_since(began);
        assert!(took.as_secs() <= 30, "{what}: {took}");
        is_wrong.store(false, Ordering::SeqCst);
        // Some were told to come back later, a day at the most.
        stage.clock.advance(25 * 60 * MINUTE);
        let token = stage.session().access_token(MINUTE);
        let token = token.unwrap_or_else(|error| panic!("{what}: afterwards {error:?}"));
        assert!(stage.accepts(&token.token), "{what}");
        stage.assert_alive(what);
        let sent = hasty.sent();
        assert!(sent.iter().all(|s| s.refresh_token == sent[0].refresh_token), "{what}");
    });
}

/// The rule at the end of security.md §1: a well-formed refusal ends a session, if it comes twice
/// in a row and nobody stored anything meanwhile. Once is not enough.
#[test]
fn g15_only_a_refusal_in_due_form_and_twice_ends_the_session() {
    let refusals = list::refusals();
    each(&refusals, 4, |Wrong { what, bytes, .. }| {
        let (stage, hasty, _, _server) = stage(bytes.clone());
        let error = stage.session().access_token(MINUTE).unwrap_err();
        let expected = (Code::TokenRefused, Outcome::LoginNeeded);
        assert_eq!((error.code(), error.outcome()), expected, "{what}");
        assert!(matches!(stage.record().state, RecordState::Rejected { .. }), "{what}");
        assert_eq!(hasty.sent().len(), 2, "{what}");
    });
    for between in [
        Fate::Answered(503, &[], ""),
        Fate::Answered(429, &[], ""),
        Fate::Answered(200, &[], "<html><title>Instance Hibernating page</title>"),
        Fate::Answered(401, &[], "<html>"),
        Fate::Answered(400, &[], "{"),
        Fate::AnswerLost,
        Fate::Carried(Duration::ZERO),
    ] {
        let (stage, road) = Stage::new(&[]);
        stage.clock.advance(31 * MINUTE);
        let mut refuse = false;
        let shown = format!("{between:?}");
        road.set(move |_| {
            refuse = !refuse;
            if refuse { REFUSED } else { between.clone() }
        });
        for _ in 0..20 {
            drop(stage.session().access_token(MINUTE));
            stage.clock.advance(31 * MINUTE);
        }
        assert_eq!(stage.record().state, RecordState::Held, "{shown}");
        assert!(road.sent().len() > 20, "{shown}");
    }
}

/// V28: what was stored meanwhile is taken, also if it came between the two refusals.
#[test]
fn g15_a_refusal_of_what_is_not_current_any_more_ends_nothing() {
    for stored_at in [1, 2] {
        let (stage, road) = Stage::new(&[]);
        stage.clock.advance(31 * MINUTE);
        let (store, name) = (stage.store.clone(), stage.profile.name.clone());
        let mut requests = 0;
        road.set(move |now| {
            requests += 1;
            if requests == stored_at {
                let mut store = store.get();
                let mut record = store.load(&name).unwrap().unwrap();
                record.tokens.access_token = snowtoken::Secret::new("access-theirs");
                record.tokens.issued_at = now;
                record.tokens.access_expires_at.at = now + 30 * MINUTE;
                let generation = record.generation;
                store.save(&name, generation, &record.into(), None).unwrap();
            }
            REFUSED
        });
        let result = stage.session().access_token(MINUTE);
        let record = stage.record();
        assert_eq!((record.state, record.generation), (RecordState::Held, Generation(2)));
        assert_eq!(record.tokens.access_token.expose(), "access-theirs");
        assert_eq!(result.unwrap().token.expose(), "access-theirs", "{stored_at}");
        assert_eq!(road.sent().len(), stored_at);
    }
}
