//! PKCE.

use snowtoken_stand_in::Client;

use crate::bench::{Bench, GENERIC};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const WITH: &[(&str, &str)] = &[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];

fn public() -> Client {
    Client { public_client: true, ..Client::default() }
}

#[test]
fn a_challenge_that_was_sent_is_verified() {
    let mut bench = Bench::new(&[]);
    for (verifier, status) in
        [(VERIFIER, 200), ("x".repeat(43).as_str(), 401), ("-", 401), (CHALLENGE, 401)]
    {
        let code = bench.code(WITH);
        assert_eq!(
            bench.exchange(&code, &[("code_verifier", verifier)]).status,
            status,
            "{verifier}"
        );
    }
    assert!(bench.cause().ends_with("code_verifier does not match"));
}

#[test]
fn a_plain_challenge_is_compared_as_it_is() {
    let mut bench = Bench::new(&[]);
    let code = bench.code(&[("code_challenge", VERIFIER), ("code_challenge_method", "plain")]);
    assert_eq!(bench.exchange(&code, &[("code_verifier", VERIFIER)]).status, 200);
    let page = bench.authorize(&[("code_challenge", VERIFIER), ("code_challenge_method", "S512")]);
    assert!(page.body.contains("Invalid code_challenge_method"));
}

#[test]
fn a_public_client_needs_a_verifier_and_no_secret() {
    let mut bench = Bench::with(&[], public());
    assert_eq!(bench.client.client_secret, "");
    let code = bench.code(WITH);
    let got = bench.exchange(&code, &[("client_secret", "-"), ("code_verifier", VERIFIER)]);
    assert_eq!(got.status, 200, "{}", got.body);
    assert_eq!(bench.refresh(&got.text("refresh_token"), &[("client_secret", "-")]).status, 200);
    let code = bench.code(&[]);
    bench.exchange(&code, &[("client_secret", "-")]).is(401, GENERIC);
    assert!(bench.cause().ends_with("no code_challenge was sent"));
}

#[test]
fn public_clients_and_refresh_tokens_contradict_in_the_sources() {
    let mut bench = Bench::with(&[("public_client.refresh_token", "none")], public());
    let code = bench.code(WITH);
    let got = bench.exchange(&code, &[("client_secret", "-"), ("code_verifier", VERIFIER)]);
    assert_eq!((got.status, got.json().get("refresh_token")), (200, None));
    let client = Client { token_format: "jwt".into(), ..public() };
    let mut bench = Bench::with(&[("public_client.jwt_refresh", "refused")], client);
    let code = bench.code(WITH);
    let got = bench.exchange(&code, &[("client_secret", "-"), ("code_verifier", VERIFIER)]);
    bench.refresh(&got.text("refresh_token"), &[("client_secret", "-")]).is(401, GENERIC);
}

#[test]
fn pkce_can_be_demanded_or_unknown() {
    let mut bench = Bench::new(&[("pkce", "required")]);
    let code = bench.code(&[]);
    bench.exchange(&code, &[]).is(401, GENERIC);
    let code = bench.code(WITH);
    assert_eq!(bench.exchange(&code, &[("code_verifier", VERIFIER)]).status, 200);
    let mut bench = Bench::new(&[("pkce", "ignored")]);
    let code = bench.code(WITH);
    assert_eq!(bench.exchange(&code, &[]).status, 200);
}

#[test]
fn a_missing_challenge_can_be_noticed_earlier() {
    let mut bench = Bench::new(&[("pkce", "required"), ("challenge.missing", "page")]);
    assert!(bench.authorize(&[]).body.contains("Missing code_challenge parameter in request."));
    let mut bench = Bench::new(&[("pkce", "required"), ("challenge.missing", "redirect-error")]);
    let got = bench.authorize(&[]);
    let expected = "http://localhost:8400/callback?error=invalid_request&state=abc123";
    assert_eq!(got.header("location"), Some(expected));
}

#[test]
fn a_wrong_verifier_can_be_told_in_the_words_of_the_rfc() {
    let mut bench = Bench::new(&[("pkce.failure", "rfc")]);
    let code = bench.code(WITH);
    let got = bench.exchange(&code, &[("code_verifier", "wrong")]);
    assert_eq!((got.status, got.text("error").as_str()), (400, "invalid_grant"));
}

#[test]
fn a_verifier_has_43_to_128_characters() {
    use base64::Engine as _;
    use sha2::{Digest, Sha256};
    let mut bench = Bench::new(&[]);
    for (length, status) in [(42, 401), (43, 200), (128, 200), (129, 401)] {
        let verifier = "v".repeat(length);
        let challenge =
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let code = bench.code(&[("code_challenge", &challenge), ("code_challenge_method", "S256")]);
        let got = bench.exchange(&code, &[("code_verifier", &verifier)]);
        assert_eq!(got.status, status, "{length}");
    }
}
