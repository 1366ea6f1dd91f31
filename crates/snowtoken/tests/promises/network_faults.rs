//! Networks that are broken, seen from a session whose clock and sockets are real. Nothing leaves
//! this machine.

mod list;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::oauth::{Request, Response};
use snowtoken::core::token_set::Generation;
use snowtoken::http::{
    ATTEMPT_LIMIT, CONNECT_LIMIT, HttpOptions, HttpTransport, Transport, TransportError,
};
use snowtoken::store::RecordState;
use snowtoken::world::SystemClock;
use snowtoken::{Error, Outcome, Session, World};
use url::Url;

use crate::each;
use crate::stage::{Stage, StageClock, log_in, start};
use crate::support::fault_server::{FaultServer, Step};
use crate::support::requests::answer;
use list::{Fault, Ground};

/// What this machine takes beside the limits when eighty sessions wait at once.
const SLACK: Duration = Duration::from_millis(2_500);

/// One attempt, as it was made.
#[derive(Debug, Clone)]
struct Attempt {
    began: Instant,
    took: Duration,
    limit: Duration,
    /// Whether it ended before a byte of the request was sent.
    unsent: bool,
}

/// The transport of the program, with a stopwatch.
struct Watched {
    inner: HttpTransport,
    attempts: Mutex<Vec<Attempt>>,
}

impl Transport for Watched {
    fn open(&self, origin: &Url) {
        self.inner.open(origin);
    }

    fn send(&self, request: Request, limit: Duration) -> Result<Response, TransportError> {
        let began = Instant::now();
        let result = self.inner.send(request, limit);
        let unsent = matches!(&result, Err(error) if error.no_answer() == snowtoken::core::keeper::NoAnswer::NotSent);
        let attempt = Attempt { began, took: began.elapsed(), limit, unsent };
        self.attempts.lock().unwrap().push(attempt);
        result
    }
}

/// A session with tokens that have ended, to an instance at this address.
fn stage(address: &str, options: HttpOptions) -> (Stage, Session, Arc<Watched>) {
    let watched =
        Arc::new(Watched { inner: HttpTransport::new(options), attempts: Mutex::default() });
    let (instance, client, tokens) = log_in(&[]);
    let login = (Arc::new(Mutex::new(instance)), client, tokens);
    let clock = Arc::new(StageClock::new(start()));
    let mut stage = Stage::with(login, address, clock, watched.clone());
    stage.world = World { clock: Arc::new(SystemClock), ..stage.world.clone() };
    let session = stage.session();
    (stage, session, watched)
}

/// G16: every command ends in time, says that it may be tried again, and keeps the refresh token.
#[test]
fn g16_a_broken_network_ends_in_time_and_keeps_the_refresh_token() {
    let ground = Ground::new();
    let faults = list::all(&ground);
    assert!(faults.len() >= 60, "{} faults", faults.len());
    let pauses = Mutex::new(BTreeSet::new());
    each(&faults, faults.len(), |fault| {
        let what = &fault.name;
        let (stage, session, watched) = stage(&fault.address, fault.options.clone());
        let began = Instant::now();
        let error = session.refresh().unwrap_err();
        let took = began.elapsed();
        assert!(took <= Duration::from_secs(30) + SLACK, "{what}: {took:?}");
        assert!(fault.codes.contains(&error.code()), "{what}: {error:?}");
        assert_ne!(error.outcome(), Outcome::LoginNeeded, "{what}: {error:?}");
        let record = stage.record();
        assert_eq!((record.state, record.generation), (RecordState::Held, Generation(1)), "{what}");
        assert!(record.progress.next.is_some() || error.code() == Code::SignInInFront);
        let attempts = watched.attempts.lock().unwrap().clone();
        assert_in_time(fault, &attempts);
        for two in attempts.windows(2).skip(1) {
            let pause = two[1].began.duration_since(two[0].began + two[0].took);
            pauses.lock().unwrap().insert(pause.as_millis());
            let limit = Duration::from_secs(8) + SLACK;
            assert!((Duration::from_millis(250)..limit).contains(&pause), "{what}: {pause:?}");
        }
    });
    let pauses = pauses.into_inner().unwrap();
    assert!(pauses.len() > 30, "retries are spread: {pauses:?}");
}

#[track_caller]
fn assert_in_time(fault: &Fault, attempts: &[Attempt]) {
    let what = &fault.name;
    assert!(ATTEMPT_LIMIT <= Duration::from_secs(8) && CONNECT_LIMIT <= Duration::from_secs(5));
    for attempt in attempts {
        assert!(attempt.limit <= ATTEMPT_LIMIT, "{what}: {attempt:?}");
        let limit = if attempt.unsent { CONNECT_LIMIT } else { attempt.limit };
        assert!(attempt.took <= limit + SLACK, "{what}: {attempt:?}");
    }
    // Whatever may pass by itself is tried again.
    let most = if fault.codes.contains(&Code::SignInInFront) { 1..=1 } else { 2..=5 };
    assert!(most.contains(&attempts.len()), "{what}: {} attempts", attempts.len());
}

/// G16: an address that does not answer holds nobody up where another one does.
#[test]
fn g16_a_broken_ipv6_is_passed_by() {
    let tokens = r#"{"access_token":"a","token_type":"Bearer","expires_in":1799}"#;
    let good = vec![Step::Read, Step::Send(answer(200, "", tokens))];
    // It listens on 127.0.0.1 only; `localhost` is ::1 as well.
    let server = FaultServer::always(good);
    let address = format!("http://localhost:{}", server.port());
    let (_stage, session, watched) = stage(&address, HttpOptions::default());
    session.refresh().unwrap();
    let attempts = watched.attempts.lock().unwrap().clone();
    assert_eq!(attempts.len(), 1);
    assert!(attempts[0].took < Duration::from_secs(2), "{attempts:?}");
}

/// G16: what was lost on a network that is whole again: the same refresh token works at once.
#[test]
fn g16_when_the_network_is_back_the_session_goes_on() {
    let tokens = r#"{"access_token":"a","token_type":"Bearer","expires_in":1799}"#;
    let good = vec![Step::Read, Step::Send(answer(200, "", tokens))];
    for broken in
        [vec![], vec![Step::Peek], vec![Step::Read], vec![Step::Read, Step::Send(b"HT".to_vec())]]
    {
        let server = FaultServer::start(vec![broken, good.clone()]);
        let (_stage, session, watched) = stage(&server.url(""), HttpOptions::default());
        let refreshed: Result<_, Error> = session.refresh();
        assert_eq!(refreshed.unwrap().record.tokens.access_token.expose(), "a");
        assert_eq!(watched.attempts.lock().unwrap().len(), 2);
        let tokens: BTreeSet<String> = server
            .texts()
            .iter()
            .filter_map(|text| text.split("refresh_token=").last().map(str::to_owned))
            .collect();
        assert_eq!(tokens.len(), 1, "one refresh token in all requests");
    }
}
