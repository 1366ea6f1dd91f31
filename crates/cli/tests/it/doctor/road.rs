//! The road to the instance: each step against a pretend instance that misbehaves in one way.

use std::time::Duration;

use serde_json::Value;

use crate::support::foreign::{Foreign, Kind};
use crate::support::instance::{Instance, PROFILE, console_uri, first_login, log_in, paste, words};
use crate::support::process::{Outcome, Running};
use crate::support::pty::Terminal;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;
use crate::support::wrapped::wrapped;

/// The verdicts of one run, by step: `pass`, `warn`, `fail:code`, `unknown:why`.
pub(crate) struct Found {
    pub(crate) json: Value,
    pub(crate) outcome: Outcome,
}

impl Found {
    pub(crate) fn of(outcome: Outcome) -> Self {
        let json = outcome.json();
        assert_eq!(json["version"], 1);
        Self { json, outcome }
    }

    #[track_caller]
    pub(crate) fn step(&self, name: &str) -> &Value {
        let mut steps = self.json["steps"].as_array().unwrap().iter();
        steps
            .find(|step| step["step"] == name)
            .unwrap_or_else(|| panic!("no {name}: {:#}", self.json))
    }

    #[track_caller]
    pub(crate) fn verdict(&self, name: &str) -> String {
        let step = self.step(name);
        let text = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
        match (text("verdict").as_str(), step["warning"] == true) {
            ("pass", true) => "warn".to_owned(),
            ("fail", _) => format!("fail:{}", text("code")),
            ("unknown", _) => format!("unknown:{}", text("why")),
            (word, _) => word.to_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn expect(&self, verdicts: &[(&str, &str)]) {
        for (step, expected) in verdicts {
            assert_eq!(self.verdict(step), *expected, "{step}: {:#}", self.json);
        }
    }

    /// Every failure says what to do and who can, and the first of them ends the command.
    #[track_caller]
    pub(crate) fn closes_with(&self, step: &str, code: i32) {
        assert_eq!(self.json["first_failure"], step, "{:#}", self.json);
        assert_eq!(self.outcome.code, Some(code), "{:#?}", self.outcome);
        assert_eq!(self.json["first_fix"], self.step(step)["fix"]);
        for key in ["first_fix", "who"] {
            assert!(
                self.json[key].as_str().is_some_and(|text| !text.is_empty()),
                "{:#}",
                self.json
            );
        }
        let diagnosis = self.step(step)["code"].as_str().unwrap();
        assert!(
            self.outcome.stderr.contains(&format!("\ncode: {diagnosis} ")),
            "{:#?}",
            self.outcome
        );
    }
}

fn doctor(sandbox: &Sandbox, more: &[&str]) -> Found {
    Found::of(sandbox.run(&[&["doctor", "--json"], more].concat()))
}

fn logged_in(knobs: &[&str]) -> (StandIn, Sandbox) {
    let (instance, sandbox) = (StandIn::with(knobs), Sandbox::new());
    log_in(&sandbox, &instance);
    (instance, sandbox)
}

const REMOTE: [&str; 12] = [
    "instance",
    "proxy",
    "address",
    "connection",
    "awake",
    "clock",
    "oauth_auth.do",
    "oauth_token.do",
    "client",
    "client secret",
    "redirect URI",
    "PKCE",
];

#[test]
fn after_a_login_the_whole_road_is_seen_with_eight_requests_and_nothing_is_changed() {
    let (instance, sandbox) = logged_in(&[]);
    let (before, token) =
        (instance.received().len(), sandbox.run(&["token", PROFILE]).ok().token());
    let found = doctor(&sandbox, &[PROFILE]);
    assert_eq!(found.outcome.code, Some(0), "{:#}", found.json);
    for step in REMOTE {
        assert_eq!(found.verdict(step), "pass", "{step}: {:#}", found.json);
    }
    found.expect(&[
        ("certificate", "unknown:not-here"),
        ("scope", "pass"),
        ("grant", "pass"),
        ("refresh token", "unknown:not-asked"),
        ("API", "pass"),
        ("tables", "pass"),
        ("deadlines", "pass"),
    ]);
    assert_eq!((&found.json["profile"], &found.json["failed"]), (&"p".into(), &0.into()));
    assert_eq!(found.json["instance"], Value::String(instance.origin()));
    let asked = &instance.received()[before..];
    assert_eq!(asked.len(), 8, "{asked:#?}");
    assert!(asked.iter().all(|request| !request.has_header("cookie")));
    // The one token request holds nothing, and no token was changed.
    let token_requests: Vec<_> = asked.iter().filter(|r| r.is_to("/oauth_token.do")).collect();
    assert_eq!(token_requests.iter().map(|r| r.body.as_str()).collect::<Vec<_>>(), [""]);
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
}

#[test]
fn the_text_has_a_line_for_each_step_and_closes_with_the_first_fix() {
    let (instance, sandbox) = logged_in(&[]);
    let outcome = sandbox.run(&["doctor"]).ok();
    assert!(outcome.stdout.contains("\npass     oauth_auth.do   answers\n"), "{outcome:#?}");
    assert!(
        outcome.stdout.contains("\n\nnothing to mend was found; 2 steps are unknown\n"),
        "{outcome:#?}"
    );
    assert!(!outcome.stdout.contains('\u{1b}'));
    instance.set("fault.kind=asleep");
    let outcome = sandbox.run(&["doctor"]).ended_with(&[5]);
    assert!(outcome.stdout.contains("\nFAIL     awake "), "{outcome:#?}");
    assert!(
        outcome.stdout.contains("\nunknown  oauth_token.do  not looked at, because of \"awake\"\n"),
        "{outcome:#?}"
    );
    let closing = outcome.stdout.split("\n\n").last().unwrap();
    assert!(closing.starts_with("first fix: ") && closing.contains("\nwho: "), "{closing}");
}

#[test]
fn an_instance_that_does_not_answer_as_it_should_is_named() {
    let (instance, sandbox) = logged_in(&[]);
    for (knobs, step, verdict, exit) in [
        (&["fault.kind=asleep"][..], "awake", "fail:instance-asleep", 5),
        (&["fault.kind=offline"], "awake", "fail:instance-offline", 5),
        (&["fault.kind=unavailable"], "awake", "fail:instance-busy", 5),
        (&["fault.kind=bad-gateway"], "awake", "fail:instance-busy", 5),
        (&["fault.kind=reset", "fault.byte=10"], "awake", "fail:connection-lost", 5),
        (&["fault.kind=cut", "fault.byte=40"], "awake", "fail:connection-lost", 5),
        (&["fault.kind=slow", "fault.delay=20000"], "awake", "fail:timed-out", 5),
        (&["fault.kind=none", "oauth.active=off"], "oauth_auth.do", "fail:endpoint-missing", 5),
        (&["oauth.active=on", "ip_access=refused"], "oauth_auth.do", "fail:address-refused", 5),
        (
            &["ip_access=allowed", "fault.path=/oauth_token.do", "fault.kind=login-redirect"],
            "oauth_token.do",
            "fail:sign-in-in-front",
            5,
        ),
        (&["fault.kind=login-page"], "oauth_token.do", "fail:sign-in-in-front", 5),
    ] {
        for knob in knobs {
            instance.set(knob);
        }
        let found = doctor(&sandbox, &[PROFILE]);
        found.expect(&[(step, verdict)]);
        found.closes_with(step, exit);
        if step == "awake" {
            found.expect(&[
                ("oauth_auth.do", "unknown:blocked"),
                ("oauth_token.do", "unknown:blocked"),
                ("client", "unknown:blocked"),
                ("redirect URI", "unknown:blocked"),
                ("PKCE", "unknown:blocked"),
                ("API", "unknown:blocked"),
                ("tables", "unknown:blocked"),
                ("deadlines", "pass"),
            ]);
        }
    }
}

#[test]
fn clocks_that_are_apart_are_noticed_and_when_far_apart_a_failure() {
    let (instance, sandbox) = logged_in(&[]);
    let minute = Duration::from_mins(1);
    instance.pass(minute);
    let found = doctor(&sandbox, &[PROFILE]);
    found.expect(&[("clock", "warn")]);
    assert_eq!((found.outcome.code, &found.json["warnings"]), (Some(0), &1.into()));
    instance.pass(5 * minute);
    let found = doctor(&sandbox, &[PROFILE]);
    found.expect(&[("clock", "fail:clock-skewed"), ("API", "pass")]);
    found.closes_with("clock", 1);
    let detail = found.step("clock")["detail"].as_str().unwrap();
    assert_eq!(detail, "this machine's clock is 6 min behind the instance's");
    instance.set("date=missing");
    doctor(&sandbox, &[PROFILE]).expect(&[("clock", "unknown:not-told")]);
}

/// Before there is a profile: an instance, a client, a redirect URI.
#[test]
fn client_and_redirect_uri_are_told_before_anybody_signs_in() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let (origin, id, uri) = (instance.origin(), instance.client_id(), console_uri("us-west-2"));
    let look = |more: &[&str]| doctor(&sandbox, &[&["--instance", &origin], more].concat());
    let found = look(&[]);
    found.expect(&[("oauth_auth.do", "pass"), ("oauth_token.do", "pass"), ("store", "unknown:")]);
    assert_eq!(found.outcome.code, Some(0));
    let steps = found.json["steps"].as_array().unwrap();
    for absent in ["client", "client secret", "redirect URI", "tables", "deadlines"] {
        assert!(steps.iter().all(|step| step["step"] != absent), "{absent}");
    }
    let found = look(&["--client-id", &id, "--redirect-uri", &uri]);
    found.expect(&[("client", "pass"), ("redirect URI", "pass"), ("PKCE", "unknown:not-told")]);
    let found = look(&["--client-id", "nobody", "--redirect-uri", &uri]);
    found.expect(&[("client", "fail:client-unknown"), ("redirect URI", "unknown:blocked")]);
    found.closes_with("client", 1);
    let other = format!("{uri}/");
    let found = look(&["--client-id", &id, "--redirect-uri", &other]);
    found.expect(&[("client", "unknown:not-told"), ("redirect URI", "fail:redirect-uri-mismatch")]);
    found.closes_with("redirect URI", 1);
    for status in ["400", "401", "500"] {
        instance.set(&format!("error_page.status={status}"));
        look(&["--client-id", &id, "--redirect-uri", &other])
            .expect(&[("redirect URI", "fail:redirect-uri-mismatch")]);
    }
    // An instance that goes to the first URL instead is found out: it refuses nothing at all.
    instance.set("redirect.mismatch=first-url");
    for uri in [&uri, &other] {
        let found = look(&["--client-id", &id, "--redirect-uri", uri]);
        found.expect(&[("client", "pass"), ("redirect URI", "unknown:not-told")]);
        let detail = found.step("redirect URI")["detail"].as_str().unwrap();
        assert!(detail.contains("goes to the first Redirect URL instead"), "{detail}");
    }
    instance.set("redirect.mismatch=page");
    instance.set("challenge.missing=page");
    instance.set("pkce=required");
    look(&["--client-id", &id, "--redirect-uri", &uri]).expect(&[("PKCE", "pass")]);
    assert!(sandbox.snapshot_of("keep").is_empty(), "nothing is kept");
}

#[test]
fn the_clients_record_gives_definite_answers_where_the_token_may_read_it() {
    let (instance, sandbox) = logged_in(&["api.clients=everybody"]);
    let found = doctor(&sandbox, &[PROFILE]);
    found.expect(&[("client", "pass"), ("redirect URI", "pass"), ("PKCE", "pass")]);
    let detail =
        |found: &Found, step: &str| found.step(step)["detail"].as_str().unwrap().to_owned();
    assert!(detail(&found, "redirect URI").starts_with("registered on the client's record"));
    assert!(detail(&found, "PKCE").starts_with("not demanded by the client's record"));
    instance.set("redirect.mismatch=first-url");
    instance.change_client(|client| {
        client.redirect_urls =
            vec!["https://us-west-2.console.aws.amazon.com/appflow/oauth/".into()];
        client.use_pkce = true;
        client.inbound_grant_type = "jwt".into();
    });
    let found = doctor(&sandbox, &[PROFILE]);
    found.expect(&[
        ("redirect URI", "fail:redirect-uri-mismatch"),
        ("PKCE", "pass"),
        ("grant", "fail:client-refused"),
    ]);
    found.closes_with("redirect URI", 1);
    assert!(detail(&found, "redirect URI").contains("differs in a slash"), "{:#}", found.json);
    assert!(detail(&found, "PKCE").starts_with("demanded by the client's record"));
}

#[test]
fn what_the_token_opens_is_told_from_what_it_does_not() {
    let (instance, sandbox) = logged_in(&[]);
    for (knobs, api, tables, exit) in [
        (&["api.scope_restriction=restricted"][..], "fail:api-restricted", "unknown:blocked", 1),
        (&["api.scope_restriction=unrestricted", "api.acl=no-rows"], "pass", "unknown:not-told", 0),
        (&["api.acl=refused"], "pass", "fail:api-forbidden", 1),
        (&["api.acl=open", "api.current_user=missing"], "unknown:not-told", "pass", 0),
    ] {
        for knob in knobs {
            instance.set(knob);
        }
        let found = doctor(&sandbox, &[PROFILE]);
        found.expect(&[("API", api), ("tables", tables)]);
        assert_eq!(found.outcome.code, Some(exit), "{knobs:?}: {:#}", found.json);
    }
    instance.end_all_tokens();
    let found = doctor(&sandbox, &[PROFILE]);
    found.expect(&[("API", "fail:token-not-accepted"), ("tables", "unknown:blocked")]);
    found.closes_with("API", 4);
}

#[test]
fn a_refresh_that_is_asked_for_proves_client_secret_and_refresh_token() {
    let (instance, sandbox) = logged_in(&["lifespan.access=2"]);
    std::thread::sleep(Duration::from_millis(2_100));
    let found = doctor(&sandbox, &[PROFILE]);
    found.expect(&[
        ("client secret", "unknown:not-asked"),
        ("refresh token", "unknown:not-asked"),
        ("API", "unknown:not-asked"),
        ("tables", "unknown:not-asked"),
    ]);
    assert_eq!(instance.token_requests().len(), 2, "the code, and an empty one");
    instance.set("lifespan.access=1800");
    let found = doctor(&sandbox, &[PROFILE, "--refresh"]);
    found.expect(&[
        ("client", "pass"),
        ("client secret", "pass"),
        ("refresh token", "pass"),
        ("API", "pass"),
        ("tables", "pass"),
    ]);
    let refreshes = instance.token_requests();
    assert_eq!(refreshes.iter().filter(|r| r.body.contains("grant_type=refresh_token")).count(), 1);
    // The secret is changed on the instance: its answer does not say so, and neither do we.
    instance.change_client(|client| client.client_secret = "another".to_owned());
    let found = doctor(&sandbox, &[PROFILE, "--refresh"]);
    found
        .expect(&[("refresh token", "fail:token-refused"), ("client secret", "unknown:not-asked")]);
    found.closes_with("refresh token", 4);
}

#[test]
fn without_tokens_the_token_endpoint_is_asked_what_it_says_of_the_client() {
    let (instance, sandbox) = logged_in(&[]);
    sandbox.run(&["logout", PROFILE]).ok();
    let look = || doctor(&sandbox, &[PROFILE]);
    let found = look();
    found.expect(&[
        ("client", "pass"),
        ("client secret", "unknown:not-asked"),
        ("scope", "unknown:not-asked"),
        ("grant", "unknown:not-asked"),
        ("refresh token", "unknown:not-asked"),
        ("API", "unknown:not-asked"),
        ("deadlines", "unknown:not-asked"),
    ]);
    instance.set("client_credentials.enabled=on");
    look().expect(&[("client", "pass"), ("client secret", "unknown:not-told")]);
    // Even a client that may act for itself gets no token.
    instance.let_client_act_as("admin");
    look().expect(&[("oauth_token.do", "pass")]);
    instance.set("token.errors=rfc");
    look().expect(&[("client", "pass"), ("client secret", "pass")]);
    instance.change_client(|client| client.client_secret = "another".to_owned());
    let found = look();
    found.expect(&[("client", "fail:client-refused"), ("client secret", "fail:client-refused")]);
    found.closes_with("client", 1);
}

#[test]
fn a_client_that_acts_for_itself_needs_its_user() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let config = format!(
        "version = 1\n[profile.p]\ninstance = \"{}\"\nclient_id = \"{}\"\ngrant = \"client-credentials\"\ntarget = \"custom\"\n",
        instance.origin(),
        instance.client_id()
    );
    std::fs::create_dir(sandbox.keep()).unwrap();
    std::fs::write(sandbox.keep().join("config.toml"), config).unwrap();
    let found = doctor(&sandbox, &[]);
    found.expect(&[("grant", "unknown:not-told"), ("redirect URI", "unknown:not-here")]);
}

#[test]
fn scopes_and_ends_are_judged_by_what_is_stored() {
    let with = |knobs: &[&str], scope: &str| {
        let (instance, sandbox) = (StandIn::with(knobs), Sandbox::new());
        let more = words(&["--no-output", "--scope", scope]);
        let arguments = [first_login(&sandbox, &instance), more].concat();
        paste(sandbox.start(&arguments), &instance).ok();
        doctor(&sandbox, &[PROFILE])
    };
    let narrower = ["scope.granted=narrower", "lifespan.refresh=600000"];
    with(&narrower, "useraccount email").expect(&[("scope", "pass"), ("deadlines", "warn")]);
    let found = with(&narrower, "email useraccount");
    found.expect(&[("scope", "fail:scope-refused")]);
    found.closes_with("scope", 1);
    let detail = found.step("scope")["detail"].as_str().unwrap();
    assert_eq!(detail, "granted: email; asked for as well: useraccount");
    // Without a word about it the scope is the one that was asked for (RFC 6749 §5.1).
    with(&["scope.granted=missing"], "email").expect(&[("scope", "pass"), ("deadlines", "pass")]);
}

#[test]
fn several_profiles_are_listed_and_one_must_be_named() {
    let (instance, sandbox) = logged_in(&[]);
    let mut arguments = first_login(&sandbox, &instance);
    "other".clone_into(&mut arguments[1]);
    arguments.push("--no-output".to_owned());
    paste(sandbox.start(&arguments), &instance).ok();
    let before = instance.received().len();
    let found = doctor(&sandbox, &[]);
    let detail = found.step("profile")["detail"].as_str().unwrap();
    assert_eq!(detail, "there are 2: name one of them (p, other)");
    assert_eq!(instance.received().len(), before, "nothing is asked");
    doctor(&sandbox, &["other"]).expect(&[("API", "pass")]);
    let local = doctor(&sandbox, &["other", "--local"]);
    assert!(local.json["steps"].as_array().unwrap().iter().all(|step| step["step"] != "instance"));
    let (_, code) = sandbox.run(&["doctor", "nobody"]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("profile-unknown"));
}

/// What is on this machine is looked at all the same, and the failure is told with its way out.
#[test]
fn a_configuration_that_cannot_be_read_is_a_step_whatever_profile_is_named() {
    let (instance, sandbox) = logged_in(&[]);
    let before = instance.received().len();
    std::fs::write(sandbox.keep().join("config.toml"), "[profile.p\n").unwrap();
    for more in [&[][..], &[PROFILE]] {
        let found = doctor(&sandbox, more);
        found.expect(&[
            ("configuration", "fail:config-invalid"),
            ("store", "pass"),
            ("profile", "unknown:"),
        ]);
        found.closes_with("configuration", 2);
    }
    assert_eq!(instance.received().len(), before);
}

/// Servers that nobody in this project wrote are told apart from ServiceNow without a false word.
#[test]
fn a_foreign_server_passes_what_it_does_and_fails_nothing() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in(&sandbox, &server);
    let found = doctor(&sandbox, &[PROFILE]);
    assert_eq!(
        (&found.json["failed"], found.outcome.code),
        (&0.into(), Some(0)),
        "{:#}",
        found.json
    );
    found.expect(&[("oauth_token.do", "pass"), ("API", "pass"), ("client secret", "pass")]);
}

#[test]
fn on_a_terminal_failures_are_red_and_what_is_not_known_is_yellow() {
    let (instance, sandbox) = (StandIn::with(&["fault.kind=asleep"]), Sandbox::new());
    let shown = |no_color: &str| {
        let mut command = sandbox.command(&["doctor", "--instance", &instance.origin()]);
        command.env("NO_COLOR", no_color).env("TERM", "xterm");
        Terminal::start(&command, 200).finish().text()
    };
    let text = shown("");
    assert!(text.contains("\u{1b}[31mFAIL    \u{1b}[0m awake"), "{text}");
    assert!(text.contains("\u{1b}[33munknown \u{1b}[0m oauth_token.do"), "{text}");
    assert!(text.contains("\npass     proxy"), "{text}");
    let plain = shown("1");
    assert!(plain.contains("FAIL     awake") && !plain.contains('\u{1b}'), "{plain}");
}

/// A full disk is told before anybody loses tokens by it.
#[test]
fn a_store_that_cannot_be_written_fails_at_that_step() {
    let (_instance, sandbox) = logged_in(&[]);
    let limit = ["sh", "-c", "ulimit -f 0; trap '' XFSZ; exec \"$@\"", "sh"];
    let arguments = words(&["doctor", PROFILE, "--local", "--json"]);
    let outcome = Running::start(wrapped(&sandbox, &limit, &arguments)).finish();
    let found = Found::of(outcome);
    found.expect(&[("store", "pass"), ("writable", "fail:store-full"), ("tokens", "pass")]);
    found.closes_with("writable", 6);
}
