//! Random histories of one profile: requests that fail, crashes, clocks that jump, logins, logouts,
//! hand-overs. After each step the real keeper and the real store agree with the reference, and the
//! log of what was sent and handed out has the order that is promised (G19).

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use snowtoken::Session;
use snowtoken::core::Timestamp;
use snowtoken::store::RecordState;
use snowtoken::store::key::{KeySource, Keys};
use snowtoken::store::sqlite::{Options, SqliteStore};

use crate::instance::{Fault, Rules};
use crate::reference::{Arrived, Got, Phase, Reference, Wish};
use crate::scene::{Machine, Scene, name};
use crate::shared_store::SharedStore;
use crate::{Dice, counts};

/// Steps of one history.
const STEPS: usize = 24;

/// The process ends here.
struct Crash;

/// A profile and everything around it.
struct History {
    scene: Scene,
    machine: Machine,
    reference: Reference,
    dice: Dice,
    /// How many steps are left until the crash.
    fuse: Arc<AtomicUsize>,
    /// In percent, of each request.
    trouble: Arc<AtomicUsize>,
    /// How many kinds of trouble there are.
    kinds: Arc<AtomicUsize>,
    /// Refresh tokens that reached somebody who lived to store them.
    reached: Vec<String>,
    told: Vec<String>,
}

impl History {
    fn new(folder: &Path, store: SharedStore, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let rules = Rules {
            rotates: dice.chance(60),
            grace: [0, 30, 86_400][dice.draw(3)],
            direct: dice.chance(20),
            ends_family: dice.chance(10),
        };
        let scene = Scene::new(rules, store);
        let fuse = Arc::new(AtomicUsize::new(usize::MAX));
        let trouble = Arc::new(AtomicUsize::new(0));
        let kinds = Arc::new(AtomicUsize::new(Fault::ALL.len()));
        let machine = Machine {
            before: crash_at(fuse.clone()),
            fault: faults(trouble.clone(), kinds.clone(), Dice(!seed)),
            ..Machine::plain(folder)
        };
        let reference = Reference::logged_in("access-0", "refresh-0", scene.now(), 0);
        let told = vec![format!("seed {seed}, {rules:?}")];
        let reached = vec!["refresh-0".to_owned()];
        Self { scene, machine, reference, dice, fuse, trouble, kinds, reached, told }
    }

    fn step(&mut self) {
        match self.dice.draw(20) {
            0..=5 => self.wish(Wish::Token),
            6..=9 => self.wish(Wish::Refresh),
            10 => self.wish(Wish::Revoke),
            11..=14 => self.pass(&[1, 59, 600, 1_790, 1_900, 90_000]),
            15 => self.pass(&[-1, -100, -400, -4_000]),
            16 => self.hand_over(),
            17 | 18 if self.reference.phase == Phase::In => self.crash(),
            _ if self.reference.phase == Phase::In => self.wish(Wish::Token),
            _ => self.log_in(),
        }
        self.reached.push(self.reference.refresh.clone());
        self.agree();
    }

    fn pass(&mut self, choice: &[i64]) {
        let seconds = choice[self.dice.draw(choice.len())];
        self.told.push(format!("{seconds} s pass"));
        self.scene.pass(SignedDuration::from_secs(seconds));
    }

    fn log_in(&mut self) {
        let (access, refresh) = self.scene.instance().consent();
        self.told.push(format!("logged in: {access} {refresh}"));
        self.scene.save(&access, &refresh, 1_800);
        self.reference = Reference::logged_in(&access, &refresh, self.scene.now(), 1_800);
    }

    fn hand_over(&mut self) {
        if self.reference.phase == Phase::In {
            self.told.push("handed over".to_owned());
            let (at, mut store) = (self.scene.now(), self.scene.store.get());
            let generation = store.generation(&name()).unwrap();
            store.mark(&name(), generation, RecordState::HandedOver { at }, None).unwrap();
            self.reference.phase = Phase::HandedOver;
        }
    }

    /// One wish, with whatever goes wrong on its way.
    fn wish(&mut self, wish: Wish) {
        let trouble = [0, 0, 30, 70][self.dice.draw(4)];
        self.trouble.store(trouble, Ordering::SeqCst);
        // A page in the place of a revocation, and then a refusal for no reason: nobody could tell
        // that from a revocation.
        let spared = usize::from(wish == Wish::Revoke);
        self.kinds.store(Fault::ALL.len() - spared, Ordering::SeqCst);
        let asked_at = self.scene.now();
        let got = fulfil(&self.scene.session(&self.machine), wish);
        let arrived = self.scene.take_arrived();
        self.told.push(format!("{asked_at} {wish:?}: {arrived:?}: {got:?}"));
        self.reference.judge(wish, asked_at, self.scene.now(), &arrived, &got);
        if let Ok(Some(token)) = &got {
            let instance = self.scene.instance();
            // An instance that ends everything without a word is found out by a 401 only.
            assert!(instance.lives(token) || instance.rules.ends_family, "{token} is dead");
        }
        if let (Wish::Revoke, Ok(_)) = (wish, &got) {
            let instance = self.scene.instance();
            // One that never reached anybody here cannot be named to be ended.
            let known = instance.living_refresh().filter(|living| self.knows(living));
            assert_eq!(known, None, "revoked, they say");
            assert!(!instance.lives(&self.reference.access), "revoked, they say");
        }
    }

    /// The process dies somewhere in a refresh; another one finds what it left.
    fn crash(&mut self) {
        let trouble = [0, 0, 30][self.dice.draw(3)];
        self.trouble.store(trouble, Ordering::SeqCst);
        self.fuse.store(self.dice.draw(16), Ordering::SeqCst);
        let (asked_at, session) = (self.scene.now(), self.scene.session(&self.machine));
        let ended = catch_unwind(AssertUnwindSafe(|| fulfil(&session, Wish::Refresh)));
        self.fuse.store(usize::MAX, Ordering::SeqCst);
        let arrived = self.scene.take_arrived();
        self.told.push(format!("crash in a refresh: {arrived:?}: {:?}", ended.is_err()));
        match ended {
            // It was over before.
            Ok(got) => {
                let now = self.scene.now();
                self.reference.judge(Wish::Refresh, asked_at, now, &arrived, &got);
            }
            Err(panic) if panic.is::<Crash>() => self.find_what_is_left(asked_at, &arrived),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// The old tokens, or the new ones: nothing else, and nothing in between.
    fn find_what_is_left(&mut self, asked_at: Timestamp, arrived: &[Arrived]) {
        let stored = self.scene.record();
        if self.reference.is(stored.as_ref()) {
            return self.reference.may_have_failed();
        }
        let now = self.scene.now();
        match arrived.last() {
            Some(Arrived::Tokens { access, refresh }) => {
                self.reference.take(access, refresh.as_ref(), (asked_at, now));
            }
            _ => self.reference.phase = Phase::Rejected,
        }
    }

    fn knows(&self, refresh: &str) -> bool {
        self.reached.iter().any(|token| token == refresh)
    }

    /// What is stored is what the reference has; it lives unless nobody could have kept it.
    fn agree(&self) {
        let stored = self.scene.record();
        assert!(self.reference.is(stored.as_ref()), "{:?}\n{stored:?}", self.reference);
        let instance = self.scene.instance();
        if !matches!(self.reference.phase, Phase::In | Phase::HandedOver) {
            return;
        }
        // An answer that was lost, or that nobody lived to store, took a refresh token with it.
        match instance.living_refresh() {
            Some(living) if self.knows(living) => {
                assert_eq!(living, self.reference.refresh, "lost");
            }
            Some(_) => {}
            None => assert!(instance.rules.ends_family, "nobody ended it"),
        }
    }
}

fn fulfil(session: &Session, wish: Wish) -> Got {
    Ok(match wish {
        Wish::Token => Some(session.living_access_token()?.token.expose().to_owned()),
        Wish::Refresh => {
            let refreshed = session.refresh()?;
            Some(refreshed.record.tokens.access_token.expose().to_owned())
        }
        Wish::Revoke => session.revoke().map(|_| None)?,
    })
}

fn crash_at(fuse: Arc<AtomicUsize>) -> crate::shared_store::Before {
    Arc::new(move |_| {
        let less = |left: usize| (left != usize::MAX).then(|| left.saturating_sub(1));
        match fuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
            Ok(0) => resume_unwind(Box::new(Crash)),
            _ => Ok(()),
        }
    })
}

fn faults(
    trouble: Arc<AtomicUsize>,
    kinds: Arc<AtomicUsize>,
    dice: Dice,
) -> Arc<dyn Fn() -> Option<Fault> + Send + Sync> {
    let dice = Mutex::new(dice);
    Arc::new(move || {
        let mut dice = dice.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let meets = dice.chance(trouble.load(Ordering::SeqCst));
        let fault = Fault::ALL[dice.draw(kinds.load(Ordering::SeqCst))];
        meets.then_some(fault)
    })
}

/// A folder in memory where there is one: thousands of durable writes are made.
fn folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

fn play(store: SharedStore, folder: &Path, seed: u64) {
    let mut history = History::new(folder, store, seed);
    for _ in 0..STEPS {
        let step = catch_unwind(AssertUnwindSafe(|| history.step()));
        if let Err(panic) = step {
            let why = panic.downcast_ref::<String>().map_or("see above", String::as_str);
            panic!("{}\n{why}", history.told.join("\n"));
        }
    }
}

#[test]
fn g19_histories_over_a_store_in_memory_agree_with_the_reference() {
    let folder = folder();
    for seed in 0..counts(3_000, 100_000) {
        play(SharedStore::default(), folder.path(), seed);
    }
}

#[test]
fn g19_histories_over_the_store_on_disk_agree_with_the_reference() {
    let folder = folder();
    let keys = Keys::from(KeySource::File(folder.path().join("key")));
    for seed in 0..counts(60, 5_000) {
        let path = folder.path().join(format!("{seed}/tokens.db"));
        let store = SqliteStore::open_or_create(&Options::new(&path), &keys).unwrap();
        play(SharedStore::over(Box::new(store)), folder.path(), seed);
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}
