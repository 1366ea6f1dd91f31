//! What every manifest and lint file must have.

use super::Tree;

/// Clippy takes the nearest `clippy.toml` and merges nothing, so the core's must say all that the
/// root's says, and more.
pub(crate) fn core_repeats_root_lints(tree: &Tree) -> Vec<String> {
    let (Some(root), Some(core)) = (tree.get("clippy.toml"), tree.get("crates/core/clippy.toml"))
    else {
        return vec!["clippy.toml or crates/core/clippy.toml is not there".to_owned()];
    };
    let core = entries(core);
    let missing = entries(root).into_iter().filter(|entry| !core.contains(entry));
    missing.map(|(key, value)| format!("crates/core/clippy.toml lacks `{key} = {value}`")).collect()
}

/// The entries of a flat TOML file as pairs of key and value; each element of a list by itself.
fn entries(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(key) = &open {
            if line == "]" {
                open = None;
            } else {
                found.push((key.clone(), line.trim_end_matches(',').to_owned()));
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let (key, value) = (key.trim().to_owned(), value.trim());
            if value == "[" {
                open = Some(key);
            } else if let Some(list) = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
                let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
                found.extend(items.map(|item| (key.clone(), item.to_owned())));
            } else {
                found.push((key, value.to_owned()));
            }
        }
    }
    found
}

/// A crate without `[lints] workspace = true` escapes `forbid(unsafe_code)` and all the rest.
pub(crate) fn lints_are_inherited(tree: &Tree) -> Vec<String> {
    let manifests = tree.files().filter(|(path, text)| {
        path.ends_with("/Cargo.toml") && text.contains("[package]") && !path.starts_with("fuzz/")
    });
    manifests
        .filter(|(_, text)| !text.contains("[lints]\nworkspace = true"))
        .map(|(path, _)| format!("{path} does not have `[lints] workspace = true`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(root: &str, core: &str) -> Vec<String> {
        let files = [("clippy.toml", root), ("crates/core/clippy.toml", core)];
        core_repeats_root_lints(&Tree::of(&files))
    }

    #[test]
    fn a_lint_entry_that_is_not_repeated_is_found() {
        assert!(pair("a = 1\nwords = [\"X\"]", "a = 1\nb = 2\nwords = [\"Y\", \"X\"]").is_empty());
        assert_eq!(pair("a = 1", "a = 2").len(), 1);
        assert_eq!(pair("words = [\"X\", \"Z\"]", "words = [\"X\"]").len(), 1);
        let long = "disallowed = [\n  { path = \"a\" },\n  { path = \"b\" },\n]\n";
        assert_eq!(pair(long, "disallowed = [\n  { path = \"b\" },\n]\n").len(), 1);
        assert!(pair(long, long).is_empty());
        assert_eq!(core_repeats_root_lints(&Tree::of(&[("clippy.toml", "")])).len(), 1);
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let good = ("crates/a/Cargo.toml", "[package]\n[lints]\nworkspace = true\n");
        let bad = ("crates/b/Cargo.toml", "[package]\n");
        assert_eq!(lints_are_inherited(&Tree::of(&[good, bad])).len(), 1);
    }
}
