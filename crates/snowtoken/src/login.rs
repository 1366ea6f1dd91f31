//! The authorization code grant, from the URL to verified tokens: listener and paste together,
//! first one wins; one token request per code, over a connection that was opened meanwhile.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use snowtoken_core::keeper::NoAnswer;
use snowtoken_core::ledger::believed_time;
use snowtoken_core::oauth::authorization::{
    AuthorizationError, AuthorizationRequest, CheckedCode, Entropy, ExpectRedirect,
};
use snowtoken_core::oauth::client::Client;
use snowtoken_core::oauth::error::ErrorCode;
use snowtoken_core::oauth::token::{add_seconds, client_credentials};
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
use crate::loopback::{Ending, Listener, Verdict};
use crate::world::World;

/// How long the browser gets to fetch the last page before the port closes.
const LAST_PAGE_PATIENCE: Duration = Duration::from_millis(700);

/// What a login is made of.
#[derive(Debug)]
pub struct Login<'a> {
    /// Instance, client, redirect URI, scope.
    pub profile: &'a Profile,
    /// The client with its secret.
    pub client: &'a Client,
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

/// A redirect, and where it came from.
enum Arrival {
    Listener(Box<Result<(ExpectRedirect, CheckedCode), AuthorizationError>>),
    Paste(Paste),
}

/// The state that waits for the redirect: whoever takes it out has won, everybody else is late.
type Waiting = Arc<Mutex<Option<ExpectRedirect>>>;

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
            Grant::ClientCredentials => self.client_credentials(world),
        }
    }

    fn client_credentials(&self, world: &World) -> Result<LoggedIn, Error> {
        let endpoints = self.profile.instance.endpoints();
        let (request, expected) =
            client_credentials(&endpoints, self.client, self.profile.scope.as_ref());
        let sent_at = world.now();
        let answer = world.transport.send(request, ATTEMPT_LIMIT)?;
        let response = expected
            .receive(answer)
            .map_err(|error| TokenFailure { phase: Phase::ClientCredentials, error })?;
        let tokens = token_set(response, None, sent_at, self.profile.lifespans);
        Ok(self.complete(world, tokens, None))
    }

    fn authorization_code(
        &self,
        world: &World,
        pastes: Receiver<Paste>,
        watcher: &dyn Watcher,
    ) -> Result<LoggedIn, Error> {
        let redirect_uri = self.profile.redirect_uri.clone().ok_or_else(|| {
            Error::SettingMissing { profile: self.profile.name.to_string(), what: "redirect URI" }
        })?;
        let mut bytes = [0; 64];
        (world.dice)(&mut bytes)?;
        let request = AuthorizationRequest {
            endpoints: self.profile.instance.endpoints(),
            client_id: self.profile.client_id.clone(),
            redirect_uri: redirect_uri.clone(),
            scope: self.profile.scope.clone(),
        };
        let (url, expect) = request.begin(&Entropy::from_bytes(bytes));
        let waiting: Waiting = Arc::new(Mutex::new(Some(expect)));
        let (arrivals, arrived) = channel();
        // RFC 8252: the listener is up before the browser opens.
        let listener = redirect_uri
            .is_loopback()
            .then(|| {
                Listener::open(&redirect_uri, judge_queries(waiting.clone(), arrivals.clone()))
            })
            .transpose()?;
        forward(pastes, arrivals)?;
        let shown_at = world.now();
        watcher.authorization_url(&url);
        world.transport.open(self.profile.instance.origin());
        if self.verify {
            world.transport.open_beside(self.profile.instance.origin(), learn::BESIDE);
        }
        if self.open_browser
            && let Err(reason) = world.browser.open(&url)
        {
            watcher.browser_failed(&reason);
        }
        let result = self.wait_for_code(&waiting, &arrived, listener.is_some(), watcher).and_then(
            |(expect, code)| {
                watcher.exchanging();
                self.exchange(world, shown_at, expect, code)
            },
        );
        match result {
            Ok(tokens) => Ok(self.complete(world, tokens, listener)),
            Err(error) => {
                end_listener(listener, &error);
                Err(error)
            }
        }
    }

    fn wait_for_code(
        &self,
        waiting: &Waiting,
        arrived: &Receiver<Arrival>,
        has_listener: bool,
        watcher: &dyn Watcher,
    ) -> Result<(ExpectRedirect, CheckedCode), Error> {
        let started = Instant::now();
        loop {
            let left = self.wait.saturating_sub(started.elapsed());
            if left.is_zero() {
                let wait = SignedDuration::try_from(self.wait).unwrap_or(SignedDuration::MAX);
                return Err(Error::ConsentTimeout(wait));
            }
            watcher.waiting(left);
            match arrived.recv_timeout(left.min(Duration::from_secs(1))) {
                Ok(Arrival::Listener(result)) => return Ok((*result)?),
                Ok(Arrival::Paste(Paste::Text(text))) => {
                    if let Some(taken) = self.take_paste(waiting, &text)? {
                        return Ok(taken);
                    }
                }
                Ok(Arrival::Paste(Paste::End)) if has_listener => {}
                // Or nobody is left who could bring it.
                Ok(Arrival::Paste(Paste::End)) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::InputEnded);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// `None` if the listener was faster: what it took is on its way here.
    fn take_paste(
        &self,
        waiting: &Waiting,
        text: &Secret,
    ) -> Result<Option<(ExpectRedirect, CheckedCode)>, Error> {
        let mut guard = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(expect) = guard.as_ref() else {
            return Ok(None);
        };
        let code = match expect.examine(text.expose()) {
            Err(AuthorizationError::Redirect(_)) if self.accept_bare_code => {
                expect.examine_bare_code(text.expose()).or_else(|_| expect.examine(text.expose()))
            }
            other => other,
        }?;
        Ok(guard.take().map(|expect| (expect, code)))
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

fn end_listener(listener: Option<Listener>, error: &Error) {
    let Some(listener) = listener else { return };
    match error {
        Error::Redirect(AuthorizationError::Refused(refusal)) => {
            let denied = refusal.code == ErrorCode::AccessDenied;
            listener
                .finish(if denied { Ending::Denied } else { Ending::Failed }, LAST_PAGE_PATIENCE);
        }
        // A browser only waits if its redirect was taken.
        Error::Token(_) | Error::CodeLost(_) | Error::Transport(_) => {
            listener.finish(Ending::Failed, LAST_PAGE_PATIENCE);
        }
        _ => drop(listener),
    }
}

/// Runs on the listener's thread: takes the waiting state out if, and only if, the query is the
/// answer to it. A wrong `state` leaves everything as it was.
fn judge_queries(waiting: Waiting, arrivals: Sender<Arrival>) -> crate::loopback::Judge {
    Box::new(move |query| {
        let mut guard = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(expect) = guard.as_ref() else {
            return Verdict::NotOurs;
        };
        let result = match expect.examine_query(query) {
            Ok(code) => Ok(code),
            Err(refused @ AuthorizationError::Refused(_)) => Err(refused),
            Err(_) => return Verdict::NotOurs,
        };
        let Some(expect) = guard.take() else {
            return Verdict::NotOurs;
        };
        drop(arrivals.send(Arrival::Listener(Box::new(result.map(|code| (expect, code))))));
        Verdict::Ours
    })
}

/// Joins the pastes to what the listener hears. The thread ends with the program: nobody can
/// interrupt somebody else's reading of a terminal.
fn forward(pastes: Receiver<Paste>, arrivals: Sender<Arrival>) -> Result<(), Error> {
    let forwarding = move || {
        while let Ok(paste) = pastes.recv() {
            let last = matches!(paste, Paste::End);
            if arrivals.send(Arrival::Paste(paste)).is_err() || last {
                break;
            }
        }
    };
    let started = std::thread::Builder::new().name("paste".to_owned()).spawn(forwarding);
    started.map(drop).map_err(|error| TransportError::Exhausted(error.to_string()).into())
}

fn missing(asked: Option<&Scope>, granted: Option<&str>) -> Vec<String> {
    match (asked, granted) {
        (Some(asked), Some(granted)) => asked.missing_in(granted).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The first token set of a grant. ServiceNow counts the refresh token's end from here.
fn token_set(
    response: snowtoken_core::oauth::token::TokenResponse,
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
