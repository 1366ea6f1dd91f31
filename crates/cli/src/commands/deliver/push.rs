//! The text goes to the product's own program, or a person is told how it would.

use std::fmt::Write as _;

use serde_json::json;
use snowtoken::core::diagnosis::Code;
use snowtoken::delivery::{Credentials, Format, Order, PushError, Run, hand_over};
use snowtoken::store::AuditEntry;
use snowtoken::{Diagnose as _, Session};

use super::destination::absolute;
use super::repeat;
use crate::args::DeliverArgs;
use crate::output;
use crate::report::Failure;

pub(super) fn run(
    session: &Session,
    args: &DeliverArgs,
    credentials: &Credentials<'_>,
    order: &Order,
) -> Result<(), Failure> {
    let output = args.output.as_deref().map(absolute).transpose()?;
    let output = output.map(|path| path.display().to_string());
    match (order.format, &output) {
        (Format::SystemdCredential, None) => {
            let text = "--push needs --output FILE here: the file of the encrypted credential";
            return Err(Failure::told(Code::Usage, text));
        }
        (Format::SystemdCredential, Some(_)) | (_, None) => {}
        _ => return Err(Failure::told(Code::Usage, "--push and --output exclude each other here")),
    }
    let runs = credentials.runs(order, output.as_deref())?;
    let Some(first) = runs.first() else {
        let text = format!("no program is known that takes {}", order.format.as_str());
        return Err(Failure::told(Code::Usage, text));
    };
    let (program, secrets) = (first.program, credentials.secrets());
    for (index, run) in runs.iter().enumerate() {
        match hand_over(run, &secrets) {
            Ok(said) => repeat(run.program, &said),
            Err(error) => return Err(failed(&error, index, runs.len())),
        }
    }
    note(session, order, program)?;
    let name = &session.profile().name;
    output::say(format!("{name}: {} was handed to {program}", order.format.as_str()));
    if args.json {
        output::json(&json!({
            "version": 1,
            "profile": name.as_str(),
            "format": order.format.as_str(),
            "variant": order.variant(),
            "program": program,
            "output": output,
        }))?;
    }
    Ok(())
}

pub(crate) fn failed(error: &PushError, done: usize, all: usize) -> Failure {
    let mut text = error.to_string();
    if let PushError::Failed { program, said, .. } = error {
        repeat(program, said);
    }
    if all > 1 {
        let _ = write!(text, "; {done} of {all} values were handed over");
    }
    let failure = Failure::told(error.code(), text);
    error.hints().into_iter().fold(failure, Failure::with_hint)
}

fn note(session: &Session, order: &Order, program: &str) -> Result<(), Failure> {
    let entry = AuditEntry {
        at: session.now(),
        profile: session.profile().name.clone(),
        event: "delivery".to_owned(),
        outcome: "done".to_owned(),
        detail: format!("{} handed to {program}", order.format.as_str()),
    };
    Ok(session.store().append_audit(&entry)?)
}

/// How the text gets to its taker, for whoever sees it or has it in a file.
pub(crate) fn explain(credentials: &Credentials<'_>, order: &Order, file: Option<&str>) {
    if file.is_none() && !output::is_seen() {
        return;
    }
    // What cannot be handed over was said before.
    let Ok(runs) = credentials.runs(order, None) else { return };
    let Some(Run { program, .. }) = runs.first() else { return };
    match (file, runs.as_slice()) {
        (Some(file), [run]) => output::say(format!("  hand it over: {}", run.line_with(file))),
        (Some(file), _) => output::say(format!("  hand it over: sh {file}")),
        (None, _) => output::say(format!("hint: `--push` hands it to {program} by standard input")),
    }
}
