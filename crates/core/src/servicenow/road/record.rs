//! The client's record on the instance (`oauth_entity`), read with all that decides about a login.
//! Where the token may not read it, or a field of it is hidden, nothing is known by it.

use serde_json::{Map, Value};

use super::super::Instance;
use super::super::registry::{rows, table, text};
use super::super::verification::get;
use crate::oauth::client::ClientId;
use crate::oauth::{Request, Response};
use crate::secret::Secret;

/// Asks for the record.
pub fn read_whole_record(instance: &Instance, client_id: &ClientId, token: &Secret) -> Request {
    let query = format!("client_id={}", client_id.as_str());
    let fields = "client_id,active,redirect_url,public_client,use_pkce,scope_restriction_status,\
                  inbound_grant_type";
    get(instance, &table("oauth_entity", &query, fields, 2), token)
}

/// What the record says. A field that was not shown is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WholeRecord {
    /// Whether the client is active.
    pub active: Option<bool>,
    /// The registered redirect URIs.
    pub redirect_uris: Option<Vec<String>>,
    /// Whether it is a public client.
    pub public: Option<bool>,
    /// Whether PKCE is demanded of it.
    pub pkce: Option<bool>,
    /// Whether it is securely scoped: its tokens open only APIs that are listed for it.
    pub is_restricted: Option<bool>,
    /// The grant it is made for, in ServiceNow's words.
    pub grant: Option<String>,
}

/// Reads the answer to [`read_whole_record`]. `None`: no record of this client was shown.
pub fn whole_record(answer: &Response, client_id: &ClientId) -> Option<WholeRecord> {
    let rows = rows(answer)?;
    let mut ours = rows.iter().filter(|row| text(row, "client_id") == Some(client_id.as_str()));
    let row = ours.next().filter(|_| ours.next().is_none())?;
    let split = |text: &str| {
        let uris = text.split([',', '\n', ' ']).map(str::trim).filter(|uri| !uri.is_empty());
        uris.map(str::to_owned).collect()
    };
    Some(WholeRecord {
        active: flag(row, "active"),
        redirect_uris: text(row, "redirect_url").map(split),
        public: flag(row, "public_client"),
        pkce: flag(row, "use_pkce"),
        is_restricted: text(row, "scope_restriction_status").map(|status| status == "restricted"),
        grant: text(row, "inbound_grant_type").map(str::to_owned),
    })
}

/// Truth travels as text, and as itself once in a while.
fn flag(row: &Map<String, Value>, name: &str) -> Option<bool> {
    match text(row, name) {
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        _ => row.get(name)?.as_bool(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Body;

    fn record(rows: &str) -> Option<WholeRecord> {
        let body = Body::from(format!(r#"{{"result":{rows}}}"#).into_bytes());
        let answer = http::Response::builder().status(200).body(body).unwrap();
        whole_record(&answer, &ClientId::parse("id-1").unwrap())
    }

    #[test]
    fn what_is_shown_is_read_and_what_is_hidden_is_not_known() {
        let whole = record(
            r#"[{"client_id":"id-1","active":"true","redirect_url":"https://a.example/x, http://b/","public_client":"false","use_pkce":true,"scope_restriction_status":"restricted","inbound_grant_type":"authz_code"}]"#,
        );
        let expected = WholeRecord {
            active: Some(true),
            redirect_uris: Some(vec!["https://a.example/x".into(), "http://b/".into()]),
            public: Some(false),
            pkce: Some(true),
            is_restricted: Some(true),
            grant: Some("authz_code".into()),
        };
        assert_eq!(whole, Some(expected));
        let hidden = r#"[{"client_id":"id-1","active":"","redirect_url":""}]"#;
        assert_eq!(record(hidden), Some(WholeRecord::default()));
    }

    #[test]
    fn a_strangers_record_is_none() {
        for rows in ["[]", r#"[{"client_id":"id-2","active":"false"}]"#, r#"[{"active":"false"}]"#]
        {
            assert_eq!(record(rows), None, "{rows}");
        }
    }
}
