//! Traces of the machine a file was written on.

use super::Tree;

/// Texts that only one machine would say. They are put together here so that this file is clean.
const TRACES: [&str; 11] = [
    concat!("/wor", "k/"),
    concat!("/roo", "t/"),
    concat!(".cargo/regis", "try"),
    concat!("registry.npm", "js"),
    concat!("registry.yarn", "pkg"),
    concat!("py", "pi.org"),
    concat!("files.python", "hosted"),
    concat!("deb.deb", "ian.org"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("proxy.gol", "ang.org"),
];

/// No file names a folder of the machine it was written on, or the host it was fetched from.
pub(crate) fn no_machine_traces(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        for (index, line) in text.lines().enumerate() {
            let here = |what: &str| format!("{path}:{} has `{what}`", index + 1);
            found.extend(TRACES.iter().filter(|trace| line.contains(*trace)).map(|t| here(t)));
            if path.ends_with("package-lock.json") && line.contains("\"resolved\":") {
                found.push(here("resolved"));
            }
            // cargo's own name for its registry is no host that anybody fetched from.
            let source = line.strip_prefix("source = ");
            if path.ends_with("Cargo.lock") && source.is_some_and(|s| !s.starts_with(CRATES_IO)) {
                found.push(here("a source other than crates.io"));
            }
        }
    }
    found
}

const CRATES_IO: &str = "\"registry+https://github.com/rust-lang/crates.io-index\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trace_is_found() {
        for trace in TRACES {
            let text = format!("see https://{trace}x");
            assert_eq!(no_machine_traces(&Tree::of(&[("docs/a.md", &text)])).len(), 1, "{trace}");
        }
    }

    #[test]
    fn lock_files_name_no_host() {
        let node = ("x/package-lock.json", "\"resolved\": \"https://example.com/a.tgz\",");
        let git = ("Cargo.lock", "source = \"git+https://example.com/a\"");
        assert_eq!(no_machine_traces(&Tree::of(&[node, git])).len(), 2);
        let line = format!("source = {CRATES_IO}");
        assert!(no_machine_traces(&Tree::of(&[("Cargo.lock", &line)])).is_empty());
    }
}
