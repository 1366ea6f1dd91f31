//! How a profile's tokens are renewed where no person is needed.

use std::sync::Arc;

use snowtoken_core::keeper::OwnGrant;
use snowtoken_core::oauth::jwt::Bearer;
use snowtoken_core::profile::{Grant, Profile};
use snowtoken_store::TokenStore;

use crate::error::Error;
use crate::session::binding;
use crate::signing::SigningKey;
use crate::world::World;

/// The grant that brings the next token, if the client makes it by itself. `key` is asked for where
/// assertions must be signed.
pub(crate) fn own_grant(
    world: &World,
    profile: &Profile,
    key: impl FnOnce() -> Result<Arc<SigningKey>, Error>,
) -> Result<Option<OwnGrant>, Error> {
    let scope = profile.scope.clone();
    Ok(match profile.grant {
        Grant::AuthorizationCode => None,
        Grant::ClientCredentials => Some(OwnGrant::ClientCredentials(scope)),
        Grant::JwtBearer => {
            let subject = profile.assertion.subject.clone().ok_or_else(|| {
                Error::SettingMissing { profile: profile.name.to_string(), what: "subject" }
            })?;
            let mut dice = [0; 32];
            (world.dice)(&mut dice)?;
            let key_id = profile.assertion.key_id.clone();
            Some(OwnGrant::JwtBearer(Bearer::new(subject, key_id, key()?, dice), scope))
        }
    })
}

/// The private key that is stored for the profile's instance and client.
pub(crate) fn stored_key(
    profile: &Profile,
    store: &dyn TokenStore,
) -> Result<Arc<SigningKey>, Error> {
    let text = store
        .signing_key(&profile.name, &binding(profile))?
        .ok_or_else(|| Error::NoSigningKey(profile.name.to_string()))?;
    Ok(Arc::new(SigningKey::parse(&text)?))
}
