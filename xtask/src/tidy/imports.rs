//! Who may know whom.

use super::Tree;
use super::text::{code_only, lines_with_word};

/// RFC words do not depend on one vendor's: `core::oauth` would serve any server.
pub(crate) fn oauth_knows_no_vendor(tree: &Tree) -> Vec<String> {
    let folder = "crates/core/src/oauth";
    let files = tree.below(folder, ".rs").filter(|(path, _)| {
        path[folder.len()..].starts_with('/') || path[folder.len()..] == *".rs"
    });
    let found: Vec<_> = files.collect();
    if found.is_empty() {
        return vec![format!("{folder} is not there")];
    }
    let names = found.iter().filter(|(_, text)| code_only(text).contains("servicenow"));
    names.map(|(path, _)| format!("{path} mentions `servicenow`")).collect()
}

/// The stand-in judges the product: an error in shared code would agree with itself.
pub(crate) fn stand_in_knows_nobody(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    match tree.get("crates/stand-in/Cargo.toml") {
        None => found.push("crates/stand-in/Cargo.toml is not there".to_owned()),
        Some(manifest) => {
            let ours = manifest.lines().filter(|line| line.trim_start().starts_with("snowtoken"));
            found.extend(ours.map(|line| format!("its manifest has `{}`", line.trim())));
            if manifest.contains("path = \"..") {
                found.push("its manifest has a path to a neighbour".to_owned());
            }
        }
    }
    for (path, text) in tree.below("crates/stand-in/", ".rs") {
        let code = code_only(text);
        for name in ["snowtoken", "snowtoken_core", "snowtoken_store", "snowtoken_cli"] {
            let lines = lines_with_word(&code, name);
            found.extend(lines.iter().map(|line| format!("{path}:{line} names `{name}`")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_of_the_vendor_is_found() {
        let file = |text| Tree::of(&[("crates/core/src/oauth/token.rs", text)]);
        assert!(
            oauth_knows_no_vendor(&file("use crate::secret::Secret; // ServiceNow")).is_empty()
        );
        assert_eq!(oauth_knows_no_vendor(&file("use crate::servicenow::Instance;")).len(), 1);
        let neighbour = Tree::of(&[("crates/core/src/oauth_x.rs", "use crate::servicenow;")]);
        assert_eq!(oauth_knows_no_vendor(&neighbour), ["crates/core/src/oauth is not there"]);
    }

    #[test]
    fn a_stand_in_that_knows_us_is_found() {
        let manifest = ("crates/stand-in/Cargo.toml", "[package]\nname = \"snowtoken-stand-in\"\n");
        let good = Tree::of(&[manifest, ("crates/stand-in/src/lib.rs", "//! Not snowtoken_core.")]);
        assert!(stand_in_knows_nobody(&good).is_empty());
        let bad = Tree::of(&[manifest, ("crates/stand-in/src/lib.rs", "use snowtoken_core::Url;")]);
        assert_eq!(stand_in_knows_nobody(&bad).len(), 1);
        let text = "[dependencies]\nsnowtoken-core = { workspace = true }\n";
        assert_eq!(
            stand_in_knows_nobody(&Tree::of(&[("crates/stand-in/Cargo.toml", text)])).len(),
            1
        );
        let text = "[dependencies]\nx = { path = \"../core\" }\n";
        assert_eq!(
            stand_in_knows_nobody(&Tree::of(&[("crates/stand-in/Cargo.toml", text)])).len(),
            1
        );
        assert_eq!(stand_in_knows_nobody(&Tree::of(&[])).len(), 1);
    }
}
