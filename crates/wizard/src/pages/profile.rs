//! A profile that is there: what is known of it, what can be done, and a look for trouble.

use askama::Template;
use snowtoken::core::diagnosis::Diagnose;

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
}

impl Done {
    /// What went wrong, and the first thing to do about it.
    pub fn bad(error: &dyn Diagnose) -> Self {
        let first = error.hints().first().map(|hint| format!(" {hint}."));
        Self { kind: "bad", text: format!("{error}.{}", first.unwrap_or_default()) }
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
    pub fix: Option<String>,
    /// The code of the first failure.
    pub code: Option<&'static str>,
}

impl ProfilePage {
    /// What can be done with a profile.
    pub fn actions(has_tokens: bool) -> Vec<Action> {
        let action = |path, title, class| Action { path, title, class };
        let mut actions =
            vec![action("again", EN.profile_again, if has_tokens { "quiet" } else { "" })];
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
            facts: vec![
                fact(EN.home_instance, "https://classics.service-now.com"),
                fact(EN.profile_target, "NiCE CXone Knowledge Hub (ServiceNow knowledge source)"),
                fact(EN.home_user, "integration.user"),
            ],
            timeline: has_tokens.then(|| timeline(EN.proof_now, &ProofPage::marks())),
            actions: Self::actions(has_tokens),
        };
        let done = Done { kind: "good", text: "The instance accepts the access token.".into() };
        vec![("living", page(true, Some(done))), ("without-tokens", page(false, None))]
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
            code: None,
        }
    }

    /// What was found.
    pub fn found(
        name: String,
        findings: Vec<Finding>,
        fix: Option<String>,
        code: Option<&'static str>,
    ) -> Self {
        Self {
            frame: Frame::new(EN.doctor_title),
            name,
            is_working: false,
            seen: String::new(),
            picture: Finding::picture(&findings),
            findings,
            fix,
            code,
        }
    }
}

impl Page for DoctorPage {
    const NAME: &'static str = "doctor";

    fn samples() -> Vec<(&'static str, Self)> {
        let findings = Finding::samples();
        let fix = "wake the instance: sign in at developer.servicenow.com and open it there";
        let found =
            Self::found("classics".into(), findings, Some(fix.into()), Some("instance-asleep"));
        vec![("working", Self::working("classics".into(), "1".into())), ("asleep", found)]
    }
}
