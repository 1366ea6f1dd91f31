//! R39-R44: refreshing, keeping and using tokens.

use snowtoken_core::keeper::{Command, Event, Keeper, Policy, RefreshTokenChange};
use snowtoken_core::oauth::Request;
use snowtoken_core::oauth::client::ClientAuthentication;
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{Instance, Lifespans, read_current_user, read_table};
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};
use snowtoken_core::{SignedDuration, Timestamp};

use crate::support::{self, answer, confidential, form, login, value};

fn now() -> Timestamp {
    "2026-11-23T15:00:00Z".parse().unwrap()
}

fn tokens() -> TokenSet {
    let end = |days: i64| now() + SignedDuration::from_hours(24 * days);
    TokenSet {
        access_token: Secret::new("at-canary"),
        refresh_token: Some(Secret::new("rt-canary")),
        authorization_code: Some(Secret::new("code-canary")),
        scope: Some("useraccount".to_owned()),
        issued_at: now(),
        granted_at: now(),
        access_expires_at: Deadline { at: end(1), known_by: KnownBy::Stated },
        refresh_expires_at: Some(Deadline { at: end(100), known_by: KnownBy::Derived }),
    }
}

fn keeper() -> Keeper {
    let endpoints = Instance::parse("classics").unwrap().endpoints();
    Keeper::new(
        endpoints,
        confidential(),
        Lifespans::default(),
        Some(tokens()),
        Policy::default(),
        7,
    )
}

/// The refresh token after an answer with `member`, and what is said about it.
fn after(member: &str) -> (String, RefreshTokenChange, Option<Deadline>) {
    let mut keeper = keeper();
    keeper.handle_command(now(), Command::Refresh);
    let (generation, _) = keeper.poll_request().unwrap();
    let body = format!(r#"{{"access_token":"b","token_type":"Bearer","expires_in":1799{member}}}"#);
    keeper.handle_response(now(), generation, Ok(answer(200, body)));
    let Some(Event::Refreshed { tokens, change }) = keeper.poll_event() else {
        panic!("no tokens")
    };
    assert_eq!(keeper.state().tokens(), Some(&*tokens), "what is kept is what is to be stored");
    assert_eq!(tokens.access_token, Secret::new("b"));
    (
        tokens.refresh_token.unwrap().expose().to_owned(),
        change.refresh_token,
        tokens.refresh_expires_at,
    )
}

#[test]
fn r39_a_new_refresh_token_replaces_the_old_one_and_none_keeps_it() {
    let old_end = tokens().refresh_expires_at;
    let new_end =
        Deadline { at: now() + SignedDuration::from_secs(8_640_000), known_by: KnownBy::Derived };
    for member in ["", r#","refresh_token":null"#, r#","refresh_token":"""#] {
        assert_eq!(
            after(member),
            ("rt-canary".to_owned(), RefreshTokenChange::Kept, old_end),
            "{member}"
        );
    }
    assert_eq!(
        after(r#","refresh_token":"rt-canary""#),
        ("rt-canary".to_owned(), RefreshTokenChange::SameAgain, old_end)
    );
    assert_eq!(
        after(r#","refresh_token":"other""#),
        ("other".to_owned(), RefreshTokenChange::Replaced, Some(new_end))
    );
}

#[test]
fn r40_a_refresh_authenticates_and_widens_nothing() {
    let mut keeper = keeper();
    keeper.handle_command(now(), Command::Refresh);
    let (_, request) = keeper.poll_request().unwrap();
    let names: Vec<_> = form(&request).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["grant_type", "refresh_token", "client_id", "client_secret"]);
    assert_eq!(value(&request, "refresh_token").as_deref(), Some("rt-canary"));
}

/// Everything that holds a secret, printed in every way there is.
#[test]
fn r41_r42_nothing_that_can_be_printed_shows_a_secret() {
    let login = login();
    let verifier_half = login.state.clone();
    let code =
        login.expect.examine_query(&format!("code=code-canary&state={}", login.state)).unwrap();
    let mut keeper = keeper();
    keeper.handle_command(now(), Command::Refresh);
    let shown =
        format!("{:?} {code:?} {keeper:?} {:#?} {:?}", login.expect, tokens(), confidential());
    let (request, expect) = login
        .expect
        .redeem(code, &support::client(ClientAuthentication::Basic(Secret::new("cs-canary"))));
    let (_, refresh) = keeper.poll_request().unwrap();
    let reply = answer(200, r#"{"access_token":"at-canary","token_type":"Bearer"}"#);
    let shown = format!(
        "{shown} {request:?} {refresh:?} {reply:?} {:?}",
        expect.receive(answer(200, reply.body().expose()))
    );
    assert!(!shown.contains("canary"), "{shown}");
    assert!(!shown.contains(&verifier_half), "`state` is a secret too");
    assert!(!shown.contains("Y3MtY2FuYXJ5"), "nor in base64");
}

/// Servers echo forms; errors must not pass that on.
#[test]
fn r41_an_error_repeats_no_body() {
    let mut keeper = keeper();
    keeper.handle_command(now(), Command::Refresh);
    let (generation, _) = keeper.poll_request().unwrap();
    let echo = "refresh_token=rt-canary&client_secret=cs-canary";
    let body = format!(
        r#"{{"error":"server_error","error_description":"access_denied","request":"{echo}"}}"#
    );
    keeper.handle_response(now(), generation, Ok(answer(401, body)));
    let event = keeper.poll_event().unwrap();
    let Event::RefusedOnce(failure) = &event else { panic!("{event:?}") };
    assert_eq!(
        failure.to_string(),
        "the instance refused to refresh the token (server_error: access_denied)"
    );
    assert!(!format!("{event:?} {keeper:?}").contains("canary"));
}

#[test]
fn r43_the_access_token_travels_in_the_header_only() {
    let instance = Instance::parse("classics").unwrap();
    let token = Secret::new("at-canary");
    for request in
        [read_current_user(&instance, &token), read_table(&instance, "kb_knowledge", &token)]
    {
        assert_eq!(request.headers()["authorization"], "Bearer at-canary");
        assert!(request.headers()["authorization"].is_sensitive());
        assert!(
            !request.uri().to_string().contains("canary") && request.body().expose().is_empty()
        );
        assert_eq!(request.method(), "GET");
    }
}

#[test]
fn r44_every_request_goes_to_the_instance_and_bears_no_cookie() {
    let instance = Instance::parse("https://snow.acme.example:8443").unwrap();
    let token = Secret::new("t");
    let mut keeper = Keeper::new(
        instance.endpoints(),
        confidential(),
        Lifespans::default(),
        Some(tokens()),
        Policy::default(),
        7,
    );
    keeper.handle_command(now(), Command::Refresh);
    let refresh: Request = keeper.poll_request().unwrap().1;
    for request in
        [refresh, read_current_user(&instance, &token), read_table(&instance, "x", &token)]
    {
        assert_eq!(request.uri().authority().unwrap(), "snow.acme.example:8443");
        assert_eq!(request.uri().scheme_str(), Some("https"));
        assert!(!request.headers().contains_key("cookie"));
    }
}
