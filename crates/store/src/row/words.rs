//! Plain values as the words they are stored as, read back strictly.

use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, KnownBy};
use zeroize::Zeroizing;

use crate::error::{Result, StoreError};
use crate::record::RecordState;
use crate::seal::{self, NotOpened};

pub(crate) fn damaged(profile: &str, what: &str) -> StoreError {
    StoreError::damaged(format!("the {what} of profile \"{profile}\" is not what was stored"))
}

pub(super) fn secret(plain: Zeroizing<Vec<u8>>, profile: &str, what: &str) -> Result<Secret> {
    seal::text(plain).map_err(|NotOpened| damaged(profile, what))
}

pub(super) fn deadline(
    at: Option<&str>,
    known_by: Option<&str>,
) -> Result<Option<Deadline>, NotOpened> {
    let (Some(at), Some(known_by)) = (at, known_by) else {
        return if at.is_none() && known_by.is_none() { Ok(None) } else { Err(NotOpened) };
    };
    let known_by = find_known_by(known_by).ok_or(NotOpened)?;
    Ok(Some(Deadline { at: at.parse().map_err(|_| NotOpened)?, known_by }))
}

pub(crate) fn find_known_by(word: &str) -> Option<KnownBy> {
    [KnownBy::Stated, KnownBy::Derived, KnownBy::Observed]
        .into_iter()
        .find(|known_by| known_by.as_str() == word)
}

pub(crate) fn state_words(state: RecordState) -> (&'static str, Option<String>) {
    match state {
        RecordState::Held => ("held", None),
        RecordState::Rejected { at } => ("rejected", Some(at.to_string())),
        RecordState::RevocationPending { since } => ("revocation-pending", Some(since.to_string())),
        RecordState::HandedOver { at } => ("handed-over", Some(at.to_string())),
    }
}

pub(crate) fn state(word: &str, at: Option<&str>) -> Option<RecordState> {
    match (word, at) {
        ("held", None) => Some(RecordState::Held),
        ("rejected", Some(at)) => Some(RecordState::Rejected { at: at.parse().ok()? }),
        ("revocation-pending", Some(at)) => {
            Some(RecordState::RevocationPending { since: at.parse().ok()? })
        }
        ("handed-over", Some(at)) => Some(RecordState::HandedOver { at: at.parse().ok()? }),
        _ => None,
    }
}
