//! Two or three machines with one home: none of them sees the others' lock.

use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::store::RecordState;
use snowtoken::{Error, Session};

use crate::instance::Rules;
use crate::scene::{Machine, Scene, name};
use crate::shared_store::SharedStore;
use crate::turns::{Part, take_turns};
use crate::{Dice, counts};

const RULES: [Rules; 5] = [
    Rules { rotates: true, grace: 0, direct: false, ends_family: false },
    Rules { rotates: true, grace: 30, direct: false, ends_family: false },
    Rules { rotates: true, grace: 3_600, direct: false, ends_family: false },
    Rules { rotates: true, grace: 3_600, direct: true, ends_family: false },
    Rules { rotates: false, grace: 0, direct: false, ends_family: false },
];

type Got = Result<String, Error>;

/// What one of them does.
fn ask(session: &Session, insists: bool) -> Got {
    if insists {
        let refreshed = session.refresh()?;
        Ok(refreshed.record.tokens.access_token.expose().to_owned())
    } else {
        Ok(session.living_access_token()?.token.expose().to_owned())
    }
}

/// So many machines refresh at once, step by step as the seed has it.
fn interleave(scene: &Scene, folder: &Path, machines: usize, dice: &mut Dice) -> Vec<Got> {
    let parts = (0..machines).map(|who| {
        let scene = scene.clone();
        let insists = dice.chance(50);
        // Their clocks need not agree.
        let ahead = SignedDuration::from_millis([0, 0, -2_500, 1_700][dice.draw(4)]);
        let home = folder.join(who.to_string());
        let part: Part<'_, Got> = Box::new(move |gate| {
            let gate = gate.clone();
            let machine = Machine {
                clock_is_ahead: ahead,
                alone: false,
                before: Arc::new(move |_| {
                    gate.pass(who);
                    Ok(())
                }),
                ..Machine::plain(&home)
            };
            ask(&scene.session(&machine), insists)
        });
        part
    });
    let parts = parts.collect();
    take_turns(dice.clone(), parts)
}

/// G3: whoever wins, the store ends with the refresh token that lives, and goes on with it.
#[test]
fn g3_without_each_others_lock_the_living_refresh_token_stays() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..counts(500, 10_000) {
        let mut dice = Dice(seed);
        let rules = RULES[dice.draw(RULES.len())];
        let machines = if dice.chance(25) { 3 } else { 2 };
        let scene = Scene::new(rules, SharedStore::default());
        let got = interleave(&scene, folder.path(), machines, &mut dice);
        let told = format!("seed {seed}, {rules:?}: {got:?}\n{:?}", scene.record());
        let record = scene.record().unwrap_or_else(|| panic!("deleted: {told}"));
        let stored = record.tokens.refresh_token.unwrap();
        assert_eq!(Some(stored.expose()), scene.instance().living_refresh(), "{told}");
        assert_eq!(record.state, RecordState::Held, "{told}");
        for got in &got {
            match got {
                Ok(token) => assert!(scene.instance().lives(token), "{told}"),
                // The instance had nothing for it, and nobody had stored anything by then.
                Err(error) => {
                    assert!(rules.rotates && (rules.grace == 0 || rules.direct), "{told}");
                    assert_eq!(error.code(), Code::TokenRefused, "{told}");
                }
            }
        }
        let next = scene.session(&Machine::plain(folder.path()));
        next.refresh().unwrap_or_else(|error| panic!("{error:?}: {told}"));
    }
}

/// Where a second use ends everything there is nothing to save: that is said, and nothing else.
#[test]
fn g3_where_a_second_use_ends_everything_nobody_is_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..counts(100, 1_000) {
        let mut dice = Dice(seed);
        let rules = Rules { rotates: true, grace: 0, direct: false, ends_family: true };
        let scene = Scene::new(rules, SharedStore::default());
        let got = interleave(&scene, folder.path(), 2, &mut dice);
        let told = format!("seed {seed}: {got:?}\n{:?}", scene.record());
        assert!(got.iter().any(Result::is_ok), "{told}");
        assert!(scene.record().is_some(), "{told}");
        let next = scene.session(&Machine::plain(folder.path())).refresh();
        let lives = scene.instance().living_refresh().is_some();
        match next {
            Ok(_) => assert!(lives, "{told}"),
            Err(error) => {
                assert!(!lives && error.code() == Code::TokenRefused, "{error:?}: {told}");
                assert!(matches!(scene.record().unwrap().state, RecordState::Rejected { .. }));
            }
        }
    }
}

/// A refusal that comes when somebody else's tokens are stored already is never judged.
#[test]
fn g3_a_refusal_is_not_judged_before_the_store_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let rules = RULES[0];
    let scene = Scene::new(rules, SharedStore::default());
    let other = scene.session(&Machine::plain(&folder.path().join("other")));
    let first = std::sync::atomic::AtomicBool::new(true);
    let (other, home) = (Arc::new(other), folder.path().join("ours"));
    let before = {
        let other = other.clone();
        // Just before our request goes out the other machine has refreshed.
        Arc::new(move |step: &'static str| {
            if step == "send" && first.swap(false, std::sync::atomic::Ordering::SeqCst) {
                other.refresh().unwrap();
            }
            Ok(())
        })
    };
    let ours = scene.session(&Machine { before, alone: false, ..Machine::plain(&home) });
    let token = ours.living_access_token().unwrap().token;
    assert!(scene.instance().lives(token.expose()));
    assert_eq!(scene.instance().sent, ["refresh-0", "refresh-0"], "one refusal, nothing repeated");
    let audit = scene.store.get().audit(Some(&name()), 9).unwrap();
    assert!(audit.iter().all(|line| line.outcome != "refused"), "{audit:?}");
}
