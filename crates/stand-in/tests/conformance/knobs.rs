//! No knob without a test that turns it.

use snowtoken_stand_in::{Behaviour, Values};

const SOURCES: [&str; 13] = [
    include_str!("api.rs"),
    include_str!("faults.rs"),
    include_str!("pages.rs"),
    include_str!("quirks/authorization.rs"),
    include_str!("quirks/lifetimes.rs"),
    include_str!("quirks/token_answer.rs"),
    include_str!("quirks/token_request.rs"),
    include_str!("records.rs"),
    include_str!("registry.rs"),
    include_str!("rfc6749.rs"),
    include_str!("rfc7009.rs"),
    include_str!("rfc7523.rs"),
    include_str!("rfc7636.rs"),
];

#[test]
fn every_value_of_every_knob_is_turned_by_a_test() {
    let tests: Vec<&str> =
        SOURCES.iter().flat_map(|source| source.split("#[test]").skip(1)).collect();
    let mut missing = Vec::new();
    for knob in Behaviour::knobs() {
        let quoted = |text: &str| format!("\"{text}\"");
        let turning: Vec<&&str> =
            tests.iter().filter(|test| test.contains(&quoted(knob.name))).collect();
        match knob.values {
            Values::OneOf(words) => {
                for word in words.iter().filter(|word| **word != knob.default) {
                    if !turning.iter().any(|test| test.contains(&quoted(word))) {
                        missing.push(format!("{}={word}", knob.name));
                    }
                }
            }
            _ if turning.is_empty() => missing.push(knob.name.to_owned()),
            _ => {}
        }
    }
    assert!(missing.is_empty(), "no test turns: {missing:#?}");
}
