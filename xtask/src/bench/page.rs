//! `docs/performance.md`: the words are written by hand, the tables between the marks by this.

use std::fs;

use super::table::{Group, table};
use crate::run::{root, say};

const PAGE: &str = "docs/performance.md";

/// Puts the groups that were measured in their places; the others stay as they are.
pub(super) fn write(groups: &[Group]) -> Result<(), String> {
    let path = root().join(PAGE);
    let mut text = fs::read_to_string(&path).map_err(|e| format!("{PAGE}: {e}"))?;
    for group in groups {
        let lines = table(group.rows.iter()).join("\n");
        text = placed(&text, group.name, &format!("{lines}\n\n{}.\n", group.machine))?;
    }
    fs::write(&path, text).map_err(|e| format!("{PAGE}: {e}"))?;
    say(&format!("{PAGE} is written"));
    Ok(())
}

fn placed(page: &str, name: &str, content: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- bench {name} -->\n"), "<!-- end -->");
    let start = page.find(&begin).map(|at| at + begin.len());
    let parts = start.and_then(|at| Some((at, at + page.get(at..)?.find(end)?)));
    let (start, stop) = parts.ok_or_else(|| format!("{PAGE} has no place for `{name}`"))?;
    Ok(format!("{}\n{content}\n{}", &page[..start], &page[stop..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_place_is_written() {
        let page = "a\n<!-- bench x -->\nold\n<!-- end -->\nb\n<!-- bench y -->\n<!-- end -->\n";
        let new = placed(page, "x", "new\n").unwrap();
        assert_eq!(
            new,
            "a\n<!-- bench x -->\n\nnew\n\n<!-- end -->\nb\n<!-- bench y -->\n<!-- end -->\n"
        );
        assert_eq!(placed(&new, "x", "new\n").unwrap(), new);
        assert!(placed(page, "z", "").is_err());
    }
}
