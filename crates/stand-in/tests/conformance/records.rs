//! Records that are not as somebody believes, and what stands between a good token and the API.

use crate::bench::{Bench, GENERIC};

const ME: &str = "/api/now/ui/user/current_user";
const TABLE: &str = "/api/now/table/kb_knowledge";

#[test]
fn an_inactive_client_is_refused_in_the_browser_and_at_the_token_endpoint() {
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[]);
    bench.instance.set("client.active", "off").unwrap();
    assert!(bench.authorize(&[]).body.contains("Invalid client_id"));
    bench.exchange(&code, &[]).is(401, GENERIC);
    let why = bench.instance.syslog().pop().unwrap().message;
    assert_eq!(why, "Exception on token flow - invalid_client: the client is inactive");
}

#[test]
fn a_secret_that_was_changed_is_refused_at_once() {
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[]);
    bench.instance.set("client.secret", "changed").unwrap();
    bench.exchange(&code, &[]).is(401, GENERIC);
    let why = bench.instance.syslog().pop().unwrap().message;
    assert_eq!(why, "Exception on token flow - invalid_client: wrong client_secret");
}

/// What the syslog says of a confidential client that sends no secret.
#[test]
fn a_client_without_its_secret_is_told_in_the_syslog() {
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[]);
    bench.exchange(&code, &[("client_secret", "-")]).is(401, GENERIC);
    let why = bench.instance.syslog().pop().unwrap().message;
    assert_eq!(why, "Exception on token flow - client_secret");
}

#[test]
fn another_redirect_url_on_the_record_is_a_page() {
    let mut bench = Bench::new(&[("client.redirect", "other")]);
    assert!(bench.authorize(&[]).body.contains("Invalid redirect_uri"));
}

#[test]
fn auth_scopes_can_be_gone_from_the_record() {
    let mut bench = Bench::new(&[("api.required_scope", "knowledge_read")]);
    let token = bench.grant().text("access_token");
    assert_eq!(bench.api(&token, ME).status, 200, "useraccount stands for all");
    bench.instance.set("client.auth_scopes", "none").unwrap();
    assert_eq!(bench.api(&token, ME).status, 403);
}

#[test]
fn the_state_of_users_decides_at_the_sign_in_and_at_the_token_endpoint() {
    for (state, page, status) in [
        ("locked", "User name or password invalid", 401),
        ("inactive", "User name or password invalid", 401),
        ("password-reset", "Your password has expired and must be changed.", 401),
        // No page, but whoever has tokens keeps them.
        ("web-service-only", "This user may use web services only.", 200),
    ] {
        let mut bench = Bench::new(&[]);
        let code = bench.code(&[]);
        bench.instance.set("user.state", state).unwrap();
        assert_eq!(bench.exchange(&code, &[]).status, status, "{state}");
        bench.forget_cookies();
        assert!(bench.sign_in("abel.tuter").body.contains(page), "{state}");
    }
}

#[test]
fn a_policy_refuses_good_tokens() {
    let mut bench = Bench::new(&[("api.policy", "refused")]);
    let token = bench.grant().text("access_token");
    for path in [ME, TABLE] {
        let got = bench.api(&token, path);
        assert_eq!(got.status, 401);
        assert_eq!(got.json()["error"]["message"], "User Not Authenticated");
    }
}

#[test]
fn an_access_rule_of_the_api_itself_refuses_every_call() {
    let mut bench = Bench::new(&[("api.acl", "api-level")]);
    let token = bench.grant().text("access_token");
    for path in [ME, TABLE] {
        let got = bench.api(&token, path);
        assert_eq!(got.status, 403);
        assert_eq!(got.json()["error"]["detail"], "Failed API level ACL Validation");
    }
}

#[test]
fn tables_and_paths_may_not_exist() {
    let mut bench = Bench::new(&[("api.tables", "none"), ("api.current_user", "no-resource")]);
    let token = bench.grant().text("access_token");
    for (path, said) in [
        (TABLE, "Invalid table kb_knowledge"),
        (ME, "Requested URI does not represent any resource"),
    ] {
        let got = bench.api(&token, path);
        assert_eq!(got.status, 400);
        assert_eq!(got.json()["error"]["message"], said);
    }
    assert_eq!(bench.api(&token, "/api/now/table/sys_user").status, 200);
}
