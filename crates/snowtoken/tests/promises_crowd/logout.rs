//! A logout while a refresh is running, and a logout that cannot forget.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use snowtoken::Error;
use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::store::key::{KeySource, Keys};
use snowtoken::store::sqlite::{Options, SqliteStore};
use snowtoken::store::{RecordState, StoreError};

use crate::instance::Rules;
use crate::scene::{Machine, Scene, name};
use crate::shared_store::SharedStore;
use crate::turns::{Part, take_turns};
use crate::{Dice, counts};

const RULES: [Rules; 3] = [
    Rules { rotates: true, grace: 0, direct: false, ends_family: false },
    Rules { rotates: true, grace: 30, direct: false, ends_family: false },
    Rules { rotates: false, grace: 0, direct: false, ends_family: false },
];

/// What both come to: an access token, or that the logout is done.
type Got = Result<Option<String>, Error>;

/// Nothing lives on the instance, and nothing is stored.
#[track_caller]
fn all_is_ended(scene: &Scene, told: &str) {
    assert_eq!(scene.instance().living_refresh(), None, "{told}");
    assert_eq!(scene.instance().living_access(), 0, "{told}");
    assert!(scene.record().is_none(), "{told}");
    let previous = scene.store.get().load_previous(&name()).unwrap();
    assert!(previous.is_none(), "{told}");
}

/// G26, the hard way: neither sees the other's lock.
#[test]
fn g26_after_a_logout_nothing_lives_that_a_refresh_brought_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..counts(400, 4_000) {
        let mut dice = Dice(seed);
        let scene = Scene::new(RULES[dice.draw(RULES.len())], SharedStore::default());
        scene.instance().end_access();
        let part = |who: usize, act: fn(&snowtoken::Session) -> Got| {
            let (scene, home) = (scene.clone(), folder.path().join(who.to_string()));
            let part: Part<'_, Got> = Box::new(move |gate| {
                let gate = gate.clone();
                let before = Arc::new(move |_: &str| {
                    gate.pass(who);
                    Ok(())
                });
                act(&scene.session(&Machine { before, alone: false, ..Machine::plain(&home) }))
            });
            part
        };
        let refresh: fn(&snowtoken::Session) -> Got = |session| {
            let refreshed = session.refresh()?;
            Ok(Some(refreshed.record.tokens.access_token.expose().to_owned()))
        };
        let logout = |session: &snowtoken::Session| session.revoke().map(|_| None);
        let got = take_turns(dice, vec![part(0, refresh), part(1, logout)]);
        let told = format!("seed {seed}: {got:?}\n{:?}", scene.record());
        all_is_ended(&scene, &told);
        assert!(got[1].is_ok(), "{told}");
        if let Err(error) = &got[0] {
            let code = error.code();
            let fits = [Code::NotLoggedIn, Code::BeingRevoked, Code::TokenRefused];
            assert!(fits.contains(&code), "{told}");
        }
    }
}

/// G26 as it is: the lock is there, and the logout comes at any moment of the refresh.
#[test]
fn g26_a_logout_waits_for_the_refresh_and_ends_what_it_brought() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..counts(40, 400) {
        let mut dice = Dice(seed);
        let scene = Scene::new(RULES[dice.draw(RULES.len())], SharedStore::default());
        scene.instance().end_access();
        // Each step takes a moment in which the other one may come.
        let slow = Machine {
            before: Arc::new(|_| {
                std::thread::sleep(Duration::from_micros(200));
                Ok(())
            }),
            ..Machine::plain(folder.path())
        };
        let late = Duration::from_micros(200 * dice.draw(16) as u64);
        let (refreshing, leaving) = (scene.session(&slow), scene.session(&slow));
        let refreshed = std::thread::scope(|scope| {
            let refreshed = scope.spawn(|| refreshing.living_access_token());
            std::thread::sleep(late);
            leaving.revoke().unwrap();
            refreshed.join().unwrap()
        });
        all_is_ended(&scene, &format!("seed {seed}: {refreshed:?}"));
        if let Err(error) = refreshed {
            assert_eq!(error.code(), Code::NotLoggedIn, "seed {seed}: {error:?}");
        }
    }
}

fn stores(folder: &Path) -> [SharedStore; 2] {
    let keys = Keys::from(KeySource::File(folder.join("key")));
    let options = Options::new(folder.join("store/tokens.db"));
    let sqlite = SqliteStore::open_or_create(&options, &keys).unwrap();
    [SharedStore::default(), SharedStore::over(Box::new(sqlite))]
}

/// G27: whichever store it is, and whichever of its steps fails.
#[test]
fn g27_a_store_that_cannot_forget_is_never_called_done() {
    let folder = tempfile::tempdir().unwrap();
    for store in stores(folder.path()) {
        for step in ["load", "client_secret", "mark", "clear_tokens"] {
            for failure in [|| StoreError::Full, || StoreError::Locked] {
                let store = store.clone();
                store.get().remove_profile(&name()).unwrap();
                let rules = Rules { rotates: true, grace: 0, direct: false, ends_family: false };
                let scene = Scene::new(rules, store);
                let fails = Arc::new(AtomicBool::new(true));
                let before = {
                    let fails = fails.clone();
                    Arc::new(move |call: &'static str| {
                        let now = call == step && fails.load(Ordering::SeqCst);
                        if now { Err(failure()) } else { Ok(()) }
                    })
                };
                let machine = Machine { before, ..Machine::plain(folder.path()) };
                let session = scene.session(&machine);
                let error = session.revoke().unwrap_err();
                assert_eq!(error.code(), failure().code(), "{step}: {error:?}");
                // What is left is said by the command; here it is: kept, and given to nobody.
                let record = scene.record().unwrap();
                let pending = matches!(record.state, RecordState::RevocationPending { .. });
                assert_eq!(pending, step == "clear_tokens", "{step}: {record:?}");
                if pending {
                    let error = session.living_access_token().unwrap_err();
                    assert!(matches!(error, Error::BeingRevoked(_)), "{error:?}");
                }
                // The next try ends it.
                fails.store(false, Ordering::SeqCst);
                session.revoke().unwrap();
                all_is_ended(&scene, step);
            }
        }
    }
}
