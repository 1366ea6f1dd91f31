//! A person's own template.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use serde_json::Value;

use super::{deliver, logged_in};
use crate::support::instance::{Instance as _, PROFILE};

#[test]
fn a_template_is_filled_in_and_each_filter_is_its_languages_own() {
    let (instance, sandbox) = logged_in();
    let text = "{\"s\": {{client_secret|json}}, \"b\": \"{{ client_secret | base64 }}\",\n \"u\": \"{{client_secret|url}}\", \"h\": \"\\{{x}} {{instance_host}}\"}\n";
    sandbox.file("t.json", text);
    let found = sandbox.run(&deliver(&["--template", "t.json"])).ok().json();
    let secret = instance.client_secret();
    assert_eq!(found["s"], secret);
    assert_eq!(found["b"], base64::engine::general_purpose::STANDARD.encode(&secret));
    let url: String =
        url::form_urlencoded::parse(format!("x={}", found["u"].as_str().unwrap()).as_bytes())
            .next()
            .unwrap()
            .1
            .into_owned();
    assert_eq!(url, secret);
    assert_eq!(
        found["h"],
        format!("{{{{x}}}} {}", instance.origin().strip_prefix("http://").unwrap())
    );
}

#[test]
fn a_name_nobody_knows_leaves_what_was_there() {
    let (_instance, sandbox) = logged_in();
    let out = sandbox.file("out", "old");
    for (text, why) in [
        ("{{client_secret}}{{nothing}}", "line 1 of the template: there is no value \"nothing\""),
        ("{{client_secret|html}}", "there is no filter \"html\""),
        ("{{client_secret", "is not closed"),
        ("nothing", "has no `{{name}}` in it"),
    ] {
        sandbox.file("t", text);
        let outcome = sandbox.run(&deliver(&["--template", "t", "--output", "out"]));
        let (outcome, code) = outcome.failed_with(&[2]);
        assert_eq!(code.as_deref(), Some("template-invalid"));
        assert!(outcome.stderr.contains(why), "{outcome:#?}");
        assert_eq!(fs::read_to_string(&out).unwrap(), "old");
    }
    let outcome = sandbox.run(&deliver(&["--template", "gone"])).failed_with(&[2]).0;
    assert!(outcome.stderr.contains("the template gone cannot be read"), "{outcome:#?}");
    // Somebody else could have written this one.
    let open = sandbox.file("open", "{{client_secret}}");
    fs::set_permissions(open, fs::Permissions::from_mode(0o666)).unwrap();
    sandbox.run(&deliver(&["--template", "open"])).failed_with(&[2]);
}

#[test]
fn a_file_made_by_a_template_can_drift_and_follow() {
    let (_instance, sandbox) = logged_in();
    sandbox.file("t", "token={{access_token}}\n");
    sandbox.run(&deliver(&["--template", "t", "--output", "out", "--keep-fresh"])).ok();
    sandbox.run(&["refresh", PROFILE]).ok();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    let file = sandbox.path("files/out");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("token={token}\n"));
    sandbox.run(&deliver(&["--check"])).ok();
    // Without its template nobody can say what it should hold.
    fs::remove_file(sandbox.path("files/t")).unwrap();
    let outcome = sandbox.run(&["refresh", PROFILE]).ok();
    assert!(outcome.stderr.contains("does not follow the tokens: the template"), "{outcome:#?}");
    let found: Value = sandbox.run(&deliver(&["--check", "--json"])).ended_with(&[3]).json();
    assert_eq!(found["deliveries"][0]["state"], "drifted");
}
