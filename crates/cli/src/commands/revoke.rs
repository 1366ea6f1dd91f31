//! `revoke` and `logout`: ending tokens on the instance, and here.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::json;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::delivery::moment;
use snowtoken::revocation::Revoked;
use snowtoken::store::RecordState;
use snowtoken::{Error, ProfileName, Session};

use crate::app::App;
use crate::args::RevokeArgs;
use crate::output;
use crate::report::Failure;

pub(crate) fn revoke(app: &App, args: &RevokeArgs) -> Result<ExitCode, Failure> {
    end(app, args, "revoked")
}

/// The same, since tokens that are proved dead are forgotten at once; the profile and its client
/// secret stay, so that the next login asks nothing.
pub(crate) fn logout(app: &App, args: &RevokeArgs) -> Result<ExitCode, Failure> {
    end(app, args, "logged out")
}

fn end(app: &App, args: &RevokeArgs, done: &str) -> Result<ExitCode, Failure> {
    let profile = app.profile(args.profile.as_deref())?;
    let name = profile.name.clone();
    let Some(store) = app.store()? else { return tell(args, &name, done, None) };
    let session = app.session_over(profile, store);
    let mut ended = session.revoke();
    if let Err(Error::HandedOver { at, .. }) = ended {
        if !args.force {
            return Err(not_ours(at, &name));
        }
        output::say(format!(
            "warning: {name} was handed over at {}: the machine that took it over loses its tokens too",
            moment(at)
        ));
        ended = session.revoke_everywhere();
    }
    match ended {
        Ok(revoked) => {
            tell(args, &name, done, revoked.as_ref())?;
            if revoked.is_none() && app.classes().prepare_only(&session.profile().target) {
                // What was handed over is a client, which lives as long as the instance lets it.
                return Ok(ExitCode::SUCCESS);
            }
            for delivery in session.store().deliveries(&name)? {
                output::say(format!("  {} holds a dead copy now: delete it", delivery.path));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if args.force => {
            let failure = Failure::from(error).about(&name);
            output::say_part(failure.text(output::is_lively()));
            session
                .forget()
                .map_err(|error| Failure::from(error).about(&name).with_note(left(&session)))?;
            output::say(
                "The tokens are forgotten here. On the instance they may live until they end.",
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Err(Failure::from(error).about(&name).with_note(left(&session))),
    }
}

/// What is left here when it did not work.
fn left(session: &Session) -> &'static str {
    match session.record().map(|record| record.state) {
        Ok(RecordState::RevocationPending { .. }) | Err(Error::BoundElsewhere { .. }) => {
            "kept: the tokens, for the next try; nobody gets them from here meanwhile"
        }
        Ok(_) => "kept: the tokens, as they were; nothing has been revoked",
        Err(_) => "kept: whatever the store holds, which cannot be read now",
    }
}

/// Another machine keeps these tokens: ending them here would end them there.
fn not_ours(at: Timestamp, name: &ProfileName) -> Failure {
    let text = format!(
        "profile \"{name}\" was handed over at {}: its tokens are another machine's now, and ending them here would end them there",
        moment(at)
    );
    Failure::told(Code::HandedOver, text)
        .with_hint(Hint::run(
            format!("snowtoken profile remove {name}"),
            "forgets them on this machine alone",
        ))
        .with_hint(Hint::set("--force", "ends them all the same, for both machines"))
        .about(name)
}

fn tell(
    args: &RevokeArgs,
    name: &ProfileName,
    done: &str,
    revoked: Option<&Revoked>,
) -> Result<ExitCode, Failure> {
    output::say(match revoked {
        None => format!("{name}: {done}: there was nothing to revoke"),
        Some(Revoked { refresh_token: true, .. }) => {
            format!("{name}: {done}: the instance refuses both tokens now; they are forgotten here")
        }
        Some(_) => {
            format!(
                "{name}: {done}: the instance refuses the access token now; it is forgotten here"
            )
        }
    });
    if let Some(at) = revoked.and_then(|revoked| revoked.older_end_by) {
        output::say(format!(
            "  access tokens from before the last refresh, if anybody has one, end by {}",
            moment(at)
        ));
    }
    if args.json {
        output::json(&json!({
            "version": 1,
            "profile": name.as_str(),
            "revoked": revoked.is_some(),
            "proved_at": revoked.map(|revoked| moment(revoked.at)),
            "older_access_tokens_end_by": revoked.and_then(|r| r.older_end_by).map(moment),
        }))?;
    }
    Ok(ExitCode::SUCCESS)
}
