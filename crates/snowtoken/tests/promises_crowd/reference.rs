//! What must be true of one profile, in the plainest words: a reference that knows no schedule, no
//! store and no lock. It is told what was asked and which answers arrived, and says what may come
//! of it.

use std::fmt::Debug;

use snowtoken::core::Timestamp;
use snowtoken::core::diagnosis::{Code, Diagnose};
use snowtoken::core::oauth::Response;
use snowtoken::store::{Record, RecordState};
use snowtoken::{Error, Secret};

/// How the profile stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Out,
    In,
    Rejected,
    Revoking,
    HandedOver,
}

/// What arrived in answer to a token request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arrived {
    Tokens { access: String, refresh: Option<String> },
    Refusal,
    Trouble,
}

impl Arrived {
    pub(crate) fn of(answer: Option<&Response>) -> Self {
        let Some(answer) = answer else { return Self::Trouble };
        let body: serde_json::Value =
            serde_json::from_slice(answer.body().expose()).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        match (answer.status().as_u16(), text("access_token")) {
            (200, Some(access)) => Self::Tokens { access, refresh: text("refresh_token") },
            (401, None) => Self::Refusal,
            _ => Self::Trouble,
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Token,
    Refresh,
    Revoke,
}

/// What came of it.
pub(crate) type Got = Result<Option<String>, Error>;

#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) phase: Phase,
    pub(crate) refresh: String,
    pub(crate) access: String,
    /// The earliest and the latest second in which the access token can have come.
    came: (i64, i64),
    /// An attempt failed since the last success: waits may be kept.
    failed: bool,
}

/// Seconds that every access token of these tests lives.
pub(crate) const LIFE: i64 = 1_800;

impl Reference {
    pub(crate) fn logged_in(access: &str, refresh: &str, now: Timestamp, ends_in: i64) -> Self {
        let came = now.as_second() + ends_in - LIFE;
        let (access, refresh) = (access.to_owned(), refresh.to_owned());
        Self { phase: Phase::In, refresh, access, came: (came, now.as_second()), failed: false }
    }

    /// Judges what came of a wish, and moves on.
    pub(crate) fn judge(
        &mut self,
        wish: Wish,
        asked_at: Timestamp,
        now: Timestamp,
        arrived: &[Arrived],
        got: &Got,
    ) {
        match wish {
            Wish::Revoke => self.judge_revocation(arrived, got),
            Wish::Token | Wish::Refresh if self.may_ask(wish) => {
                self.judge_refresh(wish, (asked_at, now), arrived, got);
            }
            Wish::Token | Wish::Refresh => {
                nothing_arrived(arrived);
                self.judge_refused_here(wish, got);
            }
        }
    }

    fn may_ask(&self, wish: Wish) -> bool {
        match self.phase {
            Phase::In => true,
            Phase::Rejected => wish == Wish::Refresh,
            Phase::Out | Phase::Revoking | Phase::HandedOver => false,
        }
    }

    /// Nothing may be asked of the instance: what is told instead.
    fn judge_refused_here(&self, wish: Wish, got: &Got) {
        let expected = match self.phase {
            Phase::Out => Code::NotLoggedIn,
            Phase::Revoking => Code::BeingRevoked,
            Phase::HandedOver => Code::HandedOver,
            Phase::Rejected | Phase::In => Code::TokenRefused,
        };
        match got {
            Err(error) => assert_eq!(error.code(), expected, "{error:?}"),
            // What lives is handed out until it ends, but not where it is being revoked.
            Ok(token) => {
                assert!(matches!(self.phase, Phase::HandedOver | Phase::Rejected));
                assert_eq!((wish, token.as_ref()), (Wish::Token, Some(&self.access)));
            }
        }
    }

    fn judge_refresh(
        &mut self,
        wish: Wish,
        (asked_at, now): (Timestamp, Timestamp),
        arrived: &[Arrived],
        got: &Got,
    ) {
        let fresh = self.is_fresh(asked_at);
        if wish == Wish::Token && fresh {
            nothing_arrived(arrived);
        }
        let Some((last, before)) = arrived.split_last() else {
            return match got {
                Ok(token) => {
                    assert_eq!((wish, token.as_ref()), (Wish::Token, Some(&self.access)));
                }
                Err(error) => assert!(self.failed && !fresh, "nothing was tried: {error:?}"),
            };
        };
        assert!(before.len() < 12, "a storm: {arrived:?}");
        let goes_on = |rest: &[Arrived]| !ends(rest);
        assert!((0..arrived.len()).all(|n| goes_on(&arrived[..n])), "went on after: {arrived:?}");
        match last {
            Arrived::Tokens { access, refresh } => {
                assert_eq!(got.as_ref().ok().and_then(Option::as_ref), Some(access), "{got:?}");
                self.take(access, refresh.as_ref(), (asked_at, now));
            }
            _ if ends(arrived) => {
                assert_eq!(code(got), Some(Code::TokenRefused), "{got:?}");
                self.phase = Phase::Rejected;
            }
            _ => {
                assert!(code(got).is_some(), "{got:?} out of nothing");
                self.failed = true;
            }
        }
    }

    /// Nobody knows how far the last attempt came.
    pub(crate) fn may_have_failed(&mut self) {
        self.failed = true;
    }

    pub(crate) fn take(
        &mut self,
        access: &str,
        refresh: Option<&String>,
        (asked_at, now): (Timestamp, Timestamp),
    ) {
        access.clone_into(&mut self.access);
        if let Some(refresh) = refresh {
            self.refresh.clone_from(refresh);
        }
        (self.phase, self.failed) = (Phase::In, false);
        self.came = (asked_at.as_second(), now.as_second());
    }

    /// Whether it lives for another minute, by a clock that was not set back behind its coming.
    fn is_fresh(&self, now: Timestamp) -> bool {
        let (earliest, latest) = self.came;
        let now = now.as_second();
        earliest + LIFE - now > 60 && latest <= now
    }

    fn judge_revocation(&mut self, arrived: &[Arrived], got: &Got) {
        if self.phase == Phase::Out {
            nothing_arrived(arrived);
            assert!(matches!(got, Ok(None)), "{got:?}");
            return;
        }
        if self.phase == Phase::HandedOver {
            nothing_arrived(arrived);
            // They are another machine's now.
            assert_eq!(code(got), Some(Code::HandedOver), "{got:?}");
            return;
        }
        // A proof may have brought another refresh token: that is the one to end next time.
        for one in arrived {
            if let Arrived::Tokens { refresh: Some(refresh), .. } = one {
                self.refresh.clone_from(refresh);
            }
        }
        match got {
            Ok(_) => self.phase = Phase::Out,
            Err(error) => {
                let fits = [Code::RevocationPending, Code::RevocationUnproven];
                assert!(fits.contains(&error.code()), "{error:?}");
                self.phase = Phase::Revoking;
            }
        }
    }

    /// Whether this is what is stored.
    pub(crate) fn is(&self, stored: Option<&Record>) -> bool {
        let Some(record) = stored else { return self.phase == Phase::Out };
        let phase = match record.state {
            RecordState::Held => Phase::In,
            RecordState::Rejected { .. } => Phase::Rejected,
            RecordState::RevocationPending { .. } => Phase::Revoking,
            RecordState::HandedOver { .. } => Phase::HandedOver,
        };
        let refresh = record.tokens.refresh_token.as_ref().map(Secret::expose);
        phase == self.phase
            && refresh == Some(&self.refresh)
            && record.tokens.access_token.expose() == self.access
    }
}

/// Whether nothing may be sent after these.
fn ends(arrived: &[Arrived]) -> bool {
    matches!(arrived, [.., Arrived::Tokens { .. }] | [.., Arrived::Refusal, Arrived::Refusal])
}

fn nothing_arrived(arrived: &[Arrived]) {
    assert!(arrived.is_empty(), "the instance was asked: {arrived:?}");
}

fn code<T: Debug>(got: &Result<T, Error>) -> Option<Code> {
    got.as_ref().err().map(Diagnose::code)
}
