//! Whom we trust: the operating system's store, and what `--ca-file` adds. There is no switch to
//! turn the check off.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;

use super::TransportError;

/// The TLS configuration of every connection.
pub(super) fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TransportError> {
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
        .with_custom_certificate_verifier(Arc::new(verifier))
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
