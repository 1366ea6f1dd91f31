//! V24: proxies see host names, never loopback, and cannot flood us.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use snowtoken::Diagnose as _;
use snowtoken::World;
use snowtoken::core::diagnosis::Code;
use snowtoken::http::{HttpOptions, HttpTransport, Proxies, Transport as _};

use crate::support::child;
use crate::support::fault_server::{FaultServer, Step};
use crate::support::requests::{AMPLE, Outcome, answer, outcome, post};

/// A name that no name service knows (RFC 6761).
const URL: &str = "https://snow.invalid/oauth_token.do";

const SHORT: Duration = Duration::from_millis(800);

fn through(https: String, no: Option<&str>) -> HttpTransport {
    HttpTransport::new(HttpOptions {
        proxies: Proxies { https: Some(https), no: no.map(str::to_owned) },
        ca_file: None,
    })
}

fn place(server: &FaultServer) -> String {
    format!("http://127.0.0.1:{}", server.port())
}

#[test]
fn v24_the_proxy_sees_the_host_and_its_own_credentials_only() {
    let script =
        vec![Step::Read, Step::Send(b"HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n".to_vec())];
    for (user_info, expected) in [
        ("", None),
        ("user:pass@", Some("user:pass")),
        ("u%40corp:p%3Aw%2F%25@", Some("u@corp:p:w/%")),
        ("user@", Some("user:")),
    ] {
        let proxy = FaultServer::always(script.clone());
        let address = format!("http://{user_info}127.0.0.1:{}", proxy.port());
        let error = through(address, None).send(post(URL), AMPLE).unwrap_err();
        assert_eq!(error.code(), Code::ProxyFailed);
        let told = error.to_string();
        assert!(told.contains("502") && !told.contains("pass") && !told.contains("corp"), "{told}");
        let requests = proxy.texts();
        assert_eq!(requests.len(), 1);
        let mut lines: Vec<&str> = requests[0].trim_end().split("\r\n").collect();
        lines.sort_unstable();
        let credentials =
            expected.map(|text| format!("proxy-authorization: Basic {}", STANDARD.encode(text)));
        let mut wanted = vec!["CONNECT snow.invalid:443 HTTP/1.1", "host: snow.invalid:443"];
        wanted.extend(credentials.as_deref());
        assert_eq!(lines, wanted, "{user_info}");
    }
}

#[test]
fn v24_a_proxy_that_refuses_is_told() {
    for (status, extra) in [
        (407, "proxy-authenticate: Basic realm=\"\x1b[31mx\"\r\n"),
        (403, ""),
        (302, "location: http://127.0.0.1:1/\r\n"),
        (204, ""),
        (500, ""),
    ] {
        let proxy = FaultServer::always(vec![
            Step::Read,
            Step::Send(answer(status, extra, "<h1>no</h1>")),
            Step::Stall,
        ]);
        let error = through(place(&proxy), None).send(post(URL), AMPLE).unwrap_err();
        assert_eq!(error.code(), Code::ProxyFailed, "{status}");
        let told = error.to_string();
        assert!(told.bytes().all(|byte| byte >= b' '), "{told:?}");
        assert_eq!((proxy.connections(), proxy.requests().len()), (1, 1), "{status}");
    }
}

#[test]
fn v24_endless_answers_to_connect_are_cut() {
    let head = b"HTTP/1.1 200 Connection established\r\n".to_vec();
    let early = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    let cases = [
        ("an endless header", vec![Step::Send(head.clone()), Step::Endless(b"x".to_vec())], true),
        ("endless headers", vec![Step::Send(head), Step::Endless(b"a: b\r\n".to_vec())], true),
        ("endless early answers", vec![Step::Endless(early)], false),
        ("an endless status line", vec![Step::Endless(b"H".to_vec())], true),
        ("nothing", vec![Step::Stall], false),
        ("closed", vec![], true),
        ("reset", vec![Step::Peek], true),
    ];
    for (name, steps, at_once) in cases {
        let mut script = vec![if name == "reset" { Step::Peek } else { Step::Read }];
        script.extend(steps);
        let proxy = FaultServer::always(script);
        let started = Instant::now();
        let result = through(place(&proxy), None).send(post(URL), SHORT);
        let code = if at_once { Code::ProxyFailed } else { Code::TimedOut };
        assert_eq!(outcome(&result), Outcome::Failed(code), "{name}");
        assert!(started.elapsed() < SHORT + Duration::from_millis(1_500), "{name}");
    }
}

#[test]
fn v24_no_proxy_goes_directly() {
    for (no, goes_through) in [
        ("snow.invalid", false),
        ("invalid", false),
        (".invalid", false),
        ("*", false),
        (" other.example , snow.invalid ", false),
        ("now.invalid", true),
        ("snow.invalid.example", true),
        ("", true),
    ] {
        let proxy = FaultServer::always(vec![Step::Read]);
        let result = through(place(&proxy), Some(no)).send(post(URL), AMPLE);
        let code = if goes_through { Code::ProxyFailed } else { Code::NameNotFound };
        assert_eq!(outcome(&result), Outcome::Failed(code), "{no:?}");
        assert_eq!(proxy.connections(), usize::from(goes_through), "{no:?}");
    }
}

#[test]
fn v24_a_proxy_that_cannot_be_used_is_never_gone_around() {
    let closed = place(&FaultServer::always(vec![]));
    for address in [
        closed,
        "http://no-such-proxy.invalid:3128".to_owned(),
        "socks5://127.0.0.1:1".to_owned(),
        "ftp://127.0.0.1:1".to_owned(),
        "http://127.0.0.1:99999".to_owned(),
        "://".to_owned(),
    ] {
        let result = through(address.clone(), None).send(post(URL), AMPLE);
        assert_eq!(outcome(&result), Outcome::Failed(Code::ProxyFailed), "{address}");
    }
}

/// Whatever the variables of the process say: loopback is reached directly, over http and https.
#[test]
fn v24_loopback_is_never_proxied() {
    if let Some(url) = child::told() {
        let result = World::real(None).transport.send(post(&url), AMPLE);
        assert_eq!(outcome(&result), Outcome::Status(200));
        let port = url.rsplit_once(':').unwrap().1.trim_end_matches('/');
        let secure = format!("https://127.0.0.1:{port}/");
        let result = World::real(None).transport.send(post(&secure), AMPLE);
        assert_eq!(outcome(&result), Outcome::Failed(Code::TlsFailed));
        return;
    }
    let server = FaultServer::start(vec![
        vec![Step::Read, Step::Send(answer(200, "", "{}"))],
        vec![Step::Peek, Step::Send(answer(400, "", "this is no TLS"))],
    ]);
    let proxy = FaultServer::always(vec![Step::Read, Step::Send(answer(502, "", ""))]);
    let address = place(&proxy);
    let names =
        ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    let mut variables: Vec<(&str, &str)> = names.iter().map(|name| (*name, &*address)).collect();
    variables.extend([("no_proxy", ""), ("NO_PROXY", "")]);
    child::run("transport::proxies::v24_loopback_is_never_proxied", &server.url("/"), &variables);
    assert_eq!((proxy.connections(), server.connections()), (0, 2));
}

/// Which variable counts.
#[test]
fn v24_the_variables_of_the_environment() {
    const TEST: &str = "transport::proxies::v24_the_variables_of_the_environment";
    if let Some(expected) = child::told() {
        let result = World::real(None).transport.send(post(URL), AMPLE);
        assert_eq!(format!("{:?}", outcome(&result)), expected);
        return;
    }
    let through = format!("{:?}", Outcome::Failed(Code::ProxyFailed));
    let directly = format!("{:?}", Outcome::Failed(Code::NameNotFound));
    for (set, expected, used) in [
        (&["https_proxy"][..], &through, true),
        (&["HTTPS_PROXY"], &through, true),
        (&["all_proxy"], &through, true),
        (&["ALL_PROXY"], &through, true),
        // Plain http goes to loopback only: these have no use.
        (&["http_proxy", "HTTP_PROXY"], &directly, false),
        (&["HTTPS_PROXY", "!https_proxy"], &through, false),
        (&["!HTTPS_PROXY", "https_proxy"], &through, true),
        (&["https_proxy", "!all_proxy"], &through, true),
        (&["https_proxy", "no_proxy"], &directly, false),
        (&["HTTPS_PROXY", "NO_PROXY"], &directly, false),
    ] {
        let proxy = FaultServer::always(vec![Step::Read, Step::Send(answer(502, "", ""))]);
        let other = FaultServer::always(vec![Step::Read, Step::Send(answer(502, "", ""))]);
        let (ours, theirs) = (place(&proxy), place(&other));
        let mut variables = Vec::new();
        for all in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"]
        {
            variables.push((all, ""));
        }
        variables.extend(set.iter().map(|name| match name.strip_prefix('!') {
            Some(name) => (name, &*theirs),
            None if name.eq_ignore_ascii_case("no_proxy") => (*name, "snow.invalid"),
            None => (*name, &*ours),
        }));
        child::run(TEST, expected, &variables);
        assert_eq!(proxy.connections(), usize::from(used), "{set:?}");
    }
}
