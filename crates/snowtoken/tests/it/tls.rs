//! The certificate is checked, always, and nothing switches that off.

use std::sync::Arc;

use rustls::ServerConfig;
use snowtoken::core::diagnosis::Code;
use snowtoken::http::{HttpOptions, HttpTransport, Proxies, Transport as _};
use tempfile::TempDir;

use crate::support::certificates::{Authority, Identity, self_signed};
use crate::support::child;
use crate::support::fault_server::{FaultServer, Step};
use crate::support::requests::{AMPLE, CANARY, Outcome, answer, outcome, post, tunnelled};

const HOST: &str = "snow.acme.example";
const TUNNEL: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// A proxy that leads every host to one server with this certificate.
fn tunnel_to(config: Arc<ServerConfig>) -> FaultServer {
    FaultServer::always(vec![
        Step::Read,
        Step::Send(TUNNEL.to_vec()),
        Step::Tls(config),
        Step::Read,
        Step::Send(answer(200, "", "{}")),
        Step::Stall,
    ])
}

struct Scene {
    folder: TempDir,
    authority: Authority,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), authority: Authority::new() }
    }

    /// What becomes of a request to `host` whose server has this certificate.
    fn ask(&self, host: &str, identity: &Identity) -> (Outcome, FaultServer) {
        let server = tunnel_to(identity.server());
        let transport = tunnelled(&self.authority.write(self.folder.path()), server.port());
        let result = transport.send(post(&format!("https://{host}/oauth_token.do")), AMPLE);
        (outcome(&result), server)
    }
}

#[test]
fn r30_a_good_certificate_of_the_ca_file_is_accepted() {
    let scene = Scene::new();
    let whole = ["snow.acme.example"];
    let wildcard = ["*.acme.example"];
    for identity in [
        scene.authority.issue(&whole),
        scene.authority.issue(&wildcard),
        scene.authority.constrained("acme.example", &whole),
    ] {
        let (result, server) = scene.ask(HOST, &identity);
        assert_eq!(result, Outcome::Status(200));
        let requests = server.texts();
        assert_eq!(requests.len(), 2, "{requests:?}");
        assert!(requests[0].starts_with("CONNECT snow.acme.example:443 HTTP/1.1\r\n"));
        assert!(
            requests[1].ends_with(CANARY) && requests[1].contains("host: snow.acme.example\r\n")
        );
    }
}

#[test]
fn r30_bad_certificates_are_refused_before_a_byte_is_sent() {
    let scene = Scene::new();
    let here = [HOST];
    let good = &scene.authority;
    let cases = [
        ("expired", good.expired(&here)),
        ("not yet valid", good.not_yet(&here)),
        ("wrong host", good.issue(&["snow.acme.test"])),
        ("the domain alone", good.issue(&["acme.example"])),
        ("a host below it", good.issue(&["x.snow.acme.example"])),
        ("self-signed", self_signed(&here)),
        ("unknown authority", Authority::new().issue(&here)),
        ("subject's common name only", good.common_name_only(HOST)),
        ("wildcard one level too high", good.issue(&["*.example"])),
        ("wildcard one level too deep", good.issue(&["*.snow.acme.example"])),
        ("name constraint", good.constrained("other.example", &here)),
        ("for clients only", good.for_clients(&here)),
        ("through no authority", good.through_no_authority(&here)),
        ("an address for a name", good.issue(&["127.0.0.1"])),
    ];
    for (name, identity) in cases {
        let (result, server) = scene.ask(HOST, &identity);
        assert_eq!(result, Outcome::Failed(Code::TlsFailed), "{name}");
        let requests = server.texts();
        assert_eq!(requests.len(), 1, "{name}: {requests:?}");
        assert!(requests[0].starts_with("CONNECT "), "{name}: {requests:?}");
        assert!(!requests[0].contains("canary"), "{name}: {requests:?}");
    }
}

/// An address is checked as one, and loopback is no excuse.
#[test]
fn r30_loopback_addresses_need_a_certificate_too() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    for (names, expected) in [
        (["127.0.0.1"], Outcome::Status(200)),
        (["127.0.0.2"], Outcome::Failed(Code::TlsFailed)),
        (["localhost"], Outcome::Failed(Code::TlsFailed)),
    ] {
        let server = FaultServer::always(vec![
            Step::Tls(authority.issue(&names).server()),
            Step::Read,
            Step::Send(answer(200, "", "{}")),
        ]);
        let transport = HttpTransport::new(HttpOptions {
            proxies: Proxies::default(),
            ca_file: Some(authority.write(folder.path())),
        });
        let result = transport.send(post(&format!("https://127.0.0.1:{}/", server.port())), AMPLE);
        assert_eq!(outcome(&result), expected, "{names:?}");
        let sent = usize::from(expected == Outcome::Status(200));
        assert_eq!(server.requests().len(), sent, "{names:?}");
    }
}

#[test]
fn r30_an_unusable_ca_file_is_an_error_and_not_ignored() {
    let scene = Scene::new();
    let server = tunnel_to(scene.authority.issue(&[HOST]).server());
    let empty = scene.folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate\n").unwrap();
    for path in [empty, scene.folder.path().join("missing.pem")] {
        let result = tunnelled(&path, server.port()).send(post(&format!("https://{HOST}/")), AMPLE);
        assert_eq!(outcome(&result), Outcome::Failed(Code::TrustStoreEmpty));
        assert!(server.texts().iter().all(|text| text.starts_with("CONNECT ")));
    }
}

/// What speaks no TLS at all.
#[test]
fn r30_a_server_without_tls_gets_no_request() {
    let scene = Scene::new();
    for reply in [&b"HTTP/1.1 200 OK\r\n\r\n"[..], b"\x15\x03\x01\x00\x02\x02\x28", b""] {
        let server = FaultServer::always(vec![
            Step::Read,
            Step::Send(TUNNEL.to_vec()),
            Step::Peek,
            Step::Send(reply.to_vec()),
        ]);
        let ca_file = scene.authority.write(scene.folder.path());
        let transport = tunnelled(&ca_file, server.port());
        let result = transport.send(post(&format!("https://{HOST}/")), AMPLE);
        assert_eq!(outcome(&result), Outcome::Failed(Code::TlsFailed), "{reply:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

/// V25: the keys of the session are not written for anybody.
#[test]
fn v25_sslkeylogfile_creates_no_file() {
    let scene = Scene::new();
    if let Some(message) = child::told() {
        let (ca_file, port) = message.split_once('|').unwrap();
        let transport = tunnelled(ca_file.as_ref(), port.parse().unwrap());
        let result = transport.send(post(&format!("https://{HOST}/")), AMPLE);
        assert_eq!(outcome(&result), Outcome::Status(200));
        assert!(std::env::var_os("SSLKEYLOGFILE").is_some());
        return;
    }
    let server = tunnel_to(scene.authority.issue(&[HOST]).server());
    let ca_file = scene.authority.write(scene.folder.path());
    let keys = scene.folder.path().join("keys.log");
    child::run(
        "tls::v25_sslkeylogfile_creates_no_file",
        &format!("{}|{}", ca_file.display(), server.port()),
        &[("SSLKEYLOGFILE", keys.to_str().unwrap())],
    );
    assert_eq!(server.handshakes(), 1);
    assert!(!keys.exists(), "the session's keys were written");
}
