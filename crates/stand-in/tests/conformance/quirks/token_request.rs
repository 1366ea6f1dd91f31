//! Quirks of what the token endpoint accepts and how it refuses.

use snowtoken_stand_in::Client;

use crate::bench::{Bench, Fields, GENERIC, REDIRECT};

#[test]
fn two_tables_of_scopes_disagree() {
    let client =
        Client { scopes: vec!["old".into()], auth_scopes: vec!["new".into()], ..Client::default() };
    let mut bench = Bench::with(&[], client.clone());
    for (scope, status) in [("old", 200), ("new", 401)] {
        let code = bench.code(&[("scope", scope)]);
        assert_eq!(bench.exchange(&code, &[]).status, status);
    }
    let mut bench = Bench::with(&[("scope.table", "oauth_entity_auth_scope_mapping")], client);
    let code = bench.code(&[("scope", "new")]);
    assert_eq!(bench.exchange(&code, &[]).text("scope"), "new");
}

#[test]
fn an_empty_scope_is_absent_or_unknown() {
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[("scope", "")]);
    assert_eq!(bench.exchange(&code, &[]).text("scope"), "useraccount");
    let mut bench = Bench::new(&[("scope.empty", "refused")]);
    let code = bench.code(&[("scope", "")]);
    bench.exchange(&code, &[]).is(401, GENERIC);
}

#[test]
fn codes_can_be_long_reusable_or_tolerant() {
    let mut bench = Bench::new(&[("code.length", "16384")]);
    let code = bench.code(&[]);
    assert_eq!((code.len(), bench.exchange(&code, &[]).status), (16_384, 200));
    let mut bench = Bench::new(&[("code.reuse", "accepted")]);
    let code = bench.code(&[]);
    assert_eq!((bench.exchange(&code, &[]).status, bench.exchange(&code, &[]).status), (200, 200));
    let mut bench = Bench::new(&[("code.reuse", "refused-and-revoked")]);
    let code = bench.code(&[]);
    let access = bench.exchange(&code, &[]).text("access_token");
    assert!(bench.works(&access));
    assert_eq!((bench.exchange(&code, &[]).status, bench.works(&access)), (401, false));
    for (value, second) in [("burnt", 401), ("kept", 200)] {
        let mut bench = Bench::new(&[("code.failed_attempt", value)]);
        let code = bench.code(&[]);
        assert_eq!(bench.exchange(&code, &[("redirect_uri", "-")]).status, 401);
        assert_eq!(bench.exchange(&code, &[]).status, second, "{value}");
    }
}

#[test]
fn parameters_in_the_url_work_where_the_property_is_off() {
    let mut bench = Bench::new(&[("token.body_only", "off")]);
    let code = bench.code(&[]);
    let (id, secret) = (bench.client.client_id.clone(), bench.client.client_secret.clone());
    let fields: Fields<'_> = &[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("client_id", &id),
        ("client_secret", &secret),
    ];
    let target = format!("/oauth_token.do?{}", crate::bench::encoded(fields));
    assert_eq!(bench.send("GET", &target, &[], "").status, 200);
}

#[test]
fn basic_has_its_own_quirks() {
    use base64::Engine as _;
    let ask = |knobs: Fields<'_>, secret: &str, sent: &str, extra: Fields<'_>| {
        let client =
            Client { client_id: "id".into(), client_secret: secret.into(), ..Client::default() };
        let mut bench = Bench::with(knobs, client);
        let refresh = bench.grant().text("refresh_token");
        let basic = base64::engine::general_purpose::STANDARD.encode(sent);
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        fields.extend(extra);
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("authorization", &format!("Basic {basic}")),
        ];
        bench.send("POST", "/oauth_token.do", &headers, &crate::bench::encoded(&fields)).status
    };
    assert_eq!(ask(&[], "a:b%41", "id:a:b%41", &[]), 200);
    assert_eq!(ask(&[("client_auth.basic", "refused")], "s", "id:s", &[]), 401);
    assert_eq!(ask(&[("client_auth.basic_decoding", "form")], "a+b", "id:a%2Bb", &[]), 200);
    assert_eq!(ask(&[], "a+b", "id:a%2Bb", &[]), 401);
    assert_eq!(ask(&[("client_auth.basic_colon", "last")], "a:b", "id:a:b", &[]), 401);
    let both = [("client_id", "id"), ("client_secret", "s")];
    assert_eq!(ask(&[], "s", "id:s", &both), 401);
    assert_eq!(ask(&[("client_auth.both", "accepted")], "s", "id:s", &both), 200);
}

#[test]
fn unsupported_grants_have_three_answers() {
    let mut bench = Bench::new(&[("grant_type.unsupported", "rfc")]);
    let got = bench.exchange("x", &[("grant_type", "password")]);
    assert_eq!((got.status, got.text("error").as_str()), (400, "unsupported_grant_type"));
    let mut bench = Bench::new(&[("grant_type.unsupported", "empty")]);
    bench.exchange("x", &[("grant_type", "password")]).is(401, "");
}

#[test]
fn errors_can_speak_the_language_of_the_rfc() {
    let mut bench = Bench::new(&[("token.errors", "rfc")]);
    let code = bench.code(&[]);
    bench
        .exchange("nonsense", &[])
        .is(400, r#"{"error":"invalid_grant","error_description":"invalid_grant: no such code"}"#);
    let got = bench.exchange(&code, &[("client_secret", "wrong")]);
    assert_eq!((got.status, got.text("error").as_str()), (401, "invalid_client"));
}

#[test]
fn client_credentials_need_a_property_and_a_user() {
    let ask = |knobs: Fields<'_>, user: &str| {
        let client = Client { client_id: "cc".into(), user: user.into(), ..Client::default() };
        let mut bench = Bench::with(knobs, client);
        let got =
            bench.exchange("-", &[("grant_type", "client_credentials"), ("redirect_uri", "-")]);
        (bench, got)
    };
    ask(&[], "abel.tuter").1.is(401, GENERIC);
    let on: Fields<'_> = &[("client_credentials.enabled", "on")];
    ask(on, "").1.is(
        400,
        r#"{"error":"unauthorized_client","error_description":"Received client_credentials grant_type request however integration user is not configured for OAuth:cc"}"#,
    );
    let (mut bench, got) = ask(on, "abel.tuter");
    assert_eq!((got.status, got.json().get("refresh_token")), (200, None));
    assert!(bench.works(&got.text("access_token")));
}

#[test]
fn an_mfa_policy_breaks_token_calls_with_cookies() {
    for (value, status) in [("ignored", 200), ("refused", 401)] {
        let mut bench = Bench::new(&[("token.cookie_session", value)]);
        let refresh = bench.grant().text("refresh_token");
        let (id, secret) = (bench.client.client_id.clone(), bench.client.client_secret.clone());
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &refresh),
            ("client_id", &id),
            ("client_secret", &secret),
        ];
        assert_eq!(bench.browse("POST", "/oauth_token.do", &fields).status, status);
        bench.forget_cookies();
        assert_eq!(bench.browse("POST", "/oauth_token.do", &fields).status, 200);
    }
}

#[test]
fn error_answers_can_carry_more() {
    let mut bench = Bench::new(&[("token.error_echo", "on")]);
    let body = bench.exchange("x", &[("client_secret", "leak-me")]).body;
    assert!(body.contains("client_secret=leak-me"), "{body}");
    let mut bench = Bench::new(&[("token.www_authenticate", "on")]);
    let got = bench.exchange("x", &[]);
    assert_eq!(got.header("www-authenticate"), Some("BASIC realm=\"Service-now\""));
    let mut bench = Bench::new(&[("token.cookies", "on")]);
    assert!(bench.exchange("x", &[]).header("set-cookie").is_some());
}

#[test]
fn the_token_endpoint_can_be_rate_limited() {
    let mut bench = Bench::new(&[("token.rate_limit", "2"), ("retry_after", "17")]);
    let refresh = bench.grant().text("refresh_token");
    assert_eq!(bench.refresh(&refresh, &[]).status, 200);
    let got = bench.refresh(&refresh, &[]);
    assert_eq!((got.status, got.header("retry-after")), (429, Some("17")));
    assert!(got.body.starts_with(r#"{"error":{"message":"Rate limit exceeded""#), "{}", got.body);
    bench.later(3_600);
    assert_eq!(bench.refresh(&refresh, &[]).status, 200);
}

#[test]
fn oauth_can_be_off_and_addresses_refused() {
    let mut bench = Bench::new(&[("oauth.active", "off")]);
    assert_eq!(bench.authorize(&[]).status, 404);
    assert_eq!(bench.exchange("x", &[]).status, 404);
    let mut bench = Bench::new(&[("ip_access", "refused")]);
    let got = bench.exchange("x", &[]);
    assert_eq!(got.status, 403);
    assert!(got.body.contains("Security restricted: Access restricted"));
    let mut bench = Bench::new(&[("ip_access", "dropped")]);
    let request = http::Request::get("/").body(Vec::new()).unwrap();
    assert_eq!(bench.instance.answer(bench.now, request).network.limit, Some(0));
}
