//! After the client stands: what can be known without a login, and then the login.

use std::process::ExitCode;

use clap::Parser as _;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::profile::Profile;
use snowtoken::core::setup::probe::PlaceVerdict;
use snowtoken::setup;

use super::Wish;
use crate::app::App;
use crate::args::{Cli, Command, SetupArgs};
use crate::commands::login;
use crate::output;
use crate::report::Failure;

/// Says what the authorization endpoint makes of client and redirect URI.
pub(super) fn prove(app: &App, profile: &Profile) -> Result<PlaceVerdict, Failure> {
    if profile.redirect_uri.is_none() {
        output::say("  unknown    client secret: it shows when a token is asked for");
        return Ok(PlaceVerdict::Unknown);
    }
    let verdict = setup::place(&app.world, profile)?;
    match verdict {
        PlaceVerdict::Taken => {
            output::say(
                "  proved     client ID and redirect URI: the instance goes on to its sign-in",
            );
        }
        PlaceVerdict::RedirectUriUnknown => {
            let text = "the client is set up, and the instance says that it does not know the redirect URI";
            return Err(Failure::told(Code::RedirectUriMismatch, text).about(&profile.name));
        }
        PlaceVerdict::ClientUnknown => {
            let text = "the client is set up, and the instance says that it does not know its ID";
            return Err(Failure::told(Code::ClientRefused, text).about(&profile.name));
        }
        PlaceVerdict::Unknown => {
            output::say(
                "  unknown    redirect URI: the instance does not tell before somebody signs in",
            );
        }
    }
    output::say("  unknown    client secret: only a login can prove it");
    Ok(verdict)
}

/// Goes on to the login, or says who goes on.
pub(super) fn go_on(
    app: &App,
    args: &SetupArgs,
    wish: &Wish,
    profile: &Profile,
) -> Result<ExitCode, Failure> {
    let name = &profile.name;
    if wish.target.class.is_prepare_only() {
        output::say(format!(
            "{name}: {} asks for its tokens itself. Give it the client ID {} and the client secret, which is stored here.",
            wish.target.title, profile.client_id
        ));
        return Ok(ExitCode::SUCCESS);
    }
    if args.api.no_login {
        output::say(format!(
            "{name}: the client is ready; `snowtoken login {name}` asks for nothing"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let mut words = vec!["snowtoken".to_owned(), "login".to_owned(), name.to_string()];
    if args.api.no_browser {
        words.push("--no-browser".to_owned());
    }
    if args.api.no_output {
        words.push("--no-output".to_owned());
    }
    if let Some(path) = &args.output {
        let path = path.to_str().ok_or_else(|| {
            Failure::told(Code::Usage, "--output: a login needs a path that is text")
                .with_hint(Hint::run(format!("snowtoken login {name}"), "the client is ready"))
        })?;
        words.extend(["--output".to_owned(), path.to_owned()]);
    }
    let parsed = Cli::try_parse_from(words).ok().and_then(|cli| cli.command);
    match parsed {
        Some(Command::Login(args)) => login::run(app, &args),
        _ => Err(Failure::bug("the login's own command line does not fit")),
    }
}
