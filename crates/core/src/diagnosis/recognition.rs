//! Which diagnoses a text speaks of: whatever somebody has in front of them, from a code to a whole
//! page. Nothing of the text is kept, so that no secret in it can come back out.

mod source;

use self::source::Source;
use super::{CATALOGUE, Code};

/// More text than this, in bytes, is not looked at.
const LARGEST: usize = 256 * 1024;

/// So many diagnoses are offered.
const MOST: usize = 3;

/// A sign that stands in the text more often than this is not counted further.
const MOST_PLACES: usize = 8;

/// What a text is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognition {
    /// Best first, at most three, each once. Empty: nothing in the text is known.
    pub codes: Vec<Code>,
    /// How sure that is.
    pub certainty: Certainty,
    /// What was asked for when it happened, where the text tells.
    pub moment: Option<Moment>,
}

/// How sure a recognition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The text names the code.
    Named,
    /// The text has words that stand nowhere else.
    Recognised,
    /// It has words that other failures have as well.
    Guess,
}

/// What was asked for when it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A code was exchanged.
    Exchange,
    /// A token was refreshed.
    Refresh,
    /// A client asked for itself.
    ClientCredentials,
}

impl Certainty {
    /// One word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Recognised => "recognised",
            Self::Guess => "guess",
        }
    }
}

impl Moment {
    /// One word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Refresh => "refresh",
            Self::ClientCredentials => "client-credentials",
        }
    }

    fn of(text: &str) -> Option<Self> {
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["grant_type=refresh_token", "refresh the token", "refreshing", "refresh_token="]) {
            Some(Self::Refresh)
        } else if has(&["grant_type=client_credentials"]) {
            Some(Self::ClientCredentials)
        } else if has(&["grant_type=authorization_code", "exchange the code", "?code=", "&code="]) {
            Some(Self::Exchange)
        } else {
            None
        }
    }

    /// What ServiceNow's one answer means at this moment.
    fn refused(self) -> Code {
        match self {
            Self::Exchange => Code::CodeRefused,
            Self::Refresh => Code::TokenRefused,
            Self::ClientCredentials => Code::ClientCredentialsOff,
        }
    }
}

/// Finds what a text is about.
pub fn recognise(text: &str) -> Recognition {
    let text = head(text);
    let named = named(text);
    if !named.is_empty() {
        return Recognition { codes: named, certainty: Certainty::Named, moment: None };
    }
    if let Some(meant) = misspelt(text) {
        return Recognition { codes: vec![meant], certainty: Certainty::Guess, moment: None };
    }
    let source = Source::read(text);
    let moment = Moment::of(&source.text);
    let (strong, weak) = by_signs(&source.text);
    let (mut codes, mut certainty) = if strong.is_empty() {
        guess(&source, weak, moment)
    } else {
        // Beside a cause that is named, the one answer is only its effect.
        let effect = is_catch_all(&source.text).then_some(Code::CatchAll);
        (
            strong.into_iter().take(MOST - usize::from(effect.is_some())).chain(effect).collect(),
            Certainty::Recognised,
        )
    };
    if source.is_success {
        certainty = Certainty::Guess;
    }
    codes.truncate(MOST);
    Recognition { codes, certainty, moment }
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(LARGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().trim()
}

/// Codes that the text names: alone, in the last line of a failure of ours, or in our JSON.
fn named(text: &str) -> Vec<Code> {
    let word = text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
    if let Some(code) = Code::find(&word) {
        return vec![code];
    }
    let mut found = Vec::new();
    for start in ["code: ", "\"code\":\"", "\"code\": \"", "snowtoken explain ", "diagnoses/"] {
        for (at, _) in text.match_indices(start) {
            let rest = text.get(at + start.len()..).unwrap_or_default();
            let end = rest.find(|c: char| c != '-' && !c.is_ascii_lowercase());
            let code = rest.get(..end.unwrap_or(rest.len())).and_then(Code::find);
            if let Some(code) = code.filter(|code| !found.contains(code)) {
                found.push(code);
            }
            if found.len() == MOST {
                return found;
            }
        }
    }
    found
}

/// 401 `server_error` / `access_denied`, ServiceNow's answer to nearly everything.
fn is_catch_all(text: &str) -> bool {
    text.contains("server_error") && text.contains("access_denied")
}

/// One word that is a code but for two letters at most.
fn misspelt(text: &str) -> Option<Code> {
    let is_like_a_code = text.len() <= 40
        && text.contains('-')
        && text.bytes().all(|b| b == b'-' || b.is_ascii_lowercase());
    let distances = CATALOGUE.iter().filter(|_| is_like_a_code);
    let distances = distances.map(|(code, entry)| (distance(text, entry.code), *code));
    distances.filter(|(distance, _)| *distance <= 2).min_by_key(|(d, _)| *d).map(|(_, code)| code)
}

/// How many letters are to be changed, left out or put in.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.bytes().enumerate() {
        let mut corner = line;
        let mut left = line + 1;
        for (above, own) in row.iter_mut().skip(1).zip(other.bytes()) {
            let best = (corner + usize::from(own != letter)).min(left + 1).min(*above + 1);
            corner = std::mem::replace(above, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Where nothing is certain: what the weak signs say, and what kind of text it is.
fn guess(source: &Source, weak: Vec<Code>, moment: Option<Moment>) -> (Vec<Code>, Certainty) {
    let text = &source.text;
    if is_catch_all(text) {
        // The answer is recognised; what it hides is not.
        let mut codes = vec![Code::CatchAll];
        codes.extend(moment.map(Moment::refused));
        return (codes, Certainty::Recognised);
    }
    let mut codes = Vec::new();
    if source.is_sign_in {
        codes.push(Code::SignInInFront);
    } else if text.matches("oauth_auth.do").count() >= 3 && !text.contains("oauth_token.do") {
        codes.push(Code::BrowserLoop);
    }
    codes.extend(weak);
    if source.is_page {
        codes.push(Code::AnswerUnreadable);
    }
    let mut once = Vec::new();
    for code in codes {
        if !once.contains(&code) {
            once.push(code);
        }
    }
    (once, Certainty::Guess)
}

/// A sign that was found.
struct Found {
    code: Code,
    /// Where its longest part stands.
    from: usize,
    to: usize,
    /// How many letters agree.
    weight: usize,
    is_weak: bool,
}

/// The codes whose signs stand in the text, most telling first: the certain ones and the others.
fn by_signs(text: &str) -> (Vec<Code>, Vec<Code>) {
    let mut all: Vec<Found> = CATALOGUE
        .iter()
        .flat_map(|(code, entry)| entry.signs.iter().flat_map(|sign| look_for(*code, sign, text)))
        .collect();
    all.sort_by_key(|found| std::cmp::Reverse(found.weight));
    let (mut strong, mut weak) = (Vec::new(), Vec::new());
    for (index, found) in all.iter().enumerate() {
        // Part of a longer sign of something else: `invalid_client` in `invalid_client_id`.
        let is_part = all[..index].iter().any(|longer| {
            let covers = longer.from <= found.from && found.to <= longer.to;
            covers && longer.code != found.code && longer.weight > found.weight
        });
        if is_part || strong.contains(&found.code) {
            continue;
        }
        if !found.is_weak {
            strong.push(found.code);
        } else if !weak.contains(&found.code) {
            weak.push(found.code);
        }
    }
    (strong, weak)
}

fn look_for(code: Code, sign: &str, text: &str) -> Vec<Found> {
    let (is_weak, sign) = match sign.strip_prefix('~') {
        Some(sign) => (true, sign),
        None => (false, sign),
    };
    let mut parts: Vec<&str> = sign.split(" + ").collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let Some((longest, others)) = parts.split_first() else {
        return Vec::new();
    };
    if others.iter().any(|part| places(part, text).next().is_none()) {
        return Vec::new();
    }
    let weight = parts.iter().map(|part| part.len()).sum();
    places(longest, text)
        .take(MOST_PLACES)
        .map(|from| Found { code, from, to: from + longest.len(), weight, is_weak })
        .collect()
}

/// Where these words stand, as whole words.
fn places<'t>(words: &'t str, text: &'t str) -> impl Iterator<Item = usize> + 't {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let edge = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (opens, closes) = (edge(words.chars().next()), edge(words.chars().next_back()));
    text.match_indices(words).map(|(at, _)| at).filter(move |at| {
        let before = text.get(..*at).and_then(|t| t.chars().next_back());
        let after = text.get(at + words.len()..).and_then(|t| t.chars().next());
        !(opens && joins(before) || closes && joins(after))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sign_is_a_whole_word_and_part_of_no_longer_one() {
        let first = |text: &str| recognise(text).codes.first().copied();
        assert_eq!(first("Invalid client_id"), Some(Code::ClientUnknown));
        assert_eq!(first("error: invalid_client"), Some(Code::ClientRefused));
        assert_eq!(first("notinvalid_clients"), None);
        assert_eq!(first("KB07911401"), None);
        assert_eq!(first("see KB0791140."), Some(Code::RefreshTokenEnded));
    }

    #[test]
    fn a_code_with_a_slip_is_guessed() {
        for (text, code) in [
            ("toekn-refused", Some(Code::TokenRefused)),
            ("token-refuse", Some(Code::TokenRefused)),
            ("tken-refuse", Some(Code::TokenRefused)),
            ("broken-record", None),
            ("a-b", None),
        ] {
            let found = recognise(text);
            assert_eq!((found.codes.first().copied(), found.certainty), (code, Certainty::Guess));
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!((distance("", "abc"), distance("abc", "")), (3, 3));
    }

    #[test]
    fn what_is_not_certain_is_called_a_guess() {
        for (text, certainty) in [
            ("token-refused", Certainty::Named),
            (" `Token-Refused`.\n", Certainty::Named),
            ("https://example.org/docs/reference/diagnoses/token-refused.md", Certainty::Named),
            ("code: token-refused (`snowtoken explain token-refused`)", Certainty::Named),
            ("invalid_grant", Certainty::Recognised),
            ("there was a timeout", Certainty::Guess),
            ("<html><body>Hello</body></html>", Certainty::Guess),
            // The words are somebody's data here.
            (r#"{"result":[{"text":"what does invalid_grant mean"}]}"#, Certainty::Guess),
        ] {
            assert_eq!(recognise(text).certainty, certainty, "{text}");
        }
    }

    #[test]
    fn the_one_answer_is_read_by_its_moment() {
        let answer = r#"{"error_description":"access_denied","error":"server_error"}"#;
        for (before, codes) in [
            ("", vec![Code::CatchAll]),
            ("grant_type=refresh_token&x ", vec![Code::CatchAll, Code::TokenRefused]),
            ("grant_type=authorization_code&x ", vec![Code::CatchAll, Code::CodeRefused]),
        ] {
            assert_eq!(recognise(&format!("{before}{answer}")).codes, codes);
        }
        // What the system log says goes before what the wire says.
        let both = format!("{answer}\nException on token flow - invalid_scope: The provided …");
        assert_eq!(recognise(&both).codes[0], Code::ScopeRefused);
    }

    #[test]
    fn every_sign_finds_its_own_entry() {
        for (code, entry) in CATALOGUE {
            for sign in entry.signs {
                let plain = sign.trim_start_matches('~').replace(" + ", " ");
                let found = recognise(&plain).codes;
                assert!(found.contains(code), "{plain}: {found:?} without {code}");
            }
        }
    }

    #[test]
    fn a_huge_text_is_read_up_to_a_limit() {
        let late = format!("{}\ninvalid_grant", "x".repeat(LARGEST));
        assert_eq!(recognise(&late).codes, []);
        let many = "invalid_grant certificate timeout {".repeat(40_000);
        assert_eq!(recognise(&many).codes[0], Code::TokenRefused);
        assert!(recognise(&"{".repeat(LARGEST)).codes.is_empty());
        assert!(recognise(&"[".repeat(LARGEST)).codes.is_empty());
    }

    proptest! {
        /// Whatever it is, an answer comes, and it is short.
        #[test]
        fn any_text_is_answered(text in "\\PC{0,400}", bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for text in [text.as_str(), &String::from_utf8_lossy(&bytes)] {
                let found = recognise(text);
                prop_assert!(found.codes.len() <= MOST);
                for (index, code) in found.codes.iter().enumerate() {
                    prop_assert!(!found.codes[..index].contains(code));
                }
            }
        }

        /// Pieces of real texts in any order and company.
        #[test]
        fn pieces_of_real_texts_are_answered(picks in proptest::collection::vec((0usize..CATALOGUE.len(), "[{}<>\"':=&%\\\\\n ]{0,6}"), 0..12)) {
            let mut text = String::new();
            for (index, glue) in picks {
                text.push_str(CATALOGUE[index].1.signs.first().copied().unwrap_or("title"));
                text.push_str(&glue);
            }
            prop_assert!(recognise(&text).codes.len() <= MOST);
        }
    }
}
