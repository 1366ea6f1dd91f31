//! For a terminal. Values and addresses stand alone on their lines and begin in the first column: a
//! blank that is copied with a redirect URI would make it another one.

use std::fmt::Write as _;

use super::super::words::safe;
use super::super::{Checklist, Span, Step, Words};
use super::{by_field, remark};

/// Narrower than this nothing is readable.
const NARROWEST: usize = 40;

/// Wider than this lines are hard to follow.
const WIDEST: usize = 100;

pub(in super::super) fn text(list: &Checklist, columns: usize) -> String {
    let columns = columns.clamp(NARROWEST, WIDEST);
    let mut out = String::new();
    let title = safe(&list.title);
    let _ = writeln!(out, "{title}\n{}", "=".repeat(title.chars().count().min(columns)));
    for words in &list.about {
        fill(&mut out, columns, "", "", words);
    }
    for (index, section) in list.sections.iter().enumerate() {
        let title = format!("{}. {}", index + 1, safe(&section.title));
        let _ = writeln!(out, "\n{title}\n{}", "-".repeat(title.chars().count().min(columns)));
        for words in &section.about {
            fill(&mut out, columns, "", "", words);
        }
        for (number, done) in section.steps.iter().enumerate() {
            step(&mut out, columns, &format!("{}.{}", index + 1, number + 1), done);
        }
        if !section.notes.is_empty() {
            out.push('\n');
        }
        for words in &section.notes {
            fill(&mut out, columns, "  - ", "    ", words);
        }
    }
    out
}

fn step(out: &mut String, columns: usize, number: &str, step: &Step) {
    let first = format!("[ ] {number:<4} ");
    let rest = " ".repeat(first.len());
    out.push('\n');
    fill(out, columns, &first, &rest, &step.words);
    for (field, values) in by_field(&step.values) {
        let _ = writeln!(out, "{rest}{}:", safe(field));
        for value in values {
            let _ = writeln!(out, "{}", safe(&value.text));
        }
    }
    for words in &step.traps {
        fill(out, columns, &format!("{rest}! "), &format!("{rest}  "), words);
    }
    for link in &step.links {
        let remark = remark(link).map(|remark| format!(" ({remark})")).unwrap_or_default();
        let label = Words::foreign(&format!("{}{remark}:", link.label));
        fill(out, columns, &format!("{rest}> "), &format!("{rest}  "), &label);
        let _ = writeln!(out, "{}", link.url);
    }
}

/// Writes words into lines of at most so many columns.
fn fill(out: &mut String, columns: usize, first: &str, rest: &str, words: &Words) {
    let mut text = String::new();
    for span in &words.0 {
        match span {
            Span::Plain(plain) => text.push_str(&safe(plain)),
            Span::Strong(label) => {
                let _ = write!(text, "\"{}\"", safe(label));
            }
            Span::Code(code) => {
                let _ = write!(text, "`{}`", safe(code));
            }
        }
    }
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let length = line.chars().count() + usize::from(!is_empty) + word.chars().count();
        if !is_empty && length > columns {
            let _ = writeln!(out, "{line}");
            rest.clone_into(&mut line);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    let _ = writeln!(out, "{line}");
}
