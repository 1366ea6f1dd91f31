//! A transport that answers from a script, and a clock that moves by hand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use snowtoken::World;
use snowtoken::browser::Browser;
use snowtoken::core::Timestamp;
use snowtoken::core::oauth::{Request, Response};
use snowtoken::core::secret::Body;
use snowtoken::http::{Transport, TransportError};
use snowtoken::world::{Clock, Environment, SystemClock, system_dice};
use url::Url;

use super::requests::direct;

type Reply = Box<dyn FnOnce() -> Result<Response, TransportError> + Send>;

/// A request as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) bearer: Option<String>,
    pub(crate) limit: Duration,
    pub(crate) at: Timestamp,
}

impl Sent {
    /// A parameter of the form.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// A transport that gives one answer after the other; after the last nobody can be reached.
pub(crate) struct Scripted {
    clock: Arc<ManualClock>,
    replies: Mutex<VecDeque<Reply>>,
    sent: Mutex<Vec<Sent>>,
}

impl Scripted {
    /// Adds an answer.
    pub(crate) fn answer(&self, status: u16, body: &str) {
        self.answer_with(status, &[], body);
    }

    /// Adds an answer with headers.
    pub(crate) fn answer_with(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let mut answer = http::Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        let answer = answer.body(Body::from(body.as_bytes().to_vec())).unwrap();
        self.then(move || Ok(answer));
    }

    /// Adds the lack of an answer.
    pub(crate) fn no_answer(&self, sent: bool) {
        let (host, reason) = ("test".to_owned(), "the script says so".to_owned());
        self.then(move || Err(TransportError::ConnectionLost { host, reason, sent }));
    }

    /// Adds whatever this does.
    pub(crate) fn then(
        &self,
        reply: impl FnOnce() -> Result<Response, TransportError> + Send + 'static,
    ) {
        self.replies.lock().unwrap().push_back(Box::new(reply));
    }

    /// What was sent so far.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// Where it went, in order.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.path).collect()
    }
}

impl Transport for Scripted {
    fn open(&self, _origin: &Url) {}

    fn send(&self, request: Request, limit: Duration) -> Result<Response, TransportError> {
        let header = request.headers().get("authorization");
        self.sent.lock().unwrap().push(Sent {
            path: request.uri().path().to_owned(),
            body: String::from_utf8(request.body().expose().to_vec()).unwrap(),
            bearer: header.and_then(|value| {
                value.to_str().unwrap().strip_prefix("Bearer ").map(str::to_owned)
            }),
            limit,
            at: self.clock.now(),
        });
        let reply = self.replies.lock().unwrap().pop_front();
        reply.map_or_else(
            || {
                let (place, reason) = ("test".to_owned(), "the script has ended".to_owned());
                Err(TransportError::ConnectFailed { place, reason })
            },
            |reply| reply(),
        )
    }
}

/// A clock that moves when somebody sleeps, or by hand.
pub(crate) struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub(crate) fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }
}

impl ManualClock {
    pub(crate) fn set(&self, to: Timestamp) {
        *self.0.lock().unwrap() = to;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

/// The machine's clock, moved.
pub(crate) struct ShiftedClock(pub(crate) Duration);

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().checked_add(self.0).unwrap()
    }

    fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration);
    }
}

/// A browser that is there and does nothing.
pub(crate) struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _url: &Url) -> std::io::Result<()> {
        Ok(())
    }
}

/// Surroundings with a script and a clock at three o'clock.
pub(crate) fn scripted() -> (World, Arc<Scripted>, Arc<ManualClock>) {
    let start = "2026-11-23T15:00:00Z".parse().unwrap();
    let clock = Arc::new(ManualClock(Mutex::new(start)));
    let transport = Arc::new(Scripted {
        clock: clock.clone(),
        replies: Mutex::default(),
        sent: Mutex::default(),
    });
    let world = World {
        clock: clock.clone(),
        dice: system_dice,
        environment: Environment::default(),
        transport: transport.clone(),
        browser: Arc::new(NoBrowser),
    };
    (world, transport, clock)
}

/// The machine's clock and network, no variables, and no browser.
pub(crate) fn real_world() -> World {
    World {
        clock: Arc::new(SystemClock),
        dice: system_dice,
        environment: Environment::default(),
        transport: Arc::new(direct()),
        browser: Arc::new(NoBrowser),
    }
}
