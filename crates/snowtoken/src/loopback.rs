//! The listener behind a loopback redirect URI (RFC 8252 §7.3): up before the browser opens, deaf
//! to strangers, gone when the login ends.
//!
//! Whatever reaches it, it answers with one of a few constant pages: nothing that was received is
//! ever repeated. A redirect with the right `state` is taken, and the browser is sent on to an
//! address without it.

mod mute;
mod page;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as blocking;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, LOCATION};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use snowtoken_core::diagnosis::{Code, Diagnose};
use snowtoken_core::oauth::redirect::RedirectUri;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use url::Host;

use mute::Mute;
pub use page::Ending;
use page::Page;

/// A connection that sends no whole request head within this time is closed.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// More connections than this at once: the oldest makes room.
const MOST_CONNECTIONS: usize = 512;

/// How long the last page waits for the outcome.
const OUTCOME_LIMIT: Duration = Duration::from_secs(45);

/// What a query at the redirect URI turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The answer this login waits for, or its refusal.
    Ours,
    /// Somebody else's: the wait goes on.
    NotOurs,
}

/// Judges the query of a request at the redirect URI.
pub type Judge = Box<dyn Fn(&str) -> Verdict + Send>;

/// The listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The port is taken.
    #[error("port {port} of the redirect URI is in use by another program")]
    PortBusy {
        /// The port.
        port: u16,
    },
    /// Anything else the system says.
    #[error("nothing can listen at {address}")]
    Refused {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The listening thread could not be started.
    #[error("the listening thread could not be started")]
    Thread(#[source] io::Error),
}

impl Diagnose for ListenError {
    fn code(&self) -> Code {
        match self {
            Self::PortBusy { .. } | Self::Refused { .. } => Code::PortBusy,
            Self::Thread(_) => Code::MachineExhausted,
        }
    }
}

/// A running listener; dropping it closes the port.
#[derive(Debug)]
pub struct Listener {
    outcome: watch::Sender<Option<Ending>>,
    stop: Option<oneshot::Sender<()>>,
    taken: Arc<AtomicBool>,
    served: blocking::Receiver<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Listener {
    /// Opens the port of a loopback redirect URI, on this machine only: no setting can change that.
    ///
    /// # Errors
    /// If the port is taken or the system refuses. Another port would be another redirect URI.
    pub fn open(redirect_uri: &RedirectUri, judge: Judge) -> Result<Self, ListenError> {
        let sockets = bind(redirect_uri)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ListenError::Thread)?;
        let (outcome, seen) = watch::channel(None);
        let (stop, stopped) = oneshot::channel();
        let (report, served) = blocking::channel();
        let taken = Arc::new(AtomicBool::new(false));
        let service = Service {
            path: redirect_uri.url().path().to_owned(),
            authority: redirect_uri.url()[url::Position::BeforeHost..url::Position::AfterPort]
                .to_owned(),
            judge,
            taken: taken.clone(),
            outcome: seen,
            served: report,
        };
        let thread = std::thread::Builder::new()
            .name("listener".to_owned())
            .spawn(move || LocalSet::new().block_on(&runtime, run(sockets, service, stopped)))
            .map_err(ListenError::Thread)?;
        Ok(Self { outcome, stop: Some(stop), taken, served, thread: Some(thread) })
    }

    /// Tells the waiting page how the login ended, and gives the browser a moment to fetch it.
    pub fn finish(self, ending: Ending, patience: Duration) {
        self.outcome.send_replace(Some(ending));
        if self.taken.load(Ordering::SeqCst) {
            let _ = self.served.recv_timeout(patience);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// RFC 8252 §8.3: loopback addresses only. `localhost` may mean either family to a browser.
fn bind(redirect_uri: &RedirectUri) -> Result<Vec<StdListener>, ListenError> {
    let url = redirect_uri.url();
    let port = url.port_or_known_default().unwrap_or(80);
    let (first, second): (IpAddr, Option<IpAddr>) = match url.host() {
        Some(Host::Ipv4(address)) if address.is_loopback() => (address.into(), None),
        Some(Host::Ipv6(address)) if address.is_loopback() => (address.into(), None),
        _ => (Ipv4Addr::LOCALHOST.into(), Some(Ipv6Addr::LOCALHOST.into())),
    };
    let open = |address: IpAddr| {
        let socket = StdListener::bind((address, port))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    let address = SocketAddr::new(first, port);
    let mut sockets = vec![open(first).map_err(|source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::PortBusy { port },
        _ => ListenError::Refused { address, source },
    })?];
    if let Some(second) = second {
        match open(second) {
            Ok(socket) => sockets.push(socket),
            // Somebody else would get the redirect of a browser that prefers this family.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(ListenError::PortBusy { port });
            }
            // A machine without IPv6.
            Err(_) => {}
        }
    }
    Ok(sockets)
}

/// A loopback redirect URI whose port was free a moment ago, for rehearsals: a real client has a
/// registered one.
///
/// # Errors
/// If this machine has no free port.
pub fn free_redirect_uri() -> io::Result<RedirectUri> {
    // Below the ports that a system hands out by itself: one of those is soon somebody else's.
    const OWN: Range<u16> = 22_000..32_000;
    let is_free = |port: u16| StdListener::bind((Ipv4Addr::LOCALHOST, port));
    #[expect(clippy::cast_possible_truncation, reason = "a place to begin, of no other meaning")]
    let first = std::process::id() as u16 % (OWN.end - OWN.start);
    let mut ports = (0..64).map(|n| OWN.start + (first + n * 97) % (OWN.end - OWN.start));
    let found = ports.find_map(|port| is_free(port).ok());
    let port = found.map_or_else(|| is_free(0), Ok)?.local_addr()?.port();
    RedirectUri::parse(&format!("http://127.0.0.1:{port}/callback")).map_err(io::Error::other)
}

struct Service {
    path: String,
    authority: String,
    judge: Judge,
    /// Whether a redirect was taken: only then is there a browser that waits for the last page.
    taken: Arc<AtomicBool>,
    outcome: watch::Receiver<Option<Ending>>,
    served: blocking::Sender<()>,
}

async fn run(sockets: Vec<StdListener>, service: Service, stopped: oneshot::Receiver<()>) {
    let service = Rc::new(service);
    let connections = Rc::new(RefCell::new(VecDeque::new()));
    for socket in sockets {
        let Ok(socket) = TcpListener::from_std(socket) else {
            continue;
        };
        spawn_local(accept(socket, service.clone(), connections.clone()));
    }
    drop(stopped.await);
}

async fn accept(
    socket: TcpListener,
    service: Rc<Service>,
    connections: Rc<RefCell<VecDeque<JoinHandle<()>>>>,
) {
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                let task = spawn_local(serve(stream, service.clone()));
                let mut open = connections.borrow_mut();
                open.retain(|task| !task.is_finished());
                open.push_back(task);
                if open.len() > MOST_CONNECTIONS
                    && let Some(oldest) = open.pop_front()
                {
                    oldest.abort();
                }
            }
            // Out of file descriptors, or the like: others may be closed meanwhile.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: TcpStream, service: Rc<Service>) {
    let was_last = Rc::new(Cell::new(false));
    let answered = Rc::new(Cell::new(false));
    let mute = Mute::new(stream, answered.clone());
    let answer = {
        let (service, was_last) = (service.clone(), was_last.clone());
        service_fn(move |request| {
            let (service, was_last, answered) =
                (service.clone(), was_last.clone(), answered.clone());
            async move {
                let response = service.answer(request, &was_last).await;
                answered.set(true);
                Ok::<_, std::convert::Infallible>(response)
            }
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(128 * 1024)
        .keep_alive(false)
        .serve_connection(TokioIo::new(mute), answer);
    drop(connection.await);
    if was_last.get() {
        let _ = service.served.send(());
    }
}

impl Service {
    async fn answer(
        &self,
        request: Request<Incoming>,
        was_last: &Cell<bool>,
    ) -> Response<Full<Bytes>> {
        let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
        if !host.is_some_and(|host| host.eq_ignore_ascii_case(&self.authority)) {
            // Another name for this address: somebody rebinds names, or guesses.
            return page::respond(StatusCode::MISDIRECTED_REQUEST, Page::Elsewhere);
        }
        if request.method() != Method::GET {
            return page::respond(StatusCode::METHOD_NOT_ALLOWED, Page::Elsewhere);
        }
        let path = request.uri().path();
        if path == self.last_path() && request.uri().query().is_none() {
            let page = self.last_page().await;
            was_last.set(true);
            return page;
        }
        if path != self.path {
            return page::respond(StatusCode::NOT_FOUND, Page::Elsewhere);
        }
        // Before the judge: once it has passed the answer on, the end may come at any moment.
        let before = self.taken.swap(true, Ordering::SeqCst);
        match (self.judge)(request.uri().query().unwrap_or_default()) {
            Verdict::NotOurs => {
                self.taken.store(before, Ordering::SeqCst);
                page::respond(StatusCode::BAD_REQUEST, Page::NotOurs)
            }
            Verdict::Ours => {
                // RFC 9700 §4.2.4: on to an address without code and state.
                let mut response = page::respond(StatusCode::SEE_OTHER, Page::Elsewhere);
                response
                    .headers_mut()
                    .insert(LOCATION, http::HeaderValue::from_static(self.last_path()));
                response
            }
        }
    }

    fn last_path(&self) -> &'static str {
        if self.path == "/snowtoken" { "/snowtoken/done" } else { "/snowtoken" }
    }

    async fn last_page(&self) -> Response<Full<Bytes>> {
        let mut outcome = self.outcome.clone();
        let ending = tokio::time::timeout(OUTCOME_LIMIT, outcome.wait_for(Option::is_some)).await;
        let ending =
            ending.ok().and_then(Result::ok).and_then(|ending| *ending).unwrap_or(Ending::Unknown);
        page::respond(StatusCode::OK, Page::Last(ending))
    }
}
