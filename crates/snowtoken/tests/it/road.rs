//! The road, walked with a scripted transport: what is asked, in which order, and when to stop.

use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::oauth::client::ClientId;
use snowtoken::core::servicenow::Instance;
use snowtoken::core::servicenow::road::{Finding, Step, Subject, Verdict};
use snowtoken::http::ATTEMPT_LIMIT;
use snowtoken::road::Walk;

use crate::support::scripted::scripted;

fn subject(has_client: bool) -> Subject {
    Subject {
        client_id: has_client.then(|| ClientId::parse("id-1").unwrap()),
        ..Subject::instance(Instance::parse("http://127.0.0.1:9").unwrap())
    }
}

fn verdict(found: &[Finding], step: Step) -> &Verdict {
    &found.iter().find(|finding| finding.step == step).unwrap().verdict
}

fn code(found: &[Finding], step: Step) -> Option<Code> {
    match verdict(found, step) {
        Verdict::Fail(fault) => Some(fault.code()),
        _ => None,
    }
}

const LOGIN: [(&str, &str); 1] = [("location", "/oauth_login.do")];
const REFUSAL: &str = r#"{"error_description":"access_denied","error":"server_error"}"#;

#[test]
fn a_transport_that_does_not_tell_its_way_leaves_the_line_unknown() {
    let (world, transport, _) = scripted();
    transport.answer_with(302, &LOGIN, "");
    transport.answer(401, REFUSAL);
    let found = Walk::to(&world, subject(false)).go().unwrap();
    for step in [Step::Proxy, Step::Address, Step::Connection] {
        assert!(matches!(verdict(&found, step), Verdict::Unknown(..)), "{step}");
    }
    assert!(matches!(verdict(&found, Step::TokenEndpoint), Verdict::Pass(_)));
    let sent = transport.sent();
    let paths: Vec<&str> = sent.iter().map(|sent| sent.path.as_str()).collect();
    assert_eq!(paths, ["/oauth_auth.do", "/oauth_token.do"]);
    assert!(sent.iter().all(|sent| sent.limit == ATTEMPT_LIMIT && sent.bearer.is_none()));
    assert!(sent.iter().all(|sent| sent.body.is_empty()));
}

#[test]
fn after_a_request_that_is_not_answered_nothing_more_is_sent() {
    for sent_before in [true, false] {
        let (world, transport, _) = scripted();
        transport.no_answer(sent_before);
        let found = Walk::to(&world, subject(true)).go().unwrap();
        assert_eq!(code(&found, Step::Awake), Some(Code::ConnectionLost));
        assert_eq!(transport.sent().len(), 1, "once, and nothing else");
    }
}

#[test]
fn a_sleeping_instance_is_asked_once() {
    let (world, transport, _) = scripted();
    transport.answer(200, "<title>Instance Hibernating page</title>");
    let found = Walk::to(&world, subject(true)).go().unwrap();
    assert_eq!(code(&found, Step::Awake), Some(Code::InstanceAsleep));
    assert_eq!(transport.sent().len(), 1);
}

#[test]
fn with_a_client_the_request_is_sent_without_a_challenge_as_well() {
    let (world, transport, _) = scripted();
    transport.answer_with(302, &LOGIN, "");
    transport.answer(200, "Missing code_challenge parameter in request.");
    transport.answer(401, REFUSAL);
    transport.answer(400, "Invalid client_id");
    let found = Walk::to(&world, subject(true)).go().unwrap();
    assert!(matches!(verdict(&found, Step::Pkce), Verdict::Pass(_)));
    // And once for a client that does not exist: that it is refused gives the first answer a meaning.
    assert!(matches!(verdict(&found, Step::Client), Verdict::Pass(_)));
    assert_eq!(transport.sent().len(), 4);
}

/// What an instance redirects to is never followed, and not even asked for by mistake.
#[test]
fn redirects_are_read_and_not_followed() {
    let (world, transport, _) = scripted();
    transport.answer_with(302, &[("location", "https://idp.example/saml")], "");
    transport.answer_with(302, &[("location", "https://idp.example/token")], "");
    let found = Walk::to(&world, subject(true)).go().unwrap();
    assert!(matches!(verdict(&found, Step::AuthorizationEndpoint), Verdict::Unknown(..)));
    assert_eq!(code(&found, Step::TokenEndpoint), Some(Code::EndpointRedirects));
    assert!(matches!(verdict(&found, Step::Awake), Verdict::Unknown(..)));
    assert_eq!(transport.sent().len(), 2);
}
