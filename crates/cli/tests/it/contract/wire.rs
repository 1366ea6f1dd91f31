//! §7.7, §7.8, §7.17 and §7.20: what goes over the wire, where to, and how long it takes.

use std::time::{Duration, Instant};

use crate::support::foreign::{Foreign, Kind};
use crate::support::instance::{
    Consent, Instance, PROFILE, first_login, log_in, log_in_with, parameter, paste, words,
};
use crate::support::process::Running;
use crate::support::proxy::Proxy;
use crate::support::sandbox::{BINARY, Sandbox};

const ALLOWED: [&str; 7] =
    ["grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier", "state"];

#[test]
fn item_7_the_token_request_has_each_parameter_once_and_nothing_else() {
    for kind in [Kind::OidcProvider, Kind::NodeOauth, Kind::Authlib] {
        let (server, sandbox) = (Foreign::usual(kind), Sandbox::new());
        log_in(&sandbox, &server);
        let requests = server.token_requests();
        assert_eq!(requests.len(), 1, "{kind:?}: one request for a code");
        let request = &requests[0];
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/oauth_token.do"));
        assert!(!request.has_header("authorization"), "{kind:?}: {request:#?}");
        assert!(!request.has_header("cookie"), "{kind:?}: {request:#?}");
        let mut names: Vec<_> = request.form().into_iter().map(|(name, _)| name).collect();
        assert!(names.iter().all(|name| ALLOWED.contains(&name.as_str())), "{kind:?}: {names:?}");
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{kind:?}: a parameter is there twice");
        assert_eq!(request.field("redirect_uri"), Some(server.redirect_uri()));
        // RFC 7636, section 4.1.
        let verifier = request.field("code_verifier").unwrap();
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        assert!((43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved));
    }
}

#[test]
fn item_7_the_authorization_url_has_a_state_and_a_challenge() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    let arguments = first_login(&sandbox, &server);
    let mut states = Vec::new();
    for _ in 0..3 {
        let running = sandbox.start(&arguments);
        let url = running.authorization_url();
        running.kill();
        assert!(url.starts_with(&format!("{}/oauth_auth.do?", server.origin())), "{url}");
        assert_eq!(parameter(&url, "code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(parameter(&url, "code_challenge").map(|c| c.len()), Some(43));
        assert_eq!(parameter(&url, "redirect_uri"), Some(server.redirect_uri()));
        let state = parameter(&url, "state").unwrap();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        assert!(state.len() >= 22 && state.bytes().all(plain), "{state}");
        assert!(!states.contains(&state), "a state came twice");
        states.push(state);
        assert!(!url.contains("s3cr"), "{url}");
    }
}

#[test]
fn item_8_the_token_is_proved_by_a_call_before_it_is_believed() {
    let (server, sandbox) = (Foreign::usual(Kind::NodeOauth), Sandbox::new());
    log_in(&sandbox, &server);
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    let calls = server.api_requests();
    let bearer = ("Bearer ".to_owned() + &token, 200);
    let proved = calls.iter().any(|call| {
        let header = call.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("authorization"));
        call.method == "GET"
            && header.map(|(_, v)| (v.clone(), call.status)) == Some(bearer.clone())
    });
    assert!(proved, "{calls:#?}");
    assert!(calls.iter().all(|call| !call.target.contains(&token)), "a token is in a URL");
    assert!(calls.iter().all(|call| call.status == 200), "a table was asked that is not there");
    let before = server.api_requests().len();
    log_in_with(&sandbox, &server, &["--no-output", "--no-verify"]).ok();
    assert_eq!(server.api_requests().len(), before, "--no-verify makes no call");
}

#[test]
fn item_17_no_proxy_hears_of_a_loopback_address() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    let trap = Proxy::trap();
    let arguments = [first_login(&sandbox, &server), words(&["--no-output"])].concat();
    let set = |mut command: std::process::Command| {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, trap.url()).env(name.to_lowercase(), trap.url());
        }
        command.env_remove("NO_PROXY");
        Running::start(command)
    };
    paste(set(sandbox.command(&arguments)), &server).ok();
    set(sandbox.command(&["refresh", PROFILE])).finish().ok();
    set(sandbox.command(&["verify", PROFILE])).finish().ok();
    set(sandbox.command(&["revoke", PROFILE])).finish().ok();
    assert_eq!(trap.connections().len(), 0);
}

#[test]
fn item_17_nothing_else_is_contacted() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    let trace = sandbox.path("connects.txt");
    let traced = |arguments: &[String]| {
        let mut command = sandbox.command(&[] as &[&str]);
        command = {
            let mut strace = sandbox.program("/usr/bin/strace");
            strace.envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
            strace.args(["-f", "-qq", "-A", "-e", "trace=connect,sendto,sendmsg", "-o"]);
            strace.arg(&trace).arg(BINARY).args(arguments);
            strace
        };
        Running::start(command)
    };
    let arguments = [first_login(&sandbox, &server), words(&["--no-output"])].concat();
    paste(traced(&arguments), &server).ok();
    for verb in ["token", "refresh", "verify", "status", "revoke"] {
        traced(&words(&[verb, PROFILE])).finish().ok();
    }
    let text = std::fs::read_to_string(&trace).unwrap();
    let inet: Vec<_> = text.lines().filter(|line| line.contains("AF_INET")).collect();
    assert!(!inet.is_empty(), "the trace saw nothing: {text}");
    let ours = format!("sin_port=htons({}), sin_addr=inet_addr(\"127.0.0.1\")", server.port());
    let strange: Vec<_> = inet.iter().filter(|line| !line.contains(&ours)).collect();
    assert!(strange.is_empty(), "{strange:#?}");
}

#[test]
fn item_20_the_connection_is_open_before_the_paste_and_little_is_asked_after_it() {
    // One keeps connections open, the other closes them after each answer.
    for kind in [Kind::NodeOauth, Kind::Authlib] {
        let round_trips = round_trips_after_the_paste(kind, Duration::from_millis(200));
        assert!(round_trips <= 3.5, "{kind:?}: {round_trips:.2} round trips from paste to exit");
    }
}

fn round_trips_after_the_paste(kind: Kind, delay: Duration) -> f64 {
    let (server, sandbox) = (Foreign::usual(kind), Sandbox::new());
    log_in(&sandbox, &server);
    let proxy = Proxy::delaying(server.port(), delay);
    let mut arguments = [first_login(&sandbox, &server), words(&["--no-output"])].concat();
    arguments[3] = proxy.url();
    let mut running = sandbox.start(&arguments);
    let redirected = server.consent(&running.authorization_url(), Consent::Allow);
    let end = Instant::now() + Duration::from_secs(2);
    while proxy.connections().is_empty() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!proxy.connections().is_empty(), "no connection was opened while the person was away");
    // A person takes longer than a handshake.
    std::thread::sleep(delay * 4);
    let start = Instant::now();
    running.write(format!("{redirected}\n"));
    running.finish().ok();
    start.elapsed().as_secs_f64() / (delay * 2).as_secs_f64()
}
