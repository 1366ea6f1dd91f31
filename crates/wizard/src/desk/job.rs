//! What takes time, beside the pages: one thing at a time, and a mark that changes when it does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use snowtoken::Secret;
use snowtoken::core::diagnosis::Hint;
use snowtoken::core::servicenow::Instance;
use tokio::sync::watch;

use super::login::Consent;
use crate::pages::{Done, Finding, Reading};
use crate::site::Reply;

/// What is being done, or was.
#[derive(Clone, Default)]
pub(super) struct Jobs {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Grows with every change.
    mark: u64,
    /// Which job is meant: an older one's end is nobody's business any more.
    number: u64,
    work: Work,
    /// Hears of every change.
    changes: watch::Sender<()>,
}

/// The one thing.
#[derive(Clone, Default)]
pub(super) enum Work {
    /// Nothing.
    #[default]
    None,
    /// The road to an instance is being looked at.
    Checking(Instance),
    /// It was looked at.
    Checked(Instance, Look),
    /// The client is being made.
    Applying,
    /// It was, or was not.
    Applied(Applied),
    /// A person is to consent.
    Consent(Consent),
    /// A profile's road is being looked at.
    Examining(String),
    /// It was.
    Examined(String, Look),
    /// Something is done with a profile.
    Acting(String),
    /// It was.
    Acted(String, Done),
    /// A sealed file is being made for a profile.
    Sealing(String),
    /// It was, or was not.
    Sealed(String, Arc<Sealed>),
    /// What a profile's tokens open is being tried.
    Proving(String),
    /// It was.
    Proved(String, Proof),
}

/// A sealed file.
#[derive(Debug)]
pub(super) enum Sealed {
    /// The passphrase, until it was shown, and the text.
    Made(Mutex<Option<Secret>>, String),
    /// There is none.
    Not(Done),
}

/// What tokens open, and what somebody should know about their user.
#[derive(Debug, Clone, Default)]
pub(super) struct Proof {
    /// Why the tokens do not work now.
    pub(super) trouble: Option<Done>,
    pub(super) readings: Vec<Reading>,
    pub(super) warnings: Vec<String>,
}

/// What a look at a road brought.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    pub(super) findings: Vec<Finding>,
    pub(super) fix: Option<Hint>,
    pub(super) code: Option<&'static str>,
    /// Whether the way is clear as far as it could be seen.
    pub(super) is_clear: bool,
}

/// What became of the client.
#[derive(Debug, Clone)]
pub(super) enum Applied {
    /// It is there: its ID, and what was done.
    Made(String, Vec<Finding>),
    /// It is not.
    Not(crate::pages::Trouble),
}

impl Jobs {
    /// What is being done.
    pub(super) fn work(&self) -> Work {
        self.seen().0
    }

    /// The same with the mark that tells this state from the next. Both are of one moment: a page
    /// that shows the one and carries the other's mark would wait for ever.
    pub(super) fn seen(&self) -> (Work, String) {
        let state = self.lock();
        (state.work.clone(), state.mark.to_string())
    }

    /// The mark for our script.
    pub(super) fn now(&self) -> String {
        json!({ "seen": self.lock().mark.to_string() }).to_string()
    }

    /// Begins with something else. What was being done goes on by itself and is not heard any more;
    /// a consent is not waited for any longer.
    pub(super) fn begin(&self, work: Work, run: impl FnOnce(&Ticket) + Send + 'static) -> Begun {
        let (ticket, begun) = {
            let mut state = self.lock();
            state.replace(work);
            let begun = Begun { mark: state.mark.to_string(), changes: state.changes.subscribe() };
            (Ticket { jobs: self.clone(), number: state.number }, begun)
        };
        let started =
            std::thread::Builder::new().name("work".to_owned()).spawn(move || run(&ticket));
        if let Err(error) = started {
            log::warn!("no thread is to be had: {error}");
        }
        begun
    }

    /// Nothing any more.
    pub(super) fn end(&self) {
        self.lock().replace(Work::None);
    }

    /// Hears of every change from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.lock().changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has just begun.
pub(super) struct Begun {
    /// What tells this state from the next.
    pub(super) mark: String,
    changes: watch::Receiver<()>,
}

impl Begun {
    /// Leads on as soon as it ends.
    pub(super) fn soon(self, to: impl Into<String>) -> Reply {
        Reply::Soon { to: to.into(), changes: self.changes }
    }
}

impl State {
    fn replace(&mut self, work: Work) {
        self.number += 1;
        if let Work::Consent(consent) = std::mem::take(&mut self.work) {
            consent.give_up();
        }
        self.set(work);
    }

    fn set(&mut self, work: Work) {
        self.set_quietly(work);
        self.changes.send_replace(());
    }

    fn set_quietly(&mut self, work: Work) {
        self.mark += 1;
        self.work = work;
    }
}

/// The right to say how something goes on.
pub(super) struct Ticket {
    jobs: Jobs,
    number: u64,
}

impl Ticket {
    /// Says it, unless something else has begun.
    pub(super) fn tell(&self, work: Work) {
        let mut state = self.jobs.lock();
        if state.number == self.number {
            state.set(work);
        }
    }

    /// The same of a state that soon goes on by itself: a page that looks again shows it, and an answer
    /// that waits for what becomes of it waits on.
    pub(super) fn tell_quietly(&self, work: Work) {
        let mut state = self.jobs.lock();
        if state.number == self.number {
            state.set_quietly(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use snowtoken::login::Paste;

    use super::*;

    fn consent() -> (Work, Receiver<Paste>) {
        let (sender, pastes) = channel();
        let pastes_to = Arc::new(Mutex::new(sender));
        (
            Work::Consent(Consent { url: None, exchanging: false, pastes: pastes_to, end: None }),
            pastes,
        )
    }

    #[test]
    fn whoever_leaves_a_consent_gives_it_up() {
        for leave in [Jobs::end as fn(&Jobs), |jobs| drop(jobs.begin(Work::Applying, |_| {}))] {
            let jobs = Jobs::default();
            let (work, pastes) = consent();
            drop(jobs.begin(work, |_| {}));
            assert!(pastes.try_recv().is_err());
            leave(&jobs);
            assert!(matches!(pastes.try_recv(), Ok(Paste::GivenUp)));
        }
    }

    #[test]
    fn what_ends_at_once_is_not_missed_and_what_was_left_is_not_heard() {
        let jobs = Jobs::default();
        let (send, receive) = channel();
        let begun = jobs.begin(Work::Sealing("a".to_owned()), move |ticket| {
            ticket.tell(Work::Proving("a".to_owned()));
            let _ = send.send(());
        });
        receive.recv().unwrap();
        assert!(begun.changes.has_changed().unwrap());
        assert_ne!(begun.mark, jobs.seen().1);

        let (go, wait) = channel();
        let (send, receive) = channel();
        drop(jobs.begin(Work::Sealing("b".to_owned()), move |ticket| {
            let _ = wait.recv();
            ticket.tell(Work::Proving("b".to_owned()));
            let _ = send.send(());
        }));
        jobs.end();
        go.send(()).unwrap();
        receive.recv().unwrap();
        assert!(matches!(jobs.work(), Work::None));
    }
}
