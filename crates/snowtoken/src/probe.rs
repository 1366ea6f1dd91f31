//! Measures on a real instance what no published source tells, and reads the facts that came of it.
//!
//! It speaks for one client, which should be there for nothing else: tokens of it are refreshed,
//! revoked and asked for in ways that a well-behaved client avoids. A person signs in and presses
//! what the [`Guide`] says. Nothing is stored but the file of facts.

mod facts;
mod tokens;

use std::cell::Cell;

use snowtoken_core::diagnosis::Diagnose as _;
use snowtoken_core::oauth::client::Client;
use snowtoken_core::oauth::pkce::CodeVerifier;
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::oauth::token::TokenError;
use snowtoken_core::oauth::{Endpoints, Request, Response};
use snowtoken_core::probe::ask::{self, Authorization};
use snowtoken_core::probe::judge::{self, Shown, Tokens};
use snowtoken_core::probe::{self as unknown, Finding, Seen, Unknown};
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{Page, Phase, TokenFailure};
use url::Url;

use crate::error::Error;
use crate::http::ATTEMPT_LIMIT;
use crate::world::World;

pub use facts::{FactsError, knobs};

/// The most requests that a look for a rate limit sends.
pub const LARGEST_BURST: u64 = 500;

/// What the person is to press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// Allow, after signing in.
    Allow,
    /// Deny.
    Deny,
}

/// Leads the person through the measurement.
pub trait Guide {
    /// Sends the person to this address. What the address bar shows when the browser has come to
    /// rest at the redirect URI; `None` if it stayed on a page of the instance.
    fn visit(&mut self, url: &Url, press: Press) -> Option<Secret>;

    /// Lets the person choose; `None`: no answer.
    fn choose(&mut self, question: &str, answers: &[&str]) -> Option<usize>;

    /// Something was found out, or was not.
    fn found(&mut self, unknown: &Unknown, finding: &Finding);
}

/// A measurement.
#[derive(Debug)]
pub struct Probe<'a> {
    /// Instance and client.
    pub profile: &'a Profile,
    /// The client with its secret.
    pub client: &'a Client,
    /// Whether the client's record may be changed for a moment: its refresh token lifespan, by a day.
    pub change_client: bool,
    /// How many token requests may be sent in a row to find a rate limit; 0: none.
    pub burst: u64,
    /// Whether the person is asked to switch OAuth off, and to lock this address out, for a moment.
    pub disturb: bool,
}

/// One measurement under way.
struct Run<'a> {
    probe: &'a Probe<'a>,
    world: &'a World,
    guide: &'a mut dyn Guide,
    endpoints: Endpoints,
    redirect_uri: RedirectUri,
    found: Vec<(Unknown, Finding)>,
    /// How many requests went to the token endpoint.
    token_requests: Cell<u64>,
}

impl Probe<'_> {
    /// Measures, in an order in which each question finds what it needs.
    ///
    /// # Errors
    /// If the instance cannot be reached, sleeps, or the profile has no redirect URI. Whatever goes
    /// wrong later makes a single fact unknown.
    pub fn run(
        &self,
        world: &World,
        guide: &mut dyn Guide,
    ) -> Result<Vec<(Unknown, Finding)>, Error> {
        let redirect_uri = self.profile.redirect_uri.clone().ok_or_else(|| {
            Error::SettingMissing { profile: self.profile.name.to_string(), what: "redirect URI" }
        })?;
        let endpoints = self.profile.instance.endpoints();
        let mut run = Run {
            probe: self,
            world,
            guide,
            endpoints,
            redirect_uri,
            found: Vec::new(),
            token_requests: Cell::new(0),
        };
        run.without_a_person()?;
        run.verifier_and_consent()?;
        run.tokens()?;
        run.deny()?;
        run.disturbing()?;
        Ok(run.found)
    }
}

impl Run<'_> {
    fn send(&self, request: Request) -> Result<Response, Error> {
        if !judge::stays_with(&request, &self.probe.profile.instance) {
            return Err(Error::SettingMissing {
                profile: self.probe.profile.name.to_string(),
                what: "an instance that is where the request goes",
            });
        }
        if request.uri().path() == self.endpoints.token.path() {
            self.token_requests.set(self.token_requests.get() + 1);
        }
        Ok(self.world.transport.send(request, ATTEMPT_LIMIT)?)
    }

    fn note(&mut self, unknown: Unknown, finding: Finding) {
        self.guide.found(&unknown, &finding);
        self.found.push((unknown, finding));
    }

    fn saw(&mut self, unknown: Unknown, seen: Seen) {
        self.note(unknown, Finding::Measured(seen));
    }

    fn missed(&mut self, unknown: Unknown, why: impl Into<String>) {
        self.note(unknown, Finding::NotMeasured(why.into()));
    }

    fn without_a_person(&mut self) -> Result<(), Error> {
        let client = self.probe.client;
        let request = ask::grant_type(&self.endpoints, client, Some("snowtoken-unknown"));
        let unknown = self.send(request)?;
        check_awake(&unknown)?;
        let missing = self.send(ask::grant_type(&self.endpoints, client, None))?;
        self.saw(unknown::GRANT_TYPE, judge::grant_type(&unknown, &missing));
        let path = "/.well-known/openid-configuration";
        let answer = self.send(ask::path(&self.probe.profile.instance, path))?;
        self.saw(unknown::WELL_KNOWN, judge::well_known(&answer));
        Ok(())
    }

    /// What the authorization endpoint shows to a browser that has not signed in.
    fn shown(&self, client_id: &str, response_type: &str, pkce: bool) -> Result<Shown, Error> {
        let verifier = self.verifier()?;
        let url = Authorization {
            client_id,
            redirect_uri: &self.redirect_uri,
            response_type,
            state: "snowtokenprobe",
            verifier: pkce.then_some(&verifier),
            empty_scope: false,
        }
        .url(&self.endpoints);
        Ok(judge::shown(&self.send(ask::page(&url))?, &self.redirect_uri))
    }

    fn verifier(&self) -> Result<CodeVerifier, Error> {
        let mut bytes = [0; 32];
        (self.world.dice)(&mut bytes)?;
        Ok(CodeVerifier::from_entropy(&bytes))
    }

    /// A visit of the person: the state that was sent, and where the browser ended.
    fn visit(
        &mut self,
        verifier: Option<&CodeVerifier>,
        empty_scope: bool,
        press: Press,
    ) -> Result<(String, Option<Secret>), Error> {
        // Its alphabet is that of `state` as well.
        let state = self.verifier()?.challenge().replace(['-', '_'], "x");
        let url = Authorization {
            client_id: self.probe.client.id.as_str(),
            redirect_uri: &self.redirect_uri,
            response_type: "code",
            state: &state,
            verifier,
            empty_scope,
        }
        .url(&self.endpoints);
        Ok((state, self.guide.visit(&url, press)))
    }

    /// A visit that ends with Allow: the code, if one came that belongs to it.
    fn allow(
        &mut self,
        verifier: Option<&CodeVerifier>,
        empty_scope: bool,
    ) -> Result<Option<Secret>, Error> {
        let (state, redirected) = self.visit(verifier, empty_scope, Press::Allow)?;
        let code = redirected.as_ref().and_then(|text| {
            let (code, own) = judge::code(text.expose())?;
            own.is_none_or(|own| own == state).then_some(code)
        });
        let known = self.found.iter().any(|(unknown, _)| *unknown == unknown::REDIRECT_QUERY);
        if let Some(text) = redirected.filter(|_| !known) {
            match judge::redirect_query(text.expose(), &self.redirect_uri) {
                Some(seen) => self.saw(unknown::REDIRECT_QUERY, seen),
                None => self.missed(
                    unknown::REDIRECT_QUERY,
                    "the profile's redirect URI has no query; register one with `?a=b` and measure with it",
                ),
            }
        }
        Ok(code)
    }

    fn exchange(&self, code: &Secret, verifier: Option<&CodeVerifier>) -> Result<Response, Error> {
        let client = self.probe.client;
        self.send(ask::exchange(&self.endpoints, client, &self.redirect_uri, code, verifier))
    }

    /// The first visits: without PKCE, and with a verifier that is not the one.
    fn verifier_and_consent(&mut self) -> Result<(), Error> {
        let id = self.probe.client.id.as_str().to_owned();
        let stranger = self.shown("snowtoken-unknown-client", "code", true)?;
        let other = self.shown(&id, "token-of-another-kind", true)?;
        let bare = self.shown(&id, "code", false)?;
        let exchanged = match bare {
            Shown::SignIn => match self.allow(None, false)? {
                Some(code) => Some(self.exchange(&code, None)?),
                None => None,
            },
            _ => None,
        };
        let seen = judge::unknown_client(&stranger)
            .and(judge::other_response_type(&other))
            .and(judge::missing_challenge(&bare, exchanged.as_ref()));
        self.saw(unknown::AUTHORIZATION_ERRORS, seen);
        self.consent_text();
        let (right, wrong) = (self.verifier()?, self.verifier()?);
        match self.allow(Some(&right), false)? {
            None => self.missed(unknown::VERIFIER, NO_CODE),
            Some(code) => {
                let refused = self.exchange(&code, Some(&wrong))?;
                let again = if judge::is_success(&refused) {
                    None
                } else {
                    Some(self.exchange(&code, Some(&right))?)
                };
                self.saw(unknown::VERIFIER, judge::verifier(&refused, again.as_ref()));
            }
        }
        self.consent_repeats();
        Ok(())
    }

    fn consent_text(&mut self) {
        let wording = self.guide.choose(
            "How did the consent page ask?",
            &[
                "… connect to your ServiceNow account",
                "… access your ServiceNow account",
                "in other words",
            ],
        );
        let button = self
            .guide
            .choose("What does its second button say?", &["Allow", "Accept", "something else"]);
        let wording = match wording {
            Some(0) => {
                Seen::knob("it asks to connect to the account", "consent.wording", "connect")
            }
            Some(1) => Seen::knob("it asks to access the account", "consent.wording", "access"),
            Some(_) => Seen::only("it asks in other words"),
            None => Seen::default(),
        };
        let seen = match button {
            Some(0) => wording.and(Seen::knob("its button says Allow", "consent.button", "Allow")),
            Some(1) => {
                wording.and(Seen::knob("its button says Accept", "consent.button", "Accept"))
            }
            Some(_) => wording.and(Seen::only("its button says something else")),
            None => wording,
        };
        if seen.text.is_empty() {
            self.missed(unknown::CONSENT_TEXT, "nobody said what the page looks like");
        } else {
            self.saw(unknown::CONSENT_TEXT, seen);
        }
    }

    fn consent_repeats(&mut self) {
        let answers = ["each time", "only the first time", "never: the browser came back at once"];
        match self.guide.choose("How often did you see the consent page so far?", &answers) {
            Some(0) => self.saw(
                unknown::CONSENT_REPEATS,
                Seen::knob("the consent page comes each time", "consent.repeat", "always"),
            ),
            Some(1) => self.saw(
                unknown::CONSENT_REPEATS,
                Seen::knob("the consent page comes once", "consent.repeat", "once"),
            ),
            Some(_) => self.saw(
                unknown::CONSENT_REPEATS,
                Seen::knob("the consent page never comes", "consent.repeat", "never"),
            ),
            None => self.missed(unknown::CONSENT_REPEATS, "nobody said how often the page came"),
        }
    }

    /// Tokens for the rest of the questions.
    fn new_tokens(&mut self) -> Result<Option<Tokens>, Error> {
        let verifier = self.verifier()?;
        let exchanged = match self.allow(Some(&verifier), true)? {
            None => {
                self.missed(unknown::EMPTY_SCOPE, NO_CODE);
                None
            }
            Some(code) => {
                let answer = self.exchange(&code, Some(&verifier))?;
                self.saw(unknown::EMPTY_SCOPE, judge::empty_scope(&answer));
                judge::tokens(&answer)
            }
        };
        if exchanged.is_some() {
            return Ok(exchanged);
        }
        let verifier = self.verifier()?;
        let Some(code) = self.allow(Some(&verifier), false)? else { return Ok(None) };
        Ok(judge::tokens(&self.exchange(&code, Some(&verifier))?))
    }

    fn deny(&mut self) -> Result<(), Error> {
        let verifier = self.verifier()?;
        let (state, redirected) = self.visit(Some(&verifier), false, Press::Deny)?;
        let text = redirected.as_ref().map(Secret::expose);
        self.saw(unknown::DENY, judge::deny(text, &self.redirect_uri, &state));
        Ok(())
    }

    /// What would disturb others: only if somebody said so.
    fn disturbing(&mut self) -> Result<(), Error> {
        if self.probe.burst == 0 {
            self.missed(unknown::RATE_LIMIT, "many requests in a row were not allowed (--burst N)");
        } else {
            self.burst()?;
        }
        for (unknown, what) in [
            (unknown::OAUTH_OFF, "Set com.snc.platform.security.oauth.is.active to false now"),
            (unknown::IP_DENIED, "Deny this machine's address in IP Address Access Control now"),
        ] {
            if !self.probe.disturb {
                self.missed(unknown, "it disturbs everybody on the instance (--disturb)");
                continue;
            }
            match self.guide.choose(&format!("{what}."), &["it is done", "leave it"]) {
                Some(0) => self.while_disturbed(unknown),
                _ => self.missed(unknown, "it was left as it is"),
            }
            self.guide.choose("Take that back now.", &["it is done"]);
        }
        Ok(())
    }

    fn while_disturbed(&mut self, unknown: Unknown) {
        let request = ask::grant_type(&self.endpoints, self.probe.client, Some("refresh_token"));
        let token = self.send(request);
        let page = self.send(ask::page(&self.endpoints.authorization));
        let told = |answer: Result<Response, Error>| match answer {
            Ok(answer) => judge::told(&answer),
            Err(error) => format!("gets no answer ({})", error.code()),
        };
        let text = format!(
            "the token endpoint {}; the authorization endpoint {}",
            told(token),
            told(page)
        );
        self.saw(unknown, Seen::only(text));
    }

    fn burst(&mut self) -> Result<(), Error> {
        let most = self.probe.burst.min(LARGEST_BURST);
        for _ in 0..most {
            let request =
                ask::grant_type(&self.endpoints, self.probe.client, Some("refresh_token"));
            let answer = self.send(request)?;
            // Those of the other questions counted as well.
            let sent = self.token_requests.get();
            if answer.status() == 429 {
                self.saw(unknown::RATE_LIMIT, judge::rate_limit(Some(sent), sent));
                return Ok(());
            }
        }
        let sent = self.token_requests.get();
        self.saw(unknown::RATE_LIMIT, judge::rate_limit(None, sent));
        Ok(())
    }
}

const NO_CODE: &str = "no code came back from that visit";

/// A page in place of the token endpoint's answer: nothing can be measured then.
fn check_awake(answer: &Response) -> Result<(), Error> {
    let title = judge::page_title(answer);
    let Some(title) = title.filter(|title| Page::from_title(title).is_some()) else {
        return Ok(());
    };
    let status = answer.status().as_u16();
    let error = TokenError::Page { status, title: Some(title) };
    Err(TokenFailure { phase: Phase::ClientCredentials, error }.into())
}
