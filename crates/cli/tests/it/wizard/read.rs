//! What judges that nobody here wrote say of the pages.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::support::foreign::{node, scripts};
use crate::support::process::{PATIENCE, Running};
use crate::support::sandbox::Sandbox;

#[test]
fn every_page_with_every_sample_pleases_an_html_validator_and_an_accessibility_checker() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("files/gallery");
    fs::create_dir(&folder).unwrap();
    for (name, html) in snowtoken_wizard::pages::gallery() {
        fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
    let mut command = Command::new(node());
    command.arg(scripts().join("judge_gallery.mjs")).arg(&folder);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", sandbox.path("files"));
    let outcome = Running::start(command).finish_within(PATIENCE * 4);
    assert_eq!(outcome.code, Some(0), "run `cargo xtask setup`? {outcome:#?}");
    let report = outcome.json();
    assert!(report["looked"].as_u64().unwrap() > 40, "{report:#}");
    assert_eq!(report["faults"], json!([]));
}
