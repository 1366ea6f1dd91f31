//! How the steps look: a line each and what to do first, or JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};
use snowtoken::core::servicenow::Instance;

use super::road::Meant;
use super::{Step, Verdict};
use crate::output::{Paint, Screen};
use crate::report::Failure;

/// The failure that comes first.
fn first(steps: &[Step]) -> Option<(&Step, &Failure)> {
    steps.iter().find_map(|step| Some((step, step.failure()?)))
}

/// Who can mend it.
fn who(failure: &Failure) -> Option<&'static str> {
    failure.code().map(|code| code.entry().who)
}

pub(super) fn json(steps: &[Step], meant: &Meant) -> Value {
    let count = |word: &str| steps.iter().filter(|step| step.word() == word).count();
    let first = first(steps);
    json!({
        "version": 1,
        "profile": meant.profile().map(|profile| profile.name.as_str()),
        "instance": meant.instance().map(Instance::url),
        "passed": count("pass"),
        "failed": count("fail"),
        "unknown": count("unknown"),
        "warnings": steps.iter().filter(|step| step.warns()).count(),
        "first_failure": first.map(|(step, _)| step.name),
        "first_fix": first.and_then(|(_, failure)| failure.first_hint()),
        "who": first.and_then(|(_, failure)| who(failure)),
        "steps": steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Value {
    json!({
        "step": step.name,
        "verdict": step.word(),
        "warning": step.warns(),
        "why": step.why,
        "detail": step.detail(),
        "code": step.code().map(|code| code.to_string()),
        "fix": step.failure().and_then(Failure::first_hint),
        "who": step.failure().and_then(who),
    })
}

pub(super) fn text(steps: &[Step], screen: Screen) -> String {
    let mut text = String::new();
    for step in steps {
        let (word, paint) = match &step.verdict {
            Verdict::Pass(_) => ("pass", Paint::Plain),
            Verdict::Warn(_) => ("pass", Paint::Yellow),
            Verdict::Fail(_) => ("FAIL", Paint::Red),
            Verdict::Unknown(_) => ("unknown", Paint::Yellow),
        };
        let paint = if screen.colours { paint } else { Paint::Plain };
        let (begin, end) = (paint.begin(), paint.end());
        let warning = if step.warns() { "warning: " } else { "" };
        let (name, detail) = (step.name, step.detail());
        let _ = writeln!(text, "{begin}{word:<8}{end} {name:<15} {warning}{detail}");
    }
    text.push_str(&closing(steps));
    text
}

fn closing(steps: &[Step]) -> String {
    let Some((_, failure)) = first(steps) else {
        let unknown = steps.iter().filter(|step| step.word() == "unknown").count();
        return match unknown {
            0 => "\nnothing to mend was found\n".to_owned(),
            1 => "\nnothing to mend was found; 1 step is unknown\n".to_owned(),
            many => format!("\nnothing to mend was found; {many} steps are unknown\n"),
        };
    };
    let fix = failure.first_hint().unwrap_or_else(|| "repeat, and report it".to_owned());
    let who = who(failure).unwrap_or("you");
    format!("\nfirst fix: {fix}\nwho: {who}\n")
}

#[cfg(test)]
mod tests {
    use snowtoken::core::diagnosis::Code;

    use super::*;

    fn steps() -> Vec<Step> {
        vec![
            Step::pass("one", "fine"),
            Step::warn("clock", "a bit late"),
            Step::unknown("two", "nobody\u{1b}[31m looked"),
            Step::fail("three", Failure::told(Code::StoreFull, "no room")),
            Step::fail("four", Failure::told(Code::StoreLocked, "in use")),
        ]
    }

    #[test]
    fn unknown_is_never_shown_as_passed_and_the_first_fix_closes() {
        assert_eq!(
            text(&steps(), Screen::default()),
            "pass     one             fine\n\
             pass     clock           warning: a bit late\n\
             unknown  two             nobody\\u{1b}[31m looked\n\
             FAIL     three           no room\n\
             FAIL     four            in use\n\
             \n\
             first fix: free some space, then repeat; a quota and a limit on the size of files (`ulimit -f`) count as well\n\
             who: you\n"
        );
        let json = json(&steps(), &Meant::Nobody(String::new()));
        assert_eq!(
            (&json["passed"], &json["failed"], &json["unknown"], &json["warnings"]),
            (&json!(2), &json!(2), &json!(1), &json!(1))
        );
        assert_eq!((&json["first_failure"], &json["who"]), (&json!("three"), &json!("you")));
        assert!(json["first_fix"].as_str().unwrap().starts_with("free some space"));
    }

    #[test]
    fn colours_are_for_terminals_only() {
        let colourful = text(&steps(), Screen { columns: None, colours: true });
        assert!(colourful.contains("\u{1b}[31mFAIL    \u{1b}[0m three"), "{colourful}");
        assert!(!text(&steps()[..2], Screen::default()).contains('\u{1b}'));
    }

    #[test]
    fn without_a_failure_what_is_not_known_is_counted() {
        let steps = steps();
        assert!(text(&steps[..2], Screen::default()).ends_with("\n\nnothing to mend was found\n"));
        assert!(text(&steps[..3], Screen::default()).ends_with("; 1 step is unknown\n"));
    }
}
