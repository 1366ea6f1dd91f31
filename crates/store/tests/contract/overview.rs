//! All profiles at once: every look says the same, and none of them opens a secret.

use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::Generation;
use snowtoken_store::sqlite::{Glance, Holding, SqliteStore};
use snowtoken_store::{Delivery, Draft, RecordState, Standing, TokenStore as _, Wish};

use crate::support::{Place, at, client, draft, now, profile};

/// Profiles in every state, made in no order, and some that only have other things stored.
fn fleet(store: &mut SqliteStore) {
    let (rejected, handed_over) = (at("2026-11-20T00:00:00Z"), at("2026-11-21T00:00:00Z"));
    for (name, state) in [
        ("p10", RecordState::Held),
        ("b", RecordState::Rejected { at: rejected }),
        ("p1", RecordState::HandedOver { at: handed_over }),
        ("a.b", RecordState::RevocationPending { since: rejected }),
    ] {
        let mut draft = Draft { state, ..draft(name) };
        if name == "b" {
            draft.user = None;
            draft.tokens.refresh_expires_at = None;
        }
        store.save(&profile(name), Generation::NONE, &draft, None).unwrap();
    }
    store.save(&profile("c"), Generation::NONE, &draft("c"), None).unwrap();
    store.clear_tokens(&profile("c"), Generation(1), None).unwrap();
    for name in ["a.b", "only-a-secret"] {
        store.set_client_secret(&profile(name), &client(name), &Secret::new("s")).unwrap();
    }
    for (name, path) in [("p1", "/y"), ("p1", "/x"), ("zz", "/z")] {
        let (path, format) = (path.to_owned(), "json".to_owned());
        let (fingerprint, wish) = ([0; 32], Wish::default());
        let delivery =
            Delivery { profile: profile(name), format, path, fingerprint, at: now(), wish };
        store.record_delivery(&delivery).unwrap();
    }
}

fn standings(store: &SqliteStore) -> Vec<Standing> {
    let mut all = Vec::new();
    store.standings(&mut |standing| all.push(standing)).unwrap();
    all
}

fn holdings(store: &SqliteStore) -> Vec<Holding> {
    let mut all = Vec::new();
    store.holdings(&mut |holding| all.push(holding)).unwrap();
    all
}

#[test]
fn a_glance_is_the_plain_side_of_the_tokens() {
    let place = Place::new();
    let mut store = place.make();
    fleet(&mut store);
    let standings = standings(&store);
    let mut expected = standings
        .iter()
        .filter_map(|one| one.held.as_ref().map(|held| Glance::of(&one.profile, held)));
    let mut names = Vec::new();
    store
        .glances(&mut |glance| {
            names.push(glance.profile.to_owned());
            assert_eq!(Some(glance), expected.next());
        })
        .unwrap();
    assert_eq!(names, ["a.b", "b", "p1", "p10"]);
    assert_eq!(expected.next(), None);
}

#[test]
fn a_holding_is_everything_of_a_profile_in_the_order_of_names() {
    let place = Place::new();
    let mut store = place.make();
    fleet(&mut store);
    let all = holdings(&store);
    let names: Vec<&str> = all.iter().map(|one| one.profile.as_str()).collect();
    assert_eq!(names, ["a.b", "b", "c", "only-a-secret", "p1", "p10", "zz"]);
    for holding in &all {
        let name = profile(&holding.profile);
        assert_eq!(*holding, store.holding(&name).unwrap());
        assert_eq!(holding.standing, store.standing(&name).unwrap());
    }
    assert_eq!(all[0].client_secret, Some(client("a.b")));
    assert_eq!(all[4].delivered, ["/x", "/y"]);
    assert!(all[2].standing.as_ref().unwrap().held.is_none());
    assert!(all[3].standing.is_none() && all[6].standing.is_none());
    assert_eq!(Place::new().make().holding(&profile("x")).unwrap().standing, None);
}

/// Whoever opened a sealed value, or asked for its place, would meet the damage.
#[test]
fn nothing_that_is_sealed_is_opened() {
    let place = Place::new();
    let mut store = place.make();
    fleet(&mut store);
    let before = (standings(&store), holdings(&store));
    let database = rusqlite::Connection::open(place.database()).unwrap();
    for change in [
        "UPDATE token_set SET access_token = x'00', refresh_token = x'00', user = x'00', seal = x''",
        "UPDATE client_secret SET secret = x'00'",
    ] {
        assert!(database.execute(change, []).unwrap() > 0);
    }
    assert!(store.load(&profile("p10")).is_err());
    assert_eq!((standings(&store), holdings(&store)), before);
    let mut count = 0;
    store.glances(&mut |_| count += 1).unwrap();
    assert_eq!(count, 4);
}

/// A row that nobody could have written is damage, and is told as such.
#[test]
fn a_row_that_makes_no_sense_is_damage() {
    for change in [
        "state = 'wandering'",
        "state = 'rejected', state_at = NULL",
        "access_expires_at = NULL",
        "access_expiry_known_by = 'guessed'",
        "access_expires_at = 9223372036854775807",
    ] {
        let place = Place::new();
        let mut store = place.make();
        fleet(&mut store);
        let database = rusqlite::Connection::open(place.database()).unwrap();
        let sql = format!("UPDATE standing SET {change} WHERE profile = 'p10'");
        assert_eq!(database.execute(&sql, []).unwrap(), 1);
        for error in [store.glances(&mut |_| {}), store.holdings(&mut |_| {})] {
            let error = error.unwrap_err();
            assert!(error.to_string().contains("damaged"), "{change}: {error}");
        }
    }
}
