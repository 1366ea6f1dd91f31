//! `setup --rotate-secret`: a new client secret, everywhere. Old and new are both stored until the new
//! one is proved and delivered; whoever is interrupted runs the same command again.

mod copies;

use std::process::ExitCode;

use serde_json::json;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::servicenow::Instance;
use snowtoken::core::setup::apply::{
    Apply, ApplyError, Authority, Found, FoundClient, Orders, Search,
};
use snowtoken::core::target::Target;
use snowtoken::session::SecretProof;
use snowtoken::store::{RecordState, SpareRole};
use snowtoken::{Error, Session, config, setup};

use super::{Wish, admin, apply, report};
use crate::app::App;
use crate::args::SetupArgs;
use crate::commands::login::settings;
use crate::output;
use crate::report::Failure;
use crate::terminal;

pub(crate) fn run(app: &App, args: &SetupArgs) -> Result<ExitCode, Failure> {
    let name = app.name(args.profile.as_deref())?;
    let wish = Wish::of(app, &args.client, Some(name.clone()))?;
    let instance = apply::check(&wish, &name)?;
    let task = Task { app, args, wish: &wish, name: &name, instance };
    task.run().map_err(|failure| failure.about(&name))
}

struct Task<'a> {
    app: &'a App,
    args: &'a SetupArgs,
    wish: &'a Wish,
    name: &'a ProfileName,
    instance: Instance,
}

impl Task<'_> {
    fn run(&self) -> Result<ExitCode, Failure> {
        let api = &self.args.api;
        let session = self.known()?;
        if let Some(session) = &session {
            self.check_owner(session)?;
            let is_left_over = session.spare_secret()?.is_some();
            if is_left_over && !api.dry_run && api.new_secret_file.is_none() {
                output::say(format!("{}: going on with a change that was not finished", self.name));
                if let Some(done) = self.go_on(session)? {
                    return Ok(done);
                }
            }
        }
        if api.new_secret_file.is_some() || !admin::is_named(self.app, api) {
            return self.by_hand(session);
        }
        self.by_admin(session)
    }

    /// Whoever refreshes these tokens now would be cut off, and could not be told.
    fn check_owner(&self, session: &Session) -> Result<(), Failure> {
        let record = session.store().load(self.name)?;
        match record.map(|record| record.state) {
            Some(RecordState::HandedOver { at }) => {
                Err(Error::HandedOver { profile: self.name.to_string(), at }.into())
            }
            _ => Ok(()),
        }
    }

    /// The profile with its store, where both are there.
    fn known(&self) -> Result<Option<Session>, Failure> {
        let Some(profile) = self.wish.known.clone() else { return Ok(None) };
        let store = self.app.store()?;
        Ok(store.map(|store| self.app.session_over(profile, store)))
    }

    /// What an interrupted run left: done, or `None` if a secret is still to be set.
    fn go_on(&self, session: &Session) -> Result<Option<ExitCode>, Failure> {
        let _lock = session.lock()?;
        let role = session.spare_secret()?;
        let proof = session.prove_secret()?;
        match (role, session.spare_secret()?) {
            (Some(SpareRole::Former), _)
                if matches!(proof, SecretProof::NothingToTry)
                    && self.prepared(session)?.is_none() =>
            {
                self.nothing_to_try()
            }
            // The instance has it already: the run was stopped before it could note that.
            (_, None | Some(SpareRole::Former)) => self.finish(session, proof).map(Some),
            (Some(SpareRole::Former), Some(SpareRole::Next)) => Err(not_taken()),
            (_, Some(SpareRole::Next)) => Ok(None),
        }
    }

    /// The secret was set, and is proved by no run of this command: an administrator may set another one.
    fn nothing_to_try(&self) -> Result<Option<ExitCode>, Failure> {
        if admin::is_named(self.app, &self.args.api) {
            output::say(format!(
                "{}: the last one was set and is not proved; another one is made",
                self.name
            ));
            return Ok(None);
        }
        let text =
            "the new client secret was set, and there are no tokens here that could prove it";
        let login = format!("snowtoken login {}", self.name);
        Err(Failure::told(Code::RotationUnfinished, text)
            .with_hint(Hint::run(login, "proves the new secret, and ends the change"))
            .with_hint(Hint::set(
                "--admin-user USER",
                "with this command makes and sets another one",
            )))
    }

    fn by_admin(&self, session: Option<Session>) -> Result<ExitCode, Failure> {
        let (app, api) = (self.app, &self.args.api);
        // A client that was not set up here, and may have no store yet.
        let store = match &session {
            None if !api.dry_run => Some(app.store_or_new(self.args.key)?),
            _ => None,
        };
        let authority = admin::authority(app, api, &self.instance)?;
        let search = Search::new(self.instance.clone(), authority.clone(), &self.wish.plan);
        let client = match setup::search(&app.world, search)? {
            Found::Client(client) => client,
            Found::Nothing => {
                let text = "there is no such client on the instance".to_owned();
                let failure = Failure::told(Code::ClientRefused, text);
                let why = "makes the client";
                return Err(failure
                    .with_hint(Hint::run(format!("snowtoken setup {} --apply", self.name), why)));
            }
        };
        if api.dry_run {
            return self.dry_run(&client, authority);
        }
        let profile = self.wish.profile(self.name, client.client_id.clone())?;
        let session = match (session, store) {
            (Some(session), _) => session,
            (None, Some(store)) => app.session_over(profile.clone(), store),
            (None, None) => return Err(Failure::bug("there is no store")),
        };
        session.store().probe()?;
        let _lock = session.lock()?;
        let secret = if let Some(secret) = session.next_secret()? {
            secret
        } else {
            let secret = setup::new_secret(app.world.dice)?;
            session.expect_secret(&secret)?;
            secret
        };
        if self.wish.known.is_none() {
            self.keep(&profile)?;
        }
        let mut work = self.work((&client, secret), authority);
        let done = setup::apply(&app.world, &mut work, |work| {
            if work.take_secret_was_set() { session.secret_was_set() } else { Ok(()) }
        });
        done.map_err(unfinished)?;
        output::say(format!(
            "{}: the new client secret is set; every copy of the old one is worth nothing now",
            self.name
        ));
        let proof = session.prove_secret()?;
        self.finish(&session, proof)
    }

    /// The product, if it gets its tokens itself.
    fn prepared(&self, session: &Session) -> Result<Option<Target>, Failure> {
        let profile = session.profile();
        if !self.app.classes().prepare_only(&profile.target) {
            return Ok(None);
        }
        let held = session.store().standing(&profile.name)?.and_then(|standing| standing.held);
        if held.is_some() { Ok(None) } else { self.app.target(&profile.target).map(Some) }
    }

    fn work(&self, what: (&FoundClient, Secret), authority: Authority) -> Apply {
        let orders = Orders { dry_run: self.args.api.dry_run, ..Orders::default() };
        Apply::set_secret(self.instance.clone(), authority, self.wish.plan.clone(), what, orders)
    }

    fn dry_run(&self, client: &FoundClient, authority: Authority) -> Result<ExitCode, Failure> {
        let thrown_away = setup::new_secret(self.app.world.dice)?;
        let mut work = self.work((client, thrown_away), authority);
        setup::apply(&self.app.world, &mut work, |_| Ok(()))?;
        let (url, json) = (self.instance.url(), self.args.api.json);
        report::planned(work.planned(), work.items(), url, json)?;
        Ok(ExitCode::SUCCESS)
    }

    /// An administrator has changed it on the form: proved, stored, delivered.
    fn by_hand(&self, session: Option<Session>) -> Result<ExitCode, Failure> {
        let Some(session) = session else {
            return Err(Error::ProfileUnknown(self.name.to_string()).into());
        };
        let secret = self.new_secret()?;
        let _lock = session.lock()?;
        let current = session.store().client_secret(self.name, &session.binding())?;
        if current.as_ref() == Some(&secret) {
            let proof = session.prove_secret()?;
            return self.finish(&session, proof);
        }
        session.expect_secret(&secret)?;
        session.secret_was_set()?;
        match session.prove_secret()? {
            SecretProof::StillFormer => {
                // It was not this one: forgotten, so that the next run begins anew.
                session.retire_secret()?;
                Err(not_taken())
            }
            proof => self.finish(&session, proof),
        }
    }

    fn new_secret(&self) -> Result<Secret, Failure> {
        if let Some(path) = &self.args.api.new_secret_file {
            return settings::line_of(path, "client secret");
        }
        let asked = if self.app.no_input {
            None
        } else {
            terminal::hidden("The new client secret, as an administrator has set it: ")
        };
        asked.ok_or_else(|| {
            Failure::told(
                Code::InputNeeded,
                "the new client secret is not known, and nobody can be asked",
            )
            .with_hint(Hint::set(
                "--admin-user USER",
                "an administrator, by whose rights a new one is made and set",
            ))
            .with_hint(Hint::set(
                "--new-secret-file FILE",
                "the one that an administrator has set by hand",
            ))
        })
    }

    fn keep(&self, profile: &Profile) -> Result<(), Failure> {
        let profile = profile.clone();
        Ok(config::update(&self.app.home, move |config| config.put(profile))?)
    }

    /// Proved as far as can be; delivered again; the old one forgotten.
    fn finish(&self, session: &Session, proof: SecretProof) -> Result<ExitCode, Failure> {
        let name = self.name;
        let prepared = self.prepared(session)?;
        let is_proved = match proof {
            SecretProof::Current => {
                output::say(format!("{name}: proved: the instance takes the new client secret"));
                true
            }
            SecretProof::StillFormer => return Err(not_taken()),
            SecretProof::NothingToTry => {
                output::say(match &prepared {
                    Some(target) => format!(
                        "{name}: not proved: {} gets its tokens itself, and nothing here could prove it",
                        target.title
                    ),
                    None => format!(
                        "{name}: not proved: there are no tokens to refresh. `snowtoken login {name}` proves it; \
                         until then the old secret is kept, sealed"
                    ),
                });
                false
            }
            SecretProof::Neither(error) => return Err(neither(&error)),
        };
        let delivered = copies::deliver_again(session, prepared.as_ref())?;
        if is_proved || prepared.is_some() {
            session.retire_secret()?;
            output::say(format!("{name}: done; the old client secret is forgotten here"));
        }
        if self.args.api.json {
            output::json(&json!({
                "version": 1,
                "profile": name.as_str(),
                "client_id": session.profile().client_id.as_str(),
                "client_secret_proved": is_proved.then_some(true),
                "delivered": delivered,
            }))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn not_taken() -> Failure {
    Failure::told(
        Code::SecretNotTaken,
        "the instance does not take the new client secret, and goes on with the old one",
    )
}

/// The new one was answered well and is the current one; the old one is kept.
fn neither(error: &Error) -> Failure {
    let text = format!("neither the new nor the old client secret brings tokens now: {error}");
    Failure::told(Code::RotationUnfinished, text).with_hint(Hint::run(
        "snowtoken login",
        "the tokens themselves may have ended: a login tells, with the new secret; then run this again",
    ))
}

/// Whether the secret was set is not known if the answer was lost; the next run finds out.
fn unfinished(error: Error) -> Failure {
    let is_refusal =
        matches!(error, Error::Apply(ApplyError::NotAccepted | ApplyError::RoleMissing { .. }));
    let failure = Failure::from(error);
    if is_refusal {
        failure.with_note("nothing was changed: the old secret works on, and the new one is kept for the next run")
    } else {
        failure.with_note("old and new secret are both stored: run the same command again, and it goes on from here")
    }
}
