//! The journey, pure: a step and an answer make the next step. It knows no HTTP, sends nothing and
//! holds no secret, so it can be written down and taken up again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use snowtoken::ProfileName;
use snowtoken::core::oauth::client::ClientId;
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::Grant;
use snowtoken::core::servicenow::Instance;
use snowtoken::core::target::{Target, TargetError};

use crate::texts::EN;

/// Where a journey is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Which product.
    Target,
    /// Which instance, and where in the product's world.
    Place,
    /// The road to the instance is being looked at, or was.
    Check,
    /// How the client is to be made.
    Way,
    /// An administrator signs in, and the client is made.
    Apply,
    /// A script to paste.
    Script,
    /// Every click.
    Checklist,
    /// Client ID and secret.
    Client,
    /// Consent.
    Allow,
    /// What the tokens are worth.
    Proof,
    /// To whom they go.
    HandOver,
}

/// How the client comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// By Table API.
    Apply,
    /// By a background script.
    Script,
    /// By hand.
    Checklist,
    /// It is there.
    There,
}

impl Way {
    /// The way of that word.
    pub fn find(word: &str) -> Option<Self> {
        match word {
            "apply" => Some(Self::Apply),
            "script" => Some(Self::Script),
            "checklist" => Some(Self::Checklist),
            "there" => Some(Self::There),
            _ => None,
        }
    }

    fn step(self) -> Step {
        match self {
            Self::Apply => Step::Apply,
            Self::Script => Step::Script,
            Self::Checklist => Step::Checklist,
            Self::There => Step::Client,
        }
    }
}

/// What is known so far. It is made to be kept between two visits, and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journey {
    /// Where it is.
    pub step: Step,
    /// The product.
    pub target: Option<String>,
    /// The region, where the product has regions.
    pub region: Option<String>,
    /// The redirect URI.
    pub redirect_uri: Option<String>,
    /// The instance's URL.
    pub instance: Option<String>,
    /// The name of the profile that is made.
    pub profile: Option<String>,
    /// How the client comes about.
    pub way: Option<Way>,
    /// Which clicks were ticked off.
    #[serde(default)]
    pub ticks: BTreeSet<String>,
    /// The client.
    pub client_id: Option<String>,
    /// Its secret is stored, and no token has come with it yet: it may be typed anew.
    #[serde(default)]
    pub unproved: bool,
}

/// What somebody answered, or what was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The product.
    Target(&'a Target),
    /// Instance, region or redirect URI, name.
    Place(&'a Target, Place<'a>),
    /// The road is clear, or the person goes on all the same.
    Clear,
    /// How the client comes about.
    Way(Way),
    /// A click was done, or not after all.
    Tick(&'a str, bool),
    /// The client is there, and its secret is kept.
    Client(&'a str),
    /// All clicks are done.
    Clicked,
    /// Client ID and secret are looked at once more.
    Recheck,
    /// Tokens came and are kept.
    Connected,
    /// On to the next page.
    Next,
    /// One page back.
    Back,
}

/// What was typed into the form of [`Step::Place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place<'a> {
    /// The instance.
    pub instance: &'a str,
    /// The region.
    pub region: Option<&'a str>,
    /// The redirect URI, for products that show one.
    pub redirect_uri: Option<&'a str>,
    /// The profile's name; made of the instance's if there is none.
    pub name: Option<&'a str>,
}

/// What is wrong with an answer: the field, and a sentence for its reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {text}")]
pub struct Objection {
    /// The field of the form.
    pub field: &'static str,
    /// What is wrong with it.
    pub text: String,
}

fn objection(field: &'static str, text: impl Into<String>) -> Objection {
    Objection { field, text: text.into() }
}

impl Default for Journey {
    fn default() -> Self {
        Self {
            step: Step::Target,
            target: None,
            region: None,
            redirect_uri: None,
            instance: None,
            profile: None,
            way: None,
            ticks: BTreeSet::new(),
            client_id: None,
            unproved: false,
        }
    }
}

impl Journey {
    /// A journey to new tokens for a profile that is there.
    pub fn again(profile: &snowtoken::core::profile::Profile) -> Self {
        Self {
            step: Step::Allow,
            target: Some(profile.target.clone()),
            region: profile.region.clone(),
            redirect_uri: profile.redirect_uri.as_ref().map(|uri| uri.as_str().to_owned()),
            instance: Some(profile.instance.url().to_owned()),
            profile: Some(profile.name.to_string()),
            way: Some(Way::There),
            client_id: Some(profile.client_id.as_str().to_owned()),
            ticks: BTreeSet::new(),
            unproved: false,
        }
    }

    /// The next step, or what is wrong with the answer. An answer that does not belong to the step,
    /// as a second tab may send it, changes nothing.
    ///
    /// # Errors
    /// See [`Objection`]; the journey is where it was.
    pub fn answer(&self, answer: &Answer<'_>) -> Result<Self, Objection> {
        let mut next = self.clone();
        match (self.step, answer) {
            (Step::Target, Answer::Target(target)) => {
                if self.target.as_deref() != Some(&target.name) {
                    next = Self { step: Step::Place, ..Self::default() };
                }
                next.target = Some(target.name.clone());
                next.step = Step::Place;
            }
            (Step::Place, Answer::Place(target, place)) => {
                next.take_place(target, *place)?;
                next.leave_behind(self);
            }
            (Step::Check, Answer::Clear) => next.step = Step::Way,
            (Step::Way, Answer::Way(way)) => {
                next.way = Some(*way);
                next.step = way.step();
            }
            (Step::Checklist, Answer::Tick(id, done)) => {
                if *done {
                    next.ticks.insert((*id).to_owned());
                } else {
                    next.ticks.remove(*id);
                }
            }
            (Step::Checklist, Answer::Clicked) | (Step::Allow, Answer::Recheck) => {
                next.step = Step::Client;
            }
            (Step::Apply | Step::Script | Step::Client, Answer::Client(id)) => {
                let id = ClientId::parse(id).map_err(|e| objection("client_id", e.to_string()))?;
                next.client_id = Some(id.as_str().to_owned());
                next.step = Step::Allow;
            }
            (Step::Allow, Answer::Connected) => {
                next.step = Step::Proof;
                next.unproved = false;
            }
            (Step::Proof, Answer::Next) => next.step = Step::HandOver,
            (_, Answer::Back) => next.step = self.before(),
            _ => {}
        }
        Ok(next)
    }

    fn take_place(&mut self, target: &Target, place: Place<'_>) -> Result<(), Objection> {
        let instance = Instance::parse(place.instance)
            .map_err(|error| objection("instance", error.to_string()))?;
        let uri = match place.redirect_uri {
            Some(text) if target.redirect_uri.is_none() => RedirectUri::parse(text)
                .map_err(|error| objection("redirect_uri", error.to_string()))?,
            _ => target.redirect_uri(place.region).map_err(|error| match error {
                TargetError::RegionMissing(_) => objection("region", EN.place_region_missing),
                TargetError::RegionUnknown { .. } => objection("region", error.to_string()),
                _ => objection("redirect_uri", EN.place_redirect_missing),
            })?,
        };
        let name = match place.name {
            Some(name) => name.to_owned(),
            None => usual_name(&instance),
        };
        let name = ProfileName::parse(&name).map_err(|_| objection("name", EN.place_name_unfit))?;
        self.instance = Some(instance.url().to_owned());
        self.region = place.region.filter(|_| target.redirect_uri.is_some()).map(str::to_owned);
        self.redirect_uri = Some(uri.as_str().to_owned());
        self.profile = Some(name.to_string());
        self.step = Step::Check;
        Ok(())
    }

    /// What was done or learnt for another place is not true of this one.
    fn leave_behind(&mut self, before: &Self) {
        if self.is_about_the_same(before) {
            return;
        }
        self.unproved = false;
        if (&self.instance, &self.redirect_uri) != (&before.instance, &before.redirect_uri) {
            self.ticks.clear();
            self.client_id = None;
        }
    }

    fn before(&self) -> Step {
        match self.step {
            Step::Target | Step::Place => Step::Target,
            Step::Check | Step::Way => Step::Place,
            Step::Client if self.way == Some(Way::Checklist) => Step::Checklist,
            Step::Allow if self.client_id.is_none() || self.way == Some(Way::There) => Step::Client,
            Step::Apply | Step::Script | Step::Checklist | Step::Client | Step::Allow => Step::Way,
            // What was done is not undone by going back.
            Step::Proof | Step::HandOver => Step::Proof,
        }
    }

    /// Whether it leads to the same connection: what was made for the one is good for the other.
    pub fn is_about_the_same(&self, other: &Self) -> bool {
        let about = |journey: &Self| {
            let Self { target, region, redirect_uri, instance, profile, .. } = journey;
            [target, region, redirect_uri, instance, profile].map(Clone::clone)
        };
        about(self) == about(other)
    }

    /// Whether the browser comes back to this machine by itself.
    pub fn comes_back(&self) -> bool {
        let uri = self.redirect_uri.as_deref().and_then(|text| RedirectUri::parse(text).ok());
        uri.is_some_and(|uri| uri.is_loopback())
    }
}

/// The instance's own name, as far as it can be the name of a profile.
fn usual_name(instance: &Instance) -> String {
    let host = instance.url().split("://").nth(1).unwrap_or_default();
    let label = host.split(['.', ':']).next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name: String = label.chars().filter(|c| plain(*c)).collect();
    let name = name.trim_start_matches('-');
    // An address is no name.
    if name.is_empty() || name.bytes().all(|b| b.is_ascii_digit()) {
        "connection".to_owned()
    } else {
        name.to_owned()
    }
}

/// Whether a target's tokens are minted here.
pub fn mints(target: &Target) -> bool {
    !target.class.is_prepare_only() && target.class.grant() == Some(Grant::AuthorizationCode)
}

#[cfg(test)]
mod tests {
    use snowtoken::targets::{Targets, USUAL};

    use super::*;

    fn target(name: &str) -> Target {
        Targets::built_in().find(name).unwrap().clone()
    }

    fn place(instance: &str) -> Place<'_> {
        Place { instance, region: Some("us-west-2"), ..Place::default() }
    }

    fn at_way() -> Journey {
        let hub = target(USUAL);
        let journey = Journey::default().answer(&Answer::Target(&hub)).unwrap();
        let journey = journey.answer(&Answer::Place(&hub, place("classics"))).unwrap();
        journey.answer(&Answer::Clear).unwrap()
    }

    #[test]
    fn each_of_the_four_ways_leads_to_tokens() {
        for (way, step) in [
            (Way::Apply, Step::Apply),
            (Way::Script, Step::Script),
            (Way::Checklist, Step::Checklist),
            (Way::There, Step::Client),
        ] {
            let mut journey = at_way().answer(&Answer::Way(way)).unwrap();
            assert_eq!(journey.step, step);
            if way == Way::Checklist {
                journey = journey.answer(&Answer::Tick("name", true)).unwrap();
                journey = journey.answer(&Answer::Clicked).unwrap();
            }
            for answer in [Answer::Client("0123"), Answer::Connected, Answer::Next] {
                journey = journey.answer(&answer).unwrap();
            }
            assert_eq!(journey.step, Step::HandOver);
            assert_eq!(journey.profile.as_deref(), Some("classics"));
            assert_eq!(
                journey.redirect_uri.as_deref(),
                Some("https://us-west-2.console.aws.amazon.com/appflow/oauth")
            );
        }
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field_and_nothing_moves() {
        let hub = target(USUAL);
        let journey = Journey::default().answer(&Answer::Target(&hub)).unwrap();
        for (place, field) in [
            (place("evil.com#"), "instance"),
            (Place { region: None, ..place("a") }, "region"),
            (Place { region: Some("us-gov-west-1"), ..place("a") }, "region"),
            (Place { name: Some("../x"), ..place("a") }, "name"),
        ] {
            let objection = journey.answer(&Answer::Place(&hub, place)).unwrap_err();
            assert_eq!(objection.field, field);
        }
        let custom = target("custom");
        let journey = Journey::default().answer(&Answer::Target(&custom)).unwrap();
        let typed = Place { redirect_uri: Some("http://evil.example/"), ..place("a") };
        let objection = journey.answer(&Answer::Place(&custom, typed)).unwrap_err();
        assert_eq!(objection.field, "redirect_uri");
    }

    #[test]
    fn an_answer_to_another_step_changes_nothing() {
        let journey = at_way();
        for answer in
            [Answer::Recheck, Answer::Connected, Answer::Next, Answer::Clicked, Answer::Client("x")]
        {
            assert_eq!(journey.answer(&answer).unwrap(), journey);
        }
    }

    #[test]
    fn what_was_done_for_another_place_is_not_taken_for_done() {
        let journey = at_way().answer(&Answer::Way(Way::Checklist)).unwrap();
        let journey = journey.answer(&Answer::Tick("redirect-url", true)).unwrap();
        let journey = journey.answer(&Answer::Clicked).unwrap();
        let mut journey = journey.answer(&Answer::Client("0123")).unwrap();
        while journey.step != Step::Place {
            journey = journey.answer(&Answer::Back).unwrap();
        }
        let hub = target(USUAL);
        let told = |place| {
            let next = journey.answer(&Answer::Place(&hub, place)).unwrap();
            (next.ticks.len(), next.client_id)
        };
        assert_eq!(told(place("classics")), (1, Some("0123".to_owned())));
        assert_eq!(told(Place { name: Some("x"), ..place("classics") }).0, 1);
        assert_eq!(told(Place { region: Some("eu-central-1"), ..place("classics") }), (0, None));
        assert_eq!(told(place("another")), (0, None));
    }

    #[test]
    fn it_is_taken_up_again_where_it_was_and_holds_no_secret() {
        let journey = at_way().answer(&Answer::Way(Way::Checklist)).unwrap();
        let journey = journey.answer(&Answer::Tick("redirect-url", true)).unwrap();
        let text = serde_json::to_string(&journey).unwrap();
        assert_eq!(serde_json::from_str::<Journey>(&text).unwrap(), journey);
    }

    #[test]
    fn addresses_make_no_names() {
        for (instance, name) in [
            ("http://127.0.0.1:8080", "connection"),
            ("dev12345", "dev12345"),
            ("a.example.com", "a"),
        ] {
            assert_eq!(usual_name(&Instance::parse(instance).unwrap()), name);
        }
    }
}
