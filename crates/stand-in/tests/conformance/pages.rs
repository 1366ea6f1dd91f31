//! What people see, and what a hostile visitor cannot make of it.

use snowtoken_stand_in::{Client, User};

use crate::bench::Bench;

#[test]
fn an_unknown_browser_is_sent_to_sign_in_and_comes_back() {
    for page in ["/oauth_login.do", "/login.do"] {
        let mut bench = Bench::new(&[("login.page", page)]);
        let got = bench.authorize(&[]);
        let location = got.header("location").unwrap().to_owned();
        assert!(
            location.starts_with(&format!("{page}?sysparm_goto_url=%2Foauth_auth.do%3F")),
            "{location}"
        );
        let form = bench.browse("GET", &location, &[]);
        for part in [
            "name=\"user_name\"",
            "name=\"user_password\"",
            "value=\"sysverb_login\"",
            ">Log in</button>",
        ] {
            assert!(form.body.contains(part), "{part}");
        }
        let back = bench.authorization_url(&[]);
        let fields = [
            ("sys_action", "sysverb_login"),
            ("user_name", "abel.tuter"),
            ("user_password", "snow"),
            ("sysparm_goto_url", &back),
        ];
        let got = bench.browse("POST", page, &fields);
        assert_eq!(got.header("location"), Some(back.as_str()));
        assert!(bench.browse("GET", &back, &[]).body.contains("sysparm_ck"));
    }
}

#[test]
fn signing_in_is_refused_with_one_text() {
    let mut bench = Bench::new(&[]);
    for user in ["nobody", "locked.user", "inactive.user"] {
        let got = bench.sign_in(user);
        assert_eq!((got.status, got.header("location")), (200, None), "{user}");
        assert!(got.body.contains("User name or password invalid"), "{user}");
    }
    let incomplete = [("user_name", "abel.tuter"), ("user_password", "snow")];
    assert_eq!(bench.browse("POST", "/login.do", &incomplete).header("location"), None);
    let reset =
        User { password_needs_reset: true, ..bench.instance.user("admin").unwrap().clone() };
    bench.instance.put_user(reset);
    assert!(bench.sign_in("admin").body.contains("must be changed"));
}

#[test]
fn web_service_users_sign_in_where_the_knob_allows_it() {
    for (value, location) in [("refused", None), ("allowed", Some("/"))] {
        let mut bench = Bench::new(&[("login.web_service_users", value)]);
        let user = bench.instance.user("abel.tuter").unwrap().clone();
        bench.instance.put_user(User { web_service_access_only: true, ..user });
        assert_eq!(bench.sign_in("abel.tuter").header("location"), location, "{value}");
    }
}

#[test]
fn the_way_back_after_signing_in_stays_on_the_instance() {
    for back in ["https://evil.example/", "//evil.example/", "/oauth_auth.do", "/oauth_auth.dox?"] {
        let mut bench = Bench::new(&[]);
        let fields = [
            ("sys_action", "sysverb_login"),
            ("user_name", "abel.tuter"),
            ("user_password", "snow"),
            ("sysparm_goto_url", back),
        ];
        assert_eq!(
            bench.browse("POST", "/login.do", &fields).header("location"),
            Some("/"),
            "{back}"
        );
    }
}

#[test]
fn the_consent_page_says_who_asks_for_what() {
    let mut bench = Bench::new(&[]);
    bench.sign_in("abel.tuter");
    let page = bench.authorize(&[("scope", "useraccount kb_read")]).body;
    assert!(page.contains("Rehearsal would like to connect to your ServiceNow account"));
    for part in [
        "Abel Tuter",
        "Not You?",
        "<code>useraccount</code>",
        "<code>kb_read</code>",
        "Pretend instance",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let deny = page.find("name=\"oauth_auth_check_action\" value=\"deny\">Deny<").unwrap();
    let allow = page.find("name=\"oauth_auth_check_action\" value=\"authorize\">Allow<").unwrap();
    assert!(deny < allow);
    let mut bench = Bench::new(&[("consent.button", "Accept"), ("consent.wording", "access")]);
    bench.sign_in("abel.tuter");
    let page = bench.authorize(&[]).body;
    assert!(page.contains(">Accept</button>") && page.contains("would like to access your"));
}

#[test]
fn a_form_from_elsewhere_decides_nothing() {
    let mut bench = Bench::new(&[]);
    bench.sign_in("abel.tuter");
    let page = bench.authorize(&[]);
    let mut forged = page;
    let ck = forged
        .body
        .split("sysparm_ck\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(ck.len(), 64);
    forged.body = forged.body.replace(&ck, "forged");
    let got = bench.press(&forged, "authorize");
    assert_eq!((got.status, got.header("location")), (403, None));
    forged.body = forged.body.replace("forged", &ck);
    bench.forget_cookies();
    bench.sign_in("admin");
    assert_eq!(bench.press(&forged, "authorize").status, 403, "another session, another key");
}

#[test]
fn not_you_signs_out_and_leads_to_the_sign_in() {
    let mut bench = Bench::new(&[]);
    bench.sign_in("abel.tuter");
    let page = bench.authorize(&[]).body;
    let link =
        page.split("<a href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let got = bench.browse("GET", &link, &[]);
    let back = got.header("location").unwrap().to_owned();
    assert_eq!(back, bench.authorization_url(&[]));
    assert!(
        bench.browse("GET", &back, &[]).header("location").unwrap().starts_with("/oauth_login.do?")
    );
}

#[test]
fn names_are_escaped_and_pages_carry_no_script() {
    let client = Client { name: "<script>x</script>".into(), ..Client::default() };
    let mut bench = Bench::with(&[], client);
    bench.sign_in("abel.tuter");
    let evil = "\"><script>y</script>";
    let pages = [
        bench.authorize(&[("scope", evil), ("state", evil)]),
        bench.browse("GET", "/", &[]),
        bench.browse(
            "GET",
            "/oauth_login.do?sysparm_goto_url=/oauth_auth.do?%22%3E%3Cscript%3E",
            &[],
        ),
        bench.browse("GET", "/oauth_redirect.do", &[]),
        bench.browse("GET", "/nowhere", &[]),
    ];
    for page in pages {
        assert!(!page.body.contains("<script>"), "{}", page.body);
        assert!(
            page.body.contains("<html lang=\"en\">") && page.body.contains("width=device-width")
        );
        assert!(page.body.contains("Pretend instance:"));
        assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    }
}

#[test]
fn the_front_page_shows_the_client_the_users_and_the_knobs() {
    let mut bench = Bench::new(&[("deny", "page")]);
    let page = bench.browse("GET", "/", &[]).body;
    let client = &bench.client;
    for part in [
        &client.client_id,
        "https://us-west-2.console.aws.amazon.com/appflow/oauth",
        "abel.tuter",
        "locked out",
        "<code>deny</code>",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_session_does_not_survive_signing_in_or_its_user() {
    let mut bench = Bench::new(&[]);
    bench.browse("GET", "/login.do", &[]);
    let before = bench.cookie("JSESSIONID");
    bench.sign_in("abel.tuter");
    assert_ne!(bench.cookie("JSESSIONID"), before);
    let cookie = format!("JSESSIONID={before}");
    let got = bench.send("GET", "/", &[("cookie", &cookie)], "");
    assert!(got.header("set-cookie").is_some(), "the old session is unknown");
    assert_eq!(bench.authorize(&[]).status, 200);
    let user = bench.instance.user("abel.tuter").unwrap().clone();
    for gone in [User { locked_out: true, ..user.clone() }, User { active: false, ..user }] {
        bench.instance.put_user(gone);
        assert_eq!(bench.authorize(&[]).status, 302, "back to the sign-in page");
    }
}
