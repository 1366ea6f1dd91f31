//! Consent, and what can come between.

use askama::Template;
use snowtoken::core::diagnosis::Code;

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
    /// Whether the address has to be pasted.
    pub needs_paste: bool,
    /// The drawn address bar.
    pub address_bar: String,
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
    pub more: Vec<String>,
    /// Whether ID and secret are worth a second look.
    pub rechecks: bool,
    /// The code of its diagnosis.
    pub code: Option<&'static str>,
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
            needs_paste: paste_from.is_some(),
            address_bar: paste_from.map(crate::draw::address_bar).unwrap_or_default(),
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
    pub fn of(mishap: Mishap, more: Vec<String>, code: Option<&'static str>) -> Self {
        let (title, text) = match mishap {
            Mishap::Denied => (EN.denied_title, EN.denied_text),
            Mishap::Expired => (EN.expired_title, EN.expired_text),
            Mishap::Refused => (EN.refused_title, EN.refused_text),
            Mishap::WrongWindow => (EN.wrong_window_title, EN.wrong_window_text),
            Mishap::WrongUser => (EN.wrong_user_title, EN.wrong_user_text),
        };
        Self::new(title, text.into(), more, code)
    }

    /// Any other one, in the words of the library.
    pub fn told(text: String, hints: Vec<String>, code: &'static str) -> Self {
        Self::new(EN.mishap_title, text, hints, Some(code))
    }

    fn new(title: &str, text: String, more: Vec<String>, code: Option<&'static str>) -> Self {
        let rechecks = matches!(
            code.and_then(Code::find),
            Some(Code::ClientRefused | Code::CodeRefused | Code::ScopeRefused)
        );
        Self { frame: Frame::on(Rail::Allow, title), text, more, rechecks, code }
    }
}

impl Page for MishapPage {
    const NAME: &'static str = "mishap";

    fn samples() -> Vec<(&'static str, Self)> {
        let of = |mishap, code| Self::of(mishap, Vec::new(), Some(code));
        let hint = "wake the instance: sign in at developer.servicenow.com".to_owned();
        let text = "the instance did not exchange the code".to_owned();
        let other = Self::told(text, vec![hint], "instance-asleep");
        vec![
            ("denied", of(Mishap::Denied, "consent-denied")),
            ("expired", of(Mishap::Expired, "code-refused")),
            ("refused", of(Mishap::Refused, "code-refused")),
            ("wrong-window", of(Mishap::WrongWindow, "state-mismatch")),
            ("wrong-user", of(Mishap::WrongUser, "user-mismatch")),
            ("other", other),
        ]
    }
}
