//! The line: a name that is not there, a port that is dead, proxies, and certificates good and bad.

use std::path::PathBuf;

use super::road::Found;
use crate::support::instance::Instance as _;
use crate::support::process::Running;
use crate::support::proxy::Proxy;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;
use crate::support::tls::{Authority, Identity, Listener, self_signed};

const HOST: &str = "classics.service-now.com";

fn look(sandbox: &Sandbox, instance: &str, environment: &[(&str, &str)]) -> Found {
    let mut command = sandbox.command(&["doctor", "--json", "--instance", instance]);
    command.envs(environment.iter().copied());
    Found::of(Running::start(command).finish())
}

/// Everything that comes after a step that failed is unknown because of it.
const LATER: [&str; 5] = ["certificate", "awake", "clock", "oauth_auth.do", "oauth_token.do"];

#[track_caller]
fn fails_at(found: &Found, step: &str, verdict: &str, exit: i32) {
    found.expect(&[(step, verdict)]);
    found.closes_with(step, exit);
    let later = LATER.iter().skip_while(|later| **later == step);
    let after = later.filter(|later| step != "certificate" || **later != "certificate");
    for later in after {
        found.expect(&[(later, "unknown:blocked")]);
    }
}

#[test]
fn a_name_that_is_not_there_and_a_port_that_is_dead() {
    let sandbox = Sandbox::new();
    let found = look(&sandbox, "https://nowhere.invalid", &[]);
    found.expect(&[("proxy", "pass"), ("connection", "unknown:blocked")]);
    fails_at(&found, "address", "fail:name-not-found", 5);
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let found = look(&sandbox, &format!("http://127.0.0.1:{port}"), &[]);
    found.expect(&[("address", "pass")]);
    fails_at(&found, "connection", "fail:connect-failed", 5);
}

#[test]
fn what_is_no_instance_is_refused_before_anything_is_asked() {
    let sandbox = Sandbox::new();
    for text in ["evil.com#", "a@b", "http://8.8.8.8", ""] {
        let outcome = sandbox.run(&["doctor", "--instance", text]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{text}: {outcome:#?}");
    }
}

#[test]
fn a_proxy_is_named_with_its_variable_and_a_refusal_with_its_way_out() {
    let sandbox = Sandbox::new();
    let through = |proxy: &Proxy, variable: &str| {
        look(&sandbox, "https://nowhere.invalid", &[(variable, &proxy.url())])
    };
    for (status, hint) in [(407, "name and a password"), (403, "forbids"), (502, "cannot reach")] {
        let proxy = Proxy::refusing(status);
        let found = through(&proxy, "ALL_PROXY");
        fails_at(&found, "proxy", "fail:proxy-failed", 5);
        found.expect(&[("address", "unknown:blocked"), ("connection", "unknown:blocked")]);
        let step = found.step("proxy");
        assert!(step["detail"].as_str().unwrap().contains(&status.to_string()), "{step}");
        assert!(step["fix"].as_str().unwrap().contains(hint), "{step}");
        assert_eq!(proxy.connections().len(), 1, "asked once");
    }
    let found = look(
        &sandbox,
        "https://nowhere.invalid",
        &[("HTTPS_PROXY", "http://jane:s3cr3t-of-the-proxy@127.0.0.1:9")],
    );
    fails_at(&found, "proxy", "fail:proxy-failed", 5);
    assert!(!found.outcome.said().contains("s3cr3t-of-the-proxy"), "{:#?}", found.outcome);
    let found =
        look(&sandbox, "https://nowhere.invalid", &[("HTTPS_PROXY", "socks5://127.0.0.1:9")]);
    fails_at(&found, "proxy", "fail:proxy-failed", 5);
    let excepted = [("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "nowhere.invalid")];
    let found = look(&sandbox, "https://nowhere.invalid", &excepted);
    let detail = found.step("proxy")["detail"].as_str().unwrap();
    assert_eq!(detail, "none: NO_PROXY names the instance");
}

#[test]
fn an_instance_on_this_machine_is_never_reached_through_a_proxy() {
    let (instance, sandbox, trap) = (StandIn::with(&[]), Sandbox::new(), Proxy::trap());
    let url = trap.url();
    let proxies = [
        ("HTTPS_PROXY", url.as_str()),
        ("ALL_PROXY", &url),
        ("HTTP_PROXY", &url),
        ("NO_PROXY", "x"),
    ];
    let found = look(&sandbox, &instance.origin(), &proxies);
    found.expect(&[("proxy", "pass"), ("awake", "pass"), ("oauth_token.do", "pass")]);
    assert!(trap.connections().is_empty());
}

/// A proxy that leads every name to one TLS listener.
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

    fn look(&self, instance: &str) -> Found {
        let (url, ca) = (self.proxy.url(), self.ca.display().to_string());
        look(&self.sandbox, instance, &[("HTTPS_PROXY", &url), ("SNOWTOKEN_CA_FILE", &ca)])
    }
}

fn port_of(instance: &StandIn) -> u16 {
    instance.origin().rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn bad_certificates_are_told_apart_and_nothing_is_sent_to_them() {
    let (ours, other) = (Authority::new(), Authority::new());
    let bad: [(&str, Identity, &str, &str); 5] = [
        ("self-signed", self_signed(&[HOST]), "fail:tls-inspected", "does not trust"),
        ("unknown", other.issue(&[HOST]), "fail:tls-inspected", "snowtoken test authority"),
        (
            "other host",
            ours.issue(&["other.example"]),
            "fail:tls-failed",
            "is for other.example, and not for",
        ),
        ("ended", ours.expired(&[HOST]), "fail:tls-failed", "ended on 2021-01-01"),
        ("not begun", ours.not_yet(&[HOST]), "fail:tls-failed", "begins on 2090-01-01"),
    ];
    for (name, identity, verdict, words) in &bad {
        let listener = Listener::start(identity);
        let found = Road::to(listener.port, &ours).look("classics");
        fails_at(&found, "certificate", verdict, 1);
        found.expect(&[
            ("proxy", "pass"),
            ("address", "unknown:not-here"),
            ("connection", "unknown:not-here"),
        ]);
        let detail = found.step("certificate")["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{name}: {detail}");
        assert_eq!(listener.bytes(), 0, "{name}");
    }
}

#[test]
fn a_trusted_authority_that_is_not_public_passes_with_a_word_of_warning() {
    let (instance, ours) = (StandIn::with(&[]), Authority::new());
    let names = [HOST, "snow.acme.example"];
    let listener = Listener::before(&ours.issue(&names), Some(port_of(&instance)));
    let road = Road::to(listener.port, &ours);
    let found = road.look("classics");
    found.expect(&[("certificate", "warn"), ("awake", "pass"), ("oauth_token.do", "pass")]);
    let detail = found.step("certificate")["detail"].as_str().unwrap();
    assert!(detail.contains("something on the way opens the encryption"), "{detail}");
    let detail = road.look("https://snow.acme.example").step("certificate")["detail"].to_string();
    assert!(detail.contains("issued by \\\"snowtoken test authority\\\", ends in"), "{detail}");
}

#[test]
fn without_a_proxy_a_certificate_on_this_machine_is_looked_at_too() {
    let (ours, sandbox) = (Authority::new(), Sandbox::new());
    let listener = Listener::start(&self_signed(&["localhost"]));
    let ca = sandbox.file("ca.pem", ours.pem()).display().to_string();
    let environment = [("SNOWTOKEN_CA_FILE", ca.as_str())];
    let found = look(&sandbox, &format!("https://localhost:{}", listener.port), &environment);
    found.expect(&[("address", "pass"), ("connection", "pass")]);
    fails_at(&found, "certificate", "fail:tls-failed", 1);
    let found = look(
        &sandbox,
        &format!("https://localhost:{}", listener.port),
        &[("SNOWTOKEN_CA_FILE", "/nowhere")],
    );
    fails_at(&found, "certificate", "fail:trust-store-empty", 1);
}
