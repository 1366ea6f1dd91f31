//! Lines of `label: value`, `NAME=value`, `name = 'value'`, and what may stand between them.

use zeroize::Zeroizing;

use super::found::{Found, Shape};
use super::{connection_string, curl};

/// Reads every line.
pub(super) fn read(text: &str, found: &mut Found) {
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(command) = curl::begins(rest) {
            found.shape = Shape::Curl;
            rest = curl::read(command, found);
            continue;
        }
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        read_line(line.strip_suffix('\r').unwrap_or(line), found);
        rest = after;
    }
}

fn read_line(line: &str, found: &mut Found) {
    let line = line.trim_start();
    // Comments, and the sections of settings files.
    if line.starts_with(['#', '[']) || line.starts_with("//") {
        return;
    }
    if connection_string::recognises(line) {
        found.shape = Shape::ConnectionString;
        connection_string::read(line, found);
        return;
    }
    // The shells' ways to set a variable: POSIX, command prompt, PowerShell.
    let ways = ["export ", "set ", "SET ", "$env:", "$Env:"];
    let line = ways.iter().find_map(|way| line.strip_prefix(way)).unwrap_or(line);
    // Whichever comes first: a URL holds a colon, a label may hold none.
    let Some((name, value)) = line.split_once(['=', ':']) else {
        return;
    };
    let is_label = line.as_bytes()[name.len()] == b':' && !name.starts_with(['"', '\'']);
    if is_label {
        found.take(name, value.strip_prefix(' ').unwrap_or(value));
    } else {
        found.take(name, &unquoted(value.trim()));
    }
}

/// The value of a line of code: without one layer of quotes, with the escapes that belong to double
/// quotes undone, and without what separates it from the next line.
fn unquoted(text: &str) -> Zeroizing<String> {
    let ended = text.trim_end_matches([',', ';']).trim_end();
    for text in [text, ended] {
        let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
        if let Some(inner) = inner('\'') {
            return Zeroizing::new(inner.replace("'\\''", "'"));
        }
        if let Some(inner) = inner('"') {
            return unescaped(inner);
        }
    }
    Zeroizing::new(ended.to_owned())
}

fn unescaped(inner: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(inner.len()));
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}
