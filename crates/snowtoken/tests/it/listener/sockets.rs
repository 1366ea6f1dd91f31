//! R27, V6: which sockets are open, when, and to whom.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::oauth::redirect::{RedirectUri, RedirectUriError};
use snowtoken::loopback::{Ending, ListenError, Listener, Verdict};

use super::{OURS, Scene};
use crate::support::ports::free_port;
use crate::support::raw_http::{head, send};

/// The local addresses that listen on this port, from the system's own table.
#[cfg(target_os = "linux")]
fn listening(port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let (address, hex) = fields[1].split_once(':').unwrap();
            if fields[3] == LISTEN && u16::from_str_radix(hex, 16) == Ok(port) {
                found.push(address.to_owned());
            }
        }
    }
    found
}

#[cfg(target_os = "linux")]
#[test]
fn r27_only_loopback_sockets_and_only_meanwhile() {
    const V4: &str = "0100007F";
    const V4_TWO: &str = "0200007F";
    const V6: &str = "00000000000000000000000001000000";
    for (uri, expected) in [
        ("http://127.0.0.1:PORT/callback", &[V4][..]),
        ("http://127.0.0.2:PORT/callback", &[V4_TWO]),
        ("http://[::1]:PORT/callback", &[V6]),
        ("http://localhost:PORT/callback", &[V4, V6]),
        ("http://LOCALHOST:PORT/callback", &[V4, V6]),
    ] {
        let scene = Scene::open(uri);
        assert_eq!(listening(scene.port), expected, "{uri}");
        drop(scene.listener);
        assert!(listening(scene.port).is_empty(), "{uri}: still open");
        // And it can be opened again at once.
        TcpListener::bind((Ipv4Addr::LOCALHOST, scene.port)).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn r27_the_port_is_closed_after_the_end_also_with_connections_open() {
    let scene = Scene::usual();
    let idle: Vec<_> = (0..20).map(|_| crate::support::raw_http::connect(scene.port)).collect();
    assert_eq!(listening(scene.port).len(), 1);
    let started = Instant::now();
    scene.listener.finish(Ending::Done, Duration::from_millis(300));
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(listening(scene.port).is_empty());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, scene.port));
    assert!(TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err());
    drop(idle);
}

/// V6: no redirect URI leads to a socket that others can reach.
#[test]
fn v6_nothing_but_loopback_can_be_listened_on() {
    for host in ["0.0.0.0", "[::]", "192.168.0.1", "[fe80::1]", "example.com", "localhost.example"]
    {
        let uri = RedirectUri::parse(&format!("http://{host}:8456/callback"));
        assert_eq!(uri, Err(RedirectUriError::NotSecure), "{host}");
    }
}

fn not_ours() -> snowtoken::loopback::Judge {
    Box::new(|_| Verdict::NotOurs)
}

#[test]
fn v6_a_busy_port_is_an_error_and_no_other_port_is_taken() {
    let port = free_port();
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let uri = RedirectUri::parse(&format!("http://{host}:{port}/callback")).unwrap();
        let error = Listener::open(&uri, not_ours()).unwrap_err();
        assert!(matches!(error, ListenError::PortBusy { port: busy } if busy == port));
        assert_eq!(error.code(), Code::PortBusy);
    }
    drop(held);
    // Somebody waits on the other family: a browser may go there.
    let held = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).unwrap();
    let uri = RedirectUri::parse(&format!("http://localhost:{port}/callback")).unwrap();
    let error = Listener::open(&uri, not_ours()).unwrap_err();
    assert_eq!(error.code(), Code::PortBusy);
    // The half that was opened is closed again.
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    drop(held);
}

#[test]
fn v6_two_listeners_cannot_share_a_port() {
    let scene = Scene::usual();
    let uri = RedirectUri::parse(&format!("http://127.0.0.1:{}/callback", scene.port)).unwrap();
    let error = Listener::open(&uri, not_ours()).unwrap_err();
    assert!(matches!(error, ListenError::PortBusy { .. }), "{error:?}");
}

#[test]
fn r27_ipv6_and_both_families_of_localhost_are_served() {
    for (uri, host, address) in [
        ("http://[::1]:PORT/callback", "[::1]", Ipv6Addr::LOCALHOST.into()),
        ("http://localhost:PORT/callback", "localhost", Ipv6Addr::LOCALHOST.into()),
        ("http://localhost:PORT/callback", "localhost", Ipv4Addr::LOCALHOST.into()),
        ("http://127.0.0.1:PORT/callback", "127.0.0.1", Ipv4Addr::LOCALHOST.into()),
    ] {
        let address: std::net::IpAddr = address;
        let scene = Scene::open(uri);
        let request = head(&format!("/callback?{OURS}"), &format!("{host}:{}", scene.port), "");
        let answer = send((address, scene.port).into(), request.as_bytes()).unwrap();
        assert_eq!(answer.status, 303, "{uri} at {address}");
        assert_eq!(scene.judged(), [OURS], "{uri} at {address}");
    }
}

/// A listener may be dropped inside an async runtime.
#[test]
fn a_listener_ends_inside_a_runtime_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let scene = Scene::usual();
        assert_eq!(crate::support::raw_http::get(scene.port, "/").unwrap().status, 404);
        drop(scene);
    });
}
