//! The pages of the journey, and what their forms do.

use snowtoken::core::oauth::client::Client;
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::servicenow::Instance;
use snowtoken::core::target::Target;
use snowtoken::targets::USUAL;

use super::job::{Applied, Begun, Work};
use super::login::{self, Consent, End, Wish};
use super::{Desk, Objected, look, shown};
use crate::pages::{
    AllowPage, AppliedPage, ApplyPage, CheckPage, Choice, ClientPage, Frame, MishapPage, PlacePage,
    Rail, TargetPage, WayPage, WorkingPage,
};
use crate::site::Reply;
use crate::steps::{Answer, Journey, Step, Way, mints};
use crate::texts::EN;

/// Those that most people come for.
const FIRST: [&str; 3] = [USUAL, "appflow", "custom"];

impl Desk {
    /// The page of the step at which the journey is.
    pub(super) fn step_page(&mut self, query: Option<&str>) -> Reply {
        let objected = self.objection.take().unwrap_or_default();
        match self.journey.step {
            Step::Target => self.target_page(),
            Step::Place => self.place_page(objected),
            Step::Check => self.check_page(),
            Step::Way => shown(&WayPage::new(self.way_word())),
            Step::Apply => self.apply_page(&objected),
            Step::Script => self.script_page(),
            Step::Checklist => self.clicks_page(query),
            Step::Client => self.client_page(objected),
            Step::Allow => self.allow_page(objected),
            Step::Proof => self.proof_page(),
            Step::HandOver => match self.journey.profile.clone() {
                Some(name) => self.hand_over_page(&name),
                None => Reply::To("/".to_owned()),
            },
        }
    }

    fn target_page(&self) -> Reply {
        let targets = self.tools.targets();
        let choice = |target: &Target| Choice {
            name: target.name.clone(),
            title: target.title.clone(),
            about: String::new(),
        };
        let first = FIRST.iter().filter_map(|name| targets.find(name)).map(choice).collect();
        let others: Vec<Choice> = targets
            .all()
            .filter(|target| mints(target) && !FIRST.contains(&target.name.as_str()))
            .map(choice)
            .collect();
        let chosen = self.journey.target.clone().unwrap_or_else(|| USUAL.to_owned());
        let is_other = others.iter().any(|other| other.name == chosen);
        let frame = Frame::on(Rail::Where, EN.target_title);
        shown(&TargetPage { frame, first, others, chosen, is_other })
    }

    fn place_page(&mut self, objected: Objected) -> Reply {
        let Some(target) = self.target() else { return self.astray() };
        let known = |name: &str, kept: &Option<String>| {
            objected.typed(name).map(str::to_owned).or_else(|| kept.clone()).unwrap_or_default()
        };
        let hint = target.redirect_uri_from.as_deref().unwrap_or(EN.place_redirect_hint);
        shown(&PlacePage {
            frame: Frame::on(Rail::Where, EN.place_title),
            target: target.title.clone(),
            instance: known("instance", &self.journey.instance),
            regions: target.regions.list.clone(),
            region: known("region", &self.journey.region),
            asks_redirect: target.redirect_uri.is_none(),
            redirect_uri: known("redirect_uri", &self.journey.redirect_uri),
            redirect_hint: hint.to_owned(),
            name: known("name", &self.journey.profile),
            wrong: objected.wrong,
        })
    }

    fn check_page(&mut self) -> Reply {
        let Some(instance) = self.instance() else { return self.astray() };
        let (work, mark) = self.jobs.seen();
        match work {
            Work::Checked(of, look) if of == instance => {
                let url = instance.url().to_owned();
                let fix = look.fix.map(|hint| self.around().fix(&hint));
                shown(&CheckPage::found(url, look.findings, fix, look.is_clear))
            }
            Work::Checking(of) if of == instance => shown(&CheckPage::working(mark)),
            _ => {
                let begun = self.look_at(instance);
                shown(&CheckPage::working(begun.mark))
            }
        }
    }

    fn look_at(&mut self, instance: Instance) -> Begun {
        let (tools, wanted) = (self.tools.clone(), instance.clone());
        self.jobs.begin(Work::Checking(instance), move |ticket| {
            let look = look::instance(&tools, &wanted);
            ticket.tell(Work::Checked(wanted, look));
        })
    }

    fn apply_page(&mut self, objected: &Objected) -> Reply {
        let (work, mark) = self.jobs.seen();
        match work {
            Work::Applying => shown(&WorkingPage {
                frame: Frame::on(Rail::Client, EN.applying_title).looking_again(),
                seen: mark,
            }),
            Work::Applied(Applied::Made(_, lines)) => {
                shown(&AppliedPage { frame: Frame::on(Rail::Client, EN.apply_done_title), lines })
            }
            Work::Applied(Applied::Not(trouble)) => {
                shown(&ApplyPage::new(String::new(), Some(trouble)))
            }
            _ => {
                let user = objected.typed("user").unwrap_or_default().to_owned();
                shown(&ApplyPage::new(user, objected.trouble.clone()))
            }
        }
    }

    fn client_page(&self, objected: Objected) -> Reply {
        let id = objected.typed("client_id").map(str::to_owned);
        let id = id.or_else(|| self.journey.client_id.clone()).unwrap_or_default();
        shown(&ClientPage::new(
            id,
            self.wanted_profile().is_some_and(|p| self.stored_secret(&p).is_some()),
            objected.wrong,
        ))
    }

    fn allow_page(&mut self, objected: Objected) -> Reply {
        let Some(profile) = self.wanted_profile() else { return self.astray() };
        let (work, mark) = self.jobs.seen();
        let is_storing =
            matches!(&work, Work::Consent(Consent { exchanging: true, end: None, .. }));
        if !is_storing && let Some(unstored) = self.tools.unstored(profile.name.as_str()) {
            let fixes = self.around().fixes(&unstored.hints);
            return shown(&MishapPage::unstored(&unstored.text, fixes, unstored.code));
        }
        match work {
            Work::Consent(Consent { end: Some(End::Connected), .. }) => {
                self.jobs.end();
                (self.typed, self.takes_anybody) = (None, false);
                if let Ok(next) = self.journey.answer(&Answer::Connected) {
                    self.go(next);
                }
                Reply::To("/journey".to_owned())
            }
            Work::Consent(Consent {
                end: Some(End::Not { mishap, text, hints, code }), ..
            }) => shown(&match mishap {
                Some(mishap) => MishapPage::of(mishap, code),
                None => MishapPage::told(text, self.around().fixes(&hints), code),
            }),
            Work::Consent(Consent { url: Some(url), .. }) => {
                let aws =
                    self.journey.redirect_uri.as_deref().filter(|_| !self.journey.comes_back());
                shown(&AllowPage::new(mark, url, aws, objected.trouble))
            }
            Work::Consent(consent) => {
                self.objection = Some(objected);
                let title = if consent.exchanging { EN.exchanging_title } else { EN.allow_title };
                shown(&WorkingPage {
                    frame: Frame::on(Rail::Allow, title).looking_again(),
                    seen: mark,
                })
            }
            _ => {
                // It is told on the page that has a place for it.
                self.objection = Some(objected);
                self.begin_consent(profile).soon("/journey")
            }
        }
    }

    /// The library's login begins to wait.
    fn begin_consent(&mut self, profile: Profile) -> Begun {
        let typed = self.typed_secret(&profile);
        let secret = typed.clone().or_else(|| self.stored_secret(&profile));
        let authentication = profile.authentication.with(secret.clone());
        let client = Client { id: profile.client_id.clone(), authentication };
        let expected = self.user_of_before(&profile.name).filter(|_| !self.takes_anybody);
        let wish = Wish { profile, client, typed, secret, expected };
        let (work, run) = login::begin(&self.tools, wish);
        self.jobs.begin(work, run)
    }

    fn user_of_before(&self, name: &ProfileName) -> Option<String> {
        let store = self.tools.store().ok().flatten()?;
        store.load(name).ok().flatten()?.user?.name().map(str::to_owned)
    }

    pub(super) fn instance(&self) -> Option<Instance> {
        Instance::parse(self.journey.instance.as_deref()?).ok()
    }

    fn way_word(&self) -> &'static str {
        match self.journey.way {
            None | Some(Way::Apply) => "apply",
            Some(Way::Script) => "script",
            Some(Way::Checklist) => "checklist",
            Some(Way::There) => "there",
        }
    }

    /// The journey does not know what its step needs: it begins anew.
    pub(super) fn astray(&mut self) -> Reply {
        self.go(Journey::default());
        Reply::To("/journey".to_owned())
    }
}
