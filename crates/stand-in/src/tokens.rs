//! Codes and tokens: issuing, re-issuing, finding and revoking them (§3.3, §8).

use jiff::Timestamp;

use crate::behaviour as knob;
use crate::instance::Instance;
use crate::model::{Client, Code, Owner, Pair, Token, after};

/// How many replaced tokens of a pair are remembered.
const MOST_OLD: usize = 100;

/// What a token answer is made from.
pub(crate) struct Granted {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    pub(crate) scope: String,
    pub(crate) expires_in: i64,
}

/// Which of the tokens a value turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    OldAccess,
    Refresh,
    OldRefresh,
}

impl Instance {
    pub(crate) fn access_lifespan(&self, client: &Client) -> u64 {
        self.lifespan(&knob::ACCESS_LIFESPAN, client.access_token_lifespan)
    }

    pub(crate) fn refresh_lifespan(&self, client: &Client) -> u64 {
        self.lifespan(&knob::REFRESH_LIFESPAN, client.refresh_token_lifespan)
    }

    fn lifespan(&self, knob: &knob::Knob, own: u32) -> u64 {
        match self.behaviour.number(knob) {
            0 => u64::from(own),
            seconds => seconds,
        }
    }

    pub(crate) fn issue_code(&mut self, mut code: Code, client: &Client) -> String {
        let lifespan = self.lifespan(&knob::CODE_LIFESPAN, client.auth_code_lifespan);
        code.expires = after(code.issued, lifespan);
        let length = size(self.behaviour.number(&knob::CODE_LENGTH));
        let value = self.opaque(length);
        let now = code.issued;
        // Codes that ended an hour ago are of no interest to anyone.
        self.codes.retain(|_, old| now.as_second() - old.expires.as_second() < 3_600);
        self.codes.insert(value.clone(), code);
        value
    }

    /// A grant other than refresh: the same living pair again, or a new one (§3.3).
    pub(crate) fn grant(
        &mut self,
        now: Timestamp,
        client: &Client,
        user_name: &str,
        scope: &str,
        wants_refresh: bool,
    ) -> Granted {
        let owner = (client.client_id.clone(), user_name.to_owned());
        let mut pair = self.pairs.remove(&owner).unwrap_or_default();
        let same = self.behaviour.is(&knob::GRANT_REISSUE, "same");
        scope.clone_into(&mut pair.scope);
        let expires_in = self.renew_access(now, client, &owner, &mut pair, same);
        let refresh =
            wants_refresh.then(|| self.keep_or_issue_refresh(now, client, &owner, &mut pair, same));
        let granted = Granted {
            access: pair.access.as_ref().map(|token| token.value.clone()).unwrap_or_default(),
            refresh,
            scope: pair.scope.clone(),
            expires_in,
        };
        self.pairs.insert(owner, pair);
        granted
    }

    /// The refresh grant, for a refresh token that has been found good.
    pub(crate) fn refresh(&mut self, now: Timestamp, client: &Client, owner: &Owner) -> Granted {
        let mut pair = self.pairs.remove(owner).unwrap_or_default();
        let same = self.behaviour.is(&knob::REFRESH_ACCESS, "same-while-valid");
        let expires_in = self.renew_access(now, client, owner, &mut pair, same);
        if self.behaviour.is(&knob::REFRESH_OLD_ACCESS, "dies") {
            pair.old_access.clear();
        }
        let lifespan = self.refresh_lifespan(client);
        if self.behaviour.is(&knob::REFRESH_TOKEN, "rotate") {
            let expires = pair.refresh.as_ref().map(|token| token.expires);
            if let Some(old) = pair.refresh.take() {
                pair.old_refresh.push((old.value, now));
            }
            let overflow = pair.old_refresh.len().saturating_sub(MOST_OLD);
            for (old, _) in pair.old_refresh.drain(..overflow) {
                self.owners.remove(&old);
            }
            let mut fresh = self.new_token(now, lifespan, owner, None);
            fresh.expires = expires.unwrap_or(fresh.expires);
            pair.refresh = Some(fresh);
        }
        if self.behaviour.on(&knob::REFRESH_EXTENDS)
            && let Some(token) = &mut pair.refresh
        {
            token.expires = after(now, lifespan);
        }
        let granted = Granted {
            access: pair.access.as_ref().map(|token| token.value.clone()).unwrap_or_default(),
            refresh: pair.refresh.as_ref().map(|token| token.value.clone()),
            scope: pair.scope.clone(),
            expires_in,
        };
        self.pairs.insert(owner.clone(), pair);
        granted
    }

    /// Puts a living access token into the pair and says what `expires_in` should be.
    fn renew_access(
        &mut self,
        now: Timestamp,
        client: &Client,
        owner: &Owner,
        pair: &mut Pair,
        same: bool,
    ) -> i64 {
        let lifespan = self.access_lifespan(client);
        let lost = i64::from(self.behaviour.is(&knob::EXPIRES_IN_FRESH, "minus-one"));
        let full = i64::try_from(lifespan).unwrap_or(i64::MAX).saturating_sub(lost);
        let alive = pair.access.as_ref().is_some_and(|token| self.lives(now, token, lifespan));
        if let (true, true, Some(token)) = (alive, same, &mut pair.access) {
            return match self.behaviour.text(&knob::EXPIRES_IN_REISSUED) {
                // A JWT says itself when it ends, so its end cannot be moved.
                "full" if token.value.matches('.').count() != 2 => {
                    token.issued = now;
                    token.expires = after(now, lifespan);
                    full
                }
                "default" => 1_799,
                _ => token.expires.as_second() - now.as_second(),
            };
        }
        match pair.access.take() {
            Some(old) if alive => pair.old_access.push(old),
            Some(old) => {
                self.owners.remove(&old.value);
            }
            None => {}
        }
        let overflow = pair.old_access.len().saturating_sub(MOST_OLD);
        for old in pair.old_access.drain(..overflow) {
            self.owners.remove(&old.value);
        }
        let jwt = self.jwt_for(now, lifespan, client, owner);
        pair.access = Some(self.new_token(now, lifespan, owner, jwt));
        full
    }

    fn keep_or_issue_refresh(
        &mut self,
        now: Timestamp,
        client: &Client,
        owner: &Owner,
        pair: &mut Pair,
        same: bool,
    ) -> String {
        let lifespan = self.refresh_lifespan(client);
        let extends = self.behaviour.on(&knob::GRANT_EXTENDS);
        let alive = pair.refresh.as_ref().is_some_and(|token| self.lives(now, token, lifespan));
        if let (true, true, Some(token)) = (alive, same, &mut pair.refresh) {
            if extends {
                token.issued = now;
                token.expires = after(now, lifespan);
            }
            return token.value.clone();
        }
        let token = self.new_token(now, lifespan, owner, None);
        let value = token.value.clone();
        pair.refresh = Some(token);
        value
    }

    fn new_token(
        &mut self,
        now: Timestamp,
        lifespan: u64,
        owner: &Owner,
        value: Option<String>,
    ) -> Token {
        let length = size(self.behaviour.number(&knob::TOKEN_LENGTH));
        let value = value.unwrap_or_else(|| self.opaque(length));
        self.owners.insert(value.clone(), owner.clone());
        let sys_id = self.ids.sys_id();
        Token { sys_id, value, issued: now, expires: after(now, lifespan), revoked: false }
    }

    /// Whether a token works now; `lifespan` counts only when changes are retroactive (§16.15).
    pub(crate) fn lives(&self, now: Timestamp, token: &Token, lifespan: u64) -> bool {
        let retroactive = self.behaviour.is(&knob::LIFESPAN_CHANGE, "retroactive");
        let expires = if retroactive { after(token.issued, lifespan) } else { token.expires };
        !token.revoked && now < expires
    }

    /// Whose token this value is, and which one.
    pub(crate) fn find_token(&self, value: &str) -> Option<(Owner, Kind)> {
        let owner = self.owners.get(value)?;
        let pair = self.pairs.get(owner)?;
        let is = |token: &Option<Token>| token.as_ref().is_some_and(|token| token.value == value);
        let kind = if is(&pair.access) {
            Kind::Access
        } else if is(&pair.refresh) {
            Kind::Refresh
        } else if pair.old_access.iter().any(|token| token.value == value) {
            Kind::OldAccess
        } else if pair.old_refresh.iter().any(|(old, _)| old == value) {
            Kind::OldRefresh
        } else {
            return None;
        };
        Some((owner.clone(), kind))
    }

    /// The owner of a living access token.
    pub(crate) fn owner_of_living_access(&self, now: Timestamp, value: &str) -> Option<Owner> {
        let (owner, _) = self.find_token(value)?;
        let client = self.clients.get(&owner.0)?;
        let pair = self.pairs.get(&owner)?;
        let lifespan = self.access_lifespan(client);
        let lives = pair
            .access
            .iter()
            .chain(&pair.old_access)
            .any(|token| token.value == value && self.lives(now, token, lifespan));
        (lives && client.active).then_some(owner)
    }

    /// Marks one token as revoked, and its partner where the knobs say so.
    /// Answers whether the value was known.
    pub(crate) fn revoke_value(&mut self, value: &str) -> bool {
        let Some((owner, kind)) = self.find_token(value) else {
            return false;
        };
        let takes_access = self.behaviour.on(&knob::REVOKE_REFRESH);
        let takes_refresh = self.behaviour.on(&knob::REVOKE_ACCESS);
        let Some(pair) = self.pairs.get_mut(&owner) else {
            return false;
        };
        match kind {
            Kind::Access | Kind::OldAccess => {
                let all = pair.access.iter_mut().chain(&mut pair.old_access);
                all.filter(|token| token.value == value).for_each(|token| token.revoked = true);
                if takes_refresh {
                    pair.refresh.iter_mut().for_each(|token| token.revoked = true);
                }
            }
            Kind::Refresh | Kind::OldRefresh => {
                pair.refresh.iter_mut().for_each(|token| token.revoked = true);
                pair.old_refresh.clear();
                if takes_access {
                    pair.access.iter_mut().for_each(|token| token.revoked = true);
                    pair.old_access.clear();
                }
            }
        }
        true
    }

    /// Revokes everything of one owner. Answers whether there was anything.
    pub(crate) fn revoke_owner(&mut self, owner: &Owner) -> bool {
        let Some(pair) = self.pairs.get_mut(owner) else {
            return false;
        };
        pair.access.iter_mut().chain(&mut pair.refresh).for_each(|token| token.revoked = true);
        pair.old_access.clear();
        pair.old_refresh.clear();
        true
    }

    pub(crate) fn opaque(&mut self, length: usize) -> String {
        self.random.opaque(length, self.behaviour.text(&knob::TOKEN_MARKER))
    }
}

fn size(length: u64) -> usize {
    usize::try_from(length.clamp(22, 65_536)).unwrap_or(86)
}
