//! What the product says in a word, the documentation says in full.

use super::Tree;

/// The table of diagnoses: this file, and its parts in the folder of the same name.
const CATALOGUE: &str = "crates/core/src/diagnosis/catalogue";
/// The table of texts and the codes they are explained by.
const RECOGNISED: &str = "crates/core/tests/recognition.rs";
const PAGES: &str = "docs/reference/diagnoses/";
const QUIRKS: &str = "docs/quirks.md";

/// Each diagnosis has its page, each quirk its source, knob and test.
pub(crate) fn all_is_told(tree: &Tree) -> Vec<String> {
    let mut found = diagnoses(tree);
    found.extend(quirks(tree));
    found
}

fn diagnoses(tree: &Tree) -> Vec<String> {
    let entries: Vec<Entry<'_>> =
        tree.below(CATALOGUE, ".rs").flat_map(|(_, text)| entries(text)).collect();
    let codes: Vec<&str> = entries.iter().map(|entry| entry.code).collect();
    if codes.is_empty() {
        return vec![format!("{CATALOGUE}: no codes were found in it")];
    }
    if tree.below(PAGES, ".md").next().is_none() {
        return vec![format!("{PAGES} has no pages, and there are {} codes", codes.len())];
    }
    let lost = codes.iter().filter(|code| tree.get(&format!("{PAGES}{code}.md")).is_none());
    let mut found: Vec<String> =
        lost.map(|code| format!("the diagnosis `{code}` has no page below {PAGES}")).collect();
    for (path, _) in tree.below(PAGES, ".md") {
        let code = path[PAGES.len()..].trim_end_matches(".md");
        if !codes.contains(&code) && !["README", "index"].contains(&code) {
            found.push(format!("{path} tells of a diagnosis that does not exist"));
        }
    }
    found.extend(entries.iter().filter_map(|entry| unprovoked(tree, entry)));
    found
}

/// As much of an entry of the table as is looked at here.
struct Entry<'t> {
    variant: &'t str,
    code: &'t str,
    /// What stands behind `rehearsal:`, if anything does.
    rehearsal: Option<&'t str>,
}

/// The entries of the table: `Name = "code", "title", …` opens each.
fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for line in text.lines().map(str::trim) {
        let opening = line.split_once(" = \"").and_then(|(variant, rest)| {
            let (code, _) = rest.split_once("\", \"")?;
            let is_name = variant.chars().all(char::is_alphanumeric);
            is_name.then_some(Entry { variant, code, rehearsal: None })
        });
        if let Some(entry) = opening {
            entries.push(entry);
        } else if let (Some(entry), Some(told)) =
            (entries.last_mut(), line.strip_prefix("rehearsal: "))
        {
            entry.rehearsal = Some(told);
        }
    }
    entries
}

/// A diagnosis that nothing provokes: neither a rehearsal, nor a test that exists, nor a reason why
/// there can be none.
fn unprovoked(tree: &Tree, entry: &Entry<'_>) -> Option<String> {
    let code = entry.code;
    let Some(told) = entry.rehearsal else {
        let names = [format!("\"{code}\""), format!("Code::{}", entry.variant)];
        let is_named = tree.below("crates/", ".rs").any(|(path, text)| {
            // Texts that `explain` recognises provoke nothing.
            if path == RECOGNISED {
                return false;
            }
            let tests = if path.contains("/tests/") { text } else { unit_tests(text) };
            names.iter().any(|name| has_word(tests, name))
        });
        let lost = format!("the diagnosis `{code}` has no rehearsal, and no test names it");
        return (!is_named).then_some(lost);
    };
    let test = told.strip_prefix("Test(\"")?.split('"').next()?;
    let function = format!("fn {test}(");
    let exists = tree.below("crates/", ".rs").any(|(_, text)| text.contains(&function));
    (!exists).then(|| format!("the diagnosis `{code}` names a test that is not there: {test}"))
}

/// `Code::Key` does not stand in `Code::KeyWrong`.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[at + word.len()..].chars().next().is_some_and(char::is_alphanumeric))
}

/// The tests at the bottom of a file.
fn unit_tests(text: &str) -> &str {
    text.find("#[cfg(test)]").map_or("", |at| &text[at..])
}

/// A quirk is a section `## …` with lines that begin with `Source:`, `Knob:` and `Test:`; the last
/// two name what they mean between backticks.
fn quirks(tree: &Tree) -> Vec<String> {
    let Some(text) = tree.get(QUIRKS) else {
        return vec![format!("{QUIRKS} is not there")];
    };
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    if sections.is_empty() {
        return vec![format!("{QUIRKS}: no quirk was found in it")];
    }
    sections.into_iter().flat_map(|section| quirk(tree, section)).collect()
}

fn quirk(tree: &Tree, section: &str) -> Vec<String> {
    let title = section.lines().next().unwrap_or_default();
    let mut found = Vec::new();
    let field = |name: &str| {
        section.lines().find_map(|line| {
            let line = line.trim_start_matches(['-', '*', ' ']).replace("**", "");
            line.strip_prefix(name).map(|rest| rest.trim_start_matches(':').trim().to_owned())
        })
    };
    if field("Source").is_none_or(|source| source.is_empty()) {
        found.push(format!("quirk \"{title}\" names no source"));
    }
    for (name, place) in [("Knob", "crates/stand-in/src/"), ("Test", "")] {
        let words = field(name).map(|value| quoted(&value)).unwrap_or_default();
        if words.is_empty() {
            found.push(format!("quirk \"{title}\" names no {}", name.to_lowercase()));
        }
        let gone = words.into_iter().filter(|word| !exists(tree, place, word));
        found.extend(gone.map(|word| format!("quirk \"{title}\": `{word}` does not exist")));
    }
    found
}

/// The texts between backticks.
fn quoted(value: &str) -> Vec<String> {
    value.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A path, or a name (`a::b::name` counts by its last part) in some Rust file.
fn exists(tree: &Tree, below: &str, word: &str) -> bool {
    let name = word.rsplit("::").next().unwrap_or(word);
    tree.get(word).is_some() || tree.below(below, ".rs").any(|(_, text)| text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "x! {\n    Bug = \"bug\", \"a bug\", Us, Bug {\n        rehearsal: Never(\"x\"),\n";
    const GOOD: &str = "# Quirks\n\n## Odd\n\n- Source: KB1\n- Knob: `odd`\n- Test: `odd_works`\n";

    fn tree(page: &str, quirks: &str) -> Tree {
        Tree::of(&[
            ("crates/core/src/diagnosis/catalogue/machine.rs", TABLE),
            (page, ""),
            (QUIRKS, quirks),
            ("crates/stand-in/src/behaviour.rs", "pub odd: bool"),
            ("crates/core/tests/pair.rs", "fn odd_works() {}"),
        ])
    }

    #[test]
    fn a_diagnosis_without_page_and_a_page_without_diagnosis_are_found() {
        assert_eq!(all_is_told(&tree("docs/a.md", GOOD)).len(), 1);
        let page = "docs/reference/diagnoses/bug.md";
        assert_eq!(all_is_told(&tree(page, GOOD)), Vec::<String>::new());
        assert_eq!(all_is_told(&tree("docs/reference/diagnoses/bag.md", GOOD)).len(), 2);
        assert_eq!(diagnoses(&Tree::of(&[])).len(), 1);
        assert_eq!(
            diagnoses(&Tree::of(&[("crates/core/src/diagnosis/catalogue.rs", "nothing")])).len(),
            1
        );
    }

    #[test]
    fn a_diagnosis_that_nothing_provokes_is_found() {
        let odd = |rehearsal: &str, test: &str| {
            let table =
                format!("    Odd = \"odd-one\", \"odd\", Us, Bug {{\n{rehearsal}\n    }}\n");
            let tree = Tree::of(&[("crates/a/tests/b.rs", test)]);
            entries(&table).iter().filter_map(|entry| unprovoked(&tree, entry)).count()
        };
        for (rehearsal, test, found) in [
            ("", "", 1),
            ("", "assert(\"odd-one\")", 0),
            ("", "Code::Odd)", 0),
            ("", "Code::Oddity", 1),
            ("        rehearsal: Never(\"x\"),", "", 0),
            ("        rehearsal: Test(\"odd_works\"),", "", 1),
            ("        rehearsal: Test(\"odd_works\"),", "fn odd_works() {}", 0),
        ] {
            assert_eq!(odd(rehearsal, test), found, "{rehearsal} {test}");
        }
    }

    #[test]
    fn a_quirk_that_lacks_something_is_found() {
        let with = |text: &str| quirks(&tree("x.md", text));
        for (from, to) in
            [("KB1", ""), ("`odd`", "`even`"), ("`odd_works`", "`gone`"), ("Test", "T")]
        {
            assert_eq!(with(&GOOD.replace(from, to)).len(), 1, "{from}");
        }
        assert_eq!(with("# Quirks\n").len(), 1);
        assert_eq!(quirks(&Tree::of(&[])).len(), 1);
    }
}
