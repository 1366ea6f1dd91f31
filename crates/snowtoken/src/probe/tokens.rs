//! The questions that need tokens, in an order in which each finds them alive.

use std::time::Duration;

use snowtoken_core::oauth::token::refresh;
use snowtoken_core::oauth::{Response, client::Client};
use snowtoken_core::probe::ask::{self, BasicForm};
use snowtoken_core::probe::judge::{self, Tokens};
use snowtoken_core::probe::{self as unknown, Seen};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::read_current_user;

use super::{NO_CODE, Run};
use crate::error::Error;

/// To what a lifespan is changed for a moment, in seconds.
const SHORT: i64 = 1;

/// Long enough for a token of that lifespan to end.
const PAUSE: Duration = Duration::from_millis(2_500);

impl Run<'_> {
    pub(super) fn tokens(&mut self) -> Result<(), Error> {
        let all = [
            unknown::REFRESHED_ACCESS,
            unknown::REFRESHED_REFRESH,
            unknown::SECRET_READ_BACK,
            unknown::LIFESPAN_CHANGE,
            unknown::BASIC,
            unknown::REVOCATION,
        ];
        let Some(tokens) = self.new_tokens()? else {
            for unknown in all {
                self.missed(unknown, "no tokens came");
            }
            return Ok(());
        };
        let Some(mut now) = Held::of(tokens.clone()) else {
            for unknown in all {
                self.missed(unknown, "no refresh token came");
            }
            return Ok(());
        };
        self.refreshed(&tokens, &mut now)?;
        let record = self.record(&now)?;
        self.basic(&mut now)?;
        self.revocation(&mut now)?;
        match record {
            Some(record) => self.lifespan(&record),
            None => Ok(()),
        }
    }

    fn refresh(&self, held: &Held) -> Result<Response, Error> {
        let (request, _) = refresh(&self.endpoints, self.probe.client, &held.refresh);
        self.send(request)
    }

    /// Whether an access token opens the API.
    fn opens(&self, access: &Secret) -> Result<bool, Error> {
        let request = read_current_user(&self.probe.profile.instance, access);
        Ok(judge::is_let_in(&self.send(request)?))
    }

    fn refreshed(&mut self, before: &Tokens, now: &mut Held) -> Result<(), Error> {
        let answer = self.refresh(now)?;
        let Some(after) = judge::tokens(&answer) else {
            let why = format!("the refresh {}", judge::told(&answer));
            self.missed(unknown::REFRESHED_ACCESS, why.clone());
            self.missed(unknown::REFRESHED_REFRESH, why);
            return Ok(());
        };
        let is_new = before.access != after.access;
        let old_lives = if is_new { Some(self.opens(&before.access)?) } else { None };
        self.saw(unknown::REFRESHED_ACCESS, judge::refreshed_access(before, &after, old_lives));
        self.saw(
            unknown::REFRESHED_REFRESH,
            judge::refreshed_refresh(&now.refresh, after.refresh.as_ref()),
        );
        now.take(after);
        Ok(())
    }

    /// What the client's own record gives away, and whether a change of it reaches issued tokens.
    fn record(&mut self, now: &Held) -> Result<Option<judge::Record>, Error> {
        let (instance, client) = (&self.probe.profile.instance, self.probe.client);
        let request = ask::read_secret_back(instance, &client.id, &now.access);
        let record = judge::record(&self.send(request)?);
        let (Some(record), Some(secret)) = (record, ask::secret_of(client)) else {
            let why =
                "this user may not read the client's record; sign in as one who administers OAuth";
            self.missed(unknown::SECRET_READ_BACK, why);
            self.missed(unknown::LIFESPAN_CHANGE, why);
            return Ok(None);
        };
        let seen = judge::secret_read_back(record.client_secret.expose(), secret);
        self.saw(unknown::SECRET_READ_BACK, seen);
        if !self.probe.change_client {
            let why = "the client's record was not to be changed (--change-client)";
            self.missed(unknown::LIFESPAN_CHANGE, why);
            return Ok(None);
        }
        Ok(Some(record))
    }

    /// A lifespan of one second, a moment's wait, and a refresh with a token from before.
    fn lifespan(&mut self, record: &judge::Record) -> Result<(), Error> {
        let unknown = unknown::LIFESPAN_CHANGE;
        let verifier = self.verifier()?;
        let Some(code) = self.allow(Some(&verifier), false)? else {
            self.missed(unknown, NO_CODE);
            return Ok(());
        };
        let tokens = judge::tokens(&self.exchange(&code, Some(&verifier))?);
        let (Some(life), Some(held)) = (record.refresh_token_lifespan, tokens.and_then(Held::of))
        else {
            self.missed(unknown, "no refresh token came, or its lifespan could not be read");
            return Ok(());
        };
        let instance = &self.probe.profile.instance;
        let change =
            |seconds| ask::change_lifespan(instance, &record.sys_id, seconds, &held.access);
        let changed = self.send(change(SHORT))?;
        if changed.status() != 200 {
            let why = format!("the change of the record {}", judge::told(&changed));
            self.missed(unknown, why);
            return Ok(());
        }
        self.world.clock.sleep(PAUSE);
        let refreshed = self.refresh(&held);
        // Back to what it was, whatever was seen meanwhile.
        let restored = self.send(change(life));
        let seen = judge::lifespan_change(&refreshed?);
        let note = if restored.is_ok_and(|answer| answer.status() == 200) {
            Seen::default()
        } else {
            Seen::only(format!(
                "the Refresh Token Lifespan on the record could not be set back to {life}: do it by hand"
            ))
        };
        self.saw(unknown, seen.and(note));
        Ok(())
    }

    fn basic(&mut self, now: &mut Held) -> Result<(), Error> {
        let client: &Client = self.probe.client;
        let Some(secret) = ask::secret_of(client) else {
            self.missed(unknown::BASIC, "the client is public: it has no secret");
            return Ok(());
        };
        let mut taken = [false, false];
        for (taken, form) in taken.iter_mut().zip([BasicForm::Encoded, BasicForm::Raw]) {
            let Some(request) = ask::refresh_by_basic(&self.endpoints, client, form, &now.refresh)
            else {
                continue;
            };
            let answer = self.send(request)?;
            *taken = judge::is_success(&answer);
            if let Some(tokens) = judge::tokens(&answer) {
                now.take(tokens);
            }
        }
        let [encoded, raw] = taken;
        self.saw(unknown::BASIC, judge::basic(encoded, raw, secret));
        Ok(())
    }

    /// Ends the tokens, one after the other, and looks what each revocation ended.
    fn revocation(&mut self, now: &mut Held) -> Result<(), Error> {
        let client = self.probe.client;
        let [first, second] = self.endpoints.revocation.as_slice() else {
            self.missed(unknown::REVOCATION, "there are no two revocation endpoints");
            return Ok(());
        };
        let (first, second) = (first.clone(), second.clone());
        let stranger = self.verifier()?;
        let answer = self.send(ask::revoke(&first, client, &now.access))?;
        let other = self.send(ask::revoke(&second, client, stranger.secret()))?;
        let is_there = |answer: &Response| answer.status().as_u16() != 404;
        let mut seen = judge::revocation_paths(&answer, &other);
        let endpoint = if is_there(&answer) { &first } else { &second };
        let answer = if is_there(&answer) {
            answer
        } else {
            self.send(ask::revoke(endpoint, client, &now.access))?
        };
        seen = seen.and(judge::revocation(&answer));
        let unknown_token = self.send(ask::revoke(endpoint, client, stranger.secret()))?;
        seen = seen.and(judge::unknown_revocation(&unknown_token));
        if self.opens(&now.access)? {
            let text = "the access token lived on";
            self.saw(unknown::REVOCATION, seen.and(Seen::knob(text, "revoke.effect", "ignored")));
            return Ok(());
        }
        seen = seen.and(Seen::knob("the access token was dead", "revoke.effect", "revoked"));
        let refreshed = self.refresh(now)?;
        let lives = judge::tokens(&refreshed);
        seen = seen.and(judge::switch(
            lives.is_none(),
            "revoke.access_ends_refresh",
            "with it the refresh token",
            "not the refresh token",
        ));
        if let Some(tokens) = lives {
            now.take(tokens);
            self.send(ask::revoke(endpoint, client, &now.refresh))?;
            seen = seen.and(judge::switch(
                !self.opens(&now.access)?,
                "revoke.refresh_ends_access",
                "a revoked refresh token ends the access token",
                "a revoked refresh token leaves the access token",
            ));
        }
        self.saw(unknown::REVOCATION, seen);
        Ok(())
    }
}

/// The tokens that are current now.
struct Held {
    access: Secret,
    refresh: Secret,
}

impl Held {
    fn of(tokens: Tokens) -> Option<Self> {
        let refresh = tokens.refresh.filter(|token| !token.is_empty())?;
        Some(Self { access: tokens.access, refresh })
    }

    fn take(&mut self, tokens: Tokens) {
        self.access = tokens.access;
        if let Some(refresh) = tokens.refresh.filter(|token| !token.is_empty()) {
            self.refresh = refresh;
        }
    }
}
