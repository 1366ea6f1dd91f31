//! Logins against the stand-in, with hands that press, paste and visit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use snowtoken::core::oauth::client::{AuthenticationMethod, Client, ClientId};
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::{Assertion, Grant, Profile};
use snowtoken::core::servicenow::{Instance, Lifespans};
use snowtoken::login::{LoggedIn, Login, Paste, Watcher};
use snowtoken::signing::SigningKey;
use snowtoken::{Error, ProfileName, Secret, World};
use snowtoken_stand_in::{Decision, Options, Person, RecordedRequest, Running, Server};
use url::Url;

use super::ports::free_port;
use super::requests::AMPLE;
use super::scripted::real_world;

/// A stand-in and a profile for it.
pub(crate) struct Setting {
    pub(crate) server: Running,
    pub(crate) profile: Profile,
    pub(crate) client: Client,
    pub(crate) signing_key: Option<Arc<SigningKey>>,
    pub(crate) world: World,
    pub(crate) wait: Duration,
    pub(crate) open_browser: bool,
    pub(crate) accept_bare_code: bool,
    pub(crate) verify: bool,
    /// What the watcher saw.
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
    /// Done each time the watcher is told that the wait goes on.
    pub(crate) on_wait: Box<dyn Fn() + Send + Sync>,
}

impl Setting {
    /// A login whose redirect URI is this.
    pub(crate) fn at(redirect_uri: &str) -> Self {
        // Another seed each time: what one stand-in makes up is nothing to another.
        static SEED: AtomicU64 = AtomicU64::new(7);
        let seed = Some(SEED.fetch_add(1, Ordering::SeqCst));
        let server = Server::start(Options { seed, ..Options::default() }).unwrap();
        let registered = server.with_instance(|instance| {
            let mut client = instance.clients().remove(0);
            client.redirect_urls.push(redirect_uri.to_owned());
            instance.put_client(client)
        });
        let client = Client {
            id: ClientId::parse(&registered.client_id).unwrap(),
            authentication: AuthenticationMethod::Post
                .with(Some(Secret::new(registered.client_secret))),
        };
        let profile = Profile {
            name: ProfileName::parse("dev").unwrap(),
            instance: Instance::parse(server.base_url()).unwrap(),
            client_id: client.id.clone(),
            authentication: AuthenticationMethod::Post,
            grant: Grant::AuthorizationCode,
            assertion: Assertion::default(),
            redirect_uri: Some(RedirectUri::parse(redirect_uri).unwrap()),
            scope: None,
            lifespans: Lifespans::default(),
            target: "nice-knowledge-hub".to_owned(),
            region: None,
            credentials_file: true,
        };
        Self {
            server,
            profile,
            client,
            signing_key: None,
            world: real_world(),
            wait: AMPLE,
            open_browser: false,
            accept_bare_code: false,
            verify: true,
            seen: Arc::default(),
            on_wait: Box::new(|| {}),
        }
    }

    /// One with a listener on a free port.
    pub(crate) fn listening() -> Self {
        Self::at(&format!("http://127.0.0.1:{}/callback", free_port()))
    }

    /// One whose redirects go to a console on the web, so that they must be pasted.
    pub(crate) fn pasting() -> Self {
        Self::at(snowtoken_stand_in::APPFLOW_REDIRECT_URL)
    }

    /// The listener's port.
    pub(crate) fn port(&self) -> u16 {
        self.profile.redirect_uri.as_ref().unwrap().url().port().unwrap()
    }

    /// Turns a knob of the stand-in.
    pub(crate) fn knob(self, name: &str, value: &str) -> Self {
        self.server.with_instance(|instance| instance.set(name, value)).unwrap();
        self
    }

    /// Runs the login on another thread, and `act` as soon as the URL is shown.
    pub(crate) fn run(&self, act: impl FnOnce(&Hands)) -> Result<LoggedIn, Error> {
        let (pastes, input) = channel();
        let (urls, shown) = channel();
        std::thread::scope(|scope| {
            let login = scope.spawn(move || self.log_in(input, urls));
            if let Ok(url) = shown.recv_timeout(AMPLE) {
                act(&Hands { url, pastes });
            }
            login.join().unwrap()
        })
    }

    /// Runs the login on this thread.
    pub(crate) fn log_in(
        &self,
        pasted: Receiver<Paste>,
        urls: Sender<String>,
    ) -> Result<LoggedIn, Error> {
        let login = Login {
            profile: &self.profile,
            client: &self.client,
            signing_key: self.signing_key.as_ref(),
            wait: self.wait,
            open_browser: self.open_browser,
            accept_bare_code: self.accept_bare_code,
            verify: self.verify,
        };
        let desk = Desk { urls, setting: self };
        login.run(&self.world, pasted, &desk)
    }

    /// The requests that reached the token endpoint.
    pub(crate) fn token_requests(&self) -> Vec<RecordedRequest> {
        let mut requests = self.server.requests();
        requests.retain(|request| request.path() == "/oauth_token.do");
        requests
    }

    /// Whether anything listens at the redirect URI.
    pub(crate) fn is_listening(&self) -> bool {
        std::net::TcpStream::connect(("127.0.0.1", self.port())).is_ok()
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// What a person can do during a login.
pub(crate) struct Hands {
    pub(crate) url: String,
    pub(crate) pastes: Sender<Paste>,
}

impl Hands {
    /// Signs in and presses Allow; returns where the browser is sent.
    pub(crate) fn allow(&self) -> String {
        Person::default().decide(&self.url, Decision::Allow).unwrap()
    }

    /// Signs in and presses Deny.
    pub(crate) fn deny(&self) -> String {
        Person::default().decide(&self.url, Decision::Deny).unwrap()
    }

    pub(crate) fn paste(&self, text: &str) {
        // The login may have ended already.
        drop(self.pastes.send(Paste::Text(Secret::new(text))));
    }

    /// A parameter of the authorization URL.
    pub(crate) fn parameter(&self, name: &str) -> String {
        parameter(&self.url, name)
    }
}

/// A query parameter of a URL.
pub(crate) fn parameter(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

struct Desk<'a> {
    urls: Sender<String>,
    setting: &'a Setting,
}

impl Desk<'_> {
    fn note(&self, what: &str) {
        self.setting.seen.lock().unwrap().push(what.to_owned());
    }
}

impl Watcher for Desk<'_> {
    fn authorization_url(&self, url: &Url) {
        self.note("url");
        self.urls.send(url.to_string()).unwrap();
    }

    fn browser_failed(&self, _reason: &std::io::Error) {
        self.note("browser failed");
    }

    fn waiting(&self, _left: Duration) {
        (self.setting.on_wait)();
    }

    fn exchanging(&self) {
        self.note("exchanging");
    }
}
