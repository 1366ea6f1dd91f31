//! RFC 7519 in the compact form of RFC 7515, for one use: the assertion of RFC 7523 §2.1. It is
//! written and never read, and signed by whoever is handed in: no key is in here.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::client::ClientId;
use super::token::add_seconds;
use crate::secret::Secret;

/// An assertion lives this long, in seconds: it is made for one request.
pub const LIFESPAN: i64 = 300;

/// Of these seconds so many lie in the past, for an instance whose clock is behind ours.
const BACKDATED: i64 = 60;

/// How a signature is made (RFC 7518 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// The registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// A private key, seen from here.
pub trait Sign: fmt::Debug + Send + Sync {
    /// The algorithm of its signatures.
    fn algorithm(&self) -> Algorithm;

    /// The signature of these bytes, in the form of RFC 7518 §3.
    ///
    /// # Errors
    /// If the key, or the random numbers it needs, did not work.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// No signature came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the private key could not sign")]
pub struct SignError;

/// Text that may stand in a claim or a header: a subject, a key ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim(String);

/// The text cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is a text of 1 to 255 characters, without control characters")]
pub struct ClaimError;

impl Claim {
    /// Checks the text; blanks around it only come from copying.
    ///
    /// # Errors
    /// If it is empty, longer than 255 characters, or holds control characters.
    pub fn parse(text: &str) -> Result<Self, ClaimError> {
        let text = text.trim();
        let fits = (1..=255).contains(&text.chars().count()) && !text.contains(char::is_control);
        if fits { Ok(Self(text.to_owned())) } else { Err(ClaimError) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::printable::Printable(&self.0).fmt(f)
    }
}

/// RFC 7523 §3, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Claims<'a> {
    /// Who says so.
    #[serde(rename = "iss")]
    pub issuer: &'a str,
    /// Whom the token is for.
    #[serde(rename = "sub")]
    pub subject: &'a str,
    /// Who shall believe it.
    #[serde(rename = "aud")]
    pub audience: &'a str,
    /// When it was made, in seconds.
    #[serde(rename = "iat")]
    pub issued_at: i64,
    /// When it ends, in seconds.
    #[serde(rename = "exp")]
    pub expires_at: i64,
    /// Unlike that of any other: it is accepted once.
    #[serde(rename = "jti")]
    pub id: &'a str,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

impl Claims<'_> {
    /// The claims, signed.
    ///
    /// # Errors
    /// If the signer fails.
    pub fn sign(&self, key_id: Option<&str>, signer: &dyn Sign) -> Result<Secret, SignError> {
        let header = Header { alg: signer.algorithm().as_str(), typ: "JWT", kid: key_id };
        let header = serde_json::to_string(&header).map_err(|_| SignError)?;
        let payload = serde_json::to_string(self).map_err(|_| SignError)?;
        compact(&header, &payload, signer)
    }
}

/// RFC 7515 §7.1: header, payload and the signature of both.
///
/// # Errors
/// If the signer fails.
pub fn compact(header: &str, payload: &str, signer: &dyn Sign) -> Result<Secret, SignError> {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = signer.sign(message.as_bytes())?;
    Ok(Secret::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// Makes assertions for one client: another one for each request, since none is accepted twice.
#[derive(Debug, Clone)]
pub struct Bearer {
    subject: Claim,
    key_id: Option<Claim>,
    signer: Arc<dyn Sign>,
    dice: [u8; 32],
    made: u64,
}

impl Bearer {
    /// For this subject, with this key. `dice` are fresh random bytes: assertions are told apart by
    /// what is made of them.
    pub fn new(
        subject: Claim,
        key_id: Option<Claim>,
        signer: Arc<dyn Sign>,
        dice: [u8; 32],
    ) -> Self {
        Self { subject, key_id, signer, dice, made: 0 }
    }

    /// The next assertion. The client is its issuer and, since the server knows itself by no other
    /// name that a client could learn, its audience (RFC 7523 §3 leaves that to the server).
    ///
    /// # Errors
    /// If the signer fails.
    pub fn assertion(&mut self, client: &ClientId, now: Timestamp) -> Result<Secret, SignError> {
        let hash = Sha256::new().chain_update(self.dice).chain_update(self.made.to_be_bytes());
        self.made = self.made.wrapping_add(1);
        let id = URL_SAFE_NO_PAD.encode(&hash.finalize()[..16]);
        let issued_at = add_seconds(now, -BACKDATED).as_second();
        let claims = Claims {
            issuer: client.as_str(),
            subject: self.subject.as_str(),
            audience: client.as_str(),
            issued_at,
            expires_at: issued_at.saturating_add(LIFESPAN),
            id: &id,
        };
        claims.sign(self.key_id.as_ref().map(Claim::as_str), &*self.signer)
    }
}
