//! The server over real sockets: faults of the connection, the control port, the robot person.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;
use snowtoken_stand_in::{
    Behaviour, Decision, Options, Person, PersonError, Running, Server, User,
};

fn start(knobs: &[&str]) -> Running {
    let mut behaviour = Behaviour::default();
    for knob in knobs {
        behaviour.assign(knob).unwrap();
    }
    let options = Options { behaviour, seed: Some(7), control_port: Some(0), ..Options::default() };
    Server::start(options).unwrap()
}

/// Everything that comes back, and how the connection ended.
fn raw(base: &str, request: &str) -> (String, Option<ErrorKind>) {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(1_500))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = Vec::new();
    let end = stream.read_to_end(&mut all).err().map(|error| error.kind());
    (String::from_utf8_lossy(&all).into_owned(), end)
}

fn get(base: &str, path: &str, headers: &str) -> (u16, String) {
    let host = base.strip_prefix("http://").unwrap();
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {host}\r\n") };
    answer(raw(base, &format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n")))
}

fn post(base: &str, path: &str, body: &str) -> (u16, Value) {
    let host = base.strip_prefix("http://").unwrap();
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let (status, body) = answer(raw(base, &request));
    (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("{status} {body}")))
}

fn answer((all, end): (String, Option<ErrorKind>)) -> (u16, String) {
    assert_eq!(end, None);
    let (head, body) = all.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn authorization_url(running: &Running) -> String {
    let id = running.with_instance(|instance| instance.clients().remove(0).client_id);
    let base = running.base_url();
    format!("{base}/oauth_auth.do?response_type=code&client_id={id}&state=x1")
}

#[test]
fn only_loopback_addresses_are_bound() {
    let options = Options { bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED), ..Options::default() };
    let error = Server::start(options).unwrap_err();
    assert_eq!(error.to_string(), "0.0.0.0 is not a loopback address");
}

#[test]
fn stopping_frees_the_port() {
    let running = start(&[]);
    let port = running.base_url().rsplit_once(':').unwrap().1.parse().unwrap();
    assert_eq!(get(running.base_url(), "/", "").0, 200);
    running.stop();
    running.stop();
    let again = Server::start(Options { port, ..Options::default() }).unwrap();
    assert_eq!(get(again.base_url(), "/", "").0, 200);
}

#[test]
fn a_cut_happens_at_the_byte_headers_included() {
    let running = start(&["fault.kind=cut", "fault.byte=20"]);
    let (all, end) = raw(running.base_url(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((all.as_str(), end), ("HTTP/1.1 200 OK\r\ncon", None));
    running.with_instance(|instance| instance.set("fault.byte", "0")).unwrap();
    let (all, end) = raw(running.base_url(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((all.as_str(), end), ("", None));
}

#[test]
fn a_reset_is_a_reset_and_a_stall_goes_on() {
    let running = start(&["fault.kind=reset", "fault.byte=10"]);
    let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let (_, end) = raw(running.base_url(), request);
    assert_eq!(end, Some(ErrorKind::ConnectionReset));
    running.with_instance(|instance| instance.set("fault.kind", "stall")).unwrap();
    let (all, end) = raw(running.base_url(), request);
    assert_eq!((all.as_str(), end), ("HTTP/1.1 2", Some(ErrorKind::WouldBlock)));
}

#[test]
fn slow_answers_wait_and_dripping_ones_come_byte_by_byte() {
    let request = "GET /oauth_nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let running = start(&["fault.kind=slow", "fault.delay=150"]);
    let begun = Instant::now();
    assert_eq!(answer(raw(running.base_url(), request)).0, 404);
    assert!(begun.elapsed() >= Duration::from_millis(150));
    let running = start(&["fault.kind=drip", "fault.delay=200"]);
    let mut stream =
        TcpStream::connect(running.base_url().strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = [0; 100];
    assert_eq!(stream.read(&mut bytes).unwrap(), 1);
    assert_eq!(stream.read(&mut bytes).unwrap(), 1);
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let running = start(&[]);
    let request = "POST /oauth_token.do HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\nConnection: close\r\n\r\n";
    let (all, _) = raw(running.base_url(), request);
    assert!(all.starts_with("HTTP/1.1 413 "), "{all}");
}

#[test]
fn the_robot_allows_and_denies() {
    let running = start(&[]);
    let url = authorization_url(&running);
    let redirect = Person::default().decide(&url, Decision::Allow).unwrap();
    assert!(
        redirect.starts_with("https://us-west-2.console.aws.amazon.com/appflow/oauth?code="),
        "{redirect}"
    );
    assert!(redirect.ends_with("&state=x1"));
    let redirect = Person::default().decide(&url, Decision::Deny).unwrap();
    assert!(redirect.ends_with("/appflow/oauth?error=access_denied&state=x1"), "{redirect}");
    let paths: Vec<String> = running.requests().iter().map(|one| one.path().to_owned()).collect();
    assert_eq!(&paths[..3], ["/oauth_auth.do", "/oauth_login.do", "/login.do"]);
}

#[test]
fn the_robot_says_what_stopped_it() {
    let running = start(&["deny=page"]);
    let url = authorization_url(&running);
    let locked = Person { user_name: "locked.user".into(), ..Person::default() };
    let error = locked.decide(&url, Decision::Allow).unwrap_err();
    assert_eq!(error.to_string(), "the sign-in was refused: User name or password invalid");
    let error = Person::default().decide(&url, Decision::Deny).unwrap_err();
    assert_eq!(error.to_string(), "the instance showed a page (status 200): Access was denied");
    let error = Person::default().decide(&format!("{url}&redirect_uri=x"), Decision::Allow);
    let PersonError::Page { text, .. } = error.unwrap_err() else { panic!("a page") };
    assert_eq!(text, "Invalid redirect_uri");
    for url in ["https://127.0.0.1/", "http://127.0.0.1.evil.example/", "http://example.com/"] {
        let error = Person::default().decide(url, Decision::Allow).unwrap_err();
        assert!(matches!(error, PersonError::NotLoopback), "{url}");
    }
    running.stop();
    let error = Person::default().decide(&authorization_url(&running), Decision::Allow);
    assert!(matches!(error.unwrap_err(), PersonError::Connection(_)));
}

#[test]
fn the_control_port_refuses_web_pages() {
    let running = start(&[]);
    let control = running.control_url().unwrap();
    assert_eq!(get(control, "/state", "").0, 200);
    assert_eq!(get(control, "/", "").0, 200);
    for header in [
        "Host: evil.example\r\n",
        "Host: 127.0.0.1.evil.example:1\r\n",
        "Origin: null\r\n",
        "Origin: http://127.0.0.1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
    ] {
        let (status, body) = get(control, "/state", header);
        assert_eq!(status, 403, "{header}");
        assert!(!body.contains("client_secret"));
    }
    assert_eq!(get(control, "/state", "Host: localhost:1\r\n").0, 200);
}

#[test]
fn the_control_port_moves_the_clock() {
    let running = start(&[]);
    let control = running.control_url().unwrap();
    let (_, set) = post(control, "/clock", r#"{"freeze": "2026-01-01T00:00:00Z"}"#);
    assert_eq!(set["now"], "2026-01-01T00:00:00Z");
    let (_, set) = post(control, "/clock", r#"{"advance_seconds": 90}"#);
    assert_eq!(set["now"], "2026-01-01T00:01:30Z");
    assert_eq!(running.now().to_string(), "2026-01-01T00:01:30Z");
    let (status, _) = post(control, "/clock", r#"{"advance": 90}"#);
    assert_eq!(status, 400);
}

#[test]
fn the_control_port_changes_what_is_known() {
    let running = start(&[]);
    let control = running.control_url().unwrap();
    let (status, _) = post(control, "/knob", r#"{"name": "refresh.token", "value": "omit"}"#);
    assert_eq!(status, 200);
    let (status, refused) =
        post(control, "/knob", r#"{"name": "refresh.tokens", "value": "omit"}"#);
    assert_eq!(status, 400);
    assert!(refused["error"].as_str().unwrap().contains("did you mean `refresh.token`?"));
    let (_, user) = post(control, "/user", r#"{"user_name": "abel.tuter", "locked_out": true}"#);
    assert_eq!((&user["locked_out"], &user["name"]), (&true.into(), &"Abel Tuter".into()));
    let url = authorization_url(&running);
    assert!(Person::default().decide(&url, Decision::Allow).is_err());
    let (_, client) = post(control, "/client", r#"{"client_id": "new", "client_secret": "s"}"#);
    assert_eq!((&client["client_secret"], &client["active"]), (&"s".into(), &true.into()));
    assert_eq!(post(control, "/client", r#"{"client_ident": "x"}"#).0, 400);
    let (_, state) = (0, get(control, "/state", "").1);
    assert!(state.contains(r#""knobs":{"refresh.token":"omit"}"#), "{state}");
    assert_eq!(post(control, "/reset", "").0, 200);
    assert!(get(control, "/state", "").1.contains(r#""knobs":{}"#));
    assert!(Person::default().decide(&url, Decision::Allow).is_ok());
}

#[test]
fn the_control_port_scripts_faults_and_shows_the_logs() {
    let running = start(&[]);
    let control = running.control_url().unwrap();
    let script =
        r#"{"path": "/oauth_token.do", "status": 418, "headers": {"x-y": "z"}, "body": "hi"}"#;
    assert_eq!(post(control, "/script", script).0, 200);
    assert_eq!(get(running.base_url(), "/oauth_token.do", ""), (418, "hi".to_owned()));
    assert_eq!(get(running.base_url(), "/oauth_token.do", "").0, 401);
    assert_eq!(post(control, "/fault", r#"{"kind": "bad-gateway", "times": 1}"#).0, 200);
    assert_eq!(post(control, "/fault", r#"{"kind": "earthquake"}"#).0, 400);
    assert_eq!(get(running.base_url(), "/", "").0, 502);
    assert_eq!(get(running.base_url(), "/", "").0, 200);
    assert!(get(control, "/syslog", "").1.contains("POST is required"));
    assert!(get(control, "/transactions", "").1.contains(r#""fault":"bad-gateway""#));
    let requests: Value =
        serde_json::from_str(&get(control, "/requests?path=/oauth_token.do", "").1).unwrap();
    assert_eq!(requests.as_array().unwrap().len(), 2);
    let knobs: Value = serde_json::from_str(&get(control, "/knobs", "").1).unwrap();
    assert_eq!(knobs.as_array().unwrap().len(), Behaviour::knobs().len());
}

#[test]
fn the_control_port_revokes() {
    let users = vec![User { user_name: "u".into(), ..User::default() }];
    let options = Options { users, control_port: Some(0), ..Options::default() };
    let running = Server::start(options).unwrap();
    let control = running.control_url().unwrap();
    let body = r#"{"client_id": "x", "user": "u"}"#;
    assert_eq!(post(control, "/revoke", body), (200, serde_json::json!({"revoked": false})));
    assert_eq!(post(control, "/revoke", "{}").0, 400);
}
