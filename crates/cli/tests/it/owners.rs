//! G38, V18: folders and files that somebody else owns or may change. They are refused with the
//! reason and the step out, and what is in them stays as it was.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;

use crate::support::instance::{Instance, PROFILE, log_in};
use crate::support::process::{Outcome, Running};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;
use crate::support::wrapped::is_root;

/// Somebody else.
const OTHER: u32 = 54_321;

/// What is done to a path.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// Another owner.
    Owner,
    /// Another mode.
    Mode(u32),
}

/// What is refused how: a path, the change, the exit code, the diagnosis and the reason.
type Case = (&'static str, Change, i32, &'static str, &'static str);

const CASES: [Case; 14] = [
    ("keep/store", Change::Owner, 6, "store-insecure", "belongs to user 54321, not to us"),
    ("keep/store", Change::Mode(0o770), 6, "store-insecure", "is open to others (mode 0770)"),
    ("keep/store", Change::Mode(0o702), 6, "store-insecure", "is open to others (mode 0702)"),
    ("keep/store", Change::Mode(0o1777), 6, "store-insecure", "is open to others (mode 1777)"),
    ("keep/store/locks", Change::Owner, 6, "store-insecure", "belongs to user 54321, not to us"),
    ("keep/store/locks", Change::Mode(0o720), 6, "store-insecure", "is open to others (mode 0720)"),
    (
        "keep/store/locks",
        Change::Mode(0o1777),
        6,
        "store-insecure",
        "is open to others (mode 1777)",
    ),
    ("keep/store/tokens.db", Change::Owner, 6, "store-insecure", "belongs to user 54321"),
    ("keep/store/locks/p.lock", Change::Owner, 6, "store-insecure", "belongs to user 54321"),
    ("key/store.key", Change::Owner, 6, "key-invalid", "belongs to user 54321, not to us"),
    ("key/store.key", Change::Mode(0o640), 6, "key-invalid", "is open to others (mode 0640)"),
    ("keep/config.toml", Change::Owner, 2, "config-invalid", "it belongs to user 54321, not to us"),
    (
        "keep/config.toml",
        Change::Mode(0o660),
        2,
        "config-invalid",
        "others may write it (mode 0660): chmod go-w",
    ),
    (
        "keep/config.toml",
        Change::Mode(0o606),
        2,
        "config-invalid",
        "others may write it (mode 0606): chmod go-w",
    ),
];

fn logged_in() -> (StandIn, Sandbox, String) {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &instance);
    sandbox.run(&["refresh", PROFILE]).ok();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    (instance, sandbox, token)
}

#[track_caller]
fn refused(outcome: Outcome, code: i32, word: &str, why: &str) {
    let (outcome, found) = outcome.failed_with(&[code]);
    assert_eq!(found.as_deref(), Some(word), "{outcome:#?}");
    assert!(outcome.stderr.contains(why), "{why}: {outcome:#?}");
}

#[test]
fn g38_what_others_own_or_may_change_is_refused_with_the_reason() {
    let (instance, sandbox, token) = logged_in();
    for (name, change, code, word, why) in CASES {
        let path = sandbox.path(name);
        let before = fs::metadata(&path).unwrap();
        match change {
            // Nobody else can give files away; below are files that root owns.
            Change::Owner if !is_root() => continue,
            Change::Owner => chown(&path, Some(OTHER), None).unwrap(),
            Change::Mode(mode) => {
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        let asked = instance.received().len();
        refused(sandbox.run(&["refresh", PROFILE]), code, word, why);
        assert_eq!(instance.received().len(), asked, "{name}, {change:?}: something was sent");
        if is_root() {
            chown(&path, Some(before.uid()), Some(before.gid())).unwrap();
        }
        fs::set_permissions(&path, before.permissions()).unwrap();
        assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token, "after {name}");
    }
}

/// For a user who is not root: things of root's are in the place of ours.
#[test]
fn g38_what_root_owns_is_not_ours_to_use() {
    let (_instance, sandbox, _) = logged_in();
    let store = sandbox.path("keep/store");
    fs::rename(&store, sandbox.path("aside")).unwrap();
    symlink("/usr/share", &store).unwrap();
    let mut command = sandbox.command(&["token", PROFILE]);
    command.env("SNOWTOKEN_KEY_FILE", "/etc/passwd");
    let outcome = Running::start(command).finish();
    if is_root() {
        // To root they belong: there is no store in there.
        outcome.failed_with(&[4]);
    } else {
        refused(outcome, 6, "store-insecure", "belongs to user 0, not to us");
    }
    assert!(!Path::new("/usr/share/tokens.db").exists());
}

/// `SNOWTOKEN_HOME` may name a folder that is open to others: what matters lies in a folder of our
/// own below it. Whoever puts another one in its place gains nothing.
#[test]
fn g38_a_home_that_others_may_change_holds_nothing_they_can_use() {
    let (instance, sandbox, token) = logged_in();
    for mode in [0o777, 0o770, 0o1777] {
        fs::set_permissions(sandbox.path("keep"), fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
        sandbox.run(&["refresh", PROFILE]).ok();
    }
    if !is_root() {
        return; // The rest needs a second user; what they could do is refused above.
    }
    let (ours, theirs) = (sandbox.path("keep/store"), sandbox.path("theirs"));
    fs::create_dir(&theirs).unwrap();
    for name in ["tokens.db", "locks"] {
        let from = ours.join(name);
        if from.is_file() {
            fs::copy(&from, theirs.join(name)).unwrap();
        }
    }
    chown(&theirs, Some(OTHER), Some(OTHER)).unwrap();
    fs::rename(&ours, sandbox.path("aside")).unwrap();
    symlink(&theirs, &ours).unwrap();
    for arguments in [&["token", PROFILE][..], &["refresh", PROFILE], &["login", PROFILE]] {
        let asked = instance.received().len();
        let outcome = sandbox.run(arguments);
        refused(outcome, 6, "store-insecure", "belongs to user 54321, not to us");
        assert_eq!(instance.received().len(), asked);
    }
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 1, "something was put there");
    fs::remove_file(&ours).unwrap();
    fs::rename(sandbox.path("aside"), &ours).unwrap();
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), token);
}
