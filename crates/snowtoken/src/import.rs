//! What people already have: the text file of a vendor's script, a `.env`, JSON. Text in, values
//! out; whether they work is for the instance to say.

use serde_json::Value;
use snowtoken_core::secret::Secret;
use zeroize::Zeroizing;

/// What was found. Nothing is checked yet.
#[derive(Debug, Default)]
pub struct Found {
    /// Name, host or URL.
    pub instance: Option<String>,
    /// `client_id`.
    pub client_id: Option<String>,
    /// `client_secret`.
    pub client_secret: Option<Secret>,
    /// An access token.
    pub access_token: Option<Secret>,
    /// A refresh token.
    pub refresh_token: Option<Secret>,
    /// The redirect URI it was got with.
    pub redirect_uri: Option<String>,
}

/// Reads JSON (any nesting up to four levels), or lines of `label: value`, `NAME=value`,
/// `name = 'value'`, with or without `export`. The first value of each kind counts.
///
/// What follows `label: ` is a value as it stands, with its quotes and blanks: a form quotes
/// nothing, so every character may belong to the secret.
pub fn read(text: &str) -> Found {
    let mut found = Found::default();
    // Some editors begin a file with this mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match serde_json::from_str::<Value>(text) {
        Ok(value) => walk(&value, "", 0, &mut found),
        Err(_) => text.lines().for_each(|line| read_line(line, &mut found)),
    }
    found
}

fn walk(value: &Value, name: &str, depth: u8, found: &mut Found) {
    match value {
        Value::Object(members) if depth < 4 => {
            for (name, value) in members {
                walk(value, name, depth + 1, found);
            }
        }
        Value::String(text) => found.take(name, text),
        _ => {}
    }
}

fn read_line(line: &str, found: &mut Found) {
    let line = line.trim_start();
    if line.starts_with('#') || line.starts_with("//") {
        return;
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    // Whichever comes first: a URL holds a colon, a label may hold none.
    let Some((name, value)) = line.split_once(['=', ':']) else {
        return;
    };
    let is_label = line.as_bytes()[name.len()] == b':' && !name.starts_with(['"', '\'']);
    if is_label {
        found.take(name, value.strip_prefix(' ').unwrap_or(value));
    } else {
        found.take(name, &unquoted(value.trim()));
    }
}

/// The value of a line of code: without one layer of quotes, with the escapes that belong to double
/// quotes undone, and without what separates it from the next line.
fn unquoted(text: &str) -> Zeroizing<String> {
    let ended = text.trim_end_matches([',', ';']).trim_end();
    for text in [text, ended] {
        let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
        if let Some(inner) = inner('\'') {
            return Zeroizing::new(inner.replace("'\\''", "'"));
        }
        if let Some(inner) = inner('"') {
            return unescaped(inner);
        }
    }
    Zeroizing::new(ended.to_owned())
}

fn unescaped(inner: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(inner.len()));
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// What the vendor's script holds before somebody fills it in.
fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    value == "…" || value.starts_with("[Enter ") && value.ends_with(']')
}

impl Found {
    fn take(&mut self, name: &str, value: &str) {
        if value.trim().is_empty() || is_placeholder(value) {
            return;
        }
        let name: String =
            name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let name = ["snowtoken", "servicenow", "snow", "sn", "oauth2", "oauth"].iter().fold(
            name.as_str(),
            |name, prefix| {
                name.strip_prefix(prefix).filter(|rest| !rest.is_empty()).unwrap_or(name)
            },
        );
        let text = |slot: &mut Option<String>| {
            *slot = slot.take().or_else(|| Some(value.trim().to_owned()));
        };
        let secret =
            |slot: &mut Option<Secret>| *slot = slot.take().or_else(|| Some(Secret::new(value)));
        match name {
            "instance" | "instanceurl" | "instancename" | "host" | "url" | "baseurl" => {
                text(&mut self.instance);
            }
            "clientid" => text(&mut self.client_id),
            "redirecturi" | "redirecturl" => text(&mut self.redirect_uri),
            "clientsecret" => secret(&mut self.client_secret),
            "accesstoken" | "token" => secret(&mut self.access_token),
            "refreshtoken" => secret(&mut self.refresh_token),
            "authorization" => {
                if let Some(token) = value.strip_prefix("Bearer ") {
                    let slot = &mut self.access_token;
                    *slot = slot.take().or_else(|| Some(Secret::new(token)));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};

    use super::*;
    use crate::config::Config;
    use crate::delivery::{Credentials, Format};

    fn values(text: &str) -> [Option<String>; 5] {
        let found = read(text);
        let exposed = |secret: Option<Secret>| secret.map(|s| s.expose().to_owned());
        [
            found.instance,
            found.client_id,
            exposed(found.client_secret),
            exposed(found.access_token),
            exposed(found.refresh_token),
        ]
    }

    fn expected(secret: &str) -> [Option<String>; 5] {
        ["https://a.service-now.com", "id", secret, "AT", "RT"].map(|text| Some(text.to_owned()))
    }

    #[test]
    fn each_known_shape_is_read() {
        for text in [
            "# x\nInstance URL: https://a.service-now.com\nClient ID: id\nClient Secret: s:=c'\nAccess Token: AT\nRefresh Token: RT\nAuth Code: C\n",
            "export SERVICENOW_INSTANCE_URL='https://a.service-now.com'\nSERVICENOW_CLIENT_ID=id\nSERVICENOW_CLIENT_SECRET=\"s:=c'\"\nACCESS_TOKEN=AT\r\nREFRESH_TOKEN='RT'",
            "instance = 'https://a.service-now.com'\nclient_id = 'id'\nclient_secret = \"s:=c'\"\naccess_token='AT'\nrefresh_token='RT'",
            r#"{"instance_url":"https://a.service-now.com","client":{"client_id":"id","clientSecret":"s:=c'"},"tokens":{"access_token":"AT","refreshToken":"RT"},"expires_in":1}"#,
        ] {
            assert_eq!(values(text), expected("s:=c'"), "{text}");
        }
    }

    #[test]
    fn templates_that_were_never_filled_in_hold_nothing() {
        assert_eq!(
            values("client_id = '[Enter Client ID]'\nClient Secret:\nfoo"),
            [const { None }; 5]
        );
    }

    /// What was delivered, read again: instance, client ID and the three secrets.
    fn again(format: Format, secret: &str) -> [Option<String>; 5] {
        let text = "[profile.a]\ninstance=\"https://a.service-now.com\"\nclient_id=\"id\"";
        let config = Config::parse(text).unwrap();
        let end = Deadline { at: Timestamp::UNIX_EPOCH, known_by: KnownBy::Derived };
        let secret = Secret::new(secret);
        let tokens = TokenSet {
            access_token: secret.clone(),
            refresh_token: Some(secret.clone()),
            authorization_code: None,
            scope: None,
            issued_at: end.at,
            granted_at: end.at,
            access_expires_at: end,
            refresh_expires_at: Some(end),
        };
        let credentials = Credentials {
            profile: &config.profiles()[0],
            client_secret: Some(&secret),
            tokens: &tokens,
            created: end.at,
        };
        values(&credentials.render(format).unwrap())
    }

    fn survives(format: Format, secret: &str) -> Result<(), TestCaseError> {
        let whole = ["https://a.service-now.com", "id", secret, secret, secret];
        let mut expected = whole.map(|text| Some(text.to_owned()));
        if format == Format::Header {
            // A header is all there is.
            expected = [None, None, None, Some(secret.to_owned()), None];
        }
        prop_assert_eq!(again(format, secret), expected, "{:?}", format);
        Ok(())
    }

    #[test]
    fn hostile_secrets_come_back_as_they_were_delivered() {
        for format in Format::ALL {
            for secret in [
                "[abc", "[abc]", "\"abc\"", "'abc'", "abc;", "abc,", " abc ", "a: b=c", "\\",
                "\\'", "'\\''", "#a", "\"", "'", "a\\\"b", "$x`y`", "export a", "{}", "…a",
            ] {
                survives(format, secret).unwrap();
            }
        }
    }

    proptest! {
        #[test]
        fn every_secret_comes_back_as_it_was_delivered(secret in "[ -~äß€]{0,12}[!-~][ -~]{0,12}") {
            prop_assume!(!is_placeholder(&secret));
            for format in Format::ALL {
                survives(format, &secret)?;
            }
        }
    }

    #[test]
    fn lines_of_code_lose_quotes_and_separators() {
        for (line, value) in [
            ("client_secret = 'abc';", "abc"),
            ("  \"client_secret\": \"abc;\",", "abc;"),
            ("export CLIENT_SECRET=abc;", "abc"),
            ("CLIENT_SECRET='a,'", "a,"),
        ] {
            let found = read(line).client_secret.unwrap();
            assert_eq!(found.expose(), value, "{line}");
        }
    }
}
