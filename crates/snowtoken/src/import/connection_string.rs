//! The connection string of a driver: `keyword=value;keyword=value`, as CData's drivers take it and as
//! their settings file holds it.
//!
//! A value is quoted by `'` or `"`, and the same quote inside is doubled (ADO.NET, "Connection string
//! syntax"); ODBC puts values in braces, with `}` doubled. Unquoted values lose the blanks around
//! them. A value whose quote is never closed, or is followed by more, is not taken: half a secret is
//! none.

use zeroize::Zeroizing;

use super::found::{Found, plain_name};

/// Keywords of the drivers; a line with two of them is such a string.
const KEYWORDS: [&str; 14] = [
    "authscheme",
    "callbackurl",
    "initiateoauth",
    "instance",
    "oauthaccesstoken",
    "oauthclientid",
    "oauthclientsecret",
    "oauthexpiresin",
    "oauthgranttype",
    "oauthrefreshtoken",
    "oauthsettingslocation",
    "oauthtokentimestamp",
    "url",
    "user",
];

/// Whether the line is one, perhaps with the beginning of a JDBC URL.
pub(super) fn recognises(line: &str) -> bool {
    let keywords: Vec<String> =
        pairs(line).into_iter().map(|(keyword, _)| keyword_of(&keyword)).collect();
    let Some(first) = keywords.first() else { return false };
    // A label, or a variable with a secret in which anything may stand.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_');
    let begins = without_scheme(line).split('=').next().unwrap_or_default().chars().all(is_plain);
    let is_ours = |keyword: &String| KEYWORDS.contains(&keyword.as_str());
    let is_variable = !is_ours(first)
        && ["clientid", "secret", "token"].iter().any(|ending| first.ends_with(ending));
    begins && !is_variable && keywords.iter().filter(|keyword| is_ours(keyword)).count() >= 2
}

/// Takes every value.
pub(super) fn read(text: &str, found: &mut Found) {
    for (keyword, value) in pairs(text) {
        found.take(&keyword, &value);
    }
}

fn keyword_of(keyword: &str) -> String {
    let plain = plain_name(keyword);
    plain.strip_prefix("persist").map(str::to_owned).unwrap_or(plain)
}

/// `jdbc:servicenow:` is no part of the first keyword.
fn without_scheme(text: &str) -> &str {
    let text = text.trim_start();
    let is_jdbc = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("jdbc:"));
    let end = text.find('=').filter(|_| is_jdbc);
    end.and_then(|end| text[..end].rfind(':')).map_or(text, |colon| &text[colon + 1..])
}

/// Keywords and values, in their order.
fn pairs(text: &str) -> Vec<(String, Zeroizing<String>)> {
    let mut found = Vec::new();
    let mut rest = without_scheme(text);
    loop {
        rest = rest.trim_start_matches(|c: char| c == ';' || c.is_whitespace());
        let Some((keyword, after)) = keyword(rest) else { return found };
        let (value, after) = value(after.trim_start());
        if let Some(value) = value {
            found.push((keyword, value));
        }
        rest = after;
    }
}

/// Up to the first `=`; a doubled one belongs to the keyword.
fn keyword(text: &str) -> Option<(String, &str)> {
    let mut keyword = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('=')?;
        // A part without a value belongs to nobody.
        let before = before.rsplit(';').next().unwrap_or(before);
        keyword.push_str(before);
        match after.strip_prefix('=') {
            Some(more) => {
                keyword.push('=');
                rest = more;
            }
            None => return Some((keyword.trim().to_owned(), after)),
        }
    }
}

/// The value at the beginning, if it is whole, and what comes after it.
fn value(text: &str) -> (Option<Zeroizing<String>>, &str) {
    let quote = match text.chars().next() {
        Some('\'') => '\'',
        Some('"') => '"',
        Some('{') => '}',
        _ => {
            let (value, after) = text.split_once(';').unwrap_or((text, ""));
            return (Some(Zeroizing::new(value.trim_end().to_owned())), after);
        }
    };
    let Some(end) = closing(&text[1..], quote).map(|end| end + 1) else { return (None, "") };
    let mut plain = Zeroizing::new(String::with_capacity(end));
    let mut was_quote = false;
    for character in text[1..end].chars() {
        // The second of two.
        was_quote = character == quote && !was_quote;
        if !was_quote {
            plain.push(character);
        }
    }
    let (between, after) = text[end + 1..].split_once(';').unwrap_or((&text[end + 1..], ""));
    (between.trim().is_empty().then_some(plain), after)
}

/// Where the quote stands that closes the value: a doubled one does not.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(quote)?;
        if !text[at + 1..].starts_with(quote) {
            return Some(at);
        }
        from = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_pairs(text: &str) -> Vec<(String, String)> {
        pairs(text).into_iter().map(|(name, value)| (name, value.to_string())).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    /// The examples of the rules in "Connection Strings in ADO.NET".
    #[test]
    fn quotes_are_taken_off_and_doubled_ones_become_one() {
        for (text, value) in [
            ("k=\" whitespace \";", " whitespace "),
            ("k='special;character'", "special;character"),
            ("k='double\"quotation;mark';", "double\"quotation;mark"),
            ("k=\"single'quotation;mark\"", "single'quotation;mark"),
            ("k=\"double\"\"quotation\"", "double\"quotation"),
            ("k='single''quotation'", "single'quotation"),
            ("k = a b ;", "a b"),
            ("k=a'b\"c", "a'b\"c"),
            ("k=a=b==c", "a=b==c"),
            ("k={a;b}}c}", "a;b}c"),
            ("k=''", ""),
        ] {
            assert_eq!(read_pairs(text), [pair("k", value)], "{text}");
        }
        assert_eq!(read_pairs("a==b=c;d=e"), [pair("a=b", "c"), pair("d", "e")]);
        assert_eq!(read_pairs("lonely;d=e"), [pair("d", "e")]);
    }

    #[test]
    fn half_a_value_is_none() {
        for text in ["k='open", "k=\"open;x=y", "k='a'b;", "k={a"] {
            assert!(read_pairs(text).iter().all(|(name, _)| name != "k"), "{text}");
        }
        assert_eq!(read_pairs("k='a'b;d=e"), [pair("d", "e")]);
    }

    #[test]
    fn only_a_drivers_string_is_one() {
        for text in [
            "InitiateOAuth=GETANDREFRESH;OAuthClientId=a;OAuthClientSecret=b;",
            "jdbc:servicenow:OAuthClientId=a;Url=https://x.service-now.com/",
            "Oauth Client Id = a; Oauth Client Secret = b; Url = https://x",
            "_persist_oauthrefreshtoken=a;_persist_oauthaccesstoken=b;",
            "Driver={CData ODBC Driver for ServiceNow};AuthScheme=OAuth;User=u",
        ] {
            assert!(recognises(text), "{text}");
        }
        for text in [
            "",
            "URL=https://x",
            "CLIENT_SECRET=a;url=b;user=c",
            "Client Secret: InitiateOAuth=a;OAuthClientId=b",
            "export SERVICENOW_ACCESS_TOKEN='a;url=b;user=c'",
            "a=b;c=d",
        ] {
            assert!(!recognises(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_quoted_by_the_rules_is_read_again(
            values in proptest::collection::vec(r"[ -~äß]{0,20}", 1..6),
            quote in prop_oneof![Just('\''), Just('"')],
        ) {
            let written = values.iter().enumerate().map(|(number, value)| {
                let doubled = value.replace(quote, &format!("{quote}{quote}"));
                format!("k{number} = {quote}{doubled}{quote} ;")
            });
            let text: String = written.collect();
            let read: Vec<String> = read_pairs(&text).into_iter().map(|(_, value)| value).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn any_text_is_read_to_its_end(text in any::<String>()) {
            pairs(&text);
            recognises(&text);
        }
    }
}
