//! From an origin to a connection: name, TCP, proxy, TLS, HTTP/1.1.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http_body_util::{Empty, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use url::Url;

use super::proxy::Proxy;
use super::{HttpOptions, TransportError, tls};
use crate::error::is_exhausted;

/// Headers of an answer, and of a proxy's answer to CONNECT, must fit into this many bytes.
const HEAD_LIMIT: usize = 64 * 1024;

pub(super) type Sender = SendRequest<Full<Bytes>>;

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}
pub(super) type AnyStream = Box<dyn Stream>;

/// Opens connections; reads the trust store once, when the first one needs it.
pub(super) struct Connector {
    pub(super) options: HttpOptions,
    tls: std::cell::OnceCell<Arc<ClientConfig>>,
}

impl Connector {
    pub(super) fn new(options: HttpOptions) -> Self {
        Self { options, tls: std::cell::OnceCell::new() }
    }

    /// A connection that is ready for a request.
    pub(super) async fn connect(&self, origin: &Url) -> Result<Sender, TransportError> {
        let host = host_of(origin);
        let port = origin.port_or_known_default().unwrap_or(443);
        let stream = match self.options.proxies.for_origin(origin)? {
            Some(proxy) => self.through(&proxy, &host, port).await?,
            None => Box::new(tcp(&host, port).await?),
        };
        let stream =
            if origin.scheme() == "https" { self.encrypt(&host, stream).await? } else { stream };
        let lost = |error: hyper::Error| lost(&host, &error, false);
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_LIMIT)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(lost)?;
        // Ends when the sender is dropped or the other side closes; whoever waits hears of it there.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn config(&self) -> Result<Arc<ClientConfig>, TransportError> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let config = tls::config(self.options.ca_file.as_deref())?;
        Ok(self.tls.get_or_init(|| config).clone())
    }

    async fn encrypt(&self, host: &str, stream: AnyStream) -> Result<AnyStream, TransportError> {
        let failed = |reason: String| TransportError::TlsFailed { host: host.to_owned(), reason };
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
        let connector = TlsConnector::from(self.config()?);
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    async fn through(
        &self,
        proxy: &Proxy,
        host: &str,
        port: u16,
    ) -> Result<AnyStream, TransportError> {
        self.tunnel(proxy, host, port).await?.map_err(|status| TransportError::ProxyFailed {
            proxy: proxy.place(),
            reason: format!("it answered {status}"),
        })
    }

    /// RFC 9110 §9.3.6: a tunnel, or the status with which it was refused. The proxy sees the host's
    /// name and nothing else.
    pub(super) async fn tunnel(
        &self,
        proxy: &Proxy,
        host: &str,
        port: u16,
    ) -> Result<Result<AnyStream, u16>, TransportError> {
        let failed = |reason: String| TransportError::ProxyFailed { proxy: proxy.place(), reason };
        let stream: AnyStream =
            Box::new(tcp(&proxy.host, proxy.port).await.map_err(|e| failed(e.to_string()))?);
        let stream = if proxy.tls { self.encrypt(&proxy.host, stream).await? } else { stream };
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_LIMIT)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(error.to_string()))?;
        tokio::spawn(async move { drop(connection.with_upgrades().await) });
        let bracketed =
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let mut request = http::Request::connect(&bracketed)
            .header(HOST, &bracketed)
            .body(Empty::<Bytes>::new())
            .map_err(|error| failed(error.to_string()))?;
        if let Some(value) = &proxy.authorization {
            request.headers_mut().insert(PROXY_AUTHORIZATION, value.clone());
        }
        let answer =
            sender.send_request(request).await.map_err(|error| failed(error.to_string()))?;
        if answer.status() != http::StatusCode::OK {
            return Ok(Err(answer.status().as_u16()));
        }
        let tunnel = hyper::upgrade::on(answer).await.map_err(|error| failed(error.to_string()))?;
        Ok(Ok(Box::new(TokioIo::new(tunnel))))
    }
}

/// The host of an origin, without the brackets of an IPv6 address.
pub(super) fn host_of(origin: &Url) -> String {
    origin.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

pub(super) fn lost(host: &str, error: &hyper::Error, sent: bool) -> TransportError {
    let reason = if error.is_incomplete_message() {
        "the other side closed it before the answer was whole".to_owned()
    } else if error.is_parse_too_large() {
        return TransportError::TooLarge { host: host.to_owned() };
    } else if error.is_parse() {
        return TransportError::Malformed {
            host: host.to_owned(),
            reason: "it is no HTTP/1.1".to_owned(),
        };
    } else {
        // Messages of the library hold nothing that was sent.
        std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
    };
    TransportError::ConnectionLost { host: host.to_owned(), reason, sent }
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, TransportError> {
    let addresses = resolve(host, port).await?;
    reach(host, port, &addresses).await
}

/// Tries one address after the other; a dead one may not use up the time of the others.
pub(super) async fn reach(
    host: &str,
    port: u16,
    addresses: &[SocketAddr],
) -> Result<TcpStream, TransportError> {
    let not_found = || TransportError::NameNotFound { host: host.to_owned() };
    let place = format!("{host}:{port}");
    let mut reason = None;
    for address in addresses {
        let share =
            if addresses.len() > 1 { Duration::from_millis(1_500) } else { Duration::from_mins(1) };
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Small requests should leave at once; without it they are merely slower.
                drop(stream.set_nodelay(true));
                return Ok(stream);
            }
            Ok(Err(error)) if is_exhausted(&error) => return Err(exhausted(&error)),
            Ok(Err(error)) => reason = Some(error.to_string()),
            Err(_) => reason = Some("it does not answer".to_owned()),
        }
    }
    match reason {
        Some(reason) => Err(TransportError::ConnectFailed { place, reason }),
        None => Err(not_found()),
    }
}

/// The addresses of a name. The system can only be asked by a thread that waits for it; where it
/// allows none, that is an error like any other.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, TransportError> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, answer) = oneshot::channel();
    let name = host.to_owned();
    let asking = move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Whoever asked may have stopped waiting.
        drop(sender.send(found));
    };
    let started = std::thread::Builder::new().name("resolver".to_owned()).spawn(asking);
    drop(started.map_err(|error| exhausted(&error))?);
    let found: io::Result<Vec<_>> = answer.await.unwrap_or_else(|_| Ok(Vec::new()));
    found.map_err(|_| TransportError::NameNotFound { host: host.to_owned() })
}

fn exhausted(error: &io::Error) -> TransportError {
    TransportError::Exhausted(error.to_string())
}
