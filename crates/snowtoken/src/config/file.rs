//! The file itself: read whole, changed under a lock, replaced whole.

use std::cell::OnceCell;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_core::profile::ProfileName;
use snowtoken_store::lock::RefreshLock;
use snowtoken_store::write_file::{self, WriteFileError};
use snowtoken_store::{Binding, StoreError};

use super::{Config, ConfigError, Known, Outline};
use crate::error::is_exhausted;
use crate::home::Home;
use crate::targets::{self, Targets};

/// Larger files are no configuration of ours: a hundred thousand profiles are about 25 MiB.
const LARGEST: u64 = 128 * 1024 * 1024;

/// Why the file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// Its content.
    #[error("{}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ConfigError,
    },
    /// The file system.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The lock of a change.
    #[error(transparent)]
    Lock(#[from] StoreError),
    /// The file system.
    #[error("the configuration cannot be written")]
    Write(#[from] WriteFileError),
}

impl Diagnose for ConfigFileError {
    fn code(&self) -> Code {
        match self {
            Self::Content { source, .. } => source.code(),
            Self::Read { source, .. } if is_exhausted(source) => Code::MachineExhausted,
            Self::Read { .. } => Code::ConfigInvalid,
            Self::Lock(error) => error.code(),
            Self::Write(error) => error.code(),
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Lock(error) => error.hints(),
            Self::Write(_) => vec![Hint::note(
                "look what is in its place, or set SNOWTOKEN_HOME to a folder this user may write to",
            )],
            _ => self.code().entry().hints(),
        }
    }
}

/// Reads the configuration; a file that is not there is an empty one.
///
/// # Errors
/// If it cannot be read or is not what it should be. It is never replaced then.
pub fn load(home: &Home) -> Result<Config, ConfigFileError> {
    read(home)
}

/// Reads who is who in the configuration: for whoever looks at all profiles at once.
///
/// # Errors
/// As [`load`].
pub fn load_outline(home: &Home) -> Result<Outline, ConfigFileError> {
    let text = read_text(&home.config_file)?.unwrap_or_default();
    judge(home, |known| Outline::parse_knowing(text, known))
}

fn read(home: &Home) -> Result<Config, ConfigFileError> {
    match read_text(&home.config_file)? {
        Some(text) => judge(home, |known| Config::parse_knowing(&text, known)),
        None => Ok(Config::default()),
    }
}

/// The person's own files of targets are read only if a profile names one that is not built in. A
/// file that cannot be used is told where a target is used: it holds up no token that lives.
fn judge<T>(
    home: &Home,
    parse: impl FnOnce(Known<'_>) -> Result<T, ConfigError>,
) -> Result<T, ConfigFileError> {
    let own: OnceCell<Option<Targets>> = OnceCell::new();
    let may_be_own = |name: &str| {
        let found = own.get_or_init(|| Targets::load(home).ok()).as_ref();
        found.is_none_or(|targets| targets.find(name).is_some())
    };
    let path = home.config_file.clone();
    parse(&|name| targets::is_built_in(name) || may_be_own(name))
        .map_err(|source| ConfigFileError::Content { path, source })
}

/// The whole text; `None` if there is no file.
fn read_text(path: &Path) -> Result<Option<String>, ConfigFileError> {
    let failed = |source| ConfigFileError::Read { path: path.to_owned(), source };
    match write_file::read_text(path, LARGEST) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Whether what the file says may be run: that is only so if nobody else could have written it.
/// The words of the error are for a warning.
///
/// # Errors
/// If the file, or its folder, belongs to somebody else or can be changed by others.
pub fn trusted(home: &Home) -> Result<(), String> {
    let folder = home.config_file.parent().unwrap_or(Path::new("."));
    [home.config_file.as_path(), folder].into_iter().try_for_each(ours_alone)
}

/// Whether nobody but us and root can change a file, or put anything into a folder.
#[cfg(unix)]
pub(crate) fn ours_alone(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let shown = path.display();
    let meta = std::fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
    let (us, mode) = (rustix::process::geteuid().as_raw(), meta.mode() & 0o7777);
    if meta.uid() != us && meta.uid() != 0 {
        return Err(format!("{shown} belongs to user {}", meta.uid()));
    }
    // In a folder with the sticky bit others cannot replace what is ours.
    if mode & 0o022 != 0 && !(meta.is_dir() && mode & 0o1000 != 0) {
        return Err(format!("{shown} can be changed by others (mode {mode:04o}): chmod go-w"));
    }
    Ok(())
}

/// The rights are those of the person's own folder.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on other systems it can fail")]
pub(crate) fn ours_alone(_: &Path) -> Result<(), String> {
    Ok(())
}

/// Tells one state of the file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp(Option<(std::time::SystemTime, u64, u64)>);

/// The state of the file now; it costs one question to the file system.
pub fn stamp(home: &Home) -> Stamp {
    let Ok(meta) = std::fs::metadata(&home.config_file) else { return Stamp(None) };
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let number = 0;
    Stamp(Some((meta.modified().unwrap_or(std::time::UNIX_EPOCH), meta.len(), number)))
}

/// Whether the file says in so many words that this profile belongs to this instance and client.
/// `false` means: read it properly. It costs one small read, where the whole file would cost a
/// TOML parser.
pub fn names_plainly(home: &Home, name: &ProfileName, binding: &Binding) -> bool {
    let Ok(text) = write_file::read_text(&home.config_file, LARGEST) else { return false };
    says_plainly(&text, name, binding)
}

fn says_plainly(text: &str, name: &ProfileName, binding: &Binding) -> bool {
    let header = format!("[profile.{name}]");
    let quoted = format!("[profile.\"{name}\"]");
    let instance = format!("instance = \"{}\"", binding.instance);
    let client = format!("client_id = \"{}\"", binding.client_id);
    // Texts over several lines could hold anything that looks like a setting.
    if text.contains("\"\"\"") || text.contains("'''") {
        return false;
    }
    let mut lines =
        text.lines().map(str::trim_end).skip_while(|line| *line != header && *line != quoted);
    lines.next();
    let section: Vec<&str> = lines.take_while(|line| !line.starts_with('[')).collect();
    section.contains(&instance.as_str()) && section.contains(&client.as_str())
}

/// Changes the configuration: read again under a lock, so that two commands do not undo each
/// other's change.
///
/// # Errors
/// If it cannot be read or written; nothing has changed then.
pub fn update(home: &Home, change: impl FnOnce(&mut Config)) -> Result<(), ConfigFileError> {
    let lock = RefreshLock::acquire_configuration(&home.data, Duration::from_secs(10))?;
    let mut config = read(home)?;
    let before = config.text();
    change(&mut config);
    let text = config.text();
    if text != before {
        let folder = home.config_file.parent().unwrap_or(Path::new("."));
        make_folder(folder)
            .map_err(|source| ConfigFileError::Read { path: folder.to_owned(), source })?;
        write_file::replace(&home.config_file, text.as_bytes())?;
    }
    drop(lock);
    Ok(())
}

/// Owner-only, from the creating call on.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plain_words_count() {
        let name = ProfileName::parse("a.b").unwrap();
        let binding = Binding { instance: "https://x".to_owned(), client_id: "id".to_owned() };
        let good = "version = 1\n[profile.\"a.b\"]\ninstance = \"https://x\"\nclient_id = \"id\"\n";
        assert!(says_plainly(good, &name, &binding));
        for other in [
            good.replace("https://x", "https://y"),
            good.replace("\"id\"", "\"idd\""),
            good.replace("instance", "#instance"),
            good.replace("a.b", "a.c"),
            good.replace("client_id", "[profile.z]\nclient_id"),
            format!("{good}x = \"\"\"\n\"\"\""),
        ] {
            assert!(!says_plainly(&other, &name, &binding), "{other}");
        }
    }
}
