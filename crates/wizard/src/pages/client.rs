//! The OAuth client, in all ways in which it comes about.

use askama::Template;

use super::{Choice, Finding, Frame, Page, Rail, Trouble, Wrong};
use crate::texts::EN;

/// How the client is to be made.
#[derive(Debug, Template)]
#[template(path = "way.html")]
pub struct WayPage {
    /// Around it.
    pub frame: Frame,
    /// The ways.
    pub ways: Vec<Choice>,
    /// The chosen one.
    pub chosen: String,
}

/// An administrator signs in.
#[derive(Debug, Template)]
#[template(path = "apply.html")]
pub struct ApplyPage {
    /// Around it.
    pub frame: Frame,
    /// What was typed.
    pub user: String,
    /// What went wrong last.
    pub trouble: Option<Trouble>,
}

/// Something is being done.
#[derive(Debug, Template)]
#[template(path = "working.html")]
pub struct WorkingPage {
    /// Around it.
    pub frame: Frame,
    /// What tells one state from the next.
    pub seen: String,
}

/// What was done on the instance.
#[derive(Debug, Template)]
#[template(path = "applied.html")]
pub struct AppliedPage {
    /// Around it.
    pub frame: Frame,
    /// Line by line.
    pub lines: Vec<Finding>,
}

/// A script to paste.
#[derive(Debug, Template)]
#[template(path = "script.html")]
pub struct ScriptPage {
    /// Around it.
    pub frame: Frame,
    /// Where it is pasted.
    pub link: String,
}

/// Client ID and secret.
#[derive(Debug, Template)]
#[template(path = "client.html")]
pub struct ClientPage {
    /// Around it.
    pub frame: Frame,
    /// What was typed.
    pub client_id: String,
    /// Whether a secret is stored.
    pub is_kept: bool,
    /// What is wrong.
    pub wrong: Wrong,
}

impl WayPage {
    /// The page, with this way chosen.
    pub fn new(chosen: &str) -> Self {
        let way = |name: &str, title: &str, about: &str| Choice {
            name: name.into(),
            title: title.into(),
            about: about.into(),
        };
        Self {
            frame: Frame::on(Rail::Client, EN.way_title),
            ways: vec![
                way("apply", EN.way_apply, EN.way_apply_text),
                way("script", EN.way_script, EN.way_script_text),
                way("checklist", EN.way_checklist, EN.way_checklist_text),
                way("there", EN.way_there, EN.way_there_text),
            ],
            chosen: chosen.into(),
        }
    }
}

impl Page for WayPage {
    const NAME: &'static str = "way";

    fn samples() -> Vec<(&'static str, Self)> {
        vec![("usual", Self::new("apply"))]
    }
}

impl ApplyPage {
    /// The page.
    pub fn new(user: String, trouble: Option<Trouble>) -> Self {
        Self { frame: Frame::on(Rail::Client, EN.apply_title), user, trouble }
    }
}

impl Page for ApplyPage {
    const NAME: &'static str = "apply";

    fn samples() -> Vec<(&'static str, Self)> {
        let trouble = Trouble {
            text: "The instance does not accept this name and password.".into(),
            code: Some("api-not-accepted"),
        };
        vec![
            ("first", Self::new(String::new(), None)),
            ("refused", Self::new("admin".into(), Some(trouble))),
        ]
    }
}

impl Page for WorkingPage {
    const NAME: &'static str = "working";

    fn samples() -> Vec<(&'static str, Self)> {
        let frame = Frame::on(Rail::Client, EN.applying_title).looking_again();
        vec![("applying", Self { frame, seen: "1".into() })]
    }
}

impl Page for AppliedPage {
    const NAME: &'static str = "applied";

    fn samples() -> Vec<(&'static str, Self)> {
        let line =
            |kind, name: &str, text: &str| Finding { kind, name: name.into(), text: text.into() };
        let lines = vec![
            line("pass", "the client", "made"),
            line("pass", "scope useraccount", "was there"),
            line("warn", "scope table", "this release has none"),
            line("unknown", "redirect URI", "not known before the first sign-in"),
        ];
        vec![("done", Self { frame: Frame::on(Rail::Client, EN.apply_done_title), lines })]
    }
}

impl Page for ScriptPage {
    const NAME: &'static str = "script";

    fn samples() -> Vec<(&'static str, Self)> {
        let link = "https://classics.service-now.com/nav_to.do?uri=sys.scripts.do".into();
        vec![("usual", Self { frame: Frame::on(Rail::Client, EN.script_title), link })]
    }
}

impl ClientPage {
    /// The page.
    pub fn new(client_id: String, is_kept: bool, wrong: Wrong) -> Self {
        Self { frame: Frame::on(Rail::Secret, EN.client_title), client_id, is_kept, wrong }
    }
}

impl Page for ClientPage {
    const NAME: &'static str = "client";

    fn samples() -> Vec<(&'static str, Self)> {
        let id = "0123456789abcdef0123456789abcdef";
        vec![
            ("first", Self::new(String::new(), false, Wrong::default())),
            ("kept", Self::new(id.into(), true, Wrong::default())),
            ("wrong", Self::new(id.into(), false, Wrong::field("client_secret", EN.check_same))),
        ]
    }
}
