//! A server that does what its script says, and remembers every byte it was sent.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// No connection is kept longer than this, whatever the script says.
const LONGEST: Duration = Duration::from_secs(40);

/// No script sends more than this, also if it is to be endless.
const MOST_BYTES: u64 = 10 * 1024 * 1024 * 1024;

/// One step of what happens on a connection. At the end of its script it is closed; what was not
/// read by then makes the close a reset.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Read one whole request and note it.
    Read,
    /// Wait until something has come, and leave it unread.
    Peek,
    /// Send this.
    Send(Vec<u8>),
    /// Send this byte by byte, with a pause after each.
    Drip(Vec<u8>, Duration),
    /// Send this over and over, until nobody listens any more.
    Endless(Vec<u8>),
    /// Do nothing until the other side goes.
    Stall,
    /// Do nothing for this long.
    Pause(Duration),
    /// Become the server side of TLS.
    Tls(Arc<ServerConfig>),
}

/// What reached the server.
#[derive(Debug, Default)]
struct Log {
    connections: AtomicUsize,
    handshakes: AtomicUsize,
    requests: Mutex<Vec<Vec<u8>>>,
    stop: AtomicBool,
}

/// A running server; dropping it ends it.
#[derive(Debug)]
pub(crate) struct FaultServer {
    port: u16,
    log: Arc<Log>,
    thread: Option<JoinHandle<()>>,
}

impl FaultServer {
    /// Follows the first script on the first connection, and so on; the last one on all that come
    /// after it.
    pub(crate) fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Log::default());
        let shared = log.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.stop.load(Ordering::SeqCst) {
                    break;
                }
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let script = scripts.get(number).or(scripts.last()).cloned();
                let shared = shared.clone();
                std::thread::spawn(move || {
                    let connection = Connection::new(stream, shared);
                    drop(connection.follow(script.unwrap_or_default()));
                });
            }
        });
        Self { port, log, thread: Some(thread) }
    }

    /// The same script on every connection.
    pub(crate) fn always(script: Vec<Step>) -> Self {
        Self::start(vec![script])
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:port` and a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How many connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    /// How many TLS handshakes were completed.
    pub(crate) fn handshakes(&self) -> usize {
        self.log.handshakes.load(Ordering::SeqCst)
    }

    /// Every request, and every part of one, as it came.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        self.log.requests().clone()
    }

    /// The requests as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        self.log.requests().iter().map(text).collect()
    }
}

impl Log {
    fn requests(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.log.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

struct Connection {
    stream: Stream,
    buffer: Vec<u8>,
    log: Arc<Log>,
    end: Instant,
}

impl Connection {
    fn new(stream: TcpStream, log: Arc<Log>) -> Self {
        drop(stream.set_read_timeout(Some(Duration::from_millis(50))));
        drop(stream.set_write_timeout(Some(Duration::from_secs(5))));
        drop(stream.set_nodelay(true));
        Self {
            stream: Stream::Plain(stream),
            buffer: Vec::new(),
            log,
            end: Instant::now() + LONGEST,
        }
    }

    fn follow(mut self, script: Vec<Step>) -> io::Result<()> {
        for step in script {
            match step {
                Step::Read => self.read_request()?,
                Step::Peek => self.peek()?,
                Step::Send(bytes) => self.send(&bytes)?,
                Step::Drip(bytes, pause) => {
                    for byte in bytes {
                        self.send(&[byte])?;
                        std::thread::sleep(pause);
                        self.go_on()?;
                    }
                }
                Step::Endless(bytes) => {
                    let block = bytes.repeat(1 + 16 * 1024 / bytes.len().max(1));
                    let mut sent = 0;
                    while sent < MOST_BYTES {
                        self.send(&block)?;
                        self.go_on()?;
                        sent += block.len() as u64;
                    }
                }
                Step::Stall => while self.fill()? {},
                Step::Pause(time) => std::thread::sleep(time),
                Step::Tls(config) => self = self.encrypt(config)?,
            }
        }
        Ok(())
    }

    fn go_on(&self) -> io::Result<()> {
        if Instant::now() > self.end || self.log.stop.load(Ordering::SeqCst) {
            return Err(ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    fn encrypt(mut self, config: Arc<ServerConfig>) -> io::Result<Self> {
        let Stream::Plain(mut stream) = self.stream else {
            return Err(ErrorKind::InvalidInput.into());
        };
        let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            match tls.complete_io(&mut stream) {
                Err(error) if !is_patience(&error) => return Err(error),
                _ if Instant::now() > self.end => return Err(ErrorKind::TimedOut.into()),
                _ => {}
            }
        }
        self.log.handshakes.fetch_add(1, Ordering::SeqCst);
        self.stream = Stream::Tls(Box::new(StreamOwned::new(tls, stream)));
        Ok(self)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    fn peek(&self) -> io::Result<()> {
        if let Stream::Plain(stream) = &self.stream {
            while stream.peek(&mut [0]).is_err_and(|error| is_patience(&error)) {
                self.go_on()?;
            }
        }
        Ok(())
    }

    /// Reads what has come; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut block = [0; 16 * 1024];
        loop {
            self.go_on()?;
            let count = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut block),
                Stream::Tls(stream) => stream.read(&mut block),
            };
            match count {
                Ok(count) => {
                    self.buffer.extend_from_slice(&block[..count]);
                    return Ok(count > 0);
                }
                Err(error) if is_patience(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn read_request(&mut self) -> io::Result<()> {
        let result = loop {
            if let Some(length) = request_length(&self.buffer) {
                break Ok(length);
            }
            match self.fill() {
                Ok(true) => {}
                Ok(false) => break Err(ErrorKind::UnexpectedEof.into()),
                Err(error) => break Err(error),
            }
        };
        let length = *result.as_ref().unwrap_or(&self.buffer.len());
        let request: Vec<u8> = self.buffer.drain(..length).collect();
        if !request.is_empty() {
            self.log.requests().push(request);
        }
        result.map(drop)
    }
}

fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse().ok());
    let whole = head + length.unwrap_or(0);
    (bytes.len() >= whole).then_some(whole)
}

fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
