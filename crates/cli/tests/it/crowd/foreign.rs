//! The same at a server that nobody in this project wrote, with rotation on: a refresh token that
//! is used twice ends everything there.

use std::time::Duration;

use super::{counts, each_was_sent_once, one_for_all};
use crate::support::foreign::{Foreign, Kind, Options};
use crate::support::instance::{Instance, PROFILE, first_login, log_in, paste, words};
use crate::support::process::Outcome;
use crate::support::proxy::Proxy;
use crate::support::sandbox::Sandbox;
use crate::support::stampede::Stampede;

fn rotating(access_token_lifespan: u64) -> Foreign {
    let options = Options { rotate: true, access_token_lifespan, ..Options::default() };
    Foreign::start(Kind::OidcProvider, options)
}

/// V28: 64 processes at each expiry; fifty refreshes one after the other in between.
#[test]
fn v28_a_stampede_at_a_rotating_server_is_one_refresh_each_time() {
    let (server, sandbox) = (rotating(8), Sandbox::new());
    log_in(&sandbox, &server);
    for round in 0..counts(2, 50) {
        std::thread::sleep(Duration::from_millis(8_100));
        let before = server.token_requests().len();
        let mut crowd = Stampede::new(&sandbox);
        for _ in 0..64 {
            crowd.add(&sandbox.command(&["token", PROFILE]));
        }
        one_for_all(&server, crowd.run(), round);
        assert_eq!(server.token_requests().len(), before + 1, "round {round}");
        for _ in 0..25 {
            sandbox.run(&["refresh", PROFILE]).ok();
        }
        assert_eq!(server.token_requests().len(), before + 26, "round {round}");
    }
    each_was_sent_once(&server);
}

/// The session goes on, or it is said that an answer was lost; then a login mends it.
fn goes_on_or_says_so(server: &dyn Instance, sandbox: &Sandbox, outcome: Outcome) -> bool {
    let lives = outcome.code == Some(0);
    if !lives {
        let (outcome, code) = outcome.failed_with(&[4]);
        assert_eq!(code.as_deref(), Some("token-refused"), "{outcome:#?}");
        assert!(outcome.stderr.contains("was lost"), "{outcome:#?}");
        paste(sandbox.start(&["login", PROFILE, "--no-browser", "--no-output"]), server).ok();
    }
    assert!(server.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()));
    lives
}

/// A process that is killed while it refreshes, at any moment.
#[test]
fn v29_a_kill_in_the_middle_of_a_rotation_is_survived_or_told() {
    let (server, sandbox) = (rotating(900), Sandbox::new());
    log_in(&sandbox, &server);
    let moments = counts(16, 200);
    let mut lived = 0;
    for n in 0..moments {
        let running = sandbox.start(&["refresh", PROFILE]);
        // From before its first system call to after its last one.
        std::thread::sleep(Duration::from_micros(n as u64 * 80_000 / moments as u64));
        running.kill();
        let outcome = sandbox.run(&["refresh", PROFILE]);
        lived += usize::from(goes_on_or_says_so(&server, &sandbox, outcome));
    }
    assert!(lived * 2 > moments, "{lived} of {moments} went on");
}

/// The server has rotated, and the road loses its answer.
#[test]
fn v29_a_lost_answer_of_a_rotation_is_told() {
    let (server, sandbox) = (rotating(900), Sandbox::new());
    let proxy = Proxy::delaying(server.port(), Duration::ZERO);
    let mut arguments = [first_login(&sandbox, &server), words(&["--no-output"])].concat();
    arguments[3] = proxy.url();
    paste(sandbox.start(&arguments), &server).ok();
    for _ in 0..counts(3, 30) {
        sandbox.run(&["refresh", PROFILE]).ok();
        proxy.lose_answers(true);
        let (_, code) = sandbox.run(&["refresh", PROFILE]).failed_with(&[5]);
        assert_eq!(code.as_deref(), Some("connection-lost"));
        proxy.lose_answers(false);
        // There is no grace there: nobody could have kept it, and nobody says that it was refused
        // for another reason.
        let outcome = sandbox.run(&["refresh", PROFILE]);
        assert!(!goes_on_or_says_so(&server, &sandbox, outcome));
    }
}
