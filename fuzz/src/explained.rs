//! Anything pasted into `explain`: it is answered, at most three times over, and each answer is an
//! entry of the catalogue.

use snowtoken_core::diagnosis::{Certainty, Code, recognise};

/// Answers which diagnosis came first.
pub(crate) fn check(data: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(data);
    let found = recognise(&text);
    assert!(found.codes.len() <= 3);
    for (index, code) in found.codes.iter().enumerate() {
        assert!(!found.codes[..index].contains(code));
        assert_eq!(Code::find(code.as_str()), Some(*code));
    }
    // A text that names a code says so in letters.
    if found.certainty == Certainty::Named {
        let text = text.to_ascii_lowercase();
        assert!(found.codes.iter().all(|code| text.contains(code.as_str())));
    }
    let first = found.codes.first().map(|code| code.as_str());
    let again = recognise(&text);
    assert_eq!(again, found);
    first
}
