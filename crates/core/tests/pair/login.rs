//! The login line, from the URL to the tokens.

use snowtoken_core::oauth::authorization::{AuthorizationError, AuthorizationRequest, Entropy};
use snowtoken_core::oauth::client::{Client, ClientAuthentication, ClientId};
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::oauth::token::TokenError;
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow;
use snowtoken_stand_in::{Behaviour, Instance};

use crate::browser;
use crate::world::{World, carry, plain, sealed, seconds, start};

#[test]
fn a_login_ends_with_tokens_that_work() {
    let mut world = World::new(&[]);
    let (tokens, view) = (world.tokens(), world.view());
    assert_eq!(Some(tokens.access_token.expose()), view.access_token.as_deref());
    assert_eq!(tokens.refresh_token.unwrap().expose(), view.refresh_token.unwrap());
    assert_eq!(tokens.scope.as_deref(), Some("useraccount"));
    // One second is lost between making and answering, so we believe a little less than is true.
    let truth = view.access_token_expires.unwrap();
    assert_eq!(truth.duration_since(tokens.access_expires_at.at), seconds(1));
    assert_eq!(world.use_token(), Some(true));
    let [request] = &world
        .instance
        .requests()
        .into_iter()
        .filter(|r| r.path() == "/oauth_token.do")
        .collect::<Vec<_>>()[..]
    else {
        panic!("one token request, not two")
    };
    assert_eq!(request.form("grant_type").as_deref(), Some("authorization_code"));
}

/// What the line says to each thing the redirect can be.
#[test]
fn a_spoilt_redirect_is_refused_before_anything_is_sent() {
    for (knob, error) in [
        ("callback.state=missing", "the redirected URL carries no `state`"),
        ("callback.state=altered", "the redirected URL carries another login's `state`"),
        (
            "callback.state=twice",
            "the parameter `state` occurs more than once in the redirected URL",
        ),
    ] {
        assert_eq!(World::log_in(&[knob]).err().as_deref(), Some(error), "{knob}");
    }
    for knob in [
        "callback.iss=present",
        "callback.iss=wrong",
        "callback.extra_hop=off",
        "code.length=16384",
        "pkce=required",
        "pkce=ignored",
    ] {
        assert!(World::log_in(&[knob]).is_ok(), "{knob}");
    }
}

/// The parts of one login, so that a test can hurt any of them.
fn parts(knobs: &[&str]) -> (Instance, Client, AuthorizationRequest) {
    let mut behaviour = Behaviour::default();
    for knob in knobs {
        behaviour.assign(knob).unwrap();
    }
    let instance = Instance::new(behaviour, 3);
    let known = instance.clients().remove(0);
    let client = Client {
        id: ClientId::parse(&known.client_id).unwrap(),
        authentication: ClientAuthentication::Post(Secret::new(known.client_secret.clone())),
    };
    let request = AuthorizationRequest {
        endpoints: servicenow::Instance::parse("classics").unwrap().endpoints(),
        client_id: client.id.clone(),
        redirect_uri: RedirectUri::parse(&known.redirect_urls[0]).unwrap(),
        scope: None,
    };
    (instance, client, request)
}

#[test]
fn deny_is_told_from_a_stranger_s_error() {
    for (knob, error) in [
        ("deny=redirect-error", "the redirected URL carries an error (access_denied)"),
        ("deny=redirect-error-without-state", "the redirected URL carries no `state`"),
        ("deny=redirect-bare", "what was pasted is neither a redirected URL nor its query"),
    ] {
        let (mut instance, _, request) = parts(&[knob]);
        let (url, expect) = request.begin(&Entropy::from_bytes([5; 64]));
        let redirect = browser::consent(&mut instance, start(), &url, "deny").unwrap();
        assert_eq!(expect.examine(&redirect).unwrap_err().to_string(), error, "{knob}");
    }
}

/// The verifier of another login, the same redirect: the code is worth nothing to a thief.
#[test]
fn a_stolen_redirect_is_worth_nothing_without_the_verifier() {
    let (mut instance, client, request) = parts(&[]);
    let mut thief = [5; 64];
    thief[63] = 6; // the same `state`, another verifier
    let (_, stolen) = request.clone().begin(&Entropy::from_bytes(thief));
    let (url, _) = request.begin(&Entropy::from_bytes([5; 64]));
    let redirect = browser::consent(&mut instance, start(), &url, "authorize").unwrap();
    let code = stolen.examine(&redirect).unwrap();
    let (request, expect) = stolen.redeem(code, &client);
    let answer = carry(&mut instance, start(), plain(request)).unwrap();
    assert!(matches!(expect.receive(sealed(answer)), Err(TokenError::Refused { status: 401, .. })));
    let log = instance.syslog().pop().unwrap().message;
    assert_eq!(log, "Exception on token flow - invalid_grant: code_verifier does not match");
}

#[test]
fn a_code_lives_a_minute_and_once() {
    for (age, works) in [(59, true), (60, false)] {
        let (mut instance, client, request) = parts(&[]);
        let (url, expect) = request.begin(&Entropy::from_bytes([5; 64]));
        let redirect = browser::consent(&mut instance, start(), &url, "authorize").unwrap();
        let code = expect.examine(&redirect).unwrap();
        let (request, _) = expect.redeem(code, &client);
        let request = plain(request);
        let later = start() + seconds(age);
        let answer = instance.handle(later, request.clone());
        assert_eq!(answer.status() == 200, works, "after {age} s");
        assert_eq!(instance.handle(later, request).status(), 401, "a second time");
    }
}

/// Clients authenticate in both ways; secrets with every kind of punctuation arrive.
#[test]
fn secrets_with_punctuation_arrive_by_either_way() {
    for secret in ["a+b&c%d=e?\"'\\ f", "ü:~[`", "%41", "p@ss:word"] {
        for (basic, knob) in
            [(false, "client_auth.basic=refused"), (true, "client_auth.basic_decoding=form")]
        {
            let (mut instance, mut client, request) = parts(&[knob]);
            let mut known = instance.clients().remove(0);
            known.client_secret = secret.to_owned();
            instance.put_client(known);
            client.authentication = if basic {
                ClientAuthentication::Basic(Secret::new(secret))
            } else {
                ClientAuthentication::Post(Secret::new(secret))
            };
            let (url, expect) = request.begin(&Entropy::from_bytes([5; 64]));
            let redirect = browser::consent(&mut instance, start(), &url, "authorize").unwrap();
            let code = expect.examine(&redirect).unwrap();
            let (request, _) = expect.redeem(code, &client);
            assert_eq!(instance.handle(start(), plain(request)).status(), 200, "{secret} {basic}");
        }
    }
}

#[test]
fn an_error_at_the_authorization_endpoint_never_reaches_us_as_a_code() {
    let (mut instance, _, mut request) =
        parts(&["response_type.other=redirect-error", "pkce=required"]);
    request.redirect_uri = RedirectUri::parse("https://unregistered.example/cb").unwrap();
    let (url, expect) = request.begin(&Entropy::from_bytes([5; 64]));
    let page = browser::consent(&mut instance, start(), &url, "authorize").unwrap_err();
    assert!(page.contains("Invalid redirect_uri"), "{page}");
    // With the knob that ServiceNow documents, the code goes to a URI we did not ask for.
    instance.set("redirect.mismatch", "first-url").unwrap();
    let redirect = browser::consent(&mut instance, start(), &url, "authorize").unwrap();
    let error = expect.examine(&redirect).unwrap_err();
    assert!(matches!(error, AuthorizationError::Redirect(_)), "{error}");
}
