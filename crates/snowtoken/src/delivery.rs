//! Credentials in a consumer's shape, as text. Writing it somewhere is the caller's business.

use std::fmt::Write as _;

use jiff::fmt::temporal::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::target::{Limits, Target};
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};
use zeroize::Zeroizing;

/// The shapes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `Label: value` lines for a person who fills in a form.
    CredentialsFile,
    /// One object.
    Json,
    /// `NAME='value'` lines.
    Dotenv,
    /// `export NAME='value'` lines for `eval` in a POSIX shell.
    Shell,
    /// The `Authorization` header of RFC 6750.
    Header,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::CredentialsFile, Self::Json, Self::Dotenv, Self::Shell, Self::Header];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CredentialsFile => "credentials-file",
            Self::Json => "json",
            Self::Dotenv => "dotenv",
            Self::Shell => "shell",
            Self::Header => "header",
        }
    }

    /// The format of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// What is delivered.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// Instance, client, target.
    pub profile: &'a Profile,
    /// Absent for public clients.
    pub client_secret: Option<&'a Secret>,
    /// The tokens.
    pub tokens: &'a TokenSet,
    /// What the text says about its own age; seconds count.
    pub created: Timestamp,
}

/// Why a value cannot be delivered in this shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A form has one line for each value.
    #[error("the {0} holds a line break, which no form can take")]
    LineBreak(&'static str),
    /// Only a refresh token was taken over, and it has not been used yet.
    #[error("there is no access token yet")]
    NoAccessToken,
}

impl Diagnose for Unfit {
    fn code(&self) -> Code {
        Code::DeliveryUnfit
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::LineBreak(_) => self.code().entry().hints(),
            Self::NoAccessToken => vec![Hint::run("snowtoken refresh", "gets one")],
        }
    }
}

/// A moment as it is printed everywhere: UTC, RFC 3339, whole seconds.
pub fn moment(at: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
    PRINTER.timestamp_to_string(&at)
}

impl<'a> Credentials<'a> {
    /// The text.
    ///
    /// # Errors
    /// If a value holds a line break, or there is no access token yet.
    pub fn render(&self, format: Format) -> Result<Zeroizing<String>, Unfit> {
        if self.tokens.access_token.is_empty() {
            return Err(Unfit::NoAccessToken);
        }
        for (_, field, value) in self.values() {
            if value.contains(['\n', '\r']) {
                return Err(Unfit::LineBreak(field));
            }
        }
        Ok(match format {
            Format::CredentialsFile => self.credentials_file(),
            Format::Json => self.json(),
            Format::Dotenv => self.lines("", dotenv_quoted),
            Format::Shell => self.lines("export ", shell_quoted),
            Format::Header => Zeroizing::new(format!(
                "Authorization: Bearer {}\n",
                self.tokens.access_token.expose()
            )),
        })
    }

    /// What the consumer may refuse: values that are longer than its limits or hold blanks. Nothing
    /// of the values is in it.
    pub fn concerns(&self, target: &Target) -> Vec<String> {
        let Limits { client_id, client_secret, access_token, refresh_token, auth_code, .. } =
            target.limits;
        let mut concerns = Vec::new();
        for (name, field, value) in self.values() {
            let limit = match name {
                "INSTANCE_URL" => target.limits.instance,
                "CLIENT_ID" => client_id,
                "CLIENT_SECRET" => client_secret,
                "ACCESS_TOKEN" => access_token,
                "REFRESH_TOKEN" => refresh_token,
                _ => auth_code,
            };
            if let Some(limit) = limit.filter(|limit| value.len() > *limit) {
                concerns.push(format!(
                    "the {field} has {} characters; {} takes {limit}",
                    value.len(),
                    target.title
                ));
            }
            if target.limits.no_white_space && value.contains(char::is_whitespace) {
                concerns
                    .push(format!("the {field} holds blanks, which {} may refuse", target.title));
            }
        }
        concerns
    }

    /// Name for variables, name for people, value; in the order of the form.
    fn values(&self) -> Vec<(&'static str, &'static str, &'a str)> {
        let exposed = |secret: Option<&'a Secret>| secret.map(Secret::expose);
        [
            ("INSTANCE_URL", "instance URL", Some(self.profile.instance.url())),
            ("CLIENT_ID", "client ID", Some(self.profile.client_id.as_str())),
            ("CLIENT_SECRET", "client secret", exposed(self.client_secret)),
            ("ACCESS_TOKEN", "access token", exposed(Some(&self.tokens.access_token))),
            ("REFRESH_TOKEN", "refresh token", exposed(self.tokens.refresh_token.as_ref())),
            ("AUTH_CODE", "auth code", exposed(self.tokens.authorization_code.as_ref())),
        ]
        .into_iter()
        .filter_map(|(name, field, value)| Some((name, field, value?)))
        .collect()
    }

    fn credentials_file(&self) -> Zeroizing<String> {
        let mut text = self.buffer();
        let instance = self.profile.instance.url();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# ServiceNow OAuth credentials, {instance}");
        let _ = writeln!(
            text,
            "# Created {}. Treat these values like passwords; delete this file once they are handed over.",
            moment(self.created)
        );
        for (name, _, value) in self.values() {
            let _ = writeln!(text, "{}: {value}", label(name));
        }
        let _ =
            writeln!(text, "# The access token ends {}.", moment(self.tokens.access_expires_at.at));
        if let Some(deadline) = self.tokens.refresh_expires_at {
            let _ = writeln!(
                text,
                "# The refresh token ends {} ({}).",
                moment(deadline.at),
                self.origin(deadline)
            );
        }
        if self.tokens.authorization_code.is_some() {
            text.push_str(
                "# The auth code has been used; it is listed because the form asks for it.\n",
            );
        }
        text
    }

    fn origin(&self, deadline: Deadline) -> String {
        match deadline.known_by {
            // A refresh token that came with a refresh has a beginning of its own.
            KnownBy::Derived if self.counts_from_grant(deadline) => {
                let granted = self.tokens.granted_at;
                let when = if moment(granted) == moment(self.created) {
                    "now".to_owned()
                } else {
                    moment(granted)
                };
                let lifespan = self.profile.lifespans.refresh_or_default();
                format!("derived: granted {when}, lifespan {lifespan} s")
            }
            other => other.to_string(),
        }
    }

    /// Whether the grant and the profile's lifespan add up to the date that is shown.
    fn counts_from_grant(&self, deadline: Deadline) -> bool {
        let life = SignedDuration::from_secs(self.profile.lifespans.refresh_or_default());
        let end = self.tokens.granted_at.checked_add(life);
        end.is_ok_and(|end| moment(end) == moment(deadline.at))
    }

    fn lines(&self, prefix: &str, quoted: fn(&mut String, &str)) -> Zeroizing<String> {
        let mut text = self.buffer();
        for (name, _, value) in self.values().into_iter().filter(|(name, ..)| *name != "AUTH_CODE")
        {
            let _ = write!(text, "{prefix}SERVICENOW_{name}=");
            quoted(&mut text, value);
            text.push('\n');
        }
        let end = moment(self.tokens.access_expires_at.at);
        let _ = writeln!(text, "{prefix}SERVICENOW_ACCESS_TOKEN_EXPIRES_AT={end}");
        text
    }

    fn json(&self) -> Zeroizing<String> {
        let mut text = self.buffer();
        text.push_str("{\n  \"version\": 1");
        for (name, _, value) in self.values() {
            let _ = write!(text, ",\n  \"{}\": ", name.to_ascii_lowercase());
            json_quoted(&mut text, value);
        }
        let refresh = self.tokens.refresh_expires_at;
        let rest = [
            ("token_type", Some("Bearer".to_owned())),
            ("scope", self.tokens.scope.clone()),
            ("access_token_expires_at", Some(moment(self.tokens.access_expires_at.at))),
            ("refresh_token_expires_at", refresh.map(|deadline| moment(deadline.at))),
            (
                "refresh_token_expiry_known_by",
                refresh.map(|deadline| deadline.known_by.to_string()),
            ),
        ];
        for (name, value) in rest {
            if let Some(value) = value {
                let _ = write!(text, ",\n  \"{name}\": ");
                json_quoted(&mut text, &value);
            }
        }
        text.push_str("\n}\n");
        text
    }

    /// Room for everything, even if every character were escaped: growing would leave copies behind.
    fn buffer(&self) -> Zeroizing<String> {
        let values: usize = self.values().iter().map(|(_, _, value)| value.len()).sum();
        Zeroizing::new(String::with_capacity(2_048 + 6 * values))
    }
}

fn label(name: &str) -> &'static str {
    match name {
        "INSTANCE_URL" => "Instance URL",
        "CLIENT_ID" => "Client ID",
        "CLIENT_SECRET" => "Client Secret",
        "ACCESS_TOKEN" => "Access Token",
        "REFRESH_TOKEN" => "Refresh Token",
        _ => "Auth Code",
    }
}

/// Single quotes are literal for every dotenv parser; only a value that holds one needs more.
fn dotenv_quoted(text: &mut String, value: &str) {
    if !value.contains('\'') {
        text.push('\'');
        text.push_str(value);
        text.push('\'');
        return;
    }
    text.push('"');
    for character in value.chars() {
        if matches!(character, '"' | '\\' | '$' | '`') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

fn shell_quoted(text: &mut String, value: &str) {
    text.push('\'');
    for character in value.chars() {
        if character == '\'' {
            text.push_str("'\\''");
        } else {
            text.push(character);
        }
    }
    text.push('\'');
}

/// RFC 8259 §7, written in place so that no second copy of a secret is made.
pub(crate) fn json_quoted(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => {
                text.push('\\');
                text.push(character);
            }
            control if u32::from(control) < 0x20 => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn tokens() -> TokenSet {
        TokenSet {
            access_token: Secret::new("AT"),
            refresh_token: Some(Secret::new("RT")),
            authorization_code: Some(Secret::new("CODE")),
            scope: Some("useraccount".into()),
            issued_at: at("2026-11-23T15:00:00.5Z"),
            granted_at: at("2026-11-23T15:00:00.5Z"),
            access_expires_at: Deadline {
                at: at("2026-11-23T15:30:00Z"),
                known_by: KnownBy::Stated,
            },
            refresh_expires_at: Some(Deadline {
                at: at("2027-11-23T15:00:00Z"),
                known_by: KnownBy::Derived,
            }),
        }
    }

    fn render(format: Format, secret: &str) -> String {
        let text =
            "[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"\nrefresh_token_lifespan=31536000";
        let config = Config::parse(text).unwrap();
        let (secret, tokens) = (Secret::new(secret), tokens());
        let credentials = Credentials {
            profile: &config.profiles()[0],
            client_secret: Some(&secret),
            tokens: &tokens,
            created: at("2026-11-23T15:00:00.9Z"),
        };
        credentials.render(format).unwrap().to_string()
    }

    #[test]
    fn the_credentials_file_is_the_one_that_was_promised() {
        assert_eq!(
            render(Format::CredentialsFile, "s3 cr:et"),
            "# ServiceNow OAuth credentials, https://classics.service-now.com\n\
             # Created 2026-11-23T15:00:00Z. Treat these values like passwords; delete this file once they are handed over.\n\
             Instance URL: https://classics.service-now.com\nClient ID: id\nClient Secret: s3 cr:et\n\
             Access Token: AT\nRefresh Token: RT\nAuth Code: CODE\n\
             # The access token ends 2026-11-23T15:30:00Z.\n\
             # The refresh token ends 2027-11-23T15:00:00Z (derived: granted now, lifespan 31536000 s).\n\
             # The auth code has been used; it is listed because the form asks for it.\n"
        );
    }

    #[test]
    fn quotes_of_each_language_hold_every_secret() {
        let hostile = r#"+&%=?"'\ $x`"#;
        assert!(
            render(Format::Dotenv, hostile)
                .contains("SERVICENOW_CLIENT_SECRET=\"+&%=?\\\"'\\\\ \\$x\\`\"\n")
        );
        assert!(
            render(Format::Shell, hostile)
                .contains("export SERVICENOW_CLIENT_SECRET='+&%=?\"'\\''\\ $x`'\n")
        );
        assert!(render(Format::Json, hostile).contains(r#""client_secret": "+&%=?\"'\\ $x`""#));
        assert_eq!(render(Format::Header, hostile), "Authorization: Bearer AT\n");
    }

    #[test]
    fn a_line_break_is_refused() {
        let config = Config::parse("[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"").unwrap();
        let (secret, tokens) = (Secret::new("a\nb"), tokens());
        let credentials = Credentials {
            profile: &config.profiles()[0],
            client_secret: Some(&secret),
            tokens: &tokens,
            created: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(credentials.render(Format::Json), Err(Unfit::LineBreak("client secret")));
    }

    #[test]
    fn without_an_access_token_nothing_is_delivered() {
        let config = Config::parse("[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"").unwrap();
        let tokens = TokenSet { access_token: Secret::new(""), ..tokens() };
        let credentials = Credentials {
            profile: &config.profiles()[0],
            client_secret: None,
            tokens: &tokens,
            created: Timestamp::UNIX_EPOCH,
        };
        for format in Format::ALL {
            assert!(credentials.render(format).is_err(), "{format:?}");
        }
    }

    #[test]
    fn an_origin_that_does_not_add_up_is_not_told() {
        let config = Config::parse("[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"").unwrap();
        let tokens = tokens();
        let credentials = Credentials {
            profile: &config.profiles()[0],
            client_secret: None,
            tokens: &tokens,
            created: Timestamp::UNIX_EPOCH,
        };
        let text = credentials.render(Format::CredentialsFile).unwrap();
        assert!(text.contains("ends 2027-11-23T15:00:00Z (derived).\n"), "{}", *text);
    }
}
