//! `revoke` and `logout`: ending tokens on the instance, and here.

use std::process::ExitCode;

use serde_json::json;
use snowtoken::Session;
use snowtoken::core::diagnosis::Hint;
use snowtoken::delivery::moment;

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
    let Some(store) = app.store()? else {
        return tell(args, &name, done, "there was nothing to revoke", None);
    };
    let session =
        Session::with_store(app.world.clone(), app.home.clone(), profile, Box::new(store));
    match session.revoke() {
        Ok(None) => tell(args, &name, done, "there was nothing to revoke", None),
        Ok(Some(revoked)) => {
            let what = if revoked.refresh_token {
                "the instance refuses both tokens now; they are forgotten here"
            } else {
                "the instance refuses the access token now; it is forgotten here"
            };
            let delivered: Vec<String> =
                session.store().deliveries(&name)?.into_iter().map(|d| d.path).collect();
            for path in &delivered {
                output::say(format!(
                    "  a dead copy of the credentials is left in {path}: delete it"
                ));
            }
            tell(args, &name, done, what, Some(&moment(revoked.at)))
        }
        Err(error) if args.force => {
            let failure = Failure::from(error).about(&name);
            output::say_part(failure.text(output::is_lively()));
            let generation = session.store().generation(&name)?;
            session.store().clear_tokens(&name, generation, None)?;
            output::say(
                "The tokens are forgotten on this machine. On the instance they may live on until they end.",
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Err(Failure::from(error).about(&name).with_hint(Hint::note(
            "kept: the tokens, for the next try; nobody gets them from here meanwhile",
        ))),
    }
}

fn tell(
    args: &RevokeArgs,
    name: &snowtoken::ProfileName,
    done: &str,
    what: &str,
    at: Option<&str>,
) -> Result<ExitCode, Failure> {
    output::say(format!("{name}: {done}: {what}"));
    if args.json {
        output::json(
            &json!({"version": 1, "profile": name.as_str(), "revoked": true, "proved_at": at}),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
