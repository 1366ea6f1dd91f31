//! What a product's form asks for, and what it refuses.

use crate::servicenow::Instance;

/// A field of a product's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its label, exactly as it stands on the form.
    pub label: String,
    /// What belongs into it.
    pub value: Value,
}

/// What belongs into a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The instance, as the target wants it written.
    Instance,
    /// Client ID.
    ClientId,
    /// Client secret.
    ClientSecret,
    /// Access token.
    AccessToken,
    /// Refresh token.
    RefreshToken,
    /// The code: it has been used, unless it was asked for unspent.
    AuthCode,
    /// The token endpoint's URL.
    TokenUrl,
    /// The authorization endpoint's URL.
    AuthorizationUrl,
    /// The redirect URI.
    RedirectUri,
    /// The scope.
    Scope,
    /// When the refresh token ends.
    RefreshTokenEnd,
    /// A user's name, which is not ours to know.
    UserName,
    /// A user's password, which is not ours to know.
    Password,
    /// A text that is the same for everybody.
    Fixed(String),
}

impl Value {
    const ALL: [(Self, &'static str); 13] = [
        (Self::Instance, "instance"),
        (Self::ClientId, "client_id"),
        (Self::ClientSecret, "client_secret"),
        (Self::AccessToken, "access_token"),
        (Self::RefreshToken, "refresh_token"),
        (Self::AuthCode, "auth_code"),
        (Self::TokenUrl, "token_url"),
        (Self::AuthorizationUrl, "authorization_url"),
        (Self::RedirectUri, "redirect_uri"),
        (Self::Scope, "scope"),
        (Self::RefreshTokenEnd, "refresh_token_expires_at"),
        (Self::UserName, "user_name"),
        (Self::Password, "password"),
    ];

    /// The word in files; `=text` is a fixed one.
    pub fn find(word: &str) -> Option<Self> {
        if let Some(text) = word.strip_prefix('=') {
            return Some(Self::Fixed(text.to_owned()));
        }
        Self::ALL.iter().find(|(_, own)| *own == word).map(|(value, _)| value.clone())
    }

    /// The word of [`Value::find`].
    pub fn word(&self) -> String {
        match self {
            Self::Fixed(text) => format!("={text}"),
            other => {
                let found = Self::ALL.iter().find(|(value, _)| value == other);
                found.map_or_else(String::new, |(_, word)| (*word).to_owned())
            }
        }
    }
}

/// The longest values a product takes, in characters; `None`: no limit is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Client ID.
    pub client_id: Option<usize>,
    /// Client secret.
    pub client_secret: Option<usize>,
    /// Access token.
    pub access_token: Option<usize>,
    /// Refresh token.
    pub refresh_token: Option<usize>,
    /// Code.
    pub auth_code: Option<usize>,
    /// Redirect URI.
    pub redirect_uri: Option<usize>,
    /// The instance as the product wants it.
    pub instance: Option<usize>,
    /// Whether it refuses white space in any of them.
    pub no_white_space: bool,
}

/// How a product wants the instance written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InstanceForm {
    /// `https://classics.service-now.com`, without a slash at the end.
    #[default]
    Url,
    /// `https://classics.service-now.com/`.
    UrlWithSlash,
    /// `classics.service-now.com`.
    Host,
    /// `classics`.
    Name,
}

impl InstanceForm {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Url, "url"),
        (Self::UrlWithSlash, "url-with-slash"),
        (Self::Host, "host"),
        (Self::Name, "name"),
    ];

    /// The word in files.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(form, _)| *form == self).map_or("", |(_, word)| word)
    }

    /// The form of that word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == word).map(|(form, _)| *form)
    }

    /// The instance, written like that.
    pub fn of(self, instance: &Instance) -> String {
        let url = instance.url();
        let host = url.split_once("://").map_or(url, |(_, host)| host);
        match self {
            Self::Url => url.to_owned(),
            Self::UrlWithSlash => format!("{url}/"),
            Self::Host => host.to_owned(),
            Self::Name => host.split('.').next().unwrap_or(host).to_owned(),
        }
    }
}
