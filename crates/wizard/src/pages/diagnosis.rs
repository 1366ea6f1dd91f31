//! A diagnosis of the catalogue as a page, with buttons for its fixes.

use askama::Template;
use snowtoken::core::diagnosis::{CATALOGUE, Code};

use super::fix::{self, Button, Fix, Press};
use super::{Choice, Frame, Page};
use crate::texts::EN;

/// A diagnosis.
#[derive(Debug, Template)]
#[template(path = "diagnosis.html")]
pub struct DiagnosisPage {
    /// Around it.
    pub frame: Frame,
    /// Its code.
    pub code: &'static str,
    /// What stands on the screen or in a log.
    pub seen: String,
    /// Why.
    pub cause: &'static str,
    /// What to do, most helpful first.
    pub fixes: Vec<Fix>,
    /// Where one came from, and where else one can go.
    pub ways: Vec<Button>,
    /// Who can do it.
    pub who: &'static str,
    /// How it is known.
    pub proof: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

impl DiagnosisPage {
    /// The page of this code.
    pub fn of(code: Code, fixes: Vec<Fix>, ways: Vec<Button>) -> Self {
        let entry = code.entry();
        let mut title = entry.title.chars();
        let title = title.next().map(|c| c.to_uppercase().chain(title).collect::<String>());
        Self {
            frame: Frame::new(title.unwrap_or_default()),
            code: entry.code,
            seen: entry.seen().into_owned(),
            cause: entry.cause,
            fixes,
            ways,
            who: entry.who,
            proof: entry.proof,
            source: entry.source,
        }
    }
}

impl Page for DiagnosisPage {
    const NAME: &'static str = "explain";

    /// Every one of the catalogue.
    fn samples() -> Vec<(&'static str, Self)> {
        let home = Button { title: EN.home.to_owned(), press: Press::Page("/".to_owned()) };
        let page = |code: Code| {
            let said =
                code.entry().hints().iter().map(|hint| Fix::said(hint.to_string())).collect();
            let fixes = if code == Code::ClientRefused { fix::samples() } else { said };
            Self::of(code, fixes, vec![home.clone()])
        };
        CATALOGUE.iter().map(|(code, entry)| (entry.code, page(*code))).collect()
    }
}

/// All diagnoses.
#[derive(Debug, Template)]
#[template(path = "catalogue.html")]
pub struct Catalogue {
    /// Around it.
    pub frame: Frame,
    /// Code, title and who can do something.
    pub entries: Vec<Choice>,
}

/// The last page.
#[derive(Debug, Template)]
#[template(path = "goodbye.html")]
pub struct Goodbye {
    /// Around it.
    pub frame: Frame,
}

impl Page for Catalogue {
    const NAME: &'static str = "catalogue";

    fn samples() -> Vec<(&'static str, Self)> {
        let entry = |(_, entry): &(Code, snowtoken::core::diagnosis::Entry)| Choice {
            name: entry.code.into(),
            title: entry.title.into(),
            about: entry.who.into(),
        };
        let entries = CATALOGUE.iter().map(entry).collect();
        vec![("all", Self { frame: Frame::new(EN.diagnosis_all), entries })]
    }
}

impl Page for Goodbye {
    const NAME: &'static str = "goodbye";

    fn samples() -> Vec<(&'static str, Self)> {
        vec![("usual", Self { frame: Frame::new(EN.goodbye_title).ageless() })]
    }
}
