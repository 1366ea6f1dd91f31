//! What an import needs and the file does not hold: told exactly, with the labels that would be known.

use std::path::Path;

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::printable::Printable;
use snowtoken::import::{Found, LABELS};

use super::Import;
use crate::report::Failure;

/// Fails if the file and the flags together are not enough.
pub(super) fn check(args: &Import<'_>, found: &Found) -> Result<(), Failure> {
    let has_tokens = found.refresh_token.is_some() || found.access_token.is_some();
    let needed = [
        ("instance", found.instance.is_some() || args.instance.is_some()),
        ("client ID", found.client_id.is_some() || args.client_id.is_some()),
        ("refresh token", has_tokens),
    ];
    let missing: Vec<&str> =
        needed.into_iter().filter_map(|(name, is_there)| (!is_there).then_some(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let file = args.file.display();
    let is_enough_with_flags = has_tokens;
    let code = if is_enough_with_flags { Code::SettingMissing } else { Code::ImportUnreadable };
    let text = if found.is_empty() {
        format!("{file} holds nothing that is known as a credential")
    } else {
        let without: Vec<&str> = missing.iter().map(|name| for_people(name)).collect();
        format!("{file} holds {}, but no {}", list(&found.names(), "and"), list(&without, "and no"))
    };
    let mut failure = Failure::told(code, text);
    for hint in explanations(args.file, found) {
        failure = failure.with_hint(hint);
    }
    for name in &missing {
        failure = failure.with_hint(label_hint(name));
    }
    for (name, flag) in [("instance", "--instance INSTANCE"), ("client ID", "--client-id ID")] {
        if is_enough_with_flags && missing.contains(&name) {
            failure = failure.with_hint(Hint::set(flag, format!("names the {name}")));
        }
    }
    Err(failure)
}

fn for_people(name: &str) -> &str {
    if name == "refresh token" { "refresh token or access token" } else { name }
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[&str], last: &str) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [all @ .., end] => format!("{} {last} {end}", all.join(", ")),
    }
}

/// The labels under which a value would have been found.
fn label_hint(name: &str) -> Hint {
    let known = LABELS.iter().find(|(kind, _)| *kind == name).map_or("", |(_, labels)| labels);
    Hint::note(format!(
        "known labels for the {name}: {known}; as `Label: value`, NAME=value, a member of JSON or a keyword of a connection string"
    ))
}

/// Why a file that looks right has nothing for us.
fn explanations(file: &Path, found: &Found) -> Vec<Hint> {
    let mut hints = Vec::new();
    if let Some(sites) = &found.sites_file {
        hints.push(Hint::note(format!(
            "this is the oauth.cfg of an OpenText connector: the tokens are in {}, in a form of its own that only the \
             connector reads. Its oauth_tool.cfg holds client ID and secret",
            Printable(sites)
        )));
    }
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if found.is_empty() && name.eq_ignore_ascii_case("OAuthSettings.txt") {
        hints.push(Hint::note(
            "a CData driver usually encrypts this file. The query `SELECT * FROM sys_connection_props` shows the values \
             of an open connection: save OAuthAccessToken, OAuthRefreshToken, OAuthClientId, OAuthClientSecret and URL \
             as NAME=value lines",
        ));
    }
    let has_tokens = found.refresh_token.is_some() || found.access_token.is_some();
    if !has_tokens && (found.client_id.is_some() || found.has_password) {
        let why = if found.has_password {
            "the grant that sends a user's password is left out on purpose; a person signs in instead"
        } else {
            "gets tokens for this client"
        };
        hints.push(Hint::run("snowtoken login NAME --instance INSTANCE --client-id ID", why));
    }
    hints
}
