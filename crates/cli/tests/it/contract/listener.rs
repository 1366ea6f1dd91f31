//! §7.9: the listener hears the one redirect it waits for, whoever else knocks.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use url::Url;

use crate::support::foreign::{Foreign, Kind, Options};
use crate::support::http::{self, Answer, Client};
use crate::support::instance::{
    Consent, Instance, PROFILE, first_login, free_redirect_uri, parameter, with_parameter,
};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;

struct Waiting {
    server: Foreign,
    sandbox: Sandbox,
    running: Running,
    /// Where the browser will be sent.
    redirected: String,
    port: u16,
}

fn waiting() -> Waiting {
    let redirect_uri = free_redirect_uri();
    let port = Url::parse(&redirect_uri).unwrap().port().unwrap();
    let options = Options { redirect_uri, ..Options::default() };
    let (server, sandbox) = (Foreign::start(Kind::Authlib, options), Sandbox::new());
    let running = sandbox.start(&first_login(&sandbox, &server));
    let redirected = server.consent(&running.authorization_url(), Consent::Allow);
    Waiting { server, sandbox, running, redirected, port }
}

#[track_caller]
fn keeps_quiet(answer: &Answer) {
    let value = |name| answer.header(name).unwrap_or_default().to_owned();
    assert!(value("cache-control").contains("no-store"), "{answer:#?}");
    assert_eq!(value("referrer-policy"), "no-referrer", "{answer:#?}");
}

#[test]
fn item_9_strangers_do_not_end_the_wait() {
    let mut this = waiting();
    let (port, redirected) = (this.port, this.redirected.clone());
    // Idle, half-open and reset connections, as browsers and port scanners make them.
    let idle: Vec<_> = (0..20).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    let mut half = TcpStream::connect(("127.0.0.1", port)).unwrap();
    half.write_all(b"GET /callback?code=x HTTP/1.1\r\nHo").unwrap();
    drop(TcpStream::connect(("127.0.0.1", port)).unwrap());

    let base = format!("http://127.0.0.1:{port}");
    let wrong_state = with_parameter(&redirected, "state", "somebody-elses-state-0123456789");
    let error = format!("{base}/callback?error=access_denied&state=somebody-elses-state");
    let pages = [
        format!("{base}/favicon.ico"),
        format!("{base}/"),
        format!("{base}/callback"),
        format!("{base}/callback/{}", redirected.split_once('?').unwrap().1),
        format!("{base}/other?{}", redirected.split_once('?').unwrap().1),
        wrong_state,
        error,
        format!("{base}/callback?error=access_denied"),
    ];
    let code = parameter(&redirected, "code").unwrap();
    for page in &pages {
        let answer = http::get(page);
        assert!(answer.status >= 400, "{page}: {answer:#?}");
        keeps_quiet(&answer);
        assert!(!answer.body.contains(&code), "{page}: the page repeats the code");
    }
    let url = Url::parse(&redirected).unwrap();
    let posted = Client::default().post(&url, &[]);
    assert!(posted.status >= 400, "only a GET is a redirect: {posted:#?}");
    for bytes in [&b"\x16\x03\x01\x02\x00"[..], b"GET\r\n\r\n", b"\r\n\r\n"] {
        let _ = http::raw(port, bytes, Duration::from_millis(300));
    }
    assert!(this.running.is_running(), "{}", this.running.stderr.text());
    assert_eq!(this.server.token_requests().len(), 0);

    let answer = http::get(&redirected);
    assert!(answer.status < 400, "{answer:#?}");
    this.running.finish().ok();
    assert_eq!(this.server.token_requests().len(), 1);
    drop((idle, half));
}

#[test]
fn item_9_the_page_repeats_neither_code_nor_state() {
    let this = waiting();
    let answer = http::get(&this.redirected);
    keeps_quiet(&answer);
    for name in ["code", "state"] {
        let value = parameter(&this.redirected, name).unwrap();
        assert!(!answer.body.contains(&value), "{answer:#?}");
        let location = answer.header("location").unwrap_or_default();
        assert!(!location.contains(&value), "{answer:#?}");
    }
    let outcome = this.running.finish().ok();
    let code = parameter(&this.redirected, "code").unwrap();
    assert!(!outcome.said().contains(&code), "{outcome:#?}");
    // With the answer the listener is gone.
    assert!(TcpStream::connect(("127.0.0.1", this.port)).is_err());
}

#[test]
fn item_9_a_wrong_host_header_is_not_answered_with_a_page() {
    let mut this = waiting();
    let target = &this.redirected[this.redirected.find("/callback").unwrap()..];
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}:{}\r\n\r\n", this.port);
        if let Some(answer) = http::raw(this.port, request.as_bytes(), Duration::from_secs(2)) {
            assert!(answer.status >= 400, "{host}: {answer:#?}");
        }
    }
    assert!(this.running.is_running());
    http::get(&this.redirected);
    this.running.finish().ok();
}

#[test]
fn item_9_a_deny_with_the_right_state_ends_the_command() {
    let this = waiting();
    let state = parameter(&this.redirected, "state").unwrap();
    let base = this.redirected.split_once('?').unwrap().0;
    let answer = http::get(&format!("{base}?error=access_denied&state={state}"));
    keeps_quiet(&answer);
    let (_, code) = this.running.finish().failed_with(&[1, 4]);
    assert_eq!(code.as_deref(), Some("access-denied"));
    assert_eq!(this.server.token_requests().len(), 0);
    this.sandbox.run(&["token", PROFILE]).failed_with(&[2, 4]);
}

#[test]
fn item_9_every_name_of_the_loopback_interface_is_heard() {
    for host in ["localhost", "[::1]", "127.0.0.1"] {
        let redirect_uri = free_redirect_uri().replace("127.0.0.1", host);
        let options = Options { redirect_uri, ..Options::default() };
        let (server, sandbox) = (Foreign::start(Kind::Authlib, options), Sandbox::new());
        let running = sandbox.start(&first_login(&sandbox, &server));
        let redirected = server.consent(&running.authorization_url(), Consent::Allow);
        let url = Url::parse(&redirected).unwrap();
        assert_eq!(url.host_str(), Some(host));
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {host}:{}\r\nConnection: close\r\n\r\n",
            &url[url::Position::BeforePath..],
            url.port().unwrap()
        );
        // A browser tries what the name means in turn; nobody else listens on these ports.
        let answers = ["127.0.0.1", "::1"].map(|address| {
            let mut stream = TcpStream::connect((address, url.port().unwrap())).ok()?;
            stream.write_all(request.as_bytes()).ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            answer.starts_with("HTTP/1.1 ").then_some(answer)
        });
        assert!(answers.iter().any(Option::is_some), "{host}: nobody answered");
        running.finish().ok();
    }
}

#[test]
fn item_9_the_same_redirect_twice_is_one_request() {
    let this = waiting();
    let url = this.redirected.clone();
    let visitors: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            // Whoever comes too late finds nobody: that is no error here.
            std::thread::spawn(move || drop(std::panic::catch_unwind(|| http::get(&url))))
        })
        .collect();
    this.running.finish().ok();
    for visitor in visitors {
        visitor.join().unwrap();
    }
    assert_eq!(this.server.token_requests().len(), 1);
}
