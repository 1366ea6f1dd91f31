//! `cargo xtask gallery`: every page of the wizard with every sample, to be looked at.

use std::fs;

use crate::run::{cargo, say, succeed, target_dir};

/// Writes the pages anew, so that none stays of a sample that is gone.
pub(crate) fn write() -> Result<(), String> {
    let folder = target_dir().join("gallery");
    let fail = |e: std::io::Error| format!("{}: {e}", folder.display());
    match fs::remove_dir_all(&folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(fail(e)),
        _ => {}
    }
    let words = ["run", "--quiet", "--locked", "-p", "snowtoken-wizard", "--example", "gallery"];
    succeed(cargo(&words).arg("--").arg(&folder))?;
    let pages = fs::read_dir(&folder).map_err(fail)?.count();
    say(&format!("{pages} pages in {}", folder.display()));
    if pages == 0 { Err("the gallery is empty".into()) } else { Ok(()) }
}
