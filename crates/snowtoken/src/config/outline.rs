//! Who is who in a large `config.toml`, for whoever looks at all profiles at once.
//!
//! The form in which this program writes the file is read line by line, without copying anything.
//! As soon as anything looks different, the TOML parser has its say: what is accepted here it
//! accepts too, with the same meaning.

use std::ops::Range;

use snowtoken_core::oauth::Scope;
use snowtoken_core::oauth::client::{AuthenticationMethod, ClientId};
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::profile::{Grant, Profile, ProfileName};
use snowtoken_core::servicenow::{Instance, parse_lifespan};
use snowtoken_core::target::Target;

use super::{Config, ConfigError, KEYS, LIFESPANS, USUAL_TARGET};

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
    pub target: &'static str,
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
    target: &'static str,
    grant: Grant,
}

impl Outline {
    /// Judges a text as [`Config::parse`] does.
    ///
    /// # Errors
    /// The first thing that is wrong, by profile and key.
    pub fn parse(text: String) -> Result<Self, ConfigError> {
        match Self::read_plainly(text) {
            Ok(outline) => Ok(outline),
            Err(text) => Ok(Self::of(Config::parse(&text)?.profiles())),
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
            target: place.target,
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
                target: Target::find(&profile.target).map_or(USUAL_TARGET, |target| target.name),
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
    /// What was judged good last: a fleet has the same values over and over.
    last: Last<'a>,
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

#[derive(Default)]
struct Last<'a> {
    redirect_uri: Option<&'a str>,
    scope: Option<&'a str>,
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
                let (key, value) = line.split_once(" = ")?;
                let at = at + line.len() - value.len();
                match &mut self.open {
                    Some(section) => section.set(&mut self.last, key, at, value),
                    None if key == "version" && value == "1" && !self.version => {
                        self.version = true;
                        Some(())
                    }
                    None => None,
                }
            }
        }
    }

    /// What must be there is there.
    fn close(&mut self) -> Option<()> {
        if let Some(Section { name, instance, client_id, target, grant, .. }) = self.open.take() {
            let (instance, client_id) = (instance?, client_id?);
            self.entries.push(Place { name, instance, client_id, target, grant });
        }
        Some(())
    }
}

impl Section {
    fn new(name: Range<u32>) -> Self {
        let grant = Grant::default();
        Self { name, instance: None, client_id: None, target: USUAL_TARGET, grant, seen: 0 }
    }

    /// Takes a value that the parser would take as it is.
    fn set<'a>(&mut self, last: &mut Last<'a>, key: &str, at: usize, value: &'a str) -> Option<()> {
        let bit = 1 << KEYS.iter().position(|known| *known == key)?;
        if self.seen & bit != 0 {
            return None;
        }
        self.seen |= bit;
        match key {
            "credentials_file" => matches!(value, "true" | "false").then_some(()),
            "access_token_lifespan" | "refresh_token_lifespan" => lifespan(value),
            _ => self.set_text(last, key, at + 1, text(value)?),
        }
    }

    fn set_text<'a>(
        &mut self,
        last: &mut Last<'a>,
        key: &str,
        at: usize,
        value: &'a str,
    ) -> Option<()> {
        match key {
            "instance" => {
                let same = || Instance::parse(value).is_ok_and(|i| i.url() == value);
                let fits = is_usual_instance(value) || same();
                self.instance = Some(fits.then(|| range(at, at + value.len()))?);
            }
            "client_id" => {
                let fits = ClientId::parse(value).is_ok_and(|id| id.as_str() == value);
                self.client_id = Some(fits.then(|| range(at, at + value.len()))?);
            }
            "client_authentication" => AuthenticationMethod::find(value).map(drop)?,
            "grant" => self.grant = Grant::find(value)?,
            "target" => self.target = Target::find(value)?.name,
            "redirect_uri" if last.redirect_uri == Some(value) => {}
            "redirect_uri" => {
                RedirectUri::parse(value).ok()?;
                last.redirect_uri = Some(value);
            }
            "scope" if last.scope == Some(value) => {}
            "scope" => {
                Scope::parse(value).ok()?;
                last.scope = Some(value);
            }
            "region" => {}
            _ => return None,
        }
        Some(())
    }
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
    (is_plain(text) && !text.contains(['"', '\\'])).then_some(text)
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
