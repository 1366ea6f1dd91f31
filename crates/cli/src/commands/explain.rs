//! `explain`: a code, or whatever text somebody has in front of them → cause, proof, fix, who.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use snowtoken::core::diagnosis::{Blame, CATALOGUE, Code, Entry};

use crate::args::ExplainArgs;
use crate::report::Failure;
use crate::{output, terminal};

/// More text than this is not read.
const LARGEST: u64 = 1024 * 1024;

pub(crate) fn run(args: &ExplainArgs) -> Result<ExitCode, Failure> {
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
    let found = find(&text);
    if found.is_empty() {
        return Err(Failure::told(
            Code::Usage,
            "nothing in this text is known; `snowtoken explain --list` shows all codes",
        ));
    }
    if args.json {
        let entries: Vec<Value> = found.iter().map(|entry| as_json(entry)).collect();
        output::json(&json!({"version": 1, "diagnoses": entries}))?;
    } else {
        let texts: Vec<String> = found.iter().map(|entry| as_text(entry)).collect();
        output::data(&texts.join("\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A code by name; otherwise whatever betrays itself in the text, best match first, at most three.
fn find(text: &str) -> Vec<&'static Entry> {
    let trimmed = text.trim();
    if let Some(code) = Code::find(trimmed) {
        return vec![code.entry()];
    }
    // Our own messages name their code.
    if let Some(code) = trimmed
        .lines()
        .find_map(|line| Code::find(line.trim().strip_prefix("code: ")?.split_whitespace().next()?))
    {
        return vec![code.entry()];
    }
    let lower = trimmed.to_lowercase();
    let mut found: Vec<(usize, &'static Entry)> = CATALOGUE
        .iter()
        .filter_map(|(_, entry)| {
            let longest = entry
                .signs
                .iter()
                .filter(|sign| lower.contains(**sign))
                .map(|sign| sign.len())
                .max()?;
            Some((longest, entry))
        })
        .collect();
    // ServiceNow's catch-all has two halves; each alone also means something else.
    if lower.contains("server_error") && lower.contains("access_denied") {
        return vec![Code::CatchAll.entry()];
    }
    found.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    found.into_iter().map(|(_, entry)| entry).take(3).collect()
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

fn as_json(entry: &Entry) -> Value {
    json!({
        "code": entry.code,
        "title": entry.title,
        "blame": blame(entry.blame),
        "exit_code": entry.outcome.exit_code(),
        "cause": entry.cause,
        "proof": entry.proof,
        "fixes": entry.hints().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "who": entry.who,
        "source": entry.source,
    })
}

fn as_text(entry: &Entry) -> String {
    let mut text = format!("{}: {}\n\n", entry.code, entry.title);
    let _ = writeln!(text, "Cause:     {}", entry.cause);
    let _ = writeln!(text, "How known: {}", entry.proof);
    for (index, hint) in entry.hints().iter().enumerate() {
        let label = if index == 0 { "Fix:" } else { "" };
        let _ = writeln!(text, "{label:<10} {hint}");
    }
    let _ = writeln!(text, "Who:       {}", entry.who);
    let _ = writeln!(text, "Exit code: {}", entry.outcome.exit_code());
    let _ = writeln!(text, "Source:    {}", entry.source);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        find(text).iter().map(|entry| entry.code).collect()
    }

    #[test]
    fn what_people_have_in_front_of_them_is_found() {
        for (text, code) in [
            ("code-refused", "code-refused"),
            ("error: x\ncode: token-refused (`snowtoken explain token-refused`)", "token-refused"),
            (
                r#"{"error_description":"access_denied","error":"server_error"}"#,
                "server-error-access-denied",
            ),
            (
                "Exception on token flow - invalid_scope: The provided OAuth token is not valid",
                "scope-refused",
            ),
            ("<html><title>Instance Hibernating page</title>", "instance-asleep"),
            ("Invalid redirect_uri", "redirect-uri-mismatch"),
            ("Redirect URL mismatch", "redirect-uri-mismatch"),
            ("Invalid client", "client-refused"),
            ("Invalid scope", "scope-refused"),
            ("Invalid grant", "token-refused"),
            ("Missing State parameter in request.", "state-required"),
            (r#"{"error":{"detail":"Access to unscoped api is not allowed"}}"#, "api-restricted"),
        ] {
            assert_eq!(codes(text).first(), Some(&code), "{text}");
        }
        assert!(codes("hello").is_empty());
    }
}
