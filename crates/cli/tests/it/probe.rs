//! `doctor --probe`: a person is led through a measurement, and the facts make a stand-in like it.

use std::fs;

use crate::support::instance::{Consent, Instance, PROFILE, log_in_with, words};
use crate::support::process::{Outcome, PATIENCE};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// Where a visit's prompt begins, and a question's.
const VISIT: &str = "The address it ended at";
const QUESTION: &str = "Number (Enter alone";

/// Measures, and answers as a person would who sees what this stand-in shows.
fn measure(sandbox: &Sandbox, instance: &StandIn, more: &[&str]) -> Outcome {
    let arguments =
        [words(&["doctor", PROFILE, "--probe", "--no-browser", "--end-tokens"]), words(more)]
            .concat();
    let mut running = sandbox.start(&arguments);
    // Bounded: there are at most six visits and a handful of questions.
    for answered in 0..16 {
        let seen = running.stderr.wait(PATIENCE, |text: &str| {
            let prompts: Vec<usize> = text
                .match_indices(VISIT)
                .chain(text.match_indices(QUESTION))
                .map(|(at, _)| at)
                .collect();
            let done = text.contains("questions were measured");
            (prompts.len() > answered || done).then(|| (text.to_owned(), done))
        });
        let Some((text, false)) = seen else { break };
        let last_visit = text.rfind(VISIT).unwrap_or(0);
        if text.rfind(QUESTION).is_some_and(|at| at > last_visit) {
            running.write("1\n");
            continue;
        }
        let asked = &text[..last_visit];
        let url = asked.lines().rev().find(|line| line.starts_with("http")).unwrap();
        let denies =
            asked.rfind("press Deny").unwrap_or(0) > asked.rfind("press Allow").unwrap_or(0);
        let consent = if denies { Consent::Deny } else { Consent::Allow };
        running.write(format!("{}\n", instance.consent(url, consent)));
    }
    running.finish()
}

#[test]
fn a_measurement_ends_in_facts_and_the_facts_in_a_stand_in() {
    let knobs = ["refresh.token=rotate", "pkce.failure=rfc", "deny=redirect-bare"];
    let (instance, sandbox) = (StandIn::with(&knobs), Sandbox::new());
    log_in_with(&sandbox, &instance, &["--no-output"]).ok();
    let facts = sandbox.path("files/facts.toml");
    let file = facts.to_str().unwrap();
    let outcome = measure(&sandbox, &instance, &["--facts", file, "--release", "Zurich"]).ok();
    assert!(outcome.stdout.is_empty(), "{}", outcome.stdout);
    let text = fs::read_to_string(&facts).unwrap();
    for line in [
        "release = \"Zurich\"",
        "knobs.\"refresh.token\" = \"rotate\"",
        "knobs.\"pkce.failure\" = \"rfc\"",
        "knobs.\"deny\" = \"redirect-bare\"",
        "knobs.\"consent.button\" = \"Allow\"",
    ] {
        assert!(text.contains(line), "no {line} in {text}");
    }
    for secret in [instance.client_id(), instance.client_secret(), instance.origin()] {
        assert!(!text.contains(&secret), "{text}");
    }
    // A rehearsal behaves by the facts: its refresh brings a new refresh token.
    let told = sandbox.run(&["rehearse", "--yes", "--facts", file]).ok().stderr;
    assert!(told.contains("same access token again, new refresh token"), "{told}");
}

#[test]
fn tokens_that_somebody_may_use_are_not_ended_by_a_measurement() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in_with(&sandbox, &instance, &["--no-output"]).ok();
    let before = instance.received().len();
    let (outcome, code) = sandbox.run(&["doctor", PROFILE, "--probe"]).failed_with(&[2]);
    assert_eq!((code.as_deref(), instance.received().len()), (Some("usage"), before));
    assert!(outcome.stderr.contains("would end by a measurement"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--end-tokens"), "{}", outcome.stderr);
}

#[test]
fn facts_that_are_none_start_no_stand_in() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("facts.toml", "version = 1\n[[fact]]\nname = \"moon\"\n");
    let outcome = sandbox.run(&["stand-in", "--facts", file.to_str().unwrap()]).ended_with(&[2]);
    assert!(outcome.stderr.contains("it holds an unknown fact \"moon\""), "{}", outcome.stderr);
}
