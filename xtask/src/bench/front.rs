//! A long road to an instance: its delay on every byte, and TLS at the far end.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::running::Running;
use crate::run::{output, program, root};

/// A server that speaks TLS with a certificate of a throw-away authority.
pub(super) struct Front {
    pub(super) port: u16,
    /// Who trusts this trusts it.
    pub(super) authority: PathBuf,
    _running: Running,
}

impl Front {
    /// In front of a plain server at this port; its files go to the folder.
    pub(super) fn before(port: u16, folder: &Path) -> Result<Self, String> {
        let path = |name: &str| folder.join(name).display().to_string();
        let (ca, ca_key, key) = (path("ca.pem"), path("ca.key"), path("tls.key"));
        let (request, certificate, names) = (path("tls.csr"), path("tls.pem"), path("names"));
        fs::write(&names, "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
            .map_err(|e| e.to_string())?;
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let issue: [&[&str]; 3] = [
            &[
                &["req", "-x509"][..],
                &curve,
                &["-keyout", &ca_key, "-out", &ca, "-days", "2", "-subj", "/CN=bench authority"],
            ]
            .concat(),
            &[
                &["req", "-new"][..],
                &curve,
                &["-keyout", &key, "-out", &request, "-subj", "/CN=bench"],
            ]
            .concat(),
            &[
                &["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key][..],
                &["-CAcreateserial", "-out", &certificate, "-days", "2", "-extfile", &names],
            ]
            .concat(),
        ];
        for arguments in issue {
            output(program("openssl").args(arguments))?;
        }
        let script = root().join("xtask/src/bench/front.mjs");
        let mut node = program(super::peers::node());
        node.arg(script).args([&key, &certificate]).arg(port.to_string());
        let mut running = Running::start(&mut node)?;
        let port = running.hear(|line| line.trim().parse().ok())?;
        Ok(Self { port, authority: PathBuf::from(ca), _running: running })
    }
}

/// Passes bytes on to a port, each `delay` late in both directions. What the kernel does in no time
/// is late as well: the first byte of a connection waits for a handshake's round trip.
pub(super) fn delayed(port: u16, delay: Duration) -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let own = listener.local_addr().map_err(|e| e.to_string())?.port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let opened = Instant::now();
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
                continue;
            };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            pump(&client, &server, delay, opened + delay * 2);
            pump(&server, &client, delay, opened);
        }
    });
    Ok(own)
}

fn pump(from: &TcpStream, to: &TcpStream, delay: Duration, not_before: Instant) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else {
        return;
    };
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let pieces: Receiver<(Instant, Vec<u8>)> = receiver;
        for (due, bytes) in pieces {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            let due = Instant::now().max(not_before) + delay;
            if sender.send((due, buffer[..n].to_vec())).is_err() {
                break;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_trip_is_late_and_so_is_the_handshake() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut byte = [0];
            while stream.read_exact(&mut byte).is_ok() {
                stream.write_all(&byte).unwrap();
            }
        });
        let road = delayed(port, Duration::from_millis(50)).unwrap();
        let start = Instant::now();
        let mut stream = TcpStream::connect(("127.0.0.1", road)).unwrap();
        for expected in [200, 300] {
            stream.write_all(b"x").unwrap();
            stream.read_exact(&mut [0]).unwrap();
            let passed = start.elapsed().as_millis();
            assert!((expected..expected + 600).contains(&passed), "{passed} ms");
        }
    }
}
