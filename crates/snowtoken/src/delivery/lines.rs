//! One value a line: dotenv files, and commands for a POSIX shell.
//!
//! Readers of dotenv files do not agree on what quotes and backslashes mean. What all of them take
//! alike is written by default; a value on which they differ is refused, and written for one reader
//! if that one is named.

use super::text::Text;
use super::{Credentials, Order, Piece, Unfit, moment, names};

/// `NAME='value'`.
pub(super) fn dotenv(credentials: &Credentials<'_>, order: &Order) -> Result<Text, Unfit> {
    let quoted = match order.variant() {
        "node" => node,
        "python" => python,
        _ => common,
    };
    variables(credentials, "SERVICENOW", "", quoted)
}

/// `export NAME='value'`.
pub(super) fn shell(credentials: &Credentials<'_>) -> Result<Text, Unfit> {
    variables(credentials, "SERVICENOW", "export ", |text, value| {
        text.shell(value);
        true
    })
}

/// The lines that `gh secret set -f -` reads.
pub(super) fn github(credentials: &Credentials<'_>, order: &Order) -> Result<Text, Unfit> {
    let prefix = match &order.name {
        None => "SERVICENOW".into(),
        Some(_) => names::name(order, credentials, &names::GITHUB)?,
    };
    variables(credentials, &prefix, "", common).map_err(|error| match error {
        Unfit::Quotes(what) => Unfit::QuotesInOneWay(what),
        other => other,
    })
}

fn variables(
    credentials: &Credentials<'_>,
    prefix: &str,
    before: &str,
    quoted: fn(&mut Text, &str) -> bool,
) -> Result<Text, Unfit> {
    let mut text = Text::new();
    for (piece, value) in credentials.five() {
        let name = match piece {
            Piece::Instance(_) => "INSTANCE_URL".to_owned(),
            other => other.name().to_ascii_uppercase(),
        };
        text.say(format_args!("{before}{prefix}_{name}="));
        if !quoted(&mut text, &value) {
            return Err(Unfit::Quotes(piece.words()));
        }
        text.push("\n");
    }
    let end = moment(credentials.held()?.access_expires_at.at);
    text.say(format_args!("{before}{prefix}_ACCESS_TOKEN_EXPIRES_AT={end}\n"));
    Ok(text)
}

/// In single quotes everybody takes a value as it is, unless it has a single quote, ends with a
/// backslash, has two of them in a row, or `${`, which one reader replaces even there.
fn common(text: &mut Text, value: &str) -> bool {
    let differs = value.contains('\'')
        || value.ends_with('\\')
        || value.contains("\\\\")
        || value.contains("${");
    within(text, value, '\'', !differs)
}

/// The package `dotenv` for Node takes the inside of each of three quotes as it is.
fn node(text: &mut Text, value: &str) -> bool {
    if value.ends_with('\\') {
        return false;
    }
    if !value.contains('\'') {
        return within(text, value, '\'', true);
    }
    if !value.contains('`') {
        return within(text, value, '`', true);
    }
    within(
        text,
        value,
        '"',
        !value.contains('"') && !value.contains("\\n") && !value.contains("\\r"),
    )
}

/// The package `python-dotenv` knows two escapes in single quotes, and replaces `${NAME:-text}`.
fn python(text: &mut Text, value: &str) -> bool {
    text.push("'");
    for (at, character) in value.char_indices() {
        match character {
            '\'' | '\\' => {
                text.push("\\");
                text.push_char(character);
            }
            // A variable without a name has only its default.
            '$' if value[at..].starts_with("${") => text.push("${:-$}"),
            other => text.push_char(other),
        }
    }
    text.push("'");
    true
}

fn within(text: &mut Text, value: &str, quote: char, fits: bool) -> bool {
    if fits {
        text.push_char(quote);
        text.push(value);
        text.push_char(quote);
    }
    fits
}

/// Azure Key Vault: one command for each value, which goes from the shell to `az` by a pipe.
pub(super) fn azure(credentials: &Credentials<'_>, order: &Order) -> Result<Text, Unfit> {
    let vault = names::typed_place(order, &names::AZURE_VAULT)?;
    let mut text = Text::new();
    text.push("# Run this with sh. Every value goes to az by a pipe, none by an argument.\n");
    if vault.is_none() {
        text.push(": \"${VAULT:?set VAULT to the name of the key vault}\"\n");
    }
    for (piece, value) in credentials.five() {
        text.push("printf %s ");
        text.shell(&value);
        text.push(" | az");
        for argument in azure_arguments(credentials, order, piece)? {
            text.push(" ");
            text.push(&argument);
        }
        text.push("\n");
    }
    Ok(text)
}

/// The arguments of `az` for one value; all of them are words of a shell.
pub(super) fn azure_arguments(
    credentials: &Credentials<'_>,
    order: &Order,
    piece: Piece,
) -> Result<Vec<String>, Unfit> {
    let prefix = names::name(order, credentials, &names::AZURE)?;
    let vault = names::typed_place(order, &names::AZURE_VAULT)?;
    let end = match piece {
        Piece::AccessToken => Some(credentials.held()?.access_expires_at),
        Piece::RefreshToken => credentials.held()?.refresh_expires_at,
        _ => None,
    };
    let piece = piece.name().replace('_', "-");
    let mut arguments: Vec<String> =
        ["keyvault", "secret", "set", "--vault-name"].map(str::to_owned).into();
    arguments.push(vault.map_or_else(|| "\"$VAULT\"".to_owned(), str::to_owned));
    arguments.extend(["--name".to_owned(), format!("{prefix}-{piece}")]);
    if let Some(end) = end {
        arguments.extend(["--expires".to_owned(), moment(end.at)]);
    }
    let rest = ["--encoding", "utf-8", "--file", "/dev/stdin", "--output", "none"];
    arguments.extend(rest.map(str::to_owned));
    Ok(arguments)
}
