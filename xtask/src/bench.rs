//! What the product costs: time, memory, round trips, bytes, beside what others cost.
//!
//! Everything is measured from outside, on the program that is shipped, as whole processes. Each
//! figure stands beside one that was measured in the same minute, so that a slow or busy machine
//! does not make the difference.

mod crowd;
mod front;
mod keep;
mod machine;
mod page;
mod paste;
mod peers;
mod person;
mod running;
mod size;
mod status;
mod table;
mod timing;
mod token;
mod web;
mod wizard;

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{cargo, complain, output, program, say, succeed, target_dir};
use table::{Group, Row};

/// Which of the slow parts are wanted, or which one alone, and whether the page is written.
#[derive(Debug, Default, Clone, Copy)]
struct Wishes<'a> {
    only: Option<&'a str>,
    build: bool,
    peers: bool,
    write: bool,
}

/// A part of the report: its name on the page, and how its rows come about.
type Part<'a> = (&'static str, Box<dyn Fn() -> Vec<Row> + 'a>);

/// Measures; true if nothing that is required was missed.
pub(crate) fn run(switches: &[&str]) -> bool {
    match wishes(switches).and_then(measure) {
        Ok(met) => met,
        Err(why) => {
            complain(&format!("error: {why}"));
            false
        }
    }
}

fn wishes<'a>(switches: &[&'a str]) -> Result<Wishes<'a>, String> {
    let mut wishes = Wishes::default();
    let mut switches = switches.iter();
    while let Some(switch) = switches.next() {
        match *switch {
            "--only" => wishes.only = Some(switches.next().ok_or("--only wants a part's name")?),
            "--build" => wishes.build = true,
            "--peers" => wishes.peers = true,
            "--write" => wishes.write = true,
            other => {
                let known = "--build, --only PART, --peers and --write";
                return Err(format!("bench takes {known}, not {other}"));
            }
        }
    }
    Ok(wishes)
}

fn measure(wishes: Wishes<'_>) -> Result<bool, String> {
    say("bench: building what is shipped");
    succeed(&mut cargo(&["build", "--quiet", "--release", "--locked", "-p", "snowtoken-cli"]))?;
    let place = Place::new()?;
    // A copy: who builds meanwhile does not change what is measured.
    let shipped = place.path("snowtoken");
    let built = target_dir().join("release").join("snowtoken");
    fs::copy(&built, &shipped).map_err(|e| format!("{}: {e}", built.display()))?;

    let mut parts: Vec<Part> = vec![
        ("token", Box::new(|| token::rows(&shipped, &place))),
        ("status", Box::new(|| status::rows(&shipped, &place))),
        ("paste", Box::new(|| paste::rows(&shipped, &place))),
        ("keep", Box::new(|| keep::rows(&place))),
        ("crowd", Box::new(|| crowd::rows(&shipped, &place))),
        ("wizard", Box::new(|| wizard::rows(&shipped, &place))),
        ("size", Box::new(|| size::rows(&shipped))),
    ];
    if wishes.peers {
        parts.push(("peers", Box::new(|| peers::rows(&shipped, &place))));
    }
    if wishes.build {
        parts.push(("build", Box::new(|| vec![size::clean_build()])));
    }
    if let Some(only) = wishes.only {
        parts.retain(|(name, _)| *name == only);
        if parts.is_empty() {
            return Err(format!("there is no part {only}"));
        }
    }
    let mut groups = Vec::new();
    for (name, rows) in parts {
        say(&format!("bench: {name}"));
        let before = machine::line();
        groups.push(Group { name, machine: before, rows: rows() });
    }
    say("");
    for line in table::table(groups.iter().flat_map(|group| &group.rows)) {
        say(&line);
    }
    if wishes.write {
        page::write(&groups)?;
    }
    Ok(groups.iter().flat_map(|group| &group.rows).all(|row| !row.is_missed()))
}

/// A folder that only its owner sees, gone when it is dropped.
struct Place(PathBuf);

impl Place {
    fn new() -> Result<Self, String> {
        let made = output(program("mktemp").args(["-d", "-t", "snowtoken-bench-XXXXXX"]))?;
        Ok(Self(PathBuf::from(made.trim())))
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// A folder below it that was not there before.
    fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.path(name);
        fs::create_dir(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_switch_is_refused() {
        let wishes = wishes(&["--peers", "--write"]).unwrap();
        assert!(wishes.peers && wishes.write && !wishes.build);
        assert!(super::wishes(&["--fast"]).is_err() && super::wishes(&["--only"]).is_err());
        assert_eq!(super::wishes(&["--only", "status"]).unwrap().only, Some("status"));
    }
}
