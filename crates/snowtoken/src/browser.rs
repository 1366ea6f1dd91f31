//! Opening a URL for the person. The URL is one argument of one program, never part of a command
//! line that somebody parses; the program gets an environment without our variables.

use std::io;
use std::process::{Command, Stdio};

use url::Url;

/// Opens a URL for the person.
pub trait Browser: Send + Sync {
    /// Opens it and returns at once.
    ///
    /// # Errors
    /// If there is nothing to open it with, or it is not a URL for a browser.
    fn open(&self, url: &Url) -> io::Result<()>;
}

/// The person's own browser (RFC 8252 §5: never one inside this program).
#[derive(Debug, Clone, Copy)]
pub struct SystemBrowser;

#[cfg(target_os = "macos")]
const OPENERS: &[&[&str]] = &[&["open"]];
#[cfg(windows)]
const OPENERS: &[&[&str]] = &[&["rundll32", "url.dll,FileProtocolHandler"]];
#[cfg(not(any(target_os = "macos", windows)))]
const OPENERS: &[&[&str]] = &[&["xdg-open"], &["gio", "open"], &["wslview"], &["sensible-browser"]];

impl Browser for SystemBrowser {
    fn open(&self, url: &Url) -> io::Result<()> {
        if !may_be_opened(url) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not an https address"));
        }
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for opener in OPENERS {
            match start(opener, url) {
                Ok(()) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn start(opener: &[&str], url: &Url) -> io::Result<()> {
    let (program, arguments) = opener.split_first().ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    // A URL begins with its scheme, so it can never be taken for an option.
    command.args(arguments).arg(url.as_str());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SNOWTOKEN_") {
            command.env_remove(name);
        }
    }
    let mut child = command.spawn()?;
    // Reaped on a thread of its own: openers may live as long as the browser.
    std::thread::Builder::new().name("browser".to_owned()).spawn(move || drop(child.wait()))?;
    Ok(())
}

/// Whether a URL may be opened in a browser: https, or http on this machine.
fn may_be_opened(url: &Url) -> bool {
    url.scheme() == "https"
        || url.scheme() == "http" && snowtoken_core::oauth::redirect::is_loopback(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V9: only what a browser should open is opened.
    #[test]
    fn other_schemes_are_never_opened() {
        for text in [
            "file:///etc/passwd",
            "http://8.8.8.8/",
            "javascript:alert(1)",
            "ms-settings:x",
            "ftp://127.0.0.1/",
        ] {
            let error = SystemBrowser.open(&Url::parse(text).unwrap()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{text}");
        }
    }
}
