//! The answer to a refresh is lost on its way, after any byte of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use snowtoken::core::SignedDuration;
use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::http::ATTEMPT_LIMIT;
use snowtoken::store::{RecordState, TokenStore as _};
use snowtoken::{AccessToken, Error, Outcome};

use crate::served::{Bytes, Framing, Hasty, Served};
use crate::stage::{Fate, MINUTE, Sent, Stage, StageClock, log_in, start};
use crate::{counts, each};

/// How long a test waits for an answer that stalls.
const PATIENCE: Duration = Duration::from_secs(1);

/// An instance that gives another refresh token each time.
const ROTATING: [&str; 2] = ["refresh.token=rotate", "refresh.access=new-each-time"];

/// One way to lose the first answer.
#[derive(Debug, Clone, Copy)]
struct Case {
    framing: Framing,
    stalls: bool,
    byte: usize,
    /// How long the old refresh token goes on working; 0: not at all.
    grace: u32,
}

impl Case {
    /// Every byte of the answer, each way, or a part of that.
    fn all(graces: &[u32]) -> Vec<Self> {
        let mut cases = Vec::new();
        for framing in [Framing::Length, Framing::Chunked, Framing::UntilClose] {
            let length = whole_length(framing);
            for (stalls, grace) in graces.iter().flat_map(|grace| [(false, *grace), (true, *grace)])
            {
                // Another part in each row, so that together they cover more.
                let step = counts(29, 1);
                let first = cases.len() % step;
                let bytes = (first..length).step_by(step).chain([0, length - 1]);
                cases.extend(bytes.map(|byte| Self { framing, stalls, byte, grace }));
            }
        }
        cases
    }

    fn run(self) -> (Stage, Arc<Hasty>, Result<AccessToken, Error>) {
        let grace = format!("refresh.grace={}", self.grace);
        let replay = if self.grace > 0 { "refresh.replay=grace" } else { "refresh.replay=refused" };
        let knobs: Vec<&str> = ROTATING.into_iter().chain([&*grace, replay]).collect();
        let first = if self.stalls { Bytes::Stall(self.byte) } else { Bytes::Cut(self.byte) };
        let (stage, hasty, _server) = stage(&knobs, self.framing, first);
        stage.clock.advance(31 * MINUTE);
        let result = stage.session().access_token(MINUTE);
        if self.grace > 0 {
            // The session goes on, over the same road.
            let again = |n: u32| {
                stage.clock.advance(31 * MINUTE);
                let token = stage.session().access_token(MINUTE);
                assert!(stage.accepts(&token.unwrap().token), "{self:?}, {n} refreshes later");
            };
            (1..=2).for_each(again);
        }
        (stage, hasty, result)
    }
}

/// A stage on sockets whose first answer is spoilt.
fn stage(knobs: &[&str], framing: Framing, first: Bytes) -> (Stage, Arc<Hasty>, Served) {
    let clock = Arc::new(StageClock::new(start()));
    let (instance, client, tokens) = log_in(knobs);
    let instance = Arc::new(Mutex::new(instance));
    let stalls = usize::from(matches!(first, Bytes::Stall(_)));
    let plan = move |n| if n == 1 { first.clone() } else { Bytes::Whole };
    let server = Served::start(instance.clone(), framing, plan);
    let hasty = Arc::new(Hasty::new(clock.clone(), PATIENCE, stalls));
    let login = (instance, client, tokens);
    (Stage::with(login, &server.url(), clock, hasty.clone()), hasty, server)
}

fn whole_length(framing: Framing) -> usize {
    let (stage, _, server) = stage(&ROTATING, framing, Bytes::Whole);
    stage.session().refresh().unwrap();
    server.length()
}

/// Each attempt is short, and the second one follows the first within this long.
#[track_caller]
fn assert_retried_at_once(case: Case, sent: &[Sent]) {
    assert!(sent.iter().all(|sent| sent.limit <= ATTEMPT_LIMIT), "{case:?}: {sent:?}");
    assert!(ATTEMPT_LIMIT <= Duration::from_secs(8));
    assert_eq!(sent[0].refresh_token, sent[1].refresh_token, "{case:?}");
    let pause = sent[1].at.duration_since(sent[0].at);
    let most = match case {
        // At the end of the first attempt, without a wait.
        Case { stalls: true, .. } => SignedDuration::from_secs(8),
        // A close is a good end there: what came is an answer, if a broken one.
        Case { framing: Framing::UntilClose, .. } => SignedDuration::from_secs(1),
        _ => SignedDuration::ZERO,
    };
    assert!(pause <= most, "{case:?}: {pause} between the first two");
}

/// G5, V29: the instance has replaced the refresh token and the answer is lost. As long as the old
/// one works for a while, the session survives.
#[test]
fn g5_an_answer_cut_at_every_byte_loses_nothing() {
    let cases = Case::all(&[15, 30, 60]);
    assert!(cases.len() >= counts(300, 8_000), "{} cases", cases.len());
    each(&cases, 32, |case| {
        let (stage, hasty, result) = case.run();
        assert!(result.is_ok(), "{case:?}: {result:?}");
        stage.assert_alive(&format!("{case:?}"));
        let sent = hasty.sent();
        match sent.len() {
            // The whole of it came, or all but what nobody needs.
            3 => assert!(case.byte > 400, "{case:?}"),
            4 => assert_retried_at_once(*case, &sent),
            more => panic!("{case:?}: {more} requests"),
        }
    });
}

/// G6: without such a grace nobody can keep the session; but it is said, and why, and nothing is
/// thrown away.
#[test]
fn g6_without_grace_the_message_names_the_lost_answer() {
    each(&Case::all(&[0]), 32, |case| {
        let (stage, hasty, result) = case.run();
        let sent = hasty.sent();
        let Err(error) = result else {
            assert_eq!(sent.len(), 1, "{case:?}");
            return stage.assert_alive(&format!("{case:?}"));
        };
        assert_retried_at_once(*case, &sent);
        // Asked for three times: the answer that was lost, and two refusals in a row.
        assert_eq!(sent.len(), 3, "{case:?}: {sent:?}");
        let took = sent[2].at.duration_since(sent[0].at);
        assert!(took.as_secs() <= 10, "{case:?}: {took}");
        let expected = (Code::TokenRefused, Outcome::LoginNeeded);
        assert_eq!((error.code(), error.outcome()), expected, "{case:?}: {error:?}");
        assert!(error.to_string().contains("was lost"), "{case:?}: {error}");
        let record = stage.record();
        assert!(matches!(record.state, RecordState::Rejected { .. }), "{case:?}");
        let kept = record.tokens.refresh_token.unwrap();
        assert_eq!(kept.expose(), sent[0].refresh_token, "{case:?}: the old one is kept");
    });
}

/// G6: the loss is remembered when one command has given up and another one is refused.
#[test]
fn g6_a_later_command_knows_of_the_lost_answer() {
    let (stage, road) = Stage::new(&ROTATING);
    stage.clock.advance(31 * MINUTE);
    road.set(|_| Fate::AnswerLost);
    let began = stage.clock.truth();
    let error = stage.session().access_token(MINUTE).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::TimedOut, Outcome::TryLater));
    assert!(stage.clock.truth().duration_since(began).as_secs() <= 30);
    assert_eq!(stage.record().state, RecordState::Held);
    stage.clock.advance(20 * MINUTE);
    road.set(|_| Fate::Carried(Duration::ZERO));
    let error = stage.session().access_token(MINUTE).unwrap_err();
    assert!(matches!(error, Error::LostThenRefused { .. }), "{error:?}");
    assert!(error.to_string().contains("was lost"), "{error}");
    // The audit says so as well.
    let audit = stage.store.audit(None, 1).unwrap();
    assert!(audit[0].detail.contains("was lost"), "{audit:?}");
}

/// G6: a refusal that comes late in a command is put to the test all the same, and in time.
#[test]
fn g6_a_late_refusal_is_put_to_the_test_in_time() {
    for round_trip in [5_600, 6_500, 7_900] {
        let (stage, road) = Stage::new(&ROTATING);
        stage.clock.advance(31 * MINUTE);
        let mut lost = 2;
        road.set(move |_| {
            lost -= 1;
            let time = Duration::from_millis(round_trip);
            if lost >= 0 { Fate::AnswerLost } else { Fate::Carried(time) }
        });
        let began = stage.clock.truth();
        let error = stage.session().access_token(MINUTE).unwrap_err();
        assert!(matches!(error, Error::LostThenRefused { .. }), "{error:?}");
        let final_one = road.sent().pop().unwrap();
        let end = final_one.at.duration_since(began).unsigned_abs() + final_one.limit;
        assert!(end <= Duration::from_secs(30), "{round_trip}: may take {end:?}");
    }
}
