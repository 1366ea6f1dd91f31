//! What the authorization endpoint tells.

use super::*;
use crate::secret::Body;
use crate::servicenow::Page;

fn answer(status: u16, location: Option<&str>, body: &str) -> Front {
    let mut builder = http::Response::builder().status(status);
    if let Some(location) = location {
        builder = builder.header("location", location);
    }
    read_front(&builder.body(Body::from(body.as_bytes().to_vec())).unwrap(), &subject())
}

#[test]
fn awake_or_not() {
    for (said, expected) in [
        (Front::SignIn, "pass"),
        // The token endpoint answers, so it is the instance.
        (Front::NotFound, "pass"),
        (Front::Page(Page::Hibernating), "fail:instance-asleep"),
        (Front::Page(Page::Offline), "fail:instance-offline"),
        (Front::RateLimited, "fail:rate-limited"),
        (Front::Unavailable(503), "fail:instance-busy"),
    ] {
        check(Step::Awake, expected, |_, _, seen| seen.front = Some(Ok(front(said))));
    }
    let portal = || Front::Strange(200, Some("Welcome to our guest network".into()));
    for said in [portal(), Front::NotFound, Front::Elsewhere("portal.example".into())] {
        check(Step::Awake, "unknown:not-told", |_, _, seen| {
            (seen.front, seen.token) = (Some(Ok(front(said))), Some(Err(silence(Code::TimedOut))));
        });
    }
    check(Step::Awake, "fail:timed-out", |_, _, seen| {
        seen.front = Some(Err(silence(Code::TimedOut)));
    });
    check(Step::Awake, "unknown:not-asked", |_, _, seen| seen.front = None);
}

#[test]
fn the_clock() {
    for (ahead, expected) in [
        (0, "pass"),
        (29, "pass"),
        (-29, "pass"),
        (30, "warn"),
        (-299, "warn"),
        (300, "fail:clock-skewed"),
        (-300, "fail:clock-skewed"),
        (-90_000_000, "fail:clock-skewed"),
    ] {
        check(Step::Clock, expected, |_, _, seen| {
            let (date, at) = (Some(after(-ahead)), now());
            seen.front = Some(Ok(FrontSeen { front: Front::SignIn, date, at }));
        });
    }
    let dateless = FrontSeen { front: Front::SignIn, date: None, at: now() };
    check(Step::Clock, "unknown:not-told", |_, _, seen| seen.front = Some(Ok(dateless)));
    check(Step::Clock, "unknown:not-told", |_, _, seen| {
        seen.front = Some(Err(silence(Code::TimedOut)));
    });
    let mut seen = all_good();
    seen.front = Some(Ok(FrontSeen { front: Front::SignIn, date: Some(after(360)), at: now() }));
    let Verdict::Fail(fault) = verdict(&subject(), None, &seen, Step::Clock) else { panic!() };
    assert_eq!(fault.to_string(), "this machine's clock is 6 min behind the instance's");
}

#[test]
fn the_authorization_endpoint() {
    for (said, expected) in [
        (Front::SignIn, "pass"),
        (Front::BackToClient(None), "pass"),
        (Front::Refused(Complaint::State), "pass"),
        (Front::NotFound, "fail:endpoint-missing"),
        (Front::Forbidden, "fail:address-refused"),
        (Front::Elsewhere("idp.example".into()), "unknown:not-told"),
        (Front::Strange(418, None), "unknown:not-told"),
    ] {
        check(Step::AuthorizationEndpoint, expected, |_, _, seen| {
            seen.front = Some(Ok(front(said)));
        });
    }
}

#[test]
fn the_client() {
    let told = |said: Front| {
        |_: &mut Subject, standing: &mut Option<Standing>, seen: &mut Evidence| {
            (*standing, seen.front) = (None, Some(Ok(front(said))));
        }
    };
    let token = |answer: TokenAnswer| {
        |_: &mut Subject, standing: &mut Option<Standing>, seen: &mut Evidence| {
            (*standing, seen.token) = (None, Some(Ok(answer)));
        }
    };
    let record = |active| {
        move |_: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| {
            seen.record = Some(WholeRecord { active, ..WholeRecord::default() });
        }
    };
    check(Step::Client, "pass", told(Front::SignIn));
    check(Step::Client, "fail:client-unknown", told(Front::Refused(Complaint::Client)));
    check(Step::Client, "unknown:not-told", told(Front::Refused(Complaint::RedirectUri)));
    check(Step::Client, "pass", told(Front::BackToClient(Some("invalid_request".into()))));
    // It proves nothing where a client that does not exist is let in as well.
    for other in [Some(Ok(Front::SignIn)), Some(Err(silence(Code::TimedOut))), None] {
        check(Step::Client, "unknown:not-told", |_, standing, seen| {
            (*standing, seen.other_client) = (None, other);
        });
    }
    check(Step::Client, "unknown:not-told", told(Front::Strange(200, None)));
    check(Step::Client, "unknown:not-told", told(Front::Elsewhere("idp.example".into())));
    check(Step::Client, "fail:client-refused", token(TokenAnswer::ClientRefused));
    check(Step::Client, "pass", token(TokenAnswer::NoIntegrationUser));
    check(Step::Client, "pass", token(TokenAnswer::ClientAccepted));
    check(Step::Client, "pass", record(Some(true)));
    check(Step::Client, "fail:client-refused", record(Some(false)));
    check(Step::Client, "pass", record(None));
    check(Step::Client, "unknown:not-asked", |subject, _, _| subject.client_id = None);
    // Tokens that live prove it, whatever the page says of something else.
    check(Step::Client, "pass", |_, _, seen| {
        seen.front = Some(Ok(front(Front::Refused(Complaint::Scope))));
    });
}

#[test]
fn the_redirect_uri() {
    let told = |said: Front| {
        |_: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| {
            seen.front = Some(Ok(front(said)));
        }
    };
    let registered = |uris: &[&str]| {
        let redirect_uris = Some(uris.iter().map(|uri| (*uri).to_owned()).collect());
        move |_: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| {
            seen.record = Some(WholeRecord { redirect_uris, ..WholeRecord::default() });
        }
    };
    check(Step::RedirectUri, "pass", told(Front::SignIn));
    check(Step::RedirectUri, "pass", told(Front::BackToClient(None)));
    for other in [Some(Ok(Front::SignIn)), Some(Err(silence(Code::TimedOut))), None] {
        check(Step::RedirectUri, "unknown:not-told", |_, _, seen| seen.other_redirect = other);
    }
    check(
        Step::RedirectUri,
        "fail:redirect-uri-mismatch",
        told(Front::Refused(Complaint::RedirectUri)),
    );
    check(Step::RedirectUri, "unknown:not-told", told(Front::Refused(Complaint::Scope)));
    check(Step::RedirectUri, "unknown:not-told", told(Front::Elsewhere("idp.example".into())));
    check(Step::RedirectUri, "pass", registered(&["https://x.example/", "https://app.example/cb"]));
    // An instance that takes the first URL instead lets the request pass, and the record does not.
    check(Step::RedirectUri, "fail:redirect-uri-mismatch", registered(&["https://x.example/"]));
    check(Step::RedirectUri, "unknown:not-here", |subject, _, _| subject.redirect_uri = None);
    let mut seen = all_good();
    registered(&["https://app.example/cb/"])(&mut subject(), &mut None, &mut seen);
    let Verdict::Fail(fault) = verdict(&subject(), None, &seen, Step::RedirectUri) else {
        panic!()
    };
    assert!(fault.to_string().contains("differs in a slash"), "{fault}");
}

#[test]
fn pkce() {
    let record = |pkce, public| {
        move |_: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| {
            seen.record = Some(WholeRecord { public, pkce, ..WholeRecord::default() });
        }
    };
    let told = |with: Front, without: Front, has_tokens: bool| {
        move |_: &mut Subject, standing: &mut Option<Standing>, seen: &mut Evidence| {
            (seen.front, seen.bare) = (Some(Ok(front(with))), Some(Ok(without)));
            if !has_tokens {
                *standing = None;
            }
        }
    };
    check(Step::Pkce, "pass", record(Some(true), Some(false)));
    check(Step::Pkce, "pass", record(Some(false), Some(false)));
    check(Step::Pkce, "pass", told(Front::SignIn, Front::Refused(Complaint::Challenge), false));
    check(Step::Pkce, "pass", told(Front::SignIn, Front::SignIn, true));
    check(Step::Pkce, "unknown:not-told", told(Front::SignIn, Front::SignIn, false));
    let refused = || Front::Refused(Complaint::Challenge);
    check(Step::Pkce, "fail:authorization-refused", told(refused(), refused(), true));
    check(Step::Pkce, "unknown:not-asked", |subject, standing, _| {
        (subject.client_id, *standing) = (None, None);
    });
}

#[test]
fn answers_of_the_authorization_endpoint_are_read_by_what_they_do_and_say() {
    let page = |text: &str| format!("<html><title>OAuth</title><p>{text}</p></html>");
    for status in [200, 400, 401, 500] {
        for (text, complaint) in [
            ("Invalid redirect_uri", Complaint::RedirectUri),
            ("Invalid client_id", Complaint::Client),
            ("Missing State parameter in request.", Complaint::State),
            ("Missing code_challenge parameter in request.", Complaint::Challenge),
            ("Missing scope parameter in request.", Complaint::Scope),
        ] {
            assert_eq!(answer(status, None, &page(text)), Front::Refused(complaint), "{text}");
        }
    }
    let client = r#"{"error":"invalid_client"}"#;
    assert_eq!(answer(400, None, client), Front::Refused(Complaint::Client));
    for to in ["/oauth_login.do?x=1", "https://classics.service-now.com/login_with_sso.do"] {
        assert_eq!(answer(302, Some(to), ""), Front::SignIn, "{to}");
    }
    for (to, front) in [
        ("https://idp.example/saml", Front::Elsewhere("idp.example".into())),
        ("https://developer.servicenow.com/dev.do?wu=true", Front::Page(Page::Hibernating)),
        (
            "https://app.example/cb?error=invalid_request",
            Front::BackToClient(Some("invalid_request".into())),
        ),
        ("https://app.example/cb?code=x", Front::BackToClient(None)),
        ("https://app.example/other", Front::Elsewhere("app.example".into())),
    ] {
        assert_eq!(answer(302, Some(to), ""), front, "{to}");
    }
    assert_eq!(answer(302, None, ""), Front::Strange(302, None));
    let form = "<title>Log in</title><input name=\"user_password\">";
    assert_eq!(answer(200, None, form), Front::SignIn);
    for status in [200, 503] {
        let asleep = "<title>Instance Hibernating page</title>";
        assert_eq!(answer(status, None, asleep), Front::Page(Page::Hibernating));
    }
    for (status, front) in [
        (429, Front::RateLimited),
        (503, Front::Unavailable(503)),
        (403, Front::Forbidden),
        (404, Front::NotFound),
        (418, Front::Strange(418, Some("OAuth".into()))),
        (200, Front::Strange(200, Some("OAuth".into()))),
    ] {
        assert_eq!(answer(status, None, &page("x")), front, "{status}");
    }
}

#[test]
fn the_request_is_that_of_a_login_and_the_other_lacks_the_challenge_only() {
    use crate::oauth::authorization::Entropy;
    let (whole, bare) = authorization_requests(&subject(), &Entropy::from_bytes([7; 64]));
    let query = |request: &crate::oauth::Request| {
        let url = url::Url::parse(&request.uri().to_string()).unwrap();
        assert_eq!(url.path(), "/oauth_auth.do");
        url.query_pairs().into_owned().collect::<Vec<_>>()
    };
    let (whole, bare) = (query(&whole), query(&bare));
    let names: Vec<&str> = whole.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "response_type",
            "client_id",
            "redirect_uri",
            "scope",
            "state",
            "code_challenge",
            "code_challenge_method"
        ]
    );
    assert_eq!(whole[..5], bare[..]);
    assert_eq!(whole[2].1, "https://app.example/cb");
    let (client, redirect) = control_subjects(&subject(), &Entropy::from_bytes([7; 64]));
    let (client, redirect) = (client.unwrap(), redirect.unwrap());
    assert_eq!(client.client_id.unwrap().as_str(), "07".repeat(16));
    assert_eq!(client.redirect_uri, subject().redirect_uri);
    assert!(redirect.redirect_uri.unwrap().as_str().ends_with(".invalid/"));
    assert_eq!(redirect.client_id, subject().client_id);
    let nobody = Subject::instance(Instance::parse("classics").unwrap());
    let (whole, _) = authorization_requests(&nobody, &Entropy::from_bytes([7; 64]));
    assert!(!whole.uri().to_string().contains("client_id"));
    assert_eq!(control_subjects(&nobody, &Entropy::from_bytes([7; 64])), (None, None));
}

proptest::proptest! {
    #[test]
    fn any_page_is_read(status in 200_u16..600, body in ".{0,300}", to in proptest::option::of(".{0,80}")) {
        let mut builder = http::Response::builder().status(status);
        if let Some(value) = to.and_then(|to| http::HeaderValue::from_str(&to).ok()) {
            builder = builder.header("location", value);
        }
        let answer = builder.body(Body::from(body.into_bytes())).unwrap();
        let _ = read_front(&answer, &subject());
    }
}
