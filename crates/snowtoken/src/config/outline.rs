//! Who is who in a large `config.toml`, for whoever looks at all profiles at once.
//!
//! The form in which this program writes the file is read line by line, without copying anything.
//! As soon as anything looks different, the TOML parser has its say: what is accepted here it
//! accepts too, with the same meaning.

use std::ops::Range;

use snowtoken_core::oauth::Scope;
use snowtoken_core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken_core::oauth::jwt::Claim;
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::profile::{Grant, Profile, ProfileName};
use snowtoken_core::servicenow::{Instance, parse_lifespan};

use super::{Config, ConfigError, KEYS, Known, LIFESPANS};
use crate::targets;

/// What an overview needs to know of a profile. It has been judged as a [`Profile`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name.
    pub name: &'a str,
    /// The instance's URL.
    pub instance: &'a str,
    /// The client registered there.
    pub client_id: &'a str,
    /// The product the tokens are for.
    pub target: &'a str,
    /// How it gets its tokens.
    pub grant: Grant,
}

/// All profiles of a configuration, in the order of their names.
#[derive(Debug)]
pub struct Outline {
    text: String,
    entries: Vec<Place>,
}

/// Where an entry's words are in the text: a few octets each, where a profile would be hundreds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    name: Range<u32>,
    instance: Range<u32>,
    client_id: Range<u32>,
    target: Product,
    grant: Grant,
}

/// A target that comes with the program, or where the name of another one is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Product {
    BuiltIn(&'static str),
    Own(Range<u32>),
}

impl Outline {
    /// Judges a text as [`Config::parse`] does.
    ///
    /// # Errors
    /// The first thing that is wrong, by profile and key.
    pub fn parse(text: String) -> Result<Self, ConfigError> {
        Self::parse_knowing(text, &targets::is_built_in)
    }

    /// Judges a text as [`Config::parse_knowing`] does.
    ///
    /// # Errors
    /// The first thing that is wrong, by profile and key.
    pub fn parse_knowing(text: String, known: Known<'_>) -> Result<Self, ConfigError> {
        match Self::read_plainly(text) {
            Ok(outline) => Ok(outline),
            Err(text) => Ok(Self::of(Config::parse_knowing(&text, known)?.profiles())),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of them, in the order of their names.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.entries.iter().map(|place| Entry {
            name: word(&self.text, &place.name),
            instance: word(&self.text, &place.instance),
            client_id: word(&self.text, &place.client_id),
            target: match &place.target {
                Product::BuiltIn(name) => name,
                Product::Own(range) => word(&self.text, range),
            },
            grant: place.grant,
        })
    }

    /// The profiles that the parser found.
    fn of(profiles: &[Profile]) -> Self {
        let mut text = String::new();
        let mut put = |word: &str| {
            let start = text.len();
            text.push_str(word);
            range(start, text.len())
        };
        let mut entries: Vec<Place> = profiles
            .iter()
            .map(|profile| Place {
                name: put(profile.name.as_str()),
                instance: put(profile.instance.url()),
                client_id: put(profile.client_id.as_str()),
                target: match built_in(&profile.target) {
                    Some(name) => Product::BuiltIn(name),
                    None => Product::Own(put(&profile.target)),
                },
                grant: profile.grant,
            })
            .collect();
        sort(&text, &mut entries);
        Self { text, entries }
    }

    /// The text comes back if any of it is not in the plain form, or is wrong.
    fn read_plainly(text: String) -> Result<Self, String> {
        match Plain::read(&text) {
            Some(mut entries) => {
                sort(&text, &mut entries);
                let same =
                    |pair: &[Place]| word(&text, &pair[0].name) == word(&text, &pair[1].name);
                if entries.windows(2).any(same) {
                    return Err(text);
                }
                Ok(Self { text, entries })
            }
            None => Err(text),
        }
    }
}

fn built_in(name: &str) -> Option<&'static str> {
    targets::names().find(|own| *own == name)
}

fn sort(text: &str, entries: &mut [Place]) {
    entries.sort_by(|one, other| word(text, &one.name).cmp(word(text, &other.name)));
}

fn word<'t>(text: &'t str, range: &Range<u32>) -> &'t str {
    text.get(range.start as usize..range.end as usize).unwrap_or_default()
}

/// A file of ours has less than 4 GiB: see `LARGEST` of the file.
fn range(start: usize, end: usize) -> Range<u32> {
    u32::try_from(start).unwrap_or(u32::MAX)..u32::try_from(end).unwrap_or(u32::MAX)
}

/// The plain form: lines that are empty, a comment, `version = 1`, `[profile.NAME]`, or
/// `key = value` with a text without escapes, a number or a truth.
#[derive(Default)]
struct Plain<'a> {
    entries: Vec<Place>,
    open: Option<Section>,
    /// Whether `version` has been seen.
    version: bool,
    /// For each of [`KEYS`] the value that was judged last, and taken: a fleet has the same values
    /// over and over.
    judged: [Option<&'a str>; KEYS.len()],
    /// What the last `target` and the last `grant` meant.
    target: Option<&'static str>,
    grant: Grant,
}

/// A profile whose lines are being read.
struct Section {
    name: Range<u32>,
    instance: Option<Range<u32>>,
    client_id: Option<Range<u32>>,
    target: &'static str,
    grant: Grant,
    /// One bit for each of [`KEYS`].
    seen: u16,
}

impl<'a> Plain<'a> {
    fn read(text: &'a str) -> Option<Vec<Place>> {
        u32::try_from(text.len()).ok()?;
        let mut plain = Self::default();
        let mut at = 0;
        for line in text.split('\n') {
            plain.line(at, line)?;
            at += line.len() + 1;
        }
        plain.close()?;
        Some(plain.entries)
    }

    /// A line, and where it begins.
    fn line(&mut self, at: usize, line: &'a str) -> Option<()> {
        match line.as_bytes().first() {
            None => Some(()),
            Some(b'#') => is_plain(line).then_some(()),
            Some(b'[') => {
                self.close()?;
                self.open = Some(Section::new(header(at, line)?));
                Some(())
            }
            Some(_) => {
                let end = line.bytes().position(|b| b == b'=')?;
                let key = line[..end].strip_suffix(' ')?;
                let value = line[end + 1..].strip_prefix(' ')?;
                if self.open.is_some() {
                    return self.set(key, at + line.len() - value.len(), value);
                }
                let is_version = key == "version" && value == "1" && !self.version;
                self.version = true;
                is_version.then_some(())
            }
        }
    }

    /// Takes a value that the parser would take as it is.
    fn set(&mut self, key: &str, at: usize, value: &'a str) -> Option<()> {
        let section = self.open.as_mut()?;
        let number = KEYS.iter().position(|known| *known == key)?;
        if section.seen & 1 << number != 0 {
            return None;
        }
        section.seen |= 1 << number;
        if self.judged[number] != Some(value) {
            match key {
                "target" => self.target = Some(built_in(text(value)?)?),
                "grant" => self.grant = Grant::find(text(value)?)?,
                _ => judge(key, value)?,
            }
            self.judged[number] = Some(value);
        }
        match key {
            "instance" => section.instance = Some(range(at + 1, at + value.len() - 1)),
            "client_id" => section.client_id = Some(range(at + 1, at + value.len() - 1)),
            "target" => section.target = self.target?,
            "grant" => section.grant = self.grant,
            _ => {}
        }
        Some(())
    }

    /// What must be there is there.
    fn close(&mut self) -> Option<()> {
        if let Some(Section { name, instance, client_id, target, grant, .. }) = self.open.take() {
            let (instance, client_id) = (instance?, client_id?);
            let target = Product::BuiltIn(target);
            self.entries.push(Place { name, instance, client_id, target, grant });
        }
        Some(())
    }
}

impl Section {
    fn new(name: Range<u32>) -> Self {
        let grant = Grant::default();
        Self { name, instance: None, client_id: None, target: targets::USUAL, grant, seen: 0 }
    }
}

/// Whether the parser would take this value as it is.
fn judge(key: &str, value: &str) -> Option<()> {
    let fits = match key {
        "credentials_file" => matches!(value, "true" | "false"),
        "access_token_lifespan" | "refresh_token_lifespan" => return lifespan(value),
        "instance" => {
            let value = text(value)?;
            is_usual_instance(value) || Instance::parse(value).is_ok_and(|i| i.url() == value)
        }
        "client_id" => {
            let value = text(value)?;
            ClientId::parse(value).is_ok_and(|id| id.as_str() == value)
        }
        "client_authentication" => AuthenticationMethod::find(text(value)?).is_some(),
        "redirect_uri" => RedirectUri::parse(text(value)?).is_ok(),
        "scope" => Scope::parse(text(value)?).is_ok(),
        "subject" | "key_id" => Claim::parse(text(value)?).is_ok(),
        "region" => text(value).is_some(),
        _ => false,
    };
    fits.then_some(())
}

/// `[profile.NAME]`, or with the name in quotes; a dot outside of quotes would mean another table.
fn header(at: usize, line: &str) -> Option<Range<u32>> {
    const START: &str = "[profile.";
    let key = line.strip_prefix(START)?.strip_suffix(']')?;
    let quoted = key.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if quoted.is_none() && key.contains('.') {
        return None;
    }
    let name = quoted.unwrap_or(key);
    ProfileName::parse(name).ok()?;
    let at = at + START.len() + usize::from(quoted.is_some());
    Some(range(at, at + name.len()))
}

/// `"text"` without anything that an escape could stand for.
fn text(value: &str) -> Option<&str> {
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    let is_odd = |b: u8| b < b' ' || b == 0x7f || b == b'"' || b == b'\\';
    // Without an early end: many bytes are looked at in one step.
    (!text.bytes().fold(false, |odd, b| odd | is_odd(b))).then_some(text)
}

/// No control characters.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b >= b' ' && b != 0x7f)
}

fn lifespan(value: &str) -> Option<()> {
    if let Some(text) = text(value) {
        return parse_lifespan(text).ok().map(drop);
    }
    let digits = (1..=10).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    let number: i64 = value.parse().ok().filter(|_| digits && !value.starts_with('0'))?;
    LIFESPANS.contains(&number).then_some(())
}

/// A host under https, written as [`Instance::url`] writes it. What it refuses may be one all the
/// same; the parser of URLs is slow beside everything else here.
fn is_usual_instance(url: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some(host) = url.strip_prefix("https://") else { return false };
    // Two hyphens may begin a name in other letters; a last label that begins with a digit may be
    // the end of an address.
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253
        && !host.contains("--")
        && last.starts_with(|c: char| c.is_ascii_lowercase())
        && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests;
