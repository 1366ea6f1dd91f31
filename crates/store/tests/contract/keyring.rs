//! The keyring where there is none, where it is silent, and a real one. Needs `dbus` and
//! `gnome-keyring`.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use snowtoken_core::diagnosis::Diagnose as _;
use snowtoken_core::token_set::Generation;
use snowtoken_store::key::{KeyRecord, KeySource, Keys, keyring};
use snowtoken_store::sqlite::{Options, SqliteStore};
use snowtoken_store::{Result, TokenStore as _};

use crate::support::{Place, child, database, draft, profile, role};

const MISSING: &str = "is missing: `cargo xtask setup` installs it";
const BOUND: Duration = Duration::from_secs(5);

fn make(root: &Path) -> Result<SqliteStore> {
    let keys = Keys::from(KeySource::Keyring);
    SqliteStore::open_or_create(&Options::new(database(root)), &keys)
}

/// Says what the keyring said, and how long it took.
#[test]
fn client() {
    let Some((role, root)) = role() else { return };
    if role == "real" {
        return use_a_real_keyring(&root);
    }
    let started = Instant::now();
    let probed = keyring::probe().unwrap_err();
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    println!("{}: {probed}", probed.code());
    let started = Instant::now();
    let made = make(&root).unwrap_err();
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    println!("{}: {made}", made.code());
    assert!(!database(&root).exists(), "no store without a key");
}

fn use_a_real_keyring(root: &Path) {
    keyring::probe().unwrap();
    let mut store = make(root).unwrap();
    store.save(&profile("dev"), Generation::NONE, &draft("1"), None).unwrap();
    drop(store);
    let options = Options::new(database(root));
    for keys in [Keys::recorded(), Keys::from(KeySource::Keyring)] {
        let store = SqliteStore::open(&options, &keys).unwrap().unwrap();
        assert_eq!(store.load(&profile("dev")).unwrap().unwrap().tokens, draft("1").tokens);
    }
    let Ok(Some(KeyRecord::Keyring { entry })) = SqliteStore::key_record(&options) else {
        panic!("the entry is not remembered")
    };
    let tool = |word: &str| {
        Command::new("secret-tool")
            .args([word, "service", "snowtoken", "username", &entry])
            .output()
            .unwrap_or_else(|_| panic!("secret-tool {MISSING}"))
    };
    assert_eq!(tool("lookup").stdout.trim_ascii().len(), 64);
    assert!(tool("clear").status.success());
    let gone = SqliteStore::open(&options, &Keys::recorded()).unwrap_err();
    println!("{}: {gone}", gone.code());
}

fn run(wrapper: &[&str], role: &str, place: &Place, bus: Option<&str>) -> String {
    let home = place.root().join("person");
    fs::create_dir_all(&home).unwrap();
    let mut command = child(wrapper, "keyring::client", role, place.root());
    command.env("HOME", &home).env("XDG_RUNTIME_DIR", &home).env("XDG_DATA_HOME", &home);
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    match bus {
        Some(address) => command.env("DBUS_SESSION_BUS_ADDRESS", address),
        None => command.env_remove("DBUS_SESSION_BUS_ADDRESS"),
    };
    let Output { status, stdout, stderr } = command
        .stderr(Stdio::piped())
        .output()
        .unwrap_or_else(|_| panic!("{} {MISSING}", wrapper.first().unwrap_or(&"this program")));
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{stdout}{stderr}");
    stdout.into_owned()
}

fn assert_unavailable(said: &str) {
    assert_eq!(said.matches("keyring-unavailable: ").count(), 2, "{said}");
}

#[test]
fn without_a_bus() {
    for bus in [None, Some("unix:path=/nonexistent/bus"), Some("nonsense")] {
        assert_unavailable(&run(&[], "probe", &Place::new(), bus));
    }
}

#[test]
fn with_a_bus_without_the_service() {
    let place = Place::new();
    let config = place.root().join("bus.conf");
    let text = format!(
        "<busconfig><type>session</type><listen>unix:path={}/bus</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
         <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
        place.root().display()
    );
    fs::write(&config, text).unwrap();
    let config = format!("--config-file={}", config.display());
    let said = run(&["dbus-run-session", &config, "--"], "probe", &place, None);
    assert_unavailable(&said);
}

#[test]
fn with_something_that_never_answers() {
    let place = Place::new();
    let socket = place.root().join("bus");
    let listener = UnixListener::bind(&socket).unwrap();
    // It accepts, keeps the connection and says nothing.
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for connection in listener.incoming() {
            kept.push(connection);
        }
    });
    let said = run(&[], "probe", &place, Some(&format!("unix:path={}", socket.display())));
    assert_unavailable(&said);
    assert!(said.contains("did not answer within 4 s"), "{said}");
}

#[test]
fn with_something_that_hangs_up() {
    let place = Place::new();
    let socket = place.root().join("bus");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let said = run(&[], "probe", &place, Some(&format!("unix:path={}", socket.display())));
    assert_unavailable(&said);
}

/// Runs the client on a bus of its own after the given lines of shell.
fn on_a_bus(preparation: &str, role: &str) -> String {
    let found = Command::new("gnome-keyring-daemon").arg("--version").output();
    assert!(found.is_ok(), "gnome-keyring-daemon {MISSING}");
    let script = format!("{preparation}\nexec \"$@\"");
    run(&["dbus-run-session", "--", "sh", "-c", &script, "sh"], role, &Place::new(), None)
}

#[test]
fn with_a_locked_keyring() {
    assert_unavailable(&on_a_bus(
        "gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1",
        "probe",
    ));
}

#[test]
fn with_a_service_that_froze() {
    let said = on_a_bus(
        "echo pw | gnome-keyring-daemon --unlock --foreground --components=secrets >/dev/null 2>&1 &\n\
         sleep 1; kill -STOP $!; trap 'kill -KILL $!' EXIT; \"$@\"; exit $?",
        "probe",
    );
    assert_unavailable(&said);
}

#[test]
fn with_a_real_keyring() {
    let said = on_a_bus(
        "echo pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1",
        "real",
    );
    assert!(said.contains("key-missing: "), "{said}");
}
