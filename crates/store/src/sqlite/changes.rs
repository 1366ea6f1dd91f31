//! The steps that changes are made of, inside the transaction of the caller.

use rusqlite::Connection;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::Generation;

use super::ledger::Kept;
use super::{Refusal, ledger, standing, tokens};
use crate::error::{Result, StoreError};
use crate::record::{AuditEntry, Binding, Draft};
use crate::row::{self, Row};
use crate::seal::{self, Place, Sealer};

pub(super) fn absent(profile: &ProfileName) -> StoreError {
    StoreError::Absent { profile: profile.to_string() }
}

pub(super) fn expect(
    connection: &Connection,
    profile: &ProfileName,
    expected: Generation,
) -> Result<(), Refusal> {
    let found = tokens::newest(connection, profile.as_str())?;
    if found == expected { Ok(()) } else { Err(StoreError::Conflict { expected, found }.into()) }
}

pub(super) fn append(connection: &Connection, audit: Option<&AuditEntry>) -> Result<(), Refusal> {
    Ok(audit.map_or(Ok(()), |entry| ledger::append_audit(connection, entry))?)
}

/// Puts a row without tokens in place of all others.
pub(super) fn vacate(
    connection: &Connection,
    sealer: &Sealer,
    profile: &str,
    newest: Generation,
    state: &str,
) -> Result<Generation, Refusal> {
    let generation = newest.next();
    tokens::put(connection, profile, &Row::vacant(sealer, profile, generation, state)?)?;
    tokens::remove_before(connection, profile, generation)?;
    if state == row::REMOVED {
        standing::remove(connection, profile)?;
    } else {
        standing::clear(connection, profile, generation)?;
    }
    Ok(generation)
}

/// Seals the current and the previous row anew under the new name, after whatever had that name
/// before, and leaves a mark under the old one.
pub(super) fn move_tokens(
    connection: &Connection,
    sealer: &Sealer,
    from: &str,
    to: &str,
) -> Result<(), Refusal> {
    let newest = tokens::newest(connection, from)?;
    if newest == Generation::NONE {
        return Ok(());
    }
    let mut generation = tokens::newest(connection, to)?;
    for skip in [1, 0] {
        let Some(row) = tokens::row(connection, from, skip)? else {
            continue;
        };
        generation = generation.next();
        let row = if let Some(record) = row.open(sealer, from)? {
            let draft = with_standing(connection, from, Draft::from(record))?;
            standing::put(connection, to, generation, &draft)?;
            Row::seal(sealer, to, generation, &draft)?
        } else {
            standing::clear(connection, to, generation)?;
            Row::vacant(sealer, to, generation, row::CLEARED)?
        };
        tokens::remove_before(connection, to, Generation(generation.0 - 1))?;
        tokens::put(connection, to, &row)?;
    }
    vacate(connection, sealer, from, newest, row::REMOVED).map(drop)
}

/// The draft with what rests in the clear beside it.
pub(super) fn with_standing(
    connection: &Connection,
    profile: &str,
    mut draft: Draft,
) -> Result<Draft, Refusal> {
    if let Some(standing) = standing::one(connection, profile)? {
        draft.facts = standing.facts;
        draft.progress = standing.held.map(|held| held.progress).unwrap_or_default();
    }
    Ok(draft)
}

fn place_of<'a>(kept: Kept, profile: &'a str, binding: &'a Binding) -> Place<'a> {
    let Binding { instance, client_id } = binding;
    Place { table: kept.table(), profile, generation: 0, instance, client_id }
}

pub(super) fn put_kept(
    connection: &Connection,
    sealer: &Sealer,
    kept: Kept,
    profile: &str,
    binding: &Binding,
    secret: &Secret,
) -> Result<(), Refusal> {
    let place = place_of(kept, profile, binding);
    let blob = sealer.seal(&place, "secret", &[], secret.expose().as_bytes())?;
    Ok(ledger::put_kept(connection, kept, profile, binding, &blob)?)
}

pub(super) fn open_kept(
    sealer: &Sealer,
    kept: Kept,
    profile: &str,
    binding: &Binding,
    blob: &[u8],
) -> Result<Secret> {
    sealer
        .open(&place_of(kept, profile, binding), "secret", &[], blob)
        .and_then(seal::text)
        .map_err(|_| {
            let what = kept.name();
            StoreError::damaged(format!("the {what} of profile \"{profile}\" does not open"))
        })
}
