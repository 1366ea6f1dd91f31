//! What cannot be true of a target, whoever wrote it down.

use std::collections::BTreeSet;

use super::place::REGION;
use super::{AlsoRegister, Class, Field, Target, Value};
use crate::oauth::Scope;
use crate::oauth::redirect::RedirectUri;
use crate::servicenow::Lifespans;

/// Something in a target that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct TargetFault {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// A hundred years, in seconds.
const LONGEST_LIFE: i64 = 3_155_760_000;

/// The longest text of a target, in characters.
const LONGEST_TEXT: usize = 1000;

fn fault(field: &'static str, reason: impl Into<String>) -> Result<(), TargetFault> {
    Err(TargetFault { field, reason: reason.into() })
}

impl Target {
    /// Looks for statements that cannot be true, or contradict each other.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self) -> Result<(), TargetFault> {
        if !is_name(&self.name) {
            return fault("name", "a name is 1 to 63 characters of a-z, 0-9 and -");
        }
        self.check_texts()?;
        if self.sources.is_empty() {
            return fault("sources", "every target says where it comes from");
        }
        self.check_scope_and_lifespans()?;
        self.check_class()?;
        self.check_regions()?;
        self.check_redirect_uri()?;
        self.check_form()?;
        self.check_user()
    }

    /// They are shown to people: none is empty, and none holds what a terminal would obey.
    fn check_texts(&self) -> Result<(), TargetFault> {
        let one = |field, text: &String| (field, text.clone());
        let many = |field, texts: &[String]| -> Vec<_> {
            texts.iter().map(|text| one(field, text)).collect()
        };
        let also = |read: fn(&AlsoRegister) -> &String| -> Vec<String> {
            self.also_register.iter().map(|one| read(one).clone()).collect()
        };
        let labels: Vec<String> = self.fields.iter().map(|field| field.label.clone()).collect();
        let refused: Vec<String> =
            self.regions.refused.iter().map(|one| one.reason.clone()).collect();
        let texts = [
            vec![one("title", &self.title)],
            many("redirect_uri_from", self.redirect_uri_from.as_slice()),
            many("also_register", &also(|one| &one.reason)),
            many("regions", &refused),
            many("fields", &labels),
            many("user_advice", &self.user_advice),
            many("notes", &self.notes),
            many("sources", &self.sources),
        ];
        for (field, text) in texts.into_iter().flatten() {
            if text.trim().is_empty() {
                return fault(field, "a text is empty");
            }
            if text.chars().any(char::is_control) {
                return fault(field, "a text is one line, without control characters");
            }
            if text.chars().count() > LONGEST_TEXT {
                return fault(field, format!("a text has at most {LONGEST_TEXT} characters"));
            }
        }
        Ok(())
    }

    fn check_scope_and_lifespans(&self) -> Result<(), TargetFault> {
        let is_plain = |scope: Scope| scope.as_str() == self.scope;
        if !self.scope.is_empty() && !Scope::parse(&self.scope).is_ok_and(is_plain) {
            return fault("scope", "scopes are words, parted by one blank");
        }
        let lifespans =
            Lifespans { access: self.access_token_lifespan, refresh: self.refresh_token_lifespan };
        for (field, seconds) in [
            ("access_token_lifespan", lifespans.access),
            ("refresh_token_lifespan", lifespans.refresh),
        ] {
            if seconds.is_some_and(|seconds| !(1..=LONGEST_LIFE).contains(&seconds)) {
                return fault(field, "a lifespan is 1 second to a hundred years");
            }
        }
        Ok(())
    }

    /// What a class takes decides what may be said.
    fn check_class(&self) -> Result<(), TargetFault> {
        let class = self.class.as_str();
        let has_place = self.redirect_uri.is_some() || self.redirect_uri_from.is_some();
        if self.class.has_redirect() && !has_place {
            return fault(
                "redirect_uri",
                format!(
                    "a target of class {class} has one, or says in redirect_uri_from where it is shown"
                ),
            );
        }
        if !self.class.has_redirect() && (has_place || !self.also_register.is_empty()) {
            return fault("redirect_uri", format!("a target of class {class} has none"));
        }
        if self.credentials_file && self.class != Class::Tokens {
            return fault("credentials_file", "only tokens are written to a credentials file");
        }
        if self.class == Class::Basic && !self.scope.is_empty() {
            return fault("scope", "a target of class basic has no OAuth client");
        }
        Ok(())
    }

    fn check_regions(&self) -> Result<(), TargetFault> {
        let template = self.redirect_uri.as_deref().unwrap_or_default();
        if template.contains(REGION) == self.regions.list.is_empty() {
            return fault(
                "regions",
                format!("a redirect URI with {REGION} has regions, and no other has"),
            );
        }
        if !self.regions.list.iter().all(|region| is_name(region)) {
            return fault("regions", "a region is 1 to 63 characters of a-z, 0-9 and -");
        }
        if has_twice(&self.regions.list) {
            return fault("regions", "a region is in the list twice");
        }
        for refused in &self.regions.refused {
            if refused.prefix.is_empty() {
                return fault("regions", "a refused beginning is empty");
            }
            if self.regions.list.iter().any(|region| region.starts_with(&refused.prefix)) {
                let prefix = &refused.prefix;
                return fault("regions", format!("{prefix} is refused, and a region begins so"));
            }
        }
        Ok(())
    }

    fn check_redirect_uri(&self) -> Result<(), TargetFault> {
        if let Some(template) = &self.redirect_uri {
            let Some(filled) = filled(template) else {
                return fault("redirect_uri", "a word in braces is made of a-z and -");
            };
            if let Err(error) = RedirectUri::parse(&filled) {
                return fault("redirect_uri", error.to_string());
            }
        }
        for also in &self.also_register {
            if let Err(error) = RedirectUri::parse(&also.redirect_uri) {
                return fault("also_register", error.to_string());
            }
            if let Some(region) = &also.region
                && !self.regions.list.contains(region)
            {
                return fault("also_register", format!("there is no region {region}"));
            }
        }
        Ok(())
    }

    fn check_form(&self) -> Result<(), TargetFault> {
        if self.fields.is_empty() {
            return fault("fields", "it has none");
        }
        let labels: Vec<&String> = self.fields.iter().map(|field| &field.label).collect();
        if has_twice(&labels) {
            return fault("fields", "two have the same label");
        }
        let has = |is: fn(&Value) -> bool| self.fields.iter().any(|Field { value, .. }| is(value));
        if self.class == Class::Tokens && !has(Value::needs_tokens) {
            return fault("fields", "a target of class tokens takes one of them");
        }
        if self.class != Class::Tokens && has(Value::needs_tokens) {
            return fault("fields", "only a target of class tokens takes tokens");
        }
        if self.class.takes_password() != has(Value::is_typed) {
            return fault(
                "fields",
                "a user's name and password are for the classes password and basic, which have them",
            );
        }
        if self.class == Class::Basic && has(|v| matches!(v, Value::ClientId | Value::ClientSecret))
        {
            return fault("fields", "a target of class basic has no OAuth client");
        }
        if self.limits.all().iter().any(|(_, limit)| *limit == Some(0)) {
            return fault("limits", "a limit is at least 1");
        }
        Ok(())
    }

    fn check_user(&self) -> Result<(), TargetFault> {
        let is_word = |word: &String, more: &[u8]| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            !word.is_empty() && word.bytes().all(|b| plain(b) || more.contains(&b))
        };
        if !self.tables.iter().all(|table| is_word(table, b"")) {
            return fault("tables", "a table's name is made of a-z, 0-9 and _");
        }
        if !self.roles.iter().all(|role| is_word(role, b".")) {
            return fault("roles", "a role's name is made of a-z, 0-9, _ and .");
        }
        if has_twice(&self.tables) {
            return fault("tables", "a table is named twice");
        }
        if has_twice(&self.roles) {
            return fault("roles", "a role is named twice");
        }
        let is_domain = |domain: &String| {
            domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && is_word(domain, b".-")
        };
        if !self.domains.iter().all(is_domain) {
            return fault("domains", "a domain is one such as service-now.com");
        }
        Ok(())
    }
}

/// The template with something in place of each word in braces; `None` if it has no such form.
fn filled(template: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (word, after) = after.split_once('}')?;
        let fits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        if !fits || before.contains('}') {
            return None;
        }
        text.push_str(before);
        text.push_str("region");
        rest = after;
    }
    text.push_str(rest);
    (!rest.contains('}')).then_some(text)
}

fn has_twice<T: Ord>(items: &[T]) -> bool {
    items.iter().collect::<BTreeSet<_>>().len() != items.len()
}

fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Confidence, Fit, InstanceForm, Limits, Refused, Regions, TargetError};
    use super::*;

    /// A target that is right.
    pub(in super::super) fn sample() -> Target {
        Target {
            name: "sample".into(),
            title: "Sample".into(),
            class: Class::Client,
            redirect_uri: Some("https://{region}.example.com/{work-space}/back".into()),
            redirect_uri_from: None,
            also_register: vec![AlsoRegister {
                region: Some("eu-1".into()),
                redirect_uri: "https://example.com/back".into(),
                reason: "an older spelling".into(),
            }],
            regions: Regions {
                list: vec!["eu-1".into(), "us-1".into()],
                refused: vec![Refused { prefix: "cn-".into(), reason: "not there".into() }],
            },
            scope: "useraccount".into(),
            access_token_lifespan: None,
            refresh_token_lifespan: Some(60),
            fields: vec![Field { label: "ID".into(), value: Value::ClientId }],
            credentials_file: false,
            formats: Vec::new(),
            limits: Limits::default(),
            instance: InstanceForm::Url,
            domains: vec!["service-now.com".into()],
            tables: Vec::new(),
            roles: vec!["sn_hr_core.content_reader".into()],
            user_advice: Vec::new(),
            notes: Vec::new(),
            confidence: Confidence::Assumed,
            sources: vec!["nobody".into()],
        }
    }

    #[test]
    fn the_sample_is_right() {
        assert_eq!(sample().check(), Ok(()));
    }

    #[test]
    fn words_in_braces_are_words() {
        assert_eq!(filled("https://{a}.b/{c-d}").as_deref(), Some("https://region.b/region"));
        for template in ["https://{a", "https://a}", "{}", "{A}", "{a}}", "{{a}", "a}{b}"] {
            assert_eq!(filled(template), None, "{template}");
        }
    }

    #[test]
    fn texts_that_a_terminal_would_obey_are_refused() {
        let mut target = sample();
        target.notes = vec!["a\u{1b}[2Jb".into()];
        let reason = "a text is one line, without control characters".to_owned();
        assert_eq!(target.check(), Err(TargetFault { field: "notes", reason }));
    }

    #[test]
    fn a_redirect_uri_is_compared_with_the_template() {
        let target = sample();
        let compare = |text: &str| target.compare(&RedirectUri::parse(text).unwrap());
        for fits in [
            "https://eu-1.example.com/abc/back",
            "https://us-1.example.com/x.y-z/back",
            "https://example.com/back",
        ] {
            assert_eq!(compare(fits), Fit::Fits, "{fits}");
        }
        for other in [
            "https://eu-2.example.com/abc/back",
            "https://eu-1.example.com//back",
            "https://eu-1.example.com/a/b/back",
            "https://eu-1.example.com/abc/back/",
            "https://eu-1.example.com/abc/back?x",
            "https://eu-1.evil.com/abc/back",
            "http://127.0.0.1:1/back",
        ] {
            assert_eq!(compare(other), Fit::Differs, "{other}");
        }
        let ours = Target { class: Class::Tokens, ..sample() };
        let uri = RedirectUri::parse("http://127.0.0.1:1/back").unwrap();
        assert_eq!(ours.compare(&uri), Fit::Ours);
        assert_eq!(Target { redirect_uri: None, ..sample() }.compare(&uri), Fit::Unknown);
    }

    #[test]
    fn a_word_that_only_a_person_knows_is_asked_for() {
        let error = sample().redirect_uri(Some("eu-1")).unwrap_err();
        let read_it =
            Some("it has the form https://{region}.example.com/{work-space}/back".to_owned());
        assert_eq!(error, TargetError::RedirectUriMissing { target: "sample".into(), read_it });
    }
}
