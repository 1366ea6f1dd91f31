//! What every page has around it.

use std::cmp::Ordering;

use crate::texts::{EN, Texts};

/// Around the page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The sentences.
    pub t: &'static Texts,
    /// The title, which is no foreign text.
    pub title: String,
    /// How far the journey has come.
    pub rail: Option<Rail>,
    /// Whether it is opened anew by itself where there is no script.
    pub looks_again: bool,
    /// Whether it may be left open for too long: what is typed into it must not be sent then.
    pub ages: bool,
}

impl Frame {
    /// A page outside of the journey.
    pub fn new(title: impl Into<String>) -> Self {
        Self { t: &EN, title: title.into(), rail: None, looks_again: false, ages: true }
    }

    /// Words that not everybody knows, and what they mean here.
    pub fn words(&self) -> [(&'static str, &'static str); 5] {
        let t = self.t;
        [
            (t.word_client, t.glossary_client),
            (t.word_access, t.glossary_token),
            (t.word_refresh, t.glossary_refresh),
            (t.word_redirect, t.glossary_redirect),
            (t.word_scope, t.glossary_scope),
        ]
    }

    /// The title of the window, which has little room.
    pub fn short_title(&self) -> String {
        const ROOM: usize = 46;
        if self.title.chars().count() <= ROOM {
            return self.title.clone();
        }
        let cut: String = self.title.chars().take(ROOM - 1).collect();
        format!("{}…", cut.trim_end())
    }

    /// A page of the journey.
    pub fn on(rail: Rail, title: impl Into<String>) -> Self {
        Self { rail: Some(rail), ..Self::new(title) }
    }

    /// The same, opened anew by itself.
    #[must_use]
    pub fn looking_again(self) -> Self {
        Self { looks_again: true, ..self }
    }

    /// The same, and nothing on it can be sent: it stays as it is.
    #[must_use]
    pub fn ageless(self) -> Self {
        Self { ages: false, ..self }
    }
}

/// The stops of the journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rail {
    /// Where to.
    Where,
    /// The OAuth client.
    Client,
    /// ID and secret.
    Secret,
    /// Consent.
    Allow,
    /// Proof.
    Proof,
    /// Hand over.
    HandOver,
}

/// A stop as it is drawn.
pub struct Stop {
    /// Its name.
    pub name: &'static str,
    /// `past`, `now` or nothing.
    pub class: &'static str,
    /// Whether it is the one.
    pub is_now: bool,
}

impl Rail {
    /// All stops, seen from this one.
    pub fn stops(self, t: &Texts) -> Vec<Stop> {
        let all = [
            (Self::Where, t.rail_where),
            (Self::Client, t.rail_client),
            (Self::Secret, t.rail_secret),
            (Self::Allow, t.rail_allow),
            (Self::Proof, t.rail_proof),
            (Self::HandOver, t.rail_hand_over),
        ];
        let stop = |(own, name): (Self, &'static str)| Stop {
            name,
            class: match own.cmp(&self) {
                Ordering::Less => "past",
                Ordering::Equal => "now",
                Ordering::Greater => "",
            },
            is_now: own == self,
        };
        all.into_iter().map(stop).collect()
    }
}
