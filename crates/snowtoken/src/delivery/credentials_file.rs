//! The credentials file: `Label: value` lines for a person who fills in a form.

use jiff::SignedDuration;
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};

use super::text::Text;
use super::{Credentials, Piece, Unfit, moment};

const LABELS: [(Piece, &str); 6] = [
    (Piece::INSTANCE, "Instance URL"),
    (Piece::ClientId, "Client ID"),
    (Piece::ClientSecret, "Client Secret"),
    (Piece::AccessToken, "Access Token"),
    (Piece::RefreshToken, "Refresh Token"),
    (Piece::UsedCode, "Auth Code"),
];

pub(super) fn text(credentials: &Credentials<'_>) -> Result<Text, Unfit> {
    let mut text = Text::new();
    let tokens = credentials.held()?;
    text.say(format_args!(
        "# ServiceNow OAuth credentials, {}\n# Created {}. Treat these values like passwords; \
         delete this file once they are handed over.\n",
        credentials.profile.instance.url(),
        moment(credentials.created)
    ));
    for (piece, label) in LABELS {
        if let Some(value) = credentials.piece(piece) {
            text.say(format_args!("{label}: "));
            text.push(&value);
            text.push("\n");
        }
    }
    text.say(format_args!("# The access token ends {}.\n", moment(tokens.access_expires_at.at)));
    if let Some(deadline) = tokens.refresh_expires_at {
        let origin = origin(credentials, tokens, deadline);
        text.say(format_args!("# The refresh token ends {} ({origin}).\n", moment(deadline.at)));
    }
    if tokens.authorization_code.is_some() {
        text.push("# The auth code has been used; it is listed because the form asks for it.\n");
        text.say(format_args!("# It was used {}.\n", moment(tokens.granted_at)));
    }
    Ok(text)
}

fn origin(credentials: &Credentials<'_>, tokens: &TokenSet, deadline: Deadline) -> String {
    match deadline.known_by {
        // A refresh token that came with a refresh has a beginning of its own.
        KnownBy::Derived if counts_from_grant(credentials, tokens, deadline) => {
            let granted = tokens.granted_at;
            let when = if moment(granted) == moment(credentials.created) {
                "now".to_owned()
            } else {
                moment(granted)
            };
            let lifespan = credentials.profile.lifespans.refresh_or_default();
            format!("derived: granted {when}, lifespan {lifespan} s")
        }
        other => other.to_string(),
    }
}

/// Whether the grant and the profile's lifespan add up to the date that is shown.
fn counts_from_grant(credentials: &Credentials<'_>, tokens: &TokenSet, deadline: Deadline) -> bool {
    let life = SignedDuration::from_secs(credentials.profile.lifespans.refresh_or_default());
    let end = tokens.granted_at.checked_add(life);
    end.is_ok_and(|end| moment(end) == moment(deadline.at))
}
