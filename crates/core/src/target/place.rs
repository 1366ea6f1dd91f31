//! Where a product sends the browser: redirect URIs and closed lists of regions.

use super::Target;
use crate::oauth::redirect::{RedirectUri, RedirectUriError};

/// The regions in which a product exists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Regions {
    /// All of them; empty when it has none.
    pub list: Vec<String>,
    /// Regions that people ask for and that do not exist, with the reason.
    pub refused: Vec<Refused>,
}

/// Regions that do not exist for a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// How their names begin.
    pub prefix: String,
    /// Why they are refused.
    pub reason: String,
}

/// A redirect URI to register beside the usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlsoRegister {
    /// In this region only; everywhere if there is none.
    pub region: Option<String>,
    /// The redirect URI.
    pub redirect_uri: String,
    /// Why.
    pub reason: String,
}

/// Why a target gives no redirect URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The region is not one of those that exist.
    #[error("{target} does not exist in that region{}; it has: {}", because(.reason.as_deref()), .regions.join(", "))]
    RegionUnknown {
        /// The target's name.
        target: String,
        /// The regions there are.
        regions: Vec<String>,
        /// Why this one is refused, where that is known.
        reason: Option<String>,
    },
    /// The target has regions, and none was given.
    #[error("{0} needs a region or a redirect URI")]
    RegionMissing(String),
    /// The target cannot know the redirect URI.
    #[error("{target} needs a redirect URI{}", whence(.read_it.as_deref()))]
    RedirectUriMissing {
        /// The target's name.
        target: String,
        /// Where the product shows it, or the form it has.
        read_it: Option<String>,
    },
    /// The target has no redirect URI.
    #[error("{0} uses no redirect URI")]
    NoRedirectUri(String),
    /// The redirect URI cannot be used.
    #[error(transparent)]
    RedirectUri(#[from] RedirectUriError),
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(" ({reason})")).unwrap_or_default()
}

fn whence(read_it: Option<&str>) -> String {
    read_it.map(|place| format!(": {place}")).unwrap_or_default()
}

/// The word that stands for the region.
pub(super) const REGION: &str = "{region}";

/// Whether a redirect URI is one that a target uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It has the target's form.
    Fits,
    /// It is on this machine, where the tokens are got: the product never sees it.
    Ours,
    /// The target's form is not known.
    Unknown,
    /// It is another one.
    Differs,
}

impl Target {
    /// Compares a redirect URI that somebody typed with what is known of the target.
    pub fn compare(&self, uri: &RedirectUri) -> Fit {
        let Some(template) = &self.redirect_uri else { return Fit::Unknown };
        let also = self.also_register.iter().any(|also| also.redirect_uri == uri.as_str());
        if also || self.matches(template, uri.as_str()) {
            Fit::Fits
        } else if !self.class.is_prepare_only() && uri.is_loopback() {
            Fit::Ours
        } else {
            Fit::Differs
        }
    }

    /// The words in braces stand for a region, or for a host's labels.
    fn matches(&self, template: &str, text: &str) -> bool {
        let Some((before, rest)) = template.split_once('{') else { return template == text };
        let (Some(text), Some((word, rest))) = (text.strip_prefix(before), rest.split_once('}'))
        else {
            return false;
        };
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
        let longest = text.find(|c| !is_word(c)).unwrap_or(text.len());
        (1..=longest).any(|end| {
            let is_one =
                word != "region" || self.regions.list.iter().any(|own| *own == text[..end]);
            is_one && self.matches(rest, &text[end..])
        })
    }

    /// The redirect URI for a region.
    ///
    /// # Errors
    /// See [`TargetError`]: the list of regions is closed.
    pub fn redirect_uri(&self, region: Option<&str>) -> Result<RedirectUri, TargetError> {
        let name = || self.name.clone();
        let Some(template) = &self.redirect_uri else {
            return Err(match &self.redirect_uri_from {
                None if !self.class.has_redirect() => TargetError::NoRedirectUri(name()),
                place => TargetError::RedirectUriMissing { target: name(), read_it: place.clone() },
            });
        };
        let text = if template.contains(REGION) {
            let region = region.ok_or_else(|| TargetError::RegionMissing(name()))?;
            self.check_region(region)?;
            template.replace(REGION, region)
        } else {
            template.clone()
        };
        if text.contains('{') {
            let read_it = Some(format!("it has the form {template}"));
            return Err(TargetError::RedirectUriMissing { target: name(), read_it });
        }
        Ok(RedirectUri::parse(&text)?)
    }

    /// The redirect URIs to register on the client, the one that is sent first.
    ///
    /// # Errors
    /// As [`Target::redirect_uri`].
    pub fn redirect_uris(&self, region: Option<&str>) -> Result<Vec<RedirectUri>, TargetError> {
        let mut found = vec![self.redirect_uri(region)?];
        for also in &self.also_register {
            if also.region.as_deref().is_none_or(|own| Some(own) == region) {
                found.push(RedirectUri::parse(&also.redirect_uri)?);
            }
        }
        Ok(found)
    }

    fn check_region(&self, region: &str) -> Result<(), TargetError> {
        if self.regions.list.iter().any(|own| own == region) {
            return Ok(());
        }
        let refused = self.regions.refused.iter().find(|one| region.starts_with(&one.prefix));
        Err(TargetError::RegionUnknown {
            target: self.name.clone(),
            regions: self.regions.list.clone(),
            reason: refused.map(|one| one.reason.clone()),
        })
    }
}
