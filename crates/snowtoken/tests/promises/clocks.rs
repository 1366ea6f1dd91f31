//! Clocks that are set, machines that sleep, and instances whose time is another.

use std::sync::Arc;
use std::time::Duration;

use snowtoken::core::SignedDuration;
use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::token_set::Generation;
use snowtoken::store::{RecordState, TokenStore};
use snowtoken::{Outcome, Secret, Session};

use crate::each;
use crate::stage::{Fate, Jump, MINUTE, Road, Stage, start};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// From a second to ten years.
fn sizes() -> Vec<SignedDuration> {
    let minutes = SignedDuration::from_mins;
    vec![
        SECOND,
        SECOND * 10,
        minutes(1),
        minutes(4),
        minutes(5),
        minutes(6),
        minutes(29),
        minutes(60),
        DAY,
        DAY * 30,
        DAY * 365,
        DAY * 3_652,
    ]
}

/// What the session is about to do when the clock jumps.
#[derive(Debug, Clone, Copy)]
enum Scene {
    /// The token lives for another twenty minutes.
    Living,
    /// It has ended.
    Due,
    /// It has ended, and the first answer is 503.
    Busy,
    /// It has ended, and the first answer is lost.
    Losing,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    scene: Scene,
    by: SignedDuration,
    /// Before this reading of the clock.
    reading: u64,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for (scene, readings) in
            [(Scene::Living, 2), (Scene::Due, 10), (Scene::Busy, 12), (Scene::Losing, 12)]
        {
            for size in sizes() {
                for by in [size, -size] {
                    cases.extend((1..=readings).map(|reading| Self { scene, by, reading }));
                }
            }
        }
        cases
    }

    fn stage(self) -> (Stage, Arc<Road>) {
        let (stage, road) = Stage::new(&["refresh.access=new-each-time"]);
        let mut fates = match self.scene {
            Scene::Living | Scene::Due => vec![],
            Scene::Busy => vec![Fate::Answered(503, &[], "")],
            Scene::Losing => vec![Fate::AnswerLost],
        };
        road.set(move |_| fates.pop().unwrap_or(Fate::Carried(Duration::from_millis(200))));
        let minutes = if matches!(self.scene, Scene::Living) { 10 } else { 31 };
        stage.clock.advance(minutes * MINUTE);
        (stage, road)
    }

    /// The token works; or the clock was set back within its life, which nobody can notice, and the
    /// 401 mends it.
    fn assert_alive(self, stage: &Stage, session: &Session, token: &Secret) {
        if stage.accepts(token) {
            return;
        }
        let unseen = self.by < SignedDuration::ZERO && self.by >= -31 * 60 * SECOND;
        assert!(
            unseen && matches!(self.scene, Scene::Due | Scene::Busy | Scene::Losing),
            "{self:?}: a dead token"
        );
        let other = session.access_token_rejected(token).unwrap().token;
        assert!(stage.accepts(&other), "{self:?}: a dead token again");
    }

    /// What would be sent if nothing happened to the clock.
    fn usual(self) -> usize {
        match self.scene {
            Scene::Living => 0,
            Scene::Due => 1,
            Scene::Busy | Scene::Losing => 2,
        }
    }
}

/// G21, V32: the clock is set while a command runs, and set right a minute later.
#[test]
fn g21_a_clock_that_jumps_costs_one_refresh_and_locks_nobody_out() {
    let cases = Case::all();
    assert!(cases.len() >= 500, "{}", cases.len());
    each(&cases, 2, |case| {
        let (stage, road) = case.stage();
        let session = stage.session();
        stage.clock.jump_at(case.reading, Jump::Set(case.by));
        let check = |what: &str| match session.living_access_token() {
            Ok(token) => case.assert_alive(&stage, &session, &token.token),
            Err(error) => panic!("{case:?}, {what}: {error:?}"),
        };
        // In the middle of a trouble a clock that jumps may end one command's patience.
        match session.living_access_token() {
            Ok(token) => case.assert_alive(&stage, &session, &token.token),
            Err(error) => assert_eq!(error.outcome(), Outcome::TryLater, "{case:?}: {error:?}"),
        }
        stage.clock.advance(MINUTE);
        check("a minute later");
        assert!(road.sent().len() <= case.usual() + 1, "{case:?}: {:?}", road.sent());
        stage.clock.set_ahead(SignedDuration::ZERO);
        check("set right");
        stage.clock.advance(MINUTE);
        check("set right for a minute");
        // There and back: two jumps.
        assert!(road.sent().len() <= case.usual() + 2, "{case:?}: {:?}", road.sent());
        assert!(stage.clock.longest_sleep() <= Duration::from_secs(30), "{case:?}");
        stage.assert_alive(&format!("{case:?}"));
        if case.by.abs() <= 5 * 60 * SECOND {
            assert_eq!(road.sent().len(), case.usual(), "{case:?}: five minutes are tolerated");
        }
    });
}

/// G21: what the store hands out without asking anybody.
#[test]
fn g21_a_token_from_the_future_is_not_trusted() {
    for disk in [false, true] {
        let (stage, _) = Stage::new(&[]);
        let (memory, sqlite) = (stage.store.clone(), stage.on_disk());
        let store: &dyn TokenStore = if disk { &sqlite } else { &memory };
        for (ahead, trusted) in [
            (SignedDuration::ZERO, true),
            (-5 * 60 * SECOND, true),
            (-5 * 60 * SECOND - SECOND, false),
            (-3_652 * DAY, false),
            (29 * 60 * SECOND - SECOND, true),
            (29 * 60 * SECOND, false),
        ] {
            let found =
                store.living_access_token(&stage.profile.name, start() + ahead, MINUTE).unwrap();
            assert_eq!(found.is_some(), trusted, "{ahead} on disk: {disk}");
        }
    }
}

/// G21: a wait that was noted before the clock was set back ends when the clock says so now.
#[test]
fn g21_a_wait_noted_by_a_wrong_clock_binds_nobody() {
    // Not the hour itself: where the wait all but ends, a command sits it out.
    let most_of_it = SECOND * 3_500;
    for ahead in [-DAY * 3_652, -DAY, -SECOND * 3_600, most_of_it, DAY * 3_652] {
        let (stage, road) = Stage::new(&["refresh.access=new-each-time"]);
        stage.clock.advance(31 * MINUTE);
        road.set(|_| Fate::Answered(429, &[("retry-after", "3600")], ""));
        let session = stage.session();
        let error = session.living_access_token().unwrap_err();
        assert_eq!(error.code(), Code::RateLimited);
        // Told to wait, everybody waits.
        assert!(session.living_access_token().is_err());
        assert_eq!(road.sent().len(), 1);
        stage.clock.set_ahead(ahead);
        road.set(|_| Fate::Carried(Duration::ZERO));
        let result = session.living_access_token();
        assert_eq!(result.is_ok(), ahead != most_of_it, "{ahead}: {result:?}");
    }
}

/// G22: the machine sleeps at any reading of the clock, or while a request is on its way.
#[test]
fn g22_a_token_that_ended_while_the_machine_slept_is_not_handed_out() {
    let minutes = SignedDuration::from_mins;
    let sleeps =
        [SECOND, minutes(1), minutes(18), minutes(31), minutes(600), DAY, DAY * 7, DAY * 30];
    let mut cases = Vec::new();
    for scene in [Scene::Living, Scene::Due, Scene::Busy, Scene::Losing] {
        for by in sleeps {
            // Reading 0 stands for the time between request and answer.
            cases.extend((0..=8).map(|reading| Case { scene, by, reading }));
        }
    }
    each(&cases, 2, |case| {
        let (stage, road) = case.stage();
        let sleep = Duration::try_from(case.by).unwrap();
        if case.reading == 0 {
            let mut first = true;
            road.set(move |_| {
                let time = if std::mem::take(&mut first) { sleep } else { Duration::ZERO };
                Fate::Carried(time)
            });
        } else {
            stage.clock.jump_at(case.reading, Jump::Suspend(case.by));
        }
        let session = stage.session();
        match session.living_access_token() {
            Ok(token) => assert!(stage.accepts(&token.token), "{case:?}: a dead token"),
            Err(error) => assert_eq!(error.outcome(), Outcome::TryLater, "{case:?}: {error:?}"),
        }
        let token = session.living_access_token().unwrap();
        assert!(stage.accepts(&token.token), "{case:?}: a dead token afterwards");
        assert!(road.sent().len() <= case.usual() + 1, "{case:?}: {:?}", road.sent());
        stage.assert_alive(&format!("{case:?}"));
    });
}

/// A call with the token, and what a program does about a 401.
fn call(stage: &Stage, session: &Session) -> bool {
    let token = session.living_access_token().unwrap();
    stage.accepts(&token.token)
        || session
            .access_token_rejected(&token.token)
            .is_ok_and(|other| stage.accepts(&other.token))
}

/// G23: by the instance's clock the token has ended, by ours it lives. Its 401 counts for more.
#[test]
fn g23_a_401_overrides_our_clock_and_leads_to_one_refresh() {
    let mut cases = Vec::new();
    for minutes in
        [-60, -45, -30, -20, -10, -5, -1, 0, 1, 5, 10, 15, 19, 20, 21, 25, 30, 40, 45, 60]
    {
        for access in ["new-each-time", "same-while-valid"] {
            for token in ["same", "rotate", "omit"] {
                cases.push((minutes, access, token));
            }
        }
    }
    assert!(cases.len() >= 50);
    each(&cases, 2, |case @ (minutes, access, token)| {
        let access = format!("refresh.access={access}");
        let token = format!("refresh.token={token}");
        let (stage, road) = Stage::new(&[&access, &token]);
        stage.clock.advance(10 * MINUTE);
        stage.clock.turn(SignedDuration::from_mins(*minutes));
        let session = stage.session();
        // It has lived for ten minutes of thirty.
        let ended = *minutes >= 20;
        for n in 0..5 {
            assert!(call(&stage, &session), "{case:?}, call {n}");
            assert_eq!(road.sent().len(), usize::from(ended), "{case:?}, call {n}");
        }
        stage.assert_alive(&format!("{case:?}"));
    });
}

/// G23: a hundred callers with the same rejected token make one refresh, however late some come.
#[test]
fn g23_a_crowd_of_401s_is_one_refresh() {
    let (stage, road) = Stage::new(&["refresh.access=new-each-time"]);
    stage.clock.advance(10 * MINUTE);
    let session = stage.session();
    let rejected = session.living_access_token().unwrap().token;
    let got: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..100).map(|_| scope.spawn(|| session.access_token_rejected(&rejected))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap().token).collect()
    });
    assert!(got.iter().all(|token| *token == got[0] && *token != rejected));
    assert_eq!(road.sent().len(), 1);
    stage.clock.advance(10 * MINUTE);
    assert_eq!(session.access_token_rejected(&rejected).unwrap().token, got[0]);
    assert_eq!(road.sent().len(), 1);
}

/// G23: an API that answers 401 to everything is no reason to ask for tokens without end.
#[test]
fn g23_an_instance_that_rejects_everything_is_not_asked_in_a_loop() {
    // An instance that gives the same token again is asked once in its life, and at its end.
    for (access, reissued, most) in [
        ("refresh.access=same-while-valid", "expires_in.reissued=remaining", 6),
        ("refresh.access=same-while-valid", "expires_in.reissued=full", 122),
        ("refresh.access=new-each-time", "expires_in.reissued=full", 122),
    ] {
        let (stage, road) = Stage::new(&[access, reissued]);
        stage.clock.advance(5 * MINUTE);
        let session = stage.session();
        let end = stage.clock.truth() + SECOND * 3_600;
        let mut calls = 0;
        while stage.clock.truth() < end {
            let token = session.living_access_token().unwrap().token;
            if let Err(error) = session.access_token_rejected(&token) {
                assert_eq!(error.code(), Code::TokenNotAccepted, "{error:?}");
            }
            stage.clock.advance(Duration::from_secs(1));
            calls += 1;
        }
        assert!(calls > 3_000);
        let sent = road.sent();
        assert!((1..=most).contains(&sent.len()), "{access} {reissued}: {} requests", sent.len());
        for two in sent.windows(2) {
            let pause = two[1].at.duration_since(two[0].at);
            assert!(pause >= 30 * SECOND, "{access} {reissued}: {pause}");
        }
    }
}

/// G23: `verify` does by itself what a program should do.
#[test]
fn g23_verify_refreshes_a_token_that_is_rejected_early() {
    let (stage, road) = Stage::new(&["refresh.access=new-each-time"]);
    stage.clock.advance(10 * MINUTE);
    stage.clock.turn(SECOND * 3_600);
    let (user, record) = stage.session().verify().unwrap();
    assert_eq!(user.unwrap().name(), Some("abel.tuter"));
    assert_eq!((record.generation, record.state), (Generation(2), RecordState::Held));
    assert_eq!(road.sent().len(), 1);
}

/// G23: if the new token is refused as well, its age is not the reason, and a new login is no way out.
#[test]
fn g23_a_new_token_that_is_refused_has_another_cause_than_age() {
    let (stage, road) = Stage::new(&["refresh.access=new-each-time", "api.policy=refused"]);
    stage.clock.advance(10 * MINUTE);
    let error = stage.session().verify().unwrap_err();
    assert_eq!(error.code(), Code::NewTokenRefused, "{error:?}");
    assert_eq!(road.sent().len(), 1);
    assert_eq!(stage.record().state, RecordState::Held);
}
