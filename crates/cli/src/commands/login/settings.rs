//! What the login is for: flag, environment, profile, target, built-in, in this order.

use std::path::Path;

use snowtoken::core::diagnosis::Code;
use snowtoken::core::oauth::Scope;
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::{Grant, Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::servicenow::{Instance, Lifespans};
use snowtoken::core::target::{Target, TargetError};
use snowtoken::session;
use snowtoken::store::TokenStore;
use snowtoken::targets;
use snowtoken::variables::{self, Variable};

use crate::app::{App, missing};
use crate::args::{ClientAuth, GrantChoice, LoginArgs};
use crate::commands;
use crate::report::Failure;
use crate::terminal;

/// The profile of this login, complete and checked; nothing is written yet.
pub(crate) fn profile(
    app: &App,
    args: &LoginArgs,
    name: &ProfileName,
    known: Option<&Profile>,
) -> Result<Profile, Failure> {
    let given = |flag: &Option<String>, variable: &Variable| {
        flag.clone().or_else(|| app.world.environment.get(variable).map(str::to_owned))
    };
    let instance = match given(&args.instance, &variables::INSTANCE) {
        Some(text) => Instance::parse(&text)?,
        None => known
            .map(|p| p.instance.clone())
            .ok_or_else(|| missing("the instance", "--instance INSTANCE"))?,
    };
    let client_id = match given(&args.client_id, &variables::CLIENT_ID) {
        Some(text) => {
            ClientId::parse(&text).map_err(|e| Failure::told(Code::Usage, e.to_string()))?
        }
        None => known
            .map(|p| p.client_id.clone())
            .ok_or_else(|| missing("the client ID", "--client-id ID"))?,
    };
    let target_name = given(&args.target, &variables::TARGET)
        .or_else(|| known.map(|p| p.target.clone()))
        .unwrap_or_else(|| targets::USUAL.to_owned());
    let target = &app.target(&target_name)?;
    let grant = match args.grant {
        Some(GrantChoice::AuthorizationCode) => Grant::AuthorizationCode,
        Some(GrantChoice::ClientCredentials) => Grant::ClientCredentials,
        None => known.map_or(Grant::default(), |p| p.grant),
    };
    // Of another target's or region's redirect URI nothing may be left over.
    let known_place = known.filter(|p| p.target == target_name);
    let region = given(&args.region, &variables::REGION);
    let redirect_uri =
        given(&args.redirect_uri, &variables::REDIRECT_URI).filter(|_| args.region.is_none());
    let (region, redirect_uri) = match grant {
        Grant::ClientCredentials => (region, None),
        Grant::AuthorizationCode => place(target, region, redirect_uri.as_deref(), known_place)?,
    };
    Ok(Profile {
        name: name.clone(),
        instance,
        client_id,
        authentication: authentication(args, known),
        grant,
        redirect_uri,
        scope: scope(args.scope.as_deref(), args.no_scope, known_place, target)?,
        lifespans: lifespans(
            args.access_token_lifespan.as_deref(),
            args.refresh_token_lifespan.as_deref(),
            known_place,
            target,
        )?,
        target: target_name,
        region,
        credentials_file: match (args.no_output, &args.output) {
            (true, _) => false,
            (false, Some(_)) => true,
            (false, None) => known.is_none_or(|p| p.credentials_file),
        },
    })
}

fn authentication(args: &LoginArgs, known: Option<&Profile>) -> AuthenticationMethod {
    match args.client_auth {
        Some(ClientAuth::Post) => AuthenticationMethod::Post,
        Some(ClientAuth::Basic) => AuthenticationMethod::Basic,
        Some(ClientAuth::None) => AuthenticationMethod::None,
        None => known.map_or(AuthenticationMethod::default(), |p| p.authentication),
    }
}

/// Region and redirect URI: never both, and never a region that the target does not have.
pub(crate) fn place(
    target: &Target,
    region: Option<String>,
    redirect_uri: Option<&str>,
    known: Option<&Profile>,
) -> Result<(Option<String>, Option<RedirectUri>), Failure> {
    if let Some(text) = redirect_uri {
        let uri = RedirectUri::parse(text)
            .map_err(|e| Failure::told(Code::RedirectUriInvalid, e.to_string()))?;
        return Ok((None, Some(uri)));
    }
    if region.is_none()
        && let Some(known) = known
        && known.redirect_uri.is_some()
    {
        return Ok((known.region.clone(), known.redirect_uri.clone()));
    }
    let region = region.or_else(|| known.and_then(|p| p.region.clone()));
    match target.redirect_uri(region.as_deref()) {
        Ok(uri) => Ok((region, Some(uri))),
        Err(TargetError::RegionMissing(_)) => {
            Err(missing("the region of the target", "--region REGION"))
        }
        Err(TargetError::RedirectUriMissing { read_it, .. }) => {
            let failure = missing("the redirect URI", "--redirect-uri URL");
            Err(match read_it {
                Some(place) => failure.with_note(place),
                None => failure,
            })
        }
        Err(error @ TargetError::RegionUnknown { .. }) => {
            Err(Failure::told(Code::RegionUnknown, error.to_string()))
        }
        Err(error) => Err(Failure::told(Code::RedirectUriInvalid, error.to_string())),
    }
}

/// The scope to ask for.
pub(crate) fn scope(
    typed: Option<&str>,
    none: bool,
    known: Option<&Profile>,
    target: &Target,
) -> Result<Option<Scope>, Failure> {
    if none {
        return Ok(None);
    }
    let text = match (typed, known) {
        (Some(text), _) => text,
        (None, Some(known)) => return Ok(known.scope.clone()),
        (None, None) if target.scope.is_empty() => return Ok(None),
        (None, None) => &target.scope,
    };
    Scope::parse(text).map(Some).map_err(|error| Failure::told(Code::Usage, error.to_string()))
}

/// The lifespans that were set on the client.
pub(crate) fn lifespans(
    access: Option<&str>,
    refresh: Option<&str>,
    known: Option<&Profile>,
    target: &Target,
) -> Result<Lifespans, Failure> {
    let typed = |flag, text: Option<&str>| -> Result<Option<i64>, Failure> {
        text.map(|text| {
            commands::duration(flag, text).map(|d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
        })
        .transpose()
    };
    let wanted =
        Lifespans { access: target.access_token_lifespan, refresh: target.refresh_token_lifespan };
    let before = known.map_or(wanted, |p| p.lifespans);
    Ok(Lifespans {
        access: typed("--access-token-lifespan", access)?.or(before.access),
        refresh: typed("--refresh-token-lifespan", refresh)?.or(before.refresh),
    })
}

/// The client secret: file, environment, store, prompt. A public client has none.
pub(crate) fn client_secret(
    app: &App,
    args: &LoginArgs,
    profile: &Profile,
    store: &dyn TokenStore,
) -> Result<Option<Secret>, Failure> {
    if profile.authentication == AuthenticationMethod::None {
        return Ok(None);
    }
    if let Some(secret) = secret(app, args.client_secret_file.as_deref())? {
        return Ok(Some(secret));
    }
    if let Some(secret) = store.client_secret(&profile.name, &session::binding(profile))? {
        return Ok(Some(secret));
    }
    let asked = if app.no_input { None } else { terminal::hidden("Client secret: ") };
    asked.map(Some).ok_or_else(|| {
        Failure::told(Code::InputNeeded, "the client secret is needed and nobody can be asked")
    })
}

/// A client secret from a file or the environment.
pub(crate) fn secret(app: &App, file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    let Some(path) = file else {
        return Ok(app.world.environment.get(&variables::CLIENT_SECRET).map(Secret::new));
    };
    let secret = terminal::first_line(path).map_err(|error| {
        Failure::told(
            Code::Usage,
            format!("the client secret cannot be read from {}: {error}", path.display()),
        )
    })?;
    if secret.is_empty() {
        return Err(Failure::told(
            Code::Usage,
            format!("{} holds no client secret", path.display()),
        ));
    }
    Ok(Some(secret))
}
