//! Every page with every sample: W20, and what a validator and an accessibility checker say.

use std::process::Command;

use serde_json::{Value, json};
use snowtoken_wizard::pages;
use snowtoken_wizard::site::AGE_MARK;

use crate::support::{node, scripts};

/// The tags of this name.
fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name} ");
    html.match_indices(&open)
        .map(|(at, _)| &html[at..=at + html[at..].find('>').unwrap()])
        .collect()
}

/// W20.
#[test]
fn w20_no_browser_keeps_or_fills_in_a_secret() {
    let mut fields = 0;
    for (page, html) in pages::gallery() {
        for input in tags(&html, "input") {
            let named = ["secret", "password", "passphrase"].iter().any(|word| {
                let name = input.split("name=\"").nth(1).and_then(|rest| rest.split('"').next());
                name.is_some_and(|name| name.contains(word))
            });
            let typed =
                ["type=\"radio\"", "type=\"checkbox\"", "type=\"hidden\"", "type=\"submit\""];
            let is_typed = !typed.iter().any(|kind| input.contains(kind));
            let is_secret = input.contains("type=\"password\"");
            assert!(is_secret || !(named && is_typed), "{page}: {input}");
            if is_secret {
                fields += 1;
                let kept = ["autocomplete=\"off\"", "autocomplete=\"new-password\""];
                assert!(kept.iter().any(|word| input.contains(word)), "{page}: {input}");
                assert!(!input.contains(" value="), "{page}: {input}");
            }
        }
    }
    assert!(fields > 3, "{fields}");
}

/// W6, W9: what the policy forbids is not on the pages, so nothing of them is missing.
#[test]
fn pages_need_nothing_that_the_policy_forbids() {
    for (page, html) in pages::gallery() {
        let aging = format!("<style>{AGE_MARK}</style>");
        let bare = html.replace(pages::STYLE, "").replace(pages::SCRIPT, "").replace(&aging, "");
        for forbidden in
            [" style=\"", "javascript:", "<iframe", "<object", "<embed", "<base", " srcdoc="]
        {
            assert!(!bare.contains(forbidden), "{page}: {forbidden}");
        }
        assert_eq!(
            (bare.matches("<style").count(), bare.matches("<script").count()),
            (1, 1),
            "{page}"
        );
        for tag in bare.split('<').filter_map(|rest| rest.split('>').next()) {
            assert!(!tag.contains(" onclick=") && !tag.contains(" onload="), "{page}: {tag}");
            let loads = tag.split(" src=\"").nth(1);
            assert!(loads.is_none_or(|src| src.starts_with("data:")), "{page}: {tag}");
        }
        for form in tags(&html, "form") {
            let action = form.split("action=\"").nth(1).unwrap_or_default();
            assert!(action.starts_with('/') && !action.starts_with("//"), "{page}: {form}");
        }
    }
}

#[test]
fn a_validator_and_an_accessibility_checker_find_nothing_and_each_page_fits_a_screen() {
    let folder = tempfile::tempdir().unwrap();
    let all = pages::gallery();
    for (name, html) in &all {
        std::fs::write(folder.path().join(format!("{name}.html")), html).unwrap();
    }
    let mut command = Command::new(node());
    command.arg(scripts().join("gallery.mjs")).arg(folder.path());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder.path());
    let outcome = command.output().expect("node; run `cargo xtask setup`");
    let complaints = String::from_utf8_lossy(&outcome.stderr);
    assert!(outcome.status.success(), "run `cargo xtask setup`? {complaints}");
    let report: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(report["faults"], json!([]));
    let names: std::collections::BTreeSet<_> = all.iter().map(|(name, _)| name).collect();
    assert_eq!(report["pages"], names.len());
    assert!(report["looks"].as_u64() > Some(200), "{report}");
}
