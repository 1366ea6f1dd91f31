//! Connections are opened in advance, kept for the next request, and replaced without repeating
//! anything that may have been heard.

use std::time::{Duration, Instant};

use snowtoken::Diagnose as _;
use snowtoken::core::diagnosis::Code;
use snowtoken::core::keeper::NoAnswer;
use snowtoken::http::{HttpTransport, Transport as _, TransportError};
use url::Url;

use crate::support::fault_server::{FaultServer, Step};
use crate::support::requests::{AMPLE, CANARY, Outcome, answer, direct, outcome, post};

fn reply() -> Step {
    Step::Send(answer(200, "", "{}"))
}

fn origin(server: &FaultServer) -> Url {
    Url::parse(&server.url("/")).unwrap()
}

/// Waits until so many connections were accepted.
#[track_caller]
fn connected(server: &FaultServer, count: usize) {
    let end = Instant::now() + AMPLE;
    while server.connections() < count {
        assert!(Instant::now() < end, "{} connections", server.connections());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let server = FaultServer::always(vec![
        Step::Read,
        reply(),
        Step::Read,
        reply(),
        Step::Read,
        reply(),
        Step::Stall,
    ]);
    let transport = direct();
    for _ in 0..3 {
        transport.send(post(&server.url("/")), AMPLE).unwrap();
        // The other side's end of the answer is seen a moment later.
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 3));
}

/// Connections that tell by their answers which of them it was; at most one more may be prepared.
fn numbered() -> FaultServer {
    let script = |body| vec![Step::Read, Step::Send(answer(200, "", body)), Step::Stall];
    FaultServer::start(vec![script("first"), script("second"), script("third")])
}

#[track_caller]
fn went_over_the_first(server: &FaultServer, transport: &HttpTransport) {
    let result = transport.send(post(&server.url("/x")), AMPLE).unwrap();
    assert_eq!(result.body().expose(), b"first");
    assert_eq!(server.requests().len(), 1);
    std::thread::sleep(Duration::from_millis(50));
    assert!(server.connections() <= 2, "{} connections", server.connections());
}

#[test]
fn the_connection_opened_in_advance_carries_the_next_request() {
    let (server, transport) = (numbered(), direct());
    transport.open(&origin(&server));
    connected(&server, 1);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((server.connections(), server.requests().len()), (1, 0), "nothing is sent");
    went_over_the_first(&server, &transport);
}

/// A request that comes while the connection is being opened waits for that one.
#[test]
fn opening_and_sending_at_once_use_one_connection() {
    let (server, transport) = (numbered(), direct());
    transport.open(&origin(&server));
    went_over_the_first(&server, &transport);
}

#[test]
fn a_connection_that_the_server_closed_is_replaced_and_the_request_sent_once() {
    let server = FaultServer::start(vec![
        vec![Step::Pause(Duration::from_millis(150))],
        vec![Step::Read, reply(), Step::Stall],
    ]);
    let transport = direct();
    transport.open(&origin(&server));
    connected(&server, 1);
    // Sent in every phase: before, around and after the close.
    std::thread::sleep(Duration::from_millis(200));
    let result = transport.send(post(&server.url("/x")), AMPLE);
    assert_eq!(outcome(&result), Outcome::Status(200), "{result:?}");
    let requests = server.texts();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].ends_with(CANARY), "{requests:?}");
}

/// While nobody sends, a fresh one takes the place of one that was closed.
#[test]
fn a_connection_opened_in_advance_is_kept_fresh() {
    let server = FaultServer::start(vec![
        vec![Step::Pause(Duration::from_millis(100))],
        vec![Step::Read, reply(), Step::Stall],
    ]);
    let transport = direct();
    transport.open(&origin(&server));
    connected(&server, 2);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.connections(), 2);
    transport.send(post(&server.url("/x")), AMPLE).unwrap();
    assert_eq!(server.requests().len(), 1);
}

/// Once it was used, nobody goes on opening connections.
#[test]
fn after_the_request_no_further_connection_is_opened() {
    // The server closes some time after its answer: nobody is to care any more.
    let script = vec![Step::Read, reply(), Step::Pause(Duration::from_millis(900))];
    let server = FaultServer::always(script);
    let transport = direct();
    transport.open(&origin(&server));
    connected(&server, 1);
    transport.send(post(&server.url("/x")), AMPLE).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let soon = server.connections();
    assert!(soon <= 2, "{soon}");
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(server.connections(), soon);
}

/// R22: what may have been heard is not said twice, whichever connection it went over.
#[test]
fn r22_a_request_over_a_connection_that_dies_is_not_repeated() {
    let ends = [
        vec![Step::Read],
        vec![Step::Peek],
        vec![Step::Read, Step::Send(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec())],
        vec![Step::Read, Step::Send(answer(200, "", "{}")[..60].to_vec())],
    ];
    for (number, script) in ends.into_iter().enumerate() {
        for in_advance in [false, true] {
            let then = vec![Step::Read, reply(), Step::Stall];
            let server = FaultServer::start(vec![script.clone(), then]);
            let transport = direct();
            if in_advance {
                transport.open(&origin(&server));
                connected(&server, 1);
                std::thread::sleep(Duration::from_millis(50));
            }
            let error = transport.send(post(&server.url("/x")), AMPLE).unwrap_err();
            assert_eq!(error.code(), Code::ConnectionLost, "{number}");
            assert_eq!(error.no_answer(), NoAnswer::Lost, "{number}");
            std::thread::sleep(Duration::from_millis(50));
            assert!(server.requests().len() <= 1, "{number}: sent again");
        }
    }
}

/// The same over a connection that carried a request before.
#[test]
fn r22_nor_over_a_connection_that_was_kept() {
    let server =
        FaultServer::start(vec![vec![Step::Read, reply(), Step::Read], vec![Step::Read, reply()]]);
    let transport = direct();
    transport.send(post(&server.url("/first")), AMPLE).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let error = transport.send(post(&server.url("/second")), AMPLE).unwrap_err();
    assert_eq!(error.no_answer(), NoAnswer::Lost);
    let second = server.texts().iter().filter(|text| text.starts_with("POST /second")).count();
    assert_eq!((second, server.connections()), (1, 1));
}

#[test]
fn what_was_not_sent_is_told_apart_from_what_was() {
    let short = Duration::from_millis(300);
    // Nobody accepts: the port is closed.
    let closed = FaultServer::always(vec![]).url("/");
    let error = direct().send(post(&closed), short).unwrap_err();
    assert_eq!((error.code(), error.no_answer()), (Code::ConnectFailed, NoAnswer::NotSent));
    // No such name: RFC 6761 keeps `.invalid` for that.
    let error = direct().send(post("http://no-such-host.invalid/"), AMPLE).unwrap_err();
    assert_eq!((error.code(), error.no_answer()), (Code::NameNotFound, NoAnswer::NotSent));
    // TLS does not come about in time: the request waits behind it.
    let mute = FaultServer::always(vec![Step::Stall]);
    let url = format!("https://127.0.0.1:{}/", mute.port());
    let error = direct().send(post(&url), short).unwrap_err();
    assert_eq!((error.code(), error.no_answer()), (Code::TimedOut, NoAnswer::NotSent));
    let deaf = FaultServer::always(vec![Step::Read, Step::Stall]);
    let error = direct().send(post(&deaf.url("/")), short).unwrap_err();
    assert_eq!((error.code(), error.no_answer()), (Code::TimedOut, NoAnswer::Lost));
    assert!(matches!(error, TransportError::TimedOut { limit, .. } if limit == short));
}

/// What is sent: origin form, one `Host`, no cookie, nothing to unpack, and the body as it is.
#[test]
fn the_wire_form_is_plain() {
    let cookie = answer(200, "set-cookie: JSESSIONID=1; Path=/\r\n", "{}");
    let send = Step::Send(cookie);
    let server = FaultServer::always(vec![Step::Read, send.clone(), Step::Read, send]);
    let transport = direct();
    for _ in 0..2 {
        transport.send(post(&server.url("/oauth_token.do?a=%2f&b")), AMPLE).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    for text in server.texts() {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<&str> = head.split("\r\n").collect();
        lines[1..].sort_unstable();
        let host = format!("host: 127.0.0.1:{}", server.port());
        let agent = concat!("user-agent: snowtoken/", env!("CARGO_PKG_VERSION"));
        let length = format!("content-length: {}", CANARY.len());
        assert_eq!(
            lines,
            [
                "POST /oauth_token.do?a=%2f&b HTTP/1.1",
                &length,
                "content-type: application/x-www-form-urlencoded",
                &host,
                agent,
            ]
        );
        assert_eq!(body, CANARY);
    }
}

#[test]
fn sixteen_threads_share_one_transport() {
    let server = FaultServer::always(vec![Step::Read, reply()]);
    let transport = direct();
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (transport, url) = (&transport, server.url(&format!("/{number}")));
            scope.spawn(move || transport.send(post(&url), AMPLE).unwrap());
        }
    });
    assert_eq!(server.requests().len(), 16);
}

/// Callers may live inside an async runtime, also one with a single thread.
#[test]
fn calls_from_inside_a_runtime_do_not_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = FaultServer::always(vec![Step::Read, reply()]);
        let transport = direct();
        transport.open(&origin(&server));
        transport.send(post(&server.url("/")), AMPLE).unwrap();
        drop(transport);
    });
}
