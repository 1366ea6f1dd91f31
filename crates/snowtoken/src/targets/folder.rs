//! The folder with a person's own targets, beside `config.toml`. What stands there decides where
//! codes are sent: nobody else may have written it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use snowtoken_core::target::Target;
use snowtoken_store::write_file;

use super::{Own, TargetFileError, parse};
use crate::config::ours_alone;
use crate::home::Home;

/// A file of targets is a few kilobytes; more than this is none.
const LARGEST: u64 = 1024 * 1024;

/// Where a person's own targets are: every `*.toml` in it.
pub fn place(home: &Home) -> PathBuf {
    home.config_file.parent().unwrap_or(Path::new(".")).join("targets")
}

/// Reads one file of targets; one that somebody else could have written is refused.
///
/// # Errors
/// If it cannot be read, or says something that cannot be.
pub(super) fn read_file(path: &Path) -> Result<Vec<Target>, TargetFileError> {
    let text = write_file::read_text(path, LARGEST)
        .map_err(|source| TargetFileError::Read { path: path.to_owned(), source })?;
    parse(&text).map_err(|source| TargetFileError::Content { path: path.to_owned(), source })
}

/// Whether there is a folder of own targets at all: it costs one question to the file system.
pub(super) fn exists(home: &Home) -> bool {
    place(home).exists()
}

/// The targets of those files that can be read.
pub(super) fn readable(home: &Home) -> Vec<Target> {
    let entries = std::fs::read_dir(place(home)).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let files = paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.filter_map(|path| read_file(&path).ok()).flatten().collect()
}

/// All targets in the folder, by the names of its files. A folder that is not there is empty.
pub(super) fn read(home: &Home) -> Result<Vec<Own>, TargetFileError> {
    let folder = place(home);
    let failed = |source| TargetFileError::Read { path: folder.clone(), source };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    // Whoever can put a file there could say where codes are sent.
    [Some(folder.as_path()), folder.parent()]
        .into_iter()
        .flatten()
        .try_for_each(ours_alone)
        .map_err(TargetFileError::Insecure)?;
    paths.sort();
    let mut found: Vec<Own> = Vec::new();
    for path in paths {
        for target in read_file(&path)? {
            if let Some(first) = found.iter().find(|own| own.target.name == target.name) {
                let (name, first) = (target.name, first.path.clone());
                return Err(TargetFileError::Twice { name, path, first });
            }
            found.push(Own { target, path: path.clone() });
        }
    }
    Ok(found)
}
