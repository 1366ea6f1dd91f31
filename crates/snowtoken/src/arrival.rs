//! What a login changes for those who log in again, and what it says about that: the facts that go
//! on, the tokens from before, deadlines that differ, and whose tokens these are.

use jiff::{SignedDuration, Timestamp};
use snowtoken_core::keeper::Progress;
use snowtoken_core::ledger::{Facts, Observation, observe};
use snowtoken_core::oauth::token::add_seconds;
use snowtoken_core::printable::Printable;
use snowtoken_core::profile::{Profile, ProfileName};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::Concern;
use snowtoken_core::token_set::{Deadline, KnownBy, User};
use snowtoken_store::{AuditEntry, Draft, Record, RecordState, TokenStore};

use crate::config;
use crate::delivery::moment;
use crate::error::Error;
use crate::home::Home;
use crate::login::LoggedIn;
use crate::session;

/// Which lifespans somebody has just looked up, and said so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stated {
    /// The access token's.
    pub access: bool,
    /// The refresh token's.
    pub refresh: bool,
}

/// What there was before this login.
#[derive(Debug, Default)]
pub struct Before {
    facts: Facts,
    record: Option<Record>,
}

impl Before {
    /// Whatever cannot be read was not there: this login is about what comes.
    pub fn read(store: &dyn TokenStore, profile: &Profile) -> Self {
        let binding = session::binding(profile);
        // How the instance behaves is as true after this login as before it.
        let standing = store.standing(&profile.name).ok().flatten();
        let known = standing
            .filter(|standing| standing.held.as_ref().is_none_or(|held| held.binding == binding));
        let record = store.load(&profile.name).ok().flatten();
        Self { facts: known.map(|standing| standing.facts).unwrap_or_default(), record }
    }

    /// The facts after the login; the deadline is counted by them where nothing better was read.
    pub fn settle(&self, stated: Stated, done: &mut LoggedIn) -> Facts {
        let mut facts = observe(self.facts.clone(), &Observation::Consented);
        if stated.refresh {
            // Somebody has just looked it up: what was read long ago is older.
            facts.refresh_lifespan = None;
        }
        if stated.access {
            facts.access_lifespan = None;
        }
        if !self.is_same_user(done) {
            facts.concerns.clear();
        }
        let tokens = &mut done.tokens;
        let is_guess = tokens.refresh_expires_at.is_some_and(|e| e.known_by == KnownBy::Derived);
        if let Some(life) = facts.refresh_lifespan.filter(|_| is_guess) {
            let at = add_seconds(tokens.granted_at, life);
            tokens.refresh_expires_at = Some(Deadline { at, known_by: KnownBy::Derived });
        }
        done.learnt.added_to(facts, &done.tokens)
    }

    fn user(&self) -> Option<&str> {
        self.record.as_ref()?.user.as_ref()?.name()
    }

    fn is_same_user(&self, done: &LoggedIn) -> bool {
        let before = self.record.as_ref().and_then(|record| record.user.as_ref());
        match (before, &done.user) {
            (Some(before), Some(now)) if before.sys_id.is_some() => before.sys_id == now.sys_id,
            (Some(before), Some(now)) => before.name() == now.name(),
            _ => false,
        }
    }

    /// What becomes of the tokens from before: nothing is revoked by a login.
    pub fn earlier_tokens(&self, profile: &Profile, done: &LoggedIn) -> Option<String> {
        let record = self.record.as_ref()?;
        let until = match (&record.tokens.refresh_token, record.tokens.refresh_expires_at) {
            (Some(_), Some(end)) => format!("until {} ({})", moment(end.at), end.known_by),
            (Some(_), None) => "until an end that is not known".to_owned(),
            (None, _) => format!("until {}", moment(record.tokens.access_expires_at.at)),
        };
        if record.binding != session::binding(profile) {
            let binding = &record.binding;
            let whose = format!("{} and client {}", binding.instance, binding.client_id);
            return Some(format!(
                "warning: the tokens from before were for {}; they were not revoked and live on there {until}",
                Printable(&whose)
            ));
        }
        let now = done.user.as_ref().and_then(User::name)?;
        let before = self.user()?;
        if !self.is_same_user(done) {
            return Some(format!(
                "warning: the tokens from before belonged to {}, these to {}; the earlier ones were not revoked \
                 and live on at the instance {until}",
                Printable(before),
                Printable(now)
            ));
        }
        Some(if record.tokens.refresh_token == done.tokens.refresh_token {
            self.prolonged(done)
        } else {
            "The tokens from before were replaced on this machine. They were not revoked: an instance keeps one \
             pair for a client and a user, and ending the old might end the new."
                .to_owned()
        })
    }

    fn prolonged(&self, done: &LoggedIn) -> String {
        let same = "The instance keeps one pair of tokens for this client and user: the refresh token is the \
                    same as before";
        // Rows hold whole seconds: of two consents in one second nothing can be told.
        let read = self.facts.read_end.filter(|read| {
            done.tokens.granted_at.duration_since(read.granted_at) > SignedDuration::from_secs(2)
        });
        if read.zip(done.learnt.refresh_end).is_some_and(|(before, now)| now <= before.end) {
            format!("warning: {same}, and this consent did not give it a later end.")
        } else {
            format!("{same}, with a new end. Nothing was revoked.")
        }
    }
}

/// Where the client's record and the profile disagree, the record is right.
pub fn lifespans_differ(
    name: &ProfileName,
    on_record: Option<i64>,
    in_profile: Option<i64>,
) -> Option<String> {
    let (record, profile) = on_record.zip(in_profile)?;
    (record != profile).then(|| {
        format!(
            "warning: the client's record says {record} s, the profile {profile} s: deadlines follow the record. \
             To change it, set Refresh Token Lifespan on the client and log in again; to make the profile \
             agree: `snowtoken profile set {name} --refresh-token-lifespan {record}`"
        )
    })
}

/// What is to be known about the token's user, with what to do about it.
pub fn user_concerns(facts: &Facts) -> impl Iterator<Item = String> {
    let known = facts.concerns.iter().filter_map(|word| Concern::find(word));
    known.map(|concern| format!("warning: {}", concern.advice()))
}

/// Stores what a login brought: the tokens first, then what the next login needs. Each is durable
/// when its call returns. The caller holds the profile's lock.
///
/// # Errors
/// If the store or the configuration cannot be written.
pub fn keep(
    store: &mut dyn TokenStore,
    home: &Home,
    profile: &Profile,
    secret: Option<&Secret>,
    done: &LoggedIn,
    facts: &Facts,
    at: Timestamp,
) -> Result<(), Error> {
    let name = &profile.name;
    let draft = Draft {
        binding: session::binding(profile),
        tokens: done.tokens.clone(),
        user: done.user.clone(),
        state: RecordState::Held,
        progress: Progress::default(),
        facts: facts.clone(),
    };
    let audit = AuditEntry {
        at,
        profile: name.clone(),
        event: "grant".to_owned(),
        outcome: "done".to_owned(),
        detail: profile.grant.as_str().to_owned(),
    };
    let generation = store.generation(name)?;
    store.save(name, generation, &draft, Some(&audit))?;
    if let Some(secret) = secret {
        store.set_client_secret(name, &session::binding(profile), secret)?;
    }
    let profile = profile.clone();
    Ok(config::update(home, move |config| config.put(profile))?)
}
