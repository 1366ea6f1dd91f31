//! A profile that is there: what is known of it, what can be done, and a look for trouble.

use askama::Template;

use super::fix::{self, Fix};
use super::{Finding, Frame, Page, ProofPage};
use crate::draw::timeline;
use crate::texts::EN;

/// A profile.
#[derive(Debug, Template)]
#[template(path = "profile.html")]
pub struct ProfilePage {
    /// Around it.
    pub frame: Frame,
    /// Its name.
    pub name: String,
    /// What became of the last action.
    pub done: Option<Done>,
    /// Whether the store could be read.
    pub is_known: bool,
    /// What is known.
    pub facts: Vec<Fact>,
    /// The drawn timeline, if there are tokens.
    pub timeline: Option<String>,
    /// What can be done.
    pub actions: Vec<Action>,
}

/// What became of an action.
#[derive(Debug, Clone)]
pub struct Done {
    /// `good`, `warn` or `bad`.
    pub kind: &'static str,
    /// In words.
    pub text: String,
    /// The first thing to do about it.
    pub fix: Option<Fix>,
    /// The page of its diagnosis.
    pub why: Option<String>,
}

impl Done {
    /// It was done.
    pub fn good(text: impl Into<String>) -> Self {
        Self { kind: "good", text: text.into(), fix: None, why: None }
    }

    /// There is something to know.
    pub fn warn(text: impl Into<String>) -> Self {
        Self { kind: "warn", ..Self::good(text) }
    }

    /// It was not.
    pub fn bad(text: impl Into<String>, fix: Option<Fix>, why: String) -> Self {
        Self { kind: "bad", text: text.into(), fix, why: Some(why) }
    }
}

/// Something that is known.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What.
    pub name: String,
    /// In words.
    pub text: String,
}

/// Something that can be done.
#[derive(Debug, Clone)]
pub struct Action {
    /// Its word in our addresses.
    pub path: &'static str,
    /// On the button.
    pub title: &'static str,
    /// How the button looks.
    pub class: &'static str,
}

/// Are you sure?
#[derive(Debug, Template)]
#[template(path = "sure.html")]
pub struct SurePage {
    /// Around it.
    pub frame: Frame,
    /// What would happen.
    pub text: &'static str,
    /// Where the yes goes.
    pub path: String,
    /// The yes.
    pub yes: &'static str,
    /// Where the no goes.
    pub away: String,
}

/// A look for trouble.
#[derive(Debug, Template)]
#[template(path = "doctor.html")]
pub struct DoctorPage {
    /// Around it.
    pub frame: Frame,
    /// The profile.
    pub name: String,
    /// Still looking.
    pub is_working: bool,
    /// What tells one state from the next.
    pub seen: String,
    /// The drawn road.
    pub picture: String,
    /// Its steps.
    pub findings: Vec<Finding>,
    /// What comes first.
    pub fix: Option<Fix>,
    /// The page of the first failure's diagnosis.
    pub why: Option<String>,
}

impl ProfilePage {
    /// What can be done with a profile; nobody signs in for a client that gets its tokens by itself.
    pub fn actions(has_tokens: bool, needs_a_person: bool) -> Vec<Action> {
        let action = |path, title, class| Action { path, title, class };
        let again = action("again", EN.profile_again, if has_tokens { "quiet" } else { "" });
        let mut actions: Vec<Action> = needs_a_person.then_some(again).into_iter().collect();
        if has_tokens && !needs_a_person {
            actions.push(action("refresh", EN.profile_refresh, "quiet"));
        }
        if has_tokens {
            actions.insert(0, action("hand-over", EN.profile_hand_over, ""));
            actions.push(action("verify", EN.profile_verify, "quiet"));
        }
        actions.push(action("doctor", EN.profile_doctor, "quiet"));
        if has_tokens {
            actions.push(action("revoke", EN.profile_revoke, "danger"));
        }
        actions
    }
}

impl Page for ProfilePage {
    const NAME: &'static str = "profile";

    fn samples() -> Vec<(&'static str, Self)> {
        let fact = |name: &str, text: &str| Fact { name: name.into(), text: text.into() };
        let page = |has_tokens: bool, done| Self {
            frame: Frame::new("classics"),
            name: "classics".into(),
            done,
            is_known: true,
            facts: vec![
                fact(EN.home_instance, "https://classics.service-now.com"),
                fact(EN.profile_target, "NiCE CXone Knowledge Hub (ServiceNow knowledge source)"),
                fact(EN.home_user, "integration.user"),
            ],
            timeline: has_tokens.then(|| timeline(EN.proof_now, &ProofPage::marks())),
            actions: Self::actions(has_tokens, true),
        };
        let done = Done::good("The instance accepts the access token.");
        let refused = Done::bad(
            "the instance refused the client secret",
            fix::samples().get(2).cloned(),
            "/explain/client-refused".to_owned(),
        );
        vec![
            ("living", page(true, Some(done))),
            ("refused", page(true, Some(refused))),
            ("without-tokens", page(false, None)),
        ]
    }
}

impl SurePage {
    /// Ends the tokens of a profile.
    pub fn revoke(name: &str) -> Self {
        Self {
            frame: Frame::new(EN.profile_revoke),
            text: EN.profile_revoke_sure,
            path: format!("/profile/{name}/revoke"),
            yes: EN.profile_revoke,
            away: format!("/profile/{name}"),
        }
    }
}

impl Page for SurePage {
    const NAME: &'static str = "sure";

    fn samples() -> Vec<(&'static str, Self)> {
        vec![("revoke", Self::revoke("classics"))]
    }
}

impl DoctorPage {
    /// Still looking.
    pub fn working(name: String, seen: String) -> Self {
        Self {
            frame: Frame::new(EN.doctor_title).looking_again(),
            name,
            is_working: true,
            seen,
            picture: String::new(),
            findings: Vec::new(),
            fix: None,
            why: None,
        }
    }

    /// What was found.
    pub fn found(
        name: String,
        findings: Vec<Finding>,
        fix: Option<Fix>,
        why: Option<String>,
    ) -> Self {
        Self {
            frame: Frame::new(EN.doctor_title),
            name,
            is_working: false,
            seen: String::new(),
            picture: Finding::picture(&findings),
            findings,
            fix,
            why,
        }
    }
}

impl Page for DoctorPage {
    const NAME: &'static str = "doctor";

    fn samples() -> Vec<(&'static str, Self)> {
        let findings = Finding::samples();
        let fix = "wake the instance: sign in at developer.servicenow.com and open it there";
        let found = Self::found(
            "classics".into(),
            findings,
            Some(Fix::said(fix)),
            Some("/explain/instance-asleep".into()),
        );
        vec![("working", Self::working("classics".into(), "1".into())), ("asleep", found)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_signs_in_for_a_client_that_gets_its_tokens_by_itself() {
        let paths = |has_tokens, needs_a_person| {
            let actions = ProfilePage::actions(has_tokens, needs_a_person);
            actions.into_iter().map(|action| action.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(true, true), ["hand-over", "again", "verify", "doctor", "revoke"]);
        assert_eq!(paths(false, true), ["again", "doctor"]);
        assert_eq!(paths(true, false), ["hand-over", "refresh", "verify", "doctor", "revoke"]);
        assert_eq!(paths(false, false), ["doctor"]);
    }
}
