//! Quirks of re-issuing, refreshing and lifespans.

use snowtoken_stand_in::Client;

use crate::bench::{Bench, GENERIC};

#[test]
fn a_new_consent_brings_the_same_pair_and_prolongs_it() {
    let mut bench = Bench::new(&[]);
    let first = bench.grant();
    bench.later(1_000);
    let second = bench.grant();
    assert_eq!(first.body, second.body, "the same tokens, and the full time again");
    bench.later(1_799);
    assert!(bench.works(&first.text("access_token")), "its end was moved");
    bench.later(8_640_000 - 1_800);
    let refresh = first.text("refresh_token");
    assert_eq!(bench.refresh(&refresh, &[]).status, 200, "its end was moved, too");
    let mut bench = Bench::new(&[("grant.extends_refresh", "off")]);
    let refresh = bench.grant().text("refresh_token");
    bench.later(1_000);
    bench.grant();
    bench.later(8_640_000 - 1_000);
    bench.refresh(&refresh, &[]).is(401, GENERIC);
}

#[test]
fn a_new_consent_can_bring_a_new_pair() {
    let mut bench = Bench::new(&[("grant.reissue", "new")]);
    let (first, second) = (bench.grant(), bench.grant());
    assert_ne!(first.text("access_token"), second.text("access_token"));
    assert_ne!(first.text("refresh_token"), second.text("refresh_token"));
    assert!(bench.works(&first.text("access_token")));
}

#[test]
fn an_early_refresh_brings_the_same_access_token() {
    let cases = [("full", 1_799, true), ("remaining", 1_700, false), ("default", 1_799, false)];
    for (value, expires_in, moved) in cases {
        let mut bench = Bench::new(&[("expires_in.reissued", value)]);
        let granted = bench.grant();
        bench.later(100);
        let got = bench.refresh(&granted.text("refresh_token"), &[]);
        assert_eq!(got.text("access_token"), granted.text("access_token"));
        assert_eq!(got.json()["expires_in"], expires_in, "{value}");
        bench.later(1_700);
        assert_eq!(bench.works(&granted.text("access_token")), moved, "{value}");
    }
}

#[test]
fn an_early_refresh_can_bring_a_new_access_token() {
    for (value, old_works) in [("stays", true), ("dies", false)] {
        let knobs = [("refresh.access", "new-each-time"), ("refresh.old_access", value)];
        let mut bench = Bench::new(&knobs);
        let granted = bench.grant();
        let got = bench.refresh(&granted.text("refresh_token"), &[]);
        assert_ne!(got.text("access_token"), granted.text("access_token"));
        assert_eq!(bench.works(&granted.text("access_token")), old_works, "{value}");
    }
}

#[test]
fn the_refresh_token_may_be_left_out_or_empty() {
    let mut bench = Bench::new(&[("refresh.token", "omit")]);
    let granted = bench.grant();
    let got = bench.refresh(&granted.text("refresh_token"), &[]);
    assert_eq!((got.status, got.json().get("refresh_token")), (200, None));
    let mut bench = Bench::new(&[("refresh.token", "empty")]);
    let granted = bench.grant();
    assert_ne!(granted.text("refresh_token"), "");
    assert_eq!(bench.refresh(&granted.text("refresh_token"), &[]).text("refresh_token"), "");
}

#[test]
fn rotation_and_what_becomes_of_the_old_refresh_token() {
    let rotated = |replay: &str| {
        let mut bench = Bench::new(&[
            ("refresh.token", "rotate"),
            ("refresh.replay", replay),
            ("refresh.grace", "20"),
        ]);
        let old = bench.grant().text("refresh_token");
        let new = bench.refresh(&old, &[]).text("refresh_token");
        assert_ne!(old, new);
        (bench, old, new)
    };
    let (mut bench, old, new) = rotated("refused");
    bench.refresh(&old, &[]).is(401, GENERIC);
    assert_eq!(bench.refresh(&new, &[]).status, 200);
    let (mut bench, old, _) = rotated("grace");
    bench.later(19);
    assert_eq!(bench.refresh(&old, &[]).status, 200);
    bench.later(1);
    bench.refresh(&old, &[]).is(401, GENERIC);
    let (mut bench, old, new) = rotated("revoke-family");
    bench.refresh(&old, &[]).is(401, GENERIC);
    bench.refresh(&new, &[]).is(401, GENERIC);
}

#[test]
fn a_refresh_can_prolong() {
    let mut bench = Bench::new(&[("refresh.extends", "on")]);
    let refresh = bench.grant().text("refresh_token");
    bench.later(8_639_999);
    assert_eq!(bench.refresh(&refresh, &[]).status, 200);
    bench.later(8_639_999);
    assert_eq!(bench.refresh(&refresh, &[]).status, 200);
}

#[test]
fn lifespans_can_be_set_for_all() {
    let mut bench = Bench::new(&[
        ("lifespan.access", "10"),
        ("lifespan.refresh", "100"),
        ("lifespan.code", "5"),
    ]);
    let code = bench.code(&[]);
    bench.later(5);
    assert_eq!(bench.exchange(&code, &[]).status, 401);
    let granted = bench.grant();
    assert_eq!(granted.json()["expires_in"], 9);
    bench.later(10);
    assert!(!bench.works(&granted.text("access_token")));
    bench.later(90);
    assert_eq!(bench.refresh(&granted.text("refresh_token"), &[]).status, 401);
}

#[test]
fn a_changed_lifespan_touches_issued_tokens_or_not() {
    for (value, works) in [("new-tokens", true), ("retroactive", false)] {
        let mut bench = Bench::new(&[("lifespan.change", value)]);
        let access = bench.grant().text("access_token");
        let client = Client { access_token_lifespan: 60, ..bench.client.clone() };
        bench.instance.put_client(client);
        bench.later(61);
        assert_eq!(bench.works(&access), works, "{value}");
    }
}

#[test]
fn rotation_does_not_prolong() {
    let mut bench = Bench::new(&[("refresh.token", "rotate")]);
    let first = bench.grant().text("refresh_token");
    bench.later(8_639_000);
    let second = bench.refresh(&first, &[]).text("refresh_token");
    bench.later(999);
    let third = bench.refresh(&second, &[]).text("refresh_token");
    bench.later(1);
    bench.refresh(&third, &[]).is(401, GENERIC);
}
