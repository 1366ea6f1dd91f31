//! The keeper of many profiles in virtual time: an instance that answers by rules, a store in
//! memory, and two clocks, the true one and the machine's.

mod clocks;
mod deadlines;
mod storms;
mod times;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use snowtoken::core::oauth::{Request, Response};
use snowtoken::core::profile::Profile;
use snowtoken::core::secret::Body;
use snowtoken::core::servicenow::Instance;
use snowtoken::core::{SignedDuration, Timestamp};
use snowtoken::home::Home;
use snowtoken::hooks::Happening;
use snowtoken::http::{Transport, TransportError};
use snowtoken::keep::{Keeping, News};
use snowtoken::store::TokenStore;
use snowtoken::world::{Clock, Environment, system_dice};
use snowtoken::{ProfileName, Secret, World};
use tempfile::TempDir;
use url::Url;

use crate::support::scripted::NoBrowser;
use crate::support::shared_store::SharedStore;

/// The bounded count, or the one of the whole proof.
fn counts(default: usize, full: usize) -> usize {
    if std::env::var("SNOWTOKEN_TEST_COUNTS").as_deref() == Ok("full") { full } else { default }
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn start() -> Timestamp {
    "2026-11-23T15:00:00Z".parse().unwrap()
}

/// The true time, and how far the machine's clock is ahead of it.
struct Clocks(Mutex<(Timestamp, SignedDuration)>);

impl Clocks {
    fn truth(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn pass(&self, time: SignedDuration) {
        let mut clocks = self.0.lock().unwrap();
        clocks.0 = clocks.0.checked_add(time).unwrap();
    }

    fn jump(&self, by: SignedDuration) {
        self.0.lock().unwrap().1 += by;
    }
}

impl Clock for Clocks {
    fn now(&self) -> Timestamp {
        let (truth, ahead) = *self.0.lock().unwrap();
        truth.saturating_add(ahead).unwrap()
    }

    fn sleep(&self, duration: Duration) {
        self.pass(SignedDuration::try_from(duration).unwrap());
    }
}

/// How an instance answers.
#[derive(Clone, Copy)]
enum Mood {
    Well,
    Down,
    /// 429 with this many seconds.
    Busy(u32),
    Refusing,
}

/// Every instance there is. The refresh token says how long the access tokens live.
struct Instances {
    clocks: Arc<Clocks>,
    moods: Mutex<BTreeMap<String, Mood>>,
    /// Every request: true time, host, refresh token.
    asked: Mutex<Vec<(Timestamp, String, String)>>,
    /// When the newest access token of each refresh token truly ends.
    ends: Mutex<BTreeMap<String, Timestamp>>,
}

impl Instances {
    fn set(&self, host: &str, mood: Mood) {
        self.moods.lock().unwrap().insert(host.to_owned(), mood);
    }

    fn asked(&self) -> Vec<(Timestamp, String, String)> {
        self.asked.lock().unwrap().clone()
    }
}

fn life(refresh_token: &str) -> i64 {
    refresh_token.rsplit('-').next().unwrap().parse().unwrap()
}

impl Transport for Instances {
    fn open(&self, _origin: &Url) {}

    fn send(&self, request: Request, _limit: Duration) -> Result<Response, TransportError> {
        let host = request.uri().host().unwrap().to_owned();
        let body = request.body().expose().to_vec();
        let form = url::form_urlencoded::parse(&body);
        let token = form.into_owned().find(|(name, _)| name == "refresh_token").unwrap().1;
        let now = self.clocks.truth();
        self.asked.lock().unwrap().push((now, host.clone(), token.clone()));
        let mood = self.moods.lock().unwrap().get(&host).copied().unwrap_or(Mood::Well);
        let answer = |status: u16, body: String| {
            let builder = http::Response::builder().status(status);
            builder
                .header("content-type", "application/json")
                .header(
                    "retry-after",
                    if let Mood::Busy(s) = mood { s.to_string() } else { String::new() },
                )
                .body(Body::from(body.into_bytes()))
                .unwrap()
        };
        match mood {
            Mood::Well => {
                let life = life(&token);
                let end = now.checked_add(seconds(life)).unwrap();
                let mut ends = self.ends.lock().unwrap();
                let count = self.asked.lock().unwrap().len();
                ends.insert(token, end);
                Ok(answer(
                    200,
                    format!(
                        r#"{{"access_token":"at-{count}","token_type":"Bearer","expires_in":{life}}}"#
                    ),
                ))
            }
            Mood::Busy(_) => Ok(answer(429, "{}".into())),
            Mood::Refusing => Ok(answer(401, crate::session::REFUSAL.into())),
            Mood::Down => {
                let (place, reason) = (host, "it is down".to_owned());
                Err(TransportError::ConnectFailed { place, reason })
            }
        }
    }
}

/// A person with many profiles.
struct Fleet {
    clocks: Arc<Clocks>,
    instances: Arc<Instances>,
    store: SharedStore,
    home: Home,
    world: World,
    keeping: Keeping,
    news: Arc<Mutex<Vec<String>>>,
    happened: Arc<Mutex<Vec<Happening>>>,
    /// The most jobs that were under way at once.
    most: usize,
    _folder: TempDir,
}

impl Fleet {
    /// Profiles by host and by the life of their access tokens, just logged in.
    fn new(profiles: &[(&str, i64)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home {
            config_file: folder.path().join("config.toml"),
            data: folder.path().join("store"),
        };
        let clocks = Arc::new(Clocks(Mutex::new((start(), SignedDuration::ZERO))));
        let instances = Arc::new(Instances {
            clocks: clocks.clone(),
            moods: Mutex::default(),
            asked: Mutex::default(),
            ends: Mutex::default(),
        });
        let world = World {
            clock: clocks.clone(),
            dice: system_dice,
            environment: Environment::default(),
            transport: instances.clone(),
            browser: Arc::new(NoBrowser),
        };
        let store = SharedStore::default();
        let (news, happened) = <(Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<Happening>>>)>::default();
        let keeping = keeper(&world, &home, &store, &news, &happened);
        let mut fleet = Self {
            clocks,
            instances,
            store,
            home,
            world,
            keeping,
            news,
            happened,
            most: 0,
            _folder: folder,
        };
        let mut config = "version = 1\n".to_owned();
        for (index, (host, life)) in profiles.iter().enumerate() {
            let _ = write!(
                config,
                "[profile.p{index}]\ninstance = \"{host}\"\nclient_id = \"0123456789abcdef0123456789abcdef\"\n"
            );
            fleet.log_in(index, host, *life, seconds(100 * 86_400));
        }
        fs::write(&fleet.home.config_file, config).unwrap();
        fleet
    }

    fn log_in(&mut self, index: usize, host: &str, life: i64, refresh_life: SignedDuration) {
        let profile = profile(index, host);
        let now = self.clocks.now();
        let mut draft = crate::session::draft(&profile, "", now);
        let token = format!("rt-{index}-{life}");
        draft.tokens.refresh_token = Some(Secret::new(token.clone()));
        draft.tokens.access_expires_at.at = now.checked_add(seconds(life)).unwrap();
        draft.tokens.refresh_expires_at.as_mut().unwrap().at =
            now.checked_add(refresh_life).unwrap();
        let expected = self.store.generation(&profile.name).unwrap();
        self.store.save(&profile.name, expected, &draft, None).unwrap();
        let binding = snowtoken::session::binding(&profile);
        self.store.set_client_secret(&profile.name, &binding, &Secret::new("s3cret")).unwrap();
        let end = self.clocks.truth().checked_add(seconds(life)).unwrap();
        self.instances.ends.lock().unwrap().insert(token, end);
    }

    /// The process ends and another one starts.
    fn restart(&mut self) {
        self.keeping = keeper(&self.world, &self.home, &self.store, &self.news, &self.happened);
    }

    /// One turn of the loop, at this moment. All jobs that may run at once do.
    fn turn(&mut self) {
        let now = self.clocks.now();
        self.keeping.look(now);
        loop {
            let now = self.clocks.now();
            let jobs: Vec<_> = std::iter::from_fn(|| self.keeping.next_job(now)).collect();
            self.most = self.most.max(jobs.len());
            if jobs.is_empty() {
                return;
            }
            for job in jobs {
                let done = job.run();
                self.keeping.settle(self.clocks.now(), &done);
            }
        }
    }

    /// Lets the keeper run for so long, by the true time.
    fn run(&mut self, time: SignedDuration) {
        let end = self.clocks.truth().checked_add(time).unwrap();
        while self.clocks.truth() < end {
            self.turn();
            let now = self.clocks.now();
            let wait = self.keeping.wake_at(now).duration_since(now);
            let left = end.duration_since(self.clocks.truth());
            self.clocks.pass(
                wait.clamp(SignedDuration::from_millis(1), seconds(5))
                    .min(left.max(SignedDuration::from_millis(1))),
            );
        }
        self.turn();
    }

    /// What truly is left of a profile's newest access token.
    fn left(&self, index: usize, life: i64) -> SignedDuration {
        let ends = self.instances.ends.lock().unwrap();
        ends[&format!("rt-{index}-{life}")].duration_since(self.clocks.truth())
    }

    fn count(&self, index: usize) -> usize {
        let start = format!("rt-{index}-");
        self.instances.asked().iter().filter(|(_, _, token)| token.starts_with(&start)).count()
    }

    fn news(&self, word: &str) -> Vec<String> {
        let news = self.news.lock().unwrap();
        news.iter().filter(|line| line.contains(word)).cloned().collect()
    }
}

fn keeper(
    world: &World,
    home: &Home,
    store: &SharedStore,
    news: &Arc<Mutex<Vec<String>>>,
    happened: &Arc<Mutex<Vec<Happening>>>,
) -> Keeping {
    let store = store.clone();
    let open = Box::new(move || Ok(Some(Box::new(store.clone()) as Box<dyn TokenStore>)));
    let news = news.clone();
    let tell = Box::new(move |told: News<'_>| {
        if !matches!(told, News::Configured(_)) {
            news.lock().unwrap().push(format!("{told:?}"));
        }
    });
    let happened = happened.clone();
    let observer = Arc::new(move |happening| happened.lock().unwrap().push(happening));
    Keeping::new(world.clone(), home.clone(), open, tell, Some(observer))
}

fn profile(index: usize, host: &str) -> Profile {
    Profile {
        name: ProfileName::parse(&format!("p{index}")).unwrap(),
        instance: Instance::parse(host).unwrap(),
        ..crate::session::profile("classics")
    }
}

#[test]
fn what_others_refreshed_is_not_refreshed_again() {
    let mut fleet = Fleet::new(&[("a", 1_800)]);
    fleet.run(seconds(1_000));
    // Another process: the same profile, new tokens that live from now.
    fleet.log_in(0, "a", 1_800, seconds(86_400 * 100));
    fleet.run(seconds(1_700));
    assert_eq!(fleet.count(0), 0, "{:?}", fleet.news.lock().unwrap());
    assert_eq!(fleet.news("Noticed").len(), 1);
    fleet.run(seconds(60));
    assert_eq!(fleet.count(0), 1);
}

#[test]
fn a_plan_that_came_too_late_sends_nothing() {
    let mut fleet = Fleet::new(&[("a", 1_800)]);
    fleet.turn();
    fleet.clocks.pass(seconds(1_790));
    let job = fleet.keeping.next_job(fleet.clocks.now()).unwrap();
    // Between the plan and the lock somebody else was faster.
    fleet.log_in(0, "a", 1_800, seconds(86_400 * 100));
    let done = job.run();
    fleet.keeping.settle(fleet.clocks.now(), &done);
    assert_eq!(fleet.count(0), 0);
    fleet.run(seconds(1_700));
    assert_eq!(fleet.count(0), 0);
}

#[test]
fn a_dead_refresh_token_is_asked_for_twice_and_never_again() {
    let mut fleet = Fleet::new(&[("a", 60), ("b", 60)]);
    fleet.instances.set("a.service-now.com", Mood::Refusing);
    fleet.run(seconds(86_400));
    assert_eq!(fleet.count(0), 2, "one refusal, one serial retry");
    assert!(fleet.count(1) > 1_000, "the other goes on");
    assert_eq!(fleet.news("LoginNeeded").len(), 1);
    let rejected = fleet
        .happened
        .lock()
        .unwrap()
        .iter()
        .filter(|h| h.occasion().as_str() == "rejected")
        .count();
    assert_eq!(rejected, 1);
    assert_eq!(fleet.keeping.tally().login_needed, 1);
    // A new login is picked up.
    fleet.instances.set("a.service-now.com", Mood::Well);
    fleet.log_in(0, "a", 60, seconds(86_400 * 100));
    fleet.run(seconds(120));
    assert!(fleet.count(0) > 2 && fleet.keeping.tally().login_needed == 0);
}

#[test]
fn a_profile_that_is_taken_out_is_left_alone_and_may_come_back() {
    let mut fleet = Fleet::new(&[("a", 60), ("b", 60)]);
    fleet.run(seconds(100));
    let text = fs::read_to_string(&fleet.home.config_file).unwrap();
    let (without, _) = text.split_once("[profile.p1]").unwrap();
    fs::write(&fleet.home.config_file, without).unwrap();
    fleet.run(seconds(6));
    let before = (fleet.count(0), fleet.count(1));
    fleet.run(seconds(600));
    assert_eq!(fleet.count(1), before.1);
    assert!(fleet.count(0) > before.0);
    assert_eq!(fleet.news("Gone"), [r#"Gone(ProfileName("p1"))"#]);
    fs::write(&fleet.home.config_file, text).unwrap();
    fleet.run(seconds(60));
    assert!(fleet.count(1) > before.1);
}
