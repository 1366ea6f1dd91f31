//! Installs what the tests need: Debian packages, the foreign servers' own packages, a target.
//!
//! Every step looks first and does nothing when its result is there, so it may run each time.

use std::fs;
use std::path::Path;

use crate::run::{output, program, root, say, succeed, target_dir};

/// A Debian package, and how to see that it is there already (from wherever it came).
struct Package {
    name: &'static str,
    probe: &'static [&'static str],
}

const PACKAGES: [Package; 21] = [
    Package { name: "age", probe: &["age", "--version"] },
    Package { name: "bash", probe: &["bash", "--version"] },
    Package { name: "openssl", probe: &["openssl", "version"] },
    Package { name: "chromium", probe: &["test", "-x", "/usr/bin/chromium"] },
    Package { name: "curl", probe: &["curl", "--version"] },
    Package { name: "dash", probe: &["dash", "-c", ":"] },
    Package { name: "dbus", probe: &["dbus-run-session", "--version"] },
    Package { name: "ffuf", probe: &["ffuf", "-V"] },
    Package { name: "firefox-esr", probe: &["test", "-x", "/usr/bin/firefox-esr"] },
    Package {
        name: "fonts-dejavu-core",
        probe: &["test", "-d", "/usr/share/fonts/truetype/dejavu"],
    },
    Package { name: "git", probe: &["git", "--version"] },
    Package { name: "gnome-keyring", probe: &["gnome-keyring-daemon", "--version"] },
    // `secret-tool` has no flag that only says hello.
    Package { name: "libsecret-tools", probe: &["test", "-x", "/usr/bin/secret-tool"] },
    Package { name: "nodejs", probe: &["node", "--version"] },
    Package { name: "npm", probe: &["npm", "--version"] },
    Package { name: "python3", probe: &["python3", "--version"] },
    Package { name: "python3-venv", probe: &["python3", "-c", "import ensurepip, venv"] },
    // It has no flag that only says hello.
    Package { name: "slowhttptest", probe: &["test", "-x", "/usr/bin/slowhttptest"] },
    Package { name: "strace", probe: &["strace", "-V"] },
    Package { name: "systemd", probe: &["systemd-creds", "--version"] },
    Package { name: "util-linux", probe: &["unshare", "--version"] },
];

/// All of it, in an order in which each step finds what it needs.
pub(crate) fn all() -> Result<(), String> {
    debian_packages()?;
    node_packages()?;
    python_packages()?;
    wasm_target()
}

fn debian_packages() -> Result<(), String> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|p| !is_there(p.probe)).map(|p| p.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let root_user = output(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root_user || !is_there(&["apt-get", "--version"]) {
        return Err(format!("the tests need programs that are not here; install: {list}"));
    }
    say(&format!("setup: installing {list}"));
    let apt = |arguments: &[&str]| {
        let mut command = program("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command.args(["-q", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
        succeed(&mut command)
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"][..], &missing].concat())
        .map_err(|why| format!("{why}; install by hand: {list}"))?;
    match PACKAGES.iter().find(|p| !is_there(p.probe)) {
        None => Ok(()),
        Some(package) => Err(format!("{} was installed but does not work", package.name)),
    }
}

fn is_there(probe: &[&str]) -> bool {
    output(program(probe[0]).args(&probe[1..])).is_ok()
}

/// The foreign servers, the browser driver, and judges of calendars, pages, scripts and dotenv files, exactly
/// as the lock file has them.
fn node_packages() -> Result<(), String> {
    let folder = root().join("crates/cli/tests/foreign");
    let (lock, stamp) = (folder.join("package-lock.json"), folder.join("node_modules/.installed"));
    if same(&lock, &stamp) {
        return Ok(());
    }
    say("setup: npm ci");
    succeed(program("npm").arg("ci").current_dir(&folder))?;
    copy(&lock, &stamp)
}

/// Authlib, Flask, pyrage, what reads calendars, what judges targets, and the takers of deliveries, in
/// an environment of their own; Wapiti, which wants other versions of some of it, in another.
fn python_packages() -> Result<(), String> {
    python_environment("requirements.txt", "venv")?;
    python_environment("wapiti.txt", "wapiti")
}

fn python_environment(list: &str, name: &str) -> Result<(), String> {
    let wanted = root().join("crates/cli/tests/foreign").join(list);
    let venv = target_dir().join("foreign").join(name);
    let stamp = venv.join("installed.txt");
    if same(&wanted, &stamp) {
        return Ok(());
    }
    say(&format!("setup: python packages of {list}"));
    succeed(program("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    // Nearly all of what comes along is never imported: it is compiled when it is.
    let pip =
        ["-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", "-r"];
    succeed(program(venv.join("bin/python")).args(pip).arg(&wanted))?;
    copy(&wanted, &stamp)
}

/// The core is built for a machine without clock, disk and network: that proves it needs none.
fn wasm_target() -> Result<(), String> {
    let target = "wasm32-unknown-unknown";
    let place = output(program("rustc").args(["--print", "target-libdir", "--target", target]))?;
    if Path::new(place.trim()).is_dir() {
        return Ok(());
    }
    succeed(program("rustup").args(["target", "add", target]))
        .map_err(|why| format!("{why}; run `rustup target add {target}`"))
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(a), Ok(b)) if a == b)
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map(|_| ()).map_err(|e| format!("{}: {e}", to.display()))
}
