//! A real Chromium, driven by playwright-core. Nothing it asks for leaves the machine: what is not
//! on the loopback interface is answered by the driver and written down.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::foreign::{node, scripts};
use super::instance::Consent;
use super::process::Running;

/// What a person does in the browser, and where it keeps its history.
pub(crate) struct Visit<'a> {
    pub(crate) url: &'a str,
    pub(crate) consent: Consent,
    /// The folder of the browser's profile.
    pub(crate) profile: &'a Path,
    /// Where to put a picture of each page.
    pub(crate) pictures: Option<&'a Path>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The redirected URL, as it was first asked for.
    pub(crate) redirected: String,
    /// `location.href` of the last page, after it settled.
    pub(crate) href: String,
    /// What the last page reads.
    pub(crate) text: String,
    /// Requests to anywhere but the loopback interface, other than the redirect.
    pub(crate) foreign: Vec<String>,
    /// Requests of the last page: URL and Referer.
    pub(crate) requests: Vec<(String, Option<String>)>,
    /// Errors in the browser's console.
    pub(crate) complaints: Vec<String>,
}

/// Goes there, signs in, consents, and waits until the redirect URI was asked for.
pub(crate) fn visit(visit: &Visit<'_>, redirect_uri: &str) -> Seen {
    let task = json!({
        "url": visit.url,
        "redirectUri": redirect_uri,
        "deny": visit.consent == Consent::Deny,
        "profile": visit.profile,
        "pictures": visit.pictures,
    });
    let mut command = Command::new(node());
    command.arg(scripts().join("browser.mjs")).arg(task.to_string());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", visit.profile);
    command.stderr(Stdio::piped());
    let outcome = Running::start(command).finish();
    assert_eq!(outcome.code, Some(0), "the browser failed (`cargo xtask setup`?): {outcome:#?}");
    seen(&outcome.json())
}

fn seen(value: &Value) -> Seen {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let texts = |key: &str| -> Vec<String> {
        let all = value[key].as_array().into_iter().flatten();
        all.filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    let requests = value["requests"].as_array().into_iter().flatten();
    Seen {
        redirected: text("redirected"),
        href: text("href"),
        text: text("text"),
        foreign: texts("foreign"),
        requests: requests
            .map(|r| {
                let url = r["url"].as_str().unwrap_or_default().to_owned();
                (url, r["referer"].as_str().map(str::to_owned))
            })
            .collect(),
        complaints: texts("complaints"),
    }
}
