//! `profile import` of a sealed profile: this machine becomes its owner.

use std::path::Path;
use std::process::ExitCode;

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::keeper::Progress;
use snowtoken::core::printable::Printable;
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::token_set::User;
use snowtoken::delivery::moment;
use snowtoken::handover::{self, Bundle, FileCarrier, Verdict, age};
use snowtoken::store::envelope::{Envelope, Header};
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::{Binding, Draft, Record, RecordState, TokenStore as _};
use snowtoken::{Error, Session, config, session};

use super::import::{Import, is_refusal, taken};
use super::passphrase;
use crate::app::App;
use crate::output;
use crate::report::Failure;

/// How many rows of the audit are searched for this hand-over.
const ROWS: u32 = 200_000;

pub(super) fn run(app: &App, args: &Import<'_>, text: &str) -> Result<ExitCode, Failure> {
    check_flags(args)?;
    let envelope = Envelope::parse(text).map_err(Error::from)?;
    let header = envelope.header();
    let name = args.name.map(ProfileName::parse).transpose()?.unwrap_or(header.profile.clone());
    let mut bundle = open(app, args, &envelope)?;
    bundle.profile.name = name.clone();
    let profile = bundle.profile.clone();
    let mut store = app.store_or_new(args.key)?;
    store.probe()?;
    let taking = Taking { app, args, header, bundle: &bundle };
    let before = taking.keep(&mut store)?;
    let session =
        Session::with_store(app.world.clone(), app.home.clone(), profile, Box::new(store));
    let proved = if args.verify { prove(&session) } else { Ok(None) };
    if proved.as_ref().is_err_and(is_refusal) {
        taking.put_back(&session, &before)?;
    }
    let user = proved.map_err(|error| unproved(error, &name))?;
    taking.tell(&name, before.takes_back, user.as_ref());
    Ok(ExitCode::SUCCESS)
}

/// A sealed profile says itself what it belongs to.
fn check_flags(args: &Import<'_>) -> Result<(), Failure> {
    let given = [("--instance", args.instance), ("--client-id", args.client_id)];
    if let Some((flag, _)) = given.into_iter().find(|(_, value)| value.is_some()) {
        let text = format!("{flag} does not go with a sealed profile, which says that itself");
        return Err(Failure::told(Code::Usage, text));
    }
    let dash = Some(Path::new("-"));
    if Some(args.file) == dash && args.passphrase_file == dash {
        let text = "the sealed profile and its passphrase cannot both come from standard input";
        return Err(Failure::told(Code::Usage, text));
    }
    if FileCarrier::waits(args.file) {
        let text = format!("{} is of an export that did not finish", args.file.display());
        return Err(Failure::told(Code::Usage, text).with_hint(Hint::note(
            "repeat the export on the machine it comes from; if that machine is gone, give the file a name without .part",
        )));
    }
    Ok(())
}

/// Asks for the passphrase, or runs `age`.
fn open(app: &App, args: &Import<'_>, envelope: &Envelope) -> Result<Bundle, Failure> {
    let content = match (envelope.for_age(), args.identity) {
        (Some(sealed), Some(identity)) => {
            let opened = age::open(identity, sealed)?;
            envelope.content_from_age(&opened)
        }
        (Some(_), None) => {
            let text = "the profile is sealed for an age recipient, and no identity was named";
            return Err(Failure::told(Code::InputNeeded, text)
                .with_hint(Hint::set("--identity FILE", "opens it by the age program")));
        }
        (None, Some(_)) => {
            let text = "the profile is sealed by a passphrase: no identity opens it";
            return Err(Failure::told(Code::Usage, text));
        }
        (None, None) => envelope.open(&passphrase::existing(app, args.passphrase_file)?),
    };
    Ok(Bundle::read(&content?)?)
}

/// Refreshes once, since the access token may live long after the refresh token was replaced by
/// another owner; then asks whose it is. Where the instance rotates, nobody else can refresh by this
/// file from here on.
fn prove(session: &Session) -> Result<Option<User>, Error> {
    match session.refresh() {
        Ok(_) | Err(Error::NoRefreshToken(_)) => session.verify().map(|(user, _)| user),
        Err(error) => Err(error),
    }
}

fn unproved(error: Error, name: &ProfileName) -> Failure {
    let note = if is_refusal(&error) {
        "nothing was taken over: what the file holds is worth nothing any more. --no-verify takes it over without asking the instance"
            .to_owned()
    } else {
        format!(
            "this machine is the owner now, and nothing was proved: `snowtoken verify {name}` tries again"
        )
    };
    Failure::from(error).about(name).with_hint(Hint::note(note))
}

/// What was here under the name before.
struct Before {
    profile: Option<Profile>,
    secret: Option<(Binding, Secret)>,
    key: Option<(Binding, Secret)>,
    record: Option<Record>,
    /// The file comes from here.
    takes_back: bool,
}

impl Before {
    fn of(app: &App, store: &SqliteStore, name: &ProfileName) -> Result<Self, Failure> {
        let profile = app.config()?.profile(name).cloned();
        let record = store.load(name)?;
        let binding = profile.as_ref().map(session::binding);
        let (secret, key) = match &binding {
            Some(binding) => {
                (store.client_secret(name, binding)?, store.signing_key(name, binding)?)
            }
            None => (None, None),
        };
        let secret = binding.clone().zip(secret);
        Ok(Self { profile, secret, key: binding.zip(key), record, takes_back: false })
    }
}

/// A hand-over that arrives.
struct Taking<'a> {
    app: &'a App,
    args: &'a Import<'a>,
    header: &'a Header,
    bundle: &'a Bundle,
}

impl Taking<'_> {
    /// Stores everything; the tokens, which make this machine the owner, come last.
    fn keep(&self, store: &mut SqliteStore) -> Result<Before, Failure> {
        let Bundle { profile, client_secret, signing_key, tokens, user, facts } = self.bundle;
        let name = &profile.name;
        let _lock = session::lock(&self.app.home.data, name)?;
        let mut before = Before::of(self.app, store, name)?;
        before.takes_back = self.check(store, &before)?;
        let binding = session::binding(profile);
        config::update(&self.app.home, |config| config.put(profile.clone()))?;
        if let Some(secret) = client_secret {
            store.set_client_secret(name, &binding, secret)?;
        }
        if let Some(key) = signing_key {
            store.set_signing_key(name, &binding, key)?;
        }
        let draft = Draft {
            binding,
            tokens: tokens.clone(),
            user: user.clone(),
            state: RecordState::Held,
            progress: Progress::default(),
            facts: facts.clone(),
        };
        let generation = store.generation(name)?;
        store.save(name, generation, &draft, Some(&self.row("done")))?;
        Ok(before)
    }

    /// Whether this file may be taken over here; `true` if it comes from here.
    fn check(&self, store: &SqliteStore, before: &Before) -> Result<bool, Failure> {
        let name = &self.bundle.profile.name;
        let rows = store.audit(None, ROWS)?;
        let history = handover::history(&rows, self.header.lease);
        let record = before.record.as_ref();
        let verdict = handover::judge(self.header, record, history, self.app.world.now());
        let is_other =
            |known: &Profile| session::binding(known) != session::binding(&self.bundle.profile);
        let is_elsewhere = before.profile.as_ref().is_some_and(is_other);
        if self.args.force {
            return Ok(verdict == Verdict::TakesBack);
        }
        match verdict {
            Verdict::UsedBefore(at) => Err(Failure::told(
                Code::SealedFileUsed,
                format!("this file was taken over on this machine already, at {}", moment(at)),
            )),
            Verdict::Superseded(at) => Err(Failure::told(
                Code::SealedFileUsed,
                format!(
                    "this file is an earlier one: the profile was handed over once more at {}",
                    moment(at)
                ),
            )),
            Verdict::BeingRevoked => Err(Error::BeingRevoked(name.to_string()).into()),
            Verdict::LivesHere => Err(taken(name).with_hint(Hint::set(
                "--force",
                "replaces its tokens, which live, by those of the file",
            ))),
            Verdict::New | Verdict::TakesBack if is_elsewhere => {
                Err(taken(name).with_hint(Hint::set(
                    "--force",
                    "replaces its settings, which name another instance or client",
                )))
            }
            Verdict::New => Ok(false),
            Verdict::TakesBack => Ok(true),
        }
        .map_err(|failure| failure.about(name))
    }

    fn row(&self, outcome: &str) -> snowtoken::store::AuditEntry {
        let name = &self.bundle.profile.name;
        handover::audit(self.app.world.now(), name, "import", outcome, self.header.lease, "")
    }

    /// The instance refuses what the file holds: what was here before is here again.
    fn put_back(&self, session: &Session, before: &Before) -> Result<(), Failure> {
        let name = &session.profile().name;
        let _lock = session.lock()?;
        let mut store = session.store();
        let row = self.row("refused");
        let Before { profile, secret, key, record, .. } = before;
        let refused = |now: &Record| now.tokens.refresh_token == self.bundle.tokens.refresh_token;
        if !store.load(name)?.as_ref().is_some_and(refused) {
            // Somebody has logged in meanwhile.
            return Ok(());
        }
        let generation = store.generation(name)?;
        match record {
            Some(record) => {
                store.save(name, generation, &Draft::from(record.clone()), Some(&row))?;
            }
            None if profile.is_some() => {
                store.clear_tokens(name, generation, Some(&row))?;
            }
            None => {
                store.remove_profile(name)?;
                store.append_audit(&row)?;
            }
        }
        match secret {
            Some((binding, secret)) => store.set_client_secret(name, binding, secret)?,
            None => drop(store.remove_client_secret(name)?),
        }
        match key {
            Some((binding, key)) => store.set_signing_key(name, binding, key)?,
            None => drop(store.remove_signing_key(name)?),
        }
        Ok(config::update(&self.app.home, |config| match profile {
            Some(profile) => config.put(profile.clone()),
            None => drop(config.remove(name)),
        })?)
    }

    fn tell(&self, name: &ProfileName, taken_back: bool, user: Option<&User>) {
        let proof = if self.args.verify { "and verified" } else { "not verified" };
        let at = moment(self.header.created);
        if taken_back {
            output::say(format!(
                "{name}: taken back, {proof}: this machine is the owner again. It had handed the profile over at {at}; \
                 the file must not be imported anywhere any more"
            ));
        } else {
            output::say(format!(
                "{name}: taken over, {proof}: this machine is the owner now. The one that handed it over at {at} \
                 refreshes it no more"
            ));
        }
        // Anybody can seal their own tokens for a recipient: a person should see whose these are.
        if let Some(user) = user.and_then(User::name) {
            output::say(format!("  the tokens belong to {}", Printable(user)));
        }
        if self.args.file != Path::new("-") {
            output::say(format!("  {} is of no more use: delete it", self.args.file.display()));
        }
    }
}
