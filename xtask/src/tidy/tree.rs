//! The files of the work tree, as text.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every text file by its path from the root, with `/`.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

/// Folders that hold what was built or installed, not what was written.
const SKIPPED: [&str; 6] = [".git", "target", "node_modules", "__pycache__", "corpus", "artifacts"];

impl Tree {
    /// Reads the tree below `root`. Files that are no text are left out.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        if tree.files.is_empty() { Err("there are no files to check".into()) } else { Ok(tree) }
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), String> {
        let fail = |e: std::io::Error| format!("{}: {e}", folder.display());
        for entry in fs::read_dir(folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(fail)?;
            let path = format!("{prefix}{name}");
            if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() {
                // A file may vanish between the listing and the reading: editors do that.
                if let Ok(Ok(text)) = fs::read(entry.path()).map(String::from_utf8) {
                    self.files.insert(path, text);
                }
            }
        }
        Ok(())
    }

    /// All files: path and text.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The files below a folder (or the one file) that end so.
    pub(crate) fn below<'t>(
        &'t self,
        prefix: &'t str,
        suffix: &'t str,
    ) -> impl Iterator<Item = (&'t str, &'t str)> {
        self.files().filter(move |(path, _)| path.starts_with(prefix) && path.ends_with(suffix))
    }

    /// One file's text.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
        Self { files }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_is_no_clean_tree() {
        let folder = std::env::temp_dir().join(format!("tidy-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert!(Tree::read(&folder).is_err());
        fs::write(folder.join("a.rs"), "fn main() {}").unwrap();
        fs::write(folder.join("b.png"), [0xff, 0xfe]).unwrap();
        let tree = Tree::read(&folder).unwrap();
        assert_eq!(tree.files().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
