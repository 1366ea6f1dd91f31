//! V21: what is meant for one origin reaches no other, however near its name is.

use snowtoken::core::diagnosis::Code;
use snowtoken::core::servicenow::Instance;
use snowtoken::http::Transport as _;

use crate::support::certificates::Authority;
use crate::support::fault_server::{FaultServer, Step};
use crate::support::requests::{AMPLE, Outcome, answer, outcome, post, tunnelled};

const HOST: &str = "acme.service-now.com";

/// Names that look like the instance's, or contain it, or are contained in it.
fn near_misses() -> Vec<String> {
    let mut names = vec![
        format!("{HOST}.evil.example"),
        format!("x.{HOST}"),
        "service-now.com".to_owned(),
        "acme-service-now.com".to_owned(),
        "acme.service-now.com.au".to_owned(),
        "acme.service-now.co".to_owned(),
        "acme.servicenow.com".to_owned(),
        "acme.service-now.com-evil.example".to_owned(),
        "xn--acm-dma.service-now.com".to_owned(),
    ];
    let bytes = HOST.as_bytes();
    for at in 0..bytes.len() {
        for byte in b"aexz019-" {
            let mut other = bytes.to_vec();
            other[at] = *byte;
            names.push(String::from_utf8(other.clone()).unwrap());
            other.insert(at, b'q');
            names.push(String::from_utf8(other).unwrap());
        }
    }
    names.retain(|name| name != HOST && Instance::parse(name).is_ok());
    names.sort_unstable();
    names.dedup();
    names
}

/// A connection to one origin, kept open and opened in advance, carries nothing for another one;
/// and a server that has the certificate of one gets nothing that is meant for another.
#[test]
fn v21_near_miss_origins_get_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let config = authority.issue(&[HOST]).server();
    let server = FaultServer::always(vec![
        Step::Read,
        Step::Send(b"HTTP/1.1 200 X\r\n\r\n".to_vec()),
        Step::Tls(config),
        Step::Read,
        Step::Send(answer(200, "", "{}")),
        Step::Stall,
    ]);
    let transport = tunnelled(&authority.write(folder.path()), server.port());
    let ours = Instance::parse(HOST).unwrap();
    let result = transport.send(post(ours.at("/").as_str()), AMPLE);
    assert_eq!(outcome(&result), Outcome::Status(200));
    let names = near_misses();
    assert!(names.len() >= 200, "{}", names.len());
    for name in &names {
        let near = Instance::parse(name).unwrap();
        let result = transport.send(post(near.at("/").as_str()), AMPLE);
        assert_eq!(outcome(&result), Outcome::Failed(Code::TlsFailed), "{name}");
    }
    let requests = server.texts();
    let carried = requests.iter().filter(|text| text.contains("canary")).count();
    assert_eq!((carried, server.handshakes()), (1, 1));
    // Each was asked for by its own name.
    for name in &names {
        let connect = format!("CONNECT {name}:443 HTTP/1.1\r\n");
        let count = requests.iter().filter(|text| text.starts_with(&connect)).count();
        assert_eq!(count, 1, "{name}");
    }
}

/// Another port is another origin, and so is another scheme.
#[test]
fn v21_another_port_or_scheme_is_another_connection() {
    let script = vec![Step::Read, Step::Send(answer(200, "", "{}")), Step::Stall];
    let (one, two) = (FaultServer::always(script.clone()), FaultServer::always(script));
    let transport = crate::support::requests::direct();
    transport.send(post(&one.url("/a")), AMPLE).unwrap();
    transport.send(post(&two.url("/b")), AMPLE).unwrap();
    let secure = format!("https://127.0.0.1:{}/c", one.port());
    let result = transport.send(post(&secure), std::time::Duration::from_millis(400));
    assert!(matches!(outcome(&result), Outcome::Failed(Code::TimedOut | Code::TlsFailed)));
    let localhost = format!("http://localhost:{}/d", one.port());
    transport.send(post(&localhost), AMPLE).unwrap();
    let paths = |server: &FaultServer| -> Vec<String> {
        let path = |text: String| text.split(' ').nth(1).unwrap_or_default().to_owned();
        server.texts().into_iter().map(path).collect()
    };
    assert_eq!(paths(&two), ["/b"]);
    assert_eq!(paths(&one).iter().filter(|path| path.starts_with('/')).count(), 2);
    assert_eq!(one.connections(), 3, "one each for /a, /c and /d");
}
