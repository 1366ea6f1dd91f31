//! RFC 7468: the private key among the blocks of a PEM text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::SigningKeyError;

/// What was found, as DER.
pub(super) enum Found {
    /// RFC 5208.
    Pkcs8(Zeroizing<Vec<u8>>),
    /// RFC 8017 appendix A.1.2.
    Pkcs1(Zeroizing<Vec<u8>>),
}

/// The first private key. Certificates and what programs write between the blocks are passed over.
pub(super) fn find(text: &str) -> Result<Found, SigningKeyError> {
    let mut public = None;
    let mut rest = text;
    while let Some((label, body, after)) = block(rest) {
        rest = after;
        match label {
            "PRIVATE KEY" => return Ok(Found::Pkcs8(decode(body)?)),
            // The older form of a passphrase is a header within the block.
            "RSA PRIVATE KEY" | "EC PRIVATE KEY" if body.contains("ENCRYPTED") => {
                return Err(SigningKeyError::Encrypted);
            }
            "RSA PRIVATE KEY" => return Ok(Found::Pkcs1(decode(body)?)),
            "EC PRIVATE KEY" => return Err(SigningKeyError::Sec1),
            "ENCRYPTED PRIVATE KEY" => return Err(SigningKeyError::Encrypted),
            "CERTIFICATE" => public = Some("certificate"),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => public = Some("public key"),
            // `EC PARAMETERS` and whatever else stands before a key.
            _ => {}
        }
    }
    Err(public.map_or(SigningKeyError::Unreadable, SigningKeyError::Public))
}

/// The next block: its label, what is in it, and the text after it.
fn block(text: &str) -> Option<(&str, &str, &str)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let end = rest.find("-----END ")?;
    let (body, after) = rest.split_at(end);
    Some((label, body, &after["-----END ".len()..]))
}

fn decode(body: &str) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
    let mut plain = Zeroizing::new(String::with_capacity(body.len()));
    plain.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    let bytes = STANDARD.decode(plain.as_bytes()).map_err(|_| SigningKeyError::Unreadable)?;
    Ok(Zeroizing::new(bytes))
}
