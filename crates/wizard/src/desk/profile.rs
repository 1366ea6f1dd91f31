//! A profile that is there: its page, and what its buttons do.

use jiff::Timestamp;
use snowtoken::core::diagnosis::Diagnose as _;
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::token_set::User;
use snowtoken::store::Held;
use snowtoken::{Error, Session, arrival, config};

use super::fixes::{Around, bad};
use super::job::{Begun, Proof, Work};
use super::{Desk, Tools, look, overview, shown, words};
use crate::draw::{Mark, timeline};
use crate::pages::{
    DoctorPage, Done, End, Fact, Frame, MishapPage, ProfilePage, ProofPage, Rail, Reading,
    SurePage, WorkingPage,
};
use crate::site::{Form, Reply};
use crate::steps::{Journey, Step};
use crate::texts::EN;

/// A profile, and its tokens where the store can be read.
pub(super) type Known = (Profile, Result<Option<Held>, Error>);

impl Desk {
    pub(super) fn profile_page(&mut self, name: &str) -> Reply {
        let (profile, found) = match self.look_up(name) {
            Ok(Some(known)) => known,
            Ok(None) => return Reply::NotFound,
            // The overview says why.
            Err(_) => return Reply::To("/".to_owned()),
        };
        let (work, seen) = self.jobs.seen();
        match work {
            Work::Acting(of) if of == name => {
                let frame = Frame::new(name).looking_again();
                return shown(&WorkingPage { frame, seen });
            }
            Work::Acted(of, done) if of == name => {
                self.jobs.end();
                self.done = Some((of, done));
            }
            _ => {}
        }
        let now = self.tools.world.now();
        let done = self.done.take_if(|(own, _)| own == name).map(|(_, done)| done);
        // A store that cannot be read is no store without tokens.
        let (held, closed) = match found {
            Ok(held) => (held, None),
            Err(error) => (None, Some(bad(&error, &Around::profile(&profile)))),
        };
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
        let is_known = closed.is_none();
        if is_known {
            facts.push(fact(EN.home_end, &overview::end(&profile, held.as_ref(), now)));
        }
        shown(&ProfilePage {
            frame: Frame::new(name),
            name: name.to_owned(),
            done: closed.or(done),
            is_known,
            facts,
            timeline: held.as_ref().map(|held| timeline(EN.proof_now, &marks(held, now))),
            actions: ProfilePage::actions(held.is_some(), !profile.grant.renews_itself()),
        })
    }

    /// The profile, and its tokens; neither if it is not there.
    pub(super) fn known(&self, name: &str) -> Option<(Profile, Option<Held>)> {
        let (profile, held) = self.look_up(name).ok().flatten()?;
        Some((profile, held.ok().flatten()))
    }

    /// The same where it matters why something is not there: the configuration or the store may only be
    /// out of reach.
    pub(super) fn look_up(&self, name: &str) -> Result<Option<Known>, Error> {
        let Ok(name) = ProfileName::parse(name) else { return Ok(None) };
        let config = config::load(&self.tools.home)?;
        let Some(profile) = config.profile(&name).cloned() else { return Ok(None) };
        let standing = self.tools.store().and_then(|store| match store {
            Some(store) => Ok(store.standing(&name)?),
            None => Ok(None),
        });
        Ok(Some((profile, standing.map(|standing| standing.and_then(|found| found.held)))))
    }

    /// A button of a profile.
    pub(super) fn act(&mut self, name: &str, action: &str, form: &Form) -> Reply {
        let Some((profile, _)) = self.known(name) else { return Reply::NotFound };
        match action {
            "again" | "client" if profile.grant.renews_itself() => {
                self.done = Some((name.to_owned(), Done::warn(EN.profile_by_itself)));
                Reply::To(format!("/profile/{name}"))
            }
            "again" => {
                self.leave_consent();
                self.go(Journey::again(&profile));
                Reply::To("/journey".to_owned())
            }
            "client" => {
                self.leave_consent();
                self.go(Journey { step: Step::Client, ..Journey::again(&profile) });
                Reply::To("/journey".to_owned())
            }
            "hand-over" => Reply::To(format!("/profile/{name}/hand-over")),
            "refresh" => self.begin_act(profile.name, refresh),
            "verify" => self.begin_act(profile.name, verify),
            "revoke" if form.get("sure") == Some("yes") => self.begin_act(profile.name, revoke),
            "revoke" => shown(&SurePage::revoke(name)),
            "doctor" => self.examine(&profile.name).soon(format!("/profile/{name}/doctor")),
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

    /// Another sign-in begins with what is stored and with the user of before.
    fn leave_consent(&mut self) {
        self.jobs.end();
        (self.typed, self.takes_anybody) = (None, false);
    }

    /// Does it beside the pages; what became of it is shown on the profile's page.
    fn begin_act(
        &self,
        name: ProfileName,
        act: impl FnOnce(&Session) -> Result<String, Error> + Send + 'static,
    ) -> Reply {
        let (tools, page) = (self.tools.clone(), format!("/profile/{name}"));
        let around = self.around_profile(name.as_str());
        let begun = self.jobs.begin(Work::Acting(name.to_string()), move |ticket| {
            let done = match tools.session(&name).and_then(|session| act(&session)) {
                Ok(text) => Done::good(text),
                Err(error) => bad(&error, &around),
            };
            ticket.tell(Work::Acted(name.to_string(), done));
        });
        begun.soon(page)
    }

    fn examine(&self, name: &ProfileName) -> Begun {
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
                let around = Around::profile(&profile);
                let fix = look.fix.map(|hint| around.fix(&hint));
                let why = look.code.map(|code| around.page_of(code));
                shown(&DoctorPage::found(name.to_owned(), look.findings, fix, why))
            }
            Work::Examining(of) if of == name => shown(&DoctorPage::working(name.to_owned(), mark)),
            _ => {
                let begun = self.examine(&profile.name);
                shown(&DoctorPage::working(name.to_owned(), begun.mark))
            }
        }
    }

    /// What the tokens of the journey are worth.
    pub(super) fn proof_page(&mut self) -> Reply {
        let Some(name) = self.journey.profile.clone() else { return self.astray() };
        let (profile, held) = match self.look_up(&name) {
            Ok(Some((profile, Ok(Some(held))))) => (profile, held),
            Ok(Some((_, Ok(None))) | None) => return self.astray(),
            // It is out of reach, not gone.
            Ok(Some((_, Err(error)))) | Err(error) => {
                let fixes = self.around().fixes(&error.hints());
                let code = error.code().entry().code;
                return shown(&MishapPage::beside(error.to_string(), fixes, code));
            }
        };
        let (work, seen) = self.jobs.seen();
        let proof = match work {
            Work::Proved(of, proof) if of == name => proof,
            Work::Proving(of) if of == name => {
                let frame = Frame::on(Rail::Proof, EN.proving_title).looking_again();
                return shown(&WorkingPage { frame, seen });
            }
            _ => return self.prove(&profile.name).soon("/journey"),
        };
        let now = self.tools.world.now();
        let mut ends = vec![End {
            what: EN.proof_access.to_owned(),
            when: words::day_and_time(held.access_expires_at.at),
            note: EN.proof_access_note,
            known: words::known_by(held.access_expires_at.known_by),
        }];
        ends.extend(held.refresh_expires_at.map(|end| End {
            what: EN.proof_refresh.to_owned(),
            when: words::day_and_time(end.at),
            note: EN.proof_refresh_note,
            known: words::known_by(end.known_by),
        }));
        shown(&ProofPage {
            frame: Frame::on(
                Rail::Proof,
                proof.trouble.as_ref().map_or(EN.proof_title, |_| EN.proof_not_title),
            ),
            trouble: proof.trouble,
            user: held.user.clone().unwrap_or_else(|| EN.somebody.to_owned()),
            readings: proof.readings,
            warnings: proof.warnings,
            timeline: timeline(EN.proof_now, &marks(&held, now)),
            ends,
        })
    }

    fn prove(&self, name: &ProfileName) -> Begun {
        let (tools, name) = (self.tools.clone(), name.clone());
        self.jobs.begin(Work::Proving(name.to_string()), move |ticket| {
            let around = tools.profile(&name).map(|own| Around::profile(&own)).unwrap_or_default();
            let failed = |error| Proof { trouble: Some(bad(&error, &around)), ..Proof::default() };
            let proof = proof(&tools, &name, &around).unwrap_or_else(failed);
            ticket.tell(Work::Proved(name.to_string(), proof));
        })
    }
}

fn verify(session: &Session) -> Result<String, Error> {
    let (user, _) = session.verify()?;
    let user = user.as_ref().and_then(User::name).unwrap_or(EN.somebody);
    Ok(format!("{} {user}.", EN.verified))
}

fn refresh(session: &Session) -> Result<String, Error> {
    let end = session.refresh()?.record.tokens.access_expires_at.at;
    Ok(format!("{} {}.", EN.refreshed, words::distance(end.duration_since(session.now()))))
}

fn revoke(session: &Session) -> Result<String, Error> {
    session.revoke()?;
    Ok(EN.revoked.to_owned())
}

/// Which of the product's tables the token opens, and what somebody should know about its user.
fn proof(tools: &Tools, name: &ProfileName, around: &Around) -> Result<Proof, Error> {
    let session = tools.session(name)?;
    // Whoever comes back later finds an access token that has ended: a new one is got then.
    let trouble = session.verify().err().map(|error| bad(&error, around));
    let (profile, record) = (session.profile(), session.record()?);
    let targets = tools.targets();
    let tables = targets.find(&profile.target).map_or(&[][..], |target| &target.tables);
    let read = |table: &String| Reading {
        table: table.clone(),
        verdict: look::table(tools, profile, table, &record.tokens.access_token),
    };
    let stated = profile.lifespans.refresh;
    let differ = arrival::lifespans_differ(name, record.facts.refresh_lifespan, stated);
    let plain = |line: String| line.strip_prefix("warning: ").map_or(line.clone(), str::to_owned);
    let concerns = arrival::user_concerns(&record.facts);
    Ok(Proof {
        trouble,
        readings: tables.iter().map(read).collect(),
        warnings: differ.into_iter().chain(concerns).map(plain).collect(),
    })
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
