//! `status`: who, what scope, when everything ends and how that is known.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use snowtoken::core::SignedDuration;
use snowtoken::core::diagnosis::Code;
use snowtoken::core::printable::Printable;
use snowtoken::core::profile::Profile;
use snowtoken::core::token_set::{Deadline, KnownBy, User};
use snowtoken::delivery::moment;
use snowtoken::store::key::KeyRecord;
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::{Record, RecordState, TokenStore as _};

use crate::app::App;
use crate::args::StatusArgs;
use crate::commands;
use crate::output;
use crate::report::Failure;

struct Row<'a> {
    profile: &'a Profile,
    record: Option<Record>,
    has_secret: bool,
    delivered: Vec<String>,
}

pub(crate) fn run(app: &App, args: &StatusArgs) -> Result<ExitCode, Failure> {
    let within =
        args.within.as_deref().map(|text| commands::duration("--within", text)).transpose()?;
    let config = app.config()?;
    let only = args.profile.as_deref().map(|text| app.profile(Some(text))).transpose()?;
    let profiles: Vec<&Profile> = match &only {
        Some(profile) => vec![profile],
        None => config.profiles().iter().collect(),
    };
    let store = app.store()?;
    let rows = rows(&profiles, store.as_ref())?;
    let now = app.world.now();
    let key = store.as_ref().map(|store| store.key().kind());
    if args.json {
        let profiles: Vec<Value> = rows.iter().map(as_json).collect();
        output::json(&json!({
            "version": 1,
            "store": store.as_ref().map(|store| store.path().display().to_string()),
            "key": key,
            "profiles": profiles,
        }))?;
    } else {
        output::data(&as_text(
            &rows,
            now,
            store.as_ref().map(|s| (s.path().display().to_string(), place(s.key()))),
        ))?;
    }
    let Some(within) = within else {
        return Ok(ExitCode::SUCCESS);
    };
    let horizon = now
        .saturating_add(SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX))
        .unwrap_or(snowtoken::core::Timestamp::MAX);
    let near: Vec<&str> = rows
        .iter()
        .filter(|row| last_deadline(row).is_some_and(|deadline| deadline.at <= horizon))
        .map(|row| row.profile.name.as_str())
        .collect();
    if near.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::told(
        Code::DeadlineNear,
        format!("a deadline is near or past: {}", near.join(", ")),
    ))
}

fn rows<'a>(
    profiles: &[&'a Profile],
    store: Option<&SqliteStore>,
) -> Result<Vec<Row<'a>>, Failure> {
    let mut rows = Vec::new();
    for &profile in profiles {
        let mut row = Row { profile, record: None, has_secret: false, delivered: Vec::new() };
        if let Some(store) = store {
            row.record = store.load(&profile.name)?;
            row.has_secret =
                store.client_secret(&profile.name, profile.client_id.as_str())?.is_some();
            let delivered = store.deliveries(&profile.name)?;
            row.delivered = delivered.into_iter().map(|delivery| delivery.path).collect();
        }
        rows.push(row);
    }
    Ok(rows)
}

fn place(key: &KeyRecord) -> String {
    match key {
        KeyRecord::Keyring { .. } => "this system's keyring".to_owned(),
        KeyRecord::File { path: Some(path) } => path.clone(),
        KeyRecord::File { path: None } => "a key file".to_owned(),
        KeyRecord::Passphrase(_) => "nowhere: derived from a passphrase".to_owned(),
        KeyRecord::Command => "wherever SNOWTOKEN_KEY_COMMAND gets it".to_owned(),
    }
}

/// When somebody has to do something: the refresh token's end, or the access token's where there
/// is no refresh token. A refused refresh token has ended, whatever was derived.
fn last_deadline(row: &Row<'_>) -> Option<Deadline> {
    let record = row.record.as_ref()?;
    if let RecordState::Rejected { at } = record.state {
        return Some(Deadline { at, known_by: KnownBy::Observed });
    }
    if record.tokens.refresh_token.is_some() {
        record.tokens.refresh_expires_at
    } else {
        Some(record.tokens.access_expires_at)
    }
}

fn state(record: Option<&Record>) -> &'static str {
    match record.map(|record| record.state) {
        None => "not logged in",
        Some(RecordState::Held) => "logged in",
        Some(RecordState::Rejected { .. }) => "a person must log in",
        Some(RecordState::RevocationPending { .. }) => "being revoked",
    }
}

fn as_json(row: &Row<'_>) -> Value {
    let record = row.record.as_ref();
    let refresh =
        record.filter(|r| r.tokens.refresh_token.is_some()).and_then(|_| last_deadline(row));
    json!({
        "profile": row.profile.name.as_str(),
        "instance": row.profile.instance.url(),
        "client_id": row.profile.client_id.as_str(),
        "target": row.profile.target,
        "state": state(record),
        "user": record.and_then(|r| r.user.as_ref()).and_then(User::name),
        "scope": record.and_then(|r| r.tokens.scope.as_deref()),
        "access_token_expires_at": record.map(|r| moment(r.tokens.access_expires_at.at)),
        "access_token_expiry_known_by": record.map(|r| r.tokens.access_expires_at.known_by.as_str()),
        "refresh_token_expires_at": refresh.map(|d| moment(d.at)),
        "refresh_token_expiry_known_by": refresh.map(|d| d.known_by.as_str()),
        "granted_at": record.map(|r| moment(r.tokens.granted_at)),
        "client_secret_stored": row.has_secret,
        "delivered_to": row.delivered,
    })
}

fn as_text(
    rows: &[Row<'_>],
    now: snowtoken::core::Timestamp,
    store: Option<(String, String)>,
) -> String {
    if rows.is_empty() {
        return "no profiles yet: `snowtoken login NAME` makes one, `snowtoken rehearse` shows how it goes\n".to_owned();
    }
    let mut text = String::new();
    for row in rows {
        let profile = row.profile;
        let _ = writeln!(text, "{}: {}", profile.name, state(row.record.as_ref()));
        let mut line = |label: &str, value: String| {
            let _ = writeln!(text, "  {label:<15} {value}");
        };
        line("instance", profile.instance.to_string());
        line("client", profile.client_id.to_string());
        line("target", profile.target.clone());
        if let Some(record) = &row.record {
            if let Some(user) = record.user.as_ref().and_then(User::name) {
                line("user", Printable(user).to_string());
            }
            if let Some(scope) = &record.tokens.scope {
                line("scope", Printable(scope).to_string());
            }
            let ends = |d: Deadline| {
                format!(
                    "ends {} ({}, {})",
                    moment(d.at),
                    output::distance(d.at.duration_since(now)),
                    d.known_by
                )
            };
            line("access token", ends(record.tokens.access_expires_at));
            match (&record.tokens.refresh_token, last_deadline(row)) {
                (Some(_), Some(deadline)) => line("refresh token", ends(deadline)),
                (Some(_), None) => line("refresh token", "its end is not known".to_owned()),
                (None, _) => line("refresh token", "none".to_owned()),
            }
        }
        line(
            "client secret",
            if row.has_secret { "stored, sealed".to_owned() } else { "not stored".to_owned() },
        );
        for path in &row.delivered {
            line("delivered to", path.clone());
        }
    }
    if let Some((path, key)) = store {
        let _ = writeln!(text, "secrets are sealed in {path}; their key: {key}");
    }
    text
}
