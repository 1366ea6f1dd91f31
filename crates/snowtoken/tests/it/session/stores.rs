//! The same over the store on disk, as two processes see it, and against the stand-in.

use std::sync::{Arc, Barrier};

use jiff::SignedDuration;
use snowtoken::core::keeper::Progress;
use snowtoken::core::ledger::Facts;
use snowtoken::core::token_set::Generation;
use snowtoken::home::Home;
use snowtoken::session::binding;
use snowtoken::store::key::{KeySource, Keys};
use snowtoken::store::sqlite::{Options, SqliteStore};
use snowtoken::store::{Draft, RecordState, TokenStore as _};
use snowtoken::{Error, Session, World};
use tempfile::TempDir;

use super::{MINUTE, name};
use crate::support::logins::Setting;
use crate::support::scripted::{ShiftedClock, real_world};

/// A stand-in with a login that is stored on disk; each session has its own connection.
struct Disk {
    setting: Setting,
    folder: TempDir,
}

impl Disk {
    fn logged_in(setting: Setting) -> Self {
        let done = setting.run(|hands| hands.paste(&hands.allow())).unwrap();
        let disk = Self { setting, folder: tempfile::tempdir().unwrap() };
        let mut store = disk.store();
        let draft = Draft {
            binding: binding(&disk.setting.profile),
            tokens: done.tokens.clone(),
            user: done.user.clone(),
            state: RecordState::Held,
            progress: Progress::default(),
            facts: Facts::default(),
        };
        let id = disk.setting.client.id.as_str().to_owned();
        let secret = disk
            .setting
            .server
            .with_instance(|instance| instance.client(&id).unwrap().client_secret.clone());
        store.set_client_secret(&name(), &binding(&disk.setting.profile), &secret.into()).unwrap();
        store.save(&name(), Generation::NONE, &draft, None).unwrap();
        disk
    }

    fn home(&self) -> Home {
        let data = self.folder.path().join("home");
        Home { config_file: data.join("config.toml"), data }
    }

    fn store(&self) -> SqliteStore {
        let keys = Keys::from(KeySource::File(self.folder.path().join("key")));
        SqliteStore::open_or_create(&Options::new(self.home().database()), &keys).unwrap()
    }

    fn session(&self) -> Session {
        self.session_in(real_world())
    }

    fn session_in(&self, world: World) -> Session {
        let store = Box::new(self.store());
        Session::with_store(world, self.home(), self.setting.profile.clone(), store)
    }

    fn refreshes(&self) -> usize {
        let grant = |request: &snowtoken_stand_in::RecordedRequest| request.form("grant_type");
        let requests = self.setting.token_requests();
        requests.iter().filter(|r| grant(r).as_deref() == Some("refresh_token")).count()
    }
}

/// G1: sessions that share nothing but the disk make one refresh.
#[test]
fn g1_sixteen_sessions_on_one_store_make_one_refresh() {
    let disk = Disk::logged_in(Setting::pasting().knob("refresh.access", "new-each-time"));
    let later = SignedDuration::from_mins(25);
    disk.setting.server.with_clock(|clock| clock.advance(later));
    let shifted = || {
        disk.session_in(World {
            clock: Arc::new(ShiftedClock(later.unsigned_abs())),
            ..real_world()
        })
    };
    let sessions: Vec<Session> = (0..16).map(|_| shifted()).collect();
    let barrier = Barrier::new(sessions.len());
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = sessions
            .iter()
            .map(|session| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    session.access_token(10 * MINUTE).unwrap().token.expose().to_owned()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(disk.refreshes(), 1);
}

#[test]
fn the_life_of_a_login_on_disk() {
    let disk = Disk::logged_in(Setting::pasting());
    let session = disk.session();
    let (user, record) = session.verify().unwrap();
    assert_eq!(user.unwrap().name(), Some("abel.tuter"));
    assert_eq!(record.user.unwrap().name(), Some("abel.tuter"));
    session.refresh().unwrap();
    assert_eq!(disk.refreshes(), 1);
    let token = session.access_token(MINUTE).unwrap().token;
    let revoked = session.revoke().unwrap().unwrap();
    assert!(revoked.refresh_token);
    assert!(matches!(session.access_token(MINUTE), Err(Error::NotLoggedIn(_))));
    let views = disk.setting.server.with_instance(|i| i.tokens(disk.setting.server.now()));
    assert!(views.iter().all(|view| !view.access_token_works && !view.refresh_token_works));
    let error = snowtoken::login::verify(&real_world(), &disk.setting.profile, &token);
    assert!(matches!(error, Err(Error::Api(_))));
}

/// R47, R48 against the stand-in: what it claims, and what is true.
#[test]
fn r47_claims_of_the_stand_in_are_checked() {
    // What is said, and what is true: a death is never said of what lives.
    for (knobs, said, lives) in [
        (&[("revoke.paths", "/oauth_revoke.do")][..], true, false),
        (&[("revoke.body", "html")], true, false),
        (&[("revoke.status", "400")], true, false),
        (&[("revoke.effect", "ignored")], false, true),
        (&[("revoke.status", "404")], false, true),
        (&[("revoke.status", "503")], false, true),
        (&[("revoke.effect", "ignored"), ("refresh.token", "rotate")], false, true),
        (&[("revoke.paths", "/oauth_revoke.do"), ("refresh.token", "rotate")], true, false),
    ] {
        let mut setting = Setting::pasting();
        for (name, value) in knobs {
            setting = setting.knob(name, value);
        }
        let disk = Disk::logged_in(setting);
        let result = disk.session().revoke();
        assert_eq!(result.is_ok(), said, "{knobs:?}: {result:?}");
        let views = disk.setting.server.with_instance(|i| i.tokens(disk.setting.server.now()));
        let living: Vec<_> = views.iter().filter(|view| view.refresh_token_works).collect();
        assert_eq!(!living.is_empty(), lives, "{knobs:?}: {views:?}");
        let kept = disk.store().load(&name()).unwrap();
        assert_eq!(kept.is_none(), said, "{knobs:?}");
        if let (Some(record), Some(living)) = (kept, living.first()) {
            // What is kept is what lives.
            let kept = record.tokens.refresh_token.unwrap();
            assert_eq!(living.refresh_token.as_deref(), Some(kept.expose()), "{knobs:?}");
        }
    }
}
