//! `profile import`: starts from a refresh token that somebody already has.

use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::{Grant, Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::servicenow::{Instance, Lifespans};
use snowtoken::core::token_set::{Deadline, KnownBy, TokenSet};
use snowtoken::import::{self, Found};
use snowtoken::store::{AuditEntry, Draft, RecordState, TokenStore as _};
use snowtoken::{Session, config, session};
use zeroize::Zeroizing;

use crate::app::{App, missing};
use crate::args::KeyChoice;
use crate::report::Failure;
use crate::{files, output, terminal};

/// More is not read from a pipe, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// What was typed.
pub(super) struct Import<'a> {
    pub(super) file: &'a Path,
    pub(super) name: Option<&'a str>,
    pub(super) instance: Option<&'a str>,
    pub(super) client_id: Option<&'a str>,
    pub(super) key: Option<KeyChoice>,
    pub(super) verify: bool,
}

pub(super) fn run(app: &App, args: &Import<'_>) -> Result<ExitCode, Failure> {
    let found = import::read(&read(args.file)?);
    let profile = profile(args, &found)?;
    let name = profile.name.clone();
    if app.config()?.profile(&name).is_some() {
        return Err(
            super::taken(&name).with_hint(Hint::set("--name NAME", "imports under another name"))
        );
    }
    let mut store = app.store_or_new(args.key)?;
    store.probe()?;
    let now = app.world.now();
    let draft = Draft {
        binding: session::binding(&profile),
        tokens: token_set(&found, now)?,
        user: None,
        state: RecordState::Held,
    };
    let audit = AuditEntry {
        at: now,
        profile: name.clone(),
        event: "import".to_owned(),
        outcome: "done".to_owned(),
        detail: String::new(),
    };
    {
        let _lock = session::lock(&app.home.data, &name)?;
        let generation = store.generation(&name)?;
        store.save(&name, generation, &draft, Some(&audit))?;
        if let Some(secret) = &found.client_secret {
            store.set_client_secret(&name, &session::binding(&profile), secret)?;
        }
    }
    let session =
        Session::with_store(app.world.clone(), app.home.clone(), profile.clone(), Box::new(store));
    if args.verify
        && let Err(error) = session.verify()
    {
        // Only what works is taken over; the file is still there.
        session.store().remove_profile(&name)?;
        return Err(Failure::from(error).about(&name).with_hint(Hint::note(
            "nothing was taken over; --no-verify takes it over without asking the instance",
        )));
    }
    config::update(&app.home, move |config| config.put(profile))?;
    output::say(format!(
        "{name}: imported{}",
        if args.verify { " and verified" } else { ", not verified" }
    ));
    if args.file != Path::new("-") {
        output::say(format!(
            "  {} still holds the secrets in the clear: delete it",
            args.file.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = if file == Path::new("-") {
        terminal::piped_text(LARGEST).map(Zeroizing::new)
    } else {
        files::read_text(file)
    };
    text.map_err(|error| {
        let text = format!("{} cannot be imported: {error}", file.display());
        Failure::told(Code::ImportUnreadable, text)
    })
}

fn profile(args: &Import<'_>, found: &Found) -> Result<Profile, Failure> {
    let instance = args
        .instance
        .or(found.instance.as_deref())
        .ok_or_else(|| missing("the instance", "--instance INSTANCE"))?;
    let instance = Instance::parse(instance)?;
    let client_id = args
        .client_id
        .or(found.client_id.as_deref())
        .ok_or_else(|| missing("the client ID", "--client-id ID"))?;
    let client_id = ClientId::parse(client_id)
        .map_err(|e| Failure::told(Code::ImportUnreadable, e.to_string()))?;
    let name = match args.name {
        Some(name) => ProfileName::parse(name)?,
        None => {
            first_label(&instance).ok_or_else(|| missing("the profile's name", "--name NAME"))?
        }
    };
    let authentication = if found.client_secret.is_some() {
        AuthenticationMethod::Post
    } else {
        AuthenticationMethod::None
    };
    Ok(Profile {
        name,
        instance,
        client_id,
        authentication,
        grant: Grant::AuthorizationCode,
        redirect_uri: found.redirect_uri.as_deref().and_then(|text| RedirectUri::parse(text).ok()),
        scope: None,
        lifespans: Lifespans::default(),
        target: "custom".to_owned(),
        region: None,
        credentials_file: true,
    })
}

/// `https://classics.service-now.com` is called `classics`.
fn first_label(instance: &Instance) -> Option<ProfileName> {
    let label = instance.origin().domain()?.split('.').next()?;
    ProfileName::parse(label).ok()
}

fn token_set(found: &Found, now: Timestamp) -> Result<TokenSet, Failure> {
    if found.refresh_token.is_none() && found.access_token.is_none() {
        return Err(Failure::told(
            Code::ImportUnreadable,
            "the file holds neither a refresh token nor an access token",
        ));
    }
    // Nobody knows when it was issued. With a refresh token the first use brings a new one; without,
    // the documented lifespan is the best guess.
    let life = if found.refresh_token.is_some() {
        0
    } else {
        snowtoken::core::servicenow::ACCESS_TOKEN_LIFESPAN
    };
    let end = now
        .saturating_add(snowtoken::core::SignedDuration::from_secs(life))
        .unwrap_or(Timestamp::MAX);
    Ok(TokenSet {
        access_token: found.access_token.clone().unwrap_or_else(|| Secret::new("unknown")),
        refresh_token: found.refresh_token.clone(),
        authorization_code: None,
        scope: None,
        issued_at: now,
        granted_at: now,
        access_expires_at: Deadline { at: end, known_by: KnownBy::Derived },
        refresh_expires_at: None,
    })
}
