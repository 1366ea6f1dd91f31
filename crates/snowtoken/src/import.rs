//! What people already have: the text file of a vendor's script, a `.env`, JSON, the settings of a
//! driver or a connector, a curl command. Text in, values out; whether they work is for the instance
//! to say.
//!
//! | Shape | Where it comes from |
//! |---|---|
//! | `Label: value`, `NAME=value`, `name = 'value'` | the vendor's script and form, `.env`, shell, Python |
//! | JSON | token answers, AWS Secrets Manager, Postman environments, n8n, AppFlow requests |
//! | connection string | CData drivers and their `OAuthSettings.txt` |
//! | curl | a token request or an API call, copied from a page or a browser |
//! | `[OAUTH]`, `AppKey=`, … | OpenText connectors: `oauth_tool.cfg`; `oauth.cfg` only points elsewhere |

mod connection_string;
mod curl;
mod found;
mod json;
mod lines;

pub use found::{Found, LABELS, Shape};

/// Reads JSON, a curl command, a connection string, or lines of `label: value`, `NAME=value`,
/// `name = 'value'`, with or without `export`. The first value of each kind counts.
///
/// What follows `label: ` is a value as it stands, with its quotes and blanks: a form quotes
/// nothing, so every character may belong to the secret.
pub fn read(text: &str) -> Found {
    // Some editors begin a file with this mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Found::default();
    if json::read(text, &mut found) {
        found.shape = Shape::Json;
    } else {
        lines::read(text, &mut found);
    }
    found.settle();
    found
}

#[cfg(test)]
mod tests;
