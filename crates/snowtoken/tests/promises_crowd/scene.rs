//! Sessions around one store and one instance.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snowtoken::browser::Browser;
use snowtoken::core::keeper::Progress;
use snowtoken::core::ledger::Facts;
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::oauth::{Request, Response};
use snowtoken::core::profile::{Assertion, Grant, Profile};
use snowtoken::core::servicenow::{Instance as Address, Lifespans};
use snowtoken::core::token_set::{Deadline, KnownBy, TokenSet};
use snowtoken::home::Home;
use snowtoken::http::{Transport, TransportError};
use snowtoken::store::{Draft, Record, RecordState};
use snowtoken::world::{Clock, EntropyError, Environment};
use snowtoken::{ProfileName, Secret, Session, World};
use url::Url;

use crate::instance::{Fault, Instance, Rules, form};
use crate::reference::Arrived;
use crate::shared_store::{Before, SharedStore};

/// How long one way to the instance takes.
const ONE_WAY: Duration = Duration::from_millis(20);

/// What all of them share.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) store: SharedStore,
    pub(crate) time: Arc<Mutex<Timestamp>>,
    instance: Arc<Mutex<Instance>>,
    /// What arrived in answer to token requests.
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

/// One machine: its folder, its clock, and who is asked before each step that it makes.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) home: std::path::PathBuf,
    pub(crate) clock_is_ahead: SignedDuration,
    /// Whether nobody passes its lock by.
    pub(crate) alone: bool,
    pub(crate) before: Before,
    pub(crate) fault: Arc<dyn Fn() -> Option<Fault> + Send + Sync>,
}

impl Machine {
    /// Nothing goes wrong, nobody is asked.
    pub(crate) fn plain(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            clock_is_ahead: SignedDuration::ZERO,
            alone: true,
            before: Arc::new(|_| Ok(())),
            fault: Arc::new(|| None),
        }
    }
}

impl Scene {
    /// A login whose access token has just ended: time for a refresh.
    pub(crate) fn new(rules: Rules, store: SharedStore) -> Self {
        let time: Timestamp = "2026-11-23T15:00:00Z".parse().unwrap();
        let instance = Arc::new(Mutex::new(Instance::new(rules)));
        let (time, arrived) = (Arc::new(Mutex::new(time)), Arc::default());
        let scene = Self { store, time, instance, arrived };
        scene.save("access-0", "refresh-0", 0);
        let binding = snowtoken::session::binding(&profile());
        scene.store.get().set_client_secret(&name(), &binding, &Secret::new("s3cret")).unwrap();
        scene
    }

    pub(crate) fn instance(&self) -> MutexGuard<'_, Instance> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What arrived since this was asked last.
    pub(crate) fn take_arrived(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.arrived.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the time of all of them.
    pub(crate) fn pass(&self, time: SignedDuration) {
        let mut now = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.checked_add(time).unwrap();
    }

    pub(crate) fn record(&self) -> Option<Record> {
        self.store.get().load(&name()).unwrap()
    }

    /// Tokens as a login stores them.
    pub(crate) fn save(&self, access: &str, refresh: &str, seconds: i64) {
        let now = self.now();
        let draft = Draft {
            binding: snowtoken::session::binding(&profile()),
            tokens: TokenSet {
                access_token: Secret::new(access),
                refresh_token: Some(Secret::new(refresh)),
                authorization_code: None,
                scope: None,
                issued_at: now,
                granted_at: now,
                access_expires_at: Deadline {
                    at: now + SignedDuration::from_secs(seconds),
                    known_by: KnownBy::Stated,
                },
                refresh_expires_at: None,
            },
            user: None,
            state: RecordState::Held,
            progress: Progress::default(),
            facts: Facts::default(),
        };
        let generation = self.store.get().generation(&name()).unwrap();
        self.store.get().save(&name(), generation, &draft, None).unwrap();
    }

    pub(crate) fn shared_instance(&self) -> Arc<Mutex<Instance>> {
        self.instance.clone()
    }

    /// A session on that machine.
    pub(crate) fn session(&self, machine: &Machine) -> Session {
        let wire = Wire { scene: self.clone(), machine: machine.clone() };
        self.session_over(machine, Arc::new(wire))
    }

    /// A session on that machine with another way to the instance.
    pub(crate) fn session_over(&self, machine: &Machine, wire: Arc<dyn Transport>) -> Session {
        let clock = HostClock { scene: self.clone(), machine: machine.clone() };
        let world = World {
            clock: Arc::new(clock),
            dice: always_seven,
            environment: Environment::default(),
            transport: wire,
            browser: Arc::new(NoBrowser),
        };
        let data = machine.home.clone();
        let home = Home { config_file: data.join("config.toml"), data };
        let store = SharedStore { before: Some(machine.before.clone()), ..self.store.clone() };
        Session::with_store(world, home, profile(), Box::new(store))
    }
}

pub(crate) fn name() -> ProfileName {
    ProfileName::parse("dev").unwrap()
}

fn profile() -> Profile {
    Profile {
        name: name(),
        instance: Address::parse("https://acme.service-now.com").unwrap(),
        client_id: ClientId::parse("0123456789abcdef0123456789abcdef").unwrap(),
        authentication: AuthenticationMethod::Post,
        grant: Grant::AuthorizationCode,
        assertion: Assertion::default(),
        redirect_uri: None,
        scope: None,
        lifespans: Lifespans::default(),
        target: "nice-knowledge-hub".to_owned(),
        region: None,
        credentials_file: true,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "dice may have nothing to throw")]
fn always_seven(buffer: &mut [u8]) -> Result<(), EntropyError> {
    buffer.fill(7);
    Ok(())
}

struct HostClock {
    scene: Scene,
    machine: Machine,
}

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        self.scene.now() + self.machine.clock_is_ahead
    }

    fn sleep(&self, duration: Duration) {
        self.scene.pass(duration.try_into().unwrap());
        (self.machine.before)("sleep").unwrap();
    }
}

struct Wire {
    scene: Scene,
    machine: Machine,
}

impl Wire {
    /// G19: a refresh token is never sent when one that came after it is durable. Only who holds
    /// the lock can promise that.
    fn look_at_what_is_sent(&self, request: &Request) {
        let stored = self.scene.record().and_then(|record| record.tokens.refresh_token);
        if let (true, Some(stored)) = (self.machine.alone, stored) {
            let sent = form(request, "refresh_token");
            let instance = self.scene.instance();
            assert!(!instance.descends(stored.expose(), &sent), "{sent} after {stored:?}");
        }
    }
}

impl Transport for Wire {
    fn open(&self, _origin: &Url) {}

    /// Three steps: it is sent, it is acted on, the answer arrives.
    fn send(&self, request: Request, _limit: Duration) -> Result<Response, TransportError> {
        (self.machine.before)("send").unwrap();
        self.scene.pass(ONE_WAY.try_into().unwrap());
        (self.machine.before)("reach").unwrap();
        self.look_at_what_is_sent(&request);
        let now = self.scene.now().as_second();
        let answer = self.scene.instance().meet(&request, now, (self.machine.fault)());
        (self.machine.before)("answer").unwrap();
        if request.uri().path() == "/oauth_token.do" {
            let arrived = Arrived::of(answer.as_ref().ok());
            self.scene.arrived.lock().unwrap_or_else(PoisonError::into_inner).push(arrived);
        }
        self.scene.pass(ONE_WAY.try_into().unwrap());
        answer
    }
}

struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _url: &Url) -> std::io::Result<()> {
        Ok(())
    }
}
