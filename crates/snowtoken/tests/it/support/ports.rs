//! Ports for listeners, below those that the system gives to clients.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// A port that is free on both loopback addresses, and not given to another test of this process.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 15_000).unwrap_or(0);
    for _ in 0..2_000 {
        let port = 12_000 + (start + NEXT.fetch_add(1, Ordering::SeqCst)) % 18_000;
        let both = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
            && TcpListener::bind((Ipv6Addr::LOCALHOST, port)).is_ok();
        if both {
            return port;
        }
    }
    panic!("no port is free");
}
