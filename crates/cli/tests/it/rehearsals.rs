//! Every failure can be seen where nothing is real: what `explain` shows as the way to see it is run
//! as it stands, and must end with that code. What needs more than one command has its test below.

use std::sync::Mutex;

use crate::support::instance::{
    Consent, Instance as _, PROFILE, console_uri, first_login, log_in, parameter, with_parameter,
    words,
};
use crate::support::process::{Outcome, Running};
use crate::support::sandbox::{BINARY, Sandbox};
use crate::support::stand_in::StandIn;

/// So many at once: most of each is waiting.
const THREADS: usize = 4;

/// The code in the last line of a failure.
fn code(outcome: &Outcome) -> &str {
    let line = outcome.stderr.lines().rev().find_map(|line| line.strip_prefix("code: "));
    line.and_then(|line| line.split_whitespace().next()).unwrap_or_default()
}

/// Each code that has one, with the command line that shows it.
fn rehearsals() -> Vec<(String, String)> {
    let sandbox = Sandbox::new();
    let list = sandbox.run(&["explain", "--list"]).ok().stdout;
    let mut found = Vec::new();
    for code in list.lines().filter_map(|line| line.split_whitespace().next()) {
        let told = sandbox.run(&["explain", code, "--json"]).ok().json();
        if let Some(command) = told["diagnoses"][0]["rehearsal"]["command"].as_str() {
            found.push((code.to_owned(), command.to_owned()));
        }
    }
    found
}

#[test]
fn each_rehearsal_ends_with_the_code_it_shows() {
    let all = rehearsals();
    assert!(all.len() >= 40, "{}", all.len());
    let (left, wrong) = (Mutex::new(all), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap().pop();
                    let Some((expected, command)) = next else { return };
                    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
                    let outcome = Sandbox::new().run(&arguments);
                    if code(&outcome) != expected || outcome.code == Some(0) {
                        wrong.lock().unwrap().push(format!("{expected}: {command}: {outcome:#?}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A port that was free a moment ago is somebody else's by now: nobody waits for a page that never comes.
#[test]
fn a_login_that_cannot_begin_ends_the_rehearsal() {
    let sandbox = Sandbox::new();
    let mut strace = sandbox.program("/usr/bin/strace");
    let third = "inject=listen:error=EADDRINUSE:when=3+";
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=listen", "-e", third]);
    strace.args([BINARY, "rehearse", "--yes"]);
    let mut running = Running::start(strace);
    running.close_stdin();
    assert_eq!(code(&running.finish()), "port-busy");
}

/// A second login at which `make` of the true redirected URL is pasted.
fn paste(make: impl Fn(&str) -> String) -> Outcome {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &instance);
    let mut running = sandbox.start(&words(&["login", PROFILE, "--no-browser"]));
    let redirected = instance.consent(&running.authorization_url(), Consent::Allow);
    running.write(format!("{}\n", make(&redirected)));
    running.close_stdin();
    running.finish()
}

#[test]
fn a_paste_that_is_refused_has_its_own_code() {
    type Make = fn(&str) -> String;
    let cases: [(&str, Make); 7] = [
        ("redirect-empty", |_| String::new()),
        ("redirect-unreadable", |_| "not a URL at all".into()),
        ("redirect-too-long", |url| format!("{url}&x={}", "y".repeat(80 * 1024))),
        ("redirect-bare-code", |url| parameter(url, "code").unwrap()),
        ("redirect-repeated-parameter", |url| format!("{url}&code=another-code-0123456789")),
        ("redirect-elsewhere", |url| url.replace("us-west-2", "eu-central-1")),
        ("state-mismatch", |url| with_parameter(url, "state", "0123456789abcdefghijklmnopqrstuv")),
    ];
    for (expected, make) in cases {
        let outcome = paste(make);
        assert_eq!(code(&outcome), expected, "{outcome:#?}");
    }
}

#[test]
fn errors_of_the_redirect_have_their_codes() {
    for (error, expected) in [
        ("access_denied", "access-denied"),
        ("invalid_scope", "scope-refused"),
        ("unauthorized_client", "authorization-refused"),
        ("server_error", "authorization-refused"),
    ] {
        let outcome = paste(|url| {
            let state = parameter(url, "state").unwrap();
            format!("{}?error={error}&state={state}", console_uri("us-west-2"))
        });
        assert_eq!(code(&outcome), expected, "{outcome:#?}");
    }
}

#[test]
fn a_wait_that_nobody_ends_has_its_own_code() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &instance);
    let running = sandbox.start(&words(&["login", PROFILE, "--no-browser", "--wait", "1s"]));
    let outcome = running.finish();
    assert_eq!(code(&outcome), "consent-timeout", "{outcome:#?}");
}

#[test]
fn a_client_without_its_user_is_named_as_that() {
    let (instance, sandbox) = (StandIn::with(&["client_credentials.enabled=on"]), Sandbox::new());
    let mut arguments = first_login(&sandbox, &instance);
    arguments.extend(words(&["--grant", "client-credentials"]));
    let outcome = sandbox.run(&arguments);
    assert_eq!(code(&outcome), "application-user-missing", "{outcome:#?}");
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn a_desk_with_tokens_has_its_own_failures() {
    let (instance, sandbox) = (StandIn::with(&["refresh.access=new-each-time"]), Sandbox::new());
    log_in(&sandbox, &instance);
    let file = sandbox.path("files/delivered.json").display().to_string();
    sandbox.run(&["deliver", PROFILE, "--format", "json", "--output", &file]).ok();
    sandbox.run(&["refresh", PROFILE]).ok();
    for (arguments, expected, exit) in [
        (&["deliver", PROFILE, "--check"][..], "delivery-drifted", 3),
        (&["exec", PROFILE, "--", "no-such-program"], "program-not-started", 1),
        (&["status", PROFILE, "--within", "9999d"], "deadline-near", 3),
    ] {
        let outcome = sandbox.run(arguments);
        assert_eq!((code(&outcome), outcome.code), (expected, Some(exit)), "{outcome:#?}");
    }
}
