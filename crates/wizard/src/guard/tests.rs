use http::Request;

use super::*;

fn guard() -> Guard {
    let secret = |text: &str| Secret::new(text);
    Guard::new("127.0.0.1:4711".into(), secret("entry"), secret("session"), secret("csrf"))
}

/// A request as a browser sends it from one of our pages, changed by these headers; an empty value
/// takes the header out.
fn request(method: &str, target: &str, changes: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target).body(()).unwrap();
    let headers = request.headers_mut();
    let mut set = |name: &str, value: &str| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        if value.is_empty() {
            headers.remove(name);
        } else {
            headers.insert(name, value.parse().unwrap());
        }
    };
    set("host", "127.0.0.1:4711");
    set("cookie", "other=1; snowtoken-4711=session");
    set("sec-fetch-site", "same-origin");
    if method == "POST" {
        set("origin", "http://127.0.0.1:4711");
        set("content-type", "application/x-www-form-urlencoded");
        set("content-length", "10");
    }
    for (name, value) in changes {
        set(name, value);
    }
    request.into_parts().0
}

fn judged(method: &str, target: &str, changes: &[(&str, &str)]) -> Result<Pass, Refusal> {
    guard().judge(&request(method, target, changes))
}

#[test]
fn our_own_browser_is_let_through() {
    assert_eq!(judged("GET", "/", &[]), Ok(Pass::Read));
    assert_eq!(judged("HEAD", "/journey", &[]), Ok(Pass::Read));
    assert_eq!(judged("POST", "/journey", &[]), Ok(Pass::Write));
    assert_eq!(judged("GET", "/enter?key=x", &[("cookie", "")]), Ok(Pass::Enter));
    assert_eq!(judged("GET", "/", &[("sec-fetch-site", "")]), Ok(Pass::Read));
    assert_eq!(judged("POST", "/journey", &[("origin", "null")]), Ok(Pass::Write));
}

/// W1.
#[test]
fn w1_any_other_host_is_misdirected() {
    for host in [
        "localhost:4711",
        "127.0.0.1",
        "127.0.0.1:4712",
        "127.0.0.1:04711",
        "127.0.0.1.nip.io:4711",
        "127.0.0.1:4711.evil.example",
        "evil.example",
        "evil.example:4711",
        "[::1]:4711",
        "[::ffff:127.0.0.1]:4711",
        "0.0.0.0:4711",
        "127.1:4711",
        "2130706433:4711",
        "0x7f.1:4711",
        "127.0.0.2:4711",
        "LOCALHOST:4711",
        "127.0.0.1:4711,evil.example",
        "user@127.0.0.1:4711",
        "127.0.0.1:4711/",
        "http://127.0.0.1:4711",
        "127.0.0.1:",
        ":4711",
        ".",
        "",
    ] {
        for path in ["/", "/enter?key=entry", "/nothing"] {
            assert_eq!(judged("GET", path, &[("host", host)]), Err(Refusal::WrongHost), "{host}");
        }
    }
    let mut twice = request("GET", "/", &[]);
    twice.headers.append(HOST, "127.0.0.1:4711".parse().unwrap());
    assert_eq!(guard().judge(&twice), Err(Refusal::WrongHost));
    let absolute = request("GET", "http://127.0.0.1:4711/", &[]);
    assert_eq!(guard().judge(&absolute), Err(Refusal::WrongHost));
}

/// W3.
#[test]
fn w3_what_another_page_causes_is_refused() {
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "http://127.0.0.1"),
        ("origin", "http://localhost:4711"),
        ("origin", "https://127.0.0.1:4711"),
        ("origin", ""),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "anything"),
    ] {
        assert_eq!(judged("POST", "/journey", &[(name, value)]), Err(Refusal::Foreign), "{value}");
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(judged("GET", "/", &[("sec-fetch-site", site)]), Err(Refusal::Foreign));
        let entering = judged("GET", "/enter?key=entry", &[("sec-fetch-site", site)]);
        assert_eq!(entering, Err(Refusal::Foreign));
    }
    for site in ["", "none"] {
        let changes = [("origin", "null"), ("sec-fetch-site", site)];
        assert_eq!(judged("POST", "/journey", &changes), Err(Refusal::Foreign));
    }
}

/// W4.
#[test]
fn w4_without_the_cookie_nothing_is_told() {
    for cookie in
        ["", "snowtoken-4711=", "snowtoken-4711=sessio", "snowtoken-4712=session", "session"]
    {
        for (method, path) in [("GET", "/"), ("POST", "/journey"), ("GET", "/no/such/page")] {
            let verdict = judged(method, path, &[("cookie", cookie)]);
            assert_eq!(verdict, Err(Refusal::NotEntered), "{cookie}");
        }
    }
}

/// W4, W18.
#[test]
fn w4_the_link_opens_once() {
    let mut guard = guard();
    for wrong in
        [None, Some(""), Some("key="), Some("key=entr"), Some("key=entry1"), Some("x=entry")]
    {
        assert_eq!(guard.enter(wrong), Err(Refusal::WrongKey));
    }
    assert_eq!(guard.enter(Some("key=entry")), Ok(()));
    assert_eq!(guard.enter(Some("key=entry")), Err(Refusal::WrongKey));
    assert!(guard.entry_link().is_none());
    let ahead = judged("GET", "/enter?key=entry", &[("sec-purpose", "prefetch;prerender")]);
    assert_eq!(ahead, Err(Refusal::Method));
}

/// W18.
#[test]
fn w18_a_second_tab_is_led_on() {
    assert_eq!(judged("GET", "/enter?key=entry", &[]), Ok(Pass::Again));
}

/// W19.
#[test]
fn w19_a_page_that_looks_again_is_no_person() {
    let act = |method, changes: &[(&str, &str)]| Guard::is_act(&request(method, "/", changes));
    assert!(act("GET", &[]), "an old browser does not tell");
    assert!(act("GET", &[("sec-fetch-mode", "navigate"), ("sec-fetch-user", "?1")]));
    assert!(act("POST", &[("sec-fetch-mode", "cors")]));
    assert!(!act("GET", &[("sec-fetch-mode", "navigate")]), "a refresh by itself");
    assert!(!act("GET", &[("sec-fetch-mode", "cors"), ("sec-fetch-user", "?1")]));
}

/// W5, W10.
#[test]
fn w5_only_our_own_forms_are_read() {
    for (name, value, refusal) in [
        ("content-type", "text/plain", Refusal::WrongForm),
        ("content-type", "multipart/form-data; boundary=x", Refusal::WrongForm),
        ("content-type", "application/json", Refusal::WrongForm),
        ("content-type", "", Refusal::WrongForm),
        ("content-length", "", Refusal::Malformed),
        ("content-length", "-1", Refusal::Malformed),
        ("content-length", "262145", Refusal::TooLarge),
        ("content-length", "1073741824", Refusal::TooLarge),
    ] {
        assert_eq!(judged("POST", "/journey", &[(name, value)]), Err(refusal), "{name}: {value}");
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"] {
        assert_eq!(judged(method, "/journey", &[]), Err(Refusal::Method), "{method}");
    }
    let guard = guard();
    for wrong in [None, Some(""), Some("csr"), Some("csrf "), Some("CSRF")] {
        assert_eq!(guard.check_csrf(wrong), Err(Refusal::WrongForm));
    }
    assert_eq!(guard.check_csrf(Some("csrf")), Ok(()));
}

/// W11, W12.
#[test]
fn w11_w12_no_other_protocol_and_no_second_length() {
    for (name, value) in [
        ("upgrade", "websocket"),
        ("upgrade", "h2c"),
        ("sec-websocket-key", "x"),
        ("transfer-encoding", "chunked"),
        ("expect", "100-continue"),
    ] {
        assert_eq!(judged("GET", "/", &[(name, value)]), Err(Refusal::Malformed), "{name}");
        assert_eq!(judged("POST", "/", &[(name, value)]), Err(Refusal::Malformed), "{name}");
    }
    assert_eq!(judged("GET", "/", &[("content-length", "5")]), Err(Refusal::Malformed));
    assert_eq!(judged("GET", "/", &[("content-length", "0")]), Ok(Pass::Read));
    let mut twice = request("POST", "/", &[]);
    twice.headers.append(CONTENT_LENGTH, "11".parse().unwrap());
    assert_eq!(guard().judge(&twice), Err(Refusal::Malformed));
}

/// W15.
#[test]
fn w15_paths_that_play_tricks_lead_nowhere() {
    for path in [
        "/../",
        "/a/../b",
        "/./",
        "/%2e%2e/",
        "/%00",
        "//evil.example/",
        "/a//b",
        "/a\\b",
        "/A",
        "/ä",
        "/a;b",
        "/a%2fb",
    ] {
        let Ok(uri) = path.parse::<http::Uri>() else { continue };
        let mut head = request("GET", "/", &[]);
        head.uri = uri;
        assert_eq!(guard().judge(&head), Err(Refusal::NotFound), "{path}");
    }
}

#[test]
fn keys_are_not_shown() {
    let shown = format!("{:?}", guard());
    for secret in ["entry", "session", "csrf"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
