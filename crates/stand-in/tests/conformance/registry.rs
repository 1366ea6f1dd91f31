//! The Application Registry by Table API.

use base64::Engine as _;

use crate::bench::{Bench, Fields, GENERIC, Got};

const TABLE: &str = "/api/now/table/oauth_entity";

fn call(bench: &mut Bench, user: &str, method: &str, target: &str, body: &str) -> Got {
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{user}:snow"));
    let headers =
        [("authorization", format!("Basic {basic}")), ("content-type", "application/json".into())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    bench.send(method, target, &headers, body)
}

fn register(knobs: Fields<'_>, query: &str) -> (Bench, Got) {
    let mut bench = Bench::new(knobs);
    let body = r#"{"name":"By API","client_id":"by-api-1","client_secret":"s3cret+&%","redirect_url":"http://localhost:1/a, http://localhost:8400/callback","refresh_token_lifespan":"31536000"}"#;
    let got = call(&mut bench, "admin", "POST", &format!("{TABLE}{query}"), body);
    (bench, got)
}

#[test]
fn an_administrator_registers_a_client_and_it_works() {
    let (mut bench, got) = register(&[], "");
    assert_eq!(got.status, 201, "{}", got.body);
    let made = &got.json()["result"];
    assert_eq!(
        (&made["refresh_token_lifespan"], &made["active"]),
        (&"31536000".into(), &"true".into())
    );
    assert!(!got.body.contains("s3cret"), "the secret is write-only");
    let secret = made["client_secret"].as_str().unwrap();
    assert_eq!((&secret[..2], secret.len()), ("03", 64));
    let code = bench.code(&[("client_id", "by-api-1")]);
    let who = [("client_id", "by-api-1"), ("client_secret", "s3cret+&%")];
    assert_eq!(bench.exchange(&code, &who).status, 200);
    let body = r#"{"client_id":"by-api-1"}"#;
    assert_eq!(call(&mut bench, "admin", "POST", TABLE, body).status, 403, "the id is taken");
}

#[test]
fn nobody_else_registers_or_reads() {
    let (mut bench, _) = register(&[], "");
    assert_eq!(call(&mut bench, "abel.tuter", "POST", TABLE, "{}").status, 403);
    assert_eq!(call(&mut bench, "abel.tuter", "GET", TABLE, "").status, 403);
    assert_eq!(call(&mut bench, "locked.user", "GET", TABLE, "").status, 401);
    assert_eq!(call(&mut bench, "inactive.user", "GET", TABLE, "").status, 401);
    assert_eq!(call(&mut bench, "admin", "POST", TABLE, "no json").status, 400);
}

#[test]
fn the_secret_reads_back_in_four_ways() {
    for (value, seen) in [("masked", "********"), ("empty", ""), ("clear", "s3cret+&%")] {
        let (_, got) = register(&[("entity.secret_read_back", value)], "");
        assert_eq!(got.json()["result"]["client_secret"], seen);
    }
}

#[test]
fn a_secret_may_need_the_display_value_flag() {
    let knob: Fields<'_> = &[("entity.secret_input", "needs-display-value")];
    for (query, status) in [("", 401), ("?sysparm_input_display_value=true", 200)] {
        let (mut bench, _) = register(knob, query);
        let code = bench.code(&[("client_id", "by-api-1")]);
        let who = [("client_id", "by-api-1"), ("client_secret", "s3cret+&%")];
        assert_eq!(bench.exchange(&code, &who).status, status, "{query}");
    }
}

#[test]
fn a_long_secret_is_cut_off() {
    for (value, length) in [("4096", 4_096), ("2048", 2_048)] {
        let mut bench = Bench::new(&[("entity.secret_max_length", value)]);
        let body = format!(r#"{{"client_id":"long","client_secret":"{}"}}"#, "x".repeat(5_000));
        assert_eq!(call(&mut bench, "admin", "POST", TABLE, &body).status, 201);
        assert_eq!(bench.instance.client("long").unwrap().client_secret.len(), length);
    }
}

#[test]
fn a_record_is_found_changed_and_deleted() {
    let (mut bench, got) = register(&[], "");
    let id = got.json()["result"]["sys_id"].as_str().unwrap().to_owned();
    let found = call(
        &mut bench,
        "admin",
        "GET",
        &format!("{TABLE}?sysparm_query=name%3DBy%20API&sysparm_fields=client_id"),
        "",
    );
    found.is(200, r#"{"result":[{"client_id":"by-api-1"}]}"#);
    let one = format!("{TABLE}/{id}");
    let change = r#"{"client_secret":"other","access_token_lifespan":600,"active":true}"#;
    assert_eq!(call(&mut bench, "admin", "PATCH", &one, change).status, 200);
    let code = bench.code(&[("client_id", "by-api-1")]);
    let got = bench.exchange(&code, &[("client_id", "by-api-1"), ("client_secret", "other")]);
    assert_eq!(got.json()["expires_in"], 599);
    assert_eq!(call(&mut bench, "admin", "DELETE", &one, "").status, 204);
    assert_eq!(call(&mut bench, "admin", "GET", &one, "").status, 404);
    assert!(!bench.works(&got.text("access_token")));
}

#[test]
fn scopes_and_properties_are_rows_too() {
    let (mut bench, got) = register(&[], "");
    let id = got.json()["result"]["sys_id"].as_str().unwrap().to_owned();
    let who = [("client_id", "by-api-1"), ("client_secret", "s3cret+&%")];
    let scoped = [("client_id", "by-api-1"), ("scope", "kb_read")];
    let code = bench.code(&scoped);
    bench.exchange(&code, &who).is(401, GENERIC);
    let body = format!(r#"{{"oauth_entity":"{id}","name":"kb_read"}}"#);
    assert_eq!(
        call(&mut bench, "admin", "POST", "/api/now/table/oauth_entity_scope", &body).status,
        201
    );
    let code = bench.code(&scoped);
    assert_eq!(bench.exchange(&code, &who).text("scope"), "kb_read");
    let property = r#"{"name":"glide.oauth.state.parameter.required","value":"false"}"#;
    assert_eq!(
        call(&mut bench, "admin", "POST", "/api/now/table/sys_properties", property).status,
        201
    );
    assert_eq!(bench.instance.behaviour().get("state.required"), Some("off"));
}

#[test]
fn deleting_a_row_of_manage_tokens_revokes_the_token() {
    let mut bench = Bench::new(&[]);
    let token = bench.grant().text("access_token");
    let target = "/api/now/table/oauth_credential";
    let rows = call(&mut bench, "admin", "GET", &format!("{target}?type=access_token"), "").json();
    let id = rows["result"][0]["sys_id"].as_str().unwrap().to_owned();
    assert!(bench.works(&token));
    assert_eq!(call(&mut bench, "admin", "DELETE", &format!("{target}/{id}"), "").status, 204);
    assert!(!bench.works(&token));
}

/// Access rules hold for the record itself and for whoever comes to it by a reference.
#[test]
fn who_may_read_the_lifespans_of_a_client_is_up_to_the_instance() {
    let record =
        format!("{TABLE}?sysparm_query=client_id%3Dby-api-1&sysparm_fields=refresh_token_lifespan");
    let walked = "/api/now/table/oauth_credential?sysparm_fields=type,peer.refresh_token_lifespan,user.user_name&sysparm_query=type%3Drefresh_token%5Epeer.client_id%3Dby-api-1";
    let grant = |bench: &mut Bench| {
        let code = bench.code(&[("client_id", "by-api-1")]);
        let who = [("client_id", "by-api-1"), ("client_secret", "s3cret+&%")];
        assert_eq!(bench.exchange(&code, &who).status, 200);
    };
    let (mut bench, _) = register(&[], "");
    grant(&mut bench);
    assert_eq!(call(&mut bench, "abel.tuter", "GET", &record, "").status, 403);
    call(&mut bench, "abel.tuter", "GET", walked, "").is(200, r#"{"result":[]}"#);
    let found = r#"{"result":[{"peer.refresh_token_lifespan":"31536000","type":"refresh_token","user.user_name":"abel.tuter"}]}"#;
    call(&mut bench, "admin", "GET", walked, "").is(200, found);
    bench.instance.set("api.clients", "everybody").unwrap();
    call(&mut bench, "abel.tuter", "GET", &record, "")
        .is(200, r#"{"result":[{"refresh_token_lifespan":"31536000"}]}"#);
    call(&mut bench, "abel.tuter", "GET", walked, "").is(200, found);
    bench.instance.set("api.credentials", "administrators").unwrap();
    assert_eq!(call(&mut bench, "abel.tuter", "GET", walked, "").status, 403);
    assert_eq!(call(&mut bench, "admin", "GET", walked, "").status, 200);
}

#[test]
fn who_has_which_role_may_be_hidden() {
    let target = "/api/now/table/sys_user_has_role?sysparm_query=role.nameINadmin,security_admin&sysparm_fields=role.name,user.user_name";
    let mut bench = Bench::new(&[]);
    let found = r#"{"result":[{"role.name":"admin","user.user_name":"admin"}]}"#;
    call(&mut bench, "abel.tuter", "GET", target, "").is(200, found);
    bench.instance.set("api.roles", "administrators").unwrap();
    assert_eq!(call(&mut bench, "abel.tuter", "GET", target, "").status, 403);
    call(&mut bench, "admin", "GET", target, "").is(200, found);
}
