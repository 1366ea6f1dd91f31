//! An export, killed at every call that changes something on the disk: one owner at least, one owner
//! at most, and nothing to clean up by hand. Needs `strace`.

use std::fs;
use std::path::Path;

use super::{PASSPHRASE, Scene, export, import, refuses, state};
use crate::support::instance::PROFILE;
use crate::support::process::{Outcome, Running};
use crate::support::sandbox::{BINARY, Sandbox};

/// The calls that change something on the disk, or make it durable.
const CALLS: [&str; 10] = [
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "linkat",
    "renameat",
    "rename",
    "unlink",
    "close",
];

/// How many points: some by default, all by `SNOWTOKEN_TEST_COUNTS=full`.
fn is_full() -> bool {
    std::env::var("SNOWTOKEN_TEST_COUNTS").is_ok_and(|asked| asked == "full")
}

/// What is touched: the rest is the program being loaded.
const PLACES: [&str; 8] = [
    "keep",
    "keep/config.toml",
    "keep/store",
    "keep/store/tokens.db",
    "keep/store/tokens.db-journal",
    "files",
    "files/p.snowtoken",
    "files/p.snowtoken.part",
];

/// An export under strace, with these options.
fn traced(sandbox: &Sandbox, places: &[&str], options: &[&str]) -> Outcome {
    traced_command(sandbox, places, options, &["export", PROFILE])
}

fn traced_command(sandbox: &Sandbox, places: &[&str], options: &[&str], words: &[&str]) -> Outcome {
    let mut strace = sandbox.program("/usr/bin/strace");
    strace.args(["-f", "-qq"]);
    for place in places {
        strace.arg("-P").arg(sandbox.path(place));
    }
    strace.args(options).args([BINARY, "profile"]).args(words);
    strace.args(["--passphrase-file", "passphrase"]);
    let mut running = Running::start(strace);
    running.close_stdin();
    running.finish()
}

/// Every point at which a whole command can be killed: a call and its number.
fn points(sandbox: &Sandbox, words: &[&str]) -> Vec<(String, usize)> {
    let log = sandbox.path("calls");
    let filter = format!("trace={}", CALLS.join(","));
    let options = ["-e", &filter, "-o", log.to_str().unwrap()];
    traced_command(sandbox, &PLACES, &options, words).ok();
    let log = fs::read_to_string(log).unwrap();
    let mut seen: Vec<(String, usize)> = Vec::new();
    for call in CALLS {
        let count = log.lines().filter(|line| line.contains(&format!(" {call}("))).count();
        seen.extend((1..=count).map(|nth| (call.to_owned(), nth)));
    }
    seen
}

/// By default everything that gives or takes a name (so does a commit), and some of the other calls.
fn choose(points: &mut Vec<(String, usize)>, each: usize) {
    let rare = |call: &str| matches!(call, "renameat" | "rename" | "linkat" | "unlink");
    let mut number = 0;
    points.retain(|(call, _)| {
        number += 1;
        is_full() || rare(call) || number % each == 4
    });
}

/// The machine as it was, before the next kill.
fn restore(from: &Path, sandbox: &Sandbox) {
    for name in ["keep", "files"] {
        let _ = fs::remove_dir_all(sandbox.path(name));
        copy(&from.join(name), &sandbox.path(name));
    }
}

fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_killed_export_leaves_one_owner_and_loses_nothing() {
    let scene = Scene::new(&["refresh.token=rotate"]);
    let saved = tempfile::tempdir().unwrap();
    for name in ["keep", "files"] {
        copy(&scene.a.path(name), &saved.path().join(name));
    }
    let mut all = points(&scene.a, &["export", PROFILE]);
    assert!(all.len() > 40, "only {} calls were seen: {all:?}", all.len());
    choose(&mut all, 11);
    let mut killed = Vec::new();
    let (mut owners, mut formers) = (0, 0);
    for (call, nth) in all {
        restore(saved.path(), &scene.a);
        let inject = format!("inject={call}:signal=KILL:when={nth}");
        let outcome = traced(&scene.a, &PLACES, &["-o", "/dev/null", "-e", &inject]);
        assert_ne!(outcome.code, Some(0), "{inject}: {outcome:#?}");
        let named = scene.file().exists();
        match state(&scene.a).as_str() {
            "logged in" => {
                owners += 1;
                // Nobody can take for a whole export what is none.
                assert!(!named, "{inject}: two owners");
                still_owns(&scene, &inject);
            }
            "handed over" => {
                formers += 1;
                refuses(&scene.a);
                if !named {
                    let told = export(&scene.a, &["--no-input"]).ok();
                    assert!(
                        told.stderr.contains("the export that was begun is finished"),
                        "{told:#?}"
                    );
                }
            }
            other => panic!("{inject}: {other}"),
        }
        // Whoever gives up: the file is whole.
        takes_over(&scene, &inject);
        // Its refresh token is the newest now: the next round starts with it.
        give_back(&scene, saved.path());
        killed.push(format!("{call}:{nth}"));
    }
    println!("killed at {}: {owners} times still the owner, {formers} times not", killed.join(" "));
    assert!(owners > 0 && formers > 0, "{owners} and {formers}: too few points to mean anything");
}

/// The killed export changed nothing; the next one says what happened, where something did.
fn still_owns(scene: &Scene, inject: &str) {
    let waits = scene.a.path("files/p.snowtoken.part");
    if waits.exists() {
        let (outcome, _) = import(&scene.b, &waits, &[]).failed_with(&[2]);
        assert!(
            outcome.stderr.contains("is of an export that did not finish"),
            "{inject}: {outcome:#?}"
        );
    }
    scene.a.run(&["refresh", PROFILE]).ok();
    let told = scene.exported().ok();
    let said = told.stderr.contains("did not finish, and this machine stayed the owner");
    assert!(said || !waits.exists(), "{inject}: {told:#?}");
    assert!(!waits.exists(), "{inject}");
}

fn takes_over(scene: &Scene, inject: &str) {
    let told = import(&scene.b, &scene.file(), &[]);
    assert_eq!(told.code, Some(0), "{inject}: {told:#?}");
    scene.b.run(&["refresh", PROFILE]).ok();
    refuses(&scene.a);
}

/// B hands it back, and the first machine is saved as it is then.
fn give_back(scene: &Scene, saved: &Path) {
    let back = scene.b.path("files/back.snowtoken");
    export(&scene.b, &["--output", back.to_str().unwrap()]).ok();
    fs::remove_file(scene.file()).unwrap();
    import(&scene.a, &back, &[]).ok();
    scene.a.file("passphrase", PASSPHRASE);
    for name in ["keep", "files"] {
        let _ = fs::remove_dir_all(saved.join(name));
        copy(&scene.a.path(name), &saved.join(name));
    }
}

/// An import is done or can be repeated. The instance keeps the refresh token: that an answer may be
/// lost where it does not is another matter.
#[test]
fn a_killed_import_is_done_or_can_be_repeated() {
    let scene = Scene::new(&[]);
    scene.exported().ok();
    let file = scene.file().display().to_string();
    let words = ["import", &file];
    // A home that is there already: what makes one is tried elsewhere.
    import(&scene.b, &scene.file(), &["--name", "other"]).ok();
    scene.b.run(&["profile", "remove", "other", "--force"]).ok();
    let saved = tempfile::tempdir().unwrap();
    import(&scene.a, &scene.file(), &[]).ok();
    scene.exported().ok();
    for name in ["keep", "files"] {
        copy(&scene.b.path(name), &saved.path().join(name));
    }
    let mut all = points(&scene.b, &words);
    assert!(all.len() > 60, "only {} calls were seen: {all:?}", all.len());
    choose(&mut all, 40);
    let (mut done, mut repeated) = (0, 0);
    for (call, nth) in all {
        restore(saved.path(), &scene.b);
        let inject = format!("inject={call}:signal=KILL:when={nth}");
        let options = ["-o", "/dev/null", "-e", &inject];
        let outcome = traced_command(&scene.b, &PLACES, &options, &words);
        assert_ne!(outcome.code, Some(0), "{inject}: {outcome:#?}");
        let again = import(&scene.b, &scene.file(), &[]);
        if again.code == Some(0) {
            repeated += 1;
        } else {
            done += 1;
            assert_eq!(again.failed_with(&[2]).1.as_deref(), Some("sealed-file-used"), "{inject}");
        }
        assert_eq!(state(&scene.b), "logged in", "{inject}");
        scene.b.run(&["refresh", PROFILE]).ok();
    }
    refuses(&scene.a);
    println!("{done} times done, {repeated} times repeated");
    assert!(done > 0 && repeated > 0, "{done} and {repeated}: too few points to mean anything");
}

/// What a power cut may lose is only what came after the last sync: the file is durable before this
/// machine gives up, and that is durable before the file has its name.
#[test]
fn the_order_on_the_disk_survives_a_power_cut() {
    let scene = Scene::new(&[]);
    let log = scene.a.path("calls");
    let filter = "trace=fsync,fdatasync,linkat,unlink,rename,renameat,renameat2";
    traced(&scene.a, &[], &["-e", filter, "-o", log.to_str().unwrap()]).ok();
    let log = fs::read_to_string(log).unwrap();
    let name = |line: &str| {
        let call = line.split_once(' ')?.1.split_once('(')?.0.trim().to_owned();
        let store = line.contains("tokens.db-journal");
        Some(if call == "unlink" && store { "commit".to_owned() } else { call })
    };
    // The copy of the store is not synced, and in nobody's way.
    let counts = |line: &&str| !line.contains("tokens.db.copy");
    let calls: Vec<String> = log.lines().filter(counts).filter_map(name).collect();
    let at = |call: &str| calls.iter().rposition(|name| name == call).unwrap();
    let around = |at: usize| [at - 1, at + 1].map(|near| calls.get(near).map(String::as_str));
    let (link, commit, rename) = (at("linkat"), at("commit"), at("rename"));
    assert!(link < commit && commit < rename, "{calls:?}");
    // The file itself before it has a name, the folder after.
    assert_eq!(around(link), [Some("fsync"); 2], "{calls:?}");
    assert_eq!(around(commit)[1], Some("fsync"), "{calls:?}");
    assert_eq!(around(rename), [Some("fsync"); 2], "{calls:?}");
    // The intent comes first of all.
    assert!(calls[..link].contains(&"commit".to_owned()), "{calls:?}");
}
