//! What a token is good for.

use snowtoken_stand_in::{Client, User};

use crate::bench::{Bench, Fields};

const ME: &str = "/api/now/ui/user/current_user";

fn granted(knobs: Fields<'_>) -> (Bench, String) {
    let mut bench = Bench::new(knobs);
    let token = bench.grant().text("access_token");
    (bench, token)
}

#[test]
fn current_user_names_the_user() {
    let (mut bench, token) = granted(&[]);
    let got = bench.api(&token, ME);
    let user = &got.json()["result"];
    assert_eq!((&user["user_name"], &user["user_initials"]), (&"abel.tuter".into(), &"AT".into()));
    assert_eq!(got.header("x-is-logged-in"), Some("true"));
    let (mut bench, token) = granted(&[("api.current_user", "missing")]);
    assert_eq!(bench.api(&token, ME).status, 404);
    assert_eq!(bench.api(&token, "/api/now/table/kb_knowledge").status, 200);
}

#[test]
fn without_a_living_token_it_is_the_401_of_the_transcripts() {
    let (mut bench, token) = granted(&[]);
    bench.later(1_800);
    for got in [bench.api(&token, ME), bench.api("nonsense", ME), bench.send("GET", ME, &[], "")] {
        got.is(
            401,
            r#"{"error":{"message":"User Not Authenticated","detail":"Required to provide Auth information"},"status":"failure"}"#,
        );
        assert_eq!(got.header("www-authenticate"), Some("BASIC realm=\"Service-now\""));
        assert_eq!(got.header("content-type"), Some("application/json;charset=UTF-8"));
        let cookies: Vec<_> = got.headers.iter().filter(|(name, _)| name == "set-cookie").collect();
        let names: Vec<_> =
            cookies.iter().filter_map(|(_, value)| value.split('=').next()).collect();
        assert_eq!(
            names,
            ["JSESSIONID", "glide_user", "glide_user_session", "BIGipServerpool_pretend"]
        );
    }
}

#[test]
fn cookies_outlive_the_token_unless_told_otherwise() {
    // (knob, value, works while the token lives, works afterwards)
    let cases = [
        ("cookies.sign_in", "on", 200, 200),
        ("cookies.sign_in", "while-token-lives", 200, 401),
        ("cookies.sign_in", "off", 401, 401),
        ("cookies.set", "off", 401, 401),
    ];
    for (knob, value, before, after) in cases {
        let (mut bench, token) = granted(&[(knob, value)]);
        let got = bench.api(&token, ME);
        let cookie = got
            .header("set-cookie")
            .unwrap_or("JSESSIONID=x")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let ask = |bench: &mut Bench| bench.send("GET", ME, &[("cookie", &cookie)], "").status;
        assert_eq!(ask(&mut bench), before, "{value}");
        bench.later(1_800);
        assert_eq!(ask(&mut bench), after, "{value}");
    }
}

#[test]
fn securely_scoped_clients_are_refused_everywhere() {
    let body = r#"{"error":{"message":"User Not Authorized","detail":"Access to unscoped api is not allowed"},"status":"failure"}"#;
    let (mut bench, token) = granted(&[("api.scope_restriction", "restricted")]);
    bench.api(&token, ME).is(403, body);
    let client = Client {
        scope_restriction_status: "restricted".into(),
        auth_scopes: Vec::new(),
        ..Client::default()
    };
    let mut bench = Bench::with(&[], client.clone());
    let token = bench.grant().text("access_token");
    bench.api(&token, ME).is(403, body);
    assert_eq!(bench.api(&token, ME).header("x-is-logged-in"), Some("true"));
    let mut bench = Bench::with(&[("api.scope_restriction", "unrestricted")], client.clone());
    let token = bench.grant().text("access_token");
    assert_eq!(bench.api(&token, ME).status, 200);
    let mapped = Client { auth_scopes: vec!["useraccount".into()], ..client };
    let mut bench = Bench::with(&[], mapped);
    let token = bench.grant().text("access_token");
    assert_eq!(bench.api(&token, ME).status, 200, "useraccount makes it broad");
}

#[test]
fn an_api_can_demand_a_scope() {
    let client = Client { auth_scopes: vec!["other".into()], ..Client::default() };
    let mut bench = Bench::with(&[("api.required_scope", "kb_read")], client);
    let token = bench.grant().text("access_token");
    bench.api(&token, ME).is(
        403,
        r#"{"error":{"message":"User Not Authorized","detail":"Missing required API access scope: kb_read"},"status":"failure"}"#,
    );
    bench.instance.set("api.required_scope", "other").unwrap();
    assert_eq!(bench.api(&token, ME).status, 200, "scopes are read when the call is made");
}

#[test]
fn tables_are_known_or_not() {
    let (mut bench, token) = granted(&[]);
    for table in
        ["kb_knowledge", "sys_user", "m2m_kb_x", "user_criteria", "cmn_location", "core_company"]
    {
        assert_eq!(bench.api(&token, &format!("/api/now/table/{table}")).status, 200, "{table}");
        assert_eq!(bench.api(&token, &format!("/api/now/stats/{table}")).status, 200, "{table}");
    }
    bench.api(&token, "/api/now/table/u_nothing").is(
        400,
        r#"{"error":{"message":"Invalid table u_nothing","detail":null},"status":"failure"}"#,
    );
    let got = bench.api(&token, "/api/now/nonsense");
    assert_eq!(got.status, 400);
    assert!(got.body.contains("Requested URI does not represent any resource"));
    bench.api(&token, "/api/now/table/kb_knowledge/0").is(
        404,
        r#"{"error":{"message":"No Record found","detail":"Record doesn't exist or ACL restricts the record retrieval"},"status":"failure"}"#,
    );
}

#[test]
fn queries_fields_and_limits() {
    let (mut bench, token) = granted(&[]);
    let mut get = |rest: &str| bench.api(&token, &format!("/api/now/table/kb_knowledge?{rest}"));
    get("sysparm_query=number%3DKB0000002&sysparm_fields=number,short_description")
        .is(200, r#"{"result":[{"number":"KB0000002","short_description":"Working from home"}]}"#);
    let got = get("sysparm_limit=2&sysparm_offset=2&sysparm_fields=number");
    got.is(200, r#"{"result":[{"number":"KB0000003"}]}"#);
    assert_eq!(got.header("x-total-count"), Some("3"));
    get("number=KB0000001&sysparm_fields=number").is(200, r#"{"result":[{"number":"KB0000001"}]}"#);
    let linked = get("sysparm_limit=1&sysparm_fields=kb_knowledge_base");
    assert!(linked.body.contains(r#"{"link":"http://pretend:80/api/now/table/kb_knowledge_base/"#));
    let bare =
        get("sysparm_limit=1&sysparm_fields=kb_knowledge_base&sysparm_exclude_reference_link=true");
    assert!(!bare.body.contains("link"), "{}", bare.body);
    bench
        .api(&token, "/api/now/stats/kb_knowledge?sysparm_count=true")
        .is(200, r#"{"result":{"stats":{"count":"3"}}}"#);
    let got = bench.api(&token, "/api/now/attachment");
    let id = got.json()["result"][0]["sys_id"].as_str().unwrap().to_owned();
    bench.api(&token, &format!("/api/now/attachment/{id}/file")).is(200, "Pretend attachment.\n");
}

#[test]
fn a_javascript_query_fails_open() {
    let target = "/api/now/table/sys_user?sysparm_fields=user_name&sysparm_limit=2&sysparm_query=user_name%3Djavascript:gs.getUserName()";
    let (mut bench, token) = granted(&[]);
    assert_eq!(bench.api(&token, target).json()["result"].as_array().unwrap().len(), 2);
    let (mut bench, token) = granted(&[("api.javascript_query", "evaluated")]);
    bench.api(&token, target).is(200, r#"{"result":[{"user_name":"abel.tuter"}]}"#);
}

#[test]
fn access_control_hides_in_three_ways() {
    let target = "/api/now/table/kb_knowledge?sysparm_limit=1&sysparm_fields=sys_id,number";
    let (mut bench, token) = granted(&[("api.acl", "refused")]);
    let got = bench.api(&token, target);
    assert_eq!(got.status, 403);
    assert!(got.body.contains("Insufficient rights to query records"));
    let (mut bench, token) = granted(&[("api.acl", "no-rows")]);
    bench.api(&token, target).is(200, r#"{"result":[]}"#);
    let (mut bench, token) = granted(&[("api.acl", "empty-fields")]);
    assert_eq!(bench.api(&token, target).json()["result"][0]["number"], "");
}

#[test]
fn a_token_in_the_url_is_for_those_who_ask_for_it() {
    let (mut bench, token) = granted(&[]);
    let target = format!("{ME}?access_token={token}");
    assert_eq!(bench.send("GET", &target, &[], "").status, 401);
    bench.instance.set("api.query_token", "accepted").unwrap();
    assert_eq!(bench.send("GET", &target, &[], "").status, 200);
}

#[test]
fn rate_limits_carry_their_headers() {
    let (mut bench, token) = granted(&[("api.rate_limit", "1")]);
    assert_eq!(bench.api(&token, ME).status, 200);
    let got = bench.api(&token, ME);
    got.is(
        429,
        r#"{"error":{"message":"Rate limit exceeded","detail":"Rate limit of 1 requests per hour for Table API exceeded"},"status":"failure"}"#,
    );
    assert_eq!(got.header("retry-after"), Some("30"));
    assert_eq!(got.header("x-ratelimit-limit"), Some("1"));
    assert_eq!(
        got.header("x-ratelimit-reset"),
        Some((bench.now.as_second() + 3_600).to_string().as_str())
    );
    assert!(got.header("x-ratelimit-rule").is_some());
}

#[test]
fn everybody_sees_their_own_tokens_in_manage_tokens() {
    let (mut bench, token) = granted(&[]);
    let target = "/api/now/table/oauth_credential?sysparm_fields=type,expires";
    bench.api(&token, target).is(
        200,
        r#"{"result":[{"expires":"2026-11-23 15:30:00","type":"access_token"},{"expires":"2027-03-03 15:00:00","type":"refresh_token"}]}"#,
    );
    bench.forget_cookies();
    bench.sign_in("admin");
    let page = bench.authorize(&[]);
    let redirect = bench.press(&page, "authorize").header("location").unwrap().to_owned();
    let code = crate::bench::query(&redirect)["code"].clone();
    let admin = bench.exchange(&code, &[]).text("access_token");
    assert_ne!(admin, token, "one pair for each user");
    assert_eq!(bench.api(&admin, target).json()["result"].as_array().unwrap().len(), 4);
    assert_eq!(bench.api(&token, target).json()["result"].as_array().unwrap().len(), 2);
}

#[test]
fn a_token_is_worth_nothing_while_its_user_is_locked_or_inactive() {
    let (mut bench, token) = granted(&[]);
    let user = bench.instance.user("abel.tuter").unwrap().clone();
    let locked = User { locked_out: true, ..user.clone() };
    let inactive = User { active: false, ..user.clone() };
    for (user, status) in [(locked, 401), (inactive, 401), (user, 200)] {
        bench.instance.put_user(user);
        assert_eq!(bench.api(&token, ME).status, status);
    }
    let user = bench.instance.user("abel.tuter").unwrap().clone();
    bench.instance.put_user(User { locked_out: true, ..user });
    bench.instance.set("api.locked_users", "accepted").unwrap();
    assert_eq!(bench.api(&token, ME).status, 200);
}

#[test]
fn every_answer_is_dated_by_the_instances_clock() {
    let (mut bench, token) = granted(&[]);
    assert_eq!(bench.api(&token, ME).header("date"), Some("Mon, 23 Nov 2026 15:00:00 GMT"));
    bench.later(60);
    assert_eq!(bench.api("x", ME).header("date"), Some("Mon, 23 Nov 2026 15:01:00 GMT"));
    bench.instance.set("date", "missing").unwrap();
    assert_eq!(bench.api(&token, ME).header("date"), None);
}
