//! One request, one answer: no redirects, no cookies, no decompression; the certificate is checked,
//! sizes and times are bounded, proxies and extra authorities hold for every request alike.
//!
//! The work is done on a thread of its own that starts with the first request, so that a command
//! which needs no network pays for none, and so that callers may live inside an async runtime.

mod connect;
mod proxy;
mod tls;
mod trace;
mod worker;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use snowtoken_core::diagnosis::{Code, Diagnose};
use snowtoken_core::keeper::NoAnswer;
use snowtoken_core::oauth::{Request, Response};
use snowtoken_core::printable::Printable;
use snowtoken_core::servicenow::road::Line;
use url::Url;
use worker::Lane;

pub use proxy::Proxies;

/// No answer of an instance that we can use is larger, in bytes.
pub const LARGEST_BODY: usize = 1024 * 1024;

/// The longest a connection may take to stand: name, TCP, proxy and TLS together.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The longest one attempt to refresh, verify or revoke may take.
pub const ATTEMPT_LIMIT: Duration = Duration::from_secs(8);

/// The longest the exchange of a code may take: a code cannot be sent twice, so patience pays.
pub const EXCHANGE_LIMIT: Duration = Duration::from_secs(30);

/// Whatever carries requests to an instance. Implement it to use another HTTP client; it must not
/// follow redirects and not keep cookies.
pub trait Transport: Send + Sync {
    /// Opens a connection to this origin in advance and keeps one open for the next request. A
    /// wish: failures show when something is sent.
    fn open(&self, origin: &Url);

    /// Sends the request as it is and reads the answer to its end.
    ///
    /// # Errors
    /// See [`TransportError`].
    fn send(&self, request: Request, limit: Duration) -> Result<Response, TransportError>;

    /// Opens so many more connections in advance, for [`Transport::send_beside`]. A wish.
    fn open_beside(&self, origin: &Url, count: usize) {
        let _ = (origin, count);
    }

    /// Sends a request that is nice to have, while another thread sends one that matters: it must
    /// take no connection away from that one, nor hold it up. A transport that cannot do so leaves
    /// this as it is; then what the request asks for is not learnt.
    ///
    /// # Errors
    /// See [`TransportError`].
    fn send_beside(&self, request: Request, limit: Duration) -> Result<Response, TransportError> {
        let _ = (request, limit);
        Err(TransportError::Worker("it sends one request at a time".to_owned()))
    }

    /// Goes to this origin step by step and tells what it met: proxy, addresses, connection,
    /// certificates. Nothing is sent inside. `None`: this transport does not tell.
    fn trace(&self, origin: &Url) -> Option<Line> {
        let _ = origin;
        None
    }
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The name service knows no such host.
    #[error("the name {host} could not be resolved")]
    NameNotFound {
        /// The host.
        host: String,
    },
    /// No TCP connection.
    #[error("no connection to {place}: {reason}")]
    ConnectFailed {
        /// Host and port.
        place: String,
        /// What the system says.
        reason: String,
    },
    /// No trust.
    #[error("the TLS handshake with {host} failed: {}", Printable(.reason))]
    TlsFailed {
        /// The host.
        host: String,
        /// What the verifier says.
        reason: String,
    },
    /// The proxy did not connect us.
    #[error("the proxy {proxy} did not connect us: {}", Printable(.reason))]
    ProxyFailed {
        /// The proxy, without its credentials.
        proxy: String,
        /// What it answered.
        reason: String,
    },
    /// This machine trusts nobody, or the `--ca-file` cannot be used.
    #[error("no certificate authority to trust: {0}")]
    NoTrust(String),
    /// The time is up.
    #[error("no answer from {host} within {} s", .limit.as_secs())]
    TimedOut {
        /// The host.
        host: String,
        /// The limit.
        limit: Duration,
        /// Whether the request, or a part of it, had been sent.
        sent: bool,
    },
    /// The connection ended in the middle.
    #[error("the connection to {host} broke: {reason}")]
    ConnectionLost {
        /// The host.
        host: String,
        /// What happened.
        reason: String,
        /// Whether the request, or a part of it, had been sent.
        sent: bool,
    },
    /// More than [`LARGEST_BODY`].
    #[error("the answer of {host} is larger than {} KiB", LARGEST_BODY / 1024)]
    TooLarge {
        /// The host.
        host: String,
    },
    /// Not HTTP/1.1, or encoded in a way nobody asked for.
    #[error("the answer of {host} is not one we asked for: {reason}")]
    Malformed {
        /// The host.
        host: String,
        /// In which way.
        reason: String,
    },
    /// A limit of this machine: no thread, no open file, no memory.
    #[error("this machine gives no more threads, open files or memory: {0}")]
    Exhausted(String),
    /// The sending thread is gone.
    #[error("the sending thread failed: {0}")]
    Worker(String),
}

impl TransportError {
    /// Whether the instance may have acted on the request.
    pub fn no_answer(&self) -> NoAnswer {
        match self {
            Self::TimedOut { sent: true, .. }
            | Self::ConnectionLost { sent: true, .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. } => NoAnswer::Lost,
            _ => NoAnswer::NotSent,
        }
    }
}

impl Diagnose for TransportError {
    fn code(&self) -> Code {
        match self {
            Self::NameNotFound { .. } => Code::NameNotFound,
            Self::ConnectFailed { .. } => Code::ConnectFailed,
            Self::TlsFailed { .. } => Code::TlsFailed,
            Self::ProxyFailed { .. } => Code::ProxyFailed,
            Self::NoTrust(_) => Code::TrustStoreEmpty,
            Self::TimedOut { .. } => Code::TimedOut,
            Self::ConnectionLost { .. } => Code::ConnectionLost,
            Self::TooLarge { .. } => Code::AnswerTooLarge,
            Self::Malformed { .. } => Code::AnswerUnreadable,
            Self::Exhausted(_) => Code::MachineExhausted,
            Self::Worker(_) => Code::Bug,
        }
    }
}

/// What every request of one command has in common.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// Proxies, as the environment names them.
    pub proxies: Proxies,
    /// Certificate authorities to trust beside the operating system's.
    pub ca_file: Option<PathBuf>,
}

/// The transport of the program: HTTP/1.1 over TLS 1.2 or 1.3.
#[derive(Debug)]
pub struct HttpTransport {
    options: HttpOptions,
    worker: Mutex<Option<worker::Worker>>,
}

impl HttpTransport {
    /// Nothing is started or read before the first request.
    pub fn new(options: HttpOptions) -> Self {
        Self { options, worker: Mutex::new(None) }
    }

    fn worker(&self) -> Result<worker::Worker, TransportError> {
        let mut guard = self.worker.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(worker) = &*guard {
            return Ok(worker.clone());
        }
        let worker = worker::Worker::start(&self.options)?;
        *guard = Some(worker.clone());
        Ok(worker)
    }
}

impl Transport for HttpTransport {
    fn open(&self, origin: &Url) {
        if let Ok(worker) = self.worker() {
            worker.open(origin);
        }
    }

    fn send(&self, request: Request, limit: Duration) -> Result<Response, TransportError> {
        self.worker()?.send(request, limit, Lane::Main)
    }

    fn open_beside(&self, origin: &Url, count: usize) {
        if let Ok(worker) = self.worker() {
            worker.open_beside(origin, count);
        }
    }

    fn send_beside(&self, request: Request, limit: Duration) -> Result<Response, TransportError> {
        self.worker()?.send(request, limit, Lane::Beside)
    }

    fn trace(&self, origin: &Url) -> Option<Line> {
        self.worker().ok()?.trace(origin)
    }
}
