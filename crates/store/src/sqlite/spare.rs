//! The second client secret, while a client's secret is being changed: inside whatever transaction
//! the caller has. It is bound to its role, so that a former secret cannot pass for the next one.

use rusqlite::{Connection, OptionalExtension as _, params};
use snowtoken_core::secret::Secret;

use super::changes::{open_kept, put_kept};
use super::ledger::Kept;
use super::{Refusal, ledger};
use crate::error::{Result, StoreError};
use crate::record::{Binding, SpareRole, SpareSecret};
use crate::seal::{self, Place, Sealer};

/// A row, still sealed.
pub(super) struct Stored {
    pub(super) binding: Binding,
    role: String,
    blob: Vec<u8>,
}

impl Stored {
    pub(super) fn open(&self, sealer: &Sealer, profile: &str) -> Result<SpareSecret> {
        let damaged = || {
            StoreError::damaged(format!(
                "the second client secret of profile \"{profile}\" does not open"
            ))
        };
        let role = SpareRole::find(&self.role).ok_or_else(damaged)?;
        let secret = sealer
            .open(&place(profile, &self.binding), "secret", &[role.as_str()], &self.blob)
            .and_then(seal::text)
            .map_err(|_| damaged())?;
        Ok(SpareSecret { role, secret })
    }
}

pub(super) fn read(connection: &Connection, profile: &str) -> rusqlite::Result<Option<Stored>> {
    connection
        .prepare_cached(
            "SELECT instance, client_id, role, secret FROM spare_secret WHERE profile = ?1",
        )?
        .query_row([profile], |row| {
            let binding = Binding { instance: row.get(0)?, client_id: row.get(1)? };
            Ok(Stored { binding, role: row.get(2)?, blob: row.get(3)? })
        })
        .optional()
}

pub(super) fn put_next(
    connection: &Connection,
    sealer: &Sealer,
    profile: &str,
    binding: &Binding,
    secret: &Secret,
) -> Result<(), Refusal> {
    put(connection, sealer, profile, binding, SpareRole::Next, secret)
}

/// Lets the current secret and this one change places; whether there was one.
pub(super) fn swap(
    connection: &Connection,
    sealer: &Sealer,
    profile: &str,
    binding: &Binding,
) -> Result<bool, Refusal> {
    let Some(stored) = read(connection, profile)?.filter(|stored| stored.binding == *binding)
    else {
        return Ok(false);
    };
    let spare = stored.open(sealer, profile)?;
    let current =
        ledger::kept(connection, Kept::ClientSecret, profile)?.filter(|(own, _)| own == binding);
    match current {
        Some((_, blob)) => {
            let current = open_kept(sealer, Kept::ClientSecret, profile, binding, &blob)?;
            put(connection, sealer, profile, binding, spare.role.other(), &current)?;
        }
        None => drop(remove(connection, profile)?),
    }
    put_kept(connection, sealer, Kept::ClientSecret, profile, binding, &spare.secret)?;
    Ok(true)
}

/// What a secret that is about to be stored means for this one: it was the one, and the two change
/// places; or it is a third one, which ends the change.
pub(super) fn before_set(
    connection: &Connection,
    sealer: &Sealer,
    profile: &str,
    binding: &Binding,
    secret: &Secret,
) -> Result<(), Refusal> {
    let Some(stored) = read(connection, profile)? else { return Ok(()) };
    let spare = stored.open(sealer, profile).ok().filter(|_| stored.binding == *binding);
    if spare.is_some_and(|spare| spare.secret == *secret) {
        return swap(connection, sealer, profile, binding).map(drop);
    }
    let current =
        ledger::kept(connection, Kept::ClientSecret, profile)?.filter(|(own, _)| own == binding);
    let is_same = current.is_some_and(|(_, blob)| {
        open_kept(sealer, Kept::ClientSecret, profile, binding, &blob)
            .is_ok_and(|current| current == *secret)
    });
    if !is_same {
        remove(connection, profile)?;
    }
    Ok(())
}

pub(super) fn rename(
    connection: &Connection,
    sealer: &Sealer,
    from: &str,
    to: &str,
) -> Result<(), Refusal> {
    let Some(stored) = read(connection, from)? else { return Ok(()) };
    let spare = stored.open(sealer, from)?;
    put(connection, sealer, to, &stored.binding, spare.role, &spare.secret)?;
    remove(connection, from)?;
    Ok(())
}

pub(super) fn remove(connection: &Connection, profile: &str) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM spare_secret WHERE profile = ?1", [profile])? > 0)
}

fn put(
    connection: &Connection,
    sealer: &Sealer,
    profile: &str,
    binding: &Binding,
    role: SpareRole,
    secret: &Secret,
) -> Result<(), Refusal> {
    let (place, bound) = (place(profile, binding), [role.as_str()]);
    let blob = sealer.seal(&place, "secret", &bound, secret.expose().as_bytes())?;
    let Binding { instance, client_id } = binding;
    connection.execute(
        "INSERT OR REPLACE INTO spare_secret (profile, instance, client_id, role, secret) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![profile, instance, client_id, role.as_str(), blob],
    )?;
    Ok(())
}

fn place<'a>(profile: &'a str, binding: &'a Binding) -> Place<'a> {
    let Binding { instance, client_id } = binding;
    Place { table: "spare_secret", profile, generation: 0, instance, client_id }
}
