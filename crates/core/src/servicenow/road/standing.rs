//! What is stored tells more than what can be asked: tokens that came not long ago prove client, secret,
//! grant and scope at once, without another request.

use jiff::{SignedDuration, Timestamp};

use super::token_endpoint::TokenAnswer;
use super::{Asked, Evidence, Fault, Subject, Verdict, Why, roughly};
use crate::diagnosis::{Code, Hint};
use crate::oauth::client::AuthenticationMethod;
use crate::printable::Printable;
use crate::profile::Grant;
use crate::token_set::Deadline;

/// An end that is nearer than this is worth a word.
const NEAR: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What is stored about a profile. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// How the tokens stand.
    pub state: State,
    /// The last consent.
    pub granted_at: Timestamp,
    /// When the access token came.
    pub issued_at: Timestamp,
    /// When it ends.
    pub access_end: Deadline,
    /// Whether there is a refresh token.
    pub has_refresh_token: bool,
    /// When it ends, where that is known.
    pub refresh_end: Option<Deadline>,
    /// The scope that was granted.
    pub scope: Option<String>,
    /// Whether a client secret is stored.
    pub has_secret: bool,
    /// How the last refresh failed, if it did.
    pub last_failure: Option<(Timestamp, Code)>,
    /// A refresh that was asked for just now.
    pub refreshed: Option<LastRefresh>,
}

/// How stored tokens stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In use.
    Held,
    /// The instance refused the refresh token.
    Rejected(Timestamp),
    /// A revocation is under way.
    BeingRevoked,
    /// Another machine keeps them.
    HandedOver,
}

/// What became of a refresh that was asked for just now.
pub type LastRefresh = Asked<()>;

impl Standing {
    /// Whether an access token came not long ago and lives: whatever is needed for that was right then.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        matches!(self.refreshed, Some(Ok(())))
            || self.state == State::Held
                && self.last_failure.is_none()
                && self.refreshed.is_none()
                && self.issued_at <= now
                && now < self.access_end.at
    }
}

fn unknown(why: Why, text: impl Into<String>) -> Verdict {
    Verdict::Unknown(why, text.into())
}

pub(super) fn client_secret(
    subject: &Subject,
    standing: Option<&Standing>,
    seen: &Evidence,
    now: Timestamp,
) -> Verdict {
    if subject.authentication == AuthenticationMethod::None {
        return match seen.record.as_ref().and_then(|record| record.public) {
            Some(false) => Verdict::Fail(Fault::new(
                Code::ClientRefused,
                "the profile has a public client, and the client's record demands a secret",
            )),
            _ => unknown(Why::NotHere, "a public client has none"),
        };
    }
    if let Some(standing) = standing.filter(|standing| standing.is_fresh(now)) {
        let ago = roughly(now.duration_since(standing.issued_at));
        return Verdict::Pass(format!("accepted {ago} ago, when the access token came"));
    }
    match &seen.token {
        Some(Ok(TokenAnswer::ClientRefused)) => Verdict::Fail(Fault::new(
            Code::ClientRefused,
            "the token endpoint refuses the client with the stored secret",
        )),
        Some(Ok(TokenAnswer::ClientAccepted | TokenAnswer::Issued)) => {
            Verdict::Pass("the token endpoint accepts it".to_owned())
        }
        Some(Ok(TokenAnswer::NoIntegrationUser)) => unknown(
            Why::NotTold,
            "the token endpoint did not refuse it; whether it looked at it before it refused the rest is not known",
        ),
        _ => unproven(standing, now),
    }
}

fn unproven(standing: Option<&Standing>, now: Timestamp) -> Verdict {
    match standing {
        None => unknown(
            Why::NotAsked,
            "it shows at a login: ServiceNow gives the same answer to a wrong secret as to nearly everything",
        ),
        Some(standing) if !standing.has_secret => Verdict::Fail(
            Fault::new(
                Code::InputNeeded,
                "the client secret is not stored, so that nothing can be refreshed",
            )
            .with_hint(Hint::run("snowtoken login", "asks for it")),
        ),
        Some(standing) => {
            let ago = roughly(now.duration_since(standing.issued_at));
            let whether = if standing.refreshed.is_some() || standing.last_failure.is_some() {
                "the refusal since then does not say whether it is the secret"
            } else {
                "--refresh proves it"
            };
            unknown(Why::NotAsked, format!("last accepted {ago} ago; {whether}"))
        }
    }
}

pub(super) fn scope(subject: &Subject, standing: Option<&Standing>) -> Verdict {
    let Some(standing) = standing else {
        return unknown(
            Why::NotAsked,
            "an unknown scope is refused only when the code is exchanged, at a login",
        );
    };
    let asked = subject.scope.as_ref();
    let granted = match (&standing.scope, asked) {
        (Some(granted), _) => granted,
        // RFC 6749 §5.1: without a word it is the one that was asked for.
        (None, Some(_)) => {
            return Verdict::Pass("granted as asked for: the instance named no other".to_owned());
        }
        (None, None) => {
            return unknown(Why::NotTold, "the instance did not say which scope it granted");
        }
    };
    let missing: Vec<&str> =
        asked.map(|asked| asked.missing_in(granted).collect()).unwrap_or_default();
    let has_all = granted.split(' ').any(|scope| scope == "useraccount");
    let shown = Printable(granted);
    if missing.is_empty() {
        Verdict::Pass(format!("granted: {shown}"))
    } else if has_all {
        Verdict::Pass(format!("granted: {shown}, which is all that the user may do"))
    } else {
        let missing = missing.join(" ");
        Verdict::Fail(Fault::new(
            Code::ScopeRefused,
            format!("granted: {shown}; asked for as well: {}", Printable(&missing)),
        ))
    }
}

pub(super) fn grant(subject: &Subject, standing: Option<&Standing>, seen: &Evidence) -> Verdict {
    let name = subject.grant.as_str();
    let recorded = seen.record.as_ref().and_then(|record| record.grant.as_deref());
    let wanted = match subject.grant {
        Grant::AuthorizationCode => "authz_code",
        Grant::ClientCredentials => "client_credential",
        Grant::JwtBearer => "jwt",
    };
    match recorded {
        Some(word) if word == wanted || word == "multiple" => {
            return Verdict::Pass(format!("the client's record is made for {name}"));
        }
        Some(word) => {
            let text =
                format!("the client's record is made for \"{}\", not for {name}", Printable(word));
            return Verdict::Fail(Fault::new(Code::ClientRefused, text));
        }
        None => {}
    }
    match (&seen.token, subject.grant, standing) {
        (Some(Ok(TokenAnswer::NoIntegrationUser)), Grant::ClientCredentials, _) => {
            let text = "the client may act for itself, and its OAuth Application User is not set";
            Verdict::Fail(Fault::new(Code::ApplicationUserMissing, text))
        }
        (_, _, Some(_)) => Verdict::Pass(format!("{name} has brought tokens")),
        (_, Grant::AuthorizationCode, None) => unknown(Why::NotAsked, "it shows at a login"),
        (_, Grant::ClientCredentials, None) => unknown(
            Why::NotTold,
            "the answer is the same whether the grant is off, the client unknown or the secret wrong",
        ),
        (_, Grant::JwtBearer, None) => {
            unknown(Why::NotAsked, "nothing is signed here: it shows at a login")
        }
    }
}

pub(super) fn refresh_token(
    subject: &Subject,
    standing: Option<&Standing>,
    now: Timestamp,
) -> Verdict {
    let fail = |code, text: String| Verdict::Fail(Fault::new(code, text));
    let Some(standing) = standing else {
        return unknown(Why::NotAsked, "there are no tokens yet");
    };
    match (&standing.refreshed, standing.state) {
        (Some(Ok(())), _) => {
            return Verdict::Pass("it has just brought an access token".to_owned());
        }
        (Some(Err(silence)), _) => return Verdict::Fail(silence.fault()),
        (_, State::Rejected(at)) => {
            return fail(Code::TokenRefused, format!("refused since {at}"));
        }
        (_, State::BeingRevoked) => {
            return fail(Code::BeingRevoked, "a revocation is under way".to_owned());
        }
        (_, State::HandedOver) => {
            return fail(Code::HandedOver, "another machine keeps it now".to_owned());
        }
        (None, State::Held) => {}
    }
    if !standing.has_refresh_token {
        return match subject.grant {
            Grant::ClientCredentials | Grant::JwtBearer => {
                unknown(Why::NotHere, "this grant has none: it renews itself")
            }
            Grant::AuthorizationCode => fail(Code::NoRefreshToken, "there is none".to_owned()),
        };
    }
    if let Some((at, code)) = standing.last_failure {
        let ago = roughly(now.duration_since(at));
        return fail(code, format!("the last refresh failed {ago} ago"));
    }
    if standing.refresh_end.is_some_and(|end| end.at <= now) {
        return fail(Code::TokenRefused, "it has ended by its lifespan".to_owned());
    }
    let ago = roughly(now.duration_since(standing.issued_at));
    unknown(
        Why::NotAsked,
        format!(
            "it should live; the last answer with tokens is {ago} old, and --refresh asks for another"
        ),
    )
}

fn is_refused(standing: &Standing) -> bool {
    let just_now = standing.refreshed.as_ref().and_then(|refreshed| refreshed.as_ref().err());
    matches!(standing.state, State::Rejected(_))
        || just_now.is_some_and(|silence| silence.fault().code == Code::TokenRefused)
}

pub(super) fn deadlines(standing: Option<&Standing>, now: Timestamp) -> Verdict {
    let Some(standing) = standing else {
        return unknown(Why::NotAsked, "there are no tokens yet");
    };
    if !standing.has_refresh_token {
        return unknown(Why::NotHere, "there is no refresh token");
    }
    if is_refused(standing) {
        return unknown(Why::NotHere, "the refresh token was refused: its lifespan counts no more");
    }
    let Some(end) = standing.refresh_end else {
        return unknown(Why::NotTold, "when the refresh token ends is not known");
    };
    let distance = roughly(end.at.duration_since(now));
    let known = end.known_by.as_str();
    if end.at <= now {
        let text = format!("the refresh token ended {distance} ago ({known})");
        Verdict::Fail(Fault::new(Code::DeadlineNear, text))
    } else if end.at.duration_since(now) < NEAR {
        Verdict::Warn(format!(
            "the refresh token ends in {distance} ({known}): a person has to sign in before"
        ))
    } else {
        Verdict::Pass(format!("the refresh token ends in {distance} ({known})"))
    }
}
