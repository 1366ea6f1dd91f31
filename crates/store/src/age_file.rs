//! A text sealed by a passphrase, in the form that the `age` program opens (age-encryption.org/v1,
//! C2SP `age.md`): for a person who has no snowtoken.
//!
//! The program itself asks for passphrases at a terminal only, and makes them up itself, so that it
//! cannot be used for this by another program. Only writing is here. What opens it are programs that
//! nobody here wrote: the tests ask two of them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use hkdf::hmac::{Hmac, Mac as _};
use sha2::Sha256;
use snowtoken_core::secret::Secret;
use zeroize::Zeroizing;

use crate::error::{Result, StoreError};
use crate::seal::KeyBytes;

const VERSION_LINE: &str = "age-encryption.org/v1";
const SCRYPT_LABEL: &[u8] = b"age-encryption.org/v1/scrypt";

/// scrypt's cost as a power of two: what the program itself takes, about a second and 256 MiB.
const LOG_N: u8 = 18;

/// Bytes of plaintext in a chunk.
const CHUNK: usize = 64 * 1024;

/// Characters of base64 in a line.
const COLUMNS: usize = 64;

/// Seals the text.
///
/// # Errors
/// If the system has no random bytes.
pub fn seal(passphrase: &Secret, plain: &[u8]) -> Result<Vec<u8>> {
    let mut random = Zeroizing::new([0; 48]);
    getrandom::fill(&mut *random).map_err(|_| StoreError::NoEntropy)?;
    seal_with(passphrase, plain, LOG_N, &random)
}

/// The same file in letters (`age -a`): it survives mail, and the program opens it as it is.
pub fn armoured(sealed: &[u8]) -> String {
    let body = STANDARD.encode(sealed);
    let mut text = String::with_capacity(body.len() + body.len() / COLUMNS + 80);
    text.push_str("-----BEGIN AGE ENCRYPTED FILE-----\n");
    wrapped(&mut text, &body);
    text.push_str("-----END AGE ENCRYPTED FILE-----\n");
    text
}

/// 16 random bytes each for the file's key, scrypt's salt and the payload's nonce.
fn seal_with(passphrase: &Secret, plain: &[u8], log_n: u8, random: &[u8; 48]) -> Result<Vec<u8>> {
    let (file_key, rest) = random.split_at(16);
    let (salt, nonce) = rest.split_at(16);
    let wrapping = passphrase_key(passphrase, salt, log_n)?;
    // The key is used once, so that its nonce may be all zeros.
    let body = encrypt(&wrapping, [0; 12], file_key)?;
    let mut header = format!("{VERSION_LINE}\n-> scrypt {} {log_n}\n", base64(salt));
    wrapped(&mut header, &base64(&body));
    header.push_str("---");
    let mac = mac(&derived(None, file_key, b"header")?, header.as_bytes())?;
    // Writing to a String cannot fail.
    let _ = writeln!(header, " {}", base64(&mac));
    let mut sealed = header.into_bytes();
    sealed.extend_from_slice(nonce);
    payload(&derived(Some(nonce), file_key, b"payload")?, plain, &mut sealed)?;
    Ok(sealed)
}

fn base64(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

/// Lines of 64 characters; a text that fills its last line is followed by no empty one here, which no
/// text of ours does.
fn wrapped(text: &mut String, body: &str) {
    let mut rest = body;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(COLUMNS));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
}

fn passphrase_key(passphrase: &Secret, salt: &[u8], log_n: u8) -> Result<KeyBytes> {
    let params =
        scrypt::Params::new(log_n, 8, 1).map_err(|_| StoreError::Bug("scrypt's numbers".into()))?;
    let salt = [SCRYPT_LABEL, salt].concat();
    let mut key = KeyBytes::default();
    scrypt::scrypt(passphrase.expose().as_bytes(), &salt, &params, &mut *key)
        .map_err(|_| StoreError::Bug("scrypt's length".into()))?;
    Ok(key)
}

fn derived(salt: Option<&[u8]>, file_key: &[u8], info: &[u8]) -> Result<KeyBytes> {
    let mut key = KeyBytes::default();
    Hkdf::<Sha256>::new(salt, file_key)
        .expand(info, &mut *key)
        .map_err(|_| StoreError::Bug("HKDF's length".into()))?;
    Ok(key)
}

fn mac(key: &KeyBytes, header: &[u8]) -> Result<[u8; 32]> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&**key).map_err(|_| StoreError::Bug("HMAC's key".into()))?;
    mac.update(header);
    Ok(mac.finalize().into_bytes().into())
}

/// STREAM: chunks with a counter, the last of them marked.
fn payload(key: &KeyBytes, plain: &[u8], sealed: &mut Vec<u8>) -> Result<()> {
    let count = plain.len().div_ceil(CHUNK).max(1);
    for number in 0..count {
        let from = number * CHUNK;
        let chunk = &plain[from..plain.len().min(from + CHUNK)];
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes());
        nonce[11] = u8::from(number + 1 == count);
        sealed.extend(encrypt(key, nonce, chunk)?);
    }
    Ok(())
}

fn encrypt(key: &KeyBytes, nonce: [u8; 12], plain: &[u8]) -> Result<Vec<u8>> {
    ChaCha20Poly1305::new(&Key::from(**key))
        .encrypt(&Nonce::from(nonce), plain)
        .map_err(|_| StoreError::Bug("a text is too long to be sealed".into()))
}

#[cfg(test)]
mod tests {
    use chacha20poly1305::aead::Payload;

    use super::*;

    /// Written from the format's description, the other way round.
    fn open(sealed: &[u8], passphrase: &str) -> Option<Vec<u8>> {
        let end = sealed.windows(4).position(|w| w == b"\n---")? + 1;
        let text = std::str::from_utf8(&sealed[..end]).ok()?;
        let mut lines = text.lines();
        assert_eq!(lines.next()?, "age-encryption.org/v1");
        let stanza: Vec<&str> = lines.next()?.split(' ').collect();
        assert_eq!(stanza[..2], ["->", "scrypt"]);
        let salt = STANDARD_NO_PAD.decode(stanza[2]).ok()?;
        let body = STANDARD_NO_PAD.decode(lines.next()?).ok()?;
        assert_eq!(lines.next(), None);
        let key = passphrase_key(&Secret::new(passphrase), &salt, stanza[3].parse().ok()?).ok()?;
        let cipher = ChaCha20Poly1305::new(&Key::from(*key));
        let file_key = cipher.decrypt(&Nonce::from([0; 12]), Payload::from(&body[..])).ok()?;
        let rest = &sealed[end..];
        let line = rest.iter().position(|b| *b == b'\n')?;
        let expected = mac(&derived(None, &file_key, b"header").ok()?, &sealed[..end + 3]).ok()?;
        assert_eq!(&rest[..line], format!("--- {}", base64(&expected)).as_bytes());
        let (nonce, mut chunks) = rest[line + 1..].split_at(16);
        let key = derived(Some(nonce), &file_key, b"payload").ok()?;
        let cipher = ChaCha20Poly1305::new(&Key::from(*key));
        let (mut plain, mut number) = (Vec::new(), 0_u64);
        loop {
            let (chunk, after) = chunks.split_at(chunks.len().min(CHUNK + 16));
            let mut nonce = [0; 12];
            nonce[3..11].copy_from_slice(&number.to_be_bytes());
            nonce[11] = u8::from(after.is_empty());
            plain.extend(cipher.decrypt(&Nonce::from(nonce), chunk).ok()?);
            if after.is_empty() {
                return Some(plain);
            }
            (chunks, number) = (after, number + 1);
        }
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let random: [u8; 48] = std::array::from_fn(|n| u8::try_from(n).unwrap());
        seal_with(&Secret::new("correct horse"), plain, 2, &random).unwrap()
    }

    #[test]
    fn texts_of_every_length_open_with_the_passphrase_alone() {
        for length in [0, 1, 43, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK] {
            let plain = vec![7; length];
            let sealed = sealed(&plain);
            assert_eq!(open(&sealed, "correct horse").as_ref(), Some(&plain), "{length}");
            assert_eq!(open(&sealed, "correct horse "), None, "{length}");
        }
    }

    #[test]
    fn a_changed_byte_opens_nothing() {
        let sealed = sealed(b"Client Secret: canary");
        let payload = sealed.len() - 30;
        for at in [payload, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&changed, "correct horse"), None, "{at}");
        }
        assert!(!sealed.windows(6).any(|w| w == b"canary"));
    }

    #[test]
    fn two_files_of_the_same_text_have_nothing_in_common() {
        let passphrase = Secret::new("x");
        let random = |byte| seal_with(&passphrase, b"text", 1, &[byte; 48]).unwrap();
        assert_ne!(random(1), random(2));
    }

    #[test]
    fn letters_come_in_lines_of_64() {
        let text = armoured(&[0xff; 100]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "-----BEGIN AGE ENCRYPTED FILE-----");
        assert_eq!(lines[1].len(), 64);
        assert!(lines[2..lines.len() - 2].iter().all(|line| line.len() == 64));
        assert_eq!(lines[lines.len() - 1], "-----END AGE ENCRYPTED FILE-----");
        assert_eq!(STANDARD.decode(lines[1..lines.len() - 1].concat()).unwrap(), [0xff; 100]);
    }
}
