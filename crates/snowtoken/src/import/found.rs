//! What was found, and the names by which it is known.

use jiff::Timestamp;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, KnownBy};
use url::Url;

use super::{connection_string, json};

/// The labels that are known, for people whose file has others. Case, blanks, `-` and `_` do not
/// count, nor do the beginnings `SERVICENOW_`, `SNOW_`, `OAUTH_` and the like.
pub const LABELS: [(&str, &str); 6] = [
    ("instance", "Instance URL, Instance, Host, URL, Base URL, Subdomain, Token URL"),
    ("client ID", "Client ID, App Key"),
    ("client secret", "Client Secret, App Secret"),
    ("access token", "Access Token, Token, Authorization: Bearer"),
    ("refresh token", "Refresh Token"),
    ("redirect URL", "Redirect URL, Redirect URI, Callback URL"),
];

/// How the text was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// Lines with a label or a name.
    #[default]
    Lines,
    /// JSON.
    Json,
    /// The connection string of a driver.
    ConnectionString,
    /// A curl command.
    Curl,
}

/// What was found. Nothing is checked yet.
#[derive(Debug, Default)]
pub struct Found {
    /// How it was written.
    pub shape: Shape,
    /// Name, host or URL.
    pub instance: Option<String>,
    /// `client_id`.
    pub client_id: Option<String>,
    /// `client_secret`.
    pub client_secret: Option<Secret>,
    /// An access token.
    pub access_token: Option<Secret>,
    /// A refresh token.
    pub refresh_token: Option<Secret>,
    /// When the refresh token ends, if the text says so.
    pub refresh_token_end: Option<Deadline>,
    /// The redirect URI it was got with.
    pub redirect_uri: Option<String>,
    /// Whether there is a user's password: the grant it is for is left out on purpose.
    pub has_password: bool,
    /// The file in which an OpenText connector keeps the tokens, in a form of its own.
    pub sites_file: Option<String>,
    /// Named values that were not taken: whoever removes the file loses them.
    pub others: usize,
    /// An endpoint: it names the instance if nothing else does.
    endpoint: Option<String>,
    /// Whether a value is being taken apart.
    is_inside: bool,
    end: Option<Timestamp>,
    end_known_by: Option<KnownBy>,
}

/// What a name stands for.
enum Kind {
    Instance,
    Endpoint,
    ClientId,
    ClientSecret,
    AccessToken,
    RefreshToken,
    RedirectUri,
    Header,
    End,
    EndKnownBy,
    Password,
    SitesFile,
    ConnectionString,
    /// Known, and of no use here: the code is spent, the rest can be asked for.
    Nothing,
}

/// The letters and digits of a name, small.
pub(super) fn plain_name(name: &str) -> String {
    name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
}

fn kind(name: &str) -> Option<Kind> {
    let beginnings = ["persist", "snowtoken", "servicenow", "snow", "sn", "oauth2", "oauth"];
    let name = beginnings.iter().fold(name, |name, beginning| {
        name.strip_prefix(beginning).filter(|rest| !rest.is_empty()).unwrap_or(name)
    });
    Some(match name {
        "instance" | "instanceurl" | "instancename" | "host" | "hostname" | "url" | "baseurl"
        | "subdomain" => Kind::Instance,
        "tokenurl"
        | "tokenendpoint"
        | "accesstokenurl"
        | "refreshurl"
        | "refreshtokenurl"
        | "authurl"
        | "authorizationurl"
        | "authorizationendpoint"
        | "tokenuri"
        | "authuri" => Kind::Endpoint,
        "clientid" | "appkey" | "consumerkey" => Kind::ClientId,
        "clientsecret"
        | "appsecret"
        | "consumersecret"
        | "usermanagedclientapplicationclientsecret" => Kind::ClientSecret,
        "accesstoken" | "token" | "bearertoken" => Kind::AccessToken,
        "refreshtoken" => Kind::RefreshToken,
        "redirecturi" | "redirecturl" | "callbackurl" | "callbackuri" => Kind::RedirectUri,
        "authorization" => Kind::Header,
        "refreshtokenexpiresat" | "refreshtokenexpirytime" => Kind::End,
        "refreshtokenexpiryknownby" => Kind::EndKnownBy,
        "password" | "tokenparameters" => Kind::Password,
        "sitesfile" => Kind::SitesFile,
        "authcode"
        | "code"
        | "codeverifier"
        | "scope"
        | "scopes"
        | "tokentype"
        | "expiresin"
        | "expiresat"
        | "accesstokenexpiresat"
        | "tokentimestamp"
        | "granttype"
        | "state"
        | "version"
        | "username"
        | "user"
        | "created"
        | "sitename" => Kind::Nothing,
        other if other.ends_with("connectionstring") || other.ends_with("jdbcurl") => {
            Kind::ConnectionString
        }
        _ => return None,
    })
}

/// What a script or a form holds before somebody fills it in.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    value == "…"
        || value.starts_with("[Enter ") && value.ends_with(']')
        || value.starts_with('<')
            && value.ends_with('>')
            && value.chars().all(|c| c.is_ascii_alphanumeric() || "<>_- ".contains(c))
        || value.starts_with("{{") && value.ends_with("}}")
}

impl Found {
    /// Whether there is nothing of use at all.
    pub fn is_empty(&self) -> bool {
        self.names().is_empty()
    }

    /// What was found, by its name for people.
    pub fn names(&self) -> Vec<&'static str> {
        [
            ("instance", self.instance.is_some()),
            ("client ID", self.client_id.is_some()),
            ("client secret", self.client_secret.is_some()),
            ("access token", self.access_token.is_some()),
            ("refresh token", self.refresh_token.is_some()),
            ("redirect URL", self.redirect_uri.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_there)| is_there.then_some(name))
        .collect()
    }

    /// Takes a value by its name. The first of each kind counts.
    pub(super) fn take(&mut self, name: &str, value: &str) {
        if value.trim().is_empty() || is_placeholder(value) {
            return;
        }
        let text = |slot: &mut Option<String>| {
            *slot = slot.take().or_else(|| Some(value.trim().to_owned()));
        };
        let secret =
            |slot: &mut Option<Secret>| *slot = slot.take().or_else(|| Some(Secret::new(value)));
        match kind(&plain_name(name)) {
            // A URL of a driver may stand under any name that is not a secret's.
            None | Some(Kind::Instance) if value.starts_with("jdbc:") => self.take_inner(value),
            Some(Kind::ConnectionString) => self.take_inner(value),
            Some(Kind::Instance) => text(&mut self.instance),
            Some(Kind::Endpoint) => text(&mut self.endpoint),
            Some(Kind::ClientId) => text(&mut self.client_id),
            Some(Kind::RedirectUri) => text(&mut self.redirect_uri),
            Some(Kind::SitesFile) => text(&mut self.sites_file),
            Some(Kind::ClientSecret) => secret(&mut self.client_secret),
            Some(Kind::AccessToken) => secret(&mut self.access_token),
            Some(Kind::RefreshToken) => secret(&mut self.refresh_token),
            Some(Kind::Header) => self.take_header(value),
            Some(Kind::End) => self.end = self.end.or_else(|| value.trim().parse().ok()),
            Some(Kind::EndKnownBy) => self.end_known_by = known_by(value.trim()),
            Some(Kind::Password) => self.has_password = true,
            Some(Kind::Nothing) => {}
            // A secret as AWS prints it: an object in a text.
            None if value.trim_start().starts_with('{') && json::read(value, self) => {}
            None => self.others += 1,
        }
    }

    /// A connection string as a value. One in another, and so on, is nobody's.
    fn take_inner(&mut self, value: &str) {
        if !std::mem::replace(&mut self.is_inside, true) {
            self.shape = Shape::ConnectionString;
            connection_string::read(value, self);
            self.is_inside = false;
        }
    }

    /// An address of the instance, whatever it leads to.
    pub(super) fn take_endpoint(&mut self, url: &str) {
        self.take("token_url", url);
    }

    fn take_header(&mut self, value: &str) {
        if let Some(token) = value.strip_prefix("Bearer ") {
            self.take("access_token", token);
        }
    }

    /// What follows from all of it together.
    pub(super) fn settle(&mut self) {
        if self.instance.is_none() {
            self.instance = self.endpoint.take().and_then(|url| origin(&url));
        }
        let known_by = self.end_known_by.unwrap_or(KnownBy::Stated);
        self.refresh_token_end =
            self.end.filter(|_| self.refresh_token.is_some()).map(|at| Deadline { at, known_by });
    }
}

fn known_by(word: &str) -> Option<KnownBy> {
    let all = [KnownBy::Stated, KnownBy::Derived, KnownBy::Observed];
    all.into_iter().find(|known_by| known_by.as_str() == word)
}

/// Scheme, host and port of an endpoint's URL. What names a user is no such address.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "https" | "http") && url.username().is_empty();
    let host = url.host_str().filter(|_| plain && url.password().is_none())?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{host}{port}", url.scheme()))
}
