//! §7.13 to §7.16: token, refresh, revoke, logout, profile and verify.

use std::time::{Duration, Instant};

use crate::support::foreign::{Foreign, Kind, Options};
use crate::support::instance::{Instance, PROFILE, first_login, log_in, paste, words};
use crate::support::proxy::Proxy;
use crate::support::sandbox::Sandbox;

fn living_for(seconds: u64) -> (Foreign, Sandbox) {
    let options = Options { access_token_lifespan: seconds, ..Options::default() };
    let (server, sandbox) = (Foreign::start(Kind::OidcProvider, options), Sandbox::new());
    log_in(&sandbox, &server);
    (server, sandbox)
}

#[test]
fn item_13_a_living_token_is_printed_without_asking_anybody() {
    let (server, sandbox) = living_for(900);
    let before = server.received().len();
    let outcome = sandbox.run(&["token", PROFILE]).ok();
    assert_eq!(outcome.stdout, format!("{}\n", outcome.token()));
    assert_eq!(server.received().len(), before, "nobody is asked for a living token");
    assert!(server.is_alive(&outcome.token()));
    // A server that is gone is no reason to fail either.
    drop(server);
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), outcome.token());
}

#[test]
fn item_13_too_little_time_left_means_a_refresh() {
    let (server, sandbox) = living_for(900);
    let first = sandbox.run(&["token", PROFILE]).ok().token();
    let asked = server.token_requests().len();
    let enough = sandbox.run(&["token", PROFILE, "--min-valid", "10m"]).ok().token();
    assert_eq!((enough, server.token_requests().len()), (first.clone(), asked));
    let outcome = sandbox.run(&["token", PROFILE, "--min-valid", "20m"]);
    assert_eq!(server.token_requests().len(), asked + 1);
    // The server gives 15 minutes at most: whatever is said about that, the new token is kept.
    assert!(outcome.code.is_some_and(|code| [0, 1, 4, 5].contains(&code)), "{outcome:#?}");
    let second = sandbox.run(&["token", PROFILE]).ok().token();
    assert!(second != first && server.is_alive(&second));
}

#[test]
fn item_13_an_expired_token_is_refreshed() {
    let (server, sandbox) = living_for(2);
    let asked = server.token_requests().len();
    std::thread::sleep(Duration::from_secs(3));
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    assert!(server.token_requests().len() > asked);
    assert!(server.is_alive(&token));
}

#[test]
fn item_13_many_processes_share_one_refresh() {
    let options = Options { access_token_lifespan: 900, rotate: true, ..Options::default() };
    let (server, sandbox) = (Foreign::start(Kind::NodeOauth, options), Sandbox::new());
    // Slow enough that all of them want a refresh while it runs.
    let proxy = Proxy::delaying(server.port(), Duration::from_millis(250));
    let mut arguments = [first_login(&sandbox, &server), words(&["--no-output"])].concat();
    arguments[3] = proxy.url();
    paste(sandbox.start(&arguments), &server).ok();
    // Six seconds later it has less than 895 s left: ten processes want a new one at once.
    std::thread::sleep(Duration::from_secs(6));
    let before = server.token_requests().len();
    let ask = ["token", PROFILE, "--min-valid", "895s"];
    let all: Vec<_> = (0..10).map(|_| sandbox.start(&ask)).collect();
    let tokens: Vec<_> = all.into_iter().map(|r| r.finish().ok().token()).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    assert!(server.is_alive(&tokens[0]));
    assert_eq!(server.token_requests().len(), before + 1, "ten processes, one refresh");
}

#[test]
fn item_14_refresh_asks_the_server_once_each_time() {
    for kind in [Kind::OidcProvider, Kind::NodeOauth, Kind::Authlib] {
        let (server, sandbox) = (Foreign::usual(kind), Sandbox::new());
        log_in(&sandbox, &server);
        for round in 1..=3 {
            sandbox.run(&["refresh", PROFILE]).ok();
            assert_eq!(server.token_requests().len(), 1 + round, "{kind:?}");
        }
        let requests = server.token_requests();
        let sent: Vec<_> = requests[1..].iter().map(|r| r.field("refresh_token")).collect();
        // None of these rotates here, and two do not even repeat the token in their answer.
        assert!(
            sent.iter().all(|token| token.is_some() && *token == sent[0]),
            "{kind:?}: {sent:?}"
        );
    }
}

#[test]
fn item_14_a_dead_refresh_token_means_a_person_must_log_in() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in(&sandbox, &server);
    // Somebody else ends the grant: the store does not know.
    let sent = server.token_requests().len();
    sandbox.run(&["refresh", PROFILE]).ok();
    let refresh_token = server.token_requests()[sent].field("refresh_token").unwrap();
    let url = url::Url::parse(&format!("{}/oauth_revoke_token.do", server.origin())).unwrap();
    let fields = [
        ("token", refresh_token.as_str()),
        ("client_id", &server.client_id()),
        ("client_secret", &server.client_secret()),
    ];
    assert_eq!(crate::support::http::Client::default().post(&url, &fields).status, 200);
    let sent = server.token_requests().len();
    let (outcome, _) = sandbox.run(&["refresh", PROFILE]).failed_with(&[4]);
    assert!(outcome.stderr.contains("snowtoken login"), "{outcome:#?}");
    assert!(server.token_requests().len() <= sent + 2);
    paste(sandbox.start(&["login", PROFILE, "--no-browser"]), &server).ok();
    sandbox.run(&["refresh", PROFILE]).ok();
}

#[test]
fn item_15_revoke_and_logout_end_both_tokens_and_no_url_names_them() {
    for kind in [Kind::OidcProvider, Kind::Authlib] {
        for verb in ["revoke", "logout"] {
            let (server, sandbox) = (Foreign::usual(kind), Sandbox::new());
            log_in(&sandbox, &server);
            sandbox.run(&["refresh", PROFILE]).ok();
            let access = sandbox.run(&["token", PROFILE]).ok().token();
            let refresh = server.token_requests()[1].field("refresh_token").unwrap();
            sandbox.run(&[verb, PROFILE]).ok();
            assert!(!server.is_alive(&access), "{kind:?} {verb}");
            let all = server.received();
            let revocations = all.iter().filter(|r| r.is_to("/oauth_revoke_token.do"));
            let bodies: Vec<_> = revocations
                .map(|request| {
                    assert_eq!(request.method, "POST");
                    request.field("token").unwrap_or_default()
                })
                .collect();
            assert!(bodies.contains(&refresh), "{kind:?} {verb}: {bodies:?}");
            for token in [&access, &refresh] {
                assert!(all.iter().all(|request| !request.target.contains(token.as_str())));
            }
            sandbox.run(&["token", PROFILE]).failed_with(&[4]);
            sandbox.run(&["refresh", PROFILE]).failed_with(&[4]);
        }
    }
}

#[test]
fn item_16_profile_and_verify_say_what_they_must() {
    let (server, sandbox) = (Foreign::usual(Kind::NodeOauth), Sandbox::new());
    log_in(&sandbox, &server);
    let shown = sandbox.run(&["profile", "show", PROFILE]).ok().stdout;
    assert!(shown.contains(&server.origin()) && shown.contains(&server.client_id()), "{shown}");
    assert!(!shown.contains(&server.client_secret()), "{shown}");
    let list = sandbox.run(&["profile", "list"]).ok().stdout;
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    assert!(names.into_iter().any(|name| name == PROFILE), "{list}");
    sandbox.run(&["verify", PROFILE]).ok();
}

#[test]
fn item_19_a_holder_that_was_killed_delays_nobody() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    let proxy = Proxy::delaying(server.port(), Duration::from_millis(400));
    let mut arguments = [first_login(&sandbox, &server), words(&["--no-output"])].concat();
    arguments[3] = proxy.url();
    paste(sandbox.start(&arguments), &server).ok();
    for wait in [20, 100, 300, 700, 1000] {
        let running = sandbox.start(&["refresh", PROFILE]);
        std::thread::sleep(Duration::from_millis(wait));
        running.kill();
        let start = Instant::now();
        sandbox.run(&["token", PROFILE]).ok();
        sandbox.run(&["refresh", PROFILE]).ok();
        assert!(
            start.elapsed() < Duration::from_secs(5 + 3),
            "after {wait} ms: {:?}",
            start.elapsed()
        );
    }
    // A login that was killed while it waited for the person.
    let running = sandbox.start(&["login", PROFILE, "--no-browser"]);
    running.authorization_url();
    running.kill();
    let start = Instant::now();
    sandbox.run(&["token", PROFILE]).ok();
    assert!(start.elapsed() < Duration::from_secs(5));
}
