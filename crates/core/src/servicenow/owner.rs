//! Whose token it is, judged: what an instance's records say about the user, and which of it should
//! worry the person who hands the token to a product.
//!
//! What could not be read is not known, and nothing that is not known is called fine.

use std::fmt;

use serde_json::{Map, Value};

use super::Instance;
use super::registry::{result, rows, table, text};
use super::verification::get;
use crate::oauth::{Request, Response};
use crate::secret::Secret;
use crate::token_set::User;

/// The roles that may do everything, or may give themselves the right to.
const ADMIN_ROLES: [&str; 2] = ["admin", "security_admin"];

/// The built-in administrator's name.
const ADMIN: &str = "admin";

/// How many rows are asked for. An answer with as many may lack some.
const MOST_ROWS: usize = 200;

const FIELDS: &str = "sys_id,user_name,active,locked_out,web_service_access_only,\
                      internal_integration_user,identity_type";

/// Asks for the user's own record. `None`: the key cannot be one.
pub fn read_user(instance: &Instance, sys_id: &str, token: &Secret) -> Option<Request> {
    let path = format!("/api/now/table/sys_user/{sys_id}?sysparm_fields={FIELDS}");
    is_key(sys_id).then(|| get(instance, &path, token))
}

/// Asks for the roles of this user or, while the user is not known yet, who holds those of
/// administrators. Holders come as keys, without names.
pub fn read_roles(instance: &Instance, user: Option<&str>, token: &Secret) -> Request {
    let query = match user.filter(|sys_id| is_key(sys_id)) {
        Some(sys_id) => format!("user={sys_id}"),
        None => format!("role.nameIN{}", ADMIN_ROLES.join(",")),
    };
    get(instance, &table("sys_user_has_role", &query, "user,role.name", MOST_ROWS), token)
}

/// Whether a text can be the key of a record: what an instance calls a key goes into addresses.
pub(super) fn is_key(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What a user's record says, as far as it was shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserRecord {
    /// Inactive users cannot sign in, and their tokens are about to stop working.
    pub active: Option<bool>,
    /// So with locked ones.
    pub locked_out: Option<bool>,
    /// Whether the user is for web services only: then it is no person.
    pub web_service_access_only: Option<bool>,
    /// Whether it is marked as an integration user.
    pub internal_integration_user: Option<bool>,
    /// `human`, `machine`, …, from the Zurich release on.
    pub identity_type: Option<String>,
}

impl UserRecord {
    /// Reads the fields whose names begin with `prefix`.
    pub(super) fn of(row: &Map<String, Value>, prefix: &str) -> Self {
        let field = |name: &str| text(row, &format!("{prefix}{name}"));
        let flag = |name: &str| match field(name) {
            Some("true" | "1") => Some(true),
            Some("false" | "0") => Some(false),
            _ => None,
        };
        Self {
            active: flag("active"),
            locked_out: flag("locked_out"),
            web_service_access_only: flag("web_service_access_only"),
            internal_integration_user: flag("internal_integration_user"),
            identity_type: field("identity_type").map(str::to_ascii_lowercase),
        }
    }

    /// What this one knows, completed by what the other one knows.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            active: self.active.or(other.active),
            locked_out: self.locked_out.or(other.locked_out),
            web_service_access_only: self.web_service_access_only.or(other.web_service_access_only),
            internal_integration_user: self
                .internal_integration_user
                .or(other.internal_integration_user),
            identity_type: self.identity_type.or(other.identity_type),
        }
    }

    /// Whether this is a person's user: `None` where nothing tells.
    fn is_person(&self) -> Option<bool> {
        if let Some(kind) = self.identity_type.as_deref() {
            return Some(kind == "human");
        }
        match (self.internal_integration_user, self.web_service_access_only) {
            (Some(true), _) | (_, Some(true)) => Some(false),
            (Some(false), Some(false)) => Some(true),
            _ => None,
        }
    }
}

/// Reads the answer to [`read_user`]; `None` if it is not about this user, or tells nothing.
pub fn user_record(answer: &Response, sys_id: &str) -> Option<UserRecord> {
    let Value::Object(row) = result(answer)? else {
        return None;
    };
    let record = UserRecord::of(&row, "");
    (text(&row, "sys_id") == Some(sys_id) && record != UserRecord::default()).then_some(record)
}

/// Reads the answer to [`read_roles`]: whether this user holds a role of administrators. `None`: it
/// cannot be told. That no row names the user proves nothing: rows are hidden by access rules.
pub fn is_admin(answer: &Response, sys_id: &str) -> Option<bool> {
    let rows = rows(answer)?;
    let own = rows.iter().filter(|row| text(row, "user") == Some(sys_id));
    let roles: Option<Vec<&str>> = own.map(|row| text(row, "role.name")).collect();
    let roles = roles.filter(|roles| !roles.is_empty())?;
    if roles.iter().any(|role| ADMIN_ROLES.contains(role)) {
        return Some(true);
    }
    (rows.len() < MOST_ROWS).then_some(false)
}

/// Something about the user that the person should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// An administrator's token opens everything.
    Admin,
    /// The user is locked out.
    Locked,
    /// The user is not active.
    Inactive,
    /// Nothing marks the user as one for integrations.
    Person,
}

impl Concern {
    const ALL: [Self; 4] = [Self::Admin, Self::Locked, Self::Inactive, Self::Person];

    /// The word used in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Locked => "locked",
            Self::Inactive => "inactive",
            Self::Person => "person",
        }
    }

    /// The concern that goes by this word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|concern| concern.as_str() == word)
    }

    /// Why it matters, and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Admin => {
                "the token belongs to an administrator: whoever holds it can read and change everything. Log in \
                 again as a user made for this integration, with the roles it needs and no more"
            }
            Self::Locked => {
                "the token belongs to a user who is locked out: it stops working, and nobody can log in again. \
                 An administrator can clear \"Locked out\" on the user's record"
            }
            Self::Inactive => {
                "the token belongs to an inactive user: it stops working, and nobody can log in again. An \
                 administrator can tick \"Active\" on the user's record"
            }
            Self::Person => {
                "nothing marks the token's user as one for integrations. If it is a person, the token ends when \
                 that person leaves or is locked, and shows what that person may see: better is a user made for \
                 this integration, not \"Web service access only\", since it must sign in once to consent"
            }
        }
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known to be of concern about a user: as far as it could be read now, else as it was known
/// `before` about the same user.
pub fn concerns(
    before: &[Concern],
    user: &User,
    record: &UserRecord,
    is_admin: Option<bool>,
) -> Vec<Concern> {
    let is_admin = if user.user_name.as_deref() == Some(ADMIN) { Some(true) } else { is_admin };
    let judged = |concern| match concern {
        Concern::Admin => is_admin,
        Concern::Locked => record.locked_out,
        Concern::Inactive => record.active.map(|active| !active),
        Concern::Person => record.is_person(),
    };
    let holds = |concern: &Concern| judged(*concern).unwrap_or(before.contains(concern));
    let mut found: Vec<Concern> = Concern::ALL.into_iter().filter(holds).collect();
    if found.contains(&Concern::Admin) {
        // An administrator's token is worse, whoever it is: one warning will do.
        found.retain(|concern| *concern != Concern::Person);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Body;

    const ME: &str = "6816f79cc0a8016401c5a33be04be441";

    fn answer(body: &str) -> Response {
        http::Response::builder().body(Body::from(body.as_bytes().to_vec())).unwrap()
    }

    fn user(name: &str) -> User {
        User { sys_id: Some(ME.into()), user_name: Some(name.into()), display_name: None }
    }

    fn record(fields: &str) -> Option<UserRecord> {
        user_record(&answer(&format!(r#"{{"result":{{"sys_id":"{ME}"{fields}}}}}"#)), ME)
    }

    fn judged(before: &[Concern], fields: &str) -> Vec<Concern> {
        concerns(before, &user("abel"), &record(fields).unwrap_or_default(), None)
    }

    #[test]
    fn each_field_says_its_own() {
        for (fields, expected) in [
            (r#","locked_out":"true""#, vec![Concern::Locked]),
            (r#","active":"false""#, vec![Concern::Inactive]),
            (r#","identity_type":"Human""#, vec![Concern::Person]),
            (
                r#","identity_type":"machine","internal_integration_user":"false","web_service_access_only":"false""#,
                vec![],
            ),
            (
                r#","internal_integration_user":"false","web_service_access_only":"false""#,
                vec![Concern::Person],
            ),
            (r#","internal_integration_user":"true","web_service_access_only":"false""#, vec![]),
            (r#","internal_integration_user":"false","web_service_access_only":"true""#, vec![]),
            (r#","active":"true","locked_out":"false""#, vec![]),
            (r#","web_service_access_only":"false""#, vec![]),
        ] {
            assert_eq!(judged(&[], fields), expected, "{fields}");
        }
    }

    #[test]
    fn what_was_not_shown_stays_as_it_was_known() {
        let before = [Concern::Locked, Concern::Person];
        assert_eq!(judged(&before, ""), before);
        assert_eq!(judged(&before, r#","active":"","locked_out":"","identity_type":"""#), before);
        assert_eq!(judged(&before, r#","locked_out":"false""#), [Concern::Person]);
        assert_eq!(judged(&before, r#","identity_type":"machine""#), [Concern::Locked]);
        let stranger = answer(r#"{"result":{"sys_id":"other","locked_out":"true"}}"#);
        assert_eq!(user_record(&stranger, ME), None);
        let list = answer(&format!(r#"{{"result":[{{"sys_id":"{ME}","locked_out":"true"}}]}}"#));
        assert_eq!(user_record(&list, ME), None);
    }

    #[test]
    fn administrators_are_known_by_role_or_name() {
        let holders = |rows: &str| is_admin(&answer(&format!(r#"{{"result":[{rows}]}}"#)), ME);
        let row = |user: &str, role: &str| format!(r#"{{"user":"{user}","role.name":"{role}"}}"#);
        assert_eq!(holders(&row(ME, "admin")), Some(true));
        let linked =
            format!(r#"{{"user":{{"link":"x","value":"{ME}"}},"role.name":"security_admin"}}"#);
        assert_eq!(holders(&linked), Some(true));
        assert_eq!(holders(&row(ME, "itil")), Some(false));
        assert_eq!(holders(&format!("{},{}", row(ME, "itil"), row(ME, "admin"))), Some(true));
        let many = vec![row(ME, "itil"); MOST_ROWS].join(",");
        for rows in ["", &row("other", "admin"), &row(ME, ""), "{}", &many] {
            assert_eq!(holders(rows), None, "{rows}");
        }
        assert_eq!(is_admin(&answer("<html>"), ME), None);
        let unknown = UserRecord::default();
        let found = |before: &[_], name, roles| concerns(before, &user(name), &unknown, roles);
        assert_eq!(found(&[], "abel", Some(true)), [Concern::Admin]);
        assert_eq!(found(&[Concern::Admin], "abel", None), [Concern::Admin]);
        assert_eq!(found(&[Concern::Admin], "abel", Some(false)), []);
        assert_eq!(found(&[Concern::Person], "admin", None), [Concern::Admin], "one is enough");
    }

    #[test]
    fn what_an_instance_calls_a_key_is_looked_at_before_it_goes_into_an_address() {
        let instance = Instance::parse("classics").unwrap();
        let token = Secret::new("tok");
        for hostile in ["", "../x", "a/b", "a?b", "a^b", "ä", &"a".repeat(65)] {
            assert!(read_user(&instance, hostile, &token).is_none(), "{hostile}");
            let asked = read_roles(&instance, Some(hostile), &token).uri().to_string();
            assert!(!asked.contains("user%3D"), "{asked}");
        }
        let asked = read_user(&instance, ME, &token).unwrap().uri().to_string();
        assert!(asked.ends_with("identity_type") && asked.contains(&format!("/sys_user/{ME}?")));
        let asked = read_roles(&instance, Some(ME), &token).uri().to_string();
        assert!(asked.contains(&format!("?sysparm_query=user%3D{ME}&")), "{asked}");
    }

    #[test]
    fn words_are_found_again() {
        for concern in Concern::ALL {
            assert_eq!(Concern::find(concern.as_str()), Some(concern));
        }
        assert_eq!(Concern::find("x"), None);
    }
}
