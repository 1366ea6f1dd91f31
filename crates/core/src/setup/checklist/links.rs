//! Addresses on the person's own instance: lists, forms, logs. How a list or a form is addressed is
//! documented; that a page of this name is the one that is meant is often inferred, and said so.

use url::Url;
use url::form_urlencoded::byte_serialize;

use super::ChecklistWish;
use crate::oauth::redirect::RedirectUri;

/// How sure an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The documentation names the page.
    Documented,
    /// We put it together by the rules for addresses; nobody has seen it work.
    Inferred,
}

/// A place on the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What is there.
    pub label: String,
    /// Its address.
    pub url: Url,
    /// How sure that is.
    pub known: Known,
}

impl ChecklistWish<'_> {
    /// A list or form inside the usual frame (ServiceNow documentation, "Navigate by URL").
    fn page(&self, label: &str, known: Known, page: &str) -> Option<Link> {
        let uri = escaped(page);
        let url = self.instance?.at(&format!("/nav_to.do?uri={uri}"));
        Some(Link { label: label.to_owned(), url, known })
    }

    /// A list with the rows that fit the query.
    fn list(&self, label: &str, known: Known, table: &str, query: &str) -> Option<Link> {
        let query = escaped(query);
        self.page(label, known, &format!("{table}_list.do?sysparm_query={query}"))
    }

    pub(super) fn registry(&self) -> Option<Link> {
        self.page("Application Registry", Known::Documented, "oauth_entity_list.do")
    }

    /// The list with this client alone.
    pub(super) fn client(&self) -> Option<Link> {
        let name = &self.plan.name;
        if !is_plain_in_a_query(name) {
            return self.registry();
        }
        let query = format!("type=client^name={name}");
        self.list("this client in the list", Known::Inferred, "oauth_entity", &query)
    }

    /// The empty form with the harmless values filled in.
    pub(super) fn form(&self) -> Option<Link> {
        let plan = self.plan;
        let redirects: Vec<&str> = plan.redirect_uris.iter().map(RedirectUri::as_str).collect();
        let fields = [
            ("type", "client".to_owned()),
            ("name", plan.name.clone()),
            ("redirect_url", redirects.join(",")),
            ("access_token_lifespan", plan.access_token_lifespan.to_string()),
            ("refresh_token_lifespan", plan.refresh_token_lifespan.to_string()),
        ];
        let usable = fields.iter().filter(|(_, value)| is_plain_in_a_query(value));
        let conditions: Vec<String> =
            usable.map(|(field, value)| format!("{field}={value}")).collect();
        let query = escaped(&conditions.join("^"));
        let page = format!("oauth_entity.do?sys_id=-1&sysparm_query={query}");
        self.page("the empty form, filled in", Known::Inferred, &page)
    }

    pub(super) fn auth_scopes(&self) -> Option<Link> {
        self.page("Authentication Scopes", Known::Inferred, "sys_auth_scope_list.do")
    }

    pub(super) fn tokens(&self) -> Option<Link> {
        self.page("Manage Tokens", Known::Documented, "oauth_credential_list.do")
    }

    pub(super) fn log(&self) -> Option<Link> {
        let query = "messageLIKEtoken flow^ORDERBYDESCsys_created_on";
        self.list("System Logs, the token endpoint's lines", Known::Inferred, "syslog", query)
    }

    pub(super) fn user(&self) -> Option<Link> {
        let user = self.plan.user.as_deref().filter(|user| is_plain_in_a_query(user));
        match user {
            Some(user) => {
                self.list("the user", Known::Inferred, "sys_user", &format!("user_name={user}"))
            }
            None => self.page("Users", Known::Inferred, "sys_user_list.do"),
        }
    }

    pub(super) fn property(&self, name: &str) -> Option<Link> {
        self.list("the property", Known::Inferred, "sys_properties", &format!("name={name}"))
    }

    pub(super) fn release_page(&self) -> Option<Link> {
        self.page("Stats: the release is in Build name", Known::Inferred, "stats.do")
    }
}

/// A blank as `%20`: whether a plus sign would be read as one depends on who reads.
fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Whether a value means itself inside an encoded query.
fn is_plain_in_a_query(text: &str) -> bool {
    !text.contains('^') && !text.starts_with("javascript:") && !text.contains(char::is_control)
}
