//! The public key in a certificate (RFC 5280 §4.1) or on its own, from PEM: as few bytes of DER as
//! it takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const VERSION: u8 = 0xa0;

/// The bits of the key, as its algorithm writes them; `None` where the text holds no such thing.
pub(crate) fn public_key(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let plain: String = body.split_whitespace().collect();
    let der = STANDARD.decode(plain).ok()?;
    match label {
        "CERTIFICATE" => of_certificate(&der),
        "PUBLIC KEY" => bits(&der),
        _ => None,
    }
}

fn of_certificate(der: &[u8]) -> Option<Vec<u8>> {
    let (certificate, _) = expect(SEQUENCE, der)?;
    let (mut rest, _) = expect(SEQUENCE, certificate)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for _ in 0..5 {
        rest = element(rest)?.2;
    }
    bits(rest)
}

/// `SubjectPublicKeyInfo`: an algorithm, and the key as a string of bits.
fn bits(der: &[u8]) -> Option<Vec<u8>> {
    let (info, _) = expect(SEQUENCE, der)?;
    let (_, rest) = expect(SEQUENCE, info)?;
    let (key, _) = expect(BIT_STRING, rest)?;
    // The first byte counts unused bits, of which a key has none.
    key.strip_prefix(&[0]).map(<[u8]>::to_vec)
}

fn expect(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(der)?;
    (found == tag).then_some((content, rest))
}

/// Tag, content, and what comes after.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
