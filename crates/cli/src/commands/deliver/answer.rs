//! Answers to programs that ask each time: a living token, refreshed if it has to be.

use std::process::ExitCode;

use snowtoken::Session;
use snowtoken::delivery::{Credentials, Format, GitQuestion, Order, git_answer};
use snowtoken::store::Record;

use crate::report::Failure;
use crate::{output, terminal};

/// Longer questions are none, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Git's helper. It says nothing where it knows nothing, so that git asks the next one.
pub(super) fn git(session: &Session, operation: Option<&str>) -> Result<ExitCode, Failure> {
    // What was taken or refused is told to helpers that keep it; the store here knows better.
    if operation.is_some_and(|operation| operation != "get") {
        return Ok(ExitCode::SUCCESS);
    }
    let text = terminal::piped_text(LONGEST).map_err(Failure::Output)?;
    let question = GitQuestion::parse(&text);
    if !question.is_about(session.profile().instance.url()) {
        return Ok(ExitCode::SUCCESS);
    }
    let record = living(session)?;
    let text = git_answer(&credentials(session, &record), record.user.as_ref(), &question)?;
    output::data(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// One object with the token and its end.
pub(super) fn token_json(session: &Session) -> Result<ExitCode, Failure> {
    let record = living(session)?;
    output::data(&credentials(session, &record).render(&Order::of(Format::TokenJson))?)?;
    Ok(ExitCode::SUCCESS)
}

fn living(session: &Session) -> Result<Record, Failure> {
    session.living_access_token()?;
    let record = session.record()?;
    session.check_usable(&record)?;
    Ok(record)
}

fn credentials<'a>(session: &'a Session, record: &'a Record) -> Credentials<'a> {
    Credentials {
        profile: session.profile(),
        client_secret: None,
        tokens: Some(&record.tokens),
        fresh_code: None,
        created: session.now(),
    }
}
