//! A file that no `mod` names is never compiled, and a test in it never runs.

use super::Tree;
use super::text::code_only;

/// Every Rust file is a target of its own or named by its parent.
pub(crate) fn every_file_is_a_module(tree: &Tree) -> Vec<String> {
    let files = tree.below("", ".rs").filter(|(path, _)| !is_target(path));
    let forgotten = files.filter(|(path, _)| !is_named(tree, path));
    forgotten.map(|(path, _)| format!("{path} is in no `mod`")).collect()
}

/// Files that cargo finds by itself.
fn is_target(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let own_folder = ["tests", "examples", "benches", "bin", "fuzz_targets"];
    name == "main.rs"
        || name == "lib.rs"
        || name == "build.rs"
        || own_folder.contains(&folder.rsplit('/').next().unwrap_or(folder))
}

fn is_named(tree: &Tree, path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else {
        return false;
    };
    // `a/mod.rs` is the module `a` of the folder above.
    let (folder, name) = match name {
        "mod.rs" => folder.rsplit_once('/').unwrap_or(("", folder)),
        name => (folder, name.trim_end_matches(".rs")),
    };
    let parents = [
        format!("{folder}/main.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/mod.rs"),
        format!("{folder}.rs"),
    ];
    let declaration = format!("mod {name};");
    // `#[cfg_attr(…, path = "a/other.rs")] mod a;` names its file in a string.
    let by_path = format!("/{name}.rs\")]");
    let mut texts = parents.iter().filter_map(|parent| tree.get(parent));
    texts.any(|text| {
        let names = |line: &str| line.trim_end().ends_with(&declaration);
        code_only(text).lines().any(names)
            || text.lines().any(|line| line.contains("path = ") && line.contains(&by_path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgotten_test_file_is_found() {
        let tree = Tree::of(&[
            ("crates/cli/tests/it/main.rs", "mod login;\nmod support;\n// mod lost;\n"),
            ("crates/cli/tests/it/login.rs", ""),
            ("crates/cli/tests/it/lost.rs", ""),
            ("crates/cli/tests/it/support/mod.rs", "pub(crate) mod pty;"),
            ("crates/cli/tests/it/support/pty.rs", ""),
            ("crates/store/tests/contract.rs", ""),
            ("crates/core/src/lib.rs", "pub mod oauth;"),
            ("crates/core/src/oauth.rs", "mod token;"),
            ("crates/core/src/oauth/token.rs", ""),
            ("crates/store/src/key.rs", "#[cfg_attr(x, path = \"key/none.rs\")]\nmod some;"),
            ("crates/store/src/key/none.rs", ""),
            ("crates/store/src/lib.rs", "mod key;"),
        ]);
        assert_eq!(every_file_is_a_module(&tree), ["crates/cli/tests/it/lost.rs is in no `mod`"]);
    }
}
