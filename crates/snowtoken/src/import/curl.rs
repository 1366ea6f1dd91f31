//! A curl command: a token request with its form, or an API call with its header, as people copy them
//! from a vendor's page, a terminal or a browser.
//!
//! It is taken apart as a POSIX shell would do it. A word in which a variable stands says nothing: its
//! value is elsewhere.

use url::form_urlencoded;
use zeroize::Zeroizing;

use super::found::Found;
use super::json;

/// The rest of the text behind the program's name, if a command begins here.
pub(super) fn begins(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([' ', '\t']);
    let text = text.strip_prefix("$ ").unwrap_or(text);
    let rest = text.strip_prefix("curl").map(|rest| rest.strip_prefix(".exe").unwrap_or(rest))?;
    rest.starts_with([' ', '\t']).then_some(rest)
}

/// Takes what the command sends; returns what comes after the command.
pub(super) fn read<'a>(command: &'a str, found: &mut Found) -> &'a str {
    let (words, rest) = split(command);
    let mut words = words.into_iter();
    let (mut user, mut is_token_request) = (None, false);
    while let Some(word) = words.next() {
        let (option, attached) = option(&word);
        let Some(option) = option else {
            is_token_request |= word.text.contains("oauth_token.do");
            address(&word, found);
            continue;
        };
        let takes_value = matches!(option, "d" | "raw" | "F" | "H" | "u" | "bearer" | "url" | "x");
        let value = match attached {
            Some(value) => Some(value),
            None if takes_value => words.next(),
            None => None,
        };
        // What a variable stands for is not known.
        let Some(value) = value.filter(|value| !value.expands) else { continue };
        match option {
            "d" => form(&value.text, found),
            "raw" | "F" => one(&value.text, found),
            "H" => header(&value.text, found),
            "u" => user = Some(value),
            "bearer" => found.take("access_token", &value.text),
            "url" => {
                is_token_request |= value.text.contains("oauth_token.do");
                address(&value, found);
            }
            _ => {}
        }
    }
    // RFC 6749 §2.3.1: at the token endpoint it is the client; elsewhere it is a user's password.
    if let Some(user) = user
        && let Some((name, password)) = user.text.split_once(':')
    {
        if is_token_request {
            found.take("client_id", name);
            found.take("client_secret", password);
        } else {
            found.has_password = true;
        }
    }
    rest
}

/// The option that a word is, by a short name of ours, and a value that is attached to it. `None`:
/// it is no option.
fn option(word: &Word) -> (Option<&'static str>, Option<Word>) {
    let text = word.text.as_str();
    let long = match text {
        "--data" | "--data-raw" | "--data-binary" | "--data-ascii" => "d",
        "--data-urlencode" => "raw",
        "--form" | "--form-string" => "F",
        "--header" => "H",
        "--user" => "u",
        "--oauth2-bearer" => "bearer",
        "--url" => "url",
        "--request" | "--output" | "--proxy" | "--cacert" | "--cert" | "--key" | "--max-time"
        | "--user-agent" | "--cookie" | "--cookie-jar" | "--write-out" | "--referer" => "x",
        _ if text.starts_with("--") => "flag",
        _ => "",
    };
    if !long.is_empty() {
        return (Some(long), None);
    }
    let mut letters = text.chars();
    if letters.next() != Some('-') {
        return (None, None);
    }
    let Some(letter) = letters.next() else { return (None, None) };
    let short = match letter {
        'd' => "d",
        'F' => "F",
        'H' => "H",
        'u' => "u",
        'X' | 'o' | 'x' | 'm' | 'A' | 'b' | 'c' | 'w' | 'e' | 'E' => "x",
        _ => return (Some("flag"), None),
    };
    let rest = letters.as_str();
    let attached = (!rest.is_empty())
        .then(|| Word { text: Zeroizing::new(rest.to_owned()), expands: word.expands });
    (Some(short), attached)
}

fn address(word: &Word, found: &mut Found) {
    if !word.expands && word.text.contains("://") {
        let (address, query) = word.text.split_once('?').unwrap_or((&word.text, ""));
        found.take_endpoint(address);
        form(query, found);
    }
}

fn header(text: &str, found: &mut Found) {
    if let Some((name, value)) = text.split_once(':')
        && name.trim().eq_ignore_ascii_case("authorization")
    {
        found.take("authorization", value.trim());
    }
}

/// RFC 6749 appendix B, or JSON.
fn form(text: &str, found: &mut Found) {
    if text.starts_with('@') || json::read(text, found) {
        return;
    }
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let value = Zeroizing::new(value.into_owned());
        found.take(&name, &value);
    }
}

/// `name=value` as it stands; `name@file` says nothing.
fn one(text: &str, found: &mut Found) {
    if let Some((name, value)) = text.split_once('=')
        && !name.contains('@')
    {
        found.take(name, value);
    }
}

/// No command that people wrote has more words than this; the rest of a longer one is not read.
const MOST_WORDS: usize = 1_000;

/// Room for a word from the start, in bytes: growing would leave copies of a secret behind.
const ROOM: usize = 16 * 1024;

/// A word of a command line.
struct Word {
    text: Zeroizing<String>,
    /// Whether a shell would put something else in place of a part of it.
    expands: bool,
}

/// The words up to the end of the command, and what comes after it.
fn split(text: &str) -> (Vec<Word>, &str) {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        if let Some(after) = continued(rest) {
            rest = after;
            continue;
        }
        match rest.chars().next() {
            None => return (words, ""),
            Some(_) if words.len() == MOST_WORDS => {
                return (words, rest.split_once('\n').map_or("", |(_, after)| after));
            }
            Some('\n') => return (words, &rest[1..]),
            // The rest of the line is another command, or a file.
            Some('|' | ';' | '&' | '<' | '>' | '(' | ')') => {
                return (words, rest.split_once('\n').map_or("", |(_, after)| after));
            }
            Some(_) => {
                let (word, after) = word(rest);
                words.push(word);
                rest = after;
            }
        }
    }
}

/// What follows a line that goes on: `\` in a shell, `^` in a command prompt, a backtick in PowerShell.
fn continued(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(['\\', '^', '`'])?;
    let rest = rest.strip_prefix('\r').unwrap_or(rest);
    rest.strip_prefix('\n')
}

/// One word, at least one character long, and what comes after it.
fn word(text: &str) -> (Word, &str) {
    let room = String::with_capacity(text.len().min(ROOM));
    let mut word = Word { text: Zeroizing::new(room), expands: false };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            ' ' | '\t' | '\r' | '\n' | '|' | ';' | '&' | '<' | '>' | '(' | ')' => break,
            '\'' => {
                let (inner, after) = after.split_once('\'').unwrap_or((after, ""));
                word.text.push_str(inner);
                after
            }
            '"' => double_quoted(after, &mut word),
            '$' if after.starts_with('\'') => dollar_quoted(&after[1..], &mut word),
            '\\' if continued(rest).is_some() => break,
            '\\' => {
                let escaped = after.chars().next();
                word.text.extend(escaped);
                &after[escaped.map_or(0, char::len_utf8)..]
            }
            '$' | '`' => {
                word.expands = true;
                after
            }
            other => {
                word.text.push(other);
                after
            }
        };
    }
    (word, rest)
}

/// Up to the closing `"`: a backslash protects only what means something there.
fn double_quoted<'a>(text: &'a str, word: &mut Word) -> &'a str {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '"' => return rest,
            '\\' if rest.starts_with(['"', '\\', '$', '`']) => {
                word.text.push_str(&rest[..1]);
                rest = &rest[1..];
            }
            '$' if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "_{(".contains(c)) => {
                word.expands = true;
            }
            '`' => word.expands = true,
            other => word.text.push(other),
        }
    }
    rest
}

/// `$'…'`, as browsers copy what holds quotes.
fn dollar_quoted<'a>(text: &'a str, word: &mut Word) -> &'a str {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '\'' => return rest,
            '\\' => {
                let Some(escaped) = rest.chars().next() else { return rest };
                rest = &rest[escaped.len_utf8()..];
                let digits = match escaped {
                    'u' => 4,
                    'x' => 2,
                    _ => 0,
                };
                let number = rest.get(..digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                match (escaped, number.and_then(char::from_u32).filter(|_| digits > 0)) {
                    ('n', _) => word.text.push('\n'),
                    ('r', _) => word.text.push('\r'),
                    ('t', _) => word.text.push('\t'),
                    (_, Some(character)) => {
                        word.text.push(character);
                        rest = &rest[digits..];
                    }
                    (other, None) => word.text.push(other),
                }
            }
            other => word.text.push(other),
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(command: &str) -> Vec<String> {
        split(command).0.into_iter().map(|word| word.text.to_string()).collect()
    }

    #[test]
    fn words_are_those_of_a_shell() {
        assert_eq!(
            texts(r#" a 'b c' "d\"e\f" g\ h i'j'"k""#),
            ["a", "b c", r#"d"e\f"#, "g h", "ijk"]
        );
        assert_eq!(texts("a \\\n  b ^\r\n c `\n d\nnext"), ["a", "b", "c", "d"]);
        assert_eq!(texts(r"$'a\'b\u0041\x42\n'"), ["a'bAB\n"]);
        assert_eq!(texts("a | b"), ["a"]);
        assert_eq!(split("a; b\nrest").1, "rest");
        let (words, _) = split(r#"$X "a$Y" 'a$Z' "5$" a`b`"#);
        let expands: Vec<bool> = words.iter().map(|word| word.expands).collect();
        assert_eq!(expands, [true, true, false, false, true]);
    }

    proptest! {
        /// The same judge as the shell's own rule for single quotes.
        #[test]
        fn what_was_quoted_for_a_shell_is_read_again(text in r"[ -~\n]{1,30}") {
            let quoted = format!(" '{}'", text.replace('\'', "'\\''"));
            prop_assert_eq!(texts(&quoted), [text]);
        }

        #[test]
        fn any_text_is_read_to_its_end(text in any::<String>()) {
            let mut found = Found::default();
            read(&text, &mut found);
        }
    }
}
