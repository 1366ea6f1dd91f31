//! Hooks: commands of the person's own that are run when something happened to a profile.
//!
//! They stand in `config.toml`, table `[hooks]`, one line for the shell each: `refreshed`,
//! `deadline`, `rejected`, `revoked`. What happened is told by variables ([`variables::HOOKS`]) and
//! by one JSON object on standard input; neither ever holds a secret. A hook runs after the change
//! is durable; it has half a minute, and whatever it does, the command that ran it goes on.
//!
//! Nothing here is run by the library on its own account: a [`Session`](crate::Session) tells an
//! [`Observer`] what happened, if it was given one, and that is all.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use snowtoken_core::keeper::Change;
use snowtoken_core::printable::Printable;
use snowtoken_core::profile::{Profile, ProfileName};
use snowtoken_core::token_set::Deadline;

use crate::delivery::moment;
use crate::driver;
use crate::errand::{Errand, ErrandError};
use crate::variables::{self, Variable};
use crate::world::Environment;

/// How long a hook may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Names of servers can be of any length; this much of them is told, in characters.
const LONGEST_NAME: usize = 200;

/// When a hook is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// New tokens are stored.
    Refreshed,
    /// The refresh token's end came nearer than 30, 14, 7 or 1 days, or is over.
    Deadline,
    /// The refresh token was found dead: a person must log in.
    Rejected,
    /// The tokens were revoked, and forgotten here.
    Revoked,
}

impl Occasion {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Refreshed, Self::Deadline, Self::Rejected, Self::Revoked];

    /// Its name in `config.toml` and in what hooks are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refreshed => "refreshed",
            Self::Deadline => "deadline",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
        }
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happened, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// What.
    pub what: What,
    /// To which profile.
    pub profile: ProfileName,
    /// Its instance's URL.
    pub instance: String,
    /// The product its tokens are for.
    pub target: String,
    /// Whose tokens they are, as the instance named them.
    pub user: Option<String>,
    /// When.
    pub at: Timestamp,
    /// When the access token ends; `None` if there is none any more.
    pub access_end: Option<Deadline>,
    /// When the refresh token ends, if that is known and there is one.
    pub refresh_end: Option<Deadline>,
}

/// The kind of a [`Happening`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// New tokens, and what is new about them.
    Refreshed(Change),
    /// So many days before its end, one of [`DAYS`](snowtoken_core::keeper::warning::DAYS).
    Deadline(u8),
    /// The refresh token is dead.
    Rejected,
    /// Revoked and forgotten.
    Revoked,
}

impl Happening {
    /// Something that happened to a profile.
    pub fn of(
        what: What,
        profile: &Profile,
        user: Option<&str>,
        at: Timestamp,
        access_end: Option<Deadline>,
        refresh_end: Option<Deadline>,
    ) -> Self {
        Self {
            what,
            profile: profile.name.clone(),
            instance: profile.instance.url().to_owned(),
            target: profile.target.clone(),
            user: user.map(|name| name.chars().take(LONGEST_NAME).collect()),
            at,
            access_end,
            refresh_end,
        }
    }

    /// Which hook it is for.
    pub fn occasion(&self) -> Occasion {
        match self.what {
            What::Refreshed(_) => Occasion::Refreshed,
            What::Deadline(_) => Occasion::Deadline,
            What::Rejected => Occasion::Rejected,
            What::Revoked => Occasion::Revoked,
        }
    }

    /// Whole days until the refresh token's end; 0 when it is over or less than a day away.
    pub fn days_left(&self) -> Option<i64> {
        let left = self.refresh_end?.at.duration_since(self.at);
        Some((left.as_secs() / 86_400).max(0))
    }

    fn threshold(&self) -> Option<u8> {
        match self.what {
            What::Deadline(days) => Some(days),
            _ => None,
        }
    }

    fn change(&self) -> Option<&'static str> {
        match self.what {
            What::Refreshed(change) => Some(driver::describe(change)),
            _ => None,
        }
    }

    /// The variables a hook finds; what is not known is not set.
    pub fn variables(&self) -> Vec<(&'static Variable, String)> {
        let number = |number: i64| number.to_string();
        let user = self.user.as_deref().map(|user| Printable(user).to_string());
        let all: [(&Variable, Option<String>); 12] = [
            (&variables::HOOK, Some(self.occasion().to_string())),
            (&variables::PROFILE, Some(self.profile.to_string())),
            (&variables::INSTANCE, Some(self.instance.clone())),
            (&variables::TARGET, Some(self.target.clone())),
            (&variables::HOOK_USER, user),
            (&variables::HOOK_AT, Some(moment(self.at))),
            (&variables::HOOK_CHANGE, self.change().map(str::to_owned)),
            (&variables::HOOK_ACCESS_END, self.access_end.map(|end| moment(end.at))),
            (&variables::HOOK_DEADLINE, self.refresh_end.map(|end| moment(end.at))),
            (&variables::HOOK_KNOWN_BY, self.refresh_end.map(|end| end.known_by.to_string())),
            (&variables::HOOK_DAYS_LEFT, self.days_left().map(number)),
            (&variables::HOOK_THRESHOLD, self.threshold().map(|days| days.to_string())),
        ];
        all.into_iter().filter_map(|(variable, value)| Some((variable, value?))).collect()
    }

    /// The same as one JSON object; what is not known is `null`.
    pub fn json(&self) -> String {
        json!({
            "version": 1,
            "hook": self.occasion().as_str(),
            "profile": self.profile.as_str(),
            "instance": self.instance,
            "target": self.target,
            "user": self.user,
            "at": moment(self.at),
            "change": self.change(),
            "access_token_expires_at": self.access_end.map(|end| moment(end.at)),
            "refresh_token_expires_at": self.refresh_end.map(|end| moment(end.at)),
            "refresh_token_expiry_known_by": self.refresh_end.map(|end| end.known_by.as_str()),
            "days_left": self.days_left(),
            "threshold_days": self.threshold(),
        })
        .to_string()
    }
}

/// Somebody who is told what happened, on the thread on which it happened and right then: it must
/// not take long.
pub type Observer = Arc<dyn Fn(Happening) + Send + Sync>;

/// The table `[hooks]`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    lines: [Option<String>; 4],
    /// Whether `keep` shows notifications on the desktop.
    pub notify: bool,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { lines: [const { None }; 4], notify: true }
    }
}

impl Hooks {
    /// The line for the shell, if there is one for this occasion.
    pub fn line(&self, occasion: Occasion) -> Option<&str> {
        self.lines[occasion as usize].as_deref()
    }

    /// Sets or takes away the line for an occasion.
    pub fn set_line(&mut self, occasion: Occasion, line: Option<String>) {
        self.lines[occasion as usize] = line;
    }

    /// Whether there is any line at all.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(Option::is_none)
    }

    /// Runs the hook for what happened, if there is one, and waits for its end.
    ///
    /// # Errors
    /// If it could not be started, failed, or took longer than [`PATIENCE`]. Nothing else is to be
    /// made of that than a warning.
    pub fn run(&self, happening: &Happening) -> Result<(), HookError> {
        self.run_within(happening, PATIENCE)
    }

    fn run_within(&self, happening: &Happening, patience: Duration) -> Result<(), HookError> {
        let occasion = happening.occasion();
        let Some(line) = self.line(occasion) else { return Ok(()) };
        let mut errand = Errand::shell(line, patience);
        for (variable, value) in happening.variables() {
            errand.variable(variable.name, &value);
        }
        errand.input(format!("{}\n", happening.json()).into_bytes());
        log::info!("{}: running the hook `{occasion}`", happening.profile);
        errand.run().map_err(|source| HookError {
            occasion,
            profile: happening.profile.clone(),
            source,
        })
    }
}

/// The program is about to end: hooks, those under way as well, get five seconds from now on.
pub fn hurry() {
    crate::errand::hurry();
}

/// Whether this process was itself started by a hook: then it runs none, or a hook that refreshes
/// would run itself for ever.
pub fn is_inside_one(environment: &Environment) -> bool {
    environment.get(&variables::HOOK).is_some()
}

/// A hook that did not do what it should.
#[derive(Debug, thiserror::Error)]
#[error("the hook `{occasion}` for profile \"{profile}\" failed: {source}")]
pub struct HookError {
    occasion: Occasion,
    profile: ProfileName,
    source: ErrandError,
}

#[cfg(test)]
mod tests {
    use snowtoken_core::keeper::RefreshTokenChange;
    use snowtoken_core::token_set::KnownBy;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn happening(what: What) -> Happening {
        let end = |second| Some(Deadline { at: at(second), known_by: KnownBy::Derived });
        Happening {
            what,
            profile: ProfileName::parse("dev").unwrap(),
            instance: "https://classics.service-now.com".into(),
            target: "nice-knowledge-hub".into(),
            user: Some("abel\u{1b}[31m\0tuter".into()),
            at: at(0),
            access_end: end(1_800),
            refresh_end: end(86_400 * 7 - 1),
        }
    }

    #[test]
    fn variables_and_json_tell_the_same() {
        let deadline = happening(What::Deadline(7));
        let told = deadline.variables();
        let said = |variable: &Variable| {
            told.iter().find(|(v, _)| *v == variable).map(|(_, value)| value.as_str())
        };
        assert_eq!(said(&variables::HOOK), Some("deadline"));
        assert_eq!(said(&variables::HOOK_DAYS_LEFT), Some("6"));
        assert_eq!(said(&variables::HOOK_THRESHOLD), Some("7"));
        assert_eq!(said(&variables::HOOK_CHANGE), None);
        assert_eq!(said(&variables::HOOK_USER), Some("abel\\u{1b}[31m\\u{0}tuter"));
        let json: serde_json::Value = serde_json::from_str(&deadline.json()).unwrap();
        assert_eq!((&json["version"], &json["days_left"]), (&json!(1), &json!(6)));
        assert_eq!(json["refresh_token_expiry_known_by"], "derived");
        assert_eq!(json["hook"], "deadline");
        assert!(variables::HOOKS.iter().all(|variable| {
            told.iter().any(|(v, _)| *v == variable) || *variable == variables::HOOK_CHANGE
        }));
    }

    #[test]
    fn what_is_over_has_no_days_left() {
        let mut over = happening(What::Deadline(0));
        over.at = at(86_400 * 30);
        assert_eq!(over.days_left(), Some(0));
        over.refresh_end = None;
        assert_eq!(over.days_left(), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_hook_reads_its_input_and_its_failure_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("said");
        let mut hooks = Hooks::default();
        hooks.set_line(Occasion::Refreshed, Some(format!("cat >'{}'", file.display())));
        let change = Change {
            access_token_is_new: true,
            access_end_moved: true,
            refresh_token: RefreshTokenChange::Kept,
        };
        let refreshed = happening(What::Refreshed(change));
        hooks.run(&refreshed).unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), format!("{}\n", refreshed.json()));
        hooks.run(&happening(What::Revoked)).unwrap();

        hooks.set_line(Occasion::Rejected, Some("exit 7".into()));
        let error = hooks.run(&happening(What::Rejected)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the hook `rejected` for profile \"dev\" failed: it ended with exit status: 7"
        );
        hooks.set_line(Occasion::Rejected, Some("sleep 60".into()));
        let error =
            hooks.run_within(&happening(What::Rejected), Duration::from_millis(200)).unwrap_err();
        assert!(error.to_string().ends_with("it did not end within 0 s and was ended"), "{error}");
    }
}
