//! What the store knows about many profiles, kept small: a hundred bytes each, in two pieces of
//! memory.

use std::ops::Range;

use snowtoken::config::Entry;
use snowtoken::core::profile::ProfileName;
use snowtoken::core::token_set::Deadline;
use snowtoken::store::sqlite::{Glance, SqliteStore};
use snowtoken::store::{RecordState, TokenStore as _};
use snowtoken::targets::Classes;

use super::line::Line;
use crate::report::Failure;

/// Glances, in the order of their names.
#[derive(Default)]
pub(super) struct Seen {
    classes: Classes,
    text: String,
    rows: Vec<Row>,
}

struct Row {
    start: usize,
    /// Bytes of name, instance, client and user, one after the other.
    lengths: [u16; 4],
    has_user: bool,
    has_access_token: bool,
    has_refresh_token: bool,
    state: RecordState,
    access: Deadline,
    refresh: Option<Deadline>,
}

impl Seen {
    /// Tells those apart whose product gets its tokens itself.
    pub(super) fn with(mut self, classes: Classes) -> Self {
        self.classes = classes;
        self
    }

    /// Every profile that has tokens.
    pub(super) fn all(store: &SqliteStore) -> Result<Self, Failure> {
        let mut seen = Self::default();
        store.glances(&mut |glance| seen.push(&glance))?;
        Ok(seen)
    }

    /// This profile.
    pub(super) fn one(store: &SqliteStore, profile: &ProfileName) -> Result<Self, Failure> {
        let mut seen = Self::default();
        if let Some(held) = store.standing(profile)?.and_then(|standing| standing.held) {
            seen.push(&Glance::of(profile, &held));
        }
        Ok(seen)
    }

    fn push(&mut self, glance: &Glance<'_>) {
        let start = self.text.len();
        let words = [glance.profile, glance.instance, glance.client_id];
        let lengths = [words[0], words[1], words[2], glance.user.unwrap_or_default()].map(|word| {
            // Longer ones are no names; a cut one is shown cut, and belongs to nobody else.
            let kept = &word[..word.floor_char_boundary(usize::from(u16::MAX))];
            self.text.push_str(kept);
            u16::try_from(kept.len()).unwrap_or_default()
        });
        self.rows.push(Row {
            start,
            lengths,
            has_user: glance.user.is_some(),
            has_access_token: glance.has_access_token,
            has_refresh_token: glance.has_refresh_token,
            state: glance.state,
            access: glance.access_expires_at,
            refresh: glance.refresh_expires_at,
        });
    }

    fn glance(&self, row: &Row) -> Glance<'_> {
        let mut at = row.start;
        let [profile, instance, client_id, user] = row.lengths.map(|length| {
            let range: Range<usize> = at..at + usize::from(length);
            at = range.end;
            self.text.get(range).unwrap_or_default()
        });
        Glance {
            profile,
            instance,
            client_id,
            state: row.state,
            user: row.has_user.then_some(user),
            access_expires_at: row.access,
            has_access_token: row.has_access_token,
            has_refresh_token: row.has_refresh_token,
            refresh_expires_at: row.refresh,
        }
    }

    /// Profiles, in the order of their names, with their tokens.
    pub(super) fn lines<'a>(
        &'a self,
        entries: impl Iterator<Item = Entry<'a>>,
    ) -> impl Iterator<Item = Line<'a>> {
        let mut glances = self.rows.iter().map(|row| self.glance(row)).peekable();
        entries.map(move |entry| {
            while glances.next_if(|glance| glance.profile < entry.name).is_some() {}
            let held = glances.next_if(|glance| glance.profile == entry.name);
            let is_prepared = held.is_none() && self.classes.prepare_only(entry.target);
            Line { entry, held, is_prepared }
        })
    }
}
