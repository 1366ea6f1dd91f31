//! A client that is made or mended for a profile. Client ID and secret are stored before the first
//! request that sets them, so that an interrupted run loses nothing and the next one goes on with them.

use snowtoken_core::oauth::client::ClientId;
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::setup::ClientPlan;
use snowtoken_core::setup::apply::{Apply, Authority, Found, Item, Orders};
use snowtoken_store::SpareRole;

use crate::config;
use crate::error::Error;
use crate::home::Home;
use crate::session::Session;
use crate::world::World;

/// What is to be made, and for whom. The caller holds the profile's lock.
#[derive(Debug)]
pub struct Making<'a> {
    /// The surroundings.
    pub world: &'a World,
    /// Where the configuration is.
    pub home: &'a Home,
    /// What the client should look like.
    pub plan: &'a ClientPlan,
    /// The profile, with the ID of [`client_id`], over its store.
    pub session: &'a Session,
    /// A secret that somebody named.
    pub given: Option<Secret>,
    /// What else was ordered.
    pub orders: Orders,
}

/// A client that can be made: what it needs is stored.
#[derive(Debug)]
pub struct Ready<'a> {
    world: &'a World,
    session: &'a Session,
    work: Apply,
    sets_secret: bool,
}

/// The ID of the client: of the one that was found, the planned one, or a new one.
///
/// # Errors
/// If the operating system has no random numbers.
pub fn client_id(world: &World, plan: &ClientPlan, found: &Found) -> Result<ClientId, Error> {
    match (found, &plan.client_id) {
        (Found::Client(client), _) => Ok(client.client_id.clone()),
        (Found::Nothing, Some(id)) => Ok(id.clone()),
        (Found::Nothing, None) => super::new_client_id(world.dice),
    }
}

/// The secret that an interrupted run was about to set, where there is no other one yet.
///
/// # Errors
/// If the store cannot be read.
pub fn secret_to_set(session: &Session) -> Result<Option<Secret>, Error> {
    let current = session.store().client_secret(&session.profile().name, &session.binding())?;
    let next = session.next_secret()?;
    Ok(next.filter(|next| current.as_ref().is_none_or(|current| current == next)))
}

/// A client that is there with a secret that is not known, and whose it may be.
///
/// # Errors
/// If the configuration cannot be read.
pub fn unknown_secret(home: &Home, profile: &Profile) -> Result<Error, Error> {
    let config = config::load(home)?;
    let owner = config
        .profiles()
        .iter()
        .find(|other| other.client_id == profile.client_id && other.instance == profile.instance);
    let owner = owner.map(|other| other.name.to_string());
    Ok(Error::ClientExists { client_id: profile.client_id.to_string(), owner })
}

impl<'a> Making<'a> {
    /// Stores client, secret and profile; nothing has been written on the instance yet.
    ///
    /// # Errors
    /// If the client is there and its secret is not known, or store or configuration cannot be used.
    pub fn prepare(self, authority: Authority, found: &Found) -> Result<Ready<'a>, Error> {
        let (session, orders) = (self.session, self.orders);
        let (instance, plan) = (session.profile().instance.clone(), self.plan.clone());
        let (work, sets_secret) = match found {
            Found::Nothing => {
                let made = (session.profile().client_id.clone(), self.secret_for_new()?);
                (Apply::create(instance, authority, plan, made, orders), true)
            }
            Found::Client(client) => {
                let next = self.secret_for_found()?;
                let sets_secret = next.is_some();
                (Apply::mend(instance, authority, plan, (client, next), orders), sets_secret)
            }
        };
        let kept = session.profile().clone();
        config::update(self.home, move |config| config.put(kept))?;
        Ok(Ready { world: self.world, session, work, sets_secret })
    }

    /// Of a client that is not there: the secret of last time, or a given or a new one; stored as the
    /// next one, since the instance does not have it yet.
    fn secret_for_new(&self) -> Result<Secret, Error> {
        let session = self.session;
        let stored = || session.store().client_secret(&session.profile().name, &session.binding());
        let secret = match &self.given {
            Some(secret) => secret.clone(),
            None => match (session.next_secret()?, stored()?) {
                (Some(secret), _) | (None, Some(secret)) => secret,
                (None, None) => super::new_secret(self.world.dice)?,
            },
        };
        session.expect_secret(&secret)?;
        Ok(secret)
    }

    /// Of a client that is there: what an interrupted run was about to set; else its secret is known,
    /// or somebody must say it. It is never replaced in passing.
    fn secret_for_found(&self) -> Result<Option<Secret>, Error> {
        let session = self.session;
        if let Some(secret) = secret_to_set(session)? {
            return Ok(Some(secret));
        }
        let (name, binding) = (&session.profile().name, session.binding());
        if let Some(secret) = &self.given {
            session.store().set_client_secret(name, &binding, secret)?;
            return Ok(None);
        }
        if session.spare_secret()? == Some(SpareRole::Next) {
            return Err(Error::SecretChanging);
        }
        if session.store().client_secret(name, &binding)?.is_some() {
            return Ok(None);
        }
        Err(unknown_secret(self.home, session.profile())?)
    }
}

impl Ready<'_> {
    /// Does it. `tell` hears what became of the parts so far after each answer, and at the end.
    ///
    /// # Errors
    /// [`Error::Apply`] or [`Error::Transport`]; what was made stays, and the same once more goes on
    /// from there.
    pub fn carry_out(mut self, mut tell: impl FnMut(&[Item])) -> Result<Vec<Item>, Error> {
        let session = self.session;
        let done = super::apply(self.world, &mut self.work, |work| {
            if work.take_secret_was_set() {
                session.secret_was_set()?;
            }
            tell(work.items());
            Ok(())
        });
        tell(self.work.items());
        done?;
        if self.sets_secret {
            // Before this there was no client, or none with a secret of ours: nothing to go back to.
            session.retire_secret()?;
        }
        Ok(self.work.items().to_vec())
    }
}
