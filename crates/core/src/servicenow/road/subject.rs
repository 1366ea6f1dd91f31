//! What the road leads to.

use crate::oauth::Scope;
use crate::oauth::client::{AuthenticationMethod, ClientId};
use crate::oauth::redirect::RedirectUri;
use crate::profile::{Grant, Profile};
use crate::servicenow::Instance;
use crate::target::Target;

/// What the road leads to, as far as it is known: a whole profile, or an instance and a few things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The instance.
    pub instance: Instance,
    /// The client.
    pub client_id: Option<ClientId>,
    /// The redirect URI.
    pub redirect_uri: Option<RedirectUri>,
    /// The scope that is asked for.
    pub scope: Option<Scope>,
    /// How the client authenticates.
    pub authentication: AuthenticationMethod,
    /// The grant.
    pub grant: Grant,
    /// The tables that the product reads; `None` where no product is named.
    pub tables: Option<Vec<String>>,
}

impl Subject {
    /// An instance, and nothing else yet.
    pub fn instance(instance: Instance) -> Self {
        Self {
            instance,
            client_id: None,
            redirect_uri: None,
            scope: None,
            authentication: AuthenticationMethod::default(),
            grant: Grant::default(),
            tables: None,
        }
    }

    /// All that a profile and its product name.
    pub fn profile(profile: &Profile, target: Option<&Target>) -> Self {
        let by_target = || target?.redirect_uri(profile.region.as_deref()).ok();
        let redirect_uri = match profile.grant {
            Grant::AuthorizationCode => profile.redirect_uri.clone().or_else(by_target),
            Grant::ClientCredentials | Grant::JwtBearer => None,
        };
        Self {
            instance: profile.instance.clone(),
            client_id: Some(profile.client_id.clone()),
            redirect_uri,
            scope: profile.scope.clone(),
            authentication: profile.authentication,
            grant: profile.grant,
            tables: target.map(|target| target.tables.clone()),
        }
    }
}
