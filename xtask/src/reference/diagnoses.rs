//! The pages of the diagnoses.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::{NOTE, capital, cell, text};

/// The list of all, and what is seen of each.
pub(super) fn index(diagnoses: &[Value]) -> String {
    let mut page = format!(
        "{NOTE}# Diagnoses\n\nEvery failure ends with a line `code: …`. `snowtoken explain CODE` shows the same \
         as the page here, without a network.\n\n| Code | What happened | Who can mend it | Exit code |\n|---|---|---|---|\n"
    );
    for diagnosis in diagnoses {
        let code = text(diagnosis, "code");
        let _ = writeln!(
            page,
            "| [{code}]({code}.md) | {} | {} | {} |",
            cell(text(diagnosis, "title")),
            cell(text(diagnosis, "who")),
            diagnosis["exit_code"]
        );
    }
    page.push_str(&by_what_is_seen(diagnoses));
    page
}

/// What stands in front of somebody, where it is not a message of our own.
fn by_what_is_seen(diagnoses: &[Value]) -> String {
    let mut page = "\n## By what is seen\n\nIn a browser, at another product, in a log. The text itself can be handed \
                    to `snowtoken explain`, on standard input.\n\n| What is seen | Code |\n|---|---|\n"
        .to_owned();
    let own = |seen: &str| seen.is_empty() || seen.starts_with("A message of snowtoken's own");
    for diagnosis in diagnoses.iter().filter(|diagnosis| !own(text(diagnosis, "seen"))) {
        let code = text(diagnosis, "code");
        let _ = writeln!(page, "| {} | [{code}]({code}.md) |", cell(text(diagnosis, "seen")));
    }
    page
}

/// The page of one.
pub(super) fn page(diagnosis: &Value) -> String {
    let get = |member| text(diagnosis, member);
    let mut page = format!("{NOTE}# {}\n\n{}.\n\n", get("code"), capital(get("title")));
    if !get("seen").is_empty() {
        let _ = write!(page, "**What is seen.** {}\n\n", get("seen"));
    }
    let _ = write!(
        page,
        "**Cause.** {}\n\n**How it is known.** {}\n\n**Fix.**\n\n",
        get("cause"),
        get("proof"),
    );
    for fix in diagnosis["fixes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let _ = writeln!(page, "- {}", capital(fix));
    }
    let _ = write!(
        page,
        "\n**Who can do it.** {}.\n\n**Exit code.** [{}](../exit-codes.md)\n",
        capital(get("who")),
        diagnosis["exit_code"]
    );
    page.push_str(&rehearsal(&diagnosis["rehearsal"]));
    if let Some(source) = sources(get("source")) {
        let _ = write!(page, "\n**Source.** {source}\n");
    }
    page
}

/// How the names of standards, and of the vendor's page whose work we do, begin.
const STANDARDS: [&str; 3] = ["RFC ", "draft-", "vendor's page"];

/// Who else publishes what a source names.
const PUBLISHERS: [&str; 9] = [
    "ServiceNow KB",
    "ServiceNow documentation",
    "ServiceNow release notes",
    "ServiceNow community",
    "ServiceNow developer site",
    "AWS documentation",
    "Microsoft documentation",
    "Snowflake documentation",
    "inferred from vendors' documentation",
];

/// How to see it happen, or why nobody can here.
fn rehearsal(told: &Value) -> String {
    match (text(told, "command"), text(told, "test"), text(told, "reason")) {
        ("", "", "") => String::new(),
        ("", "", reason) => format!("\n**Rehearsal.** None: {reason}.\n"),
        ("", test, _) => format!("\n**Rehearsal.** The test `{test}` provokes it.\n"),
        (command, _, _) => {
            format!(
                "\n**Rehearsal.** See it happen, nothing real:\n\n```console\n$ {command}\n```\n"
            )
        }
    }
}

/// Sources that a reader can get at: standards by name; what is known of the vendor is gathered in
/// one page of ours.
fn sources(text: &str) -> Option<String> {
    let mut found = BTreeSet::new();
    for piece in text.split(';').flat_map(|piece| piece.split(", RFC ")).map(str::trim) {
        if STANDARDS.iter().chain(&PUBLISHERS).any(|start| piece.starts_with(start)) {
            // A section of ours may follow the standard's after a comma.
            let standard = piece.split(", servicenow.md").next().unwrap_or(piece);
            let standard = standard.split(", docs/").next().unwrap_or(standard);
            found.insert(standard.to_owned());
        } else if piece.starts_with(|c: char| c.is_ascii_digit()) {
            found.insert(format!("RFC {piece}"));
        }
        if piece.contains("servicenow.md") || piece.contains("quirks.md") {
            found.insert("[quirks](../../quirks.md)".to_owned());
        }
    }
    (!found.is_empty()).then(|| format!("{}.", Vec::from_iter(found).join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_that_can_be_read_are_named() {
        let told = sources(
            "RFC 6749 §5.2; servicenow.md §4.2 rows 1, 2; vendor's page, \"Invalid client\"",
        );
        assert_eq!(
            told.as_deref(),
            Some("RFC 6749 §5.2; [quirks](../../quirks.md); vendor's page, \"Invalid client\".")
        );
        assert_eq!(
            sources("servicenow.md §11, RFC 9700 §4.4").as_deref(),
            Some("RFC 9700 §4.4; [quirks](../../quirks.md).")
        );
        assert_eq!(sources("contract §3"), None);
        assert_eq!(
            sources("ServiceNow KB0791140; ServiceNow as observed by others, docs/quirks.md")
                .as_deref(),
            Some("ServiceNow KB0791140; [quirks](../../quirks.md).")
        );
    }

    #[test]
    fn a_page_tells_what_is_seen_and_how_to_see_it() {
        let told = |rehearsal: Value| {
            page(&serde_json::json!({"code": "odd", "title": "odd", "seen": "An odd page.",
                "rehearsal": rehearsal}))
        };
        let by_command = told(serde_json::json!({"command": "snowtoken rehearse --yes"}));
        assert!(by_command.contains("**What is seen.** An odd page."), "{by_command}");
        assert!(by_command.contains("```console\n$ snowtoken rehearse --yes\n```"), "{by_command}");
        assert!(told(serde_json::json!({"test": "a_b"})).contains("The test `a_b` provokes it."));
        assert!(told(serde_json::json!({"reason": "it is AWS"})).contains("None: it is AWS."));
        assert!(!told(serde_json::json!({})).contains("Rehearsal"));
    }
}
