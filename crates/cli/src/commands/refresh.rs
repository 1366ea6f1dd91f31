//! `refresh`: asks the instance now, and says what changed.

use std::process::ExitCode;

use serde_json::json;
use snowtoken::core::keeper::RefreshTokenChange;
use snowtoken::delivery::moment;
use snowtoken::driver::describe;

use crate::app::App;
use crate::args::ProfileArgs;
use crate::output;
use crate::report::Failure;

pub(crate) fn run(app: &App, args: &ProfileArgs) -> Result<ExitCode, Failure> {
    let session = app.session(args.profile.as_deref())?;
    let name = session.profile().name.clone();
    let refreshed = session.refresh().map_err(|error| Failure::from(error).about(&name))?;
    let end = refreshed.record.tokens.access_expires_at;
    let what = refreshed.change.map_or("another process had just refreshed", describe);
    output::say(format!("{name}: {what}"));
    output::say(format!(
        "  access token ends {} ({}, {})",
        moment(end.at),
        output::distance(end.at.duration_since(session.now())),
        end.known_by
    ));
    if args.json {
        output::json(&json!({
            "version": 1,
            "profile": name.as_str(),
            "access_token": refreshed.change.map(|c| if c.access_token_is_new { "new" } else { "same" }),
            "access_token_end_moved": refreshed.change.map(|c| c.access_end_moved),
            "refresh_token": refreshed.change.and_then(|c| match c.refresh_token {
                RefreshTokenChange::Replaced => Some("new"),
                RefreshTokenChange::SameAgain | RefreshTokenChange::Kept => Some("same"),
                RefreshTokenChange::Unused => None,
            }),
            "access_token_expires_at": moment(end.at),
            "refresh_token_expires_at": refreshed.record.tokens.refresh_expires_at.map(|d| moment(d.at)),
        }))?;
    }
    Ok(ExitCode::SUCCESS)
}
