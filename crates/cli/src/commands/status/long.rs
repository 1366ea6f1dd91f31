//! One profile at length: a line for everything that is known.

use snowtoken::core::Timestamp;
use snowtoken::core::keeper::{Policy, Why};
use snowtoken::core::ledger::{Facts, RefreshEnd};
use snowtoken::core::printable::Printable;
use snowtoken::core::profile::{Grant, ProfileName};
use snowtoken::core::token_set::Deadline;
use snowtoken::delivery::moment;
use snowtoken::store::sqlite::{Glance, Holding};
use snowtoken::store::{Held, RecordState};

use super::Overview;
use super::line::Line;
use crate::app::App;
use crate::output::{Data, distance};
use crate::report::Failure;

/// Prints the one profile that was asked about.
pub(super) fn print(
    app: &App,
    overview: &Overview,
    see: &mut dyn FnMut(&Line<'_>),
) -> Result<(), Failure> {
    let mut data = Data::new();
    for entry in overview.entries() {
        let name = ProfileName::parse(entry.name)?;
        let found = match &overview.store {
            Some(store) => store.holding(&name)?,
            None => Holding {
                profile: name.to_string(),
                standing: None,
                client_secret: None,
                spare_secret: None,
                signing_key: None,
                delivered: Vec::new(),
            },
        };
        let held = found.standing.as_ref().and_then(|standing| standing.held.as_ref());
        let is_prepared = held.is_none() && overview.classes.prepare_only(entry.target);
        let held = held.map(|held| Glance::of(&name, held));
        let line = Line { entry, held, is_prepared };
        see(&line);
        data.push(&format!("{name}: {}\n", line.state()));
        for (label, value) in lines(&line, &found, app.world.now()) {
            data.push(&format!("  {label:<15} {value}\n"));
        }
    }
    if let Some(places) = overview.places() {
        data.push(&format!("{places}\n"));
    }
    data.finish()
}

/// When a refresh is due next, and why then; `None` if none will come.
pub(super) fn next_refresh(held: &Held, line: &Line<'_>) -> Option<(Timestamp, Why)> {
    let goes_on = match held.state {
        RecordState::Held => held.has_refresh_token || line.renews_itself(),
        RecordState::Rejected { .. } => line.renews_itself(),
        RecordState::RevocationPending { .. } | RecordState::HandedOver { .. } => false,
    };
    if !goes_on {
        return None;
    }
    let progress = &held.progress;
    // A request whose outcome nobody knows is sent again first.
    let lost = progress.sent_at.map(|at| (at, Why::AnswerLost));
    let usual = || {
        let at = Policy::default().refresh_before(held.issued_at, held.access_expires_at.at);
        (at, Why::AccessTokenEnds)
    };
    Some(lost.or(progress.next).unwrap_or_else(usual))
}

fn lines(line: &Line<'_>, found: &Holding, now: Timestamp) -> Vec<(&'static str, String)> {
    let entry = line.entry;
    let mut lines = vec![
        ("instance", entry.instance.to_owned()),
        ("client", entry.client_id.to_owned()),
        ("target", entry.target.to_owned()),
    ];
    if let Some(standing) = &found.standing
        && let Some(held) = &standing.held
    {
        if line.is_bound_elsewhere() {
            let binding = &held.binding;
            let owner = format!("{} and client {}", binding.instance, binding.client_id);
            lines.push(("tokens of", Printable(&owner).to_string()));
        }
        who(held, &standing.facts, &mut lines);
        ends(line, held, &standing.facts, now, &mut lines);
        refreshing(line, held, now, &mut lines);
    }
    if line.is_prepared {
        let how = format!(
            "the product gets them itself: `snowtoken deliver {}` hands the client over",
            entry.name
        );
        lines.push(("tokens", how));
    }
    let secret = if line.has_secret(found) { "stored, sealed" } else { "not stored" };
    lines.push(("client secret", secret.to_owned()));
    if line.changes_secret(found) {
        let name = entry.name;
        let how = format!("being changed: `snowtoken setup {name} --rotate-secret` finishes it");
        lines.push(("", how));
    }
    if entry.grant == Grant::JwtBearer {
        let key = if line.has_key(found) { "stored, sealed" } else { "not stored" };
        lines.push(("private key", key.to_owned()));
    }
    lines.extend(found.delivered.iter().map(|path| ("delivered to", path.clone())));
    lines
}

fn who(held: &Held, facts: &Facts, lines: &mut Vec<(&'static str, String)>) {
    if let Some(user) = &held.user {
        let concerns = match facts.concerns.as_slice() {
            [] => String::new(),
            concerns => format!(" ({})", Printable(&concerns.join(", "))),
        };
        lines.push(("user", format!("{}{concerns}", Printable(user))));
    }
    if let Some(scope) = &held.scope {
        lines.push(("scope", Printable(scope).to_string()));
    }
}

fn ends(
    line: &Line<'_>,
    held: &Held,
    facts: &Facts,
    now: Timestamp,
    lines: &mut Vec<(&'static str, String)>,
) {
    let ends = |d: Deadline| {
        let from_now = distance(d.at.duration_since(now));
        format!("ends {} ({from_now}, {})", moment(d.at), d.known_by)
    };
    let access = if held.has_access_token {
        ends(held.access_expires_at)
    } else {
        "none yet: the next refresh brings one".to_owned()
    };
    lines.push(("access token", access));
    if line.renews_itself() {
        let how = format!("by itself, without a person: {} again", line.entry.grant.as_str());
        lines.push(("renewed", how));
        return;
    }
    let refresh = match (held.has_refresh_token, line.refresh_end()) {
        (true, Some(deadline)) => ends(deadline),
        (true, None) => match facts.outlived {
            Some(at) => format!("its end is not known: it outlived {}", moment(at)),
            None => "its end is not known".to_owned(),
        },
        (false, _) => "none".to_owned(),
    };
    let moves = match facts.refresh_end {
        _ if !held.has_refresh_token => "",
        RefreshEnd::Unknown => "",
        RefreshEnd::Stays => "; a refresh does not move it",
        RefreshEnd::Moves => "; a refresh moves it",
        RefreshEnd::Replaced => "; a refresh brings another one",
    };
    lines.push(("refresh token", format!("{refresh}{moves}")));
}

fn refreshing(
    line: &Line<'_>,
    held: &Held,
    now: Timestamp,
    lines: &mut Vec<(&'static str, String)>,
) {
    if let RecordState::HandedOver { at } = held.state {
        let when = moment(at);
        lines.push(("handed over", format!("{when}: another machine refreshes now")));
    }
    if let Some((at, why)) = next_refresh(held, line).filter(|_| !line.is_bound_elsewhere()) {
        let next = match (at > now, why) {
            (true, _) => format!("{}: {why}", distance(at.duration_since(now))),
            (false, Why::AccessTokenEnds) => "as soon as a token is asked for".to_owned(),
            (false, _) => format!("as soon as a token is asked for: {why}"),
        };
        lines.push(("next refresh", next));
    }
    if let Some(failed) = &held.progress.failed {
        let row = match held.progress.failures {
            0 | 1 => String::new(),
            count => format!(", {count} in a row"),
        };
        let from_now = distance(failed.at.duration_since(now));
        let detail = Printable(&failed.detail);
        lines.push(("last failure", format!("{from_now}{row}: {detail} ({})", failed.code)));
    }
}
