//! Stands between the command and an instance: delays, counts and keeps every byte.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// One connection as it went by.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// When the command sent its first byte.
    pub(crate) first_byte: Option<Instant>,
    /// When the last byte of the answer came from the instance.
    pub(crate) answered: Option<Instant>,
    pub(crate) sent: Vec<u8>,
    pub(crate) received: Vec<u8>,
    /// What a CONNECT asked for.
    pub(crate) connect: Option<String>,
}

type Log = Arc<Mutex<Vec<Connection>>>;

/// A proxy that runs until it is dropped.
pub(crate) struct Proxy {
    port: u16,
    log: Log,
    stop: Arc<AtomicBool>,
    loses: Arc<AtomicBool>,
}

/// What to do with a connection.
#[derive(Clone, Copy)]
enum Way {
    /// Everything goes to this port, late.
    Straight { port: u16, delay: Duration },
    /// A CONNECT to whatever name is answered and goes to this port.
    Connect { port: u16 },
    /// A CONNECT is refused with this status.
    Refuse { status: u16 },
    /// Nobody should come here: it is written down and closed.
    Trap,
}

impl Proxy {
    /// Passes bytes on to a port; every byte takes `delay` each way, and so does the handshake that
    /// the kernel does in no time: the first byte of a fresh connection waits for it.
    pub(crate) fn delaying(port: u16, delay: Duration) -> Self {
        Self::start(Way::Straight { port, delay })
    }

    /// A proxy as companies have them: CONNECT only, every name leads to one port.
    pub(crate) fn connecting(port: u16) -> Self {
        Self::start(Way::Connect { port })
    }

    /// A proxy that lets nobody through.
    pub(crate) fn refusing(status: u16) -> Self {
        Self::start(Way::Refuse { status })
    }

    /// A proxy that must not be used.
    pub(crate) fn trap() -> Self {
        Self::start(Way::Trap)
    }

    fn start(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (log, stop, loses) =
            (Log::default(), Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (our_log, our_stop, our_loses) = (log.clone(), stop.clone(), Arc::clone(&loses));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if our_stop.load(Ordering::SeqCst) {
                    break;
                }
                let (log, loses) = (our_log.clone(), our_loses.clone());
                thread::spawn(move || serve(&stream, way, &log, &loses));
            }
        });
        Self { port, log, stop, loses }
    }

    /// From now on answers are lost: the instance has acted, and nobody hears of it.
    pub(crate) fn lose_answers(&self, lose: bool) {
        self.loses.store(lose, Ordering::SeqCst);
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every connection by now.
    pub(crate) fn connections(&self) -> Vec<Connection> {
        self.log.lock().unwrap().clone()
    }

    /// Every byte that went to the instance.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.connections().into_iter().flat_map(|c| c.sent).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // The listener waits for one more connection: this one ends it.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(client: &TcpStream, way: Way, log: &Log, loses: &Arc<AtomicBool>) {
    let opened = Instant::now();
    let index = {
        let mut log = log.lock().unwrap();
        let fresh = Connection {
            first_byte: None,
            answered: None,
            sent: Vec::new(),
            received: Vec::new(),
            connect: None,
        };
        log.push(fresh);
        log.len() - 1
    };
    let _ = client.set_nodelay(true);
    let (port, delay) = match way {
        Way::Trap => {
            let _ = client.shutdown(Shutdown::Both);
            return;
        }
        Way::Straight { port, delay } => (port, delay),
        Way::Refuse { status } => {
            log.lock().unwrap()[index].connect = answer_connect(client, status);
            return;
        }
        Way::Connect { port } => match answer_connect(client, 200) {
            Some(authority) => {
                log.lock().unwrap()[index].connect = Some(authority);
                (port, Duration::ZERO)
            }
            None => return,
        },
    };
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
        return;
    };
    let _ = server.set_nodelay(true);
    let handshake_done = opened + delay * 2;
    let up = {
        let log = log.clone();
        pump(client, &server, delay, handshake_done, move |bytes| {
            let connection = &mut log.lock().unwrap()[index];
            connection.first_byte.get_or_insert_with(Instant::now);
            connection.sent.extend_from_slice(bytes);
            true
        })
    };
    let (log, loses) = (log.clone(), loses.clone());
    let down = pump(&server, client, delay, opened, move |bytes| {
        let connection = &mut log.lock().unwrap()[index];
        connection.answered = Some(Instant::now());
        connection.received.extend_from_slice(bytes);
        !loses.load(Ordering::SeqCst)
    });
    let _ = (up.join(), down.join());
}

/// Reads the head of a CONNECT, answers it, and returns the name it asked for.
fn answer_connect(client: &TcpStream, status: u16) -> Option<String> {
    // One byte at a time: what follows the head belongs to the tunnel.
    let mut head = BufReader::with_capacity(1, client.try_clone().ok()?);
    let mut first = String::new();
    head.read_line(&mut first).ok()?;
    let mut line = String::new();
    while head.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    let authority = first.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    let mut client = client;
    let length = if status == 200 { "" } else { "Content-Length: 0\r\n" };
    client.write_all(format!("HTTP/1.1 {status} As it is\r\n{length}\r\n").as_bytes()).ok()?;
    Some(authority)
}

/// Copies from one side to the other, each piece so much later, as long as `note` is content.
fn pump(
    from: &TcpStream,
    to: &TcpStream,
    delay: Duration,
    not_before: Instant,
    note: impl Fn(&[u8]) -> bool + Send + 'static,
) -> thread::JoinHandle<()> {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let (sender, receiver): (Sender<(Instant, Vec<u8>)>, Receiver<_>) = channel();
    thread::spawn(move || {
        for (due, bytes) in receiver {
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
            if !note(&buffer[..n]) {
                break;
            }
            let due = Instant::now().max(not_before) + delay;
            if sender.send((due, buffer[..n].to_vec())).is_err() {
                break;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers every four bytes with the same four.
    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut four = [0; 4];
            while stream.read_exact(&mut four).is_ok() {
                stream.write_all(&four).unwrap();
            }
        });
        port
    }

    #[test]
    fn bytes_are_late_and_written_down() {
        let proxy = Proxy::delaying(echo(), Duration::from_millis(50));
        let start = Instant::now();
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        let mut four = [0; 4];
        for expected in [200, 300] {
            stream.write_all(b"ping").unwrap();
            stream.read_exact(&mut four).unwrap();
            let passed = start.elapsed().as_millis();
            // One round trip for the handshake, one for each ping.
            assert!((expected..expected + 600).contains(&passed), "{passed} ms");
        }
        let connections = proxy.connections();
        assert_eq!(connections.len(), 1);
        assert_eq!(
            (&connections[0].sent[..], &connections[0].received[..]),
            (&b"pingping"[..], &b"pingping"[..])
        );
    }

    #[test]
    fn a_tunnel_is_opened_to_any_name() {
        let proxy = Proxy::connecting(echo());
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        stream.write_all(b"CONNECT somewhere.test:443 HTTP/1.1\r\nHost: x\r\n\r\nping").unwrap();
        let mut answer = [0; 29];
        stream.read_exact(&mut answer).unwrap();
        assert!(answer.ends_with(b"\r\n\r\nping"), "{}", String::from_utf8_lossy(&answer));
        assert_eq!(proxy.connections()[0].connect.as_deref(), Some("somewhere.test:443"));
    }
}
