//! What is special about a ServiceNow instance: where it lives, its fixed endpoints, its default
//! lifespans, its pages, and what its answers mean. Sources and confidence: `docs/quirks.md`.

mod failure;
mod instance;
mod owner;
mod registry;
pub mod road;
mod verification;

use jiff::SignedDuration;

use crate::diagnosis::Code;

pub use failure::{Phase, TokenFailure};
pub use instance::{Instance, InstanceError};
pub use owner::{Concern, UserRecord, concerns, is_admin, read_roles, read_user, user_record};
pub use registry::{
    ClientRecord, Credentials, client_record, credentials, read_client, read_credentials,
};
pub(crate) use registry::{table as table_path, text};
pub use verification::{ApiError, ApiVerdict, judge, read_current_user, read_table};
pub(crate) use verification::{get as read_path, message};

/// Access Token Lifespan of a new client, in seconds.
pub const ACCESS_TOKEN_LIFESPAN: i64 = 1_800;

/// Refresh Token Lifespan of a new client, in seconds: 100 days.
pub const REFRESH_TOKEN_LIFESPAN: i64 = 8_640_000;

/// `auth_code_lifespan` of a new client, in seconds.
pub const CODE_LIFESPAN: i64 = 60;

/// The lifespans set on the client, in seconds, as far as somebody stated them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lifespans {
    /// Access Token Lifespan.
    pub access: Option<i64>,
    /// Refresh Token Lifespan.
    pub refresh: Option<i64>,
}

impl Lifespans {
    /// The access token's, or the documented default; no token lives for no time at all.
    pub fn access_or_default(self) -> i64 {
        self.access.filter(|seconds| *seconds > 0).unwrap_or(ACCESS_TOKEN_LIFESPAN)
    }

    /// The refresh token's, or the documented default.
    pub fn refresh_or_default(self) -> i64 {
        self.refresh.unwrap_or(REFRESH_TOKEN_LIFESPAN)
    }
}

/// Reads a lifespan: seconds, or a number with `s`, `m`, `h`, `d`. Commas between digits, as the
/// forms show them, are allowed.
///
/// # Errors
/// A sentence that says what would be a lifespan.
pub fn parse_lifespan(text: &str) -> Result<SignedDuration, &'static str> {
    const FORM: &str =
        "a duration is a number of seconds, or a number with s, m, h or d: 31536000, 365d, 30m";
    let plain: String = text.trim().chars().filter(|c| !matches!(c, ',' | '_')).collect();
    let (digits, factor) = match plain.strip_suffix(['s', 'm', 'h', 'd']) {
        None => (plain.as_str(), 1),
        Some(digits) => match plain.as_bytes().last() {
            Some(b'm') => (digits, 60),
            Some(b'h') => (digits, 3_600),
            Some(b'd') => (digits, 86_400),
            _ => (digits, 1),
        },
    };
    let number: i64 = if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().map_err(|_| FORM)?
    } else {
        return Err(FORM);
    };
    // A hundred years: beyond that the dates themselves end.
    match number.checked_mul(factor) {
        Some(seconds) if seconds <= 3_155_760_000 => Ok(SignedDuration::from_secs(seconds)),
        _ => Err("a duration is at most a hundred years"),
    }
}

/// A page that answers instead of an endpoint, told by its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// A developer instance that sleeps.
    Hibernating,
    /// Waking up, or in maintenance.
    Offline,
    /// A sign-in of something that stands in front.
    SignIn,
    /// An address that is not let in.
    Restricted,
}

impl Page {
    /// Knows the page by its title.
    pub fn from_title(title: &str) -> Option<Self> {
        let title = title.to_ascii_lowercase();
        if title.contains("instance hibernating") {
            Some(Self::Hibernating)
        } else if title.contains("currently offline") {
            Some(Self::Offline)
        } else if SIGN_INS.iter().any(|words| title.contains(words)) {
            Some(Self::SignIn)
        } else if title.contains("access restricted") || title.contains("security restricted") {
            Some(Self::Restricted)
        } else {
            None
        }
    }

    /// The diagnosis of meeting it.
    pub fn code(self) -> Code {
        match self {
            Self::Hibernating => Code::InstanceAsleep,
            Self::Offline => Code::InstanceOffline,
            Self::SignIn => Code::SignInInFront,
            Self::Restricted => Code::AddressRefused,
        }
    }

    /// The same for whatever page it is.
    pub(crate) fn code_of(title: Option<&str>) -> Code {
        title.and_then(Self::from_title).map_or(Code::AnswerUnreadable, Self::code)
    }
}

/// How the titles of sign-in pages read.
const SIGN_INS: [&str; 5] = ["sign in", "signin", "log in", "login", "single sign-on"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_by_their_titles() {
        for (title, code) in [
            (Some("Instance Hibernating page"), Code::InstanceAsleep),
            (Some("Your instance is currently offline"), Code::InstanceOffline),
            (Some("Sign in to your organization"), Code::SignInInFront),
            (Some("Log in | ServiceNow"), Code::SignInInFront),
            (Some("Access restricted"), Code::AddressRefused),
            (Some("Welcome to our WLAN"), Code::AnswerUnreadable),
            (None, Code::AnswerUnreadable),
        ] {
            assert_eq!(Page::code_of(title), code, "{title:?}");
        }
    }

    #[test]
    fn lifespans_as_people_write_them() {
        for (text, seconds) in [
            ("1800", 1800),
            ("31,536,000", 31_536_000),
            ("365d", 31_536_000),
            ("30m", 1800),
            ("2h", 7200),
            ("5s", 5),
            ("0", 0),
        ] {
            assert_eq!(parse_lifespan(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "d", "-1", "1w", "1.5h", "99999999999999999999", "99999999999d", "+5"] {
            assert!(parse_lifespan(text).is_err(), "{text}");
        }
    }
}
