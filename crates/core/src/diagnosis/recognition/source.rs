//! A text as it came, made fit to look for signs in: JSON and pages say in places that are known
//! what is the matter, and much else beside it.

use serde_json::Value;

/// How many openings of an object are tried before it is no JSON.
const MOST_OBJECTS: usize = 32;

/// The members in which answers say what is wrong.
const TELLING: [&str; 9] = [
    "error",
    "error_description",
    "error_message",
    "errormessage",
    "message",
    "detail",
    "details",
    "description",
    "reason",
];

/// Deeper than this nobody says what is wrong.
const DEEPEST: usize = 6;

/// What of a text is looked at.
pub(super) struct Source {
    /// In lower case, with single blanks; of a page only what is seen, of JSON also its members
    /// as `error: value`.
    pub(super) text: String,
    /// Whether it is a page.
    pub(super) is_page: bool,
    /// Whether it is a page titled like a sign-in.
    pub(super) is_sign_in: bool,
    /// Whether it is JSON from end to end that tells of nothing wrong.
    pub(super) is_success: bool,
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        // Logs and stacks carry JSON as text in JSON.
        let lower = text.to_lowercase().replace("\\\"", "\"").replace("\\n", " ");
        let page = page(&lower);
        let (is_page, is_sign_in) = (page.is_some(), page.as_ref().is_some_and(|page| page.1));
        let (mut told, mut is_success) = (String::new(), false);
        if !is_page && let Some((value, is_all)) = object(&lower) {
            tell(&value, DEEPEST, &mut told);
            let is_empty_list =
                value.get("result").and_then(Value::as_array).is_some_and(Vec::is_empty);
            is_success = is_all && told.is_empty() && !is_empty_list;
        }
        let seen = page.map_or(lower, |page| page.0);
        let mut text = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push('\n');
        text.push_str(&told);
        Self { text, is_page, is_sign_in, is_success }
    }
}

/// The first object in the text, and whether it is all of it.
fn object(text: &str) -> Option<(Value, bool)> {
    text.match_indices('{').take(MOST_OBJECTS).find_map(|(at, _)| {
        let rest = text.get(at..)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let value = values.next()?.ok()?;
        let is_all = at == 0 && rest.get(values.byte_offset()..)?.trim().is_empty();
        Some((value, is_all))
    })
}

/// What the telling members say, as `error: value`, one a line.
fn tell(value: &Value, depth: usize, told: &mut String) {
    let Some(deeper) = depth.checked_sub(1) else { return };
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if TELLING.contains(&name.as_str()) => {
                        told.push_str(name);
                        told.push_str(": ");
                        told.push_str(text);
                        told.push('\n');
                    }
                    Value::Object(_) | Value::Array(_) if name != "result" => {
                        tell(value, deeper, told);
                    }
                    _ => {}
                }
            }
        }
        Value::Array(values) => values.iter().take(20).for_each(|value| tell(value, deeper, told)),
        _ => {}
    }
}

/// What a page shows, its title first, with what stood before the page; and whether it is titled
/// like a sign-in. `None` if it is no page.
fn page(text: &str) -> Option<(String, bool)> {
    let start = ["<!doctype html", "<html", "<head", "<title"]
        .iter()
        .filter_map(|tag| text.find(tag))
        .min()?;
    let (before, html) = text.split_at(start);
    let title = between(html, "<title", "</title").unwrap_or_default();
    let is_sign_in = ["sign in", "signin", "log in", "login", "single sign-on"]
        .iter()
        .any(|w| title.contains(w));
    let mut seen = format!("{before} {title} ");
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (shown, tag) = rest.split_at(at);
        seen.push_str(shown);
        seen.push(' ');
        // Scripts and styles are not seen, whatever they say.
        let end = ["<script", "<style", "<title"]
            .iter()
            .find(|name| tag.starts_with(**name))
            .map(|name| format!("</{}", name.trim_start_matches('<')));
        let skipped = end.map_or(Some(0), |end| tag.find(&end));
        let Some(skipped) = skipped else { return Some((unescaped(&seen), is_sign_in)) };
        let tag = tag.get(skipped..).unwrap_or_default();
        match tag.find('>') {
            Some(end) => rest = tag.get(end + 1..).unwrap_or_default(),
            None => return Some((unescaped(&seen), is_sign_in)),
        }
    }
    seen.push_str(rest);
    Some((unescaped(&seen), is_sign_in))
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    let rest = text.get(text.find(from)?..)?;
    let inner = rest.get(rest.find('>')? + 1..)?;
    inner.get(..inner.find(to)?)
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&nbsp;", " ").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_page_only_what_is_seen_is_read() {
        let page = "HTTP/1.1 200\n\n<html><head><title>Hello</title><script>invalid_grant</script>\
                    <style>b</style></head><body class=\"timeout\">You &amp; me<p>there</p></body>";
        let source = Source::read(page);
        assert!(source.is_page && !source.is_sign_in);
        assert_eq!(source.text.trim(), "http/1.1 200 hello you & me there");
        assert!(Source::read("<title>Log in | ServiceNow</title>").is_sign_in);
        for cut in 0..page.len() {
            let _ = Source::read(&page[..cut]);
        }
    }

    #[test]
    fn json_is_read_where_it_tells_what_is_wrong() {
        let told = |text: &str| Source::read(text).text.split_once('\n').unwrap().1.to_owned();
        let api = r#"{"error":{"message":"User Not Authorized","detail":"No"},"status":"failure"}"#;
        assert_eq!(told(api), "detail: no\nmessage: user not authorized\n");
        assert_eq!(told(r#"stack: {\"error\": \"invalid_scope\"}"#), "error: invalid_scope\n");
        assert_eq!(told("no json { at all"), "");
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
        assert_eq!(told(&deep), "");
        assert!(Source::read(r#"{"result":[{"number":"1"}]}"#).is_success);
        assert!(!Source::read(r#"{"result":[]}"#).is_success);
        assert!(!Source::read(api).is_success);
    }
}
