//! What a session tells an observer, and a refresh that a keeper planned.

use std::sync::Arc;
use std::time::Duration;

use snowtoken_core::profile::Profile;
use snowtoken_core::token_set::{Generation, User};
use snowtoken_store::lock::RefreshLock;
use snowtoken_store::{Record, RecordState};

use super::Session;
use crate::delivery::Credentials;
use crate::delivery::follow::{self, Follower};
use crate::driver::{Asker, Refreshed, SharedStore};
use crate::error::Error;
use crate::home::Home;
use crate::hooks::{Happening, Observer, What};
use crate::world::World;

impl Session {
    /// The same session, which tells this observer what happens to its profile from now on: a
    /// refresh, a refusal, a revocation. It is told when the change is durable, and before the call
    /// that made it returns.
    #[must_use]
    pub fn with_observer(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// A session over a store that others use too.
    pub(crate) fn sharing(
        world: World,
        home: Home,
        profile: Profile,
        store: Arc<SharedStore>,
        observer: Option<Observer>,
        follower: Option<Follower>,
    ) -> Self {
        Self { world, home, profile, store, observer, follower }
    }

    /// The same session, which tells this follower what became of the deliveries that follow its
    /// tokens. Their files are written either way; what is to be run after that is the follower's
    /// business ([`Followed::reload`](follow::Followed::reload)).
    #[must_use]
    pub fn with_follower(self, follower: Follower) -> Self {
        Self { follower: Some(follower), ..self }
    }

    /// Writes again what is to follow the tokens. Whatever becomes of that, the tokens are stored.
    pub(super) fn follow(&self, record: &Record) {
        let name = &self.profile.name;
        let secret = match self.store().client_secret(name, &self.binding()) {
            Ok(secret) => secret,
            Err(error) => return log::warn!("{name}: nothing follows the tokens: {error}"),
        };
        let credentials = Credentials {
            profile: &self.profile,
            client_secret: secret.as_ref(),
            tokens: Some(&record.tokens),
            fresh_code: None,
            created: self.now(),
        };
        let done = follow::redo(&mut **self.store(), &credentials, None);
        for followed in done {
            if let Err(error) = &followed.result {
                log::warn!("{}: {} does not follow: {error}", followed.profile, followed.path);
            }
            if let Some(follower) = &self.follower {
                follower(followed);
            }
        }
    }

    /// Refreshes for a keeper, which planned it for the token set of this generation. `None`:
    /// somebody else was faster, and what is stored now is another one.
    ///
    /// # Errors
    /// As [`Session::refresh`]; a lock that is not free within `wait` is
    /// [`LockTimeout`](snowtoken_store::StoreError::LockTimeout).
    pub fn refresh_planned(
        &self,
        planned: Generation,
        wait: Duration,
    ) -> Result<Option<Refreshed>, Error> {
        let _lock = RefreshLock::acquire(&self.home.data, &self.profile.name, wait)?;
        let record = self.record()?;
        if record.generation != planned {
            return Ok(None);
        }
        self.check_usable(&record)?;
        self.refresh_locked(record, Asker::Keeps).map(Some)
    }

    /// A refusal for good is told on; the error is what it was.
    pub(super) fn told_of_rejection(&self, error: Error) -> Error {
        if self.observer.is_some()
            && let Ok(Some(record)) = self.store().load(&self.profile.name)
            && let RecordState::Rejected { .. } = record.state
        {
            self.tell(What::Rejected, &record);
        }
        error
    }

    pub(super) fn tell(&self, what: What, record: &Record) {
        let Some(observer) = &self.observer else { return };
        let tokens = &record.tokens;
        let is_over = what == What::Revoked;
        observer(Happening::of(
            what,
            &self.profile,
            record.user.as_ref().and_then(User::name),
            self.now(),
            (!is_over).then_some(tokens.access_expires_at),
            tokens.refresh_expires_at.filter(|_| !is_over && tokens.refresh_token.is_some()),
        ));
    }
}
