//! What the person sees while the login waits.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use snowtoken::core::profile::Profile;
use snowtoken::login::{Paste, Watcher};
use url::Url;

use crate::{output, terminal};

/// Set when the URL is on the screen: the prompt belongs below it. Nothing if there will be none.
static URL_SHOWN: OnceLock<Option<String>> = OnceLock::new();

/// Starts reading once the URL is shown.
pub(super) fn prompt_later(prompt: &'static str) -> Receiver<Paste> {
    let (sender, receiver) = channel();
    let forwarding = move || {
        if URL_SHOWN.wait().is_none() {
            return;
        }
        let pastes = terminal::pastes(prompt);
        while let Ok(paste) = pastes.recv() {
            if sender.send(paste).is_err() {
                break;
            }
        }
    };
    let _ = std::thread::Builder::new().name("paste".to_owned()).spawn(forwarding);
    receiver
}

/// The authorization URL, once it is shown; nothing if the login ended before.
pub(super) fn wait_for_url() -> Option<String> {
    URL_SHOWN.wait().clone()
}

/// The login has ended: whoever waits for a URL that was not shown waits no longer.
pub(super) fn end_waiting() {
    let _ = URL_SHOWN.set(None);
}

/// stderr during a login.
pub(super) struct Screen {
    listens: bool,
    opens: bool,
    countdown: bool,
    shown: Mutex<Option<u64>>,
}

impl Screen {
    pub(super) fn new(profile: &Profile, no_browser: bool) -> Self {
        Self {
            listens: profile
                .redirect_uri
                .as_ref()
                .is_some_and(snowtoken::core::oauth::redirect::RedirectUri::is_loopback),
            opens: !no_browser,
            countdown: output::is_lively() && terminal::can_ask(),
            shown: Mutex::new(None),
        }
    }

    /// Takes the countdown off the screen.
    pub(super) fn end(&self) {
        if self.shown.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            output::say_part("\r\u{1b}[K");
        }
    }
}

impl Watcher for Screen {
    fn authorization_url(&self, url: &Url) {
        let how = if self.opens {
            "Your browser opens this address; if it does not, open it yourself:"
        } else {
            "Open this address in your browser:"
        };
        output::say(format!("{how}\n\n{url}\n"));
        output::say(if self.listens {
            "Sign in and press Allow. The browser then comes back here by itself; if it cannot, paste the address it shows."
        } else {
            "Sign in and press Allow. Then copy the whole address from the browser's address bar and paste it here\n\
             within 60 seconds; the page itself may look like an error. Paste only what your own browser shows."
        });
        let _ = URL_SHOWN.set(Some(url.to_string()));
    }

    fn browser_failed(&self, reason: &std::io::Error) {
        output::say(format!(
            "The browser could not be opened ({reason}): open the address yourself."
        ));
    }

    fn waiting(&self, left: Duration) {
        if !self.countdown {
            return;
        }
        let seconds = left.as_secs();
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.replace(seconds) != Some(seconds) {
            output::say_part(format!(
                "\r\u{1b}[K{}({}:{:02} left) ",
                super::PROMPT,
                seconds / 60,
                seconds % 60
            ));
        }
    }

    fn exchanging(&self) {
        self.end();
        output::say("Exchanging the code ...");
    }
}
