//! What a report tells: each table takes what was found apart into values that give nobody away.

use std::path::Path;

use snowtoken::config::Config;
use snowtoken::core::Timestamp;
use snowtoken::core::diagnosis::Code;
use snowtoken::core::oauth::Scope;
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::Profile;
use snowtoken::core::servicenow::road::HostKind;
use snowtoken::core::target::Target;
use snowtoken::hooks::Occasion;
use snowtoken::store::{AuditEntry, RecordState, Standing};
use snowtoken::targets::{self, Targets};
use snowtoken::variables;
use snowtoken::world::Environment;

use super::MOST_PROFILES;
use super::cell::{Cell, Names};
use super::render::Table;
use crate::app::App;
use crate::commands::doctor::Step;
use crate::commands::doctor::road::Meant;
use crate::files;

/// Words that the audit is made of. Any other, from another version, is not told.
const AUDIT_WORDS: &[&str] = &[
    "grant",
    "refresh",
    "delivery",
    "revocation",
    "import",
    "export",
    "restore",
    "add",
    "bundle",
    "client-secret",
    "code handed over",
    "done",
    "begun",
    "made",
    "set",
    "tried",
    "failed",
    "refused",
    "forgotten",
    "asked",
    "revoked",
    "handed-over",
    "taken-back",
];

/// Scopes that are no secret of anybody's.
const USUAL_SCOPES: &[&str] = &["useraccount", "openid", "profile", "email", "offline_access"];

pub(super) fn about(now: Timestamp, key: Option<&'static str>) -> Table {
    Table {
        name: "about",
        columns: &["version", "system", "processor", "day", "key_of_the_store"],
        rows: vec![vec![
            Cell::Word(env!("CARGO_PKG_VERSION")),
            Cell::Word(std::env::consts::OS),
            Cell::Word(std::env::consts::ARCH),
            Cell::Day(now),
            Cell::word(key),
        ]],
    }
}

pub(super) fn steps(steps: &[Step]) -> Table {
    let row = |step: &Step| {
        vec![
            Cell::Word(step.name),
            Cell::Word(step.word()),
            Cell::Flag(step.warns()),
            Cell::word(step.why),
            Cell::code(step.code()),
        ]
    };
    Table {
        name: "steps",
        columns: &["step", "verdict", "warning", "why", "code"],
        rows: steps.iter().map(row).collect(),
    }
}

pub(super) fn profiles(config: Option<&Config>, meant: &Meant, names: &mut Names) -> Table {
    let all = config.map(Config::profiles).unwrap_or_default();
    let is_meant = |profile: &Profile| meant.profile().is_some_and(|one| one.name == profile.name);
    // The one it is about is told of, however many there are.
    let (first, rest): (Vec<&Profile>, Vec<&Profile>) = all.iter().partition(|one| is_meant(one));
    let told = first.into_iter().chain(rest).take(MOST_PROFILES);
    Table {
        name: "profiles",
        columns: &[
            "profile",
            "meant",
            "instance",
            "host",
            "client",
            "target",
            "region",
            "grant",
            "authentication",
            "redirect_uri",
            "scope",
            "access_lifespan",
            "refresh_lifespan",
            "credentials_file",
        ],
        rows: told.map(|profile| row(profile, is_meant(profile), names)).collect(),
    }
}

fn row(profile: &Profile, is_meant: bool, names: &mut Names) -> Vec<Cell> {
    let targets = Targets::built_in();
    let known = targets.find(&profile.target);
    vec![
        names.of("profile", profile.name.as_str()),
        Cell::Flag(is_meant),
        names.of("instance", profile.instance.url()),
        Cell::Word(HostKind::of(&profile.instance).as_str()),
        names.of("client", profile.client_id.as_str()),
        Cell::Word(target(profile)),
        Cell::word(region(profile, known)),
        Cell::Word(profile.grant.as_str()),
        Cell::Word(profile.authentication.as_str()),
        Cell::word(profile.redirect_uri.as_ref().map(|uri| redirect(uri, profile, known))),
        scope(profile.scope.as_ref().map(Scope::as_str)),
        Cell::number(profile.lifespans.access),
        Cell::number(profile.lifespans.refresh),
        Cell::Flag(profile.credentials_file),
    ]
}

/// A product of a person's own may bear a name that tells something.
fn target(profile: &Profile) -> &'static str {
    targets::names().find(|name| *name == profile.target).unwrap_or("one of their own")
}

fn region(profile: &Profile, target: Option<&Target>) -> Option<&'static str> {
    let region = profile.region.as_ref()?;
    let is_known = target.is_some_and(|target| target.regions.list.contains(region));
    Some(if is_known { "one of the target's" } else { "another" })
}

fn redirect(uri: &RedirectUri, profile: &Profile, target: Option<&Target>) -> &'static str {
    let by_target = target.and_then(|target| target.redirect_uri(profile.region.as_deref()).ok());
    if by_target.is_some_and(|own| own.as_str() == uri.as_str()) {
        "the target's"
    } else if uri.is_loopback() {
        "on this machine"
    } else {
        "another"
    }
}

fn scope(scope: Option<&str>) -> Cell {
    let Some(scope) = scope else { return Cell::None };
    let usual = |word: &str| USUAL_SCOPES.iter().find(|usual| **usual == word).copied();
    Cell::Words(scope.split_whitespace().map(|word| usual(word).unwrap_or("another")).collect())
}

pub(super) fn tokens(standings: &[Standing], now: Timestamp, names: &mut Names) -> Table {
    let row = |standing: &Standing| {
        let held = standing.held.as_ref();
        let away = |at: Option<Timestamp>| {
            at.map_or(Cell::None, |at| Cell::Distance(at.duration_since(now)))
        };
        let end = held.and_then(|held| held.refresh_expires_at);
        let failed = held.and_then(|held| held.progress.failed.as_ref());
        vec![
            names.of("profile", standing.profile.as_str()),
            Cell::Word(held.map_or("none", |held| state(held.state))),
            held.and_then(|held| held.user.as_deref())
                .map_or(Cell::None, |user| names.of("user", user)),
            scope(held.and_then(|held| held.scope.as_deref())),
            away(held.map(|held| held.granted_at)),
            away(held.map(|held| held.issued_at)),
            away(held.map(|held| held.access_expires_at.at)),
            away(end.map(|end| end.at)),
            Cell::word(end.map(|end| end.known_by.as_str())),
            Cell::Word(standing.facts.refresh_end.as_str()),
            Cell::Flag(standing.facts.rotates),
            Cell::number(standing.facts.access_lifespan),
            Cell::number(standing.facts.refresh_lifespan),
            Cell::number(held.map(|held| i64::from(held.progress.failures))),
            Cell::code(failed.map(|failed| failed.code)),
        ]
    };
    Table {
        name: "tokens",
        columns: &[
            "profile",
            "state",
            "user",
            "scope",
            "consent",
            "issued",
            "access_token_end",
            "refresh_token_end",
            "known_by",
            "refresh_moves_the_end",
            "rotates",
            "access_lifespan_read",
            "refresh_lifespan_read",
            "failures",
            "last_failure",
        ],
        rows: standings.iter().map(row).collect(),
    }
}

fn state(state: RecordState) -> &'static str {
    match state {
        RecordState::Held => "held",
        RecordState::Rejected { .. } => "rejected",
        RecordState::RevocationPending { .. } => "being revoked",
        RecordState::HandedOver { .. } => "handed over",
    }
}

pub(super) fn audit(lines: &[AuditEntry], now: Timestamp, names: &mut Names) -> Table {
    let word = |text: &str| {
        Cell::Word(AUDIT_WORDS.iter().find(|known| **known == text).copied().unwrap_or("another"))
    };
    let row = |line: &AuditEntry| {
        vec![
            Cell::Distance(line.at.duration_since(now)),
            names.of("profile", line.profile.as_str()),
            word(&line.event),
            word(&line.outcome),
            // A code and nothing else; whatever else it says is not told.
            Cell::code(Code::find(&line.detail)),
        ]
    };
    Table {
        name: "audit",
        columns: &["when", "profile", "event", "outcome", "code"],
        rows: lines.iter().map(row).collect(),
    }
}

/// The names of those that are set, never what is in them.
pub(super) fn variables(environment: &Environment) -> Table {
    let set = variables::ALL.iter().filter(|variable| environment.get(variable).is_some());
    Table {
        name: "variables",
        columns: &["name"],
        rows: set.map(|variable| vec![Cell::Word(variable.name)]).collect(),
    }
}

pub(super) fn files(app: &App) -> Table {
    let database = app.home.database();
    let copy = database.with_added_extension("copy");
    let all: [(&str, &Path); 4] = [
        ("configuration", &app.home.config_file),
        ("folder", &app.home.data),
        ("store", &database),
        ("copy", &copy),
    ];
    let row = |(what, path): (&'static str, &Path)| {
        let found = files::look(path);
        vec![
            Cell::Word(what),
            Cell::word(found.map(|found| found.kind)),
            found.and_then(|found| found.mode).map_or(Cell::None, Cell::Mode),
        ]
    };
    Table {
        name: "files",
        columns: &["file", "kind", "mode"],
        rows: all.into_iter().map(row).collect(),
    }
}

/// When something is run, never what.
pub(super) fn hooks(config: Option<&Config>) -> Table {
    let has = |occasion: &Occasion| config.is_some_and(|c| c.hooks().line(*occasion).is_some());
    Table {
        name: "hooks",
        columns: &["occasion"],
        rows: Occasion::ALL
            .iter()
            .filter(|occasion| has(occasion))
            .map(|occasion| vec![Cell::Word(occasion.as_str())])
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use snowtoken::core::profile::ProfileName;

    use super::*;

    #[test]
    fn words_of_others_are_not_told() {
        let line = |event: &str, detail: &str| AuditEntry {
            at: Timestamp::UNIX_EPOCH,
            profile: ProfileName::parse("acme").unwrap(),
            event: event.to_owned(),
            outcome: "done".to_owned(),
            detail: detail.to_owned(),
        };
        let lines = [line("delivery", "/home/jane/x"), line("jane@acme", "timed-out")];
        let table = audit(&lines, Timestamp::UNIX_EPOCH, &mut Names::default());
        let text = super::super::render::markdown(&[table]);
        assert!(text.contains("| in 0 s | profile-1 | delivery | done |  |"), "{text}");
        assert!(text.contains("| in 0 s | profile-1 | another | done | timed-out |"), "{text}");
        assert_eq!(
            scope(Some("useraccount acme_read")),
            Cell::Words(vec!["useraccount", "another"])
        );
    }
}
