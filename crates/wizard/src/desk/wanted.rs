//! The profile that the journey makes, and its client secret.

use snowtoken::core::oauth::Scope;
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::{Grant, Profile, ProfileName};
use snowtoken::core::servicenow::Lifespans;
use snowtoken::{Secret, config, session};

use super::Desk;
use crate::steps::Journey;

impl Desk {
    /// The profile that is being made, as far as the journey knows it.
    pub(super) fn wanted_profile(&self) -> Option<Profile> {
        self.profile_of(&self.journey)
    }

    /// The same of a journey that may know more.
    pub(super) fn profile_of(&self, journey: &Journey) -> Option<Profile> {
        let name = ProfileName::parse(journey.profile.as_deref()?).ok()?;
        let known = self.tools.profile(&name).ok();
        let target = self.target()?;
        let client_id = ClientId::parse(journey.client_id.as_deref()?).ok()?;
        let redirect_uri = RedirectUri::parse(journey.redirect_uri.as_deref()?).ok()?;
        let same = known.filter(|profile| profile.target == target.name);
        let scope = match &same {
            Some(profile) => profile.scope.clone(),
            None => Scope::parse(&target.scope).ok(),
        };
        let wanted = Lifespans {
            access: target.access_token_lifespan,
            refresh: target.refresh_token_lifespan,
        };
        Some(Profile {
            name,
            instance: self.instance()?,
            client_id,
            authentication: same
                .as_ref()
                .map_or(AuthenticationMethod::default(), |profile| profile.authentication),
            grant: Grant::AuthorizationCode,
            assertion: same.as_ref().map(|profile| profile.assertion.clone()).unwrap_or_default(),
            redirect_uri: Some(redirect_uri),
            scope,
            lifespans: same.as_ref().map_or(wanted, |profile| profile.lifespans),
            target: target.name,
            region: journey.region.clone(),
            credentials_file: same.as_ref().is_none_or(|profile| profile.credentials_file),
        })
    }

    /// The client secret that is stored for this profile.
    pub(super) fn stored_secret(&self, profile: &Profile) -> Option<Secret> {
        let store = self.tools.store().ok().flatten()?;
        store.client_secret(&profile.name, &session::binding(profile)).ok().flatten()
    }

    /// The secret that was typed for this profile and waits to be proved.
    pub(super) fn typed_secret(&self, profile: &Profile) -> Option<Secret> {
        let binding = session::binding(profile);
        self.typed.as_ref().filter(|(own, _)| *own == binding).map(|(_, secret)| secret.clone())
    }

    /// Takes a secret for this profile, and tells whether it is stored although nothing has proved it.
    /// Where another one is at work, or was, it replaces that only once tokens came with it; until then
    /// it is in memory alone.
    pub(super) fn take_secret(
        &mut self,
        profile: &Profile,
        secret: &Secret,
    ) -> Result<bool, snowtoken::Error> {
        if self.has_what_would_be_lost(&profile.name)? {
            self.typed = Some((session::binding(profile), secret.clone()));
            return Ok(false);
        }
        self.keep_secret(profile, secret)?;
        Ok(true)
    }

    /// Whether there are tokens of this profile, or a secret for its next ones that was not typed a
    /// moment ago.
    fn has_what_would_be_lost(&self, name: &ProfileName) -> Result<bool, snowtoken::Error> {
        let Some((known, held)) = self.look_up(name.as_str())? else { return Ok(false) };
        Ok(held?.is_some() || (!self.journey.unproved && self.stored_secret(&known).is_some()))
    }

    /// Stores the secret, and the profile that it belongs to.
    fn keep_secret(&self, profile: &Profile, secret: &Secret) -> Result<(), snowtoken::Error> {
        let mut store = self.tools.present_store(&profile.name)?;
        store.set_client_secret(&profile.name, &session::binding(profile), secret)?;
        let profile = profile.clone();
        Ok(config::update(&self.tools.home, move |config| {
            if config
                .profile(&profile.name)
                .is_none_or(|known| known.client_id != profile.client_id)
            {
                config.put(profile);
            }
        })?)
    }
}
