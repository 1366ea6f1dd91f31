//! What the answers of the authorization endpoint mean: whether the instance is awake, its clock, client,
//! redirect URI, PKCE.

use jiff::{SignedDuration, Timestamp};

use super::front::{Complaint, Front};
use super::standing::Standing;
use super::token_endpoint::TokenAnswer;
use super::{Asked, Evidence, Fault, FrontSeen, Subject, Verdict, Why, roughly};
use crate::diagnosis::Code;
use crate::oauth::redirect::RedirectUri;
use crate::printable::Printable;
use crate::servicenow::Page;

/// Clocks this far apart are worth a word.
const NOTICEABLE: SignedDuration = SignedDuration::from_secs(30);

/// Clocks this far apart do harm: signed tokens are refused, and deadlines are wrong.
const HARMFUL: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn awake(seen: &Evidence) -> Verdict {
    let front = match &seen.front {
        None => return Verdict::Unknown(Why::NotAsked, "not asked".to_owned()),
        Some(Err(silence)) => return Verdict::Fail(silence.fault()),
        Some(Ok(seen)) => &seen.front,
    };
    let fail = |code, text: &str| Verdict::Fail(Fault::new(code, text));
    match front {
        Front::Page(Page::Hibernating) => {
            fail(Code::InstanceAsleep, "the instance answers with the page of one that hibernates")
        }
        Front::Page(_) => {
            fail(Code::InstanceOffline, "the instance answers with the page of one that is offline")
        }
        Front::RateLimited => {
            fail(Code::RateLimited, "the instance answered 429, too many requests")
        }
        Front::Unavailable(status) => {
            fail(Code::InstanceBusy, &format!("the instance answered {status}"))
        }
        Front::SignIn | Front::Refused(_) | Front::BackToClient(_) => {
            Verdict::Pass("the instance answers".to_owned())
        }
        // Anybody can answer like this; nobody else answers token requests as they should be.
        _ if matches!(&seen.token, Some(Ok(answer)) if answer.is_oauth()) => {
            Verdict::Pass("the instance answers token requests".to_owned())
        }
        _ => Verdict::Unknown(
            Why::NotTold,
            "somebody answers; whether it is the instance cannot be told".to_owned(),
        ),
    }
}

pub(super) fn clock(front: Option<&Asked<FrontSeen>>) -> Verdict {
    let Some(Ok(FrontSeen { date, at, .. })) = front else {
        return Verdict::Unknown(Why::NotTold, "no answer that could tell the time".to_owned());
    };
    let Some(date) = date else {
        return Verdict::Unknown(Why::NotTold, "the answer has no date".to_owned());
    };
    let ahead = at.duration_since(*date);
    let apart = roughly(ahead);
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    if ahead.abs() >= HARMFUL {
        Verdict::Fail(Fault::new(
            Code::ClockSkewed,
            format!("this machine's clock is {apart} {side} the instance's"),
        ))
    } else if ahead.abs() >= NOTICEABLE {
        Verdict::Warn(format!("this machine's clock is {apart} {side} the instance's: no harm yet"))
    } else {
        Verdict::Pass("within half a minute of the instance's".to_owned())
    }
}

pub(super) fn endpoint(front: Option<&Asked<FrontSeen>>) -> Verdict {
    let Some(Ok(seen)) = front else {
        return Verdict::Unknown(Why::NotAsked, "not asked".to_owned());
    };
    Verdict::Fail(match &seen.front {
        Front::SignIn | Front::BackToClient(_) => return Verdict::Pass("answers".to_owned()),
        Front::Refused(_) => {
            return Verdict::Pass("answers, with a page that says what is wrong".to_owned());
        }
        Front::NotFound => Fault::new(Code::EndpointMissing, "oauth_auth.do is not there (404)"),
        Front::Forbidden => {
            Fault::new(Code::AddressRefused, "oauth_auth.do does not let this machine in (403)")
        }
        Front::Elsewhere(host) => {
            let text = format!(
                "people are sent to {} to sign in; whether the instance looked at the request before cannot be told",
                Printable(host)
            );
            return Verdict::Unknown(Why::NotTold, text);
        }
        Front::Strange(status, title) => {
            let title =
                title.as_deref().map_or_else(String::new, |t| format!(", \"{}\"", Printable(t)));
            return Verdict::Unknown(
                Why::NotTold,
                format!("a page answered that is none we know ({status}{title})"),
            );
        }
        Front::Page(_) | Front::RateLimited | Front::Unavailable(_) => {
            return Verdict::Unknown(Why::NotTold, "the instance is not awake".to_owned());
        }
    })
}

pub(super) fn client(
    subject: &Subject,
    standing: Option<&Standing>,
    seen: &Evidence,
    now: Timestamp,
) -> Verdict {
    if subject.client_id.is_none() {
        return Verdict::Unknown(Why::NotAsked, "no client was named".to_owned());
    }
    if let Some(active) = seen.record.as_ref().and_then(|record| record.active) {
        return if active {
            Verdict::Pass("its record is there and active".to_owned())
        } else {
            refused("the client's record is not active")
        };
    }
    match (&seen.front, &seen.token) {
        (Some(Ok(FrontSeen { front: Front::Refused(Complaint::Client), .. })), _) => {
            Verdict::Fail(Fault::new(
                Code::ClientUnknown,
                "the instance shows a page that says it does not know the client",
            ))
        }
        (_, Some(Ok(TokenAnswer::ClientRefused))) => {
            refused("the token endpoint refuses the client")
        }
        (_, Some(Ok(TokenAnswer::NoIntegrationUser))) => {
            Verdict::Pass("the token endpoint knows it by name".to_owned())
        }
        (_, Some(Ok(TokenAnswer::ClientAccepted | TokenAnswer::Issued))) => {
            Verdict::Pass("the token endpoint accepts it".to_owned())
        }
        (Some(Ok(FrontSeen { front, .. })), _) => by_front(front, standing, seen, now),
        _ => Verdict::Unknown(Why::NotAsked, "not asked".to_owned()),
    }
}

fn refused(text: &str) -> Verdict {
    Verdict::Fail(Fault::new(Code::ClientRefused, text))
}

fn by_front(
    front: &Front,
    standing: Option<&Standing>,
    seen: &Evidence,
    now: Timestamp,
) -> Verdict {
    let not_told = |text: &str| Verdict::Unknown(Why::NotTold, text.to_owned());
    match front {
        _ if standing.is_some_and(|standing| standing.is_fresh(now)) => {
            Verdict::Pass("it brought the access token that lives now".to_owned())
        }
        Front::BackToClient(_) => Verdict::Pass("the instance sends its answer to it".to_owned()),
        Front::SignIn => match &seen.other_client {
            Some(Ok(Front::Refused(_))) => Verdict::Pass(
                "known: the instance refuses a client that does not exist, and not this one"
                    .to_owned(),
            ),
            Some(Ok(_)) => {
                not_told("not refused; but the instance refuses no client before somebody signs in")
            }
            _ => not_told("not refused before somebody signs in"),
        },
        Front::Refused(_) => not_told("the page complains of something else first"),
        _ => not_told("the answer does not tell"),
    }
}

pub(super) fn redirect_uri(subject: &Subject, seen: &Evidence) -> Verdict {
    let Some(uri) = &subject.redirect_uri else {
        return Verdict::Unknown(Why::NotHere, "none is named".to_owned());
    };
    let front = match &seen.front {
        Some(Ok(seen)) => Some(&seen.front),
        _ => None,
    };
    if front == Some(&Front::Refused(Complaint::RedirectUri)) {
        return unregistered("the instance shows a page that says the redirect URI is not valid");
    }
    if let Some(registered) = seen.record.as_ref().and_then(|record| record.redirect_uris.as_ref())
    {
        return compared(uri, registered);
    }
    match front {
        Some(Front::BackToClient(_)) => {
            Verdict::Pass("the instance sends its answer there".to_owned())
        }
        Some(Front::SignIn) => by_comparison(seen),
        Some(Front::Refused(_)) => {
            Verdict::Unknown(Why::NotTold, "the page complains of something else first".to_owned())
        }
        Some(_) => Verdict::Unknown(Why::NotTold, "the answer does not tell".to_owned()),
        None => Verdict::Unknown(Why::NotAsked, "not asked".to_owned()),
    }
}

/// The instance did not refuse it; that means something where it refuses another.
fn by_comparison(seen: &Evidence) -> Verdict {
    match &seen.other_redirect {
        Some(Ok(Front::Refused(_))) => Verdict::Pass(
            "registered: the instance refuses one that is not, and not this one".to_owned(),
        ),
        Some(Ok(_)) => Verdict::Unknown(
            Why::NotTold,
            "not refused; but the instance refuses none before somebody signs in, or goes to the first Redirect URL \
             instead"
                .to_owned(),
        ),
        _ => Verdict::Unknown(Why::NotTold, "not refused before somebody signs in".to_owned()),
    }
}

fn unregistered(text: &str) -> Verdict {
    Verdict::Fail(Fault::new(Code::RedirectUriMismatch, text))
}

fn compared(uri: &RedirectUri, registered: &[String]) -> Verdict {
    let wanted = uri.as_str();
    if registered.iter().any(|known| known == wanted) {
        return Verdict::Pass("registered on the client's record, to the character".to_owned());
    }
    let plain = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    let near = registered.iter().find(|known| plain(known) == plain(wanted));
    unregistered(&match near {
        Some(near) => {
            format!(
                "the client's record has \"{}\", which differs in a slash or a capital letter",
                Printable(near)
            )
        }
        None => "the redirect URI is not on the client's record".to_owned(),
    })
}

pub(super) fn pkce(subject: &Subject, standing: Option<&Standing>, seen: &Evidence) -> Verdict {
    let record = seen.record.as_ref();
    let demanded = record.and_then(|record| Some(record.pkce? || record.public?));
    match demanded {
        Some(true) => {
            return Verdict::Pass("demanded by the client's record; we always send it".to_owned());
        }
        Some(false) => {
            return Verdict::Pass(
                "not demanded by the client's record; we send it all the same".to_owned(),
            );
        }
        None => {}
    }
    let front = |asked: Option<&Asked<Front>>| asked.and_then(|asked| asked.as_ref().ok()).cloned();
    let with =
        seen.front.as_ref().and_then(|asked| asked.as_ref().ok()).map(|seen| seen.front.clone());
    let without = front(seen.bare.as_ref());
    match (with, without) {
        (Some(Front::Refused(Complaint::Challenge)), _) => Verdict::Fail(
            Fault::new(Code::AuthorizationRefused, "the instance refuses our code_challenge (S256)"),
        ),
        (Some(with), Some(without)) if with.is_let_in() && !without.is_let_in() => {
            Verdict::Pass("demanded; we always send it".to_owned())
        }
        _ if subject.client_id.is_none() => {
            Verdict::Unknown(Why::NotAsked, "no client was named".to_owned())
        }
        _ if standing.is_some() => {
            Verdict::Pass("the last login sent it, and got tokens; whether it is demanded cannot be told".to_owned())
        }
        (Some(with), Some(without)) if with.is_let_in() && without.is_let_in() => Verdict::Unknown(
            Why::NotTold,
            "not demanded before signing in; whether it is later shows only at a login. We always send it".to_owned(),
        ),
        _ => Verdict::Unknown(Why::NotTold, "the answers do not tell".to_owned()),
    }
}
