//! The keeper against a small model of it: random histories of commands, answers, losses and time,
//! and after every step both must agree on state, tokens, requests, events and the next timeout.
//!
//! `PROPTEST_CASES=100000 cargo test -p snowtoken-core --test model` looks longer.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "model/bytes.rs"]
mod bytes;
#[path = "model/history.rs"]
mod history;
#[path = "model/reference.rs"]
mod reference;
#[path = "model/steps.rs"]
mod steps;
#[path = "model/storm.rs"]
mod storm;

use history::History;
use proptest::prelude::*;
use steps::{Step, steps};

proptest! {
    #[test]
    fn keeper_and_model_agree_on_every_history(steps in proptest::collection::vec(steps(), 1..80)) {
        let mut history = History::new();
        for step in steps {
            history.take(&step).map_err(TestCaseError::fail)?;
        }
    }
}

/// A history that needs every part of the model once, readable as a story.
#[test]
fn one_history_by_hand() {
    use steps::Answer::{Late, Lost, New, NotSent, Refused, Same, Unavailable};
    use steps::Refresh;
    let mut history = History::new();
    for step in [
        Step::Due,
        Step::Answer(New { refresh: Refresh::Other, life: Some(1_800) }),
        Step::Due,
        Step::Answer(Lost),
        Step::Due,
        Step::Answer(Same { life: None }),
        Step::Back(3_600),
        Step::Due,
        Step::Answer(Unavailable { retry_after: Some(30) }),
        Step::Due,
        Step::Answer(NotSent),
        Step::Due,
        Step::Answer(Refused),
        Step::Adopt { age: 10, refresh: true },
        Step::Answer(Late),
        Step::Refresh,
        Step::Answer(Refused),
        Step::Due,
        Step::Answer(Refused),
        Step::AccessTokenRejected,
        Step::Forget,
        Step::Refresh,
    ] {
        history.take(&step).unwrap();
    }
    assert_eq!(history.model.phase, reference::Phase::Absent);
}
