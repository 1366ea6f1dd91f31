//! Scopes in the older model: rows of `oauth_entity_scope`, linked to the client's own profile.

use serde_json::json;

use super::answer::{Heard, Row, text};
use super::report::Fate;
use super::table::{Call, Fields};
use super::work::{Apply, NEW, Step as Work, key};

const SCOPES: &str = "oauth_entity_scope";
const PROFILES: &str = "oauth_entity_profile";
const LINKS: &str = "oauth_entity_profile_scope";

/// Stands for the key of the profile of a client that a dry run only pretends to make.
const NEW_PROFILE: &str = "key-of-its-profile";

#[derive(Debug, Clone)]
pub(super) enum Step {
    ReadScopes,
    MakeScope(String),
    ReadProfiles,
    MakeProfile,
    ReadLinks,
    Link(String),
}

impl Step {
    pub(super) fn call(&self, apply: &Apply) -> Option<Call> {
        let known = &apply.known;
        let of_client = format!("oauth_entity={}", known.sys_id);
        Some(match self {
            Self::ReadScopes => Call::list(SCOPES, &of_client, "sys_id,name,oauth_entity", 200),
            Self::MakeScope(name) => {
                let fields =
                    [("oauth_entity", known.sys_id.as_str()), ("name", name), (SCOPES, name)];
                Call::make(SCOPES, Fields::of(&fields), "sys_id")
            }
            Self::ReadProfiles => {
                Call::list(PROFILES, &of_client, "sys_id,name,default,oauth_entity", 50)
            }
            Self::MakeProfile => {
                let name = format!("{} default_profile", apply.plan.name);
                let fields =
                    [("oauth_entity", known.sys_id.as_str()), ("name", &name), ("default", "true")];
                Call::make(PROFILES, Fields::of(&fields), "sys_id")
            }
            Self::ReadLinks => {
                let query = format!("{PROFILES}={}", known.profile);
                Call::list(LINKS, &query, "sys_id,oauth_entity_profile,oauth_entity_scope", 200)
            }
            Self::Link(name) => {
                let scope = known.scopes.get(name)?;
                let fields = [(PROFILES, known.profile.as_str()), (SCOPES, scope)];
                Call::make(LINKS, Fields::of(&fields), "sys_id")
            }
        })
    }

    pub(super) fn react(self, apply: &mut Apply, heard: Heard) {
        match (self, heard) {
            (Self::ReadScopes, Heard::Rows(rows)) => found_scopes(apply, &rows),
            (Self::MakeScope(name), Heard::Row(row)) => {
                apply.note(format!("Scope {name} ({SCOPES})"), Fate::Made);
                apply.known.scopes.insert(name, key(&row));
            }
            (Self::ReadProfiles, Heard::Rows(rows)) => found_profiles(apply, &rows),
            (Self::MakeProfile, Heard::Row(row)) => {
                apply.known.profile = key(&row);
                apply.note(format!("Profile ({PROFILES})"), Fate::Made);
            }
            // The profile could not be made, which was told.
            (Self::ReadLinks, _) if apply.known.profile.is_empty() => {}
            (Self::ReadLinks, Heard::Rows(rows)) => found_links(apply, &rows),
            (Self::Link(name), heard) => {
                apply.settle(&format!("Scope {name} of the profile ({LINKS})"), heard, Fate::Made);
            }
            (Self::MakeScope(name), heard) => {
                apply.settle(&format!("Scope {name} ({SCOPES})"), heard, Fate::Made);
            }
            (Self::ReadScopes, heard) => {
                apply.settle(&format!("Scopes ({SCOPES})"), heard, Fate::AsItWas(None));
            }
            (Self::ReadProfiles | Self::MakeProfile, heard) => {
                apply.settle(&format!("Profile ({PROFILES})"), heard, Fate::AsItWas(None));
            }
            (Self::ReadLinks, heard) => {
                let what = format!("Scopes of the profile ({LINKS})");
                apply.settle(&what, heard, Fate::AsItWas(None));
            }
        }
    }
}

/// Of these rows those of the client: a filter that was dropped brings strangers'.
fn of_client<'a>(apply: &'a Apply, rows: &'a [Row]) -> impl Iterator<Item = &'a Row> {
    rows.iter().filter(|row| text(row, "oauth_entity") == apply.known.sys_id)
}

fn found_scopes(apply: &mut Apply, rows: &[Row]) {
    let there = of_client(apply, rows).map(|row| (text(row, "name").to_owned(), key(row)));
    let there: Vec<_> = there.collect();
    apply.known.scopes.extend(there);
    let missing: Vec<Step> = (apply.plan.scopes.iter())
        .filter(|name| !apply.known.scopes.contains_key(*name))
        .map(|name| Step::MakeScope(name.clone()))
        .collect();
    if missing.is_empty() {
        apply.note(format!("Scopes ({SCOPES})"), Fate::AsItWas(None));
    }
    then(apply, missing.into_iter().chain([Step::ReadProfiles]).collect());
}

/// The default one, or any of the client's.
fn found_profiles(apply: &mut Apply, rows: &[Row]) {
    let mut ours: Vec<&Row> = of_client(apply, rows).collect();
    ours.sort_by_key(|row| text(row, "default") != "true");
    match ours.first().map(|row| key(row)) {
        Some(profile) => {
            apply.known.profile = profile;
            then(apply, vec![Step::ReadLinks]);
        }
        None => then(apply, vec![Step::MakeProfile, Step::ReadLinks]),
    }
}

fn found_links(apply: &mut Apply, rows: &[Row]) {
    let ours = rows.iter().filter(|row| text(row, PROFILES) == apply.known.profile);
    let linked = ours.map(|row| text(row, SCOPES).to_owned()).collect();
    apply.known.linked = linked;
    let missing: Vec<Step> = (apply.plan.scopes.iter())
        .filter(|name| is_not_linked(apply, name))
        .map(|name| Step::Link(name.clone()))
        .collect();
    if missing.is_empty() {
        apply.note(format!("Scopes of the profile ({LINKS})"), Fate::AsItWas(None));
    }
    then(apply, missing);
}

/// What a new client has without anybody making it: a profile of its own.
pub(super) fn comes_with_a_client(call: &Call) -> Vec<Row> {
    if !call.path.starts_with(&format!("/api/now/table/{PROFILES}?")) {
        return Vec::new();
    }
    let pairs = [("sys_id", NEW_PROFILE), ("oauth_entity", NEW), ("default", "true")];
    vec![pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()]
}

fn is_not_linked(apply: &Apply, name: &str) -> bool {
    let known = &apply.known;
    known.scopes.get(name).is_some_and(|scope| !known.linked.contains(scope))
}

fn then(apply: &mut Apply, steps: Vec<Step>) {
    apply.first(steps.into_iter().map(Work::Classic));
}
