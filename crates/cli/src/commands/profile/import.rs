//! `profile import`: starts from a refresh token that somebody already has.

mod lacking;
mod plain_file;

use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use snowtoken::core::diagnosis::{Code, Diagnose as _, Hint, Outcome};
use snowtoken::core::keeper::Progress;
use snowtoken::core::ledger::Facts;
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::oauth::token::TokenError;
use snowtoken::core::profile::{Assertion, Grant, Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::servicenow::{ApiError, Instance, Lifespans, TokenFailure};
use snowtoken::core::token_set::{Deadline, KnownBy, TokenSet};
use snowtoken::import::{self, Found};
use snowtoken::store::envelope::Envelope;
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::{AuditEntry, Draft, RecordState, TokenStore as _};
use snowtoken::{Error, Session, config, session};
use zeroize::Zeroizing;

use super::take_over;
use crate::app::{App, missing};
use crate::args::KeyChoice;
use crate::report::Failure;
use crate::{files, output, terminal};
use plain_file::PlainFile;

pub(super) use plain_file::Wish;

/// More is not read from a pipe, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// What was typed.
pub(super) struct Import<'a> {
    pub(super) file: &'a Path,
    pub(super) name: Option<&'a str>,
    pub(super) passphrase_file: Option<&'a Path>,
    pub(super) identity: Option<&'a Path>,
    pub(super) force: bool,
    pub(super) instance: Option<&'a str>,
    pub(super) client_id: Option<&'a str>,
    pub(super) key: Option<KeyChoice>,
    pub(super) verify: bool,
    pub(super) wish: Wish,
}

pub(super) fn run(app: &App, args: &Import<'_>) -> Result<ExitCode, Failure> {
    let text = read(args.file)?;
    if Envelope::recognises(&text) {
        if args.wish != Wish::Ask {
            let text = "--remove-file and --keep-file are for files with plain secrets, and this one is sealed";
            return Err(Failure::told(Code::Usage, text));
        }
        return take_over::run(app, args, &text);
    }
    if let Some(flag) = only_for_sealed(args) {
        let text = format!("{flag} is for sealed profiles, and {} is none", args.file.display());
        return Err(Failure::told(Code::Usage, text));
    }
    let found = import::read(&text);
    lacking::check(args, &found)?;
    let file = PlainFile { path: args.file, text: &text, wish: args.wish };
    let profile = profile(args, &found)?;
    let name = profile.name.clone();
    if app.config()?.profile(&name).is_some() {
        return Err(taken(&name));
    }
    file.look()?;
    let tokens = token_set(&found, app.world.now());
    let mut store = app.store_or_new(args.key)?;
    store.probe()?;
    keep(app, &mut store, &profile, &found, tokens)?;
    let session =
        Session::with_store(app.world.clone(), app.home.clone(), profile.clone(), Box::new(store));
    let verified = if args.verify { session.verify().map(drop) } else { Ok(()) };
    if let Err(error) = &verified
        && (is_refusal(error) || is_dead(error, &found))
    {
        // Nothing of this name was here before, and the file still holds what does not work.
        let _lock = session.lock()?;
        session.store().remove_profile(&name)?;
    } else {
        // Whatever else happened: the instance may have replaced the refresh token of the file, and
        // the living one is in the store alone.
        config::update(&app.home, move |config| config.put(profile))?;
    }
    verified.map_err(|error| unverified(error, &name, &found))?;
    output::say(format!(
        "{name}: imported{}",
        if args.verify { " and verified" } else { ", not verified" }
    ));
    file.settle(app, &found, args.verify).map_err(|failure| failure.about(&name))?;
    Ok(ExitCode::SUCCESS)
}

fn only_for_sealed(args: &Import<'_>) -> Option<&'static str> {
    let given = [
        ("--passphrase-file", args.passphrase_file.is_some()),
        ("--identity", args.identity.is_some()),
        ("--force", args.force),
    ];
    given.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag))
}

/// Stores what the file held, if there is nothing of that name.
fn keep(
    app: &App,
    store: &mut SqliteStore,
    profile: &Profile,
    found: &Found,
    tokens: TokenSet,
) -> Result<(), Failure> {
    let name = &profile.name;
    let binding = session::binding(profile);
    let draft = Draft {
        binding: binding.clone(),
        tokens,
        user: None,
        state: RecordState::Held,
        progress: Progress::default(),
        facts: Facts::default(),
    };
    let audit = AuditEntry {
        at: app.world.now(),
        profile: name.clone(),
        event: "import".to_owned(),
        outcome: "done".to_owned(),
        detail: String::new(),
    };
    let _lock = session::lock(&app.home.data, name)?;
    if store.profiles()?.contains(name) {
        // A profile may be gone from the configuration while its tokens live.
        return Err(taken(name).with_hint(Hint::run(
            format!("snowtoken profile remove {name}"),
            "forgets what is stored under this name",
        )));
    }
    let generation = store.generation(name)?;
    store.save(name, generation, &draft, Some(&audit))?;
    if let Some(secret) = &found.client_secret {
        store.set_client_secret(name, &binding, secret)?;
    }
    Ok(())
}

pub(super) fn taken(name: &ProfileName) -> Failure {
    super::taken(name).with_hint(Hint::set("--name NAME", "imports under another name"))
}

/// Whether the token endpoint said no to what the file holds. A lost answer says nothing, and what an
/// API says is about the client's rights.
pub(super) fn is_refusal(error: &Error) -> bool {
    let refused =
        matches!(error, Error::Token(TokenFailure { error: TokenError::Refused { .. }, .. }));
    refused && error.outcome() != Outcome::TryLater
}

/// Whether the instance does not take an access token that is all there is: nothing can be done with it.
fn is_dead(error: &Error, found: &Found) -> bool {
    found.refresh_token.is_none() && matches!(error, Error::Api(ApiError::NotAccepted(_)))
}

fn unverified(error: Error, name: &ProfileName, found: &Found) -> Failure {
    let note = if is_refusal(&error) || is_dead(&error, found) {
        "nothing was taken over; --no-verify takes it over without asking the instance".to_owned()
    } else {
        format!(
            "the credentials are taken over and not verified: `snowtoken verify {name}` tries again"
        )
    };
    Failure::from(error).about(name).with_hint(Hint::note(note))
}

fn read(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = if file == Path::new("-") {
        terminal::piped_text(LARGEST + 1).map(Zeroizing::new).and_then(|text| {
            let fits = text.len() as u64 <= LARGEST;
            fits.then_some(text).ok_or_else(|| ErrorKind::FileTooLarge.into())
        })
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
        assertion: Assertion::default(),
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

fn token_set(found: &Found, now: Timestamp) -> TokenSet {
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
    TokenSet {
        // Without one the refresh token is all there is: the first use brings an access token.
        access_token: found.access_token.clone().unwrap_or_else(|| Secret::new("")),
        refresh_token: found.refresh_token.clone(),
        authorization_code: None,
        scope: None,
        issued_at: now,
        granted_at: now,
        access_expires_at: Deadline { at: end, known_by: KnownBy::Derived },
        refresh_expires_at: found.refresh_token_end,
    }
}
