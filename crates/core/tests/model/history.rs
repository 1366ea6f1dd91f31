//! A history, played to the keeper and to the model.

use snowtoken_core::Timestamp;
use snowtoken_core::keeper::{Command, Event, Keeper, NoAnswer, Policy, TokenState};
use snowtoken_core::oauth::Response;
use snowtoken_core::oauth::client::{Client, ClientAuthentication, ClientId};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{Instance, Lifespans};
use snowtoken_core::token_set::{Deadline, Generation, KnownBy, TokenSet};

use crate::bytes::{granted, refresh_token, reply};
use crate::reference::{Held, Model, Outcome, Phase, SECOND};
use crate::steps::{Answer, Refresh, Step};

pub(crate) struct History {
    pub(crate) model: Model,
    pub(crate) keeper: Keeper,
    now: i64,
    tokens_made: u32,
    in_flight: Vec<(Generation, u32)>,
    /// When requests were made that nobody had commanded.
    made_by_itself: Vec<i64>,
    refusals_in_a_row: u32,
    newest: u32,
}

fn time(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).unwrap()
}

fn set(held: Held) -> TokenSet {
    let deadline = |at| Deadline { at: time(at), known_by: KnownBy::Stated };
    TokenSet {
        access_token: Secret::new(format!("a{}", held.access)),
        refresh_token: (held.refresh != 0).then(|| Secret::new(format!("r{}", held.refresh))),
        authorization_code: None,
        scope: None,
        issued_at: time(held.issued),
        granted_at: time(held.issued),
        access_expires_at: deadline(held.end),
        refresh_expires_at: None,
    }
}

impl History {
    pub(crate) fn new() -> Self {
        let now = 1_800_000_000 * SECOND;
        let held = Held { access: 1, refresh: 1, issued: now, end: now + 1_799 * SECOND };
        let client = Client {
            id: ClientId::parse("id").unwrap(),
            authentication: ClientAuthentication::Post(Secret::new("s")),
        };
        let endpoints = Instance::parse("classics").unwrap().endpoints();
        let keeper = Keeper::new(
            endpoints,
            client,
            Lifespans::default(),
            Some(set(held)),
            Policy::default(),
            7,
        );
        Self {
            model: Model::new(held),
            keeper,
            now,
            tokens_made: 1,
            in_flight: vec![],
            made_by_itself: vec![],
            refusals_in_a_row: 0,
            newest: 1,
        }
    }

    pub(crate) fn take(&mut self, step: &Step) -> Result<(), String> {
        let before = self.keeper.state().tokens().cloned();
        match *step {
            Step::Pass(seconds) => self.now += seconds * SECOND,
            Step::Back(seconds) => self.now -= seconds * SECOND,
            Step::Wake => self.wake(),
            Step::Due => {
                if let Some((at, _)) = self.keeper.poll_timeout() {
                    self.now = self.now.max(i64::try_from(at.as_nanosecond()).unwrap());
                    self.wake();
                }
            }
            Step::Refresh => self.command(Command::Refresh, Model::refresh),
            Step::AccessTokenRejected => {
                self.command(Command::AccessTokenRejected, Model::reject_access_token);
            }
            Step::Adopt { age, refresh } => self.adopt(age, refresh),
            Step::Forget => self.command(Command::Forget, Model::forget),
            Step::Answer(answer) => self.answer(answer),
        }
        self.compare(before.as_ref(), matches!(step, Step::Due | Step::Wake))
            .map_err(|what| format!("after {step:?}: {what}\n{:?}\n{:?}", self.model, self.keeper))
    }

    fn wake(&mut self) {
        self.model.tell(self.now);
        self.model.timeout();
        self.keeper.handle_timeout(time(self.now));
    }

    fn command(&mut self, command: Command, same: impl FnOnce(&mut Model)) {
        self.made_by_itself.clear();
        self.model.tell(self.now);
        same(&mut self.model);
        self.keeper.handle_command(time(self.now), command);
    }

    fn adopt(&mut self, age: i64, refresh: bool) {
        self.tokens_made += 1;
        let (issued, access) = (self.now - age * SECOND, self.tokens_made);
        let held = Held {
            access,
            refresh: if refresh { access } else { 0 },
            issued,
            end: issued + 1_799 * SECOND,
        };
        self.newest = self.newest.max(held.refresh);
        self.refusals_in_a_row = 0;
        let now = self.now;
        self.command(Command::Adopt(Box::new(set(held))), |model| {
            model.adopt(held, now);
        });
    }

    fn answer(&mut self, answer: Answer) {
        if matches!(answer, Answer::Late) {
            if let [(generation, refresh), _, ..] = self.in_flight[..] {
                self.model.tell(self.now);
                let another = Answer::New { refresh: Refresh::Other, life: None };
                let (_, late) = self.outcome(another, refresh);
                self.keeper.handle_response(time(self.now), generation, late);
            }
            return;
        }
        let Some((generation, refresh)) = self.in_flight.last().copied() else {
            return;
        };
        let (outcome, answer) = self.outcome(answer, refresh);
        self.model.tell(self.now);
        if self.model.phase == Phase::Refreshing {
            self.refusals_in_a_row = match outcome {
                Outcome::Refusal => self.refusals_in_a_row + 1,
                Outcome::NotSent => self.refusals_in_a_row,
                _ => 0,
            };
            if let Outcome::Tokens { refresh, .. } = outcome {
                self.newest = self.newest.max(refresh);
            }
            self.model.answer(outcome);
        } else {
            self.model.answer_too_late(outcome);
        }
        self.keeper.handle_response(time(self.now), generation, answer);
    }

    /// The answer as bytes, and what the model makes of it.
    fn outcome(&mut self, answer: Answer, sent: u32) -> (Outcome, Result<Response, NoAnswer>) {
        let held = self.model.held.map_or(0, |held| held.access);
        match answer {
            Answer::New { refresh, life } => {
                self.tokens_made += 1;
                let access = self.tokens_made;
                let refresh = match refresh {
                    Refresh::None => 0,
                    Refresh::Same => sent,
                    Refresh::Other => access,
                };
                (Outcome::Tokens { access, refresh, life }, Ok(granted(access, refresh, life)))
            }
            Answer::Same { life } => (
                Outcome::Tokens { access: held, refresh: sent, life },
                Ok(granted(held, sent, life)),
            ),
            Answer::Refused => {
                let body = r#"{"error_description":"access_denied","error":"server_error"}"#;
                (Outcome::Refusal, Ok(reply(401, None, body)))
            }
            Answer::Unavailable { retry_after } => {
                let outcome = match retry_after {
                    Some(seconds @ 0..=86_400) => Outcome::Named { seconds },
                    _ => Outcome::Failure,
                };
                (outcome, Ok(reply(503, retry_after, "")))
            }
            Answer::Page => (Outcome::Failure, Ok(reply(200, None, "<html>"))),
            Answer::ClientRefused => {
                (Outcome::SomebodyMustAct, Ok(reply(401, None, r#"{"error":"invalid_client"}"#)))
            }
            Answer::Redirect => (Outcome::SomebodyMustAct, Ok(reply(302, None, ""))),
            Answer::Lost | Answer::Late => (Outcome::Lost, Err(NoAnswer::Lost)),
            Answer::NotSent => (Outcome::NotSent, Err(NoAnswer::NotSent)),
        }
    }

    fn compare(&mut self, before: Option<&TokenSet>, by_itself: bool) -> Result<(), String> {
        let mut told = vec![];
        while let Some(event) = self.keeper.poll_event() {
            if let Event::Refreshed { tokens, .. } = &event {
                let held = self.keeper.state().tokens();
                same("stored and held", &Some(&**tokens), &held)?;
            }
            told.push(name(&event));
        }
        let mut asked = vec![];
        while let Some((generation, request)) = self.keeper.poll_request() {
            let refresh = refresh_token(&request);
            asked.push(refresh);
            self.in_flight.push((generation, refresh));
        }
        same("events", &told, &std::mem::take(&mut self.model.events))?;
        let expected = std::mem::take(&mut self.model.requests);
        same("requests", &asked, &expected)?;
        same("phase", &phase(self.keeper.state()), &self.model.phase)?;
        let facts = |tokens: &TokenSet| {
            let TokenSet { access_token, refresh_token, issued_at, .. } = tokens.clone();
            (
                access_token.expose().to_owned(),
                refresh_token,
                issued_at,
                tokens.access_expires_at.at,
            )
        };
        let held = self.model.held.map(set);
        same("tokens", &self.keeper.state().tokens().map(facts), &held.as_ref().map(facts))?;
        self.compare_timeouts()?;
        self.check_promises(before, &told, &asked, by_itself)
    }

    fn compare_timeouts(&mut self) -> Result<(), String> {
        let due = self.keeper.poll_timeout();
        let due = due.map(|(at, _)| i64::try_from(at.as_nanosecond()).unwrap());
        match (due, &self.model.due) {
            (None, None) => {}
            (Some(at), Some(expected)) if expected.contains(&at) => {
                self.model.due = Some(at..=at);
            }
            other => return Err(format!("timeouts: {other:?}")),
        }
        Ok(())
    }

    /// What must hold whatever the model says.
    fn check_promises(
        &mut self,
        before: Option<&TokenSet>,
        told: &[&str],
        asked: &[u32],
        by_itself: bool,
    ) -> Result<(), String> {
        let holds = |holds: bool, what: &str| holds.then_some(()).ok_or(what.to_owned());
        holds(asked.len() <= 1, "two requests at once")?;
        holds(
            asked.iter().all(|refresh| *refresh >= self.newest),
            "an older refresh token was sent",
        )?;
        holds(
            !told.contains(&"Rejected") || self.refusals_in_a_row >= 2,
            "given up without two refusals in a row",
        )?;
        let after = self.keeper.state().tokens();
        holds(!by_itself || after == before, "tokens changed although nothing was answered")?;
        if by_itself && !asked.is_empty() {
            let now = self.now;
            self.made_by_itself.retain(|at| (0..SECOND).contains(&(now - at)));
            self.made_by_itself.push(now);
        }
        holds(self.made_by_itself.len() <= 8, "a tight loop: nine requests within a second")
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, keeper: &T, model: &T) -> Result<(), String> {
    (keeper == model).then_some(()).ok_or_else(|| format!("{what}: {keeper:?}, expected {model:?}"))
}

fn phase(state: &TokenState) -> Phase {
    match state {
        TokenState::Absent => Phase::Absent,
        TokenState::Fresh { .. } => Phase::Fresh,
        TokenState::Refreshing { .. } => Phase::Refreshing,
        TokenState::Waiting { .. } => Phase::Waiting,
        TokenState::Rejected { .. } => Phase::Rejected,
    }
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::Refreshed { .. } => "Refreshed",
        Event::Failed(_) => "Failed",
        Event::RefusedOnce(_) => "RefusedOnce",
        Event::Rejected(_) => "Rejected",
        Event::NothingToRefresh => "NothingToRefresh",
        Event::NotSigned(_) => "NotSigned",
        Event::CameTooLate { .. } => "CameTooLate",
    }
}
