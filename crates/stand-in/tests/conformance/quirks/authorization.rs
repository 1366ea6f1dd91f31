//! Quirks of the authorization endpoint and of the redirect.

use snowtoken_stand_in::Client;

use crate::bench::{Bench, GENERIC, REDIRECT, query};

#[test]
fn state_is_required_unless_the_property_is_off() {
    let mut bench = Bench::new(&[]);
    for state in ["-", "", " "] {
        let got = bench.authorize(&[("state", state)]);
        assert_eq!(got.status, 200);
        assert!(got.body.contains("Missing State parameter in request."), "{}", got.body);
    }
    let mut bench = Bench::new(&[("state.required", "off")]);
    assert!(!bench.redirect(&[("state", "-")]).contains("state"));
}

#[test]
fn error_pages_have_the_status_of_the_knob() {
    for status in ["400", "401", "500"] {
        let mut bench = Bench::new(&[("error_page.status", status)]);
        let got = bench.authorize(&[("redirect_uri", "https://evil.example/")]);
        assert_eq!(got.status.to_string(), status);
        assert!(got.body.contains("Invalid redirect_uri"));
    }
}

#[test]
fn the_checks_come_in_the_order_of_the_documentation() {
    let mut bench = Bench::new(&[]);
    let wrong = [("state", "-"), ("client_id", "x"), ("redirect_uri", "x"), ("response_type", "x")];
    let texts = [
        "Missing State parameter in request.",
        "Invalid client_id",
        "Invalid redirect_uri",
        "Invalid response_type",
    ];
    for (first, text) in texts.iter().enumerate() {
        let got = bench.authorize(&wrong[first..]);
        assert!(got.body.contains(text), "{text}: {}", got.body);
        assert_eq!(got.header("location"), None);
    }
}

#[test]
fn redirect_uris_are_compared_character_by_character() {
    let mut bench = Bench::new(&[]);
    for uri in [
        "http://localhost:8400/callback/",
        "http://localhost:8401/callback",
        "https://localhost:8400/callback",
        "http://LOCALHOST:8400/callback",
        "",
    ] {
        assert!(
            bench.authorize(&[("redirect_uri", uri)]).body.contains("Invalid redirect_uri"),
            "{uri}"
        );
    }
    let mut bench = Bench::new(&[("redirect.mismatch", "first-url")]);
    let redirect = bench.redirect(&[("redirect_uri", "https://elsewhere.example/")]);
    assert!(redirect.starts_with("https://us-west-2.console.aws.amazon.com/appflow/oauth?code="));
}

#[test]
fn an_omitted_redirect_uri_is_the_first_one() {
    let mut bench = Bench::new(&[]);
    let redirect = bench.redirect(&[("redirect_uri", "-")]);
    assert!(redirect.starts_with("https://us-west-2.console.aws.amazon.com/appflow/oauth?code="));
    let code = query(&redirect)["code"].clone();
    assert_eq!(bench.exchange(&code, &[("redirect_uri", "-")]).status, 200);
    let mut bench = Bench::new(&[("redirect.omitted", "page")]);
    assert!(bench.authorize(&[("redirect_uri", "-")]).body.contains("Invalid redirect_uri"));
}

#[test]
fn the_loopback_port_can_be_free() {
    let mut bench = Bench::new(&[("redirect.loopback_port", "any")]);
    let uri = "http://127.0.0.1:50001/callback";
    let redirect = bench.redirect(&[("redirect_uri", uri)]);
    assert!(redirect.starts_with("http://127.0.0.1:50001/callback?code="), "{redirect}");
    let got = bench.authorize(&[("redirect_uri", "http://127.0.0.1:50001/other")]);
    assert!(got.body.contains("Invalid redirect_uri"));
    let got = bench
        .authorize(&[("redirect_uri", "https://us-west-2.console.aws.amazon.com:8/appflow/oauth")]);
    assert!(got.body.contains("Invalid redirect_uri"));
}

#[test]
fn a_query_of_the_redirect_uri_has_three_fates() {
    let uri = "http://localhost:1/cb?a=1";
    let cases = [
        ("append", "http://localhost:1/cb?a=1&code="),
        ("question-mark", "http://localhost:1/cb?a=1?code="),
        ("drop", "http://localhost:1/cb?code="),
    ];
    for (value, start) in cases {
        let client = Client { redirect_urls: vec![uri.into()], ..Client::default() };
        let mut bench = Bench::with(&[("redirect.query", value)], client);
        let redirect = bench.redirect(&[("redirect_uri", uri)]);
        assert!(redirect.starts_with(start), "{redirect}");
    }
}

#[test]
fn other_response_types_can_be_redirected() {
    let mut bench = Bench::new(&[("response_type.other", "redirect-error")]);
    let got = bench.authorize(&[("response_type", "token")]);
    let expected = format!("{REDIRECT}?error=unsupported_response_type&state=abc123");
    assert_eq!(got.header("location"), Some(expected.as_str()));
}

#[test]
fn scope_can_be_demanded_and_is_checked_at_the_token_endpoint_only() {
    let mut bench = Bench::new(&[("scope.required", "on")]);
    assert!(bench.authorize(&[]).body.contains("Missing scope parameter"));
    assert_eq!(bench.authorize(&[("scope", "useraccount")]).status, 302);
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[("scope", "no_such_scope")]);
    bench.exchange(&code, &[]).is(401, GENERIC);
    let cause = "Exception on token flow - invalid_scope: The provided OAuth token is not valid";
    assert_eq!(bench.cause(), cause);
}

#[test]
fn deny_has_four_faces() {
    let cases = [
        ("redirect-error", Some("http://localhost:8400/callback?error=access_denied&state=abc123")),
        (
            "redirect-error-without-state",
            Some("http://localhost:8400/callback?error=access_denied"),
        ),
        ("redirect-bare", Some(REDIRECT)),
        ("page", None),
    ];
    for (value, location) in cases {
        let mut bench = Bench::new(&[("deny", value)]);
        let got = bench.decide(&[], "deny");
        assert_eq!(got.header("location"), location, "{value}");
        assert_eq!(bench.authorize(&[]).status, 200, "the person is still signed in");
    }
}

#[test]
fn what_comes_back_beside_the_code_can_be_wrong() {
    let cases: [(&str, &str, &str); 6] = [
        ("callback.state", "missing", ""),
        ("callback.state", "altered", "&state=abc123x"),
        ("callback.state", "twice", "&state=abc123&state=abc123"),
        ("callback.iss", "present", "&state=abc123&iss=http%3A%2F%2Fpretend%3A80"),
        ("callback.iss", "wrong", "&state=abc123&iss=https%3A%2F%2Fanother.service-now.com"),
        ("callback.extra_hop", "off", "&state=abc123"),
    ];
    for (knob, value, rest) in cases {
        let mut bench = Bench::new(&[(knob, value)]);
        let redirect = bench.redirect(&[]);
        let code = query(&redirect)["code"].clone();
        assert_eq!(redirect, format!("{REDIRECT}?code={code}{rest}"), "{knob}={value}");
    }
}

#[test]
fn an_additional_hop_stands_before_the_redirect() {
    let hops = |bench: &Bench| {
        let log = bench.instance.transactions();
        log.iter().filter(|line| line.url.ends_with("&logoutfirst=false")).count()
    };
    let mut bench = Bench::new(&[]);
    bench.redirect(&[]);
    assert_eq!(hops(&bench), 1);
    let mut bench = Bench::new(&[("callback.extra_hop", "off")]);
    bench.redirect(&[]);
    assert_eq!(hops(&bench), 0);
    // The hop alone gives nothing: it is the consent that counts.
    let url = format!("{}&logoutfirst=false", bench.authorization_url(&[]));
    assert!(bench.browse("GET", &url, &[]).body.contains("sysparm_ck"));
}

#[test]
fn consent_is_asked_every_time_once_or_never() {
    let asked = |bench: &mut Bench| bench.authorize(&[]).body.contains("sysparm_ck");
    let mut bench = Bench::new(&[]);
    bench.redirect(&[]);
    assert!(asked(&mut bench));
    let mut bench = Bench::new(&[("consent.repeat", "once")]);
    bench.sign_in("abel.tuter");
    assert!(asked(&mut bench));
    bench.redirect_once_more();
    assert!(!asked(&mut bench));
    let mut bench = Bench::new(&[("consent.repeat", "never")]);
    bench.sign_in("abel.tuter");
    assert!(!asked(&mut bench));
}

impl Bench {
    fn redirect_once_more(&mut self) {
        let page = self.authorize(&[]);
        let got = self.press(&page, "authorize");
        assert!(got.header("location").is_some());
    }
}

#[test]
fn discovery_is_absent_unless_the_knob_says_otherwise() {
    let path = "/.well-known/openid-configuration";
    assert_eq!(Bench::new(&[]).send("GET", path, &[], "").status, 404);
    let got = Bench::new(&[("well_known", "present")]).send("GET", path, &[], "");
    assert_eq!(got.text("token_endpoint"), "http://pretend:80/oauth_token.do");
}
