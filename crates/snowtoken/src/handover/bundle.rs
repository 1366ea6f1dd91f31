//! What goes to the other machine, as JSON: everything it needs, and nothing of this one.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use snowtoken_core::ledger::Facts;
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, TokenSet, User};
use snowtoken_store::envelope::EnvelopeError;
use zeroize::Zeroizing;

use crate::config::Config;

/// The form of the content. A higher one is refused.
const VERSION: u32 = 1;

/// A profile with everything that keeps it alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Its settings.
    pub profile: Profile,
    /// The client secret, where the client has one.
    pub client_secret: Option<Secret>,
    /// The private key, where assertions are signed. A reader that does not know it does not know
    /// the grant of such a profile either, and refuses its settings.
    pub signing_key: Option<Secret>,
    /// The tokens with their deadlines.
    pub tokens: TokenSet,
    /// Whose they are, where known.
    pub user: Option<User>,
    /// What was learnt about the profile.
    pub facts: Facts,
}

#[derive(Serialize)]
struct Out<'a> {
    version: u32,
    /// Settings in the form of `config.toml`, which is judged by its own reader.
    config: &'a str,
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_key: Option<&'a str>,
    access_token: &'a str,
    refresh_token: Option<&'a str>,
    authorization_code: Option<&'a str>,
    scope: Option<&'a str>,
    issued_at: Timestamp,
    granted_at: Timestamp,
    access_expires_at: Deadline,
    refresh_expires_at: Option<Deadline>,
    user: Option<&'a User>,
    facts: &'a Facts,
}

#[derive(Deserialize)]
struct In {
    config: String,
    client_secret: Option<Hidden>,
    signing_key: Option<Hidden>,
    access_token: Hidden,
    refresh_token: Option<Hidden>,
    authorization_code: Option<Hidden>,
    scope: Option<String>,
    issued_at: Timestamp,
    granted_at: Timestamp,
    access_expires_at: Deadline,
    refresh_expires_at: Option<Deadline>,
    user: Option<User>,
    #[serde(default)]
    facts: Facts,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// A secret text; it is wiped even if the rest cannot be read.
struct Hidden(Secret);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

impl Bundle {
    /// The content to seal.
    pub fn write(&self) -> Zeroizing<Vec<u8>> {
        let Self { profile, client_secret, signing_key, tokens, user, facts } = self;
        let mut config = Config::default();
        config.put(profile.clone());
        let config = config.text();
        let out = Out {
            version: VERSION,
            config: &config,
            client_secret: client_secret.as_ref().map(Secret::expose),
            signing_key: signing_key.as_ref().map(Secret::expose),
            access_token: tokens.access_token.expose(),
            refresh_token: tokens.refresh_token.as_ref().map(Secret::expose),
            authorization_code: tokens.authorization_code.as_ref().map(Secret::expose),
            scope: tokens.scope.as_deref(),
            issued_at: tokens.issued_at,
            granted_at: tokens.granted_at,
            access_expires_at: tokens.access_expires_at,
            refresh_expires_at: tokens.refresh_expires_at,
            user: user.as_ref(),
            facts,
        };
        // At its full size from the start: growing would leave copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(256 * 1024));
        // Writing into memory does not fail, and every value here has a form in JSON.
        let written = serde_json::to_writer(&mut *text, &out);
        debug_assert!(written.is_ok());
        text
    }

    /// The content that was sealed.
    ///
    /// # Errors
    /// [`EnvelopeError::Newer`] or [`EnvelopeError::Content`]; neither quotes a value.
    pub fn read(text: &[u8]) -> Result<Self, EnvelopeError> {
        let unreadable = |_| EnvelopeError::Content("it is no profile".to_owned());
        let Version { version } = serde_json::from_slice(text).map_err(unreadable)?;
        if version > VERSION {
            return Err(EnvelopeError::Newer { found: version, known: VERSION });
        }
        let read: In = serde_json::from_slice(text).map_err(unreadable)?;
        let config = Config::parse(&read.config)
            .map_err(|error| EnvelopeError::Content(error.to_string()))?;
        let [profile] = config.profiles() else {
            return Err(EnvelopeError::Content("it is not one profile".to_owned()));
        };
        let secret = |hidden: Option<Hidden>| hidden.map(|Hidden(secret)| secret);
        Ok(Self {
            profile: profile.clone(),
            client_secret: secret(read.client_secret),
            signing_key: secret(read.signing_key),
            tokens: TokenSet {
                access_token: read.access_token.0,
                refresh_token: secret(read.refresh_token),
                authorization_code: secret(read.authorization_code),
                scope: read.scope,
                issued_at: read.issued_at,
                granted_at: read.granted_at,
                access_expires_at: read.access_expires_at,
                refresh_expires_at: read.refresh_expires_at,
            },
            user: read.user,
            facts: read.facts,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use snowtoken_core::token_set::KnownBy;

    use super::*;

    const CONFIG: &str = "version = 1\n[profile.dev]\ninstance = \"https://a.service-now.com\"\n\
        client_id = \"id\"\ntarget = \"custom\"\nredirect_uri = \"http://127.0.0.1:8400/callback\"\n\
        scope = \"useraccount\"\naccess_token_lifespan = 1800\ncredentials_file = false\n";

    fn bundle(secret: &str, seconds: i64, whole: bool) -> Bundle {
        let end = |known_by| Deadline { at: Timestamp::from_second(seconds).unwrap(), known_by };
        let optional = |name: &str| whole.then(|| Secret::new(format!("{name}{secret}")));
        Bundle {
            profile: Config::parse(CONFIG).unwrap().profiles()[0].clone(),
            client_secret: optional("cs"),
            signing_key: optional("key"),
            tokens: TokenSet {
                access_token: Secret::new(secret),
                refresh_token: optional("rt"),
                authorization_code: optional("code"),
                scope: whole.then(|| secret.to_owned()),
                issued_at: end(KnownBy::Stated).at,
                granted_at: end(KnownBy::Stated).at,
                access_expires_at: end(KnownBy::Stated),
                refresh_expires_at: whole.then(|| end(KnownBy::Derived)),
            },
            user: whole.then(|| User {
                sys_id: Some(secret.to_owned()),
                user_name: None,
                display_name: Some("Abel Tuter".to_owned()),
            }),
            facts: Facts { concerns: vec![secret.to_owned()], ..Facts::default() },
        }
    }

    proptest! {
        #[test]
        fn every_profile_comes_back(
            secret in "\\PC{0,40}", seconds in 0_i64..4_000_000_000, whole: bool,
        ) {
            let bundle = bundle(&secret, seconds, whole);
            prop_assert_eq!(Bundle::read(&bundle.write()).unwrap(), bundle);
        }

        #[test]
        fn no_content_is_a_panic(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let refused = Bundle::read(&text).unwrap_err();
            prop_assert_eq!(refused, EnvelopeError::Content("it is no profile".to_owned()));
        }
    }

    #[test]
    fn a_newer_content_and_a_strange_one_are_told() {
        let text = String::from_utf8(bundle("s", 5, true).write().to_vec()).unwrap();
        let newer = text.replace("\"version\":1", "\"version\":2");
        let refused = Bundle::read(newer.as_bytes()).unwrap_err();
        assert_eq!(refused, EnvelopeError::Newer { found: 2, known: 1 });
        let none = Bundle::read(text.replace("profile.dev", "x").as_bytes()).unwrap_err();
        let EnvelopeError::Content(why) = none else { panic!("{none:?}") };
        assert_eq!(why, "the configuration has an unknown entry \"x\"");
        // A later version may add what this one need not know, and leave out what it may miss.
        let more = text.replace("\"facts\":{", "\"later\":[1],\"facts\":{\"later\":2,");
        assert!(Bundle::read(more.as_bytes()).is_ok(), "{more}");
    }
}
