//! https: through a company's proxy, under a company's authority, and never past a bad certificate.

use std::path::PathBuf;

use crate::support::foreign::{Foreign, Kind};
use crate::support::instance::{
    Consent, Instance, PROFILE, console_uri, first_login, parameter, words,
};
use crate::support::process::Running;
use crate::support::proxy::Proxy;
use crate::support::sandbox::Sandbox;
use crate::support::tls::{Authority, Identity, Listener, self_signed};

const HOST: &str = "classics.service-now.com";

/// The road to an instance with a public name: a proxy that leads every name to one port.
struct Road {
    sandbox: Sandbox,
    proxy: Proxy,
    ca: PathBuf,
}

impl Road {
    fn to(port: u16, authority: &Authority) -> Self {
        let sandbox = Sandbox::new();
        let ca = sandbox.file("ca.pem", authority.pem());
        Self { sandbox, proxy: Proxy::connecting(port), ca }
    }

    fn start(&self, arguments: &[String]) -> Running {
        let mut command = self.sandbox.command(arguments);
        command.env("HTTPS_PROXY", self.proxy.url()).env("SNOWTOKEN_CA_FILE", &self.ca);
        Running::start(command)
    }

    /// A first login at the public name; the server only gives its client's data.
    fn login(&self, server: &Foreign) -> Running {
        let mut arguments = [first_login(&self.sandbox, server), words(&["--no-output"])].concat();
        "classics".clone_into(&mut arguments[3]);
        self.start(&arguments)
    }
}

#[test]
fn a_whole_life_through_a_proxy_under_a_private_authority() {
    let (server, authority) = (Foreign::usual(Kind::Authlib), Authority::new());
    let listener = Listener::before(&authority.issue(&[HOST]), Some(server.port()));
    let road = Road::to(listener.port, &authority);
    let mut running = road.login(&server);
    let url = running.authorization_url();
    assert!(url.starts_with(&format!("https://{HOST}/oauth_auth.do?")), "{url}");
    running.write(format!("{}\n", server.consent(&url, Consent::Allow)));
    running.finish().ok();
    for verb in ["refresh", "verify"] {
        road.start(&words(&[verb, PROFILE])).finish().ok();
    }
    let token = road.start(&words(&["token", PROFILE])).finish().ok().token();
    assert!(server.is_alive(&token));
    road.start(&words(&["revoke", PROFILE])).finish().ok();
    assert!(!server.is_alive(&token));
    let wanted = Some(format!("{HOST}:443"));
    assert!(road.proxy.connections().iter().all(|c| c.connect == wanted));
    // Inside the tunnel nothing is in the clear.
    let sent = String::from_utf8_lossy(&road.proxy.sent()).into_owned();
    assert!(listener.bytes() > 1000 && !sent.contains("grant_type") && !sent.contains(&token));
}

#[test]
fn a_bad_certificate_is_never_told_anything() {
    let (server, ours, other) = (Foreign::usual(Kind::Authlib), Authority::new(), Authority::new());
    let bad: [(&str, Identity); 8] = [
        ("self-signed", self_signed(&[HOST])),
        ("of an unknown authority", other.issue(&[HOST])),
        ("for another host", ours.issue(&["other.service-now.com"])),
        ("for a wildcard that is too wide", ours.issue(&["*.com"])),
        ("ended", ours.expired(&[HOST])),
        ("not begun", ours.not_yet(&[HOST])),
        ("with the host in the subject only", ours.common_name_only(HOST)),
        ("made for clients", ours.for_clients(&[HOST])),
    ];
    for (name, identity) in &bad {
        let listener = Listener::start(identity);
        let road = Road::to(listener.port, &ours);
        let mut running = road.login(&server);
        let look = |text: &str| text.contains("response_type=code").then(|| text.to_owned());
        if let Some(text) = running.stderr.wait(std::time::Duration::from_secs(5), look) {
            let url = text.lines().find(|line| line.contains("response_type=code")).unwrap();
            let state = parameter(url.trim(), "state").unwrap();
            let page = console_uri("us-west-2");
            running.write(format!("{page}?code=must-not-be-sent&state={state}\n"));
        }
        let outcome = running.finish();
        assert_eq!(listener.bytes(), 0, "a certificate {name} was told something: {outcome:#?}");
        assert!(matches!(outcome.code, Some(1 | 5)), "{name}: {outcome:#?}");
        let (outcome, code) = outcome.failed_with(&[1, 5]);
        assert_eq!(code.as_deref(), Some("tls-failed"), "{name}: {outcome:#?}");
    }
}
