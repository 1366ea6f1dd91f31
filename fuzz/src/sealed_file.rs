//! Any text as a sealed profile: it is refused, or it is written just as we write it; whatever opens
//! is what was sealed. The passphrase of the saved inputs is known, and their salt costs nothing.

use snowtoken_core::secret::Secret;
use snowtoken_store::envelope::{Envelope, EnvelopeError, LARGEST};

/// Answers whether it opened.
pub(crate) fn check(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let envelope = match Envelope::parse(text) {
        Ok(envelope) => envelope,
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains(char::is_control) && shown.len() < 200, "{shown:?}");
            assert_eq!(error == EnvelopeError::TooLarge, text.len() > LARGEST);
            return false;
        }
    };
    let written = envelope.text();
    assert_eq!(Envelope::parse(&written).as_ref(), Ok(&envelope), "what we write we can read");
    assert!(Envelope::recognises(text));
    let plain = text.replace("\r\n", "\n");
    assert!(plain.contains(written.trim_end()), "there is one way to write it");
    // Costs are bounded, but a fuzzer should not spend its time on them.
    if envelope.for_age().is_none() && !written.contains("(argon2id m=8 t=1 p=1 ") {
        return false;
    }
    match envelope.open(&Secret::new("correct horse battery staple")) {
        Ok(content) => {
            assert_eq!(content.as_slice(), b"content", "nobody can make another");
            true
        }
        Err(EnvelopeError::NotOpened | EnvelopeError::ForIdentity | EnvelopeError::TooCostly) => {
            false
        }
        Err(other) => panic!("it was read, so it should not be {other}"),
    }
}
