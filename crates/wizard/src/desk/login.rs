//! Consent: the library's login, run beside the pages.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use snowtoken::core::diagnosis::{Code, Diagnose as _, Hint};
use snowtoken::core::oauth::authorization::AuthorizationError;
use snowtoken::core::oauth::client::Client;
use snowtoken::core::oauth::error::ErrorCode;
use snowtoken::core::profile::Profile;
use snowtoken::delivery::{self, Credentials};
use snowtoken::login::{Login, Paste, Watcher};
use snowtoken::loopback::Ending;
use snowtoken::store::TokenStore;
use snowtoken::{Error, Secret, arrival, session};
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
    /// Where pastes go.
    pub(super) pastes: Arc<Mutex<Sender<Paste>>>,
    /// How it ended.
    pub(super) end: Option<End>,
}

/// How a consent ended.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// Tokens are stored.
    Connected,
    /// They are not.
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

impl Consent {
    /// Hands over what a person pasted.
    pub(super) fn paste(&self, text: Secret) {
        let sender = self.pastes.lock().unwrap_or_else(PoisonError::into_inner);
        // The login may have ended already: then the page tells.
        drop(sender.send(Paste::Text(text)));
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
    pub(super) secret: Option<Secret>,
    /// The user of before: a surprise is told.
    pub(super) expected: Option<String>,
}

/// Begins to wait for a person.
pub(super) fn begin(tools: &Tools, wish: Wish) -> (Work, impl FnOnce(&Ticket) + Send + use<>) {
    let (sender, incoming) = channel();
    let pastes = Arc::new(Mutex::new(sender));
    let consent = Consent { url: None, pastes, end: None };
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
        let done = login.run(&tools.world, incoming, &desk);
        let end = match done.and_then(|done| settle(&tools, &wish, done)) {
            Ok(()) => End::Connected,
            Err(error) => End::of(&error),
        };
        ticket.tell(Work::Consent(Consent { end: Some(end), ..waiting.clone() }));
    };
    (Work::Consent(consent), run)
}

/// Stores what came.
fn settle(tools: &Tools, wish: &Wish, mut done: snowtoken::login::LoggedIn) -> Result<(), Error> {
    let kept = keep(tools, wish, &mut done);
    done.finish(if kept.is_ok() { Ending::Done } else { Ending::Failed });
    kept
}

fn keep(tools: &Tools, wish: &Wish, done: &mut snowtoken::login::LoggedIn) -> Result<(), Error> {
    let name = &wish.profile.name;
    let found = done.user.as_ref().and_then(snowtoken::core::token_set::User::name);
    if let (Some(expected), Some(found)) = (&wish.expected, found)
        && expected != found
    {
        return Err(Error::UserMismatch { found: found.to_owned(), expected: expected.clone() });
    }
    if let Some(error) = done.unverified.take() {
        return Err(error);
    }
    let mut store = tools.present_store(name)?;
    let before = arrival::Before::read(&*store, &wish.profile);
    let facts = before.settle(arrival::Stated::default(), done);
    let _lock = session::lock(&tools.home.data, name)?;
    arrival::keep(
        &mut *store,
        &tools.home,
        &wish.profile,
        wish.secret.as_ref(),
        done,
        &facts,
        tools.world.now(),
    )?;
    follow(&mut *store, wish, done);
    Ok(())
}

/// Files that follow the tokens get the new ones.
fn follow(store: &mut dyn TokenStore, wish: &Wish, done: &snowtoken::login::LoggedIn) {
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

    fn exchanging(&self) {}
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
            End::Connected => None,
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
