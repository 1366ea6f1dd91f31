//! A file of targets: TOML → checked targets.

use std::collections::BTreeMap;

use serde::Deserialize;
use snowtoken_core::printable::Printable;
use snowtoken_core::target::{
    AlsoRegister, Class, Confidence, Field, InstanceForm, Limits, Refused, Regions, Target,
    TargetFault, Value,
};

use crate::delivery::Format;

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
    #[error("target \"{}\": {field}: \"{}\" is none of {known}", Printable(.target), Printable(.word))]
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
    /// Two targets of one file have the same name.
    #[error("target \"{0}\": the name stands in this file twice")]
    Twice(String),
    /// A target that cannot be.
    #[error("target \"{}\": {fault}", Printable(.target))]
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
    domains: Vec<String>,
    #[serde(default)]
    tables: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    user_advice: Vec<String>,
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
        let start = error.span().map_or(0, |span| span.start);
        TargetTextError::Form {
            line: 1 + text[..text.floor_char_boundary(start)].matches('\n').count(),
            message: Printable(error.message().lines().next().unwrap_or_default()).to_string(),
        }
    })?;
    let mut found: Vec<Target> = Vec::new();
    for raw in file.target {
        let target = raw.checked(&file.regions)?;
        if found.iter().any(|other| other.name == target.name) {
            return Err(TargetTextError::Twice(target.name));
        }
        found.push(target);
    }
    Ok(found)
}

impl Raw {
    fn checked(self, regions: &BTreeMap<String, RawRegions>) -> Result<Target, TargetTextError> {
        let words = Words { target: self.name.clone() };
        let class = words.find("class", &self.class, Class::find, Class::words())?;
        let confidence =
            words.find("confidence", &self.confidence, Confidence::find, Confidence::words())?;
        let form = self.instance.as_deref().unwrap_or(InstanceForm::Url.as_str());
        let instance = words.find("instance", form, InstanceForm::find, InstanceForm::words())?;
        let regions = match &self.regions {
            None => RawRegions::default(),
            Some(list) => {
                let known = regions.keys().map(String::as_str);
                words.find("regions", list, |name| regions.get(name).cloned(), known)?
            }
        };
        let mut fields = Vec::new();
        for (label, word) in self.fields {
            let value = words.find("fields", &word, Value::find, Value::words())?;
            fields.push(Field { label, value });
        }
        for format in &self.formats {
            let known = Format::ALL.iter().map(|format| format.as_str());
            words.find("formats", format, Format::find, known)?;
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
            domains: self.domains,
            tables: self.tables,
            roles: self.roles,
            user_advice: self.user_advice,
            notes: self.notes,
            confidence,
            sources: self.sources,
        };
        target.check().map_err(|fault| TargetTextError::Fault { target: words.target, fault })?;
        Ok(target)
    }
}

/// Looks up the words of one target.
struct Words {
    target: String,
}

impl Words {
    fn find<'a, T>(
        &self,
        field: &'static str,
        word: &str,
        find: impl FnOnce(&str) -> Option<T>,
        known: impl Iterator<Item = &'a str>,
    ) -> Result<T, TargetTextError> {
        find(word).ok_or_else(|| {
            let known: Vec<&str> = known.collect();
            TargetTextError::Word {
                target: self.target.clone(),
                field,
                word: word.to_owned(),
                known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
            }
        })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &str = r#"
[regions.r]
list = ["eu-1"]

[[target]]
name = "ours"
title = "Ours"
class = "client"
redirect_uri = "https://{region}.example.com/back"
regions = "r"
fields = [["ID", "client_id"], ["Kind", "=fixed"]]
confidence = "assumed"
sources = ["us"]
"#;

    #[test]
    fn what_is_left_out_has_a_usual_value() {
        let targets = parse(WHOLE).unwrap();
        let target = &targets[0];
        assert_eq!(target.instance, InstanceForm::Url);
        assert_eq!(target.fields[1].value, Value::Fixed("fixed".into()));
        assert_eq!(target.limits, Limits::default());
        assert!(!target.credentials_file && target.scope.is_empty());
        assert_eq!(parse("target = []"), Ok(Vec::new()));
    }

    #[test]
    fn words_that_do_not_exist_are_named_with_those_that_do() {
        let error = parse(&WHOLE.replace("\"client\"", "\"C\"")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "target \"ours\": class: \"C\" is none of tokens, client, client-credentials, jwt-bearer, password, basic"
        );
        let twice = format!("{WHOLE}{}", WHOLE.split_once("\n\n").unwrap().1);
        assert_eq!(parse(&twice).unwrap_err(), TargetTextError::Twice("ours".into()));
    }

    #[test]
    fn what_stands_in_a_file_reaches_the_screen_only_when_it_is_safe() {
        let text = WHOLE.replace("\"client\"", "\"\\u001b]0;x\"");
        let error = parse(&text).unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }

    proptest! {
        #[test]
        fn every_text_is_judged(text in "[ -~\n\u{e9}\u{1b}]{0,200}") {
            let _ = parse(&text);
        }

        /// Near misses of a whole file: a piece is cut out, doubled or replaced.
        #[test]
        fn every_damaged_file_is_judged(
            from in 0..WHOLE.len(), length in 0..40_usize, put in "[ -~\n\u{e9}]{0,8}", times in 0..3_usize
        ) {
            let to = (from + length).min(WHOLE.len());
            let text = [&WHOLE[..from], &put.repeat(times), &WHOLE[to..]].concat();
            if let Ok(targets) = parse(&text) {
                for target in targets {
                    prop_assert_eq!(target.check(), Ok(()));
                }
            }
        }
    }
}
