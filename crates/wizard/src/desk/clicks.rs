//! Every click, from the same steps as `setup --checklist`; and the script of `--background-script`.

use snowtoken::core::diagnosis::Diagnose as _;
use snowtoken::core::oauth::client::ClientId;
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::setup::checklist::{
    Checklist, ChecklistWish, Link, Section, Span, Step, Value, Words,
};
use snowtoken::core::setup::{ClientPlan, ScriptWish, background_script};
use snowtoken::core::target::Target;
use snowtoken::{Error, Secret, setup};
use zeroize::Zeroizing;

use super::{Desk, Script, shown};
use crate::pages::{
    Click, ClickLink, ClicksPage, FormRow, Frame, MishapPage, Rail, Screen, ScriptPage,
};
use crate::site::{Form, Reply};
use crate::steps::{Answer, Journey, Objection};
use crate::texts::EN;

impl Desk {
    /// What the client should look like.
    pub(super) fn plan(&self, target: &Target) -> Option<ClientPlan> {
        let typed = match self.journey.region {
            Some(_) => None,
            None => RedirectUri::parse(self.journey.redirect_uri.as_deref()?).ok(),
        };
        ClientPlan::for_target(target, self.journey.region.as_deref(), typed).ok()
    }

    pub(super) fn clicks_page(&mut self, query: Option<&str>) -> Reply {
        let (Some(target), Some(instance)) = (self.target(), self.instance()) else {
            return self.astray();
        };
        let Some(plan) = self.plan(&target) else { return self.astray() };
        let list = Checklist::new(&ChecklistWish {
            plan: &plan,
            target: &target,
            instance: Some(&instance),
            release: None,
            login: None,
            script: None,
        });
        // Sections with steps, but for what comes after the client.
        let sections: Vec<&Section> =
            list.sections.iter().filter(|section| !section.steps.is_empty()).collect();
        let wanted = query.and_then(|query| query.strip_prefix("screen="));
        let wanted = wanted.and_then(|text| text.parse::<usize>().ok());
        let shown_one = wanted.filter(|n| *n < sections.len()).unwrap_or(0);
        let Some(section) = sections.get(shown_one) else { return self.astray() };
        let screens = sections
            .iter()
            .enumerate()
            .map(|(number, section)| Screen {
                name: number.to_string(),
                title: section.title.clone(),
                is_shown: number == shown_one,
            })
            .collect();
        let form = fields_of(section);
        let mut clicks: Vec<Click> = section
            .steps
            .iter()
            .enumerate()
            .map(|(number, step)| self.click(format!("click-{shown_one}-{number}"), step, &form))
            .collect();
        if let Some(next) = clicks.iter_mut().find(|click| !click.done) {
            next.is_open = true;
        }
        shown(&ClicksPage {
            frame: Frame::on(Rail::Client, EN.clicks_title),
            screens,
            about: section.about.iter().map(plain).collect(),
            form_title: section.title.clone(),
            clicks,
        })
    }

    fn click(&self, id: String, step: &Step, form: &[&str]) -> Click {
        let row = |field: &&str| FormRow {
            field: (*field).to_owned(),
            values: values_of(step, field).map(|value| value.text.clone()).collect(),
        };
        let rows = form.iter().map(row).collect();
        let link = |link: &Link| ClickLink { title: link.label.clone(), url: link.url.to_string() };
        Click {
            done: self.journey.ticks.contains(&id),
            id,
            text: plain(&step.words),
            form: if step.values.is_empty() { Vec::new() } else { rows },
            is_open: false,
            links: step.links.iter().map(link).collect(),
            traps: step.traps.iter().map(plain).collect(),
        }
    }

    pub(super) fn script_page(&mut self) -> Reply {
        let Some(instance) = self.instance() else { return self.astray() };
        let link = instance.at("/nav_to.do?uri=sys.scripts.do").to_string();
        match self.make_script() {
            Ok(true) => {
                shown(&ScriptPage { frame: Frame::on(Rail::Client, EN.script_title), link })
            }
            Ok(false) => self.astray(),
            Err(error) => {
                log::warn!("no script: {error}");
                let fixes = self.around().fixes(&error.hints());
                shown(&MishapPage::beside(error.to_string(), fixes, error.code().entry().code))
            }
        }
    }

    /// Makes the script of this journey once; its secret is stored before anybody sees the script.
    fn make_script(&mut self) -> Result<bool, Error> {
        if self.script.is_some() {
            return Ok(true);
        }
        let Some(target) = self.target() else { return Ok(false) };
        let Some(plan) = self.plan(&target) else { return Ok(false) };
        if self.journey.client_id.is_none() {
            let id = setup::new_client_id(self.tools.world.dice)?;
            let mut journey = self.journey.clone();
            journey.client_id = Some(id.as_str().to_owned());
            self.go(journey);
        }
        let Some(id) = self.journey.client_id.clone() else { return Ok(false) };
        let Ok(client_id) = ClientId::parse(&id) else { return Ok(false) };
        let Some(profile) = self.wanted_profile() else { return Ok(false) };
        let secret = if let Some(secret) = self.stored_secret(&profile) {
            secret
        } else {
            let secret = setup::new_secret(self.tools.world.dice)?;
            let unproved = self.take_secret(&profile, &secret)?;
            self.go(Journey { unproved, ..self.journey.clone() });
            secret
        };
        let text = background_script(&ScriptWish {
            plan: &plan,
            client_id: &client_id,
            client_secret: Some(&secret),
            enable_client_credentials: false,
        });
        self.script = Some(Script { text, client_id: id });
        Ok(true)
    }

    /// A value of the journey, for our script to copy.
    pub(super) fn journey_value(&mut self, form: &Form) -> Reply {
        match (&self.script, form.get("value")) {
            (Some(script), Some("script")) => Reply::Text(Secret::new(script.text.as_str())),
            _ => Reply::NotFound,
        }
    }

    pub(super) fn script_file(&mut self) -> Reply {
        match &self.script {
            Some(script) => Reply::File {
                name: "snowtoken-setup.js".to_owned(),
                kind: "text/javascript",
                bytes: Zeroizing::new(script.text.as_bytes().to_vec()),
            },
            None => Reply::NotFound,
        }
    }

    pub(super) fn take_scripted(&mut self) -> Result<(), Objection> {
        let Some(id) = self.script.as_ref().map(|script| script.client_id.clone()) else {
            return Ok(());
        };
        let next = self.journey.answer(&Answer::Client(&id))?;
        self.jobs.end();
        self.script = None;
        self.go(next);
        Ok(())
    }
}

/// The fields that are filled in on a screen, each once.
fn fields_of(section: &Section) -> Vec<&str> {
    let mut fields: Vec<&str> = Vec::new();
    for value in section.steps.iter().flat_map(|step| &step.values) {
        if !fields.contains(&value.field.as_str()) {
            fields.push(&value.field);
        }
    }
    fields
}

fn values_of<'a>(step: &'a Step, field: &'a str) -> impl Iterator<Item = &'a Value> {
    step.values.iter().filter(move |value| value.field == field)
}

/// The sentence without its emphasis; the page sets values apart.
fn plain(words: &Words) -> String {
    words
        .0
        .iter()
        .map(|span| match span {
            Span::Plain(text) | Span::Strong(text) | Span::Code(text) => text.as_str(),
        })
        .collect()
}
