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

const SCOPES: &str = "/api/now/table/sys_auth_scope";
const MAPPINGS: &str = "/api/now/table/oauth_entity_auth_scope_mapping";

#[test]
fn a_name_is_there_once() {
    let body = r#"{"name":"By API","client_id":"another"}"#;
    let (mut bench, _) = register(&[], "");
    let got = call(&mut bench, "admin", "POST", TABLE, body);
    assert!(got.status == 403 && got.body.contains("aborted by Business Rule"), "{}", got.body);
    let (mut bench, _) = register(&[("entity.names", "free")], "");
    assert_eq!(call(&mut bench, "admin", "POST", TABLE, body).status, 201);
}

#[test]
fn a_client_comes_with_a_profile_that_scopes_are_linked_to() {
    let profiles = |bench: &mut Bench, id: &str| {
        let target = format!(
            "/api/now/table/oauth_entity_profile?sysparm_query=oauth_entity={id}&sysparm_exclude_reference_link=true"
        );
        call(bench, "admin", "GET", &target, "").json()["result"].clone()
    };
    let (mut bench, got) = register(&[], "");
    let id = got.json()["result"]["sys_id"].as_str().unwrap().to_owned();
    let found = profiles(&mut bench, &id);
    assert_eq!(
        (&found[0]["name"], &found[0]["default"], &found[0]["oauth_entity"]),
        (&"By API default_profile".into(), &"true".into(), &id.as_str().into())
    );
    let link =
        format!(r#"{{"oauth_entity_profile":{},"oauth_entity_scope":"0123"}}"#, found[0]["sys_id"]);
    let links = "/api/now/table/oauth_entity_profile_scope";
    assert_eq!(call(&mut bench, "admin", "POST", links, &link).status, 201);
    let got = call(&mut bench, "admin", "GET", &format!("{links}?oauth_entity_scope=0123"), "");
    assert_eq!(got.json()["result"][0]["oauth_entity_profile"]["value"], found[0]["sys_id"]);
    assert_eq!(call(&mut bench, "abel.tuter", "GET", links, "").status, 403);

    let (mut bench, got) = register(&[("entity.profile", "missing")], "");
    let id = got.json()["result"]["sys_id"].as_str().unwrap().to_owned();
    assert_eq!(profiles(&mut bench, &id), serde_json::json!([]));
}

#[test]
fn writing_may_need_a_role_that_administrators_elevate_to() {
    let mut bench = Bench::new(&[("registry.write_role", "security_admin")]);
    let body = r#"{"name":"By API"}"#;
    assert_eq!(call(&mut bench, "admin", "POST", TABLE, body).status, 403);
    assert_eq!(call(&mut bench, "admin", "GET", TABLE, "").status, 200);
    let roles = vec!["admin".to_owned(), "security_admin".to_owned()];
    let user = snowtoken_stand_in::User {
        user_name: "elevated".to_owned(),
        roles,
        ..snowtoken_stand_in::User::default()
    };
    bench.instance.put_user(user);
    assert_eq!(call(&mut bench, "elevated", "POST", TABLE, body).status, 201);
    let roles = vec!["oauth_admin".to_owned()];
    let user = snowtoken_stand_in::User {
        user_name: "oauth".to_owned(),
        roles,
        ..snowtoken_stand_in::User::default()
    };
    bench.instance.put_user(user);
    bench.instance.set("registry.write_role", "oauth_admin").unwrap();
    assert_eq!(call(&mut bench, "oauth", "POST", TABLE, r#"{"name":"B"}"#).status, 201);
}

#[test]
fn an_older_release_ignores_fields_it_does_not_know() {
    let body = r#"{"name":"By API","inbound_grant_type":"authz_code","scope_restriction_status":"restricted"}"#;
    let mut bench = Bench::new(&[]);
    let made = call(&mut bench, "admin", "POST", TABLE, body).json()["result"].clone();
    assert_eq!(made["inbound_grant_type"], "authz_code");
    let mut bench = Bench::new(&[("registry.release", "xanadu")]);
    let got = call(&mut bench, "admin", "POST", TABLE, body);
    assert_eq!(got.status, 201);
    let made = got.json()["result"].clone();
    for field in ["inbound_grant_type", "scope_restriction_status", "token_format"] {
        assert!(made.get(field).is_none(), "{field}: {made}");
    }
}

#[test]
fn auth_scopes_hold_for_the_instance_and_are_mapped_by_key() {
    let (mut bench, got) = register(&[], "");
    let id = got.json()["result"]["sys_id"].as_str().unwrap().to_owned();
    let named = |bench: &mut Bench, name: &str| {
        let target = format!("{SCOPES}?sysparm_query=nameIN{name}&sysparm_fields=sys_id,name");
        call(bench, "admin", "GET", &target, "").json()["result"].clone()
    };
    assert_eq!(named(&mut bench, "useraccount,kb_read").as_array().unwrap().len(), 1);
    assert_eq!(call(&mut bench, "admin", "POST", SCOPES, r#"{"name":"kb_read"}"#).status, 201);
    assert_eq!(call(&mut bench, "admin", "POST", SCOPES, r#"{"name":"kb_read"}"#).status, 403);
    let scope = named(&mut bench, "kb_read")[0]["sys_id"].clone();
    let body = format!(r#"{{"oauth_entity":"{id}","auth_scope":{scope}}}"#);
    assert_eq!(call(&mut bench, "admin", "POST", MAPPINGS, &body).status, 201);
    let wrong = format!(r#"{{"oauth_entity":"{id}","auth_scope":"none"}}"#);
    assert_eq!(call(&mut bench, "admin", "POST", MAPPINGS, &wrong).status, 400);
    let rows = call(&mut bench, "admin", "GET", &format!("{MAPPINGS}?oauth_entity={id}"), "");
    assert_eq!(rows.json()["result"][0]["auth_scope"]["value"], scope);
    assert_eq!(bench.instance.client("by-api-1").unwrap().auth_scopes, ["kb_read"]);
    bench.instance.set("registry.auth_scopes", "absent").unwrap();
    for table in [SCOPES, MAPPINGS] {
        let got = call(&mut bench, "admin", "GET", table, "");
        assert!(got.status == 400 && got.body.contains("Invalid table"), "{}", got.body);
    }
}
