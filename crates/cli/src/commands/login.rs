//! `login`: from what is known to verified, stored and delivered tokens.

mod code_only;
mod code_shape;
mod key;
mod place;
mod rescue;
pub(crate) mod settings;
mod watcher;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};

use jiff::Timestamp;
use serde_json::json;
use snowtoken::arrival::{self, Before, Stated};
use snowtoken::config;
use snowtoken::core::diagnosis::{Diagnose as _, Hint};
use snowtoken::core::keeper::Progress;
use snowtoken::core::ledger::Facts;
use snowtoken::core::oauth::client::Client;
use snowtoken::core::printable::Printable;
use snowtoken::core::profile::{Grant, Profile};
use snowtoken::core::secret::Secret;
use snowtoken::core::servicenow::ApiError;
use snowtoken::core::token_set::User;
use snowtoken::delivery::{Credentials, moment};
use snowtoken::login::{LoggedIn, Login, Paste};
use snowtoken::loopback::Ending;
use snowtoken::store::lock::RefreshLock;
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::{AuditEntry, Draft, RecordState, SpareRole, TokenStore};
use snowtoken::{Error, session};

use crate::app::App;
use crate::args::LoginArgs;
use crate::commands::deliver;
use crate::report::Failure;
use crate::{commands, output, terminal};
use watcher::Screen;

const PROMPT: &str = "Enter the redirected URL: ";

/// Stands in for a person: gets the authorization URL, and may paste something.
pub(crate) type Robot<'a> = &'a (dyn Fn(&str) -> Option<Secret> + Sync);

pub(crate) fn run(app: &App, args: &LoginArgs) -> Result<ExitCode, Failure> {
    if args.code.code_only {
        if args.output.as_deref().is_some_and(deliver::is_dash) {
            let text = "without --output it is standard output: leave `--output -` out";
            return Err(Failure::told(snowtoken::core::diagnosis::Code::Usage, text));
        }
        return code_only::run(app, args);
    }
    log_in(app, args, |profile, screen, login| login.run(&app.world, paste_source(profile), screen))
}

/// The same with a robot in the person's place, for rehearsals.
pub(crate) fn run_with(app: &App, args: &LoginArgs, robot: Robot<'_>) -> Result<ExitCode, Failure> {
    log_in(app, args, |_, screen, login| {
        let (pastes, receiver) = channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                if let Some(text) = watcher::wait_for_url().as_deref().and_then(robot) {
                    let _ = pastes.send(Paste::Text(text));
                }
            });
            let done = login.run(&app.world, receiver, screen);
            watcher::end_waiting();
            done
        })
    })
}

fn log_in(
    app: &App,
    args: &LoginArgs,
    wait_for_person: impl FnOnce(&Profile, &Screen, &Login<'_>) -> Result<LoggedIn, Error>,
) -> Result<ExitCode, Failure> {
    let wait = commands::duration("--wait", &args.wait)?;
    let name = app.name(args.profile.as_deref())?;
    let config = app.config()?;
    let mut profile = settings::profile(app, args, &name, config.profile(&name))?;
    place::tell(app, args, &profile)?;
    // Everything that can fail on this machine fails before a person is sent to a browser.
    let mut store = app.store_or_new(args.key)?;
    store.probe()?;
    let key = key::of(args, &mut profile, &store)?;
    let secret =
        settings::client_secret(app, args.client_secret_file.as_deref(), &profile, &store)?;
    let output = deliver::destination(app, &profile, &store, args.output.as_deref())?;
    let client = Client {
        id: profile.client_id.clone(),
        authentication: profile.authentication.with(secret.clone()),
    };
    let login = Login {
        profile: &profile,
        client: &client,
        signing_key: key.as_ref().map(|key| &key.key),
        wait,
        open_browser: !args.no_browser,
        accept_bare_code: args.accept_bare_code,
        verify: !args.no_verify,
    };
    let screen = Screen::new(&profile, args.no_browser);
    let result = wait_for_person(&profile, &screen, &login);
    terminal::restore();
    screen.end();
    let mut done = match result {
        Ok(done) => done,
        Err(error) => return Err(remember(app, &profile, error)),
    };
    let (secret, key) = (secret.as_ref(), key.as_ref().map(|key| &key.text));
    let arrival = Arrival { app, args, profile: &profile, secret, key, output };
    let result = arrival.settle(&mut store, &mut done);
    done.finish(if result.is_ok() { Ending::Done } else { Ending::Failed });
    result.map_err(|failure| failure.about(&name))
}

/// What was typed for a new profile is kept even if this login failed: the next one asks less. It
/// holds no secret, and a profile that exists keeps its settings.
fn remember(app: &App, profile: &Profile, error: Error) -> Failure {
    let name = &profile.name;
    let failure = Failure::from(error).about(name);
    let mut is_new = false;
    let kept = config::update(&app.home, |config| {
        // Another login to the same new name may have succeeded meanwhile.
        is_new = config.profile(name).is_none();
        if is_new {
            config.put(profile.clone());
        }
    });
    // If it could not be kept, the login's own failure matters more.
    if kept.is_err() || !is_new {
        return failure;
    }
    let secrets = match profile.grant {
        Grant::JwtBearer => "the client secret and the private key",
        Grant::AuthorizationCode | Grant::ClientCredentials => "the client secret",
    };
    failure.with_note(format!(
        "the settings of \"{name}\" are kept, nothing else: the next login asks only for {secrets}"
    ))
}

/// The prompt is offered every time a redirect is awaited.
fn paste_source(profile: &Profile) -> Receiver<Paste> {
    match profile.grant {
        Grant::AuthorizationCode => watcher::prompt_later(PROMPT),
        Grant::ClientCredentials | Grant::JwtBearer => channel().1,
    }
}

/// Tokens that have just come, and what is to become of them.
struct Arrival<'a> {
    app: &'a App,
    args: &'a LoginArgs,
    profile: &'a Profile,
    secret: Option<&'a Secret>,
    /// The private key, where assertions are signed.
    key: Option<&'a Secret>,
    output: Option<PathBuf>,
}

impl Arrival<'_> {
    fn settle(&self, store: &mut SqliteStore, done: &mut LoggedIn) -> Result<ExitCode, Failure> {
        self.check_user(done)?;
        let before = Before::read(store, self.profile);
        let facts = before.settle(self.stated(), done);
        let former = self.handed_over(store)?;
        let refused = done.unverified.take_if(|error| !is_passing(error));
        if let Some(error) = refused {
            return self.unproven(store, done, &facts, error);
        }
        let lock = match self.lock_and_keep(store, done, &facts) {
            Ok(lock) => lock,
            Err(failure) => return self.rescue(done, &failure),
        };
        // Still under the lock: the file must not be older than what is stored.
        let written = self.deliver(store, done);
        drop(lock);
        self.tell(done, written.as_ref().ok().and_then(Option::as_ref));
        self.tell_more(&before, done, &facts);
        if let Some(at) = former {
            self.warn_of_the_other(at);
        }
        let file = written?;
        if self.args.json {
            self.print(done, &facts, file.as_ref())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Which lifespans somebody has just looked up.
    fn stated(&self) -> Stated {
        Stated {
            access: self.args.access_token_lifespan.is_some(),
            refresh: self.args.refresh_token_lifespan.is_some(),
        }
    }

    /// When another machine took these tokens over.
    fn handed_over(&self, store: &SqliteStore) -> Result<Option<Timestamp>, Failure> {
        let held = store.standing(&self.profile.name)?.and_then(|standing| standing.held);
        Ok(match held.map(|held| held.state) {
            Some(RecordState::HandedOver { at }) => Some(at),
            _ => None,
        })
    }

    /// An instance keeps one pair of tokens for a client and a user (KB0791140), whoever logs in.
    fn warn_of_the_other(&self, at: Timestamp) {
        output::say(format!(
            "warning: this machine owns {} again, which was handed over at {}. The machine that took it over \
             shares these tokens: the instance keeps one pair for a client and a user. Let one of them refresh: \
             `snowtoken profile remove` there, or a client of its own. A revocation ends them for both.",
            self.profile.name,
            moment(at)
        ));
    }

    fn lock_and_keep(
        &self,
        store: &mut SqliteStore,
        done: &LoggedIn,
        facts: &Facts,
    ) -> Result<RefreshLock, Failure> {
        let lock = session::lock(&self.app.home.data, &self.profile.name)?;
        self.keep(store, done, facts)?;
        Ok(lock)
    }

    fn check_user(&self, done: &LoggedIn) -> Result<(), Failure> {
        let Some(expected) = &self.args.expect_user else {
            return Ok(());
        };
        let matches = |user: &User| {
            [&user.user_name, &user.display_name, &user.sys_id]
                .into_iter()
                .flatten()
                .any(|name| name == expected)
        };
        if done.user.as_ref().is_some_and(matches) {
            return Ok(());
        }
        let found = done
            .user
            .as_ref()
            .and_then(User::name)
            .unwrap_or("somebody the instance does not name");
        Err(Error::UserMismatch {
            found: Printable(found).to_string(),
            expected: Printable(expected).to_string(),
        }
        .into())
    }

    /// The instance said no to the proving call. What was there before is better than that; only
    /// where there was nothing the new tokens are kept, since mending rights needs no new consent.
    fn unproven(
        &self,
        store: &mut SqliteStore,
        done: &LoggedIn,
        facts: &Facts,
        error: Error,
    ) -> Result<ExitCode, Failure> {
        let rejected =
            matches!(error, Error::Api(ApiError::NotAccepted(_) | ApiError::NewRefused(_)));
        let failure = Failure::from(error);
        if rejected || store.load(&self.profile.name)?.is_some() {
            return Err(failure.with_hint(Hint::note(
                "nothing was stored or replaced; --no-verify skips the proving call",
            )));
        }
        if let Err(failure) = self.lock_and_keep(store, done, facts) {
            return self.rescue(done, &failure);
        }
        Err(failure.with_hint(Hint::note(
            "the tokens are stored, not delivered: once the instance allows it, `snowtoken verify` and \
             `snowtoken deliver` need no new login",
        )))
    }

    /// Tokens first, then what the next login needs: each is durable when its call returns.
    fn keep(&self, store: &mut SqliteStore, done: &LoggedIn, facts: &Facts) -> Result<(), Failure> {
        let name = &self.profile.name;
        let draft = Draft {
            binding: session::binding(self.profile),
            tokens: done.tokens.clone(),
            user: done.user.clone(),
            state: RecordState::Held,
            progress: Progress::default(),
            facts: facts.clone(),
        };
        let audit = AuditEntry {
            at: self.app.world.now(),
            profile: name.clone(),
            event: "grant".to_owned(),
            outcome: "done".to_owned(),
            detail: self.profile.grant.as_str().to_owned(),
        };
        let generation = store.generation(name)?;
        store.save(name, generation, &draft, Some(&audit))?;
        if let Some(secret) = self.secret {
            let binding = session::binding(self.profile);
            store.set_client_secret(name, &binding, secret)?;
            // These tokens prove it: what it took the place of is not needed any more.
            let spare = store.spare_secret(name, &binding)?;
            if spare.is_some_and(|spare| spare.role == SpareRole::Former) {
                store.retire_spare_secret(name, None)?;
            }
        }
        if let Some(key) = self.key {
            store.set_signing_key(name, &session::binding(self.profile), key)?;
        }
        let profile = self.profile.clone();
        Ok(config::update(&self.app.home, move |config| {
            config.put(profile);
        })?)
    }

    fn credentials<'b>(&'b self, done: &'b LoggedIn) -> Credentials<'b> {
        Credentials {
            profile: self.profile,
            client_secret: self.secret,
            tokens: Some(&done.tokens),
            fresh_code: None,
            created: done.tokens.granted_at,
        }
    }

    fn deliver(
        &self,
        store: &mut SqliteStore,
        done: &LoggedIn,
    ) -> Result<Option<PathBuf>, Failure> {
        let (path, credentials) = (self.output.as_deref(), self.credentials(done));
        if path.is_some() {
            for concern in credentials.concerns(&self.app.target(&self.profile.target)?) {
                output::say(format!("warning: {concern}"));
            }
        }
        deliver::write_again(self.app, store, path, &credentials)?;
        Ok(self.output.clone())
    }

    fn tell(&self, done: &LoggedIn, file: Option<&PathBuf>) {
        let user = done.user.as_ref().and_then(User::name);
        let tokens = &done.tokens;
        let now = self.app.world.now();
        match user {
            Some(user) => output::say(format!(
                "Connected to {} as {}.",
                self.profile.instance,
                Printable(user)
            )),
            None => output::say(format!("Connected to {}.", self.profile.instance)),
        }
        let line = |what: &str, deadline: snowtoken::core::token_set::Deadline| {
            let from_now = output::distance(deadline.at.duration_since(now));
            output::say(format!(
                "  {what} {} ({from_now}, {})",
                moment(deadline.at),
                deadline.known_by
            ));
        };
        line("access token ends ", tokens.access_expires_at);
        if let Some(deadline) = tokens.refresh_expires_at {
            line("refresh token ends", deadline);
        }
        if self.profile.grant.renews_itself() {
            output::say(
                "  it renews itself: each new token is a new grant, and no person is needed",
            );
        }
        if let Some(path) = file {
            output::say(format!("  credentials file   {}", path.display()));
        }
        if !done.scope_missing.is_empty() {
            let list = done
                .scope_missing
                .iter()
                .map(|s| Printable(s).to_string())
                .collect::<Vec<_>>()
                .join(" ");
            output::say(format!("warning: the instance did not grant these scopes: {list}"));
        }
        if let Some(error) = &done.unverified {
            output::say(format!(
                "warning: the tokens could not be verified now: {error} (code: {})",
                error.code()
            ));
        }
    }

    /// What somebody should know who thought that all is well.
    fn tell_more(&self, before: &Before, done: &LoggedIn, facts: &Facts) {
        let (name, stated) = (&self.profile.name, self.profile.lifespans.refresh);
        let differ = arrival::lifespans_differ(name, done.learnt.lifespans.refresh, stated);
        let earlier = before.earlier_tokens(self.profile, done);
        for line in earlier.into_iter().chain(differ).chain(arrival::user_concerns(facts)) {
            output::say(line);
        }
    }

    /// The same as data, without secrets.
    fn print(&self, done: &LoggedIn, facts: &Facts, file: Option<&PathBuf>) -> Result<(), Failure> {
        let tokens = &done.tokens;
        output::json(&json!({
            "version": 1,
            "profile": self.profile.name.as_str(),
            "instance": self.profile.instance.url(),
            "user": done.user.as_ref().and_then(User::name),
            "concerns": facts.concerns,
            "scope": tokens.scope,
            "access_token_expires_at": moment(tokens.access_expires_at.at),
            "refresh_token_expires_at": tokens.refresh_expires_at.map(|d| moment(d.at)),
            "refresh_token_expiry_known_by": tokens.refresh_expires_at.map(|d| d.known_by.as_str()),
            "credentials_file": file.map(|path| path.display().to_string()),
        }))
    }
}

/// Whether a proving call failed for reasons that will pass: then the tokens are as good as unproven
/// tokens are, and a warning will do.
fn is_passing(error: &Error) -> bool {
    error.outcome() == snowtoken::Outcome::TryLater
}
