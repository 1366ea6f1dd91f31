//! Grants that need no person, from the login to the last token: client credentials and JWT bearer.

mod bearer;
mod foreign;

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::instance::{Instance, PROFILE, first_login, words};
use crate::support::process::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// An access token that ends soon enough for a test to wait for it.
const SHORT: &str = "lifespan.access=2";

/// A login by this grant, with more arguments.
fn log_in(sandbox: &Sandbox, instance: &dyn Instance, grant: &str, more: &[&str]) -> Outcome {
    let usual = ["--grant", grant, "--no-output"];
    let arguments = [first_login(sandbox, instance), words(&usual), words(more)].concat();
    sandbox.run(&arguments)
}

/// A client that may act for itself.
fn robot(knobs: &[&str]) -> StandIn {
    let instance = StandIn::with(knobs);
    instance.let_client_act_as("abel.tuter");
    instance
}

fn wait_for_its_end() {
    sleep(Duration::from_millis(2_100));
}

/// What each token request asked by.
fn grants(instance: &dyn Instance) -> Vec<String> {
    let requests = instance.token_requests();
    requests.iter().map(|request| request.field("grant_type").unwrap()).collect()
}

fn status(sandbox: &Sandbox) -> Value {
    let text = sandbox.run(&["status", PROFILE, "--json"]).ok().stdout;
    let value: Value = serde_json::from_str(&text).unwrap();
    value["profiles"][0].clone()
}

#[test]
fn a_client_that_acts_for_itself_never_needs_a_person_again() {
    let (instance, sandbox) = (robot(&[SHORT, "grant.reissue=new"]), Sandbox::new());
    let told = log_in(&sandbox, &instance, "client-credentials", &[]).ok();
    assert!(told.stderr.contains("it renews itself"), "{}", told.stderr);
    let first = sandbox.run(&["token", PROFILE]).ok().token();
    wait_for_its_end();
    let second = sandbox.run(&["token", PROFILE]).ok().token();
    assert_ne!(first, second);
    assert!(instance.is_alive(&second));
    wait_for_its_end();
    sandbox.run(&["verify", PROFILE]).ok();
    wait_for_its_end();
    let run =
        sandbox.run(&["exec", PROFILE, "--", "sh", "-c", "printf %s \"$SNOWTOKEN_ACCESS_TOKEN\""]);
    let third = run.ok().stdout;
    assert!(instance.is_alive(&third));
    wait_for_its_end();
    let told = sandbox.run(&["refresh", PROFILE, "--json"]).ok();
    assert!(told.stderr.contains("new access token by a new grant"), "{}", told.stderr);
    assert_eq!(told.json()["refresh_token"], Value::Null);
    assert_eq!(grants(&instance), ["client_credentials"; 5]);
    for request in instance.token_requests() {
        assert_eq!(request.field("client_secret").as_deref(), Some(&*instance.client_secret()));
    }
}

#[test]
fn status_says_that_it_renews_itself_and_shows_no_deadline() {
    let (instance, sandbox) = (robot(&[SHORT]), Sandbox::new());
    log_in(&sandbox, &instance, "client-credentials", &[]).ok();
    wait_for_its_end();
    let long = sandbox.run(&["status", PROFILE]).ok().stdout;
    assert!(long.contains("by itself, without a person: client-credentials again"), "{long}");
    assert!(!long.contains("refresh token"), "{long}");
    // With a second profile there is a table.
    let config = sandbox.keep().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let other = format!("\n[profile.q]\ninstance = \"{}\"\nclient_id = \"x\"\n", instance.origin());
    std::fs::write(&config, text + &other).unwrap();
    let table = sandbox.run(&["status"]).ok().stdout;
    assert!(table.contains("renews itself"), "{table}");
    assert!(table.contains("no person is needed"), "{table}");
    let json = status(&sandbox);
    assert_eq!(json["renews_itself"], true);
    assert_eq!(json["grant"], "client-credentials");
    assert_eq!(json["refresh_token_expires_at"], Value::Null);
    assert_eq!(json["next_refresh_why"], "access-token-ends");
    sandbox.run(&["status", PROFILE, "--within", "400d"]).ok();
    let calendar = sandbox.run(&["status", "--ics", "-"]).ok().stdout;
    assert!(!calendar.contains("VEVENT"), "{calendar}");
    assert_eq!(instance.token_requests().len(), 1, "looking asks nobody");
}

#[test]
fn a_refusal_is_the_clients_fault_and_mended_without_a_login() {
    let (instance, sandbox) = (robot(&[SHORT]), Sandbox::new());
    log_in(&sandbox, &instance, "client-credentials", &[]).ok();
    instance.set("client_credentials.enabled=off");
    wait_for_its_end();
    let refused = sandbox.run(&["token", PROFILE]);
    assert!(refused.stderr.contains("glide.oauth.inbound.client.credential.grant_type.enabled"));
    assert!(
        !refused.stderr.contains(&format!("run `snowtoken login {PROFILE}`")),
        "{}",
        refused.stderr
    );
    assert_eq!(refused.failed_with(&[1]).1.as_deref(), Some("client-refused"));
    assert_eq!(instance.token_requests().len(), 3, "a refusal is put to the test once");
    assert_eq!(status(&sandbox)["state"], "logged in");

    instance.let_client_act_as("");
    let refused = sandbox.run(&["token", PROFILE]);
    assert!(refused.stderr.contains("OAuth Application User"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("answered unauthorized_client")
            || refused.stderr.contains("unauthorized_client")
    );
    assert_eq!(refused.failed_with(&[1]).1.as_deref(), Some("application-user-missing"));
    assert_eq!(instance.token_requests().len(), 4, "what is named is not repeated");

    instance.let_client_act_as("abel.tuter");
    assert!(instance.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()));
}

#[test]
fn many_processes_share_one_grant() {
    let (instance, sandbox) = (robot(&["lifespan.access=4", "grant.reissue=new"]), Sandbox::new());
    log_in(&sandbox, &instance, "client-credentials", &[]).ok();
    sleep(Duration::from_millis(4_100));
    let all: Vec<_> = (0..12).map(|_| sandbox.start(&["token", PROFILE])).collect();
    let mut tokens: Vec<String> = all.into_iter().map(|one| one.finish().ok().token()).collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(instance.token_requests().len(), 2, "the login and one more");
}

#[test]
fn the_keeper_keeps_it_too() {
    let (instance, sandbox) = (robot(&[SHORT, "grant.reissue=new"]), Sandbox::new());
    log_in(&sandbox, &instance, "client-credentials", &[]).ok();
    wait_for_its_end();
    sandbox.run(&["keep", "--once"]).ok();
    assert_eq!(grants(&instance), ["client_credentials"; 2]);
    instance.set("client_credentials.enabled=off");
    wait_for_its_end();
    let told = sandbox.run(&["keep", "--once"]);
    assert!(!told.stderr.contains("must log in"), "{}", told.stderr);
    assert_eq!(status(&sandbox)["last_failure"]["code"], "client-refused");
}

#[test]
fn a_profile_that_had_a_refresh_token_never_uses_it_again() {
    let (instance, sandbox) = (robot(&[SHORT]), Sandbox::new());
    crate::support::instance::log_in(&sandbox, &instance);
    sandbox.run(&["login", PROFILE, "--grant", "client-credentials", "--no-output"]).ok();
    wait_for_its_end();
    sandbox.run(&["token", PROFILE]).ok();
    let asked = ["authorization_code", "client_credentials", "client_credentials"];
    assert_eq!(grants(&instance), asked);
    // And back: a person is needed, and told so.
    let config = sandbox.keep().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("grant = \"client-credentials\"\n", "");
    std::fs::write(&config, text).unwrap();
    wait_for_its_end();
    let ended = sandbox.run(&["token", PROFILE]).failed_with(&[4]).1;
    assert_eq!(ended.as_deref(), Some("no-refresh-token"));
}

#[test]
fn after_logout_nothing_comes_back_by_itself() {
    let (instance, sandbox) = (robot(&[]), Sandbox::new());
    log_in(&sandbox, &instance, "client-credentials", &[]).ok();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    sandbox.run(&["logout", PROFILE]).ok();
    assert!(!instance.is_alive(&token));
    let asked = instance.token_requests().len();
    assert_eq!(
        sandbox.run(&["token", PROFILE]).failed_with(&[4]).1.as_deref(),
        Some("not-logged-in")
    );
    assert_eq!(instance.token_requests().len(), asked);
    // The secret stays: nothing is asked.
    sandbox.run(&["login", PROFILE, "--no-output"]).ok();
}
