//! Where the real world may be touched.

use super::Tree;
use super::text::{code_only, lines_with_word, without_tests};

/// The files that may, and why; a file's own modules, in the folder of its name, may too.
/// Everything else is handed what it needs. A new line here is a decision: say why in it.
const IO_FILES: &[(&str, &str)] = &[
    ("crates/snowtoken/src/world.rs", "every ambient effect is gathered here"),
    ("crates/snowtoken/src/http.rs", "sends one request over one connection"),
    ("crates/snowtoken/src/loopback.rs", "waits for the redirect"),
    ("crates/snowtoken/src/browser.rs", "opens the browser"),
    ("crates/snowtoken/src/errand.rs", "runs the hooks that a person chose, and notifications"),
    ("crates/snowtoken/src/config/file.rs", "reads config.toml and replaces it whole"),
    ("crates/snowtoken/src/targets/folder.rs", "reads the targets that a person wrote down"),
    ("crates/snowtoken/src/handover/age.rs", "runs the person's age program, by pipes"),
    ("crates/snowtoken/src/handover/carrier.rs", "a sealed file, complete before it has its name"),
    ("crates/store/src/sqlite.rs", "the database file and its mode"),
    ("crates/store/src/keyring.rs", "asks the OS keyring"),
    ("crates/store/src/key/command.rs", "runs the command that a person chose to hand out the key"),
    ("crates/store/src/child.rs", "hears and ends the programs that a person named"),
    ("crates/store/src/lock.rs", "the lock that makes a refresh single"),
    ("crates/store/src/postgres.rs", "the shared store"),
    ("crates/store/src/secure.rs", "owner and mode of whatever holds a secret"),
    ("crates/store/src/atomic.rs", "a file appears whole and with its mode, or not at all"),
    ("crates/store/src/remove_file.rs", "removes a plain file whose secrets are in the store"),
    ("crates/store/src/write_file.rs", "replaces a file whole or not at all"),
    ("crates/broker/src/socket.rs", "the broker's socket and its mode"),
    ("crates/wizard/src/server.rs", "the wizard's listener"),
    ("crates/stand-in/src/server.rs", "the pretend instance's listener"),
    ("crates/stand-in/src/person.rs", "the robot that signs in, a program of its own in spirit"),
    ("crates/cli/src/commands/exec.rs", "runs the program that the person named"),
    ("crates/cli/src/main.rs", "hands the real world in, takes the exit code out"),
    ("crates/cli/src/output.rs", "stdout is data, stderr is for people"),
    ("crates/cli/src/logging.rs", "logs go to stderr"),
    ("crates/cli/src/files.rs", "files that a person named"),
    ("crates/cli/src/terminal.rs", "prompts, and a terminal that is left as it was"),
];

/// Modules that do I/O, and the names in them that are plain values.
const MODULES: [(&str, &[&str]); 5] = [
    ("std::fs", &[]),
    (
        "std::net",
        &["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "SocketAddrV4", "AddrParseError"],
    ),
    ("std::process", &["ExitCode"]),
    ("std::env", &["consts"]),
    ("tokio::net", &[]),
];

const STREAMS: [&str; 3] = ["stdin", "stdout", "stderr"];

/// I/O lives in the files named for it.
pub(crate) fn io_stays_in_its_files(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree.below("crates/", ".rs") {
        if !path.contains("/src/") || may_do_io(path) {
            continue;
        }
        let code = code_only(without_tests(text));
        found.extend(io_words(&code).into_iter().map(|word| format!("{path} uses `{word}`")));
    }
    found
}

fn may_do_io(path: &str) -> bool {
    IO_FILES.iter().any(|(name, _)| {
        let folder = name.trim_end_matches(".rs");
        path.strip_prefix(folder).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    })
}

/// The I/O that a piece of code names.
fn io_words(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (module, values) in MODULES {
        for (at, _) in code.match_indices(module) {
            let names = names_after(&code[at + module.len()..]);
            let plain = |name: &String| values.contains(&name.as_str());
            if names.is_empty() || !names.iter().all(plain) {
                found.push(module.to_owned());
            }
        }
    }
    // `use std::{fs, …}`: the first segment of each item.
    for (at, _) in code.match_indices("std::{") {
        let items = names_after(&code[at + "std".len()..]);
        let modules = MODULES.iter().filter_map(|(m, _)| m.strip_prefix("std::"));
        found.extend(modules.filter(|m| items.iter().any(|i| i == m)).map(|m| format!("std::{m}")));
    }
    let calls = STREAMS.iter().map(|s| format!("{s}()"));
    found.extend(calls.filter(|call| !lines_with_word(code, call).is_empty()));
    found.sort();
    found.dedup();
    found
}

/// The names imported after a path: `::A`, or the first segments in `::{A, B::C}`.
fn names_after(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(rest) = rest.strip_prefix("::") else {
        return Vec::new();
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let (mut depth, mut items, mut start) = (0_usize, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                items.push(name(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

/// `unsafe_code = "forbid"` says it to the compiler; this says it for files no target builds.
pub(crate) fn no_unsafe(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree.below("", ".rs") {
        let lines = lines_with_word(&code_only(text), "unsafe");
        found.extend(lines.iter().map(|line| format!("{path}:{line}")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str, text: &str) -> Vec<String> {
        io_stays_in_its_files(&Tree::of(&[(path, text)]))
    }

    #[test]
    fn io_outside_its_files_is_found() {
        for text in [
            "use std::fs;",
            "let t = std::fs::read(p);",
            "use std::{fmt, fs::File};",
            "use std::net::{IpAddr, TcpStream};",
            "std::process::exit(1);",
            "std::env::var(\"HOME\");",
            "use tokio::net::TcpListener;",
            "use std::io; io::stdout().flush();",
        ] {
            assert_eq!(at("crates/core/src/x.rs", text).len(), 1, "{text}");
            assert!(at("crates/snowtoken/src/world.rs", text).is_empty(), "{text}");
        }
    }

    #[test]
    fn plain_values_comments_and_unit_tests_are_free() {
        for text in [
            "use std::net::{IpAddr, SocketAddr};",
            "use std::process::ExitCode;",
            "// std::fs is for others",
            "use std::{fmt, sync::Arc};",
            "fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; }",
        ] {
            assert!(at("crates/core/src/x.rs", text).is_empty(), "{text}");
        }
        assert!(at("crates/core/tests/x.rs", "use std::fs;").is_empty());
    }

    #[test]
    fn unsafe_code_is_found_and_the_word_in_a_comment_is_not() {
        let tree =
            Tree::of(&[("a.rs", "// unsafe\nunsafe { x() }"), ("b.rs", "forbid(unsafe_code)")]);
        assert_eq!(no_unsafe(&tree), ["a.rs:2"]);
    }
}
