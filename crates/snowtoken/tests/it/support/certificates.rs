//! An authority that lives for one test, and certificates good and bad.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// An authority that a test may choose to trust.
pub(crate) struct Authority {
    issuer: Issuer,
}

/// A server's certificates, its own first, and its key.
pub(crate) struct Identity {
    chain: String,
    key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let params = authority("snowtoken test authority");
        let issuer = Issuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    /// Writes its certificate where `--ca-file` can find it.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("authority.pem");
        std::fs::write(&path, self.issuer.pem()).unwrap();
        path
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

    /// A good one, but through an authority that may vouch for `permitted` only.
    pub(crate) fn constrained(&self, permitted: &str, names: &[&str]) -> Identity {
        let mut params = authority("snowtoken constrained authority");
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(permitted.to_owned())],
            excluded_subtrees: Vec::new(),
        });
        self.through(params, names)
    }

    /// A good one, but through a certificate that is no authority.
    pub(crate) fn through_no_authority(&self, names: &[&str]) -> Identity {
        let mut params = authority("snowtoken no authority");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        self.through(params, names)
    }

    fn through(&self, params: CertificateParams, names: &[&str]) -> Identity {
        let middle = Issuer::signed_by(params, KeyPair::generate().unwrap(), &self.issuer).unwrap();
        let mut identity = signed(&middle, names, |_| {});
        identity.chain += &middle.pem();
        identity
    }

    fn issue_with(&self, names: &[&str], change: impl Fn(&mut CertificateParams)) -> Identity {
        signed(&self.issuer, names, change)
    }
}

/// A certificate that vouches for itself.
pub(crate) fn self_signed(names: &[&str]) -> Identity {
    let (params, key) = prepared(names, |_| {});
    Identity { chain: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn signed(issuer: &Issuer, names: &[&str], change: impl Fn(&mut CertificateParams)) -> Identity {
    let (params, key) = prepared(names, change);
    Identity {
        chain: params.signed_by(&key, issuer).unwrap().pem() + &issuer.pem(),
        key: key.serialize_pem(),
    }
}

fn prepared(
    names: &[&str],
    change: impl Fn(&mut CertificateParams),
) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    change(&mut params);
    (params, KeyPair::generate().unwrap())
}

impl Identity {
    /// The TLS configuration of a server that shows these certificates.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let chain = CertificateDer::pem_slice_iter(self.chain.as_bytes());
        let chain: Vec<_> = chain.map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = builder.with_no_client_auth().with_single_cert(chain, key);
        Arc::new(config.unwrap())
    }
}
