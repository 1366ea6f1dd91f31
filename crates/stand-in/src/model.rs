//! What the instance keeps: clients (OAuth entities), users, codes and tokens.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The redirect URL of Amazon AppFlow in the region that the default client is prepared for.
pub const APPFLOW_REDIRECT_URL: &str = "https://us-west-2.console.aws.amazon.com/appflow/oauth";

/// One row of `oauth_entity` (§7.2): a client in the Application Registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    /// The record's key, 32 hexadecimal digits; empty until the instance fills it in.
    pub sys_id: String,
    /// The application's name, as the consent page shows it.
    pub name: String,
    /// The `client_id`; when empty, the instance generates 32 hexadecimal digits.
    pub client_id: String,
    /// The `client_secret`; when empty, the instance generates one with punctuation.
    pub client_secret: String,
    /// The registered redirect URLs, compared character by character.
    pub redirect_urls: Vec<String>,
    /// An inactive client is refused everywhere.
    pub active: bool,
    /// Seconds an access token lives.
    pub access_token_lifespan: u32,
    /// Seconds a refresh token lives.
    pub refresh_token_lifespan: u32,
    /// Seconds an authorization code lives.
    pub auth_code_lifespan: u32,
    /// A public client has no secret and must use PKCE.
    pub public_client: bool,
    /// "Always use PKCE".
    pub use_pkce: bool,
    /// Rows of `oauth_entity_scope`: the classic scope table.
    pub scopes: Vec<String>,
    /// Rows of `oauth_entity_auth_scope_mapping`: the newer scope table.
    pub auth_scopes: Vec<String>,
    /// `unrestricted`, `restricted` or `useraccount`.
    pub scope_restriction_status: String,
    /// The OAuth Application User of the client credentials grant; empty for none.
    pub user: String,
    /// `opaque` or `jwt`.
    pub token_format: String,
    /// `authz_code`, `client_credential`, `jwt`, `multiple`, or empty on the classic form.
    pub inbound_grant_type: String,
    /// The Logo URL; empty for none.
    pub logo_url: String,
    /// What a JWT API endpoint has besides: the record is one of `oauth_jwt` then.
    pub jwt: Option<JwtEndpoint>,
    /// Every other field that was written to the record by API, as text.
    pub other: BTreeMap<String, String>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            sys_id: String::new(),
            name: "Rehearsal".to_owned(),
            client_id: String::new(),
            client_secret: String::new(),
            redirect_urls: vec![
                APPFLOW_REDIRECT_URL.to_owned(),
                "http://localhost:8400/callback".to_owned(),
                "http://127.0.0.1:8400/callback".to_owned(),
            ],
            active: true,
            access_token_lifespan: 1_800,
            refresh_token_lifespan: 8_640_000,
            auth_code_lifespan: 60,
            public_client: false,
            use_pkce: false,
            scopes: vec!["useraccount".to_owned()],
            auth_scopes: vec!["useraccount".to_owned()],
            scope_restriction_status: "unrestricted".to_owned(),
            user: String::new(),
            token_format: "opaque".to_owned(),
            inbound_grant_type: String::new(),
            logo_url: String::new(),
            jwt: None,
            other: BTreeMap::new(),
        }
    }
}

/// What a row of `oauth_jwt` has besides those of `oauth_entity` (§7.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JwtEndpoint {
    /// The field of `sys_user` that holds an assertion's subject.
    pub user_field: String,
    /// So many seconds an assertion's dates may be wrong.
    pub clock_skew: u32,
    /// Whether an assertion is accepted once only.
    pub enable_jti_verification: bool,
    /// The claim that tells assertions apart.
    pub jti_claim: String,
}

impl Default for JwtEndpoint {
    fn default() -> Self {
        Self {
            user_field: "user_name".to_owned(),
            clock_skew: 300,
            enable_jti_verification: true,
            jti_claim: "jti".to_owned(),
        }
    }
}

/// One row of `sys_user`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the record has these check boxes")]
pub struct User {
    /// The record's key, 32 hexadecimal digits; empty until the instance fills it in.
    pub sys_id: String,
    /// The name to sign in with.
    pub user_name: String,
    /// The password to sign in with; not a secret worth keeping.
    pub password: String,
    /// The name people read.
    pub name: String,
    /// The roles, such as `admin`.
    pub roles: Vec<String>,
    /// Inactive users are refused everywhere.
    pub active: bool,
    /// Locked users are refused everywhere.
    pub locked_out: bool,
    /// Users who must choose a new password first get no tokens.
    pub password_needs_reset: bool,
    /// Users of web services only cannot sign in on the login page.
    pub web_service_access_only: bool,
    /// Whether the user is marked as one for integrations.
    pub internal_integration_user: bool,
    /// `human`, `machine`, or empty as before the Zurich release.
    pub identity_type: String,
}

impl Default for User {
    fn default() -> Self {
        Self {
            sys_id: String::new(),
            user_name: String::new(),
            password: "snow".to_owned(),
            name: String::new(),
            roles: Vec::new(),
            active: true,
            locked_out: false,
            password_needs_reset: false,
            web_service_access_only: false,
            internal_integration_user: false,
            identity_type: String::new(),
        }
    }
}

impl User {
    /// The users every pretend instance starts with; the password of each is `snow`.
    pub fn defaults() -> Vec<Self> {
        let user = |user_name: &str, name: &str, roles: &[&str]| Self {
            user_name: user_name.to_owned(),
            name: name.to_owned(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            ..Self::default()
        };
        vec![
            user("abel.tuter", "Abel Tuter", &["itil", "knowledge", "snc_internal"]),
            user("admin", "System Administrator", &["admin"]),
            Self { locked_out: true, ..user("locked.user", "Lotte Locked", &["itil"]) },
            Self { active: false, ..user("inactive.user", "Ines Inactive", &["itil"]) },
        ]
    }

    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role || own == "admin")
    }

    pub(crate) fn initials(&self) -> String {
        self.name.split_whitespace().filter_map(|word| word.chars().next()).collect()
    }
}

/// An authorization code and everything it is bound to.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) user_name: String,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) challenge: Option<String>,
    pub(crate) method: String,
    pub(crate) scope: Option<String>,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) used: bool,
}

/// One token: a row of `oauth_credential`.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) sys_id: String,
    pub(crate) value: String,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) revoked: bool,
}

/// The one pair of tokens that a client has for a user (§3.3), and what it had before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pair {
    pub(crate) access: Option<Token>,
    pub(crate) refresh: Option<Token>,
    pub(crate) scope: String,
    /// Older access tokens that may still live.
    pub(crate) old_access: Vec<Token>,
    /// Rotated refresh tokens and when they were replaced.
    pub(crate) old_refresh: Vec<(String, Timestamp)>,
}

/// Whose pair it is: (`client_id`, `user_name`).
pub(crate) type Owner = (String, String);

/// One line of the instance's syslog: the cause that the wire hides (§4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyslogEntry {
    /// When it was written, by the instance's clock.
    pub at: Timestamp,
    /// Which part of the instance wrote it.
    pub source: String,
    /// The text, such as `Exception on token flow - invalid_token: …`.
    pub message: String,
}

/// One line of the instance's transaction log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transaction {
    /// When the request came, by the instance's clock.
    pub at: Timestamp,
    /// The method of the request.
    pub method: String,
    /// The path and query of the request.
    pub url: String,
    /// The status of the answer.
    pub status: u16,
    /// The fault that met the request, if any.
    pub fault: Option<String>,
}

/// A request as it came in, with everything secret in it: this is a test tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedRequest {
    /// When it came, by the instance's clock.
    pub at: Timestamp,
    /// The method, such as `POST`.
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// The headers in the order they came; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came, at most its first 64 KiB.
    #[serde(serialize_with = "body_as_text")]
    pub body: Vec<u8>,
}

impl RecordedRequest {
    /// The value of a form parameter in the body, decoded; `None` when it is not there.
    pub fn form(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(&self.body)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The value of the first header of this name, in lower case; `None` when it is not there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn body_as_text<S: serde::Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}

/// `now` plus some seconds, at the latest the end of time.
pub(crate) fn after(now: Timestamp, seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}
