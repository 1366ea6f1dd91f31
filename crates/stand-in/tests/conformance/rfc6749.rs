//! The authorization code grant and refreshing, in the default behaviour.

use crate::bench::{Bench, GENERIC, REDIRECT, query};

#[test]
fn the_whole_grant_ends_in_the_answer_of_the_transcripts() {
    let mut bench = Bench::new(&[]);
    let redirect = bench.redirect(&[]);
    assert!(redirect.starts_with(&format!("{REDIRECT}?code=")), "{redirect}");
    let mut answer = query(&redirect);
    assert_eq!(answer.remove("state").as_deref(), Some("abc123"));
    let code = answer.remove("code").unwrap();
    assert!(answer.is_empty(), "{answer:?}");
    assert_eq!(code.len(), 86);
    let got = bench.exchange(&code, &[]);
    let (access, refresh) = (got.text("access_token"), got.text("refresh_token"));
    got.is(
        200,
        &format!(
            r#"{{"access_token":"{access}","refresh_token":"{refresh}","scope":"useraccount","token_type":"Bearer","expires_in":1799}}"#
        ),
    );
    assert_eq!((access.len(), refresh.len()), (86, 86));
    assert_eq!(got.header("content-type"), Some("application/json;charset=utf-8"));
    assert_eq!(got.header("set-cookie"), None);
    assert!(bench.works(&access));
    assert!(!bench.works(&refresh), "a refresh token is no access token");
}

#[test]
fn the_same_seed_gives_the_same_tokens() {
    let first = Bench::new(&[]).grant().body;
    assert_eq!(first, Bench::new(&[]).grant().body);
}

#[test]
fn every_wrong_code_exchange_is_the_generic_401_and_the_syslog_knows_why() {
    let cases: [(&[(&str, &str)], &str); 10] = [
        (&[("client_secret", "wrong")], "invalid_client: wrong client_secret"),
        (&[("client_secret", "-")], "client_secret"),
        (&[("client_id", "nobody")], "invalid_client: no such client"),
        (&[("code", "nonsense")], "invalid_grant: no such code"),
        (&[("code", "-")], "invalid_grant: no such code"),
        (
            &[("redirect_uri", "http://localhost:8400/callback/")],
            "invalid_grant: redirect_uri does not match",
        ),
        (&[("redirect_uri", "-")], "invalid_grant: redirect_uri does not match"),
        (&[("grant_type", "code")], "unsupported grant_type: code"),
        (&[("grant_type", "-")], "unsupported grant_type: none"),
        (
            &[("grant_type", "password"), ("username", "admin"), ("password", "snow")],
            "unsupported grant_type: password",
        ),
    ];
    for (changes, cause) in cases {
        let mut bench = Bench::new(&[]);
        let code = bench.code(&[]);
        bench.exchange(&code, changes).is(401, GENERIC);
        assert_eq!(bench.cause(), format!("Exception on token flow - {cause}"), "{changes:?}");
        assert_eq!(bench.instance.syslog()[0].source, "com.glide.ui.ServletErrorListener");
    }
}

#[test]
fn a_code_lives_sixty_seconds_and_works_once() {
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[]);
    bench.later(59);
    assert_eq!(bench.exchange(&code, &[]).status, 200);
    bench.exchange(&code, &[]).is(401, GENERIC);
    assert!(bench.cause().ends_with("the code has been used"));
    let code = bench.code(&[]);
    bench.later(60);
    bench.exchange(&code, &[]).is(401, GENERIC);
    assert!(bench.cause().ends_with("the code has expired"));
}

#[test]
fn a_code_belongs_to_its_client() {
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[]);
    let other = bench.instance.put_client(snowtoken_stand_in::Client::default());
    assert_ne!(other.client_id, bench.client.client_id);
    bench
        .exchange(
            &code,
            &[("client_id", &other.client_id), ("client_secret", &other.client_secret)],
        )
        .is(401, GENERIC);
    assert_eq!(bench.exchange(&code, &[]).status, 200, "a stranger must not use the code up");
}

#[test]
fn a_parameter_must_not_come_twice() {
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[]);
    bench.exchange(&code, &[("state", "a"), ("state", "b")]).is(401, GENERIC);
    assert!(bench.cause().ends_with("state was sent twice"));
    assert_eq!(bench.exchange(&code, &[("state", "a")]).status, 200, "state is harmless");
}

#[test]
fn parameters_travel_in_a_posted_form_only() {
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[]);
    let (id, secret) = (bench.client.client_id.clone(), bench.client.client_secret.clone());
    let form = crate::bench::encoded(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("client_id", &id),
        ("client_secret", &secret),
    ]);
    bench.send("GET", &format!("/oauth_token.do?{form}"), &[], "").is(401, GENERIC);
    bench.send("POST", &format!("/oauth_token.do?{form}"), &[], "").is(401, GENERIC);
    let json = [("content-type", "application/json")];
    bench
        .send("POST", "/oauth_token.do", &json, r#"{"grant_type":"refresh_token"}"#)
        .is(401, GENERIC);
    assert!(bench.cause().ends_with("the body is not a form"));
    let kind = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    assert_eq!(bench.send("POST", "/oauth_token.do", &kind, &form).status, 200);
}

#[test]
fn http_basic_authenticates_a_client() {
    use base64::Engine as _;
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[]);
    let pair = format!("{}:{}", bench.client.client_id, bench.client.client_secret);
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let form = crate::bench::encoded(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
    ]);
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("authorization", basic.as_str())];
    let got = bench.send("POST", "/oauth_token.do", &headers, &form);
    assert_eq!(got.status, 200, "{}", got.body);
}

#[test]
fn a_refresh_brings_the_same_refresh_token_and_does_not_prolong_it() {
    let mut bench = Bench::new(&[]);
    let granted = bench.grant();
    let (access, refresh) = (granted.text("access_token"), granted.text("refresh_token"));
    bench.later(1_800);
    assert!(!bench.works(&access));
    let got = bench.refresh(&refresh, &[]);
    assert_eq!(got.text("refresh_token"), refresh);
    assert_ne!(got.text("access_token"), access);
    assert_eq!(got.json()["expires_in"], 1_799);
    bench.later(8_640_000 - 1_801);
    assert_eq!(bench.refresh(&refresh, &[]).status, 200);
    bench.later(1);
    bench.refresh(&refresh, &[]).is(401, GENERIC);
    assert!(bench.cause().contains("invalid_token: the refresh token has expired"));
}

#[test]
fn a_refresh_token_belongs_to_its_client_and_user() {
    let mut bench = Bench::new(&[]);
    let granted = bench.grant();
    let refresh = granted.text("refresh_token");
    let other = bench.instance.put_client(snowtoken_stand_in::Client::default());
    bench
        .refresh(
            &refresh,
            &[("client_id", &other.client_id), ("client_secret", &other.client_secret)],
        )
        .is(401, GENERIC);
    bench.refresh(&granted.text("access_token"), &[]).is(401, GENERIC);
    for field in ["locked_out", "password_needs_reset", "active"] {
        let mut user = bench.instance.user("abel.tuter").unwrap().clone();
        let untouched = user.clone();
        match field {
            "locked_out" => user.locked_out = true,
            "active" => user.active = false,
            _ => user.password_needs_reset = true,
        }
        bench.instance.put_user(user);
        bench.refresh(&refresh, &[]).is(401, GENERIC);
        bench.instance.put_user(untouched);
        assert_eq!(bench.refresh(&refresh, &[]).status, 200, "{field}");
    }
}

#[test]
fn an_inactive_client_gets_nothing() {
    let mut bench = Bench::new(&[]);
    let granted = bench.grant();
    let client = snowtoken_stand_in::Client { active: false, ..bench.client.clone() };
    bench.instance.put_client(client);
    bench.refresh(&granted.text("refresh_token"), &[]).is(401, GENERIC);
    assert!(!bench.works(&granted.text("access_token")));
    assert!(bench.authorize(&[]).body.contains("Invalid client_id"));
}
