//! Whom we trust: the operating system's store, and what `--ca-file` adds. There is no switch to
//! turn the check off.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::TransportError;

/// The TLS configuration of every connection.
pub(super) fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TransportError> {
    config_with(ca_file, |verifier| verifier)
}

/// The same, and the certificates that are shown are kept for whoever wants to tell of them.
pub(super) fn watching(
    ca_file: Option<&Path>,
) -> Result<(Arc<ClientConfig>, Shown), TransportError> {
    let shown = Shown::default();
    let kept = shown.clone();
    let config = config_with(ca_file, |inner| Arc::new(Watcher { inner, shown }))?;
    Ok((config, kept))
}

fn config_with(
    ca_file: Option<&Path>,
    wrap: impl FnOnce(Arc<dyn ServerCertVerifier>) -> Arc<dyn ServerCertVerifier>,
) -> Result<Arc<ClientConfig>, TransportError> {
    let provider = Arc::new(ring::default_provider());
    let extra = ca_file.map(read_authorities).transpose()?.unwrap_or_default();
    let verifier = if extra.is_empty() {
        Verifier::new(provider.clone())
    } else {
        Verifier::new_with_extra_roots(extra, provider.clone())
    };
    let verifier = verifier.map_err(|error| TransportError::NoTrust(error.to_string()))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TransportError::NoTrust(error.to_string()))?
        .dangerous() // the name of the door; behind it stands the platform's own verifier
        .with_custom_certificate_verifier(wrap(Arc::new(verifier)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let unusable =
        |reason: String| TransportError::NoTrust(format!("{}: {reason}", path.display()));
    let authorities = CertificateDer::pem_file_iter(path)
        .map_err(|error| unusable(error.to_string()))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(error.to_string()))?;
    if authorities.is_empty() {
        Err(unusable("no certificate in PEM form".to_owned()))
    } else {
        Ok(authorities)
    }
}

/// The certificates that a server showed, in DER, its own first.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown(Arc<Mutex<Vec<Vec<u8>>>>);

impl Shown {
    pub(super) fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes down what is shown and leaves every decision to the verifier behind it.
#[derive(Debug)]
struct Watcher {
    inner: Arc<dyn ServerCertVerifier>,
    shown: Shown,
}

impl ServerCertVerifier for Watcher {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        *self.shown.0.lock().unwrap_or_else(PoisonError::into_inner) =
            all.map(|certificate| certificate.to_vec()).collect();
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
