//! What the instance's own tables say about a token: the client's record (`oauth_entity`) and the
//! rows of issued tokens (`oauth_credential`, Manage Tokens).
//!
//! Who may read them is up to the instance; most tokens may not. So nothing here is an error: an
//! answer tells something, or it tells nothing. Nor is a row believed because it came: a filter that
//! an instance does not understand is dropped, and then strangers' rows come back. Tokens are never
//! looked up by their value: addresses of requests are logged.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::owner::{UserRecord, is_key};
use super::verification::get;
use super::{Instance, Lifespans};
use crate::oauth::client::ClientId;
use crate::oauth::encoding::component;
use crate::oauth::{Request, Response};
use crate::secret::Secret;
use crate::token_set::{Deadline, User};

/// Rows of tokens that are asked for at most. An answer with as many may lack some.
const MOST_ROWS: usize = 100;

/// How far the instance's clock and ours may be apart when an access token is known by its end.
const CLOCKS: SignedDuration = SignedDuration::from_secs(60);

/// No lifespan on a record is longer than this many seconds (a hundred years): it would be a typo.
const LONGEST_LIFE: i64 = 3_155_760_000;

/// Asks for the client's record in the registry.
pub fn read_client(instance: &Instance, client_id: &ClientId, token: &Secret) -> Request {
    let query = format!("client_id={}", client_id.as_str());
    let fields = "sys_id,client_id,access_token_lifespan,refresh_token_lifespan,auth_code_lifespan";
    get(instance, &table("oauth_entity", &query, fields, 2), token)
}

/// The client's record, as far as it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// Its key, which rows of tokens refer to as `peer`.
    pub sys_id: Option<String>,
    /// The lifespans that stand on it.
    pub lifespans: Lifespans,
    /// How long a code lives, in seconds (`auth_code_lifespan`).
    pub code_lifespan: Option<i64>,
}

/// Reads the answer to [`read_client`]. `None`: there is no such answer, or no record of this
/// client in it, or more than one.
pub fn client_record(answer: &Response, client_id: &ClientId) -> Option<ClientRecord> {
    let rows = rows(answer)?;
    let mut ours = rows.iter().filter(|row| text(row, "client_id") == Some(client_id.as_str()));
    let row = ours.next().filter(|_| ours.next().is_none())?;
    let lifespans = Lifespans {
        access: lifespan(row, "access_token_lifespan"),
        refresh: lifespan(row, "refresh_token_lifespan"),
    };
    let code_lifespan = lifespan(row, "auth_code_lifespan");
    Some(ClientRecord { sys_id: text(row, "sys_id").map(str::to_owned), lifespans, code_lifespan })
}

/// Asks for the rows of issued tokens, of one user where the key of the user is known.
///
/// The client is left out of the question: whoever may not read the registry may not ask by it
/// either, and would be refused all of it.
pub fn read_credentials(instance: &Instance, user: Option<&str>, token: &Secret) -> Request {
    let mut query = "typeINaccess_token,refresh_token".to_owned();
    if let Some(sys_id) = user.filter(|sys_id| is_key(sys_id)) {
        query.push_str("^user=");
        query.push_str(sys_id);
    }
    query.push_str("^ORDERBYDESCexpires");
    let fields = "type,expires,peer,peer.client_id,user,user.active,user.locked_out,\
                  user.web_service_access_only,user.internal_integration_user,user.identity_type";
    get(instance, &table("oauth_credential", &query, fields, MOST_ROWS), token)
}

/// The rows of issued tokens that this token may see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    rows: Vec<Credential>,
    /// Whether there may be more of them.
    is_cut: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Credential {
    kind: Kind,
    expires: Timestamp,
    user: String,
    peer: Option<String>,
    client_id: Option<String>,
    owner: UserRecord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Access,
    Refresh,
}

/// Reads the answer to [`read_credentials`]. `None`: no rows could be read from it.
pub fn credentials(answer: &Response) -> Option<Credentials> {
    let rows = rows(answer)?;
    let is_cut = rows.len() >= MOST_ROWS;
    Some(Credentials { rows: rows.iter().filter_map(credential).collect(), is_cut })
}

impl Credentials {
    /// When the refresh token of this client and user ends, if exactly one moment can be meant.
    ///
    /// A row is ours if it names the user and the client. Where the client's name is hidden, its key
    /// does as well, taken from the client's record; or else from the one row of this user whose
    /// access token ends when ours does.
    pub fn refresh_end(
        &self,
        user: &User,
        client_id: &ClientId,
        record: Option<&ClientRecord>,
        access_end: Deadline,
    ) -> Option<Timestamp> {
        let user = user.sys_id.as_deref()?;
        let own = || self.rows.iter().filter(move |row| row.user == user);
        let is_named = own().any(|row| row.client_id.as_deref() == Some(client_id.as_str()));
        let peer = match record.and_then(|record| record.sys_id.as_deref()) {
            _ if is_named => None,
            Some(sys_id) => Some(sys_id),
            None => Some(self.peer_by_access_end(user, access_end)?),
        };
        let is_ours = |row: &&Credential| match peer {
            None => row.client_id.as_deref() == Some(client_id.as_str()),
            Some(peer) => row.peer.as_deref() == Some(peer) && row.client_id.is_none(),
        };
        let mut ends = own().filter(is_ours).filter(|row| row.kind == Kind::Refresh);
        let end = ends.next()?.expires;
        // A rotated token may have left its row behind: which one is ours cannot be told.
        ends.all(|row| row.expires == end).then_some(end)
    }

    /// The client whose access token ends when ours does, if there is exactly one.
    fn peer_by_access_end(&self, user: &str, access_end: Deadline) -> Option<&str> {
        let ends_alike = |row: &&Credential| {
            row.kind == Kind::Access
                && row.user == user
                && row.expires.duration_since(access_end.at).abs() <= CLOCKS
        };
        let mut peers = self.rows.iter().filter(ends_alike).map(|row| row.peer.as_deref());
        let peer = peers.next()??;
        (!self.is_cut && peers.all(|other| other == Some(peer))).then_some(peer)
    }

    /// What the rows of this user say about the user.
    pub fn owner(&self, user: &User) -> Option<UserRecord> {
        let user = user.sys_id.as_deref()?;
        let row = self.rows.iter().find(|row| row.user == user)?;
        Some(row.owner.clone())
    }
}

fn credential(row: &Map<String, Value>) -> Option<Credential> {
    let kind = match text(row, "type")? {
        "access_token" => Kind::Access,
        "refresh_token" => Kind::Refresh,
        _ => return None,
    };
    Some(Credential {
        kind,
        expires: moment(text(row, "expires")?)?,
        user: text(row, "user")?.to_owned(),
        peer: text(row, "peer").map(str::to_owned),
        client_id: text(row, "peer.client_id").map(str::to_owned),
        owner: UserRecord::of(row, "user."),
    })
}

/// `/api/now/table/…`, with the query encoded. References come as bare keys.
pub(crate) fn table(name: &str, query: &str, fields: &str, limit: usize) -> String {
    format!(
        "/api/now/table/{name}?sysparm_query={}&sysparm_fields={fields}&sysparm_limit={limit}\
         &sysparm_exclude_reference_link=true",
        component(query).as_str()
    )
}

/// The rows of a list; `None` for everything that is not an answer 200 with one.
pub(super) fn rows(answer: &Response) -> Option<Vec<Map<String, Value>>> {
    let Value::Array(list) = result(answer)? else {
        return None;
    };
    let row = |value| match value {
        Value::Object(row) => Some(row),
        _ => None,
    };
    list.into_iter().map(row).collect()
}

/// The `result` of an answer 200.
pub(super) fn result(answer: &Response) -> Option<Value> {
    if answer.status() != http::StatusCode::OK {
        return None;
    }
    let mut json: Value = serde_json::from_slice(answer.body().expose()).ok()?;
    Some(json.get_mut("result")?.take())
}

/// A field that is there and not empty; of a reference, the key.
pub(crate) fn text<'a>(row: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let value = row.get(name)?;
    value.as_str().or_else(|| value.get("value")?.as_str()).filter(|text| !text.is_empty())
}

/// Numbers travel as strings, and as numbers once in a while.
fn lifespan(row: &Map<String, Value>, name: &str) -> Option<i64> {
    let value = row.get(name)?;
    let seconds = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (1..=LONGEST_LIFE).contains(&seconds).then_some(seconds)
}

/// `2027-03-03 15:00:00`, UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let civil = DateTime::strptime("%Y-%m-%d %H:%M:%S", text.trim()).ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::Body;
    use crate::token_set::KnownBy;

    const ME: &str = "6816f79cc0a8016401c5a33be04be441";

    fn answer(status: u16, body: &str) -> Response {
        let body = Body::from(body.as_bytes().to_vec());
        http::Response::builder().status(status).body(body).unwrap()
    }

    fn client_id() -> ClientId {
        ClientId::parse("id-1").unwrap()
    }

    fn record_in(rows: &str) -> Option<ClientRecord> {
        client_record(&answer(200, &format!(r#"{{"result":{rows}}}"#)), &client_id())
    }

    #[test]
    fn the_lifespans_of_the_record_are_read() {
        let rows = r#"[{"sys_id":"c1","client_id":"id-1","access_token_lifespan":"1800","refresh_token_lifespan":"31536000","auth_code_lifespan":"90"}]"#;
        let lifespans = Lifespans { access: Some(1_800), refresh: Some(31_536_000) };
        let (sys_id, code_lifespan) = (Some("c1".into()), Some(90));
        assert_eq!(record_in(rows), Some(ClientRecord { sys_id, lifespans, code_lifespan }));
    }

    /// Filters that are dropped bring strangers; access rules hide rows and empty fields.
    #[test]
    fn a_record_that_is_not_certainly_ours_says_nothing() {
        for rows in [
            "[]",
            "{}",
            "null",
            "[1]",
            r#"[{"client_id":"id-2","refresh_token_lifespan":"60"}]"#,
            r#"[{"refresh_token_lifespan":"60"}]"#,
            r#"[{"client_id":"","refresh_token_lifespan":"60"}]"#,
            r#"[{"client_id":"id-1","refresh_token_lifespan":"60"},{"client_id":"id-1","refresh_token_lifespan":"61"}]"#,
        ] {
            assert_eq!(record_in(rows), None, "{rows}");
        }
        for status in [201, 302, 400, 401, 403, 404, 429, 500] {
            let body = r#"{"result":[{"client_id":"id-1","refresh_token_lifespan":"60"}]}"#;
            assert_eq!(client_record(&answer(status, body), &client_id()), None, "{status}");
        }
        for body in ["", "<title>Instance Hibernating page</title>", "{}", "[]"] {
            assert_eq!(client_record(&answer(200, body), &client_id()), None, "{body}");
        }
    }

    #[test]
    fn a_lifespan_that_cannot_be_one_is_not_known() {
        for value in [r#""""#, r#""0""#, r#""-1""#, r#""x""#, "null", "1.5", r#""99999999999""#] {
            let rows = format!(r#"[{{"client_id":"id-1","refresh_token_lifespan":{value}}}]"#);
            assert_eq!(record_in(&rows).unwrap().lifespans.refresh, None, "{value}");
        }
        let rows = r#"[{"client_id":"id-1","refresh_token_lifespan":8640000}]"#;
        assert_eq!(record_in(rows).unwrap().lifespans.refresh, Some(8_640_000));
    }

    fn row(kind: &str, user: &str, peer: &str, client: &str, expires: &str) -> String {
        format!(
            r#"{{"type":"{kind}","user":"{user}","peer":"{peer}","peer.client_id":"{client}","expires":"{expires}"}}"#
        )
    }

    fn end_in(rows: &[String], record: Option<&ClientRecord>) -> Option<String> {
        let body = format!(r#"{{"result":[{}]}}"#, rows.join(","));
        let found = credentials(&answer(200, &body)).unwrap();
        let user = User { sys_id: Some(ME.into()), user_name: None, display_name: None };
        let at = "2026-11-23T15:29:59Z".parse().unwrap();
        let access_end = Deadline { at, known_by: KnownBy::Stated };
        let end = found.refresh_end(&user, &client_id(), record, access_end);
        end.map(|at| at.to_string())
    }

    const END: &str = "2027-03-03 15:00:00";

    #[test]
    fn the_row_of_this_client_and_user_tells_the_end() {
        let rows = [
            row("refresh_token", "somebody", "c1", "id-1", "2027-01-01 00:00:00"),
            row("refresh_token", ME, "c2", "id-2", "2027-01-02 00:00:00"),
            row("access_token", ME, "c1", "id-1", "2026-11-23 15:30:00"),
            row("refresh_token", ME, "c1", "id-1", END),
        ];
        assert_eq!(end_in(&rows, None).unwrap(), "2027-03-03T15:00:00Z");
    }

    #[test]
    fn where_the_clients_name_is_hidden_its_key_or_the_access_tokens_end_will_do() {
        let rows = |access_end| {
            [
                row("refresh_token", ME, "c2", "", "2027-01-02 00:00:00"),
                row("access_token", ME, "c2", "", "2026-11-23 16:10:00"),
                row("refresh_token", ME, "c1", "", END),
                row("access_token", ME, "c1", "", access_end),
            ]
        };
        let sys_id = |id: &str| ClientRecord {
            sys_id: Some(id.to_owned()),
            lifespans: Lifespans::default(),
            code_lifespan: None,
        };
        let never = "2020-01-01 00:00:00";
        assert_eq!(end_in(&rows(never), Some(&sys_id("c1"))).unwrap(), "2027-03-03T15:00:00Z");
        assert_eq!(end_in(&rows(never), Some(&sys_id("c3"))), None);
        assert_eq!(end_in(&rows(never), None), None);
        assert_eq!(end_in(&rows("2026-11-23 15:30:20"), None).unwrap(), "2027-03-03T15:00:00Z");
        assert_eq!(end_in(&rows("2026-11-23 15:31:20"), None), None, "too far apart");
    }

    #[test]
    fn what_may_mean_two_ends_means_none() {
        let access = |peer| row("access_token", ME, peer, "", "2026-11-23 15:30:00");
        let refresh = |peer, client, end| row("refresh_token", ME, peer, client, end);
        let two = [refresh("c1", "id-1", END), refresh("c1", "id-1", "2027-03-04 15:00:00")];
        assert_eq!(end_in(&two, None), None, "a rotated one beside the new one");
        let same = [refresh("c1", "id-1", END), refresh("c1", "id-1", END)];
        assert!(end_in(&same, None).is_some());
        let alike = [access("c1"), access("c2"), refresh("c1", "", END)];
        assert_eq!(end_in(&alike, None), None, "two clients whose tokens end alike");
        let mut many = vec![access("c1"), refresh("c1", "", END)];
        assert!(end_in(&many, None).is_some());
        many.extend((0..MOST_ROWS).map(|_| refresh("c9", "id-9", END)));
        assert_eq!(end_in(&many, None), None, "there may be more rows than were shown");
    }

    #[test]
    fn rows_that_cannot_be_understood_are_no_rows() {
        for expires in ["", "soon", "2027-13-03 15:00:00", "2027-03-03T15:00:00Z", "2027-03-03"] {
            assert_eq!(end_in(&[row("refresh_token", ME, "c1", "id-1", expires)], None), None);
        }
        let code = row("authorization_code", ME, "c1", "id-1", END);
        assert_eq!(end_in(&[code], None), None);
        assert_eq!(credentials(&answer(403, r#"{"result":[]}"#)), None);
    }

    #[test]
    fn questions_are_encoded_and_hold_no_token() {
        let instance = Instance::parse("classics").unwrap();
        let strange = ClientId::parse("a&b=c^OR1").unwrap();
        let asked = read_client(&instance, &strange, &Secret::new("tok")).uri().to_string();
        assert_eq!(
            asked,
            "https://classics.service-now.com/api/now/table/oauth_entity?sysparm_query=client_id%3Da%26b%3Dc%5EOR1\
             &sysparm_fields=sys_id,client_id,access_token_lifespan,refresh_token_lifespan,auth_code_lifespan&sysparm_limit=2\
             &sysparm_exclude_reference_link=true"
        );
        let asked = read_credentials(&instance, Some(ME), &Secret::new("tok")).uri().to_string();
        assert!(asked.contains(&format!("%5Euser%3D{ME}%5EORDERBYDESCexpires&")), "{asked}");
        let hostile = read_credentials(&instance, Some("x^ORtype=y"), &Secret::new("tok"));
        assert!(!hostile.uri().to_string().contains("user%3D"), "{}", hostile.uri());
    }

    proptest! {
        #[test]
        fn the_readers_are_total(status in 200u16..205, body in ".{0,200}", rows in r#"\[(\{"(type|user|expires|client_id|peer)":("[a-z0-9 :-]{0,20}"|null|[0-9]{1,20})\},?){0,3}\]"#) {
            for text in [body, format!(r#"{{"result":{rows}}}"#)] {
                let answer = answer(status, &text);
                let _ = client_record(&answer, &client_id());
                let _ = credentials(&answer);
            }
        }
    }
}
