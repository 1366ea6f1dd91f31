//! What a client on the instance should look like, whichever way it is made.

use crate::oauth::client::ClientId;
use crate::oauth::redirect::RedirectUri;
use crate::profile::Grant;
use crate::servicenow::{ACCESS_TOKEN_LIFESPAN, CODE_LIFESPAN, REFRESH_TOKEN_LIFESPAN};
use crate::target::{Target, TargetError};

/// A client as it should stand in the instance's registry (`oauth_entity`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientPlan {
    /// Its name there, unique on the instance.
    pub name: String,
    /// Its `client_id`; where there is none, the instance makes one.
    pub client_id: Option<ClientId>,
    /// The grant it is for.
    pub grant: Grant,
    /// The registered redirect URIs, the one that is sent first; none for grants without a person.
    pub redirect_uris: Vec<RedirectUri>,
    /// Access Token Lifespan, in seconds.
    pub access_token_lifespan: i64,
    /// Refresh Token Lifespan, in seconds.
    pub refresh_token_lifespan: i64,
    /// Lifespan of a code, in seconds.
    pub code_lifespan: i64,
    /// The scopes it may be asked for.
    pub scopes: Vec<String>,
    /// The OAuth Application User of grants without a person, by user name.
    pub user: Option<String>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The product takes no OAuth client.
    #[error("{0} takes a user's name and password, and no OAuth client")]
    NoClient(String),
    /// The redirect URI is not known.
    #[error(transparent)]
    Place(#[from] TargetError),
}

impl ClientPlan {
    /// The client that a target wants. A redirect URI that somebody names goes before the target's.
    ///
    /// # Errors
    /// If the target takes no client, or its redirect URI is not known.
    pub fn for_target(
        target: &Target,
        region: Option<&str>,
        redirect_uri: Option<RedirectUri>,
    ) -> Result<Self, PlanError> {
        use crate::target::Class;
        let grant = match target.class {
            Class::Basic => return Err(PlanError::NoClient(target.title.clone())),
            class => class.grant(),
        };
        let redirect_uris = match (grant, redirect_uri) {
            (Some(Grant::AuthorizationCode), Some(uri)) => vec![uri],
            (Some(Grant::AuthorizationCode), None) => target.redirect_uris(region)?,
            _ => Vec::new(),
        };
        Ok(Self {
            name: format!("snowtoken {}", target.name),
            client_id: None,
            grant: grant.unwrap_or_default(),
            redirect_uris,
            access_token_lifespan: target.access_token_lifespan.unwrap_or(ACCESS_TOKEN_LIFESPAN),
            refresh_token_lifespan: target.refresh_token_lifespan.unwrap_or(REFRESH_TOKEN_LIFESPAN),
            code_lifespan: CODE_LIFESPAN,
            scopes: target.scope.split_ascii_whitespace().map(str::to_owned).collect(),
            user: None,
        })
    }
}
