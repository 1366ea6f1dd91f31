//! The folder with a person's own targets, beside `config.toml`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use snowtoken_core::target::Target;
use snowtoken_store::write_file;

use super::{TargetFileError, parse};
use crate::home::Home;

/// A file of targets is a few kilobytes; more than this is none.
const LARGEST: u64 = 1024 * 1024;

/// Where a person's own targets are: every `*.toml` in it.
pub fn place(home: &Home) -> PathBuf {
    home.config_file.parent().unwrap_or(Path::new(".")).join("targets")
}

/// All targets in the folder, by the names of its files. A folder that is not there is empty.
pub(super) fn read(home: &Home) -> Result<Vec<Target>, TargetFileError> {
    let folder = place(home);
    let failed = |path: &Path, source| TargetFileError::Read { path: path.to_owned(), source };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&folder, error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(&folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let text = write_file::read_text(&path, LARGEST).map_err(|error| failed(&path, error))?;
        let targets = parse(&text)
            .map_err(|source| TargetFileError::Content { path: path.clone(), source })?;
        found.extend(targets);
    }
    Ok(found)
}
