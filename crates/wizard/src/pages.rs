//! The pages: one typed context each. What is in a context is on the page, and nothing else; each
//! has samples, of which the gallery is made.

mod beginning;
mod clicks;
mod client;
mod consent;
mod diagnosis;
mod fix;
mod frame;
mod home;
mod outcome;
mod profile;
mod shared;

use askama::Template;

use crate::guard::Refusal;
use crate::texts::EN;
pub use beginning::{CheckPage, PlacePage, TargetPage};
pub use clicks::{Click, ClickLink, ClicksPage, FormRow, Screen};
pub use client::{AppliedPage, ApplyPage, ClientPage, ScriptPage, WayPage, WorkingPage};
pub use consent::{AllowPage, Mishap, MishapPage};
pub use diagnosis::{Catalogue, DiagnosisPage, Goodbye};
pub use fix::{Button, Fix, Press};
pub use frame::{Frame, Rail};
pub use home::{Home, Row};
pub use outcome::{End, FormField, HandOverPage, PassphrasePage, ProofPage, Reading, ValuePage};
pub use profile::{Action, DoctorPage, Done, Fact, ProfilePage, SurePage};
pub use shared::{Choice, Finding, Trouble, Wrong};

/// The style of every page.
pub const STYLE: &str = include_str!("../assets/style.css");

/// The script of every page.
pub const SCRIPT: &str = include_str!("../assets/wizard.js");

/// A page that can be looked at without a journey.
pub trait Page: Template {
    /// Its name in the gallery.
    const NAME: &'static str;

    /// What it can look like: a word for each, and the context.
    fn samples() -> Vec<(&'static str, Self)>
    where
        Self: Sized;
}

/// The page as HTML. Writing to a text cannot fail, so nothing is lost by an empty one.
pub fn html(page: &impl Template) -> String {
    page.render().unwrap_or_default()
}

/// Every sample of every page: its name, and its HTML.
pub fn gallery() -> Vec<(String, String)> {
    let mut all = Vec::new();
    show::<Home>(&mut all);
    show::<TargetPage>(&mut all);
    show::<PlacePage>(&mut all);
    show::<CheckPage>(&mut all);
    show::<WayPage>(&mut all);
    show::<ApplyPage>(&mut all);
    show::<WorkingPage>(&mut all);
    show::<AppliedPage>(&mut all);
    show::<ScriptPage>(&mut all);
    show::<ClicksPage>(&mut all);
    show::<ClientPage>(&mut all);
    show::<AllowPage>(&mut all);
    show::<MishapPage>(&mut all);
    show::<ProofPage>(&mut all);
    show::<HandOverPage>(&mut all);
    show::<ValuePage>(&mut all);
    show::<PassphrasePage>(&mut all);
    show::<ProfilePage>(&mut all);
    show::<SurePage>(&mut all);
    show::<DoctorPage>(&mut all);
    show::<DiagnosisPage>(&mut all);
    show::<Catalogue>(&mut all);
    show::<Goodbye>(&mut all);
    for refusal in [Refusal::NotEntered, Refusal::NotFound, Refusal::WrongForm, Refusal::Foreign] {
        all.push((format!("refusal-{}", refusal.status().as_u16()), self::refusal(refusal)));
    }
    all
}

fn show<P: Page>(all: &mut Vec<(String, String)>) {
    for (word, page) in P::samples() {
        all.push((format!("{}-{word}", P::NAME), html(&page)));
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice {
    frame: Frame,
    text: &'static str,
}

/// A constant page for who is not served.
pub fn refusal(refusal: Refusal) -> String {
    let (title, text) = match refusal {
        Refusal::NotEntered | Refusal::WrongKey => (EN.not_entered_title, EN.not_entered_text),
        Refusal::NotFound => (EN.not_found_title, EN.not_found_text),
        Refusal::WrongForm => (EN.wrong_form_title, EN.wrong_form_text),
        Refusal::TooLarge => (EN.too_large_title, EN.too_large_text),
        _ => (EN.foreign_title, EN.foreign_text),
    };
    html(&Notice { frame: Frame::new(title).ageless(), text })
}
