//! What the tests ask of an instance, whoever wrote it, and the way a person goes through login.

use std::sync::atomic::{AtomicU16, Ordering};

use url::Url;

use super::process::{Outcome, Running};
use super::sandbox::Sandbox;

/// What a person does on the consent page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    Allow,
    Deny,
}

/// A request that an instance received, as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// What it was answered.
    pub(crate) status: u16,
}

impl Received {
    /// Whether it went to this path.
    pub(crate) fn is_to(&self, path: &str) -> bool {
        self.target.split('?').next() == Some(path)
    }

    /// Its form fields in the order in which they were sent.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    /// The one value of a form field.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let form = self.form();
        let mut values = form.into_iter().filter(|(n, _)| n == name).map(|(_, value)| value);
        let first = values.next();
        assert!(values.next().is_none(), "{name} was sent twice: {}", self.body);
        first
    }

    /// Whether it has a header of that name.
    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }
}

/// Somebody who plays ServiceNow.
pub(crate) trait Instance {
    /// Scheme, host and port.
    fn origin(&self) -> String;
    fn client_id(&self) -> String;
    fn client_secret(&self) -> String;
    /// The redirect URI registered for the client.
    fn redirect_uri(&self) -> String;
    /// Opens the authorization URL, signs in, answers; returns where the browser is sent.
    fn consent(&self, authorization_url: &str, consent: Consent) -> String;
    /// Everything it was asked by now.
    fn received(&self) -> Vec<Received>;

    /// The requests to the token endpoint by now.
    fn token_requests(&self) -> Vec<Received> {
        let mut all = self.received();
        all.retain(|request| request.is_to("/oauth_token.do"));
        all
    }

    /// The requests to the API by now.
    fn api_requests(&self) -> Vec<Received> {
        let mut all = self.received();
        all.retain(|request| request.target.starts_with("/api/now/"));
        all
    }

    /// Whether it takes the token.
    fn is_alive(&self, token: &str) -> bool {
        super::http::is_alive(&self.origin(), token)
    }
}

/// The name every test gives its profile.
pub(crate) const PROFILE: &str = "p";

/// The arguments of a first login (contract §7.2), as the person types them.
pub(crate) fn first_login(sandbox: &Sandbox, instance: &dyn Instance) -> Vec<String> {
    let secret = sandbox.file("client-secret", format!("{}\n", instance.client_secret()));
    let mut arguments = words(&["login", PROFILE, "--instance"]);
    arguments.push(instance.origin());
    arguments.extend(words(&["--client-id"]));
    arguments.push(instance.client_id());
    arguments.extend(words(&["--client-secret-file"]));
    arguments.push(secret.display().to_string());
    arguments.extend(words(&["--target", "nice-knowledge-hub", "--no-browser"]));
    let redirect_uri = instance.redirect_uri();
    match region_of(&redirect_uri) {
        Some(region) => arguments.extend([words(&["--region"]), vec![region]].concat()),
        None => arguments.extend([words(&["--redirect-uri"]), vec![redirect_uri]].concat()),
    }
    arguments
}

/// Words as arguments.
pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The redirect URI of the vendor's console in a region.
pub(crate) fn console_uri(region: &str) -> String {
    format!("https://{region}.console.aws.amazon.com/appflow/oauth")
}

/// A redirect URI on the loopback interface, with a port that was free a moment ago.
pub(crate) fn free_redirect_uri() -> String {
    // Below the ports that a system hands out by itself: one of those is soon somebody else's.
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = 10_000 + u16::try_from(std::process::id() % 100).unwrap() * 100;
    let port = (0..100)
        .map(|_| begin + NEXT.fetch_add(1, Ordering::Relaxed) % 100)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap();
    format!("http://127.0.0.1:{port}/callback")
}

fn region_of(redirect_uri: &str) -> Option<String> {
    let host = redirect_uri.strip_prefix("https://")?;
    host.strip_suffix(".console.aws.amazon.com/appflow/oauth").map(str::to_owned)
}

/// Goes through a login that was started: consent, then the paste of where the browser ended.
pub(crate) fn paste(mut running: Running, instance: &dyn Instance) -> Outcome {
    let url = running.authorization_url();
    let redirected = instance.consent(&url, Consent::Allow);
    running.write(format!("{redirected}\n"));
    running.finish()
}

/// A first login by paste, with more arguments.
pub(crate) fn log_in_with(sandbox: &Sandbox, instance: &dyn Instance, more: &[&str]) -> Outcome {
    let arguments = [first_login(sandbox, instance), words(more)].concat();
    paste(sandbox.start(&arguments), instance)
}

/// A first login by paste that succeeds, without a credentials file.
#[track_caller]
pub(crate) fn log_in(sandbox: &Sandbox, instance: &dyn Instance) -> Outcome {
    log_in_with(sandbox, instance, &["--no-output"]).ok()
}

/// The value of one parameter of a URL's query.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// The URL with one parameter of its query changed.
pub(crate) fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let mut url = Url::parse(url).unwrap();
    let kept: Vec<_> = url.query_pairs().into_owned().filter(|(n, _)| n != name).collect();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair(name, value);
    url.into()
}
