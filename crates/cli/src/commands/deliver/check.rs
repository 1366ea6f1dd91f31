//! Whether each delivered file still holds what is stored now.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use snowtoken::Session;
use snowtoken::core::diagnosis::{Code, Diagnose, Hint};
use snowtoken::delivery::Credentials;
use snowtoken::delivery::follow::{self, Standing};
use snowtoken::store::{AuditEntry, Delivery};

use super::prepared::Client;
use crate::report::{Failure, quoted};
use crate::{files, output};

pub(super) fn run(
    session: &Session,
    client: Option<&Client>,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let name = &session.profile().name;
    let deliveries = session.store().deliveries(name)?;
    if deliveries.is_empty() {
        output::say(format!("{name}: nothing was delivered to a file"));
    }
    let record = session.store().load(name)?;
    let secret = session.store().client_secret(name, &session.binding())?;
    let credentials = record.as_ref().map(|record| Credentials {
        profile: session.profile(),
        client_secret: secret.as_ref(),
        tokens: Some(&record.tokens),
        fresh_code: None,
        created: session.now(),
    });
    let (mut found, mut drifted) = (Vec::new(), Vec::new());
    for delivery in &deliveries {
        let standing = match client {
            Some(client) => client.standing(session, delivery),
            None => follow::standing(&**session.store(), delivery, credentials.as_ref()),
        };
        let (state, words) = match &standing {
            Standing::Same => ("same", "is what is stored".to_owned()),
            Standing::Gone => {
                session.store().forget_delivery(name, &delivery.format, &delivery.path)?;
                let words = match (client, &credentials) {
                    (None, None) => "is gone, as it should be: there are no tokens any more",
                    _ => "is gone, and forgotten",
                };
                ("gone", words.to_owned())
            }
            Standing::Drifted(how) => {
                drifted.push(delivery);
                ("drifted", how.clone())
            }
        };
        output::say(format!("{} {words}", delivery.path));
        found.push(json!({
            "format": delivery.format,
            "path": delivery.path,
            "state": state,
            "reason": words,
            "keep_fresh": delivery.wish.follow,
        }));
    }
    if as_json {
        output::json(&json!({ "version": 1, "profile": name.as_str(), "deliveries": found }))?;
    }
    if drifted.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let hints = hints(&drifted, client.is_some() || credentials.is_some());
    Err(Drifted { count: drifted.len(), all: deliveries.len(), hints }.into())
}

/// What to do about each; without values none can be written again.
fn hints(drifted: &[&Delivery], has_values: bool) -> Vec<Hint> {
    let mut hints: Vec<Hint> = Vec::new();
    for delivery in drifted {
        if has_values {
            hints.push(Hint::run(again(delivery), "writes it again"));
        }
        if delivery.wish.follow {
            let command = format!("snowtoken deliver --forget {}", quoted(&delivery.path));
            hints.push(Hint::run(command, "ends that it is kept fresh"));
        }
    }
    if !has_values {
        hints.push(Hint::note("after `revoke` or `logout` the copy is dead: delete it"));
    }
    hints
}

/// Files that do not hold what is stored.
#[derive(Debug, thiserror::Error)]
#[error("{count} of {all} delivered files have drifted")]
struct Drifted {
    count: usize,
    all: usize,
    hints: Vec<Hint>,
}

impl Diagnose for Drifted {
    fn code(&self) -> Code {
        Code::DeliveryDrifted
    }

    fn hints(&self) -> Vec<Hint> {
        self.hints.clone()
    }
}

/// The command that made a delivery.
fn again(delivery: &Delivery) -> String {
    let wish = &delivery.wish;
    let mut command = "snowtoken deliver".to_owned();
    let mut add = |flag: &str, value: Option<&str>| {
        if let Some(value) = value {
            // Writing to a text cannot fail.
            let _ = write!(command, " {flag} {}", quoted(value));
        }
    };
    let is_named = wish.field.is_none() && wish.template.is_none();
    add("--format", Some(delivery.format.as_str()).filter(|_| is_named));
    add("--variant", wish.variant.as_deref());
    add("--field", wish.field.as_deref());
    add("--template", wish.template.as_deref());
    add("--name", wish.name.as_deref());
    add("--to", wish.place.as_deref());
    add("--output", Some(&delivery.path));
    add("--reload", wish.reload.as_deref());
    if wish.follow {
        command.push_str(" --keep-fresh");
    }
    command
}

/// Ends a delivery; the file stays as it is.
pub(super) fn forget(session: &Session, file: &Path) -> Result<ExitCode, Failure> {
    let name = &session.profile().name;
    let _lock = session.lock()?;
    let path = files::absolute(file).unwrap_or_else(|_| file.to_owned());
    let path = path.display().to_string();
    let deliveries = session.store().deliveries(name)?;
    let Some(found) = deliveries.iter().find(|delivery| delivery.path == path) else {
        let text = format!("nothing was delivered to {path}");
        let hints = deliveries.iter().map(|one| Hint::note(format!("delivered: {}", one.path)));
        return Err(hints.fold(Failure::told(Code::Usage, text), Failure::with_hint));
    };
    session.store().append_audit(&AuditEntry {
        at: session.now(),
        profile: name.clone(),
        event: "delivery".to_owned(),
        outcome: "done".to_owned(),
        detail: format!("forgotten: {} {path}", found.format),
    })?;
    session.store().forget_delivery(name, &found.format, &path)?;
    output::say(format!(
        "{name}: {path} is forgotten, and not written again; if it is there, it stays"
    ));
    Ok(ExitCode::SUCCESS)
}
