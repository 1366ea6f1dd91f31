//! Client secrets, private keys, deliveries, the audit and the list of profiles.

use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};
use snowtoken_core::profile::ProfileName;

use crate::record::{AuditEntry, Binding, Delivery, Wish};
use crate::row::REMOVED;

/// A secret that belongs to a profile's instance and client, and outlives its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    ClientSecret,
    SigningKey,
}

impl Kept {
    pub(super) const ALL: [Self; 2] = [Self::ClientSecret, Self::SigningKey];

    /// Its table; all have the same columns.
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::ClientSecret => "client_secret",
            Self::SigningKey => "signing_key",
        }
    }

    /// What a person calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ClientSecret => "client secret",
            Self::SigningKey => "private key",
        }
    }
}

/// Whom it belongs to, and the sealed secret.
pub(super) fn kept(
    connection: &Connection,
    kept: Kept,
    profile: &str,
) -> Result<Option<(Binding, Vec<u8>)>> {
    let table = kept.table();
    let sql = format!("SELECT instance, client_id, secret FROM {table} WHERE profile = ?1");
    connection
        .prepare_cached(&sql)?
        .query_row([profile], |row| {
            Ok((Binding { instance: row.get(0)?, client_id: row.get(1)? }, row.get(2)?))
        })
        .optional()
}

pub(super) fn put_kept(
    connection: &Connection,
    kept: Kept,
    profile: &str,
    binding: &Binding,
    blob: &[u8],
) -> Result<()> {
    let sql = format!(
        "INSERT OR REPLACE INTO {} (profile, instance, client_id, secret) VALUES (?1, ?2, ?3, ?4)",
        kept.table()
    );
    connection.execute(&sql, params![profile, binding.instance, binding.client_id, blob]).map(drop)
}

pub(super) fn remove_kept(connection: &Connection, kept: Kept, profile: &str) -> Result<bool> {
    let sql = format!("DELETE FROM {} WHERE profile = ?1", kept.table());
    Ok(connection.execute(&sql, [profile])? > 0)
}

/// Forgets every delivery to a path; whose they were.
pub(super) fn end_deliveries(connection: &Connection, path: &str) -> Result<Vec<String>> {
    connection
        .prepare_cached("DELETE FROM delivery WHERE path = ?1 RETURNING profile")?
        .query_map([path], |row| row.get(0))?
        .collect()
}

pub(super) fn put_delivery(connection: &Connection, delivery: &Delivery) -> Result<()> {
    // What is usual needs no words.
    let is_usual = delivery.wish == Wish::default();
    let wish = (!is_usual).then(|| serde_json::to_string(&delivery.wish)).transpose();
    let wish = wish.map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
    connection
        .execute(
            "INSERT OR REPLACE INTO delivery (profile, format, path, fingerprint, at, wish) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                delivery.profile.as_str(),
                delivery.format,
                delivery.path,
                delivery.fingerprint,
                delivery.at.to_string(),
                wish
            ],
        )
        .map(drop)
}

pub(super) fn deliveries(connection: &Connection, profile: &ProfileName) -> Result<Vec<Delivery>> {
    connection
        .prepare_cached(
            "SELECT format, path, fingerprint, at, wish FROM delivery WHERE profile = ?1 \
             ORDER BY format, path",
        )?
        .query_map([profile.as_str()], |row| {
            Ok(Delivery {
                profile: profile.clone(),
                format: row.get(0)?,
                path: row.get(1)?,
                fingerprint: row.get(2)?,
                at: parsed(row, 3, str::parse)?,
                wish: match row.get_ref(4)? {
                    rusqlite::types::ValueRef::Null => Wish::default(),
                    _ => parsed(row, 4, |text| serde_json::from_str(text))?,
                },
            })
        })?
        .collect()
}

pub(super) fn remove_delivery(
    connection: &Connection,
    profile: &str,
    format: &str,
    path: &str,
) -> Result<bool> {
    let sql = "DELETE FROM delivery WHERE profile = ?1 AND format = ?2 AND path = ?3";
    Ok(connection.execute(sql, [profile, format, path])? > 0)
}

pub(super) fn remove_deliveries(connection: &Connection, profile: &str) -> Result<bool> {
    Ok(connection.execute("DELETE FROM delivery WHERE profile = ?1", [profile])? > 0)
}

pub(super) fn rename_deliveries(connection: &Connection, from: &str, to: &str) -> Result<()> {
    connection.execute("UPDATE delivery SET profile = ?2 WHERE profile = ?1", [from, to]).map(drop)
}

/// Every profile that has tokens, a "cleared" mark, a secret or a delivery.
pub(super) fn profiles(connection: &Connection) -> Result<Vec<ProfileName>> {
    connection
        .prepare_cached(
            "SELECT profile FROM token_set AS newest WHERE state <> ?1 AND generation = \
             (SELECT max(generation) FROM token_set WHERE profile = newest.profile) \
             UNION SELECT profile FROM client_secret UNION SELECT profile FROM signing_key \
             UNION SELECT profile FROM delivery ORDER BY profile",
        )?
        .query_map([REMOVED], |row| parsed(row, 0, ProfileName::parse))?
        .collect()
}

pub(super) fn append_audit(connection: &Connection, entry: &AuditEntry) -> Result<()> {
    connection
        .execute(
            "INSERT INTO audit (at, profile, event, outcome, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                entry.at.to_string(),
                entry.profile.as_str(),
                entry.event,
                entry.outcome,
                entry.detail
            ],
        )
        .map(drop)
}

pub(super) fn audit(
    connection: &Connection,
    profile: Option<&ProfileName>,
    limit: u32,
) -> Result<Vec<AuditEntry>> {
    let mut entries = connection
        .prepare_cached(
            "SELECT at, profile, event, outcome, detail FROM audit \
             WHERE ?1 IS NULL OR profile = ?1 ORDER BY id DESC LIMIT ?2",
        )?
        .query_map(params![profile.map(ProfileName::as_str), limit], |row| {
            Ok(AuditEntry {
                at: parsed(row, 0, str::parse)?,
                profile: parsed(row, 1, ProfileName::parse)?,
                event: row.get(2)?,
                outcome: row.get(3)?,
                detail: row.get(4)?,
            })
        })?
        .collect::<Result<Vec<_>>>()?;
    entries.reverse();
    Ok(entries)
}

/// A text column as the value it stands for.
fn parsed<T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    index: usize,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T> {
    let text: String = row.get(index)?;
    parse(&text).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(e))
    })
}
