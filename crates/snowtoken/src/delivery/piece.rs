//! What credentials are made of: the single values, by the names templates and stored deliveries
//! have for them.

use std::borrow::Cow;

use snowtoken_core::secret::Secret;
use snowtoken_core::target::{InstanceForm, Target, Value};

use super::{Credentials, Unfit, code, moment};

/// A single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The instance, written like that.
    Instance(InstanceForm),
    /// Client ID.
    ClientId,
    /// Client secret.
    ClientSecret,
    /// Access token.
    AccessToken,
    /// Refresh token.
    RefreshToken,
    /// A code that nobody has used yet.
    FreshCode,
    /// The code of the grant, which is spent: nobody can use it again.
    UsedCode,
    /// What proves that the fresh code is used by whoever asked for it (RFC 7636 §4.1).
    CodeVerifier,
    /// The token endpoint.
    TokenUrl,
    /// The authorization endpoint.
    AuthorizationUrl,
    /// The redirect URI.
    RedirectUri,
    /// The scope that was granted.
    Scope,
    /// When the access token ends.
    AccessTokenEnd,
    /// When the refresh token ends.
    RefreshTokenEnd,
    /// The profile's name.
    Profile,
}

impl Piece {
    /// The instance's URL.
    pub const INSTANCE: Self = Self::Instance(InstanceForm::Url);

    /// All, with the names they have in templates and what they are called for people.
    pub const ALL: [(Self, &'static str, &'static str); 18] = [
        (Self::Instance(InstanceForm::Url), "instance_url", "instance URL"),
        (
            Self::Instance(InstanceForm::UrlWithSlash),
            "instance_url_with_slash",
            "instance URL with a slash at its end",
        ),
        (Self::Instance(InstanceForm::Host), "instance_host", "instance's host"),
        (Self::Instance(InstanceForm::Name), "instance_name", "instance's name"),
        (Self::ClientId, "client_id", "client ID"),
        (Self::ClientSecret, "client_secret", "client secret"),
        (Self::AccessToken, "access_token", "access token"),
        (Self::RefreshToken, "refresh_token", "refresh token"),
        (Self::FreshCode, "auth_code", "auth code"),
        (Self::UsedCode, "used_auth_code", "used auth code"),
        (Self::CodeVerifier, "code_verifier", "code verifier"),
        (Self::TokenUrl, "token_url", "token URL"),
        (Self::AuthorizationUrl, "authorization_url", "authorization URL"),
        (Self::RedirectUri, "redirect_uri", "redirect URI"),
        (Self::Scope, "scope", "scope"),
        (Self::AccessTokenEnd, "access_token_expires_at", "end of the access token"),
        (Self::RefreshTokenEnd, "refresh_token_expires_at", "end of the refresh token"),
        (Self::Profile, "profile", "profile's name"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        let row = Self::ALL.iter().find(|(piece, ..)| *piece == self);
        row.map_or(("", ""), |(_, name, words)| (name, words))
    }

    /// Its name in templates.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// What people call it.
    pub fn words(self) -> &'static str {
        self.row().1
    }

    /// The piece of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own, _)| *own == name).map(|(piece, ..)| *piece)
    }

    /// What belongs into a field of that target's form; `None` for what is not ours to know.
    pub fn of_field(value: &Value, target: &Target) -> Option<Self> {
        Some(match value {
            Value::Instance => Self::Instance(target.instance),
            Value::ClientId => Self::ClientId,
            Value::ClientSecret => Self::ClientSecret,
            Value::AccessToken => Self::AccessToken,
            Value::RefreshToken => Self::RefreshToken,
            Value::AuthCode => Self::UsedCode,
            Value::TokenUrl => Self::TokenUrl,
            Value::AuthorizationUrl => Self::AuthorizationUrl,
            Value::RedirectUri => Self::RedirectUri,
            Value::Scope => Self::Scope,
            Value::RefreshTokenEnd => Self::RefreshTokenEnd,
            Value::UserName | Value::Password | Value::Fixed(_) => return None,
        })
    }

    /// Whether nobody may see it.
    pub fn is_secret(self) -> bool {
        matches!(
            self,
            Self::ClientSecret
                | Self::AccessToken
                | Self::RefreshToken
                | Self::FreshCode
                | Self::UsedCode
                | Self::CodeVerifier
        )
    }

    /// `camelCase`, as most secret stores have it.
    pub(super) fn camel(self) -> &'static str {
        match self {
            Self::Instance(_) => "instanceUrl",
            Self::ClientId => "clientId",
            Self::ClientSecret => "clientSecret",
            Self::AccessToken => "accessToken",
            Self::RefreshToken => "refreshToken",
            Self::TokenUrl => "tokenUrl",
            Self::AccessTokenEnd => "accessTokenExpiresAt",
            Self::RefreshTokenEnd => "refreshTokenExpiresAt",
            other => other.name(),
        }
    }
}

impl<'a> Credentials<'a> {
    /// The value, if it is there.
    pub fn piece(&self, piece: Piece) -> Option<Cow<'a, str>> {
        let secret = |secret: Option<&'a Secret>| secret.map(|secret| secret.expose().into());
        let (profile, tokens) = (self.profile, self.tokens);
        let endpoints = || profile.instance.endpoints();
        match piece {
            Piece::Instance(InstanceForm::Url) => Some(profile.instance.url().into()),
            Piece::Instance(form) => Some(form.of(&profile.instance).into()),
            Piece::ClientId => Some(profile.client_id.as_str().into()),
            Piece::ClientSecret => secret(self.client_secret),
            Piece::AccessToken => secret(tokens.map(|tokens| &tokens.access_token)),
            Piece::RefreshToken => secret(tokens.and_then(|tokens| tokens.refresh_token.as_ref())),
            Piece::FreshCode => secret(self.fresh_code.map(|fresh| &fresh.code)),
            Piece::UsedCode => secret(tokens.and_then(|tokens| tokens.authorization_code.as_ref())),
            Piece::CodeVerifier => {
                secret(self.fresh_code.and_then(|fresh| fresh.code_verifier.as_ref()))
            }
            Piece::TokenUrl => Some(String::from(endpoints().token).into()),
            Piece::AuthorizationUrl => Some(String::from(endpoints().authorization).into()),
            Piece::RedirectUri => {
                // A code is bound to the one it was asked for with (RFC 6749 §4.1.3).
                let of_code = self.fresh_code.map(|fresh| &fresh.redirect_uri);
                of_code.or(profile.redirect_uri.as_ref()).map(|uri| uri.as_str().into())
            }
            Piece::Scope => tokens?.scope.as_deref().map(Into::into),
            Piece::AccessTokenEnd => Some(moment(tokens?.access_expires_at.at).into()),
            Piece::RefreshTokenEnd => tokens?.refresh_expires_at.map(|end| moment(end.at).into()),
            Piece::Profile => Some(profile.name.as_str().into()),
        }
    }

    /// The value; what is not there is named.
    pub(super) fn need(&self, piece: Piece) -> Result<Cow<'a, str>, Unfit> {
        self.piece(piece).ok_or_else(|| match piece {
            Piece::FreshCode | Piece::CodeVerifier => self.no_fresh_code(code::LOGIN),
            other => Unfit::Missing(other.words()),
        })
    }
}
