//! The harness itself: what the tests stand on does what they believe it does, without the product.

use std::time::Duration;

use url::Url;

use crate::support::browser::{Visit, visit};
use crate::support::foreign::{Foreign, Kind, Options};
use crate::support::http::Client;
use crate::support::instance::{Consent, Instance, console_uri, parameter};
use crate::support::tls::{Authority, Listener, self_signed};

const KINDS: [Kind; 3] = [Kind::OidcProvider, Kind::NodeOauth, Kind::Authlib];
// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn authorization_url(server: &dyn Instance) -> String {
    let mut url = Url::parse(&format!("{}/oauth_auth.do", server.origin())).unwrap();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &server.client_id())
        .append_pair("redirect_uri", &server.redirect_uri())
        .append_pair("state", "abcdefghijklmnopqrstuvwxyz")
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256");
    url.into()
}

fn exchange(server: &dyn Instance, code: &str, verifier: &str) -> (u16, serde_json::Value) {
    let url = Url::parse(&format!("{}/oauth_token.do", server.origin())).unwrap();
    let answer = Client::default().post(
        &url,
        &[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &server.redirect_uri()),
            ("client_id", &server.client_id()),
            ("client_secret", &server.client_secret()),
            ("code_verifier", verifier),
        ],
    );
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

#[test]
fn foreign_servers_give_tokens_for_a_code_and_refuse_what_is_wrong() {
    for kind in KINDS {
        let server = Foreign::usual(kind);
        let redirected = server.consent(&authorization_url(&server), Consent::Allow);
        assert!(redirected.starts_with(&format!("{}?", console_uri("us-west-2"))), "{redirected}");
        let Some(code) = parameter(&redirected, "code") else { panic!("{kind:?}: {redirected}") };
        let (status, tokens) = exchange(&server, &code, VERIFIER);
        assert_eq!(status, 200, "{kind:?}: {tokens}");
        assert!(tokens["refresh_token"].is_string(), "{kind:?}: {tokens}");
        assert!(server.is_alive(tokens["access_token"].as_str().unwrap()), "{kind:?}");
        assert!(!server.is_alive("made-up"), "{kind:?}");
        // A code is good once, and its verifier is looked at.
        assert_ne!(exchange(&server, &code, VERIFIER).0, 200, "{kind:?} took a code twice");
        let again = server.consent(&authorization_url(&server), Consent::Allow);
        let code = parameter(&again, "code").unwrap();
        let other = "x".repeat(43);
        assert_ne!(
            exchange(&server, &code, &other).0,
            200,
            "{kind:?} did not look at the verifier"
        );
        let received = server.token_requests();
        assert_eq!(received.len(), 3, "{kind:?}");
        assert_eq!(received[0].field("client_secret"), Some(server.client_secret()));
    }
}

#[test]
fn foreign_servers_say_when_a_person_denies() {
    for kind in KINDS {
        let server = Foreign::usual(kind);
        let redirected = server.consent(&authorization_url(&server), Consent::Deny);
        assert_eq!(parameter(&redirected, "error").as_deref(), Some("access_denied"), "{kind:?}");
    }
}

#[test]
fn a_browser_goes_through_the_pages_and_nothing_leaves_the_machine() {
    let server = Foreign::usual(Kind::OidcProvider);
    let profile = tempfile::tempdir().unwrap();
    let redirect_uri = server.redirect_uri();
    let url = authorization_url(&server);
    let mut task =
        Visit { url: &url, consent: Consent::Allow, profile: profile.path(), pictures: None };
    let seen = visit(&task, &redirect_uri);
    assert!(parameter(&seen.redirected, "code").is_some(), "{seen:#?}");
    assert_eq!(seen.foreign, Vec::<String>::new());
    let other = tempfile::tempdir().unwrap();
    task.profile = other.path();
    task.consent = Consent::Deny;
    let seen = visit(&task, &redirect_uri);
    assert_eq!(parameter(&seen.redirected, "error").as_deref(), Some("access_denied"), "{seen:#?}");
}

#[test]
fn a_foreign_server_speaks_tls_with_our_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let identity = authority.issue(&["127.0.0.1", "localhost"]).write(folder.path());
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let options = Options { tls: Some(identity), ..Options::default() };
    let server = Foreign::start(Kind::OidcProvider, options);
    // Node judges the certificate here: a second opinion on what `tls.rs` makes.
    let script =
        "require('https').get(process.argv[1], r => process.exit(r.statusCode === 401 ? 0 : 1))";
    let mut node = std::process::Command::new(crate::support::foreign::node());
    node.args(["-e", script]).arg(format!("{}/api/now/ui/user/current_user", server.origin()));
    let with_ca = node.env("NODE_EXTRA_CA_CERTS", &ca).output().unwrap();
    assert!(with_ca.status.success(), "{}", String::from_utf8_lossy(&with_ca.stderr));
    let without = node.env_remove("NODE_EXTRA_CA_CERTS").output().unwrap();
    assert!(!without.status.success());
}

#[test]
fn a_listener_with_a_bad_certificate_counts_what_it_is_told() {
    let listener = Listener::start(&self_signed(&["127.0.0.1"]));
    let script = "const s = require('tls').connect({port: +process.argv[1], host: '127.0.0.1', \
                  rejectUnauthorized: false}, () => s.end('hello'))";
    let mut node = std::process::Command::new(crate::support::foreign::node());
    assert!(node.args(["-e", script, &listener.port.to_string()]).status().unwrap().success());
    let end = std::time::Instant::now() + Duration::from_secs(5);
    while listener.bytes() < 5 && std::time::Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(listener.bytes(), 5);
}
