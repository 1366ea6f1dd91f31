use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use snowtoken_core::oauth::jwt::compact;

use super::*;

macro_rules! key_file {
    ($name:literal) => {
        include_str!(concat!("../../../stand-in/tests/keys/", $name))
    };
}

const RSA_JWK: &str = key_file!("rfc7515-a2.jwk.json");
const RSA_PKCS8: &str = key_file!("rfc7515-a2.pkcs8.pem");
const RSA_PKCS1: &str = key_file!("rfc7515-a2.traditional.pem");
const CERTIFICATE: &str = key_file!("rfc7515-a2.certificate.pem");
const EC_JWK: &str = key_file!("rfc7515-a3.jwk.json");
const EC_PKCS8: &str = key_file!("rfc7515-a3.pkcs8.pem");

fn parse(text: &str) -> Result<SigningKey, SigningKeyError> {
    SigningKey::parse(&Secret::new(text))
}

/// RFC 7515 appendix A.2, to the last character; the key in every form that is read.
#[test]
fn the_example_of_the_rfc_comes_out_of_every_form_of_its_key() {
    let payload =
        "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    for text in [
        RSA_JWK,
        RSA_PKCS8,
        RSA_PKCS1,
        &format!("{CERTIFICATE}Bag Attributes\n    friendlyName: x\n{RSA_PKCS8}"),
        &RSA_PKCS8.replace('\n', "\r\n"),
        &format!("\u{a0} \n{RSA_PKCS8}\n\n"),
    ] {
        let key = parse(text).unwrap();
        let token = compact("{\"alg\":\"RS256\"}", payload, &key).unwrap();
        assert_eq!(
            token.expose(),
            "eyJhbGciOiJSUzI1NiJ9\
             .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
             .cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7\
             AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4\
             BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K\
             0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv\
             hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB\
             p0igcN_IoypGlUPQGe77Rw"
        );
    }
}

/// RFC 7515 appendix A.3: its signatures differ each time, so they are verified.
#[test]
fn keys_on_p256_sign_too() {
    for text in [EC_JWK, EC_PKCS8] {
        let key = parse(text).unwrap();
        assert_eq!(key.algorithm(), Algorithm::Es256);
        let Pair::P256(pair) = &key.pair else { panic!("another kind") };
        let public = ring::signature::KeyPair::public_key(pair).as_ref().to_vec();
        let signature = key.sign(b"message").unwrap();
        assert_eq!(signature.len(), 64);
        let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public);
        assert!(verifier.verify(b"message", &signature).is_ok());
        assert!(verifier.verify(b"massage", &signature).is_err());
    }
    assert_eq!(parse(EC_JWK).unwrap().key_id().unwrap().as_str(), "a3");
    assert!(parse(RSA_JWK).unwrap().key_id().is_none());
}

#[test]
fn numbers_with_zeros_before_them_are_the_same_numbers() {
    let mut jwk: serde_json::Value = serde_json::from_str(RSA_JWK).unwrap();
    for name in ["n", "p"] {
        let bytes = URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        jwk[name] = URL_SAFE_NO_PAD.encode([&[0, 0][..], &bytes].concat()).into();
    }
    let key = parse(&jwk.to_string()).unwrap();
    let Pair::Rsa(pair) = &key.pair else { panic!("another kind") };
    let public = ring::signature::KeyPair::public_key(pair).as_ref().to_vec();
    let signature = key.sign(b"m").unwrap();
    let verifier = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    assert!(verifier.verify(b"m", &signature).is_ok());
}

#[test]
fn what_is_no_private_key_is_told_apart() {
    let unfit = |why: &str| SigningKeyError::Unfit(why.to_owned());
    let public_jwk = r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#;
    for (text, error) in [
        ("", SigningKeyError::Unreadable),
        ("hello", SigningKeyError::Unreadable),
        ("{", SigningKeyError::Unreadable),
        (r#"{"kty":"RSA","d":"%"}"#, SigningKeyError::Unreadable),
        (
            "-----BEGIN PRIVATE KEY-----\n%%%\n-----END PRIVATE KEY-----",
            SigningKeyError::Unreadable,
        ),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n", SigningKeyError::Unreadable),
        (CERTIFICATE, SigningKeyError::Public("certificate")),
        (key_file!("rfc7515-a2.public.pem"), SigningKeyError::Public("public key")),
        (public_jwk, SigningKeyError::Public("public key")),
        (key_file!("rfc7515-a2.encrypted.pem"), SigningKeyError::Encrypted),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----",
            SigningKeyError::Encrypted,
        ),
        (key_file!("rfc7515-a3.traditional.pem"), SigningKeyError::Sec1),
        (key_file!("rsa-1024.pkcs8.pem"), unfit("TooSmall")),
        (r#"{"kty":"oct","k":"AA","d":"AA"}"#, unfit("another kty or crv")),
        (r#"{"kty":"RSA","d":"AQAB"}"#, unfit("n, e, d, p, q, dp, dq, qi")),
        (r#"{"kty":"EC","crv":"P-256","d":"AQAB"}"#, unfit("d, x, y")),
    ] {
        assert_eq!(parse(text).unwrap_err(), error, "{text}");
        assert_eq!(error.code(), Code::SigningKeyInvalid);
    }
    assert!(matches!(
        parse("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
        Err(SigningKeyError::Unfit(_))
    ));
}

#[test]
fn nothing_of_a_key_is_shown() {
    let key = parse(EC_JWK).unwrap();
    assert_eq!(
        format!("{key:?}"),
        "SigningKey { algorithm: Es256, key_id: Some(Claim(\"a3\")), .. }"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
        let _ = parse(&format!("{{{text}"));
        let _ = parse(&format!("-----BEGIN PRIVATE KEY-----{text}-----END PRIVATE KEY-----"));
    }
}
