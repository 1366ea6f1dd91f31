//! The instance behind a socket whose bytes can be cut, stalled or replaced.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use snowtoken::core::oauth::{Request, Response};
use snowtoken::http::{HttpTransport, Transport, TransportError};
use snowtoken_stand_in::Instance;
use url::Url;

use crate::stage::{Sent, StageClock};
use crate::support::requests::direct;

/// No connection is kept longer than this.
const LONGEST: Duration = Duration::from_secs(20);

/// Tells the instance the time: the test's clock may be in another process.
const NOW: &str = "x-now";

/// How an answer says where it ends (RFC 9112 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length,
    Chunked,
    UntilClose,
}

/// What becomes of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Bytes {
    Whole,
    /// Closed in good order after this many.
    Cut(usize),
    /// Nothing more after this many, but the connection stays.
    Stall(usize),
    /// These instead; the instance hears nothing.
    Other(Vec<u8>),
}

/// Decides about the n-th request for tokens, counted from 1.
type Plan = Box<dyn FnMut(usize) -> Bytes + Send>;

struct Shared {
    instance: Arc<Mutex<Instance>>,
    framing: Framing,
    plan: Mutex<(usize, Plan)>,
    /// The length of the last answer in bytes.
    length: Mutex<usize>,
    stop: AtomicBool,
}

/// A running server; dropping it ends it.
pub(crate) struct Served {
    port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(crate) fn start(
        instance: Arc<Mutex<Instance>>,
        framing: Framing,
        plan: impl FnMut(usize) -> Bytes + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            instance,
            framing,
            plan: Mutex::new((0, Box::new(plan))),
            length: Mutex::new(0),
            stop: AtomicBool::new(false),
        });
        let own = shared.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if own.stop.load(Ordering::SeqCst) {
                    break;
                }
                let own = own.clone();
                std::thread::spawn(move || drop(own.serve(stream)));
            }
        });
        Self { port, shared, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// How long the last answer would have been.
    pub(crate) fn length(&self) -> usize {
        *self.shared.length.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    /// One request after the other, until the connection is to end.
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LONGEST))?;
        let end = Instant::now() + LONGEST;
        let mut buffer = Vec::new();
        while let Some(request) = read_request(&mut stream, &mut buffer)? {
            let bytes = if request.uri().path() == "/oauth_token.do" {
                let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
                plan.0 += 1;
                let number = plan.0;
                (plan.1)(number)
            } else {
                Bytes::Whole
            };
            if let Bytes::Other(bytes) = &bytes {
                return stream.write_all(bytes);
            }
            let now = request.headers()[NOW].to_str().unwrap().parse().unwrap();
            let answer =
                self.instance.lock().unwrap_or_else(PoisonError::into_inner).handle(now, request);
            let whole = written(answer, self.framing);
            *self.length.lock().unwrap_or_else(PoisonError::into_inner) = whole.len();
            match bytes {
                Bytes::Cut(length) => return stream.write_all(&whole[..length.min(whole.len())]),
                Bytes::Stall(length) => {
                    stream.write_all(&whole[..length.min(whole.len())])?;
                    while Instant::now() < end && stream.read(&mut [0; 64])? > 0 {}
                    return Ok(());
                }
                _ => stream.write_all(&whole)?,
            }
            if self.framing == Framing::UntilClose {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// An answer as it travels.
fn written(answer: http::Response<Vec<u8>>, framing: Framing) -> Vec<u8> {
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove("content-length");
    let mut bytes = format!("HTTP/1.1 {}\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        bytes.extend_from_slice(format!("{name}: ").as_bytes());
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let half = body.len() / 2;
    match framing {
        Framing::Length => {
            bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(&body);
        }
        Framing::Chunked => {
            bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            for part in [&body[..half], &body[half..], &[]] {
                bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
                bytes.extend_from_slice(part);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        Framing::UntilClose => {
            bytes.extend_from_slice(b"connection: close\r\n\r\n");
            bytes.extend_from_slice(&body);
        }
    }
    bytes
}

/// The next request, or `None` when the other side is done.
fn read_request(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<http::Request<Vec<u8>>>> {
    let mut block = [0; 4096];
    loop {
        if let Some((request, length)) = parse(buffer) {
            buffer.drain(..length);
            return Ok(Some(request));
        }
        let count = stream.read(&mut block)?;
        if count == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&block[..count]);
    }
}

fn parse(bytes: &[u8]) -> Option<(http::Request<Vec<u8>>, usize)> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let mut request = http::Request::builder().method(first.next()?).uri(first.next()?);
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
        request = request.header(name, value.trim());
    }
    let body = bytes.get(head..head + length)?.to_vec();
    Some((request.body(body).ok()?, head + length))
}

/// The real transport, with less patience for answers that are known not to come: when the short
/// limit is up, the clock of the test moves by the one that was asked for.
pub(crate) struct Hasty {
    inner: HttpTransport,
    clock: Arc<StageClock>,
    limit: Duration,
    /// How many requests, from the first, are not waited for.
    short: usize,
    count: AtomicUsize,
    sent: Mutex<Vec<Sent>>,
}

impl Hasty {
    /// Patient with all but the first `short` requests.
    pub(crate) fn new(clock: Arc<StageClock>, limit: Duration, short: usize) -> Self {
        let (count, sent) = (AtomicUsize::new(0), Mutex::default());
        Self { inner: direct(), clock, limit, short, count, sent }
    }

    /// Every request so far; one that is never patient remembers none, so that it does not grow.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Transport for Hasty {
    fn open(&self, origin: &Url) {
        self.inner.open(origin);
    }

    fn send(&self, mut request: Request, limit: Duration) -> Result<Response, TransportError> {
        let now = self.clock.truth().to_string().parse().unwrap();
        request.headers_mut().insert(NOW, now);
        let sent = Sent::of(&request, self.clock.truth(), limit);
        if self.short < usize::MAX {
            self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
        }
        let is_hasty = self.count.fetch_add(1, Ordering::SeqCst) < self.short;
        let patience = if is_hasty { limit.min(self.limit) } else { limit };
        self.inner.send(request, patience).map_err(|error| match error {
            TransportError::TimedOut { host, sent, .. } => {
                self.clock.advance(limit);
                TransportError::TimedOut { host, limit, sent }
            }
            other => other,
        })
    }
}
