//! What is shipped: its bytes, what it is made of, and how long a stranger waits for it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::table::Row;
use crate::run::{cargo, output, program, succeed, target_dir};

const MIB: f64 = 1024.0 * 1024.0;
const BINARY_MIB: f64 = 12.0;
const BUILD_MINUTES: f64 = 5.0;
/// The cores that the limit of the build is meant for.
const BUILD_CORES: &str = "2";

const BINARY: &str = "size of the program";
const CRATES: &str = "crates of others in it, on this target";
const BUILD: &str = "`cargo run --release -- rehearse --yes`, nothing built before";

/// Bytes and crates.
pub(super) fn rows(shipped: &Path) -> Vec<Row> {
    let binary = fs::metadata(shipped).map_err(|e| e.to_string()).map(|meta| {
        #[expect(clippy::cast_precision_loss, reason = "a program has less than 2^52 bytes")]
        let mib = meta.len() as f64 / MIB;
        Row::limited(BINARY, mib, BINARY_MIB, format!("{mib:.1} MiB"))
            .required(&format!("≤ {BINARY_MIB} MiB"))
    });
    let crates = crates().map(|(direct, all)| {
        Row::told(CRATES, format!("{all}, of which {direct} are named by our own crates"))
    });
    [(BINARY, binary), (CRATES, crates)]
        .into_iter()
        .map(|(figure, row)| row.unwrap_or_else(|why| Row::failed(figure, &why)))
        .collect()
}

/// Crates of others that ours name themselves, and all there are.
fn crates() -> Result<(usize, usize), String> {
    let host = output(program("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let tree = |more: &[&str]| {
        let shape = ["tree", "--locked", "-e", "normal", "--prefix", "none", "--target", host];
        output(cargo(&shape).args(more))
    };
    let (ours, all) = split(&tree(&["-p", "snowtoken-cli"])?);
    let mut direct = BTreeSet::new();
    for name in ours {
        direct.extend(split(&tree(&["-p", &name, "--depth", "1"])?).1);
    }
    // The tree of one crate alone may have other versions than the whole has.
    Ok((direct.intersection(&all).count(), all.len()))
}

/// Names of our crates, names and versions of the others.
fn split(tree: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut ours, mut others) = (BTreeSet::new(), BTreeSet::new());
    for line in tree.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        // Ours come from a folder, which stands in parentheses.
        if words.iter().any(|word| word.starts_with("(/")) {
            ours.insert(words[0].to_owned());
        } else {
            others.insert(words.iter().take(2).copied().collect::<Vec<_>>().join(" "));
        }
    }
    (ours, others)
}

/// The first command of the README, its sources already there, its target folder not.
pub(super) fn clean_build() -> Row {
    let folder = target_dir().join("bench-build");
    let measured = build(&folder);
    let _ = fs::remove_dir_all(&folder);
    match measured {
        Ok(minutes) => Row::limited(BUILD, minutes, BUILD_MINUTES, format!("{minutes:.1} min"))
            .required(&format!("≤ {BUILD_MINUTES} min, {BUILD_CORES} cores")),
        Err(why) => Row::failed(BUILD, &why),
    }
}

fn build(folder: &Path) -> Result<f64, String> {
    succeed(&mut cargo(&["fetch", "--locked", "--quiet"]))?;
    let _ = fs::remove_dir_all(folder);
    // Bounded, and whatever it started ends with it.
    let mut command: Command = program("timeout");
    command.args(["--kill-after=10", "1800"]).arg(cargo(&[]).get_program());
    command.args(["run", "--quiet", "--release", "--", "rehearse", "--yes"]);
    command.env("CARGO_TARGET_DIR", folder).env("CARGO_NET_OFFLINE", "true");
    command.env("CARGO_BUILD_JOBS", BUILD_CORES);
    for name in ["RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_INCREMENTAL"] {
        command.env_remove(name);
    }
    let start = Instant::now();
    output(&mut command)?;
    Ok(start.elapsed().as_secs_f64() / 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_crates_are_told_from_others() {
        let tree = "snowtoken v0.1.0 (/x/crates/snowtoken)\nurl v2.5.8\nserde_derive v1.0.1 (proc-macro)\nurl v2.5.8 (*)\n";
        let (ours, others) = split(tree);
        assert_eq!(ours, BTreeSet::from(["snowtoken".to_owned()]));
        assert_eq!(others.len(), 2);
    }
}
