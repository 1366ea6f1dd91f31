//! A profile: a local name for instance, client, grant, target and redirect URI, checked once so
//! that nothing later has to ask again (parse, don't validate).

use std::fmt;

use crate::diagnosis::{Code, Diagnose};
use crate::oauth::Scope;
use crate::oauth::client::{AuthenticationMethod, ClientId};
use crate::oauth::jwt::Claim;
use crate::oauth::redirect::RedirectUri;
use crate::servicenow::{Instance, Lifespans};

/// The name of a profile: 1 to 63 characters of `a-z 0-9 . _ -`, the first a letter or a digit.
/// It can be a file name everywhere and can never be a path or an option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileName(String);

/// The text cannot be a profile's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" cannot be the name of a profile", crate::printable::Printable(.0))]
pub struct ProfileNameError(String);

impl Diagnose for ProfileNameError {
    fn code(&self) -> Code {
        Code::ProfileInvalid
    }
}

impl ProfileName {
    /// Checks the text.
    ///
    /// # Errors
    /// Whatever is not `[a-z0-9][a-z0-9._-]{0,62}`, and names that some systems reserve (`con`, `nul`).
    pub fn parse(text: &str) -> Result<Self, ProfileNameError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let fits = (1..=63).contains(&text.len())
            && text.bytes().next().is_some_and(plain)
            && text.bytes().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'));
        if fits && !is_reserved_on_windows(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProfileNameError(text.to_owned()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Device names that Windows reserves, with or without an extension.
fn is_reserved_on_windows(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or(text);
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix)
            .is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// How a profile gets its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grant {
    /// RFC 6749 §4.1: a person consents in a browser.
    #[default]
    AuthorizationCode,
    /// RFC 6749 §4.4: the client acts for itself; no refresh token.
    ClientCredentials,
    /// RFC 7523 §2.1: the client vouches for a user by its signature; no refresh token.
    JwtBearer,
}

impl Grant {
    /// The word used on the command line and in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization-code",
            Self::ClientCredentials => "client-credentials",
            Self::JwtBearer => "jwt-bearer",
        }
    }

    /// Whether the same grant brings the next token, without a person and without a refresh token.
    pub fn renews_itself(self) -> bool {
        match self {
            Self::AuthorizationCode => false,
            Self::ClientCredentials | Self::JwtBearer => true,
        }
    }

    /// The grant of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }

    /// All of them.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::ClientCredentials, Self::JwtBearer];
}

/// What an assertion says besides what the client says of itself; of use to
/// [`Grant::JwtBearer`] only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assertion {
    /// Whom the tokens are for: `sub`.
    pub subject: Option<Claim>,
    /// By which key the instance shall verify it: `kid`.
    pub key_id: Option<Claim>,
}

/// Everything about a profile that is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its local name.
    pub name: ProfileName,
    /// The instance its secrets go to, and no other.
    pub instance: Instance,
    /// The client registered there.
    pub client_id: ClientId,
    /// How the client authenticates.
    pub authentication: AuthenticationMethod,
    /// The grant.
    pub grant: Grant,
    /// What is needed for assertions.
    pub assertion: Assertion,
    /// The redirect URI, where the grant needs one.
    pub redirect_uri: Option<RedirectUri>,
    /// The scope to ask for; `None` leaves it to the client's own.
    pub scope: Option<Scope>,
    /// The lifespans set on the client, as far as they are known.
    pub lifespans: Lifespans,
    /// The product the tokens are for.
    pub target: String,
    /// The region of the target, where it has regions.
    pub region: Option<String>,
    /// Whether `login` writes the credentials file that the target asks for.
    pub credentials_file: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V19: names become neither paths nor programs.
    #[test]
    fn hostile_names_are_refused() {
        for name in [
            "",
            "..",
            ".a",
            "-a",
            "a/b",
            "a\\b",
            "A",
            "a b",
            "a\0",
            "ä",
            "con",
            "nul.txt",
            "com1",
            &"a".repeat(64),
        ] {
            assert!(ProfileName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn plain_names_are_kept() {
        for name in ["a", "0", "dev", "acme-prod.eu_1", "console", "com12", &"a".repeat(63)] {
            assert_eq!(ProfileName::parse(name).unwrap().as_str(), name);
        }
    }

    /// G39: whatever is accepted is one plain file name, everywhere.
    #[test]
    fn g39_no_name_leads_out_of_its_folder() {
        use proptest::prelude::*;
        let pieces = prop_oneof![
            Just("..".to_owned()),
            Just("/".to_owned()),
            Just("\\".to_owned()),
            Just("%2e".to_owned()),
            Just("\0".to_owned()),
            Just("con".to_owned()),
            Just("com1".to_owned()),
            Just(".".to_owned()),
            Just("~".to_owned()),
            Just("$HOME".to_owned()),
            Just("\u{202e}".to_owned()),
            Just("\u{430}".to_owned()),
            "[a-z0-9._-]{1,70}",
            any::<char>().prop_map(String::from),
        ];
        let names = proptest::collection::vec(pieces, 1..5).prop_map(|pieces| pieces.concat());
        let config = ProptestConfig { cases: 10_000, ..ProptestConfig::default() };
        let accepted = std::cell::Cell::new(0);
        proptest::test_runner::TestRunner::new(config)
            .run(&(names,), |(name,)| {
                let Ok(parsed) = ProfileName::parse(&name) else { return Ok(()) };
                accepted.set(accepted.get() + 1);
                prop_assert_eq!(parsed.as_str(), &name);
                let path = std::path::Path::new("folder").join(&name);
                prop_assert_eq!(path.parent(), Some(std::path::Path::new("folder")));
                prop_assert!(name.len() <= 63 && !name.starts_with(['.', '-']));
                let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
                prop_assert!(name.bytes().all(plain) && !is_reserved_on_windows(&name));
                Ok(())
            })
            .unwrap();
        assert!(accepted.get() > 100, "{accepted:?} names were accepted");
    }
}
