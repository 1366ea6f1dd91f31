//! What the ledger learns in a long life: a login, refreshes and `verify` at a pretend instance,
//! with both clocks moved by hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use snowtoken::core::Timestamp;
use snowtoken::core::keeper::Progress;
use snowtoken::core::ledger::{Facts, Observation, RefreshEnd, observe};
use snowtoken::core::token_set::{Generation, KnownBy, TokenSet};
use snowtoken::home::Home;
use snowtoken::login::LoggedIn;
use snowtoken::store::{Draft, Record, RecordState};
use snowtoken::world::Clock as _;
use snowtoken::{Error, Secret, Session};
use snowtoken_stand_in::{Fault, User};
use tempfile::TempDir;

use crate::support::logins::Setting;
use crate::support::scripted::{ManualClock, scripted};
use crate::support::shared_store::SharedStore;

const DAY: Duration = Duration::from_hours(24);
const HIDDEN: (&str, &str) = ("api.credentials", "administrators");

/// A profile that has logged in on day 0.
struct Life {
    setting: Setting,
    clock: Arc<ManualClock>,
    session: Session,
    store: SharedStore,
    start: Timestamp,
    _folder: TempDir,
}

impl Life {
    fn begin(knobs: &[(&str, &str)]) -> Self {
        let (_, _, clock) = scripted();
        let mut setting = Setting::pasting();
        setting.world.clock = clock.clone();
        for (name, value) in knobs {
            setting = setting.knob(name, value);
        }
        let folder = tempfile::tempdir().unwrap();
        let home = Home {
            config_file: folder.path().join("home/config.toml"),
            data: folder.path().join("home"),
        };
        let store = SharedStore::default();
        let session = Session::with_store(
            setting.world.clone(),
            home,
            setting.profile.clone(),
            Box::new(store.clone()),
        );
        let start = clock.now();
        let life = Self { setting, clock, session, store, start, _folder: folder };
        life.agree();
        let done = life.consent();
        life.keep(&done);
        life
    }

    /// Sets the instance's clock to ours.
    fn agree(&self) {
        self.setting.server.with_clock(|clock| clock.freeze(self.clock.now()));
    }

    fn pass(&self, days: u32) {
        self.clock.advance(days * DAY);
        self.agree();
    }

    fn consent(&self) -> LoggedIn {
        let person = |hands: &crate::support::logins::Hands| {
            let redirect = hands.allow();
            // The connections are up before a person is back.
            std::thread::sleep(Duration::from_millis(100));
            hands.paste(&redirect);
        };
        self.setting.run(person).unwrap()
    }

    fn keep(&self, done: &LoggedIn) {
        let name = &self.setting.profile.name;
        let binding = self.session.binding();
        let secret = match &self.setting.client.authentication {
            snowtoken::core::oauth::client::ClientAuthentication::Post(secret) => secret.clone(),
            _ => Secret::new(""),
        };
        let mut store = self.store.get();
        store.set_client_secret(name, &binding, &secret).unwrap();
        let before = store.standing(name).unwrap().map(|s| s.facts).unwrap_or_default();
        let facts = observe(before, &Observation::Consented);
        let facts = done.learnt.added_to(facts, &done.tokens);
        let draft = Draft {
            binding,
            tokens: done.tokens.clone(),
            user: done.user.clone(),
            state: RecordState::Held,
            progress: Progress::default(),
            facts,
        };
        let generation = store.generation(name).unwrap_or(Generation::NONE);
        store.save(name, generation, &draft, None).unwrap();
    }

    fn record(&self) -> Record {
        self.store.get().load(&self.setting.profile.name).unwrap().unwrap()
    }

    fn facts(&self) -> Facts {
        self.record().facts
    }

    /// The day of the refresh token's end, and how it is known.
    fn end(&self) -> Option<(i64, KnownBy)> {
        self.day_of_end(&self.record().tokens)
    }

    fn day_of_end(&self, tokens: &TokenSet) -> Option<(i64, KnownBy)> {
        let end = tokens.refresh_expires_at?;
        // Rows hold whole seconds.
        let rounded = end.at.duration_since(self.start) + SignedDuration::from_secs(2);
        Some((rounded.as_hours() / 24, end.known_by))
    }

    fn refresh(&self) {
        self.session.refresh().unwrap();
    }

    fn verify(&self) {
        self.session.verify().unwrap();
    }

    fn change_user(&self, change: impl FnOnce(&mut User)) {
        self.setting.server.with_instance(|instance| {
            let mut user = instance.user("abel.tuter").unwrap().clone();
            change(&mut user);
            instance.put_user(user);
        });
    }
}

#[test]
fn an_instance_that_keeps_the_end_is_seen_to() {
    let life = Life::begin(&[]);
    assert_eq!(life.end(), Some((100, KnownBy::Stated)));
    life.pass(40);
    life.refresh();
    assert_eq!(
        (life.end(), life.facts().refresh_end),
        (Some((100, KnownBy::Stated)), RefreshEnd::Unknown)
    );
    life.verify();
    assert_eq!(
        (life.end(), life.facts().refresh_end),
        (Some((100, KnownBy::Stated)), RefreshEnd::Stays)
    );
}

#[test]
fn an_instance_that_moves_the_end_is_seen_to_and_believed() {
    let life = Life::begin(&[("refresh.extends", "on")]);
    life.pass(40);
    life.refresh();
    assert_eq!(life.end(), Some((100, KnownBy::Stated)), "not seen yet");
    life.verify();
    assert_eq!(
        (life.end(), life.facts().refresh_end),
        (Some((140, KnownBy::Stated)), RefreshEnd::Moves)
    );
    life.setting.server.with_instance(|instance| instance.set(HIDDEN.0, HIDDEN.1)).unwrap();
    life.pass(40);
    life.refresh();
    assert_eq!(life.end(), Some((180, KnownBy::Derived)));
}

/// The same client and user, on another machine: its consent prolongs what we hold as well.
#[test]
fn a_consent_elsewhere_is_no_refresh_that_moves() {
    let life = Life::begin(&[]);
    life.pass(20);
    drop(life.consent());
    life.pass(20);
    life.refresh();
    life.verify();
    assert_eq!(
        (life.end(), life.facts().refresh_end),
        (Some((120, KnownBy::Stated)), RefreshEnd::Unknown)
    );
}

#[test]
fn rotated_tokens_that_inherit_the_end_are_seen_to() {
    let life = Life::begin(&[("refresh.token", "rotate")]);
    life.pass(40);
    life.refresh();
    assert_eq!(
        (life.end(), life.facts().refresh_end),
        (Some((140, KnownBy::Derived)), RefreshEnd::Replaced)
    );
    life.verify();
    assert_eq!(
        (life.end(), life.facts().refresh_end),
        (Some((100, KnownBy::Stated)), RefreshEnd::Stays)
    );
    life.pass(20);
    life.refresh();
    assert_eq!(life.end(), Some((100, KnownBy::Stated)));
}

#[test]
fn an_end_that_the_token_outlived_does_not_go_on_standing_in_the_past() {
    let life = Life::begin(&[HIDDEN, ("refresh.extends", "on")]);
    for day in [33, 66, 99] {
        life.pass(33);
        life.refresh();
        assert_eq!(life.end(), Some((100, KnownBy::Derived)), "day {day}");
    }
    life.pass(33);
    life.refresh();
    assert_eq!(life.end(), None);
    assert!(life.facts().outlived.is_some());
    // Where the rows may be read, they tell it anew.
    life.setting.server.with_instance(|instance| instance.set(HIDDEN.0, "own")).unwrap();
    life.verify();
    assert_eq!((life.end(), life.facts().outlived), (Some((232, KnownBy::Stated)), None));
}

#[test]
fn a_token_that_ends_when_it_is_due_confirms_the_end() {
    let life = Life::begin(&[HIDDEN]);
    life.pass(99);
    life.refresh();
    life.pass(1);
    let error = life.session.refresh().unwrap_err();
    assert!(matches!(error, Error::Token(_)), "{error:?}");
    assert_eq!(life.facts().refresh_end, RefreshEnd::Stays);
    assert!(matches!(life.record().state, RecordState::Rejected { .. }));
    // It is still known after the next login.
    let done = life.consent();
    life.keep(&done);
    assert_eq!(
        (life.end(), life.facts().refresh_end),
        (Some((200, KnownBy::Derived)), RefreshEnd::Stays)
    );
}

/// G21 to G23: our clock jumps, the instance's does not.
#[test]
fn a_clock_that_jumped_moves_no_deadline_where_the_instance_dates_its_answers() {
    for years in [-10, -1, 1, 10] {
        let life = Life::begin(&[HIDDEN]);
        life.pass(10);
        let now = life.clock.now();
        life.clock.set(now + SignedDuration::from_hours(years * 365 * 24));
        life.refresh();
        assert_eq!(
            (life.end(), life.facts().outlived),
            (Some((100, KnownBy::Derived)), None),
            "{years}"
        );
        life.clock.set(now);
        life.refresh();
        assert_eq!(life.end(), Some((100, KnownBy::Derived)), "{years}, set right again");
    }
}

/// The grant was noted by a clock that was ahead; without dates there is nothing better.
#[test]
fn an_end_beyond_a_whole_life_comes_back() {
    let life = Life::begin(&[HIDDEN, ("date", "missing")]);
    let right = life.clock.now();
    life.clock.set(right + SignedDuration::from_hours(10 * 365 * 24));
    life.keep(&life.consent());
    assert_eq!(life.end().unwrap().0, 3_750);
    life.clock.set(right);
    life.refresh();
    assert_eq!(life.end(), Some((100, KnownBy::Derived)));
    // With dates the wrong clock does no harm in the first place.
    let life = Life::begin(&[HIDDEN]);
    life.clock.set(right + SignedDuration::from_hours(10 * 365 * 24));
    life.keep(&life.consent());
    assert_eq!(life.end(), Some((100, KnownBy::Derived)));
}

#[test]
fn verify_finds_what_has_become_of_the_user() {
    let life = Life::begin(&[("api.locked_users", "accepted")]);
    let concerns = || life.facts().concerns;
    assert_eq!(concerns(), ["person"]);
    life.change_user(|user| "machine".clone_into(&mut user.identity_type));
    life.verify();
    assert_eq!(concerns(), Vec::<String>::new());
    life.change_user(|user| (user.locked_out, user.active) = (true, false));
    life.verify();
    assert_eq!(concerns(), ["locked", "inactive"]);
    life.change_user(|user| {
        (user.locked_out, user.active) = (false, true);
        user.roles.push("admin".to_owned());
    });
    life.verify();
    assert_eq!(concerns(), ["admin"]);
    // What may not be read any more stays as it was known.
    life.change_user(|user| user.roles.retain(|role| role != "admin"));
    life.setting.server.with_instance(|instance| instance.set("api.acl", "refused")).unwrap();
    life.verify();
    assert_eq!(concerns(), ["admin"]);
    life.setting.server.with_instance(|instance| instance.set("api.acl", "open")).unwrap();
    life.verify();
    assert_eq!(concerns(), Vec::<String>::new());
}

#[test]
fn verify_reads_the_clients_record_once_it_may() {
    let life = Life::begin(&[HIDDEN, ("lifespan.refresh", "864000")]);
    assert_eq!(life.end(), Some((100, KnownBy::Derived)), "the default, for want of better");
    life.setting.server.with_instance(|i| i.set("api.clients", "everybody")).unwrap();
    life.verify();
    assert_eq!(life.end(), Some((10, KnownBy::Stated)));
    assert_eq!(life.facts().refresh_lifespan, Some(864_000));
    // A change on the record is for tokens to come.
    life.setting.server.with_instance(|i| i.set("lifespan.refresh", "8640000")).unwrap();
    life.verify();
    assert_eq!(life.end(), Some((10, KnownBy::Stated)));
    life.keep(&life.consent());
    assert_eq!(life.end(), Some((100, KnownBy::Stated)));
}

/// Whatever the tables answer, or if they never do: the proof counts, and soon.
#[test]
fn verify_is_not_failed_or_held_up_by_what_it_need_not_know() {
    for (kind, limit) in [("stall", 4_500), ("login-page", 1_500), ("unavailable", 1_500)] {
        let life = Life::begin(&[HIDDEN]);
        life.setting.server.with_instance(|instance| {
            let user = instance.user("abel.tuter").unwrap().sys_id.clone();
            for table in ["oauth_entity", "oauth_credential", "sys_user_has_role"] {
                let path = format!("/api/now/table/{table}");
                instance.add_fault(Fault { path, ..Fault::new(kind).unwrap() });
            }
            let path = format!("/api/now/table/sys_user/{user}");
            instance.add_fault(Fault { path, ..Fault::new(kind).unwrap() });
        });
        let before = life.record();
        let started = Instant::now();
        let (user, after) = life.session.verify().unwrap();
        assert!(started.elapsed() < Duration::from_millis(limit), "{kind}");
        assert_eq!(user.unwrap().name(), Some("abel.tuter"), "{kind}");
        assert_eq!(after, before, "{kind}");
        assert_eq!(life.record(), before, "{kind}");
    }
}
