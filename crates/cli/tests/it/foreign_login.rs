//! The whole life of a token set at servers that nobody in this project wrote.

use url::Url;

use crate::support::foreign::{Foreign, Kind, Options};
use crate::support::http::{self, Client};
use crate::support::instance::{
    Consent, Instance, PROFILE, first_login, free_redirect_uri, log_in, log_in_with, parameter,
    paste, with_parameter, words,
};
use crate::support::sandbox::Sandbox;

/// As often as a program that keeps tokens alive refreshes in two days.
const REFRESHES: usize = 100;

fn start(kind: Kind, rotate: bool) -> Foreign {
    Foreign::start(kind, Options { rotate, ..Options::default() })
}

/// Whether the server still takes the refresh token, asked without the command. A server that
/// rotates ends it by answering, so this is the last thing to ask.
fn refreshes(server: &Foreign, refresh_token: &str) -> bool {
    let url = Url::parse(&format!("{}/oauth_token.do", server.origin())).unwrap();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
        ("client_id", &server.client_id()),
        ("client_secret", &server.client_secret()),
    ];
    Client::default().post(&url, &fields).status == 200
}

/// Login, a hundred refreshes, login again, and the end of it all.
fn lives(kind: Kind, rotate: bool) {
    let (server, sandbox) = (start(kind, rotate), Sandbox::new());
    log_in_with(&sandbox, &server, &[]).ok();
    let first = sandbox.credential("Access Token");
    assert!(server.is_alive(&first));
    let asked = server.token_requests().len();
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), first);
    assert_eq!(server.token_requests().len(), asked, "a living token needs no request");

    for round in 1..=REFRESHES {
        sandbox.run(&["refresh", PROFILE]).ok();
        if round % 20 == 0 {
            let token = sandbox.run(&["token", PROFILE]).ok().token();
            assert!(server.is_alive(&token), "round {round}");
            assert_ne!(token, first, "round {round}");
        }
    }
    assert_eq!(server.token_requests().len(), asked + REFRESHES);

    // Nothing is asked the second time: neither address nor secret nor redirect URI is given.
    paste(sandbox.start(&["login", PROFILE, "--no-browser"]), &server).ok();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    assert_eq!(sandbox.credential("Access Token"), token);
    assert!(server.is_alive(&token));
    ends(kind, &server, &sandbox, &token);
}

/// Both tokens die where the server can end them; where it cannot, nobody says they did.
fn ends(kind: Kind, server: &Foreign, sandbox: &Sandbox, token: &str) {
    let refresh_token = sandbox.credential("Refresh Token");
    if kind == Kind::NodeOauth {
        sandbox.run(&["revoke", PROFILE]).failed_with(&[1, 5]);
        assert!(server.is_alive(token));
        return;
    }
    sandbox.run(&["revoke", PROFILE]).ok();
    assert!(!server.is_alive(token));
    sandbox.run(&["token", PROFILE]).failed_with(&[4]);
    // The client secret is kept, so the next login asks nothing either.
    paste(sandbox.start(&["login", PROFILE, "--no-browser"]), server).ok();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    assert!(server.is_alive(&token));
    sandbox.run(&["logout", PROFILE]).ok();
    assert!(!server.is_alive(&token));
    assert!(!refreshes(server, &refresh_token), "the refresh token outlived its end");
}

#[test]
fn tokens_live_and_end_at_oidc_provider() {
    lives(Kind::OidcProvider, false);
}

#[test]
fn tokens_live_and_end_at_oidc_provider_that_rotates() {
    lives(Kind::OidcProvider, true);
}

#[test]
fn tokens_live_and_end_at_node_oauth() {
    lives(Kind::NodeOauth, false);
}

#[test]
fn tokens_live_and_end_at_node_oauth_that_rotates() {
    lives(Kind::NodeOauth, true);
}

#[test]
fn tokens_live_and_end_at_authlib() {
    lives(Kind::Authlib, false);
}

#[test]
fn tokens_live_and_end_at_authlib_that_rotates() {
    lives(Kind::Authlib, true);
}

const KINDS: [Kind; 3] = [Kind::OidcProvider, Kind::NodeOauth, Kind::Authlib];

#[test]
fn the_redirect_is_heard_on_the_loopback_interface() {
    for kind in KINDS {
        let redirect_uri = free_redirect_uri();
        let server = Foreign::start(kind, Options { redirect_uri, ..Options::default() });
        let sandbox = Sandbox::new();
        let running = sandbox.start(&first_login(&sandbox, &server));
        let redirected = server.consent(&running.authorization_url(), Consent::Allow);
        let page = http::get(&redirected);
        assert!(page.status < 400, "{kind:?}: {page:#?}");
        running.finish().ok();
        assert!(server.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()), "{kind:?}");
    }
}

#[test]
fn a_denied_consent_ends_the_login_and_spoils_nothing() {
    for kind in KINDS {
        let (server, sandbox) = (Foreign::usual(kind), Sandbox::new());
        log_in(&sandbox, &server);
        let token = sandbox.run(&["token", PROFILE]).ok().token();
        let asked = server.token_requests().len();
        let mut running = sandbox.start(&["login", PROFILE, "--no-browser"]);
        let redirected = server.consent(&running.authorization_url(), Consent::Deny);
        running.write(format!("{redirected}\n"));
        let (_, code) = running.finish().failed_with(&[1, 4]);
        assert_eq!(code.as_deref(), Some("access-denied"), "{kind:?}");
        assert_eq!(server.token_requests().len(), asked, "{kind:?}");
        assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token, "{kind:?}");
    }
}

#[test]
fn a_wrong_secret_is_told_and_not_kept() {
    for kind in KINDS {
        let (server, sandbox) = (Foreign::usual(kind), Sandbox::new());
        log_in(&sandbox, &server);
        let token = sandbox.run(&["token", PROFILE]).ok().token();
        let wrong = sandbox.file("wrong", "not-the-secret-at-all\n");
        let asked = server.token_requests().len();
        let mut again = words(&["login", PROFILE, "--no-browser", "--client-secret-file"]);
        again.push(wrong.display().to_string());
        paste(sandbox.start(&again), &server).failed_with(&[1, 2, 4]);
        assert_eq!(server.token_requests().len(), asked + 1, "{kind:?}: one code, one request");
        assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token, "{kind:?}");
        sandbox.run(&["refresh", PROFILE]).ok();
    }
}

#[test]
fn a_code_that_was_used_is_refused_once_and_not_sent_again() {
    for kind in KINDS {
        let (server, sandbox) = (Foreign::usual(kind), Sandbox::new());
        let mut running = sandbox.start(&first_login(&sandbox, &server));
        let used = server.consent(&running.authorization_url(), Consent::Allow);
        running.write(format!("{used}\n"));
        running.finish().ok();
        let token = sandbox.run(&["token", PROFILE]).ok().token();
        let asked = server.token_requests().len();

        let mut running = sandbox.start(&["login", PROFILE, "--no-browser"]);
        let state = parameter(&running.authorization_url(), "state").unwrap();
        running.write(format!("{}\n", with_parameter(&used, "state", &state)));
        running.finish().failed_with(&[1, 4]);
        assert_eq!(server.token_requests().len(), asked + 1, "{kind:?}");
        assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token, "{kind:?}");
    }
}
