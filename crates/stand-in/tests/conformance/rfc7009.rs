//! Revocation.

use crate::bench::{Bench, GENERIC};

const PATH: &str = "/oauth_revoke_token.do";

#[test]
fn a_token_is_all_that_is_needed_by_get_and_by_post() {
    let mut bench = Bench::new(&[]);
    let granted = bench.grant();
    let (access, refresh) = (granted.text("access_token"), granted.text("refresh_token"));
    bench.send("GET", &format!("{PATH}?token={refresh}"), &[], "").is(200, "");
    bench.refresh(&refresh, &[]).is(401, GENERIC);
    assert!(bench.works(&access), "only the named token ends");
    bench
        .post("/oauth_revoke.do", &[("token", &access), ("token_type_hint", "access_token")])
        .is(200, "");
    assert!(!bench.works(&access));
    bench.post(PATH, &[("token", "unknown")]).is(200, "");
    assert_eq!(bench.post(PATH, &[]).status, 400);
}

#[test]
fn after_a_revocation_a_new_consent_brings_new_tokens() {
    let mut bench = Bench::new(&[]);
    let first = bench.grant();
    for name in ["access_token", "refresh_token"] {
        bench.post(PATH, &[("token", &first.text(name))]);
    }
    let second = bench.grant();
    assert_ne!(first.text("access_token"), second.text("access_token"));
    assert_ne!(first.text("refresh_token"), second.text("refresh_token"));
}

#[test]
fn one_token_may_take_the_other_along() {
    let mut bench = Bench::new(&[("revoke.refresh_ends_access", "on")]);
    let granted = bench.grant();
    bench.post(PATH, &[("token", &granted.text("refresh_token"))]);
    assert!(!bench.works(&granted.text("access_token")));
    let mut bench = Bench::new(&[("revoke.access_ends_refresh", "on")]);
    let granted = bench.grant();
    bench.post(PATH, &[("token", &granted.text("access_token"))]);
    bench.refresh(&granted.text("refresh_token"), &[]).is(401, GENERIC);
}

#[test]
fn only_one_of_the_endpoints_may_exist() {
    let mut bench = Bench::new(&[("revoke.paths", "/oauth_revoke.do")]);
    assert_eq!(bench.post(PATH, &[("token", "x")]).status, 404);
    assert_eq!(bench.post("/oauth_revoke.do", &[("token", "x")]).status, 200);
    let mut bench = Bench::new(&[("revoke.paths", "/oauth_revoke_token.do")]);
    assert_eq!(bench.post(PATH, &[("token", "x")]).status, 200);
    assert_eq!(bench.post("/oauth_revoke.do", &[("token", "x")]).status, 404);
}

#[test]
fn status_and_effect_are_two_things() {
    // (knob, value, status, does the token still work)
    let cases = [
        ("revoke.status", "204", 204, false),
        ("revoke.status", "302", 302, false),
        ("revoke.status", "400", 400, false),
        ("revoke.status", "401", 401, false),
        ("revoke.status", "404", 404, true),
        ("revoke.status", "503", 503, true),
        ("revoke.effect", "ignored", 200, true),
    ];
    for (knob, value, status, works) in cases {
        let mut bench = Bench::new(&[(knob, value)]);
        let access = bench.grant().text("access_token");
        let got = bench.post(PATH, &[("token", &access)]);
        assert_eq!(got.status, status, "{value}");
        assert_eq!(got.header("retry-after"), (status == 503).then_some("30"));
        assert_eq!(bench.works(&access), works, "{value}");
    }
}

#[test]
fn the_body_may_be_a_page() {
    let mut bench = Bench::new(&[("revoke.body", "html")]);
    let access = bench.grant().text("access_token");
    let got = bench.post(PATH, &[("token", &access)]);
    assert!(got.body.contains("<h1>Token revoked</h1>"));
    let mut bench = Bench::new(&[("revoke.body", "json")]);
    bench.post(PATH, &[("token", "x")]).is(200, r#"{"result":"ok"}"#);
}

#[test]
fn an_unknown_token_may_be_told_apart() {
    for (value, status) in [("400", 400), ("401", 401)] {
        let mut bench = Bench::new(&[("revoke.unknown", value)]);
        let access = bench.grant().text("access_token");
        assert_eq!(bench.post(PATH, &[("token", "x")]).status, status);
        assert_eq!(bench.post(PATH, &[("token", &access)]).status, 200);
    }
}
