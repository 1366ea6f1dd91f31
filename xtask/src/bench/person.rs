//! One pretend person: a home, a key file, a profile, and an instance to sign in to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::running::Running;
use super::web;

/// Where the vendor's console takes codes: nobody listens there, so the URL is pasted.
pub(super) const REDIRECT_URI: &str = "https://us-west-2.console.aws.amazon.com/appflow/oauth";

/// The profile's name.
pub(super) const PROFILE: &str = "p";

/// The folders of one person.
pub(super) struct Person {
    shipped: PathBuf,
    home: PathBuf,
}

/// A server to sign in to, as the command is told about it.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Where the command goes.
    pub(super) url: String,
    /// Where the person goes, without delay and TLS.
    pub(super) port: u16,
    pub(super) id: String,
    pub(super) secret: String,
}

impl Person {
    /// One who has nothing yet but an empty folder.
    pub(super) fn new(shipped: &Path, home: PathBuf) -> Self {
        Self { shipped: shipped.to_owned(), home }
    }

    /// A program in this person's empty environment.
    pub(super) fn program(&self, name: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(name);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &self.home);
        command.env("TMPDIR", &self.home).env("SNOWTOKEN_HOME", self.home.join("keep"));
        command.env("SNOWTOKEN_KEY_FILE", self.home.join("key"));
        command
    }

    /// The command with these arguments.
    pub(super) fn snowtoken(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(&self.shipped);
        command.args(arguments);
        command
    }

    /// A login that waits for its paste, and what is to be pasted.
    pub(super) fn begin(&self, to: &Client, more: &[&str]) -> Result<(Running, String), String> {
        let arguments = ["login", PROFILE, "--instance", &to.url, "--client-id", &to.id];
        let mut login = self.snowtoken(&arguments);
        login.args(["--redirect-uri", REDIRECT_URI, "--no-browser", "--no-output"]).args(more);
        login.env("SNOWTOKEN_CLIENT_SECRET", &to.secret);
        let mut running = Running::start(&mut login)?;
        let start = format!("{}/", to.url);
        let url = running.hear(|line| line.starts_with(&start).then(|| line.to_owned()))?;
        let redirected = web::consent(to.port, &url)?;
        Ok((running, format!("{redirected}\n")))
    }

    /// A whole login.
    pub(super) fn log_in(&self, to: &Client, more: &[&str]) -> Result<(), String> {
        let (mut running, redirected) = self.begin(to, more)?;
        running.write(&redirected)?;
        running.finish()
    }

    /// The program itself.
    pub(super) fn shipped(&self) -> &Path {
        &self.shipped
    }

    /// A path in the home.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Writes a file in the home.
    pub(super) fn file(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.home.join(name);
        fs::write(&path, text).map_err(|e| format!("{name}: {e}"))?;
        Ok(path)
    }
}

/// The product's own pretend instance, with a client for [`REDIRECT_URI`].
pub(super) fn stand_in(
    shipped: &Path,
    home: &Path,
    knobs: &[&str],
) -> Result<(Running, Client), String> {
    let person = Person::new(shipped, home.to_owned());
    let mut command = person.snowtoken(&["stand-in", "--redirect-uri", REDIRECT_URI]);
    command.args(knobs.iter().flat_map(|knob| ["--knob", knob]));
    let mut running = Running::start(&mut command)?;
    let told: Value = running.hear(|line| serde_json::from_str(line).ok())?;
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let url = text("url");
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
    let port = port.ok_or_else(|| format!("the stand-in has no port: {told}"))?;
    Ok((running, Client { url, port, id: text("client_id"), secret: text("client_secret") }))
}
