//! RFC 6749 §4.1.2 as it reaches us: a URL that a browser opened or a person pasted.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::secret::Secret;

/// The longest paste that is looked at, in bytes.
pub const PASTE_LIMIT: usize = 64 * 1024;

/// RFC 6749 §3.1.2: an absolute URI without fragment; compared character by character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    url: Url,
}

/// The text cannot be a redirect URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// It is no absolute URL.
    #[error("a redirect URI is an absolute URL")]
    NotAbsolute,
    /// http to something that is not this machine.
    #[error("a redirect URI is https, or http on a loopback address (127.0.0.1, [::1], localhost)")]
    NotSecure,
    /// It carries a fragment (RFC 6749 §3.1.2), user information, or white space.
    #[error("a redirect URI has no fragment, no user name and no blanks")]
    Superfluous,
}

impl RedirectUri {
    /// Checks the text, and keeps it exactly as it is.
    ///
    /// # Errors
    /// See [`RedirectUriError`].
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        let text = text.trim();
        let url = Url::parse(text).map_err(|_| RedirectUriError::NotAbsolute)?;
        if url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
            || text.bytes().any(|b| b <= b' ' || b == b'\\' || b >= 0x7f)
        {
            return Err(RedirectUriError::Superfluous);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(RedirectUriError::NotSecure),
            _ => return Err(RedirectUriError::NotAbsolute),
        }
        Ok(Self { text: text.to_owned(), url })
    }

    /// The URI, character by character.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URI, parsed.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// RFC 8252 §7.3: http on a loopback address, where we can listen ourselves.
    pub fn is_loopback(&self) -> bool {
        self.url.scheme() == "http" && is_loopback(&self.url)
    }

    /// Whether a URL without its query is this URI: as it was written, or as a browser shows it.
    fn is_at(&self, place: &str) -> bool {
        let bare = |text: &str| text.split('?').next().unwrap_or_default().to_owned();
        place == bare(&self.text) || place == bare(self.url.as_str())
    }
}

/// Whether the URL's host is this machine, by address or as `localhost`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => Ipv4Addr::is_loopback(&address),
        Some(Host::Ipv6(address)) => Ipv6Addr::is_loopback(&address),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Why a text is no redirect of this request. Nothing of the text is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// Nothing but blanks.
    #[error("nothing was pasted")]
    Empty,
    /// More than [`PASTE_LIMIT`].
    #[error("more than 64 KiB were pasted")]
    TooLong,
    /// Neither a URL nor a query.
    #[error("what was pasted is neither a redirected URL nor its query")]
    Unreadable,
    /// A code without a name: nobody can tell whose it is.
    #[error("a code alone was pasted, without its `state`")]
    BareCode,
    /// RFC 6749 §3.1: parameters must not be repeated.
    #[error("the parameter `{0}` occurs more than once in the redirected URL")]
    Repeated(&'static str),
    /// RFC 8252 §8.10: another scheme, host, port, path, user name or fragment.
    #[error("the redirected URL does not begin with the redirect URI {expected}")]
    Elsewhere {
        /// Where it should have led.
        expected: String,
    },
}

/// The parameters that are read; all others are ignored, whatever is in them.
const KNOWN: [&str; 6] = ["code", "state", "error", "error_description", "error_uri", "iss"];

/// The parameters of a redirect that mean something to us; unknown ones are ignored
/// (RFC 6749 §4.1.2). Nothing has been checked against a request yet.
#[derive(Debug, Default)]
pub(super) struct Redirect {
    pub(super) code: Option<Secret>,
    pub(super) state: Option<Secret>,
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
}

impl Redirect {
    /// Reads what a person pasted.
    pub(super) fn from_paste(pasted: &str, expected: &RedirectUri) -> Result<Self, RedirectError> {
        let text = tidy(pasted)?;
        let Some((place, query)) = text.expose().split_once('?') else {
            let error = Self::without_question_mark(text.expose(), expected);
            return match error {
                Err(RedirectError::BareCode) if is_sentence(pasted) => {
                    Err(RedirectError::Unreadable)
                }
                other => other,
            };
        };
        if !place.is_empty() && !is_place(place, expected) {
            return Err(elsewhere(expected));
        }
        Self::from_query(query)
    }

    fn without_question_mark(text: &str, expected: &RedirectUri) -> Result<Self, RedirectError> {
        if text.contains("://") && !text.contains('=') {
            // A URL without a query: the address was copied before it was complete, or elsewhere.
            return Err(if is_place(text, expected) {
                RedirectError::Unreadable
            } else {
                elsewhere(expected)
            });
        }
        if text.contains("://") {
            return Err(elsewhere(expected));
        }
        if text.contains('=') {
            return Self::from_query(text);
        }
        Err(if looks_like_code(text) { RedirectError::BareCode } else { RedirectError::Unreadable })
    }

    /// Reads a query (RFC 6749 appendix B), without a leading `?`.
    pub(super) fn from_query(query: &str) -> Result<Self, RedirectError> {
        if query.len() > PASTE_LIMIT {
            return Err(RedirectError::TooLong);
        }
        // RFC 6749 §3.1.2: no fragment in the redirect URI, so none in an answer.
        if query.contains('#') {
            return Err(RedirectError::Unreadable);
        }
        let mut redirect = Self::default();
        let (mut issuers, mut uris) = (None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if !KNOWN.contains(&&*name) {
                continue;
            }
            // The decoder replaces what is no UTF-8; a changed code is worse than none.
            if value.contains('\u{fffd}') {
                return Err(RedirectError::Unreadable);
            }
            let value = value.into_owned();
            match &*name {
                "code" => once("code", &mut redirect.code, Secret::new(value))?,
                "state" => once("state", &mut redirect.state, Secret::new(value))?,
                "error" => once("error", &mut redirect.error, value)?,
                "error_description" => {
                    once("error_description", &mut redirect.error_description, value)?;
                }
                "error_uri" => once("error_uri", &mut uris, value)?,
                "iss" => once("iss", &mut issuers, value)?,
                _ => {}
            }
        }
        redirect.code = redirect.code.filter(|code| !code.is_empty());
        redirect.state = redirect.state.filter(|state| !state.is_empty());
        if redirect.code.is_none() && redirect.error.is_none() && redirect.state.is_none() {
            return Err(RedirectError::Unreadable);
        }
        Ok(redirect)
    }

    /// A code without anything around it.
    pub(super) fn bare_code(pasted: &str) -> Result<Secret, RedirectError> {
        let text = tidy(pasted)?;
        if looks_like_code(text.expose()) && !is_sentence(pasted) {
            Ok(text)
        } else {
            Err(RedirectError::Unreadable)
        }
    }
}

fn once<T>(name: &'static str, slot: &mut Option<T>, value: T) -> Result<(), RedirectError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(RedirectError::Repeated(name)),
    }
}

fn elsewhere(expected: &RedirectUri) -> RedirectError {
    RedirectError::Elsewhere { expected: expected.as_str().to_owned() }
}

/// Some address bars hide the scheme when one copies from them: then the rest decides.
fn is_place(place: &str, expected: &RedirectUri) -> bool {
    expected.is_at(place)
        || !place.contains("://") && expected.is_at(&format!("{}://{place}", expected.url.scheme()))
}

/// RFC 6749 appendix A.11 minus what a sentence would hold.
fn looks_like_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/%".contains(&b))
}

/// Whether words were pasted: a code may be broken into lines, but holds no blanks.
fn is_sentence(pasted: &str) -> bool {
    pasted.lines().any(|line| line.trim().contains(char::is_whitespace))
}

/// Takes away what terminals, mail programs and word processors add: line breaks, blanks,
/// bracketed-paste marks, quotes, HTML escapes.
fn tidy(pasted: &str) -> Result<Secret, RedirectError> {
    if pasted.len() > PASTE_LIMIT {
        return Err(RedirectError::TooLong);
    }
    let pasted = pasted.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "");
    let mut text: String = pasted
        .chars()
        .filter(|c| {
            !c.is_whitespace() && !matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{ad}')
        })
        .collect();
    // What passed through several mail programs was escaped several times, but not without end.
    for _ in 0..4 {
        for escaped in ["&amp;", "&#38;", "&#x26;", "&AMP;"] {
            text = text.replace(escaped, "&");
        }
    }
    let quotes: &[char] = &['"', '\'', '`', '<', '>', '“', '”', '‘', '’', '«', '»', '„'];
    let bare = text.trim_matches(quotes);
    if bare.is_empty() {
        return Err(RedirectError::Empty);
    }
    if bare.chars().any(char::is_control) {
        return Err(RedirectError::Unreadable);
    }
    Ok(Secret::new(bare))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AWS: &str = "https://us-west-2.console.aws.amazon.com/appflow/oauth";

    fn read(pasted: &str) -> Result<(String, String), RedirectError> {
        let redirect = Redirect::from_paste(pasted, &RedirectUri::parse(AWS).unwrap())?;
        Ok((
            redirect.code.map_or_else(String::new, |c| c.expose().to_owned()),
            redirect.state.map_or_else(String::new, |s| s.expose().to_owned()),
        ))
    }

    #[test]
    fn every_shape_a_person_pastes_is_read() {
        let pastes = [
            format!("{AWS}?code=a%2Bb&state=s"),
            format!("  \"{AWS}?code=a%2Bb&state=s\"\r\n"),
            format!("<{AWS}?code=a%2Bb&amp;state=s>"),
            format!("{AWS}?code=a%2Bb&amp;amp;state=s"),
            format!("{AWS}\n  ?code=a%2\r\nBb&st ate=s"),
            format!("\u{1b}[200~{AWS}?code=a%2Bb&state=s\u{1b}[201~"),
            format!("“{AWS}?iss=x&code=a%2Bb&state=s&foo=1&foo=2”"),
            "us-west-2.console.aws.amazon.com/appflow/oauth?code=a%2Bb&state=s".to_owned(),
            "?code=a%2Bb&state=s".to_owned(),
            "state=s&code=a%2Bb".to_owned(),
        ];
        for pasted in pastes {
            assert_eq!(read(&pasted), Ok(("a+b".into(), "s".into())), "{pasted}");
        }
    }

    /// R17: exactly the redirect URI of this request.
    #[test]
    fn another_place_is_refused() {
        for place in [
            "http://us-west-2.console.aws.amazon.com/appflow/oauth",
            "https://us-east-1.console.aws.amazon.com/appflow/oauth",
            "https://us-west-2.console.aws.amazon.com.evil.example/appflow/oauth",
            "https://us-west-2.console.aws.amazon.com/appflow/oauth/",
            "https://us-west-2.console.aws.amazon.com/appflow/../appflow/oauth",
            "https://us-west-2.console.aws.amazon.com:444/appflow/oauth",
            "https://us-west-2.console.aws.amazon.com/appflow/OAuth",
            "https://a@us-west-2.console.aws.amazon.com/appflow/oauth",
            "https:\\\\us-west-2.console.aws.amazon.com\\appflow\\oauth",
            "https://us-west-2.console.aws.amazon.com/appflow/oauth#",
            "evil.example/appflow/oauth",
            "javascript:alert(1)//",
        ] {
            let error = read(&format!("{place}?code=c&state=s")).unwrap_err();
            assert_eq!(error, RedirectError::Elsewhere { expected: AWS.into() }, "{place}");
        }
    }

    /// R14: each parameter once.
    #[test]
    fn repeated_parameters_are_refused() {
        for name in ["code", "state", "error", "error_description", "error_uri", "iss"] {
            assert_eq!(
                read(&format!("{name}=1&code=c&state=s&{name}=2")),
                Err(RedirectError::Repeated(name)),
                "{name}"
            );
        }
    }

    #[test]
    fn garbage_is_named_for_what_it_is() {
        for (pasted, error) in [
            ("", RedirectError::Empty),
            (" \r\n\t\"\" ", RedirectError::Empty),
            ("hello, world!", RedirectError::Unreadable),
            ("You can close this page", RedirectError::Unreadable),
            (" abc\r\n  DEF \n", RedirectError::BareCode),
            ("?", RedirectError::Unreadable),
            ("foo=bar", RedirectError::Unreadable),
            ("code=%ff&state=s", RedirectError::Unreadable),
            ("code=c&state=s#fragment", RedirectError::Unreadable),
            ("code=c\u{1b}[31m&state=s", RedirectError::Unreadable),
            (AWS, RedirectError::Unreadable),
            ("https://evil.example/", RedirectError::Elsewhere { expected: AWS.into() }),
            ("abcDEF123_-abcDEF123", RedirectError::BareCode),
            (&"x".repeat(PASTE_LIMIT + 1), RedirectError::TooLong),
        ] {
            assert_eq!(read(pasted), Err(error), "{:?}", pasted.get(..40).unwrap_or(pasted));
        }
    }

    #[test]
    fn a_sentence_is_no_code() {
        for words in ["you may close this page now", "abc\tdef", "  abc def  "] {
            assert_eq!(Redirect::bare_code(words), Err(RedirectError::Unreadable), "{words}");
        }
        let code = Redirect::bare_code("  \"abc\r\n  DEF\"\n").unwrap();
        assert_eq!(code.expose(), "abcDEF");
    }

    /// R37, V11: no assumption about the size of a code.
    #[test]
    fn a_code_of_sixteen_kibibytes_is_whole() {
        let code = "abcdefghijklmnop".repeat(1024);
        let wrapped: Vec<String> = format!("{AWS}?code={code}&state=s")
            .as_bytes()
            .chunks(80)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        assert_eq!(read(&wrapped.join("\r\n")), Ok((code, "s".into())));
    }

    #[test]
    fn a_browser_s_spelling_of_the_redirect_uri_is_the_same_place() {
        let uri = RedirectUri::parse("http://LOCALHOST:8080").unwrap();
        assert!(Redirect::from_paste("http://localhost:8080/?code=c&state=s", &uri).is_ok());
        assert!(Redirect::from_paste("http://LOCALHOST:8080?code=c&state=s", &uri).is_ok());
        assert!(Redirect::from_paste("http://127.0.0.1:8080/?code=c&state=s", &uri).is_err());
    }

    #[test]
    fn redirect_uris_are_secure_and_bare() {
        for (text, error) in [
            ("callback", RedirectUriError::NotAbsolute),
            ("urn:ietf:wg:oauth:2.0:oob", RedirectUriError::NotAbsolute),
            ("http://8.8.8.8/cb", RedirectUriError::NotSecure),
            ("http://localhost.evil.example/cb", RedirectUriError::NotSecure),
            ("https://a@b/cb", RedirectUriError::Superfluous),
            ("https://b/cb#x", RedirectUriError::Superfluous),
            ("https://b/c b", RedirectUriError::Superfluous),
        ] {
            assert_eq!(RedirectUri::parse(text), Err(error), "{text}");
        }
        assert!(RedirectUri::parse("http://[::1]:1/").unwrap().is_loopback());
        assert!(!RedirectUri::parse(AWS).unwrap().is_loopback());
    }

    proptest! {
        /// R23: the parser is total.
        #[test]
        fn whatever_is_pasted_is_answered(text in "\\PC*|[?&=%a-z#:/+ \"'<>]{0,80}") {
            let _ = read(&text);
        }

        /// R15: unknown parameters change nothing.
        #[test]
        fn extra_parameters_are_ignored(extra in proptest::collection::vec("[b-d][a-z]{5,9}=[a-z0-9%]{0,3}", 0..40)) {
            let extra: Vec<_> = extra.into_iter().filter(|e| !e.contains('%')).collect();
            let pasted = format!("?{}&code=c&state=s", extra.join("&"));
            prop_assert_eq!(read(&pasted), Ok(("c".into(), "s".into())));
        }
    }
}
