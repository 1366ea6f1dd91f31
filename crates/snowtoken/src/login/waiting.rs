//! From the authorization URL to a checked code: listener and paste together, first one wins.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use snowtoken_core::oauth::authorization::{
    AuthorizationError, AuthorizationRequest, CheckedCode, Entropy, ExpectRedirect,
};
use snowtoken_core::oauth::error::ErrorCode;
use snowtoken_core::secret::Secret;
use url::Url;

use super::{LAST_PAGE_PATIENCE, Login, Paste, Watcher};
use crate::error::Error;
use crate::http::TransportError;
use crate::learn;
use crate::loopback::{Ending, Judge, Listener, Verdict};
use crate::world::World;

/// What the person's consent brought.
pub(super) struct Consented<V> {
    /// The state that waited for the code.
    pub(super) expect: ExpectRedirect<V>,
    /// The code it checked.
    pub(super) code: CheckedCode,
    /// When the authorization URL was shown: the code is no older than that.
    pub(super) shown_at: Timestamp,
    /// Whether it was pasted, some time after the browser had it.
    pub(super) pasted: bool,
    /// What still has to serve the last page.
    pub(super) listener: Option<Listener>,
}

/// What the code is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// It is exchanged at once, over connections that are opened meanwhile.
    Tokens,
    /// Somebody else exchanges it: nothing is sent from here.
    FreshCode,
}

/// What the listener made of a redirect.
type Taken<V> = Result<(ExpectRedirect<V>, CheckedCode), AuthorizationError>;

/// A redirect, and where it came from.
enum Arrival<V> {
    Listener(Box<Taken<V>>),
    Paste(Paste),
}

/// The state that waits for the redirect: whoever takes it out has won, everybody else is late.
type Waiting<V> = Arc<Mutex<Option<ExpectRedirect<V>>>>;

/// A checked code, and whether it was pasted.
struct Arrived<V> {
    expect: ExpectRedirect<V>,
    code: CheckedCode,
    pasted: bool,
}

impl Login<'_> {
    /// Shows the URL and waits until a person has consented. If that fails, the listener is closed.
    pub(super) fn consent<V: Send + 'static>(
        &self,
        world: &World,
        goal: Goal,
        begin: impl FnOnce(AuthorizationRequest, &Entropy) -> (Url, ExpectRedirect<V>),
        pastes: Receiver<Paste>,
        watcher: &dyn Watcher,
    ) -> Result<Consented<V>, Error> {
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
        let (url, expect) = begin(request, &Entropy::from_bytes(bytes));
        let waiting: Waiting<V> = Arc::new(Mutex::new(Some(expect)));
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
        self.show(world, goal, &url, watcher);
        match self.wait_for_code(&waiting, &arrived, listener.is_some(), watcher) {
            Ok(Arrived { expect, code, pasted }) => {
                Ok(Consented { expect, code, shown_at, pasted, listener })
            }
            Err(error) => {
                end_listener(listener, &error);
                Err(error)
            }
        }
    }

    fn show(&self, world: &World, goal: Goal, url: &Url, watcher: &dyn Watcher) {
        watcher.authorization_url(url);
        if goal == Goal::Tokens {
            world.transport.open(self.profile.instance.origin());
            if self.verify {
                world.transport.open_beside(self.profile.instance.origin(), learn::BESIDE);
            }
        }
        if self.open_browser
            && let Err(reason) = world.browser.open(url)
        {
            watcher.browser_failed(&reason);
        }
    }

    fn wait_for_code<V>(
        &self,
        waiting: &Waiting<V>,
        arrived: &Receiver<Arrival<V>>,
        has_listener: bool,
        watcher: &dyn Watcher,
    ) -> Result<Arrived<V>, Error> {
        let started = Instant::now();
        loop {
            let left = self.wait.saturating_sub(started.elapsed());
            if left.is_zero() {
                let wait = SignedDuration::try_from(self.wait).unwrap_or(SignedDuration::MAX);
                return Err(Error::ConsentTimeout(wait));
            }
            watcher.waiting(left);
            match arrived.recv_timeout(left.min(Duration::from_secs(1))) {
                Ok(Arrival::Listener(taken)) => {
                    let (expect, code) = (*taken)?;
                    return Ok(Arrived { expect, code, pasted: false });
                }
                Ok(Arrival::Paste(Paste::Text(text))) => {
                    if let Some((expect, code)) = self.take_paste(waiting, &text)? {
                        return Ok(Arrived { expect, code, pasted: true });
                    }
                }
                Ok(Arrival::Paste(Paste::End)) if has_listener => {}
                // Or nobody is left who could bring it.
                Ok(Arrival::Paste(Paste::End | Paste::GivenUp))
                | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::InputEnded);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// `None` if the listener was faster: what it took is on its way here.
    fn take_paste<V>(
        &self,
        waiting: &Waiting<V>,
        text: &Secret,
    ) -> Result<Option<(ExpectRedirect<V>, CheckedCode)>, Error> {
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
}

/// Tells the browser that waits for its last page how it ended.
pub(super) fn end_listener(listener: Option<Listener>, error: &Error) {
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
fn judge_queries<V: Send + 'static>(waiting: Waiting<V>, arrivals: Sender<Arrival<V>>) -> Judge {
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
fn forward<V: Send + 'static>(
    pastes: Receiver<Paste>,
    arrivals: Sender<Arrival<V>>,
) -> Result<(), Error> {
    let forwarding = move || {
        while let Ok(paste) = pastes.recv() {
            let last = matches!(paste, Paste::End | Paste::GivenUp);
            if arrivals.send(Arrival::Paste(paste)).is_err() || last {
                break;
            }
        }
    };
    let started = std::thread::Builder::new().name("paste".to_owned()).spawn(forwarding);
    started.map(drop).map_err(|error| TransportError::Exhausted(error.to_string()).into())
}
