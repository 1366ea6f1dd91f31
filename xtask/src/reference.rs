//! Writes `docs/reference`: what the program says about itself, as pages. Nothing there is typed.
//!
//! The built program is asked (`--help`, `explain --json`, `target list --json`, `stand-in
//! --knobs`), so this task needs none of the product's crates and builds while they do not. Only
//! the variables are read from their table in the source.

mod diagnoses;
mod targets;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::run::{cargo, output, program, root, say, succeed, target_dir};

const PLACE: &str = "docs/reference";
const VARIABLES: &str = "crates/snowtoken/src/variables.rs";
const NOTE: &str = "<!-- Written by `cargo xtask reference`; changes made here are lost. -->\n\n";

/// Pages by their path below [`PLACE`].
type Pages = BTreeMap<String, String>;

/// Each exit code and its meaning. That a diagnosis ends with no other is checked.
const EXIT_CODES: [(u64, &str); 8] = [
    (0, "done"),
    (1, "failed; the message says what is kept and what is lost"),
    (2, "wrong usage or configuration"),
    (
        3,
        "a deadline is near or past (`status --within`), or a delivered copy has drifted (`deliver --check`)",
    ),
    (4, "a person must log in"),
    (5, "try again later: network, 429, 5xx, a sleeping instance, a lock held too long"),
    (6, "the store is locked, unreadable or full, or its key is not there"),
    (70, "a bug in snowtoken"),
];

/// Writes the pages, and removes those that nothing stands for any more.
pub(crate) fn write() -> Result<(), String> {
    let pages = pages()?;
    for path in stale(&pages)? {
        fs::remove_file(root().join(PLACE).join(&path)).map_err(|e| format!("{path}: {e}"))?;
    }
    for (path, text) in &pages {
        let path = root().join(PLACE).join(path);
        let fail = |e: std::io::Error| format!("{}: {e}", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fail)?;
        }
        fs::write(&path, text).map_err(fail)?;
    }
    say(&format!("{} pages are in {PLACE}", pages.len()));
    Ok(())
}

/// Fails if a page is not what would be written now.
pub(crate) fn check() -> Result<(), String> {
    let pages = pages()?;
    let mut wrong: Vec<String> = stale(&pages)?;
    for (path, text) in &pages {
        let found = fs::read_to_string(root().join(PLACE).join(path)).unwrap_or_default();
        if found != *text {
            wrong.push(path.clone());
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("not current below {PLACE}: {}; run `cargo xtask reference`", wrong.join(", ")))
}

/// Pages that are there and should not be.
fn stale(pages: &Pages) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for folder in ["", "diagnoses/"] {
        let place = root().join(PLACE).join(folder);
        if !place.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&place).map_err(|e| format!("{}: {e}", place.display()))? {
            let entry = entry.map_err(|e| format!("{}: {e}", place.display()))?;
            let path = format!("{folder}{}", entry.file_name().to_string_lossy());
            if entry.path().is_file() && !pages.contains_key(&path) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn pages() -> Result<Pages, String> {
    succeed(&mut cargo(&["build", "--quiet", "--package", "snowtoken-cli"]))?;
    let ask = Program::found();
    let diagnoses = diagnoses(&ask)?;
    let mut pages = Pages::new();
    pages.insert("README.md".into(), front());
    pages.insert("commands.md".into(), commands(&ask)?);
    pages.insert("targets.md".into(), targets::page(&ask)?);
    pages.insert("target-file.schema.json".into(), ask.says(&["target", "schema"])?);
    pages.insert("stand-in-knobs.md".into(), knobs(&ask.says(&["stand-in", "--knobs"])?)?);
    let source = fs::read_to_string(root().join(VARIABLES)).map_err(|e| e.to_string())?;
    pages.insert("environment.md".into(), environment(&source)?);
    pages.insert("exit-codes.md".into(), exit_codes(&diagnoses)?);
    pages.insert("diagnoses/README.md".into(), diagnoses::index(&diagnoses));
    for diagnosis in &diagnoses {
        pages.insert(
            format!("diagnoses/{}.md", text(diagnosis, "code")),
            diagnoses::page(diagnosis),
        );
    }
    // One line break at the end, as editors leave it.
    for text in pages.values_mut() {
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    Ok(pages)
}

/// The built program, asked in an empty environment: nobody's terminal or settings show.
struct Program(std::path::PathBuf);

impl Program {
    fn found() -> Self {
        Self(target_dir().join("debug").join(format!("snowtoken{}", std::env::consts::EXE_SUFFIX)))
    }

    fn says(&self, arguments: &[&str]) -> Result<String, String> {
        output(program(&self.0).env_clear().env("COLUMNS", "100").args(arguments))
    }

    fn tells(&self, arguments: &[&str], member: &str) -> Result<Vec<Value>, String> {
        let told: Value =
            serde_json::from_str(&self.says(arguments)?).map_err(|e| e.to_string())?;
        told[member]
            .as_array()
            .cloned()
            .ok_or_else(|| format!("snowtoken {} has no `{member}`", arguments.join(" ")))
    }
}

fn front() -> String {
    format!(
        "{NOTE}# Reference\n\n\
         | Page | Tells |\n|---|---|\n\
         | [commands.md](commands.md) | every command with its flags |\n\
         | [exit-codes.md](exit-codes.md) | what the number at the end means |\n\
         | [diagnoses](diagnoses/README.md) | every failure: cause, proof, fix, who |\n\
         | [targets.md](targets.md) | the products that take the tokens, or a client |\n\
         | [target-file.schema.json](target-file.schema.json) | the form of a file of targets, for editors |\n\
         | [environment.md](environment.md) | every variable that is read |\n\
         | [stand-in-knobs.md](stand-in-knobs.md) | how the pretend instance can be changed |\n"
    )
}

fn commands(ask: &Program) -> Result<String, String> {
    let mut text = format!("{NOTE}# Commands\n\n");
    describe(ask, &[], &mut text)?;
    Ok(text)
}

/// The help of one command, then of its own commands.
fn describe(ask: &Program, path: &[&str], text: &mut String) -> Result<(), String> {
    let help = ask.says(&[path, &["--help"]].concat())?;
    let title = [&["snowtoken"], path].concat().join(" ");
    let _ = writeln!(text, "## `{title}`\n\n```text\n{}\n```\n", without_tails(&help));
    for name in below(&help) {
        describe(ask, &[path, &[name]].concat(), text)?;
    }
    Ok(())
}

/// The commands a help text lists, but not `help` itself.
fn below(help: &str) -> Vec<&str> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    list.take_while(|line| !line.is_empty())
        // A description that goes on in a second line is farther in.
        .filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')))
        .filter_map(|rest| rest.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

/// Without blanks at the ends of lines.
fn without_tails(text: &str) -> String {
    text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Lines in pairs: `name=default`, then what it is and the values in the last parentheses.
fn knobs(list: &str) -> Result<String, String> {
    let mut text = format!(
        "{NOTE}# Knobs of the stand-in\n\n\
         Turn one with `snowtoken stand-in --knob NAME=VALUE` or `snowtoken rehearse --knob NAME=VALUE`. \
         Where the behaviour comes from is told in [quirks.md](../quirks.md).\n\n\
         | Knob | Default | Values | What it is |\n|---|---|---|---|\n"
    );
    let lines: Vec<&str> = list.lines().filter(|line| !line.trim().is_empty()).collect();
    for pair in lines.chunks(2) {
        let parts = match pair {
            [head, tail] => head.split_once('=').zip(tail.trim().rsplit_once(" (")),
            _ => None,
        };
        let Some(((name, default), (doc, values))) = parts else {
            return Err(format!("`stand-in --knobs` has lines of another form: {pair:?}"));
        };
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        let values = cell(values.strip_suffix(')').unwrap_or(values));
        let _ = writeln!(text, "| `{name}` | {default} | {values} | {} |", cell(doc));
    }
    Ok(text)
}

/// Two lists: what is read, and what hooks are told.
fn environment(source: &str) -> Result<String, String> {
    let (read, told) = source
        .split_once("    HOOKS:\n")
        .ok_or_else(|| format!("{VARIABLES} has no list of what hooks are told"))?;
    let mut text = format!(
        "{NOTE}# Environment\n\nVariables that are not set, or set to nothing, count as absent. \
         A flag goes before a variable, a variable before the profile.\n\n"
    );
    text.push_str(&variables(read)?);
    text.push_str(
        "\n## What hooks are told\n\nA hook ([guide](../guides/keeping-alive.md#hooks)) finds these \
         besides `SNOWTOKEN_HOOK` (which one it is), `SNOWTOKEN_PROFILE`, `SNOWTOKEN_INSTANCE` (a URL) \
         and `SNOWTOKEN_TARGET`. None is a secret; what is not known is not set.\n\n",
    );
    text.push_str(&variables(told)?);
    Ok(text)
}

/// Rows of the form `NAME = "VARIABLE", "What it does.";`.
fn variables(source: &str) -> Result<String, String> {
    let mut text = "| Variable | What it does |\n|---|---|\n".to_owned();
    let mut seen = 0;
    for line in source.lines() {
        let row = line.trim().strip_suffix("\";").and_then(|row| row.split_once(" = \""));
        if let Some((name, does)) = row.and_then(|(_, row)| row.split_once("\", \"")) {
            let _ = writeln!(text, "| `{name}` | {} |", cell(does));
            seen += 1;
        }
    }
    if seen == 0 { Err(format!("no variables were found in {VARIABLES}")) } else { Ok(text) }
}

fn diagnoses(ask: &Program) -> Result<Vec<Value>, String> {
    let list = ask.says(&["explain", "--list"])?;
    let codes = list.lines().filter_map(|line| line.split_whitespace().next());
    let mut found = Vec::new();
    for code in codes {
        let mut told = ask.tells(&["explain", code, "--json"], "diagnoses")?;
        told.retain(|diagnosis| text(diagnosis, "code") == code);
        if told.is_empty() {
            return Err(format!("`snowtoken explain {code}` does not explain it"));
        }
        found.append(&mut told);
    }
    if found.is_empty() { Err("`snowtoken explain --list` is empty".into()) } else { Ok(found) }
}

fn exit_codes(diagnoses: &[Value]) -> Result<String, String> {
    let mut page = format!("{NOTE}# Exit codes\n\n| Code | Means | Diagnoses |\n|---|---|---|\n");
    for (number, meaning) in EXIT_CODES {
        let codes: Vec<String> = diagnoses
            .iter()
            .filter(|diagnosis| diagnosis["exit_code"].as_u64() == Some(number))
            .map(|diagnosis| text(diagnosis, "code"))
            .map(|code| format!("[{code}](diagnoses/{code}.md)"))
            .collect();
        let _ = writeln!(page, "| {number} | {meaning} | {} |", codes.join(", "));
    }
    let known = |number: Option<u64>| EXIT_CODES.iter().any(|(n, _)| Some(*n) == number);
    if let Some(odd) = diagnoses.iter().find(|d| !known(d["exit_code"].as_u64())) {
        return Err(format!("{} ends with an exit code nobody documented", text(odd, "code")));
    }
    page.push_str(
        "\n`exec` becomes the program it starts: from then on the exit code is the program's.\n",
    );
    Ok(page)
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

/// Text that stays in its cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + characters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_the_help_that_lists_them() {
        let help = "Does it\n\nCommands:\n  login  Get tokens\n         at once\n  help   Print this\n\nOptions:\n  -h\n";
        assert_eq!(below(help), ["login"]);
        assert!(below("Options:\n  -h\n").is_empty());
    }

    #[test]
    fn knobs_of_another_form_are_an_error() {
        let good = "deny=page\n    What Deny leads to. (a | b)\ntoken.marker=\n    How (it) begins. (<text>)\n";
        let page = knobs(good).unwrap();
        assert!(page.contains("| `deny` | `page` | a \\| b | What Deny leads to. |"), "{page}");
        assert!(page.contains("| `token.marker` |  | &lt;text> | How (it) begins. |"), "{page}");
        assert!(knobs("deny=page\n").is_err());
    }

    #[test]
    fn variables_are_read_from_their_table() {
        let read = "    A = \"SNOWTOKEN_A\", \"Does `a`, \\ or b.\";\n";
        let told = "    HOOKS:\n    B = \"SNOWTOKEN_B\", \"Tells b.\";\n";
        let page = environment(&format!("{read}{told}")).unwrap();
        assert!(page.contains("| `SNOWTOKEN_A` | Does `a`, \\ or b. |"), "{page}");
        let (_, told_part) = page.split_once("## What hooks are told").unwrap();
        assert!(told_part.contains("| `SNOWTOKEN_B` | Tells b. |"), "{page}");
        assert!(environment(read).is_err() && environment(told).is_err());
    }

    #[test]
    fn an_exit_code_nobody_documented_is_an_error() {
        let diagnosis = |number: u64| serde_json::json!({"code": "odd", "exit_code": number});
        assert!(exit_codes(&[diagnosis(9)]).is_err());
        let page = exit_codes(&[diagnosis(70)]).unwrap();
        assert!(page.contains("| 70 | a bug in snowtoken | [odd](diagnoses/odd.md) |"), "{page}");
    }
}
