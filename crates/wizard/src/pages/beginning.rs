//! Where to: product, instance, and the look at the road.

use askama::Template;

use super::fix::Fix;
use super::{Choice, Finding, Frame, Page, Rail, Wrong};
use crate::texts::EN;

/// Which product.
#[derive(Debug, Template)]
#[template(path = "target.html")]
pub struct TargetPage {
    /// Around it.
    pub frame: Frame,
    /// Those that most people come for.
    pub first: Vec<Choice>,
    /// All others.
    pub others: Vec<Choice>,
    /// What was chosen before.
    pub chosen: String,
    /// Whether that is one of the others.
    pub is_other: bool,
}

/// Which instance, and where in the product's world.
#[derive(Debug, Template)]
#[template(path = "place.html")]
pub struct PlacePage {
    /// Around it.
    pub frame: Frame,
    /// The product.
    pub target: String,
    /// What was typed.
    pub instance: String,
    /// The regions there are.
    pub regions: Vec<String>,
    /// The chosen one.
    pub region: String,
    /// Whether the redirect URI must be typed.
    pub asks_redirect: bool,
    /// What was typed.
    pub redirect_uri: String,
    /// Where the product shows it.
    pub redirect_hint: String,
    /// The profile's name.
    pub name: String,
    /// What is wrong.
    pub wrong: Wrong,
}

/// The look at the road to the instance.
#[derive(Debug, Template)]
#[template(path = "check.html")]
pub struct CheckPage {
    /// Around it.
    pub frame: Frame,
    /// Still looking.
    pub is_working: bool,
    /// What tells one state from the next.
    pub seen: String,
    /// The instance.
    pub instance: String,
    /// The drawn road.
    pub picture: String,
    /// Its steps.
    pub findings: Vec<Finding>,
    /// What comes first.
    pub fix: Option<Fix>,
    /// Whether nothing is in the way.
    pub is_clear: bool,
}

impl Page for TargetPage {
    const NAME: &'static str = "target";

    fn samples() -> Vec<(&'static str, Self)> {
        let choice = |name: &str, title: &str, about: &str| Choice {
            name: name.into(),
            title: title.into(),
            about: about.into(),
        };
        let first = vec![
            choice("nice-knowledge-hub", "NiCE CXone Knowledge Hub", "takes tokens"),
            choice("appflow", "Amazon AppFlow", "takes tokens"),
        ];
        let others =
            vec![choice("snowflake", "Snowflake Connector for ServiceNow", "takes tokens")];
        let page = |chosen: &str, is_other| Self {
            frame: Frame::on(Rail::Where, EN.target_title),
            first: first.clone(),
            others: others.clone(),
            chosen: chosen.into(),
            is_other,
        };
        vec![("first", page("nice-knowledge-hub", false)), ("other", page("snowflake", true))]
    }
}

impl Page for PlacePage {
    const NAME: &'static str = "place";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |asks_redirect, wrong| Self {
            frame: Frame::on(Rail::Where, EN.place_title),
            target: "NiCE CXone Knowledge Hub (ServiceNow knowledge source)".into(),
            instance: "classics".into(),
            regions: if asks_redirect {
                Vec::new()
            } else {
                vec!["eu-central-1".into(), "us-west-2".into()]
            },
            region: "us-west-2".into(),
            asks_redirect,
            redirect_uri: String::new(),
            redirect_hint: EN.place_redirect_hint.into(),
            name: String::new(),
            wrong,
        };
        vec![
            ("regions", page(false, Wrong::default())),
            ("redirect", page(true, Wrong::default())),
            ("wrong", page(false, Wrong::field("instance", "that is not an instance"))),
        ]
    }
}

impl CheckPage {
    /// Still looking.
    pub fn working(seen: String) -> Self {
        Self {
            frame: Frame::on(Rail::Where, EN.checking_title).looking_again(),
            is_working: true,
            seen,
            instance: String::new(),
            picture: String::new(),
            findings: Vec::new(),
            fix: None,
            is_clear: false,
        }
    }

    /// What was found.
    pub fn found(
        instance: String,
        findings: Vec<Finding>,
        fix: Option<Fix>,
        is_clear: bool,
    ) -> Self {
        let title = if fix.is_none() { EN.checked_title } else { EN.checked_bad_title };
        Self {
            frame: Frame::on(Rail::Where, title),
            is_working: false,
            seen: String::new(),
            instance,
            picture: Finding::picture(&findings),
            findings,
            fix,
            is_clear,
        }
    }
}

impl Page for CheckPage {
    const NAME: &'static str = "check";

    fn samples() -> Vec<(&'static str, Self)> {
        let findings = Finding::samples();
        let good = findings.iter().filter(|f| f.kind != "fail").cloned().collect();
        let url = "https://classics.service-now.com".to_owned();
        let fix = "wake the instance: sign in at developer.servicenow.com and open it there";
        vec![
            ("working", Self::working("1".into())),
            ("clear", Self::found(url.clone(), good, None, true)),
            ("asleep", Self::found(url, findings, Some(Fix::said(fix)), false)),
        ]
    }
}
