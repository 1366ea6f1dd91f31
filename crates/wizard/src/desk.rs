//! The site itself: each address to its page, each form to its step. What takes time is done beside
//! the pages; a page that waits looks again.

mod answers;
mod apply;
mod clicks;
mod fixes;
mod hand_over;
mod job;
mod journey;
mod login;
mod look;
mod memory;
mod overview;
mod profile;
mod wanted;
mod words;

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use snowtoken::core::diagnosis::{CATALOGUE, Code};
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::target::Target;
use snowtoken::home::Home;
use snowtoken::keep::Opener;
use snowtoken::store::{Binding, TokenStore};
use snowtoken::targets::Targets;
use snowtoken::{Error, Secret, Session, World, config};
use zeroize::Zeroizing;

use crate::pages::{Button, DiagnosisPage, Page, Press, html};
use crate::site::{Form, Reply, Shown, Site};
use crate::steps::{Journey, Step};
use crate::texts::EN;

use job::Jobs;
use login::Unstored;
use memory::Memory;

/// What everything is done with.
#[derive(Clone)]
pub(crate) struct Tools {
    world: World,
    home: Home,
    opener: Arc<Mutex<Opener>>,
    /// Held while a consent is waited for: there is one at a time.
    consent: Arc<Mutex<()>>,
    /// Tokens that the store did not take, until it does.
    unstored: Arc<Mutex<Option<Unstored>>>,
}

impl Tools {
    /// The store, if there is one.
    fn store(&self) -> Result<Option<Box<dyn TokenStore>>, Error> {
        let mut open = self.opener.lock().unwrap_or_else(PoisonError::into_inner);
        open()
    }

    /// The store; it was made before the first page was shown.
    fn present_store(&self, name: &ProfileName) -> Result<Box<dyn TokenStore>, Error> {
        self.store()?.ok_or_else(|| Error::NotLoggedIn(name.to_string()))
    }

    fn profile(&self, name: &ProfileName) -> Result<Profile, Error> {
        let config = config::load(&self.home)?;
        config.profile(name).cloned().ok_or_else(|| Error::ProfileUnknown(name.to_string()))
    }

    fn session(&self, name: &ProfileName) -> Result<Session, Error> {
        let (profile, store) = (self.profile(name)?, self.present_store(name)?);
        Ok(Session::with_store(self.world.clone(), self.home.clone(), profile, store))
    }

    /// Tokens of this profile that exist only in memory.
    fn unstored(&self, name: &str) -> Option<Unstored> {
        let unstored = self.unstored.lock().unwrap_or_else(PoisonError::into_inner);
        unstored.clone().filter(|unstored| unstored.profile.as_str() == name)
    }

    fn hold_unstored(&self, new: Unstored) {
        *self.unstored.lock().unwrap_or_else(PoisonError::into_inner) = Some(new);
    }

    fn forget_unstored(&self, name: &ProfileName) {
        let mut unstored = self.unstored.lock().unwrap_or_else(PoisonError::into_inner);
        unstored.take_if(|unstored| unstored.profile == *name);
    }

    fn targets(&self) -> Targets {
        // A file of a person's own that cannot be read is told by `doctor`; nobody is kept from
        // the products that come with the program.
        Targets::load(&self.home).unwrap_or_else(|_| Targets::built_in())
    }
}

/// The wizard's site.
pub struct Desk {
    tools: Tools,
    journey: Journey,
    memory: Memory,
    jobs: Jobs,
    /// What became of the last action on a profile, shown once.
    done: Option<(String, crate::pages::Done)>,
    /// What is wrong with the last form, shown once.
    objection: Option<Objected>,
    /// A client secret that was typed where another one is at work: not stored before it is proved.
    typed: Option<(Binding, Secret)>,
    /// Whoever signs in next may be another user than before.
    takes_anybody: bool,
    /// The script that was made for this journey, with its secret.
    script: Option<Script>,
}

/// A form that comes back: what was typed, and what is wrong with it. Nothing secret is in it.
#[derive(Debug, Clone, Default)]
struct Objected {
    typed: Vec<(&'static str, String)>,
    wrong: crate::pages::Wrong,
    trouble: Option<crate::pages::Trouble>,
}

impl Objected {
    fn typed(&self, name: &str) -> Option<&str> {
        self.typed.iter().find(|(own, _)| *own == name).map(|(_, text)| text.as_str())
    }
}

/// A background script and where it belongs.
struct Script {
    text: Zeroizing<String>,
    client_id: String,
}

impl Desk {
    /// A site over this person's configuration and store. Where somebody stopped earlier, it goes on.
    pub fn new(world: World, home: Home, opener: Opener) -> Self {
        let memory = Memory::beside(&home);
        let journey = memory.read().unwrap_or_default();
        let opener = Arc::new(Mutex::new(opener));
        let tools =
            Tools { world, home, opener, consent: Arc::default(), unstored: Arc::default() };
        Self {
            tools,
            journey,
            memory,
            jobs: Jobs::default(),
            done: None,
            objection: None,
            typed: None,
            takes_anybody: false,
            script: None,
        }
    }

    /// Goes on to there, and remembers it.
    fn go(&mut self, journey: Journey) {
        if !journey.is_about_the_same(&self.journey) {
            // What was made or typed for another connection.
            (self.script, self.typed, self.takes_anybody) = (None, None, false);
        }
        if journey != self.journey {
            self.memory.write(&journey);
            self.journey = journey;
        }
    }

    fn target(&self) -> Option<Target> {
        let name = self.journey.target.as_deref()?;
        self.tools.targets().find(name).cloned()
    }

    /// A diagnosis, with buttons for the connection that it is about.
    fn explain(&self, word: &str, query: Option<&str>) -> Reply {
        let Some(code) = Code::find(word) else { return Reply::NotFound };
        let of = query.and_then(|query| query.strip_prefix("of="));
        let around = of.map_or_else(|| self.around(), |name| self.around_profile(name));
        let fixes = around.fixes(&code.entry().hints());
        Reply::page(html(&DiagnosisPage::of(code, fixes, self.ways(of))))
    }

    /// Where one came from, and where else one can go.
    fn ways(&self, of: Option<&str>) -> Vec<Button> {
        let page =
            |title: &str, to: String| Button { title: title.to_owned(), press: Press::Page(to) };
        let mut ways = Vec::new();
        match of.filter(|name| self.known(name).is_some()) {
            Some(name) => ways.push(page(EN.back, format!("/profile/{name}"))),
            None if self.journey.step != Step::Target => {
                ways.push(page(EN.home_resume_go, "/journey".to_owned()));
            }
            None => {}
        }
        ways.push(page(EN.home, "/".to_owned()));
        ways.push(page(EN.diagnosis_all, "/explain".to_owned()));
        ways
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("journey", &self.journey).finish_non_exhaustive()
    }
}

impl Site for Desk {
    fn get(&mut self, path: &str, query: Option<&str>) -> Reply {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            [""] => self.home(),
            ["journey"] => self.step_page(query),
            ["profile", name] => self.profile_page(name),
            ["profile", name, "doctor"] => self.doctor_page(name),
            // Pages that answer a form: whoever opens them anew begins with the profile.
            ["profile", name, "revoke" | "show"] if self.known(name).is_some() => {
                Reply::To(format!("/profile/{name}"))
            }
            ["journey", "now"] | ["profile", _, "now"] => Reply::Json(self.jobs.now()),
            ["profile", name, "hand-over"] => self.hand_over_page(name),
            ["profile", name, "bundle"] => self.passphrase_page(name),
            ["explain"] => Reply::page(html(&words::catalogue(CATALOGUE))),
            ["explain", code] => self.explain(code, query),
            _ => Reply::NotFound,
        }
    }

    fn post(&mut self, path: &str, form: Form) -> Reply {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["begin"] => {
                self.jobs.end();
                self.go(Journey::default());
                Reply::To("/journey".to_owned())
            }
            ["journey"] => self.take(&form),
            ["journey", "value"] => self.journey_value(&form),
            ["journey", "script"] => self.script_file(),
            ["journey", "tokens"] => self.unstored_file(),
            ["finish"] => {
                self.jobs.end();
                self.go(Journey::default());
                Reply::To("/".to_owned())
            }
            ["stop"] => {
                Reply::Goodbye(Shown(StatusCode::OK, Zeroizing::new(html(&words::goodbye()))))
            }
            ["profile", name, action] => self.act(name, action, &form),
            _ => Reply::NotFound,
        }
    }
}

/// The page, whatever it is.
fn shown<P: Page>(page: &P) -> Reply {
    Reply::page(html(page))
}
