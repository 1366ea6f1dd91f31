//! Two who refreshed the same tokens at once, each without the other's lock: two machines with one
//! home, or a copy of it. Nobody's tokens are thrown away before it is known whose live.
//!
//! - Where the refresh token stayed the same, both answers are good: the stored one is taken.
//! - Where the instance gave each of them another refresh token, as it may for some seconds after a
//!   rotation, only the last one it gave lives on. Which that is no clock of ours can tell, so the
//!   instance is asked: by a refresh with the one that was sent later and, if that is refused, with
//!   the other one. What this brings is the last one for certain.
//! - Where the tokens were forgotten or are being revoked, what came after that is revoked too.

use snowtoken_core::keeper::{Change, Command, RefreshTokenChange};
use snowtoken_core::oauth::revocation::{TokenKind, revoke};
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::TokenSet;
use snowtoken_store::{Record, RecordState, StoreError};

use super::{Drive, Refreshed, Step, locked};
use crate::error::Error;
use crate::http::ATTEMPT_LIMIT;

/// One command settles no more conflicts than this.
const MOST_CONFLICTS: u32 = 10;

/// Tokens that live if the ones that are being tried do not.
pub(super) struct Rival {
    tokens: TokenSet,
    /// What is new about them.
    change: Change,
}

impl Drive<'_> {
    /// Whether somebody else stored something newer than what we began with, and what then.
    pub(super) fn overtaken(&mut self) -> Result<Option<Step>, Error> {
        let found = locked(self.store).load(&self.profile.name)?;
        let is_newer = found.as_ref().is_none_or(|found| found.generation > self.record.generation);
        if !is_newer {
            return Ok(None);
        }
        match (self.rival.take(), found) {
            // What is in our hands, and perhaps nowhere else by now, is not dropped for it.
            (Some(Rival { tokens, change }), _) => self.settle(tokens, None, change).map(Some),
            (_, Some(newer)) => Ok(Some(taken(newer))),
            (_, None) => Err(self.not_logged_in()),
        }
    }

    /// Our answer came, made from this refresh token, and by then the store holds something newer.
    pub(super) fn settle(
        &mut self,
        ours: TokenSet,
        made_from: Option<&Secret>,
        change: Change,
    ) -> Result<Step, Error> {
        self.conflicts += 1;
        let Some(theirs) = locked(self.store).load(&self.profile.name)? else {
            self.end(&ours.access_token, ours.refresh_token.as_ref());
            return Err(self.not_logged_in());
        };
        if self.conflicts > MOST_CONFLICTS {
            let (expected, found) = (self.record.generation, theirs.generation);
            return Err(StoreError::Conflict { expected, found }.into());
        }
        log::warn!("{}: somebody else refreshed at the same time", self.profile.name);
        if matches!(theirs.state, RecordState::RevocationPending { .. }) {
            self.end(&ours.access_token, ours.refresh_token.as_ref());
        }
        let new = &theirs.tokens.refresh_token;
        match theirs.state {
            // They were refused where we were not.
            RecordState::Rejected { .. } => self.replace(&theirs, ours, change),
            RecordState::RevocationPending { .. } | RecordState::HandedOver { .. } => {
                Ok(taken(theirs))
            }
            RecordState::Held if self.is_another_grant(&theirs) => Ok(taken(theirs)),
            RecordState::Held if change.refresh_token != RefreshTokenChange::Replaced => {
                Ok(taken(theirs))
            }
            RecordState::Held if *new == ours.refresh_token => Ok(taken(theirs)),
            // The refresh token that we had replaced: ours is the one that lives.
            RecordState::Held if new.as_ref() == made_from => self.replace(&theirs, ours, change),
            RecordState::Held => self.ask(theirs, ours, change),
        }
    }

    /// The tokens with which to try what the first ones were refused; `false` if there are none.
    pub(super) fn try_rival(&mut self) -> bool {
        let Some(rival) = self.rival.take() else { return false };
        self.begin_with(rival.tokens);
        true
    }

    /// Whether a person has consented meanwhile, or the profile has been pointed elsewhere.
    fn is_another_grant(&self, theirs: &Record) -> bool {
        theirs.binding != self.record.binding
            || theirs.tokens.granted_at > self.record.tokens.granted_at
    }

    /// Ours in the place of theirs.
    fn replace(&mut self, theirs: &Record, ours: TokenSet, change: Change) -> Result<Step, Error> {
        self.record.generation = theirs.generation;
        self.keep(ours, change)
    }

    /// Lets the instance say which of two refresh tokens lives.
    fn ask(&mut self, theirs: Record, ours: TokenSet, change: Change) -> Result<Step, Error> {
        if ours.issued_at < theirs.tokens.issued_at {
            self.rival = Some(Rival { tokens: ours, change });
            self.record.generation = theirs.generation;
            self.begin_with(theirs.tokens);
            return Ok(Step::Again);
        }
        // Durable first, here too: the process may end at any moment.
        self.record.generation = theirs.generation;
        let Refreshed { record, .. } = match self.save(ours.clone(), None) {
            Err((StoreError::Conflict { .. }, _)) => return self.settle(ours, None, change),
            saved => saved.map_err(|(source, _)| source)?,
        };
        self.rival = Some(Rival { tokens: theirs.tokens, change });
        self.record.generation = record.generation;
        self.begin_with(record.tokens);
        Ok(Step::Again)
    }

    fn begin_with(&mut self, tokens: TokenSet) {
        let now = self.world.now();
        self.record.tokens = tokens.clone();
        self.journalled = false;
        self.keeper.handle_command(now, Command::Adopt(Box::new(tokens)));
        self.keeper.handle_command(now, Command::Refresh);
    }

    /// Revokes what came when nobody wanted it any more. Whether it worked is written down; there
    /// is nothing else that could be done about it.
    pub(super) fn end(&self, access: &Secret, refresh: Option<&Secret>) {
        let refresh = refresh.into_iter().map(|token| (token, TokenKind::Refresh));
        let access = [(access, TokenKind::Access)];
        let answered = refresh.chain(access).filter(|(token, kind)| self.is_ended(token, *kind));
        let detail = match answered.count() {
            0 => "tokens that came after the tokens were forgotten live until they end",
            _ => "tokens that came after the tokens were forgotten",
        };
        let audit = self.audit("revocation", "asked", detail);
        if let Err(error) = locked(self.store).append_audit(&audit) {
            log::warn!("{}: the revocation could not be noted: {error}", self.profile.name);
        }
    }

    /// Asks every endpoint; whether one of them took it.
    fn is_ended(&self, token: &Secret, kind: TokenKind) -> bool {
        let endpoints = self.profile.instance.endpoints().revocation;
        let answers = endpoints.iter().filter(|endpoint| {
            let request = revoke(endpoint, &self.client, token, kind);
            let answer = self.world.transport.send(request, ATTEMPT_LIMIT);
            answer.is_ok_and(|answer| answer.status().is_success())
        });
        answers.count() > 0
    }
}

/// What somebody else stored is the result.
fn taken(record: Record) -> Step {
    Step::Done(Box::new(Refreshed { record, change: None }))
}
