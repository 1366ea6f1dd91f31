//! One profile as every form of `status` sees it.

use snowtoken::config::Entry;
use snowtoken::core::token_set::{Deadline, KnownBy};
use snowtoken::store::sqlite::{Glance, Holding};
use snowtoken::store::{Binding, RecordState};

/// A profile, and the tokens that are stored for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) entry: Entry<'a>,
    pub(super) held: Option<Glance<'a>>,
    /// There are no tokens and there need be none: the product gets them itself.
    pub(super) is_prepared: bool,
}

impl Line<'_> {
    /// Tokens of another instance or client are not used; they wait for their own profile to come
    /// back.
    pub(super) fn is_bound_elsewhere(&self) -> bool {
        let Entry { instance, client_id, .. } = self.entry;
        self.held.is_some_and(|held| (held.instance, held.client_id) != (instance, client_id))
    }

    /// Whether the client secret is there, for this instance and client.
    pub(super) fn has_secret(&self, found: &Holding) -> bool {
        found.client_secret.as_ref().is_some_and(|bound| self.is_bound_to(bound))
    }

    /// Whether its tokens need no person: the client asks for each by itself.
    pub(super) fn renews_itself(&self) -> bool {
        self.entry.grant.renews_itself()
    }

    /// Whether the client's secret is being changed, and that is not done.
    pub(super) fn changes_secret(&self, found: &Holding) -> bool {
        found.spare_secret.as_ref().is_some_and(|bound| self.is_bound_to(bound))
    }

    /// Whether the private key is there, for this instance and client.
    pub(super) fn has_key(&self, found: &Holding) -> bool {
        found.signing_key.as_ref().is_some_and(|bound| self.is_bound_to(bound))
    }

    fn is_bound_to(&self, bound: &Binding) -> bool {
        let Entry { instance, client_id, .. } = self.entry;
        (bound.instance.as_str(), bound.client_id.as_str()) == (instance, client_id)
    }

    /// How it stands, in the words of tables and of JSON.
    pub(super) fn state(&self) -> &'static str {
        match self.held.map(|held| held.state) {
            None if self.is_prepared => "prepared",
            None => "not logged in",
            Some(_) if self.is_bound_elsewhere() => "bound elsewhere",
            Some(RecordState::Held) => "logged in",
            Some(RecordState::Rejected { .. }) if self.renews_itself() => "logged in",
            Some(RecordState::Rejected { .. }) => "a person must log in",
            Some(RecordState::RevocationPending { .. }) => "being revoked",
            Some(RecordState::HandedOver { .. }) => "handed over",
        }
    }

    /// The refresh token's end, if there is a refresh token. A refused one has ended, whatever was
    /// derived.
    pub(super) fn refresh_end(&self) -> Option<Deadline> {
        let held = self.held.filter(|held| held.has_refresh_token && !self.renews_itself())?;
        match held.state {
            RecordState::Rejected { at } => Some(Deadline { at, known_by: KnownBy::Observed }),
            _ => held.refresh_expires_at,
        }
    }

    /// When somebody has to do something: the refresh token's end, or the access token's where
    /// there is no refresh token. What renews itself has no such end, and is not to be asked for it.
    pub(super) fn last_end(&self) -> Option<Deadline> {
        let held = self.held?;
        match held.state {
            RecordState::Rejected { at } => Some(Deadline { at, known_by: KnownBy::Observed }),
            _ if held.has_refresh_token => held.refresh_expires_at,
            _ => Some(held.access_expires_at),
        }
    }

    /// Whether this machine no longer looks after the tokens: its ends are another one's business.
    pub(super) fn is_handed_over(&self) -> bool {
        self.held.is_some_and(|held| matches!(held.state, RecordState::HandedOver { .. }))
    }
}
