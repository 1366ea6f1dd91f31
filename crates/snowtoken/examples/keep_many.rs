//! Measures a keeper of many profiles in virtual time: an SQLite store, an instance that answers at
//! once, access tokens that live for half an hour, everybody due at another moment.
//!
//! `cargo run --release -p snowtoken --example keep_many -- FOLDER PROFILES`
//!
//! It prints one JSON object: refreshes, seconds of CPU for them, and resident memory in bytes before
//! the profiles were read, after, and at the end.
#![expect(clippy::print_stdout, reason = "it is a program that tells what it measured")]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use snowtoken::browser::Browser;
use snowtoken::core::keeper::Progress;
use snowtoken::core::ledger::Facts;
use snowtoken::core::oauth::{Request, Response};
use snowtoken::core::secret::Body;
use snowtoken::core::token_set::{Deadline, Generation, KnownBy, TokenSet};
use snowtoken::core::{SignedDuration, Timestamp};
use snowtoken::home::Home;
use snowtoken::http::{Transport, TransportError};
use snowtoken::keep::{Keeping, LOOK};
use snowtoken::store::key::{KeySource, Keys};
use snowtoken::store::sqlite::{Options, SqliteStore};
use snowtoken::store::{Binding, Draft, RecordState, TokenStore};
use snowtoken::world::{Clock, Environment, system_dice};
use snowtoken::{ProfileName, Secret, World};
use url::Url;

const LIFE: i64 = 1_800;
const INSTANCES: usize = 100;
const CLIENT: &str = "0123456789abcdef0123456789abcdef";

/// Enough refreshes for a figure that means something, however few profiles.
const LEAST_REFRESHES: usize = 20_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("a folder is wanted")?);
    let profiles: usize = arguments.next().ok_or("a number is wanted")?.parse()?;
    let home = Home { config_file: folder.join("config.toml"), data: folder.join("store") };
    let clock = Arc::new(VirtualClock(Mutex::new("2026-11-23T15:00:00Z".parse()?)));
    let key = KeySource::File(folder.join("key"));
    seed(&home, &key, profiles, clock.now())?;

    let world = World {
        clock: clock.clone(),
        dice: system_dice,
        environment: Environment::default(),
        transport: Arc::new(Instance(AtomicU64::new(0))),
        browser: Arc::new(NoBrowser),
    };
    let mut store = SqliteStore::open(&Options::new(home.database()), &Keys::from(key))?;
    let open = Box::new(move || Ok(store.take().map(|s| Box::new(s) as Box<dyn TokenStore>)));
    let mut keeping = Keeping::new(world, home, open, Box::new(|_| {}), None);
    let before = resident()?;
    keeping.look(clock.now());
    let read = resident()?;
    let cpu = cpu_seconds()?;
    let lives = LEAST_REFRESHES.div_ceil(profiles);
    let time = SignedDuration::from_secs(LIFE * i64::try_from(lives)?);
    let end = clock.now().saturating_add(time)?;
    while clock.now() < end {
        keeping.look(clock.now());
        while let Some(job) = keeping.next_job(clock.now()) {
            let done = job.run();
            keeping.settle(clock.now(), &done);
        }
        let now = clock.now();
        let wait = keeping.wake_at(now).duration_since(now);
        clock.pass(wait.clamp(SignedDuration::from_millis(1), LOOK));
    }
    let tally = keeping.tally();
    println!(
        "{}",
        json!({
            "profiles": profiles,
            "refreshes": tally.refreshed,
            "failed": tally.failed,
            "cpu_seconds": cpu_seconds()? - cpu,
            "resident_before": before,
            "resident_read": read,
            "resident_end": resident()?,
        })
    );
    Ok(())
}

/// Everybody logged in, spread over one life.
fn seed(home: &Home, key: &KeySource, profiles: usize, now: Timestamp) -> Outcome<()> {
    let mut config = "version = 1\n".to_owned();
    let keys = Keys::from(key.clone());
    let mut store = SqliteStore::open_or_create(&Options::new(home.database()), &keys)?;
    for number in 0..profiles {
        let instance = format!("https://i{}.service-now.com", number % INSTANCES);
        let _ = writeln!(
            config,
            "[profile.p{number}]\ninstance = \"{instance}\"\nclient_id = \"{CLIENT}\"\n\
             client_authentication = \"none\""
        );
        let name = ProfileName::parse(&format!("p{number}"))?;
        let age = LIFE * i64::try_from(number)? / i64::try_from(profiles)?;
        let issued_at = now.saturating_sub(SignedDuration::from_secs(age))?;
        store.save(&name, Generation::NONE, &draft(instance, issued_at)?, None)?;
    }
    Ok(fs::write(&home.config_file, config)?)
}

fn draft(instance: String, issued_at: Timestamp) -> Outcome<Draft> {
    let end = |seconds| -> Outcome<Deadline> {
        let at = issued_at.saturating_add(SignedDuration::from_secs(seconds))?;
        Ok(Deadline { at, known_by: KnownBy::Stated })
    };
    Ok(Draft {
        binding: Binding { instance, client_id: CLIENT.to_owned() },
        tokens: TokenSet {
            access_token: Secret::new("a".repeat(86)),
            refresh_token: Some(Secret::new("r".repeat(86))),
            authorization_code: None,
            scope: Some("useraccount".to_owned()),
            issued_at,
            granted_at: issued_at,
            access_expires_at: end(LIFE)?,
            refresh_expires_at: Some(end(100 * 86_400)?),
        },
        user: None,
        state: RecordState::Held,
        progress: Progress::default(),
        facts: Facts::default(),
    })
}

/// Time that moves when the loop says so.
struct VirtualClock(Mutex<Timestamp>);

impl VirtualClock {
    fn pass(&self, time: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(time).unwrap_or(Timestamp::MAX);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) {
        self.pass(SignedDuration::try_from(duration).unwrap_or(SignedDuration::ZERO));
    }
}

/// Gives a new access token each time, at once.
struct Instance(AtomicU64);

impl Transport for Instance {
    fn open(&self, _origin: &Url) {}

    fn send(&self, request: Request, _limit: Duration) -> Result<Response, TransportError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let body = format!(
            r#"{{"access_token":"{number:086}","scope":"useraccount","token_type":"Bearer","expires_in":{LIFE}}}"#
        );
        let answer = http::Response::builder().header("content-type", "application/json");
        let lost = |error: http::Error| TransportError::Worker(error.to_string());
        drop(request);
        answer.body(Body::from(body.into_bytes())).map_err(lost)
    }
}

struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _url: &Url) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

/// Resident memory of this process, in bytes.
fn resident() -> Outcome<u64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmRSS")?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}

/// Processor time of this process; the kernel counts in hundredths of a second.
fn cpu_seconds() -> Outcome<f64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    let (_, rest) = text.rsplit_once(") ").ok_or("an odd /proc/self/stat")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / 100.0)
}
