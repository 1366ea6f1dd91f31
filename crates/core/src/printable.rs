//! Text that somebody else wrote, made safe to show (RFC 6749 §4.1.2.1 and §5.2 limit it; nobody
//! has to obey).

use std::fmt;

/// At most this many characters of foreign text are shown.
const LIMIT: usize = 200;

/// Shows foreign text on one line: control characters, terminal escapes and bidirectional
/// overrides become `\u{…}`, and what is longer than 200 characters is cut.
#[derive(Debug, Clone, Copy)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, character) in self.0.chars().enumerate() {
            if count == LIMIT {
                return f.write_str("…");
            }
            if is_harmless(character) {
                write!(f, "{character}")?;
            } else {
                write!(f, "\\u{{{:x}}}", u32::from(character))?;
            }
        }
        Ok(())
    }
}

fn is_harmless(character: char) -> bool {
    // Everything `char::is_control` (C0, DEL, C1), line and paragraph separators, zero-width and
    // bidirectional marks, tags, and the private use areas some terminals give a meaning to.
    !(character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_and_bidi_marks_are_spelt_out() {
        let hostile = "a\u{1b}]0;x\u{7}\r\n\u{9b}31m\u{202e}b";
        assert_eq!(Printable(hostile).to_string(), r"a\u{1b}]0;x\u{7}\u{d}\u{a}\u{9b}31m\u{202e}b");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(Printable(&"é".repeat(201)).to_string(), format!("{}…", "é".repeat(200)));
    }
}
