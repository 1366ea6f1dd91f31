//! Small files of our own, written whole and durably or not at all, for their owner only.

use std::io::{self, Write as _};
use std::path::Path;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and the call fails with [`io::ErrorKind::AlreadyExists`].
    Kept,
    /// The new one takes its place.
    Replaced,
}

/// Writes the file with mode 0600. The folder must exist.
pub(crate) fn write(path: &Path, contents: &[u8], existing: Existing) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    #[cfg(target_os = "linux")]
    match nameless::write(folder, path, contents, existing) {
        Err(e) if nameless::is_unsupported(&e) => {}
        done => return done,
    }
    let mut file = tempfile::Builder::new().prefix(".snowtoken-").tempfile_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    let named = match existing {
        Existing::Kept => file.persist_noclobber(path),
        Existing::Replaced => file.persist(path),
    };
    named.map_err(|refused| refused.error)?;
    crate::secure::sync_names(folder)
}

/// Whether the folder takes files of ours. It leaves nothing behind.
pub(crate) fn probe(folder: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    match nameless::probe(folder) {
        Err(e) if nameless::is_unsupported(&e) => {}
        done => return done,
    }
    tempfile::Builder::new().prefix(".snowtoken-").tempfile_in(folder).map(drop)
}

/// A file without a name (`O_TMPFILE`), which vanishes with its process.
#[cfg(target_os = "linux")]
mod nameless {
    use std::ffi::OsStr;
    use std::fs::File;
    use std::io::{self, Write as _};
    use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
    use rustix::io::Errno;

    use super::Existing;

    const PASSING: &str = ".snowtoken-passing-";

    pub(super) fn write(
        folder: &Path,
        path: &Path,
        contents: &[u8],
        existing: Existing,
    ) -> io::Result<()> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let (folder, mut file) = make(folder)?;
        file.write_all(contents)?;
        file.sync_all()?;
        if existing == Existing::Replaced {
            // Tidying up after others must not stop us.
            let _ = sweep(folder.as_fd());
        }
        match link(&file, folder.as_fd(), name) {
            Err(Errno::EXIST) if existing == Existing::Replaced => {
                exchange(&file, folder.as_fd(), name)?;
            }
            done => done?,
        }
        Ok(rustix::fs::fsync(&folder)?)
    }

    pub(super) fn probe(folder: &Path) -> io::Result<()> {
        Ok(make(folder).map(drop)?)
    }

    /// The folder, and a file in it that has no name.
    fn make(folder: &Path) -> Result<(OwnedFd, File), Errno> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(folder, flags, Mode::empty())?;
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = File::from(rustix::fs::openat(&folder, ".", flags, mode)?);
        Ok((folder, file))
    }

    /// Whether the file system or the system does not know such files.
    pub(super) fn is_unsupported(error: &io::Error) -> bool {
        let unsupported = [Errno::OPNOTSUPP, Errno::ISDIR, Errno::INVAL, Errno::NOENT];
        Errno::from_io_error(error).is_some_and(|errno| unsupported.contains(&errno))
    }

    fn link(file: &File, folder: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
        let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
        rustix::fs::linkat(CWD, nameless, folder, name, AtFlags::SYMLINK_FOLLOW)
    }

    /// The complete file gets a name for the two calls it takes to put it in the other's place. The
    /// lock tells others that its process still lives.
    fn exchange(file: &File, folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
        let mut dice = [0; 8];
        getrandom::fill(&mut dice).map_err(|_| io::Error::other("no random bytes"))?;
        let passing = format!("{PASSING}{:016x}", u64::from_ne_bytes(dice));
        file.lock()?;
        link(file, folder, OsStr::new(&passing))?;
        rustix::fs::renameat(folder, &passing, folder, name).inspect_err(|_| {
            // The error to tell is the first one.
            let _ = rustix::fs::unlinkat(folder, &passing, AtFlags::empty());
        })?;
        Ok(())
    }

    /// Removes passing names whose processes were killed.
    fn sweep(folder: BorrowedFd<'_>) -> io::Result<()> {
        for entry in Dir::read_from(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if !name.to_bytes().starts_with(PASSING.as_bytes()) {
                continue;
            }
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let found = rustix::fs::openat(folder, name, flags, Mode::empty())?;
            let stat = rustix::fs::fstat(&found)?;
            let ours = stat.st_uid == rustix::process::geteuid().as_raw();
            let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
            if ours && regular && File::from(found).try_lock().is_ok() {
                rustix::fs::unlinkat(folder, OsStr::from_bytes(name.to_bytes()), AtFlags::empty())?;
            }
        }
        Ok(())
    }
}
