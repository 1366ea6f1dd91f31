//! Calls of the Table API by somebody with an administrator's rights.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::oauth::Request;
use crate::oauth::client::uri_of;
use crate::oauth::encoding::component;
use crate::secret::{Body, Secret};
use crate::servicenow::Instance;

/// By whose rights the registry is changed.
#[derive(Debug, Clone)]
pub enum Authority {
    /// A user's name and password (HTTP Basic, RFC 7617). It reaches this instance and nobody else.
    Basic {
        /// The user's name, without a colon.
        user_name: String,
        /// The user's password.
        password: Secret,
    },
    /// An access token of an administrator.
    Bearer(Secret),
}

impl Authority {
    fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::Bearer(token) => Zeroizing::new(format!("Bearer {}", token.expose())),
            Self::Basic { user_name, password } => {
                let room = user_name.len() + password.expose().len() + 1;
                let mut pair = Zeroizing::new(String::with_capacity(room));
                pair.push_str(user_name);
                pair.push(':');
                pair.push_str(password.expose());
                let mut text = Zeroizing::new(String::with_capacity(room.div_ceil(3) * 4 + 6));
                text.push_str("Basic ");
                STANDARD.encode_string(pair.as_bytes(), &mut text);
                text
            }
        };
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Fields>,
}

/// What a record is to hold. Numbers and booleans travel as strings.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    plain: Map<String, Value>,
    client_secret: Option<Secret>,
}

impl Fields {
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        let plain = pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        Self { plain, client_secret: None }
    }

    pub(super) fn secret(secret: &Secret) -> Self {
        Self { plain: Map::new(), client_secret: Some(secret.clone()) }
    }

    pub(super) fn put(&mut self, name: &str, value: &str) {
        self.plain.insert(name.to_owned(), json!(value));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.client_secret.is_none()
    }

    /// As it may be seen.
    pub(super) fn masked(&self) -> Map<String, Value> {
        let mut all = self.plain.clone();
        if self.client_secret.is_some() {
            all.insert("client_secret".to_owned(), json!("********"));
        }
        all
    }

    fn bytes(&self) -> Body {
        let Some(secret) = &self.client_secret else {
            return Body::from(Value::Object(self.plain.clone()).to_string().into_bytes());
        };
        // Written by hand, so that no copy of the secret is left in a map.
        let room = 6 * secret.expose().len() + 32;
        let mut text = Zeroizing::new(Vec::with_capacity(room));
        text.extend_from_slice(b"{\"client_secret\":");
        // A text can always be written as JSON, and nothing can fail on the way into a buffer.
        let _ = serde_json::to_writer(&mut *text, secret.expose());
        text.push(b'}');
        Body::from(std::mem::take(&mut *text))
    }
}

impl Call {
    pub(super) fn list(table: &str, query: &str, fields: &str, limit: usize) -> Self {
        let path = crate::servicenow::table_path(table, query, fields, limit);
        Self { method: Method::GET, path, body: None }
    }

    pub(super) fn read(table: &str, sys_id: &str, fields: &str) -> Self {
        let path = format!(
            "/api/now/table/{table}/{}?sysparm_fields={fields}&sysparm_exclude_reference_link=true",
            component(sys_id).as_str()
        );
        Self { method: Method::GET, path, body: None }
    }

    /// Answers to writing calls hold no more than these fields: of a client never the secret.
    pub(super) fn make(table: &str, body: Fields, fields: &str) -> Self {
        let path = format!(
            "/api/now/table/{table}?sysparm_fields={fields}&sysparm_exclude_reference_link=true"
        );
        Self { method: Method::POST, path, body: Some(body) }
    }

    pub(super) fn change(table: &str, sys_id: &str, body: Fields) -> Self {
        let path = format!(
            "/api/now/table/{table}/{}?sysparm_fields=sys_id&sysparm_exclude_reference_link=true",
            component(sys_id).as_str()
        );
        Self { method: Method::PATCH, path, body: Some(body) }
    }

    /// Encrypted fields are saved only if values are taken as people type them.
    pub(super) fn taken_as_typed(mut self) -> Self {
        self.path.push_str("&sysparm_input_display_value=true");
        self
    }

    pub(super) fn writes(&self) -> bool {
        self.method != Method::GET
    }

    pub(super) fn request(&self, instance: &Instance, authority: &Authority) -> Request {
        let body = self.body.as_ref().map(Fields::bytes).unwrap_or_default();
        let mut request = http::Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri_of(&instance.at(&self.path));
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if self.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        // Without the header the instance answers 401, which is told as such.
        if let Some(value) = authority.header() {
            headers.insert(AUTHORIZATION, value);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> Instance {
        Instance::parse("classics").unwrap()
    }

    /// RFC 7617 §2, its own example.
    #[test]
    fn basic_is_the_example_of_the_rfc_and_stays_out_of_debug() {
        let authority = Authority::Basic {
            user_name: "Aladdin".to_owned(),
            password: Secret::new("open sesame"),
        };
        let call = Call::list("oauth_entity", "name=x", "sys_id", 2);
        let request = call.request(&instance(), &authority);
        assert_eq!(request.headers()[AUTHORIZATION], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let shown = format!("{request:?} {authority:?}");
        assert!(!shown.contains("QWxh") && !shown.contains("sesame"), "{shown}");
    }

    #[test]
    fn a_secret_travels_in_the_body_alone_and_is_masked_where_it_is_shown() {
        let fields = Fields::secret(&Secret::new("a\"b\\c"));
        assert_eq!(Value::Object(fields.masked()).to_string(), r#"{"client_secret":"********"}"#);
        let call = Call::change("oauth_entity", "0a/../b", fields).taken_as_typed();
        let request = call.request(&instance(), &Authority::Bearer(Secret::new("tok")));
        assert_eq!(request.body().expose(), br#"{"client_secret":"a\"b\\c"}"#);
        assert_eq!(
            request.uri().to_string(),
            "https://classics.service-now.com/api/now/table/oauth_entity/0a%2F..%2Fb?sysparm_fields=sys_id&sysparm_exclude_reference_link=true&sysparm_input_display_value=true"
        );
        assert!(!format!("{call:?}").contains("a\\\"b"), "{call:?}");
    }
}
