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

    /// All words but the fixed ones.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, word)| *word)
    }

    /// What goes there, for people.
    pub fn in_words(&self) -> String {
        let words = match self {
            Self::Instance => "the instance",
            Self::ClientId => "the client ID",
            Self::ClientSecret => "the client secret",
            Self::AccessToken => "the access token",
            Self::RefreshToken => "the refresh token",
            Self::AuthCode => "the code of the login, which has been used",
            Self::TokenUrl => "the address of the token endpoint",
            Self::AuthorizationUrl => "the address of the authorization endpoint",
            Self::RedirectUri => "the redirect URI",
            Self::Scope => "the scope",
            Self::RefreshTokenEnd => "when the refresh token ends, in UTC",
            Self::UserName => "the name of the instance's user: you type it",
            Self::Password => "the password of that user: you type it",
            Self::Fixed(text) => return format!("the text {text}"),
        };
        words.to_owned()
    }

    /// Whether only the person knows it.
    pub fn is_typed(&self) -> bool {
        matches!(self, Self::UserName | Self::Password)
    }

    /// Whether there is none before somebody has consented.
    pub fn needs_tokens(&self) -> bool {
        matches!(
            self,
            Self::AccessToken | Self::RefreshToken | Self::AuthCode | Self::RefreshTokenEnd
        )
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

impl Limits {
    /// The limit of what belongs into a field.
    pub fn of(&self, value: &Value) -> Option<usize> {
        match value {
            Value::Instance => self.instance,
            Value::ClientId => self.client_id,
            Value::ClientSecret => self.client_secret,
            Value::AccessToken => self.access_token,
            Value::RefreshToken => self.refresh_token,
            Value::AuthCode => self.auth_code,
            Value::RedirectUri => self.redirect_uri,
            _ => None,
        }
    }

    /// Each with its word, in the order of a form.
    pub fn all(&self) -> [(&'static str, Option<usize>); 7] {
        [
            ("instance", self.instance),
            ("client_id", self.client_id),
            ("client_secret", self.client_secret),
            ("access_token", self.access_token),
            ("refresh_token", self.refresh_token),
            ("auth_code", self.auth_code),
            ("redirect_uri", self.redirect_uri),
        ]
    }
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

    /// All words.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, word)| *word)
    }

    /// The form of that word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == word).map(|(form, _)| *form)
    }

    /// What it means, for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Url => "https://NAME.service-now.com",
            Self::UrlWithSlash => "https://NAME.service-now.com/",
            Self::Host => "NAME.service-now.com",
            Self::Name => "NAME",
        }
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
