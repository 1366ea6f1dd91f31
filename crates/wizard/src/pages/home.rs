//! The overview of all profiles.

use askama::Template;

use super::{Done, Frame, Page};
use crate::texts::EN;

/// The overview.
#[derive(Debug, Template)]
#[template(path = "home.html")]
pub struct Home {
    /// Around it.
    pub frame: Frame,
    /// Why they cannot be shown, or not all that is known of them.
    pub trouble: Option<Done>,
    /// One for each profile.
    pub rows: Vec<Row>,
    /// What somebody was in the middle of.
    pub resume: Option<String>,
}

/// A profile in the overview.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The instance's URL.
    pub instance: String,
    /// Whose tokens, where known.
    pub user: String,
    /// When somebody must sign in again, in words.
    pub end: String,
}

impl Page for Home {
    const NAME: &'static str = "home";

    fn samples() -> Vec<(&'static str, Self)> {
        let row = |name: &str, end: &str| Row {
            name: name.into(),
            instance: "https://classics.service-now.com".into(),
            user: "integration.user".into(),
            end: end.into(),
        };
        let home =
            |rows, resume| Self { frame: Frame::new(EN.home_title), trouble: None, rows, resume };
        let locked = Done::bad("the store is in use", None, "/explain/store-locked".to_owned());
        let rows = vec![row("classics", "in 340 days"), row("acme-prod", "tomorrow")];
        vec![
            ("empty", home(Vec::new(), None)),
            ("two", home(rows.clone(), None)),
            ("closed", Self { trouble: Some(locked), ..home(rows.clone(), None) }),
            ("interrupted", home(rows, Some("classics, at the OAuth client".into()))),
        ]
    }
}
