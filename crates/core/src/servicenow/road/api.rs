//! The API: whether the stored access token opens it, and the target's tables.

use jiff::Timestamp;

use super::standing::{Standing, State};
use super::{Evidence, Fault, Subject, Verdict, Why};
use crate::servicenow::{ApiError, ApiVerdict};

fn unknown(why: Why, text: impl Into<String>) -> Verdict {
    Verdict::Unknown(why, text.into())
}

pub(super) fn api(standing: Option<&Standing>, seen: &Evidence, now: Timestamp) -> Verdict {
    match &seen.api {
        Some(Err(silence)) => Verdict::Fail(silence.fault()),
        Some(Ok(Err(error))) => Verdict::Fail(Fault::of(error)),
        Some(Ok(Ok(ApiVerdict::NotThere))) => {
            unknown(Why::NotTold, "this instance does not have the call that names the user")
        }
        Some(Ok(Ok(_))) => Verdict::Pass(open(seen)),
        None => unknown(Why::NotAsked, unasked(standing, now)),
    }
}

fn open(seen: &Evidence) -> String {
    let restricted = seen.record.as_ref().and_then(|record| record.is_restricted);
    let scoped = match restricted {
        Some(true) => ", for a client that is securely scoped",
        Some(false) => ", for a client that is broadly scoped",
        None => "",
    };
    format!("the access token opens it{scoped}")
}

fn unasked(standing: Option<&Standing>, now: Timestamp) -> &'static str {
    match standing {
        None => "there are no tokens yet",
        Some(Standing { state: State::BeingRevoked, .. }) => "a revocation is under way",
        Some(standing) if standing.access_end.at <= now => {
            "the stored access token has ended; --refresh asks for another"
        }
        Some(_) => "not asked",
    }
}

pub(super) fn tables(subject: &Subject, seen: &Evidence) -> Verdict {
    let Some(tables) = &subject.tables else {
        return unknown(Why::NotHere, "no target was named");
    };
    if tables.is_empty() {
        return unknown(Why::NotHere, "the target names no tables");
    }
    if seen.tables.is_empty() {
        return unknown(Why::NotAsked, "it takes an access token that lives");
    }
    let mut empty = Vec::new();
    for (table, answer) in &seen.tables {
        match answer {
            Err(silence) => return Verdict::Fail(silence.fault()),
            Ok(Err(error)) => return Verdict::Fail(refused(table, error)),
            Ok(Ok(ApiVerdict::Records(1..))) => {}
            Ok(Ok(_)) => empty.push(table.as_str()),
        }
    }
    let names: Vec<&str> = seen.tables.iter().map(|(table, _)| table.as_str()).collect();
    if empty.is_empty() {
        Verdict::Pass(format!("{}: readable", names.join(", ")))
    } else {
        let empty = empty.join(", ");
        unknown(
            Why::NotTold,
            format!(
                "{empty}: no record came, so it is empty, or access rules or \"Can Read\" hide what is in it"
            ),
        )
    }
}

fn refused(table: &str, error: &ApiError) -> Fault {
    use crate::diagnosis::Diagnose as _;
    Fault::new(error.code(), format!("{table}: {error}"))
}
