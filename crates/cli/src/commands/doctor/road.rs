//! Which road is meant, and what the library found on it.

use snowtoken::core::diagnosis::Code;
use snowtoken::core::oauth::client::ClientId;
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::Profile;
use snowtoken::core::servicenow::Instance;
use snowtoken::core::servicenow::road::{Finding, Step as Place, Subject, Verdict as Found};
use snowtoken::road::Walk;
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::variables;

use super::Step;
use crate::app::App;
use crate::args::DoctorArgs;
use crate::output;
use crate::report::Failure;

/// At most this many names of profiles are listed.
const MOST_NAMES: usize = 8;

/// Where the road leads.
pub(super) enum Meant {
    /// To the tokens of a profile.
    Profile(Box<Profile>),
    /// To an instance, before there is a profile.
    Instance(Box<Subject>),
    /// Nowhere: why.
    Nobody(String),
}

impl Meant {
    /// What the command line and the configuration mean.
    pub(super) fn of(app: &App, args: &DoctorArgs) -> Result<Self, Failure> {
        if let Some(text) = &args.instance {
            return Ok(Self::Instance(Box::new(subject(text, args)?)));
        }
        // A configuration that cannot be read is a step of its own.
        let Ok(config) = app.config() else {
            return Ok(Self::Nobody("the configuration cannot be read".to_owned()));
        };
        let typed = args.profile.as_deref();
        if typed.or_else(|| app.world.environment.get(&variables::PROFILE)).is_some() {
            return Ok(Self::Profile(Box::new(app.profile(typed)?)));
        }
        Ok(match config.profiles() {
            [only] => Self::Profile(Box::new(only.clone())),
            [] => match app.world.environment.get(&variables::INSTANCE) {
                Some(text) => Self::Instance(Box::new(subject(text, args)?)),
                None => Self::Nobody(
                    "there is none yet; --instance NAME looks at the road to an instance"
                        .to_owned(),
                ),
            },
            many => {
                let names: Vec<&str> =
                    many.iter().take(MOST_NAMES).map(|profile| profile.name.as_str()).collect();
                let more = if many.len() > MOST_NAMES { ", …" } else { "" };
                let (count, names) = (many.len(), names.join(", "));
                Self::Nobody(format!("there are {count}: name one of them ({names}{more})"))
            }
        })
    }

    pub(super) fn profile(&self) -> Option<&Profile> {
        match self {
            Self::Profile(profile) => Some(profile),
            _ => None,
        }
    }

    pub(super) fn instance(&self) -> Option<&Instance> {
        match self {
            Self::Profile(profile) => Some(&profile.instance),
            Self::Instance(subject) => Some(&subject.instance),
            Self::Nobody(_) => None,
        }
    }
}

fn subject(instance: &str, args: &DoctorArgs) -> Result<Subject, Failure> {
    let usage = |flag: &str, error: &dyn std::fmt::Display| {
        Failure::told(Code::Usage, format!("{flag}: {error}"))
    };
    let client_id = args.client_id.as_deref().map(ClientId::parse).transpose();
    let redirect_uri = args.redirect_uri.as_deref().map(RedirectUri::parse).transpose();
    Ok(Subject {
        client_id: client_id.map_err(|error| usage("--client-id", &error))?,
        redirect_uri: redirect_uri.map_err(|error| usage("--redirect-uri", &error))?,
        ..Subject::instance(Instance::parse(instance)?)
    })
}

/// The steps on the road.
pub(super) fn steps(
    app: &App,
    args: &DoctorArgs,
    meant: &Meant,
    store: Option<SqliteStore>,
) -> Result<Vec<Step>, Failure> {
    if args.local {
        return Ok(Vec::new());
    }
    let world = &app.world;
    // A product that is not known any more is no hindrance: there are no tables to look at then.
    let target = meant.profile().and_then(|profile| app.target(&profile.target).ok());
    let _patience = Patience::begin();
    let found = match (meant, store) {
        (Meant::Nobody(why), _) => return Ok(vec![Step::unknown("profile", why.clone())]),
        (Meant::Instance(subject), _) => {
            let mut found = Walk::to(world, (**subject).clone()).go()?;
            found.retain(|finding| is_asked_for(finding.step, subject));
            found
        }
        (Meant::Profile(profile), None) => {
            Walk::to(world, Subject::profile(profile, target.as_ref())).go()?
        }
        (Meant::Profile(profile), Some(store)) => {
            let session = app.session_over((**profile).clone(), store);
            Walk::of(world, &session, target.as_ref()).with_refresh(args.refresh).go()?
        }
    };
    Ok(found.into_iter().map(|finding| told(finding, meant)).collect())
}

/// A line for whoever waits at a terminal; gone when it is over.
struct Patience(bool);

impl Patience {
    fn begin() -> Self {
        let is_lively = output::is_lively();
        if is_lively {
            output::say_part("walking the road ...");
        }
        Self(is_lively)
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        if self.0 {
            output::say_part("\r\u{1b}[K");
        }
    }
}

/// Whether a step means anything for an instance of which little more is known than its name.
fn is_asked_for(step: Place, subject: &Subject) -> bool {
    match step {
        Place::Client | Place::Pkce => subject.client_id.is_some(),
        Place::RedirectUri => subject.redirect_uri.is_some(),
        Place::ClientSecret
        | Place::Scope
        | Place::Grant
        | Place::RefreshToken
        | Place::Api
        | Place::Tables
        | Place::Deadlines => false,
        _ => true,
    }
}

fn told(finding: Finding, meant: &Meant) -> Step {
    let name = finding.step.as_str();
    match finding.verdict {
        Found::Pass(seen) => Step::pass(name, seen),
        Found::Warn(seen) => Step::warn(name, seen),
        Found::Unknown(why, text) => Step { why: Some(why.as_str()), ..Step::unknown(name, text) },
        Found::Fail(fault) => {
            let failure = Failure::from(fault);
            Step::fail(
                name,
                match meant.profile() {
                    Some(profile) => failure.about(&profile.name),
                    None => failure,
                },
            )
        }
    }
}
