//! Ports, and when the wizard ends: W16, W19.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::site::LARGE;
use crate::support::{Answer, CSRF, PATIENCE, Wizard, connect};

const SECOND: Duration = Duration::from_secs(1);

fn is_closed(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()
}

/// How long it takes to end while this is done over and over.
fn life(wizard: &Wizard, mut meanwhile: impl FnMut(&Wizard)) -> Duration {
    let began = Instant::now();
    let port = wizard.port();
    while !is_closed(port) {
        assert!(began.elapsed() < PATIENCE, "it does not end");
        meanwhile(wizard);
        std::thread::sleep(Duration::from_millis(100));
    }
    let life = began.elapsed();
    wizard.running.wait();
    life
}

/// A stranger's request, to a port that may just be closing.
fn knock(port: u16) {
    use std::io::{Read as _, Write as _};
    if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let _ = stream.read(&mut [0; 64]);
    }
}

/// The request of our own browser, to a port that may just be closing.
fn visit(wizard: &Wizard, changes: &[(&str, &str)]) {
    use std::io::{Read as _, Write as _};
    if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, wizard.port())) {
        let _ = stream.write_all(wizard.head("GET", "/look", changes).as_bytes());
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

/// W16.
#[test]
fn w16_a_port_that_is_taken_is_an_error_and_a_free_one_is_found() {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = other.local_addr().unwrap().port();
    let error = Wizard::on(taken, PATIENCE).err().expect("the port is taken");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let free = Wizard::on(0, PATIENCE).unwrap();
    assert_ne!(free.port(), taken);
}

/// W16: the kernel lets nobody listen beside it, and it does not listen beside anybody.
#[test]
fn w16_nobody_listens_beside_it() {
    const BESIDE: &str = "import socket, sys\n\
        s = socket.socket()\n\
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n\
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n\
        s.bind((sys.argv[1], int(sys.argv[2])))\n\
        s.listen()\n\
        print(s.getsockname()[1], flush=True)\n\
        sys.stdin.read()\n";
    let beside = |host: &str, port: u16| {
        let mut command = Command::new("python3");
        command.args(["-c", BESIDE, host, &port.to_string()]);
        command
    };
    let wizard = Wizard::start();
    for host in ["127.0.0.1", "0.0.0.0"] {
        let outcome = beside(host, wizard.port()).output().expect("python3");
        let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
        assert!(said.contains("Address already in use"), "{host}: {said}");
    }
    for host in ["127.0.0.1", "0.0.0.0"] {
        use std::io::BufRead as _;
        use std::process::Stdio;
        let mut first =
            beside(host, 0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(first.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let error = Wizard::on(line.trim().parse().unwrap(), PATIENCE).err().expect("taken");
        assert_eq!(error.kind(), ErrorKind::AddrInUse, "{host}");
        drop(first.stdin.take());
        first.wait().unwrap();
    }
}

/// V6.
#[test]
fn v6_it_listens_on_the_loopback_address_only() {
    let wizard = Wizard::start();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = format!(":{:04X} ", wizard.port());
    let listening: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split_once(": ").map(|(_, rest)| rest))
        .filter(|rest| rest[8..].starts_with(&port) && rest.contains("00000000:0000 0A"))
        .map(|rest| &rest[..8])
        .collect();
    assert_eq!(listening, ["0100007F"]);
    let table = std::fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    assert!(!table.lines().any(|line| line.contains(&port) && line.contains(":0000 0A")));
}

/// W19.
#[test]
fn w19_it_ends_when_nobody_was_there_and_strangers_do_not_keep_it() {
    let alone = life(&Wizard::idling(SECOND), |_| {});
    let knocked = life(&Wizard::idling(SECOND), |wizard| knock(wizard.port()));
    for life in [alone, knocked] {
        assert!((SECOND..SECOND * 4).contains(&life), "{life:?}");
    }
}

/// W19.
#[test]
fn w19_a_person_keeps_it_open_and_a_page_that_only_looks_again_does_not() {
    let by_script = [("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")];
    let looking = std::thread::spawn(move || {
        life(&Wizard::idling(SECOND), |wizard| visit(wizard, &by_script))
    });
    let wizard = Wizard::idling(SECOND);
    let by_hand = [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-User", "?1")];
    let began = Instant::now();
    while began.elapsed() < SECOND * 7 {
        visit(&wizard, &by_hand);
        assert!(!is_closed(wizard.port()), "after {:?}", began.elapsed());
        std::thread::sleep(Duration::from_millis(100));
    }
    let looking = looking.join().unwrap();
    assert!((SECOND * 3..SECOND * 7).contains(&looking), "{looking:?}");
}

#[test]
fn the_last_page_arrives_whole_and_then_the_port_is_closed() {
    let wizard = on_a_port_of_its_own();
    let last = wizard.post("/bye", &format!("csrf={CSRF}"), &[]);
    assert_eq!(last.status, 200);
    assert!(last.body.len() > LARGE && last.text().ends_with("</html>"));
    let port = wizard.port();
    wizard.running.wait();
    assert!(is_closed(port));
}

/// On a port that no neighbour is given at the moment it is free: below those that systems hand out,
/// and never one that a test beside this one had.
fn on_a_port_of_its_own() -> Wizard {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    let start = |_| Wizard::on(NEXT.fetch_add(1, Ordering::Relaxed), PATIENCE * 10).ok();
    (0..100).find_map(start).expect("no port below those that are handed out")
}

#[test]
fn dropping_it_closes_the_port_though_somebody_hangs_on() {
    let wizard = on_a_port_of_its_own();
    let port = wizard.port();
    let _silent = connect(port);
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        drop(wizard);
        let _ = tell.send(());
    });
    told.recv_timeout(SECOND * 5).expect("it ends at once");
    assert!(is_closed(port));
}

/// What one page waits for comes by another: nobody stands in the other's way.
#[test]
fn a_page_that_waits_lets_others_through_and_goes_on_when_it_may() {
    let wizard = Wizard::start();
    let mut waiting = connect(wizard.port());
    waiting.write_all(wizard.head("GET", "/soon", &[]).as_bytes()).unwrap();
    let end = Instant::now() + PATIENCE;
    while wizard.log.counts().0 == 0 {
        assert!(Instant::now() < end, "it is not asked");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(wizard.ask("GET", "/done", &[]).status, 200);
    waiting.set_nonblocking(true).unwrap();
    let nothing = waiting.read(&mut [0; 1]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock, "it does not wait");
    waiting.set_nonblocking(false).unwrap();
    assert_eq!(wizard.ask("GET", "/change", &[]).status, 200);
    let mut bytes = Vec::new();
    waiting.read_to_end(&mut bytes).unwrap();
    let answer = Answer::of(&bytes);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/done")));
}
