//! Credentials for a third person who has no snowtoken: the fields of the product's form, one line
//! each, with who, what and until when, as a text that is sealed before it goes anywhere.
//!
//! It is no sealed profile ([`handover`](crate::handover)): nobody else owns the tokens afterwards,
//! and this machine goes on refreshing them.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use snowtoken_core::printable::Printable;
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::target::{Target, Value};
use snowtoken_core::token_set::TokenSet;
use zeroize::Zeroizing;

use crate::delivery::{Unfit, moment};

/// Random bytes for a passphrase that is made here.
pub const PASSPHRASE_BYTES: usize = 30;

/// What goes into it.
#[derive(Debug, Clone, Copy)]
pub struct Bundle<'a> {
    /// Instance, client.
    pub profile: &'a Profile,
    /// The product whose form is filled in.
    pub target: &'a Target,
    /// Absent for public clients.
    pub client_secret: Option<&'a Secret>,
    /// The tokens.
    pub tokens: &'a TokenSet,
    /// Whose tokens they are, where the instance told.
    pub user: Option<&'a str>,
    /// When it is made.
    pub created: Timestamp,
}

impl<'a> Bundle<'a> {
    /// The labels of the fields that are filled in.
    pub fn labels(&self) -> Vec<&'a str> {
        self.fields().into_iter().filter_map(|(label, value)| value.map(|_| label)).collect()
    }

    /// The text.
    ///
    /// # Errors
    /// If a value holds a line break, or there is no access token yet.
    pub fn text(&self) -> Result<Zeroizing<String>, Unfit> {
        if self.tokens.access_token.is_empty() {
            return Err(Unfit::NoAccessToken);
        }
        let fields = self.fields();
        let lengths: usize = fields
            .iter()
            .map(|(label, value)| label.len() + value.as_ref().map_or(0, |value| value.len()))
            .sum();
        // Room for everything: growing would leave copies behind.
        let room = 2_048 + 2 * lengths + 80 * fields.len() + self.target.title.len();
        let mut text = Zeroizing::new(String::with_capacity(room));
        self.head(&mut text);
        for (label, value) in fields {
            // Writing to a String cannot fail.
            let _ = match value {
                Some(value) if value.contains(['\n', '\r']) => {
                    return Err(Unfit::LineBreak("value of a field"));
                }
                Some(value) => writeln!(text, "{label}: {value}"),
                None => writeln!(text, "# {label}: not in here, it is no part of the tokens"),
            };
        }
        Ok(text)
    }

    /// Who, what, until when.
    fn head(&self, text: &mut String) {
        let instance = self.profile.instance.url();
        let _ = writeln!(text, "# ServiceNow OAuth credentials of {instance}");
        let _ = writeln!(text, "# for the form of {}", Printable(&self.target.title));
        let whose = self.user.map_or_else(String::new, |user| format!(" of {}", Printable(user)));
        let created = moment(self.created);
        let _ = writeln!(text, "# Made {created}; the tokens act with the rights{whose}.");
        let end = moment(self.tokens.access_expires_at.at);
        let _ = writeln!(text, "# The access token ends {end}.");
        match self.tokens.refresh_expires_at {
            Some(end) => {
                let (at, known_by) = (moment(end.at), end.known_by);
                let _ = writeln!(text, "# The refresh token ends {at} ({known_by}).");
            }
            None if self.tokens.refresh_token.is_some() => {
                text.push_str("# When the refresh token ends is not known.\n");
            }
            None => {}
        }
        let asks_for_code = self.target.fields.iter().any(|field| field.value == Value::AuthCode);
        if asks_for_code && self.tokens.authorization_code.is_some() {
            text.push_str(
                "# The auth code has been used; it is listed because the form asks for it.\n",
            );
        }
        text.push_str(
            "# Treat these values like passwords: fill in the form, then delete this text.\n",
        );
    }

    /// Labels and values in the order of the form. What could be there and is not, is left out;
    /// `None` is what is not ours to know.
    fn fields(&self) -> Vec<(&'a str, Option<Cow<'a, str>>)> {
        let fields = self.target.fields.iter().filter_map(|field| {
            let value = match field.value {
                Value::UserName | Value::Password => None,
                _ => Some(self.value(&field.value)?),
            };
            Some((field.label.as_str(), value))
        });
        fields.collect()
    }

    fn value(&self, value: &'a Value) -> Option<Cow<'a, str>> {
        let secret = |secret: Option<&'a Secret>| secret.map(|secret| secret.expose().into());
        let endpoints = || self.profile.instance.endpoints();
        match value {
            Value::Instance => Some(self.target.instance.of(&self.profile.instance).into()),
            Value::ClientId => Some(self.profile.client_id.as_str().into()),
            Value::ClientSecret => secret(self.client_secret),
            Value::AccessToken => secret(Some(&self.tokens.access_token)),
            Value::RefreshToken => secret(self.tokens.refresh_token.as_ref()),
            Value::AuthCode => secret(self.tokens.authorization_code.as_ref()),
            Value::TokenUrl => Some(endpoints().token.to_string().into()),
            Value::AuthorizationUrl => Some(endpoints().authorization.to_string().into()),
            Value::RedirectUri => self.profile.redirect_uri.as_ref().map(|uri| uri.as_str().into()),
            Value::Scope => self.tokens.scope.as_deref().map(Cow::from),
            Value::RefreshTokenEnd => {
                self.tokens.refresh_expires_at.map(|end| moment(end.at).into())
            }
            Value::Fixed(text) => Some(text.as_str().into()),
            Value::UserName | Value::Password => None,
        }
    }
}

/// A passphrase of 150 random bits, in six groups that can be read out on the telephone: small letters
/// and digits, without those that look alike.
pub fn passphrase(random: &[u8; PASSPHRASE_BYTES]) -> Secret {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut text = String::with_capacity(PASSPHRASE_BYTES + 5);
    for (number, byte) in random.iter().enumerate() {
        if number > 0 && number % 5 == 0 {
            text.push('-');
        }
        // 32 of them: every letter is as likely as every other.
        text.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use snowtoken_core::token_set::{Deadline, KnownBy};

    use super::*;
    use crate::config::Config;
    use crate::targets::{self, Targets};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn tokens() -> TokenSet {
        let refresh_end = Deadline { at: at("2027-11-23T15:00:00Z"), known_by: KnownBy::Derived };
        TokenSet {
            access_token: Secret::new("AT"),
            refresh_token: Some(Secret::new("RT")),
            authorization_code: Some(Secret::new("CODE")),
            scope: Some("useraccount".into()),
            issued_at: at("2026-11-23T15:00:00Z"),
            granted_at: at("2026-11-23T15:00:00Z"),
            access_expires_at: Deadline {
                at: at("2026-11-23T15:30:00Z"),
                known_by: KnownBy::Stated,
            },
            refresh_expires_at: Some(refresh_end),
        }
    }

    fn written(target: &str, secret: &str, tokens: &TokenSet) -> Result<String, Unfit> {
        let config = Config::parse("[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"").unwrap();
        let (targets, secret) = (Targets::built_in(), Secret::new(secret));
        let bundle = Bundle {
            profile: &config.profiles()[0],
            target: targets.find(target).unwrap(),
            client_secret: Some(&secret),
            tokens,
            user: Some("abel.tuter"),
            created: at("2026-11-23T15:00:00Z"),
        };
        bundle.text().map(|text| text.to_string())
    }

    #[test]
    fn it_says_who_what_and_until_when_and_then_the_form() {
        assert_eq!(
            written(targets::USUAL, "s3 cr:et", &tokens()).unwrap(),
            "# ServiceNow OAuth credentials of https://classics.service-now.com\n\
             # for the form of NiCE CXone Knowledge Hub (ServiceNow knowledge source)\n\
             # Made 2026-11-23T15:00:00Z; the tokens act with the rights of abel.tuter.\n\
             # The access token ends 2026-11-23T15:30:00Z.\n\
             # The refresh token ends 2027-11-23T15:00:00Z (derived).\n\
             # The auth code has been used; it is listed because the form asks for it.\n\
             # Treat these values like passwords: fill in the form, then delete this text.\n\
             Instance URL: https://classics.service-now.com\nClient ID: id\nClient Secret: s3 cr:et\n\
             Access Token: AT\nRefresh Token: RT\nAuth Code: CODE\n"
        );
    }

    /// The fields of the product, in its order, and nothing beside them.
    #[test]
    fn another_form_has_other_fields() {
        let text = written("appflow", "s", &tokens()).unwrap();
        let values: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let instance = "instanceUrl: https://classics.service-now.com";
        let ours = ["clientId: id", "clientSecret: s", "accessToken: AT", "refreshToken: RT"];
        assert_eq!(values, [&[instance][..], &ours].concat());
        assert!(!text.contains("auth code"), "{text}");
    }

    #[test]
    fn what_fits_no_line_is_refused() {
        assert_eq!(
            written(targets::USUAL, "a\nb", &tokens()),
            Err(Unfit::LineBreak("value of a field"))
        );
        let without = TokenSet { access_token: Secret::new(""), ..tokens() };
        assert_eq!(written(targets::USUAL, "s", &without), Err(Unfit::NoAccessToken));
    }

    #[test]
    fn a_passphrase_can_be_read_out() {
        let random: [u8; PASSPHRASE_BYTES] = std::array::from_fn(|n| u8::try_from(n * 8).unwrap());
        let made = passphrase(&random);
        let groups: Vec<&str> = made.expose().split('-').collect();
        assert_eq!(groups.len(), 6);
        assert!(groups.iter().all(|group| group.len() == 5), "{groups:?}");
        assert!(!made.expose().contains(['0', '1', 'l', 'o']));
        let all: std::collections::BTreeSet<char> = (0..=255)
            .flat_map(|byte| {
                passphrase(&[byte; PASSPHRASE_BYTES]).expose().chars().collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(all.len(), 33, "32 letters and the hyphen");
    }
}
