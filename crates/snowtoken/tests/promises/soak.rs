//! A month of a session whose road is bad: nothing is lost, and nothing grows.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use snowtoken::core::SignedDuration;
use snowtoken::core::oauth::client::{Client, ClientAuthentication, ClientId};
use snowtoken::core::profile::Profile;
use snowtoken::store::{RecordState, TokenStore as _};
use snowtoken::{Diagnose as _, Outcome, Session};

use crate::counts;
use crate::served::{Bytes, Framing, Hasty, Served};
use crate::stage::{
    Dice, MINUTE, Stage, StageClock, home_in, log_in, open_store, profile, start, world,
};
use crate::support::child;

/// What works on this machine works within this.
const PATIENCE: Duration = Duration::from_secs(2);

const DAY: Duration = Duration::from_hours(24);

/// The road: of a hundred requests five meet a fault, whatever the one before them met. Two limits
/// keep within what any client can survive, whose old refresh token works for another minute: no
/// two false refusals in a row, and after an answer that was lost nothing worse than another loss.
fn bad_road(seed: u64) -> impl FnMut(usize) -> Bytes + Send {
    let mut dice = Dice(seed);
    let (mut refused, mut lost) = (false, 0);
    let page = |head: &str, body: &str| {
        let length = body.len();
        let head = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close");
        Bytes::Other(format!("{head}\r\n\r\n{body}").into_bytes())
    };
    move |_| {
        let kind = if dice.below(100) < 5 { dice.below(10) } else { 10 };
        let byte = usize::try_from(dice.below(560)).unwrap();
        let kind = match kind {
            0..=3 if lost == 2 => 10,
            4..=9 if lost > 0 => 10,
            4 if refused => 10,
            kind => kind,
        };
        refused = kind == 4;
        lost = if kind < 4 { lost + 1 } else { 0 };
        match kind {
            0..=2 => Bytes::Cut(byte),
            3 => Bytes::Stall(byte),
            4 => page("401 No", r#"{"error_description":"access_denied","error":"server_error"}"#),
            5 => page("502 Bad Gateway", "<html>"),
            6 => page("503 Busy\r\nretry-after: 20", "<html>"),
            7 => page("429 Slow\r\nretry-after: 600", "{}"),
            8 => page("200 OK", "<html><title>Instance Hibernating page</title>"),
            9 => page("401 No", "<html><title>Proxy</title>"),
            _ => Bytes::Whole,
        }
    }
}

/// G18: one seed after the other, each in a process of its own, whose memory is only the session's.
#[test]
fn g18_a_soak_with_faults_loses_nothing_and_grows_nowhere() {
    let (days, seeds) = counts((5, 2), (30, 10));
    if let Some(told) = child::told() {
        return Soak::told(&told).run();
    }
    for seed in 0..seeds {
        let knobs: &[&str] = match seed % 2 {
            0 => &["refresh.token=rotate", "refresh.replay=grace", "refresh.grace=60"],
            _ => &["refresh.token=omit", "refresh.access=new-each-time"],
        };
        let (instance, client, tokens) = log_in(knobs);
        let (id, instance) = (client.id.as_str().to_owned(), Arc::new(Mutex::new(instance)));
        let server = Served::start(instance.clone(), Framing::Length, bad_road(seed));
        let clock = Arc::new(StageClock::new(start()));
        let transport = Arc::new(Hasty::new(clock.clone(), PATIENCE, 0));
        let stage = Stage::with((instance, client, tokens), &server.url(), clock, transport);
        drop(stage.on_disk());
        let folder = stage.folder().to_str().unwrap().to_owned();
        let message = format!("{days}\n{seed}\n{}\n{id}\n{folder}", server.url());
        child::run("soak::g18_a_soak_with_faults_loses_nothing_and_grows_nowhere", &message, &[]);
        let requests = server.requests();
        assert!(requests > usize::try_from(days).unwrap() * 40, "{requests} requests");
        let record = stage.on_disk().load(&stage.profile.name).unwrap().unwrap();
        assert_eq!(record.state, RecordState::Held, "seed {seed}");
        stage.clock.advance(u32::try_from(days).unwrap() * DAY);
        let stored = record.tokens.refresh_token.unwrap();
        let view = stage.view();
        assert_eq!(view.refresh_token.as_deref(), Some(stored.expose()), "seed {seed}");
        assert!(view.refresh_token_works, "seed {seed}");
    }
}

/// What the child does.
struct Soak {
    days: u32,
    dice: Dice,
    clock: Arc<StageClock>,
    profile: Profile,
    folder: PathBuf,
    failed: u32,
}

impl Soak {
    fn told(text: &str) -> Self {
        let mut lines = text.lines();
        let mut next = || lines.next().unwrap();
        let (days, seed) = (next().parse().unwrap(), next().parse().unwrap());
        let (address, id) = (next(), ClientId::parse(next()).unwrap());
        let client = Client { id, authentication: ClientAuthentication::None };
        Self {
            days,
            dice: Dice(seed),
            clock: Arc::new(StageClock::new(start())),
            profile: profile(address, &client),
            folder: Path::new(next()).to_owned(),
            failed: 0,
        }
    }

    fn session(&self) -> Session {
        let transport = Arc::new(Hasty::new(self.clock.clone(), PATIENCE, usize::MAX));
        let world = world(self.clock.clone(), transport);
        let store = Box::new(open_store(&self.folder));
        Session::with_store(world, home_in(&self.folder), self.profile.clone(), store)
    }

    fn run(mut self) {
        let end = start() + self.days * DAY;
        let warm = start() + self.days * DAY / 4;
        let (mut calls, mut files, mut memory) = (0, 0, 0);
        while self.clock.truth() < end {
            // A program that runs for some hours, and the next one.
            self.live_for(40);
            calls += 40;
            if files == 0 && self.clock.truth() > warm {
                (files, memory) = (open_files(), resident());
            }
        }
        assert!(self.failed * 20 < calls, "{} of {calls} calls failed", self.failed);
        let (more, grown) = (open_files(), resident().saturating_sub(memory));
        assert_eq!(more, files, "open files");
        assert!(grown < 1024 * 1024, "{grown} bytes more after {calls} calls");
    }

    /// Lives with one session for a while.
    fn live_for(&mut self, calls: u32) {
        let session = self.session();
        for n in 0..calls {
            self.clock.advance(Duration::from_secs(self.dice.below(900)));
            let token = session.living_access_token();
            // Every eighth token has to prove itself.
            let proved = if n % 8 == 0 { session.verify().map(drop) } else { Ok(()) };
            let left = token.map(|token| token.expires_at.at.duration_since(self.clock.truth()));
            match proved.and(left) {
                Ok(left) => assert!(left >= SignedDuration::from_secs(59), "{left} left"),
                Err(error) => {
                    assert_eq!(error.outcome(), Outcome::TryLater, "{error:?}");
                    self.failed += 1;
                    self.clock.advance(MINUTE);
                }
            }
        }
    }
}

/// How many files this process has open, once what was closed is gone.
fn open_files() -> usize {
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let mut least = count();
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(10));
        least = least.min(count());
    }
    least
}

/// Bytes of memory that are in use.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
