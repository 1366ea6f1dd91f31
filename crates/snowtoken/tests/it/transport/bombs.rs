//! V26: whatever answers, it ends in time and in little memory.

use std::time::{Duration, Instant};

use snowtoken::core::diagnosis::Code;

use crate::support::child;
use crate::support::fault_server::{FaultServer, Step};
use crate::support::requests::{Outcome, answer, outcome, send};

const LIMIT: Duration = Duration::from_millis(700);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(1_500);

const OK: &[u8] = b"HTTP/1.1 200 OK\r\n";

struct Row {
    name: &'static str,
    script: Vec<Step>,
    expected: Outcome,
}

fn row(name: &'static str, after_request: Vec<Step>, expected: Outcome) -> Row {
    let mut script = vec![Step::Read];
    script.extend(after_request);
    Row { name, script, expected }
}

fn text(parts: &[&[u8]]) -> Step {
    Step::Send(parts.concat())
}

fn slow() -> Vec<Row> {
    let late = || Outcome::Failed(Code::TimedOut);
    let tick = Duration::from_millis(40);
    let whole = answer(200, "", &"x".repeat(200));
    vec![
        row("stall before the answer", vec![Step::Stall], late()),
        row("stall in the status line", vec![text(&[b"HTTP/1.1 2"]), Step::Stall], late()),
        row("stall in a header", vec![text(&[OK, b"content-le"]), Step::Stall], late()),
        row(
            "stall before the body",
            vec![text(&[OK, b"content-length: 9\r\n\r\n"]), Step::Stall],
            late(),
        ),
        row(
            "stall in the body",
            vec![text(&[OK, b"content-length: 9\r\n\r\n{"]), Step::Stall],
            late(),
        ),
        row(
            "stall in a chunk",
            vec![text(&[OK, b"transfer-encoding: chunked\r\n\r\n5\r\nab"]), Step::Stall],
            late(),
        ),
        row("one byte after the other", vec![Step::Drip(whole, tick)], late()),
        row(
            "endless 100 Continue",
            vec![Step::Endless(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())],
            late(),
        ),
        row(
            "endless 103 Early Hints",
            vec![Step::Endless(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".to_vec())],
            late(),
        ),
    ]
}

fn large() -> Vec<Row> {
    let too_large = || Outcome::Failed(Code::AnswerTooLarge);
    let many: Vec<String> = (0..100_000).map(|n| format!("x-{n}: y\r\n")).collect();
    let many = many.concat();
    let line = format!("x: {}\r\n\r\n", "y".repeat(10_000_000));
    let brackets = "[".repeat(1_000_000);
    vec![
        row(
            "endless body",
            vec![text(&[OK, b"\r\n"]), Step::Endless(b"{\"a\":".to_vec())],
            too_large(),
        ),
        row(
            "10 GB that are announced",
            vec![text(&[OK, b"content-length: 10000000000\r\n\r\n"]), Step::Endless(vec![b'x'])],
            too_large(),
        ),
        row(
            "endless chunks",
            vec![
                text(&[OK, b"transfer-encoding: chunked\r\n\r\n"]),
                Step::Endless(b"8\r\n[[[[[[[[\r\n".to_vec()),
            ],
            too_large(),
        ),
        row(
            "one endless chunk",
            vec![
                text(&[OK, b"transfer-encoding: chunked\r\n\r\nfffffffffff\r\n"]),
                Step::Endless(vec![b'x']),
            ],
            too_large(),
        ),
        row(
            "a body of 1 MiB and a byte",
            vec![Step::Send(answer(200, "", &"x".repeat(1024 * 1024 + 1)))],
            too_large(),
        ),
        row(
            "100,000 headers",
            vec![text(&[OK, many.as_bytes(), b"\r\n"]), Step::Stall],
            too_large(),
        ),
        row("a header of 10 MB", vec![text(&[OK, line.as_bytes()]), Step::Stall], too_large()),
        row("an endless header", vec![text(&[OK, b"x: "]), Step::Endless(vec![b'y'])], too_large()),
        row(
            "a million brackets",
            vec![Step::Send(answer(200, "", &brackets))],
            Outcome::Status(200),
        ),
        row(
            "a body of 1 MiB",
            vec![Step::Send(answer(200, "", &"x".repeat(1024 * 1024)))],
            Outcome::Status(200),
        ),
    ]
}

fn broken() -> Vec<Row> {
    let failed = |code| Outcome::Failed(code);
    let lost = || failed(Code::ConnectionLost);
    let unreadable = || failed(Code::AnswerUnreadable);
    let zip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";
    vec![
        row("closed without an answer", vec![], lost()),
        row("closed in the head", vec![text(&[OK, b"content-le"])], lost()),
        row("closed in the body", vec![text(&[OK, b"content-length: 9\r\n\r\n{"])], lost()),
        row(
            "closed in a chunk",
            vec![text(&[OK, b"transfer-encoding: chunked\r\n\r\n5\r\nab"])],
            lost(),
        ),
        row(
            "a chunk of a length that is none",
            vec![text(&[OK, b"transfer-encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n"])],
            lost(),
        ),
        row("garbage", vec![text(&[b"\x16\x03\x01\x02\x00garbage\r\n\r\n"])], unreadable()),
        row("HTTP/2", vec![text(&[b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"])], unreadable()),
        row("SSH", vec![text(&[b"SSH-2.0-OpenSSH_9.2\r\n"]), Step::Stall], unreadable()),
        row(
            "two lengths",
            vec![text(&[OK, b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}"])],
            unreadable(),
        ),
        row(
            "gzip",
            vec![text(&[OK, b"content-encoding: gzip\r\ncontent-length: 10\r\n\r\n", zip])],
            unreadable(),
        ),
        row(
            "an endless gzip",
            vec![text(&[OK, b"content-encoding: gzip\r\n\r\n", zip]), Step::Endless(vec![0])],
            unreadable(),
        ),
        row(
            "br in br",
            vec![text(&[OK, b"content-encoding: br, br\r\ncontent-length: 0\r\n\r\n"])],
            unreadable(),
        ),
        row(
            "a length that is too small",
            vec![text(&[OK, b"content-length: 2\r\n\r\n{}{\"access_token\":1}"])],
            Outcome::Status(200),
        ),
        row("HTTP/1.0", vec![text(&[b"HTTP/1.0 200 OK\r\n\r\n{}"])], Outcome::Status(200)),
        row("204", vec![text(&[b"HTTP/1.1 204 No Content\r\n\r\n"])], Outcome::Status(204)),
        row("503", vec![Step::Send(answer(503, "retry-after: 9\r\n", "{}"))], Outcome::Status(503)),
        row(
            "100 Continue, then the answer",
            vec![text(&[b"HTTP/1.1 100 Continue\r\n\r\n", &answer(200, "", "{}")])],
            Outcome::Status(200),
        ),
    ]
}

fn reset() -> Vec<Row> {
    let plain = |name, script: Vec<Step>| Row {
        name,
        script,
        expected: Outcome::Failed(Code::ConnectionLost),
    };
    vec![
        plain("reset before the answer", vec![Step::Peek]),
        plain("reset in the head", vec![Step::Peek, text(&[OK, b"conte"])]),
        plain("reset in the body", vec![Step::Peek, text(&[OK, b"content-length: 9\r\n\r\n{"])]),
    ]
}

fn check(rows: Vec<Row>) {
    for row in rows {
        let server = FaultServer::always(row.script);
        let started = Instant::now();
        let result = send(&server.url("/oauth_token.do"), LIMIT);
        let took = started.elapsed();
        assert_eq!(outcome(&result), row.expected, "{}: {result:?}", row.name);
        assert!(took < LIMIT + SLACK, "{}: {took:?}", row.name);
        assert!(server.requests().len() <= 1, "{}: sent again", row.name);
        assert_eq!(server.connections(), 1, "{}", row.name);
    }
}

#[test]
fn v26_slow_answers_end_at_the_deadline() {
    check(slow());
}

#[test]
fn v26_broken_answers_are_told_apart() {
    check(broken());
    check(reset());
}

/// V26: and the process has hardly grown. The servers are in this process, the transport in another.
#[test]
fn v26_large_answers_are_cut_in_little_memory() {
    if let Some(message) = child::told() {
        let small = FaultServer::always(vec![Step::Read, Step::Send(answer(200, "", "{}"))]);
        send(&small.url("/"), LIMIT + SLACK).unwrap();
        // The gauge works: it shows what was held for a moment.
        let before = forget_peak();
        drop(std::hint::black_box(vec![1_u8; 32 * 1024 * 1024]));
        assert!(peak() - before >= 30 * 1024);
        for row in message.lines() {
            let (port, expected) = row.split_once(' ').unwrap();
            let before = forget_peak();
            let result = send(&format!("http://127.0.0.1:{port}/oauth_token.do"), LIMIT + SLACK);
            let grown = peak().saturating_sub(before);
            assert_eq!(format!("{:?}", outcome(&result)), expected, "{result:?}");
            assert!(grown <= 8 * 1024, "{expected}: {grown} KiB");
        }
        return;
    }
    let rows: Vec<_> = large()
        .into_iter()
        .map(|row| (row.name, FaultServer::always(row.script), row.expected))
        .collect();
    let message: Vec<String> = rows
        .iter()
        .map(|(_, server, expected)| format!("{} {expected:?}", server.port()))
        .collect();
    child::run(
        "transport::bombs::v26_large_answers_are_cut_in_little_memory",
        &message.join("\n"),
        &[],
    );
    for (name, server, _) in rows {
        assert_eq!((server.connections(), server.requests().len()), (1, 1), "{name}");
    }
}

/// Begins anew to watch for the most memory this process has; tells what it is now.
fn forget_peak() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    peak()
}

/// The most memory this process has had since, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The unhandled rest of a bomb must not hold up the next request.
#[test]
fn v26_the_transport_goes_on_after_a_bomb() {
    use snowtoken::http::Transport as _;
    let server = FaultServer::start(vec![
        vec![Step::Read, text(&[OK, b"\r\n"]), Step::Endless(vec![b'x'])],
        vec![Step::Read, Step::Stall],
        vec![Step::Read, Step::Send(answer(200, "", "{}"))],
    ]);
    let transport = crate::support::requests::direct();
    let once = || {
        let request = crate::support::requests::post(&server.url("/"));
        outcome(&transport.send(request, LIMIT + SLACK))
    };
    assert_eq!(once(), Outcome::Failed(Code::AnswerTooLarge));
    assert_eq!(once(), Outcome::Failed(Code::TimedOut));
    assert_eq!(once(), Outcome::Status(200));
    assert_eq!(server.connections(), 3);
}
