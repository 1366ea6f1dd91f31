//! Consent, and what can come between.

use askama::Template;
use snowtoken::core::diagnosis::Code;

use super::fix::{self, Button, Fix, Press};
use super::{Frame, Page, Rail, Trouble};
use crate::texts::EN;

/// One button opens ServiceNow.
#[derive(Debug, Template)]
#[template(path = "allow.html")]
pub struct AllowPage {
    /// Around it.
    pub frame: Frame,
    /// What tells one state from the next.
    pub seen: String,
    /// The authorization URL.
    pub url: String,
    /// The address that the browser ends up at, if it has to be pasted from there.
    pub redirect_uri: Option<String>,
    /// What went wrong with the last paste.
    pub trouble: Option<Trouble>,
}

/// Something came between.
#[derive(Debug, Template)]
#[template(path = "mishap.html")]
pub struct MishapPage {
    /// Around it.
    pub frame: Frame,
    /// What happened.
    pub text: String,
    /// What to do, most helpful first.
    pub fixes: Vec<Fix>,
    /// What goes on from here, most helpful first.
    pub ways: Vec<Button>,
    /// The code of its diagnosis.
    pub code: &'static str,
}

impl AllowPage {
    /// The page; a redirect URI that the browser cannot come back from has to be pasted.
    pub fn new(
        seen: String,
        url: String,
        paste_from: Option<&str>,
        trouble: Option<Trouble>,
    ) -> Self {
        let frame = Frame::on(Rail::Allow, EN.allow_title);
        Self {
            frame: if paste_from.is_some() { frame } else { frame.looking_again() },
            seen,
            url,
            redirect_uri: paste_from.map(str::to_owned),
            trouble,
        }
    }
}

impl Page for AllowPage {
    const NAME: &'static str = "allow";

    fn samples() -> Vec<(&'static str, Self)> {
        let url = "https://classics.service-now.com/oauth_auth.do?response_type=code";
        let aws = "https://us-west-2.console.aws.amazon.com/appflow/oauth";
        let trouble = Trouble {
            text: "That is no redirected address.".into(),
            code: Some("redirect-unreadable"),
        };
        vec![
            ("paste", Self::new("1".into(), url.into(), Some(aws), None)),
            ("loopback", Self::new("1".into(), url.into(), None, None)),
            ("unreadable", Self::new("1".into(), url.into(), Some(aws), Some(trouble))),
        ]
    }
}

/// What can come between, as far as it has a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Deny was pressed.
    Denied,
    /// The code had ended, or was used.
    Expired,
    /// The code was refused, and cannot have been too old.
    Refused,
    /// Another sign-in's address.
    WrongWindow,
    /// Another user than before.
    WrongUser,
}

impl MishapPage {
    /// A mishap of which more can be said than its diagnosis does.
    pub fn of(mishap: Mishap, code: &'static str) -> Self {
        let (title, text) = match mishap {
            Mishap::Denied => (EN.denied_title, EN.denied_text),
            Mishap::Expired => (EN.expired_title, EN.expired_text),
            Mishap::Refused => (EN.refused_title, EN.refused_text),
            Mishap::WrongWindow => (EN.wrong_window_title, EN.wrong_window_text),
            Mishap::WrongUser => (EN.wrong_user_title, EN.wrong_user_text),
        };
        let mut page = Self::new(title, text.into(), Vec::new(), code);
        match mishap {
            // It says itself what comes first.
            Mishap::Refused => page.ways.reverse(),
            Mishap::WrongUser => page.ways.push(Button::journey(EN.wrong_user_take, "anybody")),
            Mishap::Denied | Mishap::Expired | Mishap::WrongWindow => {}
        }
        page
    }

    /// The tokens came, and are nowhere but in memory.
    pub fn unstored(text: &str, fixes: Vec<Fix>, code: &'static str) -> Self {
        let path = "/journey/tokens".to_owned();
        let file =
            Button { title: EN.unstored_download.to_owned(), press: Press::Form(path, None) };
        let ways = vec![
            Button::journey(EN.unstored_again, "store"),
            file,
            Button::journey(EN.unstored_discard, "discard"),
        ];
        let text = format!("{text}. {}", EN.unstored_text);
        Self { ways, ..Self::new(EN.unstored_title, text, fixes, code) }
    }

    /// A failure of a step that opens nothing in ServiceNow.
    pub fn beside(text: String, fixes: Vec<Fix>, code: &'static str) -> Self {
        let ways = vec![Button::journey(EN.again, "check")];
        Self { ways, ..Self::told(text, fixes, code) }
    }

    /// Any other one, in the words of the library.
    pub fn told(text: String, fixes: Vec<Fix>, code: &'static str) -> Self {
        Self::new(EN.mishap_title, text, fixes, code)
    }

    fn new(title: &str, text: String, mut fixes: Vec<Fix>, code: &'static str) -> Self {
        let rechecks = matches!(
            Code::find(code),
            Some(Code::ClientRefused | Code::CodeRefused | Code::ScopeRefused)
        );
        let mut ways = vec![Button::consent_again()];
        ways.extend(rechecks.then(Button::recheck));
        // No button is there twice.
        for fix in &mut fixes {
            fix.button = fix.button.take().filter(|button| !ways.contains(button));
        }
        Self { frame: Frame::on(Rail::Allow, title), text, fixes, ways, code }
    }
}

impl Page for MishapPage {
    const NAME: &'static str = "mishap";

    fn samples() -> Vec<(&'static str, Self)> {
        let of = Self::of;
        let text = "the instance did not exchange the code".to_owned();
        let other = Self::told(text, fix::samples(), "instance-asleep");
        vec![
            ("denied", of(Mishap::Denied, "consent-denied")),
            ("expired", of(Mishap::Expired, "code-refused")),
            ("refused", of(Mishap::Refused, "code-refused")),
            ("wrong-window", of(Mishap::WrongWindow, "state-mismatch")),
            ("wrong-user", of(Mishap::WrongUser, "user-mismatch")),
            ("unstored", Self::unstored("the store is in use", fix::samples(), "store-locked")),
            ("other", other),
        ]
    }
}
