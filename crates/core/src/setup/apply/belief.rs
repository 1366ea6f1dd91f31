//! What is believed of an answer: a record has a key, and the client's record is the client's.

use super::answer::{Heard, Row, text};
use super::error::ApplyError;
use crate::oauth::client::ClientId;
use crate::servicenow::ApiError;

/// Whether this is the key of a record, as every instance makes them.
pub(super) fn is_key(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The answer about the client's record.
///
/// # Errors
/// If it holds no record, another one, or one without what everything else would be asked by.
pub(super) fn client(
    heard: &Heard,
    sys_id: Option<&str>,
    made: Option<&ClientId>,
) -> Result<(), ApplyError> {
    let Heard::Row(row) = heard else { return Err(unusable("no record")) };
    let key = text(row, "sys_id");
    if !is_key(key) {
        return Err(unusable("a record without its key"));
    }
    if sys_id.is_some_and(|own| own != key) {
        return Err(unusable("another record"));
    }
    if made.is_some() && text(row, "client_id").is_empty() {
        return Err(unusable("a record without its client ID"));
    }
    Ok(())
}

fn unusable(what: &str) -> ApplyError {
    let detail = Some(format!("asked about the client's record, it answered {what}"));
    ApiError::Unexpected { status: 200, detail }.into()
}

/// The answer about any other part: rows without a key are left out, and whoever was told to write and
/// answers by no record has not written.
pub(super) fn part(heard: Heard, writes: bool) -> Heard {
    match heard {
        Heard::Rows(mut rows) if !writes => {
            rows.retain(has_key);
            Heard::Rows(rows)
        }
        Heard::Row(row) if has_key(&row) || !writes => Heard::Row(row),
        Heard::Row(_) | Heard::Rows(_) => {
            Heard::Refused { status: 200, said: Some("no record".to_owned()) }
        }
        other => other,
    }
}

/// Keys that came with the instance are not all made by its own rule; but each fits into a path.
fn has_key(row: &Row) -> bool {
    let key = text(row, "sys_id");
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=32).contains(&key.len()) && key.bytes().all(fits)
}
