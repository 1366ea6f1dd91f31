//! A profile that is there: its page, and what its buttons do.

use jiff::Timestamp;
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::token_set::User;
use snowtoken::store::Held;
use snowtoken::{Error, arrival};

use super::job::Work;
use super::{Desk, look, overview, shown, words};
use crate::draw::{Mark, timeline};
use crate::pages::{
    DoctorPage, Done, End, Fact, Frame, ProfilePage, ProofPage, Rail, Reading, SurePage,
};
use crate::site::{Form, Reply};
use crate::steps::Journey;
use crate::texts::EN;

impl Desk {
    pub(super) fn profile_page(&mut self, name: &str) -> Reply {
        let Some((profile, held)) = self.known(name) else { return Reply::NotFound };
        let now = self.tools.world.now();
        let done = self.done.take_if(|(own, _)| own == name).map(|(_, done)| done);
        let target = self.tools.targets();
        let product = target.find(&profile.target).map_or(&profile.target, |target| &target.title);
        let fact = |name: &str, text: &str| Fact { name: name.to_owned(), text: text.to_owned() };
        let mut facts = vec![
            fact(EN.home_instance, profile.instance.url()),
            fact(EN.profile_target, product),
            fact(EN.profile_client, profile.client_id.as_str()),
        ];
        if let Some(user) = held.as_ref().and_then(|held| held.user.as_deref()) {
            facts.push(fact(EN.home_user, user));
        }
        facts.push(fact(EN.home_end, &overview::end(&profile, held.as_ref(), now)));
        shown(&ProfilePage {
            frame: Frame::new(name),
            name: name.to_owned(),
            done,
            facts,
            timeline: held.as_ref().map(|held| timeline(EN.proof_now, &marks(held, now))),
            actions: ProfilePage::actions(held.is_some()),
        })
    }

    pub(super) fn known(&self, name: &str) -> Option<(Profile, Option<Held>)> {
        let profile = self.tools.profile(&ProfileName::parse(name).ok()?).ok()?;
        let store = self.tools.store().ok().flatten();
        let standing = store.and_then(|store| store.standing(&profile.name).ok().flatten());
        Some((profile, standing.and_then(|standing| standing.held)))
    }

    /// A button of a profile.
    pub(super) fn act(&mut self, name: &str, action: &str, form: &Form) -> Reply {
        let Some((profile, _)) = self.known(name) else { return Reply::NotFound };
        match action {
            "again" => {
                self.jobs.end();
                self.go(Journey::again(&profile));
                Reply::To("/journey".to_owned())
            }
            "hand-over" => Reply::To(format!("/profile/{name}/hand-over")),
            "verify" => self.did(name, |desk| desk.verify(&profile.name)),
            "revoke" if form.get("sure") == Some("yes") => {
                self.did(name, |desk| desk.revoke(&profile.name))
            }
            "revoke" => shown(&SurePage::revoke(name)),
            "doctor" => {
                self.examine(&profile.name);
                Reply::To(format!("/profile/{name}/doctor"))
            }
            "value" => self.value(&profile, form),
            "show" => self.show(&profile, form),
            "save" => self.save(name),
            "file" => self.file(&profile, form),
            "calendar" => self.calendar(&profile),
            "bundle" => self.bundle(&profile),
            "sealed" => self.sealed_file(name),
            _ => Reply::NotFound,
        }
    }

    /// Does it, and shows what became of it on the profile's page.
    fn did(&mut self, name: &str, act: impl FnOnce(&mut Self) -> Result<String, Error>) -> Reply {
        let done = match act(self) {
            Ok(text) => Done { kind: "good", text },
            Err(error) => Done::bad(&error),
        };
        self.done = Some((name.to_owned(), done));
        Reply::To(format!("/profile/{name}"))
    }

    fn verify(&mut self, name: &ProfileName) -> Result<String, Error> {
        let session = self.tools.session(name)?;
        let (user, _) = session.verify()?;
        let user = user.as_ref().and_then(User::name).unwrap_or(EN.somebody);
        Ok(format!("{} {user}.", EN.verified))
    }

    fn revoke(&mut self, name: &ProfileName) -> Result<String, Error> {
        let session = self.tools.session(name)?;
        session.revoke()?;
        Ok(EN.revoked.to_owned())
    }

    fn examine(&mut self, name: &ProfileName) -> String {
        let (tools, wanted) = (self.tools.clone(), name.clone());
        self.jobs.begin(Work::Examining(name.to_string()), move |ticket| {
            let look = look::profile(&tools, &wanted);
            ticket.tell(Work::Examined(wanted.to_string(), look));
        })
    }

    pub(super) fn doctor_page(&mut self, name: &str) -> Reply {
        let Some((profile, _)) = self.known(name) else { return Reply::NotFound };
        let (work, mark) = self.jobs.seen();
        match work {
            Work::Examined(of, look) if of == name => {
                shown(&DoctorPage::found(name.to_owned(), look.findings, look.fix, look.code))
            }
            Work::Examining(of) if of == name => shown(&DoctorPage::working(name.to_owned(), mark)),
            _ => {
                let mark = self.examine(&profile.name);
                shown(&DoctorPage::working(name.to_owned(), mark))
            }
        }
    }

    /// What the tokens of the journey are worth.
    pub(super) fn proof_page(&mut self) -> Reply {
        let Some(name) = self.journey.profile.clone() else { return self.astray() };
        let Some((profile, Some(held))) = self.known(&name) else { return self.astray() };
        let now = self.tools.world.now();
        let (readings, warnings) = self.readings(&profile);
        let mut ends = vec![End {
            what: EN.proof_access.to_owned(),
            when: words::day_and_time(held.access_expires_at.at),
            note: EN.proof_access_note,
            known: held.access_expires_at.known_by.to_string(),
        }];
        ends.extend(held.refresh_expires_at.map(|end| End {
            what: EN.proof_refresh.to_owned(),
            when: words::day_and_time(end.at),
            note: EN.proof_refresh_note,
            known: end.known_by.to_string(),
        }));
        shown(&ProofPage {
            frame: Frame::on(Rail::Proof, EN.proof_title),
            user: held.user.clone().unwrap_or_else(|| EN.somebody.to_owned()),
            readings,
            warnings,
            timeline: timeline(EN.proof_now, &marks(&held, now)),
            ends,
        })
    }

    /// Which of the product's tables the token opens, and what somebody should know about its user.
    fn readings(&self, profile: &Profile) -> (Vec<Reading>, Vec<String>) {
        let Ok(session) = self.tools.session(&profile.name) else { return Default::default() };
        let Ok(record) = session.record() else { return Default::default() };
        let targets = self.tools.targets();
        let tables = targets.find(&profile.target).map_or(&[][..], |target| &target.tables);
        let read = |table: &String| Reading {
            table: table.clone(),
            verdict: look::table(&self.tools, profile, table, &record.tokens.access_token),
        };
        let readings = tables.iter().map(read).collect();
        let stated = profile.lifespans.refresh;
        let differ =
            arrival::lifespans_differ(&profile.name, record.facts.refresh_lifespan, stated);
        let plain =
            |line: String| line.strip_prefix("warning: ").map_or(line.clone(), str::to_owned);
        let concerns = arrival::user_concerns(&record.facts);
        (readings, differ.into_iter().chain(concerns).map(plain).collect())
    }
}

/// Both ends on the timeline.
fn marks(held: &Held, now: Timestamp) -> Vec<Mark> {
    let mark = |what: &str, at: Timestamp| {
        let left = at.duration_since(now);
        Mark { what: what.to_owned(), when: words::distance(left), seconds: left.as_secs() }
    };
    let mut marks = vec![mark(EN.proof_access, held.access_expires_at.at)];
    marks.extend(held.refresh_expires_at.map(|end| mark(EN.proof_refresh, end.at)));
    marks
}
