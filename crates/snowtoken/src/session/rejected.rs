//! An API call was answered 401: the instance's word counts for more than our clock.

use snowtoken_core::keeper::{REJECTION_PAUSE, Why};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::ApiError;
use snowtoken_store::Record;

use super::{AccessToken, Session};
use crate::driver::{Asker, CLOCK_TOLERANCE};
use crate::error::Error;

impl Session {
    /// What to call with now, after a call with `rejected` was answered 401 although that token
    /// should live. Leads to one refresh, however many ask because of the same token, and to none
    /// if another one is stored by now.
    ///
    /// # Errors
    /// As [`Session::living_access_token`]. [`Error::Api`] means that the instance hands out the
    /// same token again, or does not accept its newest one, no older than [`REJECTION_PAUSE`]:
    /// another refresh would change nothing, and none is made.
    pub fn access_token_rejected(&self, rejected: &Secret) -> Result<AccessToken, Error> {
        let began = self.now();
        let lock = self.lock()?;
        let record = self.record()?;
        if record.tokens.access_token != *rejected {
            drop(lock);
            return self.living_access_token();
        }
        self.check_usable(&record)?;
        self.failed_meanwhile(&lock, &record, began)?;
        if self.is_in_vain(&record) {
            return Err(ApiError::NotAccepted(None).into());
        }
        let record = self.refresh_locked(record, Asker::Waits)?.record;
        if record.tokens.access_token == *rejected {
            return Err(ApiError::NotAccepted(None).into());
        }
        self.fresh(record, None)
    }

    /// Calls with a living access token, and once more with another one if it was not accepted.
    pub(super) fn calling<T>(
        &self,
        call: impl Fn(&Secret) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let token = self.living_access_token()?.token;
        match call(&token) {
            Err(Error::Api(ApiError::NotAccepted(said))) => {
                match self.access_token_rejected(&token) {
                    Ok(other) => call(&other.token).map_err(Error::for_new_token),
                    Err(Error::Api(_)) => Err(ApiError::NotAccepted(said).into()),
                    Err(error) => Err(error),
                }
            }
            other => other,
        }
    }

    /// Whether a refresh because of a rejected token has just been made, or would bring the same.
    fn is_in_vain(&self, record: &Record) -> bool {
        let now = self.now();
        let age = now.duration_since(record.tokens.issued_at);
        let same = matches!(record.progress.next, Some((at, Why::SameTokenAgain)) if now < at);
        // By a clock that was set back everything lies ahead.
        same && age >= -CLOCK_TOLERANCE || age.abs() < REJECTION_PAUSE
    }
}
