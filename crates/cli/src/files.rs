//! Files that a person named: read whole within limits, written for people.

use std::fs;
use std::io;
use std::path::Path;

use zeroize::Zeroizing;

/// Larger files hold something else than credentials, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// A file's content, which may be secret.
pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let meta = fs::metadata(path)?;
    if !meta.is_file() || meta.len() > LARGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no file of a sensible size",
        ));
    }
    fs::read(path).map(Zeroizing::new)
}

/// A file's text, which may be secret.
pub(crate) fn read_text(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut bytes = read(path)?;
    String::from_utf8(std::mem::take(&mut *bytes))
        .map(Zeroizing::new)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text"))
}

/// Where this program lies.
pub(crate) fn this_program() -> io::Result<std::path::PathBuf> {
    std::env::current_exe()
}

/// A path that means the same wherever it is read.
pub(crate) fn absolute(path: &Path) -> io::Result<std::path::PathBuf> {
    std::path::absolute(path)
}

/// Makes a folder with all that lead to it.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// How something looks from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    /// What it is.
    pub(crate) kind: &'static str,
    /// Its permission bits, where there are such.
    pub(crate) mode: Option<u32>,
}

/// How a file or folder looks; nothing is opened, and a link is a link.
pub(crate) fn look(path: &Path) -> Option<Looks> {
    let meta = fs::symlink_metadata(path).ok()?;
    let kind = match meta.file_type() {
        kind if kind.is_symlink() => "link",
        kind if kind.is_dir() => "folder",
        kind if kind.is_file() => "file",
        _ => "something else",
    };
    #[cfg(unix)]
    let mode = Some(std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o7777);
    #[cfg(not(unix))]
    let mode = None;
    Some(Looks { kind, mode })
}
