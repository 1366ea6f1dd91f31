//! The client made over the Table API, by the same library as `setup --apply`. The administrator's
//! password is used for that and kept nowhere.

use snowtoken::core::diagnosis::Diagnose as _;
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::printable::Printable;
use snowtoken::core::profile::Profile;
use snowtoken::core::setup::ClientPlan;
use snowtoken::core::setup::apply::{Authority, Fate, Item, Orders, Search, can_be_looked_up};
use snowtoken::core::setup::probe::PlaceVerdict;
use snowtoken::setup::{self, Making};
use snowtoken::{Error, Secret, Session, session};

use super::job::{Applied, Work};
use super::{Desk, Objected, Tools};
use crate::pages::{Finding, Trouble};
use crate::site::{Form, Reply};
use crate::texts::EN;

/// The longest name of a user.
const LONGEST: usize = 100;

/// What is to be made, by whom.
struct Wish {
    /// The profile; its client ID is not known before the instance was asked.
    profile: Profile,
    plan: ClientPlan,
    authority: Authority,
}

impl Desk {
    pub(super) fn take_apply(&mut self, form: &Form) -> Reply {
        let page = || Reply::To("/journey".to_owned());
        if matches!(self.jobs.work(), Work::Applying) {
            // A second press of the button, or a second tab.
            return page();
        }
        match self.apply_wish(form) {
            Ok(wish) => {
                let tools = self.tools.clone();
                let begun = self.jobs.begin(Work::Applying, move |ticket| {
                    let applied = match make(&tools, wish) {
                        Ok((id, lines)) => Applied::Made(id, lines),
                        Err(error) => Applied::Not(trouble(&error)),
                    };
                    ticket.tell(Work::Applied(applied));
                });
                begun.soon("/journey")
            }
            Err(trouble) => {
                self.jobs.end();
                let user = form.text("user").map(|user| ("user", user.to_owned()));
                let typed = user.into_iter().collect();
                self.objection =
                    Some(Objected { typed, trouble: Some(trouble), ..Objected::default() });
                page()
            }
        }
    }

    fn apply_wish(&self, form: &Form) -> Result<Wish, Trouble> {
        let unfit = |text: &str| Trouble { text: text.to_owned(), code: None };
        let user_name = form.text("user").unwrap_or_default().to_owned();
        let fits = (1..=LONGEST).contains(&user_name.chars().count())
            && !user_name.contains(':')
            && Printable(&user_name).to_string() == user_name;
        if !fits {
            return Err(unfit(EN.apply_user_unfit));
        }
        let password = form.secret("password").filter(|password| !password.is_empty());
        let password = password.cloned().ok_or_else(|| unfit(EN.apply_password_missing))?;
        let astray = || Trouble { text: EN.astray.to_owned(), code: Some("setting-missing") };
        let target = self.target().ok_or_else(astray)?;
        let mut plan = self.plan(&target).ok_or_else(astray)?;
        let mut journey = self.journey.clone();
        // Until the instance was asked, any ID stands in.
        let planned = journey.client_id.get_or_insert_with(|| "unknown".to_owned()).clone();
        let profile = self.profile_of(&journey).ok_or_else(astray)?;
        if profile.authentication == AuthenticationMethod::None {
            return Err(unfit(EN.apply_public));
        }
        let known = self.tools.profile(&profile.name).ok().map(|known| known.client_id);
        let begun = self.journey.client_id.is_some().then(|| ClientId::parse(&planned).ok());
        plan.client_id = known.or(begun.flatten());
        let id = plan.client_id.as_ref().map(ClientId::as_str);
        let words = [plan.name.as_str()].into_iter().chain(plan.scopes.iter().map(String::as_str));
        if !words.chain(id).all(can_be_looked_up) {
            return Err(unfit(EN.apply_not_looked_up));
        }
        Ok(Wish { profile, plan, authority: Authority::Basic { user_name, password } })
    }
}

/// Looks for the client, makes or mends it, and tries it as far as nobody has to sign in for that.
fn make(tools: &Tools, wish: Wish) -> Result<(String, Vec<Finding>), Error> {
    let Wish { profile, plan, authority } = wish;
    let world = &tools.world;
    let store = tools.present_store(&profile.name)?;
    // Whoever comes second finds the client.
    let _lock = session::lock(&tools.home.data, &profile.name)?;
    let search = Search::new(profile.instance.clone(), authority.clone(), &plan);
    let found = setup::search(world, search)?;
    let client_id = setup::client_id(world, &plan, &found)?;
    let profile = Profile { client_id, ..profile };
    let session = Session::with_store(world.clone(), tools.home.clone(), profile, store);
    let orders =
        Orders { exact_lifespans: false, dry_run: false, enable_client_credentials: false };
    let making = Making {
        world,
        home: &tools.home,
        plan: &plan,
        session: &session,
        given: None::<Secret>,
        orders,
    };
    let items = making.prepare(authority, &found)?.carry_out(|_| {})?;
    let mut lines: Vec<Finding> = items.iter().map(line).collect();
    lines.push(tried(setup::place(world, session.profile())));
    Ok((session.profile().client_id.as_str().to_owned(), lines))
}

fn line(item: &Item) -> Finding {
    let (kind, text) = match &item.fate {
        Fate::Made => ("pass", EN.applied_made.to_owned()),
        Fate::Changed { from, to } => {
            let from = if from.is_empty() { EN.applied_nothing } else { from };
            ("pass", format!("{}: {from} → {to}", EN.applied_changed))
        }
        Fate::AsItWas(None) => ("pass", EN.applied_as_it_was.to_owned()),
        Fate::AsItWas(Some(note)) => ("pass", format!("{}: {note}", EN.applied_as_it_was)),
        Fate::Skipped(why) => ("warn", format!("{}: {why}", EN.applied_skipped)),
        Fate::CouldNot { why, who } => ("fail", format!("{}: {why}; {who}", EN.applied_could_not)),
    };
    let text = Printable(&text).to_string();
    Finding { kind, name: Printable(&item.what).to_string(), text }
}

/// What the authorization endpoint makes of client and redirect URI.
fn tried(verdict: Result<PlaceVerdict, Error>) -> Finding {
    let (kind, text) = match verdict {
        Ok(PlaceVerdict::Taken) => ("pass", EN.applied_taken.to_owned()),
        Ok(PlaceVerdict::RedirectUriUnknown) => ("fail", EN.applied_uri_unknown.to_owned()),
        Ok(PlaceVerdict::ClientUnknown) => ("fail", EN.applied_client_unknown.to_owned()),
        Ok(PlaceVerdict::Unknown) => ("unknown", EN.applied_place_unknown.to_owned()),
        Err(error) => ("unknown", error.to_string()),
    };
    Finding { kind, name: EN.applied_place.to_owned(), text }
}

fn trouble(error: &Error) -> Trouble {
    Trouble { text: format!("{error}."), code: Some(error.code().entry().code) }
}
