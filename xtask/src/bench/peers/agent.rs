//! `oidc-token` of oidc-agent (C): asks an agent that holds everything in memory.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::super::person::PROFILE;
use super::super::running::Running;
use super::super::table::Row;
use super::super::timing::{pairs, said};
use super::{AGENT_REDIRECT, Scene, compared, home_of};
use crate::run::{output, program};

pub(super) const FIGURES: [&str; 1] = ["`token`, living, against `oidc-token`"];

const ROUNDS: usize = 300;
const ACCOUNT: &str = "bench";
const PACKAGE: &str = "oidc-agent-cli";

pub(super) fn rows(scene: &Scene) -> Result<Vec<Row>, String> {
    let peer = Peer::installed(scene)?;
    let refresh = scene.tokens()?["refresh_token"].as_str().map(str::to_owned);
    let refresh = refresh.ok_or("the server gave no refresh token")?;
    let socket = peer.home.join("socket");
    let mut agent = peer.program("oidc-agent");
    let _agent = Running::start(agent.arg("--console").arg("--socket-path").arg(&socket))?;
    for _ in 0..200 {
        if !socket.exists() {
            thread::sleep(Duration::from_millis(20));
        }
    }
    let mut account = peer.program("oidc-gen");
    account.env("OIDC_SOCK", &socket).args(["--manual", "--no-scheme", "--prompt=none"]);
    account.args(["--flow=refresh", "--pw-cmd=echo pw", "--scope=openid offline_access"]);
    account.arg(format!("--issuer={}", scene.server.url));
    account.arg(format!("--client-id={}", scene.server.id));
    account.arg(format!("--client-secret={}", scene.server.secret));
    account.arg(format!("--redirect-uri={AGENT_REDIRECT}")).arg(format!("--rt={refresh}"));
    output(account.arg(ACCOUNT))?;
    let mut theirs = peer.program("oidc-token");
    theirs.env("OIDC_SOCK", &socket).arg(ACCOUNT);
    if said(&mut theirs)?.trim().is_empty() {
        return Err("oidc-token printed nothing".into());
    }
    let pair = pairs(&mut scene.us.snowtoken(&["token", PROFILE]), &mut theirs, ROUNDS)?;
    Ok(vec![compared(FIGURES[0], "`oidc-token`, its agent running", &pair)])
}

/// Its programs and libraries, and a home for it.
struct Peer {
    /// Empty where the system has it.
    root: Option<PathBuf>,
    home: PathBuf,
}

impl Peer {
    fn installed(scene: &Scene) -> Result<Self, String> {
        let home = scene.place.folder("agent")?;
        let settings = home.join(".config/oidc-agent");
        fs::create_dir_all(&settings).map_err(|e| format!("{}: {e}", settings.display()))?;
        if Path::new("/usr/bin/oidc-agent").exists() {
            return Ok(Self { root: None, home });
        }
        let root = home_of("debian")?;
        if !root.join("usr/bin/oidc-agent").exists() {
            unpack(&root)?;
        }
        Ok(Self { root: Some(root), home })
    }

    fn program(&self, name: &str) -> Command {
        let root = self.root.clone().unwrap_or_else(|| PathBuf::from("/"));
        let mut command = program(root.join("usr/bin").join(name));
        command.env_clear().env("HOME", &self.home).env("TMPDIR", &self.home);
        let path = [root.join("usr/bin").into_os_string(), "/usr/bin:/bin".into()];
        command.env("PATH", path.join(&OsString::from(":")));
        if let Some(root) = &self.root {
            let libraries = fs::read_dir(root.join("usr/lib")).into_iter().flatten().flatten();
            let folders: Vec<_> = libraries.map(|entry| entry.path().into_os_string()).collect();
            command.env("LD_LIBRARY_PATH", folders.join(&OsString::from(":")));
        }
        command
    }
}

/// Takes the packages that this machine lacks apart, without installing them.
fn unpack(root: &Path) -> Result<(), String> {
    let packages = home_of("packages")?;
    home_of("packages/partial")?;
    let mut apt = program("apt-get");
    apt.args(["-q", "-y", "install", "--download-only", "--no-install-recommends", "-o"]);
    apt.arg(format!("Dir::Cache::archives={}", packages.display())).arg(PACKAGE);
    output(&mut apt).map_err(|why| format!("{PACKAGE} (Debian) cannot be had: {why}"))?;
    for entry in fs::read_dir(&packages).map_err(|e| e.to_string())?.flatten() {
        if entry.path().extension().is_some_and(|end| end == "deb") {
            output(program("dpkg-deb").arg("-x").arg(entry.path()).arg(root))?;
        }
    }
    Ok(())
}
