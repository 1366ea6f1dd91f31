//! What cannot be true of a target, whoever wrote it down.

use super::place::REGION;
use super::{Class, Target};
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

impl Target {
    /// Looks for statements that cannot be true, or contradict each other.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self) -> Result<(), TargetFault> {
        let fault = |field, reason: &str| Err(TargetFault { field, reason: reason.to_owned() });
        if !is_name(&self.name) {
            return fault("name", "a name is 1 to 63 characters of a-z, 0-9 and -");
        }
        if self.title.trim().is_empty() {
            return fault("title", "it is empty");
        }
        if self.sources.is_empty() {
            return fault("sources", "every target says where it comes from");
        }
        if !self.scope.is_empty() && Scope::parse(&self.scope).is_err() {
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
        self.check_place()?;
        self.check_form()
    }

    fn check_place(&self) -> Result<(), TargetFault> {
        let fault = |field, reason: String| Err(TargetFault { field, reason });
        let template = self.redirect_uri.as_deref().unwrap_or_default();
        if template.contains(REGION) == self.regions.list.is_empty() {
            return fault(
                "regions",
                format!("a redirect URI with {REGION} has regions, and no other has"),
            );
        }
        let filled = template.replace(REGION, "region").replace(['{', '}'], "");
        if !template.is_empty() && RedirectUri::parse(&filled).is_err() {
            return fault("redirect_uri", "it is no redirect URI".to_owned());
        }
        for region in &self.regions.list {
            if let Err(error) = self.redirect_uris(Some(region))
                && !template.replace(REGION, region).contains('{')
            {
                return fault("redirect_uri", format!("in {region}: {error}"));
            }
        }
        Ok(())
    }

    fn check_form(&self) -> Result<(), TargetFault> {
        let fault = |field, reason: &str| Err(TargetFault { field, reason: reason.to_owned() });
        if self.fields.is_empty() {
            return fault("fields", "it has none");
        }
        if self.fields.iter().any(|field| field.label.trim().is_empty()) {
            return fault("fields", "a label is empty");
        }
        if self.credentials_file && self.class != Class::Tokens {
            return fault("credentials_file", "only tokens are written to a credentials file");
        }
        let is_table = |name: &String| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if !self.tables.iter().all(is_table) {
            return fault("tables", "a table's name is made of a-z, 0-9 and _");
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
