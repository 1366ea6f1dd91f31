//! `profile`: what is configured, without a secret in it.

mod add;
mod export;
mod import;
pub(crate) mod passphrase;
mod take_over;

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::oauth::Scope;
use snowtoken::core::oauth::jwt::Claim;
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::servicenow::Lifespans;
use snowtoken::core::token_set::KnownBy;
use snowtoken::core::{SignedDuration, Timestamp};
use snowtoken::prepared::redirect_concern;
use snowtoken::store::{Draft, Record, RecordState, StoreError, TokenStore as _};
use snowtoken::{Error, config, session};

use super::login::settings;
use crate::app::App;
use crate::args::{ProfileCommand, ProfileCommandArgs, SetArgs};
use crate::output;
use crate::report::Failure;

pub(crate) fn run(app: &App, args: &ProfileCommandArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        ProfileCommand::List { json } => list(app, *json),
        ProfileCommand::Show { profile, json } => show(app, profile.as_deref(), *json),
        ProfileCommand::Add(args) => add::run(app, args),
        ProfileCommand::Set(args) => set(app, args),
        ProfileCommand::Rename { from, to } => rename(app, from, to),
        ProfileCommand::Remove { profile, force } => remove(app, profile, *force),
        ProfileCommand::Export(args) => export::run(app, args),
        ProfileCommand::Import {
            file,
            name,
            passphrase_file,
            identity,
            force,
            instance,
            client_id,
            key,
            no_verify,
            remove_file,
            keep_file,
        } => import::run(
            app,
            &import::Import {
                file,
                name: name.as_deref(),
                passphrase_file: passphrase_file.as_deref(),
                identity: identity.as_deref(),
                force: *force,
                instance: instance.as_deref(),
                client_id: client_id.as_deref(),
                key: *key,
                verify: !no_verify,
                wish: match (remove_file, keep_file) {
                    (true, _) => import::Wish::Remove,
                    (_, true) => import::Wish::Keep,
                    _ => import::Wish::Ask,
                },
            },
        ),
    }
}

fn list(app: &App, as_json: bool) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    if as_json {
        let profiles: Vec<Value> = config.profiles().iter().map(to_json).collect();
        output::json(&json!({"version": 1, "profiles": profiles}))?;
    } else {
        let mut text = String::new();
        for profile in config.profiles() {
            let _ = writeln!(
                text,
                "{:<20} {:<45} {}",
                profile.name.as_str(),
                profile.instance.url(),
                profile.target
            );
        }
        output::data(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(app: &App, typed: Option<&str>, as_json: bool) -> Result<ExitCode, Failure> {
    let profile = app.profile(typed)?;
    if as_json {
        let mut value = to_json(&profile);
        if let Some(object) = value.as_object_mut() {
            object.insert("version".to_owned(), json!(1));
        }
        output::json(&value)?;
        return Ok(ExitCode::SUCCESS);
    }
    let seconds = |s: Option<i64>| s.map_or_else(|| "not stated".to_owned(), |s| format!("{s} s"));
    let or_none = |text: Option<&str>, none: &str| text.unwrap_or(none).to_owned();
    let lines = [
        ("Profile", profile.name.to_string()),
        ("Instance URL", profile.instance.url().to_owned()),
        ("Client ID", profile.client_id.to_string()),
        ("Client authentication", profile.authentication.as_str().to_owned()),
        (
            "Grant",
            match app.classes().find(&profile.target) {
                Some(class) if class.is_prepare_only() => "the product's own".to_owned(),
                _ => profile.grant.as_str().to_owned(),
            },
        ),
        ("Subject", or_none(profile.assertion.subject.as_ref().map(Claim::as_str), "none")),
        ("Key ID", or_none(profile.assertion.key_id.as_ref().map(Claim::as_str), "none")),
        ("Target", profile.target.clone()),
        ("Region", or_none(profile.region.as_deref(), "none")),
        ("Redirect URI", or_none(profile.redirect_uri.as_ref().map(RedirectUri::as_str), "none")),
        (
            "Scopes",
            or_none(profile.scope.as_ref().map(Scope::as_str), "none: the client's own hold"),
        ),
        ("Access Token Lifespan", seconds(profile.lifespans.access)),
        ("Refresh Token Lifespan", seconds(profile.lifespans.refresh)),
    ];
    let mut text = String::new();
    for (label, value) in lines {
        let _ = writeln!(text, "{label:<23} {value}");
    }
    output::data(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn to_json(profile: &Profile) -> Value {
    json!({
        "profile": profile.name.as_str(),
        "instance": profile.instance.url(),
        "client_id": profile.client_id.as_str(),
        "client_authentication": profile.authentication.as_str(),
        "grant": profile.grant.as_str(),
        "subject": profile.assertion.subject.as_ref().map(Claim::as_str),
        "key_id": profile.assertion.key_id.as_ref().map(Claim::as_str),
        "target": profile.target,
        "region": profile.region,
        "redirect_uri": profile.redirect_uri.as_ref().map(RedirectUri::as_str),
        "scope": profile.scope.as_ref().map(Scope::as_str),
        "access_token_lifespan": profile.lifespans.access,
        "refresh_token_lifespan": profile.lifespans.refresh,
        "credentials_file": profile.credentials_file,
    })
}

fn set(app: &App, args: &SetArgs) -> Result<ExitCode, Failure> {
    let mut profile = app.profile(Some(&args.profile))?;
    let before = profile.lifespans;
    let name = args.target.clone().unwrap_or_else(|| profile.target.clone());
    let target = &app.target(&name)?;
    let same = (name == profile.target).then(|| profile.clone());
    let changes_place = args.region.is_some() || args.redirect_uri.is_some() || same.is_none();
    if changes_place {
        (profile.region, profile.redirect_uri) = settings::place_so_far(
            target,
            args.region.clone(),
            args.redirect_uri.as_deref(),
            same.as_ref(),
        )?;
    }
    if args.redirect_uri.is_some()
        && let Some(concern) = redirect_concern(target, profile.redirect_uri.as_ref())
    {
        output::say(format!("warning: {concern}"));
    }
    profile.scope = settings::scope(args.scope.as_deref(), args.no_scope, same.as_ref(), target)?;
    profile.lifespans = settings::lifespans(
        args.access_token_lifespan.as_deref(),
        args.refresh_token_lifespan.as_deref(),
        same.as_ref(),
        target,
    )?;
    profile.target = name;
    let name = profile.name.clone();
    let moved = args.refresh_token_lifespan.is_some() && derive_again(app, &profile, before)?;
    config::update(&app.home, move |config| config.put(profile))?;
    let what = if moved {
        "the refresh token's end is derived anew"
    } else if target.class.is_prepare_only() {
        "it holds from the next delivery on"
    } else {
        "it holds from the next login on"
    };
    output::say(format!("{name}: changed; {what}"));
    Ok(ExitCode::SUCCESS)
}

/// A deadline that was derived from the grant and the wrong lifespan is derived again. One that was
/// observed stays, and so does that of a refresh token which came later than the grant.
fn derive_again(app: &App, profile: &Profile, before: Lifespans) -> Result<bool, Failure> {
    let _lock = session::lock(&app.home.data, &profile.name)?;
    let Some(mut store) = app.store()? else { return Ok(false) };
    let Some(mut record) = store.load(&profile.name)? else { return Ok(false) };
    let counted = record.facts.lifespans(before);
    if record.facts.refresh_lifespan.take().is_some() {
        // Somebody has just looked it up: what was read earlier is older.
        store.set_facts(&profile.name, &record.facts)?;
    }
    let granted = record.tokens.granted_at;
    let end = |lifespans: Lifespans| {
        let life = SignedDuration::from_secs(lifespans.refresh_or_default());
        granted.saturating_add(life).unwrap_or(Timestamp::MAX)
    };
    let Some(deadline) = &mut record.tokens.refresh_expires_at else { return Ok(false) };
    if deadline.known_by != KnownBy::Derived || deadline.at != end(counted) {
        return Ok(false);
    }
    deadline.at = end(profile.lifespans);
    let generation = record.generation;
    store.save(&profile.name, generation, &Draft::from(record), None)?;
    Ok(true)
}

fn rename(app: &App, from: &str, to: &str) -> Result<ExitCode, Failure> {
    let (from, to) = (app.profile(Some(from))?.name, ProfileName::parse(to)?);
    if app.config()?.profile(&to).is_some() {
        return Err(taken(&to));
    }
    let _locks = (session::lock(&app.home.data, &from)?, session::lock(&app.home.data, &to)?);
    if let Some(mut store) = app.store()? {
        match store.rename(&from, &to) {
            Ok(()) | Err(StoreError::Absent { .. }) => {}
            Err(StoreError::Exists { .. }) => return Err(taken(&to)),
            Err(error) => return Err(error.into()),
        }
    }
    config::update(&app.home, |config| {
        config.rename(&from, &to);
    })?;
    output::say(format!("{from} is {to} now"));
    Ok(ExitCode::SUCCESS)
}

fn taken(name: &ProfileName) -> Failure {
    Failure::told(Code::ProfileInvalid, format!("there is a profile \"{name}\" already"))
        .with_hint(Hint::note("choose a name that is not taken"))
}

fn remove(app: &App, name: &str, force: bool) -> Result<ExitCode, Failure> {
    let name = ProfileName::parse(name)?;
    let configured = app.config()?.profile(&name).is_some();
    let mut stored = false;
    {
        let _lock = session::lock(&app.home.data, &name)?;
        if let Some(mut store) = app.store()? {
            // Handed over: they live on with their new owner.
            let is_owner =
                |record: &Record| !matches!(record.state, RecordState::HandedOver { .. });
            if !force && store.load(&name)?.as_ref().is_some_and(is_owner) {
                return Err(Failure::told(
                    Code::Usage,
                    format!("profile \"{name}\" has tokens that still live on the instance"),
                )
                .with_hint(Hint::run(format!("snowtoken logout {name}"), "revokes them first"))
                .with_hint(Hint::set(
                    "--force",
                    "removes it all the same; the tokens live on until they end",
                )));
            }
            stored = store.remove_profile(&name)?;
        }
    }
    if !configured && !stored {
        return Err(Error::ProfileUnknown(name.to_string()).into());
    }
    let gone = name.clone();
    config::update(&app.home, move |config| {
        config.remove(&gone);
    })?;
    output::say(format!("{name} is removed from this machine"));
    Ok(ExitCode::SUCCESS)
}
