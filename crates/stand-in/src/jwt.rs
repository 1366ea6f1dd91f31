//! Access tokens that look like JWTs (§3.2). The signature is noise: nothing here is proven.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::json;

use crate::behaviour as knob;
use crate::instance::Instance;
use crate::model::{Client, Owner};

impl Instance {
    /// A token in JWT format, if the client's record or the knob asks for it.
    pub(crate) fn jwt_for(
        &mut self,
        now: Timestamp,
        lifespan: u64,
        client: &Client,
        owner: &Owner,
    ) -> Option<String> {
        if !self.uses_jwt(client) {
            return None;
        }
        let subject = self.users.get(&owner.1).map(|user| user.sys_id.clone());
        let header = json!({"typ": "JWT", "kid": self.key_id(), "alg": "RS256"});
        let seconds = i64::try_from(lifespan).unwrap_or(i64::MAX);
        let claims = json!({
            "sub": subject.unwrap_or_default(),
            "aud": client.client_id,
            "iss": "https://pretend.service-now.com",
            "iat": now.as_second(),
            "exp": now.as_second().saturating_add(seconds),
            "jti": self.ids.sys_id(),
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signature = self.random.opaque(342, "");
        Some(format!("{}.{}.{signature}", part(header), part(claims)))
    }

    pub(crate) fn uses_jwt(&self, client: &Client) -> bool {
        match self.behaviour.text(&knob::TOKEN_FORMAT) {
            "jwt" => true,
            "opaque" => false,
            _ => client.token_format == "jwt",
        }
    }

    /// The key id that `/api/now/oauth/jwks` lists.
    pub(crate) fn key_id(&self) -> String {
        crate::random::Random::new(self.seed, "key").sys_id()
    }
}
