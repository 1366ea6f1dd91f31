//! What can be done about a failure, with a button where it is a press away.

use crate::texts::EN;

/// A line of what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// In words.
    pub text: String,
    /// A command for a terminal, where no page does the same.
    pub command: Option<String>,
    /// What does it from here.
    pub button: Option<Button>,
}

/// A fix that is a press away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// On it.
    pub title: String,
    /// Where it leads.
    pub press: Press,
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// Opens a page of ours.
    Page(String),
    /// Opens a place in the person's instance, in a tab of its own.
    Away(String),
    /// Sends a form of ours to this path; the word is its `do`, if it has one.
    Form(String, Option<&'static str>),
}

impl Fix {
    /// Only words.
    pub fn said(text: impl Into<String>) -> Self {
        Self { text: text.into(), command: None, button: None }
    }
}

impl Button {
    /// It sends this word to the journey.
    pub fn journey(title: &str, word: &'static str) -> Self {
        Self { title: title.to_owned(), press: Press::Form("/journey".to_owned(), Some(word)) }
    }

    /// Another consent.
    pub fn consent_again() -> Self {
        Self::journey(EN.mishap_again, "again")
    }

    /// A second look at ID and secret.
    pub fn recheck() -> Self {
        Self::journey(EN.mishap_recheck, "recheck")
    }
}

/// Samples for the pages that show fixes.
pub(super) fn samples() -> Vec<Fix> {
    let away = "https://classics.service-now.com/nav_to.do?uri=oauth_entity_list.do".to_owned();
    vec![
        Fix::said("wake the instance: sign in at developer.servicenow.com and open it there"),
        Fix {
            text: "make a new secret, or copy the one that is there".to_owned(),
            command: None,
            button: Some(Button {
                title: "Application Registry".to_owned(),
                press: Press::Away(away),
            }),
        },
        Fix {
            text: "replaces the stored secret once a login succeeds".to_owned(),
            command: None,
            button: Some(Button::recheck()),
        },
        Fix {
            text: "asks for no scope at all: the client's own scopes hold".to_owned(),
            command: Some("snowtoken login --no-scope".to_owned()),
            button: None,
        },
    ]
}
