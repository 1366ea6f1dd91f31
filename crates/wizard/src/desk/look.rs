//! A look at the road, as `doctor` takes it, for the pages.

use snowtoken::core::diagnosis::{Diagnose as _, Hint};
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::secret::Secret;
use snowtoken::core::servicenow::road::{Finding as Found, Subject, Verdict};
use snowtoken::core::servicenow::{ApiVerdict, Instance};
use snowtoken::login::read;
use snowtoken::road::Walk;
use snowtoken::{Error, Session};

use super::Tools;
use super::job::Look;
use crate::pages::Finding;
use crate::texts::EN;

/// The road to an instance of which nothing else is known.
pub(super) fn instance(tools: &Tools, instance: &Instance) -> Look {
    let findings = Walk::to(&tools.world, Subject::instance(instance.clone())).go();
    // What needs a client or tokens is not looked at yet: it says nothing here.
    look(findings, |found| !matches!(found.verdict, Verdict::Unknown(..)))
}

/// The road to a profile's tokens.
pub(super) fn profile(tools: &Tools, name: &ProfileName) -> Look {
    let session: Session = match tools.session(name) {
        Ok(session) => session,
        Err(error) => return trouble(&error),
    };
    let targets = tools.targets();
    let target = targets.find(&session.profile().target);
    look(Walk::of(&tools.world, &session, target).go(), |_| true)
}

/// Whether a table can be read, in words.
pub(super) fn table(tools: &Tools, profile: &Profile, table: &str, token: &Secret) -> String {
    match read(&tools.world, profile, table, token) {
        Ok(ApiVerdict::Records(0)) => EN.readable_empty.to_owned(),
        Ok(ApiVerdict::Records(_)) => EN.readable.to_owned(),
        Ok(_) => EN.readable_absent.to_owned(),
        Err(error) => error.to_string(),
    }
}

fn trouble(error: &Error) -> Look {
    Look {
        findings: Vec::new(),
        fix: error.hints().into_iter().next(),
        code: Some(error.code().entry().code),
        is_clear: false,
    }
}

fn look(findings: Result<Vec<Found>, Error>, shows: impl Fn(&Found) -> bool) -> Look {
    let findings = match findings {
        Ok(findings) => findings,
        Err(error) => return trouble(&error),
    };
    let first = findings.iter().find_map(|found| match &found.verdict {
        Verdict::Fail(fault) => Some(fault),
        _ => None,
    });
    let fix = first.map(|fault| {
        fault.hints().into_iter().next().unwrap_or_else(|| Hint::note(fault.to_string()))
    });
    let code = first.map(|fault| fault.code().entry().code);
    let is_clear = first.is_none();
    let findings = findings.iter().filter(|found| shows(found)).map(finding).collect();
    Look { findings, fix, code, is_clear }
}

fn finding(found: &Found) -> Finding {
    let (kind, text) = match &found.verdict {
        Verdict::Pass(text) => ("pass", text.clone()),
        Verdict::Warn(text) => ("warn", text.clone()),
        Verdict::Fail(fault) => ("fail", fault.to_string()),
        Verdict::Unknown(_, text) => ("unknown", text.clone()),
    };
    Finding { kind, name: found.step.as_str().to_owned(), text }
}
