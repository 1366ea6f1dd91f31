//! The client's own record (`oauth_entity`): what it should hold, and where it differs.

use super::answer::{Row, text};
use super::report::{Fate, Item};
use super::table::Fields;
use crate::oauth::client::ClientId;
use crate::oauth::redirect::RedirectUri;
use crate::profile::Grant;
use crate::setup::ClientPlan;

/// What is read of it. The secret is never asked for.
pub(super) const FIELDS: &str = "sys_id,name,client_id,active,redirect_url,access_token_lifespan,\
                                 refresh_token_lifespan,auth_code_lifespan,public_client,\
                                 inbound_grant_type,scope_restriction_status,user,comments";

/// Tells whoever reads the record where it comes from.
const MADE_BY: &str = "Made by snowtoken";

const FULL_ACCESS: &str = "useraccount";

/// A new record, but for its secret: that needs a call of its own.
pub(super) fn new(plan: &ClientPlan, client_id: &ClientId) -> Fields {
    let (inbound, default) = match plan.grant {
        Grant::AuthorizationCode => ("authz_code", "authorization_code"),
        Grant::ClientCredentials => ("client_credential", "client_credentials"),
        // Such a client is a record of another table: whoever plans one is sent to the checklist.
        Grant::JwtBearer => ("jwt", "jwt_bearer"),
    };
    let mut fields = Fields::of(&[
        ("name", &plan.name),
        ("type", "client"),
        ("client_id", client_id.as_str()),
        ("active", "true"),
        ("public_client", "false"),
        ("default_grant_type", default),
        ("inbound_grant_type", inbound),
        ("scope_restriction_status", "unrestricted"),
        ("comments", MADE_BY),
    ]);
    for (name, _, seconds) in lifespans(plan) {
        fields.put(name, &seconds.to_string());
    }
    if !plan.redirect_uris.is_empty() {
        let urls: Vec<&str> = plan.redirect_uris.iter().map(RedirectUri::as_str).collect();
        fields.put("redirect_url", &urls.join(","));
    }
    fields
}

fn lifespans(plan: &ClientPlan) -> [(&'static str, &'static str, i64); 3] {
    [
        ("access_token_lifespan", "Access Token Lifespan", plan.access_token_lifespan),
        ("refresh_token_lifespan", "Refresh Token Lifespan", plan.refresh_token_lifespan),
        ("auth_code_lifespan", "lifespan of a code", plan.code_lifespan),
    ]
}

/// One field that should be otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) field: &'static str,
    pub(super) what: &'static str,
    pub(super) from: String,
    pub(super) to: String,
}

impl Wanted {
    fn of(field: &'static str, what: &'static str, from: &str, to: impl Into<String>) -> Self {
        Self { field, what, from: from.to_owned(), to: to.into() }
    }

    pub(super) fn fate(self, fate: impl FnOnce(String, String) -> Fate) -> Item {
        Item { what: self.what.to_owned(), fate: fate(self.from, self.to) }
    }
}

/// Where a record differs from the plan, and what stays as it is. Lifespans that are longer than asked
/// for are shortened only if somebody said so: another product may count on them. What somebody else
/// switched off or narrowed stays so.
pub(super) fn compare(plan: &ClientPlan, row: &Row, exact: bool) -> (Vec<Wanted>, Vec<Item>) {
    let (mut wanted, mut fine) = (Vec::new(), Vec::new());
    if text(row, "active") == "false" {
        fine.push(left("Active", "false", "true"));
    }
    for one in [grant_type(plan, row), restriction(plan, row)].into_iter().flatten() {
        if text(row, "comments").contains(MADE_BY) {
            wanted.push(one);
        } else {
            fine.push(left(one.what, &one.from, &one.to));
        }
    }
    let mut keep = |what: &str, note: Option<String>| {
        fine.push(Item { what: what.to_owned(), fate: Fate::AsItWas(note) });
    };
    match redirect_urls(plan, text(row, "redirect_url")) {
        _ if plan.redirect_uris.is_empty() => {}
        None => keep("Redirect URL", None),
        Some(all) => {
            wanted.push(Wanted::of("redirect_url", "Redirect URL", text(row, "redirect_url"), all));
        }
    }
    for (field, what, seconds) in lifespans(plan) {
        let has = text(row, field);
        match has.trim().parse::<i64>() {
            Ok(own) if own == seconds => keep(what, None),
            Ok(own) if own > seconds && (!exact || field == "auth_code_lifespan") => {
                keep(what, Some(format!("{own} s, longer than the {seconds} s asked for")));
            }
            _ => wanted.push(Wanted::of(field, what, has, seconds.to_string())),
        }
    }
    if text(row, "public_client") == "true" {
        keep("Public client", Some("a public client, whose secret counts for nothing".to_owned()));
    }
    (wanted, fine)
}

/// What somebody else decided is not undone without them.
fn left(what: &str, is: &str, needed: &str) -> Item {
    let fate = Fate::CouldNot {
        why: format!("it is \"{is}\", set by somebody else, and was left so"),
        who: format!("whoever owns the client sets it to {needed} on its form"),
    };
    Item { what: what.to_owned(), fate }
}

/// All redirect URIs, those of the plan after those that are there; `None` if none is missing.
fn redirect_urls(plan: &ClientPlan, there: &str) -> Option<String> {
    let mut all: Vec<&str> =
        there.split([',', '\n']).map(str::trim).filter(|url| !url.is_empty()).collect();
    let before = all.len();
    for uri in &plan.redirect_uris {
        if !all.contains(&uri.as_str()) {
            all.push(uri.as_str());
        }
    }
    (all.len() > before).then(|| all.join(","))
}

/// Releases before Zurich have no such field, and the older form leaves it empty: then every grant is
/// allowed. A client that is for another grant is for several from now on.
fn grant_type(plan: &ClientPlan, row: &Row) -> Option<Wanted> {
    let ours = match plan.grant {
        Grant::AuthorizationCode => "authz_code",
        Grant::ClientCredentials => "client_credential",
        Grant::JwtBearer => "jwt",
    };
    let has = text(row, "inbound_grant_type");
    let fits = has.is_empty() || has == ours || has == "multiple";
    let what = "Inbound grant type";
    (!fits).then(|| Wanted::of("inbound_grant_type", what, has, "multiple"))
}

/// A securely scoped client gets tokens that may call nothing, unless it has the scope for all.
fn restriction(plan: &ClientPlan, row: &Row) -> Option<Wanted> {
    let has = text(row, "scope_restriction_status");
    let wants_all = plan.scopes.is_empty() || plan.scopes.iter().any(|s| s == FULL_ACCESS);
    let what = "Allow access only to APIs in selected scope";
    (has == "restricted" && wants_all)
        .then(|| Wanted::of("scope_restriction_status", what, has, "unrestricted"))
}
