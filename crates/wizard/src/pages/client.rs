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

/// Every click.
#[derive(Debug, Template)]
#[template(path = "clicks.html")]
pub struct ClicksPage {
    /// Around it.
    pub frame: Frame,
    /// The screens of which one is shown.
    pub screens: Vec<Screen>,
    /// What to know before.
    pub about: Vec<String>,
    /// The drawn form.
    pub drawing: Option<String>,
    /// The clicks.
    pub clicks: Vec<Click>,
}

/// A screen of the instance.
#[derive(Debug, Clone)]
pub struct Screen {
    /// Its word in our addresses.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// Whether it is the one.
    pub is_shown: bool,
}

/// A click.
#[derive(Debug, Clone)]
pub struct Click {
    /// Its word.
    pub id: String,
    /// What to do.
    pub text: String,
    /// Whether it was ticked off.
    pub done: bool,
    /// What to copy: field and value.
    pub values: Vec<CopyValue>,
    /// Where to.
    pub links: Vec<ClickLink>,
    /// What goes wrong here.
    pub traps: Vec<String>,
}

/// A value to copy.
#[derive(Debug, Clone)]
pub struct CopyValue {
    /// The field.
    pub field: String,
    /// The value.
    pub text: String,
}

/// A place in the person's instance.
#[derive(Debug, Clone)]
pub struct ClickLink {
    /// What is there.
    pub title: String,
    /// Its address.
    pub url: String,
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

impl Page for ClicksPage {
    const NAME: &'static str = "clicks";

    fn samples() -> Vec<(&'static str, Self)> {
        let screen = |name: &str, title: &str, is_shown| Screen {
            name: name.into(),
            title: title.into(),
            is_shown,
        };
        let click = |id: &str, text: &str, done, values, traps| Click {
            id: id.into(),
            text: text.into(),
            done,
            values,
            links: Vec::new(),
            traps,
        };
        let value = |field: &str, text: &str| CopyValue { field: field.into(), text: text.into() };
        let link = ClickLink {
            title: "Application Registry".into(),
            url: "https://classics.service-now.com/oauth_entity_list.do".into(),
        };
        let first = Click {
            links: vec![link],
            ..click(
                "open",
                "Open System OAuth > Application Registry and press New.",
                true,
                Vec::new(),
                Vec::new(),
            )
        };
        let values = vec![
            value("Name", "Knowledge Hub"),
            value("Redirect URL", "https://us-west-2.console.aws.amazon.com/appflow/oauth"),
            value("Refresh Token Lifespan", "31536000"),
        ];
        let drawn: Vec<(String, String)> =
            values.iter().map(|value| (value.field.clone(), value.text.clone())).collect();
        let trap = "The Redirect URL field is locked: click its lock first.".to_owned();
        let fill = click("fill", "Fill in the form.", false, values, vec![trap]);
        let page = Self {
            frame: Frame::on(Rail::Client, EN.clicks_title),
            screens: vec![
                screen("classic", "Application Registry", true),
                screen("console", "Machine Identity Console", false),
            ],
            about: vec![
                "On newer instances the entry begins with [Deprecated UI]: that is the one.".into(),
            ],
            drawing: Some(crate::draw::form("Application Registries", &drawn)),
            clicks: vec![first, fill],
        };
        vec![("classic", page)]
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
