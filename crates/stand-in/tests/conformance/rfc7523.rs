//! RFC 7523 §3: what an assertion must hold to be worth a token, and what an instance adds.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use snowtoken_stand_in::{Client, JwtEndpoint};

use crate::bench::{Bench, Fields, GENERIC, Got};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const RSA: &str = include_str!("../keys/rfc7515-a2.pkcs8.pem");
const RSA_PUBLIC: &str = include_str!("../keys/rfc7515-a2.public.pem");
const CERTIFICATE: &str = include_str!("../keys/rfc7515-a2.certificate.pem");
const EC: &str = include_str!("../keys/rfc7515-a3.pkcs8.pem");
const EC_PUBLIC: &str = include_str!("../keys/rfc7515-a3.public.pem");

/// An instance with a JWT API endpoint `robot`, whose assertions the certificate verifies.
fn bench(knobs: Fields<'_>, jwt: JwtEndpoint) -> Bench {
    let client = Client { client_id: "robot".into(), jwt: Some(jwt), ..Client::default() };
    let mut bench = Bench::with(knobs, client);
    bench.instance.put_verifier("robot", "one", CERTIFICATE);
    bench
}

fn usual() -> Bench {
    bench(&[("token.errors", "rfc")], JwtEndpoint::default())
}

fn der(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(lines).unwrap()
}

fn rsa(message: &[u8]) -> Vec<u8> {
    let pair = RsaKeyPair::from_pkcs8(&der(RSA)).unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

fn ec(message: &[u8]) -> Vec<u8> {
    let dice = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der(EC), &dice);
    pair.unwrap().sign(&dice, message).unwrap().as_ref().to_vec()
}

fn jwt(header: &Value, claims: &Value, sign: fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(sign(signed.as_bytes())))
}

fn claims(bench: &Bench) -> Value {
    let now = bench.now.as_second();
    json!({
        "iss": "robot", "aud": "robot", "sub": "abel.tuter",
        "iat": now, "exp": now + 300, "jti": "1",
    })
}

/// The claims with some changed; `null` takes one away.
fn but(bench: &Bench, changes: &Value) -> Value {
    let mut claims = claims(bench);
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn send(bench: &mut Bench, assertion: &str) -> Got {
    let secret = bench.client.client_secret.clone();
    let fields = [
        ("grant_type", GRANT),
        ("assertion", assertion),
        ("client_id", "robot"),
        ("client_secret", &secret),
    ];
    bench.post("/oauth_token.do", &fields)
}

fn ask(bench: &mut Bench, claims: &Value) -> Got {
    send(bench, &jwt(&json!({"alg": "RS256", "typ": "JWT", "kid": "one"}), claims, rsa))
}

#[track_caller]
fn refused(got: &Got, cause: &str) {
    let text = format!("invalid_assertion: {cause}");
    assert_eq!((got.status, got.text("error_description")), (400, text));
    assert_eq!(got.text("error"), "invalid_grant");
}

#[test]
fn an_assertion_is_worth_an_access_token_and_no_refresh_token() {
    let mut bench = usual();
    let claims = claims(&bench);
    let got = ask(&mut bench, &claims);
    assert_eq!((got.status, got.json().get("refresh_token")), (200, None), "{}", got.body);
    assert_eq!(got.text("scope"), "useraccount");
    assert!(bench.works(&got.text("access_token")));
}

#[test]
fn keys_come_as_certificates_and_as_public_keys_of_two_kinds() {
    let mut bench = usual();
    bench.instance.put_verifier("robot", "two", RSA_PUBLIC);
    bench.instance.put_verifier("robot", "three", EC_PUBLIC);
    let (second, third) = (but(&bench, &json!({"jti": "2"})), but(&bench, &json!({"jti": "3"})));
    let got = send(&mut bench, &jwt(&json!({"alg": "RS256", "kid": "two"}), &second, rsa));
    assert_eq!(got.status, 200, "{}", got.body);
    let header = json!({"alg": "ES256", "kid": "three"});
    assert_eq!(send(&mut bench, &jwt(&header, &third, ec)).status, 200);
    // Each key with its own algorithm and under its own name.
    let got = send(&mut bench, &jwt(&json!({"alg": "RS256", "kid": "three"}), &third, rsa));
    refused(&got, "the signature is wrong");
    let got = send(&mut bench, &jwt(&json!({"alg": "RS256", "kid": "four"}), &third, rsa));
    refused(&got, "no verifier map has the kid four");
}

#[test]
fn what_is_not_signed_by_the_client_is_refused() {
    let mut bench = usual();
    let claims = claims(&bench);
    for (sent, cause) in [
        ("", "it is no JWT"),
        ("a.b", "it is no JWT"),
        ("e30.e30.", "its alg is none of RS256 and ES256"),
        (&jwt(&json!({"alg": "none"}), &claims, |_| vec![]), "its alg is none of RS256 and ES256"),
        (&jwt(&json!({"alg": "HS256"}), &claims, rsa), "its alg is none of RS256 and ES256"),
        (&jwt(&json!({"alg": "RS256"}), &claims, |_| vec![7; 256]), "the signature is wrong"),
        (&jwt(&json!({"alg": "RS256"}), &claims, |_| rsa(b"else")), "the signature is wrong"),
    ] {
        refused(&send(&mut bench, sent), cause);
    }
}

#[test]
fn issuer_and_audience_are_the_client() {
    let mut bench = usual();
    for (changes, cause) in [
        (json!({"iss": "other"}), "iss is not the client_id"),
        (json!({"iss": null}), "iss is not the client_id"),
        (json!({"aud": "other"}), "aud is not the client_id"),
        (json!({"aud": ["other"]}), "aud is not the client_id"),
        (json!({"aud": null}), "aud is not the client_id"),
    ] {
        let claims = but(&bench, &changes);
        refused(&ask(&mut bench, &claims), cause);
    }
    let listed = but(&bench, &json!({"aud": ["other", "robot"]}));
    assert_eq!(ask(&mut bench, &listed).status, 200);
}

#[test]
fn its_dates_may_be_wrong_by_the_clock_skew_and_no_more() {
    let mut bench = usual();
    let now = bench.now.as_second();
    for (changes, cause) in [
        (json!({"exp": null}), "exp is missing"),
        (json!({"iat": null}), "iat is missing"),
        (json!({"iat": now - 700, "exp": now - 300}), "it has expired"),
        (json!({"iat": now + 301, "exp": now + 600}), "it is of the future"),
        (json!({"nbf": now + 301}), "it is of the future"),
    ] {
        let claims = but(&bench, &changes);
        refused(&ask(&mut bench, &claims), cause);
    }
    for (jti, iat, exp) in [("a", now - 700, now - 299), ("b", now + 300, now + 600)] {
        let claims = but(&bench, &json!({"jti": jti, "iat": iat, "exp": exp}));
        assert_eq!(ask(&mut bench, &claims).status, 200, "{jti}");
    }
    let strict = JwtEndpoint { clock_skew: 0, ..JwtEndpoint::default() };
    let mut bench = self::bench(&[("token.errors", "rfc")], strict);
    let claims = but(&bench, &json!({"exp": now}));
    refused(&ask(&mut bench, &claims), "it has expired");
}

#[test]
fn each_assertion_is_accepted_once() {
    let mut bench = usual();
    let claims = claims(&bench);
    assert_eq!(ask(&mut bench, &claims).status, 200);
    refused(&ask(&mut bench, &claims), "it was used before");
    let without = but(&bench, &json!({"jti": null}));
    refused(&ask(&mut bench, &without), "jti is missing");
    let lax = JwtEndpoint { enable_jti_verification: false, ..JwtEndpoint::default() };
    let mut bench = self::bench(&[], lax);
    assert_eq!(ask(&mut bench, &claims).status, 200);
    assert_eq!(ask(&mut bench, &claims).status, 200);
    let named = JwtEndpoint { jti_claim: "nonce".into(), ..JwtEndpoint::default() };
    let mut bench = self::bench(&[("token.errors", "rfc")], named);
    refused(&ask(&mut bench, &claims), "nonce is missing");
}

#[test]
fn the_user_field_says_what_a_subject_is() {
    let user = usual().instance.user("abel.tuter").unwrap().clone();
    for (field, subject) in [
        ("user_name", "abel.tuter"),
        ("email", "abel.tuter@example.com"),
        ("name", "Abel Tuter"),
        ("sys_id", &user.sys_id),
    ] {
        let jwt = JwtEndpoint { user_field: field.into(), ..JwtEndpoint::default() };
        let mut bench = bench(&[("token.errors", "rfc")], jwt);
        let wrong = but(&bench, &json!({"sub": "nobody"}));
        refused(&ask(&mut bench, &wrong), "no user has this sub in the User Field");
        let claims = but(&bench, &json!({"sub": subject}));
        assert_eq!(ask(&mut bench, &claims).status, 200, "{field}");
    }
}

#[test]
fn administrators_and_locked_users_get_nothing() {
    let ask_as = |knobs: Fields<'_>, user: &str| {
        let mut bench = bench(knobs, JwtEndpoint::default());
        let claims = but(&bench, &json!({"sub": user}));
        ask(&mut bench, &claims)
    };
    ask_as(&[], "admin").is(401, GENERIC);
    ask_as(&[], "locked.user").is(401, GENERIC);
    assert_eq!(ask_as(&[("jwt.admin", "allowed")], "admin").status, 200);
}

#[test]
fn a_kid_may_be_needed() {
    for (value, status) in [("any-key", 200), ("refused", 401)] {
        let mut bench = bench(&[("jwt.kid_missing", value)], JwtEndpoint::default());
        let claims = claims(&bench);
        let got = send(&mut bench, &jwt(&json!({"alg": "RS256"}), &claims, rsa));
        assert_eq!(got.status, status, "{value}");
    }
}

#[test]
fn the_client_secret_is_needed_beside_an_assertion() {
    for (value, status) in [("required", 401), ("optional", 200)] {
        let mut bench = bench(&[("jwt.client_secret", value)], JwtEndpoint::default());
        let assertion = jwt(&json!({"alg": "RS256", "kid": "one"}), &claims(&bench), rsa);
        let fields = [("grant_type", GRANT), ("assertion", &*assertion), ("client_id", "robot")];
        assert_eq!(bench.post("/oauth_token.do", &fields).status, status, "{value}");
    }
}

#[test]
fn a_client_that_is_no_jwt_endpoint_takes_no_assertions() {
    let mut bench = Bench::with(
        &[("token.errors", "rfc")],
        Client { client_id: "robot".into(), ..Client::default() },
    );
    let claims = claims(&bench);
    let got = ask(&mut bench, &claims);
    assert_eq!(got.text("error"), "unauthorized_client");
}

fn api(bench: &mut Bench, method: &str, path: &str, body: &Value) -> Got {
    let basic = format!("Basic {}", STANDARD.encode("admin:snow"));
    let headers = [("authorization", &*basic), ("content-type", "application/json")];
    bench.send(method, &format!("/api/now/table/{path}"), &headers, &body.to_string())
}

/// The steps of an acceptance test that others run against real instances.
#[test]
fn an_endpoint_is_registered_by_api_in_three_records() {
    let mut bench = Bench::new(&[]);
    let made = |got: Got| -> Value {
        assert_eq!(got.status, 201, "{}", got.body);
        got.json()["result"].clone()
    };
    let certificate = json!({
        "name": "robot", "format": "PEM", "type": "trust_store", "pem_certificate": CERTIFICATE,
    });
    let certificate = made(api(&mut bench, "POST", "sys_certificate", &certificate));
    let entity = json!({
        "name": "Robot", "client_id": "robot", "client_secret": "s3cret", "active": "true",
        "user_field": "sys_id", "sub_claim": "sys_id", "clock_skew": "120",
        "enable_jti_verification": "true", "jti_claim": "jti", "jwks_cache_lifespan": "720",
        "inbound_grant_type": "jwt",
    });
    let entity = made(api(&mut bench, "POST", "oauth_jwt", &entity));
    for (field, value) in
        [("user_field", "sys_id"), ("clock_skew", "120"), ("jwks_cache_lifespan", "720")]
    {
        assert_eq!(entity[field], value);
    }
    let map = json!({
        "name": "map", "kid": "one",
        "oauth_jwt": entity["sys_id"], "sys_certificate": certificate["sys_id"],
    });
    made(api(&mut bench, "POST", "jwt_verifier_map", &map));

    bench.client = bench.instance.client("robot").unwrap().clone();
    let user = bench.instance.user("abel.tuter").unwrap().sys_id.clone();
    let claims = but(&bench, &json!({"sub": user}));
    let got = ask(&mut bench, &claims);
    assert_eq!(got.status, 200, "{}", got.body);

    // It is a client among the others, and the other clients are none of its kind.
    let listed = |bench: &mut Bench, table: &str| {
        let got = api(bench, "GET", table, &json!({}));
        got.json()["result"].as_array().unwrap().len()
    };
    assert_eq!((listed(&mut bench, "oauth_entity"), listed(&mut bench, "oauth_jwt")), (2, 1));
    let path = format!("oauth_jwt/{}", entity["sys_id"].as_str().unwrap());
    let changed = api(&mut bench, "PATCH", &path, &json!({"enable_jti_verification": "false"}));
    assert_eq!(changed.json()["result"]["enable_jti_verification"], "false");
    assert_eq!(ask(&mut bench, &claims).status, 200, "no assertion is counted any more");
}
