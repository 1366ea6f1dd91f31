//! The way to an instance, one step at a time, so that it can be told which of them fails. Nothing is
//! sent inside the connection, and it is closed at once.

use std::future::Future;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ProtocolVersion};
use snowtoken_core::servicenow::road::{
    Asked, Direct, Distrust, Encryption, Line, Route, Silence, Tunnel, Untrusted,
};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Url;

use super::connect::{AnyStream, Connector, host_of, reach, resolve};
use super::proxy::Proxy;
use super::{CONNECT_LIMIT, TransportError, tls};

/// The name of the variable where nobody knows which of them it was.
const USUAL_VARIABLE: &str = "HTTPS_PROXY";

impl Connector {
    /// Each stage has [`CONNECT_LIMIT`] of its own.
    pub(super) async fn trace(&self, origin: &Url) -> Line {
        let host = host_of(origin);
        let port = origin.port_or_known_default().unwrap_or(443);
        let mut line = Line {
            route: Route::Direct(Direct::NoneNamed),
            addresses: None,
            connection: None,
            tunnel: None,
            encryption: None,
        };
        let stream = match self.options.proxies.for_origin(origin) {
            Err(error) => {
                line.route = Route::Unusable(Silence::of(&error));
                None
            }
            Ok(Some(proxy)) => self.trace_tunnel(&proxy, &host, port, &mut line).await,
            Ok(None) => {
                line.route = Route::Direct(self.options.proxies.why_direct(origin));
                trace_tcp(&host, port, &mut line).await
            }
        };
        if let Some(stream) = stream
            && origin.scheme() == "https"
        {
            line.encryption = Some(self.shake_hands(&host, stream).await);
        }
        line
    }

    async fn trace_tunnel(
        &self,
        proxy: &Proxy,
        host: &str,
        port: u16,
        line: &mut Line,
    ) -> Option<AnyStream> {
        line.route = Route::Proxy { place: proxy.place(), variable: USUAL_VARIABLE };
        let opened = within(host, self.tunnel(proxy, host, port)).await;
        let refused =
            |status, error: &TransportError| Tunnel { status, silence: Silence::of(error) };
        let (tunnel, stream) = match opened {
            Ok(Ok(stream)) => (Ok(()), Some(stream)),
            Ok(Err(status)) => {
                let reason = format!("it answered {status}");
                let error = TransportError::ProxyFailed { proxy: proxy.place(), reason };
                (Err(refused(Some(status), &error)), None)
            }
            Err(error) => (Err(refused(None, &error)), None),
        };
        line.tunnel = Some(tunnel);
        stream
    }

    async fn shake_hands(&self, host: &str, stream: AnyStream) -> Result<Encryption, Untrusted> {
        let failed = |distrust, error: &TransportError, chain| Untrusted {
            distrust,
            silence: Silence::of(error),
            chain,
        };
        let other = |error: &TransportError| failed(Distrust::Other, error, Vec::new());
        let tls_failed =
            |reason: String| TransportError::TlsFailed { host: host.to_owned(), reason };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| other(&tls_failed(error.to_string())))?;
        let (config, shown) =
            tls::watching(self.options.ca_file.as_deref()).map_err(|error| other(&error))?;
        let connecting = TlsConnector::from(config).connect(name, stream);
        let shaken = within(host, async { Ok(connecting.await) }).await;
        match shaken.map_err(|error| failed(Distrust::Other, &error, shown.take()))? {
            Ok(stream) => {
                let version = match stream.get_ref().1.protocol_version() {
                    Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                    _ => "TLS 1.3",
                };
                Ok(Encryption { version, chain: shown.take() })
            }
            Err(error) => {
                Err(failed(distrust(&error), &tls_failed(error.to_string()), shown.take()))
            }
        }
    }
}

async fn trace_tcp(host: &str, port: u16, line: &mut Line) -> Option<AnyStream> {
    let addresses = match within(host, resolve(host, port)).await {
        Ok(addresses) if addresses.is_empty() => {
            Err(TransportError::NameNotFound { host: host.to_owned() })
        }
        other => other,
    };
    line.addresses = Some(told(addresses.as_ref().map(Vec::len)));
    let stream = within(host, reach(host, port, &addresses.ok()?)).await;
    line.connection = Some(told(stream.as_ref().map(|_| ())));
    Some(Box::new(stream.ok()?))
}

fn told<T>(result: Result<T, &TransportError>) -> Asked<T> {
    result.map_err(|error| Silence::of(error))
}

async fn within<T>(
    host: &str,
    stage: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    timeout(CONNECT_LIMIT, stage).await.unwrap_or_else(|_| {
        Err(TransportError::TimedOut { host: host.to_owned(), limit: CONNECT_LIMIT, sent: false })
    })
}

/// In which way the verifier did not like the certificate.
fn distrust(error: &std::io::Error) -> Distrust {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(error)) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Ended,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Distrust::NotBegun
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Distrust::OtherHost
            }
            // Somebody who bears the name of one we trust, and is not.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Distrust::UnknownIssuer
            }
            _ => Distrust::Other,
        },
        _ => Distrust::Other,
    }
}
