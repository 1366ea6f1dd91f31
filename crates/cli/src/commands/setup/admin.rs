//! By whose rights the registry is changed. The password of an administrator is used and never kept.

use snowtoken::Error;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::printable::Printable;
use snowtoken::core::secret::Secret;
use snowtoken::core::servicenow::Instance;
use snowtoken::core::setup::apply::Authority;
use snowtoken::variables;

use crate::app::App;
use crate::args::ApiArgs;
use crate::commands::login::settings;
use crate::report::Failure;
use crate::terminal;

/// Whether somebody was named.
pub(super) fn is_named(app: &App, args: &ApiArgs) -> bool {
    args.admin_profile.is_some() || user_name(app, args).is_some()
}

/// The administrator: a user's name and password, or another profile's token. Asks for the password
/// where it was not given.
pub(super) fn authority(
    app: &App,
    args: &ApiArgs,
    instance: &Instance,
) -> Result<Authority, Failure> {
    if let Some(profile) = &args.admin_profile {
        return bearer(app, profile, instance);
    }
    let Some(user_name) = user_name(app, args) else {
        return Err(Failure::told(Code::SettingMissing, "no administrator was named")
            .with_hint(Hint::set(
                "--admin-user USER",
                "an administrator of the instance; the password is asked for",
            ))
            .with_hint(Hint::set(
                "--admin-profile PROFILE",
                "a profile of this machine whose user is an administrator",
            )));
    };
    let fits = (1..=100).contains(&user_name.chars().count())
        && !user_name.contains(':')
        && Printable(&user_name).to_string() == user_name;
    if !fits {
        let text =
            "--admin-user wants a user name of at most 100 visible characters, without a colon";
        return Err(Failure::told(Code::Usage, text));
    }
    let password = password(app, args, &user_name, instance)?;
    Ok(Authority::Basic { user_name, password })
}

fn user_name(app: &App, args: &ApiArgs) -> Option<String> {
    let given = || app.world.environment.get(&variables::ADMIN_USER).map(str::to_owned);
    args.admin_user.clone().or_else(given)
}

fn password(
    app: &App,
    args: &ApiArgs,
    user_name: &str,
    instance: &Instance,
) -> Result<Secret, Failure> {
    if let Some(path) = &args.admin_password_file {
        return settings::line_of(path, "password");
    }
    if let Some(text) = app.world.environment.get(&variables::ADMIN_PASSWORD) {
        return Ok(Secret::new(text));
    }
    let prompt = format!("Password of {user_name} on {instance}: ");
    let asked = if app.no_input { None } else { terminal::hidden(&prompt) };
    asked.ok_or_else(|| {
        Failure::told(
            Code::InputNeeded,
            "the administrator's password is needed and nobody can be asked",
        )
        .with_hint(Hint::set(
            "--admin-password-file FILE",
            "its first line is the password (`-` is standard input)",
        ))
    })
}

/// A token goes to the instance it comes from, and nowhere else.
fn bearer(app: &App, profile: &str, instance: &Instance) -> Result<Authority, Failure> {
    let session = app.session(Some(profile))?;
    let name = session.profile().name.clone();
    let about = |error: Error| Failure::from(error).about(&name);
    if session.profile().instance != *instance {
        let text =
            format!("profile \"{name}\" is for {}, not for {instance}", session.profile().instance);
        return Err(Failure::told(Code::Usage, text));
    }
    let record = session.record().map_err(about)?;
    session.check_usable(&record).map_err(about)?;
    Ok(Authority::Bearer(session.living_access_token().map_err(about)?.token))
}
