//! The thread that sends: one runtime, a spare connection per origin, and a clock on everything.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::mpsc as blocking;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, HOST, USER_AGENT};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use snowtoken_core::oauth::{Request, Response};
use snowtoken_core::secret::Body;
use snowtoken_core::servicenow::road::Line;
use tokio::sync::{Mutex, mpsc};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep, timeout};
use url::Url;

use super::connect::{Connector, Sender, host_of, lost};
use super::{CONNECT_LIMIT, HttpOptions, LARGEST_BODY, TransportError};

/// A spare connection older than this is replaced before something between here and there forgets
/// it silently.
const SPARE_AGE: Duration = Duration::from_secs(25);

/// How often a spare connection is looked at.
const SPARE_CHECK: Duration = Duration::from_millis(500);

/// How long a place that did not let us in is left alone.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);

/// Spare connections are kept no longer than this after they were asked for.
const SPARE_WINDOW: Duration = Duration::from_mins(30);

/// Which connections a request may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// The spare one, and what comes after it.
    Main,
    /// Those that were opened beside it, or one of its own.
    Beside,
}

enum Job {
    Open(Url),
    OpenBeside(Url, usize),
    Trace(Url, blocking::SyncSender<Line>),
    Send {
        request: Box<Request>,
        limit: Duration,
        lane: Lane,
        reply: blocking::SyncSender<Result<Response, TransportError>>,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Worker(mpsc::UnboundedSender<Job>);

impl Worker {
    pub(super) fn start(options: &HttpOptions) -> Result<Self, TransportError> {
        let (jobs, mut inbox) = mpsc::unbounded_channel();
        let options = options.clone();
        let failed = |error: std::io::Error| TransportError::Exhausted(error.to_string());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        std::thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || {
                let pool = Rc::new(Pool::new(options));
                LocalSet::new().block_on(&runtime, async move {
                    while let Some(job) = inbox.recv().await {
                        spawn_local(run(pool.clone(), job));
                    }
                });
            })
            .map_err(failed)?;
        Ok(Self(jobs))
    }

    pub(super) fn open(&self, origin: &Url) {
        drop(self.0.send(Job::Open(origin.clone())));
    }

    pub(super) fn open_beside(&self, origin: &Url, count: usize) {
        drop(self.0.send(Job::OpenBeside(origin.clone(), count)));
    }

    pub(super) fn trace(&self, origin: &Url) -> Option<Line> {
        let (reply, answer) = blocking::sync_channel(1);
        self.0.send(Job::Trace(origin.clone(), reply)).ok()?;
        answer.recv().ok()
    }

    pub(super) fn send(
        &self,
        request: Request,
        limit: Duration,
        lane: Lane,
    ) -> Result<Response, TransportError> {
        let gone = || TransportError::Worker("it is gone".to_owned());
        let (reply, answer) = blocking::sync_channel(1);
        let request = Box::new(request);
        self.0.send(Job::Send { request, limit, lane, reply }).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

async fn run(pool: Rc<Pool>, job: Job) {
    match job {
        Job::Open(origin) => pool.keep_spare(&origin).await,
        Job::OpenBeside(origin, count) => pool.keep_beside(&origin, count).await,
        Job::Trace(origin, reply) => drop(reply.send(pool.connector.trace(&origin).await)),
        Job::Send { request, limit, lane, reply } => {
            drop(reply.send(pool.exchange(*request, limit, lane).await));
        }
    }
}

struct Spare {
    sender: Sender,
    since: Instant,
}

impl Spare {
    fn is_good(&self) -> bool {
        !self.sender.is_closed() && self.since.elapsed() < 2 * SPARE_AGE
    }
}

/// Holding the lock means connecting: a request that arrives meanwhile waits for that connection.
type Slot = Rc<Mutex<Place>>;

/// Where the spare connection to one origin is kept.
#[derive(Default)]
struct Place {
    spare: Option<Spare>,
    /// A second one, for servers that close the first after its answer.
    reserve: Option<Spare>,
    /// Whether a connection was asked for in advance: then a second request is expected too.
    kept: bool,
    /// How many requests have come by, whether or not there was a connection for them.
    requests: u64,
}

struct Pool {
    connector: Connector,
    slots: RefCell<HashMap<String, Slot>>,
    /// Connections for requests that are sent beside others.
    beside: RefCell<HashMap<String, Vec<Spare>>>,
}

impl Pool {
    fn new(options: HttpOptions) -> Self {
        Self {
            connector: Connector::new(options),
            slots: RefCell::default(),
            beside: RefCell::default(),
        }
    }

    fn slot(&self, origin: &Url) -> Slot {
        let key = origin.origin().ascii_serialization();
        self.slots.borrow_mut().entry(key).or_default().clone()
    }

    /// Keeps one fresh connection until the next request.
    async fn keep_spare(&self, origin: &Url) {
        let slot = self.slot(origin);
        let started = Instant::now();
        let before = {
            let mut place = slot.lock().await;
            place.kept = true;
            place.requests
        };
        while started.elapsed() < SPARE_WINDOW {
            let mut place = slot.lock().await;
            if place.requests != before {
                return;
            }
            let old = place
                .spare
                .as_ref()
                .is_none_or(|s| s.sender.is_closed() || s.since.elapsed() > SPARE_AGE);
            if old {
                place.spare = self.try_connect(origin).await;
            }
            let has_one = place.spare.is_some();
            drop(place);
            // A place that cannot be reached is not asked again and again.
            sleep(if has_one { SPARE_CHECK } else { REFUSED_PAUSE }).await;
        }
    }

    /// Keeps connections beside the spare one, from when that one stands until the next request.
    async fn keep_beside(&self, origin: &Url, count: usize) {
        let slot = self.slot(origin);
        let key = origin.origin().ascii_serialization();
        let (started, before) = (Instant::now(), slot.lock().await.requests);
        while started.elapsed() < SPARE_WINDOW {
            let place = slot.lock().await;
            let (stands, requests) = (place.spare.is_some(), place.requests);
            drop(place);
            if requests != before {
                return;
            }
            let is_young = |spare: &Spare| spare.is_good() && spare.since.elapsed() < SPARE_AGE;
            let good = {
                let mut beside = self.beside.borrow_mut();
                let own = beside.entry(key.clone()).or_default();
                own.retain(is_young);
                own.len()
            };
            if stands && good < count {
                let fresh = self.try_connect(origin).await;
                // Who takes one connection and no more is not asked again and again.
                let pause = if fresh.is_some() { Duration::ZERO } else { REFUSED_PAUSE };
                self.beside.borrow_mut().entry(key.clone()).or_default().extend(fresh);
                sleep(pause).await;
            } else {
                sleep(SPARE_CHECK).await;
            }
        }
    }

    async fn try_connect(&self, origin: &Url) -> Option<Spare> {
        let fresh = timeout(CONNECT_LIMIT, self.connector.connect(origin)).await;
        let sender = fresh.ok().and_then(Result::ok)?;
        Some(Spare { sender, since: Instant::now() })
    }

    /// Connects beside the first request, without holding anybody up.
    fn prepare_reserve(self: &Rc<Self>, origin: &Url, slot: &Slot) {
        let (pool, origin, slot) = (self.clone(), origin.clone(), slot.clone());
        spawn_local(async move {
            let reserve = pool.try_connect(&origin).await;
            slot.lock().await.reserve = reserve;
        });
    }

    async fn exchange(
        self: &Rc<Self>,
        request: Request,
        limit: Duration,
        lane: Lane,
    ) -> Result<Response, TransportError> {
        let Some(origin) = Url::parse(&request.uri().to_string()).ok() else {
            return Err(TransportError::Worker("a request without an origin".to_owned()));
        };
        let sent = Cell::new(false);
        let host = host_of(&origin);
        // Method and path only: a query may hold what somebody typed, headers and bodies hold secrets.
        let what = format!("{} {host}{}", request.method(), request.uri().path());
        let started = Instant::now();
        let result = match timeout(limit, self.attempt(&origin, &host, request, &sent, lane)).await
        {
            Ok(result) => result,
            Err(_) => Err(TransportError::TimedOut { host, limit, sent: sent.get() }),
        };
        let millis = started.elapsed().as_millis();
        match &result {
            Ok(answer) => {
                let (status, size) = (answer.status().as_u16(), answer.body().expose().len());
                log::debug!("{what}: {status}, {size} bytes, {millis} ms");
                #[cfg(feature = "leaking")]
                log::debug!("{}", String::from_utf8_lossy(answer.body().expose()));
            }
            // Nobody waits for it, and many instances do not allow it.
            Err(error) if lane == Lane::Beside => log::debug!("{what}: {error} ({millis} ms)"),
            Err(error) => log::warn!("{what}: {error} ({millis} ms)"),
        }
        result
    }

    async fn take_spare(self: &Rc<Self>, origin: &Url, slot: &Slot) -> Option<Spare> {
        let mut place = slot.lock().await;
        place.requests += 1;
        if std::mem::take(&mut place.kept) {
            self.prepare_reserve(origin, slot);
        }
        let first = place.spare.take().filter(Spare::is_good);
        first.or_else(|| place.reserve.take().filter(Spare::is_good))
    }

    fn take_beside(&self, origin: &Url) -> Option<Spare> {
        let key = origin.origin().ascii_serialization();
        let mut beside = self.beside.borrow_mut();
        let own = beside.get_mut(&key)?;
        std::iter::from_fn(|| own.pop()).find(Spare::is_good)
    }

    async fn attempt(
        self: &Rc<Self>,
        origin: &Url,
        host: &str,
        request: Request,
        sent: &Cell<bool>,
        lane: Lane,
    ) -> Result<Response, TransportError> {
        let slot = (lane == Lane::Main).then(|| self.slot(origin));
        let spare = match &slot {
            Some(slot) => self.take_spare(origin, slot).await,
            None => self.take_beside(origin),
        };
        let mut message = wire_form(origin, request)?;
        if let Some(mut spare) = spare {
            sent.set(true);
            match spare.sender.try_send_request(message).await {
                Ok(answer) => return finish(answer, host, spare.sender, slot.as_ref()).await,
                // Not one byte of it left: the connection had ended. A new one may carry it.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => message = unsent,
                    None => return Err(lost(host, error.error(), true)),
                },
            }
            sent.set(false);
        }
        let connecting = timeout(CONNECT_LIMIT, self.connector.connect(origin)).await;
        let mut sender = connecting.map_err(|_| TransportError::TimedOut {
            host: host.to_owned(),
            limit: CONNECT_LIMIT,
            sent: false,
        })??;
        sent.set(true);
        let answer =
            sender.send_request(message).await.map_err(|error| lost(host, &error, true))?;
        finish(answer, host, sender, slot.as_ref()).await
    }
}

/// Origin form and `Host` (RFC 9112 §3.2), no `Accept-Encoding`: nothing is to be unpacked.
fn wire_form(origin: &Url, request: Request) -> Result<http::Request<Full<Bytes>>, TransportError> {
    let invalid = |_| TransportError::Worker("a request that is no HTTP".to_owned());
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    parts.uri =
        path.parse().map_err(|_| TransportError::Worker("a request without a path".to_owned()))?;
    let authority = &origin[url::Position::BeforeHost..url::Position::AfterPort];
    parts.headers.insert(HOST, HeaderValue::from_str(authority).map_err(invalid)?);
    parts.headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("snowtoken/", env!("CARGO_PKG_VERSION"))),
    );
    Ok(http::Request::from_parts(parts, Full::new(Bytes::from_owner(Owned(body)))))
}

/// Lends a body to the wire; it is wiped when the wire lets go of it.
struct Owned(Body);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

async fn finish(
    answer: http::Response<Incoming>,
    host: &str,
    sender: Sender,
    slot: Option<&Slot>,
) -> Result<Response, TransportError> {
    let (parts, body) = answer.into_parts();
    if parts.headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        let reason = "it is compressed, which was not asked for".to_owned();
        return Err(TransportError::Malformed { host: host.to_owned(), reason });
    }
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(TransportError::TooLarge { host: host.to_owned() });
        }
        Err(error) => {
            return Err(match error.downcast::<hyper::Error>() {
                Ok(error) => lost(host, &error, true),
                Err(error) => TransportError::ConnectionLost {
                    host: host.to_owned(),
                    reason: error.to_string(),
                    sent: true,
                },
            });
        }
    };
    // The next request of this command may follow at once.
    if let Some(slot) = slot
        && !sender.is_closed()
    {
        slot.lock().await.spare = Some(Spare { sender, since: Instant::now() });
    }
    Ok(http::Response::from_parts(parts, Body::from(Vec::from(body))))
}
