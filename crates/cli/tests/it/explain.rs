//! `explain` from outside: whatever is pasted, it answers in a moment, offline, and repeats nothing of
//! it. Which text means what is told beside the core (`crates/core/tests/recognition.rs`).

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::process::Outcome;
use crate::support::sandbox::Sandbox;

fn explained(text: &str) -> Value {
    Sandbox::new().run_fed(&["explain", "--json"], text).ok().json()
}

fn first(answer: &Value) -> &str {
    answer["diagnoses"][0]["code"].as_str().unwrap_or_default()
}

#[test]
fn a_code_json_a_page_and_a_log_line_are_explained_from_standard_input() {
    for (text, code, certainty) in [
        ("token-refused\n", "token-refused", "named"),
        (
            "{\"error_description\":\"access_denied\",\"error\":\"server_error\"}\n",
            "server-error-access-denied",
            "recognised",
        ),
        ("<html><title>Instance Hibernating page</title></html>", "instance-asleep", "recognised"),
        (
            "Exception on token flow - invalid_scope: The provided OAuth token is not valid",
            "scope-refused",
            "recognised",
        ),
        ("some timeout or other", "timed-out", "guess"),
    ] {
        let answer = explained(text);
        assert_eq!((first(&answer), &answer["certainty"]), (code, &certainty.into()), "{text}");
        assert_eq!(answer["version"], 1);
    }
}

#[test]
fn the_same_text_is_told_for_people_and_guesses_are_called_so() {
    let sandbox = Sandbox::new();
    let told = sandbox.run(&["explain", "Invalid", "redirect_uri"]).ok().stdout;
    for part in [
        "redirect-uri-mismatch: ",
        "Seen: ",
        "Cause: ",
        "How known: ",
        "Fix: ",
        "Who: ",
        "See it: ",
    ] {
        assert!(told.contains(part), "no {part} in {told}");
    }
    assert!(!told.contains("guess"), "{told}");
    let guess = sandbox.run(&["explain", "timeout"]).ok().stdout;
    assert!(guess.starts_with("This is a guess"), "{guess}");
    let refresh = "curl -d grant_type=refresh_token: {\"error_description\":\"access_denied\",\"error\":\"server_error\"}";
    let told = sandbox.run(&["explain", refresh]).ok().stdout;
    assert!(told.contains("Check in this order: the refresh token's end"), "{told}");
}

/// A person pastes what is on the screen, secrets and all.
#[test]
fn nothing_of_what_was_pasted_is_repeated() {
    let secret = "canary-4711-zYxWvU";
    let texts = [
        format!(
            "POST /oauth_token.do grant_type=refresh_token&client_secret={secret} -> invalid_grant"
        ),
        format!("{{\"error\":\"invalid_client\",\"error_description\":\"{secret}\"}}"),
        format!("https://x/appflow/oauth?error=access_denied&code={secret}"),
        format!("<html><title>{secret}</title>Invalid redirect_uri {secret}</html>"),
        format!("{secret} nothing that is known"),
        format!("code: {secret}"),
    ];
    for text in &texts {
        for arguments in [&["explain"][..], &["explain", "--json"]] {
            let outcome: Outcome = Sandbox::new().run_fed(arguments, text);
            assert!(!outcome.said().contains("canary"), "{text}: {outcome:#?}");
        }
    }
}

#[test]
fn what_is_huge_or_no_text_is_answered_in_a_moment() {
    let mut noise = vec![0u8; 8 * 1024 * 1024];
    for (index, byte) in noise.iter_mut().enumerate() {
        *byte = u8::try_from(index * 7919 % 251).unwrap();
    }
    let deep = "[{\"error\":".repeat(500_000).into_bytes();
    let tags = "<html><".repeat(500_000).into_bytes();
    for input in [noise, deep, tags, vec![0xff; 4096], Vec::new()] {
        let began = Instant::now();
        let sandbox = Sandbox::new();
        let file = sandbox.file("input", &input);
        let mut command = sandbox.program("sh");
        let script =
            format!("exec '{}' explain <'{}'", crate::support::sandbox::BINARY, file.display());
        let outcome = command.args(["-c", &script]).output().unwrap();
        let code = outcome.status.code();
        assert!(matches!(code, Some(0 | 2)), "{code:?}");
        assert!(outcome.stdout.len() + outcome.stderr.len() < 32 * 1024);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
}

#[test]
fn each_code_explains_itself_and_tells_how_to_see_it_or_why_not() {
    let sandbox = Sandbox::new();
    let list = sandbox.run(&["explain", "--list"]).ok().stdout;
    let json = sandbox.run(&["explain", "--list", "--json"]).ok().json();
    let codes = json["diagnoses"].as_array().unwrap().iter().map(|entry| &entry["code"]);
    let lines = list.lines().filter_map(|line| line.split_whitespace().next());
    assert!(json["version"] == 1 && codes.eq(lines), "{json}");
    let codes: Vec<&str> = list.lines().filter_map(|l| l.split_whitespace().next()).collect();
    assert!(codes.len() >= 140, "{}", codes.len());
    for code in codes {
        let answer = sandbox.run(&["explain", code, "--json"]).ok().json();
        assert_eq!((first(&answer), &answer["certainty"]), (code, &"named".into()));
        let told = &answer["diagnoses"][0];
        for member in ["title", "cause", "proof", "who", "source"] {
            assert!(told[member].as_str().is_some_and(|text| !text.is_empty()), "{code}: {member}");
        }
        assert!(!told["fixes"].as_array().unwrap().is_empty(), "{code}");
    }
}
