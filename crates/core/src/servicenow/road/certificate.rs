//! What a certificate says of itself (RFC 5280 §4.1): read for people, never to decide about trust, so
//! a reader of a few lines will do. It is total: whatever it cannot read is not there.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::printable::Printable;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;

/// Names that a certificate is for are shown up to this many.
const MOST_NAMES: usize = 100;

/// The part of a certificate that people ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for.
    pub subject: Name,
    /// Who vouches for it.
    pub issuer: Name,
    /// From when.
    pub not_before: Option<Timestamp>,
    /// Until when.
    pub not_after: Option<Timestamp>,
    /// The host names it is for.
    pub hosts: Vec<String>,
}

/// A distinguished name; foreign text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name {
    /// The common name.
    pub common: Option<String>,
    /// The organization.
    pub organization: Option<String>,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.common, &self.organization) {
            (Some(common), Some(organization)) => {
                write!(f, "\"{}\" of \"{}\"", Printable(common), Printable(organization))
            }
            (Some(name), None) | (None, Some(name)) => write!(f, "\"{}\"", Printable(name)),
            (None, None) => f.write_str("somebody without a name"),
        }
    }
}

impl Certificate {
    /// Reads a certificate in DER.
    pub fn read(der: &[u8]) -> Option<Self> {
        let mut certificate = inside(&mut &*der, SEQUENCE)?;
        let mut fields = inside(&mut certificate, SEQUENCE)?;
        if fields.first() == Some(&VERSION) {
            element(&mut fields)?;
        }
        inside(&mut fields, INTEGER)?;
        inside(&mut fields, SEQUENCE)?;
        let issuer = name(inside(&mut fields, SEQUENCE)?);
        let mut validity = inside(&mut fields, SEQUENCE)?;
        let (not_before, not_after) = (time(&mut validity), time(&mut validity));
        let subject = name(inside(&mut fields, SEQUENCE)?);
        inside(&mut fields, SEQUENCE)?;
        let hosts = extensions(fields).map(hosts).unwrap_or_default();
        Some(Self { subject, issuer, not_before, not_after, hosts })
    }

    /// Whether it vouches for itself.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }
}

/// The next element: its tag and its content.
fn element<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
            let length = bytes.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *input = rest;
    Some((tag, content))
}

/// The content of the next element, if it has this tag.
fn inside<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (found, content) = element(input)?;
    (found == tag).then_some(content)
}

fn name(mut sets: &[u8]) -> Name {
    const COMMON: &[u8] = &[0x55, 0x04, 0x03];
    const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
    let mut found = Name::default();
    while let Some(mut set) = inside(&mut sets, SET) {
        while let Some(mut pair) = inside(&mut set, SEQUENCE) {
            let Some(kind) = inside(&mut pair, OBJECT_IDENTIFIER) else { continue };
            let Some((tag, value)) = element(&mut pair) else { continue };
            match kind {
                COMMON => found.common = text(tag, value),
                ORGANIZATION => found.organization = text(tag, value),
                _ => {}
            }
        }
    }
    found
}

/// `UTF8String`, `PrintableString`, `TeletexString`, `IA5String`, `BMPString`.
fn text(tag: u8, value: &[u8]) -> Option<String> {
    let text = match tag {
        0x0c | 0x13 | 0x14 | 0x16 => String::from_utf8_lossy(value).into_owned(),
        0x1e => {
            let units = value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// RFC 5280 §4.1.2.5: two digits mean 1950 to 2049.
fn time(input: &mut &[u8]) -> Option<Timestamp> {
    let (tag, content) = element(input)?;
    let digits = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let whole = match tag {
        UTC_TIME if digits.len() == 12 => {
            let century = if digits.as_bytes()[0] < b'5' { "20" } else { "19" };
            format!("{century}{digits}")
        }
        GENERALIZED_TIME if digits.len() == 14 => digits.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%S", &whole).ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

fn extensions(mut fields: &[u8]) -> Option<&[u8]> {
    while let Some((tag, mut content)) = element(&mut fields) {
        if tag == EXTENSIONS {
            return inside(&mut content, SEQUENCE);
        }
    }
    None
}

/// The DNS names of `subjectAltName`.
fn hosts(mut extensions: &[u8]) -> Vec<String> {
    const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    let mut found = Vec::new();
    while let Some(mut extension) = inside(&mut extensions, SEQUENCE) {
        if inside(&mut extension, OBJECT_IDENTIFIER) != Some(ALTERNATIVE_NAME) {
            continue;
        }
        while let Some((tag, mut value)) = element(&mut extension) {
            let names = if tag == OCTET_STRING { inside(&mut value, SEQUENCE) } else { None };
            let mut names = names.unwrap_or_default();
            while let Some((tag, name)) = element(&mut names) {
                if tag == DNS_NAME && found.len() < MOST_NAMES {
                    found.push(String::from_utf8_lossy(name).into_owned());
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    /// Made with OpenSSL 3.0: issuer = subject = `O = Acme Corp, CN = Acme Inspection Root`, two
    /// names, a `GeneralizedTime` at its end.
    const MADE: &str = include_str!("certificate.b64");

    fn made() -> Vec<u8> {
        STANDARD.decode(MADE.split_whitespace().collect::<String>()).unwrap()
    }

    #[test]
    fn a_certificate_that_somebody_else_made_is_read() {
        let found = Certificate::read(&made()).unwrap();
        assert_eq!(found.issuer.to_string(), "\"Acme Inspection Root\" of \"Acme Corp\"");
        assert!(found.is_self_issued());
        assert_eq!(found.not_before.unwrap().to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(found.not_after.unwrap().to_string(), "2051-01-02T03:04:05Z");
        assert_eq!(found.hosts, ["classics.service-now.com", "*.acme.example"]);
    }

    #[test]
    fn a_name_is_shown_safely() {
        let name = Name { common: Some("a\u{1b}[31m".into()), organization: None };
        assert_eq!(name.to_string(), "\"a\\u{1b}[31m\"");
        assert_eq!(Name::default().to_string(), "somebody without a name");
    }

    #[test]
    fn a_certificate_that_was_cut_is_no_certificate_and_no_panic() {
        let whole = made();
        for length in 0..whole.len() {
            assert_eq!(Certificate::read(&whole[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Certificate::read(&bytes);
        }

        #[test]
        fn any_damage_is_read_or_not(at in 0_usize..400, with in any::<u8>()) {
            let mut bytes = made();
            let at = at % bytes.len();
            bytes[at] = with;
            let _ = Certificate::read(&bytes);
        }
    }
}
