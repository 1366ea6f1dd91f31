//! Changes in the text: what means the same as before is left as a person wrote it.

use snowtoken_core::oauth::client::AuthenticationMethod;
use snowtoken_core::oauth::jwt::Claim;
use snowtoken_core::profile::{Grant, Profile};
use toml_edit::{Item, TableLike, Value};

/// Writes what differs from `before`, which is what the table says now.
pub(super) fn profile(table: &mut dyn TableLike, before: Option<&Profile>, profile: &Profile) {
    let differs = |same: &dyn Fn(&Profile) -> bool| !before.is_some_and(same);
    let mut set = |key, differs: bool, value: Option<Value>| {
        if differs {
            write(table, key, value);
        }
    };
    let text = |text: &str| Some(Value::from(text));
    set("instance", differs(&|p| p.instance == profile.instance), text(profile.instance.url()));
    set(
        "client_id",
        differs(&|p| p.client_id == profile.client_id),
        text(profile.client_id.as_str()),
    );
    let other = |word: &str, usual: &str| (word != usual).then(|| Value::from(word));
    set(
        "client_authentication",
        differs(&|p| p.authentication == profile.authentication),
        other(profile.authentication.as_str(), AuthenticationMethod::default().as_str()),
    );
    set(
        "grant",
        differs(&|p| p.grant == profile.grant),
        other(profile.grant.as_str(), Grant::default().as_str()),
    );
    set("target", differs(&|p| p.target == profile.target), text(&profile.target));
    set(
        "region",
        differs(&|p| p.region == profile.region),
        profile.region.as_deref().map(Value::from),
    );
    set(
        "redirect_uri",
        differs(&|p| p.redirect_uri == profile.redirect_uri),
        profile.redirect_uri.as_ref().map(|uri| Value::from(uri.as_str())),
    );
    set(
        "scope",
        differs(&|p| p.scope == profile.scope),
        profile.scope.as_ref().map(|scope| Value::from(scope.as_str())),
    );
    set(
        "access_token_lifespan",
        differs(&|p| p.lifespans.access == profile.lifespans.access),
        profile.lifespans.access.map(Value::from),
    );
    set(
        "refresh_token_lifespan",
        differs(&|p| p.lifespans.refresh == profile.lifespans.refresh),
        profile.lifespans.refresh.map(Value::from),
    );
    set(
        "credentials_file",
        differs(&|p| p.credentials_file == profile.credentials_file),
        (!profile.credentials_file).then(|| Value::from(false)),
    );
    assertion(table, before, profile);
}

/// The same for what assertions say.
fn assertion(table: &mut dyn TableLike, before: Option<&Profile>, profile: &Profile) {
    let (old, new) = (before.map(|p| &p.assertion), &profile.assertion);
    let value = |claim: &Option<Claim>| claim.as_ref().map(|claim| Value::from(claim.as_str()));
    if old.is_none_or(|old| old.subject != new.subject) {
        write(table, "subject", value(&new.subject));
    }
    if old.is_none_or(|old| old.key_id != new.key_id) {
        write(table, "key_id", value(&new.key_id));
    }
}

/// Puts a value in another's place, between the same blanks and comments.
fn write(table: &mut dyn TableLike, key: &str, new: Option<Value>) {
    let Some(mut new) = new else {
        table.remove(key);
        return;
    };
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => drop(table.insert(key, Item::Value(new))),
    }
}

/// Moves a table under another key, with the comments that stand at the key.
pub(super) fn rename(tables: &mut dyn TableLike, from: &str, to: &str) {
    let decor = tables.key(from).map(|key| (key.leaf_decor().clone(), key.dotted_decor().clone()));
    let Some(item) = tables.remove(from) else { return };
    tables.insert(to, item);
    if let (Some((leaf, dotted)), Some(mut key)) = (decor, tables.key_mut(to)) {
        *key.leaf_decor_mut() = leaf;
        *key.dotted_decor_mut() = dotted;
    }
}
