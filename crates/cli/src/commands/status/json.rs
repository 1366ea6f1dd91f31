//! `--json`: everything that is known, documented in `docs/guides/deadlines.md`. Keys are added,
//! never changed. Profiles are printed while they are read.

use serde::Serialize;
use snowtoken::config::Entry;
use snowtoken::core::Timestamp;
use snowtoken::core::profile::Grant;
use snowtoken::delivery::moment;
use snowtoken::store::sqlite::{Glance, Holding};
use snowtoken::store::{Held, RecordState, Standing};
use snowtoken::targets::Classes;

use super::Overview;
use super::line::Line;
use super::long::next_refresh;
use crate::output::Data;
use crate::report::Failure;

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are members of JSON")]
struct Profile<'a> {
    #[serde(rename = "profile")]
    name: &'a str,
    instance: &'a str,
    client_id: &'a str,
    target: &'a str,
    grant: &'a str,
    state: &'a str,
    user: Option<&'a str>,
    concerns: &'a [String],
    scope: Option<&'a str>,
    access_token_expires_at: Option<String>,
    access_token_expiry_known_by: Option<&'a str>,
    refresh_token_expires_at: Option<String>,
    refresh_token_expiry_known_by: Option<&'a str>,
    refresh_token_end_on_refresh: &'a str,
    refresh_token_rotates: bool,
    refresh_token_outlived: Option<String>,
    access_token_lifespan_read: Option<i64>,
    refresh_token_lifespan_read: Option<i64>,
    granted_at: Option<String>,
    renews_itself: bool,
    next_refresh_at: Option<String>,
    next_refresh_why: Option<&'a str>,
    refresh_sent_at: Option<String>,
    failed_attempts: u32,
    last_failure: Option<Failed<'a>>,
    handed_over_at: Option<String>,
    client_secret_stored: bool,
    client_secret_changes: bool,
    private_key_stored: Option<bool>,
    delivered_to: &'a [String],
}

#[derive(Serialize)]
struct Failed<'a> {
    at: String,
    code: &'a str,
    detail: &'a str,
}

/// Prints one document, a profile at a time.
pub(super) fn print(overview: &Overview, see: &mut dyn FnMut(&Line<'_>)) -> Result<(), Failure> {
    let mut document = Document::begin(overview)?;
    let mut entries = overview.entries().peekable();
    let mut failed = None;
    let mut each = |holding: &Holding| {
        while let Some(entry) = entries.next_if(|entry| entry.name <= holding.profile.as_str()) {
            let found = (entry.name == holding.profile).then_some(holding);
            failed = failed.take().or(document.add(&entry, found, see).err());
        }
    };
    match (&overview.store, &overview.only) {
        (None, _) => {}
        (Some(store), Some(profile)) => each(&store.holding(profile)?),
        (Some(store), None) => store.holdings(&mut |holding| each(&holding))?,
    }
    for entry in entries {
        failed = failed.take().or(document.add(&entry, None, see).err());
    }
    failed.map_or(Ok(()), Err)?;
    document.end()
}

struct Document<'a> {
    classes: &'a Classes,
    data: Data,
    is_first: bool,
}

impl<'a> Document<'a> {
    fn begin(overview: &'a Overview) -> Result<Self, Failure> {
        let store = overview.store.as_ref();
        let path = text(&store.map(|store| store.path().display().to_string()))?;
        let key = text(&store.map(|store| store.key().kind()))?;
        let mut data = Data::new();
        data.push(&format!(
            "{{\n  \"version\": 1,\n  \"store\": {path},\n  \"key\": {key},\n  \"profiles\": ["
        ));
        Ok(Self { classes: &overview.classes, data, is_first: true })
    }

    fn add(
        &mut self,
        entry: &Entry<'_>,
        found: Option<&Holding>,
        see: &mut dyn FnMut(&Line<'_>),
    ) -> Result<(), Failure> {
        let standing = found.and_then(|found| found.standing.as_ref());
        let held = standing.and_then(|standing| standing.held.as_ref());
        let glance = standing.zip(held).map(|(standing, held)| Glance::of(&standing.profile, held));
        let is_prepared = glance.is_none() && self.classes.prepare_only(entry.target);
        let line = Line { entry: *entry, held: glance, is_prepared };
        see(&line);
        self.data.push(if self.is_first { "\n    " } else { ",\n    " });
        self.is_first = false;
        // A line break inside of a text is written as an escape: those that are left are ours.
        let text = text(&profile(&line, found, standing, held))?;
        self.data.push(&text.replace('\n', "\n    "));
        Ok(())
    }

    fn end(mut self) -> Result<(), Failure> {
        self.data.push(if self.is_first { "]\n}\n" } else { "\n  ]\n}\n" });
        self.data.finish()
    }
}

fn text(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(|_| Failure::bug("the status is no JSON"))
}

fn profile<'a>(
    line: &Line<'a>,
    found: Option<&'a Holding>,
    standing: Option<&'a Standing>,
    held: Option<&'a Held>,
) -> Profile<'a> {
    let entry = line.entry;
    let when = |at: Option<Timestamp>| at.map(moment);
    let refresh = line.refresh_end();
    let next =
        held.filter(|_| !line.is_bound_elsewhere()).and_then(|held| next_refresh(held, line));
    let failed = held.and_then(|held| held.progress.failed.as_ref());
    let facts = standing.map(|standing| &standing.facts);
    Profile {
        name: entry.name,
        instance: entry.instance,
        client_id: entry.client_id,
        target: entry.target,
        grant: entry.grant.as_str(),
        state: line.state(),
        user: held.and_then(|held| held.user.as_deref()),
        concerns: facts.map_or(&[], |facts| &facts.concerns),
        scope: held.and_then(|held| held.scope.as_deref()),
        access_token_expires_at: when(held.map(|held| held.access_expires_at.at)),
        access_token_expiry_known_by: held.map(|held| held.access_expires_at.known_by.as_str()),
        refresh_token_expires_at: when(refresh.map(|end| end.at)),
        refresh_token_expiry_known_by: refresh.map(|end| end.known_by.as_str()),
        refresh_token_end_on_refresh: facts.map_or("unknown", |facts| facts.refresh_end.as_str()),
        refresh_token_rotates: facts.is_some_and(|facts| facts.rotates),
        refresh_token_outlived: when(facts.and_then(|facts| facts.outlived)),
        access_token_lifespan_read: facts.and_then(|facts| facts.access_lifespan),
        refresh_token_lifespan_read: facts.and_then(|facts| facts.refresh_lifespan),
        granted_at: when(held.map(|held| held.granted_at)),
        renews_itself: line.renews_itself(),
        next_refresh_at: when(next.map(|(at, _)| at)),
        next_refresh_why: next.map(|(_, why)| why.as_str()),
        refresh_sent_at: when(held.and_then(|held| held.progress.sent_at)),
        failed_attempts: held.map_or(0, |held| held.progress.failures),
        last_failure: failed.map(|failed| Failed {
            at: moment(failed.at),
            code: failed.code.as_str(),
            detail: &failed.detail,
        }),
        handed_over_at: when(held.and_then(|held| match held.state {
            RecordState::HandedOver { at } => Some(at),
            _ => None,
        })),
        client_secret_stored: found.is_some_and(|found| line.has_secret(found)),
        client_secret_changes: found.is_some_and(|found| line.changes_secret(found)),
        private_key_stored: (entry.grant == Grant::JwtBearer)
            .then(|| found.is_some_and(|found| line.has_key(found))),
        delivered_to: found.map_or(&[], |found| &found.delivered),
    }
}
