//! Walks the road to a living token and hands back a verdict for each step
//! ([`snowtoken_core::servicenow::road`]): at most a handful of requests, none of them twice, each with
//! a limit. Nothing is changed by it, unless a refresh is asked for.

use snowtoken_core::oauth::authorization::Entropy;
use snowtoken_core::oauth::client::Client;
use snowtoken_core::oauth::{Endpoints, Request, Response, date};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::road::{
    self, Asked, Evidence, Finding, FrontSeen, Line, Route, Silence, Standing, State, Subject,
    TokenAnswer, authorization_requests, client_probe, control_subjects, empty_request, read_front,
    read_token_answer, read_whole_record, whole_record,
};
use snowtoken_core::servicenow::{judge, read_current_user, read_table};
use snowtoken_core::target::Target;
use snowtoken_store::{Record, RecordState};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::http::ATTEMPT_LIMIT;
use crate::session::{self, Session};
use crate::variables;
use crate::world::World;

/// A road to walk.
pub struct Walk<'a> {
    world: &'a World,
    subject: Subject,
    session: Option<&'a Session>,
    refreshes: bool,
}

impl<'a> Walk<'a> {
    /// To an instance of which little more is known than its name.
    pub fn to(world: &'a World, subject: Subject) -> Self {
        Self { world, subject, session: None, refreshes: false }
    }

    /// To the tokens of a profile, for the product they are for.
    pub fn of(world: &'a World, session: &'a Session, target: Option<&Target>) -> Self {
        let subject = Subject::profile(session.profile(), target);
        Self { world, subject, session: Some(session), refreshes: false }
    }

    /// Refreshes once on the way: that proves client, secret, grant and refresh token. Under the
    /// profile's lock, as every refresh.
    #[must_use]
    pub fn with_refresh(mut self, refreshes: bool) -> Self {
        self.refreshes = refreshes;
        self
    }

    /// Goes there and judges what was seen.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn go(&self) -> Result<Vec<Finding>, Error> {
        let mut seen = Evidence { line: self.line(), ..Evidence::default() };
        let mut refreshed = None;
        if seen.is_connected() {
            self.ask_front(&mut seen)?;
        }
        if seen.is_awake() {
            refreshed = self.refresh();
            self.ask_token_endpoint(&mut seen);
            self.ask_api(&mut seen);
        }
        let standing = self.standing(refreshed);
        if seen.is_let_in() {
            self.ask_for_comparison(&mut seen, standing.as_ref())?;
        }
        Ok(road::judge(&self.subject, standing.as_ref(), &seen, self.world.now()))
    }

    fn line(&self) -> Option<Line> {
        let mut line = self.world.transport.trace(self.subject.instance.origin())?;
        if let Route::Proxy { variable, .. } = &mut line.route {
            let all = [
                variables::HTTPS_PROXY_LOWER,
                variables::HTTPS_PROXY,
                variables::ALL_PROXY_LOWER,
                variables::ALL_PROXY,
            ];
            let set = all.into_iter().find(|one| self.world.environment.get(one).is_some());
            *variable = set.map_or(*variable, |one| one.name);
        }
        Some(line)
    }

    fn send(&self, request: Request) -> Asked<Response> {
        let answer = self.world.transport.send(request, ATTEMPT_LIMIT);
        answer.map_err(|error| Silence::of(&error))
    }

    fn ask_front(&self, seen: &mut Evidence) -> Result<(), Error> {
        let (whole, bare) = authorization_requests(&self.subject, &self.entropy()?);
        let front = self.send(whole).map(|answer| FrontSeen {
            front: read_front(&answer, &self.subject),
            date: date(&answer),
            at: self.world.now(),
        });
        seen.front = Some(front);
        if seen.is_let_in() && self.subject.client_id.is_some() {
            seen.bare = Some(self.send(bare).map(|answer| read_front(&answer, &self.subject)));
        }
        Ok(())
    }

    /// That nothing was refused proves something where another is refused. Asked only for what is not
    /// known by other means.
    fn ask_for_comparison(
        &self,
        seen: &mut Evidence,
        standing: Option<&Standing>,
    ) -> Result<(), Error> {
        let record = seen.record.as_ref();
        let is_client_known = record.is_some_and(|record| record.active.is_some())
            || standing.is_some_and(|standing| standing.is_fresh(self.world.now()))
            || !matches!(seen.token, Some(Ok(TokenAnswer::Refused)));
        let is_redirect_known = record.is_some_and(|record| record.redirect_uris.is_some());
        let entropy = self.entropy()?;
        let (client, redirect) = control_subjects(&self.subject, &entropy);
        let ask = |other: Subject| {
            let (request, _) = authorization_requests(&other, &entropy);
            self.send(request).map(|answer| read_front(&answer, &other))
        };
        seen.other_client = client.filter(|_| !is_client_known).map(ask);
        seen.other_redirect = redirect.filter(|_| !is_redirect_known).map(ask);
        Ok(())
    }

    fn entropy(&self) -> Result<Entropy, Error> {
        let mut bytes = Zeroizing::new([0; 64]);
        (self.world.dice)(&mut *bytes)?;
        Ok(Entropy::from_bytes(*bytes))
    }

    /// The record of the profile, if it belongs to this instance and client.
    fn record(&self) -> Option<Record> {
        self.session?.record().ok()
    }

    fn refresh(&self) -> Option<Asked<()>> {
        let session = self.session.filter(|_| self.refreshes)?;
        match session.refresh() {
            Ok(_) => Some(Ok(())),
            Err(Error::NotLoggedIn(_) | Error::BoundElsewhere { .. }) => None,
            Err(error) => Some(Err(Silence::of(&error))),
        }
    }

    /// With the stored secret where nothing else can prove it; without any otherwise.
    fn ask_token_endpoint(&self, seen: &mut Evidence) {
        let endpoints: Endpoints = self.subject.instance.endpoints();
        let client = self.unproven_client();
        let request = match &client {
            Some(client) => client_probe(&endpoints, client),
            None => empty_request(&endpoints),
        };
        seen.token = Some(self.send(request).map(read_token_answer));
    }

    /// The client with its stored secret, if there are no tokens that prove them.
    fn unproven_client(&self) -> Option<Client> {
        let session = self.session.filter(|_| self.record().is_none())?;
        session.client().ok()
    }

    fn ask_api(&self, seen: &mut Evidence) {
        let Some(token) = self.living_token() else { return };
        let instance = &self.subject.instance;
        let api = self.send(read_current_user(instance, &token)).map(|answer| judge(&answer));
        let is_open = matches!(api, Ok(Ok(_)));
        seen.api = Some(api);
        if !is_open {
            return;
        }
        if let Some(client_id) = &self.subject.client_id
            && let Ok(answer) = self.send(read_whole_record(instance, client_id, &token))
        {
            seen.record = whole_record(&answer, client_id);
        }
        for table in self.subject.tables.iter().flatten() {
            let answer = self.send(read_table(instance, table, &token));
            let is_there = answer.is_ok();
            seen.tables.push((table.clone(), answer.map(|answer| judge(&answer))));
            if !is_there {
                return;
            }
        }
    }

    /// The stored access token, if it lives. None is asked for.
    fn living_token(&self) -> Option<Secret> {
        let record = self.record()?;
        let is_usable = !matches!(record.state, RecordState::RevocationPending { .. });
        let lives = self.world.now() < record.tokens.access_expires_at.at;
        (is_usable && lives && !record.tokens.access_token.is_empty())
            .then_some(record.tokens.access_token)
    }

    fn standing(&self, refreshed: Option<Asked<()>>) -> Option<Standing> {
        let (session, record) = (self.session?, self.record()?);
        let profile = session.profile();
        let secret = session.store().client_secret(&profile.name, &session::binding(profile));
        let failed = record.progress.failed.as_ref().filter(|_| record.progress.failures > 0);
        Some(Standing {
            state: match record.state {
                RecordState::Held => State::Held,
                RecordState::Rejected { at } => State::Rejected(at),
                RecordState::RevocationPending { .. } => State::BeingRevoked,
                RecordState::HandedOver { .. } => State::HandedOver,
            },
            granted_at: record.tokens.granted_at,
            issued_at: record.tokens.issued_at,
            access_end: record.tokens.access_expires_at,
            has_refresh_token: record.tokens.refresh_token.is_some(),
            refresh_end: record.tokens.refresh_expires_at,
            scope: record.tokens.scope.clone(),
            // A store that cannot tell is no proof that there is none.
            has_secret: !matches!(secret, Ok(None)),
            last_failure: failed.map(|failed| (failed.at, failed.code)),
            refreshed,
        })
    }
}
