//! `status`: who, what scope, when everything ends and how that is known.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use snowtoken::core::diagnosis::Code;
use snowtoken::core::printable::Printable;
use snowtoken::core::profile::Profile;
use snowtoken::core::token_set::{Deadline, KnownBy, User};
use snowtoken::core::{SignedDuration, Timestamp};
use snowtoken::delivery::moment;
use snowtoken::session;
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
        .unwrap_or(Timestamp::MAX);
    let near: Vec<Near<'_>> = rows.iter().filter_map(|row| near(row, horizon)).collect();
    let Some(first) = near.first() else {
        return Ok(ExitCode::SUCCESS);
    };
    let names: Vec<String> = near.iter().map(ToString::to_string).collect();
    let failure = Failure::told(
        Code::DeadlineNear,
        format!("a deadline is near or past: {}", names.join(", ")),
    );
    // A hint can name one profile only.
    Err(if near.len() == 1 { failure.about(&first.profile.name) } else { failure })
}

/// A profile that somebody has to look after.
struct Near<'a> {
    profile: &'a Profile,
    is_known: bool,
}

impl std::fmt::Display for Near<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = &self.profile.name;
        if self.is_known { write!(f, "{name}") } else { write!(f, "{name} (its end is not known)") }
    }
}

/// A refresh token that may end any day is as near as one that ends today.
fn near<'a>(row: &Row<'a>, horizon: Timestamp) -> Option<Near<'a>> {
    row.record.as_ref()?;
    let deadline = last_deadline(row);
    deadline
        .is_none_or(|deadline| deadline.at <= horizon)
        .then_some(Near { profile: row.profile, is_known: deadline.is_some() })
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
                store.client_secret(&profile.name, &session::binding(profile))?.is_some();
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

/// Tokens of another instance or client are not used; they wait for their own profile to come back.
fn is_bound_elsewhere(row: &Row<'_>) -> bool {
    let here = session::binding(row.profile);
    row.record.as_ref().is_some_and(|record| record.binding != here)
}

fn state(row: &Row<'_>) -> &'static str {
    match row.record.as_ref().map(|record| record.state) {
        None => "not logged in",
        Some(_) if is_bound_elsewhere(row) => "bound elsewhere",
        Some(RecordState::Held) => "logged in",
        Some(RecordState::Rejected { .. }) => "a person must log in",
        Some(RecordState::RevocationPending { .. }) => "being revoked",
        Some(RecordState::HandedOver { .. }) => "handed over",
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
        "state": state(row),
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

fn as_text(rows: &[Row<'_>], now: Timestamp, store: Option<(String, String)>) -> String {
    if rows.is_empty() {
        return "no profiles yet: `snowtoken login NAME` makes one, `snowtoken rehearse` shows how it goes\n".to_owned();
    }
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{}: {}", row.profile.name, state(row));
        for (label, value) in lines(row, now) {
            let _ = writeln!(text, "  {label:<15} {value}");
        }
    }
    if let Some((path, key)) = store {
        let _ = writeln!(text, "secrets are sealed in {path}; their key: {key}");
    }
    text
}

fn lines(row: &Row<'_>, now: Timestamp) -> Vec<(&'static str, String)> {
    let profile = row.profile;
    let mut lines = vec![
        ("instance", profile.instance.to_string()),
        ("client", profile.client_id.to_string()),
        ("target", profile.target.clone()),
    ];
    if let Some(record) = &row.record {
        if is_bound_elsewhere(row) {
            let binding = &record.binding;
            let owner = format!("{} and client {}", binding.instance, binding.client_id);
            lines.push(("tokens of", Printable(&owner).to_string()));
        }
        if let Some(user) = record.user.as_ref().and_then(User::name) {
            lines.push(("user", Printable(user).to_string()));
        }
        if let Some(scope) = &record.tokens.scope {
            lines.push(("scope", Printable(scope).to_string()));
        }
        let ends = |d: Deadline| {
            let from_now = output::distance(d.at.duration_since(now));
            format!("ends {} ({from_now}, {})", moment(d.at), d.known_by)
        };
        let access = if record.tokens.access_token.is_empty() {
            "none yet: the next refresh brings one".to_owned()
        } else {
            ends(record.tokens.access_expires_at)
        };
        lines.push(("access token", access));
        let refresh = match (&record.tokens.refresh_token, last_deadline(row)) {
            (Some(_), Some(deadline)) => ends(deadline),
            (Some(_), None) => "its end is not known".to_owned(),
            (None, _) => "none".to_owned(),
        };
        lines.push(("refresh token", refresh));
    }
    let secret = if row.has_secret { "stored, sealed" } else { "not stored" };
    lines.push(("client secret", secret.to_owned()));
    lines.extend(row.delivered.iter().map(|path| ("delivered to", path.clone())));
    lines
}
