//! What can happen to a keeper.

use proptest::prelude::*;

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Time passes, nobody wakes the keeper.
    Pass(i64),
    /// The clock is set back.
    Back(i64),
    /// The keeper is woken, due or not.
    Wake,
    /// Time passes until the keeper is due, and it is woken.
    Due,
    Refresh,
    AccessTokenRejected,
    Adopt {
        age: i64,
        refresh: bool,
    },
    Forget,
    Answer(Answer),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    New {
        refresh: Refresh,
        life: Option<i64>,
    },
    Same {
        life: Option<i64>,
    },
    Refused,
    Unavailable {
        retry_after: Option<i64>,
    },
    Page,
    ClientRefused,
    Redirect,
    Lost,
    NotSent,
    /// To a request that is no longer the current one.
    Late,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Refresh {
    None,
    Same,
    Other,
}

pub(crate) fn steps() -> impl Strategy<Value = Step> {
    let seconds = prop_oneof![0..5i64, 0..4_000i64, 0..400_000_000i64];
    prop_oneof![
        1 => seconds.clone().prop_map(Step::Pass),
        1 => seconds.prop_map(Step::Back),
        1 => Just(Step::Wake),
        8 => Just(Step::Due),
        1 => Just(Step::Refresh),
        1 => Just(Step::AccessTokenRejected),
        1 => (-100..4_000i64, prop::bool::weighted(0.9)).prop_map(|(age, refresh)| Step::Adopt { age, refresh }),
        1 => prop::bool::weighted(0.2).prop_map(|really| if really { Step::Forget } else { Step::Wake }),
        10 => answers().prop_map(Step::Answer),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let life = || prop_oneof![Just(None), (1..5i64).prop_map(Some), (1..90_000i64).prop_map(Some)];
    let refresh = prop_oneof![Just(Refresh::None), Just(Refresh::Same), Just(Refresh::Other)];
    let retry_after =
        prop_oneof![Just(None), (0..5i64).prop_map(Some), (0..86_401i64).prop_map(Some)];
    prop_oneof![
        4 => (refresh, life()).prop_map(|(refresh, life)| Answer::New { refresh, life }),
        2 => life().prop_map(|life| Answer::Same { life }),
        2 => Just(Answer::Refused),
        1 => retry_after.prop_map(|retry_after| Answer::Unavailable { retry_after }),
        1 => Just(Answer::Page),
        1 => Just(Answer::ClientRefused),
        1 => Just(Answer::Redirect),
        2 => Just(Answer::Lost),
        1 => Just(Answer::NotSent),
        1 => Just(Answer::Late),
    ]
}
