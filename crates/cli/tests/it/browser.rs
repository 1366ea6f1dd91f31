//! A real Chromium between the command and an instance: what it shows, keeps and lets out.

use std::fs;
use std::path::Path;

use crate::support::browser::{Seen, Visit, visit};
use crate::support::foreign::{Foreign, Kind, Options};
use crate::support::instance::{
    Consent, Instance, PROFILE, console_uri, first_login, free_redirect_uri, parameter, words,
};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

fn oidc(redirect_uri: String) -> Foreign {
    Foreign::start(Kind::OidcProvider, Options { redirect_uri, ..Options::default() })
}

fn start(sandbox: &Sandbox, server: &dyn Instance) -> Running {
    sandbox.start(&[first_login(sandbox, server), words(&["--no-output"])].concat())
}

fn go(url: &str, redirect_uri: &str, consent: Consent, profile: &Path) -> Seen {
    let pictures = std::env::var_os("SNOWTOKEN_TEST_PICTURES").map(std::path::PathBuf::from);
    visit(&Visit { url, consent, profile, pictures: pictures.as_deref() }, redirect_uri)
}

/// The page that a person sees last is ours, says so, and keeps nothing of what it was told.
fn listener_page_is_clean(server: &dyn Instance) {
    let (sandbox, profile) = (Sandbox::new(), tempfile::tempdir().unwrap());
    let running = start(&sandbox, server);
    let url = running.authorization_url();
    let redirect_uri = server.redirect_uri();
    let seen = go(&url, &redirect_uri, Consent::Allow, profile.path());
    running.finish().ok();
    assert!(server.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()));

    let code = parameter(&seen.redirected, "code").unwrap();
    let state = parameter(&seen.redirected, "state").unwrap();
    for secret in [&code, &state] {
        assert!(!seen.href.contains(secret.as_str()), "the address bar still has it: {seen:#?}");
        assert!(!seen.text.contains(secret.as_str()), "the page shows it: {seen:#?}");
    }
    assert!(!seen.text.trim().is_empty(), "the person sees an empty page");
    assert_eq!(seen.foreign, Vec::<String>::new(), "the page asks elsewhere");
    let own = redirect_uri.trim_end_matches("/callback");
    // What the page causes after the redirect stays with us and tells nobody where it came from.
    for (asked, referer) in &seen.requests[1..] {
        assert!(asked.starts_with(own), "{seen:#?}");
        assert!(referer.as_ref().is_none_or(|r| !r.contains(&code)), "{seen:#?}");
    }
    assert_eq!(seen.complaints, Vec::<String>::new(), "the browser complains");
}

#[test]
fn the_listener_page_is_clean_after_oidc_provider() {
    listener_page_is_clean(&oidc(free_redirect_uri()));
}

#[test]
fn the_listener_page_is_clean_after_the_stand_in() {
    listener_page_is_clean(&StandIn::start(&free_redirect_uri(), &[]));
}

/// The redirect leads to a page that is not ours: its address is copied and pasted.
fn address_bar_is_pasted(server: &dyn Instance) {
    let (sandbox, profile) = (Sandbox::new(), tempfile::tempdir().unwrap());
    let mut running = start(&sandbox, server);
    let url = running.authorization_url();
    let seen = go(&url, &server.redirect_uri(), Consent::Allow, profile.path());
    assert_eq!(seen.foreign, Vec::<String>::new(), "the pages ask elsewhere");
    running.write(format!("{}\n", seen.redirected));
    running.finish().ok();
    assert!(server.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()));
}

#[test]
fn the_address_bar_can_be_pasted_after_oidc_provider() {
    address_bar_is_pasted(&oidc(console_uri("us-west-2")));
}

#[test]
fn the_address_bar_can_be_pasted_after_the_stand_in() {
    address_bar_is_pasted(&StandIn::with(&[]));
}

#[test]
fn a_click_on_cancel_ends_the_login_and_the_page_says_so() {
    let redirect_uri = free_redirect_uri();
    let (server, sandbox) = (oidc(redirect_uri.clone()), Sandbox::new());
    let profile = tempfile::tempdir().unwrap();
    let running = start(&sandbox, &server);
    let seen = go(&running.authorization_url(), &redirect_uri, Consent::Deny, profile.path());
    let (_, code) = running.finish().failed_with(&[1, 4]);
    assert_eq!(code.as_deref(), Some("access-denied"));
    assert!(!seen.text.trim().is_empty(), "{seen:#?}");
    assert_eq!(seen.foreign, Vec::<String>::new());
}

/// Files of the browser's profile in which these bytes stand.
fn files_with(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(meta) = fs::symlink_metadata(&path) else {
            continue;
        };
        if meta.is_dir() {
            found.extend(files_with(&path, bytes));
        } else if meta.is_file() {
            let text = fs::read(&path).unwrap_or_default();
            if text.windows(bytes.len()).any(|window| window == bytes) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn the_browser_keeps_neither_token_nor_secret() {
    let (server, sandbox) = (oidc(free_redirect_uri()), Sandbox::new());
    let profile = tempfile::tempdir().unwrap();
    let running = start(&sandbox, &server);
    let url = running.authorization_url();
    let seen = go(&url, &server.redirect_uri(), Consent::Allow, profile.path());
    running.finish().ok();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    let verifier = server.token_requests()[0].field("code_verifier").unwrap();
    let secrets = [
        ("access token", token),
        ("client secret", server.client_secret()),
        ("verifier", verifier),
    ];
    for (name, secret) in secrets {
        assert_eq!(files_with(profile.path(), secret.as_bytes()), Vec::<String>::new(), "{name}");
    }
    // The code was in a redirect, and browsers write redirects into their history: it is spent, and
    // worth nothing without the verifier and the secret. The search itself is shown to work by it.
    let host = url::Url::parse(&seen.redirected).unwrap().port().unwrap().to_string();
    assert!(!files_with(profile.path(), host.as_bytes()).is_empty(), "the search is blind");
}
