//! `verify`: proves the token by calls, and says what it can read.

use std::process::ExitCode;

use serde_json::json;
use snowtoken::arrival::{lifespans_differ, user_concerns};
use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::ledger::Facts;
use snowtoken::core::printable::Printable;
use snowtoken::core::profile::ProfileName;
use snowtoken::core::servicenow::ApiVerdict;
use snowtoken::core::token_set::User;
use snowtoken::delivery::moment;
use snowtoken::login::read;
use snowtoken::store::Record;

use crate::app::App;
use crate::args::ProfileArgs;
use crate::output;
use crate::report::Failure;

pub(crate) fn run(app: &App, args: &ProfileArgs) -> Result<ExitCode, Failure> {
    let session = app.session(args.profile.as_deref())?;
    let name = session.profile().name.clone();
    let (user, record) = session.verify().map_err(|error| Failure::from(error).about(&name))?;
    let user = user.as_ref().and_then(User::name).map(|name| Printable(name).to_string());
    let target = app.target(&session.profile().target)?;
    let mut readings = Vec::new();
    let mut first_refusal = None;
    for table in &target.tables {
        // One forbidden table is no reason not to look at the next.
        let (verdict, error) =
            match read(&app.world, session.profile(), table, &record.tokens.access_token) {
                Ok(ApiVerdict::Records(0)) => (
                    "no record to be seen (empty, or filtered by access rules: \
                         `snowtoken explain records-hidden`)"
                        .to_owned(),
                    None,
                ),
                Ok(ApiVerdict::Records(_)) => ("readable".to_owned(), None),
                Ok(_) => ("not on this instance".to_owned(), None),
                Err(error) => (format!("not readable: {error}"), Some(error)),
            };
        readings.push((table.as_str(), verdict, error.as_ref().map(snowtoken::Error::code)));
        first_refusal = first_refusal.or(error);
    }
    output::say(format!("{name}: the instance accepts the access token"));
    if let Some(user) = &user {
        output::say(format!("  it belongs to {user}"));
    }
    tell_deadline(&record);
    for (table, verdict, _) in &readings {
        output::say(format!("  {table}: {verdict}"));
    }
    let (stated, facts) = (session.profile().lifespans.refresh, &record.facts);
    let differ = lifespans_differ(&name, facts.refresh_lifespan, stated);
    for line in differ.into_iter().chain(user_concerns(facts)) {
        output::say(line);
    }
    if args.json {
        print(&name, user.as_deref(), facts, &readings)?;
    }
    match first_refusal {
        // Foreign rows of the target are nice to have; only a refusal is a failure.
        Some(error) if !is_absent(error.code()) => Err(Failure::from(error).about(&name)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Whether the instance has nothing of the kind, which is no refusal.
fn is_absent(code: Code) -> bool {
    matches!(code, Code::ApiUnexpected | Code::TableUnknown | Code::ApiPathUnknown)
}

/// A table, what became of reading it, and the code of the failure.
type Reading<'a> = (&'a str, String, Option<Code>);

/// The same as data.
fn print(
    name: &ProfileName,
    user: Option<&str>,
    facts: &Facts,
    readings: &[Reading<'_>],
) -> Result<(), Failure> {
    let table = |(table, verdict, code): &Reading| json!({"table": table, "verdict": verdict, "code": code.map(Code::as_str)});
    output::json(&json!({
        "version": 1,
        "profile": name.as_str(),
        "user": user,
        "concerns": facts.concerns,
        "refresh_token_end_on_refresh": facts.refresh_end.as_str(),
        "access_token_lifespan_read": facts.access_lifespan,
        "refresh_token_lifespan_read": facts.refresh_lifespan,
        "accepted": true,
        "tables": readings.iter().map(table).collect::<Vec<_>>(),
    }))
}

/// When a person has to act.
fn tell_deadline(record: &Record) {
    match record.tokens.refresh_expires_at {
        Some(end) => {
            output::say(format!("  its refresh token ends {} ({})", moment(end.at), end.known_by));
        }
        None if record.facts.outlived.is_some() => output::say(
            "  its refresh token has outlived the end that was counted: when it ends is not known",
        ),
        None => {}
    }
}
