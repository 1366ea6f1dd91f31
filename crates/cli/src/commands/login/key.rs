//! The private key of a JWT bearer login: typed as a file, or stored.

use std::path::Path;
use std::sync::Arc;

use snowtoken::Error;
use snowtoken::core::diagnosis::Code;
use snowtoken::core::profile::{Grant, Profile};
use snowtoken::core::secret::Secret;
use snowtoken::session;
use snowtoken::signing::SigningKey;
use snowtoken::store::TokenStore;

use crate::args::LoginArgs;
use crate::report::Failure;
use crate::{files, terminal};

/// A key, and the text it was read from.
pub(super) struct Key {
    pub(super) text: Secret,
    pub(super) key: Arc<SigningKey>,
}

/// The key of this login, if its grant has one. What a JSON Web Key calls itself is the key ID,
/// unless another one was typed.
pub(super) fn of(
    args: &LoginArgs,
    profile: &mut Profile,
    store: &dyn TokenStore,
) -> Result<Option<Key>, Failure> {
    if profile.grant != Grant::JwtBearer {
        return match &args.key_file {
            Some(_) => Err(Failure::told(Code::Usage, "--key-file is for --grant jwt-bearer")),
            None => Ok(None),
        };
    }
    let Some(path) = args.key_file.as_deref() else {
        let missing = || Error::NoSigningKey(profile.name.to_string());
        let text = store.signing_key(&profile.name, &session::binding(profile))?;
        return read(text.ok_or_else(missing)?).map(Some);
    };
    let key = read(text(path)?)?;
    if let (None, Some(named)) = (&args.key_id, key.key.key_id()) {
        profile.assertion.key_id = Some(named.clone());
    }
    Ok(Some(key))
}

fn read(text: Secret) -> Result<Key, Failure> {
    let key = SigningKey::parse(&text).map_err(Error::from)?;
    Ok(Key { text, key: Arc::new(key) })
}

fn text(path: &Path) -> Result<Secret, Failure> {
    let read = if path == Path::new("-") {
        terminal::piped_secret(u16::MAX)
    } else {
        files::read_text(path).map(|mut text| Secret::new(std::mem::take(&mut *text)))
    };
    read.map_err(|error| {
        let text = format!("the private key cannot be read from {}: {error}", path.display());
        Failure::told(Code::Usage, text)
    })
}
