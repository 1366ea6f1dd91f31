//! R1-R7, R9, R10, R12, R13: the authorization request.

use proptest::prelude::*;
use snowtoken_core::oauth::Endpoints;
use snowtoken_core::oauth::authorization::{AuthorizationRequest, Entropy};
use snowtoken_core::oauth::pkce::CodeVerifier;
use snowtoken_core::oauth::redirect::{RedirectUri, RedirectUriError};
use snowtoken_core::servicenow::{Instance, InstanceError};
use url::Url;

use crate::support::{self, APPFLOW, begin, entropy, login, parameter, parameters, value};

#[test]
fn r01_only_the_code_grant_is_asked_for() {
    assert_eq!(parameters(&login().url, "response_type"), ["code"]);
}

#[test]
fn r02_the_redirect_uri_is_the_same_bytes_twice() {
    let ports = [1, 80, 443, 8400, 65_535];
    let paths = ["", "/", "/cb", "/a%2Fb/", "/%C3%BC", "/a;b=c", "/~x", "/a//b"];
    let queries = ["", "?x=1", "?x=%26&y=+", "?a=b=c", "?"];
    let hosts = [
        "http://127.0.0.1",
        "http://[::1]",
        "http://localhost",
        "https://r.example",
        "https://xn--bcher-kva.example",
    ];
    let uris = hosts.iter().flat_map(|host| ports.map(|port| format!("{host}:{port}")));
    let uris = uris.flat_map(|origin| paths.map(|path| format!("{origin}{path}")));
    let uris: Vec<_> =
        uris.flat_map(|place| queries.map(|query| format!("{place}{query}"))).collect();
    assert_eq!(uris.len(), 1_000);
    for uri in &uris {
        let login = begin("classics", uri, "", entropy(1, 2));
        assert_eq!(parameter(&login.url, "redirect_uri").as_ref(), Some(uri));
        let query = format!("code=c&state={}", login.state);
        let code = login.expect.examine_query(&query).unwrap();
        let (request, _) = login.expect.redeem(code, &support::confidential());
        assert_eq!(value(&request, "redirect_uri").as_ref(), Some(uri));
    }
}

/// R3 and R4 are about what comes back: see `redirect.rs`. Here: what makes them possible.
#[test]
fn r05_every_bit_of_the_dice_counts() {
    let plain = begin("classics", APPFLOW, "", [0; 64]);
    let challenge = |url: &Url| parameter(url, "code_challenge").unwrap();
    for bit in 0..512 {
        let mut dice = [0; 64];
        dice[bit / 8] = 1 << (bit % 8);
        let other = begin("classics", APPFLOW, "", dice);
        let state_differs = other.state != plain.state;
        let challenge_differs = challenge(&other.url) != challenge(&plain.url);
        assert_eq!((state_differs, challenge_differs), (bit < 256, bit >= 256), "bit {bit}");
    }
    assert_eq!(plain.state, "0".repeat(64));
}

#[test]
fn r06_the_challenge_is_s256_and_nothing_else() {
    let login = login();
    assert_eq!(parameters(&login.url, "code_challenge_method"), ["S256"]);
    assert_eq!(
        parameter(&login.url, "code_challenge"),
        Some(CodeVerifier::from_entropy(&[2; 32]).challenge())
    );
    // The vector of RFC 7636 appendix B is a unit test of `pkce`.
    let verifier = CodeVerifier::from_entropy(&[2; 32]);
    assert_ne!(verifier.challenge(), verifier.secret().expose(), "never `plain`");
}

proptest! {
    #[test]
    fn r07_the_verifier_is_unreserved_and_no_other_secret(dice: [u8; 32], rest: [u8; 32]) {
        let verifier = CodeVerifier::from_entropy(&dice);
        let text = verifier.secret().expose();
        prop_assert!((43..=128).contains(&text.len()), "RFC 7636 §4.1");
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)));
        let mut both = [0; 64];
        both[..32].copy_from_slice(&rest);
        both[32..].copy_from_slice(&dice);
        let login = begin("classics", APPFLOW, "", both);
        prop_assert!(!login.url.as_str().contains(text), "the verifier stays here");
        prop_assert!(login.state.len() >= 22 && login.state.bytes().all(|b| b.is_ascii_alphanumeric()));
        prop_assert_ne!(login.state.as_str(), text);
    }
}

#[test]
fn r09_the_url_carries_no_secret() {
    let login = login();
    let mut names: Vec<_> = login.url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "redirect_uri",
            "response_type",
            "scope",
            "state"
        ]
    );
    assert!(!login.url.as_str().contains("canary"));
}

#[test]
fn r10_no_scope_is_added() {
    assert_eq!(
        parameters(&begin("classics", APPFLOW, "", entropy(1, 2)).url, "scope"),
        Vec::<String>::new()
    );
    assert_eq!(
        parameters(&begin("classics", APPFLOW, "a  b,c", entropy(1, 2)).url, "scope"),
        ["a b c"]
    );
}

#[test]
fn r12_the_endpoint_s_own_query_stays() {
    let url = |text: &str| Url::parse(text).unwrap();
    let request = AuthorizationRequest {
        endpoints: Endpoints {
            authorization: url("https://a.example/auth?sysparm=1&x=%26"),
            token: url("https://a.example/token?sysparm=1"),
            revocation: vec![],
        },
        client_id: support::confidential().id,
        redirect_uri: RedirectUri::parse(APPFLOW).unwrap(),
        scope: None,
    };
    let (url, expect) = request.begin(&Entropy::from_bytes(entropy(1, 2)));
    assert!(
        url.as_str().starts_with("https://a.example/auth?sysparm=1&x=%26&response_type=code&"),
        "{url}"
    );
    let state = parameter(&url, "state").unwrap();
    let code = expect.examine_query(&format!("code=c&state={state}")).unwrap();
    let (request, _) = expect.redeem(code, &support::confidential());
    assert_eq!(request.uri(), "https://a.example/token?sysparm=1");
}

#[test]
fn r13_every_endpoint_is_https_or_loopback() {
    for text in [
        "http://classics.service-now.com",
        "http://10.0.0.1",
        "http://169.254.169.254",
        "http://[::2]",
        "http://classics",
    ] {
        assert_eq!(Instance::parse(text), Err(InstanceError::NotSecure(text.to_owned())));
    }
    for (text, scheme) in
        [("classics", "https"), ("https://127.0.0.1", "https"), ("http://127.0.0.1:1", "http")]
    {
        let endpoints = Instance::parse(text).unwrap().endpoints();
        let all =
            [endpoints.authorization, endpoints.token].into_iter().chain(endpoints.revocation);
        assert!(all.map(|url| url.scheme().to_owned()).eq([scheme; 4]), "{text}");
    }
    assert_eq!(RedirectUri::parse("http://r.example/cb"), Err(RedirectUriError::NotSecure));
    assert_eq!(RedirectUri::parse("ftp://127.0.0.1/cb"), Err(RedirectUriError::NotAbsolute));
}
