//! Who is let in: W1, W3, W4, W5, W10, W11, W15, W17, W18.

use crate::support::{Answer, CSRF, ENTRY, SESSION, Wizard};

/// Everything the site answers to, and something it does not.
const ROUTES: [(&str, &str); 8] = [
    ("GET", "/"),
    ("GET", "/done"),
    ("GET", "/file"),
    ("GET", "/look"),
    ("GET", "/no/such/page"),
    ("POST", "/journey"),
    ("POST", "/copy"),
    ("POST", "/bye"),
];

fn form() -> String {
    format!("csrf={CSRF}&client_secret=stolen")
}

/// Each route with these changes: always this status, and the site never hears of it.
fn never(wizard: &Wizard, changes: &[(&str, &str)], status: impl Fn(&str) -> u16) {
    for (method, path) in ROUTES {
        let answer = match method {
            "POST" => wizard.post(path, &form(), changes),
            _ => wizard.ask(method, path, changes),
        };
        assert_eq!(answer.status, status(method), "{method} {path} {changes:?}");
    }
    assert_eq!(wizard.log.counts(), (0, 0), "{changes:?}");
}

fn enter(wizard: &Wizard, key: &str, changes: &[(&str, &str)]) -> Answer {
    let mut all = vec![("Cookie", ""), ("Sec-Fetch-Site", "none")];
    all.extend(changes);
    wizard.ask("GET", &format!("/enter?key={key}"), &all)
}

#[test]
fn our_own_browser_gets_all_of_it() {
    let wizard = Wizard::start();
    let page = wizard.ask("GET", "/", &[]);
    assert_eq!(page.status, 200);
    assert!(page.text().contains(CSRF) && !page.text().contains(SESSION));
    let stored = wizard.post("/journey", &format!("csrf={CSRF}&client_secret=s%2Bt+%26"), &[]);
    assert_eq!((stored.status, stored.header("location")), (303, Some("/done")));
    assert_eq!(*wizard.log.entered.lock().unwrap(), ["s+t &"]);
    assert_eq!(wizard.post("/copy", &format!("csrf={CSRF}"), &[]).text(), crate::site::CANARY);
    let file = wizard.ask("GET", "/file", &[]);
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"setup.sh\""));
}

/// HEAD says what GET says, without the page.
#[test]
fn head_has_the_headers_of_get_and_no_body() {
    let wizard = Wizard::start();
    for (path, status) in [("/", 200), ("/file", 200), ("/no/such/page", 404)] {
        let (head, get) = (wizard.ask("HEAD", path, &[]), wizard.ask("GET", path, &[]));
        assert_eq!((head.status, head.body.len()), (status, 0));
        assert_eq!(head.headers, get.headers, "{path}");
        assert_eq!(get.header("content-length"), Some(&*get.body.len().to_string()));
    }
}

/// Forty names for the address that are not its own, and none.
fn hosts(port: u16) -> Vec<String> {
    let names = [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1.",
        "127.0.0.1.nip.io",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.0.0.01",
        "127.0.0.2",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "evil.example",
        "evil.test",
        "user@127.0.0.1",
        "127.0.0.1@evil.example",
        "127.0.0.1%00",
        "127.0.0.1#",
        "127。0。0。1",
    ];
    let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
    hosts.extend([
        "127.0.0.1".to_owned(),
        "127.0.0.1:".to_owned(),
        format!("127.0.0.1:{}", port ^ 1),
        format!("127.0.0.1:0{port}"),
        format!("127.0.0.1:{port}:{port}"),
        format!("127.0.0.1:{port}/"),
        format!("127.0.0.1:{port}.evil.example"),
        format!("127.0.0.1:{port},evil.example"),
        format!("evil.example, 127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}"),
        format!("127.0.0.1 :{port}"),
        format!(":{port}"),
        "*".to_owned(),
        // None at all.
        String::new(),
    ]);
    assert!(hosts.len() >= 40);
    hosts
}

/// W1, V1.
#[test]
fn w1_another_name_for_the_address_reaches_nothing() {
    let wizard = Wizard::start();
    for host in &hosts(wizard.port()) {
        never(&wizard, &[("Host", host)], |_| 421);
        let entering = enter(&wizard, ENTRY, &[("Host", host)]);
        assert_eq!(entering.status, 421, "{host}");
    }
    let own = wizard.host();
    for head in [
        format!(
            "GET / HTTP/1.1\r\nHost: {own}\r\nHost: {own}\r\nCookie: {}\r\n\r\n",
            wizard.cookie()
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: {own}\r\nHost: evil.example\r\nCookie: {}\r\n\r\n",
            wizard.cookie()
        ),
        wizard.head("GET", &format!("http://{own}/"), &[]),
        wizard.head("GET", "http://evil.example/", &[]),
        wizard.head("GET", "https://evil.example/", &[("Host", "evil.example")]),
        wizard.head("CONNECT", &own, &[]),
        wizard.head("CONNECT", "evil.example:443", &[]),
    ] {
        assert_eq!(wizard.send(head.as_bytes()).status, 421, "{head}");
    }
    assert_eq!(wizard.log.counts(), (0, 0));
    // None of it used the link up.
    assert_eq!(enter(&wizard, ENTRY, &[]).status, 303);
}

/// W3, V2.
#[test]
fn w3_what_another_page_causes_reaches_nothing() {
    let wizard = Wizard::start();
    let port = wizard.port();
    for site in ["cross-site", "same-site", "", "anything", "Same-Origin"] {
        let status = |method: &str| match (site, method) {
            ("", "POST") => 403,
            ("", _) => 200,
            _ => 403,
        };
        if site.is_empty() {
            // A browser that does not say where a form comes from must say whose it is.
            let unsaid = [("Sec-Fetch-Site", ""), ("Origin", "null")];
            assert_eq!(wizard.post("/journey", &form(), &unsaid).status, status("POST"));
            continue;
        }
        never(&wizard, &[("Sec-Fetch-Site", site)], status);
        assert_eq!(enter(&wizard, ENTRY, &[("Sec-Fetch-Site", site)]).status, 403);
    }
    let origins = [
        String::new(),
        "null".to_owned(),
        "https://evil.example".to_owned(),
        "http://127.0.0.1".to_owned(),
        format!("https://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{}", port ^ 1),
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}.evil.example"),
        format!("http://127.0.0.1:{port}, null"),
    ];
    for origin in &origins {
        for site in ["none", ""] {
            let changes = [("Origin", origin.as_str()), ("Sec-Fetch-Site", site)];
            assert_eq!(wizard.post("/journey", &form(), &changes).status, 403, "{changes:?}");
        }
    }
    let twice = format!("Origin: http://{}\r\nOrigin: null\r\n\r\n", wizard.host());
    let head = wizard.head("POST", "/journey", &[("Origin", ""), ("Content-Length", "0")]);
    let head = format!("{}{twice}", head.strip_suffix("\r\n").unwrap());
    assert_eq!(wizard.send(head.as_bytes()).status, 403);
    assert_eq!(wizard.log.counts(), (0, 0));
    // What a browser sends for our own page, whose Referrer-Policy hides the origin.
    assert_eq!(wizard.post("/journey", &form(), &[("Origin", "null")]).status, 303);
}

/// W4, W17: somebody else on this machine calls everything there is.
#[test]
fn w4_w17_without_the_cookie_everything_is_the_same_constant() {
    let wizard = Wizard::start();
    let name = format!("snowtoken-{}", wizard.port());
    let mut said: Vec<Answer> = Vec::new();
    for cookie in [
        String::new(),
        format!("{name}="),
        format!("{name}={}", &SESSION[1..]),
        format!("{name}={SESSION}x"),
        format!("{name}={ENTRY}"),
        format!("{name}={CSRF}"),
        format!("snowtoken={SESSION}"),
        format!("{name}x={SESSION}"),
        SESSION.to_owned(),
    ] {
        never(&wizard, &[("Cookie", &cookie)], |_| 401);
        for path in
            ["/", "/file", "/a", "/enter", "/enter?key=", "/enter?key=wrong", "/enter?kex=entry"]
        {
            said.push(wizard.ask("GET", path, &[("Cookie", &cookie)]));
        }
    }
    assert!(said.iter().all(|answer| answer.status == 401 && *answer == said[0]), "{said:#?}");
    assert_eq!(wizard.log.counts(), (0, 0));
}

/// W4.
#[test]
fn w4_the_link_lets_one_browser_in_at_a_clean_address() {
    let wizard = Wizard::start();
    let entered = enter(&wizard, ENTRY, &[]);
    assert_eq!((entered.status, entered.header("location")), (303, Some("/")));
    let cookie = format!("{}; Path=/; HttpOnly; SameSite=Strict", wizard.cookie());
    assert_eq!(entered.header("set-cookie"), Some(&*cookie));
    assert_eq!(entered.body, b"");
    let again = enter(&wizard, ENTRY, &[]);
    assert_eq!((again.status, again.header("set-cookie")), (401, None));
    assert_eq!(wizard.log.counts(), (0, 0));
}

/// W18.
#[test]
fn w18_what_looks_ahead_does_not_use_the_link_up_and_a_second_tab_is_led_on() {
    let wizard = Wizard::start();
    for (name, value) in [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Purpose", "preview"),
        ("X-Moz", "prefetch"),
        ("Sec-Fetch-Mode", "no-cors"),
        ("Sec-Fetch-Dest", "image"),
        ("Sec-Fetch-Dest", "iframe"),
        ("Sec-Fetch-Dest", "empty"),
    ] {
        let answer = enter(&wizard, ENTRY, &[(name, value)]);
        assert_eq!((answer.status, answer.header("set-cookie")), (405, None), "{name}: {value}");
    }
    for method in ["HEAD", "OPTIONS", "POST"] {
        let target = format!("/enter?key={ENTRY}");
        let answer = wizard.ask(method, &target, &[("Cookie", ""), ("Sec-Fetch-Site", "none")]);
        assert_eq!(answer.status, 405, "{method}");
    }
    let opened = [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];
    assert_eq!(enter(&wizard, ENTRY, &opened).status, 303);
    // The same link once more, in the browser that has the cookie by now.
    let cookie = wizard.cookie();
    let second = enter(&wizard, ENTRY, &[("Cookie", &cookie)]);
    assert_eq!((second.status, second.header("location")), (303, Some("/")));
    assert_eq!(second.header("set-cookie"), None);
    assert_eq!(wizard.log.counts(), (0, 0));
}

/// W5.
#[test]
fn w5_only_our_own_forms_are_read() {
    let wizard = Wizard::start();
    for body in ["", "csrf=", "csrf=wrong", "client_secret=x", "csrf=%00"] {
        assert_eq!(wizard.post("/journey", body, &[]).status, 403, "{body}");
    }
    for body in [
        format!("csrf={CSRF}&csrf={CSRF}"),
        format!("csrf={CSRF}&a=1&a=2"),
        format!("csrf={CSRF}&a=%FF"),
    ] {
        assert_eq!(wizard.post("/journey", &body, &[]).status, 400, "{body}");
    }
    for kind in [
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json",
        "text/xml",
        "application/x-www-form-urlencoded; charset=utf-8",
        "application/x-www-form-urlencoded, text/plain",
    ] {
        assert_eq!(
            wizard.post("/journey", &form(), &[("Content-Type", kind)]).status,
            403,
            "{kind}"
        );
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "BREW", "get"] {
        let answer = wizard.ask(method, "/journey", &[]);
        let status = if method == "get" { 400 } else { 405 };
        assert_eq!(answer.status, status, "{method}");
        if status == 405 {
            assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
        }
    }
    assert_eq!(wizard.log.counts(), (0, 0));
}

/// W10.
#[test]
fn w10_no_preflight_is_answered_with_leave() {
    let wizard = Wizard::start();
    for changes in [
        [("Origin", "https://evil.example"), ("Access-Control-Request-Private-Network", "true")],
        [("Origin", "https://evil.example"), ("Access-Control-Request-Local-Network", "true")],
        [("Origin", "null"), ("Access-Control-Request-Headers", "x-own")],
    ] {
        let mut all = vec![("Cookie", ""), ("Access-Control-Request-Method", "POST")];
        all.extend(changes);
        // That no answer has a header that allows anything is looked at in each.
        assert_eq!(wizard.ask("OPTIONS", "/journey", &all).status, 405);
        all.push(("Sec-Fetch-Site", "cross-site"));
        assert_eq!(wizard.ask("OPTIONS", "/journey", &all).status, 403);
    }
}

/// W11.
#[test]
fn w11_no_other_protocol_is_spoken() {
    let wizard = Wizard::start();
    let key = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    for changes in [
        vec![
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            key,
            ("Sec-WebSocket-Version", "13"),
        ],
        vec![
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            key,
            ("Origin", "https://evil.example"),
        ],
        vec![
            ("Upgrade", "h2c"),
            ("Connection", "Upgrade, HTTP2-Settings"),
            ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
        ],
        vec![("Upgrade", "TLS/1.3")],
        vec![key],
    ] {
        for path in ["/", "/look", "/nothing"] {
            assert_eq!(wizard.ask("GET", path, &changes).status, 400, "{changes:?}");
        }
    }
    let foreign = [("Accept", "text/event-stream"), ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(wizard.ask("GET", "/look", &foreign).status, 403);
    // The preface of HTTP/2 without a question, and a TLS handshake: nothing at all, or a refusal.
    assert_eq!(wizard.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status, 0);
    assert_eq!(wizard.send(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n").status, 400);
    assert_eq!(wizard.log.counts(), (0, 0));
}

/// W15.
#[test]
fn w15_paths_that_play_tricks_lead_nowhere() {
    let wizard = Wizard::start();
    for path in [
        "/../",
        "/..",
        "/a/../../etc/passwd",
        "/./",
        "/.",
        "/%2e%2e/",
        "/%2e",
        "/%00",
        "/a%00b",
        "/%2f%2fevil.example",
        "//",
        "//evil.example/",
        "///",
        "/a//b",
        "/a;b",
        "/a:b",
        "/A",
        "/a%5cb",
        "/%c0%ae%c0%ae/",
        "/a%0d%0aset-cookie:x",
        "/a'b",
        "/a(b)",
        "/a$b",
        "/a&b",
        "/a,b",
        "/a@b",
        "/a!b",
        "/a~b",
        "/a\\b",
        "/..\\..\\",
        "*",
        "/file/",
        "/file/.",
    ] {
        for cookie in [true, false] {
            let changes: &[_] = if cookie { &[] } else { &[("Cookie", "")] };
            let status = wizard.ask("GET", path, changes).status;
            let expected = if cookie || path != "/file/" { 404 } else { 401 };
            assert_eq!(status, expected, "{path}");
        }
    }
    for bytes in [
        &b"/a\x00b"[..],
        b"/a\xffb",
        "/ä".as_bytes(),
        "/\u{202e}".as_bytes(),
        b"/a\tb",
        b"/a\x0bb",
        b"/a b",
        b"",
    ] {
        let head = wizard.head("GET", "/TARGET", &[]);
        let (before, after) = head.split_once("/TARGET").unwrap();
        let answer = wizard.send(&[before.as_bytes(), bytes, after.as_bytes()].concat());
        assert!(matches!(answer.status, 400 | 404), "{}: {}", bytes.escape_ascii(), answer.status);
    }
    // Only what the site does not know reached it.
    assert_eq!(wizard.log.counts(), (1, 0));
}
