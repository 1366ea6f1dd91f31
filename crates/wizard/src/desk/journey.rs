//! The pages of the journey, and what their forms do.

use snowtoken::core::oauth::Scope;
use snowtoken::core::oauth::client::{AuthenticationMethod, Client, ClientId};
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::profile::{Grant, Profile, ProfileName};
use snowtoken::core::servicenow::{Instance, Lifespans};
use snowtoken::core::target::Target;
use snowtoken::targets::USUAL;
use snowtoken::{Secret, config, session};

use super::job::{Applied, Work};
use super::login::{self, Consent, End, Wish};
use super::{Desk, Objected, look, shown};
use crate::pages::{
    AllowPage, AppliedPage, ApplyPage, CheckPage, Choice, ClientPage, Frame, MishapPage, PlacePage,
    Rail, TargetPage, Trouble, WayPage, WorkingPage, Wrong,
};
use crate::site::{Form, Reply};
use crate::steps::{Answer, Journey, Objection, Place, Step, Way, mints};
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
                shown(&CheckPage::found(url, look.findings, look.fix, look.is_clear))
            }
            Work::Checking(of) if of == instance => shown(&CheckPage::working(mark)),
            _ => {
                let mark = self.look_at(instance);
                shown(&CheckPage::working(mark))
            }
        }
    }

    fn look_at(&mut self, instance: Instance) -> String {
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
        shown(&ClientPage::new(id, self.stored_secret().is_some(), objected.wrong))
    }

    fn allow_page(&mut self, objected: Objected) -> Reply {
        let (work, mark) = self.jobs.seen();
        match work {
            Work::Consent(Consent { end: Some(End::Connected), .. }) => {
                self.jobs.end();
                if let Ok(next) = self.journey.answer(&Answer::Connected) {
                    self.go(next);
                }
                Reply::To("/journey".to_owned())
            }
            Work::Consent(Consent {
                end: Some(End::Not { mishap, text, hints, code }), ..
            }) => shown(&match mishap {
                Some(mishap) => MishapPage::of(mishap, Vec::new(), Some(code)),
                None => MishapPage::told(text, hints, code),
            }),
            Work::Consent(Consent { url: Some(url), .. }) => {
                let aws =
                    self.journey.redirect_uri.as_deref().filter(|_| !self.journey.comes_back());
                shown(&AllowPage::new(mark, url, aws, objected.trouble))
            }
            Work::Consent(_) => shown(&WorkingPage {
                frame: Frame::on(Rail::Allow, EN.allow_title).looking_again(),
                seen: mark,
            }),
            _ => match self.begin_consent() {
                Ok(()) => Reply::To("/journey".to_owned()),
                Err(trouble) => shown(&MishapPage::told(
                    trouble.text,
                    Vec::new(),
                    trouble.code.unwrap_or("bug"),
                )),
            },
        }
    }

    /// The library's login begins to wait.
    fn begin_consent(&mut self) -> Result<(), Trouble> {
        let profile = self
            .wanted_profile()
            .ok_or_else(|| Trouble { text: EN.astray.to_owned(), code: Some("setting-missing") })?;
        let secret = self.stored_secret();
        let authentication = profile.authentication.with(secret.clone());
        let client = Client { id: profile.client_id.clone(), authentication };
        let expected = self.user_of_before(&profile.name);
        let wish = Wish { profile, client, secret: None, expected };
        let (work, run) = login::begin(&self.tools, wish);
        self.jobs.begin(work, run);
        Ok(())
    }

    fn user_of_before(&self, name: &ProfileName) -> Option<String> {
        let store = self.tools.store().ok().flatten()?;
        store.load(name).ok().flatten()?.user?.name().map(str::to_owned)
    }

    /// A form of the journey.
    pub(super) fn take(&mut self, form: &Form) -> Reply {
        let taken = match form.get("do").unwrap_or_default() {
            "target" => self.take_target(form),
            "place" => self.take_place(form),
            "clear" => self.step(&Answer::Clear),
            "way" => self.take_way(form),
            "apply" => {
                self.take_apply(form);
                Ok(())
            }
            "applied" => self.take_applied(),
            "scripted" => self.take_scripted(),
            "tick" => {
                let done = form.get("done") == Some("yes");
                self.step(&Answer::Tick(form.text("id").unwrap_or_default(), done))
            }
            "clicked" => self.step(&Answer::Clicked),
            "client" => self.take_client(form),
            "paste" => {
                self.take_paste(form);
                Ok(())
            }
            "check" | "again" => {
                self.jobs.end();
                Ok(())
            }
            "next" => self.step(&Answer::Next),
            "back" => {
                self.jobs.end();
                self.step(&Answer::Back)
            }
            _ => Ok(()),
        };
        if let Err(objection) = taken {
            self.object(form, objection);
        }
        let anchor = form.text("id").filter(|_| form.get("do") == Some("tick"));
        match anchor.filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')) {
            Some(id) => {
                // The same screen once more, at the same place.
                let screen = id.split('-').nth(1).unwrap_or("0");
                Reply::To(format!("/journey?screen={screen}#{id}"))
            }
            None => Reply::To("/journey".to_owned()),
        }
    }

    fn step(&mut self, answer: &Answer<'_>) -> Result<(), Objection> {
        let next = self.journey.answer(answer)?;
        self.go(next);
        Ok(())
    }

    /// What was typed comes back with what is wrong with it; secrets do not.
    fn object(&mut self, form: &Form, objection: Objection) {
        const PLAIN: [&str; 6] =
            ["instance", "region", "redirect_uri", "name", "client_id", "user"];
        let kept = |name: &'static str| form.get(name).map(|text| (name, text.to_owned()));
        self.objection = Some(Objected {
            typed: PLAIN.into_iter().filter_map(kept).collect(),
            wrong: Wrong::field(objection.field, objection.text),
            trouble: None,
        });
    }

    fn take_target(&mut self, form: &Form) -> Result<(), Objection> {
        let targets = self.tools.targets();
        match form.text("target").and_then(|name| targets.find(name)) {
            Some(target) => self.step(&Answer::Target(target)),
            None => Ok(()),
        }
    }

    fn take_place(&mut self, form: &Form) -> Result<(), Objection> {
        let Some(target) = self.target() else { return Ok(()) };
        let place = Place {
            instance: form.text("instance").unwrap_or_default(),
            region: form.text("region"),
            redirect_uri: form.text("redirect_uri"),
            name: form.text("name"),
        };
        self.jobs.end();
        let next = self.journey.answer(&Answer::Place(&target, place))?;
        self.check_name(&next)?;
        self.go(next);
        Ok(())
    }

    /// A connection that is there is not made into another one.
    fn check_name(&self, next: &Journey) -> Result<(), Objection> {
        let name = next.profile.as_deref().and_then(|name| ProfileName::parse(name).ok());
        let Some(known) = name.and_then(|name| self.tools.profile(&name).ok()) else {
            return Ok(());
        };
        let same = Some(known.instance.url()) == next.instance.as_deref()
            && Some(&known.target) == next.target.as_ref()
            && known.grant == Grant::AuthorizationCode;
        if same {
            return Ok(());
        }
        let text = format!("{} {}", EN.place_name_taken, known.instance.url());
        Err(Objection { field: "name", text })
    }

    fn take_way(&mut self, form: &Form) -> Result<(), Objection> {
        self.jobs.end();
        match form.text("way").and_then(Way::find) {
            Some(way) => self.step(&Answer::Way(way)),
            None => Ok(()),
        }
    }

    fn take_applied(&mut self) -> Result<(), Objection> {
        let Work::Applied(Applied::Made(id, _)) = self.jobs.work() else { return Ok(()) };
        self.jobs.end();
        self.step(&Answer::Client(&id))
    }

    fn take_client(&mut self, form: &Form) -> Result<(), Objection> {
        let wrong = |field, text: &str| Objection { field, text: text.to_owned() };
        let id = form.get("client_id").unwrap_or_default();
        if id.trim().contains(char::is_whitespace) {
            return Err(wrong("client_id", EN.check_blank));
        }
        if id.trim().starts_with("http://") || id.trim().starts_with("https://") {
            return Err(wrong("client_id", EN.check_url));
        }
        let id = ClientId::parse(id).map_err(|e| wrong("client_id", &e.to_string()))?;
        let typed = form.secret("client_secret").filter(|secret| !secret.is_empty());
        if let Some(secret) = typed {
            let text = secret.expose();
            if text.trim() != text {
                return Err(wrong("client_secret", EN.check_blank));
            }
            if text == id.as_str() {
                return Err(wrong("client_secret", EN.check_same));
            }
        }
        let next = self.journey.answer(&Answer::Client(id.as_str()))?;
        let before = std::mem::replace(&mut self.journey, next.clone());
        if typed.is_none() && self.stored_secret().is_none() {
            self.journey = before;
            return Err(wrong("client_secret", EN.client_secret_hint));
        }
        if let Some(secret) = typed
            && let Err(error) = self.keep_secret(secret)
        {
            self.journey = before;
            return Err(wrong("client_secret", &error.to_string()));
        }
        self.journey = before;
        self.jobs.end();
        self.go(next);
        Ok(())
    }

    fn take_paste(&mut self, form: &Form) {
        let (Work::Consent(consent), mark) = self.jobs.seen() else { return };
        let Some(text) = form.secret("redirected") else { return };
        if login::is_redirect(text.expose()) {
            consent.paste(text.clone());
            // The answer is a round trip or two away: most people never see the page in between.
            self.jobs.settle(&mark, std::time::Duration::from_secs(3));
        } else {
            self.objection = Some(Objected {
                trouble: Some(Trouble {
                    text: EN.allow_unreadable.to_owned(),
                    code: Some("redirect-unreadable"),
                }),
                ..Objected::default()
            });
        }
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

    /// The profile that is being made, as far as the journey knows it.
    pub(super) fn wanted_profile(&self) -> Option<Profile> {
        self.profile_of(&self.journey)
    }

    /// The same of a journey that may know more.
    pub(super) fn profile_of(&self, journey: &Journey) -> Option<Profile> {
        let name = ProfileName::parse(journey.profile.as_deref()?).ok()?;
        let known = self.tools.profile(&name).ok();
        let target = self.target()?;
        let client_id = ClientId::parse(journey.client_id.as_deref()?).ok()?;
        let redirect_uri = RedirectUri::parse(journey.redirect_uri.as_deref()?).ok()?;
        let same = known.filter(|profile| profile.target == target.name);
        let scope = match &same {
            Some(profile) => profile.scope.clone(),
            None => Scope::parse(&target.scope).ok(),
        };
        let wanted = Lifespans {
            access: target.access_token_lifespan,
            refresh: target.refresh_token_lifespan,
        };
        Some(Profile {
            name,
            instance: self.instance()?,
            client_id,
            authentication: same
                .as_ref()
                .map_or(AuthenticationMethod::default(), |profile| profile.authentication),
            grant: Grant::AuthorizationCode,
            assertion: same.as_ref().map(|profile| profile.assertion.clone()).unwrap_or_default(),
            redirect_uri: Some(redirect_uri),
            scope,
            lifespans: same.as_ref().map_or(wanted, |profile| profile.lifespans),
            target: target.name,
            region: journey.region.clone(),
            credentials_file: same.as_ref().is_none_or(|profile| profile.credentials_file),
        })
    }

    /// The client secret that is stored for the wanted profile.
    pub(super) fn stored_secret(&self) -> Option<Secret> {
        let profile = self.wanted_profile()?;
        let store = self.tools.store().ok().flatten()?;
        store.client_secret(&profile.name, &session::binding(&profile)).ok().flatten()
    }

    /// Stores the secret, and the profile that it belongs to.
    pub(super) fn keep_secret(&self, secret: &Secret) -> Result<(), snowtoken::Error> {
        let Some(profile) = self.wanted_profile() else { return Ok(()) };
        let mut store = self.tools.present_store(&profile.name)?;
        store.set_client_secret(&profile.name, &session::binding(&profile), secret)?;
        Ok(config::update(&self.tools.home, move |config| {
            if config
                .profile(&profile.name)
                .is_none_or(|known| known.client_id != profile.client_id)
            {
                config.put(profile);
            }
        })?)
    }
}
