//! `login --code-only`: consent as usual, and the code goes to somebody else, unspent.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use snowtoken::core::SignedDuration;
use snowtoken::core::Timestamp;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::oauth::client::{Client, ClientAuthentication};
use snowtoken::core::profile::{Grant, Profile};
use snowtoken::delivery::moment;
use snowtoken::fresh_code::{self, FreshCode, Pkce};
use snowtoken::login::{CodeLifespan, HandedOver, Login};
use snowtoken::loopback::Ending;
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::{AuditEntry, TokenStore as _, write_file};
use snowtoken::{config, session};

use super::code_shape::Shape;
use super::watcher::Screen;
use super::{paste_source, remember, settings};
use crate::app::App;
use crate::args::LoginArgs;
use crate::report::Failure;
use crate::{commands, files, output, terminal};

pub(super) fn run(app: &App, args: &LoginArgs) -> Result<ExitCode, Failure> {
    let wait = commands::duration("--wait", &args.wait)?;
    let name = app.name(args.profile.as_deref())?;
    let known = app.config()?;
    let profile = settings::profile(app, args, &name, known.profile(&name))?;
    if profile.grant != Grant::AuthorizationCode {
        let text = format!("the grant {} has no code", profile.grant.as_str());
        return Err(Failure::told(Code::Usage, text)
            .about(&name)
            .with_hint(Hint::set("--grant authorization-code", "is the grant that brings one")));
    }
    // Everything that can fail on this machine fails before a person is sent to a browser.
    let mut store = app.store_or_new(args.key)?;
    store.probe()?;
    let lifespan = lifespan(app, args, &profile, &store)?;
    let shape = Shape::of(app, args, &profile, &store).map_err(|failure| failure.about(&name))?;
    let output = output_file(args).map_err(|failure| failure.about(&name))?;
    let client =
        Client { id: profile.client_id.clone(), authentication: ClientAuthentication::None };
    let login = Login {
        profile: &profile,
        client: &client,
        signing_key: None,
        wait,
        open_browser: !args.no_browser,
        accept_bare_code: args.accept_bare_code,
        verify: false,
    };
    let pkce = if args.code.no_pkce { Pkce::Off } else { Pkce::On };
    let screen = Screen::new(&profile, args.no_browser);
    let result = login.hand_over(&app.world, pkce, &lifespan, paste_source(&profile), &screen);
    terminal::restore();
    screen.end();
    let mut done = match result {
        Ok(done) => done,
        Err(error) => return Err(remember(app, &profile, error)),
    };
    let way = Way { app, profile: &profile, shape, as_json: args.json, output };
    let handed = way.hand_out(&mut store, &done);
    done.finish(if handed.is_ok() { Ending::HandedOver } else { Ending::Failed });
    handed.map_err(|failure| failure.about(&name))?;
    if way.is_shown() && output::is_read_by_a_person() && output::is_lively() {
        count_down(app, done.fresh.good_until);
    }
    Ok(ExitCode::SUCCESS)
}

/// Stated by the person, read with a living token of this profile, or the documented default.
fn lifespan(
    app: &App,
    args: &LoginArgs,
    profile: &Profile,
    store: &SqliteStore,
) -> Result<CodeLifespan, Failure> {
    if let Some(text) = &args.code.code_lifespan {
        let stated = commands::duration("--code-lifespan", text)?.as_secs();
        return Ok(CodeLifespan::Stated(i64::try_from(stated).unwrap_or(i64::MAX)));
    }
    // Nothing hangs on it: a store that cannot tell tells nothing.
    let living = store.living_access_token(&profile.name, app.world.now(), Duration::from_mins(1));
    let ours = living.ok().flatten().filter(|it| it.binding == session::binding(profile));
    Ok(ours.map_or(CodeLifespan::Usual, |living| CodeLifespan::AskedWith(living.token)))
}

fn output_file(args: &LoginArgs) -> Result<Option<PathBuf>, Failure> {
    let Some(path) = &args.output else { return Ok(None) };
    let path = files::absolute(path)
        .map_err(|error| Failure::told(Code::Usage, format!("--output: {error}")))?;
    write_file::check(&path).map_err(|error| {
        Failure::from(error).with_hint(Hint::note(
            "nothing was sent; name another file with --output, or leave it out",
        ))
    })?;
    Ok(Some(path))
}

/// Where the code goes, and as what.
struct Way<'a> {
    app: &'a App,
    profile: &'a Profile,
    shape: Option<Shape>,
    as_json: bool,
    output: Option<PathBuf>,
}

impl Way<'_> {
    /// Whether it is on stdout.
    fn is_shown(&self) -> bool {
        self.output.is_none() && !self.is_pushed()
    }

    fn is_pushed(&self) -> bool {
        self.shape.as_ref().is_some_and(Shape::is_pushed)
    }

    /// What is handed out was noted before.
    fn hand_out(&self, store: &mut SqliteStore, done: &HandedOver) -> Result<(), Failure> {
        let (profile, fresh) = (self.profile, &done.fresh);
        let given = self.shape.as_ref();
        let given = given.map(|it| (it, it.credentials(self.app, profile, Some(fresh))));
        let text = match &given {
            None => fresh_code::text(profile, fresh, self.as_json)?,
            Some((shape, credentials)) => credentials.render(shape.order())?,
        };
        self.note(store, fresh)?;
        keep_settings(self.app, profile)?;
        if let Some((shape, credentials)) = given.as_ref().filter(|(it, _)| it.is_pushed()) {
            return shape.push(self.app, store, credentials, fresh);
        }
        match &self.output {
            None => output::data(&text)?,
            Some(path) => write_file::replace(path, text.as_bytes())?,
        }
        let place = self.output.as_ref().map(|path| path.display().to_string());
        tell(profile, done, given.is_some(), place.as_deref());
        if let Some((shape, credentials)) = given {
            shape.explain(&credentials, place.as_deref());
        }
        Ok(())
    }

    fn note(&self, store: &mut SqliteStore, fresh: &FreshCode) -> Result<(), Failure> {
        let pkce = if fresh.code_verifier.is_some() { "with" } else { "without" };
        let shape = self.shape.as_ref();
        let shape = shape.map(|it| format!(", as {}", it.words())).unwrap_or_default();
        let good_until = moment(fresh.good_until);
        Ok(store.append_audit(&AuditEntry {
            at: self.app.world.now(),
            profile: self.profile.name.clone(),
            event: "code handed over".to_owned(),
            outcome: "done".to_owned(),
            detail: format!("unspent, {pkce} PKCE, good until {good_until}{shape}"),
        })?)
    }
}

/// The next one asks less. A profile that exists keeps its settings.
fn keep_settings(app: &App, profile: &Profile) -> Result<(), Failure> {
    Ok(config::update(&app.home, |config| {
        if config.profile(&profile.name).is_none() {
            config.put(profile.clone());
        }
    })?)
}

fn tell(profile: &Profile, done: &HandedOver, is_shaped: bool, place: Option<&str>) {
    let place = place.map_or_else(String::new, |path| format!(" It is in {path}."));
    output::say(format!(
        "This code of {} is fresh: nothing was exchanged, and no token is stored.{place}",
        profile.instance
    ));
    let whole = if done.fresh.code_verifier.is_some() {
        "the redirect URL, the code verifier, and the client's ID and secret"
    } else {
        "the redirect URL, and the client's ID and secret"
    };
    if is_shaped {
        output::say(format!("  the product exchanges it, once; {whole} are in it"));
    } else {
        output::say(format!("  whoever exchanges it sends {whole}, once"));
    }
    output::say(format!(
        "  it ends {} s after it was issued: {} at the latest{}",
        done.lifespan,
        moment(done.fresh.good_until),
        if done.pasted { ", sooner by the time the paste took" } else { "" }
    ));
    if done.fresh.code_verifier.is_none() {
        output::say(
            "warning: there is no PKCE: whoever sees this code and has the client secret can use it. A client for \
             which the instance demands PKCE refuses such codes.",
        );
    }
}

/// The seconds that are left, in one line that is written over. Whoever is done presses Ctrl-C.
fn count_down(app: &App, good_until: Timestamp) {
    loop {
        let left = good_until.duration_since(app.world.now());
        if left <= SignedDuration::ZERO {
            break;
        }
        // Rounded up: it is over when nothing is left.
        let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
        output::say_part(format!("\r\u{1b}[K  {seconds} s left (Ctrl-C once it is used) "));
        let step = Duration::try_from(left).unwrap_or_default().min(Duration::from_millis(200));
        std::thread::sleep(step);
    }
    output::say("\r\u{1b}[K  this code has ended");
}
