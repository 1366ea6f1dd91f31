//! Consent: the library's login, run beside the pages.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use snowtoken::core::diagnosis::{Code, Diagnose as _, Hint};
use snowtoken::core::oauth::authorization::AuthorizationError;
use snowtoken::core::oauth::client::Client;
use snowtoken::core::oauth::error::ErrorCode;
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::servicenow::ApiError;
use snowtoken::delivery::{self, Credentials, Format, Order, Unfit};
use snowtoken::login::{LoggedIn, Login, Paste, Watcher};
use snowtoken::loopback::Ending;
use snowtoken::store::TokenStore;
use snowtoken::{Error, Outcome, Secret, arrival, session};
use url::Url;

use super::Tools;
use super::job::{Ticket, Work};
use crate::pages::Mishap;

/// A person may look for a password for a while.
const PATIENCE: Duration = Duration::from_hours(1);

/// A consent that is waited for, or came, or did not.
#[derive(Clone)]
pub(super) struct Consent {
    /// The authorization URL, once there is one.
    pub(super) url: Option<String>,
    /// The redirect has come: the instance is being asked for the tokens.
    pub(super) exchanging: bool,
    /// Where pastes go.
    pub(super) pastes: Arc<Mutex<Sender<Paste>>>,
    /// How it ended.
    pub(super) end: Option<End>,
}

/// How a consent ended.
#[derive(Clone)]
pub(super) enum End {
    /// Tokens are stored.
    Connected,
    /// They came, and the store does not take them: see [`Tools::unstored`].
    Unstored,
    /// There are none.
    Not {
        /// What happened, if it has a page of its own.
        mishap: Option<Mishap>,
        /// What the library says.
        text: String,
        /// What to do.
        hints: Vec<Hint>,
        /// The diagnosis.
        code: &'static str,
    },
}

/// Tokens that exist only in memory: the store was fine before the browser opened and is not now.
#[derive(Clone)]
pub(super) struct Unstored {
    /// Whose they are.
    pub(super) profile: ProfileName,
    held: Arc<Mutex<(Wish, LoggedIn)>>,
    /// What the store says.
    pub(super) text: String,
    /// What to do.
    pub(super) hints: Vec<Hint>,
    /// The diagnosis.
    pub(super) code: &'static str,
}

impl Consent {
    /// Hands over what a person pasted.
    pub(super) fn paste(&self, text: Secret) {
        let sender = self.pastes.lock().unwrap_or_else(PoisonError::into_inner);
        // The login may have ended already: then the page tells.
        drop(sender.send(Paste::Text(text)));
    }

    /// Nobody is asked for anything: what came is being stored.
    fn over() -> Self {
        Self { url: None, exchanging: false, pastes: Arc::new(Mutex::new(channel().0)), end: None }
    }

    /// Nobody waits for it any more: the port of a loopback redirect URI is free again.
    pub(super) fn give_up(&self) {
        let sender = self.pastes.lock().unwrap_or_else(PoisonError::into_inner);
        // The login may have ended already.
        drop(sender.send(Paste::GivenUp));
    }
}

/// Whether it is worth handing over: a text without a code or an error would end the login for
/// nothing.
pub(super) fn is_redirect(text: &str) -> bool {
    let holds = |name: &str| text.contains(name);
    (holds("code=") || holds("error=")) && (holds("state=") || holds("code="))
}

/// What a login needs.
pub(super) struct Wish {
    pub(super) profile: Profile,
    pub(super) client: Client,
    /// What was typed for this login: it is stored with the tokens.
    pub(super) typed: Option<Secret>,
    /// What the client proves itself with.
    pub(super) secret: Option<Secret>,
    /// The user of before: a surprise is told.
    pub(super) expected: Option<String>,
}

/// Begins to wait for a person.
pub(super) fn begin(tools: &Tools, wish: Wish) -> (Work, impl FnOnce(&Ticket) + Send + use<>) {
    let (sender, incoming) = channel();
    let pastes = Arc::new(Mutex::new(sender));
    let consent = Consent { url: None, exchanging: false, pastes, end: None };
    let (tools, waiting) = (tools.clone(), consent.clone());
    let run = move |ticket: &Ticket| {
        // The one before has been given up: it goes first, and with it the port that this one needs.
        let _turn = tools.consent.lock().unwrap_or_else(PoisonError::into_inner);
        let desk = Screen { ticket, consent: &waiting };
        let login = Login {
            profile: &wish.profile,
            client: &wish.client,
            signing_key: None,
            wait: PATIENCE,
            open_browser: false,
            accept_bare_code: false,
            verify: true,
        };
        // Everything that can fail on this machine fails before a person is sent to ServiceNow.
        let ready = tools.present_store(&wish.profile.name).and_then(|mut own| Ok(own.probe()?));
        let end = match ready.and_then(|()| login.run(&tools.world, incoming, &desk)) {
            Ok(done) => settle(&tools, wish, done),
            Err(error) => End::of(&error),
        };
        ticket.tell(Work::Consent(Consent { end: Some(end), ..waiting.clone() }));
    };
    (Work::Consent(consent), run)
}

/// Stores what came, if that is what was wanted.
fn settle(tools: &Tools, wish: Wish, mut done: LoggedIn) -> End {
    if let Err(error) = judge(tools, &wish, &mut done) {
        done.finish(Ending::Failed);
        return End::of(&error);
    }
    let kept = keep(tools, &wish, &mut done);
    done.finish(if kept.is_ok() { Ending::Done } else { Ending::Failed });
    match kept {
        Ok(()) => {
            tools.forget_unstored(&wish.profile.name);
            End::Connected
        }
        Err(error) => Unstored::keep(tools, &error, Arc::new(Mutex::new((wish, done)))),
    }
}

/// Another user's tokens are not wanted, nor such as the instance itself refuses. Where there is
/// nothing yet, what may only not read everything is better than another consent.
fn judge(tools: &Tools, wish: &Wish, done: &mut LoggedIn) -> Result<(), Error> {
    let found = done.user.as_ref().and_then(snowtoken::core::token_set::User::name);
    let unverified = done.unverified.take();
    match (&wish.expected, found, unverified) {
        (Some(expected), Some(found), _) if expected != found => {
            Err(Error::UserMismatch { found: found.to_owned(), expected: expected.clone() })
        }
        // Whose they are is not known: what there is stays.
        (Some(_), None, Some(error)) => Err(error),
        (_, _, Some(error)) if !is_kept_unproved(tools, wish, &error) => Err(error),
        _ => Ok(()),
    }
}

/// Whether tokens are kept although the instance did not prove them: what passes is seen when they are
/// tried, and where there is nothing yet, mending rights needs no new consent.
fn is_kept_unproved(tools: &Tools, wish: &Wish, error: &Error) -> bool {
    if error.outcome() == Outcome::TryLater {
        return true;
    }
    let is_refused =
        matches!(error, Error::Api(ApiError::NotAccepted(_) | ApiError::NewRefused(_)));
    let name = &wish.profile.name;
    let held = || tools.present_store(name).and_then(|store| Ok(store.load(name)?));
    // A store that cannot be read will not take them either, and that is told with a way out.
    !is_refused && !matches!(held(), Ok(Some(_)))
}

fn keep(tools: &Tools, wish: &Wish, done: &mut LoggedIn) -> Result<(), Error> {
    let name = &wish.profile.name;
    let mut store = tools.present_store(name)?;
    let before = arrival::Before::read(&*store, &wish.profile);
    let facts = before.settle(arrival::Stated::default(), done);
    let _lock = session::lock(&tools.home.data, name)?;
    arrival::keep(
        &mut *store,
        &tools.home,
        &wish.profile,
        wish.typed.as_ref(),
        done,
        &facts,
        tools.world.now(),
    )?;
    follow(&mut *store, wish, done);
    Ok(())
}

/// Files that follow the tokens get the new ones.
fn follow(store: &mut dyn TokenStore, wish: &Wish, done: &LoggedIn) {
    let secret = store.client_secret(&wish.profile.name, &session::binding(&wish.profile));
    let secret = secret.ok().flatten();
    let credentials = Credentials {
        profile: &wish.profile,
        client_secret: secret.as_ref(),
        tokens: Some(&done.tokens),
        fresh_code: None,
        created: done.tokens.granted_at,
    };
    for followed in delivery::follow::redo(store, &credentials, None) {
        let path = &followed.path;
        match (&followed.result, followed.reload()) {
            (Err(error), _) => log::warn!("{path} does not follow the tokens: {error}"),
            (Ok(_), Err(error)) => log::warn!("{path} was written: {error}"),
            (Ok(_), Ok(())) => {}
        }
    }
}

/// Tells the pages how far it is.
struct Screen<'a> {
    ticket: &'a Ticket,
    consent: &'a Consent,
}

impl Watcher for Screen<'_> {
    fn authorization_url(&self, url: &Url) {
        let consent = Consent { url: Some(url.to_string()), ..self.consent.clone() };
        self.ticket.tell(Work::Consent(consent));
    }

    fn browser_failed(&self, _reason: &std::io::Error) {}

    fn waiting(&self, _left: Duration) {}

    fn exchanging(&self) {
        let consent = Consent { exchanging: true, ..self.consent.clone() };
        self.ticket.tell_quietly(Work::Consent(consent));
    }
}

impl Unstored {
    /// They stay where every page finds them, whatever else is begun.
    fn keep(tools: &Tools, error: &Error, held: Arc<Mutex<(Wish, LoggedIn)>>) -> End {
        let profile = held.lock().unwrap_or_else(PoisonError::into_inner).0.profile.name.clone();
        let (text, hints, code) = (error.to_string(), error.hints(), error.code().entry().code);
        tools.hold_unstored(Self { profile, held, text, hints, code });
        End::Unstored
    }

    /// Tries the store once more, beside the pages.
    pub(super) fn again(self, tools: &Tools) -> (Work, impl FnOnce(&Ticket) + Send + use<>) {
        let tools = tools.clone();
        let consent = Consent::over();
        let waiting = Consent { exchanging: true, ..consent.clone() };
        let run = move |ticket: &Ticket| {
            let kept = {
                let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                let (wish, done) = &mut *held;
                keep(&tools, wish, done)
            };
            let end = match kept {
                Ok(()) => {
                    tools.forget_unstored(&self.profile);
                    End::Connected
                }
                Err(error) => Self::keep(&tools, &error, self.held.clone()),
            };
            ticket.tell(Work::Consent(Consent { end: Some(end), ..consent }));
        };
        (Work::Consent(waiting), run)
    }

    /// The tokens as a file, for a store that can be written again later.
    pub(super) fn as_json(&self) -> Result<(String, Secret), Unfit> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (wish, done) = &*held;
        let credentials = Credentials {
            profile: &wish.profile,
            client_secret: wish.secret.as_ref(),
            tokens: Some(&done.tokens),
            fresh_code: None,
            created: done.tokens.granted_at,
        };
        let text = credentials.render(&Order::of(Format::Json))?;
        Ok((wish.profile.name.to_string(), Secret::new(text.as_str())))
    }
}

impl End {
    fn of(error: &Error) -> Self {
        let mishap = match error {
            Error::Redirect(AuthorizationError::Refused(refused))
                if refused.code == ErrorCode::AccessDenied =>
            {
                Some(Mishap::Denied)
            }
            Error::Redirect(AuthorizationError::StateMismatch { .. }) => Some(Mishap::WrongWindow),
            Error::UserMismatch { .. } => Some(Mishap::WrongUser),
            Error::Token(failure) if failure.code() == Code::CodeRefused => {
                Some(if failure.may_be_too_late() { Mishap::Expired } else { Mishap::Refused })
            }
            _ => None,
        };
        Self::Not {
            mishap,
            text: error.to_string(),
            hints: error.hints(),
            code: error.code().entry().code,
        }
    }
}

#[cfg(test)]
mod tests {
    use snowtoken::core::oauth::error::ErrorResponse;
    use snowtoken::core::oauth::token::TokenError;
    use snowtoken::core::servicenow::{Phase, TokenFailure};

    use super::*;

    fn mishap_of(age: i64) -> Option<Mishap> {
        let error = ErrorResponse {
            code: ErrorCode::ServerError,
            description: Some("access_denied".to_owned()),
        };
        let phase = Phase::Exchange { at_most: jiff::SignedDuration::from_secs(age) };
        let error = TokenError::Refused { status: 401, error };
        match End::of(&Error::Token(TokenFailure { phase, error })) {
            End::Not { mishap, .. } => mishap,
            End::Connected | End::Unstored => None,
        }
    }

    #[test]
    fn a_code_is_said_to_have_ended_only_where_it_can_have() {
        assert_eq!(mishap_of(0), Some(Mishap::Refused));
        assert_eq!(mishap_of(59), Some(Mishap::Refused));
        assert_eq!(mishap_of(60), Some(Mishap::Expired));
        assert_eq!(mishap_of(600), Some(Mishap::Expired));
    }
}
