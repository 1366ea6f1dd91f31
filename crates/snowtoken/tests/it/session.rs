//! A session over a store in memory, a scripted transport and a clock moved by hand.

mod handed_out;
mod ledger;
mod own_grant;
mod refresh;
mod revoke;
mod rotating;
mod stores;

use std::sync::Arc;
use std::time::Duration;

use snowtoken::core::keeper::Progress;
use snowtoken::core::ledger::Facts;
use snowtoken::core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken::core::profile::{Assertion, Grant, Profile};
use snowtoken::core::servicenow::{Instance, Lifespans};
use snowtoken::core::token_set::{Deadline, Generation, KnownBy, TokenSet};
use snowtoken::home::Home;
use snowtoken::store::{Draft, Record, RecordState, TokenStore};
use snowtoken::world::Clock as _;
use snowtoken::{ProfileName, Secret, Session};
use tempfile::TempDir;

use crate::support::scripted::{ManualClock, Scripted, scripted};
use crate::support::shared_store::SharedStore;

const MINUTE: Duration = Duration::from_mins(1);

/// A session, and everything around it.
struct Scene {
    session: Session,
    script: Arc<Scripted>,
    clock: Arc<ManualClock>,
    store: SharedStore,
    _folder: TempDir,
}

impl Scene {
    /// Tokens whose access token lives for another half an hour.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home {
            config_file: folder.path().join("home/config.toml"),
            data: folder.path().join("home"),
        };
        let (world, script, clock) = scripted();
        let mut store = SharedStore::default();
        let profile = profile("https://acme.service-now.com");
        fill(&mut store, &profile, clock.now());
        let session = Session::with_store(world, home, profile, Box::new(store.clone()));
        Self { session, script, clock, store, _folder: folder }
    }

    /// The same, half an hour later.
    fn expired() -> Self {
        let scene = Self::new();
        scene.clock.advance(31 * MINUTE);
        scene
    }

    fn record(&self) -> Record {
        self.store.get().load(&name()).unwrap().unwrap()
    }

    /// The refresh tokens that were sent, in order.
    fn sent_refresh_tokens(&self) -> Vec<String> {
        self.script.sent().iter().filter_map(|sent| sent.form("refresh_token")).collect()
    }
}

fn name() -> ProfileName {
    ProfileName::parse("dev").unwrap()
}

pub(crate) fn profile(instance: &str) -> Profile {
    Profile {
        name: name(),
        instance: Instance::parse(instance).unwrap(),
        client_id: ClientId::parse("0123456789abcdef0123456789abcdef").unwrap(),
        authentication: AuthenticationMethod::Post,
        grant: Grant::AuthorizationCode,
        assertion: Assertion::default(),
        redirect_uri: None,
        scope: None,
        lifespans: Lifespans::default(),
        target: "nice-knowledge-hub".to_owned(),
        region: None,
        credentials_file: true,
    }
}

/// Puts the first tokens and the client secret into a store.
fn fill(store: &mut dyn TokenStore, profile: &Profile, now: snowtoken::core::Timestamp) {
    let binding = snowtoken::session::binding(profile);
    store.set_client_secret(&profile.name, &binding, &Secret::new("s3cret")).unwrap();
    let draft = draft(profile, "old", now);
    store.save(&profile.name, Generation::NONE, &draft, None).unwrap();
}

/// Tokens whose texts end in `tag`.
pub(crate) fn draft(profile: &Profile, tag: &str, now: snowtoken::core::Timestamp) -> Draft {
    let end =
        |duration| Deadline { at: now.checked_add(duration).unwrap(), known_by: KnownBy::Stated };
    Draft {
        binding: snowtoken::session::binding(profile),
        tokens: TokenSet {
            access_token: Secret::new(format!("access-{tag}")),
            refresh_token: Some(Secret::new(format!("refresh-{tag}"))),
            authorization_code: None,
            scope: Some("useraccount".to_owned()),
            issued_at: now,
            granted_at: now,
            access_expires_at: end(30 * MINUTE),
            refresh_expires_at: Some(end(100 * 24 * 60 * MINUTE)),
        },
        user: None,
        state: RecordState::Held,
        progress: Progress::default(),
        facts: Facts::default(),
    }
}

/// A token answer.
fn tokens(access: &str, refresh: Option<&str>, seconds: u32) -> String {
    let refresh = refresh.map_or(String::new(), |token| format!(r#""refresh_token":"{token}","#));
    format!(
        r#"{{"access_token":"{access}",{refresh}"scope":"useraccount","token_type":"Bearer","expires_in":{seconds}}}"#
    )
}

/// ServiceNow's answer to nearly everything.
pub(crate) const REFUSAL: &str = r#"{"error_description":"access_denied","error":"server_error"}"#;
