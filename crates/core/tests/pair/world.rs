//! An instance, a keeper, the road between them and two clocks.

use http::{Request, Response};
use snowtoken_core::keeper::{
    Command, Event, Failure, Keeper, NoAnswer, OwnGrant, Policy, RefreshTokenChange, TokenState,
};
use snowtoken_core::oauth::authorization::{AuthorizationRequest, Entropy};
use snowtoken_core::oauth::client::{Client, ClientAuthentication, ClientId};
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::oauth::token::{TokenError, TokenResponse};
use snowtoken_core::secret::{Body, Secret};
use snowtoken_core::servicenow::{self, ApiError, ApiVerdict, Lifespans};
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};
use snowtoken_core::{SignedDuration, Timestamp};
use snowtoken_stand_in::{Behaviour, Instance, TokenView};

use crate::browser;

/// Carries a request, or not.
pub(crate) type Road = Box<dyn FnMut(usize, &mut Instance, Timestamp, Request<Vec<u8>>) -> Carried>;
pub(crate) type Carried = Result<Response<Vec<u8>>, NoAnswer>;

pub(crate) struct World {
    pub(crate) instance: Instance,
    pub(crate) keeper: Keeper,
    /// The instance's time.
    pub(crate) truth: Timestamp,
    /// How far the clock of our machine is ahead of it.
    pub(crate) ahead: SignedDuration,
    pub(crate) road: Road,
    /// How long an answer takes.
    pub(crate) round_trip: SignedDuration,
    /// The longest sleep before the clock is looked at again.
    pub(crate) longest_sleep: SignedDuration,
    /// Every token request: when, by the instance's clock, and with which refresh token or assertion.
    pub(crate) sent: Vec<(Timestamp, String)>,
    /// Every event by name.
    pub(crate) events: Vec<(Timestamp, String)>,
    address: servicenow::Instance,
}

pub(crate) fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub(crate) const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn start() -> Timestamp {
    "2026-11-23T15:00:00Z".parse().unwrap()
}

/// The road as it should be; what a fault does to the connection loses the answer.
pub(crate) fn carry(instance: &mut Instance, now: Timestamp, request: Request<Vec<u8>>) -> Carried {
    let answer = instance.answer(now, request);
    match answer.network.limit {
        None => Ok(answer.response),
        Some(_) => Err(NoAnswer::Lost),
    }
}

pub(crate) fn plain(request: snowtoken_core::oauth::Request) -> Request<Vec<u8>> {
    let (parts, body) = request.into_parts();
    Request::from_parts(parts, body.expose().to_vec())
}

pub(crate) fn sealed(answer: Response<Vec<u8>>) -> snowtoken_core::oauth::Response {
    let (parts, body) = answer.into_parts();
    http::Response::from_parts(parts, Body::from(body))
}

/// What the shell makes of the first answer.
fn granted(response: TokenResponse, now: Timestamp) -> TokenSet {
    let deadline = |at, known_by| Deadline { at, known_by };
    TokenSet {
        access_expires_at: deadline(response.access_expires_at(now, 1_800), KnownBy::Stated),
        access_token: response.access_token,
        refresh_token: response.refresh_token,
        authorization_code: None,
        scope: response.scope,
        issued_at: now,
        granted_at: now,
        refresh_expires_at: Some(deadline(now + 100 * DAY, KnownBy::Derived)),
    }
}

/// A keeper of nothing.
fn idle(address: &servicenow::Instance) -> Keeper {
    let id = ClientId::parse("idle").unwrap();
    let client = Client { id, authentication: ClientAuthentication::None };
    let (policy, lifespans) = (Policy::default(), Lifespans::default());
    Keeper::new(address.endpoints(), client, lifespans, None, policy, 0)
}

pub(crate) fn behaviour(knobs: &[&str]) -> Behaviour {
    let mut behaviour = Behaviour::default();
    for knob in knobs {
        behaviour.assign(knob).unwrap();
    }
    behaviour
}

impl World {
    /// A person has logged in at an instance with these knobs.
    pub(crate) fn new(knobs: &[&str]) -> Self {
        Self::log_in(knobs).unwrap()
    }

    pub(crate) fn log_in(knobs: &[&str]) -> Result<Self, String> {
        let mut instance = Instance::new(behaviour(knobs), 7);
        let known = instance.clients().remove(0);
        let address = servicenow::Instance::parse("classics").unwrap();
        let client = Client {
            id: ClientId::parse(&known.client_id).unwrap(),
            authentication: ClientAuthentication::Post(Secret::new(known.client_secret)),
        };
        let request = AuthorizationRequest {
            endpoints: address.endpoints(),
            client_id: client.id.clone(),
            redirect_uri: RedirectUri::parse(&known.redirect_urls[0]).unwrap(),
            scope: None,
        };
        let now = start();
        let (url, expect) = request.begin(&Entropy::from_bytes([5; 64]));
        let redirect = browser::consent(&mut instance, now, &url, "authorize")?;
        let code = expect.examine(&redirect).map_err(|error| error.to_string())?;
        let (request, expect) = expect.redeem(code, &client);
        let answer =
            carry(&mut instance, now, plain(request)).map_err(|_| "no answer".to_owned())?;
        let response = expect.receive(sealed(answer)).map_err(|error| error.to_string())?;
        Ok(Self::of(instance, address, client, granted(response, now)))
    }

    fn of(
        instance: Instance,
        address: servicenow::Instance,
        client: Client,
        tokens: TokenSet,
    ) -> Self {
        let truth = tokens.issued_at;
        let keeper = Keeper::new(
            address.endpoints(),
            client,
            Lifespans::default(),
            Some(tokens),
            Policy::default(),
            11,
        );
        Self {
            instance,
            keeper,
            truth,
            ahead: SignedDuration::ZERO,
            road: Box::new(|_, instance, now, request| carry(instance, now, request)),
            round_trip: SignedDuration::ZERO,
            longest_sleep: SignedDuration::from_hours(24 * 10_000),
            sent: vec![],
            events: vec![],
            address,
        }
    }

    /// A client that gets its tokens by itself, and has its first one.
    pub(crate) fn by_itself(mut instance: Instance, mut own_grant: OwnGrant) -> Self {
        let known = instance.clients().remove(0);
        let address = servicenow::Instance::parse("classics").unwrap();
        let client = Client {
            id: ClientId::parse(&known.client_id).unwrap(),
            authentication: ClientAuthentication::Post(Secret::new(known.client_secret)),
        };
        let now = start();
        let (request, expect) = own_grant.request(&address.endpoints(), &client, now).unwrap();
        let answer = instance.handle(now, plain(request));
        let response = expect.receive(sealed(answer)).unwrap();
        assert_eq!(response.refresh_token, None);
        let tokens = TokenSet { refresh_expires_at: None, ..granted(response, now) };
        let mut world = Self::of(instance, address, client, tokens);
        let keeper = std::mem::replace(&mut world.keeper, idle(&world.address));
        world.keeper = keeper.renewing_by(own_grant);
        world
    }

    /// What the clock of our machine shows.
    pub(crate) fn clock(&self) -> Timestamp {
        self.truth + self.ahead
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.keeper.handle_command(self.clock(), command);
        self.settle();
    }

    /// Lets the keeper and the instance talk until both are idle.
    pub(crate) fn settle(&mut self) {
        self.note_events();
        while let Some((generation, request)) = self.keeper.poll_request() {
            assert!(self.keeper.poll_request().is_none(), "two requests at once");
            let form: Vec<(String, String)> =
                url::form_urlencoded::parse(request.body().expose()).into_owned().collect();
            let value = |name| form.iter().find(|(own, _)| own == name).map(|(_, v)| v.clone());
            let means = ["refresh_token", "assertion", "grant_type"].into_iter().find_map(value);
            self.sent.push((self.truth, means.unwrap()));
            let n = self.sent.len();
            let answer = (self.road)(n, &mut self.instance, self.truth, plain(request));
            self.truth += self.round_trip;
            self.keeper.handle_response(self.clock(), generation, answer.map(sealed));
            self.note_events();
        }
    }

    /// Lives on for a while; sleeps end when the keeper is due, or with the longest sleep.
    pub(crate) fn run(&mut self, duration: SignedDuration) {
        let end = self.truth + duration;
        self.settle();
        while let Some((due, _)) = self.keeper.poll_timeout() {
            let sleep =
                due.duration_since(self.clock()).clamp(SignedDuration::ZERO, self.longest_sleep);
            if sleep > end.duration_since(self.truth) {
                break;
            }
            self.truth += sleep;
            self.keeper.handle_timeout(self.clock());
            self.settle();
            assert!(self.sent.len() < 50_000, "a loop: see `same_token_again`");
        }
        self.truth = self.truth.max(end);
        self.keeper.handle_timeout(self.clock());
        self.settle();
    }

    fn note_events(&mut self) {
        while let Some(event) = self.keeper.poll_event() {
            if let Event::Refreshed { tokens, .. } = &event {
                assert_eq!(self.keeper.state().tokens(), Some(&**tokens), "stored is what is held");
            }
            self.events.push((self.truth, name(&event)));
        }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.events.iter().map(|(_, name)| name.as_str()).collect()
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.events.iter().filter(|(_, own)| own.starts_with(name)).count()
    }

    pub(crate) fn is_rejected(&self) -> bool {
        matches!(self.keeper.state(), TokenState::Rejected { .. })
    }

    pub(crate) fn tokens(&self) -> TokenSet {
        self.keeper.state().tokens().unwrap().clone()
    }

    pub(crate) fn refresh_token(&self) -> String {
        self.tokens().refresh_token.unwrap().expose().to_owned()
    }

    /// What the instance knows of the pair.
    pub(crate) fn view(&self) -> TokenView {
        self.instance.tokens(self.truth).remove(0)
    }

    /// A program uses the token it was handed, if there is one that has not ended; a 401 is
    /// reported to the keeper. Answers whether the call went well.
    pub(crate) fn use_token(&mut self) -> Option<bool> {
        let tokens = self.keeper.state().tokens()?.clone();
        if tokens.access_expires_at.at <= self.clock() {
            return None;
        }
        let request = servicenow::read_current_user(&self.address, &tokens.access_token);
        let answer = sealed(self.instance.handle(self.truth, plain(request)));
        match servicenow::judge(&answer) {
            Ok(ApiVerdict::User(_)) => Some(true),
            Err(ApiError::NotAccepted(_)) => {
                self.command(Command::AccessTokenRejected);
                Some(false)
            }
            other => panic!("{other:?}"),
        }
    }
}

/// An event in a few words.
fn name(event: &Event) -> String {
    match event {
        Event::Refreshed { change, .. } => format!(
            "refreshed: {}, {}",
            if change.access_token_is_new { "new token" } else { "same token" },
            match change.refresh_token {
                RefreshTokenChange::Kept => "kept",
                RefreshTokenChange::SameAgain => "same again",
                RefreshTokenChange::Replaced => "replaced",
                RefreshTokenChange::Unused => "unused",
            }
        ),
        Event::Failed(Failure::NoAnswer(NoAnswer::Lost)) => "failed: lost".to_owned(),
        Event::Failed(Failure::NoAnswer(NoAnswer::NotSent)) => "failed: not sent".to_owned(),
        Event::Failed(Failure::Answer(failure)) => match &failure.error {
            TokenError::Page { title, .. } => {
                format!("failed: page {}", title.as_deref().unwrap_or(""))
            }
            error => format!("failed: {error}"),
        },
        Event::RefusedOnce(_) => "refused once".to_owned(),
        Event::Rejected(_) => "rejected".to_owned(),
        Event::NotSigned(_) => "not signed".to_owned(),
        Event::NothingToRefresh => "nothing to refresh".to_owned(),
        Event::CameTooLate { .. } => "came too late".to_owned(),
    }
}
