//! RFC 7523 §2.1 and §3, RFC 7519 §4.1, RFC 7515 §3.1: the assertion, and the request it travels in.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use snowtoken_core::Timestamp;
use snowtoken_core::oauth::client::{Client, ClientAuthentication};
use snowtoken_core::oauth::jwt::{Algorithm, Bearer, Claim, Sign, SignError, compact};
use snowtoken_core::oauth::token::jwt_bearer;
use snowtoken_core::oauth::{Request, Scope};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::Instance;

use crate::support::{self, CLIENT_SECRET, confidential, form, value};

/// Signs by turning the message round: what was signed can be read again.
#[derive(Debug)]
struct Mirror(Algorithm);

impl Sign for Mirror {
    fn algorithm(&self) -> Algorithm {
        self.0
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(message.iter().rev().copied().collect())
    }
}

#[derive(Debug)]
struct Broken;

impl Sign for Broken {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Rs256
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError)
    }
}

fn now() -> Timestamp {
    "2026-11-23T15:00:00Z".parse().unwrap()
}

fn bearer(signer: impl Sign + 'static, key_id: Option<&str>) -> Bearer {
    let claim = |text| Claim::parse(text).unwrap();
    Bearer::new(claim("robot@example.com"), key_id.map(claim), Arc::new(signer), [7; 32])
}

/// Header and claims of a compact JWS, as an independent reader takes it apart.
fn taken_apart(token: &Secret) -> (Value, Value) {
    let parts: Vec<Vec<u8>> =
        token.expose().split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let [header, payload, signature] = &parts[..] else { panic!("three parts") };
    let signed = token.expose().rsplit_once('.').unwrap().0;
    assert_eq!(signature.iter().rev().copied().collect::<Vec<_>>(), signed.as_bytes());
    let json = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap();
    (json(header), json(payload))
}

fn request(client: &Client, scope: Option<&Scope>) -> Request {
    let endpoints = Instance::parse("classics").unwrap().endpoints();
    let assertion = bearer(Mirror(Algorithm::Rs256), None).assertion(&client.id, now()).unwrap();
    jwt_bearer(&endpoints, client, &assertion, scope).0
}

#[test]
fn rfc7515_a2_the_signed_text_is_that_of_the_example() {
    #[derive(Debug)]
    struct Expecting;
    impl Sign for Expecting {
        fn algorithm(&self) -> Algorithm {
            Algorithm::Rs256
        }
        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            assert_eq!(
                std::str::from_utf8(message).unwrap(),
                "eyJhbGciOiJSUzI1NiJ9\
                 .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
            );
            Ok(vec![112, 46, 33, 137, 67, 232])
        }
    }
    let payload =
        "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    let token = compact("{\"alg\":\"RS256\"}", payload, &Expecting).unwrap();
    // The first octets of the example's signature.
    assert!(token.expose().ends_with(".cC4hiUPo"), "padding is left out");
}

#[test]
fn rfc7523_3_an_assertion_says_who_for_whom_and_how_long() {
    let mut bearer = bearer(Mirror(Algorithm::Rs256), Some("key 1"));
    let token = bearer.assertion(&confidential().id, now()).unwrap();
    let (header, claims) = taken_apart(&token);
    assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "key 1"}));
    let id = confidential().id.to_string();
    let second = now().as_second();
    assert_eq!(claims["iss"], json!(id));
    assert_eq!(claims["aud"], json!(id));
    assert_eq!(claims["sub"], json!("robot@example.com"));
    assert_eq!(claims["iat"], json!(second - 60), "a clock that is behind ours takes it");
    assert_eq!(claims["exp"], json!(second + 240));
    assert_eq!(claims.as_object().unwrap().len(), 6);
}

#[test]
fn rfc7519_4_1_7_no_two_assertions_have_the_same_name() {
    let mut seen = std::collections::BTreeSet::new();
    let mut one = bearer(Mirror(Algorithm::Es256), None);
    let id = confidential().id;
    for _ in 0..1_000 {
        let (header, claims) = taken_apart(&one.assertion(&id, now()).unwrap());
        assert_eq!(header, json!({"alg": "ES256", "typ": "JWT"}), "no key ID, no kid");
        let name = claims["jti"].as_str().unwrap().to_owned();
        assert_eq!(name.len(), 22, "128 bits");
        assert!(seen.insert(name));
    }
    let claim = Claim::parse("robot@example.com").unwrap();
    let mut other = Bearer::new(claim, None, Arc::new(Mirror(Algorithm::Es256)), [8; 32]);
    let (_, claims) = taken_apart(&other.assertion(&id, now()).unwrap());
    assert!(!seen.contains(claims["jti"].as_str().unwrap()));
}

#[test]
fn rfc7523_2_1_the_assertion_travels_in_a_form_beside_the_clients_secret() {
    let sent = request(&confidential(), None);
    let names: Vec<_> = form(&sent).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["grant_type", "assertion", "client_id", "client_secret"]);
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    assert_eq!(value(&sent, "grant_type").as_deref(), Some(grant));
    assert_eq!(value(&sent, "client_secret").as_deref(), Some(CLIENT_SECRET));
    let scoped = request(&confidential(), Scope::parse("useraccount").ok().as_ref());
    assert_eq!(value(&scoped, "scope").as_deref(), Some("useraccount"));
    let public = request(&support::client(ClientAuthentication::None), None);
    assert_eq!(value(&public, "client_secret"), None);
}

#[test]
fn a_key_that_does_not_sign_is_told() {
    assert_eq!(bearer(Broken, None).assertion(&confidential().id, now()), Err(SignError));
}

#[test]
fn claims_are_texts_without_tricks() {
    for text in ["", "  ", "a\nb", "a\0", &"x".repeat(256)] {
        assert!(Claim::parse(text).is_err(), "{text:?}");
    }
    for text in ["6816f79cc0a8016401c5a33be04be441", "robot@example.com", "Jürgen \"x\"", "a b"] {
        assert_eq!(Claim::parse(text).unwrap().as_str(), text);
    }
    assert_eq!(Claim::parse(" a ").unwrap().as_str(), "a");
    let mut tricky = Bearer::new(
        Claim::parse("\",\"sub\":\"admin").unwrap(),
        None,
        Arc::new(Mirror(Algorithm::Rs256)),
        [0; 32],
    );
    let (_, claims) = taken_apart(&tricky.assertion(&confidential().id, now()).unwrap());
    assert_eq!(claims["sub"], json!("\",\"sub\":\"admin"));
}
