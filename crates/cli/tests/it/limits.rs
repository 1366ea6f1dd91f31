//! G43: a machine that gives too little: few open files, no threads, little memory, small files, no
//! locked pages. Each command works or says so in its usual form; when the limit is gone, everything
//! works as before.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use crate::support::instance::{Consent, Instance, PROFILE, first_login, log_in, paste, words};
use crate::support::process::{Outcome, PATIENCE, Running, is_authorization_url, line};
use crate::support::sandbox::{BINARY, Sandbox};
use crate::support::stand_in::StandIn;
use crate::support::wrapped::{is_root, require, wrapped};

/// Each verb with its arguments, `revoke` last.
const COMMANDS: [&[&str]; 6] = [
    &["token", PROFILE],
    &["status", PROFILE],
    &["deliver", PROFILE, "--output", "delivered.txt"],
    &["refresh", PROFILE],
    &["login", PROFILE, "--no-browser", "--no-output"],
    &["revoke", PROFILE],
];

/// An exit code and the diagnosis that is printed with it.
type Ending = (i32, Option<&'static str>);

const DONE: Ending = (0, None);
const FULL: Ending = (6, Some("store-full"));
const EXHAUSTED: Ending = (5, Some("machine-exhausted"));
const PENDING: Ending = (5, Some("revocation-pending"));

/// A user whom nobody uses: root is above the number of processes it may have.
const NOBODY_ELSE: u32 = 54_321;

/// Somebody who is logged in, and the words that start a command under the limit.
struct Scene {
    instance: StandIn,
    sandbox: Sandbox,
    wrapper: Vec<String>,
}

impl Scene {
    fn new(limit: &str) -> Self {
        require(&["prlimit", "--version"], "util-linux");
        let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
        log_in(&sandbox, &instance);
        let mut wrapper = words(&["prlimit", limit]);
        if limit.starts_with("--nproc") && is_root() {
            require(&["setpriv", "--version"], "util-linux");
            let user = [format!("--reuid={NOBODY_ELSE}"), format!("--regid={NOBODY_ELSE}")];
            wrapper =
                [words(&["setpriv"]), user.to_vec(), words(&["--clear-groups"]), wrapper].concat();
            give_away(&sandbox.path(""));
        }
        Self { instance, sandbox, wrapper }
    }

    fn is_given_away(&self) -> bool {
        self.wrapper[0] == "setpriv"
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let mut command = wrapped(&self.sandbox, &self.wrapper, arguments);
        if self.is_given_away() {
            // Where this program was built others may not be allowed to look.
            let copy = self.sandbox.path("bin/snowtoken");
            if !copy.exists() {
                fs::copy(BINARY, &copy).unwrap();
            }
            let mut words = self.wrapper.clone();
            words.push(copy.display().to_string());
            words.extend(arguments.iter().map(|word| (*word).to_owned()));
            let mut other = self.sandbox.program(&words[0]);
            other.args(&words[1..]);
            other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command = other;
        }
        Running::start(command)
    }

    /// Runs it to its end; a login is answered when it shows where to go.
    fn run(&self, arguments: &[&str]) -> Outcome {
        let mut running = self.start(arguments);
        if arguments[0] == "login" {
            let shown = running.stderr.wait(PATIENCE, |text| line(text, is_authorization_url));
            if let Some(url) = shown {
                let redirected = self.instance.consent(&url, Consent::Allow);
                running.write(format!("{redirected}\n"));
            }
        }
        running.close_stdin();
        running.finish()
    }

    /// Without the limit everything works; where the tokens are gone on purpose, after a login.
    fn recover(&self, after: &str) {
        if self.is_given_away() {
            take_back(&self.sandbox.path(""));
        }
        if after == "revoke" {
            self.sandbox.run(&["revoke", PROFILE]).ok();
            paste(self.sandbox.start(&first_login(&self.sandbox, &self.instance)), &self.instance)
                .ok();
        }
        let token = self.sandbox.run(&["token", PROFILE]).ok().token();
        assert!(self.instance.is_alive(&token), "after {after}");
        self.sandbox.run(&["refresh", PROFILE]).ok();
        if self.is_given_away() {
            give_away(&self.sandbox.path(""));
        }
    }
}

fn give_away(path: &Path) {
    hand_over(path, NOBODY_ELSE);
}

fn take_back(path: &Path) {
    hand_over(path, 0);
}

fn hand_over(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            hand_over(&entry.unwrap().path(), user);
        }
    }
}

/// It ended in a documented way, and told why if it failed.
fn check(limit: &str, command: &str, outcome: &Outcome) -> Ending {
    let context = format!("{limit}, {command}: {outcome:#?}");
    // 70 would be a bug of ours, no code at all the end by a signal.
    let code = outcome.code.unwrap_or(-1);
    assert!((0..=6).contains(&code), "{context}");
    assert!(!outcome.stderr.contains("panicked"), "{context}");
    if code == 0 {
        return DONE;
    }
    let word = outcome.clone().failed_with(&[1, 2, 3, 4, 5, 6]).1;
    let known = [FULL, EXHAUSTED, PENDING].into_iter().find(|(_, known)| *known == word.as_deref());
    (code, known.and_then(|(_, word)| word))
}

#[test]
fn g43_few_open_files_are_enough() {
    expect("--nofile=16", [DONE; 6]);
}

#[test]
fn g43_little_memory_is_enough() {
    expect("--as=67108864", [DONE; 6]);
}

#[test]
fn g43_no_locked_pages_are_needed() {
    expect("--memlock=0", [DONE; 6]);
}

#[test]
fn g43_a_limit_on_the_size_of_files_is_a_full_disk() {
    // The database is larger: what writes to it fails, and before anybody is sent to a browser.
    expect("--fsize=4096", [DONE, DONE, FULL, FULL, FULL, FULL]);
}

#[test]
fn g43_no_threads_are_told() {
    expect("--nproc=1", [DONE, DONE, DONE, EXHAUSTED, EXHAUSTED, PENDING]);
}

#[track_caller]
fn expect(limit: &str, endings: [Ending; 6]) {
    let scene = Scene::new(limit);
    for (command, expected) in COMMANDS.iter().zip(endings) {
        let outcome = scene.run(command);
        assert_eq!(check(limit, command[0], &outcome), expected, "{command:?}: {outcome:#?}");
        scene.recover(command[0]);
    }
}

/// Five limits × thirty cases: each command at five values of each.
#[test]
fn g43_every_narrow_limit_ends_cleanly_and_loses_nothing() {
    let values: [(&str, [u64; 5]); 5] = [
        ("nofile", [4, 6, 8, 10, 12]),
        ("as", [40 << 20, 44 << 20, 48 << 20, 52 << 20, 56 << 20]),
        ("fsize", [0, 1, 1024, 8192, 16_384]),
        ("nproc", [2, 3, 4, 5, 6]),
        ("memlock", [1, 4096, 16_384, 32_768, 65_536]),
    ];
    for (name, values) in values {
        for value in values {
            let limit = format!("--{name}={value}");
            let scene = Scene::new(&limit);
            for command in COMMANDS {
                check(&limit, command[0], &scene.run(command));
                scene.recover(command[0]);
            }
        }
    }
}

#[test]
fn g43_a_passphrase_that_needs_more_memory_than_there_is_is_told() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let passphrase = sandbox.file("passphrase", "correct horse battery staple\n");
    let run = |wrapper: &[&str], arguments: &[String]| {
        let mut command = wrapped(&sandbox, wrapper, arguments);
        command.env_remove("SNOWTOKEN_KEY_FILE").env("SNOWTOKEN_PASSPHRASE_FILE", &passphrase);
        Running::start(command)
    };
    let login = [first_login(&sandbox, &instance), words(&["--no-output"])].concat();
    paste(run(&["env"], &login), &instance).ok();
    // Argon2id takes 64 MiB (RFC 9106 §4).
    let token = words(&["token", PROFILE]);
    let (_, code) = run(&["prlimit", "--as=67108864"], &token).finish().failed_with(&[5]);
    assert_eq!(code.as_deref(), Some("machine-exhausted"));
    assert!(instance.is_alive(&run(&["env"], &token).finish().ok().token()));
}

#[test]
fn g43_a_program_that_is_started_dies_of_its_own_large_files() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &instance);
    let script = "dd if=/dev/zero of=large bs=8192 count=1 2>/dev/null; exit $?";
    let arguments = ["exec", PROFILE, "--", "sh", "-c", script];
    let outcome = Running::start(wrapped(&sandbox, &["prlimit", "--fsize=4096"], &arguments));
    // SIGXFSZ is 25: for `dd` it is as if nobody had been in between.
    outcome.finish().ended_with(&[128 + 25]);
}
