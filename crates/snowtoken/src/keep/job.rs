//! One refresh that the keeper planned.

use jiff::Timestamp;
use snowtoken_core::diagnosis::{Blame, Diagnose as _, Outcome};
use snowtoken_core::keeper::roster::{Place, Went};
use snowtoken_core::keeper::{Change, Why};
use snowtoken_core::token_set::{Deadline, Generation};
use snowtoken_store::{Standing, StoreError};

use super::LOCK_WAIT;
use crate::error::Error;
use crate::session::Session;

/// What is to be done for one profile. It may be done on any thread.
#[derive(Debug)]
#[must_use = "its slot is taken until its end is settled"]
pub struct Job {
    place: Place,
    why: Why,
    planned: Generation,
    session: Session,
}

/// How a [`Job`] ended.
#[derive(Debug)]
#[must_use = "its slot is taken until this is settled"]
pub struct Done {
    pub(super) place: Place,
    /// What changed; `None`: somebody else was faster.
    pub(super) result: Result<Option<(Change, Deadline)>, Error>,
    /// How the profile stands now, if that could be read.
    pub(super) standing: Option<Standing>,
}

impl Job {
    pub(super) fn new(place: Place, why: Why, planned: Generation, session: Session) -> Self {
        Self { place, why, planned, session }
    }

    /// Does it: waits for the profile's lock a moment, for the answer some seconds.
    pub fn run(self) -> Done {
        let name = &self.session.profile().name;
        log::debug!("{name}: due: {}", self.why);
        let result = self.session.refresh_planned(self.planned, LOCK_WAIT).map(|refreshed| {
            let refreshed = refreshed?;
            Some((refreshed.change?, refreshed.record.tokens.access_expires_at))
        });
        let standing = self.session.store().standing(name).ok().flatten();
        Done { place: self.place, result, standing }
    }
}

impl Done {
    /// Whether another process had the profile: it is done there, or it comes again.
    pub(super) fn found_it_taken(&self) -> bool {
        matches!(self.result, Err(Error::Store(StoreError::LockTimeout { .. })))
    }

    /// What it says about the instance.
    pub(super) fn went(&self) -> Went {
        let error = match &self.result {
            Ok(Some(_)) => return Went::Well,
            Ok(None) => return Went::Nowhere,
            Err(error) => error,
        };
        if let Some(until) = self.asked_to_wait() {
            return Went::Paused(until);
        }
        let is_theirs = matches!(error.blame(), Blame::Instance | Blame::Network);
        if is_theirs && error.outcome() == Outcome::TryLater { Went::Badly } else { Went::Nowhere }
    }

    fn asked_to_wait(&self) -> Option<Timestamp> {
        match self.standing.as_ref()?.held.as_ref()?.progress.next? {
            (until, Why::RetryAfter) => Some(until),
            _ => None,
        }
    }
}
