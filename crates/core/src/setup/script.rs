//! One script for *Scripts - Background* that makes or mends the client: the same text for everybody,
//! with one value put into it. It is written in ECMAScript 5, since that is what every release runs.

use serde::Serialize;
use zeroize::Zeroizing;

use super::ClientPlan;
use crate::oauth::client::ClientId;
use crate::oauth::redirect::RedirectUri;
use crate::profile::Grant;
use crate::secret::Secret;

/// What everybody's script has in common.
const TEXT: &str = include_str!("script.js");

/// Where what is wanted goes.
const PLACE: &str = "/*WANTED*/null";

/// What the script is to make.
#[derive(Debug, Clone, Copy)]
pub struct ScriptWish<'a> {
    /// The client.
    pub plan: &'a ClientPlan,
    /// Its ID, by which the script knows it again.
    pub client_id: &'a ClientId,
    /// Its secret; without one the script leaves the secret alone.
    pub client_secret: Option<&'a Secret>,
    /// Whether the script may allow the client credentials grant on the whole instance.
    pub enable_client_credentials: bool,
}

/// What the script reads.
#[derive(Serialize)]
struct Wanted<'a> {
    name: &'a str,
    client_id: &'a str,
    client_secret: Option<&'a str>,
    grant: &'static str,
    redirect_urls: Vec<&'a str>,
    access_token_lifespan: i64,
    refresh_token_lifespan: i64,
    code_lifespan: i64,
    scopes: &'a [String],
    user: Option<&'a str>,
    enable_client_credentials: bool,
}

/// The script. It holds the client secret in the clear, if there is one.
pub fn background_script(wish: &ScriptWish<'_>) -> Zeroizing<String> {
    let plan = wish.plan;
    let wanted = Wanted {
        name: &plan.name,
        client_id: wish.client_id.as_str(),
        client_secret: wish.client_secret.map(Secret::expose),
        grant: match plan.grant {
            Grant::AuthorizationCode => "authorization_code",
            Grant::ClientCredentials => "client_credentials",
            // Such a client is a record of another table, which this script does not make.
            Grant::JwtBearer => "jwt_bearer",
        },
        redirect_urls: plan.redirect_uris.iter().map(RedirectUri::as_str).collect(),
        access_token_lifespan: plan.access_token_lifespan,
        refresh_token_lifespan: plan.refresh_token_lifespan,
        code_lifespan: plan.code_lifespan,
        scopes: &plan.scopes,
        user: plan.user.as_deref(),
        enable_client_credentials: wish.enable_client_credentials,
    };
    // Large enough for whatever a person can have typed: nothing is copied, so nothing stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    // Texts, numbers and lists of them can always be written as JSON into memory.
    let _ = serde_json::to_writer_pretty(&mut *bytes, &wanted);
    let json = Zeroizing::new(String::from_utf8(std::mem::take(&mut *bytes)).unwrap_or_default());
    let literal = literal(&json);
    let (before, after) = TEXT.split_once(PLACE).unwrap_or((TEXT, ""));
    let mut script = Zeroizing::new(String::with_capacity(TEXT.len() + literal.len()));
    script.push_str(before);
    script.push_str(&literal);
    script.push_str(after);
    script
}

/// JSON as an ECMAScript 5 literal that is also harmless inside HTML, comments and templates. JSON
/// leaves everything outside strings plain; inside them whatever could end something is escaped.
fn literal(json: &str) -> Zeroizing<String> {
    // The longest escape of a character of one byte has six.
    let mut text = Zeroizing::new(String::with_capacity(6 * json.len()));
    for character in json.chars() {
        let plain = match character {
            '\n' => {
                text.push_str("\n    ");
                continue;
            }
            '<' | '>' | '&' | '\'' | '`' | '$' | '\u{7f}' => false,
            other => other.is_ascii() && !other.is_ascii_control(),
        };
        if plain {
            text.push(character);
            continue;
        }
        let mut units = [0; 2];
        for unit in character.encode_utf16(&mut units) {
            text.push_str("\\u");
            for shift in [12, 8, 4, 0] {
                let digit = u32::from(*unit >> shift) & 0xf;
                text.push(char::from_digit(digit, 16).unwrap_or('0'));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(name: &str) -> ClientPlan {
        ClientPlan {
            name: name.to_owned(),
            client_id: None,
            grant: Grant::AuthorizationCode,
            redirect_uris: vec![RedirectUri::parse("https://a.example/cb?x=1&y='2'").unwrap()],
            access_token_lifespan: 1800,
            refresh_token_lifespan: 31_536_000,
            code_lifespan: 60,
            scopes: vec!["useraccount".into(), "openid".into()],
            user: Some("o'neil".into()),
        }
    }

    fn script(name: &str, secret: &str) -> Zeroizing<String> {
        let id = ClientId::parse("0123456789abcdef0123456789abcdef").unwrap();
        background_script(&ScriptWish {
            plan: &plan(name),
            client_id: &id,
            client_secret: Some(&Secret::new(secret)),
            enable_client_credentials: false,
        })
    }

    /// The part of the script that differs, between the parts that do not.
    fn middle(script: &str) -> &str {
        let (before, after) = TEXT.split_once(PLACE).unwrap();
        script.strip_prefix(before).unwrap().strip_suffix(after).unwrap()
    }

    #[test]
    fn there_is_one_place_for_what_is_wanted() {
        assert_eq!(TEXT.matches(PLACE).count(), 1);
        assert!(TEXT.is_ascii());
        assert!(!TEXT.contains("=>") && !TEXT.contains("let ") && !TEXT.contains("const "));
        assert!(!TEXT.contains("deleteRecord") && !TEXT.contains("deleteMultiple"));
    }

    #[test]
    fn a_client_without_a_secret_of_ours_has_none_in_the_script() {
        let id = ClientId::parse("abc").unwrap();
        let wish = ScriptWish {
            plan: &plan("x"),
            client_id: &id,
            client_secret: None,
            enable_client_credentials: true,
        };
        let script = background_script(&wish);
        let read: serde_json::Value = serde_json::from_str(middle(&script)).unwrap();
        assert_eq!(read["client_secret"], serde_json::Value::Null);
        assert_eq!(read["enable_client_credentials"], true);
        assert_eq!(read["redirect_urls"][0], "https://a.example/cb?x=1&y='2'");
        assert_eq!(read["refresh_token_lifespan"], 31_536_000);
    }

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\"".to_owned()),
            Just("'".to_owned()),
            Just("\\".to_owned()),
            Just("</script>".to_owned()),
            Just("<!--".to_owned()),
            Just("]]>".to_owned()),
            Just("*/".to_owned()),
            Just("//".to_owned()),
            Just("\u{2028}".to_owned()),
            Just("\u{2029}".to_owned()),
            Just("\u{feff}".to_owned()),
            Just("\r\n".to_owned()),
            Just("\0".to_owned()),
            Just("${gs}".to_owned()),
            Just("`".to_owned()),
            Just("\\u0022".to_owned()),
            Just(PLACE.to_owned()),
            Just("}); gs.print('x'); ({".to_owned()),
            any::<String>(),
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// Names and secrets stay inside their strings, whatever they are made of.
        #[test]
        fn no_text_leaves_its_string(name in hostile(), secret in hostile()) {
            let script = script(&name, &secret);
            let middle = middle(&script);
            prop_assert!(middle.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)));
            prop_assert!(!middle.contains(['<', '>', '&', '\'', '`', '$']));
            let read: serde_json::Value = serde_json::from_str(middle).unwrap();
            prop_assert_eq!(read["name"].as_str(), Some(name.as_str()));
            prop_assert_eq!(read["client_secret"].as_str(), Some(secret.as_str()));
        }
    }
}
