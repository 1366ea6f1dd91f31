//! For a wiki or a ticket (`CommonMark`, with the task lists that most know). Values are fenced: most
//! viewers put a button for copying beside them.

use std::fmt::Write as _;

use super::super::words::safe;
use super::super::{Checklist, Span, Step, Words};
use super::{by_field, remark};

pub(in super::super) fn markdown(list: &Checklist) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# {}", escaped(&list.title));
    for words in &list.about {
        let _ = writeln!(out, "\n{}", inline(words));
    }
    for (index, section) in list.sections.iter().enumerate() {
        let _ = writeln!(out, "\n## {}. {}", index + 1, escaped(&section.title));
        for words in &section.about {
            let _ = writeln!(out, "\n{}", inline(words));
        }
        for (number, done) in section.steps.iter().enumerate() {
            step(&mut out, &format!("{}.{}", index + 1, number + 1), done);
        }
        if !section.notes.is_empty() {
            out.push('\n');
        }
        for words in &section.notes {
            let _ = writeln!(out, "- {}", inline(words));
        }
    }
    out
}

fn step(out: &mut String, number: &str, step: &Step) {
    let _ = writeln!(out, "\n- [ ] **{number}** {}", inline(&step.words));
    for (field, values) in by_field(&step.values) {
        let _ = writeln!(out, "\n  {}:", escaped(field));
        for value in values {
            let value = safe(&value.text);
            let fence = fence(&value, 3);
            let _ = writeln!(out, "\n  {fence}text\n  {value}\n  {fence}");
        }
    }
    if !step.traps.is_empty() || !step.links.is_empty() {
        out.push('\n');
    }
    for words in &step.traps {
        let _ = writeln!(out, "  - **Mind:** {}", inline(words));
    }
    for link in &step.links {
        let remark = remark(link).map(|remark| format!(" ({remark})")).unwrap_or_default();
        let _ = writeln!(out, "  - {}{remark}: <{}>", escaped(&link.label), link.url);
    }
}

fn inline(words: &Words) -> String {
    let mut out = String::new();
    for span in &words.0 {
        match span {
            Span::Plain(text) => out.push_str(&escaped(text)),
            Span::Strong(text) => {
                let _ = write!(out, "**{}**", escaped(text));
            }
            Span::Code(text) => {
                let text = safe(text);
                let fence = fence(&text, 1);
                // A blank each side where the text itself begins or ends with a backtick.
                let blank = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
                let _ = write!(out, "{fence}{blank}{text}{blank}{fence}");
            }
        }
    }
    out
}

/// More backticks than the text has in a row.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

/// Plain text that stays plain.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in safe(text).chars() {
        if "\\`*_[]<>#|~&!{}".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
