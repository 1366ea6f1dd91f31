//! Runs the product's own program with the text on its standard input.

use std::collections::HashSet;
use std::time::Duration;

use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_core::printable::Printable;
use zeroize::Zeroizing;

use super::Run;
use super::text::Text;
use crate::errand::{ErrandError, fed, find};

/// How long a vendor's client may take: some start slowly.
const PATIENCE: Duration = Duration::from_mins(2);

/// So many lines of what it says are shown, the last ones.
const LINES: usize = 12;

/// What repeats so many bytes of what a program was given is not shown.
const RUN: usize = 24;

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
        /// What it said, a line each; nothing if a secret was in it.
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

/// Runs it to its end. What it says besides failing is given back, unless a secret is in it.
///
/// # Errors
/// If it is not there, fails, or takes too long.
pub fn hand_over(run: &Run, secrets: &[Zeroizing<String>]) -> Result<Vec<String>, PushError> {
    let (program, line) = (run.program, run.line());
    let Some(place) = find(program) else {
        return Err(PushError::Missing { program, line });
    };
    let failed = |why: &ErrandError| PushError::Failed {
        program,
        why: why.to_string(),
        line: run.line(),
        said: Vec::new(),
    };
    let (arguments, input) = (run.arguments.as_slice(), run.input.as_str());
    let meal = fed::Meal { program: &place, arguments, input, is_read_twice: run.is_read_twice };
    let heard = fed::feed(&meal, PATIENCE).map_err(|why| failed(&why))?;
    let said = Zeroizing::new(String::from_utf8_lossy(&heard.stderr).into_owned());
    if heard.status.success() {
        return Ok(shown(&said, input, secrets).unwrap_or_default());
    }
    if let Some((word, otherwise)) = &run.otherwise
        && said.contains(word)
    {
        return hand_over(otherwise, secrets);
    }
    let mut why = ErrandError::Failed(heard.status).to_string();
    let said = shown(&said, input, secrets).unwrap_or_else(|| {
        why.push_str("; what it said repeats what it was given, and is not shown");
        Vec::new()
    });
    Err(PushError::Failed { program, why, line, said })
}

/// The last lines of a foreign text; nothing at all of one that repeats what the program was given:
/// there are more ways to write a secret than can be blotted out.
fn shown(said: &str, input: &str, secrets: &[Zeroizing<String>]) -> Option<Vec<String>> {
    if repeats(said, input, secrets) {
        return None;
    }
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    Some(last.iter().map(|line| Printable(line).to_string()).collect())
}

/// Whether a secret is in it, or a run of what the program was given, as it is or in base64.
fn repeats(said: &str, input: &str, secrets: &[Zeroizing<String>]) -> bool {
    let bare_said = bare(said);
    let has = |secret: &Zeroizing<String>| {
        let bare = bare(secret);
        said.contains(secret.as_str()) || !bare.is_empty() && bare_said.contains(bare.as_str())
    };
    if secrets.iter().filter(|secret| !secret.is_empty()).any(has) {
        return true;
    }
    let runs: HashSet<&[u8]> = bare_said.as_bytes().windows(RUN).collect();
    let mut codes = [Text::new(), Text::new()];
    codes[0].base64(input);
    codes[1].base64_url(input);
    let codes = codes.into_iter().map(Text::finish);
    codes
        .chain([bare(input)])
        .any(|given| given.as_bytes().windows(RUN).any(|run| runs.contains(run)))
}

/// Without white space, and without the backslashes that come with each round of escaping.
fn bare(text: &str) -> Zeroizing<String> {
    let mut bare = Text::new();
    for character in text.chars().filter(|c| !c.is_whitespace() && *c != '\\') {
        bare.push_char(character);
    }
    bare.finish()
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
    fn what_it_says_is_shown_on_lines() {
        let run = run("printf 'a\\n\\nnot allowed\\033[31m\\n' >&2; exit 4", "hunter2");
        let PushError::Failed { why, said, .. } =
            hand_over(&run, &secrets(&["hunter2"])).unwrap_err()
        else {
            panic!("it was there")
        };
        assert_eq!(why, "it ended with exit status: 4");
        assert_eq!(said, ["a", "not allowed\\u{1b}[31m"]);
    }

    #[test]
    fn nothing_is_shown_of_what_repeats_what_it_was_given() {
        let input =
            r#"{"name": "x", "text": "{\"secret\": \"h'un\\\"ter2\"}", "more": "abcdefghijkl"}"#;
        let secrets = secrets(&["h'un\"ter2"]);
        for echo in [
            "cat >&2",
            "sed 's/[\\\\\"]/\\\\&/g' >&2",
            "sed 's/[\\\\\"]/\\\\&/g' | sed 's/[\\\\\"]/\\\\&/g' >&2",
            "base64 >&2",
            "base64 -w 20 >&2",
            "base64 -w 0 | tr '+/' '-_' >&2",
            "head -c 40 >&2",
            "printf 'no: h'\"'\"'un\"ter2' >&2",
        ] {
            let run = run(&format!("{echo}; echo not allowed >&2; exit 4"), input);
            let PushError::Failed { why, said, .. } = hand_over(&run, &secrets).unwrap_err() else {
                panic!("it was there")
            };
            let expected = "it ended with exit status: 4; what it said repeats what it was given, and is not shown";
            assert_eq!((why.as_str(), said), (expected, Vec::<String>::new()), "{echo}");
        }
        let heard = hand_over(&run("base64 >&2", input), &secrets).unwrap();
        assert_eq!(heard, Vec::<String>::new());
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
