//! `doctor`: checks one thing after the other, and names the one fix that comes first.
//!
//! A step that could not be taken is shown as unknown with the reason, never as passed. What is on this
//! machine is looked at here; the road to the instance is walked and judged by the library, and only
//! told here.

mod bundle;
mod probe;
mod restore;
mod road;
mod show;
mod store;

use std::process::ExitCode;

use snowtoken::core::diagnosis::Code;

use self::road::Meant;
use crate::app::App;
use crate::args::DoctorArgs;
use crate::output;
use crate::report::{Failure, one_line};

/// One thing that was looked at.
struct Step {
    name: &'static str,
    verdict: Verdict,
    /// Why it is unknown, as a word, where there is one.
    why: Option<&'static str>,
}

/// What was found.
enum Verdict {
    /// It is as it should be: what was seen.
    Pass(String),
    /// It works, and there is something to know about it.
    Warn(String),
    /// It is not: what, and the way out.
    Fail(Box<Failure>),
    /// It could not be looked at: why.
    Unknown(String),
}

impl Step {
    fn pass(name: &'static str, seen: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Pass(seen.into()), why: None }
    }

    fn warn(name: &'static str, seen: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warn(seen.into()), why: None }
    }

    fn fail(name: &'static str, failure: impl Into<Failure>) -> Self {
        Self { name, verdict: Verdict::Fail(Box::new(failure.into())), why: None }
    }

    fn unknown(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Unknown(why.into()), why: None }
    }

    /// The verdict as a word: one of three, whatever is to be known beside it.
    fn word(&self) -> &'static str {
        match &self.verdict {
            Verdict::Pass(_) | Verdict::Warn(_) => "pass",
            Verdict::Fail(_) => "fail",
            Verdict::Unknown(_) => "unknown",
        }
    }

    /// What there is to say about it.
    fn detail(&self) -> String {
        match &self.verdict {
            Verdict::Pass(text) | Verdict::Warn(text) | Verdict::Unknown(text) => one_line(text),
            Verdict::Fail(failure) => one_line(&failure.to_string()),
        }
    }

    fn warns(&self) -> bool {
        matches!(self.verdict, Verdict::Warn(_))
    }

    fn failure(&self) -> Option<&Failure> {
        match &self.verdict {
            Verdict::Fail(failure) => Some(failure),
            _ => None,
        }
    }

    fn code(&self) -> Option<Code> {
        self.failure()?.code()
    }
}

pub(crate) fn run(app: &App, args: &DoctorArgs) -> Result<ExitCode, Failure> {
    if args.restore {
        return restore::run(app, args.yes);
    }
    if args.probe.probe {
        return probe::run(app, args.profile.as_deref(), &args.probe);
    }
    let meant = Meant::of(app, args)?;
    let (mut steps, store) = store::steps(app);
    let stored = bundle::stored(store.as_ref().filter(|_| args.bundle.is_some()));
    steps.extend(road::steps(app, args, &meant, store)?);
    if let Some(file) = &args.bundle {
        return bundle::run(app, args, file, &steps, &meant, &stored);
    }
    if args.json {
        output::json(&show::json(&steps, &meant))?;
    } else {
        output::data(&show::text(&steps, output::screen()))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_decides() {
        let steps = vec![
            Step::pass("one", "fine"),
            Step::unknown("two", "nobody looked"),
            Step::fail("three", Failure::told(Code::StoreFull, "no room")),
            Step::fail("four", Failure::told(Code::StoreLocked, "in use")),
        ];
        let failure = close(steps).unwrap_err();
        assert_eq!(failure.code(), Some(Code::StoreFull));
        assert!(close(vec![Step::unknown("x", "y"), Step::warn("z", "w")]).is_ok());
    }
}
