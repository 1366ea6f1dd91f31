//! How long a file may be. Functions are counted by clippy (`too_many_lines`).

use super::Tree;
use super::text::without_tests;

/// Beyond this a file holds more than one thing. About 300 is the aim.
const LINES: usize = 450;

/// A list of cases may be longer: each is read by itself.
const LINES_OF_TESTS: usize = 1000;

/// Tables, which nobody reads from top to bottom, by how their paths begin.
const TABLES: [(&str, &str); 1] =
    [("crates/core/src/diagnosis/catalogue/", "one entry for each diagnosis, nothing else")];

/// No file is longer than the budget, its unit tests not counted.
pub(crate) fn files_stay_short(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree.below("", ".rs") {
        let lines = without_tests(text).lines().count();
        let most = if path.contains("/tests/") { LINES_OF_TESTS } else { LINES };
        if lines > most && !TABLES.iter().any(|(start, _)| path.starts_with(start)) {
            found.push(format!("{path} has {lines} lines, more than {most}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found_and_long_unit_tests_are_not() {
        let long = "x\n".repeat(LINES + 1);
        let tested = format!("x\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let table = format!("{}a.rs", TABLES[0].0);
        let tree = Tree::of(&[("a.rs", long.as_str()), ("b.rs", tested.as_str()), (&table, &long)]);
        assert_eq!(files_stay_short(&tree).len(), 1);
        let tests =
            Tree::of(&[("crates/a/tests/b.rs", &long), ("crates/a/tests/c.rs", &long.repeat(3))]);
        assert_eq!(files_stay_short(&tests).len(), 1);
    }
}
