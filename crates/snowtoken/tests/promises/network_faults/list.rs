//! Ways in which a network breaks, each on loopback addresses.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use snowtoken::core::diagnosis::Code;
use snowtoken::http::{HttpOptions, Proxies};
use tempfile::TempDir;

use crate::support::certificates::{Authority, Identity, self_signed};
use crate::support::fault_server::{FaultServer, Step};
use crate::support::requests::answer;

/// An instance that is reached through a proxy of this machine, if at all.
const HOST: &str = "snow.acme.example";
const TUNNEL: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const TOKENS: &str = r#"{"access_token":"aaaaaaaaaaaaaaaa","refresh_token":"rrrrrrrrrrrrrrrr","token_type":"Bearer","expires_in":1799}"#;

const ON_THE_WAY: [Code; 5] = [
    Code::ConnectFailed,
    Code::ConnectionLost,
    Code::TimedOut,
    Code::AnswerUnreadable,
    Code::AnswerInvalid,
];

/// One of them.
pub(super) struct Fault {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) options: HttpOptions,
    pub(super) codes: Vec<Code>,
    _server: Option<FaultServer>,
}

/// What they share.
pub(super) struct Ground {
    authority: Authority,
    folder: TempDir,
    /// A listener whose queue is full: whoever comes next hears nothing, as behind a firewall.
    full: (TcpListener, Vec<TcpStream>),
}

impl Ground {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { authority: Authority::new(), folder, full: full_listener() }
    }

    fn ca_file(&self) -> PathBuf {
        self.authority.write(self.folder.path())
    }

    fn good(&self) -> Arc<ServerConfig> {
        self.authority.issue(&[HOST]).server()
    }
}

/// Nobody accepts, and there is no room to wait.
fn full_listener() -> (TcpListener, Vec<TcpStream>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        socket.listen(1).unwrap().into_std().unwrap()
    });
    let address = listener.local_addr().unwrap();
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(300)).ok();
    let waiting: Vec<TcpStream> = (0..8).map_while(connect).collect();
    assert!(waiting.len() < 8, "the queue does not fill");
    (listener, waiting)
}

pub(super) fn all(ground: &Ground) -> Vec<Fault> {
    [
        unreachable(ground),
        plain(),
        portals(),
        alerts(ground),
        handshakes(ground),
        sealed(ground),
        proxies(ground),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A fault of a server that is asked directly.
fn direct(name: impl Into<String>, script: Vec<Step>, codes: &[Code]) -> Fault {
    let server = FaultServer::always(script);
    Fault {
        name: name.into(),
        address: server.url(""),
        options: HttpOptions::default(),
        codes: codes.to_vec(),
        _server: Some(server),
    }
}

/// A fault behind or at a proxy.
fn proxied(ground: &Ground, name: impl Into<String>, script: Vec<Step>, codes: &[Code]) -> Fault {
    let server = FaultServer::always(script);
    let https = Some(format!("http://127.0.0.1:{}", server.port()));
    Fault {
        name: name.into(),
        address: format!("https://{HOST}"),
        options: HttpOptions {
            proxies: Proxies { https, no: None },
            ca_file: Some(ground.ca_file()),
        },
        codes: codes.to_vec(),
        _server: Some(server),
    }
}

fn to(name: &str, address: String, code: Code) -> Fault {
    let options = HttpOptions::default();
    Fault { name: name.to_owned(), address, options, codes: vec![code], _server: None }
}

/// Nobody is there, or says nothing.
fn unreachable(ground: &Ground) -> Vec<Fault> {
    let full = ground.full.0.local_addr().unwrap().port();
    // Nobody listens on the first port.
    vec![
        to("refused", "http://127.0.0.1:1".to_owned(), Code::ConnectFailed),
        to("refused by IPv6", "http://[::1]:1".to_owned(), Code::ConnectFailed),
        to("refused by both", "http://localhost:1".to_owned(), Code::ConnectFailed),
        to("TLS refused", "https://127.0.0.1:1".to_owned(), Code::ConnectFailed),
        to("no such name", "https://snow.invalid".to_owned(), Code::NameNotFound),
        to("a black hole", format!("http://127.0.0.1:{full}"), Code::TimedOut),
        to("a black hole before TLS", format!("https://127.0.0.1:{full}"), Code::TimedOut),
    ]
}

/// The connection breaks or falls silent, in every phase.
fn plain() -> Vec<Fault> {
    let whole = answer(200, "", TOKENS);
    let head = whole.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let mut list = vec![
        direct("closed at once", vec![], &ON_THE_WAY),
        direct("reset at once", vec![Step::Peek], &ON_THE_WAY),
        direct("silent", vec![Step::Stall], &ON_THE_WAY),
        direct("closed after a second", vec![Step::Pause(Duration::from_secs(1))], &ON_THE_WAY),
        direct("a drop now and then", vec![Step::Read, drip(&whole)], &ON_THE_WAY),
        direct("early answers now and then", vec![Step::Read, drip(&early())], &ON_THE_WAY),
        direct(
            "an answer before the question",
            vec![Step::Send(b"220 hello\r\n".to_vec())],
            &ON_THE_WAY,
        ),
    ];
    for length in [0, 1, 9, 17, head - 1, head, head + 1, head + 40, whole.len() - 1] {
        let part = Step::Send(whole[..length].to_vec());
        let closed = vec![Step::Read, part.clone()];
        list.push(direct(format!("closed after {length} bytes"), closed, &ON_THE_WAY));
        let reset = vec![Step::Peek, part.clone()];
        list.push(direct(format!("reset after {length} bytes"), reset, &ON_THE_WAY));
        if [1, head, whole.len() - 1].contains(&length) {
            let stalled = vec![Step::Read, part, Step::Stall];
            list.push(direct(format!("silent after {length} bytes"), stalled, &ON_THE_WAY));
        }
    }
    list
}

fn drip(bytes: &[u8]) -> Step {
    Step::Drip(bytes.to_vec(), Duration::from_millis(700))
}

fn early() -> Vec<u8> {
    b"HTTP/1.1 100 Continue\r\n\r\n".repeat(20)
}

/// A network that wants a signature first.
fn portals() -> Vec<Fault> {
    let page = "<html><head><title>Welcome to our WLAN</title></head></html>";
    let refresh = r#"<meta http-equiv="refresh" content="0; url=http://10.0.0.1/login">"#;
    let to_login = "location: http://10.0.0.1/login\r\n";
    [
        ("a portal's page", answer(200, "", page), Code::AnswerUnreadable),
        ("a portal's refresh", answer(200, "", refresh), Code::AnswerUnreadable),
        ("a portal's 302", answer(302, to_login, ""), Code::SignInInFront),
        ("a portal's 307", answer(307, to_login, ""), Code::SignInInFront),
        ("a portal's 511", answer(511, "", page), Code::InstanceBusy),
        ("a portal's 403", answer(403, "", page), Code::AnswerUnreadable),
    ]
    .into_iter()
    .map(|(name, bytes, code)| direct(name, vec![Step::Read, Step::Send(bytes)], &[code]))
    .collect()
}

/// TLS alerts in place of a handshake (RFC 8446 §6).
fn alerts(ground: &Ground) -> Vec<Fault> {
    let alert = |number: u8| vec![0x15, 3, 3, 0, 2, 2, number];
    [
        0, 10, 20, 22, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 70, 71, 80, 86, 90, 112, 116,
        120, 255,
    ]
    .into_iter()
    .map(|number| {
        let script = vec![
            Step::Read,
            Step::Send(TUNNEL.to_vec()),
            Step::Peek,
            Step::Send(alert(number)),
            Step::Pause(Duration::from_millis(300)),
        ];
        proxied(ground, format!("TLS alert {number}"), script, &[Code::TlsFailed])
    })
    .collect()
}

/// Handshakes that lead nowhere, and certificates that prove nothing.
fn handshakes(ground: &Ground) -> Vec<Fault> {
    let tunnel = |steps: Vec<Step>| [vec![Step::Read, Step::Send(TUNNEL.to_vec())], steps].concat();
    let failed = [Code::TlsFailed, Code::TimedOut];
    let mut list: Vec<Fault> = [
        ("closed", vec![]),
        ("reset", vec![Step::Peek]),
        ("silence", vec![Step::Stall]),
        ("plain HTTP", vec![Step::Peek, Step::Send(answer(200, "", TOKENS))]),
        ("half a record", vec![Step::Peek, Step::Send(vec![0x16, 3, 3, 0, 90, 2, 0]), Step::Stall]),
        ("noise", vec![Step::Peek, Step::Send(vec![0xa5; 4_000])]),
    ]
    .into_iter()
    .map(|(name, steps)| proxied(ground, format!("TLS: {name}"), tunnel(steps), &failed))
    .collect();
    let stranger = Authority::new();
    let identities: [(&str, Identity); 6] = [
        ("expired", ground.authority.expired(&[HOST])),
        ("not yet valid", ground.authority.not_yet(&[HOST])),
        ("another host", ground.authority.issue(&["other.example"])),
        ("self-signed", self_signed(&[HOST])),
        ("of a stranger", stranger.issue(&[HOST])),
        ("for clients", ground.authority.for_clients(&[HOST])),
    ];
    for (name, identity) in identities {
        let script = tunnel(vec![Step::Tls(identity.server()), Step::Read]);
        list.push(proxied(ground, format!("a certificate: {name}"), script, &[Code::TlsFailed]));
    }
    list
}

/// After a good handshake.
fn sealed(ground: &Ground) -> Vec<Fault> {
    let config = ground.good();
    let script = |steps: Vec<Step>| {
        let tls = vec![Step::Read, Step::Send(TUNNEL.to_vec()), Step::Tls(config.clone())];
        [tls, steps].concat()
    };
    let whole = answer(200, "", TOKENS);
    let part = |length: usize| Step::Send(whole[..length].to_vec());
    [
        ("closed", vec![]),
        ("silent", vec![Step::Stall]),
        ("closed after the request", vec![Step::Read]),
        ("silent after the request", vec![Step::Read, Step::Stall]),
        ("closed in the head", vec![Step::Read, part(20)]),
        ("closed in the body", vec![Step::Read, part(whole.len() - 9)]),
        ("silent in the body", vec![Step::Read, part(whole.len() - 9), Step::Stall]),
    ]
    .into_iter()
    .map(|(name, steps)| proxied(ground, format!("sealed: {name}"), script(steps), &ON_THE_WAY))
    .collect()
}

/// The proxy itself.
fn proxies(ground: &Ground) -> Vec<Fault> {
    let failed = [Code::ProxyFailed, Code::TimedOut];
    let mut list: Vec<Fault> = [
        ("closed", vec![Step::Read]),
        ("reset", vec![Step::Peek]),
        ("silent", vec![Step::Stall]),
        ("half an answer", vec![Step::Read, Step::Send(TUNNEL[..20].to_vec())]),
        (
            "half an answer, then silence",
            vec![Step::Read, Step::Send(TUNNEL[..20].to_vec()), Step::Stall],
        ),
        ("noise", vec![Step::Read, Step::Send(b"\x05\xff\0\0".to_vec())]),
    ]
    .into_iter()
    .map(|(name, steps)| proxied(ground, format!("proxy: {name}"), steps, &failed))
    .collect();
    for status in [302, 400, 403, 404, 407, 429, 500, 502, 503, 504] {
        let steps = vec![Step::Read, Step::Send(answer(status, "", "<html>"))];
        list.push(proxied(ground, format!("proxy: {status}"), steps, &failed));
    }
    for (name, https) in [
        ("refused", "http://127.0.0.1:1".to_owned()),
        ("unknown", format!("http://{}:3128", "x".repeat(64))),
        ("of another kind", "ftp://127.0.0.1:1".to_owned()),
    ] {
        let mut fault = to(name, format!("https://{HOST}"), Code::ProxyFailed);
        fault.options.proxies.https = Some(https);
        fault.name = format!("proxy: {name}");
        list.push(fault);
    }
    list
}
