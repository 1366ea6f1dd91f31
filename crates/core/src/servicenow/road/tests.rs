//! Each verdict of each step, from what can be seen.

mod front;
mod stored;
mod wire;

use super::*;
use crate::oauth::Scope;
use crate::oauth::client::{AuthenticationMethod, ClientId};
use crate::oauth::redirect::RedirectUri;
use crate::profile::Grant;
use crate::servicenow::Instance;
use crate::token_set::{Deadline, KnownBy};

const NOW: &str = "2026-11-23T15:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_secs(seconds)
}

fn subject() -> Subject {
    Subject {
        client_id: Some(ClientId::parse("id-1").unwrap()),
        redirect_uri: Some(RedirectUri::parse("https://app.example/cb").unwrap()),
        scope: Some(Scope::parse("useraccount email").unwrap()),
        tables: Some(vec!["kb_knowledge".to_owned()]),
        ..Subject::instance(Instance::parse("classics").unwrap())
    }
}

fn open_line() -> Line {
    Line {
        route: Route::Direct(Direct::NoneNamed),
        addresses: Some(Ok(2)),
        connection: Some(Ok(())),
        tunnel: None,
        encryption: Some(Ok(Encryption { version: "TLS 1.3", chain: Vec::new() })),
    }
}

fn front(front: Front) -> FrontSeen {
    FrontSeen { front, date: Some(now()), at: now() }
}

fn all_good() -> Evidence {
    Evidence {
        line: Some(open_line()),
        front: Some(Ok(front(Front::SignIn))),
        bare: Some(Ok(Front::SignIn)),
        other_client: Some(Ok(Front::Refused(Complaint::Client))),
        other_redirect: Some(Ok(Front::Refused(Complaint::RedirectUri))),
        token: Some(Ok(TokenAnswer::Refused)),
        api: Some(Ok(Ok(ApiVerdict::Records(1)))),
        record: None,
        tables: vec![("kb_knowledge".to_owned(), Ok(Ok(ApiVerdict::Records(1))))],
    }
}

fn standing() -> Standing {
    Standing {
        state: State::Held,
        granted_at: after(-86_400),
        issued_at: after(-600),
        access_end: Deadline { at: after(1_200), known_by: KnownBy::Stated },
        has_refresh_token: true,
        refresh_end: Some(Deadline { at: after(50 * 86_400), known_by: KnownBy::Derived }),
        scope: Some("useraccount email".to_owned()),
        has_secret: true,
        last_failure: None,
        refreshed: None,
    }
}

fn silence(code: Code) -> Silence {
    Silence { code, text: "nobody answers".to_owned() }
}

/// The verdict as `word`, or `fail:code`, or `unknown:why`.
fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass(_) => "pass".to_owned(),
        Verdict::Warn(_) => "warn".to_owned(),
        Verdict::Fail(fault) => format!("fail:{}", fault.code()),
        Verdict::Unknown(why, _) => format!("unknown:{}", why.as_str()),
    }
}

fn verdict(subject: &Subject, standing: Option<&Standing>, seen: &Evidence, step: Step) -> Verdict {
    let found = judge(subject, standing, seen, now());
    found.into_iter().find(|finding| finding.step == step).unwrap().verdict
}

/// With everything else as it should be.
#[track_caller]
fn check(
    step: Step,
    expected: &str,
    change: impl FnOnce(&mut Subject, &mut Option<Standing>, &mut Evidence),
) {
    let (mut subject, mut standing, mut seen) = (subject(), Some(standing()), all_good());
    change(&mut subject, &mut standing, &mut seen);
    let found = verdict(&subject, standing.as_ref(), &seen, step);
    assert_eq!(word(&found), expected, "{step}: {found:?}");
}

/// Something that is not as it should be.
type Change = Box<dyn FnOnce(&mut Subject, &mut Option<Standing>, &mut Evidence)>;

#[test]
fn on_a_good_road_everything_passes_that_can_be_told() {
    let found = judge(&subject(), Some(&standing()), &all_good(), now());
    assert_eq!(found.len(), Step::ALL.len());
    for finding in found {
        let expected =
            if finding.step == Step::RefreshToken { "unknown:not-asked" } else { "pass" };
        assert_eq!(word(&finding.verdict), expected, "{finding:?}");
    }
}

#[test]
fn where_nobody_looked_nothing_passes_but_what_is_known_before() {
    let found = judge(&subject(), None, &Evidence::default(), now());
    for finding in found {
        let expected = finding.step == Step::Instance;
        assert_eq!(matches!(finding.verdict, Verdict::Pass(_)), expected, "{finding:?}");
        assert!(!matches!(finding.verdict, Verdict::Fail(_)), "{finding:?}");
    }
}

/// Whatever fails, nothing that builds on it passes or fails as well.
#[test]
fn what_builds_on_a_failure_is_unknown_because_of_it() {
    let mut seen = all_good();
    seen.line.as_mut().unwrap().addresses = Some(Err(silence(Code::NameNotFound)));
    let found = judge(&subject(), Some(&standing()), &seen, now());
    let failed: Vec<Step> =
        found.iter().filter(|f| matches!(f.verdict, Verdict::Fail(_))).map(|f| f.step).collect();
    assert_eq!(failed, [Step::Address]);
    for step in
        [Step::Connection, Step::Certificate, Step::Awake, Step::Clock, Step::Client, Step::Tables]
    {
        let finding = found.iter().find(|finding| finding.step == step).unwrap();
        assert_eq!(word(&finding.verdict), "unknown:blocked", "{step}");
        let Verdict::Unknown(_, text) = &finding.verdict else { unreachable!() };
        assert!(text.contains("\"address\""), "{text}");
    }
    // What is stored is known all the same.
    let kept = found.iter().find(|finding| finding.step == Step::Deadlines).unwrap();
    assert_eq!(word(&kept.verdict), "pass");
}
