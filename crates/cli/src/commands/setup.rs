//! `setup`: the client on the instance, by hand, by one script, or over the Table API. What it should
//! look like is decided here, once for all ways.

mod admin;
mod apply;
mod checklist;
pub(crate) mod given;
mod hand_over;
mod report;
mod rotate;
mod script;

use std::process::ExitCode;

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::printable::Printable;
use snowtoken::core::profile::{Grant, Profile, ProfileName};
use snowtoken::core::servicenow::{Instance, Lifespans};
use snowtoken::core::setup::ClientPlan;
use snowtoken::core::target::{Class, Target};
use snowtoken::targets;
use snowtoken::variables::{self, Variable};

use super::login::settings;
use crate::app::{App, missing};
use crate::args::{ClientArgs, GrantChoice, SetupArgs};
use crate::report::Failure;

pub(crate) fn run(app: &App, args: &SetupArgs) -> Result<ExitCode, Failure> {
    if args.background_script {
        script::run(app, args)
    } else if args.api.apply {
        apply::run(app, args)
    } else if args.api.rotate_secret {
        rotate::run(app, args)
    } else {
        checklist::run(app, args)
    }
}

/// What was asked for, complete and checked: flag, environment, profile, target, built-in, in this
/// order. Nothing is written yet.
#[derive(Debug)]
pub(crate) struct Wish {
    /// The profile's name, where one is meant.
    pub(crate) name: Option<ProfileName>,
    /// The profile as it is configured.
    pub(crate) known: Option<Profile>,
    /// The instance, where it is known.
    pub(crate) instance: Option<Instance>,
    /// The product.
    pub(crate) target: Target,
    /// Whether its tokens are got by `login`, and not by the product itself.
    pub(crate) is_minted: bool,
    /// Its region.
    pub(crate) region: Option<String>,
    /// The redirect URI that `login` sends.
    pub(crate) redirect_uri: Option<RedirectUri>,
    /// What the client should look like.
    pub(crate) plan: ClientPlan,
}

impl Wish {
    /// Reads what was asked for about this profile, or about none.
    pub(crate) fn of(
        app: &App,
        args: &ClientArgs,
        name: Option<ProfileName>,
    ) -> Result<Self, Failure> {
        let given = |flag: &Option<String>, variable: &Variable| {
            flag.clone().or_else(|| app.world.environment.get(variable).map(str::to_owned))
        };
        let config = app.config()?;
        let known = name.as_ref().and_then(|name| config.profile(name)).cloned();
        let instance = match given(&args.instance, &variables::INSTANCE) {
            Some(text) => Some(Instance::parse(&text)?),
            None => known.as_ref().map(|profile| profile.instance.clone()),
        };
        let target_name = given(&args.target, &variables::TARGET)
            .or_else(|| known.as_ref().map(|profile| profile.target.clone()))
            .unwrap_or_else(|| targets::USUAL.to_owned());
        let target = app.target(&target_name)?;
        let is_minted = !target.class.is_prepare_only();
        let target = with_grant(target, args.grant, known.as_ref());
        // Of another target's redirect URI and scopes nothing may be left over.
        let before = known.as_ref().filter(|profile| profile.target == target_name);
        let region = given(&args.region, &variables::REGION);
        let typed =
            given(&args.redirect_uri, &variables::REDIRECT_URI).filter(|_| args.region.is_none());
        let (region, redirect_uri) = match target.class.grant() {
            Some(Grant::AuthorizationCode) => {
                settings::place(&target, region, typed.as_deref(), before)?
            }
            _ => (region, None),
        };
        let mut plan = plan(&target, region.as_deref(), redirect_uri.clone())?;
        if let Some(name) = &args.name {
            plan.name = client_name(name)?;
        }
        plan.client_id = match given(&args.client_id, &variables::CLIENT_ID) {
            Some(text) => Some(
                ClientId::parse(&text).map_err(|e| Failure::told(Code::Usage, e.to_string()))?,
            ),
            None => known.as_ref().map(|profile| profile.client_id.clone()),
        };
        let lifespans = settings::lifespans(
            args.access_token_lifespan.as_deref(),
            args.refresh_token_lifespan.as_deref(),
            before,
            &target,
        )?;
        plan.access_token_lifespan = lifespans.access.unwrap_or(plan.access_token_lifespan);
        plan.refresh_token_lifespan = lifespans.refresh.unwrap_or(plan.refresh_token_lifespan);
        let scope = settings::scope(args.scope.as_deref(), args.no_scope, before, &target)?;
        plan.scopes = scope.map_or_else(Vec::new, |scope| {
            scope.as_str().split_ascii_whitespace().map(str::to_owned).collect()
        });
        plan.user = args.user.as_deref().map(user_name).transpose()?;
        Ok(Self { name, known, instance, target, is_minted, region, redirect_uri, plan })
    }

    /// The profile for this client, whose ID is known by now.
    pub(crate) fn profile(
        &self,
        name: &ProfileName,
        client_id: ClientId,
    ) -> Result<Profile, Failure> {
        let instance =
            self.instance.clone().ok_or_else(|| missing("the instance", "--instance INSTANCE"))?;
        let scope = snowtoken::core::oauth::Scope::parse(&self.plan.scopes.join(" ")).ok();
        let known = self.known.as_ref();
        Ok(Profile {
            name: name.clone(),
            instance,
            client_id,
            authentication: known.map_or(AuthenticationMethod::default(), |p| p.authentication),
            grant: self.plan.grant,
            assertion: known.map(|profile| profile.assertion.clone()).unwrap_or_default(),
            redirect_uri: self.redirect_uri.clone(),
            scope,
            lifespans: Lifespans {
                access: Some(self.plan.access_token_lifespan),
                refresh: Some(self.plan.refresh_token_lifespan),
            },
            target: self.target.name.clone(),
            region: self.region.clone(),
            credentials_file: known.is_none_or(|profile| profile.credentials_file),
        })
    }
}

/// The target, for the grant that somebody chose.
fn with_grant(mut target: Target, typed: Option<GrantChoice>, known: Option<&Profile>) -> Target {
    let chosen = match typed {
        Some(GrantChoice::AuthorizationCode) => Some(Grant::AuthorizationCode),
        Some(GrantChoice::ClientCredentials) => Some(Grant::ClientCredentials),
        Some(GrantChoice::JwtBearer) => Some(Grant::JwtBearer),
        // Of a product that takes no grant we know, a profile holds the usual one, which nobody chose.
        None => known
            .filter(|profile| profile.target == target.name)
            .map(|profile| profile.grant)
            .filter(|grant| target.class.grant().is_some() || *grant != Grant::AuthorizationCode),
    };
    match chosen {
        Some(Grant::ClientCredentials) => target.class = Class::ClientCredentials,
        Some(Grant::JwtBearer) => target.class = Class::JwtBearer,
        Some(Grant::AuthorizationCode)
            if target.class.grant() != Some(Grant::AuthorizationCode) =>
        {
            target.class = Class::Client;
        }
        _ => {}
    }
    target
}

fn plan(
    target: &Target,
    region: Option<&str>,
    redirect_uri: Option<RedirectUri>,
) -> Result<ClientPlan, Failure> {
    // With the region the target says what else is to be registered.
    let typed = if region.is_some() { None } else { redirect_uri };
    ClientPlan::for_target(target, region, typed).map_err(|error| {
        Failure::told(Code::Usage, error.to_string()).with_hint(Hint::run(
            format!("snowtoken target show {}", target.name),
            "what this product takes",
        ))
    })
}

/// A name that people read, on one line.
fn client_name(text: &str) -> Result<String, Failure> {
    plain("--name", text, 100)
}

fn user_name(text: &str) -> Result<String, Failure> {
    plain("--user", text, 100)
}

fn plain(flag: &str, text: &str, longest: usize) -> Result<String, Failure> {
    let text = text.trim();
    let fits = (1..=longest).contains(&text.chars().count());
    if fits && Printable(text).to_string() == text {
        return Ok(text.to_owned());
    }
    let text =
        format!("{flag} wants 1 to {longest} characters on one line, none of them invisible");
    Err(Failure::told(Code::Usage, text))
}

/// `--output` cannot be read as a path.
fn output_refused(error: &std::io::Error) -> Failure {
    Failure::told(Code::Usage, format!("--output: {error}"))
}
