//! Rows of `standing`: what is known of a profile without opening anything that is sealed. Each is
//! written in the transaction that changes the tokens it is about. Moments are microseconds since
//! 1970, so that a hundred thousand of them are read in no time.

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, named_params, params};
use snowtoken_core::diagnosis::Code;
use snowtoken_core::keeper::{FailedAttempt, Progress, Why};
use snowtoken_core::ledger::Facts;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::token_set::{Deadline, Generation};

use crate::record::{Binding, Draft, Held, RecordState, Standing};
use crate::row::{CLEARED, words};

const COLUMNS: &str = "profile, generation, state, state_at, instance, client_id, user, scope, \
    issued_at, granted_at, access_expires_at, access_expiry_known_by, has_access_token, \
    has_refresh_token, refresh_expires_at, refresh_expiry_known_by, sent_at, failures, failed_at, \
    failure_code, failure_detail, next_at, next_why, facts";

/// How one profile stands.
pub(super) fn one(connection: &Connection, profile: &str) -> Result<Option<Standing>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM standing WHERE profile = ?1"))?
        .query_row([profile], read)
        .optional()
}

/// How every profile stands, in the order of their names.
pub(super) fn all(connection: &Connection, each: &mut dyn FnMut(Standing)) -> Result<()> {
    let mut statement = connection.prepare_cached(&all_sql())?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(read(row)?);
    }
    Ok(())
}

/// Asks for what [`read`] reads, of every profile in the order of their names.
pub(super) fn all_sql() -> String {
    format!("SELECT {COLUMNS} FROM standing ORDER BY profile")
}

/// Writes how the profile stands with this token set.
pub(super) fn put(
    connection: &Connection,
    profile: &str,
    generation: Generation,
    draft: &Draft,
) -> Result<()> {
    let held = Held::of(draft);
    let (state, _) = words::state_words(held.state);
    let mut statement = connection.prepare_cached(&format!(
        "INSERT OR REPLACE INTO standing ({COLUMNS}) VALUES (:profile, :generation, :state, \
         :state_at, :instance, :client_id, :user, :scope, :issued_at, :granted_at, :access_end, \
         :access_known_by, :has_access, :has_refresh, :refresh_end, :refresh_known_by, :sent_at, \
         :failures, :failed_at, :code, :detail, :next_at, :next_why, :facts)"
    ))?;
    let Progress { sent_at, failures, failed, next } = &held.progress;
    statement.execute(named_params! {
        ":profile": profile,
        ":generation": generation.0.cast_signed(),
        ":state": state,
        ":state_at": state_moment(held.state).map(micros),
        ":instance": held.binding.instance,
        ":client_id": held.binding.client_id,
        ":user": held.user,
        ":scope": held.scope,
        ":issued_at": micros(held.issued_at),
        ":granted_at": micros(held.granted_at),
        ":access_end": micros(held.access_expires_at.at),
        ":access_known_by": held.access_expires_at.known_by.as_str(),
        ":has_access": held.has_access_token,
        ":has_refresh": held.has_refresh_token,
        ":refresh_end": held.refresh_expires_at.map(|end| micros(end.at)),
        ":refresh_known_by": held.refresh_expires_at.map(|end| end.known_by.as_str()),
        ":sent_at": sent_at.map(micros),
        ":failures": failures,
        ":failed_at": failed.as_ref().map(|failed| micros(failed.at)),
        ":code": failed.as_ref().map(|failed| failed.code.as_str()),
        ":detail": failed.as_ref().map(|failed| failed.detail.as_str()),
        ":next_at": next.map(|(at, _)| micros(at)),
        ":next_why": next.map(|(_, why)| why.as_str()),
        ":facts": facts_text(&draft.facts),
    })?;
    Ok(())
}

/// Changes how far refreshing has come; whether there was a token set of that generation.
pub(super) fn note(
    connection: &Connection,
    profile: &str,
    generation: Generation,
    progress: &Progress,
) -> Result<bool> {
    let Progress { sent_at, failures, failed, next } = progress;
    let mut statement = connection.prepare_cached(
        "UPDATE standing SET sent_at = ?3, failures = ?4, failed_at = ?5, failure_code = ?6, \
         failure_detail = ?7, next_at = ?8, next_why = ?9 \
         WHERE profile = ?1 AND generation = ?2 AND state <> ?10",
    )?;
    let changed = statement.execute(params![
        profile,
        generation.0.cast_signed(),
        sent_at.map(micros),
        failures,
        failed.as_ref().map(|failed| micros(failed.at)),
        failed.as_ref().map(|failed| failed.code.as_str()),
        failed.as_ref().map(|failed| failed.detail.as_str()),
        next.map(|(at, _)| micros(at)),
        next.map(|(_, why)| why.as_str()),
        CLEARED,
    ])?;
    Ok(changed > 0)
}

/// Notes what was learnt; whether the profile was there.
pub(super) fn set_facts(connection: &Connection, profile: &str, facts: &Facts) -> Result<bool> {
    let sql = "UPDATE standing SET facts = ?2 WHERE profile = ?1";
    Ok(connection.execute(sql, params![profile, facts_text(facts)])? > 0)
}

/// The tokens are gone; what was learnt stays.
pub(super) fn clear(connection: &Connection, profile: &str, generation: Generation) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO standing (profile, generation, state, instance, client_id, \
             has_access_token, has_refresh_token, failures, facts) VALUES (?1, ?2, ?3, '', '', 0, \
             0, 0, (SELECT facts FROM standing WHERE profile = ?1))",
        )?
        .execute(params![profile, generation.0.cast_signed(), CLEARED])
        .map(drop)
}

/// Forgets the profile.
pub(super) fn remove(connection: &Connection, profile: &str) -> Result<()> {
    connection.execute("DELETE FROM standing WHERE profile = ?1", [profile]).map(drop)
}

/// `None` for what need not be stored.
fn facts_text(facts: &Facts) -> Option<String> {
    // Plain texts and numbers: this cannot fail, and what was learnt can be learnt again.
    (*facts != Facts::default()).then(|| serde_json::to_string(facts).ok()).flatten()
}

fn state_moment(state: RecordState) -> Option<Timestamp> {
    match state {
        RecordState::Held => None,
        RecordState::Rejected { at } | RecordState::HandedOver { at } => Some(at),
        RecordState::RevocationPending { since } => Some(since),
    }
}

fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn read(row: &Row<'_>) -> Result<Standing> {
    let text = |index: usize| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
    let profile = ProfileName::parse(text(0)?).map_err(|e| bad(0, e))?;
    let facts = match row.get_ref(23)? {
        ValueRef::Text(json) => serde_json::from_slice(json).unwrap_or_default(),
        _ => Facts::default(),
    };
    let held = if text(2)? == CLEARED { None } else { Some(read_held(row)?) };
    let generation = Generation(row.get::<_, i64>(1)?.cast_unsigned());
    Ok(Standing { profile, generation, held, facts })
}

fn read_held(row: &Row<'_>) -> Result<Held> {
    let failed = match (moment(row, 18)?, row.get_ref(19)?) {
        (Some(at), ValueRef::Text(code)) => std::str::from_utf8(code)
            .ok()
            .and_then(Code::find)
            .map(|code| row.get(20).map(|detail| FailedAttempt { at, code, detail }))
            .transpose()?,
        _ => None,
    };
    let next = match (moment(row, 21)?, row.get_ref(22)?) {
        (Some(at), ValueRef::Text(why)) => {
            std::str::from_utf8(why).ok().and_then(Why::find).map(|why| (at, why))
        }
        _ => None,
    };
    Ok(Held {
        binding: Binding { instance: row.get(4)?, client_id: row.get(5)? },
        state: state(row, 2)?,
        user: row.get(6)?,
        scope: row.get(7)?,
        issued_at: needed(row, 8)?,
        granted_at: needed(row, 9)?,
        access_expires_at: needed_deadline(row, 10)?,
        has_access_token: row.get(12)?,
        has_refresh_token: row.get(13)?,
        refresh_expires_at: deadline(row, 14)?,
        progress: Progress { sent_at: moment(row, 16)?, failures: row.get(17)?, failed, next },
    })
}

/// A state and, in the column after it, since when.
pub(super) fn state(row: &Row<'_>, index: usize) -> Result<RecordState> {
    let word = row.get_ref(index)?.as_str()?;
    let at = moment(row, index + 1)?.map(|at| at.to_string());
    words::state(word, at.as_deref()).ok_or_else(|| bad(index, NotThere))
}

pub(super) fn needed_deadline(row: &Row<'_>, index: usize) -> Result<Deadline> {
    deadline(row, index)?.ok_or_else(|| bad(index, NotThere))
}

/// A moment and, in the column after it, how it is known.
pub(super) fn deadline(row: &Row<'_>, index: usize) -> Result<Option<Deadline>> {
    let Some(at) = moment(row, index)? else { return Ok(None) };
    let known_by = words::find_known_by(row.get_ref(index + 1)?.as_str()?)
        .ok_or_else(|| bad(index + 1, NotThere))?;
    Ok(Some(Deadline { at, known_by }))
}

fn needed(row: &Row<'_>, index: usize) -> Result<Timestamp> {
    moment(row, index)?.ok_or_else(|| bad(index, NotThere))
}

fn moment(row: &Row<'_>, index: usize) -> Result<Option<Timestamp>> {
    let micros: Option<i64> = row.get(index)?;
    micros.map(|at| Timestamp::from_microsecond(at).map_err(|e| bad(index, e))).transpose()
}

#[derive(Debug, thiserror::Error)]
#[error("a value is missing or is no word that is known")]
struct NotThere;

fn bad(index: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    let kind = rusqlite::types::Type::Text;
    rusqlite::Error::FromSqlConversionFailure(index, kind, Box::new(error))
}
