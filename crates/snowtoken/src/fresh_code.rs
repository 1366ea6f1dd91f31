//! A code that nobody has exchanged yet, as text for a form or as JSON.

use std::fmt::Write as _;

use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use zeroize::Zeroizing;

pub use snowtoken_core::oauth::authorization::{FreshCode, Pkce};

use crate::delivery::{Unfit, moment};

/// The code with all that its exchange needs beside the client's own secret: `Label: value` lines in
/// the order of a form, or one JSON object.
///
/// # Errors
/// If a value holds a line break.
pub fn text(
    profile: &Profile,
    fresh: &FreshCode,
    as_json: bool,
) -> Result<Zeroizing<String>, Unfit> {
    let end = moment(fresh.good_until);
    let verifier = fresh.code_verifier.as_ref().map(Secret::expose);
    let lines = [
        ("Auth Code", "auth_code", Some(fresh.code.expose())),
        ("Redirect URL", "redirect_uri", Some(fresh.redirect_uri.as_str())),
        ("Code Verifier", "code_verifier", verifier),
        ("Good Until", "good_until", Some(&end)),
    ];
    if fresh.code.expose().contains(['\n', '\r']) {
        return Err(Unfit::LineBreak("auth code"));
    }
    // Room for everything, even if every character were escaped: growing would leave copies behind.
    let values: usize = lines.iter().filter_map(|(.., value)| value.map(str::len)).sum();
    let mut text = Zeroizing::new(String::with_capacity(1_024 + 6 * values));
    if !as_json {
        for (label, _, value) in lines {
            if let Some(value) = value {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{label}: {value}");
            }
        }
        return Ok(text);
    }
    text.push_str("{\n  \"version\": 1");
    let whose = [
        ("", "instance", Some(profile.instance.url())),
        ("", "client_id", Some(profile.client_id.as_str())),
    ];
    for (_, name, value) in whose.into_iter().chain(lines) {
        let _ = write!(text, ",\n  \"{name}\": {}", quoted(value).as_str());
    }
    text.push_str("\n}\n");
    Ok(text)
}

/// The value as JSON.
fn quoted(value: Option<&str>) -> Zeroizing<String> {
    // Room for every character as an escape of six.
    let mut bytes = Zeroizing::new(Vec::with_capacity(8 + 6 * value.map_or(0, str::len)));
    // Writing to memory cannot fail, and what is written is text.
    let _ = serde_json::to_writer(&mut *bytes, &value);
    Zeroizing::new(String::from_utf8(std::mem::take(&mut *bytes)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use snowtoken_core::oauth::redirect::RedirectUri;

    use super::*;
    use crate::config::Config;

    fn rendered(code: &str, verifier: Option<&str>, as_json: bool) -> Result<String, Unfit> {
        let config = Config::parse("[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"").unwrap();
        let fresh = FreshCode {
            code: Secret::new(code),
            redirect_uri: RedirectUri::parse("https://r.example/cb").unwrap(),
            code_verifier: verifier.map(Secret::new),
            good_until: "2026-11-23T15:01:00.7Z".parse().unwrap(),
        };
        super::text(&config.profiles()[0], &fresh, as_json).map(|text| text.to_string())
    }

    #[test]
    fn a_form_gets_its_lines_and_a_program_its_object() {
        assert_eq!(
            rendered("C\"1", Some("V"), false).unwrap(),
            "Auth Code: C\"1\nRedirect URL: https://r.example/cb\nCode Verifier: V\nGood Until: 2026-11-23T15:01:00Z\n"
        );
        assert_eq!(
            rendered("C\"1", Some("V"), true).unwrap(),
            "{\n  \"version\": 1,\n  \"instance\": \"https://classics.service-now.com\",\n  \"client_id\": \"id\",\n  \
             \"auth_code\": \"C\\\"1\",\n  \"redirect_uri\": \"https://r.example/cb\",\n  \"code_verifier\": \"V\",\n  \
             \"good_until\": \"2026-11-23T15:01:00Z\"\n}\n"
        );
        assert!(!rendered("C", None, false).unwrap().contains("Verifier"));
        assert!(rendered("C", None, true).unwrap().contains("\"code_verifier\": null"));
    }

    #[test]
    fn a_code_with_a_line_break_fits_no_form() {
        for as_json in [false, true] {
            assert_eq!(rendered("a\nb", None, as_json), Err(Unfit::LineBreak("auth code")));
        }
    }
}
