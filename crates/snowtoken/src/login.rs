//! The authorization code grant, from the URL to verified tokens: listener and paste together,
//! first one wins; one token request per code, over a connection that was opened meanwhile.

mod hand_over;
mod waiting;

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use jiff::Timestamp;
use snowtoken_core::keeper::NoAnswer;
use snowtoken_core::ledger::believed_time;
use snowtoken_core::oauth::authorization::{
    AuthorizationRequest, CheckedCode, Entropy, ExpectRedirect,
};
use snowtoken_core::oauth::client::Client;
use snowtoken_core::oauth::token::{TokenResponse, add_seconds};
use snowtoken_core::oauth::{Request, Scope};
use snowtoken_core::profile::{Grant, Profile};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{
    ApiError, ApiVerdict, Lifespans, Phase, TokenFailure, judge, read_current_user, read_table,
};
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet, User};
use url::Url;

use crate::error::Error;
use crate::http::{ATTEMPT_LIMIT, EXCHANGE_LIMIT, TransportError};
use crate::learn::{self, Learnt};
use crate::loopback::{Ending, Listener};
use crate::renewal::own_grant;
use crate::signing::SigningKey;
use crate::world::World;

pub use hand_over::{CodeLifespan, HandedOver};

use waiting::{Consented, Goal, end_listener};

/// How long the browser gets to fetch the last page before the port closes.
const LAST_PAGE_PATIENCE: Duration = Duration::from_millis(700);

/// What a login is made of.
#[derive(Debug)]
pub struct Login<'a> {
    /// Instance, client, redirect URI, scope.
    pub profile: &'a Profile,
    /// The client with its secret.
    pub client: &'a Client,
    /// The private key that signs assertions, where the grant needs one.
    pub signing_key: Option<&'a Arc<SigningKey>>,
    /// How long to wait for the person.
    pub wait: Duration,
    /// Whether to open the browser.
    pub open_browser: bool,
    /// Whether a code without `state` is taken: only where the person insists.
    pub accept_bare_code: bool,
    /// Whether to prove the tokens by a call.
    pub verify: bool,
}

/// What the person typed or piped in.
#[derive(Debug)]
pub enum Paste {
    /// One line, or one bracketed paste.
    Text(Secret),
    /// There will be no more input.
    End,
    /// Nobody waits for this login any more: it ends with [`Error::InputEnded`], and its port is free.
    GivenUp,
}

/// What the shell shows meanwhile.
pub trait Watcher {
    /// The URL to open; it is opened right after this returns.
    fn authorization_url(&self, url: &Url);
    /// The browser could not be opened.
    fn browser_failed(&self, reason: &std::io::Error);
    /// Called about once a second with the time left.
    fn waiting(&self, left: Duration);
    /// The code is here and is being exchanged.
    fn exchanging(&self);
}

/// What a login brought. Nothing is stored yet.
#[derive(Debug)]
pub struct LoggedIn {
    /// The tokens with their deadlines.
    pub tokens: TokenSet,
    /// Whose they are, if they were verified and the instance told.
    pub user: Option<User>,
    /// Scopes that were asked for and not granted.
    pub scope_missing: Vec<String>,
    /// Why the proving call proved nothing, where the tokens may be good all the same.
    pub unverified: Option<Error>,
    /// What the instance's own tables told beside the proving call.
    pub learnt: Learnt,
    listener: Option<Listener>,
}

impl LoggedIn {
    /// Tells the browser's waiting page how it ended, and closes the port.
    pub fn finish(&mut self, ending: Ending) {
        if let Some(listener) = self.listener.take() {
            listener.finish(ending, LAST_PAGE_PATIENCE);
        }
    }
}

impl Login<'_> {
    /// Runs the profile's grant.
    ///
    /// # Errors
    /// See [`Error`]; nothing has been stored or replaced then.
    pub fn run(
        &self,
        world: &World,
        pastes: Receiver<Paste>,
        watcher: &dyn Watcher,
    ) -> Result<LoggedIn, Error> {
        match self.profile.grant {
            Grant::AuthorizationCode => self.authorization_code(world, pastes, watcher),
            Grant::ClientCredentials | Grant::JwtBearer => self.own_grant(world),
        }
    }

    /// The grant that a client makes by itself.
    fn own_grant(&self, world: &World) -> Result<LoggedIn, Error> {
        let endpoints = self.profile.instance.endpoints();
        let key = || {
            let missing = || Error::NoSigningKey(self.profile.name.to_string());
            self.signing_key.cloned().ok_or_else(missing)
        };
        let name = || self.profile.name.to_string();
        let mut grant = own_grant(world, self.profile, key)?
            .ok_or_else(|| Error::SettingMissing { profile: name(), what: "grant of its own" })?;
        let sent_at = world.now();
        let made = grant.request(&endpoints, self.client, sent_at);
        let (request, expected) = made.map_err(Error::NotSigned)?;
        let answer = world.transport.send(request, ATTEMPT_LIMIT)?;
        let answered_at = snowtoken_core::oauth::date(&answer);
        let response = expected.receive(answer).map_err(|error| {
            let ahead = answered_at.map(|at| world.now().duration_since(at));
            TokenFailure { phase: grant.phase(ahead), error }
        })?;
        // RFC 6749 §4.4.3: none should come, and nothing here would use it.
        let response = TokenResponse { refresh_token: None, ..response };
        let tokens = token_set(response, None, sent_at, self.profile.lifespans);
        Ok(self.complete(world, tokens, None))
    }

    fn authorization_code(
        &self,
        world: &World,
        pastes: Receiver<Paste>,
        watcher: &dyn Watcher,
    ) -> Result<LoggedIn, Error> {
        let begin = |request: AuthorizationRequest, entropy: &Entropy| request.begin(entropy);
        let consented = self.consent(world, Goal::Tokens, begin, pastes, watcher)?;
        let Consented { expect, code, shown_at, listener, .. } = consented;
        watcher.exchanging();
        match self.exchange(world, shown_at, expect, code) {
            Ok(tokens) => Ok(self.complete(world, tokens, listener)),
            Err(error) => {
                end_listener(listener, &error);
                Err(error)
            }
        }
    }

    /// The one token request of this code. It is never repeated (RFC 6749 §4.1.2).
    fn exchange(
        &self,
        world: &World,
        shown_at: Timestamp,
        expect: ExpectRedirect,
        code: CheckedCode,
    ) -> Result<TokenSet, Error> {
        let spent = code.secret().clone();
        let (request, expected) = expect.redeem(code, self.client);
        let sent_at = world.now();
        let answer = world.transport.send(request, EXCHANGE_LIMIT).map_err(code_error)?;
        let response = expected.receive(answer).map_err(|error| TokenFailure {
            phase: Phase::Exchange { at_most: sent_at.duration_since(shown_at) },
            error,
        })?;
        Ok(token_set(response, Some(spent), sent_at, self.profile.lifespans))
    }

    fn complete(&self, world: &World, tokens: TokenSet, listener: Option<Listener>) -> LoggedIn {
        let scope_missing = missing(self.profile.scope.as_ref(), tokens.scope.as_deref());
        let learnt = Learnt::default();
        let mut done =
            LoggedIn { tokens, user: None, scope_missing, unverified: None, learnt, listener };
        if self.verify {
            self.prove(world, &mut done);
        }
        done
    }

    /// The proving call. What else is worth knowing is asked at the same time, where connections
    /// were opened for it: it must not cost the person a moment.
    fn prove(&self, world: &World, done: &mut LoggedIn) {
        let token = &done.tokens.access_token;
        let asks = self.profile.grant == Grant::AuthorizationCode;
        let asked = asks.then(|| learn::ask(world, self.profile, token, None));
        match verify(world, self.profile, token) {
            Ok(user) => done.user = user,
            Err(error) => {
                done.unverified = Some(error.for_new_token());
                return;
            }
        }
        let Some(asked) = asked else { return };
        done.learnt = asked.judge(learn::GRACE, self.profile, done.user.as_ref(), &done.tokens);
        if let Some(deadline) = done.learnt.deadline(&done.tokens, None) {
            done.tokens.refresh_expires_at = Some(deadline);
        }
    }
}

fn code_error(error: TransportError) -> Error {
    match error.no_answer() {
        NoAnswer::Lost => Error::CodeLost(error),
        NoAnswer::NotSent => error.into(),
    }
}

fn missing(asked: Option<&Scope>, granted: Option<&str>) -> Vec<String> {
    match (asked, granted) {
        (Some(asked), Some(granted)) => asked.missing_in(granted).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The first token set of a grant. ServiceNow counts the refresh token's end from here.
fn token_set(
    response: TokenResponse,
    code: Option<Secret>,
    sent_at: Timestamp,
    lifespans: Lifespans,
) -> TokenSet {
    let known_by = if response.expires_in.is_some() { KnownBy::Stated } else { KnownBy::Derived };
    let access_expires_at = Deadline {
        at: response.access_expires_at(sent_at, lifespans.access_or_default()),
        known_by,
    };
    let granted_at = believed_time(sent_at, response.answered_at);
    let refresh_expires_at = response.refresh_token.is_some().then(|| Deadline {
        at: add_seconds(granted_at, lifespans.refresh_or_default()),
        known_by: KnownBy::Derived,
    });
    TokenSet {
        access_token: response.access_token,
        refresh_token: response.refresh_token,
        authorization_code: code,
        scope: response.scope,
        issued_at: sent_at,
        granted_at: sent_at,
        access_expires_at,
        refresh_expires_at,
    }
}

/// Proves the access token by a call: whose it is. Where the instance does not have that call, a
/// read of one record does.
///
/// # Errors
/// 401 and 403 are verdicts; see [`Error::Api`].
pub fn verify(world: &World, profile: &Profile, token: &Secret) -> Result<Option<User>, Error> {
    match call(world, read_current_user(&profile.instance, token))? {
        ApiVerdict::User(user) => Ok(Some(user)),
        ApiVerdict::Records(_) => Err(ApiError::Unexpected { status: 200, detail: None }.into()),
        ApiVerdict::NotThere => {
            match call(world, read_table(&profile.instance, "kb_knowledge", token))? {
                ApiVerdict::Records(_) => Ok(None),
                _ => Err(ApiError::Unexpected { status: 404, detail: None }.into()),
            }
        }
    }
}

/// Reads one record of a table of the target.
///
/// # Errors
/// 401 and 403 are verdicts; see [`Error::Api`].
pub fn read(
    world: &World,
    profile: &Profile,
    table: &str,
    token: &Secret,
) -> Result<ApiVerdict, Error> {
    call(world, read_table(&profile.instance, table, token))
}

/// Sends a proving call and judges its answer.
pub(crate) fn call(world: &World, request: Request) -> Result<ApiVerdict, Error> {
    let answer = world.transport.send(request, ATTEMPT_LIMIT)?;
    Ok(judge(&answer)?)
}
