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
use snowtoken::setup::Making;
use snowtoken::store::TokenStore as _;
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::{Error, session, setup};

use super::report::{self, Teller};
use super::{Wish, admin, given, hand_over};
use crate::app::{App, missing};
use crate::args::SetupArgs;
use crate::commands::deliver;
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
                let id = setup::client_id(&self.app.world, &plan, found)?;
                let made = (id, setup::new_secret(self.app.world.dice)?);
                Apply::create(instance, authority, plan, made, self.orders())
            }
            Found::Client(client) => {
                let (next, unknown) = self.interrupted(client)?;
                if let Some(would) = unknown
                    && self.args.client.client_secret_file.is_none()
                {
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

    /// The secret that an interrupted run was about to set; and, where none is known, what that means.
    fn interrupted(
        &self,
        client: &FoundClient,
    ) -> Result<(Option<Secret>, Option<Error>), Failure> {
        let profile = self.wish.profile(self.name, client.client_id.clone())?;
        let (app, binding) = (self.app, session::binding(&profile));
        let Some(store) = app.store()? else {
            let unknown = setup::unknown_secret(&app.home, &profile)?;
            return Ok((None, Some(unknown)));
        };
        let session = app.session_over(profile, store);
        let next = setup::secret_to_set(&session)?;
        let stored = session.store().client_secret(self.name, &binding)?;
        let unknown = match (&next, &stored) {
            (None, None) => Some(setup::unknown_secret(&app.home, session.profile())?),
            _ => None,
        };
        Ok((next, unknown))
    }

    fn make(
        &self,
        store: SqliteStore,
        authority: Authority,
        found: &Found,
    ) -> Result<(Profile, Vec<Item>), Failure> {
        let app = self.app;
        let id = setup::client_id(&app.world, &self.wish.plan, found)?;
        let profile = self.wish.profile(self.name, id)?;
        let api = &self.args.api;
        if !(api.no_login || api.no_output || self.wish.target.class.is_prepare_only()) {
            // Where the login will deliver to.
            deliver::destination(app, &profile, &store, self.args.output.as_deref())?;
        }
        let session = app.session_over(profile.clone(), store);
        let file = self.args.client.client_secret_file.as_deref();
        let making = Making {
            world: &app.world,
            home: &app.home,
            plan: &self.wish.plan,
            session: &session,
            given: given::secret(app, file, &session, found)?,
            orders: self.orders(),
        };
        let ready = making.prepare(authority, found)?;
        let mut teller = Teller::default();
        let items = ready.carry_out(|items| teller.tell(items)).map_err(|error| {
            Failure::from(error).with_note(
                "what was made stays; the same command goes on from there, with the same client ID and secret",
            )
        })?;
        Ok((profile, items))
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
