//! The file of facts: what one instance was seen to do, for people and for the stand-in.

use std::fmt::Write as _;

use super::{Finding, UNKNOWNS, Unknown};

/// The form of the file.
pub const VERSION: u32 = 1;

/// Writes the file (TOML). It names no instance, no client and no user, and holds no secret.
pub fn text(measured_on: &str, release: Option<&str>, findings: &[(Unknown, Finding)]) -> String {
    let mut text = format!(
        "# What one ServiceNow instance was seen to do, measured by `snowtoken doctor --probe`.\n\
         # It names no instance, no client and no user. `snowtoken stand-in --facts FILE` behaves like it.\n\
         version = {VERSION}\nmeasured_on = {}\n",
        quoted(measured_on)
    );
    if let Some(release) = release {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "release = {}", quoted(release));
    }
    for unknown in UNKNOWNS {
        let found = findings.iter().find(|(own, _)| own == unknown).map(|(_, finding)| finding);
        let _ = write!(
            text,
            "\n[[fact]]\nname = {}\nquestion = {}\n",
            quoted(unknown.name),
            quoted(unknown.question)
        );
        match found {
            Some(Finding::Measured(seen)) => {
                let _ = writeln!(text, "seen = {}", quoted(&seen.text));
                for (name, value) in &seen.knobs {
                    let _ = writeln!(text, "knobs.{} = {}", quoted(name), quoted(value));
                }
            }
            Some(Finding::NotMeasured(why)) => {
                let _ = writeln!(text, "not_measured = {}", quoted(why));
            }
            None => text.push_str("not_measured = \"nobody asked\"\n"),
        }
    }
    text
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{DENY, OAUTH_OFF, Seen};

    #[test]
    fn each_question_has_its_fact_or_the_reason_why_there_is_none() {
        let findings = [
            (DENY, Finding::Measured(Seen::knob("a \"page\"\n", "deny", "page"))),
            (OAUTH_OFF, Finding::NotMeasured("it would disturb others".into())),
        ];
        let text = text("2026-11-28", Some("Zurich"), &findings);
        assert_eq!(text.matches("[[fact]]").count(), UNKNOWNS.len());
        assert!(
            text.contains("seen = \"a \\\"page\\\"\\u000A\"\nknobs.\"deny\" = \"page\"\n"),
            "{text}"
        );
        assert!(text.contains("not_measured = \"it would disturb others\"\n"));
        assert_eq!(text.matches("nobody asked").count(), UNKNOWNS.len() - 2);
    }
}
