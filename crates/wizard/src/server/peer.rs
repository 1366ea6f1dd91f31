//! Whose program is at the other end of a connection, where the system tells.

use std::net::SocketAddrV4;

/// Whether another user of this machine is at the other end, or nobody any more. Root may do everything
/// anyway, and relays from outside of a virtual machine run as root.
#[cfg(target_os = "linux")]
pub(super) fn is_somebody_else(peer: SocketAddrV4, here: SocketAddrV4) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = std::fs::metadata("/proc/self").map(|itself| itself.uid());
    // A socket for IPv6 reaches us too, and stands in a table of its own.
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
    let found = tables.iter().flatten().find_map(|table| owner(table, peer, here));
    match (found, own) {
        (Some(Owner::User(user)), Ok(own)) => user != own && user != 0,
        (Some(Owner::Nobody), _) => true,
        // Not told, so not known: the key alone decides.
        _ => false,
    }
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_somebody_else(_peer: SocketAddrV4, _here: SocketAddrV4) -> bool {
    false
}

/// To whom a socket belongs.
#[cfg(any(target_os = "linux", test))]
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    User(u32),
    /// Its program has closed it.
    Nobody,
}

/// The owner of the socket at `local` that is connected to `remote`, from a table of the system's
/// (proc(5)).
#[cfg(any(target_os = "linux", test))]
fn owner(table: &str, local: SocketAddrV4, remote: SocketAddrV4) -> Option<Owner> {
    const USER: usize = 7;
    const INODE: usize = 9;
    // The bytes of an address as the machine's own number.
    let written = |address: SocketAddrV4| {
        let number = u32::from_ne_bytes(address.ip().octets());
        format!("{number:08X}:{:04X}", address.port())
    };
    let ends = [written(local), written(remote)];
    // In the table of IPv6 an address of IPv4 stands behind others that say what it is (RFC 4291 §2.5.5).
    let is_meant = |row: &[&str]| match row.get(1..3) {
        Some([own, other]) => own.ends_with(&ends[0]) && other.ends_with(&ends[1]),
        _ => false,
    };
    // The table may be long, and nearly all of it is about others.
    let near = table.lines().filter(|line| line.contains(&ends[0]));
    let mut rows = near.map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| is_meant(row))?;
    match (row.get(USER)?.parse().ok()?, *row.get(INODE)?) {
        (_, "0") => Some(Owner::Nobody),
        (user, _) => Some(Owner::User(user)),
    }
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
   5: 0000000000000000FFFF00000100007F:C352 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000  1003        0 15 1
   6: 0100007F:C353 0100007F:1F90 06 00000000:00000000 03:00001700 00000000     0        0 0 3
";
        let user = |number| Some(Owner::User(number));
        assert_eq!(owner(table, at(50_000), at(8_080)), user(1001));
        assert_eq!(owner(table, at(50_000), at(8_081)), user(1002));
        assert_eq!(owner(table, at(50_001), at(8_080)), None);
        assert_eq!(owner(table, at(50_002), at(8_080)), user(1003));
        assert_eq!(owner(table, at(50_003), at(8_080)), Some(Owner::Nobody));
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
        assert_eq!(owner(&table, peer, here), Some(Owner::User(own)));
        assert!(!is_somebody_else(peer, here));
    }
}
