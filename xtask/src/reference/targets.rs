//! The page of the targets.

use std::fmt::Write as _;

use serde_json::Value;

use super::{NOTE, Program, cell};

/// The page.
pub(super) fn page(ask: &Program) -> Result<String, String> {
    let mut text = format!(
        "{NOTE}# Targets\n\nThe products that take the tokens, or a client. The first is the default of `login`. \
         What each class means, and how to write a target of your own: \
         [your own target](../guides/your-own-target.md); its [JSON Schema](target-file.schema.json).\n\n"
    );
    let targets = ask.tells(&["target", "list", "--json"], "targets")?;
    text.push_str("| Target | Product | Takes |\n|---|---|---|\n");
    for target in &targets {
        let get = |member| super::text(target, member);
        let (name, title, class) = (get("name"), get("title"), get("class"));
        let _ = writeln!(text, "| [{name}](#{name}) | {} | {class} |", cell(title));
    }
    for target in &targets {
        text.push('\n');
        section(target, &mut text);
    }
    Ok(text)
}

/// One target, with everything that is known of it.
fn section(target: &Value, text: &mut String) {
    let name = super::text(target, "name");
    let _ = writeln!(text, "## {name}\n\n{}\n\n| | |\n|---|---|", super::text(target, "title"));
    for (label, member, unit) in [
        ("Takes", "class", ""),
        ("Redirect URI", "redirect_uri", ""),
        ("Where it is shown", "redirect_uri_from", ""),
        ("Register also", "also_register", ""),
        ("Regions", "regions", ""),
        ("Refused", "regions_refused", ""),
        ("Scopes", "scope", ""),
        ("Access Token Lifespan", "access_token_lifespan", " s"),
        ("Refresh Token Lifespan", "refresh_token_lifespan", " s"),
        ("Form fields", "fields", ""),
        ("Limits in characters", "limits", ""),
        ("The instance is written as", "instance", ""),
        ("Instances below", "domains", ""),
        ("Shapes of `deliver`", "formats", ""),
        ("Tables it reads", "tables", ""),
        ("Roles of its user", "roles", ""),
        ("Confidence", "confidence", ""),
    ] {
        let value = shown(&target[member], unit);
        if !value.is_empty() {
            let _ = writeln!(text, "| {label} | {value} |");
        }
    }
    for (title, member) in [("Its user", "user_advice"), ("Notes", "notes"), ("Sources", "sources")]
    {
        let texts: Vec<&str> =
            target[member].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !texts.is_empty() {
            let _ = writeln!(text, "\n{title}:\n");
            for one in texts {
                let _ = writeln!(text, "- {one}");
            }
        }
    }
}

/// A value in a cell; nothing for what is not known or not demanded.
fn shown(value: &Value, unit: &str) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> =
                items.iter().map(|item| shown(item, "")).filter(|item| !item.is_empty()).collect();
            return items.join(", ");
        }
        Value::Number(number) => format!("{number}{unit}"),
        Value::Object(members) => object(members),
        Value::Bool(true) => "yes".to_owned(),
        _ => String::new(),
    };
    cell(&text)
}

/// A field, a redirect URI with its reason, refused regions, or names with their values.
fn object(members: &serde_json::Map<String, Value>) -> String {
    let get = |name: &str| members.get(name).map(|value| shown(value, "")).unwrap_or_default();
    if members.contains_key("label") {
        return format!("{} ({})", get("label"), get("value"));
    }
    if members.contains_key("prefix") {
        return format!("{}… ({})", get("prefix"), get("reason"));
    }
    if members.contains_key("reason") {
        let region = get("region");
        let region = if region.is_empty() { region } else { format!("in {region}: ") };
        return format!("{region}{} ({})", get("redirect_uri"), get("reason"));
    }
    let all = members.iter().map(|(name, value)| (name.replace('_', " "), shown(value, "")));
    let known = all.filter(|(_, value)| !value.is_empty());
    known.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("; ")
}
