//! The sealed file as text.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use snowtoken_core::profile::ProfileName;

use super::{Envelope, EnvelopeError, Header, LARGEST, Lease, SealedBy};
use crate::key::{Costs, encoding};

pub(super) const BEGIN: &str = "-----BEGIN SNOWTOKEN SEALED PROFILE-----";
pub(super) const END: &str = "-----END SNOWTOKEN SEALED PROFILE-----";

/// The form of the file. A higher one is left alone.
const VERSION: u32 = 1;

/// Characters in a line of the content.
const WIDTH: usize = 64;

/// What the system at either end may add at either end of the text.
const BLANKS: [char; 5] = ['\u{feff}', ' ', '\t', '\r', '\n'];

/// The first lines, up to and including the empty one.
pub(super) fn header(header: &Header, sealed_by: &SealedBy) -> String {
    let Header { profile, created, lease } = header;
    let sealed_by = match sealed_by {
        SealedBy::Passphrase(costs) => format!("passphrase ({})", costs.words()),
        SealedBy::Age => "age".to_owned(),
    };
    format!(
        "{BEGIN}\nVersion: {VERSION}\nProfile: {profile}\nCreated: {created}\nLease: {lease}\n\
         Sealed-By: {sealed_by}\n\n"
    )
}

pub(super) fn write(envelope: &Envelope) -> String {
    let mut text = header(&envelope.header, &envelope.sealed_by);
    let body = STANDARD.encode(&envelope.body);
    for line in body.as_bytes().chunks(WIDTH) {
        // Base64 is ASCII.
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push('\n');
    let checksum = checksum(&text);
    let _ = writeln!(text, "Checksum: {checksum}\n{END}");
    text
}

pub(super) fn read(text: &str) -> Result<Envelope, EnvelopeError> {
    if text.len() > LARGEST {
        return Err(EnvelopeError::TooLarge);
    }
    let text = text.replace("\r\n", "\n");
    let text = text.trim_matches(BLANKS);
    let first = format!("{BEGIN}\nVersion: ");
    let Some(rest) = text.strip_prefix(&first) else {
        let cut = first.starts_with(text);
        let damaged = EnvelopeError::Damaged("its first lines are not what they should be");
        return Err(if cut { EnvelopeError::Truncated } else { damaged });
    };
    check_version(rest)?;
    let Some(at) = text.rfind(&format!("\n{END}")) else {
        let cut = !text.contains(END);
        let damaged = EnvelopeError::Damaged("its last line is not what it should be");
        return Err(if cut { EnvelopeError::Truncated } else { damaged });
    };
    let (whole, checksum_line) = text[..at]
        .rsplit_once("\nChecksum: ")
        .map(|(before, line)| (&text[..=before.len()], line))
        .ok_or(EnvelopeError::Damaged("its checksum is not there"))?;
    if checksum(whole) != checksum_line {
        return Err(EnvelopeError::Damaged("its checksum does not fit"));
    }
    let envelope = understand(whole).ok_or(EnvelopeError::Damaged("its header makes no sense"))?;
    // Whatever could be read in two ways is refused.
    if write(&envelope).trim_end() == text {
        Ok(envelope)
    } else {
        Err(EnvelopeError::Damaged("it is not written as this program writes it"))
    }
}

/// The version comes before everything else is judged: the rest may have another form.
fn check_version(rest: &str) -> Result<(), EnvelopeError> {
    let Some((line, _)) = rest.split_once('\n') else {
        return Err(EnvelopeError::Truncated);
    };
    match line.parse::<u32>() {
        Ok(VERSION) => Ok(()),
        Ok(found) if found > VERSION => Err(EnvelopeError::Newer { found, known: VERSION }),
        _ => Err(EnvelopeError::Damaged("its version is no number")),
    }
}

/// Header and content; `None` if they make no sense.
fn understand(whole: &str) -> Option<Envelope> {
    let (lines, body) = whole.split_once("\n\n")?;
    let mut lines = lines.lines().skip(2);
    let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ");
    let header = Header {
        profile: ProfileName::parse(field("Profile")?).ok()?,
        created: field("Created")?.parse().ok()?,
        lease: Lease::parse(field("Lease")?)?,
    };
    let sealed_by = match field("Sealed-By")? {
        "age" => SealedBy::Age,
        other => {
            let words = other.strip_prefix("passphrase (")?.strip_suffix(')')?;
            SealedBy::Passphrase(Costs::parse(words)?)
        }
    };
    let body: String = body.lines().collect();
    Some(Envelope { header, sealed_by, body: STANDARD.decode(body).ok()? })
}

fn checksum(whole: &str) -> String {
    encoding::hex(&Sha256::digest(whole.as_bytes())).to_string()
}
