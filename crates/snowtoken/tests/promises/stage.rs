//! A session, an instance, a road between them and a clock, none of which moves by itself.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use snowtoken::core::keeper::Progress;
use snowtoken::core::ledger::Facts;
use snowtoken::core::oauth::authorization::{AuthorizationRequest, Entropy};
use snowtoken::core::oauth::client::{
    AuthenticationMethod, Client, ClientAuthentication, ClientId,
};
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::oauth::{Request, Response};
use snowtoken::core::profile::{Assertion, Grant, Profile};
use snowtoken::core::secret::Body;
use snowtoken::core::servicenow::{self, Lifespans};
use snowtoken::core::token_set::{Deadline, Generation, KnownBy, TokenSet};
use snowtoken::core::{SignedDuration, Timestamp};
use snowtoken::home::Home;
use snowtoken::http::{Transport, TransportError};
use snowtoken::store::key::{KeySource, Keys};
use snowtoken::store::sqlite::{Options, SqliteStore};
use snowtoken::store::{Draft, Record, RecordState, TokenStore};
use snowtoken::world::{Clock, Environment, system_dice};
use snowtoken::{ProfileName, Secret, Session, World};
use snowtoken_stand_in::{Behaviour, Instance, TokenView};
use tempfile::TempDir;
use url::Url;

use crate::support::browser;
use crate::support::scripted::NoBrowser;
use crate::support::shared_store::SharedStore;

pub(crate) const MINUTE: Duration = Duration::from_mins(1);

pub(crate) fn start() -> Timestamp {
    "2026-11-23T15:00:00Z".parse().unwrap()
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A small generator: what a test does is the same each time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most.max(1)
    }
}

/// What happens to a clock when it is read for the n-th time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Jump {
    /// Somebody sets it; the truth stays.
    Set(SignedDuration),
    /// The machine sleeps: the truth moves on with it.
    Suspend(SignedDuration),
}

/// The clock of our machine beside the truth, which is the instance's clock.
pub(crate) struct StageClock(Mutex<Hands>);

struct Hands {
    truth: Timestamp,
    ahead: SignedDuration,
    reads: u64,
    jump: Option<(u64, Jump)>,
    longest_sleep: Duration,
}

impl StageClock {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Hands {
            truth: now,
            ahead: SignedDuration::ZERO,
            reads: 0,
            jump: None,
            longest_sleep: Duration::ZERO,
        }))
    }

    pub(crate) fn truth(&self) -> Timestamp {
        lock(&self.0).truth
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut hands = lock(&self.0);
        hands.truth = hands.truth.checked_add(by).unwrap();
    }

    /// How far our machine's clock is ahead of the truth.
    pub(crate) fn set_ahead(&self, ahead: SignedDuration) {
        lock(&self.0).ahead = ahead;
    }

    /// At the n-th reading from now, counted from 1, this happens.
    pub(crate) fn jump_at(&self, reading: u64, jump: Jump) {
        let mut hands = lock(&self.0);
        hands.reads = 0;
        hands.jump = Some((reading, jump));
    }

    /// The instance's clock is set; ours stays.
    pub(crate) fn turn(&self, by: SignedDuration) {
        let mut hands = lock(&self.0);
        hands.truth += by;
        hands.ahead -= by;
    }

    /// The longest sleep so far.
    pub(crate) fn longest_sleep(&self) -> Duration {
        lock(&self.0).longest_sleep
    }
}

impl Clock for StageClock {
    fn now(&self) -> Timestamp {
        let mut hands = lock(&self.0);
        hands.reads += 1;
        let reads = hands.reads;
        if let Some((_, jump)) = hands.jump.take_if(|(at, _)| *at == reads) {
            match jump {
                Jump::Set(by) => hands.ahead += by,
                Jump::Suspend(by) => hands.truth += by,
            }
        }
        hands.truth + hands.ahead
    }

    fn sleep(&self, duration: Duration) {
        let mut hands = lock(&self.0);
        hands.longest_sleep = hands.longest_sleep.max(duration);
        hands.truth = hands.truth.checked_add(duration).unwrap();
    }
}

/// A request for tokens as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// By the true clock.
    pub(crate) at: Timestamp,
    pub(crate) refresh_token: String,
    pub(crate) limit: Duration,
}

impl Sent {
    pub(crate) fn of(request: &Request, at: Timestamp, limit: Duration) -> Self {
        let mut form = url::form_urlencoded::parse(request.body().expose());
        let token = form.find(|(name, _)| name == "refresh_token");
        let refresh_token = token.map(|(_, value)| value.into_owned()).unwrap_or_default();
        Self { at, refresh_token, limit }
    }
}

/// What becomes of a request on a road without bytes.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// It arrives and so does the answer, after this long.
    Carried(Duration),
    /// Nobody can be reached.
    NotSent,
    /// The instance acts, the answer is lost, and nobody notices before the limit.
    AnswerLost,
    /// Somebody else answers.
    Answered(u16, &'static [(&'static str, &'static str)], &'static str),
}

type Decide = Box<dyn FnMut(Timestamp) -> Fate + Send>;

/// A road in memory.
pub(crate) struct Road {
    instance: Arc<Mutex<Instance>>,
    clock: Arc<StageClock>,
    decide: Mutex<Decide>,
    sent: Mutex<Vec<Sent>>,
}

impl Road {
    /// What becomes of requests for tokens from now on.
    pub(crate) fn set(&self, decide: impl FnMut(Timestamp) -> Fate + Send + 'static) {
        *lock(&self.decide) = Box::new(decide);
    }

    /// Every request for tokens so far.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        lock(&self.sent).clone()
    }

    fn ask(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let request = http::Request::from_parts(parts, body.expose().to_vec());
        let answer = lock(&self.instance).handle(self.clock.truth(), request);
        let (parts, body) = answer.into_parts();
        http::Response::from_parts(parts, Body::from(body))
    }
}

impl Transport for Road {
    fn open(&self, _origin: &Url) {}

    fn send(&self, request: Request, limit: Duration) -> Result<Response, TransportError> {
        let now = self.clock.truth();
        if request.uri().path() != "/oauth_token.do" {
            return Ok(self.ask(request));
        }
        lock(&self.sent).push(Sent::of(&request, now, limit));
        let fate = (lock(&self.decide))(now);
        match fate {
            Fate::Carried(round_trip) => {
                let answer = self.ask(request);
                self.clock.advance(round_trip);
                Ok(answer)
            }
            Fate::NotSent => {
                let (place, reason) = ("test".to_owned(), "nobody is there".to_owned());
                Err(TransportError::ConnectFailed { place, reason })
            }
            Fate::AnswerLost => {
                drop(self.ask(request));
                self.clock.advance(limit);
                Err(TransportError::TimedOut { host: "test".to_owned(), limit, sent: true })
            }
            Fate::Answered(status, headers, body) => {
                let mut answer = http::Response::builder().status(status);
                for (name, value) in headers {
                    answer = answer.header(*name, *value);
                }
                Ok(answer.body(Body::from(body.as_bytes().to_vec())).unwrap())
            }
        }
    }
}

/// Everything that a session needs, and what it left.
pub(crate) struct Stage {
    pub(crate) instance: Arc<Mutex<Instance>>,
    pub(crate) clock: Arc<StageClock>,
    pub(crate) store: SharedStore,
    pub(crate) profile: Profile,
    pub(crate) world: World,
    folder: TempDir,
}

impl Stage {
    /// A person has logged in at an instance with these knobs; requests go over a road in memory.
    pub(crate) fn new(knobs: &[&str]) -> (Self, Arc<Road>) {
        Self::at(start(), knobs)
    }

    /// The same, at this moment.
    pub(crate) fn at(now: Timestamp, knobs: &[&str]) -> (Self, Arc<Road>) {
        let clock = Arc::new(StageClock::new(now));
        let (instance, client, tokens) = log_in_at(now, knobs);
        let instance = Arc::new(Mutex::new(instance));
        let road = Arc::new(Road {
            instance: instance.clone(),
            clock: clock.clone(),
            decide: Mutex::new(Box::new(|_| Fate::Carried(Duration::from_millis(200)))),
            sent: Mutex::default(),
        });
        let login = (instance, client, tokens);
        (Self::with(login, "https://classics.service-now.com", clock, road.clone()), road)
    }

    /// The same over any transport, to an instance at this address.
    pub(crate) fn with(
        (instance, client, tokens): (Arc<Mutex<Instance>>, Client, TokenSet),
        address: &str,
        clock: Arc<StageClock>,
        transport: Arc<dyn Transport>,
    ) -> Self {
        let profile = profile(address, &client);
        let mut store = SharedStore::default();
        fill(&mut store, &profile, &client, tokens);
        let world = world(clock.clone(), transport);
        let folder = tempfile::tempdir().unwrap();
        Self { instance, clock, store, profile, world, folder }
    }

    /// A session of its own over the same store, as another process has it.
    pub(crate) fn session(&self) -> Session {
        let store = Box::new(self.store.clone());
        Session::with_store(self.world.clone(), self.home(), self.profile.clone(), store)
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The same profile in a database on disk, as it stands in memory now.
    pub(crate) fn on_disk(&self) -> SqliteStore {
        let mut store = open_store(self.folder.path());
        let (name, binding) = (&self.profile.name, snowtoken::session::binding(&self.profile));
        if store.load(name).unwrap().is_none() {
            let secret = self.store.client_secret(name, &binding).unwrap().unwrap();
            store.set_client_secret(name, &binding, &secret).unwrap();
            store.save(name, Generation::NONE, &self.record().into(), None).unwrap();
        }
        store
    }

    /// A session over the database.
    pub(crate) fn disk_session(&self) -> Session {
        let store = Box::new(self.on_disk());
        Session::with_store(self.world.clone(), self.home(), self.profile.clone(), store)
    }

    pub(crate) fn home(&self) -> Home {
        home_in(self.folder.path())
    }

    pub(crate) fn record(&self) -> Record {
        self.store.get().load(&self.profile.name).unwrap().unwrap()
    }

    pub(crate) fn stored_refresh_token(&self) -> String {
        self.record().tokens.refresh_token.unwrap().expose().to_owned()
    }

    /// What the instance knows of the pair.
    pub(crate) fn view(&self) -> TokenView {
        lock(&self.instance).tokens(self.clock.truth()).remove(0)
    }

    /// The refresh token is neither given up nor replaced by a dead one.
    #[track_caller]
    pub(crate) fn assert_alive(&self, what: &str) {
        assert_eq!(self.record().state, RecordState::Held, "{what}");
        let view = self.view();
        let stored = self.stored_refresh_token();
        assert_eq!(view.refresh_token.as_deref(), Some(&*stored), "{what}: another one lives");
        assert!(view.refresh_token_works, "{what}: it does not work");
    }

    /// Whether the instance accepts this access token now.
    pub(crate) fn accepts(&self, token: &Secret) -> bool {
        let request = servicenow::read_current_user(&self.profile.instance, token);
        let (parts, _) = request.into_parts();
        let request = http::Request::from_parts(parts, Vec::new());
        let answer = lock(&self.instance).handle(self.clock.truth(), request);
        answer.status() == 200
    }
}

pub(crate) fn world(clock: Arc<StageClock>, transport: Arc<dyn Transport>) -> World {
    World {
        clock,
        dice: system_dice,
        environment: Environment::default(),
        transport,
        browser: Arc::new(NoBrowser),
    }
}

pub(crate) fn home_in(folder: &Path) -> Home {
    let data = folder.join("home");
    Home { config_file: data.join("config.toml"), data }
}

/// The database in a stage's folder.
pub(crate) fn open_store(folder: &Path) -> SqliteStore {
    let keys = Keys::from(KeySource::File(folder.join("key")));
    SqliteStore::open_or_create(&Options::new(home_in(folder).database()), &keys).unwrap()
}

/// An instance with these knobs, its client, and the tokens a person has just consented to.
pub(crate) fn log_in(knobs: &[&str]) -> (Instance, Client, TokenSet) {
    log_in_at(start(), knobs)
}

fn log_in_at(now: Timestamp, knobs: &[&str]) -> (Instance, Client, TokenSet) {
    let mut behaviour = Behaviour::default();
    for knob in knobs {
        behaviour.assign(knob).unwrap();
    }
    let mut instance = Instance::new(behaviour, 7);
    let known = instance.clients().remove(0);
    let client = Client {
        id: ClientId::parse(&known.client_id).unwrap(),
        authentication: ClientAuthentication::Post(Secret::new(known.client_secret)),
    };
    let request = AuthorizationRequest {
        endpoints: servicenow::Instance::parse("classics").unwrap().endpoints(),
        client_id: client.id.clone(),
        redirect_uri: RedirectUri::parse(&known.redirect_urls[0]).unwrap(),
        scope: None,
    };
    let (url, expect) = request.begin(&Entropy::from_bytes([5; 64]));
    let redirect = browser::consent(&mut instance, now, &url, "authorize").unwrap();
    let code = expect.examine(&redirect).unwrap();
    let (request, expect) = expect.redeem(code, &client);
    let (parts, body) = request.into_parts();
    let request = http::Request::from_parts(parts, body.expose().to_vec());
    let (parts, body) = instance.handle(now, request).into_parts();
    let response = expect.receive(http::Response::from_parts(parts, Body::from(body))).unwrap();
    let access_end = response.access_expires_at(now, 1_800);
    let refresh_end = now + SignedDuration::from_hours(24 * 100);
    let tokens = TokenSet {
        access_token: response.access_token,
        refresh_token: response.refresh_token,
        authorization_code: None,
        scope: response.scope,
        issued_at: now,
        granted_at: now,
        access_expires_at: Deadline { at: access_end, known_by: KnownBy::Stated },
        refresh_expires_at: Some(Deadline { at: refresh_end, known_by: KnownBy::Derived }),
    };
    (instance, client, tokens)
}

pub(crate) fn profile(address: &str, client: &Client) -> Profile {
    Profile {
        name: ProfileName::parse("dev").unwrap(),
        instance: servicenow::Instance::parse(address).unwrap(),
        client_id: client.id.clone(),
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

/// Puts a login into a store.
pub(crate) fn fill(
    store: &mut dyn TokenStore,
    profile: &Profile,
    client: &Client,
    tokens: TokenSet,
) {
    let binding = snowtoken::session::binding(profile);
    let ClientAuthentication::Post(secret) = &client.authentication else { return };
    store.set_client_secret(&profile.name, &binding, secret).unwrap();
    let draft = Draft {
        binding,
        tokens,
        user: None,
        state: RecordState::Held,
        progress: Progress::default(),
        facts: Facts::default(),
    };
    store.save(&profile.name, Generation::NONE, &draft, None).unwrap();
}
