//! `setup --background-script`: one script that makes or mends the client. Client ID and secret are
//! made here and kept for the profile, so that `login` asks for nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::setup::{self, ScriptWish, background_script};
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::{TokenStore as _, write_file};
use snowtoken::{config, session};

use super::Wish;
use crate::app::{App, missing};
use crate::args::SetupArgs;
use crate::commands::login::settings;
use crate::report::Failure;
use crate::{files, output};

pub(crate) fn run(app: &App, args: &SetupArgs) -> Result<ExitCode, Failure> {
    let name = app.name(args.profile.as_deref())?;
    let _lock = session::lock(&app.home.data, &name)?;
    let wish = Wish::of(app, &args.client, Some(name.clone()))?;
    check(&wish, &name)?;
    let place = Place::of(app, args.output.as_deref(), &name)?;
    let mut store = app.store_or_new(args.key)?;
    let client = Client::of(app, args, &wish, &name, &store)?;
    let script = background_script(&ScriptWish {
        plan: &wish.plan,
        client_id: &client.profile.client_id,
        client_secret: client.secret.as_ref(),
        enable_client_credentials: args.enable_client_credentials,
    });
    // Before the script is anywhere: what it makes on the instance must be known here.
    client.keep(app, &mut store)?;
    match &place {
        Place::Stdout => output::data(&script)?,
        Place::File(path) => write_file::replace(path, script.as_bytes())?,
    }
    tell(&wish, &client, &place);
    Ok(ExitCode::SUCCESS)
}

/// What no script can make, before anything is made here.
fn check(wish: &Wish, name: &ProfileName) -> Result<(), Failure> {
    let refused = |text: String| Err(Failure::told(Code::Usage, text));
    if !wish.target.class.is_made_by_script() {
        let checklist = format!("snowtoken setup {name} --checklist");
        return Err(Failure::told(
            Code::Usage,
            format!("{} takes a client that this script cannot make", wish.target.name),
        )
        .with_hint(Hint::run(checklist, "the steps by hand")));
    }
    let Some(instance) = &wish.instance else {
        return Err(missing("the instance", "--instance INSTANCE"));
    };
    let Some(known) = &wish.known else { return Ok(()) };
    if known.authentication == AuthenticationMethod::None {
        return refused(format!(
            "the client of \"{name}\" has no secret; the script makes such with one"
        ));
    }
    let other_id = wish.plan.client_id.as_ref() != Some(&known.client_id);
    if known.instance != *instance || other_id {
        return Err(Failure::told(
            Code::Usage,
            format!(
                "profile \"{name}\" is for the client {} on {}",
                known.client_id, known.instance
            ),
        )
        .with_hint(Hint::note("give the new client a profile of its own: another name")));
    }
    Ok(())
}

/// Where the script goes.
enum Place {
    Stdout,
    File(PathBuf),
}

impl Place {
    fn of(app: &App, typed: Option<&Path>, name: &ProfileName) -> Result<Self, Failure> {
        let path = match typed {
            Some(path) if path == Path::new("-") => return Ok(Self::Stdout),
            Some(path) => path.to_owned(),
            None => {
                let environment = &app.world.environment;
                let folder = environment.desktop().or_else(|| environment.home_folder());
                let folder = folder.ok_or_else(|| missing("where to write", "--output FILE"))?;
                folder.join(format!("snowtoken-setup-{name}.js"))
            }
        };
        let path = files::absolute(&path).map_err(|error| super::output_refused(&error))?;
        write_file::check(&path)?;
        Ok(Self::File(path))
    }
}

/// The client of the script.
struct Client {
    profile: Profile,
    secret: Option<Secret>,
    /// The secret is to be stored.
    is_new_secret: bool,
    /// There is another one in the store, which stays.
    stored_differs: bool,
}

impl Client {
    /// ID and secret of last time, or those somebody gave, or new ones. A client ID that somebody gave
    /// may belong to a client with a secret: none is made for it.
    fn of(
        app: &App,
        args: &SetupArgs,
        wish: &Wish,
        name: &ProfileName,
        store: &SqliteStore,
    ) -> Result<Self, Failure> {
        let id = wish.plan.client_id.clone();
        let is_new = id.is_none();
        let profile = wish.profile(name, id.map_or_else(|| new_id(app), Ok)?)?;
        let stored = store.client_secret(name, &session::binding(&profile))?;
        let given = settings::secret(app, args.client.client_secret_file.as_deref())?;
        let stored_differs = stored.is_some() && given.is_some() && stored != given;
        let is_new_secret = stored.is_none();
        let secret = match given.or(stored) {
            None if is_new => Some(new_secret(app)?),
            secret => secret,
        };
        Ok(Self { profile, secret, is_new_secret, stored_differs })
    }

    /// The secret first: a profile without it would ask for one that nobody has seen.
    fn keep(&self, app: &App, store: &mut SqliteStore) -> Result<(), Failure> {
        if let Some(secret) = self.secret.as_ref().filter(|_| self.is_new_secret) {
            store.set_client_secret(
                &self.profile.name,
                &session::binding(&self.profile),
                secret,
            )?;
        }
        let profile = self.profile.clone();
        Ok(config::update(&app.home, move |config| config.put(profile))?)
    }
}

fn new_id(app: &App) -> Result<ClientId, Failure> {
    let mut dice = [0; setup::ID_DICE];
    (app.world.dice)(&mut dice)?;
    Ok(setup::new_client_id(dice))
}

fn new_secret(app: &App) -> Result<Secret, Failure> {
    let mut dice = zeroize::Zeroizing::new([0; setup::SECRET_DICE]);
    (app.world.dice)(&mut *dice)?;
    Ok(setup::new_client_secret(&dice))
}

/// What to do with it, in the order in which it is done.
fn tell(wish: &Wish, client: &Client, place: &Place) {
    let (profile, name) = (&client.profile, &client.profile.name);
    let what =
        if client.secret.is_some() { "it holds the client secret" } else { "it holds no secret" };
    match place {
        Place::Stdout => output::say(format!("{name}: the script is on standard output; {what}.")),
        Place::File(path) => output::say(format!("{name}: written to {}; {what}.", path.display())),
    }
    let link = profile.instance.at("/nav_to.do?uri=sys.scripts.do");
    output::say(format!(
        "  1. As an administrator of {}: your picture > Elevate role > security_admin.\n  \
           2. System Definition > Scripts - Background, in scope: global. It should be at\n     {link}\n  \
           3. Paste the whole script, Run script, and read what it prints: \"to do\" and \"failed\" should be 0.",
        profile.instance
    ));
    let has_file = matches!(place, Place::File(_)) && client.secret.is_some();
    output::say(match (wish.is_minted, has_file) {
        (true, true) => format!("  4. Delete the file, then run  snowtoken login {name}"),
        (true, false) => format!("  4. Then run  snowtoken login {name}"),
        // The product asks for consent itself.
        (false, has_file) => format!(
            "  4. Enter Client ID and client secret into the product: {} at the top of the script.{}",
            if client.secret.is_some() { "both stand" } else { "the ID stands" },
            if has_file { " Then delete the file." } else { "" },
        ),
    });
    if client.secret.is_none() {
        output::say(format!(
            "note: no secret is known here for the client {}, so the script leaves it alone; the login asks for it",
            profile.client_id
        ));
    }
    if client.stored_differs {
        output::say(
            "note: the secret of the file is in the script; the stored one is another and stays until \
             `snowtoken login --client-secret-file FILE` succeeds",
        );
    }
}
