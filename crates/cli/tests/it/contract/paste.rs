//! §7.5, §7.10 and §7.12: what is pasted, and what is refused.

use crate::support::foreign::{Foreign, Kind};
use crate::support::http;
use crate::support::instance::{
    Consent, Instance, PROFILE, console_uri, first_login, free_redirect_uri, log_in, parameter,
    with_parameter, words,
};
use crate::support::process::Outcome;
use crate::support::sandbox::Sandbox;

/// A name, and what it makes of a text.
type Change<'a> = (&'a str, &'a dyn Fn(&str) -> String);

const PROMPT: &str = "Enter the redirected URL:";

/// A login at which this is pasted; `make` gets the URL that the browser really ended at.
fn pasting(sandbox: &Sandbox, server: &Foreign, make: impl Fn(&str) -> String) -> Outcome {
    let mut running = sandbox.start(&["login", PROFILE, "--no-browser"]);
    let redirected = server.consent(&running.authorization_url(), Consent::Allow);
    running.write(make(&redirected));
    // Standard input stays open: one line is enough, and a refusal does not ask again.
    running.finish()
}

fn logged_in() -> (Foreign, Sandbox) {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in(&sandbox, &server);
    (server, sandbox)
}

#[test]
fn item_5_one_line_is_enough_and_the_prompt_is_on_stderr() {
    let (server, sandbox) = logged_in();
    let outcome = pasting(&sandbox, &server, |url| format!("{url}\n")).ok();
    assert!(outcome.stderr.contains(PROMPT), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "");
}

#[test]
fn item_5_every_shape_of_a_paste_is_understood() {
    let (server, sandbox) = logged_in();
    let query = |url: &str| url.split_once('?').unwrap().1.to_owned();
    let shapes: [Change<'_>; 9] = [
        ("CRLF", &|url| format!("{url}\r\n")),
        ("blanks around", &|url| format!("  {url} \t\n")),
        ("only the query", &|url| format!("{}\n", query(url))),
        ("the query with its mark", &|url| format!("?{}\n", query(url))),
        ("double quotes", &|url| format!("\"{url}\"\n")),
        ("single quotes", &|url| format!("'{url}'\n")),
        ("angle brackets", &|url| format!("<{url}>\n")),
        ("HTML", &|url| format!("{}\n", url.replace('&', "&amp;"))),
        ("unknown parameters", &|url| format!("{url}&iss=https%3A%2F%2Fother&session_state=x\n")),
    ];
    for (name, shape) in shapes {
        let outcome = pasting(&sandbox, &server, shape);
        assert_eq!(outcome.code, Some(0), "{name}: {outcome:#?}");
    }
}

#[test]
fn item_5_the_end_of_input_ends_the_wait_unless_there_is_a_listener() {
    let (server, sandbox) = logged_in();
    let asked = server.token_requests().len();
    sandbox.run(&["login", PROFILE, "--no-browser"]).failed_with(&[1, 2, 4]);
    assert_eq!(server.token_requests().len(), asked);

    let redirect_uri = free_redirect_uri();
    let options = crate::support::foreign::Options { redirect_uri, ..Default::default() };
    let (server, sandbox) = (Foreign::start(Kind::Authlib, options), Sandbox::new());
    let arguments = [first_login(&sandbox, &server), words(&["--no-output"])].concat();
    let mut running = sandbox.start(&arguments);
    running.close_stdin();
    let redirected = server.consent(&running.authorization_url(), Consent::Allow);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(running.is_running(), "{}", running.stderr.text());
    http::get(&redirected);
    running.finish().ok();
}

#[test]
fn item_10_a_refused_paste_is_not_repeated_and_costs_nothing() {
    let (server, sandbox) = logged_in();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    let asked = server.token_requests().len();
    let code = |url: &str| parameter(url, "code").unwrap();
    let wrongs: [Change<'_>; 10] = [
        ("garbage", &|_| "what is this, an extremely long riddle?\n".to_owned()),
        ("empty", &|_| "\n".to_owned()),
        ("blank", &|_| "   \n".to_owned()),
        ("a bare code", &|url| format!("{}\n", code(url))),
        ("a code named, without state", &|url| format!("code={}\n", code(url))),
        ("the code twice", &|url| format!("{url}&code={}\n", code(url))),
        ("the state twice", &|url| format!("{url}&state={}\n", parameter(url, "state").unwrap())),
        ("no code", &|url| format!("{}\n", url.replace("code=", "node="))),
        ("an empty code", &|url| format!("{}\n", with_parameter(url, "code", ""))),
        ("another page", &|_| "https://classics.service-now.com/now/nav/ui/home\n".to_owned()),
    ];
    for (name, wrong) in wrongs {
        let seen = std::cell::RefCell::new(String::new());
        let outcome = pasting(&sandbox, &server, |url| {
            *seen.borrow_mut() = code(url);
            wrong(url)
        });
        assert!(outcome.code.is_some_and(|c| [1, 2, 4].contains(&c)), "{name}: {outcome:#?}");
        let (outcome, _) = outcome.failed_with(&[1, 2, 4]);
        assert!(!outcome.said().contains(&*seen.borrow()), "{name}: the code is repeated");
        assert!(!outcome.said().contains("extremely long riddle"), "{name}");
        assert_eq!(outcome.stderr.matches(PROMPT).count(), 1, "{name}: it asked again");
    }
    assert_eq!(server.token_requests().len(), asked, "a refused paste sends nothing");
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
}

#[test]
fn item_12_a_state_that_differs_in_any_character_is_refused() {
    let (server, sandbox) = logged_in();
    let asked = server.token_requests().len();
    let state = |url: &str| parameter(url, "state").unwrap();
    let flipped = |text: &str, at: usize| {
        let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    };
    let changes: [Change<'_>; 8] = [
        ("first", &|s| flipped(s, 0)),
        ("middle", &|s| flipped(s, s.len() / 2)),
        ("last", &|s| flipped(s, s.len() - 1)),
        ("case", &|s| s.chars().map(swapped).collect()),
        ("cut", &|s| s[..s.len() - 1].to_owned()),
        ("longer", &|s| format!("{s}x")),
        ("empty", &|_| String::new()),
        ("blank before", &|s| format!(" {s}")),
    ];
    for (name, change) in changes {
        let outcome = pasting(&sandbox, &server, |url| {
            format!("{}\n", with_parameter(url, "state", &change(&state(url))))
        });
        let (_, code) = outcome.failed_with(&[1, 2, 4]);
        assert!(code.is_none_or(|code| code.starts_with("state")), "{name}");
    }
    assert_eq!(server.token_requests().len(), asked);
}

fn swapped(c: char) -> char {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}

#[test]
fn item_12_a_redirect_uri_that_differs_is_refused() {
    let (server, sandbox) = logged_in();
    let asked = server.token_requests().len();
    let here = console_uri("us-west-2");
    let others = [
        here.replace("https:", "http:"),
        console_uri("us-west-1"),
        console_uri("us-west-2").replace("aws.amazon.com", "aws.amazon.com.evil.example"),
        here.replace("/appflow/oauth", "/appflow/oauth/"),
        here.replace("/appflow/oauth", "/appflow/other"),
        here.replace("/appflow", "/APPFLOW"),
        here.replace("https://", "https://user@"),
        here.replace("https://", "https://us-west-2.console.aws.amazon.com@evil.example/"),
        here.replace(".com/", ".com:8443/"),
        "http://127.0.0.1:9/callback".to_owned(),
    ];
    for other in others {
        let outcome = pasting(&sandbox, &server, |url| format!("{}\n", url.replace(&here, &other)));
        assert!(outcome.code.is_some_and(|c| [1, 2, 4].contains(&c)), "{other}: {outcome:#?}");
        outcome.failed_with(&[1, 2, 4]);
    }
    assert_eq!(server.token_requests().len(), asked, "a request was sent");
}

#[test]
fn item_12_a_long_code_is_sent_whole_and_once() {
    let (server, sandbox) = logged_in();
    let asked = server.token_requests().len();
    let long: String = "aB3-_".chars().cycle().take(16 * 1024).collect();
    let outcome =
        pasting(&sandbox, &server, |url| format!("{}\n", with_parameter(url, "code", &long)));
    outcome.failed_with(&[1, 4]);
    let requests = server.token_requests();
    assert_eq!(requests.len(), asked + 1);
    assert_eq!(requests[asked].field("code"), Some(long));
}

#[test]
fn item_10_an_error_with_the_right_state_is_explained() {
    let (server, sandbox) = logged_in();
    let asked = server.token_requests().len();
    for (error, name) in [("access_denied", Some("access-denied")), ("server_error", None)] {
        let (outcome, code) = pasting(&sandbox, &server, |url| {
            let state = parameter(url, "state").unwrap();
            format!("{}?error={error}&state={state}\n", console_uri("us-west-2"))
        })
        .failed_with(&[1, 4]);
        assert!(name.is_none() || code.as_deref() == name, "{outcome:#?}");
        assert!(outcome.stderr.contains("hint: "), "{outcome:#?}");
    }
    assert_eq!(server.token_requests().len(), asked);
}
