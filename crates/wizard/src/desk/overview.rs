//! The overview of all profiles.

use jiff::Timestamp;
use snowtoken::config;
use snowtoken::core::diagnosis::Diagnose;
use snowtoken::core::profile::{Grant, Profile};
use snowtoken::store::{Held, RecordState, Standing};

use super::fixes::{Around, bad};
use super::{Desk, shown, words};
use crate::pages::{Done, Frame, Home, Row};
use crate::site::Reply;
use crate::steps::Step;
use crate::texts::EN;

impl Desk {
    pub(super) fn home(&mut self) -> Reply {
        let (rows, trouble) = self.rows();
        let name = self.journey.profile.clone().or_else(|| self.journey.target.clone());
        let resume = (self.journey.step != Step::Target).then(|| name.unwrap_or_default());
        if rows.is_empty() && resume.is_none() && trouble.is_none() {
            // Nobody needs an empty overview.
            return Reply::To("/journey".to_owned());
        }
        shown(&Home { frame: Frame::new(EN.home_title), trouble, rows, resume })
    }

    /// The connections, and why they are not all that there is to know.
    fn rows(&self) -> (Vec<Row>, Option<Done>) {
        let trouble = |error: &dyn Diagnose| Some(bad(error, &Around::default()));
        let config = match config::load(&self.tools.home) {
            Ok(config) => config,
            Err(error) => return (Vec::new(), trouble(&error)),
        };
        let (store, trouble) = match self.tools.store() {
            Ok(store) => (store, None),
            Err(error) => (None, trouble(&error)),
        };
        let now = self.tools.world.now();
        let rows = config
            .profiles()
            .iter()
            .map(|profile| {
                let standing =
                    store.as_ref().and_then(|s| s.standing(&profile.name).ok().flatten());
                let row = row(profile, standing.as_ref(), now);
                match trouble {
                    None => row,
                    Some(_) => Row { end: EN.home_end_unknown.to_owned(), ..row },
                }
            })
            .collect();
        (rows, trouble)
    }
}

fn row(profile: &Profile, standing: Option<&Standing>, now: Timestamp) -> Row {
    let held = standing.and_then(|standing| standing.held.as_ref());
    Row {
        name: profile.name.to_string(),
        instance: profile.instance.url().to_owned(),
        user: held.and_then(|held| held.user.clone()).unwrap_or_default(),
        end: end(profile, held, now),
    }
}

/// When somebody must do something, in words.
pub(super) fn end(profile: &Profile, held: Option<&Held>, now: Timestamp) -> String {
    let Some(held) = held else { return EN.profile_no_tokens.to_owned() };
    match held.state {
        RecordState::Rejected { .. } => return EN.home_end_now.to_owned(),
        RecordState::RevocationPending { .. } => return EN.home_end_revoking.to_owned(),
        RecordState::HandedOver { .. } => return EN.home_end_elsewhere.to_owned(),
        RecordState::Held => {}
    }
    if profile.grant != Grant::AuthorizationCode {
        return EN.home_end_never.to_owned();
    }
    match held.refresh_expires_at {
        Some(end) if end.at <= now => EN.home_end_now.to_owned(),
        Some(end) => words::distance(end.at.duration_since(now)),
        None => EN.home_end_unknown.to_owned(),
    }
}
