//! Failures: each says what happened, what is lost (nothing) and what to do, with its exit code.

mod instances;
mod machine;

use crate::mishaps::{self, Scene};
use crate::support::foreign::{Foreign, Kind};
use crate::support::instance::{Instance, PROFILE, log_in_with};
use crate::support::sandbox::Sandbox;

#[test]
fn every_mishap_is_told_and_costs_nothing() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in_with(&sandbox, &server, &[]).ok();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    let delivered = std::fs::read(sandbox.credentials()).unwrap();
    let scene = Scene { server: &server, sandbox: &sandbox, environment: Vec::new() };
    let mut trouble = Vec::new();
    for mishap in mishaps::all() {
        let asked = server.token_requests().len();
        let outcome = (mishap.happen)(&scene).finish();
        let mut wrong = |what: &str| trouble.push(format!("{}: {what}: {outcome:#?}", mishap.name));
        if !outcome.code.is_some_and(|code| mishap.codes.contains(&code)) {
            wrong(&format!("the exit code is none of {:?}", mishap.codes));
        }
        let has = |word: &str| outcome.stderr.lines().any(|line| line.starts_with(word));
        if !has("error: ") {
            wrong("no `error:` line");
        }
        if outcome.code != Some(2) && !(has("code: ") && has("hint: ")) {
            wrong("no `code:` line or no hint");
        }
        if !outcome.stdout.is_empty() {
            wrong("stdout is not empty");
        }
        if outcome.stderr.chars().any(|c| c.is_control() && c != '\n') {
            wrong("it passes control characters on");
        }
        if server.token_requests().len() > asked + mishap.requests {
            wrong("it asked the token endpoint");
        }
        let kept = sandbox.run(&["token", PROFILE]);
        if kept.code != Some(0) || kept.token() != token {
            wrong("the token that was there is lost");
        }
        if std::fs::read(sandbox.credentials()).ok().as_deref() != Some(&delivered[..]) {
            wrong("the delivered file is another one");
        }
    }
    assert!(trouble.is_empty(), "{} things:\n{}", trouble.len(), trouble.join("\n\n"));
    sandbox.run(&["refresh", PROFILE]).ok();
}

#[test]
fn every_code_that_is_printed_can_be_explained() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in_with(&sandbox, &server, &["--no-output"]).ok();
    let scene = Scene { server: &server, sandbox: &sandbox, environment: Vec::new() };
    let mut codes: Vec<String> = mishaps::all()
        .iter()
        .filter_map(|mishap| {
            let outcome = (mishap.happen)(&scene).finish();
            let line = outcome.stderr.lines().find_map(|line| line.strip_prefix("code: "))?;
            line.split_whitespace().next().map(str::to_owned)
        })
        .collect();
    codes.sort();
    codes.dedup();
    assert!(codes.len() >= 8, "too few to mean anything: {codes:?}");
    for code in codes {
        let explained = sandbox.run(&["explain", &code]).ok();
        assert!(explained.said().len() > 100, "{code}: {explained:#?}");
    }
}
