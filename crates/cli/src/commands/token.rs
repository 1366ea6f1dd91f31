//! `token`: a living access token on stdout.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use snowtoken::core::profile::ProfileName;
use snowtoken::delivery::moment;
use snowtoken::home::Home;
use snowtoken::store::TokenStore as _;
use snowtoken::store::key::{KeySource, Keys};
use snowtoken::store::sqlite::{Options, SqliteStore};
use snowtoken::world::{Clock as _, SystemClock};
use snowtoken::{config, variables, world};
use zeroize::Zeroizing;

use crate::app::App;
use crate::args::TokenArgs;
use crate::report::Failure;
use crate::{commands, output};

/// A token with less than this left is refreshed unless something else is asked for.
const MIN_VALID: Duration = Duration::from_mins(1);

/// `snowtoken token NAME` with a living token in the store and a key that needs no questions:
/// no command line parser, no configuration, no network. Anything else is left to the long way.
pub(crate) fn at_once(arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.skip(1);
    if arguments.next()? != "token" {
        return None;
    }
    let name = arguments.next();
    if arguments.next().is_some() {
        return None;
    }
    let environment = world::Environment::read();
    let name = match &name {
        Some(name) => name.to_str()?,
        None => environment.get(&variables::PROFILE)?,
    };
    let name = ProfileName::parse(name).ok()?;
    if environment.get(&variables::LOG).is_some() {
        return None;
    }
    let keys = match environment.path(&variables::KEY_FILE) {
        Some(path) => Keys::from(KeySource::File(path)),
        None if environment.get(&variables::KEY_COMMAND).is_none() => Keys::recorded(),
        None => return None,
    };
    let home = Home::find(&environment).ok()?;
    let store = SqliteStore::open(&Options::new(home.database()), &keys).ok()??;
    let living = store.living_access_token(&name, SystemClock.now(), MIN_VALID).ok()??;
    // Somebody may have pointed the profile elsewhere since: then the long way says so.
    if !config::names_plainly(&home, &name, &living.binding) {
        return None;
    }
    if let Err(failure) = print_line("", living.token.expose()) {
        return Some(output::report(&failure));
    }
    // The system takes everything back faster than we could give it.
    std::mem::forget(store);
    Some(ExitCode::SUCCESS)
}

fn print_line(before: &str, token: &str) -> Result<(), Failure> {
    let mut line = Zeroizing::new(String::with_capacity(before.len() + token.len() + 1));
    line.push_str(before);
    line.push_str(token);
    line.push('\n');
    output::data(&line)
}

/// The long way.
pub(crate) fn run(app: &App, args: &TokenArgs) -> Result<ExitCode, Failure> {
    let min_valid = args.min_valid.as_deref();
    let min_valid = min_valid.map(|text| commands::duration("--min-valid", text)).transpose()?;
    let session = app.session(args.profile.as_deref())?;
    let name = session.profile().name.clone();
    let token = match min_valid {
        Some(min_valid) => session.access_token(min_valid),
        None => session.living_access_token(),
    }
    .map_err(|error| Failure::from(error).about(&name))?;
    if args.json {
        output::json(&json!({
            "version": 1,
            "profile": name.as_str(),
            "instance": session.profile().instance.url(),
            "access_token": token.token.expose(),
            "access_token_expires_at": moment(token.expires_at.at),
            "access_token_expiry_known_by": token.expires_at.known_by.as_str(),
        }))?;
    } else if args.header {
        print_line("Authorization: Bearer ", token.token.expose())?;
    } else {
        print_line("", token.token.expose())?;
    }
    Ok(ExitCode::SUCCESS)
}
