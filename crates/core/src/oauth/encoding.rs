//! Percent-encoding for queries and forms: one alphabet for both.

use zeroize::Zeroizing;

/// Encodes pairs as `name=value&…`. Only unreserved characters (RFC 3986 §2.3) stay as they are:
/// a blank becomes `%20`, which both a query and a form (RFC 6749 appendix B) decode to a blank,
/// while `+` would not survive every parser. Pairs with an empty value are left out
/// (RFC 6749 §3.1, §3.2).
pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Zeroizing<String> {
    // The upper bound is reserved at once: growing would leave copies of secrets behind.
    let room = pairs.iter().map(|(name, value)| 2 + 3 * (name.len() + value.len())).sum();
    let mut text = Zeroizing::new(String::with_capacity(room));
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        if !text.is_empty() {
            text.push('&');
        }
        push(&mut text, name);
        text.push('=');
        push(&mut text, value);
    }
    text
}

/// One value, encoded.
pub(crate) fn component(value: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(3 * value.len()));
    push(&mut text, value);
    text
}

fn push(text: &mut String, value: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn everything_but_unreserved_is_escaped_and_empty_values_are_left_out() {
        assert_eq!(
            *pairs(&[("a", "+&%=?\"'\\ é~"), ("b", ""), ("c", "d")]),
            "a=%2B%26%25%3D%3F%22%27%5C%20%C3%A9~&c=d"
        );
    }

    proptest! {
        /// R28: whatever is in a secret arrives as it was.
        #[test]
        fn a_form_parser_reads_back_what_was_written(value in ".+") {
            let text = pairs(&[("client_secret", &value)]);
            let read: Vec<_> = url::form_urlencoded::parse(text.as_bytes()).collect();
            prop_assert_eq!(read, [("client_secret".into(), value.as_str().into())]);
        }
    }
}
