//! `profile add`: keeps a client that was made on the instance, checked as far as that goes, without
//! getting any token for it.

use std::process::ExitCode;

use serde_json::json;
use snowtoken::core::diagnosis::{Code, Diagnose as _, Hint};
use snowtoken::core::oauth::client::AuthenticationMethod;
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::target::{Class, Target, Value};
use snowtoken::prepared::{self, Prepared};
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::{AuditEntry, TokenStore as _};
use snowtoken::{Session, config, session};

use super::taken;
use crate::app::App;
use crate::args::AddArgs;
use crate::commands::login::settings::{self, Typed};
use crate::commands::setup::given;
use crate::report::Failure;
use crate::{output, terminal};

pub(super) fn run(app: &App, args: &AddArgs) -> Result<ExitCode, Failure> {
    let name = ProfileName::parse(&args.profile)?;
    let config = app.config()?;
    let known = config.profile(&name);
    if known.is_some() && !args.replace {
        return Err(taken(&name)
            .with_hint(Hint::set("--replace", "changes it; what is not named stays as it is")));
    }
    let typed = Typed::from(args);
    let target = app.target(&settings::target_name(app, &typed, known))?;
    if target.class == Class::Basic {
        return settings::check_minted(&target).map(|()| ExitCode::SUCCESS);
    }
    let profile = settings::prepared(app, &typed, &name, known, &target)?;
    let mut store = app.store_or_new(args.key)?;
    store.probe()?;
    check_free(&store, &profile, known.is_some())?;
    let stored = store.client_secret(&name, &session::binding(&profile))?;
    let secret = secret(app, args, &profile, &store, stored.as_ref())?;
    let is_to_be_proved = store.standing(&name)?.is_some_and(|standing| standing.held.is_some())
        && stored.is_some()
        && secret != stored;
    if is_to_be_proved && args.no_verify {
        let text = "there are tokens that go by the stored client secret: another one is proved by the instance, \
                    which --no-verify does not ask";
        return Err(Failure::told(Code::Usage, text).about(&name));
    }
    if !args.no_verify {
        prepared::awake(&app.world, &profile).map_err(|error| unchecked(error, &name))?;
    }
    let session = app.session_over(profile.clone(), store);
    keep(app, &session, secret.as_ref(), is_to_be_proved)?;
    let added = Added { args, profile: &profile, target: &target, secret: secret.as_ref() };
    added.tell(app);
    if args.json {
        added.print()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The client secret. A change of a profile asks for it anew, and the stored one stays if nobody answers:
/// what the environment holds may be meant for another profile.
fn secret(
    app: &App,
    args: &AddArgs,
    profile: &Profile,
    store: &SqliteStore,
    stored: Option<&Secret>,
) -> Result<Option<Secret>, Failure> {
    let (Some(stored), None, false) =
        (stored, &args.client_secret_file, profile.authentication == AuthenticationMethod::None)
    else {
        let file = args.client_secret_file.as_deref();
        return settings::client_secret(app, file, profile, store);
    };
    let prompt = "Client secret (Enter keeps the stored one): ";
    let asked = if app.no_input { None } else { terminal::hidden(prompt) };
    if asked.is_none() {
        output::say(format!(
            "{}: the stored client secret stays; --client-secret-file FILE gives another one",
            profile.name
        ));
    }
    Ok(asked.or_else(|| Some(stored.clone())))
}

/// Tokens are bound to instance and client: those of another one would be out of reach.
fn check_free(store: &SqliteStore, profile: &Profile, is_known: bool) -> Result<(), Failure> {
    let name = &profile.name;
    let held = store.standing(name)?.and_then(|standing| standing.held);
    let Some(held) = held else { return Ok(()) };
    if is_known && held.binding == session::binding(profile) {
        return Ok(());
    }
    let text = format!("there are tokens of another instance or client under the name \"{name}\"");
    Err(Failure::told(Code::ProfileInvalid, text)
        .with_hint(Hint::run(format!("snowtoken logout {name}"), "ends them first")))
}

fn unchecked(error: snowtoken::Error, name: &ProfileName) -> Failure {
    let passing = error.code().entry().outcome == snowtoken::core::diagnosis::Outcome::TryLater;
    let failure = Failure::from(error).about(name).with_note("nothing was stored");
    if passing {
        failure.with_note("--no-verify keeps the client without asking the instance")
    } else {
        failure
    }
}

/// Secret first, then what names it: each is durable when its call returns.
fn keep(
    app: &App,
    session: &Session,
    secret: Option<&Secret>,
    is_to_be_proved: bool,
) -> Result<(), Failure> {
    let profile = session.profile();
    let _lock = session.lock()?;
    match secret {
        Some(secret) if is_to_be_proved => {
            given::prove(session, secret).map_err(|failure| failure.about(&profile.name))?;
        }
        Some(secret) => {
            session.store().set_client_secret(&profile.name, &session.binding(), secret)?;
        }
        None => {}
    }
    session.store().append_audit(&AuditEntry {
        at: app.world.now(),
        profile: profile.name.clone(),
        event: "add".to_owned(),
        outcome: "done".to_owned(),
        detail: profile.target.clone(),
    })?;
    let profile = profile.clone();
    Ok(config::update(&app.home, move |config| config.put(profile))?)
}

/// What was kept, and what can be said about it.
struct Added<'a> {
    args: &'a AddArgs,
    profile: &'a Profile,
    target: &'a Target,
    secret: Option<&'a Secret>,
}

impl Added<'_> {
    fn concerns(&self) -> Vec<String> {
        let Self { profile, target, secret, .. } = *self;
        let mut concerns = Prepared { profile, target, client_secret: secret }.concerns();
        if secret.is_none() && target.fields.iter().any(|field| field.value == Value::ClientSecret)
        {
            concerns.push(format!("{} asks for a client secret, and there is none", target.title));
        }
        concerns
    }

    /// The redirect URIs to register, the one that is sent first.
    fn redirect_uris(&self) -> Vec<RedirectUri> {
        let Some(own) = &self.profile.redirect_uri else { return Vec::new() };
        let all = self.target.redirect_uris(self.profile.region.as_deref()).unwrap_or_default();
        let others = all.into_iter().filter(|uri| uri != own);
        std::iter::once(own.clone()).chain(others).collect()
    }

    fn tell(&self, app: &App) {
        let Self { profile, target, .. } = self;
        let name = &profile.name;
        output::say(format!("{name}: kept for {}", target.title));
        if let Some(path) = origin(app, target) {
            output::say(format!("  the target comes from {path}"));
        }
        output::say(if self.args.no_verify {
            "  not asked: whether the instance is awake"
        } else {
            "  the instance is awake"
        });
        let redirect_uris = self.redirect_uris();
        for uri in &redirect_uris {
            output::say(format!("  to be registered on the client: {}", uri.as_str()));
        }
        if !redirect_uris.is_empty() {
            output::say(format!("  whether it is: `snowtoken doctor {name}` asks the instance"));
        }
        if redirect_uris.is_empty()
            && let Some(place) = &target.redirect_uri_from
        {
            output::say(format!(
                "  redirect URI: read it at {place}; then `snowtoken profile set {name} --redirect-uri URL`"
            ));
        }
        for concern in self.concerns() {
            output::say(format!("warning: {concern}"));
        }
        output::say(if target.class.is_prepare_only() {
            format!(
                "Nothing is minted for it here. `snowtoken deliver {name}` hands over the fields of its form; \
                 `snowtoken target show {}` says what its user needs.",
                target.name
            )
        } else {
            format!("`snowtoken login {name}` gets the tokens.")
        });
    }

    /// The same as data.
    fn print(&self) -> Result<(), Failure> {
        let uris = self.redirect_uris();
        output::json(&json!({
            "version": 1,
            "profile": self.profile.name.as_str(),
            "instance": self.profile.instance.url(),
            "client_id": self.profile.client_id.as_str(),
            "target": self.target.name,
            "class": self.target.class.as_str(),
            "prepare_only": self.target.class.is_prepare_only(),
            "instance_awake": (!self.args.no_verify).then_some(true),
            "redirect_uris": uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>(),
            "client_secret_stored": self.secret.is_some(),
            "concerns": self.concerns(),
        }))
    }
}

/// The person's own file that a target is from.
fn origin(app: &App, target: &Target) -> Option<String> {
    let targets = snowtoken::targets::Targets::load(&app.home).ok()?;
    targets.origin(targets.find(&target.name)?).map(|path| path.display().to_string())
}
