//! Kubernetes: a Secret, and an `ExternalSecret` that fetches one from a secret store. Every text is a
//! double-quoted scalar, in which YAML reads nothing but text.

use super::text::Text;
use super::{Credentials, Order, Unfit, names};

/// A Secret.
pub(super) fn secret(credentials: &Credentials<'_>, order: &Order) -> Result<Text, Unfit> {
    let name = names::name(order, credentials, &names::KUBERNETES)?;
    let namespace = names::typed_place(order, &names::NAMESPACE)?;
    let is_coded = order.variant() == "data";
    let mut text = Text::new();
    text.say(format_args!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"{name}\"\n"));
    if let Some(namespace) = namespace {
        text.say(format_args!("  namespace: \"{namespace}\"\n"));
    }
    text.push("type: Opaque\n");
    text.push(if is_coded { "data:\n" } else { "stringData:\n" });
    for (piece, value) in credentials.five() {
        text.say(format_args!("  {}: ", piece.camel()));
        if is_coded {
            text.push("\"");
            text.base64(&value);
            text.push("\"");
        } else {
            text.json(&value);
        }
        text.push("\n");
    }
    Ok(text)
}

/// An `ExternalSecret`. There is no secret in it: it names the one that `aws-secret` or `vault` put
/// into a store.
pub(super) fn external(credentials: &Credentials<'_>, order: &Order) -> Result<Text, Unfit> {
    let name = names::name(order, credentials, &names::KUBERNETES)?;
    let store = names::typed_place(order, &names::STORE)?.unwrap_or("secret-store");
    let remote = format!("servicenow/{}", credentials.profile.name);
    let mut text = Text::new();
    text.say(format_args!(
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: \"{name}\"\nspec:\n  \
         refreshInterval: 10m0s\n  secretStoreRef:\n    name: \"{store}\"\n    kind: SecretStore\n  \
         target:\n    name: \"{name}\"\n    creationPolicy: Owner\n  dataFrom:\n    - extract:\n        \
         key: \"{remote}\"\n"
    ));
    Ok(text)
}
