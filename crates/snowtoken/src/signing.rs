//! The private key of a client, and its signatures: the one place that knows an algorithm.
//!
//! Read are PEM (PKCS#8, and PKCS#1 for RSA) and a JSON Web Key; used are RSA and EC on P-256. The
//! text is kept as it came, so that nothing about a key is lost that somebody will want one day.

mod pem;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde::Deserialize;
use snowtoken_core::diagnosis::{Code, Diagnose};
use snowtoken_core::oauth::jwt::{Algorithm, Claim, Sign, SignError};
use snowtoken_core::secret::Secret;
use zeroize::Zeroizing;

use pem::Found;

/// A private key that can sign assertions.
pub struct SigningKey {
    pair: Pair,
    key_id: Option<Claim>,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

/// Why a text is no such key. Nothing of the text is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// Neither PEM nor a JSON Web Key.
    #[error("it holds no private key in PEM, and it is no JSON Web Key")]
    Unreadable,
    /// A public key or a certificate.
    #[error("it holds a {0}, and no private key")]
    Public(&'static str),
    /// A passphrase protects it.
    #[error("a passphrase protects the private key")]
    Encrypted,
    /// An EC key in the older form.
    #[error("the EC private key is in the SEC 1 form, which is not read")]
    Sec1,
    /// A key for something else, or one that is damaged.
    #[error("it is no RSA key of 2048 to 4096 bits and no EC key on P-256 ({0})")]
    Unfit(String),
}

impl Diagnose for SigningKeyError {
    fn code(&self) -> Code {
        Code::SigningKeyInvalid
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a key from the text of a file.
    ///
    /// # Errors
    /// See [`SigningKeyError`].
    pub fn parse(text: &Secret) -> Result<Self, SigningKeyError> {
        let text = text.expose().trim();
        if text.starts_with('{') {
            return Jwk::parse(text)?.key();
        }
        let pair = match pem::find(text)? {
            Found::Pkcs8(der) => from_pkcs8(&der)?,
            Found::Pkcs1(der) => Pair::Rsa(RsaKeyPair::from_der(&der).map_err(unfit)?),
        };
        Ok(Self { pair, key_id: None })
    }

    /// The `kid` that a JSON Web Key names itself.
    pub fn key_id(&self) -> Option<&Claim> {
        self.key_id.as_ref()
    }
}

impl Sign for SigningKey {
    fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Rsa(_) => Algorithm::Rs256,
            Pair::P256(_) => Algorithm::Es256,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let dice = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &dice, message, &mut signature)
                    .map_err(|_| SignError)?;
                Ok(signature)
            }
            Pair::P256(pair) => {
                let signature = pair.sign(&dice, message).map_err(|_| SignError)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

/// PKCS#8 says itself which kind of key is in it; whichever fits first is it.
fn from_pkcs8(der: &[u8]) -> Result<Pair, SigningKeyError> {
    let rejected = match RsaKeyPair::from_pkcs8(der) {
        Ok(pair) => return Ok(Pair::Rsa(pair)),
        Err(rejected) => rejected,
    };
    let dice = SystemRandom::new();
    match EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &dice) {
        Ok(pair) => Ok(Pair::P256(pair)),
        Err(_) => Err(unfit(rejected)),
    }
}

fn unfit(rejected: ring::error::KeyRejected) -> SigningKeyError {
    SigningKeyError::Unfit(rejected.to_string())
}

/// RFC 7517 §4, RFC 7518 §6: what a private key of the two kinds has.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    kid: Option<String>,
    d: Option<Part>,
    n: Option<Part>,
    e: Option<Part>,
    p: Option<Part>,
    q: Option<Part>,
    dp: Option<Part>,
    dq: Option<Part>,
    qi: Option<Part>,
    x: Option<Part>,
    y: Option<Part>,
}

/// A number in base64url; it is wiped even if the rest cannot be read.
struct Part(Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        let bytes = bytes.map_err(|_| serde::de::Error::custom("it is no base64url"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl Jwk {
    fn parse(text: &str) -> Result<Self, SigningKeyError> {
        serde_json::from_str(text).map_err(|_| SigningKeyError::Unreadable)
    }

    fn key(self) -> Result<SigningKey, SigningKeyError> {
        if self.d.is_none() {
            return Err(SigningKeyError::Public("public key"));
        }
        let pair = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Pair::Rsa(self.rsa()?),
            ("EC", Some("P-256")) => Pair::P256(self.p256()?),
            _ => return Err(SigningKeyError::Unfit("another kty or crv".to_owned())),
        };
        Ok(SigningKey { pair, key_id: self.kid.as_deref().and_then(|kid| Claim::parse(kid).ok()) })
    }

    fn rsa(&self) -> Result<RsaKeyPair, SigningKeyError> {
        let whole = || {
            Some(KeyPairComponents {
                public_key: PublicKeyComponents {
                    n: number(self.n.as_ref())?,
                    e: number(self.e.as_ref())?,
                },
                d: number(self.d.as_ref())?,
                p: number(self.p.as_ref())?,
                q: number(self.q.as_ref())?,
                dP: number(self.dp.as_ref())?,
                dQ: number(self.dq.as_ref())?,
                qInv: number(self.qi.as_ref())?,
            })
        };
        let parts = whole()
            .ok_or_else(|| SigningKeyError::Unfit("n, e, d, p, q, dp, dq, qi".to_owned()))?;
        RsaKeyPair::from_components(&parts).map_err(unfit)
    }

    fn p256(&self) -> Result<EcdsaKeyPair, SigningKeyError> {
        let (Some(d), Some(x), Some(y)) = (&self.d, &self.x, &self.y) else {
            return Err(SigningKeyError::Unfit("d, x, y".to_owned()));
        };
        // SEC 1 §2.3.3: an uncompressed point.
        let point = [&[4][..], &x.0, &y.0].concat();
        EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &d.0,
            &point,
            &SystemRandom::new(),
        )
        .map_err(unfit)
    }
}

/// A number without the zeros that some writers put before it.
fn number(part: Option<&Part>) -> Option<&[u8]> {
    let bytes = &part?.0[..];
    let start = bytes.iter().position(|byte| *byte != 0)?;
    bytes.get(start..)
}

#[cfg(test)]
mod tests;
