//! Client authentication: in the body, by Basic, or none for a public client (§5).

use url::form_urlencoded;

use crate::behaviour as knob;
use crate::call::{Call, Pairs, value};
use crate::endpoints::token_answer::Refusal;
use crate::instance::Instance;
use crate::model::Client;

/// Client authentication in the body, by Basic, or none for a public client (§5).
pub(super) fn check_client(
    instance: &Instance,
    call: &Call,
    parameters: &Pairs,
) -> Result<Client, Refusal> {
    let invalid = |cause: &str| Refusal::new("invalid_client", format!("invalid_client: {cause}"));
    let posted_id = value(parameters, "client_id").map(str::to_owned);
    let posted_secret = value(parameters, "client_secret").map(str::to_owned);
    let basic = call.basic().and_then(|text| split_basic(instance, &text));
    if basic.is_some() && instance.behaviour.is(&knob::BASIC, "refused") {
        return Err(invalid("HTTP Basic is not accepted"));
    }
    if basic.is_some()
        && posted_secret.is_some()
        && instance.behaviour.is(&knob::BOTH_AUTHENTICATIONS, "refused")
    {
        return Err(invalid("two authentications in one request"));
    }
    let (id, secret) = match basic {
        Some((id, secret)) => (Some(id), Some(secret)),
        None => (posted_id, posted_secret),
    };
    let client = id
        .and_then(|id| instance.record_of_client(&id))
        .ok_or_else(|| invalid("no such client"))?;
    if !client.active {
        return Err(invalid("the client is inactive"));
    }
    match secret {
        None if client.public_client => Ok(client),
        None if needs_no_secret(instance, parameters) => Ok(client),
        None => Err(Refusal::new("invalid_client", "client_secret")),
        Some(secret) if secret == client.client_secret && !secret.is_empty() => Ok(client),
        Some(_) => Err(invalid("wrong client_secret")),
    }
}

/// An assertion proves who speaks; whether that is enough is for the knob to say.
fn needs_no_secret(instance: &Instance, parameters: &Pairs) -> bool {
    value(parameters, "grant_type") == Some(super::assertion::GRANT)
        && instance.behaviour.is(&knob::JWT_SECRET, "optional")
}

fn split_basic(instance: &Instance, text: &str) -> Option<(String, String)> {
    let (id, secret) = match instance.behaviour.text(&knob::BASIC_COLON) {
        "last" => text.rsplit_once(':')?,
        _ => text.split_once(':')?,
    };
    if instance.behaviour.is(&knob::BASIC_DECODING, "raw") {
        return Some((id.to_owned(), secret.to_owned()));
    }
    let decode = |part: &str| {
        let pair = format!("x={}", part.replace('&', "%26"));
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}
