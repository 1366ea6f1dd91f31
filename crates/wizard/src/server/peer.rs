//! Whose program is at the other end of a connection, where the system tells.

use std::net::SocketAddrV4;

/// Whether another user of this machine is at the other end. Root may do everything anyway, and relays
/// from outside of a virtual machine run as root.
#[cfg(target_os = "linux")]
pub(super) fn is_somebody_else(peer: SocketAddrV4, here: SocketAddrV4) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = std::fs::metadata("/proc/self").map(|itself| itself.uid());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    match (owner(&table, peer, here), own) {
        (Some(user), Ok(own)) => user != own && user != 0,
        // Not told, so not known: the key alone decides.
        _ => false,
    }
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_somebody_else(_peer: SocketAddrV4, _here: SocketAddrV4) -> bool {
    false
}

/// The user of the socket at `local` that is connected to `remote`, from the system's table (proc(5)).
#[cfg(any(target_os = "linux", test))]
fn owner(table: &str, local: SocketAddrV4, remote: SocketAddrV4) -> Option<u32> {
    const USER: usize = 7;
    // The bytes of an address as the machine's own number.
    let written = |address: SocketAddrV4| {
        let number = u32::from_ne_bytes(address.ip().octets());
        format!("{number:08X}:{:04X}", address.port())
    };
    let ends = [written(local), written(remote)];
    let row = table.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let mut found = row.filter(|row| row.get(1..3).is_some_and(|pair| pair == ends));
    found.next()?.get(USER)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn at(port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn the_row_of_the_other_end_is_found_and_no_other() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12 1
   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 13 1
   3: 0100007F:C350 0100007F:1F91 01 00000000:00000000 00:00000000 00000000  1002        0 14 1
   4: 0100007F:C351
";
        assert_eq!(owner(table, at(50_000), at(8_080)), Some(1001));
        assert_eq!(owner(table, at(50_000), at(8_081)), Some(1002));
        assert_eq!(owner(table, at(50_001), at(8_080)), None);
        assert_eq!(owner("", at(1), at(2)), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_knows_our_own_connection() {
        use std::net::{SocketAddr, TcpListener, TcpStream};
        use std::os::unix::fs::MetadataExt as _;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let [SocketAddr::V4(peer), SocketAddr::V4(here)] =
            [stream.local_addr().unwrap(), listener.local_addr().unwrap()]
        else {
            panic!("not IPv4")
        };
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let own = std::fs::metadata("/proc/self").unwrap().uid();
        assert_eq!(owner(&table, peer, here), Some(own));
        assert!(!is_somebody_else(peer, here));
    }
}
