//! `config.toml`: text → profiles and back. Comments and order that a person chose are kept. The
//! file holds no secret; it is judged whole before anything in it is used.

mod file;
mod hooks;
mod outline;
mod write;

use std::ops::RangeInclusive;

use snowtoken_core::diagnosis::{Code, Diagnose};
use snowtoken_core::oauth::Scope;
use snowtoken_core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken_core::oauth::jwt::Claim;
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::printable::Printable;
use snowtoken_core::profile::{Assertion, Grant, Profile, ProfileName};
use snowtoken_core::servicenow::{Instance, Lifespans, parse_lifespan};
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use crate::hooks::Hooks;
use crate::targets;

pub(crate) use file::ours_alone;
pub use file::{ConfigFileError, Stamp, load, load_outline, names_plainly, stamp, trusted, update};
pub use outline::{Entry, Outline};

/// The form of the file; a higher one is left alone.
const VERSION: i64 = 1;

/// The keys of a profile; others are refused, so that a misspelt one is noticed.
const KEYS: &[&str] = &[
    "instance",
    "client_id",
    "client_authentication",
    "grant",
    "target",
    "region",
    "redirect_uri",
    "scope",
    "access_token_lifespan",
    "refresh_token_lifespan",
    "credentials_file",
    "subject",
    "key_id",
];

/// The lifespans that can be, in seconds: up to a hundred years.
const LIFESPANS: RangeInclusive<i64> = 1..=3_155_760_000;

/// Whether there is a target of that name.
pub type Known<'a> = &'a dyn Fn(&str) -> bool;

/// The configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    document: DocumentMut,
    profiles: Vec<Profile>,
    hooks: Hooks,
}

/// What is wrong with the text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is no TOML.
    #[error("the configuration is no TOML: {0}")]
    Syntax(String),
    /// It was written by a newer version.
    #[error("the configuration has form {0}; this version knows form {VERSION}")]
    Newer(i64),
    /// A value that cannot be used.
    #[error("profile \"{}\": {key}: {reason}", Printable(.profile))]
    Value {
        /// Which profile.
        profile: String,
        /// Which key.
        key: String,
        /// Why not.
        reason: String,
    },
    /// A value of the table `[hooks]` that cannot be used.
    #[error("hooks{}: {reason}", Printable(.key))]
    Hook {
        /// Which key, with a dot before it; nothing for the table itself.
        key: String,
        /// Why not.
        reason: &'static str,
    },
    /// Something that does not belong here.
    #[error("the configuration has an unknown entry \"{}\"", Printable(.0))]
    Unknown(String),
}

impl Diagnose for ConfigError {
    fn code(&self) -> Code {
        Code::ConfigInvalid
    }
}

impl Default for Config {
    fn default() -> Self {
        let mut document = DocumentMut::new();
        document["version"] = value(VERSION);
        if let Some(version) = document["version"].as_value_mut() {
            version.decor_mut().set_suffix("\n");
        }
        Self { document, profiles: Vec::new(), hooks: Hooks::default() }
    }
}

impl Config {
    /// Judges a text.
    ///
    /// # Errors
    /// The first thing that is wrong, by profile and key.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::parse_knowing(text, &targets::is_built_in)
    }

    /// Judges a text in which targets may be named that do not come with the program.
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn parse_knowing(text: &str, known: Known<'_>) -> Result<Self, ConfigError> {
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            // The library quotes the line; nobody knows what somebody put there by mistake.
            let line = error
                .span()
                .map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            ConfigError::Syntax(format!(
                "line {line}: {}",
                error.message().lines().next().unwrap_or_default()
            ))
        })?;
        for (key, item) in document.iter() {
            match (key, item.as_integer()) {
                ("version", Some(VERSION)) | ("profile" | "hooks", _) => {}
                ("version", Some(other)) if other > VERSION => {
                    return Err(ConfigError::Newer(other));
                }
                _ => return Err(ConfigError::Unknown(key.to_owned())),
            }
        }
        let mut profiles = Vec::new();
        if let Some(item) = document.get("profile") {
            let tables =
                item.as_table_like().ok_or_else(|| ConfigError::Unknown("profile".to_owned()))?;
            for (name, item) in tables.iter() {
                profiles.push(read_profile(name, item, known)?);
            }
        }
        let hooks = document.get("hooks").map(hooks::read).transpose()?.unwrap_or_default();
        Ok(Self { document, profiles, hooks })
    }

    /// The text to write.
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    /// The hooks. Whether they may be run is told by [`trusted`].
    pub fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// All profiles, in the order of the file.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The profiles alone, without the text they were read from.
    pub fn into_profiles(self) -> Vec<Profile> {
        self.profiles
    }

    /// The profile of that name.
    pub fn profile(&self, name: &ProfileName) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == *name)
    }

    /// Adds a profile, or changes the one of that name; comments around it stay, and so does the
    /// wording of every value that means the same as before.
    pub fn put(&mut self, profile: Profile) {
        let before = self.profile(&profile.name).cloned();
        let tables = self.document.entry("profile").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        if let Some(tables) = tables.as_table_like_mut() {
            if !tables.get(profile.name.as_str()).is_some_and(Item::is_table_like) {
                tables.insert(profile.name.as_str(), Item::Table(Table::new()));
            }
            if let Some(table) =
                tables.get_mut(profile.name.as_str()).and_then(Item::as_table_like_mut)
            {
                write::profile(table, before.as_ref(), &profile);
            }
        }
        match self.profiles.iter_mut().find(|other| other.name == profile.name) {
            Some(other) => *other = profile,
            None => self.profiles.push(profile),
        }
    }

    /// Gives a profile another name; its settings, their wording and the comments stay. `false`: it
    /// is not there, or the new name is taken.
    pub fn rename(&mut self, from: &ProfileName, to: &ProfileName) -> bool {
        if self.profile(to).is_some() {
            return false;
        }
        let tables = self.document.get_mut("profile").and_then(Item::as_table_like_mut);
        let profile = self.profiles.iter_mut().find(|profile| profile.name == *from);
        let (Some(tables), Some(profile)) = (tables, profile) else { return false };
        profile.name = to.clone();
        write::rename(tables, from.as_str(), to.as_str());
        true
    }

    /// Removes a profile; whether it was there.
    pub fn remove(&mut self, name: &ProfileName) -> bool {
        if let Some(tables) = self.document.get_mut("profile").and_then(Item::as_table_like_mut) {
            tables.remove(name.as_str());
        }
        let before = self.profiles.len();
        self.profiles.retain(|profile| profile.name != *name);
        self.profiles.len() != before
    }
}

fn read_profile(name: &str, item: &Item, known: Known<'_>) -> Result<Profile, ConfigError> {
    let wrong = |key: &str, reason: String| ConfigError::Value {
        profile: name.to_owned(),
        key: key.to_owned(),
        reason,
    };
    let table = item.as_table_like().ok_or_else(|| wrong("", "it is no table".to_owned()))?;
    if let Some((key, _)) = table.iter().find(|(key, _)| !KEYS.contains(key)) {
        return Err(wrong(&Printable(key).to_string(), "there is no such key".to_owned()));
    }
    let reader = Reader { profile: name, table };
    let target = reader.text("target")?.unwrap_or_else(|| targets::USUAL.to_owned());
    if !known(&target) {
        return Err(wrong(
            "target",
            "there is no such target; `snowtoken target list` shows them".to_owned(),
        ));
    }
    Ok(Profile {
        name: ProfileName::parse(name).map_err(|error| wrong("name", error.to_string()))?,
        instance: reader
            .required("instance", |text| Instance::parse(text).map_err(|e| e.to_string()))?,
        client_id: reader
            .required("client_id", |text| ClientId::parse(text).map_err(|e| e.to_string()))?,
        authentication: reader
            .optional("client_authentication", |text| {
                AuthenticationMethod::find(text)
                    .ok_or_else(|| "client_secret_post, client_secret_basic or none".to_owned())
            })?
            .unwrap_or_default(),
        grant: reader
            .optional("grant", |text| {
                Grant::find(text).ok_or_else(|| {
                    "authorization-code, client-credentials or jwt-bearer".to_owned()
                })
            })?
            .unwrap_or_default(),
        assertion: Assertion { subject: reader.claim("subject")?, key_id: reader.claim("key_id")? },
        redirect_uri: reader
            .optional("redirect_uri", |text| RedirectUri::parse(text).map_err(|e| e.to_string()))?,
        scope: reader.optional("scope", |text| Scope::parse(text).map_err(|e| e.to_string()))?,
        lifespans: Lifespans {
            access: reader.lifespan("access_token_lifespan")?,
            refresh: reader.lifespan("refresh_token_lifespan")?,
        },
        target,
        region: reader.text("region")?,
        credentials_file: reader.flag("credentials_file")?.unwrap_or(true),
    })
}

struct Reader<'a> {
    profile: &'a str,
    table: &'a dyn TableLike,
}

impl Reader<'_> {
    fn wrong(&self, key: &str, reason: impl Into<String>) -> ConfigError {
        ConfigError::Value {
            profile: self.profile.to_owned(),
            key: key.to_owned(),
            reason: reason.into(),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(self.wrong(key, "it is no text in quotes")),
            },
        }
    }

    fn optional<T>(
        &self,
        key: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        self.text(key)?
            .map(|text| read(&text).map_err(|reason| self.wrong(key, reason)))
            .transpose()
    }

    fn required<T>(
        &self,
        key: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        self.optional(key, read)?.ok_or_else(|| self.wrong(key, "it is missing"))
    }

    fn claim(&self, key: &str) -> Result<Option<Claim>, ConfigError> {
        self.optional(key, |text| Claim::parse(text).map_err(|error| error.to_string()))
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(item) => match item.as_bool() {
                Some(flag) => Ok(Some(flag)),
                None => Err(self.wrong(key, "it is neither true nor false")),
            },
        }
    }

    fn lifespan(&self, key: &str) -> Result<Option<i64>, ConfigError> {
        let seconds = match self.table.get(key) {
            None => return Ok(None),
            Some(item) => match (item.as_integer(), item.as_str()) {
                (Some(seconds), _) if LIFESPANS.contains(&seconds) => seconds,
                (None, Some(text)) => {
                    parse_lifespan(text).map_err(|reason| self.wrong(key, reason))?.as_secs()
                }
                _ => {
                    return Err(self.wrong(
                        key,
                        "a lifespan is a number of seconds, or a text such as \"365d\"",
                    ));
                }
            },
        };
        Ok(Some(seconds))
    }
}

#[cfg(test)]
mod tests;
