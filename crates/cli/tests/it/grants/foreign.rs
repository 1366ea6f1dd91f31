//! The same at a server that nobody in this project wrote: Authlib verifies the assertions with joserfc.

use super::bearer::{EC_JWK, EC_PUBLIC, KEY, PUBLIC, sign_in};
use super::{grants, log_in, wait_for_its_end};
use crate::support::foreign::{Foreign, Kind, Options};
use crate::support::instance::{Instance, PROFILE};
use crate::support::sandbox::Sandbox;

fn authlib(public_key: Option<&str>) -> Foreign {
    let public_key = public_key.map(str::to_owned);
    let options = Options { access_token_lifespan: 2, public_key, ..Options::default() };
    Foreign::start(Kind::Authlib, options)
}

#[test]
fn client_credentials_live_at_authlib() {
    let (server, sandbox) = (authlib(None), Sandbox::new());
    log_in(&sandbox, &server, "client-credentials", &["--no-scope"]).ok();
    for _ in 0..2 {
        wait_for_its_end();
        assert!(server.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()));
    }
    assert_eq!(grants(&server), ["client_credentials"; 3]);
    sandbox.run(&["logout", PROFILE]).ok();
}

#[test]
fn assertions_of_both_algorithms_are_believed_by_authlib() {
    for (key, public, algorithm) in [(KEY, PUBLIC, "RS256"), (EC_JWK, EC_PUBLIC, "ES256")] {
        let (server, sandbox) = (authlib(Some(public)), Sandbox::new());
        sign_in(&sandbox, &server, key, &["--subject", "admin", "--no-scope"]).ok();
        wait_for_its_end();
        assert!(server.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()), "{algorithm}");
        sandbox.run(&["refresh", PROFILE]).ok();
        let claims = server.claims();
        assert_eq!(claims.len(), 3, "{algorithm}");
        for claims in &claims {
            assert_eq!(claims["iss"], *server.client_id());
            assert_eq!(claims["aud"], *server.client_id());
            assert_eq!(claims["sub"], "admin");
            let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
            assert_eq!(life, 300);
        }
        sandbox.run(&["logout", PROFILE]).ok();
    }
}

#[test]
fn a_key_that_authlib_does_not_know_is_refused() {
    let (server, sandbox) = (authlib(Some(PUBLIC)), Sandbox::new());
    let refused = sign_in(&sandbox, &server, EC_JWK, &["--subject", "admin", "--no-scope"]);
    let code = refused.failed_with(&[1]).1;
    assert_eq!(code.as_deref(), Some("assertion-refused"));
    assert!(server.claims().is_empty());
}
