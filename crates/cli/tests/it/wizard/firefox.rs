//! The same pages in a browser of another family.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{ID, NAME, SECRET, Walk};
use crate::support::foreign::{node, scripts};
use crate::support::instance::Instance as _;
use crate::support::process::{PATIENCE, Running};

fn firefox(walk: &Walk, wizard: &Running) -> Value {
    let link = wizard.stderr_line(|line| line.starts_with("http://127.0.0.1:"));
    let task = json!({
        "link": link,
        "instance": walk.instance.origin(),
        "redirectUri": walk.redirect_uri,
        "user": walk.user,
        "name": NAME,
        "client": { "id": ID, "secret": SECRET },
    });
    let mut command = Command::new(node());
    command.arg(scripts().join("wizard-firefox.mjs")).arg(task.to_string());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", walk.sandbox.path("files"));
    command.stderr(Stdio::piped());
    let outcome = Running::start(command).finish_within(PATIENCE * 4);
    assert_eq!(outcome.code, Some(0), "run `cargo xtask setup`? {outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["failure"], "", "{report:#}");
    report
}

/// W2, W3, W4, W5, W6, W7 and W8 as Firefox sees them.
#[test]
fn firefox_goes_from_nothing_to_a_delivered_file_and_lets_nobody_else_in() {
    let walk = Walk::new(true);
    walk.register(ID, SECRET);
    let wizard = walk.wizard();
    let report = firefox(&walk, &wizard);
    wizard.kill();

    let token = walk.sandbox.run(&["token", NAME]).ok().token();
    assert!(walk.instance.is_alive(&token), "a page from elsewhere ended it: {report:#}");
    assert_eq!(walk.sandbox.credential("Access Token"), token);
    assert_eq!(report["copied"], "Copied for 45 seconds");
    assert_eq!(report["complaints"], json!([]));

    assert!(!report["clean"].as_str().unwrap().contains("key"), "{report:#}");
    assert_eq!(report["visible"], "", "a page can read the cookie");
    let cookies = report["cookies"].as_array().unwrap();
    let [cookie] = &cookies[..] else { panic!("not one cookie: {cookies:?}") };
    assert_eq!(cookie["httpOnly"], true);
    assert_eq!(cookie["sameSite"], "Strict");
    assert_eq!(cookie["session"], true);
    assert_eq!(report["back"], "", "a secret is there for whoever goes back");

    let blocked = &report["blocked"];
    assert_eq!(blocked["ran"], false);
    for directive in ["connect-src", "frame-src", "img-src", "script-src-elem", "style-src-attr"] {
        let all = blocked["violations"].as_array().unwrap();
        assert!(all.contains(&directive.into()), "{directive}: {blocked}");
    }
    assert_eq!(report["readable"], json!([]));
    for title in report["framed"].as_array().unwrap() {
        assert_eq!(title, "", "a page is shown in a frame");
    }
    assert_eq!(report["led"], json!(["Not for this browser", "Not for this browser"]));
    assert_eq!(report["rebound"], "Not for this browser");
    assert!(report["still"].as_str().unwrap().contains("End the tokens"), "{report:#}");
}
