use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::key::encoding;

const PASSPHRASE: &str = "correct horse battery staple";

fn header() -> Header {
    Header {
        profile: ProfileName::parse("dev").unwrap(),
        created: "2026-11-23T15:00:00.123456789Z".parse().unwrap(),
        lease: Lease::parse("00112233445566778899aabbccddeeff").unwrap(),
    }
}

/// A key that costs nothing: what is tried here is not Argon2.
fn cheap() -> PassphraseKey {
    let costs = Costs::parse(&format!("argon2id m=8 t=1 p=1 salt={}", "5a".repeat(32))).unwrap();
    PassphraseKey { key: costs.derive(&Secret::new(PASSPHRASE)).unwrap(), costs }
}

fn sealed(plain: &[u8]) -> Envelope {
    Envelope::seal(header(), &cheap(), plain).unwrap()
}

fn opened(text: &str) -> Result<Vec<u8>, EnvelopeError> {
    let plain = Envelope::parse(text)?.open(&Secret::new(PASSPHRASE))?;
    Ok(plain.to_vec())
}

/// The text with a checksum that fits: what somebody does who changes it on purpose.
fn mended(text: &str) -> String {
    let Some((whole, _)) = text.rsplit_once("Checksum: ") else { return text.to_owned() };
    let sum = encoding::hex(&Sha256::digest(whole));
    let sum = sum.as_str();
    format!("{whole}Checksum: {sum}\n{}\n", armour::END)
}

#[test]
fn a_file_shows_what_it_is_and_nothing_of_its_content() {
    let text = sealed(b"refresh-token-4711").text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "-----BEGIN SNOWTOKEN SEALED PROFILE-----");
    assert_eq!(
        lines[1..4],
        ["Version: 1", "Profile: dev", "Created: 2026-11-23T15:00:00.123456789Z"]
    );
    assert_eq!(lines[4], "Lease: 00112233445566778899aabbccddeeff");
    assert!(lines[5].starts_with("Sealed-By: passphrase (argon2id m=8 t=1 p=1 salt="), "{text}");
    assert_eq!(lines.last(), Some(&"-----END SNOWTOKEN SEALED PROFILE-----"));
    assert!(lines.iter().all(|line| line.len() <= 130 && line.is_ascii()), "{text}");
    assert!(Envelope::recognises(&text) && !Envelope::recognises("Client Secret: x"));
    assert_eq!(format!("{:?}", cheap()).matches("key:").count(), 0);
}

#[test]
fn what_a_person_types_costs_what_rfc_9106_recommends() {
    let key = PassphraseKey::new(&Secret::new(PASSPHRASE)).unwrap();
    let envelope = Envelope::seal(header(), &key, b"x").unwrap();
    let text = envelope.text();
    assert!(text.contains("(argon2id m=65536 t=3 p=1 salt="), "{text}");
    assert_eq!(opened(&text).as_deref(), Ok(b"x".as_slice()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_content_comes_back(plain in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let envelope = sealed(&plain);
        let text = envelope.text();
        prop_assert_eq!(&Envelope::parse(&text)?, &envelope);
        prop_assert_eq!(opened(&text)?, plain.clone());
        // As other systems and mail programs may leave it.
        prop_assert_eq!(opened(&text.replace('\n', "\r\n"))?, plain.clone());
        prop_assert_eq!(opened(&format!("\u{feff}\n{text}\n \n"))?, plain);
    }

    #[test]
    fn every_text_is_refused_or_is_one_we_write(
        start in 0_usize..6, garbage in "[ -~\n]{0,200}", at in 0_usize..700,
    ) {
        let mut text = sealed(b"content").text();
        let at = at.min(text.len());
        text.replace_range(at..(at + start).min(text.len()), &garbage);
        for text in [mended(&text), text] {
            if let Ok(envelope) = Envelope::parse(&text) {
                let written = envelope.text();
                prop_assert_eq!(written.trim_end(), text.trim());
            }
        }
    }
}

/// V32: what is not what was written is told as such, whatever bit it is.
#[test]
fn every_flipped_bit_is_noticed() {
    let text = sealed(b"content").text();
    let mut seen = 0;
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            seen += 1;
            // Beyond ASCII it is no text, which is told before we are asked.
            let Ok(flipped) = String::from_utf8(bytes) else { continue };
            let refused = Envelope::parse(&flipped).unwrap_err();
            let fits = match refused {
                EnvelopeError::Damaged(_) => true,
                EnvelopeError::Truncated => !flipped.contains(armour::END),
                EnvelopeError::Newer { found, known: 1 } => found > 1,
                _ => false,
            };
            assert!(fits, "byte {at}, bit {bit}: {refused}");
            assert!(Envelope::recognises(&flipped), "byte {at}, bit {bit}");
            // Somebody who knows what a checksum is gets no further.
            let mended = mended(&flipped);
            if mended == text {
                continue;
            }
            let refused = opened(&mended).unwrap_err();
            assert_ne!(refused, EnvelopeError::Damaged("its checksum does not fit"));
        }
    }
    assert!(seen >= 3_000, "{seen}");
}

#[test]
fn every_cut_is_noticed() {
    let text = sealed(b"content").text();
    for length in 0..text.len() - 1 {
        let refused = Envelope::parse(&text[..length]).unwrap_err();
        assert_eq!(refused, EnvelopeError::Truncated, "{length}");
    }
    // Cut in the middle, with its end in place.
    let middle = text.lines().nth(7).unwrap();
    let refused = Envelope::parse(&text.replace(&format!("{middle}\n"), "")).unwrap_err();
    assert_eq!(refused, EnvelopeError::Damaged("its checksum does not fit"));
}

#[test]
fn each_kind_of_refusal_has_its_own_words() {
    let text = sealed(b"content").text();
    let wrong = Envelope::parse(&text).unwrap().open(&Secret::new("another")).unwrap_err();
    assert_eq!(wrong.to_string(), "this passphrase does not open the sealed file");
    let newer = opened(&text.replace("Version: 1", "Version: 2")).unwrap_err();
    assert_eq!(newer.to_string(), "the sealed file has form 2; this version knows form 1");
    // Whatever a newer form looks like further down.
    let newer = format!("{}\nVersion: 7\nall else is new\n", armour::BEGIN);
    assert_eq!(opened(&newer), Err(EnvelopeError::Newer { found: 7, known: 1 }));
    let huge = format!("{}\n{}", armour::BEGIN, "x".repeat(LARGEST));
    assert_eq!(
        opened(&huge).unwrap_err().to_string(),
        "the sealed file is longer than 1024 KiB: it is no profile"
    );
    let two = format!("{text}{text}");
    assert_eq!(opened(&two), Err(EnvelopeError::Damaged("its checksum does not fit")));
    let more = format!("{text}more\n");
    assert!(matches!(opened(&more), Err(EnvelopeError::Damaged(_))), "{:?}", opened(&more));
}

/// A header is no memory bomb: the numbers in it are bounded before they are used.
#[test]
fn costs_from_elsewhere_are_bounded() {
    let text = sealed(b"content").text();
    let started = std::time::Instant::now();
    for costs in [
        "m=4294967295 t=1 p=1",
        "m=8 t=4294967295 p=1",
        "m=262145 t=1 p=1",
        "m=8 t=13 p=1",
        "m=8 t=1 p=5",
        "m=0 t=1 p=1",
        "m=8 t=0 p=1",
        "m=8 t=1 p=0",
        "m=8 t=1 p=4",
    ] {
        let hostile = mended(&text.replace("m=8 t=1 p=1", costs));
        assert_eq!(opened(&hostile), Err(EnvelopeError::TooCostly), "{costs}");
    }
    for salt in ["", "00", "zz"] {
        let hostile = mended(&text.replace(&"5a".repeat(32), salt));
        assert!(opened(&hostile).is_err(), "{salt}");
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(1));
}

#[test]
fn a_header_cannot_be_exchanged() {
    let text = sealed(b"content").text();
    for (from, to) in [
        ("Profile: dev", "Profile: prod"),
        ("15:00:00.123", "16:00:00.123"),
        ("Lease: 0011", "Lease: 0012"),
        ("salt=5a", "salt=5b"),
    ] {
        let changed = mended(&text.replace(from, to));
        assert_eq!(opened(&changed), Err(EnvelopeError::NotOpened), "{to}");
    }
    // Another system writes the same moment in another way.
    let changed = mended(&text.replace("15:00:00.123456789Z", "15:00:00.123456789+00:00"));
    let refused = EnvelopeError::Damaged("it is not written as this program writes it");
    assert_eq!(opened(&changed), Err(refused));
}

#[test]
fn what_age_opened_must_begin_with_this_header() {
    let plain = Envelope::plain_for_age(&header(), b"content");
    let envelope = Envelope::of_age(header(), b"age's own".to_vec());
    let again = Envelope::parse(&envelope.text()).unwrap();
    assert_eq!(again, envelope);
    assert_eq!(again.for_age(), Some(b"age's own".as_slice()));
    assert_eq!(again.open(&Secret::new(PASSPHRASE)), Err(EnvelopeError::ForIdentity));
    assert_eq!(*again.content_from_age(&plain).unwrap(), b"content");
    let other = Header { profile: ProfileName::parse("prod").unwrap(), ..header() };
    let other = Envelope::of_age(other, b"age's own".to_vec());
    let refused = other.content_from_age(&plain).unwrap_err();
    assert_eq!(refused, EnvelopeError::Damaged("its header belongs to another file"));
}

/// What version 0.1 wrote is read for ever.
#[test]
fn a_file_of_the_first_form_is_read() {
    let text = include_str!("../../../../fuzz/seeds/sealed_file/opened-first-form");
    assert_eq!(opened(text).unwrap(), b"content");
}
