//! Every saved input of the fuzzer, through the very function that the fuzzer runs.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::path::Path;

#[path = "../../../fuzz/src/explained.rs"]
mod explained;
#[path = "../../../fuzz/src/instance.rs"]
mod instance;
#[path = "../../../fuzz/src/redirect.rs"]
mod redirect;
#[path = "../../../fuzz/src/token_answer.rs"]
mod token_answer;

/// The saved inputs of a target, by name.
#[expect(clippy::disallowed_methods, reason = "a test reads its own inputs")]
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let entries = std::fs::read_dir(folder).expect("a folder of saved inputs");
    let seeds: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("a plain name");
            (name, std::fs::read(entry.path()).expect("a saved input"))
        })
        .collect();
    assert!(seeds.len() >= 20, "{target} has {} saved inputs", seeds.len());
    seeds
}

#[test]
fn redirect() {
    for (name, data) in seeds("redirect") {
        redirect::check(&data);
        let text = String::from_utf8(data).expect("saved inputs are text");
        let uri = if name.contains("loopback") {
            "http://127.0.0.1:8400/callback"
        } else {
            "https://us-west-2.console.aws.amazon.com/appflow/oauth"
        };
        let (pasted, _) = redirect::check_text(&text, uri);
        assert_eq!(pasted, name.starts_with("accepted-"), "{name}");
    }
}

#[test]
fn instance() {
    for (name, data) in seeds("instance") {
        instance::check(&data);
        let text = String::from_utf8(data).expect("saved inputs are text");
        assert_eq!(instance::check_text(&text), name.starts_with("accepted-"), "{name}");
    }
}

#[test]
fn token_answer() {
    for (name, data) in seeds("token_answer") {
        let outcome = token_answer::check(&data);
        let expected = name.split('-').next().expect("a first word");
        assert_eq!(outcome, Some(expected), "{name}");
    }
}

/// Their names begin with the code that comes first, or with `nothing`.
#[test]
fn explained() {
    for (name, data) in seeds("explained") {
        let (expected, _) = name.split_once('.').expect("a code and a number");
        assert_eq!(explained::check(&data).unwrap_or("nothing"), expected, "{name}");
    }
}
