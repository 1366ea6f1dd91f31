//! Strangers at the listener, and logins that must not be mixed up.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use snowtoken::core::diagnosis::{Code, Diagnose as _};

use crate::support::child;
use crate::support::logins::{Hands, Setting};
use crate::support::raw_http::{connect, get, head, visit};

/// How many strangers come before the one that is waited for.
const STRANGERS: usize = 10_000;

/// One stranger, of eight kinds.
fn stranger(port: u16, number: usize) {
    let host = format!("127.0.0.1:{port}");
    let send = |target: &str, host: &str| {
        // Read or not: some are gone before they are answered.
        let mut stream = connect(port);
        let _ = stream.write_all(head(target, host, "").as_bytes());
        stream
    };
    match number % 8 {
        0 => assert_eq!(get(port, "/favicon.ico").unwrap().status, 404),
        1 => assert_eq!(get(port, "/callback?code=x&state=wrong").unwrap().status, 400),
        2 => assert_eq!(get(port, "/callback?error=access_denied").unwrap().status, 400),
        3 => assert_eq!(get(port, "/callback?error=x&state=wrong").unwrap().status, 400),
        4 => drop(send("/callback?code=x&state=y", &host)),
        5 => drop(send("/callback?code=x&state=y", "evil.example")),
        6 => {
            let mut stream = connect(port);
            let _ = stream.write_all(b"\x16\x03\x01garbage\r\n\r\n");
        }
        _ => drop(connect(port)),
    }
}

#[test]
fn v5_ten_thousand_strangers_do_not_keep_the_real_one_out() {
    const TEST: &str = "login::strangers::v5_ten_thousand_strangers_do_not_keep_the_real_one_out";
    if !child::with_many_files(TEST) {
        return;
    }
    let setting = Setting::listening();
    let port = setting.port();
    let mut since = None;
    let done = setting.run(|hands| {
        let redirect = hands.allow();
        let idle: Vec<TcpStream> = (0..300).map(|_| connect(port)).collect();
        let half: Vec<TcpStream> = (0..50)
            .map(|_| {
                let mut stream = connect(port);
                stream.write_all(b"GET /callback?code=x HTTP/1.1\r\nHo").unwrap();
                stream
            })
            .collect();
        std::thread::scope(|scope| {
            for worker in 0..8 {
                scope.spawn(move || {
                    for number in 0..STRANGERS / 8 {
                        stranger(port, worker + number);
                    }
                });
            }
        });
        assert_eq!(setting.token_requests().len(), 0);
        since = Some(Instant::now());
        assert_eq!(visit(&redirect).unwrap().status, 303);
        drop((idle, half));
    });
    let took = since.unwrap().elapsed();
    assert!(done.is_ok(), "{:?}", done.err());
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(setting.token_requests().len(), 1);
}

/// More idle connections than are kept: the newest gets through all the same.
#[test]
fn v5_a_flood_of_idle_connections_makes_room() {
    if !child::with_many_files("login::strangers::v5_a_flood_of_idle_connections_makes_room") {
        return;
    }
    let setting = Setting::listening();
    let done = setting.run(|hands| {
        let idle: Vec<TcpStream> = (0..700).map(|_| connect(setting.port())).collect();
        assert_eq!(visit(&hands.allow()).unwrap().status, 303);
        drop(idle);
    });
    assert!(done.is_ok(), "{:?}", done.err());
}

/// Runs two logins at once; `act` gets the hands of both.
fn both(one: &Setting, two: &Setting, act: impl FnOnce(&Hands, &Hands)) -> [Option<Code>; 2] {
    let (send, receive) = channel();
    let (over, ended) = channel::<()>();
    std::thread::scope(|scope| {
        let second = scope.spawn(move || {
            let result = two.run(|hands| {
                send.send(Hands { url: hands.url.clone(), pastes: hands.pastes.clone() }).unwrap();
                // The hands stay until the other side has acted.
                let _ = ended.recv();
            });
            result.err().map(|error| error.code())
        });
        let first = one.run(|hands| {
            let other = receive.recv_timeout(Duration::from_secs(10)).unwrap();
            act(hands, &other);
            drop(over);
        });
        [first.err().map(|error| error.code()), second.join().unwrap()]
    })
}

/// V3: the answer to one login is none to another, on the same instance.
#[test]
fn v3_the_state_of_one_login_is_nothing_to_another() {
    let (one, two) = (Setting::listening(), Setting::listening());
    let results = both(&one, &two, |first, second| {
        let (mine, theirs) = (first.allow(), second.allow());
        let crossed = |redirect: &str, port: u16| {
            get(port, &redirect[redirect.find("/callback").unwrap()..]).unwrap().status
        };
        assert_eq!(crossed(&theirs, one.port()), 400);
        assert_eq!(crossed(&mine, two.port()), 400);
        assert_eq!((visit(&mine).unwrap().status, visit(&theirs).unwrap().status), (303, 303));
    });
    assert_eq!(results, [None, None]);
    let (one, two) = (Setting::pasting(), Setting::pasting());
    let results = both(&one, &two, |first, second| {
        let (mine, theirs) = (first.allow(), second.allow());
        first.paste(&theirs);
        second.paste(&mine);
    });
    assert_eq!(results, [Some(Code::StateMismatch); 2]);
    assert_eq!(one.token_requests().len() + two.token_requests().len(), 0);
}

/// R19: the code of one instance never reaches another.
#[test]
fn r19_codes_go_to_the_instance_they_came_from() {
    let (one, two) = (Setting::listening(), Setting::listening());
    let mut codes = Vec::new();
    let results = both(&one, &two, |first, second| {
        let (mine, theirs) = (first.allow(), second.allow());
        let code = |redirect: &str| crate::support::logins::parameter(redirect, "code");
        codes = vec![code(&mine), code(&theirs)];
        // A code of the other instance under the state of this one is sent to this one only if
        // somebody puts it there; crossed callbacks as they are go nowhere.
        for (redirect, port) in [(&theirs, one.port()), (&mine, two.port())] {
            let target = &redirect[redirect.find("/callback").unwrap()..];
            assert_eq!(get(port, target).unwrap().status, 400);
        }
        first.paste(&mine);
        second.paste(&theirs);
    });
    assert_eq!(results, [None, None]);
    for (setting, own, other) in [(&one, &codes[0], &codes[1]), (&two, &codes[1], &codes[0])] {
        let all = format!(
            "{:?}",
            setting.token_requests().iter().map(|r| r.form("code")).collect::<Vec<_>>()
        );
        assert!(all.contains(own.as_str()) && !all.contains(other.as_str()));
    }
}
