//! The measurement, rehearsed: for each setting of the stand-in that an answer can set, what is
//! measured is what was set, and a stand-in that is given the facts is measured the same.

use std::collections::BTreeMap;

use snowtoken::Secret;
use snowtoken::core::diagnosis::Diagnose as _;
use snowtoken::core::probe::{Finding, UNKNOWNS, Unknown, facts};
use snowtoken::probe::{FactsError, Guide, Press, Probe, knobs};
use snowtoken_stand_in::{Decision, Person};
use url::Url;

use crate::support::logins::Setting;

/// Somebody who may administer OAuth, and answers what was set.
struct Robot<'a> {
    setting: &'a Setting,
    visits: usize,
}

impl Guide for Robot<'_> {
    fn visit(&mut self, url: &Url, press: Press) -> Option<Secret> {
        self.visits += 1;
        let person = Person { user_name: "admin".into(), ..Person::default() };
        let decision = match press {
            Press::Allow => Decision::Allow,
            Press::Deny => Decision::Deny,
        };
        person.decide(url.as_str(), decision).ok().map(Secret::new)
    }

    fn choose(&mut self, question: &str, _answers: &[&str]) -> Option<usize> {
        let knob = |name: &str| {
            self.setting.server.with_instance(|i| i.behaviour().get(name).unwrap().to_owned())
        };
        let of = |name: &str, values: &[&str]| values.iter().position(|v| *v == knob(name));
        if question.contains("consent page ask") {
            of("consent.wording", &["connect", "access"])
        } else if question.contains("button") {
            of("consent.button", &["Allow", "Accept"])
        } else if question.contains("How often") {
            of("consent.repeat", &["always", "once", "never"])
        } else if question.contains("is.active") {
            self.setting.server.with_instance(|i| i.set("oauth.active", "off")).unwrap();
            Some(0)
        } else if question.contains("Deny this machine") {
            self.setting.server.with_instance(|i| i.set("ip_access", "refused")).unwrap();
            Some(0)
        } else {
            for (name, value) in [("oauth.active", "on"), ("ip_access", "allowed")] {
                self.setting.server.with_instance(|i| i.set(name, value)).unwrap();
            }
            Some(0)
        }
    }

    fn found(&mut self, _unknown: &Unknown, _finding: &Finding) {}
}

fn measure(setting: &Setting, change_client: bool) -> Vec<(Unknown, Finding)> {
    let probe = Probe {
        profile: &setting.profile,
        client: &setting.client,
        change_client,
        burst: 40,
        disturb: true,
    };
    let mut robot = Robot { setting, visits: 0 };
    let found = probe.run(&setting.world, &mut robot).unwrap();
    assert!(robot.visits <= 6, "{} visits", robot.visits);
    found
}

fn facts_of(setting: &Setting) -> BTreeMap<String, String> {
    read(&measure(setting, false))
}

fn read(found: &[(Unknown, Finding)]) -> BTreeMap<String, String> {
    knobs(&facts::text("2026-11-28", None, found)).unwrap().into_iter().collect()
}

/// Settings that can be measured, away from what is usual.
const OTHER_WAY: &[(&str, &str)] = &[
    ("deny", "redirect-error-without-state"),
    ("deny", "redirect-bare"),
    ("deny", "page"),
    ("error_page.status", "400"),
    ("error_page.status", "500"),
    ("response_type.other", "redirect-error"),
    ("consent.repeat", "once"),
    ("consent.repeat", "never"),
    ("consent.wording", "access"),
    ("consent.button", "Accept"),
    ("refresh.access", "new-each-time"),
    ("refresh.token", "omit"),
    ("refresh.token", "rotate"),
    ("refresh.token", "empty"),
    ("revoke.paths", "/oauth_revoke_token.do"),
    ("revoke.paths", "/oauth_revoke.do"),
    ("revoke.status", "401"),
    ("revoke.status", "204"),
    ("revoke.body", "html"),
    ("revoke.body", "json"),
    ("revoke.effect", "ignored"),
    ("revoke.unknown", "400"),
    ("revoke.access_ends_refresh", "on"),
    ("revoke.refresh_ends_access", "on"),
    ("pkce", "ignored"),
    ("pkce.failure", "rfc"),
    ("code.failed_attempt", "kept"),
    ("grant_type.unsupported", "rfc"),
    ("grant_type.unsupported", "empty"),
    ("well_known", "present"),
    ("scope.empty", "refused"),
    ("token.rate_limit", "30"),
    ("entity.secret_read_back", "masked"),
    ("entity.secret_read_back", "empty"),
    ("entity.secret_read_back", "clear"),
    ("client_auth.basic", "refused"),
    ("client_auth.basic_decoding", "form"),
];

fn setting() -> Setting {
    let mut setting = Setting::listening();
    // A secret that tells how Basic is read.
    let mut secret = String::from("a%41b:c+d");
    setting.server.with_instance(|instance| {
        let mut client = instance.clients().remove(0);
        client.client_secret.clone_from(&secret);
        instance.put_client(client);
    });
    setting.client.authentication =
        setting.profile.authentication.with(Some(Secret::new(std::mem::take(&mut secret))));
    setting
}

#[test]
fn what_is_measured_is_what_was_set_both_ways() {
    let usual = facts_of(&setting());
    for (name, value) in &usual {
        let set = setting().server.with_instance(|i| i.behaviour().get(name).unwrap().to_owned());
        assert_eq!(*value, set, "{name}");
    }
    for (name, value) in OTHER_WAY {
        let found = facts_of(&setting().knob(name, value));
        assert_eq!(found.get(*name).map(String::as_str), Some(*value), "{name}={value}: {found:?}");
    }
    // Each knob that a question names was measured at two settings at least.
    let measured: Vec<&str> =
        usual.keys().map(String::as_str).chain(OTHER_WAY.iter().map(|(name, _)| *name)).collect();
    for knob in UNKNOWNS.iter().flat_map(|unknown| unknown.knobs) {
        assert!(measured.contains(knob) || ELSEWHERE.contains(knob), "{knob} was never measured");
    }
}

/// Measured in tests of their own: they need another setting first.
const ELSEWHERE: &[&str] =
    &["challenge.missing", "refresh.old_access", "redirect.query", "lifespan.change"];

#[test]
fn what_shows_only_together_with_something_else_is_measured_too() {
    for value in ["stays", "dies"] {
        let setting = setting().knob("refresh.access", "new-each-time");
        assert_eq!(
            facts_of(&setting.knob("refresh.old_access", value))["refresh.old_access"],
            value
        );
    }
    for value in ["token-401", "page", "redirect-error"] {
        let setting = setting().knob("pkce", "required").knob("challenge.missing", value);
        assert_eq!(facts_of(&setting)["challenge.missing"], value);
    }
    for value in ["new-tokens", "retroactive"] {
        let setting = setting().knob("lifespan.change", value);
        assert_eq!(read(&measure(&setting, true))["lifespan.change"], value);
        let life = setting.server.with_instance(|i| i.clients().remove(0).refresh_token_lifespan);
        assert_eq!(life, 8_640_000, "it is set back");
    }
    for value in ["append", "question-mark", "drop"] {
        let mut setting = setting().knob("redirect.query", value);
        let uri = format!("{}?a=b", setting.profile.redirect_uri.as_ref().unwrap().as_str());
        setting.server.with_instance(|instance| {
            let mut client = instance.clients().remove(0);
            client.redirect_urls = vec![uri.clone()];
            instance.put_client(client);
        });
        setting.profile.redirect_uri =
            Some(snowtoken::core::oauth::redirect::RedirectUri::parse(&uri).unwrap());
        assert_eq!(facts_of(&setting)["redirect.query"], value);
    }
}

#[test]
fn a_stand_in_with_the_facts_of_another_is_measured_the_same() {
    let first = setting()
        .knob("deny", "page")
        .knob("refresh.token", "rotate")
        .knob("revoke.refresh_ends_access", "on")
        .knob("pkce.failure", "rfc");
    let found = facts_of(&first);
    let second = setting();
    for (name, value) in &found {
        second.server.with_instance(|instance| instance.set(name, value)).unwrap();
    }
    assert_eq!(facts_of(&second), found);
}

#[test]
fn all_eighteen_are_told_and_nothing_of_the_instance_is_in_the_file() {
    let setting = setting();
    let found = measure(&setting, true);
    assert_eq!(found.len(), UNKNOWNS.len(), "{found:?}");
    let text = facts::text("2026-11-28", Some("Zurich"), &found);
    assert!(!text.contains("nobody asked"), "{text}");
    assert!(text.contains("is answered 404"), "{text}");
    assert!(text.contains("is answered 403"), "{text}");
    let client = setting.server.with_instance(|instance| instance.clients().remove(0));
    let host = setting.server.base_url().trim_start_matches("http://").to_owned();
    for secret in [&client.client_id, &client.client_secret, &host, "admin", "abel"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

/// Presses Allow, and answers nothing.
struct Silent;
impl Guide for Silent {
    fn visit(&mut self, url: &Url, _press: Press) -> Option<Secret> {
        Person::default().decide(url.as_str(), Decision::Allow).ok().map(Secret::new)
    }
    fn choose(&mut self, _question: &str, _answers: &[&str]) -> Option<usize> {
        None
    }
    fn found(&mut self, _unknown: &Unknown, _finding: &Finding) {}
}

#[test]
fn without_rights_and_without_leave_the_rest_is_still_measured() {
    let setting = setting();
    let probe = Probe {
        profile: &setting.profile,
        client: &setting.client,
        change_client: false,
        burst: 0,
        disturb: false,
    };
    let found = probe.run(&setting.world, &mut Silent).unwrap();
    let missed: Vec<&str> = found
        .iter()
        .filter(|(_, finding)| matches!(finding, Finding::NotMeasured(_)))
        .map(|(unknown, _)| unknown.name)
        .collect();
    assert_eq!(
        missed,
        [
            "redirect-query",
            "consent-text",
            "consent-repeats",
            "secret-read-back",
            "lifespan-change",
            "rate-limit",
            "oauth-off",
            "ip-denied"
        ]
    );
}

#[test]
fn a_sleeping_instance_is_told_at_once() {
    let setting = setting().knob("fault.kind", "asleep");
    let probe = Probe {
        profile: &setting.profile,
        client: &setting.client,
        change_client: false,
        burst: 0,
        disturb: false,
    };
    let error = probe.run(&setting.world, &mut Robot { setting: &setting, visits: 0 }).unwrap_err();
    assert_eq!(error.code().to_string(), "instance-asleep");
}

#[test]
fn facts_that_are_none_are_refused() {
    for (text, error) in [
        ("version = 2", FactsError::Newer(2)),
        ("version = 1\n[[fact]]\nname = \"x\"", FactsError::Unknown("x".into())),
        (
            "version = 1\n[[fact]]\nname = \"deny\"\nknobs.\"ip_access\" = \"refused\"",
            FactsError::Unknown("deny: ip_access".into()),
        ),
    ] {
        assert_eq!(knobs(text), Err(error));
    }
    assert!(matches!(knobs("hello"), Err(FactsError::Form(_))));
}
