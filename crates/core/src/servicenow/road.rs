//! The road from this machine to a living token, judged step by step: what was seen goes in, a verdict
//! for each step comes out. Whoever calls it has asked the network, the instance and the store.
//!
//! Most of what one would like to know cannot be asked without a consent or a secret, and ServiceNow
//! gives one answer to nearly every failed token request. So each step is passed, failed or
//! *unknown with the reason*; nothing that was not seen is passed.

mod api;
mod certificate;
mod entrance;
mod front;
mod host;
mod line;
mod record;
mod standing;
mod subject;
mod token_endpoint;

use std::fmt;

use jiff::Timestamp;

use crate::diagnosis::{Blame, Code, Diagnose, Hint, Outcome};
use crate::servicenow::{ApiError, ApiVerdict};

pub use certificate::{Certificate, Name};
pub use front::{Complaint, Front, authorization_requests, control_subjects, read_front};
pub use host::HostKind;
pub use line::{Direct, Distrust, Encryption, Line, Route, Tunnel, Untrusted};
pub use record::{WholeRecord, read_whole_record, whole_record};
pub use standing::{LastRefresh, Standing, State};
pub use subject::Subject;
pub use token_endpoint::{TokenAnswer, client_probe, empty_request, read_token_answer};

/// The steps, in the order in which one builds on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The text that names the instance.
    Instance,
    /// Which proxy is in between, and why.
    Proxy,
    /// The name service.
    Address,
    /// A TCP connection.
    Connection,
    /// The certificate, and who issued it.
    Certificate,
    /// Whether the instance is awake.
    Awake,
    /// This machine's clock beside the instance's.
    Clock,
    /// The authorization endpoint.
    AuthorizationEndpoint,
    /// The token endpoint.
    TokenEndpoint,
    /// Whether the client is known.
    Client,
    /// Whether the client secret is right.
    ClientSecret,
    /// Whether the redirect URI is registered.
    RedirectUri,
    /// Whether PKCE is demanded.
    Pkce,
    /// The scope that was granted.
    Scope,
    /// Whether the client may use this grant.
    Grant,
    /// Whether the refresh token is alive.
    RefreshToken,
    /// Whether the token opens the API.
    Api,
    /// Whether the target's tables can be read.
    Tables,
    /// When everything ends.
    Deadlines,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Instance,
        Self::Proxy,
        Self::Address,
        Self::Connection,
        Self::Certificate,
        Self::Awake,
        Self::Clock,
        Self::AuthorizationEndpoint,
        Self::TokenEndpoint,
        Self::Client,
        Self::ClientSecret,
        Self::RedirectUri,
        Self::Pkce,
        Self::Scope,
        Self::Grant,
        Self::RefreshToken,
        Self::Api,
        Self::Tables,
        Self::Deadlines,
    ];

    /// The word it goes by, on the screen and in JSON. It never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Proxy => "proxy",
            Self::Address => "address",
            Self::Connection => "connection",
            Self::Certificate => "certificate",
            Self::Awake => "awake",
            Self::Clock => "clock",
            Self::AuthorizationEndpoint => "oauth_auth.do",
            Self::TokenEndpoint => "oauth_token.do",
            Self::Client => "client",
            Self::ClientSecret => "client secret",
            Self::RedirectUri => "redirect URI",
            Self::Pkce => "PKCE",
            Self::Scope => "scope",
            Self::Grant => "grant",
            Self::RefreshToken => "refresh token",
            Self::Api => "API",
            Self::Tables => "tables",
            Self::Deadlines => "deadlines",
        }
    }

    /// The steps without which this one means nothing.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Proxy => &[Self::Instance],
            Self::Address => &[Self::Proxy],
            Self::Connection => &[Self::Address],
            Self::Certificate => &[Self::Connection],
            Self::Awake | Self::Clock => &[Self::Certificate],
            Self::AuthorizationEndpoint | Self::TokenEndpoint | Self::Api => &[Self::Awake],
            Self::Client => &[Self::AuthorizationEndpoint],
            Self::RedirectUri | Self::Pkce => &[Self::AuthorizationEndpoint, Self::Client],
            Self::Tables => &[Self::Api],
            Self::Instance
            | Self::ClientSecret
            | Self::Scope
            | Self::Grant
            | Self::RefreshToken
            | Self::Deadlines => &[],
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a step was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be: what was seen.
    Pass(String),
    /// It works, and will not for ever, or not as one may think: what was seen.
    Warn(String),
    /// It is not as it should be: what, and the way out.
    Fail(Fault),
    /// It could not be told.
    Unknown(Why, String),
}

/// Why a step is unknown, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A step before it failed.
    Blocked,
    /// There is nothing to look at: a proxy does it, or it does not apply here.
    NotHere,
    /// It would take a request that nobody agreed to, or a token that is not there.
    NotAsked,
    /// It was asked, and the answer does not tell.
    NotTold,
}

impl Why {
    /// The word for JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::NotHere => "not-here",
            Self::NotAsked => "not-asked",
            Self::NotTold => "not-told",
        }
    }
}

/// What is wrong, with its entry in the catalogue and what to do first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    code: Code,
    text: String,
    first: Vec<Hint>,
}

impl Fault {
    /// With this code, in these words.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), first: Vec::new() }
    }

    /// What another error says of itself.
    pub fn of(error: &dyn Diagnose) -> Self {
        Self { code: error.code(), text: error.to_string(), first: error.hints() }
    }

    /// Adds a hint that comes before those of the catalogue.
    #[must_use]
    pub fn with_hint(mut self, hint: Hint) -> Self {
        self.first.insert(0, hint);
        self
    }
}

impl Diagnose for Fault {
    fn code(&self) -> Code {
        self.code
    }

    fn blame(&self) -> Blame {
        self.code.entry().blame
    }

    fn outcome(&self) -> Outcome {
        self.code.entry().outcome
    }

    fn hints(&self) -> Vec<Hint> {
        let mut hints = self.first.clone();
        hints.extend(
            self.code.entry().hints().into_iter().filter(|hint| !self.first.contains(hint)),
        );
        hints
    }
}

/// One step and what it was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The step.
    pub step: Step,
    /// The verdict.
    pub verdict: Verdict,
}

/// No answer: what the transport says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Its code.
    pub code: Code,
    /// Its words.
    pub text: String,
}

impl Silence {
    /// What an error says of itself.
    pub fn of(error: &dyn Diagnose) -> Self {
        Self { code: error.code(), text: error.to_string() }
    }

    fn fault(&self) -> Fault {
        Fault::new(self.code, self.text.clone())
    }
}

/// Something that was asked: an answer, or none.
pub type Asked<T> = Result<T, Silence>;

/// An answer of the authorization endpoint, and the instance's clock beside ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontSeen {
    /// What it said.
    pub front: Front,
    /// Its `Date`.
    pub date: Option<Timestamp>,
    /// Our time when the answer was there.
    pub at: Timestamp,
}

/// Everything that was seen. What nobody looked at is `None`.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Name, TCP, proxy, TLS.
    pub line: Option<Line>,
    /// The authorization endpoint, asked as a login asks it.
    pub front: Option<Asked<FrontSeen>>,
    /// The same without a `code_challenge`.
    pub bare: Option<Asked<Front>>,
    /// The same for a client that does not exist: whether the instance refuses any so early.
    pub other_client: Option<Asked<Front>>,
    /// The same for a redirect URI that nobody registered.
    pub other_redirect: Option<Asked<Front>>,
    /// The token endpoint.
    pub token: Option<Asked<TokenAnswer>>,
    /// A call of the API with the stored access token.
    pub api: Option<Asked<Result<ApiVerdict, ApiError>>>,
    /// The client's record, where the token may read it.
    pub record: Option<WholeRecord>,
    /// Each table of the target.
    pub tables: Vec<(String, Asked<Result<ApiVerdict, ApiError>>)>,
}

impl Evidence {
    /// Whether a request has a way to the instance.
    pub fn is_connected(&self) -> bool {
        self.line.as_ref().is_none_or(Line::is_open)
    }

    /// Whether the authorization endpoint would let a person sign in now.
    pub fn is_let_in(&self) -> bool {
        matches!(&self.front, Some(Ok(seen)) if seen.front == Front::SignIn)
    }

    /// Whether the instance answers as one that is awake.
    pub fn is_awake(&self) -> bool {
        matches!(&self.front, Some(Ok(seen)) if seen.front.is_awake())
    }
}

/// The verdicts on all steps. `standing` is what is stored about the profile, where there is one.
pub fn judge(
    subject: &Subject,
    standing: Option<&Standing>,
    seen: &Evidence,
    now: Timestamp,
) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::with_capacity(Step::ALL.len());
    for step in Step::ALL {
        let verdict = match blocked_by(step, &found) {
            Some(cause) => {
                Verdict::Unknown(Why::Blocked, format!("not looked at, because of \"{cause}\""))
            }
            None => look(step, subject, standing, seen, now),
        };
        found.push(Finding { step, verdict });
    }
    found
}

/// The first step that failed and that this one builds on, directly or not.
fn blocked_by(step: Step, found: &[Finding]) -> Option<Step> {
    step.needs().iter().find_map(|needed| {
        let failed = found
            .iter()
            .any(|finding| finding.step == *needed && matches!(finding.verdict, Verdict::Fail(_)));
        if failed { Some(*needed) } else { blocked_by(*needed, found) }
    })
}

fn look(
    step: Step,
    subject: &Subject,
    standing: Option<&Standing>,
    seen: &Evidence,
    now: Timestamp,
) -> Verdict {
    match step {
        Step::Instance => instance(subject),
        Step::Proxy => line::proxy(seen.line.as_ref()),
        Step::Address => line::address(seen.line.as_ref()),
        Step::Connection => line::connection(seen.line.as_ref()),
        Step::Certificate => line::certificate(seen.line.as_ref(), &subject.instance, now),
        Step::Awake => entrance::awake(seen),
        Step::Clock => entrance::clock(seen.front.as_ref()),
        Step::AuthorizationEndpoint => entrance::endpoint(seen.front.as_ref()),
        Step::TokenEndpoint => token_endpoint::judge(seen.token.as_ref()),
        Step::Client => entrance::client(subject, standing, seen, now),
        Step::ClientSecret => standing::client_secret(subject, standing, seen, now),
        Step::RedirectUri => entrance::redirect_uri(subject, seen),
        Step::Pkce => entrance::pkce(subject, standing, seen),
        Step::Scope => standing::scope(subject, standing),
        Step::Grant => standing::grant(subject, standing, seen),
        Step::RefreshToken => standing::refresh_token(subject, standing, now),
        Step::Api => api::api(standing, seen, now),
        Step::Tables => api::tables(subject, seen),
        Step::Deadlines => standing::deadlines(standing, now),
    }
}

fn instance(subject: &Subject) -> Verdict {
    let instance = &subject.instance;
    Verdict::Pass(format!("{instance}, {}", HostKind::of(instance).as_str()))
}

/// How long ago or how far away, in one unit: "12 min", "3 days".
fn roughly(duration: jiff::SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..7_200 => format!("{} min", (seconds + 30) / 60),
        7_200..172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests;
