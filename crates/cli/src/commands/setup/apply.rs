//! `setup --apply`: the client made or mended over the Table API. Client ID and secret are stored
//! before the first request that sets them, so that an interrupted run loses nothing.

use std::process::ExitCode;

use serde_json::json;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::profile::{Grant, Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::servicenow::Instance;
use snowtoken::core::setup::apply::{
    Apply, Authority, Found, FoundClient, Item, Orders, Search, can_be_looked_up,
};
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::{SpareRole, TokenStore as _};
use snowtoken::{Session, config, session, setup};

use super::report::{self, Teller};
use super::{Wish, admin, hand_over};
use crate::app::{App, missing};
use crate::args::SetupArgs;
use crate::commands::{deliver, login::settings};
use crate::output;
use crate::report::Failure;

pub(crate) fn run(app: &App, args: &SetupArgs) -> Result<ExitCode, Failure> {
    let name = app.name(args.profile.as_deref())?;
    let wish = Wish::of(app, &args.client, Some(name.clone()))?;
    let instance = check(&wish, &name)?;
    if args.api.json && !(args.api.no_login || args.api.dry_run) {
        let text =
            "--json with --apply wants --no-login or --dry-run: the login has a result of its own";
        return Err(Failure::told(Code::Usage, text));
    }
    let task = Task { app, args, wish: &wish, name: &name, instance };
    task.run().map_err(|failure| failure.about(&name))
}

/// What cannot be made, before anything is made.
pub(super) fn check(wish: &Wish, name: &ProfileName) -> Result<Instance, Failure> {
    if matches!(wish.target.class.grant(), None | Some(Grant::JwtBearer)) {
        let text = format!("{} takes a client that cannot be made this way", wish.target.name);
        let checklist = format!("snowtoken setup {name} --checklist");
        return Err(
            Failure::told(Code::Usage, text).with_hint(Hint::run(checklist, "the steps by hand"))
        );
    }
    let Some(instance) = wish.instance.clone() else {
        return Err(missing("the instance", "--instance INSTANCE"));
    };
    let plan = &wish.plan;
    let id = plan.client_id.iter().map(ClientId::as_str);
    let words = [&plan.name].into_iter().chain(&plan.scopes).chain(&plan.user).map(String::as_str);
    if let Some(text) = words.chain(id).find(|text| !can_be_looked_up(text)) {
        let text = format!("\"{text}\" holds a ^, which cannot be looked up over the Table API");
        return Err(Failure::told(Code::Usage, text));
    }
    let Some(known) = &wish.known else { return Ok(instance) };
    if known.authentication == AuthenticationMethod::None {
        let text = format!("the client of \"{name}\" has no secret; --apply is for such with one");
        return Err(Failure::told(Code::Usage, text));
    }
    if known.instance != instance || plan.client_id.as_ref() != Some(&known.client_id) {
        let text = format!(
            "profile \"{name}\" is for the client {} on {}",
            known.client_id, known.instance
        );
        let other = Hint::note("give the new client a profile of its own: another name");
        return Err(Failure::told(Code::Usage, text).with_hint(other));
    }
    Ok(instance)
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
        let app = self.app;
        // Everything that can fail on this machine fails before anything is asked or sent.
        let store = if self.args.api.dry_run {
            None
        } else {
            let mut store = app.store_or_new(self.args.key)?;
            store.probe()?;
            Some(store)
        };
        let authority = admin::authority(app, &self.args.api, &self.instance)?;
        // Nobody is waited for while the lock is held; whoever comes second finds the client.
        let lock = store.is_some().then(|| session::lock(&app.home.data, self.name)).transpose()?;
        let search = Search::new(self.instance.clone(), authority.clone(), &self.wish.plan);
        let found = setup::search(&app.world, search)?;
        let Some(store) = store else { return self.dry_run(authority, &found) };
        let (profile, items) = self.make(store, authority, &found)?;
        drop(lock);
        self.close(&profile, &items)
    }

    fn orders(&self) -> Orders {
        let client = &self.args.client;
        Orders {
            exact_lifespans: client.access_token_lifespan.is_some()
                || client.refresh_token_lifespan.is_some(),
            dry_run: self.args.api.dry_run,
            enable_client_credentials: self.args.enable_client_credentials,
        }
    }

    /// Nothing is stored, and a secret that is made here is thrown away with the run.
    fn dry_run(&self, authority: Authority, found: &Found) -> Result<ExitCode, Failure> {
        let (instance, plan) = (self.instance.clone(), self.wish.plan.clone());
        let mut work = match found {
            Found::Nothing => {
                let id = match plan.client_id.clone() {
                    Some(id) => id,
                    None => setup::new_client_id(self.app.world.dice)?,
                };
                let made = (id, setup::new_secret(self.app.world.dice)?);
                Apply::create(instance, authority, plan, made, self.orders())
            }
            Found::Client(client) => {
                let (next, is_known) = self.interrupted(client)?;
                if !is_known && self.args.client.client_secret_file.is_none() {
                    let would = self.unknown_secret(&client.client_id)?;
                    output::say(format!("note: without --dry-run this would end here: {would}"));
                }
                Apply::mend(instance, authority, plan, (client, next), self.orders())
            }
        };
        let mut teller = Teller::default();
        setup::apply(&self.app.world, &mut work, |_| Ok(()))?;
        if !self.args.api.json {
            teller.tell(work.items());
        }
        let json = self.args.api.json;
        report::planned(work.planned(), work.items(), self.instance.url(), json)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The secret that an interrupted run was about to set, and whether any is known.
    fn interrupted(&self, client: &FoundClient) -> Result<(Option<Secret>, bool), Failure> {
        let profile = self.wish.profile(self.name, client.client_id.clone())?;
        let Some(store) = self.app.store()? else { return Ok((None, false)) };
        let session = self.app.session_over(profile, store);
        let next = to_set(&session)?;
        let stored = session.store().client_secret(self.name, &session.binding())?;
        let is_known = next.is_some() || stored.is_some();
        Ok((next, is_known))
    }

    fn make(
        &self,
        store: SqliteStore,
        authority: Authority,
        found: &Found,
    ) -> Result<(Profile, Vec<Item>), Failure> {
        let app = self.app;
        let id = match found {
            Found::Client(client) => client.client_id.clone(),
            Found::Nothing => match self.wish.plan.client_id.clone() {
                Some(id) => id,
                None => setup::new_client_id(app.world.dice)?,
            },
        };
        let profile = self.wish.profile(self.name, id)?;
        let api = &self.args.api;
        if !(api.no_login || api.no_output || self.wish.target.class.is_prepare_only()) {
            // Where the login will deliver to.
            deliver::destination(app, &profile, &store, self.args.output.as_deref())?;
        }
        let session = app.session_over(profile.clone(), store);
        let given = settings::secret(app, self.args.client.client_secret_file.as_deref())?;
        let (instance, plan) = (self.instance.clone(), self.wish.plan.clone());
        let (mut work, sets_secret) = match found {
            Found::Nothing => {
                let secret = self.secret_for_new(&session, given)?;
                let made = (profile.client_id.clone(), secret);
                (Apply::create(instance, authority, plan, made, self.orders()), true)
            }
            Found::Client(client) => {
                let next = self.secret_for_found(&session, given)?;
                let sets_secret = next.is_some();
                let what = (client, next);
                (Apply::mend(instance, authority, plan, what, self.orders()), sets_secret)
            }
        };
        let kept = profile.clone();
        config::update(&app.home, move |config| config.put(kept))?;
        let mut teller = Teller::default();
        let done = setup::apply(&app.world, &mut work, |work| {
            if work.take_secret_was_set() {
                session.secret_was_set()?;
            }
            teller.tell(work.items());
            Ok(())
        });
        teller.tell(work.items());
        let items = work.items().to_vec();
        if let Err(error) = done {
            return Err(Failure::from(error).with_note(
                "what was made stays; the same command goes on from there, with the same client ID and secret",
            ));
        }
        if sets_secret {
            // Before this there was no client, or none with a secret of ours: nothing to go back to.
            session.retire_secret()?;
        }
        Ok((profile, items))
    }

    /// Of a client that is not there: the secret of last time, or a given or a new one; stored as the
    /// next one, since the instance does not have it yet.
    fn secret_for_new(&self, session: &Session, given: Option<Secret>) -> Result<Secret, Failure> {
        let stored = || session.store().client_secret(self.name, &session.binding());
        let secret = match given {
            Some(secret) => secret,
            None => match (session.next_secret()?, stored()?) {
                (Some(secret), _) | (None, Some(secret)) => secret,
                (None, None) => setup::new_secret(self.app.world.dice)?,
            },
        };
        session.expect_secret(&secret)?;
        Ok(secret)
    }

    /// Of a client that is there: what an interrupted run was about to set; else its secret is known,
    /// or somebody must say it. It is never replaced in passing.
    fn secret_for_found(
        &self,
        session: &Session,
        given: Option<Secret>,
    ) -> Result<Option<Secret>, Failure> {
        if let Some(secret) = to_set(session)? {
            return Ok(Some(secret));
        }
        let binding = session.binding();
        if let Some(secret) = given {
            session.store().set_client_secret(self.name, &binding, &secret)?;
            return Ok(None);
        }
        if session.spare_secret()? == Some(SpareRole::Next) {
            let text = "the secret of this client is being changed, and that is not finished";
            return Err(Failure::told(Code::RotationUnfinished, text));
        }
        if session.store().client_secret(self.name, &binding)?.is_some() {
            return Ok(None);
        }
        Err(self.unknown_secret(&session.profile().client_id)?)
    }

    /// A client that is there, and whose it may be.
    fn unknown_secret(&self, id: &ClientId) -> Result<Failure, Failure> {
        let config = self.app.config()?;
        let has_it = |other: &&Profile| other.client_id == *id && other.instance == self.instance;
        let whose = config.profiles().iter().find(has_it).map_or_else(String::new, |other| {
            format!(
                ": it is that of profile \"{}\" here, and one client is for one profile",
                other.name
            )
        });
        let text = format!(
            "the client {id} is there already, and its secret is not known for this profile{whose}"
        );
        Ok(Failure::told(Code::ClientExists, text))
    }

    fn close(&self, profile: &Profile, items: &[Item]) -> Result<ExitCode, Failure> {
        let left = report::left_over(items);
        let verdict = hand_over::prove(self.app, profile);
        if self.args.api.json {
            output::json(&json!({
                "version": 1,
                "profile": self.name.as_str(),
                "instance": profile.instance.url(),
                "client_id": profile.client_id.as_str(),
                "redirect_uri_taken": verdict.as_ref().ok().and_then(|verdict| match verdict {
                    snowtoken::core::setup::probe::PlaceVerdict::Taken => Some(true),
                    _ => None,
                }),
                "client_secret_proved": null,
                "parts": report::as_json(items),
            }))?;
        }
        if left > 0 {
            let text = format!("{left} parts of the client could not be made or changed");
            return Err(Failure::told(Code::SetupIncomplete, text)
                .with_hint(Hint::run("snowtoken login", "if they do not matter to you")));
        }
        verdict?;
        hand_over::go_on(self.app, self.args, self.wish, profile)
    }
}

/// The secret that an interrupted run was about to set, where there is no other one yet.
fn to_set(session: &Session) -> Result<Option<Secret>, Failure> {
    let current = session
        .store()
        .client_secret(&session.profile().name, &session::binding(session.profile()))?;
    let next = session.next_secret()?;
    Ok(next.filter(|next| current.as_ref().is_none_or(|current| current == next)))
}
