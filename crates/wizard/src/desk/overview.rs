//! The overview of all profiles.

use jiff::Timestamp;
use snowtoken::config;
use snowtoken::core::profile::{Grant, Profile};
use snowtoken::store::{Held, RecordState, Standing};

use super::{Desk, shown, words};
use crate::pages::{Frame, Home, Row};
use crate::site::Reply;
use crate::steps::Step;
use crate::texts::EN;

impl Desk {
    pub(super) fn home(&mut self) -> Reply {
        let rows = self.rows();
        let name = self.journey.profile.clone().or_else(|| self.journey.target.clone());
        let resume = (self.journey.step != Step::Target).then(|| name.unwrap_or_default());
        if rows.is_empty() && resume.is_none() {
            // Nobody needs an empty overview.
            return Reply::To("/journey".to_owned());
        }
        shown(&Home { frame: Frame::new(EN.home_title), rows, resume })
    }

    fn rows(&self) -> Vec<Row> {
        let Ok(config) = config::load(&self.tools.home) else { return Vec::new() };
        let store = self.tools.store().ok().flatten();
        let now = self.tools.world.now();
        config
            .profiles()
            .iter()
            .map(|profile| {
                let standing =
                    store.as_ref().and_then(|s| s.standing(&profile.name).ok().flatten());
                row(profile, standing.as_ref(), now)
            })
            .collect()
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
