//! The invariants of the house that can be seen in its text (ARCHITECTURE.md, "Invariants").
//!
//! Each rule is a pure function over [`Tree`], so that its tests can show that it fires.

mod budget;
mod catalogue;
mod imports;
mod io;
mod leaks;
mod manifests;
mod modules;
mod text;
mod tree;

pub(crate) use tree::Tree;

use crate::run;

/// A rule: what it finds wrong, one line for each.
type Rule = fn(&Tree) -> Vec<String>;

const RULES: [(&str, Rule); 10] = [
    ("core::oauth does not know core::servicenow", imports::oauth_knows_no_vendor),
    ("stand-in knows none of our crates", imports::stand_in_knows_nobody),
    ("core/clippy.toml repeats the root's", manifests::core_repeats_root_lints),
    ("every crate takes the workspace's lints", manifests::lints_are_inherited),
    ("I/O only in the files named for it", io::io_stays_in_its_files),
    ("no unsafe code", io::no_unsafe),
    ("files stay short", budget::files_stay_short),
    ("no machine paths or registry hosts", leaks::no_machine_traces),
    ("no file is forgotten", modules::every_file_is_a_module),
    ("every diagnosis and every quirk is told", catalogue::all_is_told),
];

/// Checks the work tree against every rule.
pub(crate) fn check() -> Result<(), String> {
    let tree = Tree::read(&run::root())?;
    let mut found = 0;
    for (name, rule) in RULES {
        for line in rule(&tree) {
            run::complain(&format!("tidy: {name}: {line}"));
            found += 1;
        }
    }
    if found == 0 { Ok(()) } else { Err(format!("tidy found {found} things")) }
}
