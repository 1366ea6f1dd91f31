//! Every step that makes the client by hand, as data: made once, shown as text, Markdown or HTML.

mod around;
mod links;
mod render;
mod screens;
mod words;

use crate::profile::Grant;
use crate::servicenow::Instance;
use crate::setup::ClientPlan;
use crate::target::Target;

pub use links::{Known, Link};
pub use words::{Span, Words};

/// A release of ServiceNow, as far as its screens differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The classic screen only.
    Xanadu,
    /// The classic screen; later patches have the new one as well.
    Yokohama,
    /// Both; the classic one is called deprecated.
    Zurich,
    /// Both; the classic one is called deprecated.
    Australia,
}

impl Release {
    fn name(self) -> &'static str {
        match self {
            Self::Xanadu => "Xanadu",
            Self::Yokohama => "Yokohama",
            Self::Zurich => "Zurich",
            Self::Australia => "Australia",
        }
    }
}

/// What the steps are for.
#[derive(Debug, Clone, Copy)]
pub struct ChecklistWish<'a> {
    /// The client.
    pub plan: &'a ClientPlan,
    /// The product.
    pub target: &'a Target,
    /// The instance; without it there are no links.
    pub instance: Option<&'a Instance>,
    /// The release; without it every screen is explained.
    pub release: Option<Release>,
    /// The login that comes next, ready to copy; none where the product gets its tokens itself.
    pub login: Option<&'a str>,
    /// The command that does all of this in one paste, where there is one.
    pub script: Option<&'a str>,
}

impl ChecklistWish<'_> {
    fn is_code(&self) -> bool {
        self.target.class.grant() == Some(Grant::AuthorizationCode)
    }
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checklist {
    /// What it is about.
    pub title: String,
    /// Whose product, which instance, how sure.
    pub about: Vec<Words>,
    /// In the order in which they are done.
    pub sections: Vec<Section>,
}

/// Steps that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// What to know before.
    pub about: Vec<Words>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What is worth knowing, without an order.
    pub notes: Vec<Words>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub words: Words,
    /// Values to copy into fields.
    pub values: Vec<Value>,
    /// Where.
    pub links: Vec<Link>,
    /// What goes wrong here.
    pub traps: Vec<Words>,
}

/// A value that is copied exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The field, as the screen names it.
    pub field: String,
    /// What goes into it.
    pub text: String,
}

impl Section {
    fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), about: Vec::new(), steps: Vec::new(), notes: Vec::new() }
    }

    fn about(mut self, words: impl Into<Words>) -> Self {
        self.about.push(words.into());
        self
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    fn note(mut self, words: impl Into<Words>) -> Self {
        self.notes.push(words.into());
        self
    }
}

impl Step {
    fn new(words: impl Into<Words>) -> Self {
        Self { words: words.into(), values: Vec::new(), links: Vec::new(), traps: Vec::new() }
    }

    fn value(mut self, field: &str, text: impl Into<String>) -> Self {
        self.values.push(Value { field: field.to_owned(), text: text.into() });
        self
    }

    fn values<'a>(mut self, field: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        for text in texts {
            self = self.value(field, text);
        }
        self
    }

    fn link(mut self, link: Option<Link>) -> Self {
        self.links.extend(link);
        self
    }

    fn trap(mut self, words: impl Into<Words>) -> Self {
        self.traps.push(words.into());
        self
    }
}

impl Checklist {
    /// The steps for this client.
    pub fn new(wish: &ChecklistWish<'_>) -> Self {
        let mut sections = vec![around::before(wish)];
        sections.extend(screens::all(wish));
        sections.push(around::user(wish));
        sections.push(around::next(wish));
        sections.push(around::trouble(wish));
        Self {
            title: format!("The OAuth client for {}", wish.target.title),
            about: around::about(wish),
            sections,
        }
    }

    /// For a terminal of this width. Values stand alone on their lines, without blanks before them.
    pub fn text(&self, columns: usize) -> String {
        render::text(self, columns)
    }

    /// For a wiki or a ticket.
    pub fn markdown(&self) -> String {
        render::markdown(self)
    }

    /// One page that needs nothing else, for a browser or a printer.
    pub fn html(&self) -> String {
        render::html(self)
    }
}
