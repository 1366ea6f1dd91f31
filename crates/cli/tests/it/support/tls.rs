//! A certificate authority for one test, and certificates good and bad.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// An authority that the test may choose to trust.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate chain and its key, as PEM.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Authority {
    /// A fresh one.
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "snowtoken test authority");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    /// Its own certificate, for `SNOWTOKEN_CA_FILE`.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A good certificate for these names.
    pub(crate) fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| {})
    }

    /// One that ended long ago.
    pub(crate) fn expired(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    /// One that begins in times to come.
    pub(crate) fn not_yet(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |params| {
            params.not_before = date_time_ymd(2090, 1, 1);
            params.not_after = date_time_ymd(2091, 1, 1);
        })
    }

    /// One that names its host in the subject only, where nobody has looked since RFC 6125.
    pub(crate) fn common_name_only(&self, name: &str) -> Identity {
        self.issue_with(&[], |params| {
            params.distinguished_name.push(DnType::CommonName, name);
        })
    }

    /// One that was made for clients.
    pub(crate) fn for_clients(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        })
    }

    fn issue_with(&self, names: &[&str], change: impl Fn(&mut CertificateParams)) -> Identity {
        let (params, key) = prepared(names, change);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { chain: certificate.pem() + &self.pem(), key: key.serialize_pem() }
    }
}

/// A certificate that vouches for itself.
pub(crate) fn self_signed(names: &[&str]) -> Identity {
    let (params, key) = prepared(names, |_| {});
    Identity { chain: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

fn prepared(
    names: &[&str],
    change: impl Fn(&mut CertificateParams),
) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Verifiers of some systems refuse a longer life than this.
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2028, 1, 1);
    change(&mut params);
    (params, KeyPair::generate().unwrap())
}

impl Identity {
    /// Writes key and chain; returns their paths in this order.
    pub(crate) fn write(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let (key, chain) = (folder.join("tls.key"), folder.join("tls.pem"));
        fs::write(&key, &self.key).unwrap();
        fs::write(&chain, &self.chain).unwrap();
        (key, chain)
    }
}

/// Listens with an identity and counts the bytes that arrive inside TLS. It answers nothing itself;
/// it may hand them on to an instance that speaks no TLS.
pub(crate) struct Listener {
    pub(crate) port: u16,
    bytes: Arc<AtomicUsize>,
}

impl Listener {
    /// One that listens only.
    pub(crate) fn start(identity: &Identity) -> Self {
        Self::before(identity, None)
    }

    /// One that stands before a port. It ends with the test's process.
    pub(crate) fn before(identity: &Identity, port: Option<u16>) -> Self {
        let (config, bytes) = (Arc::new(config(identity)), Arc::new(AtomicUsize::new(0)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let count = bytes.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (config, count) = (config.clone(), count.clone());
                std::thread::spawn(move || converse(stream, config, port, &count));
            }
        });
        Self { port: own_port, bytes }
    }

    /// How many bytes somebody who trusted it has sent.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::SeqCst)
    }
}

fn config(identity: &Identity) -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes());
    let chain: Vec<_> = chain.map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    builder.with_single_cert(chain, key).unwrap()
}

/// One connection, both ways in one thread: each side is asked in turn and waits little.
fn converse(stream: TcpStream, config: Arc<ServerConfig>, port: Option<u16>, count: &AtomicUsize) {
    const TURN: Duration = Duration::from_millis(2);
    let behind = port.map(|port| TcpStream::connect(("127.0.0.1", port)).unwrap());
    let patience = if behind.is_some() { TURN } else { Duration::from_secs(5) };
    let _ = stream.set_read_timeout(Some(patience));
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let mut buffer = [0; 16 * 1024];
    let end = Instant::now() + Duration::from_mins(1);
    while Instant::now() < end {
        match tls.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => {
                count.fetch_add(n, Ordering::SeqCst);
                if let Some(mut behind) = behind.as_ref() {
                    let _ = behind.write_all(&buffer[..n]);
                }
            }
            Err(e) if behind.is_some() && is_patience(&e) => {}
            Err(_) => return,
        }
        let Some(mut behind) = behind.as_ref() else {
            continue;
        };
        let _ = behind.set_read_timeout(Some(TURN));
        match behind.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => {
                if tls.write_all(&buffer[..n]).and_then(|()| tls.flush()).is_err() {
                    return;
                }
            }
            Err(e) if is_patience(&e) => {}
            Err(_) => return,
        }
    }
}

fn is_patience(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
