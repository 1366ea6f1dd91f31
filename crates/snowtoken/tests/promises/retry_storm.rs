//! An instance that is down is asked rarely, by many at many moments, and not run over when it is
//! back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, LazyLock};
use std::time::Duration;

use snowtoken::core::diagnosis::Diagnose as _;
use snowtoken::core::keeper::{Keeper, NoAnswer, Policy};
use snowtoken::core::oauth::Response;
use snowtoken::core::oauth::client::Client;
use snowtoken::core::secret::Body;
use snowtoken::core::servicenow::{self, Lifespans};
use snowtoken::core::token_set::TokenSet;
use snowtoken::core::{SignedDuration, Timestamp};
use snowtoken::store::RecordState;
use snowtoken::{Error, Outcome, Session};

use crate::stage::{Fate, MINUTE, Stage, log_in, start};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const LEAST: SignedDuration = SignedDuration::from_mins(1);

/// How it is down.
#[derive(Debug, Clone, Copy)]
enum Down {
    Unreachable,
    Silent,
    Unavailable,
    Limited(&'static str),
    Asleep,
}

const WAYS: [Down; 7] = [
    Down::Unreachable,
    Down::Silent,
    Down::Unavailable,
    Down::Limited("120"),
    Down::Limited("7"),
    Down::Limited("soon"),
    Down::Asleep,
];

impl Down {
    fn answer(self) -> (SignedDuration, Result<Response, NoAnswer>) {
        let mut reply = http::Response::builder();
        let mut body = "";
        reply = match self {
            Self::Unreachable => return (SignedDuration::ZERO, Err(NoAnswer::NotSent)),
            Self::Silent => return (SignedDuration::from_secs(8), Err(NoAnswer::Lost)),
            Self::Unavailable => reply.status(503),
            Self::Limited(after) => reply.status(429).header("retry-after", after),
            Self::Asleep => {
                body = "<title>Instance Hibernating page</title>";
                reply
            }
        };
        (SignedDuration::ZERO, Ok(reply.body(Body::from(body.as_bytes().to_vec())).unwrap()))
    }

    fn fate(self) -> Fate {
        match self {
            Self::Unreachable => Fate::NotSent,
            Self::Silent => Fate::AnswerLost,
            Self::Unavailable => Fate::Answered(503, &[], ""),
            Self::Limited("120") => Fate::Answered(429, &[("retry-after", "120")], ""),
            Self::Limited(_) => Fate::Answered(429, &[], ""),
            Self::Asleep => Fate::Answered(200, &[], "<title>Instance Hibernating page</title>"),
        }
    }
}

fn keeper(seed: u64) -> Keeper {
    static LOGIN: LazyLock<(Client, TokenSet)> = LazyLock::new(|| {
        let (_, client, tokens) = log_in(&[]);
        (client, tokens)
    });
    let (client, tokens) = LOGIN.clone();
    let endpoints = servicenow::Instance::parse("classics").unwrap().endpoints();
    let lifespans = Lifespans::default();
    Keeper::new(endpoints, client, lifespans, Some(tokens), Policy::default(), seed)
}

/// The moments at which a client asks, from the first to the one that is answered.
fn moments(keeper: &mut Keeper, down: Down, until: Timestamp) -> Vec<Timestamp> {
    let mut sent = Vec::new();
    while let Some((at, _)) = keeper.poll_timeout()
        && sent.len() < 10_000
    {
        keeper.handle_timeout(at);
        let Some((generation, _)) = keeper.poll_request() else { break };
        sent.push(at);
        if at >= until {
            break;
        }
        let (time, answer) = down.answer();
        keeper.handle_response(at + time, generation, answer);
    }
    sent
}

/// After the first five requests no two of a client lie within a minute.
#[track_caller]
fn assert_patient(what: &str, sent: &[Timestamp]) {
    let gaps = sent.windows(2).skip(4).map(|two| two[1].duration_since(two[0]));
    let shortest = gaps.min().unwrap_or(LEAST);
    assert!(shortest >= LEAST, "{what}: two requests within {shortest}");
}

/// The largest number of moments within a second.
fn crowd(moments: &mut [Timestamp]) -> usize {
    moments.sort_unstable();
    let second = SignedDuration::from_secs(1);
    let within = |first: &Timestamp| {
        moments.iter().filter(|at| (*first..*first + second).contains(at)).count()
    };
    moments.iter().map(within).max().unwrap_or(0)
}

/// G17: an hour's outage that a hundred clients meet at the same moment.
#[test]
fn g17_a_hundred_clients_ask_a_dead_instance_once_a_minute_at_most() {
    for down in WAYS {
        let end = start() + SignedDuration::from_mins(29) + HOUR;
        let clients: Vec<Vec<Timestamp>> =
            (0..100).map(|seed| moments(&mut keeper(seed), down, end)).collect();
        let what = format!("{down:?}");
        for sent in &clients {
            assert_patient(&what, sent);
            assert!((6..=62).contains(&sent.len()), "{what}: {} requests", sent.len());
            if let Down::Limited(seconds) = down
                && let Ok(seconds) = seconds.parse::<i64>()
            {
                let named = SignedDuration::from_secs(seconds);
                let gaps = sent.windows(2).map(|two| two[1].duration_since(two[0]));
                assert!(gaps.min().unwrap() >= named, "{what}: Retry-After is obeyed");
            }
        }
        // The first that is answered: within a quarter of an hour, and not all at once.
        let mut back: Vec<Timestamp> =
            clients.iter().filter_map(|sent| sent.last().copied()).collect();
        assert!(back.iter().all(|at| *at >= end && *at <= end + SignedDuration::from_mins(16)));
        let most = crowd(&mut back);
        assert!(most <= 10, "{what}: {most} of 100 came within a second");
        // Nor in between, once the first retries are over.
        let mut late: Vec<Timestamp> = clients.iter().flat_map(|sent| sent[5..].to_vec()).collect();
        let most = crowd(&mut late);
        assert!(most <= 25, "{what}: {most} requests within a second");
    }
}

/// G17: full jitter. Each wait is spread evenly from its least to its most.
#[test]
fn g17_waits_are_spread_evenly() {
    const CLIENTS: u64 = 2_000;
    let until = start() + SignedDuration::from_hours(100);
    let clients: Vec<Vec<Timestamp>> =
        (0..CLIENTS).map(|seed| moments(&mut keeper(seed), Down::Unreachable, until)).collect();
    for n in 0..14 {
        let (least, most) = match n {
            0..4 => (250, 1_000 << n),
            _ => (60_000, (1_000_i64 << n).clamp(120_000, 900_000)),
        };
        let most = if n == 0 { 1_000 } else { most };
        let waits = clients.iter().map(|sent| sent[n + 1].duration_since(sent[n]).as_millis());
        let mut tenths = [0_i32; 10];
        for wait in waits {
            let wait = i64::try_from(wait).unwrap();
            assert!((least..most).contains(&wait), "wait {n}: {wait} ms");
            tenths[usize::try_from((wait - least) * 10 / (most - least)).unwrap()] += 1;
        }
        // 200 are expected in each, give or take 13 (one standard deviation).
        assert!(tenths.iter().all(|count| (140..=260).contains(count)), "wait {n}: {tenths:?}");
    }
}

/// G17: a hundred callers of one profile, each asking once or twice a minute for an hour, over ten
/// sessions of one store: together they are one client.
#[test]
fn g17_callers_of_one_profile_are_one_client() {
    for down in WAYS {
        let (stage, road) = Stage::new(&["refresh.access=new-each-time"]);
        stage.clock.advance(31 * MINUTE);
        let end = stage.clock.truth() + HOUR;
        road.set(move |now| if now < end { down.fate() } else { Fate::Carried(MINUTE / 60) });
        let sessions: Vec<Session> = (0..10).map(|_| stage.session()).collect();
        let mut calls = 0_usize;
        while let Err(error) = sessions[calls % 10].living_access_token() {
            assert_eq!(error.outcome(), Outcome::TryLater, "{down:?}: {error:?}");
            stage.clock.advance(Duration::from_millis(400));
            calls += 1;
        }
        assert!(calls > 2_000, "{calls} calls");
        // Whoever needs a token when it is back gets it within a quarter of an hour.
        let took = stage.clock.truth().duration_since(end);
        assert!(took <= SignedDuration::from_mins(16), "{down:?}: {took}");
        let tokens: Vec<_> =
            sessions.iter().map(|session| session.living_access_token().unwrap().token).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        let sent: Vec<Timestamp> = road.sent().iter().map(|sent| sent.at).collect();
        assert_patient(&format!("{down:?}"), &sent);
        assert!((6..=62).contains(&sent.len()), "{down:?}: {} requests", sent.len());
        assert_eq!(sent.iter().filter(|at| **at >= end).count(), 1, "{down:?}");
        stage.assert_alive(&format!("{down:?}"));
    }
}

/// G17: whoever waited for the lock while another one failed shares the failure; and a hundred that
/// come when all is well again make one request.
#[test]
fn g17_a_crowd_shares_one_failure_and_one_success() {
    let (stage, road) = Stage::new(&["refresh.access=new-each-time"]);
    stage.clock.advance(31 * MINUTE);
    let sessions: Vec<Session> = (0..10).map(|_| stage.session()).collect();
    let ask = |sessions: &[Session]| -> Vec<Result<snowtoken::AccessToken, Error>> {
        let barrier = Barrier::new(100);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..100)
                .map(|n| {
                    let (barrier, session) = (&barrier, &sessions[n % 10]);
                    scope.spawn(move || {
                        barrier.wait();
                        session.living_access_token()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    };
    let pause = || std::thread::sleep(Duration::from_millis(800));
    road.set(move |_| {
        pause();
        Fate::Answered(503, &[], "")
    });
    let results = ask(&sessions);
    let shared = AtomicUsize::new(0);
    for result in &results {
        let error = result.as_ref().unwrap_err();
        assert_eq!(error.outcome(), Outcome::TryLater, "{error:?}");
        if matches!(error, Error::FailedBefore { .. }) {
            shared.fetch_add(1, Ordering::SeqCst);
        }
    }
    let requests = road.sent().len();
    assert_eq!(requests, 3, "one command's attempts for all of them");
    assert_eq!(shared.into_inner(), 99);
    assert_eq!(stage.record().state, RecordState::Held);
    stage.clock.advance(20 * MINUTE);
    road.set(move |_| {
        pause();
        Fate::Carried(Duration::from_millis(200))
    });
    let tokens: Vec<_> = ask(&sessions).into_iter().map(|result| result.unwrap().token).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(road.sent().len(), requests + 1);
}
