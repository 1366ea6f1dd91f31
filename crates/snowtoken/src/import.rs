//! What people already have: the text file of a vendor's script, a `.env`, JSON. Text in, values
//! out; whether they work is for the instance to say.

use serde_json::Value;
use snowtoken_core::secret::Secret;

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
pub fn read(text: &str) -> Found {
    let mut found = Found::default();
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
    let line = line.trim();
    if line.starts_with('#') || line.starts_with("//") {
        return;
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    // Whichever comes first: a URL holds a colon, a label may hold none.
    let Some(at) = line.find(['=', ':']) else {
        return;
    };
    found.take(&line[..at], &unquoted(line[at + 1..].trim()));
}

/// Takes one layer of quotes off, with the escapes that belong to double quotes.
fn unquoted(text: &str) -> String {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = inner('\'') {
        return inner.replace("'\\''", "'");
    }
    let Some(inner) = inner('"') else {
        return text.trim_end_matches([',', ';']).to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

impl Found {
    fn take(&mut self, name: &str, value: &str) {
        let value = value.trim_matches(['\r', '\n']);
        if value.is_empty() || value.starts_with('[') || value == "…" {
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
        let text =
            |slot: &mut Option<String>| *slot = slot.take().or_else(|| Some(value.to_owned()));
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
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
