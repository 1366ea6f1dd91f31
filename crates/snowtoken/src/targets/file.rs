//! A file of targets: TOML → checked targets.

use std::collections::BTreeMap;

use serde::Deserialize;
use snowtoken_core::target::{
    AlsoRegister, Class, Confidence, Field, InstanceForm, Limits, Refused, Regions, Target,
    TargetFault, Value,
};

/// What is wrong with the text of a file of targets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetTextError {
    /// It is no TOML, or has another form.
    #[error("line {line}: {message}")]
    Form {
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A word that is none of those there are.
    #[error("target \"{target}\": {field}: \"{word}\" is none of {known}")]
    Word {
        /// The target.
        target: String,
        /// The field.
        field: &'static str,
        /// What stands there.
        word: String,
        /// What could.
        known: String,
    },
    /// A target that cannot be.
    #[error("target \"{target}\": {fault}")]
    Fault {
        /// The target.
        target: String,
        /// What is wrong with it.
        fault: TargetFault,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    regions: BTreeMap<String, RawRegions>,
    target: Vec<Raw>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields)]
struct RawRegions {
    list: Vec<String>,
    #[serde(default)]
    refused: Vec<RawRefused>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct RawRefused {
    prefix: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAlso {
    region: Option<String>,
    redirect_uri: String,
    reason: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    client_id: Option<usize>,
    client_secret: Option<usize>,
    access_token: Option<usize>,
    refresh_token: Option<usize>,
    auth_code: Option<usize>,
    redirect_uri: Option<usize>,
    instance: Option<usize>,
    #[serde(default)]
    no_white_space: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    title: String,
    class: String,
    redirect_uri: Option<String>,
    redirect_uri_from: Option<String>,
    #[serde(default)]
    also_register: Vec<RawAlso>,
    /// The name of a list in `[regions]`.
    regions: Option<String>,
    #[serde(default)]
    scope: String,
    access_token_lifespan: Option<i64>,
    refresh_token_lifespan: Option<i64>,
    /// Pairs of label and what belongs there.
    fields: Vec<(String, String)>,
    #[serde(default)]
    credentials_file: bool,
    #[serde(default)]
    formats: Vec<String>,
    #[serde(default)]
    limits: RawLimits,
    instance: Option<String>,
    #[serde(default)]
    tables: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    notes: Vec<String>,
    confidence: String,
    sources: Vec<String>,
}

/// Reads a file of targets. Each is checked.
///
/// # Errors
/// The first thing that is wrong, by line or by target and field.
pub fn parse(text: &str) -> Result<Vec<Target>, TargetTextError> {
    let file: File = toml_edit::de::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        TargetTextError::Form {
            line: 1 + text[..start].matches('\n').count(),
            message: error.message().lines().next().unwrap_or_default().to_owned(),
        }
    })?;
    file.target.into_iter().map(|raw| raw.checked(&file.regions)).collect()
}

impl Raw {
    fn checked(self, regions: &BTreeMap<String, RawRegions>) -> Result<Target, TargetTextError> {
        let name = self.name.clone();
        let wrong = |field, word: &str, known: String| TargetTextError::Word {
            target: name.clone(),
            field,
            word: word.to_owned(),
            known,
        };
        let class = Class::find(&self.class).ok_or_else(|| {
            wrong("class", &self.class, Class::words().collect::<Vec<_>>().join(", "))
        })?;
        let confidence = Confidence::find(&self.confidence).ok_or_else(|| {
            let known = "documented, partly-documented, reported, assumed".to_owned();
            wrong("confidence", &self.confidence, known)
        })?;
        let form = self.instance.as_deref().unwrap_or("url");
        let instance = InstanceForm::find(form)
            .ok_or_else(|| wrong("instance", form, "url, url-with-slash, host, name".to_owned()))?;
        let regions = match &self.regions {
            None => RawRegions::default(),
            Some(list) => regions.get(list).cloned().ok_or_else(|| {
                wrong("regions", list, "the lists in [regions] of this file".to_owned())
            })?,
        };
        let mut fields = Vec::new();
        for (label, word) in self.fields {
            let value = Value::find(&word).ok_or_else(|| {
                wrong("fields", &word, "instance, client_id, client_secret, …".to_owned())
            })?;
            fields.push(Field { label, value });
        }
        let target = Target {
            name: self.name,
            title: self.title,
            class,
            redirect_uri: self.redirect_uri,
            redirect_uri_from: self.redirect_uri_from,
            also_register: self.also_register.into_iter().map(Into::into).collect(),
            regions: regions.into(),
            scope: self.scope,
            access_token_lifespan: self.access_token_lifespan,
            refresh_token_lifespan: self.refresh_token_lifespan,
            fields,
            credentials_file: self.credentials_file,
            formats: self.formats,
            limits: self.limits.into(),
            instance,
            tables: self.tables,
            roles: self.roles,
            notes: self.notes,
            confidence,
            sources: self.sources,
        };
        match target.check() {
            Ok(()) => Ok(target),
            Err(fault) => Err(TargetTextError::Fault { target: target.name, fault }),
        }
    }
}

impl From<RawAlso> for AlsoRegister {
    fn from(raw: RawAlso) -> Self {
        Self { region: raw.region, redirect_uri: raw.redirect_uri, reason: raw.reason }
    }
}

impl From<RawRegions> for Regions {
    fn from(raw: RawRegions) -> Self {
        let refused = |one: RawRefused| Refused { prefix: one.prefix, reason: one.reason };
        Self { list: raw.list, refused: raw.refused.into_iter().map(refused).collect() }
    }
}

impl From<RawLimits> for Limits {
    fn from(raw: RawLimits) -> Self {
        Self {
            client_id: raw.client_id,
            client_secret: raw.client_secret,
            access_token: raw.access_token,
            refresh_token: raw.refresh_token,
            auth_code: raw.auth_code,
            redirect_uri: raw.redirect_uri,
            instance: raw.instance,
            no_white_space: raw.no_white_space,
        }
    }
}
