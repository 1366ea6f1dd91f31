//! Questions about ServiceNow that no published source answers, and how an instance answers them:
//! the requests to send, what their answers mean, and the file of facts that comes of it.
//!
//! Nobody measures in passing: tokens are refreshed and revoked on the way, so a measurement wants a
//! client of its own. What would disturb others on the instance is not done here; it is described, so
//! that somebody who may can do it and look.

pub mod ask;
pub mod facts;
pub mod judge;

/// Something that is not known about ServiceNow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown {
    /// A word for it.
    pub name: &'static str,
    /// The question.
    pub question: &'static str,
    /// The knobs of the stand-in that the answer sets.
    pub knobs: &'static [&'static str],
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It was measured.
    Measured(Seen),
    /// It was not, and why.
    NotMeasured(String),
}

/// An answer: in words, and as settings of the stand-in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// What was seen. No value of the instance, its client or its user is in it.
    pub text: String,
    /// Knobs and their values.
    pub knobs: Vec<(&'static str, String)>,
}

impl Seen {
    /// What was seen, and no knob for it.
    pub fn only(text: impl Into<String>) -> Self {
        Self { text: text.into(), knobs: Vec::new() }
    }

    /// What was seen, and the knob that makes it so.
    pub fn knob(text: impl Into<String>, name: &'static str, value: impl Into<String>) -> Self {
        Self { text: text.into(), knobs: vec![(name, value.into())] }
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        if !self.text.is_empty() && !other.text.is_empty() {
            self.text.push_str("; ");
        }
        self.text.push_str(&other.text);
        self.knobs.extend(other.knobs);
        self
    }
}

macro_rules! unknowns {
    ($($constant:ident = $name:literal, $question:literal, [$($knob:literal),*];)*) => {
        $(#[doc = $question] pub const $constant: Unknown =
            Unknown { name: $name, question: $question, knobs: &[$($knob),*] };)*
        /// All of them.
        pub const UNKNOWNS: &[Unknown] = &[$($constant),*];
    };
}

unknowns! {
    DENY = "deny", "What reaches the redirect URI when a person presses Deny", ["deny"];
    AUTHORIZATION_ERRORS = "authorization-errors",
        "What the authorization endpoint shows for an unknown client, another `response_type`, a missing `code_challenge`",
        ["error_page.status", "response_type.other", "challenge.missing"];
    CONSENT_REPEATS = "consent-repeats", "Whether the consent page comes again", ["consent.repeat"];
    REFRESHED_ACCESS = "refreshed-access",
        "Whether a refresh brings a new access token while the old one lives, and what becomes of that",
        ["refresh.access", "refresh.old_access"];
    REFRESHED_REFRESH = "refreshed-refresh",
        "Whether the answer to a refresh holds a refresh token, and which", ["refresh.token"];
    REVOCATION = "revocation",
        "What both revocation endpoints answer, and what a revocation ends",
        ["revoke.paths", "revoke.status", "revoke.body", "revoke.effect", "revoke.unknown",
         "revoke.access_ends_refresh", "revoke.refresh_ends_access"];
    VERIFIER = "code-verifier", "What a wrong `code_verifier` is answered",
        ["pkce", "pkce.failure", "code.failed_attempt"];
    GRANT_TYPE = "grant-type", "What an unknown and a missing `grant_type` are answered",
        ["grant_type.unsupported"];
    OAUTH_OFF = "oauth-off", "What the endpoints answer when OAuth is switched off", [];
    IP_DENIED = "ip-denied", "What an address that is not allowed is answered", [];
    WELL_KNOWN = "well-known", "Whether /.well-known/openid-configuration exists", ["well_known"];
    EMPTY_SCOPE = "empty-scope", "Whether `scope=` means the same as no scope", ["scope.empty"];
    CONSENT_TEXT = "consent-text", "What the consent page says",
        ["consent.wording", "consent.button"];
    RATE_LIMIT = "rate-limit", "Whether the token endpoint limits requests", ["token.rate_limit"];
    LIFESPAN_CHANGE = "lifespan-change",
        "Whether a changed lifespan moves the end of tokens that were issued before", ["lifespan.change"];
    SECRET_READ_BACK = "secret-read-back", "What the Table API returns as `client_secret`",
        ["entity.secret_read_back"];
    BASIC = "basic", "How a client secret is read that came by HTTP Basic",
        ["client_auth.basic", "client_auth.basic_decoding", "client_auth.basic_colon"];
    REDIRECT_QUERY = "redirect-query",
        "What becomes of a redirect URI that has a query of its own", ["redirect.query"];
}

impl Unknown {
    /// The one of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        UNKNOWNS.iter().find(|unknown| unknown.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_eighteen_and_no_knob_is_set_by_two() {
        assert_eq!(UNKNOWNS.len(), 18);
        let knobs: Vec<&str> = UNKNOWNS.iter().flat_map(|unknown| unknown.knobs).copied().collect();
        assert_eq!(knobs.iter().collect::<BTreeSet<_>>().len(), knobs.len());
        assert_eq!(Unknown::find("deny"), Some(&DENY));
        assert_eq!(Unknown::find("x"), None);
    }
}
