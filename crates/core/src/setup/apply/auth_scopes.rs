//! Scopes in the newer model: names that hold for the whole instance (`sys_auth_scope`), mapped to
//! the client. Older releases have neither table.

use super::answer::{Heard, Row, text};
use super::report::Fate;
use super::table::{Call, Fields};
use super::work::{Apply, Step as Work, key};

const SCOPES: &str = "sys_auth_scope";
const MAPPINGS: &str = "oauth_entity_auth_scope_mapping";

/// Predefined and known by its key: one that is made anew by this name opens nothing.
const FULL_ACCESS: &str = "useraccount";

#[derive(Debug, Clone)]
pub(super) enum Step {
    ReadScopes,
    MakeScope(String),
    ReadMappings,
    Map(String),
}

impl Step {
    pub(super) fn call(&self, apply: &Apply) -> Option<Call> {
        let known = &apply.known;
        Some(match self {
            Self::ReadScopes => {
                let query = format!("nameIN{}", apply.plan.scopes.join(","));
                Call::list(SCOPES, &query, "sys_id,name", 200)
            }
            Self::MakeScope(name) => Call::make(SCOPES, Fields::of(&[("name", name)]), "sys_id"),
            Self::ReadMappings => {
                let query = format!("oauth_entity={}", known.sys_id);
                Call::list(MAPPINGS, &query, "sys_id,oauth_entity,auth_scope", 200)
            }
            Self::Map(name) => {
                let scope = known.auth_scopes.get(name)?;
                let fields = [("oauth_entity", known.sys_id.as_str()), ("auth_scope", scope)];
                Call::make(MAPPINGS, Fields::of(&fields), "sys_id")
            }
        })
    }

    pub(super) fn react(self, apply: &mut Apply, heard: Heard) {
        match (self, heard) {
            (Self::ReadScopes, Heard::Rows(rows)) => found(apply, &rows),
            (Self::MakeScope(name), Heard::Row(row)) => {
                apply.note(format!("Scope {name} ({SCOPES})"), Fate::Made);
                apply.known.auth_scopes.insert(name, key(&row));
            }
            (Self::ReadMappings, Heard::Rows(rows)) => {
                let ours = |row: &&Row| text(row, "oauth_entity") == apply.known.sys_id;
                let there: Vec<&str> =
                    rows.iter().filter(ours).map(|row| text(row, "auth_scope")).collect();
                let is_there = |name: &String| {
                    apply.known.auth_scopes.get(name).is_none_or(|k| there.contains(&k.as_str()))
                };
                let missing: Vec<Step> = (apply.plan.scopes.iter())
                    .filter(|name| !is_there(name))
                    .map(|name| Self::Map(name.clone()))
                    .collect();
                if missing.is_empty() {
                    apply.note(format!("Scopes ({MAPPINGS})"), Fate::AsItWas(None));
                }
                then(apply, missing);
            }
            (Self::Map(name), heard) => {
                apply.settle(&format!("Scope {name} ({MAPPINGS})"), heard, Fate::Made);
            }
            (Self::MakeScope(name), heard) => {
                apply.settle(&format!("Scope {name} ({SCOPES})"), heard, Fate::Made);
            }
            (Self::ReadScopes, heard) => {
                apply.settle(&format!("Scopes ({SCOPES})"), heard, Fate::AsItWas(None));
            }
            (Self::ReadMappings, heard) => {
                apply.settle(&format!("Scopes ({MAPPINGS})"), heard, Fate::AsItWas(None));
            }
        }
    }
}

fn found(apply: &mut Apply, rows: &[Row]) {
    let named = rows.iter().map(|row| (text(row, "name").to_owned(), key(row)));
    let wanted = &apply.plan.scopes;
    let there: Vec<_> = named.filter(|(name, _)| wanted.contains(name)).collect();
    apply.known.auth_scopes.extend(there);
    let mut steps = Vec::new();
    for name in apply.plan.scopes.clone() {
        if apply.known.auth_scopes.contains_key(&name) {
            continue;
        }
        if name == FULL_ACCESS {
            let why = format!("{FULL_ACCESS}, which every instance has, cannot be seen");
            let who = "an administrator adds it to Auth Scopes on the client's form".to_owned();
            apply.note(format!("Scope {name} ({SCOPES})"), Fate::CouldNot { why, who });
        } else {
            steps.push(Step::MakeScope(name));
        }
    }
    if steps.is_empty() {
        apply.note(format!("Scopes ({SCOPES})"), Fate::AsItWas(None));
    }
    steps.push(Step::ReadMappings);
    then(apply, steps);
}

fn then(apply: &mut Apply, steps: Vec<Step>) {
    apply.first(steps.into_iter().map(Work::AuthScope));
}
