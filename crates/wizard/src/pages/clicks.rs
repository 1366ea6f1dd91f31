//! Every click on the instance, with the form as it is drawn.

use askama::Template;

use super::{Frame, Page, Rail};
use crate::texts::EN;

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
    /// What stands above the drawn form.
    pub form_title: String,
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
    /// The form as it is drawn, with what goes into it here; nothing where nothing is filled in.
    pub form: Vec<FormRow>,
    /// Whether all of it is shown: the next one to do.
    pub is_open: bool,
    /// Where to.
    pub links: Vec<ClickLink>,
    /// What goes wrong here.
    pub traps: Vec<String>,
}

/// A field of a drawn form.
#[derive(Debug, Clone)]
pub struct FormRow {
    /// Its label.
    pub field: String,
    /// What goes into it now; nothing where it is another click's.
    pub values: Vec<String>,
}

/// A place in the person's instance.
#[derive(Debug, Clone)]
pub struct ClickLink {
    /// What is there.
    pub title: String,
    /// Its address.
    pub url: String,
}

impl Click {
    fn sample(id: &str, text: &str, form: Vec<FormRow>) -> Self {
        Self {
            id: id.into(),
            text: text.into(),
            done: false,
            is_open: false,
            form,
            links: Vec::new(),
            traps: Vec::new(),
        }
    }

    fn samples() -> Vec<Self> {
        let link = ClickLink {
            title: "Application Registry".into(),
            url: "https://classics.service-now.com/oauth_entity_list.do".into(),
        };
        let open = "Open System OAuth > Application Registry and press New.";
        let redirect = "Enter where the browser comes back to. Unlock the field if it shows a lock (it is a list), add each address as one entry, lock it again.";
        let trap = "Character by character: no slash at the end, no blank, the right region. Else the sign-in ends on a page that says Invalid redirect_uri.";
        let name = "Fill in the name. Leave \"Client Secret\" empty: the instance makes one.";
        let aws = "https://us-west-2.console.aws.amazon.com/appflow/oauth";
        let mut clicks = vec![
            Self { links: vec![link], done: true, ..Self::sample("open", open, Vec::new()) },
            Self::sample("name", name, FormRow::samples(&[("Name", "snowtoken nice")])),
            Self {
                is_open: true,
                traps: vec![trap.into()],
                ..Self::sample("redirect", redirect, FormRow::samples(&[("Redirect URL", aws)]))
            },
        ];
        let more = [
            "Set the lifespans.",
            "If the form has \"Public Client\" or \"Use PKCE\", leave both off.",
            "Save: \"Submit\".",
            "In the list \"OAuth Scopes\" below the form, add each of these, spelt exactly.",
            "Copy \"Client ID\" and \"Client Secret\" to a safe place.",
        ];
        let plain = |(number, text): (usize, &str)| {
            Self::sample(&format!("more-{number}"), text, Vec::new())
        };
        clicks.extend(more.into_iter().enumerate().map(plain));
        clicks
    }
}

impl FormRow {
    fn samples(filled: &[(&str, &str)]) -> Vec<Self> {
        let row = |field: &str| Self {
            field: field.into(),
            values: filled
                .iter()
                .filter(|(own, _)| *own == field)
                .map(|(_, text)| (*text).to_owned())
                .collect(),
        };
        ["Name", "Redirect URL", "Access Token Lifespan", "Refresh Token Lifespan"].map(row).into()
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
        let page = Self {
            frame: Frame::on(Rail::Client, EN.clicks_title),
            screens: vec![
                screen("classic", "Application Registry", true),
                screen("console", "Machine Identity Console", false),
            ],
            about: vec![
                "On newer instances the entry begins with [Deprecated UI]: that is the one.".into(),
            ],
            form_title: "Application Registries".into(),
            clicks: Click::samples(),
        };
        vec![("classic", page)]
    }
}
