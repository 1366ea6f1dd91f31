//! What takes time, beside the pages: one thing at a time, and a mark that changes when it does.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use snowtoken::core::servicenow::Instance;

use super::login::Consent;
use crate::pages::Finding;

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
}

/// What a look at a road brought.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    pub(super) findings: Vec<Finding>,
    pub(super) fix: Option<String>,
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

    /// Begins with something else, and says its mark. What was being done goes on by itself and is
    /// not heard any more.
    pub(super) fn begin(&self, work: Work, run: impl FnOnce(&Ticket) + Send + 'static) -> String {
        let (ticket, mark) = {
            let mut state = self.lock();
            state.mark += 1;
            state.number += 1;
            state.work = work;
            (Ticket { jobs: self.clone(), number: state.number }, state.mark.to_string())
        };
        let started =
            std::thread::Builder::new().name("work".to_owned()).spawn(move || run(&ticket));
        if let Err(error) = started {
            log::warn!("no thread is to be had: {error}");
        }
        mark
    }

    /// Nothing any more.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.mark += 1;
        state.number += 1;
        state.work = Work::None;
    }

    /// Waits a moment until this mark is an old one, so that a person sees the end at once.
    pub(super) fn settle(&self, mark: &str, patience: std::time::Duration) {
        let end = std::time::Instant::now() + patience;
        while self.lock().mark.to_string() == mark && std::time::Instant::now() < end {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
            state.mark += 1;
            state.work = work;
        }
    }
}
