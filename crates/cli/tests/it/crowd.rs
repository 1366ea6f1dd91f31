//! Crowds: however many processes and threads want a token at once, one of them refreshes, and all
//! get what it brought.
//!
//! The library is used here as any program would use it.

mod foreign;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use snowtoken::store::key::{KeySource, Keys};
use snowtoken::{ProfileName, Session, World};

use crate::support::instance::{Instance, PROFILE, log_in, paste};
use crate::support::proxy::{Connection, Proxy};
use crate::support::sandbox::Sandbox;
use crate::support::stampede::{Ended, Stampede};
use crate::support::stand_in::StandIn;

/// How long the instance takes for a token request.
const ROUND_TRIP: Duration = Duration::from_millis(300);

/// A crowd comes to an end in this time and the round trip, also on a machine that is busy with
/// other tests. What it takes on a quiet one is measured by `cargo xtask bench --crowd`.
const CROWD_LIMIT: Duration = Duration::from_secs(15);

/// The usual count, or the one of a long run.
fn counts(usual: usize, full: usize) -> usize {
    if std::env::var("SNOWTOKEN_TEST_COUNTS").as_deref() == Ok("full") { full } else { usual }
}

/// An instance that gives new tokens each time, refresh tokens too, and takes its time for it.
fn slow_and_rotating() -> StandIn {
    StandIn::with(&["refresh.access=new-each-time", "refresh.token=rotate"])
}

fn take_time(server: &StandIn) {
    for knob in ["fault.path=/oauth_token.do", "fault.delay=300", "fault.kind=slow"] {
        server.set(knob);
    }
}

/// Has a token stored that ends soon, and waits for its end.
fn expire(server: &StandIn, sandbox: &Sandbox) {
    server.set("lifespan.access=2");
    sandbox.run(&["refresh", PROFILE]).ok();
    server.set("lifespan.access=1800");
    std::thread::sleep(Duration::from_millis(1_050));
}

/// The refresh tokens that were sent, in order.
fn sent(server: &dyn Instance) -> Vec<String> {
    server.token_requests().iter().filter_map(|request| request.field("refresh_token")).collect()
}

/// G19, seen from the instance that rotates: no refresh token is sent twice, so none is sent after
/// another one came in its place.
#[track_caller]
fn each_was_sent_once(server: &dyn Instance) {
    let mut times = BTreeMap::<String, usize>::new();
    for token in sent(server) {
        *times.entry(token).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "{:?}", times.values());
}

/// All of them got this one token, and in time.
#[track_caller]
fn one_for_all(server: &dyn Instance, ended: Ended, round: usize) -> String {
    let took = ended.took;
    let tokens: Vec<_> = ended.outcomes.into_iter().map(|o| o.ok().token()).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "round {round}");
    assert!(server.is_alive(&tokens[0]), "round {round}");
    assert!(took < CROWD_LIMIT + ROUND_TRIP, "round {round} took {took:?}");
    tokens[0].clone()
}

/// G1: a thousand processes, one refresh, a thousand equal tokens that live.
#[test]
fn g1_a_thousand_processes_make_one_refresh() {
    let (server, sandbox) = (slow_and_rotating(), Sandbox::new());
    log_in(&sandbox, &server);
    take_time(&server);
    for round in 0..counts(1, 100) {
        expire(&server, &sandbox);
        let before = server.token_requests().len();
        let mut crowd = Stampede::new(&sandbox);
        for _ in 0..1_000 {
            crowd.add(&sandbox.command(&["token", PROFILE]));
        }
        one_for_all(&server, crowd.run(), round);
        assert_eq!(server.token_requests().len(), before + 1, "round {round}");
    }
    each_was_sent_once(&server);
}

/// Threads of one process, as many as a busy service has.
const THREADS: usize = 64;

/// Set where this program plays a service that uses the library.
const SERVICE: &str = "CROWD_SERVICE";

/// The service: four sessions, each shared by sixteen threads that all want the token at once.
#[test]
fn g2_service() {
    if std::env::var_os(SERVICE).is_none() {
        return;
    }
    let name = ProfileName::parse(PROFILE).unwrap();
    let key = std::env::var_os("SNOWTOKEN_KEY_FILE").unwrap();
    let keys = Keys::from(KeySource::File(key.into()));
    let open = || Session::open(World::real(None), &name, &keys).unwrap();
    let sessions: Vec<Session> = (0..4).map(|_| open()).collect();
    let barrier = std::sync::Barrier::new(THREADS);
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let ask = |session: &Session| {
            barrier.wait();
            session.living_access_token().unwrap().token.expose().to_owned()
        };
        let threads: Vec<_> = (0..THREADS)
            .map(|n| &sessions[n % sessions.len()])
            .map(|session| scope.spawn(move || ask(session)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(tokens.len(), THREADS);
    for token in tokens {
        println!("got {token}");
    }
}

/// G2: 64 threads in each of 16 processes that use the library, and 16 commands among them.
#[test]
fn g2_threads_processes_and_commands_make_one_refresh() {
    let (server, sandbox) = (slow_and_rotating(), Sandbox::new());
    log_in(&sandbox, &server);
    take_time(&server);
    for round in 0..counts(5, 500) {
        expire(&server, &sandbox);
        let before = server.token_requests().len();
        let mut crowd = Stampede::new(&sandbox);
        for _ in 0..16 {
            let mut service = sandbox.program(std::env::current_exe().unwrap());
            service.args(["--exact", "crowd::g2_service", "--nocapture"]).env(SERVICE, "1");
            crowd.add(&service);
            crowd.add(&sandbox.command(&["token", PROFILE]));
        }
        let mut ended = crowd.run();
        let mut got = 0;
        for outcome in &mut ended.outcomes {
            let lines = outcome.stdout.lines().filter_map(|line| line.strip_prefix("got "));
            let tokens: Vec<_> = lines.map(str::to_owned).collect();
            got += tokens.len();
            if let Some(first) = tokens.first() {
                assert!(tokens.iter().all(|token| token == first), "round {round}");
                outcome.stdout = format!("{first}\n");
            }
        }
        assert_eq!(got, 16 * THREADS, "round {round}: {:?}", ended.outcomes);
        one_for_all(&server, ended, round);
        assert_eq!(server.token_requests().len(), before + 1, "round {round}");
    }
    each_was_sent_once(&server);
}

/// G26, G19: a logout in the middle of a crowd. What was handed out before it is dead after it,
/// and nothing is handed out any more.
#[test]
fn g26_a_logout_in_the_middle_of_a_crowd_ends_everything() {
    let (server, sandbox) = (slow_and_rotating(), Sandbox::new());
    // Those from before the refresh end with it: only what the crowd gets is looked at.
    server.set("refresh.old_access=dies");
    log_in(&sandbox, &server);
    for round in 0..counts(3, 100) {
        expire(&server, &sandbox);
        let mut crowd = Stampede::new(&sandbox);
        for n in 0..60 {
            let verb = if n == 20 + round % 40 { "logout" } else { "token" };
            crowd.add(&sandbox.command(&[verb, PROFILE]));
        }
        for outcome in crowd.run().outcomes {
            let outcome = outcome.ended_with(&[0, 4]);
            if outcome.code == Some(0) && !outcome.stdout.is_empty() {
                assert!(!server.is_alive(&outcome.token()), "round {round}: it lives on");
            }
        }
        sandbox.run(&["token", PROFILE]).failed_with(&[4]);
        paste(sandbox.start(&["login", PROFILE, "--no-browser", "--no-output"]), &server).ok();
    }
}

/// The most requests that were under way at one moment.
fn most_at_once(connections: &[Connection]) -> usize {
    let spans: Vec<(Instant, Instant)> =
        connections.iter().filter_map(|c| Some((c.first_byte?, c.answered?))).collect();
    let at = |moment: Instant| {
        spans.iter().filter(|(start, end)| *start <= moment && moment < *end).count()
    };
    spans.iter().map(|(start, _)| at(*start)).max().unwrap_or_default()
}

/// Two hundred profiles of one instance do not all come to it at once.
#[test]
fn two_hundred_profiles_of_an_instance_come_eight_at_a_time() {
    let (server, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &server);
    sandbox.run(&["refresh", PROFILE]).ok();
    let refresh_token = sent(&server).pop().unwrap();
    let port = server.origin().rsplit(':').next().unwrap().parse().unwrap();
    let proxy = Proxy::delaying(port, Duration::ZERO);
    let file = serde_json::json!({
        "instance": proxy.url(),
        "client_id": server.client_id(),
        "client_secret": server.client_secret(),
        "refresh_token": refresh_token,
    });
    let file = sandbox.file("import.json", file.to_string()).display().to_string();
    let names: Vec<String> = (0..200).map(|n| format!("p{n}")).collect();
    for name in &names {
        sandbox.run(&["profile", "import", "--name", name, "--no-verify", &file]).ok();
    }
    for knob in ["fault.path=/oauth_token.do", "fault.delay=100", "fault.kind=slow"] {
        server.set(knob);
    }
    let mut crowd = Stampede::new(&sandbox);
    for name in &names {
        crowd.add(&sandbox.command(&["token", name]));
    }
    let ended = crowd.run();
    ended.outcomes.into_iter().for_each(|outcome| drop(outcome.ok().token()));
    assert!(ended.took < Duration::from_secs(30), "{:?}", ended.took);
    let connections = proxy.connections();
    let asked = connections.iter().filter(|c| c.answered.is_some()).count();
    assert_eq!(asked, names.len());
    let most = most_at_once(&connections);
    assert!((2..=8).contains(&most), "{most} at once");
}

/// G27: a store that cannot be written is no reason to say that all is over.
#[test]
fn g27_a_logout_that_cannot_be_noted_says_what_is_left() {
    let (server, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &server);
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    let mut holder = sandbox.program("python3");
    let script = "import sqlite3, sys\n\
        store = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
        store.execute('BEGIN IMMEDIATE')\n\
        print('held', file=sys.stderr, flush=True)\n\
        sys.stdin.readline()\n";
    holder.args(["-c", script]).arg(sandbox.keep().join("store/tokens.db"));
    let holder = crate::support::process::Running::start(holder);
    holder.stderr_line(|line| line == "held");
    let (outcome, code) = sandbox.run(&["logout", PROFILE]).failed_with(&[5, 6]);
    assert_eq!(code.as_deref(), Some("store-locked"));
    assert!(outcome.stderr.contains("kept: the tokens, as they were"), "{outcome:#?}");
    assert!(server.is_alive(&token), "nothing was to be revoked");
    holder.kill();
    sandbox.run(&["logout", PROFILE]).ok();
    assert!(!server.is_alive(&token));
}
