//! Rust source seen as lines of code: without comments, string contents and unit tests.

/// The part of a file above its unit tests.
pub(crate) fn without_tests(source: &str) -> &str {
    source.find("\n#[cfg(test)]\nmod ").map_or(source, |end| &source[..=end])
}

/// The source with the contents of comments and string literals blanked out; lines keep their
/// numbers. Good enough to look for words, not a parser.
pub(crate) fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            blank(&mut code, rest, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            blank(&mut code, rest, rest.find("*/").map_or(rest.len(), |end| end + 2))
        } else if let Some(length) = raw_string(rest, code.chars().next_back()) {
            blank(&mut code, rest, length)
        } else if first == '"' {
            blank(&mut code, rest, string(rest))
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            blank(&mut code, rest, rest[1..].find('\'').map_or(1, |end| end + 2))
        } else {
            code.push(first);
            first.len_utf8()
        };
        rest = &rest[taken..];
    }
    code
}

fn blank(code: &mut String, rest: &str, length: usize) -> usize {
    code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
    length
}

/// The length of a string literal, quotes included.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

/// The length of `r#"…"#`, if one starts here and not inside a name.
fn raw_string(rest: &str, before: Option<char>) -> Option<usize> {
    if before.is_some_and(|c| c.is_alphanumeric() && c != 'b' || c == '_') {
        return None;
    }
    let hashes = rest.strip_prefix('r')?.chars().take_while(|c| *c == '#').count();
    rest[1 + hashes..].starts_with('"').then(|| {
        let end = format!("\"{}", "#".repeat(hashes));
        let body = 2 + hashes;
        rest[body..].find(&end).map_or(rest.len(), |at| body + at + end.len())
    })
}

/// Where `word` stands as a word of its own: numbers of lines, from 1.
pub(crate) fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let stands_alone = |line: &str, at: usize| {
        !line[..at].ends_with(in_word) && !line[at + word.len()..].starts_with(in_word)
    };
    code.lines()
        .enumerate()
        .filter(|(_, line)| line.match_indices(word).any(|(at, _)| stands_alone(line, at)))
        .map(|(index, _)| index + 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_no_code() {
        let source =
            "let a = \"unsafe \\\" x\"; // unsafe\n/* unsafe */ let r = r#\"unsafe\"#; go();";
        let code = code_only(source);
        assert!(!code.contains("unsafe"), "{code}");
        assert!(code.contains("let a =") && code.contains("go();"));
        assert_eq!(code.lines().count(), 2);
    }

    #[test]
    fn a_quote_as_a_character_opens_no_string() {
        assert!(code_only("if c == '\"' { unsafe_word() }").contains("unsafe_word"));
        assert!(code_only("if c == '\\\"' { unsafe_word() }").contains("unsafe_word"));
    }

    #[test]
    fn a_word_inside_another_is_not_found() {
        assert_eq!(lines_with_word("unsafe_code\nan unsafe fn", "unsafe"), [2]);
    }

    #[test]
    fn unit_tests_are_cut_off() {
        assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {}\n"), "a\n");
        assert_eq!(without_tests("a\n"), "a\n");
    }
}
