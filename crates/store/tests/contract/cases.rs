//! The contract, case by case. Each case runs on every backend.

use std::time::Duration;

use snowtoken_core::diagnosis::Code;
use snowtoken_core::keeper::{FailedAttempt, Progress, Why};
use snowtoken_core::ledger::{Facts, RefreshEnd};
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, Generation, KnownBy, User};
use snowtoken_store::memory::MemoryStore;
use snowtoken_store::{
    Delivery, RecordState, SpareRole, SpareSecret, StoreError, TokenStore, Wish,
};

use crate::support::{Place, at, audit_entry, client, draft, now, profile};

macro_rules! on_every_backend {
    ($($(#[$doc:meta])* fn $case:ident($store:ident) $body:block)*) => {
        mod memory {
            use super::*;
            $($(#[$doc])* #[test] fn $case() { super::$case(&mut MemoryStore::new()); })*
        }
        mod sqlite {
            use super::*;
            $($(#[$doc])* #[test] fn $case() {
                let place = Place::new();
                super::$case(&mut place.make());
            })*
        }
        $(fn $case($store: &mut dyn TokenStore) $body)*
    };
}

fn troubled() -> Progress {
    let moment = at("2026-11-23T15:00:00.123456Z");
    Progress {
        sent_at: Some(moment),
        failures: 3,
        failed: Some(FailedAttempt {
            at: moment,
            code: Code::RateLimited,
            detail: "the instance answered 503".into(),
        }),
        next: Some((moment, Why::BackOff)),
    }
}

fn learnt() -> Facts {
    Facts { refresh_lifespan: Some(8_640_000), refresh_end: RefreshEnd::Stays, ..Facts::default() }
}

fn conflict<T: std::fmt::Debug>(result: snowtoken_store::Result<T>) -> (u64, u64) {
    match result {
        Err(StoreError::Conflict { expected, found }) => (expected.0, found.0),
        other => panic!("expected a conflict, got {other:?}"),
    }
}

on_every_backend! {
    fn an_empty_store_knows_nothing(store) {
        let dev = profile("dev");
        assert!(store.load(&dev).unwrap().is_none());
        assert!(store.load_previous(&dev).unwrap().is_none());
        assert_eq!(store.generation(&dev).unwrap(), Generation::NONE);
        assert!(store.living_access_token(&dev, now(), Duration::ZERO).unwrap().is_none());
        assert!(store.client_secret(&dev, &client("id")).unwrap().is_none());
        assert!(store.profiles().unwrap().is_empty());
        assert!(store.deliveries(&dev).unwrap().is_empty());
        assert!(store.audit(None, 10).unwrap().is_empty());
        assert!(!store.remove_profile(&dev).unwrap());
        assert!(!store.remove_client_secret(&dev).unwrap());
    }

    fn what_was_saved_is_loaded(store) {
        let dev = profile("dev");
        let first = draft("1");
        assert_eq!(store.save(&dev, Generation::NONE, &first, None).unwrap(), Generation(1));
        let record = store.load(&dev).unwrap().unwrap();
        assert_eq!(record.generation, Generation(1));
        assert_eq!(snowtoken_store::Draft::from(record), first);

        // The smallest token set there is.
        let mut bare = draft("2");
        bare.tokens.refresh_token = None;
        bare.tokens.authorization_code = None;
        bare.tokens.scope = None;
        bare.tokens.refresh_expires_at = None;
        bare.user = None;
        bare.state = RecordState::Rejected { at: now() };
        store.save(&dev, Generation(1), &bare, None).unwrap();
        assert_eq!(snowtoken_store::Draft::from(store.load(&dev).unwrap().unwrap()), bare);
    }

    fn tokens_of_any_size_and_text_are_kept(store) {
        let dev = profile("dev");
        let mut expected = Generation::NONE;
        for text in ["", "x", "+&%=?\"'\\ é\u{202e}\n\0", &"k".repeat(64 * 1024)] {
            let mut odd = draft("odd");
            odd.tokens.access_token = Secret::new(text);
            odd.tokens.refresh_token = Some(Secret::new(text));
            odd.tokens.scope = Some(text.into());
            expected = store.save(&dev, expected, &odd, None).unwrap();
            assert_eq!(snowtoken_store::Draft::from(store.load(&dev).unwrap().unwrap()), odd);
        }
    }

    fn a_late_answer_changes_nothing(store) {
        let dev = profile("dev");
        store.save(&dev, Generation::NONE, &draft("1"), None).unwrap();
        store.save(&dev, Generation(1), &draft("2"), None).unwrap();
        let late = audit_entry("dev", "late");
        assert_eq!(conflict(store.save(&dev, Generation(1), &draft("x"), Some(&late))), (1, 2));
        assert_eq!(conflict(store.save(&dev, Generation(3), &draft("x"), None)), (3, 2));
        assert_eq!(conflict(store.mark(&dev, Generation(1), RecordState::Held, Some(&late))), (1, 2));
        assert_eq!(conflict(store.set_user(&dev, Generation(1), None)), (1, 2));
        assert_eq!(conflict(store.clear_tokens(&dev, Generation(1), Some(&late))), (1, 2));
        let record = store.load(&dev).unwrap().unwrap();
        assert_eq!(record.tokens, draft("2").tokens);
        assert!(store.audit(None, 10).unwrap().is_empty());
    }

    fn exactly_one_previous_token_set_is_kept(store) {
        let dev = profile("dev");
        for n in 0..4 {
            store.save(&dev, Generation(n), &draft(&n.to_string()), None).unwrap();
        }
        let previous = store.load_previous(&dev).unwrap().unwrap();
        assert_eq!((previous.generation, previous.tokens), (Generation(3), draft("2").tokens));
    }

    fn a_cleared_profile_has_no_tokens_and_stays_ahead_of_late_answers(store) {
        let dev = profile("dev");
        store.set_client_secret(&dev, &client("id"), &Secret::new("s")).unwrap();
        store.save(&dev, Generation::NONE, &draft("1"), None).unwrap();
        let cleared = store.clear_tokens(&dev, Generation(1), Some(&audit_entry("dev", "logout"))).unwrap();
        assert_eq!(cleared, Generation(2));
        assert!(store.load(&dev).unwrap().is_none());
        assert!(store.load_previous(&dev).unwrap().is_none());
        assert!(store.living_access_token(&dev, now(), Duration::ZERO).unwrap().is_none());
        assert_eq!(conflict(store.save(&dev, Generation(1), &draft("late"), None)), (1, 2));
        assert_eq!(store.profiles().unwrap(), [profile("dev")]);
        assert!(store.client_secret(&dev, &client("id")).unwrap().is_some());
        assert_eq!(store.audit(None, 10).unwrap().len(), 1);
        assert_eq!(store.save(&dev, cleared, &draft("3"), None).unwrap(), Generation(3));
        assert!(store.load_previous(&dev).unwrap().is_none());
    }

    fn states_are_kept_and_only_held_tokens_are_handed_out(store) {
        let dev = profile("dev");
        store.save(&dev, Generation::NONE, &draft("1"), None).unwrap();
        let states = [RecordState::Rejected { at: now() },
            RecordState::RevocationPending { since: at("2026-01-01T00:00:00Z") }];
        for state in states {
            store.mark(&dev, Generation(1), state, Some(&audit_entry("dev", "mark"))).unwrap();
            assert_eq!(store.load(&dev).unwrap().unwrap().state, state);
            assert!(store.living_access_token(&dev, now(), Duration::ZERO).unwrap().is_none());
        }
        store.mark(&dev, Generation(1), RecordState::Held, None).unwrap();
        assert_eq!(snowtoken_store::Draft::from(store.load(&dev).unwrap().unwrap()), draft("1"));
        assert!(store.living_access_token(&dev, now(), Duration::ZERO).unwrap().is_some());
        assert_eq!(store.audit(None, 10).unwrap().len(), 2);
    }

    fn nothing_can_be_marked_where_nothing_is(store) {
        let dev = profile("dev");
        for _ in 0..2 {
            let generation = store.generation(&dev).unwrap();
            let marked = store.mark(&dev, generation, RecordState::Held, None);
            assert!(matches!(marked, Err(StoreError::Absent { .. })), "{marked:?}");
            let set = store.set_user(&dev, generation, None);
            assert!(matches!(set, Err(StoreError::Absent { .. })), "{set:?}");
            store.clear_tokens(&dev, generation, None).unwrap();
        }
    }

    fn an_access_token_is_living_as_long_as_was_asked_for(store) {
        let dev = profile("dev");
        store.save(&dev, Generation::NONE, &draft("1"), None).unwrap();
        let minutes = |n| Duration::from_mins(n);
        let living = |min_valid| store.living_access_token(&dev, now(), min_valid).unwrap();
        let token = living(minutes(30)).unwrap();
        assert_eq!(token.token, draft("1").tokens.access_token);
        assert_eq!(token.expires_at, draft("1").tokens.access_expires_at);
        assert_eq!((token.binding, token.generation), (draft("1").binding, Generation(1)));
        assert!(living(minutes(30) + Duration::from_nanos(1)).is_none());
        assert!(living(Duration::MAX).is_none());
        let end = draft("1").tokens.access_expires_at.at;
        assert!(store.living_access_token(&dev, end, Duration::ZERO).unwrap().is_none());
        // A clock that was set back says nothing about the token's end; a few minutes are skew.
        let earlier = |n| now().checked_sub(minutes(n)).unwrap();
        assert!(store.living_access_token(&dev, earlier(5), minutes(1)).unwrap().is_some());
        assert!(store.living_access_token(&dev, earlier(6), minutes(1)).unwrap().is_none());
        assert!(store.living_access_token(&dev, at("2020-01-01T00:00:00Z"), minutes(1)).unwrap().is_none());
    }

    fn how_a_profile_stands_is_told_without_its_secrets(store) {
        let dev = profile("dev");
        assert_eq!(store.standing(&dev).unwrap(), None);
        let mut first = draft("1");
        first.facts = learnt();
        first.progress = troubled();
        store.save(&dev, Generation::NONE, &first, None).unwrap();
        store.save(&profile("b"), Generation::NONE, &draft("2"), None).unwrap();
        let standing = store.standing(&dev).unwrap().unwrap();
        let held = standing.held.clone().unwrap();
        assert_eq!((standing.generation, &standing.facts), (Generation(1), &first.facts));
        assert_eq!(held.progress, first.progress);
        assert_eq!((held.user.as_deref(), held.state), (Some("abel.tuter"), first.state));
        let micros = |end: Deadline| (end.at.as_microsecond(), end.known_by);
        assert_eq!(micros(held.access_expires_at), micros(first.tokens.access_expires_at));
        assert_eq!(held.refresh_expires_at, first.tokens.refresh_expires_at);
        assert!(held.has_refresh_token && held.has_access_token);
        let mut all = Vec::new();
        store.standings(&mut |standing| all.push(standing)).unwrap();
        assert_eq!(all.iter().map(|s| s.profile.as_str()).collect::<Vec<_>>(), ["b", "dev"]);
        assert_eq!(all[1], standing);
        assert_eq!(snowtoken_store::Draft::from(store.load(&dev).unwrap().unwrap()), first);
    }

    fn progress_belongs_to_one_token_set(store) {
        let dev = profile("dev");
        store.save(&dev, Generation::NONE, &draft("1"), None).unwrap();
        store.note(&dev, Generation(1), &troubled(), Some(&audit_entry("dev", "refresh"))).unwrap();
        assert_eq!(store.load(&dev).unwrap().unwrap().progress, troubled());
        assert_eq!(store.audit(None, 10).unwrap().len(), 1);
        assert_eq!(conflict(store.note(&dev, Generation(2), &troubled(), None)), (2, 1));
        // A new token set begins anew, and so does one whose state changes.
        store.save(&dev, Generation(1), &draft("2"), None).unwrap();
        assert_eq!(store.load(&dev).unwrap().unwrap().progress, Progress::default());
        assert_eq!(store.load_previous(&dev).unwrap().unwrap().progress, Progress::default());
        store.note(&dev, Generation(2), &troubled(), None).unwrap();
        let state = RecordState::HandedOver { at: at("2026-11-23T16:00:00Z") };
        store.mark(&dev, Generation(2), state, None).unwrap();
        let held = store.standing(&dev).unwrap().unwrap().held.unwrap();
        assert_eq!((held.progress, held.state), (Progress::default(), state));
        store.clear_tokens(&dev, Generation(2), None).unwrap();
        let gone = store.note(&dev, Generation(3), &troubled(), None);
        assert!(matches!(gone, Err(StoreError::Absent { .. })), "{gone:?}");
    }

    fn what_was_learnt_outlives_the_tokens(store) {
        let dev = profile("dev");
        let unknown = store.set_facts(&dev, &learnt());
        assert!(matches!(unknown, Err(StoreError::Absent { .. })), "{unknown:?}");
        store.save(&dev, Generation::NONE, &draft("1"), None).unwrap();
        store.set_facts(&dev, &learnt()).unwrap();
        assert_eq!(store.load(&dev).unwrap().unwrap().facts, learnt());
        store.clear_tokens(&dev, Generation(1), None).unwrap();
        let standing = store.standing(&dev).unwrap().unwrap();
        assert_eq!((standing.held, standing.facts), (None, learnt()));
        store.rename(&dev, &profile("test")).unwrap();
        assert_eq!(store.standing(&dev).unwrap(), None);
        store.remove_profile(&profile("test")).unwrap();
        assert_eq!(store.standing(&profile("test")).unwrap(), None);
    }

    fn what_the_instance_told_later_is_noted_with_the_tokens(store) {
        let (dev, end) = (profile("dev"), Deadline { at: at("2027-03-03T15:00:00Z"), known_by: KnownBy::Stated });
        assert_eq!(conflict(store.learn(&dev, Generation(1), Some(end), &learnt())), (1, 0));
        store.save(&dev, Generation::NONE, &draft("1"), None).unwrap();
        store.learn(&dev, Generation(1), Some(end), &learnt()).unwrap();
        let after = store.load(&dev).unwrap().unwrap();
        assert_eq!((after.tokens.refresh_expires_at, after.facts), (Some(end), learnt()));
        assert_eq!(after.tokens.refresh_token, draft("1").tokens.refresh_token);
        let held = store.standing(&dev).unwrap().unwrap().held.unwrap();
        assert_eq!(held.refresh_expires_at, Some(end));
        // Nothing was told about the end: it stays as it was.
        store.learn(&dev, Generation(1), None, &Facts::default()).unwrap();
        let after = store.load(&dev).unwrap().unwrap();
        assert_eq!((after.tokens.refresh_expires_at, after.facts), (Some(end), Facts::default()));
    }

    fn the_user_can_be_noted_later(store) {
        let dev = profile("dev");
        store.save(&dev, Generation::NONE, &draft("1"), None).unwrap();
        let user = User { sys_id: None, user_name: Some("beth.anglin".into()), display_name: None };
        store.set_user(&dev, Generation(1), Some(&user)).unwrap();
        let record = store.load(&dev).unwrap().unwrap();
        assert_eq!((record.user, record.tokens), (Some(user), draft("1").tokens));
        store.set_user(&dev, Generation(1), None).unwrap();
        assert_eq!(store.load(&dev).unwrap().unwrap().user, None);
    }

    fn a_client_secret_belongs_to_its_client(store) {
        let (dev, secret) = (profile("dev"), Secret::new("+&%=?\"'\\ s "));
        store.set_client_secret(&dev, &client("id"), &secret).unwrap();
        assert_eq!(store.client_secret(&dev, &client("id")).unwrap(), Some(secret));
        assert_eq!(store.client_secret(&dev, &client("other")).unwrap(), None);
        let elsewhere = snowtoken_store::Binding { instance: "https://other.example".into(), ..client("id") };
        assert_eq!(store.client_secret(&dev, &elsewhere).unwrap(), None);
        assert_eq!(store.client_secret(&profile("prod"), &client("id")).unwrap(), None);
        store.set_client_secret(&dev, &client("other"), &Secret::new("2")).unwrap();
        assert_eq!(store.client_secret(&dev, &client("id")).unwrap(), None);
        assert_eq!(store.profiles().unwrap(), [profile("dev")]);
        assert!(store.remove_client_secret(&dev).unwrap());
        assert_eq!(store.client_secret(&dev, &client("other")).unwrap(), None);
        assert!(store.profiles().unwrap().is_empty());
    }

    fn two_client_secrets_change_places_and_neither_is_lost(store) {
        let (dev, id) = (profile("dev"), client("id"));
        let spare = |role, secret: &str| Some(SpareSecret { role, secret: Secret::new(secret) });
        assert!(!store.swap_secrets(&dev, &id, None).unwrap());
        store.set_client_secret(&dev, &id, &Secret::new("old")).unwrap();
        store.set_next_secret(&dev, &id, &Secret::new("new"), Some(&audit_entry("dev", "secret"))).unwrap();
        assert_eq!(store.client_secret(&dev, &id).unwrap(), Some(Secret::new("old")));
        assert_eq!(store.spare_secret(&dev, &id).unwrap(), spare(SpareRole::Next, "new"));
        assert_eq!(store.spare_secret(&dev, &client("other")).unwrap(), None);
        assert!(!store.swap_secrets(&dev, &client("other"), None).unwrap());

        assert!(store.swap_secrets(&dev, &id, Some(&audit_entry("dev", "secret"))).unwrap());
        assert_eq!(store.client_secret(&dev, &id).unwrap(), Some(Secret::new("new")));
        assert_eq!(store.spare_secret(&dev, &id).unwrap(), spare(SpareRole::Former, "old"));
        assert!(store.swap_secrets(&dev, &id, None).unwrap());
        assert_eq!(store.client_secret(&dev, &id).unwrap(), Some(Secret::new("old")));
        assert_eq!(store.spare_secret(&dev, &id).unwrap(), spare(SpareRole::Next, "new"));
        assert_eq!(store.audit(Some(&dev), 10).unwrap().len(), 2);

        assert!(store.retire_spare_secret(&dev, None).unwrap());
        assert!(!store.retire_spare_secret(&dev, None).unwrap());
        assert_eq!(store.client_secret(&dev, &id).unwrap(), Some(Secret::new("old")));
    }

    fn a_client_secret_that_is_stored_meets_the_second_one(store) {
        let (dev, id) = (profile("dev"), client("id"));
        let set = |store: &mut dyn TokenStore, text: &str| {
            store.set_client_secret(&dev, &id, &Secret::new(text)).unwrap();
        };
        set(store, "old");
        store.set_next_secret(&dev, &id, &Secret::new("new"), None).unwrap();
        set(store, "old");
        assert!(store.spare_secret(&dev, &id).unwrap().is_some(), "nothing has changed");
        set(store, "new");
        assert_eq!(store.client_secret(&dev, &id).unwrap(), Some(Secret::new("new")));
        let former = SpareSecret { role: SpareRole::Former, secret: Secret::new("old") };
        assert_eq!(store.spare_secret(&dev, &id).unwrap(), Some(former));
        set(store, "third");
        assert_eq!(store.spare_secret(&dev, &id).unwrap(), None);
        store.set_next_secret(&dev, &id, &Secret::new("new"), None).unwrap();
        store.set_client_secret(&dev, &client("other"), &Secret::new("new")).unwrap();
        assert_eq!(store.spare_secret(&dev, &id).unwrap(), None);
    }

    fn the_second_client_secret_goes_where_its_profile_goes(store) {
        let (dev, prod, id) = (profile("dev"), profile("prod"), client("id"));
        store.set_client_secret(&dev, &id, &Secret::new("old")).unwrap();
        store.set_next_secret(&dev, &id, &Secret::new("new"), None).unwrap();
        store.rename(&dev, &prod).unwrap();
        assert_eq!(store.spare_secret(&dev, &id).unwrap(), None);
        assert_eq!(store.spare_secret(&prod, &id).unwrap().unwrap().secret, Secret::new("new"));
        store.remove_client_secret(&prod).unwrap();
        assert_eq!(store.spare_secret(&prod, &id).unwrap(), None);
        store.set_client_secret(&prod, &id, &Secret::new("old")).unwrap();
        store.set_next_secret(&prod, &id, &Secret::new("new"), None).unwrap();
        assert!(store.remove_profile(&prod).unwrap());
        assert_eq!(store.spare_secret(&prod, &id).unwrap(), None);
    }

    fn a_private_key_belongs_to_its_client_and_is_no_client_secret(store) {
        let (dev, key) = (profile("dev"), Secret::new("-----BEGIN PRIVATE KEY-----\nAA==\n"));
        assert_eq!(store.signing_key(&dev, &client("id")).unwrap(), None);
        store.set_signing_key(&dev, &client("id"), &key).unwrap();
        assert_eq!(store.signing_key(&dev, &client("id")).unwrap(), Some(key.clone()));
        assert_eq!(store.client_secret(&dev, &client("id")).unwrap(), None);
        assert_eq!(store.signing_key(&dev, &client("other")).unwrap(), None);
        assert_eq!(store.signing_key(&profile("prod"), &client("id")).unwrap(), None);
        assert_eq!(store.profiles().unwrap(), [profile("dev")]);
        // It outlives tokens, as the client secret does.
        store.save(&dev, Generation::NONE, &draft("1"), None).unwrap();
        store.clear_tokens(&dev, Generation(1), None).unwrap();
        assert_eq!(store.signing_key(&dev, &client("id")).unwrap(), Some(key));
        assert!(store.remove_signing_key(&dev).unwrap());
        assert!(!store.remove_signing_key(&dev).unwrap());
        assert_eq!(store.signing_key(&dev, &client("id")).unwrap(), None);
    }

    fn renaming_takes_everything_along_but_the_audit(store) {
        let (dev, prod) = (profile("dev"), profile("prod"));
        for n in 0..2 {
            store.save(&dev, Generation(n), &draft(&n.to_string()), Some(&audit_entry("dev", "grant"))).unwrap();
        }
        store.set_client_secret(&dev, &client("id"), &Secret::new("s")).unwrap();
        store.set_signing_key(&dev, &client("id"), &Secret::new("k")).unwrap();
        store.record_delivery(&delivery("dev", "file", "/a")).unwrap();
        store.rename(&dev, &prod).unwrap();

        let record = store.load(&prod).unwrap().unwrap();
        assert_eq!(record.generation, store.generation(&prod).unwrap());
        assert_eq!(snowtoken_store::Draft::from(record), draft("1"));
        assert_eq!(store.load_previous(&prod).unwrap().unwrap().tokens, draft("0").tokens);
        assert_eq!(store.client_secret(&prod, &client("id")).unwrap(), Some(Secret::new("s")));
        assert_eq!(store.signing_key(&prod, &client("id")).unwrap(), Some(Secret::new("k")));
        assert_eq!(store.signing_key(&dev, &client("id")).unwrap(), None);
        assert_eq!(store.deliveries(&prod).unwrap(), [delivery("prod", "file", "/a")]);
        assert_eq!(store.profiles().unwrap(), [profile("prod")]);
        assert!(store.load(&dev).unwrap().is_none());
        assert!(store.client_secret(&dev, &client("id")).unwrap().is_none());
        assert_eq!(store.audit(Some(&dev), 10).unwrap().len(), 2);
        // A late answer for the old name finds nothing to replace.
        assert_eq!(conflict(store.save(&dev, Generation(2), &draft("late"), None)), (2, 3));
    }

    fn renaming_never_overwrites(store) {
        let (dev, prod) = (profile("dev"), profile("prod"));
        assert!(matches!(store.rename(&dev, &prod), Err(StoreError::Absent { .. })));
        store.save(&dev, Generation::NONE, &draft("dev"), None).unwrap();
        store.set_client_secret(&prod, &client("id"), &Secret::new("s")).unwrap();
        assert!(matches!(store.rename(&dev, &prod), Err(StoreError::Exists { .. })));
        assert!(matches!(store.rename(&dev, &dev), Err(StoreError::Exists { .. })));
        assert_eq!(store.load(&dev).unwrap().unwrap().tokens, draft("dev").tokens);
        // A name that was given up can be used again, and its generations go on.
        store.remove_profile(&prod).unwrap();
        store.save(&prod, Generation::NONE, &draft("prod"), None).unwrap();
        store.remove_profile(&prod).unwrap();
        let before = store.generation(&prod).unwrap();
        store.rename(&dev, &prod).unwrap();
        assert!(store.generation(&prod).unwrap() > before);
        assert_eq!(store.load(&prod).unwrap().unwrap().tokens, draft("dev").tokens);
        store.rename(&prod, &dev).unwrap();
        assert_eq!(store.load(&dev).unwrap().unwrap().tokens, draft("dev").tokens);
    }

    fn a_cleared_profile_can_be_renamed(store) {
        let (dev, prod) = (profile("dev"), profile("prod"));
        store.save(&dev, Generation::NONE, &draft("1"), None).unwrap();
        store.clear_tokens(&dev, Generation(1), None).unwrap();
        store.rename(&dev, &prod).unwrap();
        assert!(store.load(&prod).unwrap().is_none());
        assert_eq!(store.profiles().unwrap(), [profile("prod")]);
        let generation = store.generation(&prod).unwrap();
        assert!(generation > Generation::NONE);
        store.save(&prod, generation, &draft("2"), None).unwrap();
    }

    fn a_removed_profile_is_gone_and_stays_ahead_of_late_answers(store) {
        let dev = profile("dev");
        store.save(&dev, Generation::NONE, &draft("1"), Some(&audit_entry("dev", "grant"))).unwrap();
        store.set_client_secret(&dev, &client("id"), &Secret::new("s")).unwrap();
        store.set_signing_key(&dev, &client("id"), &Secret::new("k")).unwrap();
        store.record_delivery(&delivery("dev", "file", "/a")).unwrap();
        assert!(store.remove_profile(&dev).unwrap());
        assert!(!store.remove_profile(&dev).unwrap());
        assert!(store.profiles().unwrap().is_empty());
        assert!(store.load(&dev).unwrap().is_none());
        assert!(store.client_secret(&dev, &client("id")).unwrap().is_none());
        assert!(store.signing_key(&dev, &client("id")).unwrap().is_none());
        assert!(store.deliveries(&dev).unwrap().is_empty());
        assert_eq!(store.audit(None, 10).unwrap().len(), 1);
        assert_eq!(conflict(store.save(&dev, Generation(1), &draft("late"), None)), (1, 2));
        store.save(&dev, Generation(2), &draft("2"), None).unwrap();
        assert_eq!(store.profiles().unwrap(), [profile("dev")]);
    }

    fn profiles_are_apart_from_each_other(store) {
        for name in ["b", "a", "a.b", "a-b"] {
            store.save(&profile(name), Generation::NONE, &draft(name), None).unwrap();
        }
        let names: Vec<_> = store.profiles().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a", "a-b", "a.b", "b"]);
        store.clear_tokens(&profile("a"), Generation(1), None).unwrap();
        assert_eq!(store.load(&profile("a.b")).unwrap().unwrap().tokens, draft("a.b").tokens);
    }

    fn deliveries_are_noted_once_per_place(store) {
        let dev = profile("dev");
        let mut again = delivery("dev", "file", "/a");
        store.record_delivery(&again).unwrap();
        store.record_delivery(&delivery("dev", "env", "/z")).unwrap();
        store.record_delivery(&delivery("prod", "file", "/b")).unwrap();
        again.fingerprint = store.fingerprint(b"new");
        store.record_delivery(&again).unwrap();
        assert_eq!(store.deliveries(&dev).unwrap(), [delivery("dev", "env", "/z"), again]);
        assert!(store.forget_delivery(&dev, "env", "/z").unwrap());
        assert!(!store.forget_delivery(&dev, "env", "/z").unwrap());
        assert_eq!(store.deliveries(&dev).unwrap().len(), 1);
    }

    fn the_last_delivery_to_a_file_counts_whatever_its_format_and_profile(store) {
        let (dev, prod) = (profile("dev"), profile("prod"));
        store.record_delivery(&delivery("dev", "json", "/a")).unwrap();
        store.record_delivery(&delivery("dev", "json", "/b")).unwrap();
        store.record_delivery(&delivery("prod", "json", "/c")).unwrap();
        store.record_delivery(&delivery("dev", "shell", "/a")).unwrap();
        let left = [delivery("dev", "json", "/b"), delivery("dev", "shell", "/a")];
        assert_eq!(store.deliveries(&dev).unwrap(), left);
        store.record_delivery(&delivery("prod", "shell", "/a")).unwrap();
        assert_eq!(store.deliveries(&dev).unwrap(), left[..1]);
        let left = [delivery("prod", "json", "/c"), delivery("prod", "shell", "/a")];
        assert_eq!(store.deliveries(&prod).unwrap(), left);
    }

    fn what_was_asked_for_with_a_delivery_comes_back(store) {
        let some = |text: &str| Some(text.to_owned());
        let wish = Wish {
            variant: some("renew"),
            name: some("DB.SCHEMA.\"x\""),
            place: some("secret"),
            field: some("client_secret"),
            template: some("/t"),
            values: some("00ff"),
            follow: true,
            reload: some("systemctl reload 'é' && echo \"\\\""),
        };
        let asked = Delivery { wish, ..delivery("dev", "vault", "/v") };
        store.record_delivery(&asked).unwrap();
        store.record_delivery(&delivery("dev", "file", "/a")).unwrap();
        store.rename(&profile("dev"), &profile("prod")).unwrap();
        let found = store.deliveries(&profile("prod")).unwrap();
        assert_eq!(found[0].wish, Wish::default());
        assert_eq!(found[1].wish, asked.wish);
        // Asked for again without it: it is gone.
        store.record_delivery(&Delivery { wish: Wish::default(), ..found[1].clone() }).unwrap();
        assert_eq!(store.deliveries(&profile("prod")).unwrap()[1].wish, Wish::default());
    }

    fn the_audit_keeps_order_and_can_be_cut(store) {
        for event in ["a", "b", "c", "d"] {
            store.append_audit(&audit_entry(if event == "b" { "prod" } else { "dev" }, event)).unwrap();
        }
        store.save(&profile("dev"), Generation::NONE, &draft("1"), Some(&audit_entry("dev", "e"))).unwrap();
        let events = |profile: Option<&str>, limit| {
            let profile = profile.map(crate::support::profile);
            let found = store.audit(profile.as_ref(), limit).unwrap();
            found.into_iter().map(|entry| entry.event).collect::<String>()
        };
        assert_eq!(events(None, 99), "abcde");
        assert_eq!(events(None, 2), "de");
        assert_eq!(events(Some("dev"), 99), "acde");
        assert_eq!(events(Some("prod"), 99), "b");
        assert_eq!(store.audit(None, 1).unwrap(), [audit_entry("dev", "e")]);
    }

    fn fingerprints_tell_same_from_different(store) {
        assert_eq!(store.fingerprint(b"a"), store.fingerprint(b"a"));
        assert_ne!(store.fingerprint(b"a"), store.fingerprint(b"b"));
    }

    fn the_probe_leaves_nothing_behind(store) {
        store.probe().unwrap();
        store.probe().unwrap();
        assert!(store.profiles().unwrap().is_empty());
    }
}

fn delivery(name: &str, format: &str, path: &str) -> Delivery {
    Delivery {
        profile: profile(name),
        format: format.into(),
        path: path.into(),
        fingerprint: [7; 32],
        at: now(),
        wish: Wish::default(),
    }
}

#[test]
fn a_store_can_be_shared_behind_its_trait() {
    let mut store: Box<dyn TokenStore> = Box::new(MemoryStore::new());
    std::thread::scope(|scope| {
        scope.spawn(|| store.probe().unwrap());
    });
}
