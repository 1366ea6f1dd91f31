//! One page that needs nothing else: no script, no font, no request. One click on a value selects it
//! whole. The boxes can be ticked, and are forgotten with the page.

use std::fmt::Write as _;

use super::super::words::safe;
use super::super::{Checklist, Section, Span, Step, Words};
use super::{by_field, remark};

const STYLE: &str = include_str!("checklist.css");

pub(in super::super) fn html(list: &Checklist) -> String {
    let title = escaped(&list.title);
    let short = escaped(&short(&list.title));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{short}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    for words in &list.about {
        let _ = writeln!(out, "<p class=\"about\">{}</p>", inline(words));
    }
    for (index, part) in list.sections.iter().enumerate() {
        section(&mut out, index + 1, part);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// What a browser's tab and list of bookmarks have room for.
fn short(title: &str) -> String {
    let title = title.split(" (").next().unwrap_or(title);
    title.chars().take(60).collect()
}

fn section(out: &mut String, number: usize, section: &Section) {
    let _ = writeln!(out, "<section>\n<h2>{number}. {}</h2>", escaped(&section.title));
    for words in &section.about {
        let _ = writeln!(out, "<p>{}</p>", inline(words));
    }
    if !section.steps.is_empty() {
        out.push_str("<ol>\n");
        for (index, done) in section.steps.iter().enumerate() {
            step(out, &format!("{number}.{}", index + 1), done);
        }
        out.push_str("</ol>\n");
    }
    if !section.notes.is_empty() {
        out.push_str("<ul class=\"notes\">\n");
        for words in &section.notes {
            let _ = writeln!(out, "<li>{}</li>", inline(words));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
}

fn step(out: &mut String, number: &str, step: &Step) {
    let _ = writeln!(
        out,
        "<li>\n<label><input type=\"checkbox\"> <b class=\"number\">{number}</b> {}</label>",
        inline(&step.words)
    );
    for (field, values) in by_field(&step.values) {
        let _ = writeln!(out, "<p class=\"field\">{}</p>", escaped(field));
        for value in values {
            let _ = writeln!(out, "<pre class=\"value\">{}</pre>", escaped(&value.text));
        }
    }
    for words in &step.traps {
        let _ = writeln!(out, "<p class=\"trap\">{}</p>", inline(words));
    }
    for link in &step.links {
        let remark = remark(link).map(|remark| format!(" <i>({remark})</i>")).unwrap_or_default();
        let _ = writeln!(
            out,
            "<p class=\"link\"><a href=\"{}\">{}</a>{remark}</p>",
            escaped(link.url.as_str()),
            escaped(&link.label)
        );
    }
    out.push_str("</li>\n");
}

fn inline(words: &Words) -> String {
    let mut out = String::new();
    for span in &words.0 {
        let _ = match span {
            Span::Plain(text) => write!(out, "{}", escaped(text)),
            Span::Strong(text) => write!(out, "<strong>{}</strong>", escaped(text)),
            Span::Code(text) => write!(out, "<code>{}</code>", escaped(text)),
        };
    }
    out
}

/// Text and attribute values alike.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in safe(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
