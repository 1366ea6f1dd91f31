//! Quirks of what a token answer looks like.

use snowtoken_stand_in::Client;

use crate::bench::Bench;

#[test]
fn expires_in_comes_in_many_forms() {
    let cases = [
        ("expires_in.form", "string", r#","expires_in":"1799"}"#),
        ("expires_in.form", "float", r#","expires_in":1799.5}"#),
        ("expires_in.form", "negative", r#","expires_in":-1}"#),
        ("expires_in.form", "zero", r#","expires_in":0}"#),
        ("expires_in.form", "null", r#","expires_in":null}"#),
        ("expires_in.form", "huge", r#","expires_in":18446744073709551615}"#),
        ("expires_in.form", "missing", r#","token_type":"Bearer"}"#),
        ("expires_in.fresh", "full", r#","expires_in":1800}"#),
    ];
    for (knob, value, end) in cases {
        let mut bench = Bench::new(&[(knob, value)]);
        let body = bench.grant().body;
        assert!(body.ends_with(end), "{body}");
    }
}

#[test]
fn token_answers_can_be_odd_or_broken() {
    let cases = [
        ("token.type", "bearer", r#""token_type":"bearer""#),
        ("token.type", "BEARER", r#""token_type":"BEARER""#),
        ("token.type", "mac", r#""token_type":"mac""#),
        ("token.type", "missing", r#""scope":"useraccount","expires_in":"#),
        ("token.members", "id_token", r#""expires_in":1799,"id_token":"ey"#),
        ("token.members", "format", r#""expires_in":1799,"format":"JSON"}"#),
        ("token.members", "unknown", r#""x_unknown":{"nested":"#),
        ("token.shape", "array", r#"[{"access_token":"#),
        ("token.shape", "null", "null"),
        ("token.shape", "twice", r#"}{"access_token":"#),
        ("token.shape", "bom", "\u{feff}{"),
        ("token.shape", "no-access-token", r#"{"refresh_token":"#),
        ("token.shape", "empty-access-token", r#"{"access_token":"","#),
        (
            "token.key_order",
            "docs",
            r#"{"scope":"useraccount","token_type":"Bearer","expires_in":1799,"refresh_token":"#,
        ),
        ("scope.granted", "wider", r#""scope":"useraccount admin""#),
        ("token.marker", "CANARY", r#"{"access_token":"CANARY"#),
    ];
    for (knob, value, part) in cases {
        let mut bench = Bench::new(&[(knob, value)]);
        let body = bench.grant().body;
        assert!(body.contains(part), "{knob}={value}: {body}");
        assert!(!Bench::new(&[]).grant().body.contains(part), "{part} is no difference");
    }
}

#[test]
fn a_narrower_scope_or_none_can_be_granted() {
    let client = Client { scopes: vec!["a".into(), "b".into()], ..Client::default() };
    let mut bench = Bench::with(&[("scope.granted", "narrower")], client);
    let code = bench.code(&[("scope", "a b")]);
    assert_eq!(bench.exchange(&code, &[]).text("scope"), "a");
}

#[test]
fn the_content_type_of_a_token_answer_varies() {
    let cases = [
        ("json", Some("application/json")),
        ("html", Some("text/html;charset=UTF-8")),
        ("missing", None),
    ];
    for (value, kind) in cases {
        let mut bench = Bench::new(&[("token.content_type", value)]);
        assert_eq!(bench.grant().header("content-type"), kind);
    }
}

#[test]
fn token_formats() {
    let mut bench = Bench::new(&[("token.format", "jwt")]);
    let granted = bench.grant();
    let access = granted.text("access_token");
    assert!(access.starts_with("eyJ") && access.split('.').count() == 3, "{access}");
    assert_eq!(granted.text("refresh_token").len(), 86);
    assert!(bench.works(&access));
    let client = Client { token_format: "jwt".into(), ..Client::default() };
    assert!(Bench::with(&[], client.clone()).grant().text("access_token").starts_with("eyJ"));
    let opaque = Bench::with(&[("token.format", "opaque")], client).grant().text("access_token");
    assert_eq!(opaque.len(), 86);
    let short = Bench::new(&[("token.length", "75")]).grant().text("access_token");
    assert_eq!(short.len(), 75);
}
