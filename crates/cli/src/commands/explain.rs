//! `explain`: a code, or whatever text somebody has in front of them → cause, proof, fix, who. Nothing
//! of the text is ever printed: it may hold secrets.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use snowtoken::core::diagnosis::{
    Blame, CATALOGUE, Certainty, Code, Entry, Moment, Recognition, Rehearsal, recognise,
};

use crate::args::ExplainArgs;
use crate::report::Failure;
use crate::{output, terminal};

/// How wide labels are.
const LABEL: usize = 11;

/// More text than this is not read.
const LARGEST: u64 = 1024 * 1024;

pub(crate) fn run(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    if args.list && args.json {
        let all: Vec<Value> = CATALOGUE.iter().map(|(_, entry)| entry_json(entry)).collect();
        output::json(&json!({ "version": 1, "diagnoses": all }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.list {
        let mut text = String::new();
        for (_, entry) in CATALOGUE {
            let _ = writeln!(text, "{:<28} {}", entry.code, entry.title);
        }
        output::data(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = if args.text.is_empty() {
        if terminal::can_ask() {
            output::say("Paste the error, then end with Ctrl-D:");
        }
        terminal::piped_text(LARGEST).map_err(|error| {
            Failure::told(Code::Usage, format!("standard input cannot be read: {error}"))
        })?
    } else {
        args.text.join(" ")
    };
    let found = recognise(&text);
    if found.codes.is_empty() {
        return Err(Failure::told(
            Code::Usage,
            "nothing in this text is known; `snowtoken explain --list` shows all codes",
        ));
    }
    if args.json {
        output::json(&as_json(&found))?;
    } else {
        output::data(&as_text(&found, output::screen().columns))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn blame(blame: Blame) -> &'static str {
    match blame {
        Blame::You => "you",
        Blame::Instance => "instance",
        Blame::Network => "network",
        Blame::Machine => "machine",
        Blame::Us => "snowtoken",
    }
}

fn as_json(found: &Recognition) -> Value {
    let diagnoses: Vec<Value> = found.codes.iter().map(|code| entry_json(code.entry())).collect();
    json!({
        "version": 1,
        "certainty": found.certainty.as_str(),
        "moment": found.moment.map(Moment::as_str),
        "diagnoses": diagnoses,
    })
}

fn entry_json(entry: &Entry) -> Value {
    let (test, reason) = match entry.rehearsal {
        Rehearsal::Test(name) => (Some(name), None),
        Rehearsal::Never(reason) => (None, Some(reason)),
        _ => (None, None),
    };
    json!({
        "code": entry.code,
        "title": entry.title,
        "blame": blame(entry.blame),
        "exit_code": entry.outcome.exit_code(),
        "seen": entry.seen(),
        "cause": entry.cause,
        "proof": entry.proof,
        "fixes": entry.hints().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "who": entry.who,
        "rehearsal": {
            "command": entry.rehearsal.command(),
            "test": test,
            "reason": reason,
        },
        "source": entry.source,
    })
}

/// What is found, said with as much certainty as there is. Sentences are wrapped at `columns`; what
/// somebody copies stays in one piece.
fn as_text(found: &Recognition, columns: Option<usize>) -> String {
    let mut text = String::new();
    let several = found.codes.len() > 1;
    match found.certainty {
        Certainty::Guess if several => text.push_str(
            "This is a guess: the text has words that several failures have. The likeliest comes first.\n\n",
        ),
        Certainty::Guess => {
            text.push_str("This is a guess: the text has words that other failures have as well.\n\n");
        }
        Certainty::Recognised if several => {
            text.push_str("The text speaks of more than one thing. The most telling comes first.\n\n");
        }
        Certainty::Named | Certainty::Recognised => {}
    }
    if found.codes.contains(&Code::CatchAll)
        && let Some(moment) = found.moment
    {
        say(&mut text, "", moment_text(moment), columns);
        text.push('\n');
    }
    let entries: Vec<String> =
        found.codes.iter().map(|code| entry_text(code.entry(), columns)).collect();
    text.push_str(&entries.join("\n"));
    text
}

/// ServiceNow's one answer means another thing at each moment: what to check, in this order.
fn moment_text(moment: Moment) -> &'static str {
    match moment {
        Moment::Exchange => {
            "A code was being exchanged. Check in this order: the code's age (60 s) and that it was used once; \
             the redirect URI, character by character; the client secret; the scopes on the client; the user."
        }
        Moment::Refresh => {
            "A token was being refreshed. Check in this order: the refresh token's end; whether it was revoked; \
             whether the client secret was changed; whether the user is locked; whether the client is active."
        }
        Moment::ClientCredentials => {
            "A client was asking for itself. Check in this order: the property that switches this grant on; the \
             OAuth Application User; the client secret; the scopes on the client."
        }
    }
}

/// A text behind its label, below which it goes on.
fn say(text: &mut String, label: &str, said: &str, columns: Option<usize>) {
    let indent = if label.is_empty() { 0 } else { LABEL };
    let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(indent));
    let mut label = label;
    for line in output::wrapped(said, room) {
        let _ = writeln!(text, "{label:<indent$}{line}");
        label = "";
    }
}

fn entry_text(entry: &Entry, columns: Option<usize>) -> String {
    let mut text = format!("{}: {}\n\n", entry.code, entry.title);
    say(&mut text, "Seen:", &entry.seen(), columns);
    say(&mut text, "Cause:", entry.cause, columns);
    say(&mut text, "How known:", entry.proof, columns);
    for (index, hint) in entry.hints().iter().enumerate() {
        let label = if index == 0 { "Fix:" } else { "" };
        let _ = writeln!(text, "{label:<10} {hint}");
    }
    say(&mut text, "Who:", entry.who, columns);
    match (entry.rehearsal, entry.rehearsal.command()) {
        (_, Some(command)) => drop(writeln!(text, "See it:    {command}")),
        (Rehearsal::Never(reason), _) => drop(writeln!(text, "See it:    not here: {reason}")),
        _ => {}
    }
    let _ = writeln!(text, "Exit code: {}", entry.outcome.exit_code());
    let _ = writeln!(text, "Source:    {}", entry.source);
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use clap::error::ErrorKind;
    use snowtoken::core::diagnosis::Hint;

    use super::*;
    use crate::args::Cli;

    fn text(of: &str) -> String {
        as_text(&recognise(of), None)
    }

    #[test]
    fn a_narrow_terminal_loses_no_word_and_cuts_no_command() {
        for (_, entry) in CATALOGUE {
            let (wide, narrow) = (entry_text(entry, None), entry_text(entry, Some(60)));
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(&wide), words(&narrow));
            for hint in entry.hints() {
                assert!(narrow.contains(&hint.to_string()), "{}: {hint}", entry.code);
            }
            let sentences = narrow.lines().filter(|line| line.starts_with("Cause:"));
            assert!(sentences.into_iter().all(|line| line.chars().count() <= 60), "{narrow}");
        }
    }

    /// Whatever the catalogue tells people to type is a command line of this program.
    #[test]
    fn every_command_that_is_advised_can_be_typed() {
        let mut wrong = Vec::new();
        for (_, entry) in CATALOGUE {
            let advised = entry.hints().into_iter().filter_map(|hint| match hint {
                Hint::Run { command, .. } => Some(command),
                _ => None,
            });
            for command in advised.chain(entry.rehearsal.command()) {
                match Cli::try_parse_from(command.split(' ')) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::DisplayHelp => {}
                    Err(error) => wrong.push(format!("{}: {command}: {error}", entry.code)),
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_guess_is_called_one_and_a_code_is_not() {
        assert!(text("a timeout").starts_with("This is a guess"));
        assert!(text("timed-out").starts_with("timed-out: "));
    }

    #[test]
    fn the_one_answer_comes_with_the_checklist_of_its_moment() {
        let answer = r#"{"error_description":"access_denied","error":"server_error"}"#;
        assert!(!text(answer).contains("Check in this order"));
        let refresh = text(&format!("grant_type=refresh_token {answer}"));
        assert!(refresh.contains("Check in this order: the refresh token's end"), "{refresh}");
        let exchange = text(&format!("grant_type=authorization_code {answer}"));
        assert!(exchange.contains("Check in this order: the code's age"), "{exchange}");
    }
}
