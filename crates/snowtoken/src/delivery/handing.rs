//! Runs the product's own program with the text on its standard input.

use std::time::Duration;

use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_core::printable::Printable;
use zeroize::Zeroizing;

use super::Run;
use crate::errand::{ErrandError, fed, find};

/// How long a vendor's client may take: some start slowly.
const PATIENCE: Duration = Duration::from_mins(2);

/// So many lines of what it says are shown, the last ones.
const LINES: usize = 12;

/// Why it was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The program is not there.
    #[error("`{program}` is not installed, or not in PATH")]
    Missing {
        /// Its name.
        program: &'static str,
        /// The whole command.
        line: String,
    },
    /// It failed.
    #[error("`{program}` failed: {why}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// How it ended.
        why: String,
        /// The whole command.
        line: String,
        /// What it said, without secrets, a line each.
        said: Vec<String>,
    },
}

impl Diagnose for PushError {
    fn code(&self) -> Code {
        Code::PushFailed
    }

    fn hints(&self) -> Vec<Hint> {
        let (Self::Missing { line, .. } | Self::Failed { line, .. }) = self;
        vec![Hint::note(format!("the command was `{line}`, with the text on its standard input"))]
    }
}

/// Runs it to its end. What it says besides failing is given back without secrets.
///
/// # Errors
/// If it is not there, fails, or takes too long.
pub fn hand_over(run: &Run, secrets: &[Zeroizing<String>]) -> Result<Vec<String>, PushError> {
    let (program, line) = (run.program, run.line());
    if find(program).is_none() {
        return Err(PushError::Missing { program, line });
    }
    let failed = |why: &ErrandError| PushError::Failed {
        program,
        why: why.to_string(),
        line: run.line(),
        said: Vec::new(),
    };
    let (arguments, input) = (run.arguments.as_slice(), run.input.as_str());
    let meal = fed::Meal { program, arguments, input, is_read_twice: run.is_read_twice };
    let heard = fed::feed(&meal, PATIENCE).map_err(|why| failed(&why))?;
    let said = Zeroizing::new(String::from_utf8_lossy(&heard.stderr).into_owned());
    if heard.status.success() {
        return Ok(shown(&said, secrets));
    }
    if let Some((word, otherwise)) = &run.otherwise
        && said.contains(word)
    {
        return hand_over(otherwise, secrets);
    }
    let why = ErrandError::Failed(heard.status).to_string();
    Err(PushError::Failed { program, why, line, said: shown(&said, secrets) })
}

/// The last lines of a foreign text, with every secret blotted out before anything is cut.
fn shown(said: &str, secrets: &[Zeroizing<String>]) -> Vec<String> {
    let mut text = Zeroizing::new(said.to_owned());
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = Zeroizing::new(text.replace(secret.as_str(), "…"));
    }
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.iter().map(|line| Printable(line).to_string()).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(line: &str, input: &str) -> Run {
        let arguments = vec!["-c".to_owned(), line.to_owned()];
        let input = Zeroizing::new(input.to_owned());
        Run { program: "sh", arguments, input, is_read_twice: false, otherwise: None }
    }

    fn secrets(list: &[&str]) -> Vec<Zeroizing<String>> {
        list.iter().map(|secret| Zeroizing::new((*secret).to_owned())).collect()
    }

    #[test]
    fn what_it_says_is_shown_without_secrets_and_on_lines() {
        let secrets = secrets(&["hunter2hunter2", "hunter2"]);
        let echo = run(
            "cat >&2; printf '\\nnot allowed\\033[31m\\n' >&2; exit 4",
            "a hunter2hunter2 b hunter2",
        );
        let PushError::Failed { why, said, .. } = hand_over(&echo, &secrets).unwrap_err() else {
            panic!("it was there")
        };
        assert_eq!(why, "it ended with exit status: 4");
        assert_eq!(said, ["a … b …", "not allowed\\u{1b}[31m"]);
    }

    #[test]
    fn another_run_is_tried_where_the_first_says_the_word() {
        let mut first = run("echo ResourceNotFoundException >&2; exit 1", "");
        first.otherwise = Some(("ResourceNotFoundException", Box::new(run("echo made >&2", ""))));
        assert_eq!(hand_over(&first, &[]).unwrap(), ["made"]);
        first.otherwise = Some(("Other", Box::new(run("exit 0", ""))));
        assert!(hand_over(&first, &[]).is_err());
    }

    #[test]
    fn a_program_that_is_not_there_is_named_with_the_whole_command() {
        let gone = Run { program: "snowtoken-no-such-program", ..run("a b", "") };
        let error = hand_over(&gone, &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`snowtoken-no-such-program` is not installed, or not in PATH"
        );
        assert!(error.hints()[0].to_string().contains("`snowtoken-no-such-program -c 'a b'`"));
    }
}
