//! Rows of `token_set`: reading and writing them, inside whatever transaction the caller has.

use rusqlite::{Connection, OptionalExtension as _, Result, Row as SqlRow, named_params, params};
use snowtoken_core::token_set::Generation;

use crate::row::{Head, Row, Tail};

/// The newest generation; [`Generation::NONE`] if there is none.
pub(super) fn newest(connection: &Connection, profile: &str) -> Result<Generation> {
    connection
        .prepare_cached("SELECT max(generation) FROM token_set WHERE profile = ?1")?
        .query_row([profile], |row| row.get::<_, Option<i64>>(0))
        .map(|found| Generation(found.unwrap_or(0).unsigned_abs()))
}

/// What the hot path needs of the newest row.
pub(super) fn head(connection: &Connection, profile: &str) -> Result<Option<Head>> {
    connection
        .prepare_cached(
            "SELECT generation, instance, client_id, state, state_at, access_expires_at, \
             access_expiry_known_by, issued_at, access_token \
             FROM token_set WHERE profile = ?1 ORDER BY generation DESC LIMIT 1",
        )?
        .query_row([profile], read_head)
        .optional()
}

/// The newest row, or with `skip` 1 the one before it.
pub(super) fn row(connection: &Connection, profile: &str, skip: u8) -> Result<Option<Row>> {
    connection
        .prepare_cached(
            "SELECT generation, instance, client_id, state, state_at, access_expires_at, \
             access_expiry_known_by, access_token, issued_at, granted_at, scope, \
             refresh_expires_at, refresh_expiry_known_by, refresh_token, authorization_code, \
             user, seal \
             FROM token_set WHERE profile = ?1 ORDER BY generation DESC LIMIT 1 OFFSET ?2",
        )?
        .query_row(params![profile, skip], |row| {
            Ok(Row { head: read_head(row)?, tail: read_tail(row)? })
        })
        .optional()
}

/// Writes a row, in place of one of the same generation.
pub(super) fn put(connection: &Connection, profile: &str, row: &Row) -> Result<()> {
    let Row { head, tail } = row;
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO token_set (profile, generation, instance, client_id, state, \
         state_at, access_expires_at, access_expiry_known_by, access_token, issued_at, granted_at, \
         scope, refresh_expires_at, refresh_expiry_known_by, refresh_token, authorization_code, \
         user, seal) VALUES (:profile, :generation, :instance, :client_id, :state, :state_at, \
         :access_expires_at, :access_expiry_known_by, :access_token, :issued_at, :granted_at, \
         :scope, :refresh_expires_at, :refresh_expiry_known_by, :refresh_token, \
         :authorization_code, :user, :seal)",
    )?;
    statement.execute(named_params! {
        ":profile": profile,
        ":generation": head.generation.cast_signed(),
        ":instance": head.instance,
        ":client_id": head.client_id,
        ":state": head.state,
        ":state_at": head.state_at,
        ":access_expires_at": head.access_expires_at,
        ":access_expiry_known_by": head.access_expiry_known_by,
        ":access_token": head.access_token,
        ":issued_at": head.issued_at,
        ":granted_at": tail.granted_at,
        ":scope": tail.scope,
        ":refresh_expires_at": tail.refresh_expires_at,
        ":refresh_expiry_known_by": tail.refresh_expiry_known_by,
        ":refresh_token": tail.refresh_token,
        ":authorization_code": tail.authorization_code,
        ":user": tail.user,
        ":seal": tail.seal,
    })?;
    Ok(())
}

/// Removes every row of the profile that is older than this generation.
pub(super) fn remove_before(
    connection: &Connection,
    profile: &str,
    generation: Generation,
) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM token_set WHERE profile = ?1 AND generation < ?2")?
        .execute(params![profile, generation.0.cast_signed()])
        .map(drop)
}

fn read_head(row: &SqlRow<'_>) -> Result<Head> {
    Ok(Head {
        generation: row.get::<_, i64>("generation")?.cast_unsigned(),
        instance: row.get("instance")?,
        client_id: row.get("client_id")?,
        state: row.get("state")?,
        state_at: row.get("state_at")?,
        access_expires_at: row.get("access_expires_at")?,
        access_expiry_known_by: row.get("access_expiry_known_by")?,
        issued_at: row.get("issued_at")?,
        access_token: row.get("access_token")?,
    })
}

fn read_tail(row: &SqlRow<'_>) -> Result<Tail> {
    Ok(Tail {
        granted_at: row.get("granted_at")?,
        scope: row.get("scope")?,
        refresh_expires_at: row.get("refresh_expires_at")?,
        refresh_expiry_known_by: row.get("refresh_expiry_known_by")?,
        refresh_token: row.get("refresh_token")?,
        authorization_code: row.get("authorization_code")?,
        user: row.get("user")?,
        seal: row.get("seal")?,
    })
}
