//! The one token request of a code: whatever becomes of its answer, it is not sent again.

use std::time::Duration;

use jiff::SignedDuration;
use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::oauth::Scope;
use snowtoken::core::oauth::client::AuthenticationMethod;
use snowtoken::core::profile::Grant;
use snowtoken::{Error, Outcome, Secret};
use snowtoken_stand_in::Fault;

use crate::support::logins::Setting;
use crate::support::scripted::scripted;

const TOKEN: &str = "/oauth_token.do";

fn fault(kind: &str, byte: u64) -> Fault {
    Fault { path: TOKEN.to_owned(), byte, ..Fault::new(kind).unwrap() }
}

/// A login whose code is exchanged while this fault is in force.
fn with_fault(setting: &Setting, fault: Fault) -> Result<snowtoken::login::LoggedIn, Error> {
    setting.run(|hands| {
        let redirect = hands.allow();
        setting.server.with_instance(|instance| instance.add_fault(fault));
        hands.paste(&redirect);
    })
}

/// R22: the answer ends after every so many bytes; the code is spent, and sent once.
#[test]
fn r22_an_answer_that_is_lost_is_not_asked_for_again() {
    let (mut lost, mut whole) = (0, 0);
    for byte in (0..1_000).step_by(37) {
        for kind in ["cut", "reset"] {
            let setting = Setting::pasting();
            match with_fault(&setting, fault(kind, byte)) {
                Ok(_) => whole += 1,
                Err(error) => {
                    lost += 1;
                    assert!(matches!(error, Error::CodeLost(_)), "{kind} at {byte}: {error:?}");
                    assert_eq!((error.code(), error.outcome()), (Code::CodeLost, Outcome::Failed));
                }
            }
            assert_eq!(setting.token_requests().len(), 1, "{kind} at {byte}");
        }
    }
    assert!(lost > 10 && whole > 0, "{lost} lost, {whole} whole");
}

#[test]
fn r22_nor_one_that_is_too_large_or_broken() {
    let setting = Setting::pasting();
    let error = with_fault(&setting, fault("huge-body", 0)).unwrap_err();
    assert!(matches!(error, Error::CodeLost(_)), "{error:?}");
    assert_eq!(setting.token_requests().len(), 1);
}

/// An answer that is none says what stands in the way.
#[test]
fn other_answers_to_the_code_are_told_apart() {
    for (kind, expected) in [
        ("asleep", Code::InstanceAsleep),
        ("offline", Code::InstanceBusy),
        ("bad-gateway", Code::InstanceBusy),
        ("bad-gateway-after", Code::InstanceBusy),
        ("unavailable", Code::InstanceBusy),
        ("login-page", Code::SignInInFront),
        ("login-redirect", Code::SignInInFront),
        ("moved", Code::EndpointRedirects),
        ("offline-page", Code::InstanceOffline),
        ("not-found", Code::EndpointMissing),
        ("address-refused", Code::AddressRefused),
        ("refused", Code::CodeRefused),
        ("truncated-json", Code::AnswerInvalid),
    ] {
        let setting = Setting::pasting();
        let error = with_fault(&setting, fault(kind, 0)).unwrap_err();
        assert_eq!(error.code(), expected, "{kind}");
        assert!(matches!(error, Error::Token(_)), "{kind}: {error:?}");
        assert_eq!(setting.token_requests().len(), 1, "{kind}");
    }
}

#[test]
fn a_code_that_could_not_be_sent_is_not_called_lost() {
    let setting = Setting::pasting();
    let error = setting
        .run(|hands| {
            let redirect = hands.allow();
            setting.server.stop();
            hands.paste(&redirect);
        })
        .unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert_eq!(error.code(), Code::ConnectFailed);
}

#[test]
fn a_wrong_secret_is_refused_once() {
    for (errors, expected) in [("generic", Code::CodeRefused), ("rfc", Code::ClientRefused)] {
        let mut setting = Setting::pasting().knob("token.errors", errors);
        setting.client.authentication =
            AuthenticationMethod::Post.with(Some(Secret::new("wrong-canary")));
        let error = setting.run(|hands| hands.paste(&hands.allow())).unwrap_err();
        assert_eq!(error.code(), expected, "{errors}");
        assert!(!format!("{error} {error:?} {:?}", error.hints()).contains("canary"));
        assert_eq!(setting.token_requests().len(), 1);
    }
}

#[test]
fn a_late_code_is_refused_and_the_age_is_suspected() {
    let mut setting = Setting::pasting();
    let (_, _, clock) = scripted();
    setting.world.clock = clock.clone();
    let error = setting
        .run(|hands| {
            let redirect = hands.allow();
            setting.server.with_clock(|clock| clock.advance(SignedDuration::from_secs(61)));
            clock.advance(Duration::from_secs(61));
            hands.paste(&redirect);
        })
        .unwrap_err();
    assert_eq!(error.code(), Code::CodeRefused);
    let first = error.hints()[0].to_string();
    assert!(first.starts_with("the code was up to 61 s old"), "{first}");
    assert_eq!(setting.token_requests().len(), 1);
}

/// The other ways a client authenticates.
#[test]
fn r29_each_way_to_authenticate_the_client_works_alone() {
    for method in [AuthenticationMethod::Post, AuthenticationMethod::Basic] {
        let mut setting = Setting::pasting();
        let secret = setting.server.with_instance(|instance| {
            let mut client = instance.clients().remove(0);
            client.client_secret = "s3cret".to_owned();
            instance.put_client(client).client_secret
        });
        setting.client.authentication = method.with(Some(Secret::new(secret)));
        let done = setting.run(|hands| hands.paste(&hands.allow()));
        assert!(done.is_ok(), "{method:?}: {:?}", done.err());
        let requests = setting.token_requests();
        let (header, body) =
            (requests[0].header("authorization").is_some(), requests[0].form("client_secret"));
        assert!(header != body.is_some(), "{method:?}");
    }
}

/// R36: fewer scopes than asked for are shown, not fatal.
#[test]
fn r36_a_narrower_scope_is_told() {
    let mut setting = Setting::pasting();
    setting.profile.scope = Some(Scope::parse("useraccount kb_read").unwrap());
    let body = r#"{"access_token":"a","refresh_token":"r","scope":"useraccount","token_type":"Bearer","expires_in":1799}"#;
    let done = setting.run(|hands| {
        let answer =
            http::Response::builder().status(200).header("content-type", "application/json");
        let answer = answer.body(body.as_bytes().to_vec()).unwrap();
        setting.server.with_instance(|instance| instance.script(TOKEN, answer));
        let redirect = format!("?code=made-up&state={}", hands.parameter("state"));
        hands.paste(&redirect);
    });
    let done = done.unwrap();
    assert_eq!(done.scope_missing, ["kb_read"]);
    assert!(done.unverified.is_some(), "the made-up token proves nothing");
}

#[test]
fn client_credentials_need_no_person() {
    let user = |setting: &Setting, name: &str| {
        setting.server.with_instance(|instance| {
            let mut client = instance.clients().remove(0);
            name.clone_into(&mut client.user);
            instance.put_client(client);
        });
    };
    let mut setting = Setting::pasting().knob("client_credentials.enabled", "on");
    setting.profile.grant = Grant::ClientCredentials;
    setting.profile.redirect_uri = None;
    user(&setting, "abel.tuter");
    let done = setting.run(|_| panic!("no URL may be shown")).unwrap();
    assert!(done.tokens.authorization_code.is_none());
    assert_eq!(done.tokens.refresh_token.is_some(), done.tokens.refresh_expires_at.is_some());
    assert_eq!(done.user.unwrap().name(), Some("abel.tuter"));
    let requests = setting.token_requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].form("grant_type").as_deref(), Some("client_credentials"));

    // RFC 6749 §4.4.3: a refresh token should not come; one that does is not kept.
    let body = r#"{"access_token":"a","refresh_token":"r","token_type":"Bearer","expires_in":9}"#;
    let answer = http::Response::builder().status(200).body(body.as_bytes().to_vec()).unwrap();
    setting.server.with_instance(|instance| instance.script(TOKEN, answer));
    let done = setting.run(|_| panic!("no URL may be shown")).unwrap();
    assert_eq!((done.tokens.refresh_token, done.tokens.refresh_expires_at), (None, None));

    let mut setting = Setting::pasting();
    setting.profile.grant = Grant::ClientCredentials;
    let error = setting.run(|_| panic!("no URL may be shown")).unwrap_err();
    assert_eq!(error.code(), Code::ClientRefused);
    assert_eq!(setting.token_requests().len(), 1);
}

#[test]
fn a_profile_without_redirect_uri_cannot_ask_for_consent() {
    let mut setting = Setting::pasting();
    setting.profile.redirect_uri = None;
    let error = setting.run(|_| panic!("no URL may be shown")).unwrap_err();
    assert!(matches!(&error, Error::SettingMissing { what: "redirect URI", .. }), "{error:?}");
    assert_eq!((error.code(), error.outcome()), (Code::SettingMissing, Outcome::Usage));
}
