//! The fixes of a failure as buttons: what a hint tells somebody at a terminal to run, the pages do;
//! what it tells them to look at, opens in their instance.

use snowtoken::core::diagnosis::{Diagnose, Hint};
use snowtoken::core::profile::Profile;
use snowtoken::core::servicenow::Instance;
use url::form_urlencoded::byte_serialize;

use super::Desk;
use crate::pages::{Button, Done, Fix, Press};
use crate::steps::{Journey, Step};
use crate::texts::EN;

/// What is known where a failure is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    /// The connection it is about.
    profile: Option<String>,
    /// Its instance.
    instance: Option<Instance>,
    /// Its client.
    client_id: Option<String>,
    /// Whether the journey waits for Allow: then it goes on from there.
    allows: bool,
    /// Nobody signs in for it: its client gets the tokens by itself.
    renews_itself: bool,
}

/// What the pages do in place of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    SignIn,
    Client,
    Begin,
    Verify,
    Refresh,
    Revoke,
    Doctor,
    HandOver,
    Overview,
}

/// What a person at a terminal would run, and what does the same here. A command with settings that
/// no page asks for stays a command.
const DEEDS: &[(&str, Deed)] = &[
    ("login", Deed::SignIn),
    ("login --client-id ID", Deed::Client),
    ("login --client-secret-file FILE", Deed::Client),
    ("login --client-id ID --client-secret-file FILE", Deed::Client),
    ("login NAME --client-id ID", Deed::Begin),
    ("login NAME --instance NEW", Deed::Begin),
    ("profile add NAME --target TARGET --instance INSTANCE --client-id ID", Deed::Begin),
    ("setup --checklist --target TARGET", Deed::Begin),
    ("verify", Deed::Verify),
    ("refresh", Deed::Refresh),
    ("revoke", Deed::Revoke),
    ("doctor", Deed::Doctor),
    ("deliver", Deed::HandOver),
    ("deliver --format json", Deed::HandOver),
    ("deliver --output FILE", Deed::HandOver),
    ("status", Deed::Overview),
    ("status --within 14d", Deed::Overview),
    ("profile list", Deed::Overview),
];

/// The tables of the instance whose lists its menus lead to under these words: words, title, table.
const PLACES: &[(&str, &str, &str)] = &[
    ("System OAuth > Application Registry", "Application Registry", "oauth_entity"),
    ("System OAuth > Manage Tokens", "Manage Tokens", "oauth_credential"),
    ("System Logs > All", "System Logs", LOG),
    ("User Administration > Users", "Users", "sys_user"),
    ("System Security > Access Control (ACL)", "Access Control", "sys_security_acl"),
    ("System Security > IP Address Access Control", "IP Address Access Control", "ip_access"),
    ("System Web Services > REST > CORS Rules", "CORS Rules", "sys_cors_rule"),
    ("System Definition > Tables", "Tables", "sys_db_object"),
    ("Knowledge > Administration > Knowledge Bases", "Knowledge Bases", "kb_knowledge_base"),
];
const LOG: &str = "syslog";

impl Around {
    /// A connection that is there.
    pub(super) fn profile(profile: &Profile) -> Self {
        Self {
            profile: Some(profile.name.to_string()),
            instance: Some(profile.instance.clone()),
            client_id: Some(profile.client_id.as_str().to_owned()),
            allows: false,
            renews_itself: profile.grant.renews_itself(),
        }
    }

    /// The connection that is being made. Its profile may not be there yet.
    pub(super) fn journey(journey: &Journey, profile: Option<&Profile>) -> Self {
        let instance = journey.instance.as_deref().and_then(|text| Instance::parse(text).ok());
        Self {
            profile: profile.map(|profile| profile.name.to_string()),
            instance,
            client_id: journey.client_id.clone(),
            allows: journey.step == Step::Allow,
            renews_itself: false,
        }
    }

    /// What to do about it, most helpful first.
    pub(super) fn fixes(&self, hints: &[Hint]) -> Vec<Fix> {
        hints.iter().map(|hint| self.fix(hint)).collect()
    }

    /// The first thing to do about it, with the first button that there is for it here.
    pub(super) fn first(&self, hints: &[Hint]) -> Option<Fix> {
        let fixes = self.fixes(hints);
        let is_ours = |button: &Button| !matches!(button.press, Press::Away(_));
        let button = fixes.iter().find_map(|fix| fix.button.clone().filter(is_ours));
        let mut first = fixes.into_iter().next()?;
        if first.button.is_none() && first.command.is_none() {
            first.button = button;
        }
        Some(first)
    }

    /// The page of this diagnosis, with buttons for the same connection.
    pub(super) fn page_of(&self, code: &str) -> String {
        match &self.profile {
            Some(name) if !self.allows => format!("/explain/{code}?of={name}"),
            _ => format!("/explain/{code}"),
        }
    }

    pub(super) fn fix(&self, hint: &Hint) -> Fix {
        match hint {
            Hint::Run { command, why } => {
                let button = self.deed(command).and_then(|deed| self.does(deed));
                let command = button.is_none().then(|| command.clone());
                Fix { text: why.clone(), command, button }
            }
            Hint::Visit { place, .. } => {
                Fix { button: self.visit(place), ..Fix::said(hint.to_string()) }
            }
            _ => Fix::said(hint.to_string()),
        }
    }

    fn deed(&self, command: &str) -> Option<Deed> {
        let words = command.strip_prefix("snowtoken ")?;
        // A hint may name the connection that it is about.
        let own = self.profile.as_ref().map(|name| format!(" {name}"));
        let words = own.map_or(words.to_owned(), |own| words.replacen(&own, "", 1));
        DEEDS.iter().find(|(known, _)| *known == words).map(|(_, deed)| *deed)
    }

    fn does(&self, deed: Deed) -> Option<Button> {
        let form = |title: &str, path: String| Button {
            title: title.to_owned(),
            press: Press::Form(path, None),
        };
        let own = |title: &str, action: &str| {
            let name = self.profile.as_ref()?;
            Some(form(title, format!("/profile/{name}/{action}")))
        };
        match deed {
            Deed::SignIn if self.allows => Some(Button::consent_again()),
            Deed::Client if self.allows => Some(Button::recheck()),
            Deed::SignIn | Deed::Client if self.renews_itself => None,
            Deed::SignIn => own(EN.profile_again, "again"),
            Deed::Client => own(EN.mishap_recheck, "client"),
            Deed::Refresh => own(EN.profile_refresh, "refresh"),
            Deed::Verify => own(EN.profile_verify, "verify"),
            Deed::Revoke => own(EN.profile_revoke, "revoke"),
            Deed::Doctor => own(EN.profile_doctor, "doctor"),
            Deed::HandOver => own(EN.profile_hand_over, "hand-over"),
            Deed::Begin => Some(form(EN.home_new, "/begin".to_owned())),
            Deed::Overview => {
                let press = Press::Page("/".to_owned());
                Some(Button { title: EN.home.to_owned(), press })
            }
        }
    }

    /// The place in the person's instance.
    fn visit(&self, place: &str) -> Option<Button> {
        let instance = self.instance.as_ref()?;
        let (_, title, table) = PLACES.iter().find(|(words, ..)| place.starts_with(words))?;
        let is_plain = |id: &&String| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let of_client = self.client_id.as_ref().filter(|_| place.contains("> the client"));
        let query = match of_client.filter(is_plain) {
            Some(id) => format!("client_id={id}"),
            None if *table == LOG => "messageLIKEtoken flow^ORDERBYDESCsys_created_on".to_owned(),
            None => String::new(),
        };
        let page = match query.as_str() {
            "" => format!("{table}_list.do"),
            query => format!("{table}_list.do?sysparm_query={}", escaped(query)),
        };
        let href = instance.at(&format!("/nav_to.do?uri={}", escaped(&page))).to_string();
        Some(Button { title: format!("{} {title}", EN.clicks_open), press: Press::Away(href) })
    }
}

/// What went wrong, the first thing to do about it, and the way to its page.
pub(super) fn bad(error: &dyn Diagnose, around: &Around) -> Done {
    let fix = around.first(&error.hints());
    Done::bad(format!("{error}."), fix, around.page_of(error.code().entry().code))
}

impl Desk {
    /// Around a failure of the journey.
    pub(super) fn around(&self) -> Around {
        let known = self.journey.profile.as_deref().and_then(|name| self.known(name));
        Around::journey(&self.journey, known.as_ref().map(|(profile, _)| profile))
    }

    /// Around a failure of a connection that is there.
    pub(super) fn around_profile(&self, name: &str) -> Around {
        let known = self.known(name);
        known.map(|(profile, _)| Around::profile(&profile)).unwrap_or_default()
    }
}

/// A blank as `%20`: whether a plus sign would be read as one depends on who reads.
fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use snowtoken::core::diagnosis::CATALOGUE;

    use super::*;

    /// What only a terminal does: settings that no page asks for, other machines, programs.
    const TERMINAL: [&str; 20] = [
        "deliver --check",
        "doctor --restore",
        "exec -- PROGRAM",
        "help",
        "login --expect-user NAME",
        "login --grant client-credentials",
        "login --key-file FILE",
        "login --no-browser",
        "login --no-scope",
        "login --no-verify",
        "login --redirect-uri http://127.0.0.1:8456/callback",
        "profile set NAME --refresh-token-lifespan 365d",
        "rehearse --yes",
        "setup --rotate-secret",
        "target check FILE",
        "target path",
        "target show NAME",
        "target show TARGET",
        "target show nice-knowledge-hub",
        "token",
    ];

    fn around() -> Around {
        Around {
            profile: Some("acme".to_owned()),
            instance: Some(Instance::parse("acme").unwrap()),
            client_id: Some("0123".to_owned()),
            allows: false,
            renews_itself: false,
        }
    }

    fn commands() -> Vec<String> {
        let hints = CATALOGUE.iter().flat_map(|(_, entry)| entry.hints());
        let run = |hint| match hint {
            Hint::Run { command, .. } => Some(command),
            _ => None,
        };
        hints.filter_map(run).collect()
    }

    #[test]
    fn every_command_of_the_catalogue_is_a_button_or_known_to_need_a_terminal() {
        let mut left: Vec<String> =
            commands().into_iter().filter(|command| around().deed(command).is_none()).collect();
        for command in &mut left {
            *command = command.replacen("snowtoken ", "", 1);
        }
        left.sort();
        left.dedup();
        assert_eq!(left, TERMINAL);
    }

    #[test]
    fn every_deed_is_asked_for_by_the_catalogue() {
        let asked = commands();
        for (command, _) in DEEDS {
            assert!(asked.contains(&format!("snowtoken {command}")), "{command}");
        }
    }

    #[test]
    fn in_a_journey_it_goes_on_from_there() {
        let hint = Hint::run("snowtoken login", "again");
        let there = around().fix(&hint).button.unwrap();
        assert_eq!(there.press, Press::Form("/profile/acme/again".to_owned(), None));
        let here = Around { allows: true, ..around() }.fix(&hint).button.unwrap();
        assert_eq!(here, Button::consent_again());
        let nowhere = Around::default().fix(&hint);
        assert_eq!((nowhere.button, nowhere.command.as_deref()), (None, Some("snowtoken login")));
        let by_itself = Around { renews_itself: true, ..around() }.fix(&hint);
        assert_eq!(by_itself.command.as_deref(), Some("snowtoken login"));
    }

    #[test]
    fn a_hint_that_names_the_connection_is_about_it() {
        let fix = around().fix(&Hint::run("snowtoken verify acme", "says whose it is"));
        assert_eq!(fix.button.unwrap().press, Press::Form("/profile/acme/verify".to_owned(), None));
        let other = around().fix(&Hint::run("snowtoken verify other", "says whose it is"));
        assert_eq!(other.button, None);
    }

    #[test]
    fn a_place_opens_in_the_instance() {
        let place = "System OAuth > Application Registry > the client > Client Secret";
        let fix = around().fix(&Hint::visit(place, "make a new one"));
        assert_eq!(
            fix.button.unwrap().press,
            Press::Away(
                "https://acme.service-now.com/nav_to.do?uri=oauth_entity_list.do%3Fsysparm_query%3Dclient_id%253D0123"
                    .to_owned()
            )
        );
        assert_eq!(around().fix(&Hint::visit("Elsewhere", "x")).button, None);
    }
}
