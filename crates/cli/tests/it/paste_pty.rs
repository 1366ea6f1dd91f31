//! A person at a terminal: pastes of any size and shape arrive whole, and what is typed in secret
//! is never shown, however the typing ends.

use crate::support::foreign::{Foreign, Kind};
use crate::support::instance::{
    Consent, Instance, PROFILE, console_uri, first_login, log_in, parameter, with_parameter, words,
};
use crate::support::process::is_authorization_url;
use crate::support::pty::{Session, Terminal, plain};
use crate::support::sandbox::Sandbox;

/// A name, and what is typed for a URL.
type Typing<'a> = (&'a str, &'a dyn Fn(&mut Terminal, &str));
/// A name, and how a prompt is left.
type Ending = (&'static str, fn(&mut Terminal));

const PROMPT: &str = "Enter the redirected URL:";

fn logged_in() -> (Foreign, Sandbox) {
    let (server, sandbox) = (Foreign::usual(Kind::NodeOauth), Sandbox::new());
    log_in(&sandbox, &server);
    (server, sandbox)
}

/// A login in a terminal, up to the prompt; also the authorization URL it shows.
fn prompted(sandbox: &Sandbox, columns: u16) -> (Terminal, String) {
    let terminal = Terminal::start(&sandbox.command(&["login", PROFILE, "--no-browser"]), columns);
    let url = terminal.wait(|text| {
        let text = plain(text);
        let url = text.lines().find(|line| is_authorization_url(line))?.to_owned();
        text.contains(PROMPT).then_some(url)
    });
    (terminal, url)
}

/// A login at whose prompt `type_it` types.
fn typing(sandbox: &Sandbox, type_it: impl Fn(&mut Terminal, &str)) -> Session {
    let (mut terminal, url) = prompted(sandbox, 100);
    type_it(&mut terminal, &url);
    let session = terminal.finish();
    assert!(session.restored, "the terminal is left changed: {}", session.text());
    session
}

#[test]
fn a_paste_of_any_size_arrives_whole() {
    let (server, sandbox) = logged_in();
    for size in [1, 86, 1000, 1024, 1500, 2812, 4000, 4095, 4096, 4097, 8192, 16 * 1024] {
        let code: String = "aB3-_xyz9".chars().cycle().take(size).collect();
        let asked = server.token_requests().len();
        let session = typing(&sandbox, |terminal, url| {
            let state = parameter(url, "state").unwrap();
            terminal.keys(format!("{}?code={code}&state={state}\r", console_uri("us-west-2")));
        });
        // The server never gave that code: it refuses, and has seen it whole.
        assert!(matches!(session.code, Some(1 | 4)), "{size}: {}", session.text());
        let requests = server.token_requests();
        assert_eq!(requests.len(), asked + 1, "{size}");
        assert_eq!(requests[asked].field("code").as_deref(), Some(&code[..]), "{size}");
    }
}

#[test]
fn a_paste_of_any_shape_is_understood() {
    let (server, sandbox) = logged_in();
    let wrapped = |url: &str, width: usize, end: &str| -> String {
        let lines: Vec<_> = url.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
        lines.join(end)
    };
    let shapes: [Typing<'_>; 9] = [
        ("wrapped by Windows", &|t, url| {
            t.keys(format!("{}\r", wrapped(url, 60, "\r\n")));
        }),
        ("typed", &|t, url| t.keys(format!("{url}\r"))),
        ("a key at a time", &|t, url| {
            for key in url.bytes().chain([b'\r']) {
                t.keys([key]);
            }
        }),
        ("bracketed", &|t, url| {
            t.bracketed(url);
            t.keys("\r");
        }),
        ("bracketed, with its own end of line", &|t, url| {
            t.bracketed(&format!("{url}\r\n"));
            t.keys("\r");
        }),
        ("bracketed and wrapped", &|t, url| {
            t.bracketed(&wrapped(url, 40, "\r"));
            t.keys("\r");
        }),
        ("wrapped at 76", &|t, url| {
            t.keys(format!("{}\r", wrapped(url, 76, "\r")));
        }),
        ("wrapped and indented", &|t, url| {
            t.keys(format!("{}\r", wrapped(url, 60, "\r\n  ")));
        }),
        ("with an afterthought", &|t, url| {
            t.keys(format!("x\x7f{url}\r"));
        }),
    ];
    for (name, shape) in shapes {
        let session = typing(&sandbox, |terminal, url| {
            shape(terminal, &server.consent(url, Consent::Allow));
        });
        assert_eq!(session.code, Some(0), "{name}: {}", session.text());
    }
}

#[test]
fn the_url_is_never_cut_however_narrow_the_terminal_is() {
    let (server, sandbox) = logged_in();
    for columns in [20, 40, 80, 132, 500] {
        let (mut terminal, url) = prompted(&sandbox, columns);
        // It is whole if it works.
        terminal.keys(format!("{}\r", server.consent(&url, Consent::Allow)));
        let session = terminal.finish();
        assert_eq!(session.code, Some(0), "{columns} columns: {}", session.text());
    }
}

#[test]
fn control_c_at_the_prompt_ends_it_and_leaves_the_terminal_as_it_was() {
    let (_server, sandbox) = logged_in();
    for before in ["", "https://us-west-2.console.aws.amazon.com/appflow/oa"] {
        let session = typing(&sandbox, |terminal, _| {
            terminal.keys(before);
            std::thread::sleep(std::time::Duration::from_millis(50));
            terminal.keys("\x03");
        });
        assert_ne!(session.code, Some(0), "{}", session.text());
    }
    sandbox.run(&["token", PROFILE]).ok();
}

#[test]
fn a_refused_paste_is_not_shown_again() {
    let (server, sandbox) = logged_in();
    let asked = server.token_requests().len();
    let session = typing(&sandbox, |terminal, url| {
        let redirected = server.consent(url, Consent::Allow);
        terminal
            .keys(format!("{}\r", with_parameter(&redirected, "state", "not-the-state-at-all")));
    });
    assert!(matches!(session.code, Some(1 | 2 | 4)), "{}", session.text());
    let shown = plain(&session.text());
    // The terminal may show what is typed; the command must not say it once more.
    assert!(shown.matches("not-the-state-at-all").count() <= 1, "{shown}");
    assert_eq!(server.token_requests().len(), asked);
}

const TYPED: &str = "typed-in-secret-4711";

/// A first login that has to ask for the client secret.
fn asked_for_the_secret(sandbox: &Sandbox, server: &Foreign) -> Terminal {
    let mut arguments = [first_login(sandbox, server), words(&["--no-output"])].concat();
    let at = arguments.iter().position(|a| a == "--client-secret-file").unwrap();
    arguments.drain(at..at + 2);
    let terminal = Terminal::start(&sandbox.command(&arguments), 100);
    terminal.wait(|text| plain(text).to_lowercase().contains("client secret").then_some(()));
    // The words may come a moment before echo is off; nobody types that fast.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while terminal.echoes() && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(!terminal.echoes(), "the secret would be shown");
    terminal
}

#[test]
fn a_secret_that_is_typed_is_never_shown_however_it_ends() {
    let endings: [Ending; 4] = [
        ("^C", |t| t.keys("\x03")),
        ("^D in the middle of it, then ^C", |t| {
            t.keys("\x04\x04");
            std::thread::sleep(std::time::Duration::from_millis(100));
            t.keys("\x03");
        }),
        ("SIGTERM", |t| signal(t, "TERM")),
        ("SIGHUP", |t| signal(t, "HUP")),
    ];
    for (name, ending) in endings {
        let (server, sandbox) = (Foreign::usual(Kind::NodeOauth), Sandbox::new());
        let mut terminal = asked_for_the_secret(&sandbox, &server);
        terminal.keys(TYPED);
        std::thread::sleep(std::time::Duration::from_millis(50));
        ending(&mut terminal);
        let session = terminal.finish();
        assert_ne!(session.code, Some(0), "{name}");
        assert!(!session.text().contains("typed-in"), "{name}: {}", session.text());
        assert!(session.restored, "{name}: the terminal is left without echo");
    }
}

fn signal(terminal: &Terminal, name: &str) {
    let pid = terminal.pid().to_string();
    let sent = std::process::Command::new("/bin/kill").args(["-s", name, &pid]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_secret_that_is_typed_is_used() {
    let (server, sandbox) = (Foreign::usual(Kind::NodeOauth), Sandbox::new());
    let mut terminal = asked_for_the_secret(&sandbox, &server);
    terminal.keys(format!("{}\r", server.client_secret()));
    let url = terminal.wait(|text| {
        let text = plain(text);
        text.lines().find(|line| is_authorization_url(line)).map(str::to_owned)
    });
    terminal.wait(|text| text.contains(PROMPT).then_some(()));
    terminal.keys(format!("{}\r", server.consent(&url, Consent::Allow)));
    let session = terminal.finish();
    assert_eq!(session.code, Some(0), "{}", session.text());
    assert!(!session.text().contains("s3cr+t"), "{}", session.text());
    assert!(session.restored);
}
