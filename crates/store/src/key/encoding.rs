//! Keys as text: 32 bytes in hex or base64, as `openssl rand -hex 32` or `head -c32 | base64` print
//! them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD_INDIFFERENT, URL_SAFE_NO_PAD_INDIFFERENT};
use zeroize::Zeroizing;

use crate::seal::KeyBytes;

/// The bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2 + 1));
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The key in a text, blanks around it aside; `None` if it is not exactly 32 bytes.
pub(super) fn key(text: &[u8]) -> Option<KeyBytes> {
    let text = text.trim_ascii();
    let mut key = Zeroizing::new([0; 32]);
    if text.len() == 64 {
        for (byte, pair) in key.iter_mut().zip(text.as_chunks::<2>().0) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        return Some(key);
    }
    // Room for what the engine estimates; nothing longer is a key.
    let mut buffer = Zeroizing::new([0; 36]);
    let length = STANDARD_NO_PAD_INDIFFERENT
        .decode_slice(text, buffer.as_mut_slice())
        .or_else(|_| URL_SAFE_NO_PAD_INDIFFERENT.decode_slice(text, buffer.as_mut_slice()))
        .ok()?;
    key.copy_from_slice(buffer.get(..length).filter(|bytes| bytes.len() == 32)?);
    Some(key)
}

fn digit(hex: u8) -> Option<u8> {
    char::from(hex).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
