//! A target for people: what to do with it, in the order in which it is done.

use std::fmt::Write as _;

use snowtoken::core::printable::Printable;
use snowtoken::core::target::{Class, Target};
use snowtoken::targets::{self, Targets};

use crate::output;

/// The width of the labels.
const LABEL: usize = 24;

/// The most that stands in a line.
const WIDTH: usize = 100;

/// A line for each target, grouped by what the products take.
pub(super) fn list(known: &Targets) -> String {
    let mut text = String::new();
    for class in Class::all() {
        let mut targets = known.all().filter(|target| target.class == class).peekable();
        if targets.peek().is_none() {
            continue;
        }
        let _ = writeln!(text, "{}{}", if text.is_empty() { "" } else { "\n" }, heading(class));
        for target in targets {
            let own = if known.is_own(target) { " [your own file]" } else { "" };
            let _ = writeln!(text, "  {:<26} {}{own}", target.name, target.title);
        }
    }
    text
}

fn heading(class: Class) -> &'static str {
    match class {
        Class::Tokens => "Take tokens: `snowtoken login` gets them",
        Class::Client => "Take client ID and secret, and ask for consent themselves",
        Class::ClientCredentials => "Take client ID and secret of a client that acts for itself",
        Class::JwtBearer => "Take client ID and secret with a key for signed assertions",
        Class::Password => "Take client ID and secret with a user's name and password",
        Class::Basic => "Take a user's name and password, and no OAuth client",
    }
}

/// Everything that is known of a target.
pub(super) fn of(known: &Targets, target: &Target) -> String {
    let mut sheet = Sheet(String::new());
    sheet.line("Target", &target.name);
    if let Some(path) = known.origin(target) {
        let stands_in = targets::is_built_in(&target.name);
        let instead =
            if stands_in { ", in place of the one that comes with the program" } else { "" };
        let path = path.display().to_string();
        sheet.line("From your own file", &format!("{}{instead}", Printable(&path)));
    }
    sheet.line("Product", &target.title);
    sheet.line("Takes", target.class.takes());
    place(target, &mut sheet);
    client(target, &mut sheet);
    form(target, &mut sheet);
    sheet.list("Tables it reads", &target.tables, "not known");
    sheet.list("Roles its user needs", &target.roles, "none are named");
    sheet.items("Its user", &target.advice());
    sheet.items("Notes", &target.notes);
    sheet.line("How sure this is", target.confidence.in_words());
    sheet.items("Sources", &target.sources);
    sheet.line("What to do", what_to_do(target));
    sheet.0
}

/// Where the code is sent, and what to register for it.
fn place(target: &Target, sheet: &mut Sheet) {
    let usual = match (&target.redirect_uri, &target.redirect_uri_from) {
        (Some(uri), _) => uri.clone(),
        (None, Some(place)) => format!("read it in your product: {place}"),
        (None, None) => "none: leave it blank on the client".to_owned(),
    };
    sheet.line("Redirect URI", &usual);
    if let (Some(_), Some(place)) = (&target.redirect_uri, &target.redirect_uri_from) {
        sheet.line("  where it is shown", place);
    }
    if target.redirect_uri.as_deref().is_some_and(|uri| uri.starts_with("http://127.0.0.1"))
        && target.class == Class::Tokens
    {
        sheet.line(
            "  whose it is",
            "snowtoken's own, on your machine: the product never sees it. Another one will do: --redirect-uri URL",
        );
    }
    for also in &target.also_register {
        let region = also.region.as_deref().map(|r| format!("in {r} ")).unwrap_or_default();
        sheet.line("  register also", &format!("{region}{}: {}", also.redirect_uri, also.reason));
    }
    if !target.regions.list.is_empty() {
        sheet.list("Regions", &target.regions.list, "none");
    }
    for refused in &target.regions.refused {
        sheet.line("  refused", &format!("{}…: {}", refused.prefix, refused.reason));
    }
}

/// What to set on the client.
fn client(target: &Target, sheet: &mut Sheet) {
    if target.class == Class::Basic {
        return;
    }
    let or_none = |text: &str, none: &str| {
        if text.is_empty() { none.to_owned() } else { text.to_owned() }
    };
    let seconds = |lifespan: Option<i64>| {
        lifespan.map_or_else(|| "as set on the client".to_owned(), |s| format!("{s} s"))
    };
    sheet.line("Scopes", &or_none(&target.scope, "none: the client's own hold"));
    sheet.line("Access Token Lifespan", &seconds(target.access_token_lifespan));
    sheet.line("Refresh Token Lifespan", &seconds(target.refresh_token_lifespan));
}

/// The product's form: each label with what goes there and its limit.
fn form(target: &Target, sheet: &mut Sheet) {
    let width = target.fields.iter().map(|f| f.label.chars().count()).max().unwrap_or(0);
    for (number, field) in target.fields.iter().enumerate() {
        let limit = target.limits.of(&field.value);
        let limit = limit.map(|limit| format!(", at most {limit} characters")).unwrap_or_default();
        let label = if number == 0 { "Form fields" } else { "" };
        sheet.line(label, &format!("{:<width$}  {}{limit}", field.label, field.value.in_words()));
    }
    sheet.line("The instance is written", target.instance.in_words());
    if !target.domains.is_empty() {
        sheet.line("Instances it takes", &format!("those below {}", target.domains.join(", ")));
    }
    if target.limits.no_white_space {
        sheet.line("Blanks in values", "are refused");
    }
    sheet.list("Shapes of deliver", &target.formats, "none fit");
}

fn what_to_do(target: &Target) -> &'static str {
    match target.class {
        Class::Tokens => {
            "make the client on the instance, then `snowtoken login`: tokens are got, proved, kept and handed over"
        }
        Class::Basic => "make the user on the instance; type name and password into the product",
        Class::Password => {
            "make client and user on the instance, then `snowtoken profile add` keeps the client and \
             `snowtoken deliver` hands it over; name and password you type into the product yourself. Where the \
             product knows another way, take it: a password that is shown to a program can be kept by it (RFC 9700 §2.4)"
        }
        Class::Client | Class::ClientCredentials | Class::JwtBearer => {
            "make the client on the instance, then `snowtoken profile add` keeps it and `snowtoken deliver` hands it over"
        }
    }
}

/// Lines with labels before them.
struct Sheet(String);

impl Sheet {
    /// A label and a text, which goes on below itself.
    fn line(&mut self, label: &str, text: &str) {
        let mut label = label;
        for line in output::wrapped(text, WIDTH - LABEL) {
            let _ = writeln!(self.0, "{}", format!("{label:<LABEL$}{line}").trim_end());
            label = "";
        }
    }

    fn list(&mut self, label: &str, words: &[String], none: &str) {
        self.line(label, &if words.is_empty() { none.to_owned() } else { words.join(", ") });
    }

    fn items(&mut self, label: &str, texts: &[String]) {
        for (number, text) in texts.iter().enumerate() {
            self.line(if number == 0 { label } else { "" }, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_go_on_below_themselves_and_lose_nothing() {
        let known = Targets::built_in();
        for target in known.all() {
            let sheet = of(&known, target);
            let words: Vec<&str> = sheet.split_whitespace().collect();
            for text in target.notes.iter().chain(&target.sources).chain(&target.tables) {
                assert!(
                    text.split_whitespace().all(|word| words
                        .iter()
                        .any(|shown| shown.trim_end_matches(',') == word.trim_end_matches(','))),
                    "{}: {text}",
                    target.name
                );
            }
            for field in &target.fields {
                assert!(sheet.contains(&field.label), "{}: {}", target.name, field.label);
            }
        }
    }
}
