//! Requests that two programs may read differently, and sizes: W12, W14, W6.

use crate::support::{CSRF, Wizard};

/// W12. A second request hides in each; it must not be read, and the connection ends.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn w12_nothing_is_smuggled() {
    let wizard = Wizard::start();
    let hidden = wizard.head("GET", "/file", &[]);
    let post = |changes: &[(&str, &str)]| wizard.head("POST", "/journey", changes);
    let raw = |changes: &[(&str, &str)], more: &str, body: &str| {
        let head = post(changes);
        format!("{}{more}\r\n{body}{hidden}", head.strip_suffix("\r\n").unwrap())
    };
    let form = format!("csrf={CSRF}&client_secret=x");
    let length = form.len();
    let chunked = format!("{length:x}\r\n{form}\r\n0\r\n\r\n");
    let get = wizard.head("GET", "/", &[]);
    let get = get.strip_suffix("\r\n").unwrap();
    let own = wizard.host();
    let cookie = wizard.cookie();
    for (what, bytes) in [
        ("CL+TE", raw(&[("Content-Length", "4"), ("Transfer-Encoding", "chunked")], "", &chunked)),
        ("TE+CL", raw(&[("Transfer-Encoding", "chunked"), ("Content-Length", "4")], "", &chunked)),
        ("TE", raw(&[("Transfer-Encoding", "chunked")], "", &chunked)),
        ("TE identity", raw(&[("Transfer-Encoding", "identity"), ("Content-Length", "0")], "", "")),
        ("TE xchunked", raw(&[("Transfer-Encoding", "xchunked")], "", &chunked)),
        ("TE, TE", raw(&[("Transfer-Encoding", "chunked, identity")], "", &chunked)),
        (
            "TE twice",
            raw(&[("Transfer-Encoding", "chunked")], "Transfer-Encoding: x\r\n", &chunked),
        ),
        ("TE behind a tab", raw(&[("Transfer-Encoding", "\tchunked")], "", &chunked)),
        ("TE before a colon with a blank", raw(&[], "Transfer-Encoding : chunked\r\n", &chunked)),
        (
            "chunk extension",
            raw(
                &[("Transfer-Encoding", "chunked")],
                "",
                &format!("{length:x};a=b\r\n{form}\r\n0\r\n\r\n"),
            ),
        ),
        (
            "CL twice, same",
            raw(&[], &format!("Content-Length: {length}\r\nContent-Length: {length}\r\n"), &form),
        ),
        (
            "CL twice, other",
            raw(&[], &format!("Content-Length: {length}\r\nContent-Length: 0\r\n"), &form),
        ),
        ("CL list", raw(&[], &format!("Content-Length: {length}, {length}\r\n"), &form)),
        ("CL plus", raw(&[], &format!("Content-Length: +{length}\r\n"), &form)),
        ("CL minus", raw(&[], "Content-Length: -1\r\n", &form)),
        ("CL hex", raw(&[], "Content-Length: 0x10\r\n", &form)),
        ("CL empty", raw(&[], "Content-Length: \r\n", &form)),
        ("CL huge", raw(&[], "Content-Length: 18446744073709551617\r\n", &form)),
        ("CL blank", raw(&[], "Content-Length: 1 0\r\n", &form)),
        ("no CL", raw(&[], "", &form)),
        ("CL of a GET", format!("{get}Content-Length: 5\r\n\r\n12345{hidden}")),
        (
            "Expect",
            raw(&[("Expect", "100-continue")], &format!("Content-Length: {length}\r\n"), &form),
        ),
        ("obs-fold", format!("{get}X-A: b\r\n c\r\n\r\n{hidden}")),
        ("obs-fold by a tab", format!("{get}X-A: b\r\n\tc\r\n\r\n{hidden}")),
        (
            "obs-fold first",
            format!("GET / HTTP/1.1\r\n Host: {own}\r\nHost: {own}\r\n\r\n{hidden}"),
        ),
        ("bare LF", format!("{}\n{hidden}", get.replace("\r\n", "\n"))),
        ("bare LF at one line", format!("{get}X-A: b\n\r\n{hidden}")),
        ("bare LF at the end", format!("{get}\n{hidden}")),
        (
            "bare LF in the first line",
            format!("GET / HTTP/1.1\nHost: {own}\r\nCookie: {cookie}\r\n\r\n{hidden}"),
        ),
        ("bare CR", format!("{get}X-A: b\rX-B: c\r\n\r\n{hidden}")),
        ("CR CR LF", format!("{get}X-A: b\r\r\n\r\n{hidden}")),
        ("NUL in a value", format!("{get}X-A: b\0\r\n\r\n{hidden}")),
        ("no colon", format!("{get}X-A\r\n\r\n{hidden}")),
        ("no name", format!("{get}: x\r\n\r\n{hidden}")),
        ("blank in a name", format!("{get}X A: x\r\n\r\n{hidden}")),
        ("blank line before", format!("\r\n{get}\r\n{hidden}")),
        ("blank before", format!(" {get}\r\n{hidden}")),
        ("HTTP/1.0", format!("{}\r\n{hidden}", get.replace("HTTP/1.1", "HTTP/1.0"))),
        ("HTTP/1.2", format!("{}\r\n{hidden}", get.replace("HTTP/1.1", "HTTP/1.2"))),
        ("HTTP/2.0", format!("{}\r\n{hidden}", get.replace("HTTP/1.1", "HTTP/2.0"))),
        ("HTTP/11", format!("{}\r\n{hidden}", get.replace("HTTP/1.1", "HTTP/11"))),
        ("http/1.1", format!("{}\r\n{hidden}", get.replace("HTTP/1.1", "http/1.1"))),
        ("HTTP/0.9", "GET /\r\n".to_owned()),
        ("two blanks", format!("{}\r\n{hidden}", get.replacen("GET /", "GET  /", 1))),
        ("a tab", format!("{}\r\n{hidden}", get.replacen("GET /", "GET\t/", 1))),
    ] {
        let answer = wizard.send(bytes.as_bytes());
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        let text = answer.text();
        assert_eq!(text.matches("<!DOCTYPE html>").count(), 1, "{what}: one answer");
        assert!(text.trim_end().ends_with("</html>"), "{what}: and nothing behind it");
    }
    assert_eq!(wizard.log.counts(), (0, 0));
}

/// A request behind a whole one is not read either: each has a connection of its own.
#[test]
fn w12_a_connection_is_for_one_request() {
    let wizard = Wizard::start();
    let one = wizard.head("GET", "/", &[]);
    let answer = wizard.send(one.repeat(3).as_bytes());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text().matches("<!DOCTYPE html>").count(), 1);
    assert_eq!(wizard.log.counts(), (1, 0));
    // A form that says less than it brings: what is beyond is no part of it.
    let form = format!("csrf={CSRF}&client_secret=x");
    let length = form.len().to_string();
    let head = wizard.head("POST", "/journey", &[("Content-Length", &length)]);
    let answer = wizard.send(format!("{head}{form}&client_secret=y{one}").as_bytes());
    assert_eq!(answer.status, 303);
    assert_eq!(*wizard.log.entered.lock().unwrap(), ["x"]);
    assert_eq!(wizard.log.counts(), (1, 1));
}

/// W14.
#[test]
fn w14_what_is_too_large_is_refused_by_its_name() {
    let wizard = Wizard::start();
    let mebibyte = 1024 * 1024;
    let long = format!("/{}", "a".repeat(mebibyte));
    assert_eq!(wizard.ask("GET", &long, &[]).status, 414);
    assert_eq!(wizard.ask("GET", &long, &[("Cookie", "")]).status, 414);
    assert_eq!(wizard.ask("GET", &format!("/?{}", "a".repeat(mebibyte)), &[]).status, 414);
    // Within the head's size, but longer than any path of ours.
    assert_eq!(wizard.ask("GET", &format!("/{}", "a".repeat(1024)), &[]).status, 404);
    let head = wizard.head("GET", "/", &[]);
    let head = head.strip_suffix("\r\n").unwrap();
    for headers in [
        (0..10_000).map(|n| format!("X-{n}: y\r\n")).collect::<Vec<_>>().concat(),
        (0..65).map(|n| format!("X-{n}: y\r\n")).collect::<Vec<_>>().concat(),
        format!("X-A: {}\r\n", "y".repeat(mebibyte)),
        format!("{}: x\r\n", "y".repeat(60_000)),
        format!("Cookie: {}\r\n", "y=z; ".repeat(20_000)),
    ] {
        let answer = wizard.send(format!("{head}{headers}\r\n").as_bytes());
        assert_eq!(answer.status, 431, "{}", &headers[..20]);
    }
    for length in ["262145", "1073741824", "9223372036854775807"] {
        let head = wizard.head("POST", "/journey", &[("Content-Length", length)]);
        let answer = wizard.send(head.as_bytes());
        assert_eq!(answer.status, 413, "{length}");
    }
    // The same with a sender that does not stop.
    let head = wizard.head("POST", "/journey", &[("Content-Length", "1073741824")]);
    let answer = wizard.send(&[head.as_bytes(), &vec![b'a'; 16 * mebibyte]].concat());
    assert!(matches!(answer.status, 413), "{}", answer.status);
    assert_eq!(wizard.log.counts(), (0, 0));
    let largest = format!("csrf={CSRF}&client_secret=");
    let largest = format!("{largest}{}", "x".repeat(256 * 1024 - largest.len()));
    assert_eq!(wizard.post("/journey", &largest, &[]).status, 303);
}

/// W6: the policy names the style and the script that stand on the page, and no others.
#[test]
fn w6_the_policy_fits_the_page_that_is_served() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};
    let wizard = Wizard::start();
    for (path, changes) in [("/", &[][..]), ("/nothing", &[][..]), ("/", &[("Cookie", "")][..])] {
        let answer = wizard.ask("GET", path, changes);
        let html = answer.text();
        let policy = answer.header("content-security-policy").unwrap();
        for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
            let (open, close) = (format!("<{element}>"), format!("</{element}>"));
            assert_eq!(html.matches(&format!("<{element}")).count(), html.matches(&open).count());
            let texts = html.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap());
            let hash = |text| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
            let hashes: Vec<_> = texts.map(hash).collect();
            assert!(!hashes.is_empty());
            let wanted = format!("{directive} {}", hashes.join(" "));
            assert!(policy.split("; ").any(|part| part == wanted), "{wanted}: {policy}");
        }
    }
}
