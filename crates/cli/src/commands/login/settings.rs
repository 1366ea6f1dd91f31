//! What the login is for: flag, environment, profile, target, built-in, in this order.

use std::path::Path;

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::oauth::Scope;
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::oauth::jwt::Claim;
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::{Assertion, Grant, Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::servicenow::{Instance, Lifespans};
use snowtoken::core::target::{Class, Target, TargetError};
use snowtoken::session;
use snowtoken::store::TokenStore;
use snowtoken::targets;
use snowtoken::variables::{self, Variable};

use crate::app::{App, missing};
use crate::args::{AddArgs, ClientAuth, GrantChoice, LoginArgs};
use crate::commands;
use crate::report::Failure;
use crate::terminal;

/// What was typed about a profile.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Typed<'a> {
    pub(crate) instance: Option<&'a str>,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) client_auth: Option<ClientAuth>,
    pub(crate) target: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) scope: Option<&'a str>,
    pub(crate) no_scope: bool,
    pub(crate) access_token_lifespan: Option<&'a str>,
    pub(crate) refresh_token_lifespan: Option<&'a str>,
    pub(crate) grant: Option<GrantChoice>,
    pub(crate) key_id: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    /// Whether a credentials file is wanted, if that was said.
    pub(crate) credentials_file: Option<bool>,
}

impl<'a> From<&'a LoginArgs> for Typed<'a> {
    fn from(args: &'a LoginArgs) -> Self {
        Self {
            instance: args.instance.as_deref(),
            client_id: args.client_id.as_deref(),
            client_auth: args.client_auth,
            target: args.target.as_deref(),
            region: args.region.as_deref(),
            redirect_uri: args.redirect_uri.as_deref(),
            scope: args.scope.as_deref(),
            no_scope: args.no_scope,
            access_token_lifespan: args.access_token_lifespan.as_deref(),
            refresh_token_lifespan: args.refresh_token_lifespan.as_deref(),
            grant: args.grant,
            key_id: args.key_id.as_deref(),
            subject: args.subject.as_deref(),
            credentials_file: match (args.no_output, &args.output) {
                (true, _) => Some(false),
                (false, Some(_)) => Some(true),
                (false, None) => None,
            },
        }
    }
}

impl<'a> From<&'a AddArgs> for Typed<'a> {
    fn from(args: &'a AddArgs) -> Self {
        Self {
            instance: args.instance.as_deref(),
            client_id: args.client_id.as_deref(),
            client_auth: args.client_auth,
            target: args.target.as_deref(),
            region: args.region.as_deref(),
            redirect_uri: args.redirect_uri.as_deref(),
            scope: args.scope.as_deref(),
            no_scope: args.no_scope,
            access_token_lifespan: args.access_token_lifespan.as_deref(),
            refresh_token_lifespan: args.refresh_token_lifespan.as_deref(),
            grant: args.grant,
            key_id: None,
            subject: None,
            credentials_file: None,
        }
    }
}

/// The profile of this login, complete and checked; nothing is written yet.
pub(crate) fn profile(
    app: &App,
    args: &LoginArgs,
    name: &ProfileName,
    known: Option<&Profile>,
) -> Result<Profile, Failure> {
    let typed = Typed::from(args);
    let target = &app.target(&target_name(app, &typed, known))?;
    check_minted(target)?;
    let grant = typed.grant.map(Grant::from).or(known.map(|p| p.grant)).unwrap_or_default();
    let profile = settle(app, &typed, name, known, target, grant)?;
    if grant == Grant::JwtBearer && profile.assertion.subject.is_none() {
        return Err(missing("the user the tokens are for", "--subject USER"));
    }
    Ok(profile)
}

/// The profile that a prepared client gets, complete as far as that goes: a redirect URI that only
/// the product shows may come later.
pub(crate) fn prepared(
    app: &App,
    typed: &Typed<'_>,
    name: &ProfileName,
    known: Option<&Profile>,
    target: &Target,
) -> Result<Profile, Failure> {
    let grant = typed.grant.map(Grant::from).or_else(|| target.class.grant()).unwrap_or_default();
    settle(app, typed, name, known, target, grant)
}

/// The name of the target that is meant.
pub(crate) fn target_name(app: &App, typed: &Typed<'_>, known: Option<&Profile>) -> String {
    given(app, typed.target, &variables::TARGET)
        .or_else(|| known.map(|p| p.target.clone()))
        .unwrap_or_else(|| targets::USUAL.to_owned())
}

fn given(app: &App, typed: Option<&str>, variable: &Variable) -> Option<String> {
    typed.or_else(|| app.world.environment.get(variable)).map(str::to_owned)
}

/// A product that gets its tokens itself has no use for ours, and a person's password is not ours
/// to send.
pub(crate) fn check_minted(target: &Target) -> Result<(), Failure> {
    let what = match target.class {
        Class::Tokens => return Ok(()),
        Class::Client | Class::ClientCredentials | Class::JwtBearer => {
            "takes a client ID and secret and gets its tokens itself: nothing is minted for it here"
        }
        Class::Password => {
            "takes a client ID and secret with a user's name and password, which you type there yourself: nothing is \
             minted for it here, since that would show a password to one program more (RFC 9700 §2.4)"
        }
        Class::Basic => {
            "takes a user's name and password and no OAuth client: nothing is minted for it"
        }
    };
    Err(Failure::told(Code::TargetPreparesOnly, format!("{} {what}", target.title)))
}

fn settle(
    app: &App,
    typed: &Typed<'_>,
    name: &ProfileName,
    known: Option<&Profile>,
    target: &Target,
    grant: Grant,
) -> Result<Profile, Failure> {
    let instance = match given(app, typed.instance, &variables::INSTANCE) {
        Some(text) => Instance::parse(&text)?,
        None => known
            .map(|p| p.instance.clone())
            .ok_or_else(|| missing("the instance", "--instance INSTANCE"))?,
    };
    let client_id = match given(app, typed.client_id, &variables::CLIENT_ID) {
        Some(text) => {
            ClientId::parse(&text).map_err(|e| Failure::told(Code::Usage, e.to_string()))?
        }
        None => known
            .map(|p| p.client_id.clone())
            .ok_or_else(|| missing("the client ID", "--client-id ID"))?,
    };
    // Of another target's or region's redirect URI nothing may be left over.
    let known_place = known.filter(|p| p.target == target.name);
    let region = given(app, typed.region, &variables::REGION);
    let redirect_uri =
        given(app, typed.redirect_uri, &variables::REDIRECT_URI).filter(|_| typed.region.is_none());
    let (region, redirect_uri) = match grant {
        Grant::ClientCredentials | Grant::JwtBearer => (region, None),
        Grant::AuthorizationCode => {
            place_so_far(target, region, redirect_uri.as_deref(), known_place)?
        }
    };
    Ok(Profile {
        name: name.clone(),
        instance,
        client_id,
        authentication: authentication(typed.client_auth, known),
        grant,
        assertion: assertion(typed, known)?,
        redirect_uri,
        scope: scope(typed.scope, typed.no_scope, known_place, target)?,
        lifespans: lifespans(
            typed.access_token_lifespan,
            typed.refresh_token_lifespan,
            known_place,
            target,
        )?,
        target: target.name.clone(),
        region,
        credentials_file: typed
            .credentials_file
            .unwrap_or_else(|| known.is_none_or(|p| p.credentials_file)),
    })
}

/// What assertions say.
fn assertion(typed: &Typed<'_>, known: Option<&Profile>) -> Result<Assertion, Failure> {
    let claim = |flag: &str, text: Option<&str>| {
        let wrong = |error| Failure::told(Code::Usage, format!("{flag}: {error}"));
        text.map(|text| Claim::parse(text).map_err(wrong)).transpose()
    };
    let before = known.map(|profile| profile.assertion.clone()).unwrap_or_default();
    Ok(Assertion {
        subject: claim("--subject", typed.subject)?.or(before.subject),
        key_id: claim("--key-id", typed.key_id)?.or(before.key_id),
    })
}

fn authentication(typed: Option<ClientAuth>, known: Option<&Profile>) -> AuthenticationMethod {
    match typed {
        Some(ClientAuth::Post) => AuthenticationMethod::Post,
        Some(ClientAuth::Basic) => AuthenticationMethod::Basic,
        Some(ClientAuth::None) => AuthenticationMethod::None,
        None => known.map_or(AuthenticationMethod::default(), |p| p.authentication),
    }
}

/// As [`place`]; but where nothing is minted here, a redirect URI that only the product shows may
/// be missing.
pub(crate) fn place_so_far(
    target: &Target,
    region: Option<String>,
    redirect_uri: Option<&str>,
    known: Option<&Profile>,
) -> Result<(Option<String>, Option<RedirectUri>), Failure> {
    if !target.class.is_prepare_only() {
        return place(target, region, redirect_uri, known);
    }
    if !target.class.has_redirect() {
        return match redirect_uri {
            Some(_) => {
                let text = format!("{} uses no redirect URI", target.title);
                Err(Failure::told(Code::RedirectUriInvalid, text))
            }
            None => Ok((None, None)),
        };
    }
    let is_known = known.is_some_and(|known| known.redirect_uri.is_some());
    if redirect_uri.is_none() && !is_known && target.regions.list.is_empty() {
        // A region is nothing to such a target.
        return Ok((None, target.redirect_uri(None).ok()));
    }
    place(target, region, redirect_uri, known)
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
    file: Option<&Path>,
    profile: &Profile,
    store: &dyn TokenStore,
) -> Result<Option<Secret>, Failure> {
    if profile.authentication == AuthenticationMethod::None {
        return Ok(None);
    }
    if let Some(secret) = secret(app, file)? {
        return Ok(Some(secret));
    }
    if let Some(secret) = store.client_secret(&profile.name, &session::binding(profile))? {
        return Ok(Some(secret));
    }
    let asked = if app.no_input { None } else { terminal::hidden("Client secret: ") };
    asked.map(Some).ok_or_else(|| {
        Failure::told(Code::InputNeeded, "the client secret is needed and nobody can be asked")
            .with_hint(Hint::set(
                "--client-secret-file FILE",
                "reads the client secret from a file, `-` is standard input",
            ))
            .with_hint(Hint::set(
                variables::CLIENT_SECRET.name,
                "hands the client secret over in the environment",
            ))
    })
}

/// A client secret from a file or the environment.
pub(crate) fn secret(app: &App, file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    if let Some(path) = file {
        return line_of(path, "client secret").map(Some);
    }
    let Some(text) = app.world.environment.get(&variables::CLIENT_SECRET) else { return Ok(None) };
    if text.contains(char::is_control) {
        return Err(not_plain(variables::CLIENT_SECRET.name, "client secret"));
    }
    Ok(Some(Secret::new(text)))
}

/// The first line of a file, as a secret that a form could hold.
pub(crate) fn line_of(path: &Path, what: &str) -> Result<Secret, Failure> {
    let line = terminal::first_line(path).map_err(|error| {
        let text = format!("the {what} cannot be read from {}: {error}", path.display());
        Failure::told(Code::Usage, text)
    })?;
    if line.is_empty() {
        return Err(Failure::told(Code::Usage, format!("{} holds no {what}", path.display())));
    }
    if line.expose().contains(char::is_control) {
        return Err(not_plain(path.display(), what));
    }
    Ok(line)
}

fn not_plain(place: impl std::fmt::Display, what: &str) -> Failure {
    let text = format!("the {what} in {place} holds control characters, which no form takes");
    Failure::told(Code::Usage, text)
}
