//! Many, slow, and silent ones: W13, V5.

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use snowtoken_wizard::server::Limits;

use crate::support::{Answer, CSRF, ENTRY, PATIENCE, SESSION, Wizard, connect};

/// A real visit is answered within this time, whatever else goes on.
const SOON: Duration = Duration::from_secs(2);

/// What a flood may cost, in KiB.
const MOST_MEMORY: u64 = 40 * 1024;

/// Named for the child that is flooded.
const FLOODED: &str = "SNOWTOKEN_TEST_FLOODED";

/// A wizard in a process of its own, whose memory is nobody else's.
struct Flooded {
    child: Child,
    port: u16,
    /// Held, so that it can speak to its end.
    _said: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl Flooded {
    fn start(test: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).env(FLOODED, "1");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let port = said.by_ref().map_while(Result::ok).find_map(|line| {
            line.split_once("listens on ").and_then(|(_, port)| port.trim().parse().ok())
        });
        Self { child, port: port.expect("the child tells its port"), _said: said }
    }

    /// What is known of its memory, in KiB.
    fn memory(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The visit of somebody who was let in.
    fn visit(&self) {
        let began = Instant::now();
        let port = self.port;
        let request = format!(
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: snowtoken-{port}={SESSION}\r\n\r\n"
        );
        let mut stream = connect(port);
        stream.write_all(request.as_bytes()).unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        assert_eq!(Answer::of(&heard).status, 200);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }

    /// As many connections as this, each of which says this and then waits.
    fn crowd(&self, number: usize, says: &[u8]) -> Vec<TcpStream> {
        (0..number)
            .map(|_| {
                let mut stream = connect(self.port);
                // Who is pushed out hears of it while it talks.
                let _ = stream.write_all(says);
                stream
            })
            .collect()
    }
}

impl Drop for Flooded {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// What the child does: serves until its input ends.
fn be_flooded() {
    let wizard = Wizard::start();
    println!("listens on {}", wizard.port());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// W13.
#[test]
fn w13_a_visit_is_answered_and_memory_stays_bounded_in_a_flood() {
    if std::env::var_os(FLOODED).is_some() {
        return be_flooded();
    }
    let wizard =
        Flooded::start("flood::w13_a_visit_is_answered_and_memory_stays_bounded_in_a_flood");
    let port = wizard.port;
    wizard.visit();
    let before = wizard.memory("VmRSS");
    let head =
        format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-A: {}", "a".repeat(31 * 1024));
    let form = format!(
        "POST /journey HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: snowtoken-{port}={SESSION}\r\n\
         Origin: http://127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 262144\r\n\r\n{}",
        "a".repeat(255 * 1024)
    );
    for (number, says) in [
        (500, ""),
        (500, "GET / HTTP/1.1\r\n"),
        (500, head.as_str()),
        (200, form.as_str()),
        (500, "\r\n\r\n"),
    ] {
        let crowd = wizard.crowd(number, says.as_bytes());
        wizard.visit();
        // They hang up, each with something unread.
        drop(crowd);
        wizard.visit();
    }
    let most = wizard.memory("VmHWM").saturating_sub(before);
    assert!(most < MOST_MEMORY, "{most} KiB more than before");
}

/// W13: connections by the ten thousand, none of which says anything that counts.
#[test]
fn w13_v5_strays_by_the_thousand_do_not_keep_the_right_one_out() {
    let wizard = Wizard::start();
    let host = wizard.host();
    let strays = [
        format!("GET /favicon.ico HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("GET /enter?key=wrong HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("GET /?state=x&error=access_denied HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        "garbage\r\n\r\n".to_owned(),
        "GET / HT".to_owned(),
        String::new(),
    ];
    let mut hanging = std::collections::VecDeque::new();
    for number in 0..3_000 {
        let mut stream = connect(wizard.port());
        let _ = stream.write_all(strays[number % strays.len()].as_bytes());
        hanging.push_back(stream);
        if hanging.len() > 200 {
            hanging.pop_front();
        }
    }
    let began = Instant::now();
    let target = format!("/enter?key={ENTRY}");
    let entered = wizard.ask("GET", &target, &[("Cookie", ""), ("Sec-Fetch-Site", "none")]);
    assert_eq!(entered.status, 303);
    assert_eq!(wizard.ask("GET", "/", &[]).status, 200);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(wizard.log.counts(), (1, 0));
}

/// When the connection is closed by the other side.
fn hears_the_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    // Whoever is cut off may hear it the hard way.
    let _ = stream.read_to_end(&mut heard);
    heard
}

/// W13: who drips, stalls or does not listen is cut off in time.
#[test]
fn w13_the_slow_ones_are_cut_off() {
    let second = Duration::from_secs(1);
    let wizard = Wizard::hurried(Limits { head: second, form: second, whole: second * 3 });
    let began = Instant::now();
    let mut silent = connect(wizard.port());
    assert_eq!(hears_the_end(&mut silent), b"");
    // A byte now and then is no progress.
    let mut drip = connect(wizard.port());
    drip.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
    while drip.write_all(b"a").is_ok() {
        std::thread::sleep(Duration::from_millis(50));
        assert!(began.elapsed() < PATIENCE);
    }
    let mut form = connect(wizard.port());
    let length = [("Content-Length", "100")];
    form.write_all(wizard.head("POST", "/journey", &length).as_bytes()).unwrap();
    form.write_all(b"csrf=").unwrap();
    assert_eq!(Answer::of(&hears_the_end(&mut form)).status, 400);
    // The answer is larger than what the system keeps for who does not read.
    let mut deaf = connect(wizard.port());
    deaf.write_all(wizard.head("GET", "/large", &[]).as_bytes()).unwrap();
    std::thread::sleep(second * 5);
    let heard = hears_the_end(&mut deaf);
    assert!(heard.len() < crate::site::LARGE, "{}", heard.len());
    assert!(began.elapsed() < PATIENCE);
    assert_eq!(wizard.log.counts(), (1, 0));
}

#[test]
fn the_limits_are_those_of_a_person_in_front_of_a_browser() {
    let seconds = Duration::from_secs;
    let limits = Limits { head: seconds(10), form: seconds(10), whole: seconds(30) };
    assert_eq!(Limits::default(), limits);
}

/// More forms than one browser sends are turned away, and come later.
#[test]
fn forms_are_read_a_few_at_a_time() {
    let wizard = Wizard::start();
    let form = format!("csrf={CSRF}&client_secret=x");
    let length = form.len().to_string();
    let head = wizard.head("POST", "/journey", &[("Content-Length", &length)]);
    let mut waiting: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = connect(wizard.port());
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    // Whether all of them have been looked at shows when the next is turned away.
    let began = Instant::now();
    while wizard.post("/journey", &form, &[]).status != 503 {
        assert!(began.elapsed() < PATIENCE);
    }
    let before = wizard.log.counts().1;
    for stream in &mut waiting {
        stream.write_all(form.as_bytes()).unwrap();
        assert_eq!(Answer::of(&hears_the_end(stream)).status, 303);
    }
    assert_eq!(wizard.post("/journey", &form, &[]).status, 303);
    assert_eq!(wizard.log.counts().1, before + 9);
}
