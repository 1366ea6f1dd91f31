//! A text with secrets in it that grows without leaving copies behind, and the quotes of each
//! language, written in place.

use std::fmt::{self, Write as _};
use std::mem;

use zeroize::Zeroizing;

/// A text under construction.
pub(crate) struct Text(Zeroizing<String>);

impl Text {
    /// Room for most shapes.
    const ROOM: usize = 16 * 1024;

    pub(crate) fn new() -> Self {
        Self(Zeroizing::new(String::with_capacity(Self::ROOM)))
    }

    /// Makes room for so many bytes more. What was there moves to a larger place and its old place
    /// is wiped; a `String` that grows by itself would leave it as it is.
    fn reserve(&mut self, more: usize) {
        let needed = self.0.len().saturating_add(more);
        if needed > self.0.capacity() {
            let room = needed.max(2 * self.0.capacity());
            let old = mem::replace(&mut self.0, Zeroizing::new(String::with_capacity(room)));
            self.0.push_str(&old);
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.reserve(text.len());
        self.0.push_str(text);
    }

    pub(crate) fn push_char(&mut self, character: char) {
        self.push(character.encode_utf8(&mut [0; 4]));
    }

    /// Writes without a failure: there is always memory, or no program.
    pub(crate) fn say(&mut self, arguments: fmt::Arguments<'_>) {
        let _ = self.write_fmt(arguments);
    }

    pub(crate) fn finish(self) -> Zeroizing<String> {
        self.0
    }

    /// RFC 8259 §7. Whatever YAML does not take as it is, is escaped as well, so that the result is a
    /// double-quoted scalar of YAML too.
    pub(crate) fn json(&mut self, value: &str) {
        self.push_char('"');
        for character in value.chars() {
            match character {
                '"' | '\\' => {
                    self.push_char('\\');
                    self.push_char(character);
                }
                strange if is_strange(strange) => {
                    self.say(format_args!("\\u{:04x}", u32::from(strange)));
                }
                other => self.push_char(other),
            }
        }
        self.push_char('"');
    }

    /// A POSIX shell takes everything between single quotes as it is.
    pub(crate) fn shell(&mut self, value: &str) {
        self.push_char('\'');
        for character in value.chars() {
            if character == '\'' {
                self.push("'\\''");
            } else {
                self.push_char(character);
            }
        }
        self.push_char('\'');
    }

    /// A string literal of the SQL standard.
    pub(crate) fn sql(&mut self, value: &str) {
        self.sql_like(value, &['\'']);
    }

    /// A string literal of Snowflake, which also reads backslashes as escapes.
    pub(crate) fn snowflake(&mut self, value: &str) {
        self.sql_like(value, &['\'', '\\']);
    }

    fn sql_like(&mut self, value: &str, doubled: &[char]) {
        self.push_char('\'');
        for character in value.chars() {
            if doubled.contains(&character) {
                self.push_char(character);
            }
            self.push_char(character);
        }
        self.push_char('\'');
    }

    /// RFC 4648 §4, with padding.
    pub(crate) fn base64(&mut self, value: &str) {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for chunk in value.as_bytes().chunks(3) {
            let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
            let group = byte(0) << 16 | byte(1) << 8 | byte(2);
            for place in 0..4 {
                if place > chunk.len() {
                    self.push_char('=');
                } else {
                    let six = group >> (18 - 6 * place) & 0x3f;
                    let letter = ALPHABET.get(six as usize).copied().unwrap_or(b'=');
                    self.push_char(char::from(letter));
                }
            }
        }
    }

    /// RFC 4648 §5, with padding.
    pub(crate) fn base64_url(&mut self, value: &str) {
        let mut usual = Self::new();
        usual.base64(value);
        for character in usual.finish().chars() {
            self.push_char(match character {
                '+' => '-',
                '/' => '_',
                other => other,
            });
        }
    }

    /// RFC 3986 §2.3: whatever is not unreserved is escaped.
    pub(crate) fn url(&mut self, value: &str) {
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.push_char(char::from(byte));
            } else {
                self.say(format_args!("%{byte:02X}"));
            }
        }
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// Control characters, separators of lines, byte order marks and what is no character at all.
fn is_strange(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(write: impl Fn(&mut Text)) -> String {
        let mut text = Text::new();
        write(&mut text);
        text.finish().to_string()
    }

    #[test]
    fn base64_has_the_vectors_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("ÿ?>", "w78/Pg=="),
        ] {
            assert_eq!(of(|text| text.base64(plain)), coded, "{plain}");
        }
    }

    #[test]
    fn each_language_has_its_own_quotes() {
        let hostile = "a'b\"c\\d%é";
        assert_eq!(of(|t| t.json(hostile)), r#""a'b\"c\\d%é""#);
        assert_eq!(of(|t| t.shell(hostile)), r#"'a'\''b"c\d%é'"#);
        assert_eq!(of(|t| t.sql(hostile)), r#"'a''b"c\d%é'"#);
        assert_eq!(of(|t| t.snowflake(hostile)), r#"'a''b"c\\d%é'"#);
        assert_eq!(of(|t| t.url(hostile)), "a%27b%22c%5Cd%25%C3%A9");
        assert_eq!(of(|t| t.json("\u{1}\u{7f}\u{85}\u{feff}")), r#""\u0001\u007f\u0085\ufeff""#);
    }

    #[test]
    fn it_grows_and_keeps_what_was_there() {
        let long = "x".repeat(Text::ROOM);
        assert_eq!(of(|t| (0..5).for_each(|_| t.push(&long))), long.repeat(5));
    }
}
