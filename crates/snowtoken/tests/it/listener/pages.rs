//! What the listener answers: constants that tell nobody anything.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use snowtoken::loopback::Ending;
use url::form_urlencoded::byte_serialize;

use super::{OURS, Scene};
use crate::support::raw_http::{Answer, get, head, send};

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// What every answer carries, whatever was asked.
#[track_caller]
fn keeps_quiet(answer: &Answer) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{answer:#?}");
    }
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
    assert!(answer.header("set-cookie").is_none() && answer.header("server").is_none());
    let body = answer.body.to_ascii_lowercase();
    for foreign in ["<script", "<a ", "<img", "<link", "<iframe", "http:", "https:", "//", "url("] {
        assert!(!body.contains(foreign), "{foreign} in {body}");
    }
}

#[test]
fn r25_the_browser_is_sent_to_an_address_without_the_code() {
    let scene = Scene::usual();
    let answer = get(scene.port, &format!("/callback?{OURS}")).unwrap();
    assert_eq!((answer.status, answer.header("location")), (303, Some("/snowtoken")));
    keeps_quiet(&answer);
    assert!(!format!("{answer:?}").contains("the-code"));
    // The page there waits for the outcome.
    let port = scene.port;
    let page = std::thread::spawn(move || get(port, "/snowtoken"));
    std::thread::sleep(Duration::from_millis(200));
    assert!(!page.is_finished());
    scene.listener.finish(Ending::Done, Duration::from_secs(5));
    let page = page.join().unwrap().unwrap();
    assert_eq!(page.status, 200);
    keeps_quiet(&page);
    assert!(page.body.contains("You are connected"), "{}", page.body);
}

#[test]
fn r25_each_ending_has_its_page() {
    for (ending, words) in [
        (Ending::Done, "You are connected"),
        (Ending::HandedOver, "The code is here"),
        (Ending::Denied, "Consent was denied"),
        (Ending::Failed, "That did not work"),
        (Ending::Unknown, "Look at the terminal"),
    ] {
        let scene = Scene::usual();
        let port = scene.port;
        get(port, &format!("/callback?{OURS}")).unwrap();
        let page = std::thread::spawn(move || get(port, "/snowtoken").unwrap());
        std::thread::sleep(Duration::from_millis(50));
        scene.listener.finish(ending, Duration::from_secs(5));
        let page = page.join().unwrap();
        assert!(page.status == 200 && page.body.contains(words), "{page:#?}");
        keeps_quiet(&page);
    }
}

/// Nobody waits for a page, so nobody waits for its reader.
#[test]
fn r27_without_a_redirect_the_port_closes_at_once() {
    let scene = Scene::usual();
    get(scene.port, "/callback?code=x&state=y").unwrap();
    let started = std::time::Instant::now();
    scene.listener.finish(Ending::Done, Duration::from_secs(5));
    assert!(started.elapsed() < Duration::from_millis(400), "{:?}", started.elapsed());
}

/// A redirect URI that is where the last page would be.
#[test]
fn r25_the_last_page_is_never_the_redirect_uri() {
    let scene = Scene::open("http://127.0.0.1:PORT/snowtoken");
    let answer = get(scene.port, &format!("/snowtoken?{OURS}")).unwrap();
    assert_eq!((answer.status, answer.header("location")), (303, Some("/snowtoken/done")));
    assert_eq!(scene.judged(), [OURS]);
}

/// 300 texts that want to become markup, script, a header or another place.
fn hostile() -> Vec<String> {
    let cores = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'-alert(1)-'",
        "</title><svg/onload=alert(1)>",
        "javascript:alert(1)",
        "{{7*7}}${7*7}<%= 7*7 %>",
        "\r\nSet-Cookie: a=b\r\n\r\n<script>alert(1)</script>",
        "\r\nLocation: https://evil.example/\r\n",
        "//evil.example/%2f..",
        "/\\evil.example",
        "https://evil.example@127.0.0.1/",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "\u{202e}gnp.exe\u{2066}",
        "\u{1b}[31mred\u{1b}]0;title\u{7}",
        "\u{0}\u{1}\u{7f}\u{80}\u{9b}",
        "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
        "<!--<script>-->",
        "]]><script>alert(1)</script>",
        "<base href=https://evil.example/>",
        "<meta http-equiv=refresh content=0;url=//evil.example>",
        "the-code",
        "the-state",
        "access_denied",
        "'; DROP TABLE tokens; --",
        "\u{fffd}\u{feff}\u{e000}",
    ];
    let changed = cores.iter().flat_map(|core| {
        [
            (*core).to_owned(),
            core.to_uppercase(),
            core.chars().rev().collect(),
            format!("{core}{core}"),
            format!("a b+c{core}"),
            core.replace('<', "%3C").replace('>', "%3e"),
            core.replace('<', "\u{ff1c}").replace('>', "\u{ff1e}"),
            format!("{}{core}", "x".repeat(2_000)),
            format!("\"{core}\""),
            format!("?&={core}#{core}"),
            format!("{core}\u{301}\u{0}"),
            format!("%00%0d%0a{core}"),
        ]
    });
    changed.collect()
}

#[test]
fn v7_nothing_that_is_received_is_reflected() {
    let texts = hostile();
    assert_eq!(texts.len(), 300);
    let scene = Scene::usual();
    let port = scene.port;
    let not_ours = get(port, "/callback").unwrap();
    let nothing_here = get(port, "/other").unwrap();
    assert_eq!((not_ours.status, nothing_here.status), (400, 404));
    keeps_quiet(&not_ours);
    keeps_quiet(&nothing_here);
    let names = ["code", "state", "error", "error_description", "error_uri", "iss", "x"];
    for text in &texts {
        let value: String = byte_serialize(text.as_bytes()).collect();
        // One parameter at a time, then all of them.
        for name in names {
            let answer = get(port, &format!("/callback?{name}={value}")).unwrap();
            assert_eq!(answer, not_ours, "{name}={text:?}");
        }
        let all = names.map(|name| format!("{name}={value}")).join("&");
        let all = format!("/callback?{all}&{value}={value}");
        assert_eq!(get(port, &all).unwrap(), not_ours, "{text:?}");
        assert_eq!(get(port, &format!("/{value}")).unwrap(), nothing_here, "{text:?}");
        let visible: String = text.chars().filter(char::is_ascii_graphic).collect();
        let lines = format!(
            "Referer: {visible}\r\nOrigin: {visible}\r\nCookie: a={visible}\r\nUser-Agent: {visible}\r\n\
             X-Forwarded-Host: {visible}\r\nAccept-Language: {visible}\r\n"
        );
        let request = head("/callback?x", &format!("127.0.0.1:{port}"), &lines);
        assert_eq!(send(local(port), request.as_bytes()).unwrap(), not_ours, "{text:?}");
    }
    assert_eq!(scene.judged().len(), 1 + 9 * texts.len());
}

/// V1: another name for this address is somebody's who rebinds names.
#[test]
fn v1_a_wrong_host_is_misdirected() {
    let scene = Scene::usual();
    let port = scene.port;
    let target = format!("/callback?{OURS}");
    let other = port ^ 1;
    let hosts = [
        format!("localhost:{port}"),
        format!("127.0.0.1:{other}"),
        "127.0.0.1".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("127.0.0.1:{port}.evil.example"),
        format!("127.0.0.1:{port}@evil.example"),
        format!("user@127.0.0.1:{port}"),
        format!("2130706433:{port}"),
        format!("127.1:{port}"),
        format!("[::1]:{port}"),
        format!("127.0.0.1:0{port}"),
        String::new(),
    ];
    for host in hosts {
        let request = head(&target, &host, "");
        let answer = send(local(port), request.as_bytes()).unwrap();
        assert_eq!(answer.status, 421, "{host}");
        keeps_quiet(&answer);
    }
    let without = format!("GET {target} HTTP/1.0\r\n\r\n");
    assert_eq!(send(local(port), without.as_bytes()).unwrap().status, 421);
    assert!(scene.judged().is_empty());
    assert_eq!(get(port, &target).unwrap().status, 303);
}

#[test]
fn v5_only_a_get_of_the_very_path_is_judged() {
    let scene = Scene::usual();
    let port = scene.port;
    let host = format!("127.0.0.1:{port}");
    for method in ["POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "get", "PROPFIND"] {
        let request = format!(
            "{method} /callback?{OURS} HTTP/1.1\r\nHost: {host}\r\nOrigin: https://evil.example\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let answer = send(local(port), request.as_bytes()).unwrap();
        assert_eq!(answer.status, 405, "{method}");
        keeps_quiet_head(&answer);
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")));
    }
    for path in [
        "/",
        "/callback/",
        "/Callback",
        "//callback",
        "/callback%2f",
        "/x/../callback",
        "/favicon.ico",
    ] {
        let answer = get(port, &format!("{path}?{OURS}")).unwrap();
        assert_eq!(answer.status, 404, "{path}");
        keeps_quiet(&answer);
    }
    assert!(scene.judged().is_empty());
}

#[track_caller]
fn keeps_quiet_head(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:#?}");
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{answer:#?}");
    assert!(answer.header("content-security-policy").is_some(), "{answer:#?}");
}

/// What is no HTTP gets no answer, or a quiet one.
#[test]
fn v5_garbage_gets_no_answer_that_could_be_kept() {
    let scene = Scene::usual();
    let port = scene.port;
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200_000));
    let many = head("/callback", "x", &"a: b\r\n".repeat(1_000));
    let bad = [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"GET /callback?code=\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /callback?code=<script> HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /callback HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /callback HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /callback HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ];
    for bytes in bad {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        let mut bytes = bytes.to_vec();
        if !bytes.ends_with(b"\r\n\r\n") {
            // Otherwise the listener waits for the rest, as it should.
            bytes.extend_from_slice(b"\r\n\r\n");
        }
        if let Some(answer) = send(local(port), &bytes) {
            assert!(answer.status >= 400, "{shown:?}: {answer:#?}");
            keeps_quiet(&answer);
        }
    }
    assert!(scene.judged().is_empty());
    assert_eq!(get(port, &format!("/callback?{OURS}")).unwrap().status, 303);
}

/// R37: a code of 60 KiB arrives whole.
#[test]
fn r37_a_long_code_arrives_whole() {
    let scene = Scene::usual();
    for length in [1, 8 * 1024, 60 * 1024] {
        let query = format!("code={}&state=s", "c".repeat(length));
        assert_eq!(get(scene.port, &format!("/callback?{query}")).unwrap().status, 400);
        assert_eq!(scene.judged().last().unwrap(), &query);
    }
}

/// Whatever is asked for, the only place anybody is ever sent to is our own last page.
#[test]
fn v8_r26_nobody_is_sent_elsewhere() {
    let scene = Scene::usual();
    let port = scene.port;
    let places =
        ["//evil.example", "/\\evil.example", "/%2f%2fevil.example", "/callback/..//evil.example"];
    let queries =
        ["next=//evil.example", "redirect_uri=https://evil.example", "x=%0d%0aLocation:%20//evil"];
    for path in places.into_iter().chain(["/callback", "/snowtoken/", "/"]) {
        for query in queries {
            if let Some(answer) = get(port, &format!("{path}?{query}")) {
                assert_eq!(answer.header("location"), None, "{path}?{query}: {answer:#?}");
            }
        }
    }
    let answer = get(port, &format!("/callback?{OURS}")).unwrap();
    assert_eq!(answer.header("location"), Some("/snowtoken"));
}
