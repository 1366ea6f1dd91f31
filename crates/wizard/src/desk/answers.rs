//! What the forms of the journey do.

use snowtoken::core::oauth::client::ClientId;
use snowtoken::core::profile::{Grant, Profile, ProfileName};
use zeroize::Zeroizing;

use super::job::{Applied, Work};
use super::login::{self, Unstored};
use super::{Desk, Objected};
use crate::pages::{Trouble, Wrong};
use crate::site::{Form, Reply};
use crate::steps::{Answer, Journey, Objection, Place, Step, Way};
use crate::texts::EN;

impl Desk {
    /// A form of the journey.
    pub(super) fn take(&mut self, form: &Form) -> Reply {
        // What was wrong with the form before is of yesterday.
        self.objection = None;
        let taken = match form.get("do").unwrap_or_default() {
            "target" => self.take_target(form),
            "place" => self.take_place(form),
            "clear" => self.step(&Answer::Clear),
            "way" => self.take_way(form),
            "apply" => return self.take_apply(form),
            "applied" => self.take_applied(),
            "scripted" => self.take_scripted(),
            "tick" => {
                let done = form.get("done") == Some("yes");
                self.step(&Answer::Tick(form.text("id").unwrap_or_default(), done))
            }
            "clicked" => self.step(&Answer::Clicked),
            "client" => self.take_client(form),
            "paste" => return self.take_paste(form),
            "check" | "again" => {
                self.jobs.end();
                Ok(())
            }
            "anybody" => {
                self.jobs.end();
                self.takes_anybody = true;
                Ok(())
            }
            "store" => return self.store_again(),
            "discard" => {
                self.jobs.end();
                if let Some(unstored) = self.unstored() {
                    self.tools.forget_unstored(&unstored.profile);
                }
                Ok(())
            }
            "recheck" => {
                self.jobs.end();
                self.step(&Answer::Recheck)
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
        let mut next = self.journey.answer(&Answer::Place(&target, place))?;
        if let Some(known) = self.known_as(&next)? {
            // Whichever way it goes on: this is the client that is mended, not another one made.
            next.client_id = Some(known.client_id.as_str().to_owned());
        }
        self.go(next);
        Ok(())
    }

    /// The connection of that name, if there is one; it is not made into another one.
    fn known_as(&self, next: &Journey) -> Result<Option<Profile>, Objection> {
        let name = next.profile.as_deref().and_then(|name| ProfileName::parse(name).ok());
        let Some(known) = name.and_then(|name| self.tools.profile(&name).ok()) else {
            return Ok(None);
        };
        let same = Some(known.instance.url()) == next.instance.as_deref()
            && Some(&known.target) == next.target.as_ref()
            && known.grant == Grant::AuthorizationCode;
        if same {
            return Ok(Some(known));
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
        if id.trim().contains("://") {
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
        let mut next = self.journey.answer(&Answer::Client(id.as_str()))?;
        let profile = self.profile_of(&next).ok_or_else(|| wrong("client_id", EN.astray))?;
        match typed {
            Some(secret) => {
                next.unproved = self
                    .take_secret(&profile, secret)
                    .map_err(|error| wrong("client_secret", &error.to_string()))?;
            }
            None if self.stored_secret(&profile).is_none() => {
                return Err(wrong("client_secret", EN.client_secret_hint));
            }
            // The stored one it is, after all.
            None => self.typed = None,
        }
        self.jobs.end();
        self.go(next);
        Ok(())
    }

    fn take_paste(&mut self, form: &Form) -> Reply {
        let to = || "/journey".to_owned();
        let changes = self.jobs.changes();
        let Work::Consent(consent) = self.jobs.work() else {
            if self.journey.step == Step::Allow {
                self.object_to_paste(EN.allow_left, "state-mismatch");
            }
            return Reply::To(to());
        };
        let Some(text) = form.secret("redirected") else { return Reply::To(to()) };
        if login::is_redirect(text.expose()) {
            consent.paste(text.clone());
            // The answer is a round trip or two away.
            return Reply::Soon { to: to(), changes };
        }
        self.object_to_paste(EN.allow_unreadable, "redirect-unreadable");
        Reply::To(to())
    }

    /// The store gets another chance to take what came.
    fn store_again(&mut self) -> Reply {
        let page = "/journey";
        let Some(unstored) = self.unstored() else { return Reply::To(page.to_owned()) };
        let (work, run) = unstored.again(&self.tools);
        self.jobs.begin(work, run).soon(page)
    }

    /// What came and is stored nowhere, for the browser to save.
    pub(super) fn unstored_file(&mut self) -> Reply {
        let Some(unstored) = self.unstored() else { return Reply::NotFound };
        match unstored.as_json() {
            Ok((name, text)) => Reply::File {
                name: format!("{name}.json"),
                kind: "application/octet-stream",
                bytes: Zeroizing::new(text.expose().as_bytes().to_vec()),
            },
            Err(error) => {
                log::warn!("no file: {error}");
                Reply::NotFound
            }
        }
    }

    fn unstored(&self) -> Option<Unstored> {
        self.tools.unstored(self.journey.profile.as_deref()?)
    }

    fn object_to_paste(&mut self, text: &str, code: &'static str) {
        let trouble = Some(Trouble { text: text.to_owned(), code: Some(code) });
        self.objection = Some(Objected { trouble, ..Objected::default() });
    }
}
