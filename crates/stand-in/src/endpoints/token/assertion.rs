//! The JWT bearer grant (§6, RFC 7523 §2.1): an assertion, signed by a key that is registered for
//! the client, in the place of a person.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Value, json};

use super::{check_scope, check_user};
use crate::behaviour as knob;
use crate::call::{Pairs, value};
use crate::certificate;
use crate::endpoints::token_answer::Refusal;
use crate::instance::Instance;
use crate::model::{Client, JwtEndpoint, User};
use crate::tokens::Granted;

/// The `grant_type`.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(super) fn exchange(
    instance: &mut Instance,
    now: Timestamp,
    client: &Client,
    parameters: &Pairs,
) -> Result<Granted, Refusal> {
    let not_for_it = || Refusal::new("unauthorized_client", "the client is no JWT API endpoint");
    let endpoint = client.jwt.clone().ok_or_else(not_for_it)?;
    let sent = value(parameters, "assertion").unwrap_or_default();
    let claims = check_signature(instance, client, sent)?;
    check_parties(client, &claims)?;
    let until = check_dates(now, &endpoint, &claims)?;
    let user_name = check_subject(instance, &endpoint, &claims)?;
    let scope = check_scope(instance, client, value(parameters, "scope"))?;
    use_up(instance, now, client, &endpoint, &claims, until)?;
    Ok(instance.grant(now, client, &user_name, &scope, false))
}

fn invalid(cause: impl Into<String>) -> Refusal {
    Refusal::new("invalid_grant", format!("invalid_assertion: {}", cause.into()))
}

/// The claims, if one of the client's verifier maps vouches for them.
fn check_signature(instance: &Instance, client: &Client, sent: &str) -> Result<Value, Refusal> {
    let malformed = || invalid("it is no JWT");
    let (signed, signature) = sent.rsplit_once('.').ok_or_else(malformed)?;
    let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
    let parsed =
        |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).map_err(|_| malformed());
    let header = parsed(header)?;
    let algorithm: &dyn VerificationAlgorithm = match header["alg"].as_str() {
        Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
        Some("ES256") => &ECDSA_P256_SHA256_FIXED,
        _ => return Err(invalid("its alg is none of RS256 and ES256")),
    };
    let kid = header["kid"].as_str();
    if kid.is_none() && instance.behaviour.is(&knob::JWT_KID_MISSING, "refused") {
        return Err(invalid("it has no kid"));
    }
    let keys = instance.verifiers(client, kid);
    if keys.is_empty() {
        return Err(invalid(format!("no verifier map has the kid {}", kid.unwrap_or("none"))));
    }
    let signature = decoded(signature)?;
    let vouches = |key: &Vec<u8>| {
        UnparsedPublicKey::new(algorithm, key).verify(signed.as_bytes(), &signature).is_ok()
    };
    if !keys.iter().any(vouches) {
        return Err(invalid("the signature is wrong"));
    }
    parsed(payload)
}

/// Issuer and audience are the client.
fn check_parties(client: &Client, claims: &Value) -> Result<(), Refusal> {
    let id = json!(client.client_id);
    if claims["iss"] != id {
        return Err(invalid("iss is not the client_id"));
    }
    let listed = claims["aud"].as_array().is_some_and(|all| all.contains(&id));
    if claims["aud"] != id && !listed {
        return Err(invalid("aud is not the client_id"));
    }
    Ok(())
}

/// Whether it is its time; and the second after which it can never be again.
fn check_dates(
    now: Timestamp,
    endpoint: &JwtEndpoint,
    claims: &Value,
) -> Result<Timestamp, Refusal> {
    let (now, skew) = (now.as_second(), i64::from(endpoint.clock_skew));
    let expires = claims["exp"].as_i64().ok_or_else(|| invalid("exp is missing"))?;
    let issued = claims["iat"].as_i64().ok_or_else(|| invalid("iat is missing"))?;
    if now >= expires.saturating_add(skew) {
        return Err(invalid("it has expired"));
    }
    let begins = claims["nbf"].as_i64().unwrap_or(issued).max(issued);
    if now < begins.saturating_sub(skew) {
        return Err(invalid("it is of the future"));
    }
    Ok(Timestamp::from_second(expires.saturating_add(skew)).unwrap_or(Timestamp::MAX))
}

/// The user whose field holds the subject, and who may get tokens in this way.
fn check_subject(
    instance: &Instance,
    endpoint: &JwtEndpoint,
    claims: &Value,
) -> Result<String, Refusal> {
    let subject = claims["sub"].as_str().ok_or_else(|| invalid("sub is missing"))?;
    let holds = |user: &&User| {
        let email = format!("{}@example.com", user.user_name);
        match endpoint.user_field.as_str() {
            "sys_id" => user.sys_id == subject,
            "email" => email == subject,
            "name" => user.name == subject,
            _ => user.user_name == subject,
        }
    };
    let user = instance.users.values().find(holds);
    let user = user.ok_or_else(|| invalid("no user has this sub in the User Field"))?;
    check_user(instance, &user.user_name)?;
    let is_admin = user.roles.iter().any(|role| role == "admin");
    if is_admin && instance.behaviour.is(&knob::JWT_ADMIN, "refused") {
        return Err(invalid("the user is an administrator"));
    }
    Ok(user.user_name.clone())
}

/// Each assertion once, where the record says so.
fn use_up(
    instance: &mut Instance,
    now: Timestamp,
    client: &Client,
    endpoint: &JwtEndpoint,
    claims: &Value,
    until: Timestamp,
) -> Result<(), Refusal> {
    if !endpoint.enable_jti_verification {
        return Ok(());
    }
    let id = claims[endpoint.jti_claim.as_str()].as_str().filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| invalid(format!("{} is missing", endpoint.jti_claim)))?;
    instance.assertions.retain(|_, until| now < *until);
    let key = (client.client_id.clone(), id.to_owned());
    match instance.assertions.insert(key, until) {
        Some(_) => Err(invalid("it was used before")),
        None => Ok(()),
    }
}

impl Instance {
    /// The keys that vouch for a client under this key ID, or under any.
    fn verifiers(&self, client: &Client, kid: Option<&str>) -> Vec<Vec<u8>> {
        let rows = |table: &str| self.rows.get(table).into_iter().flatten();
        let own = rows("jwt_verifier_map").filter(|map| {
            map.get("oauth_jwt") == Some(&json!(client.sys_id))
                && kid.is_none_or(|kid| map.get("kid") == Some(&json!(kid)))
        });
        own.filter_map(|map| {
            let id = map.get("sys_certificate")?;
            let certificate = rows("sys_certificate").find(|row| row.get("sys_id") == Some(id))?;
            certificate::public_key(certificate.get("pem_certificate")?.as_str()?)
        })
        .collect()
    }

    /// Lets a client's assertions be verified: by this certificate or public key in PEM, under this
    /// key ID. It is what an administrator does in *JWT Verifier Maps*.
    pub fn put_verifier(&mut self, client_id: &str, kid: &str, pem: &str) {
        let certificate = self.ids.sys_id();
        let entity = self.clients.get(client_id).map(|client| client.sys_id.clone());
        let rows = [
            ("sys_certificate", json!({"sys_id": certificate, "pem_certificate": pem})),
            (
                "jwt_verifier_map",
                json!({
                    "sys_id": self.ids.sys_id(),
                    "oauth_jwt": entity.unwrap_or_default(),
                    "kid": kid,
                    "sys_certificate": certificate,
                }),
            ),
        ];
        for (table, row) in rows {
            if let Value::Object(row) = row {
                self.rows.entry(table.to_owned()).or_default().push(row);
            }
        }
    }
}
