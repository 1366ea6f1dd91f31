//! A token set as a row: what is sealed, what stays plain, and what holds them together. The same
//! for every database.
//!
//! - Each secret is sealed by itself, so that the hot path opens one value only.
//! - The access token is bound to its end and to the row's state, which the hot path relies on.
//! - `seal` is an empty sealed value bound to everything plain and to which secrets there are.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use snowtoken_core::keeper::Progress;
use snowtoken_core::ledger::Facts;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, Generation, TokenSet};
use zeroize::Zeroizing;

use crate::error::Result;
use crate::json;
use crate::record::{Binding, Draft, LivingToken, Record};
use crate::seal::{NotOpened, Place, Sealer};

pub(crate) mod words;

use words::{damaged, deadline, secret, state, state_words};

/// State words of rows without tokens: they keep the generation growing.
pub(crate) const CLEARED: &str = "cleared";
pub(crate) const REMOVED: &str = "removed";

/// The plain values that the hot path needs, and the one secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) generation: u64,
    pub(crate) instance: String,
    pub(crate) client_id: String,
    pub(crate) state: String,
    pub(crate) state_at: Option<String>,
    pub(crate) access_expires_at: Option<String>,
    pub(crate) access_expiry_known_by: Option<String>,
    pub(crate) issued_at: Option<String>,
    pub(crate) access_token: Option<Vec<u8>>,
}

/// All the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tail {
    pub(crate) granted_at: Option<String>,
    pub(crate) scope: Option<String>,
    pub(crate) refresh_expires_at: Option<String>,
    pub(crate) refresh_expiry_known_by: Option<String>,
    pub(crate) refresh_token: Option<Vec<u8>>,
    pub(crate) authorization_code: Option<Vec<u8>>,
    pub(crate) user: Option<Vec<u8>>,
    pub(crate) seal: Vec<u8>,
}

/// A row of `token_set`, without the profile's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) head: Head,
    pub(crate) tail: Tail,
}

/// Clocks of machines that share a store may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The clock was set back since: nothing can be said about the token's end.
pub(crate) fn came_from_the_future(issued_at: Timestamp, now: Timestamp) -> bool {
    issued_at.duration_since(now) > SKEW
}

impl Head {
    fn place<'a>(&'a self, profile: &'a str) -> Place<'a> {
        Place {
            table: "token_set",
            profile,
            generation: self.generation,
            instance: &self.instance,
            client_id: &self.client_id,
        }
    }

    fn bound(&self) -> [&str; 5] {
        [
            &self.state,
            self.state_at.as_deref().unwrap_or_default(),
            self.access_expires_at.as_deref().unwrap_or_default(),
            self.access_expiry_known_by.as_deref().unwrap_or_default(),
            self.issued_at.as_deref().unwrap_or_default(),
        ]
    }

    fn access(&self, sealer: &Sealer, profile: &str) -> Result<Zeroizing<Vec<u8>>> {
        let blob = self.access_token.as_deref().unwrap_or_default();
        sealer
            .open(&self.place(profile), "access_token", &self.bound(), blob)
            .map_err(|_| damaged(profile, "access token"))
    }

    fn access_expires_at(&self, profile: &str) -> Result<Deadline> {
        deadline(self.access_expires_at.as_deref(), self.access_expiry_known_by.as_deref())
            .ok()
            .flatten()
            .ok_or_else(|| damaged(profile, "end of the access token"))
    }

    /// Whether the row stands for "no tokens".
    pub(crate) fn is_vacant(&self) -> bool {
        self.access_token.is_none() && (self.state == CLEARED || self.state == REMOVED)
    }

    /// The access token, if it is held and ends at `needed_until` or later.
    pub(crate) fn living(
        self,
        sealer: &Sealer,
        profile: &str,
        now: Timestamp,
        needed_until: Timestamp,
    ) -> Result<Option<LivingToken>> {
        if self.is_vacant() {
            return Ok(None);
        }
        let expires_at = self.access_expires_at(profile)?;
        if self.state != "held" || expires_at.at <= now || expires_at.at < needed_until {
            return Ok(None);
        }
        let issued_at: Option<Timestamp> = self.issued_at.as_deref().and_then(|at| at.parse().ok());
        if came_from_the_future(issued_at.ok_or_else(|| damaged(profile, "date"))?, now) {
            return Ok(None);
        }
        let token = secret(self.access(sealer, profile)?, profile, "access token")?;
        let binding = Binding { instance: self.instance, client_id: self.client_id };
        Ok(Some(LivingToken {
            token,
            expires_at,
            binding,
            generation: Generation(self.generation),
        }))
    }
}

impl Row {
    /// A row without tokens.
    pub(crate) fn vacant(
        sealer: &Sealer,
        profile: &str,
        generation: Generation,
        state: &str,
    ) -> Result<Self> {
        let head = Head {
            generation: generation.0,
            instance: String::new(),
            client_id: String::new(),
            state: state.into(),
            state_at: None,
            access_expires_at: None,
            access_expiry_known_by: None,
            issued_at: None,
            access_token: None,
        };
        let mut row = Self { head, tail: Tail::default() };
        row.close(sealer, profile)?;
        Ok(row)
    }

    /// Seals a token set as this generation.
    pub(crate) fn seal(
        sealer: &Sealer,
        profile: &str,
        generation: Generation,
        draft: &Draft,
    ) -> Result<Self> {
        let tokens = &draft.tokens;
        let (state, state_at) = state_words(draft.state);
        let mut head = Head {
            generation: generation.0,
            instance: draft.binding.instance.clone(),
            client_id: draft.binding.client_id.clone(),
            state: state.into(),
            state_at,
            access_expires_at: Some(tokens.access_expires_at.at.to_string()),
            access_expiry_known_by: Some(tokens.access_expires_at.known_by.as_str().into()),
            issued_at: Some(tokens.issued_at.to_string()),
            access_token: None,
        };
        let put = |column: &str, bound: &[&str], text: &str| {
            sealer.seal(&head.place(profile), column, bound, text.as_bytes())
        };
        let access_token = put("access_token", &head.bound(), tokens.access_token.expose())?;
        let blob = |column: &str, secret: &Option<Secret>| {
            secret.as_ref().map(|secret| put(column, &[], secret.expose())).transpose()
        };
        let tail = Tail {
            granted_at: Some(tokens.granted_at.to_string()),
            scope: tokens.scope.clone(),
            refresh_expires_at: tokens.refresh_expires_at.map(|end| end.at.to_string()),
            refresh_expiry_known_by: tokens
                .refresh_expires_at
                .map(|end| end.known_by.as_str().into()),
            refresh_token: blob("refresh_token", &tokens.refresh_token)?,
            authorization_code: blob("authorization_code", &tokens.authorization_code)?,
            user: match &draft.user {
                Some(user) => Some(put("user", &[], &json::write(user)?)?),
                None => None,
            },
            seal: Vec::new(),
        };
        head.access_token = Some(access_token);
        let mut row = Self { head, tail };
        row.close(sealer, profile)?;
        Ok(row)
    }

    /// Opens everything; `None` for a row without tokens.
    pub(crate) fn open(&self, sealer: &Sealer, profile: &str) -> Result<Option<Record>> {
        let (head, tail) = (&self.head, &self.tail);
        self.check(sealer, profile)?;
        if head.is_vacant() {
            return Ok(None);
        }
        let opened = |column: &str, what: &str, blob: &Option<Vec<u8>>| {
            let Some(blob) = blob else { return Ok(None) };
            sealer
                .open(&head.place(profile), column, &[], blob)
                .map(Some)
                .map_err(|_| damaged(profile, what))
        };
        let text = |column: &str, what: &str, blob: &Option<Vec<u8>>| {
            opened(column, what, blob)?.map(|plain| secret(plain, profile, what)).transpose()
        };
        let moment = |text: &Option<String>| {
            text.as_deref()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| damaged(profile, "date"))
        };
        let refresh_end =
            deadline(tail.refresh_expires_at.as_deref(), tail.refresh_expiry_known_by.as_deref());
        let tokens = TokenSet {
            access_token: secret(head.access(sealer, profile)?, profile, "access token")?,
            refresh_token: text("refresh_token", "refresh token", &tail.refresh_token)?,
            authorization_code: text("authorization_code", "code", &tail.authorization_code)?,
            scope: tail.scope.clone(),
            issued_at: moment(&head.issued_at)?,
            granted_at: moment(&tail.granted_at)?,
            access_expires_at: head.access_expires_at(profile)?,
            refresh_expires_at: refresh_end.map_err(|NotOpened| damaged(profile, "date"))?,
        };
        let user = match opened("user", "user", &tail.user)? {
            Some(plain) => Some(json::read("the user", &plain)?),
            None => None,
        };
        let state = state(&head.state, head.state_at.as_deref())
            .ok_or_else(|| damaged(profile, "state"))?;
        let binding =
            Binding { instance: head.instance.clone(), client_id: head.client_id.clone() };
        Ok(Some(Record {
            generation: Generation(head.generation),
            binding,
            tokens,
            user,
            state,
            // They rest in a table of their own, in the clear.
            progress: Progress::default(),
            facts: Facts::default(),
        }))
    }

    /// Seals the whole: to be done last.
    fn close(&mut self, sealer: &Sealer, profile: &str) -> Result<()> {
        let bound = self.bound();
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        self.tail.seal = sealer.seal(&self.head.place(profile), "seal", &bound, b"")?;
        Ok(())
    }

    fn check(&self, sealer: &Sealer, profile: &str) -> Result<()> {
        let bound = self.bound();
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        sealer
            .open(&self.head.place(profile), "seal", &bound, &self.tail.seal)
            .map(drop)
            .map_err(|_| damaged(profile, "row"))
    }

    /// Everything plain, and which secrets there are; an absent value differs from an empty one.
    fn bound(&self) -> Vec<String> {
        let (head, tail) = (&self.head, &self.tail);
        let plain = [
            &head.state_at,
            &head.access_expires_at,
            &head.access_expiry_known_by,
            &head.issued_at,
            &tail.granted_at,
            &tail.scope,
            &tail.refresh_expires_at,
            &tail.refresh_expiry_known_by,
        ];
        let secrets =
            [&head.access_token, &tail.refresh_token, &tail.authorization_code, &tail.user];
        std::iter::once(head.state.clone())
            .chain(plain.iter().map(|value| value.as_ref().map_or("-".into(), |v| format!("+{v}"))))
            .chain(secrets.iter().map(|value| value.is_some().to_string()))
            .collect()
    }
}
