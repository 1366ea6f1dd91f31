//! What the answers of a measurement mean. Every function is total: an answer that fits nothing is
//! told as it was seen, and sets no knob.

mod visit;

use serde_json::Value;

use super::Seen;
use crate::oauth::token::title;
use crate::oauth::{Request, Response};
use crate::printable::Printable;
use crate::secret::Secret;

pub use visit::{
    Shown, deny, missing_challenge, other_response_type, redirect_query, shown, unknown_client,
};

/// A refusal at the token endpoint: generic, in the words of RFC 6749 §5.2, or without a body.
fn refusal(answer: &Response, rfc: &str) -> Option<&'static str> {
    if is_success(answer) {
        return None;
    }
    if answer.body().expose().trim_ascii().is_empty() {
        return Some("empty");
    }
    let error = member(answer, "error")?;
    match error.as_str() {
        "server_error" => Some("generic"),
        other if other == rfc => Some("rfc"),
        _ => None,
    }
}

/// An unknown grant type.
pub fn grant_type(unknown: &Response, missing: &Response) -> Seen {
    let text = format!("an unknown grant_type {}; a missing one {}", told(unknown), told(missing));
    match refusal(unknown, "unsupported_grant_type") {
        Some(form) => Seen::knob(text, "grant_type.unsupported", form),
        None => Seen::only(text),
    }
}

/// An exchange with a wrong verifier, and then with the right one.
pub fn verifier(wrong: &Response, right: Option<&Response>) -> Seen {
    if is_success(wrong) {
        return Seen::knob("a wrong code_verifier is not noticed", "pkce", "ignored");
    }
    let text = format!("a wrong code_verifier {}", told(wrong));
    let seen = match refusal(wrong, "invalid_grant") {
        Some(form @ ("generic" | "rfc")) => Seen::knob(text, "pkce.failure", form),
        _ => Seen::only(text),
    };
    match right {
        None => seen,
        Some(answer) if is_success(answer) => {
            seen.and(Seen::knob("the code was still good", "code.failed_attempt", "kept"))
        }
        Some(_) => seen.and(Seen::knob("the code was used up", "code.failed_attempt", "burnt")),
    }
}

/// An exchange whose authorization request had an empty scope.
pub fn empty_scope(exchanged: &Response) -> Seen {
    let name = "scope.empty";
    if is_success(exchanged) {
        return Seen::knob("`scope=` is taken as no scope", name, "absent");
    }
    Seen::knob(format!("after `scope=` the exchange {}", told(exchanged)), name, "refused")
}

/// Tokens as they came.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token.
    pub access: Secret,
    /// The refresh token: absent, or maybe the empty text.
    pub refresh: Option<Secret>,
}

/// Reads the tokens of an answer, without judging anything else.
pub fn tokens(answer: &Response) -> Option<Tokens> {
    let access = Secret::new(member(answer, "access_token").filter(|text| !text.is_empty())?);
    Some(Tokens { access, refresh: member(answer, "refresh_token").map(Secret::new) })
}

/// The access token after a refresh; `old` tells whether the earlier one still opens the API.
pub fn refreshed_access(before: &Tokens, after: &Tokens, old_lives: Option<bool>) -> Seen {
    if before.access == after.access {
        let text = "a refresh brings the same access token while it lives";
        return Seen::knob(text, "refresh.access", "same-while-valid");
    }
    let seen = Seen::knob("a refresh brings a new access token", "refresh.access", "new-each-time");
    match old_lives {
        None => seen,
        Some(true) => {
            seen.and(Seen::knob("the earlier one lives on", "refresh.old_access", "stays"))
        }
        Some(false) => {
            seen.and(Seen::knob("the earlier one is dead", "refresh.old_access", "dies"))
        }
    }
}

/// The refresh token in the answer to a refresh.
pub fn refreshed_refresh(before: &Secret, after: Option<&Secret>) -> Seen {
    let name = "refresh.token";
    match after {
        None => Seen::knob("the answer to a refresh holds no refresh token", name, "omit"),
        Some(token) if token.is_empty() => {
            Seen::knob("the answer to a refresh holds an empty refresh token", name, "empty")
        }
        Some(token) if token == before => {
            Seen::knob("the answer to a refresh holds the same refresh token", name, "same")
        }
        Some(_) => Seen::knob("the answer to a refresh holds a new refresh token", name, "rotate"),
    }
}

/// What a revocation endpoint answered to a token that it knows.
pub fn revocation(answer: &Response) -> Seen {
    let status = answer.status().as_u16();
    let body = answer.body().expose().trim_ascii();
    let form = match body.first() {
        None => "empty",
        Some(b'<') => "html",
        Some(_) => "json",
    };
    let text = format!("a revocation is answered {status} with a body that is {form}");
    let mut seen = Seen::only(text);
    if [200, 204, 302, 400, 401, 503].contains(&status) {
        seen.knobs.push(("revoke.status", status.to_string()));
        seen.knobs.push(("revoke.body", form.to_owned()));
    }
    seen
}

/// What it answered to a token that nobody has.
pub fn unknown_revocation(answer: &Response) -> Seen {
    let status = answer.status().as_u16();
    let text = format!("an unknown token is answered {status}");
    if [200, 400, 401].contains(&status) {
        Seen::knob(text, "revoke.unknown", status.to_string())
    } else {
        Seen::only(text)
    }
}

/// Which of the two endpoints is there: neither 404 nor a page without an endpoint behind it.
pub fn revocation_paths(first: &Response, second: &Response) -> Seen {
    let there = |answer: &Response| answer.status().as_u16() != 404;
    let name = "revoke.paths";
    match (there(first), there(second)) {
        (true, true) => Seen::knob("both revocation endpoints are there", name, "both"),
        (true, false) => {
            Seen::knob("only /oauth_revoke_token.do is there", name, "/oauth_revoke_token.do")
        }
        (false, true) => Seen::knob("only /oauth_revoke.do is there", name, "/oauth_revoke.do"),
        (false, false) => Seen::only("neither revocation endpoint is there"),
    }
}

/// Something that is or is not so.
pub fn switch(is_so: bool, name: &'static str, so: &str, not_so: &str) -> Seen {
    if is_so { Seen::knob(so, name, "on") } else { Seen::knob(not_so, name, "off") }
}

/// Whether an API call was let in.
pub fn is_let_in(answer: &Response) -> bool {
    answer.status().as_u16() != 401
}

/// Discovery.
pub fn well_known(answer: &Response) -> Seen {
    let is_json = serde_json::from_slice::<Value>(answer.body().expose()).is_ok();
    if answer.status() == 200 && is_json {
        Seen::knob("there is a discovery document", "well_known", "present")
    } else {
        let status = answer.status().as_u16();
        Seen::knob(
            format!("there is no discovery document (status {status})"),
            "well_known",
            "absent",
        )
    }
}

/// What the Table API gave for the client's secret.
pub fn secret_read_back(value: &str, secret: &Secret) -> Seen {
    let name = "entity.secret_read_back";
    if value.is_empty() {
        Seen::knob("the secret is read back as nothing", name, "empty")
    } else if secret.matches(value) {
        Seen::knob("the secret is read back in clear", name, "clear")
    } else if value.chars().all(|c| matches!(c, '*' | '•' | '●')) {
        Seen::knob("the secret is read back masked", name, "masked")
    } else {
        Seen::knob("the secret is read back as some other text", name, "encrypted")
    }
}

/// What is read of a client's record for a measurement.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its key: 32 hexadecimal digits.
    pub sys_id: String,
    /// What stands there for its secret.
    pub client_secret: Secret,
    /// Its Refresh Token Lifespan, in seconds.
    pub refresh_token_lifespan: Option<i64>,
}

/// Reads the record, if it was shown and is the only one.
pub fn record(answer: &Response) -> Option<Record> {
    let value: Value = serde_json::from_slice(answer.body().expose()).ok()?;
    let [row] = value.get("result")?.as_array()?.as_slice() else { return None };
    let text = |name: &str| row.get(name)?.as_str().map(str::to_owned);
    let sys_id =
        text("sys_id").filter(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let lifespan =
        text("refresh_token_lifespan").and_then(|text| text.replace(',', "").parse().ok());
    Some(Record {
        sys_id,
        client_secret: Secret::new(text("client_secret").unwrap_or_default()),
        refresh_token_lifespan: lifespan,
    })
}

/// A refresh with a token from before its lifespan was cut short.
pub fn lifespan_change(refreshed: &Response) -> Seen {
    let name = "lifespan.change";
    if is_success(refreshed) {
        Seen::knob("a changed lifespan holds for new tokens only", name, "new-tokens")
    } else {
        Seen::knob("a changed lifespan ends tokens from before", name, "retroactive")
    }
}

/// Which forms of Basic the token endpoint took for this secret.
pub fn basic(encoded: bool, raw: bool, secret: &Secret) -> Seen {
    let text = secret.expose();
    if !encoded && !raw {
        return Seen::knob("HTTP Basic is refused", "client_auth.basic", "refused");
    }
    let seen = Seen::knob("HTTP Basic is taken", "client_auth.basic", "accepted");
    // Where percent-encoding changes nothing, both forms are the same text.
    let is_same = *crate::oauth::encoding::component(text) == *text;
    let seen = match (encoded, raw) {
        _ if is_same => seen.and(Seen::only("nothing in this secret tells how it is decoded")),
        (true, false) => {
            seen.and(Seen::knob("it is percent-decoded", "client_auth.basic_decoding", "form"))
        }
        (false, true) => {
            seen.and(Seen::knob("it is taken as it is", "client_auth.basic_decoding", "raw"))
        }
        _ => seen.and(Seen::only("both forms are taken")),
    };
    if text.contains(':') && raw {
        return seen.and(Seen::knob(
            "it is split at the first colon",
            "client_auth.basic_colon",
            "first",
        ));
    }
    seen
}

/// The code and the state that a redirected URL carries.
pub fn code(redirected: &str) -> Option<(Secret, Option<String>)> {
    let code = Secret::new(parameter(redirected, "code")?);
    Some((code, parameter(redirected, "state")))
}

/// Requests to the token endpoint until it had enough.
pub fn rate_limit(refused_at: Option<u64>, sent: u64) -> Seen {
    match refused_at {
        Some(number) => {
            let text = format!("the token endpoint answered 429 to request number {number}");
            Seen::knob(text, "token.rate_limit", (number - 1).max(1).to_string())
        }
        None => Seen::knob(
            format!("{sent} token requests in a row were answered"),
            "token.rate_limit",
            "0",
        ),
    }
}

/// A request whose answer says nothing that a fact could hold: what was answered, in words.
pub fn told(answer: &Response) -> String {
    let status = answer.status().as_u16();
    match member(answer, "error") {
        Some(error) => {
            let description = member(answer, "error_description");
            let rest = description.map(|text| format!(": {}", word(&text))).unwrap_or_default();
            format!("is answered {status} ({}{rest})", word(&error))
        }
        None => match title(answer.body().expose()) {
            Some(title) => format!("is answered {status} with a page \"{}\"", word(&title)),
            None if answer.body().expose().is_empty() => {
                format!("is answered {status} without a body")
            }
            None => format!("is answered {status}"),
        },
    }
}

/// The title of a page, if the answer is one.
pub fn page_title(answer: &Response) -> Option<String> {
    title(answer.body().expose())
}

/// Whether tokens came.
pub fn is_success(answer: &Response) -> bool {
    answer.status() == 200 && member(answer, "access_token").is_some()
}

/// A foreign word of at most 60 characters, safe to show and to keep. Longer ones may be anything.
fn word(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    Printable(&short).to_string()
}

fn member(answer: &Response, name: &str) -> Option<String> {
    let value: Value = serde_json::from_slice(answer.body().expose()).ok()?;
    value.get(name)?.as_str().map(str::to_owned)
}

/// A parameter of whatever follows the first question mark.
fn parameter(text: &str, name: &str) -> Option<String> {
    let (_, query) = text.split_once('?')?;
    // A second question mark parts as well: some write it by mistake.
    let query = query.replace('?', "&");
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

/// Whether a request of the measurement may be sent to this place: nowhere but to the instance.
pub fn stays_with(request: &Request, instance: &crate::servicenow::Instance) -> bool {
    let (uri, origin) = (request.uri().to_string(), instance.url());
    uri.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'))
}
