//! §7.18 and §7.19: what lies on the disk, where, with which mode, and what cannot be read there.

use crate::support::canary::Scanner;
use crate::support::foreign::{Foreign, Kind};
use crate::support::instance::{Instance, PROFILE, first_login, log_in, paste, words};
use crate::support::process::Running;
use crate::support::sandbox::{BINARY, Sandbox};

/// The same command under a umask that takes nothing away.
fn without_umask(sandbox: &Sandbox, arguments: &[String]) -> Running {
    let plain = sandbox.command(arguments);
    let mut shell = sandbox.program("/bin/sh");
    shell.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.args(["-c", "umask 000; exec \"$0\" \"$@\"", BINARY]).args(arguments);
    Running::start(shell)
}

#[test]
fn item_18_modes_hold_under_any_umask_and_nothing_lies_elsewhere() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    paste(without_umask(&sandbox, &first_login(&sandbox, &server)), &server).ok();
    for verb in ["refresh", "status", "verify"] {
        without_umask(&sandbox, &words(&[verb, PROFILE])).finish().ok();
    }
    let all = sandbox.snapshot();
    assert!(all.keys().any(|name| name.starts_with("keep/")), "nothing is kept: {all:?}");
    let ours = all.iter().filter(|(name, _)| {
        name.starts_with("keep") || name.starts_with("home/") || *name == "key/store.key"
    });
    for (name, entry) in ours {
        let wanted = if entry.is_folder() { 0o700 } else { 0o600 };
        assert_eq!(entry.permissions(), wanted, "{name} is {:o}", entry.permissions());
    }
    let home: Vec<_> = sandbox.snapshot_of("home").into_keys().collect();
    assert_eq!(home, ["home/servicenow_credentials.txt"]);
    assert_eq!(sandbox.snapshot_of("tmp").len(), 0, "something is left in $TMPDIR");
}

#[test]
fn item_19_what_a_killed_process_leaves_is_sealed() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in(&sandbox, &server);
    let mut scanner = Scanner::of(&[("client secret", &server.client_secret())]);
    for wait in [5, 10, 20, 40, 80, 160] {
        let running = sandbox.start(&["refresh", PROFILE]);
        std::thread::sleep(std::time::Duration::from_millis(wait));
        running.kill();
        let token = sandbox.run(&["token", PROFILE]).ok().token();
        scanner.add("access token", &token);
    }
    for request in server.token_requests() {
        for name in ["code", "code_verifier", "refresh_token"] {
            if let Some(value) = request.field(name) {
                scanner.add(name, &value);
            }
        }
    }
    let given = sandbox.path("files/client-secret");
    assert_eq!(scanner.scan_tree(&sandbox.path(""), &[&given]), Vec::<String>::new());
    // The scanner sees what is in the clear: the file that the person gave.
    assert!(!scanner.scan_tree(&sandbox.path(""), &[]).is_empty());
    for (name, entry) in sandbox.snapshot_of("keep") {
        assert_eq!(entry.permissions() & 0o077, 0, "{name} is {:o}", entry.permissions());
    }
}
