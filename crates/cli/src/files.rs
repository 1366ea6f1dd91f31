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
