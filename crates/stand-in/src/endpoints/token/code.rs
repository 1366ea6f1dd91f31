//! The checks of an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.6).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::behaviour as knob;
use crate::call::{Pairs, value};
use crate::endpoints::auth::needs_pkce;
use crate::endpoints::token_answer::{Form, Refusal};
use crate::instance::Instance;
use crate::model::{Client, Code};

pub(super) fn check_code(
    instance: &mut Instance,
    now: Timestamp,
    client: &Client,
    sent: &str,
) -> Result<Code, Refusal> {
    let invalid = |cause: &str| Refusal::new("invalid_grant", format!("invalid_grant: {cause}"));
    let code = instance.codes.get(sent).cloned().ok_or_else(|| invalid("no such code"))?;
    if code.client_id != client.client_id {
        return Err(invalid("the code belongs to another client"));
    }
    if now >= code.expires {
        return Err(invalid("the code has expired"));
    }
    if code.used && !instance.behaviour.is(&knob::CODE_REUSE, "accepted") {
        if instance.behaviour.is(&knob::CODE_REUSE, "refused-and-revoked") {
            instance.revoke_owner(&(code.client_id, code.user_name));
        }
        return Err(invalid("the code has been used"));
    }
    Ok(code)
}

pub(super) fn use_up(instance: &mut Instance, code: &str) {
    if let Some(code) = instance.codes.get_mut(code) {
        code.used = true;
    }
}

pub(super) fn check_redirect_uri(code: &Code, parameters: &Pairs) -> Result<(), Refusal> {
    let sent = value(parameters, "redirect_uri");
    if code.redirect_uri.is_none() || sent == code.redirect_uri.as_deref() {
        return Ok(());
    }
    Err(Refusal::new("invalid_grant", "invalid_grant: redirect_uri does not match"))
}

/// RFC 7636 §4.6.
pub(super) fn check_verifier(
    instance: &Instance,
    client: &Client,
    code: &Code,
    parameters: &Pairs,
) -> Result<(), Refusal> {
    if instance.behaviour.is(&knob::PKCE, "ignored") {
        return Ok(());
    }
    let failed = |cause: &str| {
        let rfc = instance.behaviour.is(&knob::PKCE_FAILURE, "rfc");
        let form = if rfc { Form::Rfc } else { Form::Usual };
        Refusal { form, ..Refusal::new("invalid_grant", format!("invalid_grant: {cause}")) }
    };
    let verifier = value(parameters, "code_verifier");
    match (&code.challenge, verifier) {
        (None, _) if needs_pkce(instance, client) => Err(failed("no code_challenge was sent")),
        (None, _) => Ok(()),
        (Some(_), None) => Err(failed("code_verifier is missing")),
        (Some(challenge), Some(verifier)) => {
            let matches = match code.method.as_str() {
                "S256" => *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
                _ => challenge == verifier,
            };
            let proper = (43..=128).contains(&verifier.len());
            (matches && proper).then_some(()).ok_or_else(|| failed("code_verifier does not match"))
        }
    }
}
