//! `doctor`: checks one thing after the other, and names the one fix that comes first.
//!
//! A step that could not be taken is shown as unknown with the reason, never as passed.

mod probe;
mod restore;
mod store;

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use snowtoken::core::diagnosis::Code;

use crate::app::App;
use crate::args::DoctorArgs;
use crate::output;
use crate::report::Failure;

/// One thing that was looked at.
struct Step {
    name: &'static str,
    verdict: Verdict,
}

/// What was found.
enum Verdict {
    /// It is as it should be: what was seen.
    Pass(String),
    /// It is not: what, and the way out.
    Fail(Box<Failure>),
    /// It could not be looked at: why.
    Unknown(String),
}

impl Step {
    fn pass(name: &'static str, seen: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Pass(seen.into()) }
    }

    fn fail(name: &'static str, failure: impl Into<Failure>) -> Self {
        Self { name, verdict: Verdict::Fail(Box::new(failure.into())) }
    }

    fn unknown(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Unknown(why.into()) }
    }

    /// The verdict as a word, and what there is to say about it.
    fn told(&self) -> (&'static str, String) {
        match &self.verdict {
            Verdict::Pass(seen) => ("pass", seen.clone()),
            Verdict::Fail(failure) => ("fail", failure.to_string()),
            Verdict::Unknown(why) => ("unknown", why.clone()),
        }
    }

    fn code(&self) -> Option<Code> {
        match &self.verdict {
            Verdict::Fail(failure) => failure.code(),
            _ => None,
        }
    }

    fn as_json(&self) -> Value {
        let (verdict, detail) = self.told();
        json!({
            "step": self.name,
            "verdict": verdict,
            "detail": detail,
            "code": self.code().map(|code| code.to_string()),
        })
    }
}

pub(crate) fn run(app: &App, args: &DoctorArgs) -> Result<ExitCode, Failure> {
    if args.restore {
        return restore::run(app, args.yes);
    }
    if args.probe.probe {
        return probe::run(app, args.profile.as_deref(), &args.probe);
    }
    let steps = store::steps(app);
    if args.json {
        output::json(&as_json(&steps))?;
    } else {
        output::data(&as_text(&steps))?;
    }
    close(steps)
}

/// The first failure is the one to mend: what comes after it may follow from it.
fn close(steps: Vec<Step>) -> Result<ExitCode, Failure> {
    let failed = steps.into_iter().find_map(|step| match step.verdict {
        Verdict::Fail(failure) => Some(*failure),
        _ => None,
    });
    match failed {
        Some(failure) => Err(failure),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn as_json(steps: &[Step]) -> Value {
    let count = |word: &str| steps.iter().filter(|step| step.told().0 == word).count();
    let first = steps.iter().find(|step| step.code().is_some());
    json!({
        "version": 1,
        "passed": count("pass"),
        "failed": count("fail"),
        "unknown": count("unknown"),
        "first_fix": first.and_then(|step| match &step.verdict {
            Verdict::Fail(failure) => failure.first_hint(),
            _ => None,
        }),
        "steps": steps.iter().map(Step::as_json).collect::<Vec<_>>(),
    })
}

fn as_text(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        let (verdict, detail) = step.told();
        let verdict = if verdict == "fail" { "FAIL" } else { verdict };
        let _ = writeln!(text, "{verdict:<8} {:<15} {detail}", step.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Vec<Step> {
        vec![
            Step::pass("one", "fine"),
            Step::unknown("two", "nobody looked"),
            Step::fail("three", Failure::told(Code::StoreFull, "no room")),
            Step::fail("four", Failure::told(Code::StoreLocked, "in use")),
        ]
    }

    #[test]
    fn unknown_is_never_shown_as_passed() {
        let text = as_text(&steps());
        assert_eq!(
            text,
            "pass     one             fine\n\
             unknown  two             nobody looked\n\
             FAIL     three           no room\n\
             FAIL     four            in use\n"
        );
        let json = as_json(&steps());
        assert_eq!(
            (&json["passed"], &json["failed"], &json["unknown"]),
            (&json!(1), &json!(2), &json!(1))
        );
        assert_eq!(
            json["first_fix"],
            "free some space, then repeat; a quota and a limit on the size of files (`ulimit -f`) count as well"
        );
    }

    #[test]
    fn the_first_failure_decides() {
        let failure = close(steps()).unwrap_err();
        assert_eq!(failure.code(), Some(Code::StoreFull));
        assert!(close(vec![Step::unknown("x", "y")]).is_ok());
    }
}
