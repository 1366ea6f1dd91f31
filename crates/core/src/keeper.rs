//! The long-lived machine: one profile's tokens, from the first consent to the last refusal.
//!
//! It is polled. The shell tells it what happened (`handle_…`, always with the time), then asks
//! what to do (`poll_…`): send a request, store an event's tokens, sleep until a moment. It does
//! the same in one command, in a broker and in a test whose clock is moved by hand.
//!
//! Four promises, each with a test:
//! - a late answer, one whose request is no longer the current one, changes nothing; what it brings
//!   after everything was forgotten is named, so that it can be revoked;
//! - a refresh that brought nothing new is not repeated before the access token has ended;
//! - a refresh token is given up only after two refusals in a row, never for a lost answer, a page,
//!   a 5xx or a 429;
//! - whatever is to be handed out comes in an event first, so that it can be stored before.
//!
//! Where a client gets tokens by [itself](OwnGrant), the same grant again is what a refresh is
//! elsewhere. Nothing can be lost then, and a refusal is never a person's business: it is tried once
//! more, like every refusal, and after that whenever somebody may have mended its cause.

mod event;
mod renewal;
pub mod roster;
mod schedule;
mod state;
pub mod warning;

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

pub use event::{Command, Event, Failure, NoAnswer};
pub use renewal::OwnGrant;
pub use schedule::{Policy, REJECTION_PAUSE, Why};
pub use state::{Attempt, Change, FailedAttempt, Progress, RefreshTokenChange, TokenState};

use crate::diagnosis::Code;
use crate::ledger::{Facts, Observation, observe};
use crate::oauth::client::Client;
use crate::oauth::error::ErrorCode;
use crate::oauth::token::{ExpectTokenResponse, TokenError, TokenResponse, refresh};
use crate::oauth::{Endpoints, Request, Response};
use crate::servicenow::{Lifespans, TokenFailure};
use crate::token_set::{Generation, TokenSet};
use schedule::Jitter;

/// The machine. See the [module](self).
#[derive(Debug)]
pub struct Keeper {
    endpoints: Endpoints,
    client: Client,
    lifespans: Lifespans,
    facts: Facts,
    policy: Policy,
    jitter: Jitter,
    /// How tokens are renewed, if not by a refresh token.
    own_grant: Option<OwnGrant>,
    state: TokenState,
    generation: Generation,
    /// The last time we were told, to notice a clock that was set back.
    seen: Timestamp,
    /// When the last refresh succeeded.
    refreshed_at: Option<Timestamp>,
    expected: Option<ExpectTokenResponse>,
    /// The request that was under way when everything was forgotten.
    forgotten: Option<(Generation, ExpectTokenResponse)>,
    requests: VecDeque<(Generation, Request)>,
    events: VecDeque<Event>,
}

impl Keeper {
    /// A keeper for `tokens`, as they were stored. `seed` spreads retries of many keepers; it need
    /// not be secret.
    pub fn new(
        endpoints: Endpoints,
        client: Client,
        lifespans: Lifespans,
        tokens: Option<TokenSet>,
        policy: Policy,
        seed: u64,
    ) -> Self {
        Self {
            endpoints,
            client,
            lifespans,
            facts: Facts::default(),
            policy,
            jitter: Jitter::new(seed),
            own_grant: None,
            seen: tokens.as_ref().map_or(Timestamp::MIN, |tokens| tokens.issued_at),
            refreshed_at: None,
            state: tokens.map_or(TokenState::Absent, TokenState::fresh),
            generation: Generation::NONE,
            expected: None,
            forgotten: None,
            requests: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// A keeper that goes on where another one stopped.
    pub fn resume(
        endpoints: Endpoints,
        client: Client,
        lifespans: Lifespans,
        tokens: TokenSet,
        policy: Policy,
        seed: u64,
        progress: &Progress,
    ) -> Self {
        let mut keeper = Self::new(endpoints, client, lifespans, None, policy, seed);
        keeper.seen = tokens.issued_at;
        keeper.state = TokenState::resumed(tokens, progress);
        keeper
    }

    /// What is to be stored for [`Keeper::resume`] besides tokens and the text of a failure.
    pub fn progress(&self) -> Progress {
        match &self.state {
            TokenState::Fresh { next, .. } => Progress { next: *next, ..Progress::default() },
            TokenState::Waiting { next, attempt, .. } => {
                Progress { failures: attempt.failures, next: Some(*next), ..Progress::default() }
            }
            TokenState::Refreshing { sent_at, attempt, .. } => Progress {
                sent_at: Some(*sent_at),
                failures: attempt.failures,
                ..Progress::default()
            },
            TokenState::Absent | TokenState::Rejected { .. } => Progress::default(),
        }
    }

    /// The same, with what was learnt about the profile before.
    #[must_use]
    pub fn knowing(self, facts: Facts) -> Self {
        Self { facts, ..self }
    }

    /// The same for a client that gets its tokens by itself.
    #[must_use]
    pub fn renewing_by(self, own_grant: OwnGrant) -> Self {
        Self { own_grant: Some(own_grant), ..self }
    }

    /// What is known about the profile now: to be stored with the tokens.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What the keeper holds and is doing.
    pub fn state(&self) -> &TokenState {
        &self.state
    }

    /// The next request to send, with the generation its answer must bear.
    pub fn poll_request(&mut self) -> Option<(Generation, Request)> {
        self.requests.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When `handle_timeout` should be called, and why.
    pub fn poll_timeout(&self) -> Option<(Timestamp, Why)> {
        match &self.state {
            TokenState::Fresh { tokens, next: None }
                if tokens.refresh_token.is_some() || self.own_grant.is_some() =>
            {
                Some((self.policy.refresh_at(tokens), Why::AccessTokenEnds))
            }
            TokenState::Fresh { next: Some(next), .. } | TokenState::Waiting { next, .. } => {
                Some(*next)
            }
            _ => None,
        }
    }

    /// The time has come, or so the shell thinks: clocks jump, machines sleep.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.notice(now);
        if self.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.send(now);
        }
    }

    /// Does as it is told.
    pub fn handle_command(&mut self, now: Timestamp, command: Command) {
        self.notice(now);
        match command {
            Command::Adopt(tokens) => {
                self.abandon();
                self.seen = tokens.issued_at;
                self.state = TokenState::fresh(*tokens);
                self.notice(now);
            }
            Command::Forget => {
                let under_way = self.expected.take().map(|expected| (self.generation, expected));
                self.abandon();
                self.forgotten = under_way;
                self.state = TokenState::Absent;
            }
            // A refresh that is under way is the refresh that is asked for.
            Command::Refresh if matches!(self.state, TokenState::Refreshing { .. }) => {}
            Command::Refresh => self.send(now),
            Command::AccessTokenRejected => self.mistrust(now),
        }
    }

    /// An answer, or the news that none will come. Of an older generation: dropped, unless nothing
    /// but what it brings is left to be ended.
    pub fn handle_response(
        &mut self,
        now: Timestamp,
        generation: Generation,
        answer: Result<Response, NoAnswer>,
    ) {
        self.notice(now);
        if generation != self.generation {
            self.arrive_too_late(generation, answer);
            return;
        }
        let (Some(expected), TokenState::Refreshing { .. }) = (self.expected.take(), &self.state)
        else {
            return;
        };
        let TokenState::Refreshing { tokens, sent_at, attempt } =
            std::mem::replace(&mut self.state, TokenState::Absent)
        else {
            return;
        };
        let answered_at = answer.as_ref().ok().and_then(crate::oauth::date);
        match answer.map(|answer| expected.receive(answer)) {
            // A clock that was set back meanwhile would move the ends of the tokens far ahead.
            Ok(Ok(response)) => self.succeed(now, sent_at.min(now), *tokens, response),
            Ok(Err(error)) => {
                let phase = self.phase(now, &tokens, answered_at);
                self.fail(now, tokens, attempt, TokenFailure { phase, error });
            }
            Err(no_answer) => self.lose(now, tokens, attempt, no_answer),
        }
    }

    fn arrive_too_late(&mut self, generation: Generation, answer: Result<Response, NoAnswer>) {
        let forgotten = self.forgotten.take_if(|(forgotten, _)| *forgotten == generation);
        if let (Some((_, expected)), Ok(answer)) = (forgotten, answer)
            && let Ok(TokenResponse { access_token, refresh_token, .. }) = expected.receive(answer)
        {
            self.events.push_back(Event::CameTooLate { access_token, refresh_token });
        }
    }

    /// A clock that was set back must not prolong a wait: what is due moves back with it.
    fn notice(&mut self, now: Timestamp) {
        let back = self.seen.duration_since(now);
        self.seen = now;
        if back <= SignedDuration::ZERO {
            return;
        }
        let Some((at, why)) = self.poll_timeout() else {
            return;
        };
        let moved = (at.saturating_sub(back).unwrap_or(Timestamp::MIN), why);
        match &mut self.state {
            TokenState::Fresh { next, .. } => *next = Some(moved),
            TokenState::Waiting { next, .. } => *next = moved,
            _ => {}
        }
    }

    /// One refresh for a rejected access token, never a row of them: waits that were chosen with
    /// care stay, and the 401s that follow a refresh are as likely about the token before it.
    fn mistrust(&mut self, now: Timestamp) {
        let just_refreshed = self
            .refreshed_at
            .is_some_and(|at| now.duration_since(at).abs() < schedule::REJECTION_PAUSE);
        match &self.state {
            TokenState::Fresh { .. } if just_refreshed => {}
            TokenState::Fresh { .. } => self.send(now),
            TokenState::Refreshing { .. } | TokenState::Waiting { .. } => {}
            TokenState::Absent | TokenState::Rejected { .. } => {
                self.events.push_back(Event::NothingToRefresh);
            }
        }
    }

    fn abandon(&mut self) {
        self.generation = self.generation.next();
        self.expected = None;
        // Newer tokens may be the same ones: an instance gives the living pair to each consent.
        self.forgotten = None;
        self.requests.clear();
    }

    fn send(&mut self, now: Timestamp) {
        let attempt = self.state.attempt();
        let Some(tokens) = self.state.take_tokens() else {
            self.events.push_back(Event::NothingToRefresh);
            return;
        };
        let made = match (&mut self.own_grant, &tokens.refresh_token) {
            (Some(grant), _) => {
                grant.request(&self.endpoints, &self.client, now).map_err(Event::NotSigned)
            }
            (None, Some(token)) => Ok(refresh(&self.endpoints, &self.client, token)),
            (None, None) => Err(Event::NothingToRefresh),
        };
        let (request, expected) = match made {
            Ok(made) => made,
            Err(event) => {
                self.state = TokenState::Fresh { tokens, next: None };
                self.events.push_back(event);
                return;
            }
        };
        self.abandon();
        self.expected = Some(expected);
        self.requests.push_back((self.generation, request));
        self.state = TokenState::Refreshing { tokens, sent_at: now, attempt };
    }

    fn succeed(
        &mut self,
        now: Timestamp,
        sent_at: Timestamp,
        old: TokenSet,
        response: TokenResponse,
    ) {
        let facts = std::mem::take(&mut self.facts);
        let apply = if self.own_grant.is_some() { state::apply_own } else { state::apply };
        let (tokens, change, facts) = apply(old, response, sent_at, self.lifespans, facts);
        self.facts = facts;
        self.refreshed_at = Some(now);
        let next = if change.brought_progress() {
            // A token that has ended before it came must not be chased.
            let soonest = now.saturating_add(schedule::LEAST_PAUSE).unwrap_or(Timestamp::MAX);
            (self.policy.refresh_at(&tokens) < soonest).then_some((soonest, Why::AccessTokenEnds))
        } else {
            // The instance hands out the same token while it lives: asking again at once would ask
            // forever. A second after its end there must be another one.
            let end = tokens.access_expires_at.at.max(now);
            Some((crate::oauth::token::add_seconds(end, 1), Why::SameTokenAgain))
        };
        self.state = TokenState::Fresh { tokens: Box::new(tokens.clone()), next };
        self.events.push_back(Event::Refreshed { tokens: Box::new(tokens), change });
    }

    fn fail(
        &mut self,
        now: Timestamp,
        tokens: Box<TokenSet>,
        attempt: Attempt,
        failure: TokenFailure,
    ) {
        // What the client gets by itself is never given up.
        let is_final = attempt.refused && self.own_grant.is_some();
        if is_refusal(&failure) && !is_final {
            self.refuse(now, tokens, attempt, failure);
            return;
        }
        let next = if let Some(seconds) = failure.error.retry_after() {
            // Never sooner than we would by ourselves: some servers name the same second for hours.
            let named = crate::oauth::token::add_seconds(now, seconds);
            let named = self.jitter.after(now, named);
            let own = self.jitter.back_off(now, attempt.failures, &self.policy);
            (named.max(own), Why::RetryAfter)
        } else if !failure.error.is_transient()
            && matches!(failure.error, TokenError::Refused { .. } | TokenError::Redirected { .. })
        {
            // Somebody has to change something first; looking again once in a while is enough.
            let once = self.policy.ceiling - self.policy.ceiling / 5;
            let once = now.saturating_add(once).unwrap_or(Timestamp::MAX);
            (self.jitter.after(now, once), Why::SomebodyMustAct)
        } else {
            (self.jitter.back_off(now, attempt.failures, &self.policy), Why::BackOff)
        };
        // Only an unbroken row of refusals counts: this was none.
        let attempt =
            Attempt { failures: attempt.failures.saturating_add(1), ..Attempt::default() };
        self.state = TokenState::Waiting { tokens, next, attempt };
        self.events.push_back(Event::Failed(Failure::Answer(failure)));
    }

    fn refuse(
        &mut self,
        now: Timestamp,
        tokens: Box<TokenSet>,
        attempt: Attempt,
        failure: TokenFailure,
    ) {
        if attempt.refused {
            let seen = Observation::Refused {
                at: now,
                end: tokens.refresh_expires_at,
                was_refreshed: tokens.issued_at > tokens.granted_at,
            };
            self.facts = observe(std::mem::take(&mut self.facts), &seen);
            self.state = TokenState::Rejected { tokens, at: now };
            self.events.push_back(Event::Rejected(failure));
        } else {
            // ServiceNow answers 401 now and then when two refresh at once: repeat once, alone.
            let at = now.saturating_add(self.policy.refusal_pause).unwrap_or(Timestamp::MAX);
            // The rest goes on counting: a server that alternates must not be asked without end.
            let attempt = Attempt { refused: true, ..attempt };
            self.state = TokenState::Waiting { tokens, next: (at, Why::RefusedOnce), attempt };
            self.events.push_back(Event::RefusedOnce(failure));
        }
    }

    fn lose(
        &mut self,
        now: Timestamp,
        tokens: Box<TokenSet>,
        attempt: Attempt,
        no_answer: NoAnswer,
    ) {
        // An answer lost on the way: where refresh tokens rotate, the same one may be used again
        // for some seconds only. So the first retry is at once, the later ones back off.
        let lost = no_answer == NoAnswer::Lost;
        let next = if lost && !attempt.lost {
            (now, Why::AnswerLost)
        } else {
            (self.jitter.back_off(now, attempt.failures, &self.policy), Why::BackOff)
        };
        let attempt = Attempt {
            failures: attempt.failures.saturating_add(1),
            // What was never sent breaks no row; what was sent may have been acted on.
            refused: attempt.refused && !lost,
            lost: attempt.lost || lost,
        };
        self.state = TokenState::Waiting { tokens, next, attempt };
        self.events.push_back(Event::Failed(Failure::NoAnswer(no_answer)));
    }
}

/// Whether the answer says that what was sent itself is not accepted: the refresh token, or the
/// client's own grant in its place.
fn is_refusal(failure: &TokenFailure) -> bool {
    use crate::diagnosis::Diagnose as _;
    matches!(failure.code(), Code::TokenRefused | Code::ClientRefused | Code::AssertionRefused)
        && matches!(&failure.error, TokenError::Refused { status: 400 | 401, error }
            if matches!(error.code, ErrorCode::InvalidGrant | ErrorCode::ServerError))
}
